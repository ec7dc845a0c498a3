// What an operator with a `return_indices` flag gives: one tensor, or values with their indices.
#pragma once

#include "hwaro/ops/registry.h"

namespace hwaro::engine {

struct TensorOrPair {
  Tensor values, indices;                             // indices: undefined where they were not asked for
  operator Tensor() && { return std::move(values); }  // NOLINT: C++ callers take the values
};

inline void give(Result& r, TensorOrPair&& v) {
  if (!v.indices.defined()) return registry_detail::give(r, std::move(v.values));
  r.kind = Result::Kind::Tuple;
  r.tensors.push_back(std::move(v.values));
  r.tensors.push_back(std::move(v.indices));
}

}  // namespace hwaro::engine
