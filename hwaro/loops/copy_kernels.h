// Strided one-dimensional copies with conversion between any two element types: what every operator's tiles are filled
// and emptied with. One table per instruction set.
#pragma once

#include <cstdint>

#include "hwaro/core/dtype.h"

namespace hwaro {

// dst[i * dst_stride] = convert(src[i * src_stride]) for i in [0, n); strides in elements.
using CopyKernel = void (*)(void* dst, std::int64_t dst_stride, const void* src, std::int64_t src_stride,
                            std::int64_t n);

struct CopyKernels {
  CopyKernel cast[kDTypes][kDTypes];  // [from][to]
  // Transposes a rows x cols block of elements of 2^size_log bytes: dst[c * dst_stride + r] = src[r * src_stride + c].
  void (*transpose)(void* dst, std::int64_t dst_stride, const void* src, std::int64_t src_stride, std::int64_t rows,
                    std::int64_t cols, int size_log);
};

// The table for the instruction set chosen at load.
const CopyKernels& copy_kernels();
void set_copy_kernels(const CopyKernels* table);  // called once at load by the backend

}  // namespace hwaro
