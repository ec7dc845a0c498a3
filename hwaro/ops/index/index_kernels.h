// Inner loops over masks: counting, and picking out what is set. One table per instruction set.
#pragma once

#include <cstdint>

namespace hwaro {

struct IndexKernels {
  // How many bytes of a mask are not zero.
  std::int64_t (*count)(const std::uint8_t* mask, std::int64_t n);
  // out[k] = base + i for each i with mask[i] != 0, in order. `room` elements may be written at out, no more; the number
  // of set bytes must not be larger.
  void (*positions)(std::int64_t* out, const std::uint8_t* mask, std::int64_t n, std::int64_t base, std::int64_t room);
  // out[k] = in[i] likewise, for elements of 2^index bytes.
  void (*compress[5])(void* out, const void* in, const std::uint8_t* mask, std::int64_t n, std::int64_t room);
};

// The table for the instruction set chosen at load.
const IndexKernels& index_kernels();
void set_index_kernels(const IndexKernels* table);  // called once at load by the backend

}  // namespace hwaro
