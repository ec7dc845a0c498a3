// Parts of a tensor for the engine's own use, beside the operators in vocabulary.h.
#pragma once

#include "hwaro/ops/vocabulary.h"

namespace hwaro::engine {

// select() with dim and index already wrapped and checked.
Tensor select_view(const Tensor& self, std::int64_t dim, std::int64_t index);
// The gradient of select and slice: g in zeros of the given sizes. Recorded.
Tensor select_backward(const Tensor& g, IntSpan sizes, std::int64_t dim, std::int64_t index);
Tensor slice_backward(const Tensor& g, IntSpan sizes, std::int64_t dim, std::int64_t start, std::int64_t end,
                      std::int64_t step);
// A copy of self and of all else that its storage holds, with the same strides and offset: for operators that replace a
// part of self. Not recorded. An ordinary copy where elements of self overlap.
Tensor clone_in_place(const Tensor& self);

}  // namespace hwaro::engine
