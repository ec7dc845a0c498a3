// Inner loops of sorting: one table per instruction set.
#pragma once

#include <cstdint>

#include "hwaro/core/dtype.h"

namespace hwaro {

// For types of at most 32 bits, whose keys (keys.h) have 32; null for the others. With `descending` keys are inverted.
struct SortKernels {
  // entries[i] = key(x[i]) << 32 | i.
  void (*pack[kDTypes])(std::uint64_t* entries, const void* x, std::int64_t n, bool descending);
  // The first index in [begin, end) whose key is below `bound`, or end.
  std::int64_t (*next_below[kDTypes])(const void* x, std::int64_t begin, std::int64_t end, std::uint32_t bound,
                                      bool descending);
};

const SortKernels& sort_kernels();
void set_sort_kernels(const SortKernels* table);  // called once at load by the backend

}  // namespace hwaro
