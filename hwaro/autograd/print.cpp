#include "hwaro/autograd/print.h"

#include "hwaro/autograd/node.h"

namespace hwaro {

std::string to_string(const engine::Tensor& t) { return to_string(t, "tensor"); }

std::string to_string(const engine::Tensor& t, std::string_view prefix, std::optional<std::string_view> contents) {
  PrintLabels labels{.prefix = prefix, .grad_fn = {}, .requires_grad = false, .contents = contents};
  std::string name;
  if (t.defined()) {
    try {
      if (const NodePtr node = grad_fn(t)) name = node->name();
    } catch (const RuntimeError&) {
      name = "Invalid";  // a view whose history cannot be rebuilt: it may still be looked at
    }
    labels.requires_grad = is_tracked(t);
  }
  labels.grad_fn = name;
  return to_string(t, print_options(), labels);
}

}  // namespace hwaro
