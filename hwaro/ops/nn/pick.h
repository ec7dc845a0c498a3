// Gradients of operators that choose one element of each plane's window: pooling by maximum.
#pragma once

#include "hwaro/ops/vocabulary.h"

namespace hwaro::engine {

// Records out = input[index] under the name of a node; index (int32) holds positions within planes of the last `dims`
// dimensions. `more`: a further output without gradient, or undefined.
void record_pick(const char* node, const Tensor& input, const Tensor& out, const Tensor& index, int dims,
                 const Tensor& more);

// The gradient of such an operator's input, of the given sizes: g added at index. Recorded as the node's own backward.
Tensor picked_backward(const char* node, const Tensor& g, const Tensor& index, IntSpan sizes, int dims,
                       bool channels_last);

}  // namespace hwaro::engine
