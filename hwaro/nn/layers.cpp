#include "hwaro/nn/layers.h"

#include <cmath>

#include "hwaro/autograd/grad_mode.h"
#include "hwaro/factories.h"
#include "hwaro/functions.h"
#include "hwaro/nn/init.h"

namespace hwaro::nn {

namespace {

// PyTorch's numbers for weights and biases of products: uniform within 1 / sqrt(fan_in).
void reset(const Tensor& weight, const Tensor& bias) {
  const NoGradGuard no_grad;
  init::kaiming_uniform_(weight, std::sqrt(5.0));
  if (!bias.defined()) return;
  const std::int64_t fan_in = init::fans_of(weight).in;
  const double bound = fan_in > 0 ? 1 / std::sqrt(double(fan_in)) : 0;
  init::uniform_(bias, -bound, bound);
}

const char* python(bool b) { return b ? "True" : "False"; }

}  // namespace

std::string IntPair::str(bool as_pair) const {
  return one_number_ && !as_pair ? std::to_string(values_[0]) : concat("(", values_[0], ", ", values_[1], ")");
}

Linear::Linear(std::int64_t in_features, std::int64_t out_features, Options options) {
  weight = register_parameter("weight", empty({out_features, in_features}));
  if (options.bias) bias = register_parameter("bias", empty({out_features}));
  reset(weight, bias);
  describe(concat("in_features=", in_features, ", out_features=", out_features, ", bias=", python(options.bias)));
}
Tensor Linear::forward(const Tensor& x) const { return hwaro::linear(x, weight, bias); }

Conv2d::Conv2d(std::int64_t in_channels, std::int64_t out_channels, IntPair kernel_size, Options options)
    : options_(options) {
  HWARO_CHECK_AS(ValueError, options.groups > 0, "groups must be a positive integer");
  HWARO_CHECK_AS(ValueError, in_channels % options.groups == 0, "in_channels must be divisible by groups");
  HWARO_CHECK_AS(ValueError, out_channels % options.groups == 0, "out_channels must be divisible by groups");
  weight =
      register_parameter("weight", empty({out_channels, in_channels / options.groups, kernel_size[0], kernel_size[1]}));
  if (options.bias) bias = register_parameter("bias", empty({out_channels}));
  reset(weight, bias);
  const auto unless = [](const char* name, const IntPair& pair, std::int64_t usual) {
    return pair[0] == usual && pair[1] == usual ? std::string() : concat(", ", name, "=", pair.str(true));
  };
  describe(concat(
      in_channels, ", ", out_channels, ", kernel_size=", kernel_size.str(true), ", stride=", options.stride.str(true),
      unless("padding", options.padding, 0), unless("dilation", options.dilation, 1),
      options.groups == 1 ? std::string() : concat(", groups=", options.groups), options.bias ? "" : ", bias=False"));
}
Tensor Conv2d::forward(const Tensor& x) const {
  return hwaro::conv2d(x, weight, bias, IntSpan(options_.stride), IntSpan(options_.padding), IntSpan(options_.dilation),
                       options_.groups);
}

Dropout::Dropout(double p) : p_(p) {
  HWARO_CHECK_AS(ValueError, p >= 0 && p <= 1, "dropout probability has to be between 0 and 1, but got ", p);
  describe("p=" + detail::python_number(p) + ", inplace=False");
}
Tensor Dropout::forward(const Tensor& x) const { return hwaro::dropout(x, p_, is_training()); }

MaxPool2d::MaxPool2d(IntPair kernel_size, Options options) : kernel_size_(kernel_size), options_(options) {
  describe(concat("kernel_size=", kernel_size.str(), ", stride=", options.stride.value_or(kernel_size).str(),
                  ", padding=", options.padding.str(), ", dilation=", options.dilation.str(),
                  ", ceil_mode=", python(options.ceil_mode)));
}
Tensor MaxPool2d::forward(const Tensor& x) const {
  const IntPair stride = options_.stride.value_or(kernel_size_);
  return hwaro::max_pool2d(x, IntSpan(kernel_size_), IntSpan(stride), IntSpan(options_.padding),
                           IntSpan(options_.dilation), options_.ceil_mode);
}
AvgPool2d::AvgPool2d(IntPair kernel_size, Options options) : kernel_size_(kernel_size), options_(options) {
  describe(concat("kernel_size=", kernel_size.str(), ", stride=", options.stride.value_or(kernel_size).str(),
                  ", padding=", options.padding.str()));
}
Tensor AvgPool2d::forward(const Tensor& x) const {
  const IntPair stride = options_.stride.value_or(kernel_size_);
  return hwaro::avg_pool2d(x, IntSpan(kernel_size_), IntSpan(stride), IntSpan(options_.padding), options_.ceil_mode,
                           options_.count_include_pad);
}
AdaptiveAvgPool2d::AdaptiveAvgPool2d(IntPair output_size) : output_size_(output_size) {
  describe("output_size=" + output_size.str());
}
Tensor AdaptiveAvgPool2d::forward(const Tensor& x) const {
  return hwaro::adaptive_avg_pool2d(x, IntSpan(output_size_));
}

LayerNorm::LayerNorm(IntArray<1> normalized_shape, Options options)
    : shape_(IntSpan(normalized_shape)), options_(options) {
  std::string shape = sizes_str(shape_);
  shape = "(" + shape.substr(1, shape.size() - 2) + (shape_.size() == 1 ? ",)" : ")");
  describe(shape + ", eps=" + detail::python_number(options.eps) + ", elementwise_affine=" +
           python(options.elementwise_affine) + ", bias=" + python(options.elementwise_affine));
  if (!options.elementwise_affine) return;
  weight = register_parameter("weight", ones(shape_));
  bias = register_parameter("bias", zeros(shape_));
}
Tensor LayerNorm::forward(const Tensor& x) const { return hwaro::layer_norm(x, shape_, weight, bias, options_.eps); }

Embedding::Embedding(std::int64_t num_embeddings, std::int64_t embedding_dim) {
  weight = register_parameter("weight", empty({num_embeddings, embedding_dim}));
  describe(concat(num_embeddings, ", ", embedding_dim));
  const NoGradGuard no_grad;
  init::normal_(weight);
}
Tensor Embedding::forward(const Tensor& x) const { return hwaro::embedding(x, weight); }

Flatten::Flatten(std::int64_t start_dim, std::int64_t end_dim) : start_dim_(start_dim), end_dim_(end_dim) {
  describe(concat("start_dim=", start_dim, ", end_dim=", end_dim));
}
Tensor Flatten::forward(const Tensor& x) const { return hwaro::flatten(x, start_dim_, end_dim_); }
Tensor ReLU::forward(const Tensor& x) const { return hwaro::relu(x); }
Tensor Sigmoid::forward(const Tensor& x) const { return hwaro::sigmoid(x); }
Tensor Tanh::forward(const Tensor& x) const { return hwaro::tanh(x); }
GELU::GELU() { describe("approximate='none'"); }
Tensor GELU::forward(const Tensor& x) const { return hwaro::gelu(x); }

Tensor Sequential::forward(const Tensor& x) const {
  Tensor out = x;
  for (const auto& step : steps_) out = step->run(out);
  return out;
}

}  // namespace hwaro::nn
