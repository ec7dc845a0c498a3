// Which devices there are. This build computes on the CPU; cuda and mps answer as PyTorch does without such a device.
#pragma once

namespace hwaro {

namespace cpu {
constexpr bool is_available() { return true; }
}  // namespace cpu
namespace cuda {
constexpr bool is_available() { return false; }
constexpr int device_count() { return 0; }
}  // namespace cuda
namespace mps {
constexpr bool is_available() { return false; }
}  // namespace mps

}  // namespace hwaro
