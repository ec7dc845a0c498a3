// Making tensors, and the helpers of vocabulary.h that are not operators.
#include "hwaro/autograd/grad_mode.h"
#include "hwaro/autograd/node.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/vocabulary.h"

namespace hwaro::engine {

std::size_t span_bytes(IntSpan sizes, IntSpan strides, std::int64_t offset, DType dtype) {
  std::int64_t last = offset, step = 0, bytes = 0;
  bool overflow = false, empty = false;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    empty = empty || sizes[i] == 0;
    overflow = overflow || __builtin_mul_overflow(sizes[i] - 1, strides[i], &step) ||
               __builtin_add_overflow(last, step, &last);
  }
  if (empty) return 0;
  overflow = overflow || __builtin_add_overflow(last, 1, &last) ||
             __builtin_mul_overflow(last, std::int64_t(size_of(dtype)), &bytes);
  HWARO_CHECK(!overflow, "Storage size calculation overflowed with sizes=", sizes_str(sizes),
              " and strides=", sizes_str(strides));
  return std::size_t(bytes);
}

Tensor make_tensor(IntSpan sizes, DType dtype, Device device) {
  TensorImpl* t = TensorImpl::create();
  Tensor out(IntrusivePtr<TensorImpl>::adopt(t));
  t->dtype = dtype;
  t->device = device;
  t->sizes.assign(sizes);
  t->strides.resize(sizes.size());
  std::int64_t n = 1;
  bool overflow = false;
  std::int64_t stride = 1;
  for (std::size_t i = sizes.size(); i-- > 0;) {
    HWARO_CHECK(sizes[i] >= 0, "Trying to create tensor with negative dimension ", sizes[i], ": ", sizes_str(sizes));
    t->strides[i] = stride;
    overflow = overflow | __builtin_mul_overflow(n, sizes[i], &n);
    overflow = __builtin_mul_overflow(stride, sizes[i] > 1 ? sizes[i] : 1, &stride) || overflow;
  }
  std::int64_t bytes = 0;
  overflow = overflow || __builtin_mul_overflow(n, std::int64_t(size_of(dtype)), &bytes);
  HWARO_CHECK(!overflow, "Storage size calculation overflowed with sizes=", sizes_str(sizes));
  t->numel = n;
  t->flags = kContiguous | (inference_enabled() ? kInference : 0u);
  t->storage = Storage::create(std::size_t(bytes), device);
  return out;
}

Tensor make_strided(IntSpan sizes, IntSpan strides, DType dtype, Device device) {
  TensorImpl* t = TensorImpl::create();
  Tensor out(IntrusivePtr<TensorImpl>::adopt(t));
  for (std::int64_t s : sizes)
    HWARO_CHECK(s >= 0, "Trying to create tensor with negative dimension ", s, ": ", sizes_str(sizes));
  t->dtype = dtype;
  t->device = device;
  t->sizes.assign(sizes);
  t->strides.assign(strides);
  t->refresh_geometry();
  t->set(kInference, inference_enabled());
  t->storage = Storage::create(span_bytes(sizes, strides, 0, dtype), device);
  return out;
}

Tensor make_like(const Tensor& t, OptDType dtype) {
  const DType type = dtype.value_or(t.dtype());
  if (t.is_contiguous()) return make_tensor(t.sizes(), type, t.device());
  return make_strided(t.sizes(), preserved_strides(t.sizes(), t.strides()), type, t.device());
}

Tensor make_full(IntSpan sizes, const Scalar& value, DType dtype, Device device) {
  Tensor out = make_tensor(sizes, dtype, device);
  if (!device.is_meta()) fill_elements(*out.impl(), value);
  return out;
}
Tensor make_zeros(IntSpan sizes, DType dtype, Device device) { return make_full(sizes, 0, dtype, device); }

Tensor wrap_number(const Scalar& value) {
  if (value.is_none()) return {};
  const DType type = value.is_floating() ? DType::Double : value.is_complex() ? DType::ComplexDouble : value.dtype();
  Tensor out = make_full({}, value, type);
  out->flags |= kWrappedNumber;
  return out;
}

Tensor alias(const Tensor& t, IntSpan sizes, IntSpan strides, std::int64_t offset) {
  TensorImpl* a = TensorImpl::create();
  Tensor out(IntrusivePtr<TensorImpl>::adopt(a));
  a->storage = t->storage;
  a->counter = t->counter;
  a->offset = offset;
  a->dtype = t->dtype;
  a->device = t->device;
  a->sizes.assign(sizes);
  a->strides.assign(strides);
  a->flags = t->flags & (kConj | kInference);
  a->refresh_geometry();
  return out;
}

Tensor dense(const Tensor& t) {
  if (t.is_contiguous() && !t.is_conj()) return t;
  const Tensor out = make_tensor(t.sizes(), t.dtype(), t.device());
  if (!t.device().is_meta()) copy_elements(*out.impl(), *t.impl());
  return out;
}

Tensor dense_as(const Tensor& t, DType dtype) {
  if (t.dtype() == dtype) return dense(t);
  const Tensor out = make_tensor(t.sizes(), dtype, t.device());
  if (!t.device().is_meta()) copy_elements(*out.impl(), *t.impl());
  return out;
}

void copy_raw(const Tensor& dst, const Tensor& src) { copy_elements(*dst.impl(), *src.impl()); }

}  // namespace hwaro::engine
