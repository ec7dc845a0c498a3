// Note [In-place on views]
// A view shares its base's bytes, so a recorded write to the view changes the history of the base. PyTorch's way, and
// ours: the base gets a CopySlices node that runs the operation's own node on the written part of the gradient, and every
// other view of that base finds, when its grad_fn is asked for next, that the version has moved on, and gets a fresh
// AsStrided node onto the base's new history. Each view therefore keeps its base (view_base, the root of the chain) and
// the version for which its grad_fn is right (view_version).
#include "hwaro/autograd/accumulate_grad.h"
#include "hwaro/autograd/grad_mode.h"
#include "hwaro/autograd/node.h"
#include "hwaro/autograd/primitives.h"

namespace hwaro {

using engine::Tensor;
namespace primitives = engine::primitives;

namespace {

struct Geometry {
  Dims sizes, strides;
  std::int64_t offset;
  explicit Geometry(const TensorImpl& t) : sizes(t.sizes), strides(t.strides), offset(t.offset) {}
};

class AsStridedView final : public Node {
 public:
  AsStridedView(const Tensor& base, const Tensor& view) : base_(*base.impl()), view_(*view.impl()) {
    add_edge(gradient_edge(base));
  }
  void apply(Tensor* grads, Tensor* out) override {
    if (!grads[0].defined() || !needs(0)) return;
    out[0] = primitives::as_strided_backward(grads[0], base_.sizes, base_.strides, base_.offset, view_.sizes,
                                             view_.strides, view_.offset);
  }
  std::string name() const override { return "AsStridedBackward0"; }

 private:
  Geometry base_, view_;
};

class CopySlices final : public Node {
 public:
  CopySlices(const Tensor& base, const Tensor& view, NodePtr function)
      : base_(*base.impl()), view_(*view.impl()), function_(std::move(function)) {
    add_edge(gradient_edge(base));
    for (std::size_t i = 1; i < function_->edges.size(); ++i) {
      add_edge(function_->edges[i]);
      if (function_->edges[i].node) function_->edges[i].node->retain();
    }
  }
  void apply(Tensor* grads, Tensor* out) override {
    if (!grads[0].defined()) return;
    const Tensor whole = primitives::copy_into_geometry(grads[0], base_.sizes, base_.strides);
    const std::int64_t offset = whole->offset + view_.offset - base_.offset;
    const bool recorded = grad_enabled();
    const Tensor part = recorded ? primitives::as_strided(whole, view_.sizes, view_.strides, offset)
                                 : primitives::as_strided_view(whole, view_.sizes, view_.strides, offset);
    Tensor incoming = primitives::clone(part);
    std::vector<Tensor> results(function_->edges.size());
    function_->apply(&incoming, results.data());
    if (!results[0].defined()) results[0] = primitives::zeros(part.sizes(), part.dtype(), part.device());
    if (recorded) {
      // The same by recorded operators: the written part's gradient takes the place of what came in there.
      out[0] = primitives::add(
          whole, primitives::as_strided_backward(primitives::sub(results[0], part), base_.sizes, whole.strides(),
                                                 whole->offset, view_.sizes, view_.strides, offset));
    } else {
      primitives::copy_(part, results[0]);
      out[0] = whole;
    }
    for (std::size_t i = 1; i < results.size(); ++i) out[i] = std::move(results[i]);
  }
  std::string name() const override { return "CopySlices"; }
  void release_saved() override { function_->release_saved(); }

 private:
  Geometry base_, view_;
  NodePtr function_;
};

Tensor base_of(const Tensor& view) { return Tensor(view->view_base); }

}  // namespace

NodePtr grad_fn(const Tensor& t) {
  if (t->is(kIsView) && t->view_base->is(kTracked) && t->view_version != t->version() &&
      t->view_origin != std::uint8_t(ViewOrigin::NoGrad)) [[unlikely]] {
    NodePtr node = NodePtr::adopt(new AsStridedView(base_of(t), t));
    if (node->needs(0)) set_history(t, node, 0);
  }
  return NodePtr::share(static_cast<Node*>(t->grad_fn.get()));
}

void check_inplace(const Tensor& t, bool recorded) {
  HWARO_CHECK(
      !(t->is(kInference) && !inference_enabled() && t_modes.grad),
      "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal "
      "tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details.");
  if (!recorded || !grad_enabled()) return;
  if (t->is(kIsView)) {
    const char* const advice =
        " is being modified inplace with grad mode enabled. Given that this use case is ambiguous and error-prone, it "
        "is "
        "forbidden. You can clarify your code by moving both the view and the inplace either both inside the ";
    switch (ViewOrigin(t->view_origin)) {
      case ViewOrigin::NoGrad:
        raise("A view was created in no_grad mode and", advice,
              "no_grad block (if you don't want the inplace to be tracked) or both outside (if you want the inplace to "
              "be "
              "tracked).");
      case ViewOrigin::Inference:
        raise("A view was created in inference mode and", advice,
              "inference_mode block (if you don't want the inplace to be tracked) or both outside (if you want the "
              "inplace "
              "to be tracked).");
      case ViewOrigin::MultiOutput: {
        const NodePtr node = grad_fn(t);
        if (node)
          raise("Output ", t->output_nr, " of ", node->name().substr(0, node->name().find("Backward")),
                " is a view and is being modified inplace. This view is the output of a function that returns multiple "
                "views. Such functions do not allow the output views to be modified inplace. You should replace the "
                "inplace operation by an out-of-place one.");
        break;
      }
      case ViewOrigin::CustomFunction:
        raise("Output ", t->output_nr, " of ", grad_fn(t) ? grad_fn(t)->name() : "",
              " is a view and is being modified inplace. This view was created inside a custom Function (or because an "
              "input was returned as-is) and the autograd logic to handle view+inplace would override the custom "
              "backward "
              "associated with the custom Function, leading to incorrect gradients. This behavior is forbidden. You "
              "can fix "
              "this by cloning the output of the custom Function.");
      case ViewOrigin::Default: break;
    }
    const Tensor base = base_of(t);
    HWARO_CHECK(!(is_tracked(t) && !base->grad_fn),
                "a view of a leaf Variable that requires grad is being used in an in-place operation.");
    HWARO_CHECK_AS(
        NotImplementedError, base.dtype() == t.dtype(),
        "writing in place to a view of another element type (real, imag, view_as_real, view(dtype)) cannot be "
        "recorded; write to the base instead, or inside torch.no_grad()");
  }
  HWARO_CHECK(!(t->requires_grad && !t->grad_fn),
              "a leaf Variable that requires grad is being used in an in-place operation.");
}

void rebase_history(const Tensor& t, NodePtr node) {
  if (!t->is(kIsView)) {
    set_history(t, node, 0);
    return;
  }
  const Tensor base = base_of(t);
  const NodePtr slices = NodePtr::adopt(new CopySlices(base, t, std::move(node)));
  set_history(base, slices, 0);
  const NodePtr view = NodePtr::adopt(new AsStridedView(base, t));
  set_history(t, view, 0);
}

}  // namespace hwaro
