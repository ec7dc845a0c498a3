#include "hwaro/backend/cpu/random.h"

#include "hwaro/base/isa.h"

namespace hwaro {

HWARO_DECLARE_TABLES(RandomKernels, random_kernel_table)

const RandomKernels* random_kernels_for(CpuCapability capability) {
  const RandomKernels* tables[] = HWARO_TABLES(random_kernel_table);
  return tables[static_cast<int>(capability)];
}

void install_random_kernels() { set_random_kernels(random_kernels_for(cpu_capability())); }

}  // namespace hwaro
