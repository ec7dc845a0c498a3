// Rows of attention scores: softmax that is carried from block to block (Milakov and Gimelshein, 2018), its recomputation
// and its gradient. Two passes per row, maximum and then exponentials with their sum, over scores that are in cache since
// their product was formed. The last elements of a row go one by one through the same expressions.
#include "hwaro/ops/nn/attention_kernels.h"

#include "hwaro/base/isa.h"
#include "hwaro/backend/cpu/kernels/each.h"
#include "hwaro/math/math.h"

namespace hwaro {
inline namespace HWARO_ISA {
namespace {

using std::int64_t;

template <class T>
T softmax_row(int64_t n, T* s, const T* mask, T scale, T* max, T* sum) {
  using V = Vec<T>;
  constexpr int N = V::size();
  const T before = *max;
  V top(before), top2(before);
  T rest = before;
  int64_t i = 0;
  const auto score = [&](int64_t k, auto v) {
    using W = decltype(v);
    W x = W::load(s + k) * W(scale);
    if (mask) {
      x = x + W::load(mask + k);
      x.store(s + k);
    }
    return x;
  };
  for (; i + 2 * N <= n; i += 2 * N) {
    top = maximum(top, score(i, V()));
    top2 = maximum(top2, score(i + N, V()));
  }
  for (; i + N <= n; i += N) top = maximum(top, score(i, V()));
  for (; i < n; ++i) {
    const T x = score(i, Vec<T, 1>())[0];
    if (x > rest || x != x) rest = x;
  }
  top = maximum(top, top2);
  T m = rest;
  for (int l = 0; l < N; ++l)
    if (top[l] > m || top[l] != top[l]) m = top[l];
  *max = m;
  // Nothing but -inf so far: all probabilities are zero.
  if (m == -FloatTraits<T>::kInfinity) {
    for (i = 0; i < n; ++i) s[i] = T(0);
    return T(1);
  }
  const T factor = mask ? T(1) : scale;  // a masked score was scaled above
  V total(0), total2(0);
  T tail = 0;
  const auto power = [&](int64_t k, auto v) {
    using W = decltype(v);
    const W e = exp(W::load(s + k) * W(factor) - W(m));
    e.store(s + k);
    return e;
  };
  for (i = 0; i + 2 * N <= n; i += 2 * N) {
    total += power(i, V());
    total2 += power(i + N, V());
  }
  for (; i + N <= n; i += N) total += power(i, V());
  for (; i < n; ++i) tail += power(i, Vec<T, 1>())[0];
  total += total2;
  for (int l = 0; l < N; ++l) tail += total[l];
  const T alpha = exp(Vec<T, 1>(before - m))[0];
  *sum = *sum * alpha + tail;
  return alpha;
}

template <class T>
void probabilities_row(int64_t n, T* s, const T* mask, T scale, T lse) {
  if (lse == -FloatTraits<T>::kInfinity) {
    for (int64_t i = 0; i < n; ++i) s[i] = T(0);
    return;
  }
  each<T>(n, [&](int64_t i, auto v) {
    using W = decltype(v);
    W x = W::load(s + i) * W(scale);
    if (mask) x = x + W::load(mask + i);
    exp(x - W(lse)).store(s + i);
  });
}

template <class T>
void gradient_row(int64_t n, const T* p, T* dp, T delta, T scale) {
  each<T>(n, [&](int64_t i, auto v) {
    using W = decltype(v);
    (W::load(p + i) * (W::load(dp + i) - W(delta)) * W(scale)).store(dp + i);
  });
}

template <class T>
void scale_row(int64_t n, T* x, T factor) {
  each<T>(n, [&](int64_t i, auto v) {
    using W = decltype(v);
    (W::load(x + i) * W(factor)).store(x + i);
  });
}

template <class T>
T dot_row(int64_t n, const T* x, const T* y) {
  using V = Vec<T>;
  V total(0);
  int64_t i = 0;
  for (; i + V::size() <= n; i += V::size()) total += V::load(x + i) * V::load(y + i);
  T sum = 0;
  for (; i < n; ++i) sum += x[i] * y[i];
  for (int l = 0; l < V::size(); ++l) sum += total[l];
  return sum;
}

template <class T>
constexpr AttentionLoops<T> loops() {
  return {softmax_row<T>, probabilities_row<T>, gradient_row<T>, scale_row<T>, dot_row<T>};
}

}  // namespace

extern constinit const AttentionKernels attention_table = {loops<float>(), loops<double>()};

}  // namespace HWARO_ISA
}  // namespace hwaro
