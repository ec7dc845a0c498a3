// Distinct elements and slices.
#pragma once

#include "hwaro/tensor.h"

namespace hwaro {

struct UniqueOptions {
  bool sorted = true;
  bool return_inverse = false, return_counts = false;
  std::optional<std::int64_t> dim = std::nullopt;  // left out: elements of the flattened tensor
};
// values; for each element (or slice) of the input its place in values; how often each value occurs. The latter two are
// int64, and empty unless asked for.
struct UniqueResult {
  Tensor values, inverse, counts;
};

// The distinct elements in ascending order, 1-d.
Tensor unique(const Tensor& self);
// The same, or the distinct slices along dim, and where they come from. Errors: IndexError for a dim that is not there.
UniqueResult unique(const Tensor& self, UniqueOptions options);
// The first of each run of equal elements; with dim of equal slices.
Tensor unique_consecutive(const Tensor& self);
UniqueResult unique_consecutive(const Tensor& self, UniqueOptions options);

inline Tensor Tensor::unique() const { return hwaro::unique(*this); }
inline UniqueResult Tensor::unique(UniqueOptions options) const { return hwaro::unique(*this, options); }
inline Tensor Tensor::unique_consecutive() const { return hwaro::unique_consecutive(*this); }
inline UniqueResult Tensor::unique_consecutive(UniqueOptions options) const {
  return hwaro::unique_consecutive(*this, options);
}

}  // namespace hwaro
