// The few tensor operations that the autograd engine itself needs. Declared here and defined by the ops layer (in
// ops/autograd_primitives.cpp), so that this layer does not depend on that one.
#pragma once

#include "hwaro/core/tensor.h"

namespace hwaro::engine::primitives {

Tensor add(const Tensor& a, const Tensor& b);  // recorded where grad mode is on
void add_(const Tensor& a, const Tensor& b);   // not recorded, no version bump: a is the engine's own
Tensor ones_like(const Tensor& t);
Tensor clone(const Tensor& t);  // a copy with dense memory of its own, order of dims preserved
Tensor zeros(IntSpan sizes, DType dtype, Device device);
Tensor copy_into_geometry(const Tensor& t, IntSpan sizes, IntSpan strides);  // fresh dense tensor with t's values
void copy_(const Tensor& to, const Tensor& from);                            // not recorded, no version bump
void write(const Tensor& to, const Tensor& from);                            // recorded
Tensor as_strided(const Tensor& t, IntSpan sizes, IntSpan strides, std::int64_t offset);  // views: recorded
Tensor view_as_real(const Tensor& t);
Tensor view_as_complex(const Tensor& t);
Tensor conj(const Tensor& t);
Tensor to_dtype(const Tensor& t, DType dtype);       // recorded
Tensor sum_to_size(const Tensor& t, IntSpan sizes);  // recorded; t itself where the sizes agree

}  // namespace hwaro::engine::primitives
