#include "hwaro/autograd/saved_tensor.h"

#include "hwaro/autograd/grad_mode.h"
#include "hwaro/autograd/node_names.h"

namespace hwaro {

using engine::Tensor;

SavedTensorHooks g_saved_tensor_hooks;

// A second handle to the same data without history.
static Tensor alias_without_history(const Tensor& t) {
  TensorImpl* alias = TensorImpl::create();
  alias->storage = t->storage;
  alias->counter = t->counter;
  alias->offset = t->offset;
  alias->numel = t->numel;
  alias->flags = t->flags & (kContiguous | kConj | kWrappedNumber);
  alias->dtype = t->dtype;
  alias->device = t->device;
  alias->sizes = t->sizes;
  alias->strides = t->strides;
  return Tensor(IntrusivePtr<TensorImpl>::adopt(alias));
}

SavedTensor::SavedTensor(const Tensor& t, bool is_output) : is_output_(is_output) {
  if (!t.defined()) return;
  version_ = t->version();
  output_nr_ = t->output_nr;
  // An inference tensor has no version to check, so it cannot be saved for backward.
  HWARO_CHECK(
      !t->is(kInference),
      "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in "
      "computation tracked by autograd. To work around this, you can make a clone to get a normal tensor and use "
      "it in autograd, or use `torch.no_grad()` instead of `torch.inference_mode()`.");
  if (t_saved_tensor_hooks_active) [[unlikely]] {
    NoGradGuard guard;
    keep_packed(t, g_saved_tensor_hooks.pack(t));
    return;
  }
  tensor_ = is_output ? alias_without_history(t) : t;
}

// What a hook made of a tensor, and the place in the graph that its unpacked twin takes.
class PackedTensor final : public GraphNode {
 public:
  PackedTensor(IntrusivePtr<GraphNode> content, Edge edge)
      : content(std::move(content)), node(NodePtr::adopt(edge.node)), output_nr(edge.input_nr) {}
  IntrusivePtr<GraphNode> content;
  NodePtr node;
  std::uint32_t output_nr;

 protected:
  void dispose() noexcept override { delete this; }
};

void SavedTensor::keep_packed(const Tensor& t, IntrusivePtr<GraphNode> packed) {
  const Edge edge = is_output_ ? Edge{} : gradient_edge(t);
  packed_ = IntrusivePtr<GraphNode>::adopt(new PackedTensor(std::move(packed), edge));
}

void SavedTensor::pack(const std::function<IntrusivePtr<GraphNode>(const Tensor&)>& hook, Node* owner) {
  HWARO_CHECK(
      !released_,
      "Calling register_hooks on a saved tensor after it has been freed. Saved intermediate values of the graph "
      "are freed when you call .backward() or autograd.grad(). Specify retain_graph=True if you need to backward "
      "through the graph a second time or if you need to access saved variables after calling backward.");
  HWARO_CHECK(!packed_,
              "Calling register_hooks on a saved tensor whose hooks have already been set. Hint: only one pair "
              "of hooks is allowed at a time.");
  HWARO_CHECK(tensor_.defined(), "Calling register_hooks on a saved tensor with value None is forbidden");
  const Tensor t = unpack(owner);
  NoGradGuard guard;
  IntrusivePtr<GraphNode> packed = hook(t);
  keep_packed(tensor_, std::move(packed));
  tensor_ = {};
}

Tensor SavedTensor::unpack(Node* owner) const {
  if (released_) [[unlikely]]
    raise_freed();
  if (packed_) [[unlikely]] {
    const auto* packed = static_cast<PackedTensor*>(packed_.get());
    const Tensor content = g_saved_tensor_hooks.unpack(packed->content.get());
    if (!content.defined()) return {};
    const Tensor twin = alias_without_history(content);
    if (is_output_) set_history(twin, NodePtr::share(owner), output_nr_);
    else if (packed->node) set_history(twin, packed->node, packed->output_nr);
    return twin;
  }
  if (!tensor_.defined()) return {};
  if (tensor_->version() != version_) [[unlikely]] {
    const std::string kind = type_text(tensor_);
    std::string from;
    if (is_output_) from = concat(", which is output ", output_nr_, " of ", operation_name(*owner), ",");
    else if (tensor_->grad_fn)
      from = concat(", which is output ", tensor_->output_nr, " of ", operation_name(*grad_fn(tensor_)), ",");
    raise("one of the variables needed for gradient computation has been modified by an inplace operation: [", kind,
          " ", sizes_str(tensor_.sizes()), "]", from, " is at version ", tensor_->version(), "; expected version ",
          version_, " instead. Hint: ",
          t_modes.anomaly
              ? "the backtrace further above shows the operation that failed to compute its gradient. The variable in "
                "question was changed in there or anywhere later. Good luck!"
              : "enable anomaly detection to find the operation that failed to compute its gradient, with "
                "torch.autograd.set_detect_anomaly(True, check_nan=False).");
  }
  if (!is_output_) return tensor_;
  Tensor with_history = alias_without_history(tensor_);
  set_history(with_history, NodePtr::share(owner), output_nr_);
  return with_history;
}

}  // namespace hwaro
