#include "hwaro/autograd/node_names.h"

namespace hwaro {

std::string qualified_name(const Node& node) {
  const std::string name = node.name();
  const bool own = name == "AccumulateGrad" || name == "CopySlices" || name == "CopyBackwards";
  return own ? "torch::autograd::" + name : name;
}

std::string operation_name(const Node& node) {
  std::string name = qualified_name(node);
  const std::size_t at = name.rfind("Backward");
  if (at == std::string::npos || name.find_first_not_of("0123456789", at + 8) != std::string::npos) return name;
  const std::string number = name.substr(at + 8);
  return name.substr(0, at) + (number == "0" ? "" : number);
}

}  // namespace hwaro
