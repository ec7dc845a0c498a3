#include "hwaro/backend/cpu/capability.h"
#include "hwaro/backend/cpu/gemm/kernels.h"

namespace hwaro {
namespace {

const GemmKernels* table_for(CpuCapability capability) {
  const GemmKernels* tables[] = HWARO_TABLES(gemm_kernels);
  return tables[static_cast<int>(capability)];
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
