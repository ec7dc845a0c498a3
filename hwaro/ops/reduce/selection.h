// Results that are picked out of a tensor by an index along one dimension (max, sort, topk, median, …), and their
// gradients.
#pragma once

#include "hwaro/ops/kinds/record.h"

namespace hwaro::engine {

// out[…, i, …] = x[…, index[…, i, …], …] along dim. Recorded.
Tensor pick(const Tensor& x, std::int64_t dim, const Tensor& index);
// The transpose of pick: zeros of `sizes`, with each element of g added at its index along dim. Recorded.
Tensor put_back(const Tensor& g, std::int64_t dim, const Tensor& index, IntSpan sizes);
// Records (values, indices) = name(self), where values are picked along dim; without keepdim dim is missing from both.
void record_selection(const char* name, const Tensor& self, const Tensor& values, const Tensor& indices,
                      std::int64_t dim, bool keepdim);

}  // namespace hwaro::engine
