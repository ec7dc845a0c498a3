#include "hwaro/backend/cpu/capability.h"
#include "hwaro/backend/cpu/conv/kernels.h"

namespace hwaro {
namespace {

const ConvKernels* table_for(CpuCapability capability) {
#if defined(__x86_64__)
  if (capability == CpuCapability::kAvx512) return &avx512::conv_kernels;
  if (capability == CpuCapability::kAvx2) return &avx2::conv_kernels;
#endif
  (void)capability;
  return &base::conv_kernels;
}

const ConvKernels* replaced = nullptr;

}  // namespace

const ConvKernels& active_conv_kernels() {
  if (replaced != nullptr) [[unlikely]]
    return *replaced;
  static const ConvKernels* const kernels = table_for(cpu_capability());
  return *kernels;
}

void set_active_conv_kernels(const ConvKernels* kernels) { replaced = kernels; }

}  // namespace hwaro
