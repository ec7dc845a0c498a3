// Shared by operators that cut a tensor into several results.
#pragma once

#include <vector>

#include "hwaro/ops/kinds/record.h"

namespace hwaro::engine {

// The gradients of all results of a node, zeros where none came; empty if none came at all.
std::vector<Tensor> all_gradients(Backward& b, const std::vector<Dims>& sizes);

}  // namespace hwaro::engine
