// Anomaly mode: every node remembers where in the program it was made, and backward stops at the first nan.
#pragma once

#include "hwaro/autograd/node.h"

namespace hwaro {

struct AnomalyHooks {
  IntrusivePtr<GraphNode> (*trace)() = nullptr;                  // where the program is now
  void (*report)(const Node& node, GraphNode* trace) = nullptr;  // told before a node's error is passed on
};
// Installed by the binding; C++ programs do without the traces.
extern AnomalyHooks g_anomaly_hooks;

void remember_origin(Node& node);
// node.apply(), and an error where a gradient that it gives holds a nan (unless checking for those is off).
// Errors: RuntimeError "Function 'SqrtBackward0' returned nan values in its 0th output."
void apply_watched(Node& node, engine::Tensor* grads, engine::Tensor* out);

}  // namespace hwaro
