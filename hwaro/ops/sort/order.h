// Sorting of runs, and tensors as the runs along one dimension.
#pragma once

#include <memory>
#include <utility>

#include "hwaro/base/function_ref.h"
#include "hwaro/ops/vocabulary.h"

namespace hwaro::engine {

// Sorts runs of up to `capacity` elements one after the other; holds the memory that this takes. One per thread.
class RunSorter {
 public:
  explicit RunSorter(std::int64_t capacity);
  // order[i]: the index of the element that comes i-th. Stable.
  void sort(const void* x, DType type, std::int64_t n, bool descending, std::int64_t* order);

 private:
  void sort_packed(std::int64_t n, std::int64_t* order);
  void sort_wide(std::int64_t n, std::uint64_t varying, std::int64_t* order);

  std::int64_t capacity_;
  std::unique_ptr<std::uint64_t[]> keys_, other_keys_;
  std::unique_ptr<std::uint32_t[]> indices_, other_indices_;  // made when 64-bit keys need them
};

// self with dim moved to the end, dense.
Tensor rows_along(const Tensor& self, std::int64_t dim);
// The inverse: rows of results (…, k) with the last dimension moved to dim. With `like`, in the layout of that tensor.
Tensor rows_back(const Tensor& rows, std::int64_t dim, const Tensor& like = {});
// Runs body(first row, end) over rows of n elements, in parallel, in groups that depend on n only.
void each_row(std::int64_t rows, std::int64_t n, FunctionRef<void(std::int64_t, std::int64_t)> body);
// out[i] = x[order[i]] for elements of any type.
void pick_elements(void* out, const void* x, const std::int64_t* order, std::int64_t n, std::size_t element_size);

// values and indices of sort(), not recorded.
std::pair<Tensor, Tensor> sort_along(const Tensor& self, std::int64_t dim, bool descending);

}  // namespace hwaro::engine
