// softmax and log_softmax along rows and along columns, forward and backward.
//
// Three passes over a row that stays in L1: maximum; exponentials and their sum; scaling. Two accumulators hide the latency
// of the sums. The end of a row goes through a padded buffer, so rows shorter than a vector take the same path. NaN needs no
// care in the maximum: its exponential makes the sum NaN.
#include "hwaro/math/convert.h"
#include "hwaro/math/math.h"
#include "hwaro/ops/reduce/softmax_kernels.h"

namespace hwaro {
inline namespace HWARO_ISA {
namespace {

using std::int64_t;

template <class T>
inline constexpr int kLanes = HWARO_VECTOR_BYTES / int(sizeof(T));

template <class T>
HWARO_INLINE Vec<T> load_some(const T* p, int64_t n, T fill) {
  constexpr int N = kLanes<T>;
  T lanes[N];
  for (int i = 0; i < N; ++i) lanes[i] = i < n ? p[i] : fill;
  return Vec<T>::load(lanes);
}
template <class T>
HWARO_INLINE void store_some(Vec<T> v, T* p, int64_t n) {
  constexpr int N = kLanes<T>;
  T lanes[N];
  v.store(lanes);
  for (int i = 0; i < N && i < n; ++i) p[i] = lanes[i];
}

template <class T>
HWARO_INLINE Vec<T> larger(Vec<T> a, Vec<T> b) {
  return Vec<T>::from_raw(native::by_register<T, kLanes<T>>(native::ExtremeOp<true>{}, a.v, b.v));
}
template <class T>
HWARO_INLINE T lanes_max(Vec<T> v) {
  T m = v[0];
  for (int i = 1; i < kLanes<T>; ++i) m = v[i] > m ? v[i] : m;
  return m;
}
template <class T>
HWARO_INLINE T lanes_sum(Vec<T> v) {
  constexpr int N = kLanes<T>;
  T lanes[N];
  v.store(lanes);
  for (int h = N / 2; h > 0; h /= 2)
    for (int i = 0; i < h; ++i) lanes[i] += lanes[i + h];
  return lanes[0];
}

// sum of f(i, vector index) with a padded end; f gives the vector at element i.
template <class T, class F, class E>
HWARO_INLINE T sum_over(int64_t n, F f, E end) {
  constexpr int N = kLanes<T>;
  Vec<T> a(0), b(0);
  int64_t i = 0;
  for (; i + 2 * N <= n; i += 2 * N) {
    a += f(i);
    b += f(i + N);
  }
  if (i + N <= n) {
    a += f(i);
    i += N;
  }
  if (i < n) b += end(i, n - i);
  return lanes_sum(a + b);
}

template <class T>
HWARO_INLINE T row_max(const T* x, int64_t n) {
  constexpr int N = kLanes<T>;
  Vec<T> a(-FloatTraits<T>::kInfinity), b = a;
  int64_t i = 0;
  for (; i + 2 * N <= n; i += 2 * N) {
    a = larger(Vec<T>::load(x + i), a);
    b = larger(Vec<T>::load(x + i + N), b);
  }
  if (i + N <= n) {
    a = larger(Vec<T>::load(x + i), a);
    i += N;
  }
  if (i < n) b = larger(load_some(x + i, n - i, T(-FloatTraits<T>::kInfinity)), b);
  return lanes_max(larger(a, b));
}

template <class T, bool Log>
void rows(void* to, const void* from, int64_t rows, int64_t n) {
  constexpr int N = kLanes<T>;
  for (int64_t r = 0; r < rows; ++r) {
    const T* x = static_cast<const T*>(from) + r * n;
    T* out = static_cast<T*>(to) + r * n;
    const Vec<T> m(row_max(x, n));
    if constexpr (Log) {
      const T total = sum_over<T>(n, [&](int64_t i) { return exp(Vec<T>::load(x + i) - m); },
                                  [&](int64_t i, int64_t k) { return exp(load_some(x + i, k, T(-FloatTraits<T>::kInfinity)) - m); });
      const Vec<T> shift(log(Vec<T, 1>(total))[0]);
      int64_t i = 0;
      for (; i + N <= n; i += N) ((Vec<T>::load(x + i) - m) - shift).store(out + i);
      if (i < n) store_some((load_some(x + i, n - i, T(0)) - m) - shift, out + i, n - i);
    } else {
      const T total = sum_over<T>(
          n,
          [&](int64_t i) {
            const Vec<T> e = exp(Vec<T>::load(x + i) - m);
            e.store(out + i);
            return e;
          },
          [&](int64_t i, int64_t k) {
            const Vec<T> e = exp(load_some(x + i, k, T(-FloatTraits<T>::kInfinity)) - m);
            store_some(e, out + i, k);
            return e;
          });
      const Vec<T> scale(T(1) / total);
      int64_t i = 0;
      for (; i + N <= n; i += N) (Vec<T>::load(out + i) * scale).store(out + i);
      if (i < n) store_some(load_some(out + i, n - i, T(0)) * scale, out + i, n - i);
    }
  }
}

template <class T, bool Log>
void backward_rows(void* to, const void* grad, const void* output, int64_t rows, int64_t n) {
  constexpr int N = kLanes<T>;
  for (int64_t r = 0; r < rows; ++r) {
    const T* g = static_cast<const T*>(grad) + r * n;
    const T* y = static_cast<const T*>(output) + r * n;
    T* out = static_cast<T*>(to) + r * n;
    T total;
    if constexpr (Log)
      total = sum_over<T>(n, [&](int64_t i) { return Vec<T>::load(g + i); },
                          [&](int64_t i, int64_t k) { return load_some(g + i, k, T(0)); });
    else
      total = sum_over<T>(n, [&](int64_t i) { return Vec<T>::load(g + i) * Vec<T>::load(y + i); },
                          [&](int64_t i, int64_t k) { return load_some(g + i, k, T(0)) * load_some(y + i, k, T(0)); });
    const Vec<T> s(total);
    auto one = [&](Vec<T> a, Vec<T> b) {
      if constexpr (Log) return a - exp(b) * s;
      else return (a - s) * b;
    };
    int64_t i = 0;
    for (; i + N <= n; i += N) one(Vec<T>::load(g + i), Vec<T>::load(y + i)).store(out + i);
    if (i < n) store_some(one(load_some(g + i, n - i, T(0)), load_some(y + i, n - i, T(0))), out + i, n - i);
  }
}

constexpr int64_t kStrip = 128;

// Calls body(lanes, j) for whole vectors of columns, then for single ones.
template <class T, class F>
HWARO_INLINE void each_column(int64_t columns, F body) {
  constexpr int N = kLanes<T>;
  int64_t j = 0;
  for (; j + N <= columns; j += N) body(Vec<T>(), j);
  for (; j < columns; ++j) body(Vec<T, 1>(), j);
}

template <class T, bool Log>
void columns(void* to, const void* from, int64_t columns, int64_t stride, int64_t n) {
  T high[kStrip], total[kStrip];
  for (int64_t j0 = 0; j0 < columns; j0 += kStrip) {
    const int64_t width = columns - j0 < kStrip ? columns - j0 : kStrip;
    const T* x = static_cast<const T*>(from) + j0;
    T* out = static_cast<T*>(to) + j0;
    for (int64_t j = 0; j < width; ++j) {
      high[j] = x[j];
      total[j] = 0;
    }
    for (int64_t i = 1; i < n; ++i)
      each_column<T>(width, [&](auto v, int64_t j) {
        using V = decltype(v);
        maximum(V::load(high + j), V::load(x + i * stride + j)).store(high + j);
      });
    for (int64_t i = 0; i < n; ++i)
      each_column<T>(width, [&](auto v, int64_t j) {
        using V = decltype(v);
        const V e = exp(V::load(x + i * stride + j) - V::load(high + j));
        if constexpr (!Log) e.store(out + i * stride + j);
        (V::load(total + j) + e).store(total + j);
      });
    each_column<T>(width, [&](auto v, int64_t j) {
      using V = decltype(v);
      if constexpr (Log) log(V::load(total + j)).store(total + j);
      else (V(1) / V::load(total + j)).store(total + j);
    });
    for (int64_t i = 0; i < n; ++i)
      each_column<T>(width, [&](auto v, int64_t j) {
        using V = decltype(v);
        if constexpr (Log) ((V::load(x + i * stride + j) - V::load(high + j)) - V::load(total + j)).store(out + i * stride + j);
        else (V::load(out + i * stride + j) * V::load(total + j)).store(out + i * stride + j);
      });
  }
}

template <class T, bool Log>
void backward_columns(void* to, const void* grad, const void* output, int64_t columns, int64_t stride, int64_t n) {
  T total[kStrip];
  for (int64_t j0 = 0; j0 < columns; j0 += kStrip) {
    const int64_t width = columns - j0 < kStrip ? columns - j0 : kStrip;
    const T* g = static_cast<const T*>(grad) + j0;
    const T* y = static_cast<const T*>(output) + j0;
    T* out = static_cast<T*>(to) + j0;
    for (int64_t j = 0; j < width; ++j) total[j] = 0;
    for (int64_t i = 0; i < n; ++i)
      each_column<T>(width, [&](auto v, int64_t j) {
        using V = decltype(v);
        const V a = V::load(g + i * stride + j);
        (V::load(total + j) + (Log ? a : a * V::load(y + i * stride + j))).store(total + j);
      });
    for (int64_t i = 0; i < n; ++i)
      each_column<T>(width, [&](auto v, int64_t j) {
        using V = decltype(v);
        const V a = V::load(g + i * stride + j), b = V::load(y + i * stride + j), s = V::load(total + j);
        if constexpr (Log) (a - exp(b) * s).store(out + i * stride + j);
        else ((a - s) * b).store(out + i * stride + j);
      });
  }
}

#define HWARO_SOFTMAX(T, Log) {&rows<T, Log>, &columns<T, Log>, &backward_rows<T, Log>, &backward_columns<T, Log>}

}  // namespace

extern constinit const SoftmaxKernels softmax_table = {
    {{HWARO_SOFTMAX(float, false), HWARO_SOFTMAX(double, false)}, {HWARO_SOFTMAX(float, true), HWARO_SOFTMAX(double, true)}},
};

}  // namespace HWARO_ISA
}  // namespace hwaro
