// Convolution of a single input channel with a single kernel, for depthwise layers (compiled once per instruction set).
// A tile of four output rows and up to two vectors of columns stays in registers while the taps run; every input is
// read from the first cache, once per tap, where a packed strip would write it out once per tap as well.
#include "hwaro/backend/cpu/conv/kernel_parts.h"

namespace hwaro {
inline namespace HWARO_ISA {
namespace {

template <class T, int R, int NV>
HWARO_INLINE void direct_tile(const DirectBlock<T>& b, const T* const (&row)[R], T* y, std::int64_t x) {
  constexpr int L = simd::kLanes<T>;
  simd::Vector<T> sum[R][NV];
  HWARO_UNROLL
  for (int r = 0; r < R; ++r) {
    HWARO_UNROLL
    for (int j = 0; j < NV; ++j) sum[r][j] = simd::splat(b.bias);
  }
  for (std::int64_t t = 0; t < b.taps; ++t) {
    const simd::Vector<T> w = simd::splat(b.weights[t]);
    const std::int64_t at = b.offsets[t] + x;
    HWARO_UNROLL
    for (int r = 0; r < R; ++r) {
      HWARO_UNROLL
      for (int j = 0; j < NV; ++j) sum[r][j] = simd::fma(w, simd::load(row[r] + at + j * L), sum[r][j]);
    }
  }
  const std::int64_t lanes = b.width - x - (NV - 1) * L;
  const simd::Mask<T> mask = simd::first_lanes<T>(static_cast<int>(lanes < L ? lanes : L));
  HWARO_UNROLL
  for (int r = 0; r < R; ++r) {
    HWARO_UNROLL
    for (int j = 0; j < NV; ++j) {
      if (j == NV - 1 && lanes < L) simd::store_masked(y + r * b.width + x + j * L, sum[r][j], mask);
      else simd::store(y + r * b.width + x + j * L, sum[r][j]);
    }
  }
}

template <class T, int R>
HWARO_INLINE void direct_rows(const DirectBlock<T>& b, std::int64_t first) {
  constexpr int L = simd::kLanes<T>;
  const T* row[R];
  HWARO_UNROLL
  for (int r = 0; r < R; ++r)
    row[r] = b.image + (first + r) / b.height * b.plane_step + (first + r) % b.height * b.row_step;
  T* y = b.y + first * b.width;
  std::int64_t x = 0;
  for (; b.width - x > L; x += 2 * L) direct_tile<T, R, 2>(b, row, y, x);
  if (x < b.width) direct_tile<T, R, 1>(b, row, y, x);
}

}  // namespace

template <class T>
void direct(const DirectBlock<T>& b) {
  std::int64_t r = 0;
  for (; r + 4 <= b.rows; r += 4) direct_rows<T, 4>(b, r);
  for (; r < b.rows; ++r) direct_rows<T, 1>(b, r);
}

template void direct<float>(const DirectBlock<float>&);
template void direct<double>(const DirectBlock<double>&);

}  // namespace HWARO_ISA
}  // namespace hwaro
