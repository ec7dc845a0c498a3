// Running sums and products, for engine code of other families.
#pragma once

#include "hwaro/ops/vocabulary.h"

namespace hwaro::engine {

// cumsum and cumprod along dim, from the front or from the back, in self's own type. Recorded.
Tensor running_sum(const Tensor& self, std::int64_t dim, bool reverse = false);
Tensor running_product(const Tensor& self, std::int64_t dim, bool reverse = false);

}  // namespace hwaro::engine
