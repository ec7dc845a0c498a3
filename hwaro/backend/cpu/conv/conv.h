// Convolution (cross-correlation, as in neural networks) on plain pointers. Tensors are contiguous:
// input (N, C, spatial...), weight (K, C / groups, kernel...), output (N, K, spatial...), N = batch, C = in_channels,
// K = out_channels. The sizes are trusted: out[d] = (in[d] + 2 * padding[d] - dilation[d] * (kernel[d] - 1) - 1) /
// stride[d] + 1, groups divides both channel counts. T: float, double.
// The bits of a result depend on the shape and on the instruction set, never on the number of threads.
#pragma once

#include <cstdint>

namespace hwaro {

struct ConvShape {
  std::int64_t batch, in_channels, out_channels, groups;
  int spatial_dims;  // 1 to 3; only that many entries below are used
  std::int64_t in[3], kernel[3], stride[3], padding[3], dilation[3], out[3];
};

// y = conv(x, w) + bias; bias (K) or null.
template <class T>
void conv_forward(const ConvShape& shape, const T* x, const T* w, const T* bias, T* y);

// dx = gradient of the input from dy, that of the output. This is also the transposed convolution of dy.
template <class T>
void conv_backward_input(const ConvShape& shape, const T* dy, const T* w, T* dx);

// dw = gradient of the weight; dbias (K) = sum of dy over everything but channels, or null.
template <class T>
void conv_backward_weight(const ConvShape& shape, const T* x, const T* dy, T* dw, T* dbias);

}  // namespace hwaro
