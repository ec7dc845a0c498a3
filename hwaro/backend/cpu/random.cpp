#include "hwaro/backend/cpu/random.h"

namespace hwaro {

#if defined(__x86_64__)
namespace avx2 {
extern const RandomKernels random_kernel_table;
}
namespace avx512 {
extern const RandomKernels random_kernel_table;
}
#endif
inline namespace base {
extern const RandomKernels random_kernel_table;
}

const RandomKernels* random_kernels_for(CpuCapability capability) {
#if defined(__x86_64__)
  if (capability == CpuCapability::kAvx512) return &avx512::random_kernel_table;
  if (capability == CpuCapability::kAvx2) return &avx2::random_kernel_table;
#endif
  (void)capability;
  return &base::random_kernel_table;
}

void install_random_kernels() { set_random_kernels(random_kernels_for(cpu_capability())); }

}  // namespace hwaro
