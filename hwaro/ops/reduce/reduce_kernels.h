// Inner loops of reductions: one table per instruction set.
#pragma once

#include <cstdint>

#include "hwaro/core/dtype.h"

namespace hwaro {

enum class ReduceOp : std::uint8_t { Sum, NanSum, Prod, Max, Min, SumAbs, SumSquares, MaxAbs, MinAbs };
inline constexpr int kReduceOps = 9;

// What partial results of `op` are combined with.
constexpr ReduceOp combining(ReduceOp op) {
  switch (op) {
    case ReduceOp::NanSum:
    case ReduceOp::SumAbs:
    case ReduceOp::SumSquares: return ReduceOp::Sum;
    case ReduceOp::MaxAbs: return ReduceOp::Max;
    case ReduceOp::MinAbs: return ReduceOp::Min;
    default: return op;
  }
}
// The type of partial and final results: float for the halves, int64 for sums and products of integers and bool.
constexpr DType accumulation_type(ReduceOp op, DType t) {
  const bool adds = combining(op) == ReduceOp::Sum || op == ReduceOp::Prod;
  return adds && is_integral(t, true) ? DType::Int64 : compute_type(t);
}

// Rows:    out[r] = in[r * stride + 0] ∘ … ∘ in[r * stride + n - 1]            for r in [0, rows)
// Columns: out[j] = in[0 * stride + j] ∘ … ∘ in[(rows - 1) * stride + j]       for j in [0, n)
// `out` has the accumulation type; n and rows are at least 1.
using ReduceLoop = void (*)(void* out, const void* in, std::int64_t rows, std::int64_t stride, std::int64_t n);

// Rows and columns as above, giving the extreme value (of the element's own type) and the first index of it; NaN counts
// as the extreme.
using ArgLoop = void (*)(void* values, std::int64_t* indices, const void* in, std::int64_t rows, std::int64_t stride,
                         std::int64_t n);

// Rows and columns, giving the mean and the sum of squared distances from it.
using MomentLoop = void (*)(double* mean, double* m2, const void* in, std::int64_t rows, std::int64_t stride,
                            std::int64_t n);

// A null entry has no loop of its own: the caller converts to accumulation_type first (ArgLoop: to int32, int64,
// float).
struct ReduceKernels {
  ReduceLoop rows[kReduceOps][kDTypes];
  ReduceLoop columns[kReduceOps][kDTypes];
};
struct ArgKernels {
  ArgLoop rows[2][kDTypes];  // [0] maximum, [1] minimum
  ArgLoop columns[2][kDTypes];
  MomentLoop moment_rows[kDTypes];
  MomentLoop moment_columns[kDTypes];
};

const ReduceKernels& reduce_kernels();
const ArgKernels& arg_kernels();
void set_reduce_kernels(const ReduceKernels* table);  // called once at load by the backend
void set_arg_kernels(const ArgKernels* table);

}  // namespace hwaro
