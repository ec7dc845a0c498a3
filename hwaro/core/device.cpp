#include "hwaro/core/device.h"

#include "hwaro/base/error.h"
#include "hwaro/core/availability.h"

namespace hwaro {

const char* name_of(DeviceType type) {
  constexpr const char* kNames[kDeviceTypes] = {"cpu", "cuda", "mps", "meta"};
  return kNames[int(type)];
}

Device::Device(std::string_view text) {
  HWARO_CHECK(!text.empty(), "Device string must not be empty");
  const auto colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const bool is_name = name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_") == name.npos;
  HWARO_CHECK(is_name && !name.empty(), "Invalid device string: '", text, "'");
  bool known = false;
  for (int t = 0; t < kDeviceTypes; ++t)
    if (name == name_of(DeviceType(t))) {
      type = DeviceType(t);
      known = true;
    }
  if (name == "xpu") raise<AssertionError>("Torch not compiled with XPU enabled");
  HWARO_CHECK(known,
              "Expected one of cpu, cuda, ipu, xpu, mkldnn, opengl, opencl, ideep, hip, ve, fpga, maia, xla, lazy, "
              "vulkan, mps, meta, hpu, mtia, privateuseone device type at start of device string: ",
              name);
  if (colon == std::string_view::npos) return;
  const std::string_view digits = text.substr(colon + 1);
  int value = 0;
  bool good = !digits.empty() && digits.size() <= 3 && !(digits.size() > 1 && digits[0] == '0');
  for (char c : digits) {
    good = good && c >= '0' && c <= '9';
    if (good) value = 10 * value + (c - '0');
  }
  HWARO_CHECK(good && value < 128, "Invalid device string: '", text, "'");
  index = static_cast<std::int8_t>(value);
}

std::string Device::str() const {
  std::string out = name_of(type);
  if (index >= 0) out += ":" + std::to_string(int(index));
  return out;
}

void check_device_available(const Device& device) {
  if (device.type == DeviceType::CUDA) raise<AssertionError>("Torch not compiled with CUDA enabled");
  if (device.type == DeviceType::MPS) raise("PyTorch is not linked with support for mps devices");
}

void check_can_create_on(const Device& device) {
  if (device.type == DeviceType::MPS)
    raise<NotImplementedError>(
        "Could not run 'aten::empty.memory_format' with arguments from the 'MPS' backend. This could be because the "
        "operator doesn't exist for this backend, or was omitted during the selective/custom build process (if using "
        "custom build). 'aten::empty.memory_format' is only available for these backends: [CPU, Meta].");
  check_device_available(device);
}

}  // namespace hwaro
