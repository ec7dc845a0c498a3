// The operations that the autograd engine asks for (autograd/primitives.h), in terms of operators.
#include "hwaro/autograd/primitives.h"

#include "hwaro/autograd/grad_mode.h"
#include "hwaro/ops/shape/geometry.h"
#include "hwaro/ops/vocabulary.h"

namespace hwaro::engine {

void Add_inplace(const Operand* operands, const Scalar* scalars);

namespace primitives {

Tensor add(const Tensor& a, const Tensor& b) { return engine::add(a, b); }

void add_(const Tensor& a, const Tensor& b) {
  NoGradGuard guard;
  const std::uint32_t version = a.version();
  const Operand operands[] = {a, b};
  const Scalar one[] = {1};
  Add_inplace(operands, one);
  if (!a->is(kOwnVersion)) a->storage->set_version(version);
}

Tensor ones_like(const Tensor& t) { return make_full(t.sizes(), 1, t.dtype(), t.device()); }
Tensor clone(const Tensor& t) { return engine::clone(t); }
Tensor zeros(IntSpan sizes, DType dtype, Device device) { return make_zeros(sizes, dtype, device); }

Tensor copy_into_geometry(const Tensor& t, IntSpan sizes, IntSpan strides) {
  return to_geometry(t, sizes, is_dense_non_overlapping(sizes, strides) ? Dims(strides) : contiguous_strides(sizes));
}

void copy_(const Tensor& to, const Tensor& from) { copy_raw(to, from); }

Tensor as_strided_view(const Tensor& t, IntSpan sizes, IntSpan strides, std::int64_t offset) {
  return alias(t, sizes, strides, offset);
}

Tensor sub(const Tensor& a, const Tensor& b) { return engine::sub(a, b); }

Tensor as_strided(const Tensor& t, IntSpan sizes, IntSpan strides, std::int64_t offset) {
  return engine::as_strided(t, sizes, strides, offset);
}

Tensor as_strided_backward(const Tensor& grad, IntSpan base_sizes, IntSpan base_strides, std::int64_t base_offset,
                           IntSpan sizes, IntSpan strides, std::int64_t offset) {
  return engine::as_strided_backward(grad, base_sizes, base_strides, base_offset, sizes, strides, offset);
}

Tensor to_dtype(const Tensor& t, DType dtype) { return engine::to_dtype(t, dtype); }
Tensor sum_to_size(const Tensor& t, IntSpan sizes) { return engine::sum_to_size(t, sizes); }

}  // namespace primitives
}  // namespace hwaro::engine
