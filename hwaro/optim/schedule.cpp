#include "hwaro/optim/schedule.h"

#include <cmath>

namespace hwaro::optim {

void Schedule::step() {
  ++epoch_;
  optimizer_.set_lr(next(optimizer_.lr()));
}

double StepLR::next(double lr) const { return epoch_ % step_size_ == 0 ? lr * gamma_ : lr; }

// From the rate before, as PyTorch computes it, so that a rate changed by hand is carried on.
double CosineAnnealingLR::next(double lr) const {
  constexpr double pi = 3.14159265358979323846;
  const auto t = double(epoch_), period = double(t_max_);
  if ((epoch_ - 1 - t_max_) % (2 * t_max_) == 0) return lr + (base_lr_ - eta_min_) * (1 - std::cos(pi / period)) / 2;
  return (1 + std::cos(pi * t / period)) / (1 + std::cos(pi * (t - 1) / period)) * (lr - eta_min_) + eta_min_;
}

}  // namespace hwaro::optim
