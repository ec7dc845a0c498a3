// Max and average pooling over planes.
// For each output row, columns whose window lies inside the plane are computed in vectors of neighbouring outputs: for
// stride 1 the k-th elements of their windows are adjacent in memory, for stride 2 they are every second element of two
// loads. Border columns and larger strides take the scalar loop. Both visit a window row by row, so values, ties and NaN come
// out the same. Gradients are scattered plane by plane while the plane is in the first-level cache.
#include "hwaro/ops/nn/pool_kernels.h"

#include "hwaro/base/isa.h"
#include "hwaro/math/math.h"

namespace hwaro {
inline namespace HWARO_ISA {
namespace {

using std::int32_t;
using std::int64_t;

template <class T>
inline constexpr bool kVectorised = native::kIsFloating<T>;

HWARO_INLINE int64_t min_of(int64_t a, int64_t b) { return a < b ? a : b; }
HWARO_INLINE int64_t max_of(int64_t a, int64_t b) { return a > b ? a : b; }

template <class T>
HWARO_INLINE T lowest() {
  if constexpr (native::kIsFloating<T>) return -FloatTraits<T>::kInfinity;
  else if constexpr (native::kIsUnsigned<T>) return T(0);
  else return T(T(1) << (8 * sizeof(T) - 1));
}
template <>
HWARO_INLINE Half lowest<Half>() {
  return Half(-FloatTraits<float>::kInfinity);
}
template <>
HWARO_INLINE BFloat16 lowest<BFloat16>() {
  return BFloat16(-FloatTraits<float>::kInfinity);
}

template <class T>
HWARO_INLINE auto comparable(T x) {
  if constexpr (sizeof(T) == 2 && !native::kSame<T, std::int16_t>) return static_cast<float>(x);
  else return x;
}

// Every second one of 2 N adjacent elements.
template <class T>
struct StrideTwo;
#define HWARO_EVEN(T, N, ...)                                                 \
  template <>                                                                 \
  struct StrideTwo<Vec<T, N>> {                                               \
    HWARO_INLINE static Vec<T, N> load(const T* p) {                          \
      const auto a = Vec<T, N>::load(p).v, b = Vec<T, N>::load(p + N).v;      \
      return Vec<T, N>::from_raw(__builtin_shufflevector(a, b, __VA_ARGS__)); \
    }                                                                         \
  };
HWARO_EVEN(float, 4, 0, 2, 4, 6)
HWARO_EVEN(float, 8, 0, 2, 4, 6, 8, 10, 12, 14)
HWARO_EVEN(float, 16, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30)
HWARO_EVEN(double, 2, 0, 2)
HWARO_EVEN(double, 4, 0, 2, 4, 6)
HWARO_EVEN(double, 8, 0, 2, 4, 6, 8, 10, 12, 14)
#undef HWARO_EVEN

// First and one past the last offset of a window in one dimension, as input positions.
struct Range {
  int64_t begin, end;
};
HWARO_INLINE Range window(const PoolGeometry& g, int d, int64_t o) {
  int64_t begin = o * g.stride[d] - g.padding[d];
  const int64_t end = min_of(begin + (g.kernel[d] - 1) * g.dilation[d] + 1, g.in[d]);
  if (begin < 0) begin += (-begin + g.dilation[d] - 1) / g.dilation[d] * g.dilation[d];
  return {begin, end};
}

// Output columns whose windows need no clipping.
HWARO_INLINE Range interior(const PoolGeometry& g) {
  const int64_t reach = (g.kernel[2] - 1) * g.dilation[2];
  const int64_t begin = (g.padding[2] + g.stride[2] - 1) / g.stride[2];
  const int64_t room = g.in[2] - 1 - reach + g.padding[2];
  const int64_t end = room < 0 ? 0 : room / g.stride[2] + 1;
  return {min_of(begin, g.out[2]), max_of(min_of(begin, g.out[2]), min_of(end, g.out[2]))};
}

// ---- max ----

template <class T>
HWARO_INLINE void max_at(const PoolGeometry& g, const T* x, Range d, Range h, int64_t ow, T* y, int32_t* index) {
  const Range w = window(g, 2, ow);
  T best = lowest<T>();
  int32_t at = int32_t((d.begin * g.in[1] + h.begin) * g.in[2] + w.begin);
  for (int64_t i = d.begin; i < d.end; i += g.dilation[0])
    for (int64_t j = h.begin; j < h.end; j += g.dilation[1])
      for (int64_t k = w.begin; k < w.end; k += g.dilation[2]) {
        const int64_t p = (i * g.in[1] + j) * g.in[2] + k;
        const auto v = comparable(x[p]);
        if (v > comparable(best) || v != v) best = x[p], at = int32_t(p);
      }
  *y = best;
  if (index) *index = at;
}

// `room`: elements from x to the end of memory that may be read. A load may run over the end of a row (those lanes are
// dropped), but not over the end of memory.
template <class V, int kStride, bool kIndex, class T>
HWARO_INLINE int64_t max_vectors(const PoolGeometry& g, const T* x, int64_t room, Range d, Range h, int64_t ow,
                                 int64_t end, T* y, int32_t* index) {
  constexpr int N = V::size();
  using I = IntsOf<T, N>;
  const int64_t last = ((d.end - 1) * g.in[1] + h.end - 1) * g.in[2] + (g.kernel[2] - 1) * g.dilation[2] + kStride * N;
  const I lanes = I::iota() * I(kStride);
  for (; ow + N <= end; ow += N) {
    const int64_t w = ow * kStride - g.padding[2];
    if (w + last > room) break;
    V best(lowest<T>());
    I at = lanes + I((d.begin * g.in[1] + h.begin) * g.in[2] + w);
    for (int64_t i = d.begin; i < d.end; i += g.dilation[0])
      for (int64_t j = h.begin; j < h.end; j += g.dilation[1]) {
        const int64_t row = (i * g.in[1] + j) * g.in[2] + w;
        for (int64_t k = 0; k < g.kernel[2]; ++k) {
          const int64_t p = row + k * g.dilation[2];
          V v;
          if constexpr (kStride == 1) v = V::load(x + p);
          else v = StrideTwo<V>::load(x + p);
          const auto better = (v > best) | isnan(v);
          best = where(better, v, best);
          if constexpr (kIndex) at = where(better, lanes + I(p), at);
        }
      }
    best.store(y + ow);
    if constexpr (kIndex) {
      if constexpr (sizeof(T) == 4) at.store(index + ow);
      else
        for (int l = 0; l < N; ++l) index[ow + l] = int32_t(at[l]);
    }
  }
  return ow;
}

// Whole vectors, then halves and quarters of them: planes late in a network are narrow.
template <int kStride, bool kIndex, class T>
HWARO_INLINE int64_t max_row(const PoolGeometry& g, const T* x, int64_t room, Range d, Range h, int64_t ow, int64_t end,
                             T* y, int32_t* index) {
  constexpr int N = Vec<T>::size();
  ow = max_vectors<Vec<T>, kStride, kIndex>(g, x, room, d, h, ow, end, y, index);
  if constexpr (N * sizeof(T) >= 32)
    ow = max_vectors<Vec<T, N / 2>, kStride, kIndex>(g, x, room, d, h, ow, end, y, index);
  if constexpr (N * sizeof(T) >= 64)
    ow = max_vectors<Vec<T, N / 4>, kStride, kIndex>(g, x, room, d, h, ow, end, y, index);
  return ow;
}

template <class T>
void max_forward(const PoolGeometry& g, int64_t planes, const void* x_, void* y_, int32_t* index) {
  const T* x = static_cast<const T*>(x_);
  T* y = static_cast<T*>(y_);
  const Range inner = interior(g);
  for (int64_t p = 0; p < planes; ++p, x += g.in_size()) {
    [[maybe_unused]] const int64_t room = (planes - p) * g.in_size();
    for (int64_t od = 0; od < g.out[0]; ++od)
      for (int64_t oh = 0; oh < g.out[1]; ++oh) {
        const Range d = window(g, 0, od), h = window(g, 1, oh);
        int64_t ow = 0;
        for (; ow < inner.begin; ++ow) max_at(g, x, d, h, ow, y + ow, index ? index + ow : nullptr);
        if constexpr (kVectorised<T>) {
          if (g.stride[2] == 1)
            ow = index ? max_row<1, true>(g, x, room, d, h, ow, inner.end, y, index)
                       : max_row<1, false>(g, x, room, d, h, ow, inner.end, y, index);
          else if (g.stride[2] == 2)
            ow = index ? max_row<2, true>(g, x, room, d, h, ow, inner.end, y, index)
                       : max_row<2, false>(g, x, room, d, h, ow, inner.end, y, index);
        }
        for (; ow < g.out[2]; ++ow) max_at(g, x, d, h, ow, y + ow, index ? index + ow : nullptr);
        y += g.out[2];
        if (index) index += g.out[2];
      }
  }
}

template <class T>
void max_backward(const PoolGeometry& g, int64_t planes, const void* dy_, const int32_t* index, void* dx_) {
  const T* dy = static_cast<const T*>(dy_);
  T* dx = static_cast<T*>(dx_);
  const int64_t in = g.in_size(), out = g.out_size();
  for (int64_t p = 0; p < planes; ++p, dx += in, dy += out, index += out) {
    __builtin_memset(dx, 0, std::size_t(in) * sizeof(T));
    for (int64_t i = 0; i < out; ++i) dx[index[i]] += dy[i];
  }
}

// ---- average ----

HWARO_INLINE int64_t divisor_of(const PoolGeometry& g, const int64_t* o, Range d, Range h, Range w) {
  if (g.divisor) return g.divisor;
  if (!g.count_include_pad) return (d.end - d.begin) * (h.end - h.begin) * (w.end - w.begin);
  int64_t size = 1;
  for (int i = 0; i < 3; ++i) {
    const int64_t begin = o[i] * g.stride[i] - g.padding[i];
    size *= min_of(begin + g.kernel[i], g.in[i] + g.padding[i]) - begin;
  }
  return size;
}

template <class V, int kStride, class T>
HWARO_INLINE int64_t avg_vectors(const PoolGeometry& g, const T* x, int64_t room, Range d, Range h, int64_t ow,
                                 int64_t end, T divisor, T* y) {
  constexpr int N = V::size();
  const int64_t last = ((d.end - 1) * g.in[1] + h.end - 1) * g.in[2] + g.kernel[2] - 1 + kStride * N;
  for (; ow + N <= end; ow += N) {
    const int64_t w = ow * kStride - g.padding[2];
    if (w + last > room) break;
    V sum(0);
    for (int64_t i = d.begin; i < d.end; ++i)
      for (int64_t j = h.begin; j < h.end; ++j) {
        const T* row = x + (i * g.in[1] + j) * g.in[2] + w;
        for (int64_t k = 0; k < g.kernel[2]; ++k) {
          if constexpr (kStride == 1) sum += V::load(row + k);
          else sum += StrideTwo<V>::load(row + k);
        }
      }
    (sum / V(divisor)).store(y + ow);
  }
  return ow;
}

template <int kStride, class T>
HWARO_INLINE int64_t avg_row(const PoolGeometry& g, const T* x, int64_t room, Range d, Range h, int64_t ow, int64_t end,
                             T divisor, T* y) {
  constexpr int N = Vec<T>::size();
  ow = avg_vectors<Vec<T>, kStride>(g, x, room, d, h, ow, end, divisor, y);
  if constexpr (N * sizeof(T) >= 32) ow = avg_vectors<Vec<T, N / 2>, kStride>(g, x, room, d, h, ow, end, divisor, y);
  if constexpr (N * sizeof(T) >= 64) ow = avg_vectors<Vec<T, N / 4>, kStride>(g, x, room, d, h, ow, end, divisor, y);
  return ow;
}

template <class T>
HWARO_INLINE T avg_at(const PoolGeometry& g, const T* x, const int64_t* o, Range d, Range h) {
  const Range w = window(g, 2, o[2]);
  if (d.begin >= d.end || h.begin >= h.end || w.begin >= w.end) return T(0);
  T sum = T(0);
  for (int64_t i = d.begin; i < d.end; ++i)
    for (int64_t j = h.begin; j < h.end; ++j)
      for (int64_t k = w.begin; k < w.end; ++k) sum += x[(i * g.in[1] + j) * g.in[2] + k];
  return T(sum / T(divisor_of(g, o, d, h, w)));
}

template <class T>
void avg_forward(const PoolGeometry& g, int64_t planes, const void* x_, void* y_) {
  const T* x = static_cast<const T*>(x_);
  T* y = static_cast<T*>(y_);
  const Range inner = interior(g);
  for (int64_t p = 0; p < planes; ++p, x += g.in_size()) {
    [[maybe_unused]] const int64_t room = (planes - p) * g.in_size();
    for (int64_t od = 0; od < g.out[0]; ++od)
      for (int64_t oh = 0; oh < g.out[1]; ++oh, y += g.out[2]) {
        const Range d = window(g, 0, od), h = window(g, 1, oh);
        int64_t o[3] = {od, oh, 0};
        for (; o[2] < inner.begin; ++o[2]) y[o[2]] = avg_at(g, x, o, d, h);
        if constexpr (kVectorised<T>) {
          if (o[2] < inner.end && g.stride[2] <= 2) {
            const T divisor = T(divisor_of(g, o, d, h, window(g, 2, o[2])));
            o[2] = g.stride[2] == 1 ? avg_row<1>(g, x, room, d, h, o[2], inner.end, divisor, y)
                                    : avg_row<2>(g, x, room, d, h, o[2], inner.end, divisor, y);
          }
        }
        for (; o[2] < g.out[2]; ++o[2]) y[o[2]] = avg_at(g, x, o, d, h);
      }
  }
}

template <class T>
void avg_backward(const PoolGeometry& g, int64_t planes, const void* dy_, void* dx_) {
  const T* dy = static_cast<const T*>(dy_);
  T* dx = static_cast<T*>(dx_);
  for (int64_t p = 0; p < planes; ++p, dx += g.in_size()) {
    __builtin_memset(dx, 0, std::size_t(g.in_size()) * sizeof(T));
    for (int64_t od = 0; od < g.out[0]; ++od)
      for (int64_t oh = 0; oh < g.out[1]; ++oh, dy += g.out[2]) {
        const Range d = window(g, 0, od), h = window(g, 1, oh);
        for (int64_t ow = 0; ow < g.out[2]; ++ow) {
          const Range w = window(g, 2, ow);
          const int64_t o[3] = {od, oh, ow};
          const T part = dy[ow] / T(divisor_of(g, o, d, h, w));
          for (int64_t i = d.begin; i < d.end; ++i)
            for (int64_t j = h.begin; j < h.end; ++j)
              for (int64_t k = w.begin; k < w.end; ++k) dx[(i * g.in[1] + j) * g.in[2] + k] += part;
        }
      }
  }
}

constexpr PoolKernels make_table() {
  PoolKernels t = {};
  t.max_forward[int(DType::UInt8)] = max_forward<std::uint8_t>;
  t.max_forward[int(DType::Int8)] = max_forward<std::int8_t>;
  t.max_forward[int(DType::Int16)] = max_forward<std::int16_t>;
  t.max_forward[int(DType::Int32)] = max_forward<std::int32_t>;
  t.max_forward[int(DType::Int64)] = max_forward<std::int64_t>;
  t.max_forward[int(DType::Half)] = max_forward<Half>;
  t.max_forward[int(DType::BFloat16)] = max_forward<BFloat16>;
  t.max_forward[int(DType::Float)] = max_forward<float>;
  t.max_forward[int(DType::Double)] = max_forward<double>;
  t.max_backward[int(DType::Float)] = max_backward<float>;
  t.max_backward[int(DType::Double)] = max_backward<double>;
  t.avg_forward[int(DType::Int64)] = avg_forward<std::int64_t>;
  t.avg_forward[int(DType::Float)] = avg_forward<float>;
  t.avg_forward[int(DType::Double)] = avg_forward<double>;
  t.avg_backward[int(DType::Float)] = avg_backward<float>;
  t.avg_backward[int(DType::Double)] = avg_backward<double>;
  return t;
}

}  // namespace

extern constinit const PoolKernels pool_table = make_table();

}  // namespace HWARO_ISA
}  // namespace hwaro
