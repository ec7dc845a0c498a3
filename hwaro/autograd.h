// Gradients beyond Tensor::backward. NoGradGuard and its relatives are in hwaro/autograd/grad_mode.h.
#pragma once

#include <vector>

#include "hwaro/autograd/grad_mode.h"
#include "hwaro/tensor.h"

namespace hwaro::autograd {

// Gradients of the outputs with respect to the inputs, returned instead of added to .grad(). `grad_outputs` may be left out
// for outputs of one element.
std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const std::vector<Tensor>& grad_outputs = {}, GradOptions options = {});
// Adds gradients to .grad() of the leaves.
void backward(const std::vector<Tensor>& outputs, const std::vector<Tensor>& grad_outputs = {},
              GradOptions options = {});

}  // namespace hwaro::autograd
