// The backend's table of convolutions on contiguous memory.
#pragma once

#include <cstdint>

#include "hwaro/core/dtype.h"

namespace hwaro {

// input (batch, in_channels, in…), weight (out_channels, in_channels / groups, kernel…), output (batch, out_channels, out…).
struct ConvGeometry {
  std::int64_t batch = 0, in_channels = 0, out_channels = 0, groups = 1;
  int dims = 0;  // 1 to 3
  std::int64_t in[3] = {}, kernel[3] = {}, stride[3] = {}, padding[3] = {}, dilation[3] = {}, out[3] = {};
};

// Entries for float and double; null elsewhere.
struct ConvKernels {
  void (*forward[kDTypes])(const ConvGeometry&, const void* x, const void* w, const void* bias,
                           void* y);  // bias or null
  void (*backward_input[kDTypes])(const ConvGeometry&, const void* dy, const void* w, void* dx);
  void (*backward_weight[kDTypes])(const ConvGeometry&, const void* x, const void* dy, void* dw,
                                   void* dbias);  // dbias or null
};
const ConvKernels& conv_kernels();
void set_conv_kernels(const ConvKernels* table);  // called once at load by the backend

}  // namespace hwaro
