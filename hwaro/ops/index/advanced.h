// Indexing with tensors. A plan says which dimensions are indexed and what the result looks like; positions are offsets
// in elements, one per place in the broadcast index tensors.
#pragma once

#include <vector>

#include "hwaro/ops/vocabulary.h"

namespace hwaro::engine {

struct IndexPlan {
  Dims sizes;         // of the indexed tensor
  Dims outer, inner;  // its dimensions that are not indexed: those before and after the place of the index tensors
  Dims indexed;       // its dimensions that are
  Dims shape;         // of the result: outer, the index tensors' common shape, inner
  std::int64_t outer_count = 1, index_count = 1, inner_count = 1;
  std::vector<Tensor> indices;  // int64, dense, of the common shape; one per entry of `indexed`
};

// Expands masks, broadcasts, and finds the result's shape. An undefined entry is a dimension that is not indexed;
// entries may be fewer than dimensions. Errors: IndexError.
IndexPlan plan_index(const Tensor& self, Span<Tensor> indices);
// For each place of the index tensors the offset that they stand for, with the given strides; a tensor (index_count).
// Errors: IndexError where an index is out of bounds.
Tensor index_positions(const IndexPlan& plan, IntSpan strides);
// The rest of a plan, as a gradient needs it: without the index tensors.
struct IndexGeometry {
  Dims sizes, outer, inner, shape;
  std::int64_t outer_count, index_count, inner_count;
  explicit IndexGeometry(const IndexPlan& p)
      : sizes(p.sizes),
        outer(p.outer),
        inner(p.inner),
        shape(p.shape),
        outer_count(p.outer_count),
        index_count(p.index_count),
        inner_count(p.inner_count) {}
};

// out (dense, of geo.shape) <- what stands in self at the positions. Not recorded.
void gather_positions(const Tensor& out, const Tensor& self, const IndexGeometry& geo, const Tensor& positions);
// The other way: self <- values (broadcastable to geo.shape), or self += values. Later places win. Not recorded.
void scatter_positions(const Tensor& self, const Tensor& values, const IndexGeometry& geo, const Tensor& positions,
                       bool accumulate);

// The operators behind subscripts with tensors. Recorded.
Tensor index_tensor(const Tensor& self, Span<Tensor> indices);
Tensor index_put_tensor(const Tensor& self, Span<Tensor> indices, const Tensor& values, bool accumulate, bool inplace);

}  // namespace hwaro::engine
