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
  // The index of the element with the given rank: order[rank] without the sorting.
  std::int64_t at_rank(const void* x, DType type, std::int64_t n, std::int64_t rank);

 private:
  std::uint64_t* sort_entries(std::int64_t n);
  // Turns 64-bit elements into entries of the half of their keys in which they differ; keeps the keys where that does
  // not tell all of them apart.
  bool pack_wide(const void* x, DType type, std::int64_t n, bool descending);

  std::int64_t capacity_;
  std::unique_ptr<std::uint64_t[]> entries_, other_entries_;
  std::unique_ptr<std::uint64_t[]> keys_;  // made when 64-bit keys need it
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
