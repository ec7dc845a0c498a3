// Convolution with images in the lanes (compiled once per instruction set).
// The inputs are brought into the order [position][channel][image] once; then each output position is a product
// weights (m, tap * channel) @ inputs (tap * channel, images), whose right side lies in memory as the register tile
// reads it: nothing is packed, and taps in the padding are skipped. Small images with padding gain what others multiply
// by zero (14 x 14, 3 x 3: 9 %; 7 x 7: 18 %) and have no partly filled vectors. Two positions share one tile.
#include "hwaro/backend/cpu/conv/kernel_parts.h"
#include "hwaro/backend/cpu/gemm/pack.h"

namespace hwaro {
inline namespace HWARO_ISA {
namespace {

template <class T, int MR, int NV>
void batch_micro(const BatchBlock<T>& b, const BatchOutputs<T>& o, std::int64_t row, const T* weights) {
  constexpr int L = simd::kLanes<T>;
  const std::int64_t position = b.channels * L;
  Tile<T, MR, NV> tile;
  HWARO_UNROLL
  for (int i = 0; i < MR; ++i) {
    HWARO_UNROLL
    for (int j = 0; j < NV; ++j) tile.sum[i][j] = b.bias ? simd::splat(b.bias[row + i]) : simd::Vector<T>{};
  }
  for (std::int64_t t = 0; t < o.count; ++t) {
    const T* a = weights + o.valid[t] * b.channels * MR;
    const T* x[NV];
    HWARO_UNROLL
    for (int j = 0; j < NV; ++j) x[j] = b.image + (o.first_input[j] + o.shift[t]) * position;
    for (std::int64_t c = 0; c < b.channels; ++c, a += MR) {
      simd::Vector<T> v[NV];
      HWARO_UNROLL
      for (int j = 0; j < NV; ++j) v[j] = simd::load(x[j] + c * L);
      tile.step([&](int i) { return a[i]; }, v);
    }
  }
  HWARO_UNROLL
  for (int i = 0; i < MR; ++i) {
    HWARO_UNROLL
    for (int j = 0; j < NV; ++j) simd::store(o.y[j] + (row + i) * L, tile.sum[i][j]);
  }
}

template <class T>
using BatchMicro = void (*)(const BatchBlock<T>& b, const BatchOutputs<T>& o, std::int64_t row, const T* weights);
template <class T>
struct BatchTable {
  BatchMicro<T> at[kTileRows][2];
};
template <class T, int MR>
constexpr void fill_batch(BatchTable<T>& table) {
  table.at[MR - 1][0] = batch_micro<T, MR, 1>;
  table.at[MR - 1][1] = batch_micro<T, MR, 2>;
  if constexpr (MR > 1) fill_batch<T, MR - 1>(table);
}
template <class T>
constexpr BatchTable<T> make_batch_table() {
  BatchTable<T> table{};
  fill_batch<T, kTileRows>(table);
  return table;
}
template <class T>
constexpr BatchTable<T> kBatch = make_batch_table<T>();

constexpr std::int64_t kTile =
    16;  // transposing goes through tiles in the first cache, so that lines are written whole

}  // namespace

template <class T>
void pack_weights_by_tap(const WeightView<T>& w, std::int64_t m, T* packed) {
  const Strips strips(m, kTileRows);
  for (std::int64_t s = 0; s < strips.count; ++s) {
    const std::int64_t rows = strips.rows(s);
    const T* src = w.data + strips.begin(s) * w.row;
    for (std::int64_t c = 0; c < w.channels; ++c)
      for (std::int64_t t = 0; t < w.taps; ++t) {
        const T* from = src + c * w.channel + (w.flip ? w.taps - 1 - t : t);
        T* to = packed + (t * w.channels + c) * rows;
        for (std::int64_t i = 0; i < rows; ++i) to[i] = from[i * w.row];
      }
    packed += rows * w.channels * w.taps;
  }
}

template <class T>
void batch_outputs(const BatchBlock<T>& b, const BatchOutputs<T>& o) {
  const Strips strips(b.m, kTileRows);
  const T* weights = b.weights;
  const int pair = o.y[1] != nullptr;
  for (std::int64_t s = 0; s < strips.count; ++s) {
    const std::int64_t rows = strips.rows(s);
    kBatch<T>.at[rows - 1][pair](b, o, strips.begin(s), weights);
    weights += rows * b.taps * b.channels;
  }
}

template <class T>
void interleave(const T* x, std::int64_t image_pitch, std::int64_t images, std::int64_t channels,
                std::int64_t positions, std::int64_t begin, std::int64_t end, T* target) {
  constexpr int L = simd::kLanes<T>;
  alignas(64) T tile[kTile * L] = {};  // lanes without an image stay zero
  for (std::int64_t p = begin; p < end; p += kTile) {
    const std::int64_t count = end - p < kTile ? end - p : kTile;
    for (std::int64_t c = 0; c < channels; ++c) {
      pack_transposed(x + c * positions + p, image_pitch, images, count, tile, L);
      T* to = target + (p * channels + c) * L;
      for (std::int64_t i = 0; i < count; ++i, to += channels * L) simd::store(to, simd::load(tile + i * L));
    }
  }
}

template <class T>
void transpose(const T* source, std::int64_t ld, std::int64_t rows, std::int64_t columns, T* target,
               std::int64_t target_ld) {
  alignas(64) T tile[kTile * kTile];
  for (std::int64_t i = 0; i < rows; i += kTile) {
    const std::int64_t height = rows - i < kTile ? rows - i : kTile;
    for (std::int64_t j = 0; j < columns; j += kTile) {
      const std::int64_t width = columns - j < kTile ? columns - j : kTile;
      pack_transposed(source + i * ld + j, ld, height, width, tile, kTile);
      T* to = target + j * target_ld + i;
      for (std::int64_t r = 0; r < width; ++r, to += target_ld) {
        if (height == kTile) __builtin_memcpy(to, tile + r * kTile, kTile * sizeof(T));
        else __builtin_memcpy(to, tile + r * kTile, static_cast<std::size_t>(height) * sizeof(T));
      }
    }
  }
}

#define HWARO_INSTANTIATE(T)                                                                                  \
  template void pack_weights_by_tap<T>(const WeightView<T>&, std::int64_t, T*);                               \
  template void batch_outputs<T>(const BatchBlock<T>&, const BatchOutputs<T>&);                               \
  template void interleave<T>(const T*, std::int64_t, std::int64_t, std::int64_t, std::int64_t, std::int64_t, \
                              std::int64_t, T*);                                                              \
  template void transpose<T>(const T*, std::int64_t, std::int64_t, std::int64_t, T*, std::int64_t);
HWARO_INSTANTIATE(float)
HWARO_INSTANTIATE(double)
#undef HWARO_INSTANTIATE

}  // namespace HWARO_ISA
}  // namespace hwaro
