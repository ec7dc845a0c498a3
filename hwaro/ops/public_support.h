// Between the public functions and the engine's: the same tensors under the class that has methods.
#pragma once

#include <tuple>
#include <vector>

#include "hwaro/core/tensor.h"

namespace hwaro {

class Tensor;

template <class Public = Tensor>
Public to_public(engine::Tensor&& t) {
  return Public(std::move(t));
}
template <class Public = Tensor>
std::vector<Public> to_public(std::vector<engine::Tensor>&& v) {
  std::vector<Public> out;
  out.reserve(v.size());
  for (engine::Tensor& t : v) out.emplace_back(std::move(t));
  return out;
}
template <class... T>
auto to_public(std::tuple<T...>&& t) {
  return std::apply([](T&... parts) { return std::tuple(to_public(std::move(parts))...); }, t);
}

template <class Public>
std::vector<engine::Tensor> engine_span(Span<Public> tensors) {
  return {tensors.begin(), tensors.end()};
}

}  // namespace hwaro
