// Note [In-place on views]
// A view shares its base's bytes, so a recorded write to the view changes the history of the base. PyTorch's way, and
// ours: the base gets a CopySlices node that runs the operation's own node on the written part of the gradient, and every
// other view of that base finds, when its grad_fn is asked for next, that the version has moved on, and gets fresh nodes
// onto the base's new history (views.cpp). Each view therefore keeps its base (view_base, the root of the chain) and the
// version for which its grad_fn is right (view_version). Views of the same type and conjugation are described by their
// geometry alone; others (real, view_as_complex, conj, and what is made of those) keep the steps that lead to them.
#include "hwaro/autograd/grad_mode.h"
#include "hwaro/autograd/node_names.h"
#include "hwaro/autograd/primitives.h"
#include "hwaro/autograd/tensor_hooks.h"
#include "hwaro/autograd/views.h"

namespace hwaro {

using engine::Tensor;
namespace primitives = engine::primitives;

namespace {

class CopySlices final : public Node {
 public:
  CopySlices(const Tensor& base, const Tensor& view, NodePtr function)
      : sizes_(base.sizes()),
        strides_(base.strides()),
        offset_(base->offset),
        path_(view),
        function_(std::move(function)) {
    add_edge(gradient_edge(base));
    for (std::size_t i = 1; i < function_->edges.size(); ++i) {
      add_edge(function_->edges[i]);
      if (function_->edges[i].node) function_->edges[i].node->retain();
    }
  }
  void apply(Tensor* grads, Tensor* out) override {
    if (released_) raise_freed();  // even where the operation itself saves nothing
    if (!grads[0].defined()) return;
    // A copy of what came in, laid out like the base; the written part is then replaced by what the operation makes of it.
    const Tensor whole = primitives::copy_into_geometry(grads[0], sizes_, strides_);
    const Tensor part = path_.from(whole, whole->offset - offset_);
    Tensor incoming = primitives::clone(part);
    std::vector<Tensor> results(function_->edges.size());
    function_->apply(&incoming, results.data());
    if (needs(0)) {
      if (!results[0].defined()) results[0] = primitives::zeros(part.sizes(), part.dtype(), part.device());
      if (grad_enabled()) primitives::write(part, results[0]);
      else primitives::copy_(part, results[0]);
      out[0] = whole;
    }
    for (std::size_t i = 1; i < results.size(); ++i) out[i] = std::move(results[i]);
  }
  std::string name() const override { return "CopySlices"; }
  void release_saved() override {
    function_ = nullptr;  // it may also stand in a graph of its own, by a result that it saved
    released_ = true;
  }

 private:
  Dims sizes_, strides_;
  std::int64_t offset_;
  ViewPath path_;
  NodePtr function_;
  bool released_ = false;
};

}  // namespace

void check_inplace(const Tensor& t, bool recorded) {
  HWARO_CHECK(
      !(t->is(kInference) && !inference_enabled()),
      "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal "
      "tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details.");
  if (!recorded || !grad_enabled()) return;
  if (t->is(kIsView)) {
    check_view_written(t, false);
    HWARO_CHECK(!(is_tracked(t) && !t->view_base->grad_fn),
                "a view of a leaf Variable that requires grad is being used in an in-place operation.");
  }
  HWARO_CHECK(!(t->requires_grad && !t->grad_fn),
              "a leaf Variable that requires grad is being used in an in-place operation.");
}

void rebase_history(const Tensor& t, NodePtr node) {
  if (!t->is(kIsView)) {
    replace_history(t, node);
    return;
  }
  const Tensor base(t->view_base);
  replace_history(base, NodePtr::adopt(new CopySlices(base, t, std::move(node))));
  rebuild_history(t);
}

}  // namespace hwaro
