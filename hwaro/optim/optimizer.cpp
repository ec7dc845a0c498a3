#include "hwaro/optim/optimizer.h"

#include "hwaro/autograd/grad_mode.h"
#include "hwaro/factories.h"

#include "hwaro/ops/optim.h"

namespace hwaro::optim {

Optimizer::Optimizer(std::vector<Tensor> parameters, double lr) : parameters_(std::move(parameters)), lr_(lr) {
  HWARO_CHECK_AS(ValueError, !parameters_.empty(), "optimizer got an empty parameter list");
  HWARO_CHECK_AS(ValueError, lr >= 0, "Invalid learning rate: ", lr);
  for (const Tensor& p : parameters_) HWARO_CHECK_AS(ValueError, p.is_leaf(), "can't optimize a non-leaf Tensor");
}

void Optimizer::zero_grad() {
  for (const Tensor& p : parameters_) p.set_grad(Tensor());
}

SGD::SGD(std::vector<Tensor> parameters, Options o) : Optimizer(std::move(parameters), o.lr), options_(o) {
  HWARO_CHECK_AS(ValueError, o.momentum >= 0, "Invalid momentum value: ", o.momentum);
  HWARO_CHECK_AS(ValueError, o.weight_decay >= 0, "Invalid weight_decay value: ", o.weight_decay);
  HWARO_CHECK_AS(ValueError, !o.nesterov || (o.momentum > 0 && o.dampening == 0),
                 "Nesterov momentum requires a momentum and zero dampening");
  momentum_.resize(parameters_.size());
}

void SGD::step() {
  const NoGradGuard no_grad;
  // Parameters in their first step, whose momentum starts as the gradient, go apart from the others.
  struct Group {
    std::vector<engine::Tensor> values, grads, momentum;
  } first, others;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor grad = parameters_[i].grad();
    if (!grad.defined()) continue;
    Group& group = options_.momentum != 0 && !momentum_[i].defined() ? first : others;
    group.values.push_back(parameters_[i]);
    group.grads.push_back(grad);
    if (options_.momentum == 0) continue;
    if (!momentum_[i].defined()) momentum_[i] = empty_like(parameters_[i]);
    group.momentum.push_back(momentum_[i]);
  }
  for (const Group* group : {&first, &others})
    if (!group->values.empty())
      engine::sgd_step_(group->values, group->grads, group->momentum, lr_, options_.momentum, options_.dampening,
                        options_.weight_decay, options_.nesterov, options_.maximize, group == &first);
}

Adam::Adam(std::vector<Tensor> parameters, Options o, bool decoupled)
    : Optimizer(std::move(parameters), o.lr), options_(o), decoupled_(decoupled), state_(parameters_.size()) {
  HWARO_CHECK_AS(ValueError, o.eps >= 0, "Invalid epsilon value: ", o.eps);
  HWARO_CHECK_AS(ValueError, o.beta1 >= 0 && o.beta1 < 1, "Invalid beta parameter at index 0: ", o.beta1);
  HWARO_CHECK_AS(ValueError, o.beta2 >= 0 && o.beta2 < 1, "Invalid beta parameter at index 1: ", o.beta2);
  HWARO_CHECK_AS(ValueError, o.weight_decay >= 0, "Invalid weight_decay value: ", o.weight_decay);
}

void Adam::step() {
  const NoGradGuard no_grad;
  std::vector<bool> done(parameters_.size());
  // Parameters that have made equally many steps go together.
  for (std::size_t begin = 0; begin < parameters_.size(); ++begin) {
    if (done[begin] || !parameters_[begin].grad().defined()) continue;
    const std::int64_t step = state_[begin].step + 1;
    std::vector<engine::Tensor> values, grads, means, squares, largest;
    for (std::size_t i = begin; i < parameters_.size(); ++i) {
      State& s = state_[i];
      const Tensor grad = parameters_[i].grad();
      if (done[i] || !grad.defined() || s.step + 1 != step) continue;
      done[i] = true;
      if (!s.mean.defined()) {
        s.mean = zeros_like(parameters_[i]);
        s.square = zeros_like(parameters_[i]);
        if (options_.amsgrad) s.largest = zeros_like(parameters_[i]);
      }
      s.step = step;
      values.push_back(parameters_[i]);
      grads.push_back(grad);
      means.push_back(s.mean);
      squares.push_back(s.square);
      if (options_.amsgrad) largest.push_back(s.largest);
    }
    engine::adam_step_(values, grads, means, squares, largest, double(step), lr_, options_.beta1, options_.beta2,
                       options_.weight_decay, options_.eps, options_.amsgrad, options_.maximize, decoupled_);
  }
}

}  // namespace hwaro::optim
