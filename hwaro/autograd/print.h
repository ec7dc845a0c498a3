// The text of a tensor with what autograd knows of it.
#pragma once

#include "hwaro/core/print.h"

namespace hwaro {

// As print(t) in Python, with the options of the process: "tensor([1., 2.], grad_fn=<MulBackward0>)".
std::string to_string(const engine::Tensor& t);
// With another class name before the bracket and, if given, other contents.
std::string to_string(const engine::Tensor& t, std::string_view prefix,
                      std::optional<std::string_view> contents = std::nullopt);

}  // namespace hwaro
