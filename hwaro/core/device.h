// Where a tensor lives.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hwaro {

enum class DeviceType : std::int8_t { CPU, CUDA, MPS, Meta };
inline constexpr int kDeviceTypes = 4;

struct Device {
  DeviceType type = DeviceType::CPU;
  std::int8_t index = -1;  // -1: none given ("cuda" means the current device)

  Device() = default;
  Device(DeviceType t, int i = -1) : type(t), index(static_cast<std::int8_t>(i)) {}  // NOLINT
  // Parses "cpu", "cuda", "cuda:1", "mps", "meta". Errors: RuntimeError in PyTorch's words.
  Device(std::string_view text);                                // NOLINT
  Device(const char* text) : Device(std::string_view(text)) {}  // NOLINT

  bool is_cpu() const { return type == DeviceType::CPU; }
  bool is_meta() const { return type == DeviceType::Meta; }
  std::string str() const;
  friend bool operator==(const Device&, const Device&) = default;
};

const char* name_of(DeviceType type);

// Raises what PyTorch raises where a device is asked for that this build or machine does not have.
void check_device_available(const Device& device);

}  // namespace hwaro
