// The text of a tensor, as PyTorch prints it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hwaro/core/tensor.h"

namespace hwaro {

struct PrintOptions {
  int precision = 4;           // digits after the point
  double threshold = 1000;     // tensors with more elements are summarised
  std::int64_t edgeitems = 3;  // elements shown at either end of each dimension of a summary
  int linewidth = 80;
  std::optional<bool> sci_mode;  // scientific notation; left out: chosen from the values
};

// The options of the process (torch.set_printoptions).
PrintOptions& print_options();

// What the text says besides the elements, shape and type.
struct PrintLabels {
  std::string_view prefix = "tensor";
  std::string_view grad_fn;                  // "AddBackward0"
  bool requires_grad = false;                // said only where there is no grad_fn
  std::optional<std::string_view> contents;  // stands for the elements
};

// "tensor([1., 2.], requires_grad=True)". The tensor's bytes must be readable by the CPU, except on meta.
std::string to_string(const engine::Tensor& t, const PrintOptions& options, const PrintLabels& labels);

}  // namespace hwaro
