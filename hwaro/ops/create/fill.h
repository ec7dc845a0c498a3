// Filling with one value: what creation, fill_, masked_fill and index_fill have in common.
#pragma once

#include "hwaro/ops/vocabulary.h"

namespace hwaro::engine {

// Errors: RuntimeError "value cannot be converted to type uint8_t without overflow" where a number does not fit. A tensor
// of one element is filled with a number too large for a half type: it becomes infinite.
void check_fits(const Scalar& value, DType dtype, std::int64_t numel = 2);
// A fresh row-major tensor of zeros; for small sizes without the detour through a plan.
Tensor fresh_zeros(IntSpan size, DType dtype, Device device = {});
// A fresh row-major tensor of one value. Errors: as check_fits.
Tensor fresh_full(IntSpan size, const Scalar& value, DType dtype, Device device = {});

}  // namespace hwaro::engine
