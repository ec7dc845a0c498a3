// Gradients of operators that choose one element of each plane's window: pooling by maximum.
#pragma once

#include "hwaro/ops/vocabulary.h"

namespace hwaro::engine {

// Records out = input[index] under the name of a node; index (int32) holds positions within planes of the last `dims`
// dimensions. `more`: a further output without gradient, or undefined.
void record_pick(const char* node, const Tensor& input, const Tensor& out, const Tensor& index, int dims,
                 const Tensor& more);

}  // namespace hwaro::engine
