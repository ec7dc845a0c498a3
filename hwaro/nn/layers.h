// Layers: what torch.nn's classes of the same names compute, with their arguments, parameters and initial numbers.
#pragma once

#include "hwaro/nn/module.h"

namespace hwaro::nn {

// x (*, in) -> (*, out): x @ weight.T + bias. weight (out, in), bias (out).
class Linear : public Layer<Linear> {
 public:
  struct Options {
    bool bias = true;
  };
  Linear(std::int64_t in_features, std::int64_t out_features) : Linear(in_features, out_features, Options{}) {}
  Linear(std::int64_t in_features, std::int64_t out_features, Options options);
  Tensor forward(const Tensor& x) const;
  Tensor weight, bias;
};

// Height and width; one number stands for both.
class IntPair {
 public:
  IntPair(std::int64_t both) : values_{both, both}, one_number_(true) {}  // NOLINT: numbers convert
  IntPair(int both) : IntPair(std::int64_t(both)) {}                      // NOLINT
  IntPair(std::int64_t height, std::int64_t width) : values_{height, width} {}
  operator IntSpan() const { return {values_, 2}; }  // NOLINT
  std::int64_t operator[](int i) const { return values_[i]; }

  // "3" or "(3, 5)", as it was given; always the latter with as_pair.
  std::string str(bool as_pair = false) const;

 private:
  std::int64_t values_[2];
  bool one_number_ = false;
};

// x (N, in, H, W) -> (N, out, H', W'). weight (out, in / groups, kh, kw), bias (out).
class Conv2d : public Layer<Conv2d> {
 public:
  struct Options {
    IntPair stride = 1, padding = 0, dilation = 1;
    std::int64_t groups = 1;
    bool bias = true;
  };
  Conv2d(std::int64_t in_channels, std::int64_t out_channels, IntPair kernel_size)
      : Conv2d(in_channels, out_channels, kernel_size, Options{}) {}
  Conv2d(std::int64_t in_channels, std::int64_t out_channels, IntPair kernel_size, Options options);
  Tensor forward(const Tensor& x) const;
  Tensor weight, bias;

 private:
  Options options_;
};

// In training sets elements to zero with probability p and scales the others by 1 / (1 - p).
class Dropout : public Layer<Dropout> {
 public:
  explicit Dropout(double p = 0.5);
  Tensor forward(const Tensor& x) const;

 private:
  double p_;
};

// The largest element of each window of kernel_size, stride apart (kernel_size unless given). x (N, C, H, W).
class MaxPool2d : public Layer<MaxPool2d> {
 public:
  struct Options {
    std::optional<IntPair> stride = std::nullopt;
    IntPair padding = 0, dilation = 1;
    bool ceil_mode = false;
  };
  explicit MaxPool2d(IntPair kernel_size) : MaxPool2d(kernel_size, Options{}) {}
  MaxPool2d(IntPair kernel_size, Options options);
  Tensor forward(const Tensor& x) const;

 private:
  IntPair kernel_size_;
  Options options_;
};

// The mean of each window, as MaxPool2d.
class AvgPool2d : public Layer<AvgPool2d> {
 public:
  struct Options {
    std::optional<IntPair> stride = std::nullopt;
    IntPair padding = 0;
    bool ceil_mode = false, count_include_pad = true;
  };
  explicit AvgPool2d(IntPair kernel_size) : AvgPool2d(kernel_size, Options{}) {}
  AvgPool2d(IntPair kernel_size, Options options);
  Tensor forward(const Tensor& x) const;

 private:
  IntPair kernel_size_;
  Options options_;
};

// Means over windows chosen such that the result is (N, C, output_size).
class AdaptiveAvgPool2d : public Layer<AdaptiveAvgPool2d> {
 public:
  explicit AdaptiveAvgPool2d(IntPair output_size);
  Tensor forward(const Tensor& x) const;

 private:
  IntPair output_size_;
};

// The last dimensions, of the given shape, normalised by their mean and variance (Ba, Kiros and Hinton 2016).
class LayerNorm : public Layer<LayerNorm> {
 public:
  struct Options {
    double eps = 1e-5;
    bool elementwise_affine = true;
  };
  explicit LayerNorm(IntArray<1> normalized_shape) : LayerNorm(normalized_shape, Options{}) {}
  LayerNorm(IntArray<1> normalized_shape, Options options);
  Tensor forward(const Tensor& x) const;
  Tensor weight, bias;

 private:
  Dims shape_;
  Options options_;
};

// Rows of weight (num_embeddings, embedding_dim) by their numbers: x (*) of integers -> (*, embedding_dim).
class Embedding : public Layer<Embedding> {
 public:
  Embedding(std::int64_t num_embeddings, std::int64_t embedding_dim);
  Tensor forward(const Tensor& x) const;
  Tensor weight;
};

class Flatten : public Layer<Flatten> {
 public:
  explicit Flatten(std::int64_t start_dim = 1, std::int64_t end_dim = -1);
  Tensor forward(const Tensor& x) const;

 private:
  std::int64_t start_dim_, end_dim_;
};

// Functions of single elements.
class ReLU : public Layer<ReLU> {
 public:
  Tensor forward(const Tensor& x) const;
};
class Sigmoid : public Layer<Sigmoid> {
 public:
  Tensor forward(const Tensor& x) const;
};
class Tanh : public Layer<Tanh> {
 public:
  Tensor forward(const Tensor& x) const;
};
class GELU : public Layer<GELU> {
 public:
  GELU();
  Tensor forward(const Tensor& x) const;
};

// Modules one after the other, named "0", "1", …: Sequential{Linear(4, 8), ReLU(), Linear(8, 1)}. In braces they are made
// from left to right, so that they draw PyTorch's initial numbers; the order of arguments in parentheses is the compiler's.
class Sequential : public Layer<Sequential> {
 public:
  template <class... Modules>
  explicit Sequential(Modules... modules) {
    (append(std::move(modules)), ...);
  }
  template <class M>
  Sequential& append(M module) {
    register_module(std::to_string(steps_.size()), module);
    steps_.push_back(std::make_shared<StepOf<M>>(std::move(module)));
    return *this;
  }
  Tensor forward(const Tensor& x) const;
  std::size_t size() const { return steps_.size(); }

 private:
  struct Step {
    virtual ~Step() = default;
    virtual Tensor run(const Tensor& x) = 0;
  };
  template <class M>
  struct StepOf final : Step {
    explicit StepOf(M m) : module(std::move(m)) {}
    Tensor run(const Tensor& x) override { return module.forward(x); }
    M module;
  };
  std::vector<std::shared_ptr<Step>> steps_;
};

}  // namespace hwaro::nn
