// Pooling over windows of contiguous planes (D, H, W); missing dimensions have size 1. One table per instruction set.
#pragma once

#include <cstdint>

#include "hwaro/core/dtype.h"

namespace hwaro {

struct PoolGeometry {
  std::int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1};
  std::int64_t kernel[3] = {1, 1, 1}, stride[3] = {1, 1, 1}, padding[3] = {}, dilation[3] = {1, 1, 1};
  bool count_include_pad = true;
  std::int64_t divisor = 0;  // 0: the window's size
  std::int64_t in_size() const { return in[0] * in[1] * in[2]; }
  std::int64_t out_size() const { return out[0] * out[1] * out[2]; }
};

struct PoolKernels {
  // Each works on `planes` planes. index: the position within the plane of the largest element (int32; the first of equals,
  // the last NaN); null where nobody asks.
  void (*max_forward[kDTypes])(const PoolGeometry&, std::int64_t planes, const void* x, void* y, std::int32_t* index);
  // dx = 0, then dx[index[i]] += dy[i]. float and double.
  void (*max_backward[kDTypes])(const PoolGeometry&, std::int64_t planes, const void* dy, const std::int32_t* index,
                                void* dx);
  // Sums over windows, divided. float, double and int64.
  void (*avg_forward[kDTypes])(const PoolGeometry&, std::int64_t planes, const void* x, void* y);
  void (*avg_backward[kDTypes])(const PoolGeometry&, std::int64_t planes, const void* dy, void* dx);
};
const PoolKernels& pool_kernels();
void set_pool_kernels(const PoolKernels* table);  // called once at load by the backend

}  // namespace hwaro
