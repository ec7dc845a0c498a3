// A node of the autograd graph: what computes the gradients of one recorded operation, and whom it passes them to.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "hwaro/core/tensor.h"

namespace hwaro {

class Node;
class SavedTensor;

// Where a gradient goes: input `input_nr` of `node`. The node is held (counted) by whoever holds the edge.
struct Edge {
  Node* node = nullptr;
  std::uint32_t input_nr = 0;
};

// A function on gradients, in C++ or Python. `grads` are changed in place; an entry may be undefined.
class Hook : public GraphNode {
 public:
  virtual void call(engine::Tensor* grads, std::size_t count, const engine::Tensor* others,
                    std::size_t other_count) = 0;
  virtual const void* identity() const { return this; }

 protected:
  void dispose() noexcept override { delete this; }
};
using HookPtr = IntrusivePtr<Hook>;

struct TensorHook {
  std::uint32_t input_nr;
  HookPtr hook;
  bool retains_grad = false;  // runs after all others: it only looks
};

struct NodeHooks {
  std::vector<TensorHook> tensor_hooks;                       // on one gradient that comes in
  std::vector<std::pair<std::uint64_t, HookPtr>> pre_hooks;   // on all gradients that come in
  std::vector<std::pair<std::uint64_t, HookPtr>> post_hooks;  // on what goes out, with what came in
  IntrusivePtr<GraphNode> origin;                             // where the node was made (anomaly.h)
};

// What an output of a recorded operation is, and with it the gradient that comes in for it.
struct OutputInfo {
  Dims sizes;
  DType dtype = DType::Float;
  Device device;
};

class Node : public GraphNode {
 public:
  // Gradients that come in: one per output of the recorded operation.
  std::uint32_t num_inputs = 1;
  // Creation order; the engine runs newer nodes first. AccumulateGrad counts as newest: leaves get their sums early.
  std::uint64_t sequence;
  SmallVector<Edge, 3> edges;
  std::unique_ptr<NodeHooks> hooks;
  OutputInfo output;                                      // output 0
  std::unique_ptr<std::vector<OutputInfo>> more_outputs;  // from output 1 on
  void* pyobj = nullptr;                                  // Python's wrapper, borrowed
  std::atomic<bool> selective = false;                    // a pass on some thread has left an edge out

  Node();

  // grads[num_inputs] come in (undefined: zero); out[edges.size()] go out (undefined: none). May move from `grads`.
  virtual void apply(engine::Tensor* grads, engine::Tensor* out) = 0;
  // As in type(grad_fn).__name__: "MulBackward0".
  virtual std::string name() const = 0;
  // Drops the saved tensors after a backward that does not retain the graph.
  virtual void release_saved() {}
  // For `_saved_self` and friends: names, or numbers where node_names.cpp knows the names.
  virtual std::vector<std::pair<std::string, SavedTensor*>> saved() { return {}; }
  virtual bool is_accumulate() const { return false; }

  // Whether the gradient of input i is asked for: where it leads somewhere, and in a pass towards given inputs, to one.
  bool needs(std::size_t i) const {
    return edges[i].node && (!selective.load(std::memory_order_relaxed) || !left_out(i));
  }
  NodeHooks& make_hooks() {
    if (!hooks) hooks = std::make_unique<NodeHooks>();
    return *hooks;
  }
  // Takes over the reference that `edge` holds.
  void add_edge(Edge edge) { edges.push_back(edge); }

  static void* operator new(std::size_t bytes);
  static void operator delete(void* p, std::size_t bytes) noexcept;

 protected:
  ~Node() override;
  void dispose() noexcept override;

 private:
  bool left_out(std::size_t i) const;
};
using NodePtr = IntrusivePtr<Node>;

// What a tensor carries beyond the fields of TensorImpl (meta.h).
AutogradMeta& autograd_meta(TensorImpl& t);

// How a view came to be; decides what in-place writes to it may do (Note [In-place on views]).
enum class ViewOrigin : std::uint8_t { Default, NoGrad, MultiOutput, Inference, CustomFunction };

// ---- a tensor's place in the graph ----

// Whether operations on t are to be recorded, grad mode aside: it requires grad, has a grad_fn, or is a view of such.
inline bool is_tracked(const engine::Tensor& t) {
  return t->flags & kTracked || (t->flags & kIsView && t->view_base->flags & kTracked);
}
// The node that made t, brought up to date for views whose base was written to in place; null for leaves.
NodePtr grad_fn(const engine::Tensor& t);
// Where t's gradient goes: its grad_fn, or the AccumulateGrad of a leaf that requires grad; counted. Null node: nowhere.
Edge gradient_edge(const engine::Tensor& t);
NodePtr grad_accumulator(const engine::Tensor& leaf);
// Makes t output `nr` of `node` (takes a reference).
void set_history(const engine::Tensor& t, const NodePtr& node, std::uint32_t nr = 0);
// t.requires_grad_(): errors as PyTorch's for integer types and non-leaves.
void set_requires_grad(const engine::Tensor& t, bool on);
inline bool requires_grad(const engine::Tensor& t) { return is_tracked(t); }

// ---- writing in place ----

// Raises PyTorch's errors where t may not be written in place now (leaf that requires grad, view of one, no_grad view…).
void check_inplace(const engine::Tensor& t, bool recorded);
// After a recorded in-place operation with node `node` (whose edge 0 led to t's old history): moves the history.
void rebase_history(const engine::Tensor& t, NodePtr node);

}  // namespace hwaro
