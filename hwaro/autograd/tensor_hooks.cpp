#include "hwaro/autograd/tensor_hooks.h"

#include "hwaro/autograd/meta.h"
#include "hwaro/autograd/primitives.h"

namespace hwaro {

using engine::Tensor;

void RetainGrad::call(Tensor* grads, std::size_t, const Tensor*, std::size_t) {
  if (!tensor || !grads[0].defined()) return;
  Tensor& grad = autograd_meta(*tensor).grad;
  grad = grad.defined() ? engine::primitives::add(grad, grads[0]) : engine::primitives::clone(grads[0]);
}

void HookPlace::remove() const {
  if (node && node->hooks) {
    NodeHooks& hooks = *node->hooks;
    std::erase_if(hooks.tensor_hooks, [&](const TensorHook& h) { return h.hook.get() == hook.get(); });
    std::erase_if(hooks.pre_hooks, [&](const auto& h) { return h.second.get() == hook.get(); });
    std::erase_if(hooks.post_hooks, [&](const auto& h) { return h.second.get() == hook.get(); });
  }
  if (leaf && leaf->autograd) {
    std::erase_if(leaf->autograd->hooks, [&](const HookPtr& h) { return h.get() == hook.get(); });
    std::erase_if(leaf->autograd->post_accumulate, [&](const HookPtr& h) { return h.get() == hook.get(); });
  }
}

HookPlace add_tensor_hook(const Tensor& t, HookPtr hook) {
  HWARO_CHECK(is_tracked(t), "cannot register a hook on a tensor that doesn't require gradient");
  if (NodePtr node = grad_fn(t)) {
    node->make_hooks().tensor_hooks.push_back({t->output_nr, hook});
    return {std::move(hook), std::move(node), {}};
  }
  autograd_meta(*t.impl()).hooks.push_back(hook);
  return {std::move(hook), {}, t.ptr()};
}

HookPlace add_post_accumulate_hook(const Tensor& t, HookPtr hook) {
  HWARO_CHECK(is_tracked(t), "cannot register a hook on a tensor that doesn't require gradient");
  HWARO_CHECK(!grad_fn(t), "post accumulate grad hooks cannot be registered on non-leaf tensors");
  autograd_meta(*t.impl()).post_accumulate.push_back(hook);
  return {std::move(hook), {}, t.ptr()};
}

void retain_grad(const Tensor& t) {
  HWARO_CHECK(is_tracked(t), "can't retain_grad on Tensor that has requires_grad=False");
  if (!t->grad_fn || retains_grad(t)) return;
  const NodePtr node = grad_fn(t);
  if (!node) return;
  AutogradMeta& meta = autograd_meta(*t.impl());
  meta.retained = IntrusivePtr<RetainGrad>::adopt(new RetainGrad(t.impl()));
  node->make_hooks().tensor_hooks.push_back({t->output_nr, HookPtr::share(meta.retained.get()), true});
}

bool retains_grad(const Tensor& t) { return t->autograd && t->autograd->retained; }

void replace_history(const Tensor& t, const NodePtr& node, std::uint32_t nr) {
  if (retains_grad(t)) {
    const HookPtr hook = HookPtr::share(t->autograd->retained.get());
    if (Node* old = static_cast<Node*>(t->grad_fn.get()); old && old->hooks)
      std::erase_if(old->hooks->tensor_hooks, [&](const TensorHook& h) { return h.hook.get() == hook.get(); });
    node->make_hooks().tensor_hooks.push_back({nr, hook, true});
  }
  set_history(t, node, nr);
}

}  // namespace hwaro
