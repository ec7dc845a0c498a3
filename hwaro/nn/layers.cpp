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

}  // namespace

Linear::Linear(std::int64_t in_features, std::int64_t out_features, Options options) {
  weight = register_parameter("weight", empty({out_features, in_features}));
  if (options.bias) bias = register_parameter("bias", empty({out_features}));
  reset(weight, bias);
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
}
Tensor Conv2d::forward(const Tensor& x) const {
  return hwaro::conv2d(x, weight, bias, IntSpan(options_.stride), IntSpan(options_.padding), IntSpan(options_.dilation),
                       options_.groups);
}

Dropout::Dropout(double p) : p_(p) {
  HWARO_CHECK_AS(ValueError, p >= 0 && p <= 1, "dropout probability has to be between 0 and 1, but got ", p);
}
Tensor Dropout::forward(const Tensor& x) const { return hwaro::dropout(x, p_, is_training()); }

Tensor MaxPool2d::forward(const Tensor& x) const {
  const IntPair stride = options_.stride.value_or(kernel_size_);
  return hwaro::max_pool2d(x, IntSpan(kernel_size_), IntSpan(stride), IntSpan(options_.padding),
                           IntSpan(options_.dilation), options_.ceil_mode);
}
Tensor AvgPool2d::forward(const Tensor& x) const {
  const IntPair stride = options_.stride.value_or(kernel_size_);
  return hwaro::avg_pool2d(x, IntSpan(kernel_size_), IntSpan(stride), IntSpan(options_.padding), options_.ceil_mode,
                           options_.count_include_pad);
}
Tensor AdaptiveAvgPool2d::forward(const Tensor& x) const {
  return hwaro::adaptive_avg_pool2d(x, IntSpan(output_size_));
}

LayerNorm::LayerNorm(IntArray<1> normalized_shape, Options options)
    : shape_(IntSpan(normalized_shape)), options_(options) {
  if (!options.elementwise_affine) return;
  weight = register_parameter("weight", ones(shape_));
  bias = register_parameter("bias", zeros(shape_));
}
Tensor LayerNorm::forward(const Tensor& x) const { return hwaro::layer_norm(x, shape_, weight, bias, options_.eps); }

Embedding::Embedding(std::int64_t num_embeddings, std::int64_t embedding_dim) {
  weight = register_parameter("weight", empty({num_embeddings, embedding_dim}));
  const NoGradGuard no_grad;
  init::normal_(weight);
}
Tensor Embedding::forward(const Tensor& x) const { return hwaro::embedding(x, weight); }

Tensor Flatten::forward(const Tensor& x) const { return hwaro::flatten(x, start_dim_, end_dim_); }
Tensor ReLU::forward(const Tensor& x) const { return hwaro::relu(x); }
Tensor Sigmoid::forward(const Tensor& x) const { return hwaro::sigmoid(x); }
Tensor Tanh::forward(const Tensor& x) const { return hwaro::tanh(x); }
Tensor GELU::forward(const Tensor& x) const { return hwaro::gelu(x); }

Tensor Sequential::forward(const Tensor& x) const {
  Tensor out = x;
  for (const auto& step : steps_) out = step->run(out);
  return out;
}

}  // namespace hwaro::nn
