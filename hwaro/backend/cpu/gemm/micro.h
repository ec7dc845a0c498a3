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
    constexpr int L = simd::kLanes<T>;
    const simd::Mask<T> mask = simd::first_lanes<T>(lanes);
    if (e.bias != nullptr || e.alpha != T(1) || e.beta != T(0)) [[unlikely]] {
      const V alpha = simd::splat(e.alpha), beta = simd::splat(e.beta);
      V bias[NV];
      HWARO_UNROLL
      for (int j = 0; j < NV; ++j) {
        bias[j] = V{};
        if (e.bias != nullptr)
          bias[j] = j < NV - 1 ? simd::load(e.bias + j * L) : simd::load_masked(e.bias + j * L, mask);
      }
      HWARO_UNROLL
      for (int i = 0; i < MR; ++i) {
        HWARO_UNROLL
        for (int j = 0; j < NV; ++j) {
          const T* old = c + i * ldc + j * L;
          V v = simd::fma(alpha, sum[i][j], bias[j]);
          if (e.beta != T(0)) v = simd::fma(beta, j < NV - 1 ? simd::load(old) : simd::load_masked(old, mask), v);
          sum[i][j] = v;
        }
      }
    }
    if (lanes == L) {
      HWARO_UNROLL
      for (int i = 0; i < MR; ++i, c += ldc) {
        HWARO_UNROLL
        for (int j = 0; j < NV; ++j) simd::store(c + j * L, sum[i][j]);
      }
    } else {
      HWARO_UNROLL
      for (int i = 0; i < MR; ++i, c += ldc) {
        HWARO_UNROLL
        for (int j = 0; j < NV - 1; ++j) simd::store(c + j * L, sum[i][j]);
        simd::store_masked(c + (NV - 1) * L, sum[i][NV - 1], mask);
      }
    }
  }
};

// Strips of at most `limit` rows, as equal as can be: the first rows of strip number `index`.
struct Strips {
  std::int64_t count, size, extra;
  HWARO_INLINE Strips(std::int64_t total, std::int64_t limit)
      : count((total + limit - 1) / limit),
        size(count == 0 ? 0 : total / count),
        extra(count == 0 ? 0 : total % count) {}
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
