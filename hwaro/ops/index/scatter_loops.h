// What gather, scatter and scatter_reduce share: checks, and the loop over an index.
#pragma once

#include "hwaro/ops/vocabulary.h"

namespace hwaro::engine {

enum class Reduce { Assign, Sum, Prod, Mean, Amax, Amin };

// 0-dimensional tensors count as vectors of one element.
Tensor at_least_vector(const Tensor& t);
inline std::int64_t vector_dim(const Tensor& t) { return t.dim() ? t.dim() : 1; }
// out (dense, of the index's shape) <- the elements of self that the index points to along dim. Not recorded.
void gather_raw(const Tensor& out, const Tensor& self, std::int64_t dim, const Tensor& index);
// target[index] = reduce(target[index], src) for every element; src has one element, or is of the index's shape.
// Mean adds.
void scatter_raw(const Tensor& target, std::int64_t dim, const Tensor& index, const Tensor& src, Reduce reduce);

// Errors: RuntimeError unless int32 or int64.
void check_index_type(const char* name, const Tensor& index);
// Checks a scatter call in PyTorch's words and returns the wrapped dim; src may be null.
std::int64_t check_scatter(const Tensor& self, std::int64_t dim, const Tensor& index, const Tensor* src);
// The index as the loops want it: dense, int64, at least a vector, within bounds. Errors: RuntimeError.
Tensor index_for(const Tensor& self, const Tensor& index, std::int64_t dim);
// src cut to the index's shape, dense, apart from self's memory.
Tensor source_for(const Tensor& src, const Tensor& self, const Tensor& index);

}  // namespace hwaro::engine
