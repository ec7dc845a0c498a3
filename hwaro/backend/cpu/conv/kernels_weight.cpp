// Gradient of the weight (compiled once per instruction set): a product that sums over outputs.
// weight_wide: output channels in the lanes. dy is transposed once per block to [output][channel]; the image is not
// packed at all: the register tile broadcasts from it through one pointer per (input channel, tap), six of them.
// weight_dot: outputs in the lanes, for few (input channel, tap) pairs or few output channels, where transposing dy
// would cost as much as the product. Tiles keep whole vectors of sums in memory until all images are done.
#include "hwaro/backend/cpu/conv/kernel_parts.h"
#include "hwaro/backend/cpu/gemm/pack.h"

namespace hwaro {
inline namespace HWARO_ISA {
namespace {

#if defined(__AVX512F__)
constexpr int kWideRows = 6, kWideVectors = 4, kDotRows = 4, kDotColumns = 6;
#elif defined(__AVX2__)
constexpr int kWideRows = 6, kWideVectors = 2, kDotRows = 3, kDotColumns = 4;
#else
constexpr int kWideRows = 4, kWideVectors = 2, kDotRows = 2, kDotColumns = 4;
#endif

// Walks over the rows of outputs of a block; divisions per row would cost as much as a short row.
template <class T>
struct RowCursor {
  const WeightBlock<T>& b;
  std::int64_t image = 0, done = 0, plane, y;
  HWARO_INLINE explicit RowCursor(const WeightBlock<T>& block)
      : b(block), plane(block.first_row / block.height), y(block.first_row % block.height) {}
  HWARO_INLINE const T* next() {
    const T* base = b.image + image * b.image_pitch + plane * b.plane_step + y * b.row_step;
    if (++y == b.height) y = 0, ++plane;
    if (++done == b.rows) done = 0, ++image, plane = b.first_row / b.height, y = b.first_row % b.height;
    return base;
  }
};

// A table of kernels for every tile of up to R x C.
template <class F, int R, int C>
struct Table {
  F at[R][C];
};
template <class Make, int R, int C, class F, int RM, int CM>
constexpr void fill(Table<F, RM, CM>& table) {
  table.at[R - 1][C - 1] = Make::template make<R, C>();
  if constexpr (C > 1) fill<Make, R, C - 1>(table);
  else if constexpr (R > 1) fill<Make, R - 1, CM>(table);
}
template <class Make, class F, int R, int C>
constexpr Table<F, R, C> make_table() {
  Table<F, R, C> table{};
  fill<Make, R, C>(table);
  return table;
}

template <class T, int MR, int NV>
void wide_tile(const WeightBlock<T>& b, const std::int64_t* offsets, const T* dy, T* sums, std::int64_t pitch) {
  constexpr int L = simd::kLanes<T>;
  Tile<T, MR, NV> tile;
  HWARO_UNROLL
  for (int i = 0; i < MR; ++i) {
    HWARO_UNROLL
    for (int j = 0; j < NV; ++j) tile.sum[i][j] = simd::load(sums + i * pitch + j * L);
  }
  RowCursor<T> cursor(b);
  for (std::int64_t r = b.images * b.rows; r > 0; --r) {
    const T* base = cursor.next();
    const T* p[MR];
    HWARO_UNROLL
    for (int i = 0; i < MR; ++i) p[i] = base + offsets[i];
    const std::int64_t end = b.width * b.column_step;
    for (std::int64_t x = 0; x < end; x += b.column_step, dy += NV * L) {
      simd::Vector<T> v[NV];
      HWARO_UNROLL
      for (int j = 0; j < NV; ++j) v[j] = simd::load(dy + j * L);
      tile.step([&](int i) { return p[i][x]; }, v);
    }
  }
  HWARO_UNROLL
  for (int i = 0; i < MR; ++i) {
    HWARO_UNROLL
    for (int j = 0; j < NV; ++j) simd::store(sums + i * pitch + j * L, tile.sum[i][j]);
  }
}

template <class T>
using WideTile = void (*)(const WeightBlock<T>& b, const std::int64_t* offsets, const T* dy, T* sums,
                          std::int64_t pitch);
template <class T>
struct MakeWide {
  template <int R, int C>
  static constexpr WideTile<T> make() {
    return wide_tile<T, R, C>;
  }
};
template <class T>
constexpr Table<WideTile<T>, kWideRows, kWideVectors> kWide =
    make_table<MakeWide<T>, WideTile<T>, kWideRows, kWideVectors>();

// sums[i][j] += sum over outputs of dy row i * image at offset j, as whole vectors.
template <class T, int MR, int NC>
void dot_tile(const WeightBlock<T>& b, const std::int64_t* offsets, const T* dy, T* sums) {
  constexpr int L = simd::kLanes<T>;
  simd::Vector<T> sum[MR][NC];
  HWARO_UNROLL
  for (int i = 0; i < MR; ++i) {
    HWARO_UNROLL
    for (int j = 0; j < NC; ++j) sum[i][j] = simd::load(sums + (i * NC + j) * L);
  }
  const std::int64_t whole = b.width / L * L;
  const simd::Mask<T> mask = simd::first_lanes<T>(static_cast<int>(b.width - whole));
  RowCursor<T> cursor(b);
  for (std::int64_t r = 0; r < b.rows; ++r, dy += b.width) {
    const T* base = cursor.next();
    const T* p[NC];
    HWARO_UNROLL
    for (int j = 0; j < NC; ++j) p[j] = base + offsets[j];
    for (std::int64_t x = 0; x < whole; x += L) {
      simd::Vector<T> g[MR];
      HWARO_UNROLL
      for (int i = 0; i < MR; ++i) g[i] = simd::load(dy + i * b.dy_channel_pitch + x);
      HWARO_UNROLL
      for (int j = 0; j < NC; ++j) {
        const simd::Vector<T> v = simd::load(p[j] + x);
        HWARO_UNROLL
        for (int i = 0; i < MR; ++i) sum[i][j] = simd::fma(g[i], v, sum[i][j]);
      }
    }
    if (whole < b.width) {
      simd::Vector<T> g[MR];
      HWARO_UNROLL
      for (int i = 0; i < MR; ++i) g[i] = simd::load_masked(dy + i * b.dy_channel_pitch + whole, mask);
      HWARO_UNROLL
      for (int j = 0; j < NC; ++j) {
        // Masked as well: 0 * inf of an input that this output does not read would be NaN.
        const simd::Vector<T> v = simd::load_masked(p[j] + whole, mask);
        HWARO_UNROLL
        for (int i = 0; i < MR; ++i) sum[i][j] = simd::fma(g[i], v, sum[i][j]);
      }
    }
  }
  HWARO_UNROLL
  for (int i = 0; i < MR; ++i) {
    HWARO_UNROLL
    for (int j = 0; j < NC; ++j) simd::store(sums + (i * NC + j) * L, sum[i][j]);
  }
}

template <class T>
using DotTile = void (*)(const WeightBlock<T>& b, const std::int64_t* offsets, const T* dy, T* sums);
template <class T>
struct MakeDot {
  template <int R, int C>
  static constexpr DotTile<T> make() {
    return dot_tile<T, R, C>;
  }
};
template <class T>
constexpr Table<DotTile<T>, kDotRows, kDotColumns> kDot = make_table<MakeDot<T>, DotTile<T>, kDotRows, kDotColumns>();

}  // namespace

template <class T>
std::int64_t padded_k(std::int64_t k) {
  return (k + simd::kLanes<T> - 1) / simd::kLanes<T> * simd::kLanes<T>;
}

template <class T>
void weight_wide(const WeightBlock<T>& b) {
  constexpr std::int64_t L = simd::kLanes<T>;
  const std::int64_t pitch = padded_k<T>(b.k), outputs = b.rows * b.width;
  const Strips columns(pitch / L, kWideVectors), strips(b.m, kWideRows);
  for (std::int64_t c = 0; c < columns.count; ++c) {
    const std::int64_t vectors = columns.rows(c), width = vectors * L, first = columns.begin(c) * L;
    const std::int64_t exist = b.k - first < width ? b.k - first : width;
    for (std::int64_t n = 0; n < b.images; ++n)
      pack_transposed(b.dy + n * b.dy_image_pitch + first * b.dy_channel_pitch, b.dy_channel_pitch, exist, outputs,
                      b.work + n * outputs * width, width);
    if (exist < width)
      for (std::int64_t q = 0; q < b.images * outputs; ++q)
        for (std::int64_t i = exist; i < width; ++i) b.work[q * width + i] = T(0);
    for (std::int64_t s = 0; s < strips.count; ++s) {
      const std::int64_t i = strips.begin(s);
      kWide<T>.at[strips.rows(s) - 1][vectors - 1](b, b.offsets + i, b.work, b.sums + i * pitch + first, pitch);
    }
  }
}

template <class T>
std::int64_t weight_dot_sums(std::int64_t m, std::int64_t k) {
  return m * k * simd::kLanes<T>;
}

template <class T>
void weight_dot(const WeightBlock<T>& b) {
  const Strips rows(b.k, kDotRows), columns(b.m, kDotColumns);
  T* sums = b.sums;
  for (std::int64_t r = 0; r < rows.count; ++r)
    for (std::int64_t c = 0; c < columns.count; ++c) {
      kDot<T>.at[rows.rows(r) - 1][columns.rows(c) - 1](b, b.offsets + columns.begin(c),
                                                        b.dy + rows.begin(r) * b.dy_channel_pitch, sums);
      sums += rows.rows(r) * columns.rows(c) * simd::kLanes<T>;
    }
}

template <class T>
void weight_dot_finish(std::int64_t m, std::int64_t k, const T* sums, T* out, std::int64_t out_pitch) {
  const Strips rows(k, kDotRows), columns(m, kDotColumns);
  for (std::int64_t r = 0; r < rows.count; ++r)
    for (std::int64_t c = 0; c < columns.count; ++c)
      for (std::int64_t i = 0; i < rows.rows(r); ++i)
        for (std::int64_t j = 0; j < columns.rows(c); ++j, sums += simd::kLanes<T>)
          out[(columns.begin(c) + j) * out_pitch + rows.begin(r) + i] = simd::sum<T>(simd::load(sums));
}

template <class T>
T sum_values(const T* x, std::int64_t n) {
  constexpr std::int64_t L = simd::kLanes<T>, U = 4;
  simd::Vector<T> sum[U] = {};
  std::int64_t i = 0;
  for (; i + U * L <= n; i += U * L) {
    HWARO_UNROLL
    for (int u = 0; u < U; ++u) sum[u] += simd::load(x + i + u * L);
  }
  for (; i < n; i += L)
    sum[0] += simd::load_masked(x + i, simd::first_lanes<T>(static_cast<int>(n - i < L ? n - i : L)));
  return simd::sum<T>((sum[0] + sum[1]) + (sum[2] + sum[3]));
}

#define HWARO_INSTANTIATE(T)                                                                  \
  template std::int64_t padded_k<T>(std::int64_t);                                            \
  template void weight_wide<T>(const WeightBlock<T>&);                                        \
  template void weight_dot<T>(const WeightBlock<T>&);                                         \
  template std::int64_t weight_dot_sums<T>(std::int64_t, std::int64_t);                       \
  template void weight_dot_finish<T>(std::int64_t, std::int64_t, const T*, T*, std::int64_t); \
  template T sum_values<T>(const T*, std::int64_t);
HWARO_INSTANTIATE(float)
HWARO_INSTANTIATE(double)
#undef HWARO_INSTANTIATE

}  // namespace HWARO_ISA
}  // namespace hwaro
