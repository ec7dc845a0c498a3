#pragma once

#include <string>

#include "hwaro/autograd/node.h"

namespace hwaro {

// What node.name() says: nodes that are no operator's carry PyTorch's namespace.
std::string qualified_name(const Node& node);
// What messages call the operation: "Add" for AddBackward0, "Sum1" for SumBackward1.
std::string operation_name(const Node& node);
// The name of a saved tensor as in grad_fn._saved_self; `key` is what node.saved() calls it.
std::string saved_name(const Node& node, const std::string& key);

// What a second pass over a graph whose saved tensors are gone says.
[[noreturn]] void raise_freed();
// What messages call a tensor's type: "torch.FloatTensor", and "CPUBFloat16Type" for types that came later.
std::string type_text(const engine::Tensor& t);

}  // namespace hwaro
