#include "hwaro/core/random_kernels.h"

#include <atomic>

#include "hwaro/core/random_kernels_impl.h"

namespace hwaro {
namespace {
constinit std::atomic<const RandomKernels*> current{&random_impl::kKernels};
}

const RandomKernels& random_kernels() { return *current.load(std::memory_order_acquire); }
void set_random_kernels(const RandomKernels* kernels) { current.store(kernels, std::memory_order_release); }

}  // namespace hwaro
