// What operators that work along dimensions share: which dimensions, the shape of the result, and the reduction itself.
#pragma once

#include "hwaro/ops/reduce/reduce_kernels.h"
#include "hwaro/ops/vocabulary.h"

namespace hwaro::engine {

// One bit per dimension.
using DimMask = std::uint64_t;

// The dimensions that a call reduces; none given means all. Errors: IndexError for a dim out of range, RuntimeError for
// one that appears twice.
DimMask dim_mask(const OptIntSpan& dims, int ndim, bool empty_means_all = true);
constexpr DimMask all_dims(int ndim) { return ndim >= 64 ? ~DimMask(0) : (DimMask(1) << ndim) - 1; }
Dims reduced_sizes(IntSpan sizes, DimMask mask, bool keepdim);
// Number of elements behind each result.
std::int64_t reduced_numel(IntSpan sizes, DimMask mask);

// The reduction of a real or complex tensor over the dimensions in mask, in accumulation_type(op, dtype). Where nothing
// is reduced the result is the identity of `op`. Not recorded.
Tensor reduce(ReduceOp op, const Tensor& self, DimMask mask, bool keepdim);

// A dense tensor seen along one dimension: (outer, size, inner).
struct AlongDim {
  std::int64_t outer = 1, size = 1, inner = 1;
  AlongDim(IntSpan sizes, std::int64_t dim);
};

// A dense tensor in which the dimensions of a mask lie next to each other: element (o, i, k) of (outer, size, inner),
// where `size` is what is reduced and the kept dimensions are in order. Copies where the tensor is not laid out like
// that.
struct ReducedBlock {
  Tensor dense;
  std::int64_t outer = 1, size = 1, inner = 1;
};
ReducedBlock reduced_block(const Tensor& self, DimMask mask);

// Rows of at most kShortRow elements are transposed, about kShortTile elements at a time, and reduced as columns.
inline constexpr std::int64_t kShortRow = 16, kShortTile = 4096;

// Errors: RuntimeError where a recorded result would be of an integer type.
void check_differentiable(const Tensor& self, DType result);

// Errors: IndexError "name(): Expected reduction dim 0 to have non-zero size." where nothing would be reduced over.
void check_not_empty(const char* name, const Tensor& self, std::int64_t dim);

// The result of a reduction without its size-1 dimensions put back in place: what a gradient is expanded from.
// Recorded.
Tensor restore_dims(const Tensor& t, int ndim, DimMask mask, bool keepdim);
// restore_dims, expanded to the size before the reduction. Recorded.
Tensor expand_reduced(const Tensor& t, IntSpan sizes, DimMask mask, bool keepdim);

}  // namespace hwaro::engine
