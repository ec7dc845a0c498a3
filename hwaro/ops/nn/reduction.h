// The reduction argument of losses: 'none', 'mean' or 'sum'.
#pragma once

#include <string_view>

#include "hwaro/ops/vocabulary.h"

namespace hwaro::engine {

enum class Reduction { None, Mean, Sum };

// Errors: ValueError for any other text.
Reduction reduction_of(std::string_view text);
// The loss of each element, reduced.
Tensor reduce_loss(const Tensor& loss, Reduction r);

}  // namespace hwaro::engine
