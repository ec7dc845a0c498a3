#include "hwaro/backend/cpu/capability.h"
#include "hwaro/backend/cpu/conv/kernels.h"

namespace hwaro {
namespace {

const ConvKernels* table_for(CpuCapability capability) {
  const ConvKernels* tables[] = HWARO_TABLES(conv_kernels);
  return tables[static_cast<int>(capability)];
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
