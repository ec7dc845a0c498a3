// What batch, layer and group normalisation share.
#pragma once

#include <initializer_list>

#include "hwaro/ops/nn/norm_kernels.h"
#include "hwaro/ops/vocabulary.h"

namespace hwaro::engine {

// Parameters have the input's type, or are float beside a 16-bit input. Errors: RuntimeError in PyTorch's words.
inline void check_parameter_types(const Tensor& input, std::initializer_list<const Tensor*> parameters) {
  const Tensor* first = nullptr;
  for (const Tensor* p : parameters)
    if (!first && p->defined()) first = p;
  if (!first || first->dtype() == input.dtype()) return;
  for (const Tensor* p : parameters)
    HWARO_CHECK(!p->defined() || p->dtype() == DType::Float,
                "mixed dtype (CPU): expect parameter to have scalar type of Float");
  HWARO_CHECK(is_reduced_float(input.dtype()), "mixed dtype (CPU): all inputs must share same datatype.");
}
inline bool has_wide_parameters(const Tensor& input, std::initializer_list<const Tensor*> parameters) {
  for (const Tensor* p : parameters)
    if (p->defined() && p->dtype() != input.dtype()) return true;
  return false;
}

template <class T>
const T* pointer(const Tensor& t) {
  return t.defined() ? t->read_as<T>() : nullptr;
}
template <class T>
T* writable(const Tensor& t) {
  return t.defined() ? t->write_as<T>() : nullptr;
}
inline Tensor as_type(const Tensor& t, DType type) { return t.defined() ? dense_as(t, type) : Tensor(); }

}  // namespace hwaro::engine
