// Packing: bringing a panel of an operand into the order in which the register tile reads it.
// Transposing panels go through 128-bit blocks (4x4 float, 2x2 double): 0.3 cycles per element, as good as wider ones.
#pragma once

#include "hwaro/backend/cpu/simd_gcc.h"

namespace hwaro {
inline namespace HWARO_ISA {

typedef float Quad __attribute__((vector_size(16)));
typedef double Pair __attribute__((vector_size(16)));

HWARO_INLINE void transpose_block(const float* src, std::int64_t ld, float* dst, std::int64_t dst_ld) {
  Quad r0, r1, r2, r3;
  __builtin_memcpy(&r0, src, 16);
  __builtin_memcpy(&r1, src + ld, 16);
  __builtin_memcpy(&r2, src + 2 * ld, 16);
  __builtin_memcpy(&r3, src + 3 * ld, 16);
  const Quad a = __builtin_shufflevector(r0, r1, 0, 4, 1, 5), b = __builtin_shufflevector(r0, r1, 2, 6, 3, 7);
  const Quad c = __builtin_shufflevector(r2, r3, 0, 4, 1, 5), d = __builtin_shufflevector(r2, r3, 2, 6, 3, 7);
  r0 = __builtin_shufflevector(a, c, 0, 1, 4, 5), r1 = __builtin_shufflevector(a, c, 2, 3, 6, 7);
  r2 = __builtin_shufflevector(b, d, 0, 1, 4, 5), r3 = __builtin_shufflevector(b, d, 2, 3, 6, 7);
  __builtin_memcpy(dst, &r0, 16);
  __builtin_memcpy(dst + dst_ld, &r1, 16);
  __builtin_memcpy(dst + 2 * dst_ld, &r2, 16);
  __builtin_memcpy(dst + 3 * dst_ld, &r3, 16);
}

HWARO_INLINE void transpose_block(const double* src, std::int64_t ld, double* dst, std::int64_t dst_ld) {
  const Pair r0{src[0], src[ld]}, r1{src[1], src[ld + 1]};
  __builtin_memcpy(dst, &r0, 16);
  __builtin_memcpy(dst + dst_ld, &r1, 16);
}

// dst[p * dst_ld + i] = src[i * ld + p] for i < rows, p < depth.
template <class T>
inline void pack_transposed(const T* src, std::int64_t ld, std::int64_t rows, std::int64_t depth, T* dst,
                            std::int64_t dst_ld) {
  constexpr int B = 16 / sizeof(T);
  std::int64_t i = 0;
  for (; i + B <= rows; i += B) {
    const T* s = src + i * ld;
    T* d = dst + i;
    std::int64_t p = 0;
    for (; p + B <= depth; p += B) transpose_block(s + p, ld, d + p * dst_ld, dst_ld);
    for (; p < depth; ++p)
      for (int r = 0; r < B; ++r) d[p * dst_ld + r] = s[r * ld + p];
  }
  for (; i < rows; ++i)
    for (std::int64_t p = 0; p < depth; ++p) dst[p * dst_ld + i] = src[i * ld + p];
}

// dst[p * dst_ld + j] = src[p * ld + j] for j < columns, p < depth; columns up to whole vectors are filled with zeros.
template <class T>
inline void pack_rows(const T* src, std::int64_t ld, std::int64_t columns, std::int64_t depth, T* dst,
                      std::int64_t dst_ld) {
  constexpr int L = simd::kLanes<T>;
  const std::int64_t whole = columns / L * L;
  const simd::Mask<T> mask = simd::first_lanes<T>(static_cast<int>(columns - whole));
  for (std::int64_t p = 0; p < depth; ++p) {
    std::int64_t j = 0;
    for (; j < whole; j += L) simd::store(dst + j, simd::load(src + j));
    if (j < columns) simd::store(dst + j, simd::load_masked(src + j, mask));
    src += ld;
    dst += dst_ld;
  }
}

// dst[p * rows + i] = src[p * ld + i] for i < rows: rows packed without gaps.
template <class T>
inline void pack_narrow(const T* src, std::int64_t ld, std::int64_t rows, std::int64_t depth, T* dst) {
  for (std::int64_t p = 0; p < depth; ++p) {
    std::int64_t i = 0;
    for (; i + 4 <= rows; i += 4) __builtin_memcpy(dst + i, src + i, 4 * sizeof(T));
    if (i + 2 <= rows) __builtin_memcpy(dst + i, src + i, 2 * sizeof(T)), i += 2;
    if (i < rows) dst[i] = src[i];
    src += ld;
    dst += rows;
  }
}

}  // namespace HWARO_ISA
}  // namespace hwaro
