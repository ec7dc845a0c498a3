// The operations that the autograd engine asks for (autograd/primitives.h), in terms of operators.
#include "hwaro/autograd/primitives.h"

#include "hwaro/autograd/grad_mode.h"
#include "hwaro/ops/shape/geometry.h"
#include "hwaro/ops/vocabulary.h"

#include "hwaro/ops/complex_view.h"
#include "hwaro/ops/copy.h"

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
  a->set_version(version);
}

Tensor ones_like(const Tensor& t) { return make_full(t.sizes(), 1, t.dtype(), t.device()); }
Tensor clone(const Tensor& t) { return engine::clone(t); }
Tensor zeros(IntSpan sizes, DType dtype, Device device) { return make_zeros(sizes, dtype, device); }

Tensor copy_into_geometry(const Tensor& t, IntSpan sizes, IntSpan strides) { return to_geometry(t, sizes, strides); }

void copy_(const Tensor& to, const Tensor& from) { copy_raw(to, from); }

void write(const Tensor& to, const Tensor& from) { engine::copy_(to, from, false); }

Tensor as_strided(const Tensor& t, IntSpan sizes, IntSpan strides, std::int64_t offset) {
  return engine::as_strided(t, sizes, strides, offset);
}
Tensor view_as_real(const Tensor& t) { return engine::view_as_real(t); }
Tensor view_as_complex(const Tensor& t) { return engine::view_as_complex(t); }
Tensor conj(const Tensor& t) { return engine::conj(t); }

Tensor to_dtype(const Tensor& t, DType dtype) { return engine::to_dtype(t, dtype); }
Tensor sum_to_size(const Tensor& t, IntSpan sizes) { return engine::sum_to_size(t, sizes); }

}  // namespace primitives
}  // namespace hwaro::engine
