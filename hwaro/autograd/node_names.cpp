#include "hwaro/autograd/node_names.h"

namespace hwaro {

std::string qualified_name(const Node& node) {
  const std::string name = node.name();
  const bool own =
      name == "AccumulateGrad" || name == "CopySlices" || name == "CopyBackwards" || name == "NotImplemented";
  return own ? "torch::autograd::" + name : name;
}

void raise_freed() {
  raise(
      "Trying to backward through the graph a second time (or directly access saved tensors after they have already "
      "been "
      "freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify "
      "retain_graph=True if you need to backward through the graph a second time or if you need to access saved "
      "tensors "
      "after calling backward.");
}

std::string type_text(const engine::Tensor& t) {
  const DType type = t.dtype();
  const bool late = type == DType::Bool || type == DType::BFloat16 || is_complex(type);
  const std::string device = t.device().is_cpu() ? "" : name_of(t.device().type);
  if (late && device.empty()) return concat("CPU", scalar_type_name(type), "Type");
  return concat("torch.", device, device.empty() ? "" : ".", kDTypeInfos[int(type)].tensor_type_name);
}

std::string operation_name(const Node& node) {
  std::string name = qualified_name(node);
  const std::size_t at = name.rfind("Backward");
  if (at == std::string::npos || name.find_first_not_of("0123456789", at + 8) != std::string::npos) return name;
  const std::string number = name.substr(at + 8);
  return name.substr(0, at) + (number == "0" ? "" : number);
}

}  // namespace hwaro
