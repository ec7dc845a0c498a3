#include "hwaro/backend/cpu/capability.h"
#include "hwaro/backend/cpu/gemm/kernels.h"

namespace hwaro {
namespace {

const GemmKernels* table_for(CpuCapability capability) {
#if defined(__x86_64__)
  if (capability == CpuCapability::kAvx512) return &avx512::gemm_kernels;
  if (capability == CpuCapability::kAvx2) return &avx2::gemm_kernels;
#endif
  (void)capability;
  return &base::gemm_kernels;
}

const GemmKernels* replaced = nullptr;

}  // namespace

const GemmKernels& active_gemm_kernels() {
  if (replaced != nullptr) [[unlikely]]
    return *replaced;
  static const GemmKernels* const kernels = table_for(cpu_capability());
  return *kernels;
}

void set_active_gemm_kernels(const GemmKernels* kernels) { replaced = kernels; }

}  // namespace hwaro
