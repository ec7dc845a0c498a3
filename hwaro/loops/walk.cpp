#include "hwaro/loops/walk.h"

#include <cstring>

namespace hwaro {

void Plan::simplify() {
  const int ndim = int(shape.size());
  Dims order;
  for (int d = 0; d < ndim; ++d)
    if (shape[d] != 1) order.push_back(d);
  const Dims& first = sides[0].strides;
  for (std::size_t i = 1; i < order.size(); ++i)
    for (std::size_t j = i; j > 0 && first[order[j - 1]] < first[order[j]]; --j) std::swap(order[j - 1], order[j]);
  Dims new_shape;
  Dims new_strides[1 + kMaxInputs];
  for (std::int64_t d : order) {
    bool merge = !new_shape.empty();
    for (int s = 0; s < count && merge; ++s) merge = new_strides[s].back() == sides[s].strides[d] * shape[d];
    if (merge) {
      new_shape.back() *= shape[d];
      for (int s = 0; s < count; ++s) new_strides[s].back() = sides[s].strides[d];
    } else {
      new_shape.push_back(shape[d]);
      for (int s = 0; s < count; ++s) new_strides[s].push_back(sides[s].strides[d]);
    }
  }
  if (new_shape.empty()) {
    new_shape.push_back(1);
    for (int s = 0; s < count; ++s) new_strides[s].push_back(1);
  }
  shape = std::move(new_shape);
  for (int s = 0; s < count; ++s) {
    sides[s].strides = std::move(new_strides[s]);
    bool constant = s > 0 && numel > 1;
    for (std::int64_t stride : sides[s].strides) constant = constant && stride == 0;
    sides[s].constant = constant;
  }
}

Dims strides_over(IntSpan shape, const TensorImpl& t) {
  Dims out(shape.size());
  const std::size_t skip = shape.size() - t.sizes.size();
  for (std::size_t d = skip; d < shape.size(); ++d) out[d] = t.sizes[d - skip] == 1 ? 0 : t.strides[d - skip];
  return out;
}

void conjugate(void* data, DType type, std::int64_t n) {
  visit_if<kComplexSet>(type, [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* p = static_cast<T*>(data);
    for (std::int64_t i = 0; i < n; ++i) p[i].im = -p[i].im;
  });
}

void store_number(void* to, DType type, const Scalar& value) {
  if (type == DType::Float) {
    const float v = float(value.re());
    std::memcpy(to, &v, sizeof v);
    return;
  }
  visit_if<kAllSet>(type, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T v = value.template to<T>();
    std::memcpy(to, &v, sizeof v);
  });
}

}  // namespace hwaro
