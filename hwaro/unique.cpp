#include "hwaro/unique.h"

#include "hwaro/ops/unique.h"

namespace hwaro {

static UniqueResult result_of(std::tuple<engine::Tensor, engine::Tensor, engine::Tensor> t) {
  return {std::get<0>(t), std::get<1>(t), std::get<2>(t)};
}

Tensor unique(const Tensor& self) { return unique(self, UniqueOptions{}).values; }
UniqueResult unique(const Tensor& self, UniqueOptions o) {
  if (o.dim) return result_of(engine::_unique_dim(self, *o.dim, o.sorted, o.return_inverse, o.return_counts));
  return result_of(engine::_unique2(self, o.sorted, o.return_inverse, o.return_counts));
}
Tensor unique_consecutive(const Tensor& self) { return unique_consecutive(self, UniqueOptions{}).values; }
UniqueResult unique_consecutive(const Tensor& self, UniqueOptions o) {
  return result_of(engine::_unique_consecutive(self, o.return_inverse, o.return_counts, o.dim));
}

}  // namespace hwaro
