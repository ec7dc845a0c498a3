// softmax and log_softmax along rows and along columns, forward and backward.
//
// Three passes over a row that stays in L1: maximum; exponentials and their sum; scaling. Two accumulators hide the
// latency of the sums. The end of a row goes through a padded buffer, so rows shorter than a vector take the same path.
// NaN needs no care in the maximum: its exponential makes the sum NaN. Half and BFloat16 are computed in float; their
// exponentials wait in a buffer, or are taken a second time where the row does not fit, rather than being rounded in
// between.
#include "hwaro/math/convert.h"
#include "hwaro/math/lanes.h"
#include "hwaro/math/math.h"
#include "hwaro/ops/reduce/softmax_kernels.h"

namespace hwaro {
inline namespace HWARO_ISA {
namespace {

using std::int64_t;

template <class A>
inline constexpr int kLanes = HWARO_VECTOR_BYTES / int(sizeof(A));

// T: what is stored; A: what is computed in.
template <class A, int N, class T>
HWARO_INLINE Vec<A, N> load(const T* p) {
  if constexpr (native::kSame<T, A>) return Vec<A, N>::load(p);
  else return load_as_float<N>(p);
}
template <class A, int N, class T>
HWARO_INLINE void store(Vec<A, N> v, T* p) {
  if constexpr (native::kSame<T, A>) v.store(p);
  else store_from_float(v, p);
}
// The k elements at the end of a row.
template <class A, class T>
HWARO_INLINE Vec<A> load_some(const T* p, int64_t k, A fill) {
  constexpr int N = kLanes<A>;
  if constexpr (native::kSame<T, A>) {
    return load_first<A, N>(p, k, fill);
  } else {
    A lanes[N];
    for (int i = 0; i < N; ++i) lanes[i] = i < k ? A(p[i]) : fill;
    return Vec<A>::load(lanes);
  }
}
template <class A, class T>
HWARO_INLINE void store_some(Vec<A> v, T* p, int64_t k) {
  constexpr int N = kLanes<A>;
  if constexpr (native::kSame<T, A>) {
    store_first(v, p, k);
  } else {
    A lanes[N];
    v.store(lanes);
    for (int i = 0; i < N && i < k; ++i) p[i] = T(lanes[i]);
  }
}

template <class A, int N>
HWARO_INLINE Vec<A, N> larger(Vec<A, N> a, Vec<A, N> b) {
  return Vec<A, N>::from_raw(native::by_register<A, N>(native::ExtremeOp<true>{}, a.v, b.v));
}
// The sum of f(i), which gives the vector at element i; end(i, k) gives the last k elements, padded with zeros.
template <class A, class F, class E>
HWARO_INLINE A sum_over(int64_t n, F f, E end) {
  constexpr int N = kLanes<A>;
  Vec<A> a(0), b(0);
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
  return sum_lanes(a + b);
}
// out[i] = f(vectors of the inputs at i), with a padded end.
template <class A, class T, class U, class F>
HWARO_INLINE void map_row(T* out, int64_t n, F f, const U* x) {
  constexpr int N = kLanes<A>;
  int64_t i = 0;
  for (; i + N <= n; i += N) store(f(load<A, N>(x + i)), out + i);
  if (i < n) store_some(f(load_some<A>(x + i, n - i, A(0))), out + i, n - i);
}
template <class A, class T, class F>
HWARO_INLINE void map_row(T* out, int64_t n, F f, const T* x, const T* y) {
  constexpr int N = kLanes<A>;
  int64_t i = 0;
  for (; i + N <= n; i += N) store(f(load<A, N>(x + i), load<A, N>(y + i)), out + i);
  if (i < n) store_some(f(load_some<A>(x + i, n - i, A(0)), load_some<A>(y + i, n - i, A(0))), out + i, n - i);
}

template <class A, class T>
HWARO_INLINE A row_max(const T* x, int64_t n) {
  constexpr int N = kLanes<A>;
  Vec<A> a(-FloatTraits<A>::kInfinity), b = a;
  int64_t i = 0;
  for (; i + 2 * N <= n; i += 2 * N) {
    a = larger(load<A, N>(x + i), a);
    b = larger(load<A, N>(x + i + N), b);
  }
  if (i + N <= n) {
    a = larger(load<A, N>(x + i), a);
    i += N;
  }
  if (i < n) b = larger(load_some(x + i, n - i, A(-FloatTraits<A>::kInfinity)), b);
  return fold_lanes<1>(larger(a, b), [](auto v, auto w) { return larger(v, w); })[0];
}

template <class T, class A, bool Log>
void rows(void* to, const void* from, int64_t rows, int64_t n) {
  constexpr int N = kLanes<A>;
  constexpr bool kDirect = native::kSame<T, A>;  // the exponentials wait in the output
  constexpr int64_t kRoom = 2048;
  A buffer[Log || kDirect ? 1 : kRoom];
  const bool keep = !Log && (kDirect || n <= kRoom);
  for (int64_t r = 0; r < rows; ++r) {
    const T* x = static_cast<const T*>(from) + r * n;
    T* out = static_cast<T*>(to) + r * n;
    A* kept;
    if constexpr (kDirect) kept = out;
    else kept = buffer;
    const Vec<A> m(row_max<A>(x, n));
    const A total = sum_over<A>(
        n,
        [&](int64_t i) {
          const Vec<A> e = exp(load<A, N>(x + i) - m);
          if (keep) e.store(kept + i);
          return e;
        },
        [&](int64_t i, int64_t k) {
          const Vec<A> e = exp(load_some(x + i, k, A(-FloatTraits<A>::kInfinity)) - m);
          if (keep) store_some(e, kept + i, k);
          return e;
        });
    if constexpr (Log) {
      const Vec<A> shift(log(Vec<A, 1>(total))[0]);
      map_row<A>(out, n, [&](Vec<A> v) { return (v - m) - shift; }, x);
    } else {
      const Vec<A> scale(A(1) / total);
      if (keep) map_row<A>(out, n, [&](Vec<A> e) { return e * scale; }, static_cast<const A*>(kept));
      else map_row<A>(out, n, [&](Vec<A> v) { return exp(v - m) * scale; }, x);
    }
  }
}

template <class T, class A, bool Log>
void backward_rows(void* to, const void* grad, const void* output, int64_t rows, int64_t n) {
  constexpr int N = kLanes<A>;
  for (int64_t r = 0; r < rows; ++r) {
    const T* g = static_cast<const T*>(grad) + r * n;
    const T* y = static_cast<const T*>(output) + r * n;
    T* out = static_cast<T*>(to) + r * n;
    A total;
    if constexpr (Log)
      total = sum_over<A>(
          n, [&](int64_t i) { return load<A, N>(g + i); },
          [&](int64_t i, int64_t k) { return load_some(g + i, k, A(0)); });
    else
      total = sum_over<A>(
          n, [&](int64_t i) { return load<A, N>(g + i) * load<A, N>(y + i); },
          [&](int64_t i, int64_t k) { return load_some(g + i, k, A(0)) * load_some(y + i, k, A(0)); });
    const Vec<A> s(total);
    map_row<A>(
        out, n,
        [&](Vec<A> a, Vec<A> b) {
          if constexpr (Log) return a - exp(b) * s;
          else return (a - s) * b;
        },
        g, y);
  }
}

constexpr int64_t kStrip = 128;

// Calls body(lanes, j) for whole vectors of columns, then for single ones.
template <class A, class F>
HWARO_INLINE void each_column(int64_t columns, F body) {
  constexpr int N = kLanes<A>;
  int64_t j = 0;
  for (; j + N <= columns; j += N) body(Vec<A>(), j);
  for (; j < columns; ++j) body(Vec<A, 1>(), j);
}

template <class T, class A, bool Log>
void columns(void* to, const void* from, int64_t columns, int64_t stride, int64_t n) {
  constexpr bool kKeep = !Log && native::kSame<T, A>;
  A high[kStrip], total[kStrip];
  for (int64_t j0 = 0; j0 < columns; j0 += kStrip) {
    const int64_t width = columns - j0 < kStrip ? columns - j0 : kStrip;
    const T* x = static_cast<const T*>(from) + j0;
    T* out = static_cast<T*>(to) + j0;
    for (int64_t j = 0; j < width; ++j) {
      high[j] = A(x[j]);
      total[j] = 0;
    }
    for (int64_t i = 1; i < n; ++i)
      each_column<A>(width, [&](auto v, int64_t j) {
        using V = decltype(v);
        maximum(V::load(high + j), load<A, V::size()>(x + i * stride + j)).store(high + j);
      });
    for (int64_t i = 0; i < n; ++i)
      each_column<A>(width, [&](auto v, int64_t j) {
        using V = decltype(v);
        const V e = exp(load<A, V::size()>(x + i * stride + j) - V::load(high + j));
        if constexpr (kKeep) store(e, out + i * stride + j);
        (V::load(total + j) + e).store(total + j);
      });
    each_column<A>(width, [&](auto v, int64_t j) {
      using V = decltype(v);
      if constexpr (Log) log(V::load(total + j)).store(total + j);
      else (V(1) / V::load(total + j)).store(total + j);
    });
    for (int64_t i = 0; i < n; ++i)
      each_column<A>(width, [&](auto v, int64_t j) {
        using V = decltype(v);
        const T* p = x + i * stride + j;
        T* o = out + i * stride + j;
        if constexpr (Log) store((load<A, V::size()>(p) - V::load(high + j)) - V::load(total + j), o);
        else if constexpr (kKeep) store(load<A, V::size()>(static_cast<const T*>(o)) * V::load(total + j), o);
        else store(exp(load<A, V::size()>(p) - V::load(high + j)) * V::load(total + j), o);
      });
  }
}

template <class T, class A, bool Log>
void backward_columns(void* to, const void* grad, const void* output, int64_t columns, int64_t stride, int64_t n) {
  A total[kStrip];
  for (int64_t j0 = 0; j0 < columns; j0 += kStrip) {
    const int64_t width = columns - j0 < kStrip ? columns - j0 : kStrip;
    const T* g = static_cast<const T*>(grad) + j0;
    const T* y = static_cast<const T*>(output) + j0;
    T* out = static_cast<T*>(to) + j0;
    for (int64_t j = 0; j < width; ++j) total[j] = 0;
    for (int64_t i = 0; i < n; ++i)
      each_column<A>(width, [&](auto v, int64_t j) {
        using V = decltype(v);
        const V a = load<A, V::size()>(g + i * stride + j);
        if constexpr (Log) (V::load(total + j) + a).store(total + j);
        else (V::load(total + j) + a * load<A, V::size()>(y + i * stride + j)).store(total + j);
      });
    for (int64_t i = 0; i < n; ++i)
      each_column<A>(width, [&](auto v, int64_t j) {
        using V = decltype(v);
        const V a = load<A, V::size()>(g + i * stride + j), b = load<A, V::size()>(y + i * stride + j),
                s = V::load(total + j);
        if constexpr (Log) store(a - exp(b) * s, out + i * stride + j);
        else store((a - s) * b, out + i * stride + j);
      });
  }
}

#define HWARO_SOFTMAX(T, A, Log) \
  {&rows<T, A, Log>, &columns<T, A, Log>, &backward_rows<T, A, Log>, &backward_columns<T, A, Log>}
#define HWARO_SOFTMAX_TYPES(Log)                                                                           \
  {HWARO_SOFTMAX(Half, float, Log), HWARO_SOFTMAX(BFloat16, float, Log), HWARO_SOFTMAX(float, float, Log), \
   HWARO_SOFTMAX(double, double, Log)}

}  // namespace

extern constinit const SoftmaxKernels softmax_table = {{HWARO_SOFTMAX_TYPES(false), HWARO_SOFTMAX_TYPES(true)}};

}  // namespace HWARO_ISA
}  // namespace hwaro
