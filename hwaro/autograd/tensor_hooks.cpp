#include "hwaro/autograd/tensor_hooks.h"

#include "hwaro/base/error.h"
#include "hwaro/autograd/primitives.h"

namespace hwaro {

namespace {

template <class V, class P>
void erase_if_matches(V& list, P&& matches) {
  for (auto it = list.begin(); it != list.end(); ++it)
    if (matches(*it)) {
      list.erase(it);
      return;
    }
}

// Looks at a gradient and keeps it in .grad (retain_grad). The hook hangs on the tensor's grad_fn, which may outlive the
// tensor; RetainGuard, which the tensor owns, tells it when the tensor has gone.
class RetainHook final : public Hook {
 public:
  explicit RetainHook(TensorImpl* t) : tensor(t) {}
  void call(engine::Tensor* grads, std::size_t, const engine::Tensor*, std::size_t) override {
    if (tensor) autograd_meta(*tensor).grad = engine::primitives::clone(grads[0]);
  }
  TensorImpl* tensor;
};
class RetainGuard final : public Hook {
 public:
  explicit RetainGuard(IntrusivePtr<RetainHook> hook) : hook_(std::move(hook)) {}
  ~RetainGuard() override { hook_->tensor = nullptr; }
  void call(engine::Tensor*, std::size_t, const engine::Tensor*, std::size_t) override {}

 private:
  IntrusivePtr<RetainHook> hook_;
};

}  // namespace

void HookPlace::remove() const {
  if (node && node->hooks) {
    NodeHooks& hooks = *node->hooks;
    erase_if_matches(hooks.tensor_hooks, [&](auto& x) { return x.hook.get() == hook.get(); });
    erase_if_matches(hooks.pre_hooks, [&](auto& x) { return x.second.get() == hook.get(); });
    erase_if_matches(hooks.post_hooks, [&](auto& x) { return x.second.get() == hook.get(); });
  }
  if (leaf && leaf->autograd) {
    erase_if_matches(leaf->autograd->hooks, [&](auto& x) { return x.get() == hook.get(); });
    erase_if_matches(leaf->autograd->post_accumulate, [&](auto& x) { return x.get() == hook.get(); });
  }
}

HookPlace add_tensor_hook(const engine::Tensor& t, HookPtr hook) {
  HWARO_CHECK(is_tracked(t), "cannot register a hook on a tensor that doesn't require gradient");
  if (NodePtr node = grad_fn(t)) {
    node->make_hooks().tensor_hooks.push_back({t->output_nr, hook});
    return {std::move(hook), std::move(node), {}};
  }
  autograd_meta(*t.impl()).hooks.push_back(hook);
  return {std::move(hook), {}, t.ptr()};
}

HookPlace add_post_accumulate_hook(const engine::Tensor& t, HookPtr hook) {
  HWARO_CHECK(is_tracked(t), "cannot register a hook on a tensor that doesn't require gradient");
  HWARO_CHECK(!grad_fn(t), "post accumulate grad hooks cannot be registered on non-leaf tensors");
  autograd_meta(*t.impl()).post_accumulate.push_back(hook);
  return {std::move(hook), {}, t.ptr()};
}

void retain_grad(const engine::Tensor& t) {
  HWARO_CHECK(is_tracked(t), "can't retain_grad on Tensor that has requires_grad=False");
  const NodePtr node = grad_fn(t);
  AutogradMeta& meta = autograd_meta(*t.impl());
  if (!node || meta.retain_grad) return;
  meta.retain_grad = true;
  const auto hook = IntrusivePtr<RetainHook>::adopt(new RetainHook(t.impl()));
  meta.post_accumulate.push_back(HookPtr::adopt(new RetainGuard(hook)));  // never runs: t is not a leaf
  node->make_hooks().tensor_hooks.push_back({t->output_nr, HookPtr::share(hook.get()), true});
}

}  // namespace hwaro
