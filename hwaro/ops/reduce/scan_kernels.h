// Inner loops of running sums, products and extremes: one table per instruction set.
#pragma once

#include <cstdint>

#include "hwaro/core/dtype.h"

namespace hwaro {

enum class ScanOp : std::uint8_t { Sum, Prod };

// out[o][i][k] = in[o][0][k] ∘ … ∘ in[o][i][k] over (outer, size, inner); from the back with `reverse`.
using ScanLoop = void (*)(void* out, const void* in, std::int64_t outer, std::int64_t size, std::int64_t inner);
// The extreme so far and the last index of it; NaN counts as the extreme.
using ArgScanLoop = void (*)(void* values, std::int64_t* indices, const void* in, std::int64_t outer, std::int64_t size,
                             std::int64_t inner);

// Null where the caller converts first: halves to float, other integers to int64.
struct ScanKernels {
  ScanLoop scan[2][2][kDTypes];     // [op][reverse]
  ArgScanLoop extreme[2][kDTypes];  // [0] maximum, [1] minimum
};

const ScanKernels& scan_kernels();
void set_scan_kernels(const ScanKernels* table);  // called once at load by the backend

}  // namespace hwaro
