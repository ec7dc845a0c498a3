// The register tile that all products and convolutions are made of (one instruction set per compilation).
// A tile of MR rows and NV vectors of columns stays in registers while the depth runs: each step loads NV vectors of b,
// broadcasts MR values of a, and does MR * NV fused multiply-adds. Tile sizes fill the register file: 14x2 of 32
// registers on AVX-512, 6x2 of 16 on AVX2. All of 14x32, 12x32, 8x48 and 6x64 reach 99 % of peak once packed, so the
// narrowest one is taken: it wastes the fewest columns. Strips of rows are balanced, hence a kernel for every height.
#pragma once

#include "hwaro/backend/cpu/gemm/kernels.h"
#include "hwaro/backend/cpu/simd_gcc.h"

namespace hwaro {
inline namespace HWARO_ISA {

#if defined(__AVX512F__)
inline constexpr int kTileRows = 14;
#elif defined(__AVX2__)
inline constexpr int kTileRows = 6;
#elif defined(__aarch64__)
inline constexpr int kTileRows = 8;
#else
inline constexpr int kTileRows = 4;
#endif
inline constexpr int kTileVectors = 2;
template <class T>
inline constexpr int kTileColumns = kTileVectors * simd::kLanes<T>;

template <class T, int MR, int NV>
struct Tile {
  simd::Vector<T> sum[MR][NV];

  HWARO_INLINE void clear() {
    HWARO_UNROLL
    for (int i = 0; i < MR; ++i) {
      HWARO_UNROLL
      for (int j = 0; j < NV; ++j) sum[i][j] = simd::Vector<T>{};
    }
  }

  // One step of depth: sum += a[0..MR) x b.
  template <class A>
  HWARO_INLINE void step(A a, const simd::Vector<T> (&b)[NV]) {
    HWARO_UNROLL
    for (int i = 0; i < MR; ++i) {
      const simd::Vector<T> x = NV > 1 ? simd::pinned(simd::splat(a(i))) : simd::splat(a(i));
      HWARO_UNROLL
      for (int j = 0; j < NV; ++j) sum[i][j] = simd::fma(x, b[j], sum[i][j]);
    }
  }

  // Both operands packed: a as [depth][MR], b as [depth][NV vectors].
  HWARO_INLINE void accumulate(std::int64_t depth, const T* a, const T* b) {
    clear();
    for (std::int64_t p = 0; p < depth; ++p) {
      simd::Vector<T> bv[NV];
      HWARO_UNROLL
      for (int j = 0; j < NV; ++j) bv[j] = simd::load(b + j * simd::kLanes<T>);
      step([&](int i) { return a[i]; }, bv);
      a += MR;
      b += NV * simd::kLanes<T>;
    }
  }

  // Writes the tile; `lanes` of the last vector's columns exist.
  HWARO_INLINE void finish(T* c, std::int64_t ldc, int lanes, const Epilogue<T>& e) {
    using V = simd::Vector<T>;
    const V alpha = simd::splat(e.alpha), beta = simd::splat(e.beta);
    const bool whole = lanes == simd::kLanes<T>;
    const simd::Mask<T> mask = simd::first_lanes<T>(lanes);
    V bias[NV];
    HWARO_UNROLL
    for (int j = 0; j < NV; ++j) {
      bias[j] = V{};
      if (e.bias != nullptr)
        bias[j] = j < NV - 1 || whole ? simd::load(e.bias + j * simd::kLanes<T>)
                                      : simd::load_masked(e.bias + j * simd::kLanes<T>, mask);
    }
    HWARO_UNROLL
    for (int i = 0; i < MR; ++i) {
      HWARO_UNROLL
      for (int j = 0; j < NV; ++j) {
        T* out = c + i * ldc + j * simd::kLanes<T>;
        V v = e.alpha == T(1) ? sum[i][j] : alpha * sum[i][j];
        if (e.bias != nullptr) v += bias[j];
        if (j < NV - 1 || whole) {
          if (e.beta != T(0)) v = simd::fma(beta, simd::load(out), v);
          simd::store(out, v);
        } else {
          if (e.beta != T(0)) v = simd::fma(beta, simd::load_masked(out, mask), v);
          simd::store_masked(out, v, mask);
        }
      }
    }
  }
};

// Strips of at most `limit` rows, as equal as can be: the first rows of strip number `index`.
struct Strips {
  std::int64_t count, size, extra;
  HWARO_INLINE Strips(std::int64_t total, std::int64_t limit)
      : count((total + limit - 1) / limit), size(count == 0 ? 0 : total / count), extra(count == 0 ? 0 : total % count) {}
  HWARO_INLINE std::int64_t begin(std::int64_t index) const { return index * size + (index < extra ? index : extra); }
  HWARO_INLINE std::int64_t rows(std::int64_t index) const { return size + (index < extra ? 1 : 0); }
};

template <class T>
using MicroKernel = void (*)(std::int64_t depth, const T* a, const T* b, T* c, std::int64_t ldc, int lanes,
                             const Epilogue<T>& epilogue);

template <class T, int MR, int NV>
void micro_kernel(std::int64_t depth, const T* a, const T* b, T* c, std::int64_t ldc, int lanes,
                  const Epilogue<T>& epilogue) {
  Tile<T, MR, NV> tile;
  tile.accumulate(depth, a, b);
  tile.finish(c, ldc, lanes, epilogue);
}

}  // namespace HWARO_ISA
}  // namespace hwaro
