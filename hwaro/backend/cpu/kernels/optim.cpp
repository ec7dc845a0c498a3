// SGD and Adam steps, fused: every element is read and written once. The arithmetic follows PyTorch's single-tensor
// formulas operation by operation in the element type, so that trajectories agree to rounding:
//   SGD (Sutskever et al., 2013)   v = momentum v + (1 - dampening) g;  p -= lr (g + momentum v | v)
//   Adam (Kingma & Ba, 2014)       m += (1 - beta1)(g - m);  s = beta2 s + (1 - beta2) g g;
//                                  p -= lr / (1 - beta1^t) * m / (sqrt(s) / sqrt(1 - beta2^t) + eps)
// The last, partial vector goes through buffers.
#include "hwaro/ops/nn/optim_kernels.h"

#include "hwaro/math/math.h"

namespace hwaro {
inline namespace HWARO_ISA {
namespace {

template <class T>
HWARO_INLINE void for_vectors(std::int64_t n, T* const* arrays, int count, auto body) {
  constexpr std::int64_t step = Vec<T>::size();
  std::int64_t i = 0;
  T* at[5];
  for (; i + step <= n; i += step) {
    for (int k = 0; k < count; ++k) at[k] = arrays[k] ? arrays[k] + i : nullptr;
    body(at);
  }
  if (i < n) {
    T buffer[5][step] = {};
    for (int k = 0; k < count; ++k) {
      at[k] = arrays[k] ? buffer[k] : nullptr;
      if (arrays[k]) __builtin_memcpy(buffer[k], arrays[k] + i, std::size_t(n - i) * sizeof(T));
    }
    body(at);
    for (int k = 0; k < count; ++k)
      if (arrays[k] && k != 1) __builtin_memcpy(arrays[k] + i, buffer[k], std::size_t(n - i) * sizeof(T));
  }
}

template <class T>
void sgd(void* p, const void* g, void* buffer, std::int64_t n, const SgdStep& s) {
  using V = Vec<T>;
  const V lr(T(s.lr)), momentum(T(s.momentum)), keep(T(1 - s.dampening)), decay(T(s.weight_decay));
  T* const arrays[] = {static_cast<T*>(p), const_cast<T*>(static_cast<const T*>(g)), static_cast<T*>(buffer)};
  for_vectors<T>(n, arrays, 3, [&](T* const* at) __attribute__((always_inline)) {
    V grad = V::load(at[1]), x = V::load(at[0]);
    if (s.maximize) grad = -grad;
    if (s.weight_decay != 0) grad = grad + decay * x;
    if (at[2]) {
      const V v = s.first_step ? grad : momentum * V::load(at[2]) + keep * grad;
      v.store(at[2]);
      grad = s.nesterov ? grad + momentum * v : v;
    }
    (x - lr * grad).store(at[0]);
  });
}

template <class T>
void adam(void* p, const void* g, void* mean, void* square, void* largest, std::int64_t n, const AdamStep& s) {
  using V = Vec<T>;
  const double correction1 = 1 - __builtin_pow(s.beta1, s.step),
               root2 = __builtin_sqrt(1 - __builtin_pow(s.beta2, s.step));
  const V shrink(T(1 - s.lr * s.weight_decay)), decay(T(s.weight_decay)), w1(T(1 - s.beta1)), beta2(T(s.beta2)),
      w2(T(1 - s.beta2)), root(static_cast<T>(root2)), eps(T(s.eps)), size(T(s.lr / correction1));
  T* const arrays[] = {static_cast<T*>(p), const_cast<T*>(static_cast<const T*>(g)), static_cast<T*>(mean),
                       static_cast<T*>(square), static_cast<T*>(largest)};
  for_vectors<T>(n, arrays, 5, [&](T* const* at) __attribute__((always_inline)) {
    V grad = V::load(at[1]), x = V::load(at[0]);
    if (s.maximize) grad = -grad;
    if (s.weight_decay != 0) {
      if (s.decoupled) x = x * shrink;
      else grad = grad + decay * x;
    }
    V m = V::load(at[2]), v = V::load(at[3]);
    m = m + w1 * (grad - m);
    v = v * beta2 + w2 * grad * grad;
    m.store(at[2]);
    v.store(at[3]);
    if (at[4]) {
      v = maximum(V::load(at[4]), v);
      v.store(at[4]);
    }
    (x - size * (m / (sqrt(v) / root + eps))).store(at[0]);
  });
}

}  // namespace

extern constinit const OptimKernels optim_table = {{&sgd<float>, &sgd<double>}, {&adam<float>, &adam<double>}};

}  // namespace HWARO_ISA
}  // namespace hwaro
