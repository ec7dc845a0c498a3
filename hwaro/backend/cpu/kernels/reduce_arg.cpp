// Extreme values with their index, and mean with the sum of squared distances (for variances).
//
// Index, rows: the extreme of each block of 4096 elements by vectors; only the block that holds the row's extreme is
// searched for its first index. Index, columns: value and index lanes side by side, a comparison selects both.
// Moments: sum first, then squares of the distances from that mean, with the sum of distances as its correction; blocks
// are added up in double. Columns go through 64 rows at a time, which stay in cache for the second pass, and are merged
// as Chan, Golub and LeVeque describe (1979).
#include "hwaro/backend/cpu/kernels/reduce_parts.h"
#include "hwaro/ops/reduce/reduce_kernels.h"

namespace hwaro {
inline namespace HWARO_ISA {
namespace {

using std::int64_t;
using namespace reduce_parts;

template <class T>
HWARO_INLINE bool is_nan(T x) {
  return x != x;
}

// First index of a value that is in x[0, n).
template <class T>
int64_t find_first(const T* x, T value, int64_t n) {
  constexpr int N = kLanes<T>;
  const Vec<T> v(value);
  const bool nan = is_nan(value);
  int64_t i = 0;
  for (; i + N <= n; i += N) {
    const Vec<T> y = Vec<T>::load(x + i);
    if ((nan ? y != y : y == v).any()) break;
  }
  for (; i < n; ++i)
    if (nan ? is_nan(x[i]) : x[i] == value) return i;
  return 0;
}

template <class Op, class T>
void arg_rows(void* values, int64_t* indices, const void* in, int64_t rows, int64_t stride, int64_t n) {
  constexpr int64_t kBlock = 4096;
  T* out = static_cast<T*>(values);
  for (int64_t r = 0; r < rows; ++r) {
    const T* x = static_cast<const T*>(in) + r * stride;
    T best{};
    int64_t at = 0;
    for (int64_t i = 0; i < n; i += kBlock) {
      const int64_t length = n - i < kBlock ? n - i : kBlock;
      T value;
      reduce_lanes<Op, T, 1>(reduce_run<Op, T, T>(x + i, length), &value);
      const bool better =
          i == 0 || (native::kSame<Op, Max> ? value > best : value < best) || (is_nan(value) && !is_nan(best));
      if (!better) continue;
      best = value;
      at = i;
    }
    out[r] = best;
    indices[r] = at + find_first(x + at, best, n - at < kBlock ? n - at : kBlock);
  }
}

template <class Op, class T, int N>
HWARO_INLINE void arg_strip(T* values, int64_t* indices, const T* x, int64_t rows, int64_t stride) {
  using V = Vec<T, N>;
  using I = native::SignedLike<T>;
  V best = V::load(x);
  Vec<I, N> at(0);
  for (int64_t r = 1; r < rows; ++r) {
    const V y = V::load(x + r * stride);
    auto better = native::kSame<Op, Max> ? y > best : y < best;
    if constexpr (native::kIsFloating<T>) better = better | ((y != y) & (best == best));
    best = where(better, y, best);
    at = where(better.template as<I>(), Vec<I, N>(I(r)), at);
  }
  best.store(values);
  for (int l = 0; l < N; ++l) indices[l] = at[l];
}
template <class Op, class T>
void arg_columns(void* values, int64_t* indices, const void* in, int64_t rows, int64_t stride, int64_t n) {
  constexpr int N = kLanes<T>;
  T* out = static_cast<T*>(values);
  const T* x = static_cast<const T*>(in);
  int64_t j = 0;
  for (; j + N <= n; j += N) arg_strip<Op, T, N>(out + j, indices + j, x + j, rows, stride);
  for (; j < n; ++j) arg_strip<Op, T, 1>(out + j, indices + j, x + j, rows, stride);
}

// ---- moments ----

template <class T, class A>
HWARO_INLINE void moments(const T* x, int64_t n, double* mean, double* m2) {
  constexpr int N = kLanes<A>;
  constexpr int64_t kBlock = 128 * N;
  A sum;
  reduce_lanes<Sum, A, 1>(reduce_run<Sum, T, A>(x, n), &sum);
  const A center = A(double(sum) / double(n));
  const Vec<A> c(center);
  double first = 0, second = 0;
  int64_t i = 0;
  while (i + N <= n) {
    const int64_t end = n - i < kBlock ? n : i + kBlock;
    Vec<A> a1(0), b1(0), a2(0), b2(0);
    for (; i + 2 * N <= end; i += 2 * N) {
      const Vec<A> d = load_lanes<T, A, N>(x + i) - c, e = load_lanes<T, A, N>(x + i + N) - c;
      a1 += d;
      b1 += e;
      a2 = a2 + d * d;
      b2 = b2 + e * e;
    }
    if (i + N <= end) {
      const Vec<A> d = load_lanes<T, A, N>(x + i) - c;
      a1 += d;
      a2 = a2 + d * d;
      i += N;
    }
    A s1, s2;
    reduce_lanes<Sum, A, 1>(a1 + b1, &s1);
    reduce_lanes<Sum, A, 1>(a2 + b2, &s2);
    first += double(s1);
    second += double(s2);
  }
  for (; i < n; ++i) {
    const double d = double(A(x[i])) - double(center);
    first += d;
    second += d * d;
  }
  *mean = double(center) + first / double(n);
  const double spread = second - first * first / double(n);
  *m2 = spread < 0 ? 0 : spread;  // NaN stays
}

template <class T, class A>
void moment_rows(double* mean, double* m2, const void* in, int64_t rows, int64_t stride, int64_t n) {
  for (int64_t r = 0; r < rows; ++r) moments<T, A>(static_cast<const T*>(in) + r * stride, n, mean + r, m2 + r);
}

template <class T, class A>
void moment_columns(double* mean, double* m2, const void* in, int64_t rows, int64_t stride, int64_t n) {
  constexpr int N = kLanes<A>;
  constexpr int64_t kRows = 64, kStrip = 256;
  A center[kStrip], first[kStrip], second[kStrip];
  for (int64_t j0 = 0; j0 < n; j0 += kStrip) {
    const int64_t width = n - j0 < kStrip ? n - j0 : kStrip;
    for (int64_t r0 = 0; r0 < rows; r0 += kRows) {
      const int64_t count = rows - r0 < kRows ? rows - r0 : kRows;
      const T* x = static_cast<const T*>(in) + r0 * stride + j0;
      auto strip = [&](auto lanes, int64_t begin, int64_t end) {
        constexpr int L = decltype(lanes)::size();
        for (int64_t j = begin; j < end; j += L) {
          Vec<A, L> s(0);
          for (int64_t r = 0; r < count; ++r) s += load_lanes<T, A, L>(x + r * stride + j);
          const Vec<A, L> c = s / Vec<A, L>(A(count));
          Vec<A, L> d1(0), d2(0);
          for (int64_t r = 0; r < count; ++r) {
            const Vec<A, L> d = load_lanes<T, A, L>(x + r * stride + j) - c;
            d1 += d;
            d2 = d2 + d * d;
          }
          c.store(center + j);
          d1.store(first + j);
          d2.store(second + j);
        }
      };
      const int64_t whole = width - width % N;
      strip(Vec<A, N>(), 0, whole);
      strip(Vec<A, 1>(), whole, width);
      for (int64_t j = 0; j < width; ++j) {
        const double d1 = double(first[j]), k = double(count);
        const double m = double(center[j]) + d1 / k, q = double(second[j]) - d1 * d1 / k;
        if (r0 == 0) {
          mean[j0 + j] = m;
          m2[j0 + j] = q;
        } else {
          const double delta = m - mean[j0 + j], total = double(r0) + k;
          mean[j0 + j] += delta * k / total;
          m2[j0 + j] += q + delta * delta * double(r0) * k / total;
        }
      }
    }
  }
}

using I32 = std::int32_t;
using I64 = std::int64_t;
#define HWARO_ARG(loop, Op)                                                               \
  {nullptr, nullptr, nullptr,          nullptr,           &loop<Op, I32>, &loop<Op, I64>, \
   nullptr, nullptr, &loop<Op, float>, &loop<Op, double>, nullptr,        nullptr}
#define HWARO_MOMENT(loop) \
  {nullptr,                \
   nullptr,                \
   nullptr,                \
   nullptr,                \
   nullptr,                \
   nullptr,                \
   &loop<Half, float>,     \
   &loop<BFloat16, float>, \
   &loop<float, float>,    \
   &loop<double, double>,  \
   nullptr,                \
   nullptr}

}  // namespace

extern constinit const ArgKernels arg_table = {
    {HWARO_ARG(arg_rows, Max), HWARO_ARG(arg_rows, Min)},
    {HWARO_ARG(arg_columns, Max), HWARO_ARG(arg_columns, Min)},
    HWARO_MOMENT(moment_rows),
    HWARO_MOMENT(moment_columns),
};

}  // namespace HWARO_ISA
}  // namespace hwaro
