// Rows of attention scores; float and double. One table per instruction set.
#pragma once

#include <cstdint>

namespace hwaro {

template <class T>
struct AttentionLoops {
  // One row of a block of scores, online: on entry *max and *sum describe the blocks before it. s becomes
  // exp(s * scale + mask - new maximum), where mask may be null; returns what earlier sums are to be multiplied with.
  T (*softmax_row)(std::int64_t n, T* s, const T* mask, T scale, T* max, T* sum);
  // s becomes exp(s * scale + mask - lse): probabilities again, from the logarithm of their sum.
  void (*probabilities_row)(std::int64_t n, T* s, const T* mask, T scale, T lse);
  // dp becomes p * (dp - delta) * scale: the gradient of the scores before scaling.
  void (*gradient_row)(std::int64_t n, const T* p, T* dp, T delta, T scale);
  void (*scale_row)(std::int64_t n, T* x, T factor);
  T (*dot_row)(std::int64_t n, const T* x, const T* y);
};

struct AttentionKernels {
  AttentionLoops<float> f;
  AttentionLoops<double> d;
};
const AttentionKernels& attention_kernels();
void set_attention_kernels(const AttentionKernels* table);  // called once at load by the backend

}  // namespace hwaro
