// The Mersenne Twister and Box-Muller loops for one instruction set. Why not the base set alone: a million floats of
// randn take 3.4 ms with SSE2 and 0.94 with AVX2 (fma and twice the lanes), rand 1.3 and 0.34; and only with fma are
// the bits PyTorch's.
#include "hwaro/core/random_kernels_impl.h"

namespace hwaro {
inline namespace HWARO_ISA {

extern const RandomKernels random_kernel_table;
constinit const RandomKernels random_kernel_table = random_impl::kKernels;

}  // namespace HWARO_ISA
}  // namespace hwaro
