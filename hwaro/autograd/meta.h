// What autograd hangs on a tensor beyond the fields of TensorImpl, made on demand: the gradient and hooks of a leaf, kept
// gradients of other tensors, and the steps that lead to a view that as_strided cannot describe.
#pragma once

#include <memory>
#include <vector>

#include "hwaro/autograd/node.h"

namespace hwaro {

// One step from a base to a view of it. Strided: as_strided with this geometry, in elements of the type reached so far.
struct ViewStep {
  enum class Kind : std::uint8_t { Strided, AsReal, AsComplex, Conj } kind;
  Dims sizes, strides;
  std::int64_t offset = 0;
};

// Keeps what arrives for a tensor that is not a leaf in its .grad. It hangs on the tensor's grad_fn, which may outlive
// the tensor.
class RetainGrad final : public Hook {
 public:
  explicit RetainGrad(TensorImpl* t) : tensor(t) {}
  void call(engine::Tensor* grads, std::size_t, const engine::Tensor*, std::size_t) override;
  TensorImpl* tensor;
};

struct AutogradMeta {
  ~AutogradMeta() {
    if (retained) retained->tensor = nullptr;
  }
  engine::Tensor grad;
  Node* accumulator = nullptr;           // not owned: the graph owns it, and it clears this pointer when it dies
  std::vector<HookPtr> hooks;            // on a leaf: run before its gradient is accumulated
  std::vector<HookPtr> post_accumulate;  // on a leaf: run after
  IntrusivePtr<RetainGrad> retained;     // set by retain_grad()
  std::unique_ptr<std::vector<ViewStep>> view_steps;
};

// ---- views (Note [In-place on views]) ----

// Notes that `view` is `parent` seen as another type or conjugated.
void add_view_step(const engine::Tensor& parent, const engine::Tensor& view, ViewStep::Kind kind);

}  // namespace hwaro
