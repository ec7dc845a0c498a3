#include "hwaro/ops/vocabulary.h"

#include "hwaro/function.h"

#include <cstring>

#include "hwaro/autograd/saved_tensor.h"

namespace hwaro {

class FunctionNode final : public Node {
 public:
  FunctionNode(std::string name, std::shared_ptr<Context> context, function_detail::BackwardFunction backward)
      : name_(std::move(name)), context_(std::move(context)), backward_(backward) {
    context_->node_ = this;
  }
  void apply(engine::Tensor* grads, engine::Tensor* out) override {
    std::vector<Tensor> in;
    for (std::uint32_t i = 0; i < num_inputs; ++i)
      in.push_back(grads[i].defined() ? grads[i] : engine::make_zeros(shapes_[i], types_[i]));
    const std::vector<Tensor> result = backward_(*context_, in);
    HWARO_CHECK(result.size() == edges.size(), "function ", name_,
                " returned an incorrect number of gradients (expected ", edges.size(), ", got ", result.size(), ")");
    for (std::size_t i = 0; i < edges.size(); ++i)
      if (needs(i)) out[i] = result[i];
  }
  std::string name() const override { return name_; }
  void release_saved() override {
    for (SavedTensor& s : saved_) s.release();
  }
  void save(const std::vector<Tensor>& outputs) {
    for (const Tensor& t : context_->to_save_) {
      bool is_output = false;
      for (const Tensor& o : outputs) is_output = is_output || o.is_same(t);
      saved_.emplace_back(t, is_output);
    }
    context_->to_save_.clear();
    for (const Tensor& o : outputs) {
      shapes_.emplace_back(o.sizes());
      types_.push_back(o.dtype());
    }
  }
  std::vector<Tensor> unpack() {
    std::vector<Tensor> out;
    for (const SavedTensor& s : saved_) out.push_back(s.defined() ? s.unpack(this) : engine::Tensor());
    return out;
  }

 private:
  std::string name_;
  std::shared_ptr<Context> context_;
  function_detail::BackwardFunction backward_;
  std::vector<SavedTensor> saved_;
  std::vector<Dims> shapes_;
  std::vector<DType> types_;
};

std::vector<Tensor> Context::saved() const {
  HWARO_CHECK(node_, "saved() is for backward");
  return static_cast<FunctionNode*>(node_)->unpack();
}
bool Context::needs_input_grad(std::size_t input) const {
  return node_ && static_cast<const FunctionNode*>(node_)->needs(input);
}

// "… Self = Cube; …" of __PRETTY_FUNCTION__ becomes "CubeBackward".
static std::string node_name(const char* pretty) {
  const char* begin = std::strstr(pretty, "Self = ");
  if (!begin) return "FunctionBackward";
  begin += 7;
  std::size_t n = std::strcspn(begin, ";,]");
  std::string name(begin, n);
  const std::size_t colon = name.rfind("::");
  return (colon == std::string::npos ? name : name.substr(colon + 2)) + "Backward";
}

void function_detail::record(const char* name, std::shared_ptr<Context> context, const std::vector<Tensor>& inputs,
                             std::vector<Tensor>& outputs, BackwardFunction backward) {
  bool tracked = false;
  for (const Tensor& t : inputs) tracked = tracked || (t.defined() && is_tracked(t));
  if (!tracked || !grad_enabled()) return;
  // A result that is one of the inputs would become its own history.
  for (Tensor& o : outputs)
    for (const Tensor& t : inputs)
      if (o.is_same(t)) o = engine::alias(o, o.sizes(), o.strides(), o.storage_offset());
  auto* node = new FunctionNode(node_name(name), std::move(context), backward);
  const NodePtr owner = NodePtr::adopt(node);
  node->num_inputs = std::uint32_t(outputs.size());
  for (const Tensor& t : inputs) node->add_edge(t.defined() ? gradient_edge(t) : Edge{});
  for (std::size_t i = 0; i < outputs.size(); ++i)
    if (outputs[i].defined() && is_differentiable(outputs[i].dtype())) set_history(outputs[i], owner, std::uint32_t(i));
  node->save(outputs);
}

}  // namespace hwaro
