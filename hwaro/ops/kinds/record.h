// Recording of operators that are not pointwise: a node made from a lambda.
//
//   if (recording(self, mat2))
//     record("MmBackward0", {self, mat2}, out, {save(self), save(mat2)}, [](Backward& b) {
//       if (b.needs(0)) b.set(0, mm(b.g(), conj(t(b.saved(1)))));
//       if (b.needs(1)) b.set(1, mm(conj(t(b.saved(0))), b.g()));
//     });
//
// The lambda's captures hold sizes and numbers; tensors go through the list of saves, which checks versions and is
// released after the pass. What the lambda computes with recorded operators is differentiable again.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <vector>

#include "hwaro/autograd/grad_mode.h"
#include "hwaro/autograd/saved_tensor.h"
#include "hwaro/ops/vocabulary.h"

namespace hwaro::engine {

template <class... T>
bool recording(const T&... inputs) {
  return grad_enabled() && ((inputs.defined() && is_tracked(inputs)) || ...);
}
inline bool recording_any(Span<Tensor> inputs) {
  if (!grad_enabled()) return false;
  for (const Tensor& t : inputs)
    if (t.defined() && is_tracked(t)) return true;
  return false;
}

struct Save {
  Tensor tensor;
  bool is_output = false;
};
inline Save save(const Tensor& t) { return {t, false}; }
// Nothing is kept where the gradient that reads it will not be asked for.
inline Save save_if(bool wanted, const Tensor& t) { return wanted ? Save{t, false} : Save{}; }
inline Save save_output(const Tensor& t) { return {t, true}; }

// What a backward lambda sees.
class Backward {
 public:
  Backward(Node& node, Tensor* grads, Tensor* out, std::vector<SavedTensor>& saved)
      : node_(node), grads_(grads), out_(out), saved_(saved) {}
  // The gradient of output i; undefined where nothing came (only with several outputs).
  const Tensor& g(std::size_t i = 0) const { return grads_[i]; }
  bool needs(std::size_t input) const { return node_.needs(input); }
  Tensor saved(std::size_t i) const { return saved_[i].unpack(&node_); }
  bool has_saved(std::size_t i) const { return saved_[i].defined(); }
  void set(std::size_t input, Tensor grad) { out_[input] = std::move(grad); }
  std::size_t input_count() const { return node_.edges.size(); }
  std::size_t output_count() const { return node_.num_inputs; }

 private:
  Node& node_;
  Tensor* grads_;
  Tensor* out_;
  std::vector<SavedTensor>& saved_;
};

namespace record_detail {

template <class F>
class LambdaNode final : public Node {
 public:
  LambdaNode(std::string name, Span<Tensor> inputs, std::uint32_t outputs, F f)
      : name_(std::move(name)), f_(std::move(f)) {
    num_inputs = outputs;
    for (const Tensor& t : inputs) add_edge(t.defined() ? gradient_edge(t) : Edge{});
  }
  void apply(Tensor* grads, Tensor* out) override {
    if (std::none_of(grads, grads + num_inputs, [](const Tensor& g) { return g.defined(); })) return;
    Backward b(*this, grads, out, saved_);
    f_(b);
  }
  std::string name() const override { return name_; }
  void release_saved() override {
    for (SavedTensor& s : saved_) s.release();
  }
  std::vector<std::pair<std::string, SavedTensor*>> saved() override {
    std::vector<std::pair<std::string, SavedTensor*>> list;
    for (std::size_t i = 0; i < saved_.size(); ++i) list.push_back({std::to_string(i), &saved_[i]});
    return list;
  }
  void add_saves(std::initializer_list<Save> saves) {
    saved_.reserve(saves.size());
    for (const Save& s : saves) saved_.emplace_back(s.tensor, s.is_output);
  }

 private:
  std::string name_;
  std::vector<SavedTensor> saved_;
  F f_;
};

}  // namespace record_detail

// Makes `outputs` the results of a new node with edges to `inputs`. Integer outputs are left alone, but counted.
template <class F>
NodePtr record(std::string name, Span<Tensor> inputs, Span<Tensor> outputs, std::initializer_list<Save> saves, F f) {
  auto* node = new record_detail::LambdaNode<F>(std::move(name), inputs, std::uint32_t(outputs.size()), std::move(f));
  NodePtr owner = NodePtr::adopt(node);
  for (std::size_t i = 0; i < outputs.size(); ++i)
    if (outputs[i].defined() && is_differentiable(outputs[i].dtype())) set_history(outputs[i], owner, std::uint32_t(i));
  node->add_saves(saves);
  return owner;
}
template <class F>
NodePtr record(std::string name, std::initializer_list<Tensor> inputs, const Tensor& output,
               std::initializer_list<Save> saves, F f) {
  return record(std::move(name), Span<Tensor>(inputs), Span<Tensor>(&output, 1), saves, std::move(f));
}
template <class F>
NodePtr record(std::string name, std::initializer_list<Tensor> inputs, std::initializer_list<Tensor> outputs,
               std::initializer_list<Save> saves, F f) {
  return record(std::move(name), Span<Tensor>(inputs), Span<Tensor>(outputs), saves, std::move(f));
}

// For in-place operators that are not pointwise: call check_inplace(self, …) first, write, bump the version, then this.
template <class F>
void record_inplace(std::string name, const Tensor& self, std::initializer_list<Tensor> inputs,
                    std::initializer_list<Save> saves, F f) {
  auto* node = new record_detail::LambdaNode<F>(std::move(name), Span<Tensor>(inputs), 1, std::move(f));
  NodePtr owner = NodePtr::adopt(node);
  node->add_saves(saves);
  rebase_history(self, owner);
}

// A view of `base` as a view operator returns it: known as a view of the root, and recorded with the given backward (one
// gradient in, one out) where base is tracked.
Tensor make_view(const Tensor& base, IntSpan sizes, IntSpan strides, std::int64_t offset, bool multi_output = false);
template <class F>
Tensor record_view(const char* name, const Tensor& base, IntSpan sizes, IntSpan strides, std::int64_t offset, F f) {
  const Tensor out = make_view(base, sizes, strides, offset);
  if (recording(base)) record(name, {base}, out, {}, [f = std::move(f)](Backward& b) { b.set(0, f(b.g())); });
  return out;
}

}  // namespace hwaro::engine
