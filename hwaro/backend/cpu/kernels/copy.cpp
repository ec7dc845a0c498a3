// Strided copies with conversion, one loop per pair of element types, and a blocked transpose. Compiled once per
// instruction set.
//
// A float that does not fit an integer type converts as PyTorch's vectorised casts do: see math/convert.h. The contiguous
// loops are plain and left to the compiler's vectoriser (this file is built with -O3). The transpose works on 8 x 8 or
// 16 x 16 blocks so that both sides are walked a cache line at a time: a strided walk of a 1024 x 1024 float matrix took
// three times as long.
#include "hwaro/loops/copy_kernels.h"

#include "hwaro/base/isa.h"
#include "hwaro/math/convert.h"

namespace hwaro {
inline namespace HWARO_ISA {
namespace {

template <class From, class To>
void cast(void* to, std::int64_t to_stride, const void* from, std::int64_t from_stride, std::int64_t n) {
  To* __restrict dst = static_cast<To*>(to);
  const From* __restrict src = static_cast<const From*>(from);
  if (to_stride == 1 && from_stride == 1) {
    if constexpr (std::is_same_v<From, To>) __builtin_memcpy(dst, src, std::size_t(n) * sizeof(To));
    else
      for (std::int64_t i = 0; i < n; ++i) dst[i] = cast_scalar<To>(src[i]);
  } else if (to_stride == 1 && from_stride == 0) {
    const To value = cast_scalar<To>(*src);
    for (std::int64_t i = 0; i < n; ++i) dst[i] = value;
  } else {
    for (std::int64_t i = 0; i < n; ++i) dst[i * to_stride] = cast_scalar<To>(src[i * from_stride]);
  }
}

template <class T, int B>
void transpose_blocks(T* __restrict dst, std::int64_t dst_stride, const T* __restrict src, std::int64_t src_stride,
                      std::int64_t rows, std::int64_t cols) {
  for (std::int64_t r0 = 0; r0 < rows; r0 += B) {
    for (std::int64_t c0 = 0; c0 < cols; c0 += B) {
      if (r0 + B <= rows && c0 + B <= cols) {
        T block[B][B];
        for (int r = 0; r < B; ++r) __builtin_memcpy(block[r], src + (r0 + r) * src_stride + c0, sizeof block[r]);
        for (int c = 0; c < B; ++c) {
          T line[B];
          for (int r = 0; r < B; ++r) line[r] = block[r][c];
          __builtin_memcpy(dst + (c0 + c) * dst_stride + r0, line, sizeof line);
        }
      } else {
        const std::int64_t r1 = r0 + B < rows ? r0 + B : rows, c1 = c0 + B < cols ? c0 + B : cols;
        for (std::int64_t c = c0; c < c1; ++c)
          for (std::int64_t r = r0; r < r1; ++r) dst[c * dst_stride + r] = src[r * src_stride + c];
      }
    }
  }
}

void transpose(void* dst, std::int64_t dst_stride, const void* src, std::int64_t src_stride, std::int64_t rows,
               std::int64_t cols, int size_log) {
  switch (size_log) {
    case 0:
      return transpose_blocks<std::uint8_t, 16>(static_cast<std::uint8_t*>(dst), dst_stride,
                                                static_cast<const std::uint8_t*>(src), src_stride, rows, cols);
    case 1:
      return transpose_blocks<std::uint16_t, 16>(static_cast<std::uint16_t*>(dst), dst_stride,
                                                 static_cast<const std::uint16_t*>(src), src_stride, rows, cols);
    case 2:
      return transpose_blocks<std::uint32_t, 16>(static_cast<std::uint32_t*>(dst), dst_stride,
                                                 static_cast<const std::uint32_t*>(src), src_stride, rows, cols);
    case 3:
      return transpose_blocks<std::uint64_t, 8>(static_cast<std::uint64_t*>(dst), dst_stride,
                                                static_cast<const std::uint64_t*>(src), src_stride, rows, cols);
    default:
      return transpose_blocks<Complex<double>, 8>(static_cast<Complex<double>*>(dst), dst_stride,
                                                  static_cast<const Complex<double>*>(src), src_stride, rows, cols);
  }
}

#define HWARO_TO_EACH(F)                                                                             \
  {&cast<F, bool>,         &cast<F, std::uint8_t>, &cast<F, std::int8_t>,    &cast<F, std::int16_t>, \
   &cast<F, std::int32_t>, &cast<F, std::int64_t>, &cast<F, Half>,           &cast<F, BFloat16>,     \
   &cast<F, float>,        &cast<F, double>,       &cast<F, Complex<float>>, &cast<F, Complex<double>>}

}  // namespace

extern constinit const CopyKernels copy_table = {
    {HWARO_TO_EACH(bool), HWARO_TO_EACH(std::uint8_t), HWARO_TO_EACH(std::int8_t), HWARO_TO_EACH(std::int16_t),
     HWARO_TO_EACH(std::int32_t), HWARO_TO_EACH(std::int64_t), HWARO_TO_EACH(Half), HWARO_TO_EACH(BFloat16),
     HWARO_TO_EACH(float), HWARO_TO_EACH(double), HWARO_TO_EACH(Complex<float>), HWARO_TO_EACH(Complex<double>)},
    &transpose,
};

}  // namespace HWARO_ISA
}  // namespace hwaro
