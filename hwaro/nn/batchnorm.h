// Batch normalisation.
#pragma once

#include "hwaro/nn/module.h"

namespace hwaro::nn {

// x (N, features, H, W), each channel normalised by its mean and variance: of the batch in training, running ones in
// evaluation (Ioffe and Szegedy 2015).
class BatchNorm2d : public Layer<BatchNorm2d> {
 public:
  struct Options {
    double eps = 1e-5;
    double momentum = 0.1;
    bool affine = true;
    bool track_running_stats = true;
  };
  explicit BatchNorm2d(std::int64_t num_features) : BatchNorm2d(num_features, Options{}) {}
  BatchNorm2d(std::int64_t num_features, Options options);
  Tensor forward(const Tensor& x) const;
  Tensor weight, bias, running_mean, running_var, num_batches_tracked;

 private:
  Options options_;
};

}  // namespace hwaro::nn
