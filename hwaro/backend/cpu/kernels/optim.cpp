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

// Calls body(pointers to a vector in each array). The first array stands in for an absent last one, which is not written;
// array 1 is the gradient, which is only read.
template <class T, int Count>
HWARO_INLINE void for_vectors(std::int64_t n, T* const (&arrays)[Count], auto body) {
  constexpr std::int64_t step = Vec<T>::size();
  T* at[Count];
  std::int64_t i = 0;
  for (; i + step <= n; i += step) {
    for (int k = 0; k < Count; ++k) at[k] = arrays[k] + i;
    body(at);
  }
  if (i < n) {
    const std::size_t rest = std::size_t(n - i) * sizeof(T);
    T buffer[Count][step] = {};
    for (int k = 0; k < Count; ++k) {
      at[k] = buffer[k];
      __builtin_memcpy(buffer[k], arrays[k] + i, rest);
    }
    body(at);
    for (int k = 0; k < Count; ++k)
      if (k == 0 || (k != 1 && arrays[k] != arrays[0])) __builtin_memcpy(arrays[k] + i, buffer[k], rest);
  }
}

// Settings are copied first: what is read through the reference would be read again after every store.
template <class T>
void sgd(void* p, const void* g, void* buffer, std::int64_t n, const SgdStep& settings) {
  using V = Vec<T>;
  const SgdStep s = settings;
  const V lr(T(s.lr)), momentum(T(s.momentum)), keep(T(1 - s.dampening)), decay(T(s.weight_decay));
  const bool with_buffer = buffer != nullptr;
  T* const arrays[] = {static_cast<T*>(p), const_cast<T*>(static_cast<const T*>(g)),
                       static_cast<T*>(with_buffer ? buffer : p)};
  for_vectors(n, arrays, [=](T* const* at) __attribute__((always_inline)) {
    V grad = V::load(at[1]), x = V::load(at[0]);
    if (s.maximize) grad = -grad;
    if (s.weight_decay != 0) grad = grad + decay * x;
    if (with_buffer) {
      const V v = s.first_step ? grad : momentum * V::load(at[2]) + keep * grad;
      v.store(at[2]);
      grad = s.nesterov ? grad + momentum * v : v;
    }
    (x - lr * grad).store(at[0]);
  });
}

template <class T>
void adam(void* p, const void* g, void* mean, void* square, void* largest, std::int64_t n, const AdamStep& settings) {
  using V = Vec<T>;
  const AdamStep s = settings;
  const double correction1 = 1 - __builtin_pow(s.beta1, s.step),
               root2 = __builtin_sqrt(1 - __builtin_pow(s.beta2, s.step));
  const V shrink(T(1 - s.lr * s.weight_decay)), decay(T(s.weight_decay)), w1(T(1 - s.beta1)), beta2(T(s.beta2)),
      w2(T(1 - s.beta2)), root(static_cast<T>(root2)), eps(T(s.eps)), size(T(s.lr / correction1));
  const bool with_largest = largest != nullptr;
  T* const arrays[] = {static_cast<T*>(p), const_cast<T*>(static_cast<const T*>(g)), static_cast<T*>(mean),
                       static_cast<T*>(square), static_cast<T*>(with_largest ? largest : p)};
  for_vectors(n, arrays, [=](T* const* at) __attribute__((always_inline)) {
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
    if (with_largest) {
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
