// Layers: what torch.nn's classes of the same names compute, with their arguments, parameters and initial numbers.
#pragma once

#include <array>

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

// x (N, in, H, W) -> (N, out, H', W'). weight (out, in / groups, kh, kw), bias (out).
class Conv2d : public Layer<Conv2d> {
 public:
  using Pair = std::array<std::int64_t, 2>;
  struct Options {
    Pair stride = {1, 1}, padding = {0, 0}, dilation = {1, 1};
    std::int64_t groups = 1;
    bool bias = true;
  };
  Conv2d(std::int64_t in_channels, std::int64_t out_channels, std::int64_t kernel_size)
      : Conv2d(in_channels, out_channels, Pair{kernel_size, kernel_size}, Options{}) {}
  Conv2d(std::int64_t in_channels, std::int64_t out_channels, std::int64_t kernel_size, Options options)
      : Conv2d(in_channels, out_channels, Pair{kernel_size, kernel_size}, options) {}
  Conv2d(std::int64_t in_channels, std::int64_t out_channels, Pair kernel_size, Options options);
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

// The largest element of each window of kernel_size, stride apart (kernel_size unless given).
class MaxPool2d : public Layer<MaxPool2d> {
 public:
  struct Options {
    std::int64_t stride = 0;  // 0: kernel_size
    std::int64_t padding = 0, dilation = 1;
    bool ceil_mode = false;
  };
  explicit MaxPool2d(std::int64_t kernel_size) : MaxPool2d(kernel_size, Options{}) {}
  MaxPool2d(std::int64_t kernel_size, Options options) : kernel_size_(kernel_size), options_(options) {}
  Tensor forward(const Tensor& x) const;

 private:
  std::int64_t kernel_size_;
  Options options_;
};

class Flatten : public Layer<Flatten> {
 public:
  explicit Flatten(std::int64_t start_dim = 1, std::int64_t end_dim = -1) : start_dim_(start_dim), end_dim_(end_dim) {}
  Tensor forward(const Tensor& x) const;

 private:
  std::int64_t start_dim_, end_dim_;
};

class ReLU : public Layer<ReLU> {
 public:
  Tensor forward(const Tensor& x) const;
};

// Modules one after the other, named "0", "1", …: Sequential(Linear(4, 8), ReLU(), Linear(8, 1)).
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
