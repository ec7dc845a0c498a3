// Inner loops of softmax and log_softmax: one table per instruction set.
#pragma once

#include <cstdint>

#include "hwaro/core/dtype.h"

namespace hwaro {

// Rows: `rows` runs of n elements. Columns: element i of column j is at i * stride + j, for n elements of `columns`
// columns.
using SoftmaxRows = void (*)(void* out, const void* in, std::int64_t rows, std::int64_t n);
using SoftmaxColumns = void (*)(void* out, const void* in, std::int64_t columns, std::int64_t stride, std::int64_t n);
// The gradient from that of the output and the output itself.
using SoftmaxBackwardRows = void (*)(void* out, const void* g, const void* y, std::int64_t rows, std::int64_t n);
using SoftmaxBackwardColumns = void (*)(void* out, const void* g, const void* y, std::int64_t columns,
                                        std::int64_t stride, std::int64_t n);

struct SoftmaxLoops {
  SoftmaxRows rows;
  SoftmaxColumns columns;
  SoftmaxBackwardRows backward_rows;
  SoftmaxBackwardColumns backward_columns;
};
struct SoftmaxKernels {
  SoftmaxLoops loops[2][4];  // [log][Half, BFloat16, Float, Double]

  const SoftmaxLoops& of(bool log, DType t) const { return loops[log][int(t) - int(DType::Half)]; }
};

const SoftmaxKernels& softmax_kernels();
void set_softmax_kernels(const SoftmaxKernels* table);  // called once at load by the backend

}  // namespace hwaro
