// Learning rates over time: call step() after each epoch.
#pragma once

#include "hwaro/optim/optimizer.h"

namespace hwaro::optim {

class Schedule {
 public:
  virtual ~Schedule() = default;
  void step();
  std::int64_t last_epoch() const { return epoch_; }

 protected:
  explicit Schedule(Optimizer& optimizer) : optimizer_(optimizer), base_lr_(optimizer.lr()) {}
  // The rate of the epoch that begins; `lr` is the one before.
  virtual double next(double lr) const = 0;

  Optimizer& optimizer_;
  double base_lr_;
  std::int64_t epoch_ = 0;
};

// Times gamma every step_size epochs.
class StepLR final : public Schedule {
 public:
  StepLR(Optimizer& optimizer, std::int64_t step_size, double gamma = 0.1)
      : Schedule(optimizer), step_size_(step_size), gamma_(gamma) {}

 private:
  double next(double lr) const override;
  std::int64_t step_size_;
  double gamma_;
};

// Half a cosine from the first rate down to eta_min in t_max epochs, and up again (Loshchilov and Hutter 2017).
class CosineAnnealingLR final : public Schedule {
 public:
  CosineAnnealingLR(Optimizer& optimizer, std::int64_t t_max, double eta_min = 0)
      : Schedule(optimizer), t_max_(t_max), eta_min_(eta_min) {}

 private:
  double next(double lr) const override;
  std::int64_t t_max_;
  double eta_min_;
};

}  // namespace hwaro::optim
