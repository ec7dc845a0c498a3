// Hooks on the gradient of one tensor, for both faces.
#pragma once

#include "hwaro/autograd/node.h"

namespace hwaro {

// Where a hook hangs: on the node that made the tensor, or on a leaf. Keeps the place alive, so that remove() is safe.
struct HookPlace {
  HookPtr hook;
  NodePtr node;
  IntrusivePtr<TensorImpl> leaf;
  // Takes the hook away; does nothing the second time.
  void remove() const;
};

// `hook` runs each time a gradient of t has been summed up, and may replace it. Errors: RuntimeError unless t requires grad.
HookPlace add_tensor_hook(const engine::Tensor& t, HookPtr hook);
// `hook` runs after a gradient has been added to the .grad of leaf t. Errors: RuntimeError unless t is a leaf that requires
// grad.
HookPlace add_post_accumulate_hook(const engine::Tensor& t, HookPtr hook);
// From now on a backward pass leaves the gradient of t, which is not a leaf, in its .grad. Errors: RuntimeError unless t
// requires grad.
void retain_grad(const engine::Tensor& t);
bool retains_grad(const engine::Tensor& t);
// t's history is now output `nr` of `node`: what keeps its gradient moves from the old node along.
void replace_history(const engine::Tensor& t, const NodePtr& node, std::uint32_t nr = 0);

}  // namespace hwaro
