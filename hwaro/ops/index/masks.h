// Masks: where they are set, and picking out what stands there.
#pragma once

#include "hwaro/ops/vocabulary.h"

namespace hwaro::engine {

// t != 0 as a dense bool tensor of its own or t itself.
Tensor dense_mask(const Tensor& t);
std::int64_t count_set(const Tensor& mask);
// Row-major positions of what is set in a dense mask, as a tensor (n).
Tensor set_positions(const Tensor& mask);
// Coordinates of what is set: a tensor (n, mask.dim()).
Tensor set_coordinates(const Tensor& mask);
// The elements of a dense tensor that stand where a dense mask of the same shape is set, as a tensor (n). Not recorded.
Tensor compress(const Tensor& self, const Tensor& mask);
// Writes the one element of value (of self's type) to the set places of a dense tensor. Not recorded.
void fill_masked(const Tensor& self, const Tensor& mask, const Tensor& value);
// The other way: writes values (dense) to the set places of a dense tensor. Not recorded.
void uncompress(const Tensor& self, const Tensor& mask, const Tensor& values);

// The value of a tensor of one element; of integers as they are, for 2^63 - 1 is no double.
Scalar number_of(const Tensor& t);

}  // namespace hwaro::engine
