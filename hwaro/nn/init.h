// Initial values, with the draws of torch.nn.init: the same numbers for the same seed.
#pragma once

#include "hwaro/tensor.h"

namespace hwaro::nn::init {

// In place, not recorded; return the tensor.
Tensor uniform_(const Tensor& t, double from = 0, double to = 1, Generator* generator = nullptr);
Tensor normal_(const Tensor& t, double mean = 0, double std = 1, Generator* generator = nullptr);
Tensor constant_(const Tensor& t, const Scalar& value);

// Elements that each output (fan_in) or input (fan_out) element is connected with. Errors: ValueError below two dimensions.
struct Fans {
  std::int64_t in, out;
};
Fans fans_of(const Tensor& t);

// He et al. 2015, for leaky rectifiers of slope a. Fan::In keeps the variance of the forward pass, Fan::Out that of the
// backward pass.
enum class Fan { In, Out };
Tensor kaiming_uniform_(const Tensor& t, double a = 0, Fan fan = Fan::In);
Tensor kaiming_normal_(const Tensor& t, double a = 0, Fan fan = Fan::In);
// Glorot and Bengio 2010.
Tensor xavier_uniform_(const Tensor& t, double gain = 1);
Tensor xavier_normal_(const Tensor& t, double gain = 1);

}  // namespace hwaro::nn::init
