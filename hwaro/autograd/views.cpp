// The histories of views: how they are rebuilt after a write to their base, and what writes are refused.
// See Note [In-place on views] in inplace.cpp.
#include "hwaro/autograd/views.h"

#include "hwaro/autograd/grad_mode.h"
#include "hwaro/autograd/node_names.h"
#include "hwaro/autograd/primitives.h"
#include "hwaro/autograd/tensor_hooks.h"

namespace hwaro {

using engine::Tensor;
namespace primitives = engine::primitives;

void add_view_step(const Tensor& parent, const Tensor& view, ViewStep::Kind kind) {
  auto steps = std::make_unique<std::vector<ViewStep>>();
  auto strided = [&](const Tensor& t) {
    steps->push_back({ViewStep::Kind::Strided, Dims(t.sizes()), Dims(t.strides()), t->offset});
  };
  if (parent->autograd && parent->autograd->view_steps) *steps = *parent->autograd->view_steps;
  else if (parent->is(kIsView)) strided(parent);
  if (kind == ViewStep::Kind::Strided) strided(view);
  else steps->push_back({kind, {}, {}, 0});
  autograd_meta(*view.impl()).view_steps = std::move(steps);
}

ViewPath::ViewPath(const Tensor& view) {
  if (view->autograd && view->autograd->view_steps) steps_ = *view->autograd->view_steps;
  else steps_.push_back({ViewStep::Kind::Strided, Dims(view.sizes()), Dims(view.strides()), view->offset});
}

Tensor ViewPath::from(const Tensor& base, std::int64_t shift) const {
  Tensor t = base;
  for (const ViewStep& step : steps_) {
    switch (step.kind) {
      case ViewStep::Kind::Strided: t = primitives::as_strided(t, step.sizes, step.strides, step.offset + shift); break;
      case ViewStep::Kind::AsReal:
        t = primitives::view_as_real(t);
        shift *= 2;
        break;
      case ViewStep::Kind::AsComplex:
        t = primitives::view_as_complex(t);
        shift /= 2;
        break;
      case ViewStep::Kind::Conj: t = primitives::conj(t); break;
    }
  }
  return t;
}

void check_view_written(const Tensor& view, bool indirect) {
  const auto origin = ViewOrigin(view->view_origin);
  if (origin == ViewOrigin::Default) return;
  const auto* node = static_cast<const Node*>(view->grad_fn.get());
  const std::string written = indirect ? "its base or another view of its base has been" : "is being";
  std::string text = node ? concat("Output ", view->output_nr, " of ", operation_name(*node), " is a view") : "A view";
  if (!node || origin == ViewOrigin::NoGrad || origin == ViewOrigin::Inference) {
    text += node ? " of a view which was created in " : " was created in ";
    text += origin == ViewOrigin::Inference
                ? "inference mode and " + written + " modified inplace in normal mode."
                : "no_grad mode and " + written + " modified inplace with grad mode enabled.";
  } else {
    text += " and " + written + " modified inplace.";
  }
  const std::string ambiguous =
      " Given that this use case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving "
      "both "
      "the view and the inplace either both inside the ";
  const std::string either =
      " block (if you don't want the inplace to be tracked) or both outside (if you want the inplace to be tracked).";
  switch (origin) {
    case ViewOrigin::Default: break;
    case ViewOrigin::NoGrad: raise(text, ambiguous, "no_grad", either);
    case ViewOrigin::Inference: raise(text, ambiguous, "inference_mode", either);
    case ViewOrigin::MultiOutput:
      raise(
          text,
          " This view is the output of a function that returns multiple views. Such functions do not allow the output "
          "views to be modified inplace. You should replace the inplace operation by an out-of-place one.");
    case ViewOrigin::CustomFunction:
      raise(text,
            " This view was created inside a custom Function (or because an input was returned as-is) and the autograd "
            "logic to handle view+inplace would override the custom backward associated with the custom Function, "
            "leading to incorrect gradients. This behavior is forbidden. You can fix this by cloning the output of the "
            "custom Function.");
  }
}

NodePtr grad_fn(const Tensor& t) {
  if (t->is(kIsView) && t->view_version != t->version() && (t->grad_fn || t->view_base->is(kTracked))) [[unlikely]] {
    check_view_written(t, true);
    rebuild_history(t);
  }
  return NodePtr::share(static_cast<Node*>(t->grad_fn.get()));
}

namespace {
// The way from a base without history.
class AsStridedFromNowhere final : public Node {
 public:
  AsStridedFromNowhere() { add_edge({}); }
  void apply(Tensor*, Tensor*) override {}
  std::string name() const override { return "AsStridedBackward0"; }
};
}  // namespace

void rebuild_history(const Tensor& view) {
  const ViewPath path(view);
  if (!view->view_base->is(kTracked)) {
    // A view of a leaf that is itself a view of this base: the way to the leaf is lost, in PyTorch as here.
    if (path.strided()) return replace_history(view, NodePtr::adopt(new AsStridedFromNowhere()));
    view->grad_fn = nullptr;
    view->set(kTracked, false);
    view->view_version = view->version();
    return;
  }
  EnableGradGuard guard;
  const Tensor fresh = path.from(Tensor(view->view_base), 0);
  replace_history(view, NodePtr::share(static_cast<Node*>(fresh->grad_fn.get())), fresh->output_nr);
}

}  // namespace hwaro
