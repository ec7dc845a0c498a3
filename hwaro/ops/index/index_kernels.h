// Inner loops over masks and rows of elements. One table per instruction set.
#pragma once

#include <cstdint>

#include "hwaro/core/dtype.h"

namespace hwaro {

struct IndexKernels {
  // Whether every index is in [0, size).
  bool (*in_range)(const std::int64_t* index, std::int64_t n, std::int64_t size);
  // How many bytes of a mask are not zero.
  std::int64_t (*count)(const std::uint8_t* mask, std::int64_t n);
  // out[k] = base + i for each i with mask[i] != 0, in order. `room` elements may be written at out, no more; the
  // number of set bytes must not be larger.
  void (*positions)(std::int64_t* out, const std::uint8_t* mask, std::int64_t n, std::int64_t base, std::int64_t room);
  // out[k] = in[i] likewise, for elements of 2^index bytes.
  void (*compress[5])(void* out, const void* in, const std::uint8_t* mask, std::int64_t n, std::int64_t room);
  // to[i] = *value where mask[i] != 0, for elements of 2^index bytes.
  void (*fill_masked[5])(void* to, const void* value, const std::uint8_t* mask, std::int64_t n);
  // to[i] = from[n - 1 - i], for elements of 2^index bytes.
  void (*reverse[5])(void* to, const void* from, std::int64_t n);
  // to[i] += from[i], by element type.
  void (*add[kDTypes])(void* to, const void* from, std::int64_t n);
};

// The index for tables by element size.
constexpr int log2_size(std::size_t bytes) {
  return bytes == 1 ? 0 : bytes == 2 ? 1 : bytes == 4 ? 2 : bytes == 8 ? 3 : 4;
}

// The table for the instruction set chosen at load.
const IndexKernels& index_kernels();
void set_index_kernels(const IndexKernels* table);  // called once at load by the backend

}  // namespace hwaro
