// What the kernel files of convolution share within one instruction set: the register tile with the epilogues that a
// convolution needs, and the entry points that one file defines and another puts into the table.
#pragma once

#include "hwaro/backend/cpu/conv/kernels.h"
#include "hwaro/backend/cpu/gemm/micro.h"

namespace hwaro {
inline namespace HWARO_ISA {

template <class T>
struct StripOutput {
  T* y;  // null: the strip crosses images, or the depth is not complete
  std::int64_t ldy;
  T* partial;  // the tile's sums of earlier panels, and where unfinished sums go
  const T* bias;
  bool first;
  int lanes;
};
template <class T>
using ConvMicro = void (*)(std::int64_t depth, const T* a, const T* b, const StripOutput<T>& out);

template <class T, int MR, int NV>
void conv_micro(std::int64_t depth, const T* a, const T* b, const StripOutput<T>& out) {
  constexpr int L = simd::kLanes<T>;
  Tile<T, MR, NV> tile;
  tile.accumulate(depth, a, b);
  if (!out.first) {
    HWARO_UNROLL
    for (int i = 0; i < MR; ++i) {
      HWARO_UNROLL
      for (int j = 0; j < NV; ++j) tile.sum[i][j] += simd::load(out.partial + (i * NV + j) * L);
    }
  }
  if (out.bias != nullptr) {
    HWARO_UNROLL
    for (int i = 0; i < MR; ++i) {
      const simd::Vector<T> bias = simd::splat(out.bias[i]);
      HWARO_UNROLL
      for (int j = 0; j < NV; ++j) tile.sum[i][j] += bias;
    }
  }
  if (out.y == nullptr) {
    HWARO_UNROLL
    for (int i = 0; i < MR; ++i) {
      HWARO_UNROLL
      for (int j = 0; j < NV; ++j) simd::store(out.partial + (i * NV + j) * L, tile.sum[i][j]);
    }
  } else if (out.lanes == L) {
    HWARO_UNROLL
    for (int i = 0; i < MR; ++i) {
      HWARO_UNROLL
      for (int j = 0; j < NV; ++j) simd::store(out.y + i * out.ldy + j * L, tile.sum[i][j]);
    }
  } else {
    const simd::Mask<T> mask = simd::first_lanes<T>(out.lanes);
    HWARO_UNROLL
    for (int i = 0; i < MR; ++i) {
      HWARO_UNROLL
      for (int j = 0; j < NV - 1; ++j) simd::store(out.y + i * out.ldy + j * L, tile.sum[i][j]);
      simd::store_masked(out.y + i * out.ldy + (NV - 1) * L, tile.sum[i][NV - 1], mask);
    }
  }
}

template <class T>
struct ConvMicroTable {
  ConvMicro<T> at[kTileRows][kTileVectors];
};
template <class T, int MR>
constexpr void fill_conv_row(ConvMicroTable<T>& table) {
  table.at[MR - 1][0] = conv_micro<T, MR, 1>;
  table.at[MR - 1][1] = conv_micro<T, MR, 2>;
  if constexpr (MR > 1) fill_conv_row<T, MR - 1>(table);
}
template <class T>
constexpr ConvMicroTable<T> make_conv_micro_table() {
  ConvMicroTable<T> table{};
  fill_conv_row<T, kTileRows>(table);
  return table;
}
template <class T>
inline constexpr ConvMicroTable<T> kConvMicro = make_conv_micro_table<T>();

template <class T>
void scatter_columns(const ScatterBlock<T>& block);
template <class T>
std::int64_t scatter_workspace(std::int64_t depth, std::int64_t m, std::int64_t columns);
template <class T>
void direct(const DirectBlock<T>& block);
template <class T>
void pack_weights_by_tap(const WeightView<T>& w, std::int64_t m, T* packed);
template <class T>
void batch_outputs(const BatchBlock<T>& block, const BatchOutputs<T>& outputs);
template <class T>
void interleave(const T* x, std::int64_t image_pitch, std::int64_t images, std::int64_t channels,
                std::int64_t positions, std::int64_t begin, std::int64_t end, T* target);
template <class T>
void transpose(const T* source, std::int64_t ld, std::int64_t rows, std::int64_t columns, T* target,
               std::int64_t target_ld);
template <class T>
void weight_wide(const WeightBlock<T>& block);
template <class T>
std::int64_t padded_k(std::int64_t k);
template <class T>
void weight_dot(const WeightBlock<T>& block);
template <class T>
std::int64_t weight_dot_sums(std::int64_t m, std::int64_t k);
template <class T>
void weight_dot_finish(std::int64_t m, std::int64_t k, const T* sums, T* out, std::int64_t out_pitch);
template <class T>
T sum_values(const T* x, std::int64_t n);

}  // namespace HWARO_ISA
}  // namespace hwaro
