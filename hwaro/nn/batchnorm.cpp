#include "hwaro/nn/batchnorm.h"

#include "hwaro/factories.h"
#include "hwaro/functions.h"

namespace hwaro::nn {

BatchNorm2d::BatchNorm2d(std::int64_t num_features, Options options) : options_(options) {
  const auto python = [](bool b) { return b ? "True" : "False"; };
  describe(concat(num_features, ", eps=", detail::python_number(options.eps),
                  ", momentum=", detail::python_number(options.momentum), ", affine=", python(options.affine),
                  ", bias=", python(options.affine), ", track_running_stats=", python(options.track_running_stats)));
  if (options.affine) {
    weight = register_parameter("weight", ones({num_features}));
    bias = register_parameter("bias", zeros({num_features}));
  }
  if (options.track_running_stats) {
    running_mean = register_buffer("running_mean", zeros({num_features}));
    running_var = register_buffer("running_var", ones({num_features}));
    num_batches_tracked = register_buffer("num_batches_tracked", zeros({}, kInt64));
  }
}
Tensor BatchNorm2d::forward(const Tensor& x) const {
  HWARO_CHECK_AS(ValueError, x.dim() == 4, "expected 4D input (got ", x.dim(), "D input)");
  if (is_training() && num_batches_tracked.defined()) num_batches_tracked += 1;
  return hwaro::batch_norm(x, weight, bias, running_mean, running_var, is_training() || !running_mean.defined(),
                           options_.momentum, options_.eps, false);
}

}  // namespace hwaro::nn
