// Fused optimizer steps on contiguous runs: one pass over memory. One table per instruction set.
#pragma once

#include <cstdint>

namespace hwaro {

struct SgdStep {
  double lr, momentum, dampening, weight_decay;
  bool nesterov, maximize, first_step;
};
struct AdamStep {
  double step, lr, beta1, beta2, weight_decay, eps;
  bool amsgrad, maximize, decoupled;
};

struct OptimKernels {
  // p, g, momentum buffer (null without momentum), n
  void (*sgd[2])(void* p, const void* g, void* buffer, std::int64_t n, const SgdStep& s);  // [float, double]
  // p, g, mean, square, largest square (null without amsgrad), n
  void (*adam[2])(void* p, const void* g, void* mean, void* square, void* largest, std::int64_t n, const AdamStep& s);
};

const OptimKernels& optim_kernels();
void set_optim_kernels(const OptimKernels* table);  // called once at load by the backend

}  // namespace hwaro
