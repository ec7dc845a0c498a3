// Running sums, products and extremes along one dimension.
//
// Float accumulates in double, as PyTorch does. A row is taken a vector of accumulators at a time: log2(lanes) shifted
// combinations give the running values inside the vector, and the total so far is combined with all of them; the chain
// from vector to vector is then one operation long instead of one per element. Where the dimension is not the last,
// columns run side by side through a tile of accumulators.
#include <utility>

#include "hwaro/math/convert.h"
#include "hwaro/math/math.h"
#include "hwaro/math/widen.h"
#include "hwaro/ops/reduce/scan_kernels.h"

namespace hwaro {
inline namespace HWARO_ISA {
namespace {

using std::int64_t;

struct Sum {
  template <class V>
  HWARO_INLINE static V combine(V a, V b) {
    return a + b;
  }
  static constexpr int kIdentity = 0;
};
struct Prod {
  template <class V>
  HWARO_INLINE static V combine(V a, V b) {
    return a * b;
  }
  static constexpr int kIdentity = 1;
};

template <class A>
inline constexpr int kLanes = HWARO_VECTOR_BYTES / int(sizeof(A));

template <class A, int N, class T>
HWARO_INLINE Vec<A, N> load_acc(const T* p) {
  if constexpr (native::kSame<A, T>) return Vec<A, N>::load(p);
  else return to_double(Vec<float, N>::load(p));
}
template <class A, int N, class T>
HWARO_INLINE void store_acc(Vec<A, N> v, T* p) {
  if constexpr (native::kSame<A, T>) v.store(p);
  else to_float(v).store(p);
}

// Lane i of the result is lane i - S of v (i + S with Back); lanes that come from outside are `fill`.
template <int S, bool Back, class A, int N, int... I>
HWARO_INLINE Vec<A, N> shift(Vec<A, N> v, Vec<A, N> fill, std::integer_sequence<int, I...>) {
  if constexpr (Back) return Vec<A, N>::from_raw(__builtin_shufflevector(v.v, fill.v, (I + S < N ? I + S : N + I)...));
  else return Vec<A, N>::from_raw(__builtin_shufflevector(v.v, fill.v, (I >= S ? I - S : N + I)...));
}
template <class Op, bool Back, int S, class A, int N>
HWARO_INLINE Vec<A, N> scan_lanes(Vec<A, N> v) {
  if constexpr (S >= N) return v;
  else
    return scan_lanes<Op, Back, 2 * S>(
        Op::combine(shift<S, Back>(v, Vec<A, N>(A(Op::kIdentity)), std::make_integer_sequence<int, N>()), v));
}
template <int L, class A, int N, int... I>
HWARO_INLINE Vec<A, N> spread(Vec<A, N> v, std::integer_sequence<int, I...>) {
  return Vec<A, N>::from_raw(__builtin_shufflevector(v.v, v.v, (I * 0 + L)...));
}

template <class Op, class T, class A, bool Back>
HWARO_INLINE void scan_row(T* out, const T* in, int64_t n) {
  constexpr int N = kLanes<A>;
  using V = Vec<A>;
  V carry{A(Op::kIdentity)};
  int64_t i = 0;
  for (; i + N <= n; i += N) {
    const int64_t at = Back ? n - N - i : i;
    const V v = scan_lanes<Op, Back, 1>(load_acc<A, N>(in + at));
    store_acc<A, N>(Op::combine(carry, v), out + at);
    carry = Op::combine(carry, spread<Back ? 0 : N - 1>(v, std::make_integer_sequence<int, N>()));
  }
  Vec<A, 1> total(carry[0]);
  for (; i < n; ++i) {
    const int64_t at = Back ? n - 1 - i : i;
    total = Op::combine(total, Vec<A, 1>(A(in[at])));
    out[at] = T(total[0]);
  }
}

template <class Op, class T, class A, bool Back>
void scan(void* to, const void* from, int64_t outer, int64_t size, int64_t inner) {
  constexpr int N = kLanes<A>;
  constexpr int64_t kStrip = 512;
  for (int64_t o = 0; o < outer; ++o) {
    T* out = static_cast<T*>(to) + o * size * inner;
    const T* in = static_cast<const T*>(from) + o * size * inner;
    if (inner == 1) {
      scan_row<Op, T, A, Back>(out, in, size);
      continue;
    }
    A total[kStrip];
    for (int64_t j0 = 0; j0 < inner; j0 += kStrip) {
      const int64_t width = inner - j0 < kStrip ? inner - j0 : kStrip, whole = width - width % N;
      for (int64_t j = 0; j < width; ++j) total[j] = A(Op::kIdentity);
      for (int64_t s = 0; s < size; ++s) {
        const int64_t at = (Back ? size - 1 - s : s) * inner + j0;
        for (int64_t j = 0; j < whole; j += N) {
          const auto v = Op::combine(Vec<A>::load(total + j), load_acc<A, N>(in + at + j));
          v.store(total + j);
          store_acc<A, N>(v, out + at + j);
        }
        for (int64_t j = whole; j < width; ++j) {
          total[j] = Op::combine(Vec<A, 1>(total[j]), Vec<A, 1>(A(in[at + j])))[0];
          out[at + j] = T(total[j]);
        }
      }
    }
  }
}

// Complex numbers, in double.
template <class Op, class C, bool Back>
void scan_complex(void* to, const void* from, int64_t outer, int64_t size, int64_t inner) {
  using R = decltype(C{}.re);
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t k = 0; k < inner; ++k) {
      Complex<double> total{double(Op::kIdentity), 0};
      for (int64_t s = 0; s < size; ++s) {
        const int64_t at = (o * size + (Back ? size - 1 - s : s)) * inner + k;
        const C x = static_cast<const C*>(from)[at];
        total = Op::combine(total, Complex<double>{double(x.re), double(x.im)});
        static_cast<C*>(to)[at] = C{R(total.re), R(total.im)};
      }
    }
  }
}

template <class T, bool Min>
HWARO_INLINE bool takes_over(T x, T best) {
  if (x != x) return true;
  return Min ? x <= best : x >= best;  // false where best is NaN
}
template <class T, bool Min>
void extreme(void* values, int64_t* indices, const void* from, int64_t outer, int64_t size, int64_t inner) {
  for (int64_t o = 0; o < outer; ++o) {
    const T* in = static_cast<const T*>(from) + o * size * inner;
    T* out = static_cast<T*>(values) + o * size * inner;
    int64_t* at = indices + o * size * inner;
    for (int64_t k = 0; k < inner; ++k) {
      out[k] = in[k];
      at[k] = 0;
    }
    if (inner == 1) {
      T best = in[0];
      int64_t index = 0;
      constexpr int N = kLanes<T>;
      for (int64_t s = 1; s < size;) {
        // New extremes become rare: whole vectors without one are filled.
        if (s + N <= size) {
          const Vec<T> v = Vec<T>::load(in + s), b(best);
          if (!((Min ? v <= b : v >= b) | (v != v)).any()) {
            b.store(out + s);
            for (int l = 0; l < N; ++l) at[s + l] = index;
            s += N;
            continue;
          }
        }
        const int64_t end = s + N <= size ? s + N : size;
        for (; s < end; ++s) {
          if (takes_over<T, Min>(in[s], best)) {
            best = in[s];
            index = s;
          }
          out[s] = best;
          at[s] = index;
        }
      }
      continue;
    }
    for (int64_t s = 1; s < size; ++s) {
      for (int64_t k = 0; k < inner; ++k) {
        const int64_t i = s * inner + k;
        const bool takes = takes_over<T, Min>(in[i], out[i - inner]);
        out[i] = takes ? in[i] : out[i - inner];
        at[i] = takes ? s : at[i - inner];
      }
    }
  }
}

using I64 = std::int64_t;
#define HWARO_SCAN(Op, Back)                \
  {nullptr,                                 \
   nullptr,                                 \
   nullptr,                                 \
   nullptr,                                 \
   nullptr,                                 \
   &scan<Op, I64, I64, Back>,               \
   nullptr,                                 \
   nullptr,                                 \
   &scan<Op, float, double, Back>,          \
   &scan<Op, double, double, Back>,         \
   &scan_complex<Op, Complex<float>, Back>, \
   &scan_complex<Op, Complex<double>, Back>}
#define HWARO_EXTREME(Min) \
  {nullptr,                \
   nullptr,                \
   nullptr,                \
   nullptr,                \
   nullptr,                \
   &extreme<I64, Min>,     \
   nullptr,                \
   nullptr,                \
   &extreme<float, Min>,   \
   &extreme<double, Min>,  \
   nullptr,                \
   nullptr}

}  // namespace

extern constinit const ScanKernels scan_table = {
    {{HWARO_SCAN(Sum, false), HWARO_SCAN(Sum, true)}, {HWARO_SCAN(Prod, false), HWARO_SCAN(Prod, true)}},
    {HWARO_EXTREME(false), HWARO_EXTREME(true)},
};

}  // namespace HWARO_ISA
}  // namespace hwaro
