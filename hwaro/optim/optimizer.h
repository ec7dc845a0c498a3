// Optimizers, with torch.optim's arguments, defaults and order of operations.
//
//   hwaro::optim::Adam optimizer(net.parameters(), {.lr = 1e-3});
//   optimizer.zero_grad(); loss.backward(); optimizer.step();
#pragma once

#include <vector>

#include "hwaro/tensor.h"

namespace hwaro::optim {

class Optimizer {
 public:
  virtual ~Optimizer() = default;
  // One step along the gradients of the parameters that have one.
  virtual void step() = 0;
  void zero_grad();
  double lr() const { return lr_; }
  void set_lr(double lr) { lr_ = lr; }

 protected:
  Optimizer(std::vector<Tensor> parameters, double lr);

  std::vector<Tensor> parameters_;
  double lr_;
};

class SGD final : public Optimizer {
 public:
  struct Options {
    double lr = 1e-3, momentum = 0, dampening = 0, weight_decay = 0;
    bool nesterov = false, maximize = false;
  };
  explicit SGD(std::vector<Tensor> parameters) : SGD(std::move(parameters), Options{}) {}
  SGD(std::vector<Tensor> parameters, Options options);
  void step() override;

 private:
  Options options_;
  std::vector<Tensor> momentum_;  // undefined until a parameter's first step
};

// Kingma and Ba 2015; with decoupled weight decay: AdamW (Loshchilov and Hutter 2019).
class Adam : public Optimizer {
 public:
  struct Options {
    double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 0;
    bool amsgrad = false, maximize = false;
  };
  explicit Adam(std::vector<Tensor> parameters) : Adam(std::move(parameters), Options{}) {}
  Adam(std::vector<Tensor> parameters, Options options) : Adam(std::move(parameters), options, false) {}
  void step() override;

 protected:
  Adam(std::vector<Tensor> parameters, Options options, bool decoupled);

 private:
  struct State {
    std::int64_t step = 0;
    Tensor mean, square, largest;
  };
  Options options_;
  bool decoupled_;
  std::vector<State> state_;
};

class AdamW final : public Adam {
 public:
  struct Options {
    double lr = 1e-3, beta1 = 0.9, beta2 = 0.999, eps = 1e-8, weight_decay = 1e-2;
    bool amsgrad = false, maximize = false;
  };
  explicit AdamW(std::vector<Tensor> parameters) : AdamW(std::move(parameters), Options{}) {}
  AdamW(std::vector<Tensor> parameters, Options o)
      : Adam(std::move(parameters), {o.lr, o.beta1, o.beta2, o.eps, o.weight_decay, o.amsgrad, o.maximize}, true) {}
};

}  // namespace hwaro::optim
