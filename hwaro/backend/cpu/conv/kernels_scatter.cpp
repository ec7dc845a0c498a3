// Gradient of the input where few input channels or a stride would leave the forward scheme with empty register tiles
// (compiled once per instruction set). The product runs over output channels, weights^T (c * tap, k) @ dy (k, outputs):
// dy is read as it lies, tiles are full even for one input channel. A few rows of outputs at a time keep the product in
// the second cache; then each of its rows is added to the padded gradient, shifted by its tap. The additions cost about
// 3 / k of the product (one channel, 32 outputs, 3x3: 56 GFLOPS, where the forward scheme reaches 24).
#include "hwaro/backend/cpu/conv/kernel_parts.h"
#include "hwaro/backend/cpu/gemm/pack.h"

namespace hwaro {
inline namespace HWARO_ISA {

template <class T>
std::int64_t scatter_workspace(std::int64_t depth, std::int64_t m, std::int64_t columns) {
  constexpr std::int64_t W = kTileColumns<T>;
  return (depth + 1) * W + m * ((columns + W - 1) / W * W);
}

template <class T>
void scatter_columns(const ScatterBlock<T>& b) {
  constexpr std::int64_t L = simd::kLanes<T>, W = kTileColumns<T>;
  const std::int64_t total = b.rows * b.width, pitch = (total + W - 1) / W * W;
  const Strips strips(b.m, kTileRows);
  T* packed = b.work;
  T* product = b.work + (b.depth + 1) * W;
  for (std::int64_t column = 0; column < total; column += W) {
    const std::int64_t columns = total - column < W ? total - column : W;
    const std::int64_t vectors = (columns + L - 1) / L, width = vectors * L;
    pack_rows(b.dy + column, b.dy_channel_pitch, columns, b.depth, packed, width);
    const T* weights = b.weights;
    for (std::int64_t s = 0; s < strips.count; ++s) {
      const std::int64_t i = strips.begin(s), rows = strips.rows(s);
      const StripOutput<T> out{product + i * pitch + column, pitch, nullptr, nullptr, true, static_cast<int>(L)};
      kConvMicro<T>.at[rows - 1][vectors - 1](b.depth, weights, packed, out);
      weights += rows * b.depth;
    }
  }
  const std::int64_t whole = b.width / L * L;
  const simd::Mask<T> mask = simd::first_lanes<T>(static_cast<int>(b.width - whole));
  for (std::int64_t j = 0; j < b.m; ++j) {
    const T* src = product + j * pitch;
    for (std::int64_t r = 0; r < b.rows; ++r, src += b.width) {
      const std::int64_t row = b.first_row + r;
      T* dst = b.dx + b.offsets[j] + row / b.height * b.plane_step + row % b.height * b.row_step;
      for (std::int64_t x = 0; x < whole; x += L) simd::store(dst + x, simd::load(dst + x) + simd::load(src + x));
      if (whole < b.width)
        simd::store_masked(dst + whole, simd::load_masked(dst + whole, mask) + simd::load(src + whole), mask);
    }
  }
}

template void scatter_columns<float>(const ScatterBlock<float>&);
template void scatter_columns<double>(const ScatterBlock<double>&);
template std::int64_t scatter_workspace<float>(std::int64_t, std::int64_t, std::int64_t);
template std::int64_t scatter_workspace<double>(std::int64_t, std::int64_t, std::int64_t);

}  // namespace HWARO_ISA
}  // namespace hwaro
