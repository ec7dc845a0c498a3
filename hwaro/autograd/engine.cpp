#include "hwaro/autograd/engine.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>

#include "hwaro/autograd/accumulate_grad.h"
#include "hwaro/autograd/anomaly.h"
#include "hwaro/autograd/grad_mode.h"
#include "hwaro/autograd/meta.h"
#include "hwaro/autograd/primitives.h"
#include "hwaro/autograd/saved_tensor.h"
#include "hwaro/autograd/tensor_hooks.h"
#include "hwaro/base/fork_safe_mutex.h"
#include "hwaro/base/parallel.h"

namespace hwaro {

using engine::Tensor;
namespace primitives = engine::primitives;

namespace {

// What one backward pass knows of one node. Kept outside the nodes, so that passes on several threads, or inside each
// other, may share parts of a graph.
struct State {
  Node* node;
  std::uint32_t waiting = 0;        // edges into this node whose gradient has not arrived
  bool needed = true;               // one of `inputs`, or on a path to one
  bool runs = true;                 // on a path to one, or a leaf to accumulate into; otherwise only looked at
  std::int32_t first_capture = -1;  // index into captures, a list by `next`
  std::uint32_t grads = 0;          // where this node's incoming gradients start in the pool
};

// Node -> State: open addressing over a vector of states.
class StateTable {
 public:
  void clear() {
    states_.clear();
    slots_.assign(64, -1);
  }
  State& operator[](std::int32_t i) { return states_[std::size_t(i)]; }
  std::size_t size() const { return states_.size(); }
  // The index of node's state, made if there is none; `fresh` says so.
  std::int32_t find(Node* node, bool& fresh) {
    std::size_t i = hash(node);
    while (slots_[i] >= 0) {
      if (states_[slots_[i]].node == node) {
        fresh = false;
        return slots_[i];
      }
      i = (i + 1) & (slots_.size() - 1);
    }
    fresh = true;
    const auto index = std::int32_t(states_.size());
    slots_[i] = index;
    states_.push_back({node});
    if (states_.size() * 2 > slots_.size()) grow();
    return index;
  }

  // The index of node's state, -1 if there is none.
  std::int32_t known(const Node* node) const {
    for (std::size_t i = hash(node); slots_[i] >= 0; i = (i + 1) & (slots_.size() - 1))
      if (states_[std::size_t(slots_[i])].node == node) return slots_[i];
    return -1;
  }

 private:
  std::size_t hash(const Node* node) const {
    return (reinterpret_cast<std::size_t>(node) >> 5) * 0x9E3779B97F4A7C15ull >> 20 & (slots_.size() - 1);
  }
  void grow() {
    slots_.assign(slots_.size() * 4, -1);
    for (std::size_t s = 0; s < states_.size(); ++s) {
      std::size_t i = hash(states_[s].node);
      while (slots_[i] >= 0) i = (i + 1) & (slots_.size() - 1);
      slots_[i] = std::int32_t(s);
    }
  }

  std::vector<State> states_;
  std::vector<std::int32_t> slots_;
};

struct Capture {
  std::uint32_t input_nr;
  std::uint32_t result;
  std::int32_t next;
};

// The vectors of a pass, kept from one to the next: a small backward allocates nothing.
struct Workspace {
  StateTable states;
  std::vector<Tensor> pool;  // incoming gradients of all nodes
  std::vector<std::int32_t> ready, stack;
  std::vector<Capture> captures;
};

class Pass {
 public:
  Pass(const BackwardOptions& options, Workspace& w)
      : options_(options),
        states_(w.states),
        table_(w.states),
        pool_(w.pool),
        ready_(w.ready),
        stack_(w.stack),
        captures_(w.captures) {
    states_.clear();
    pool_.clear();
    ready_.clear();
    captures_.clear();
  }
  ~Pass() { pool_.clear(); }

  std::vector<Tensor> run(Span<Tensor> roots, Span<Tensor> grads, Span<Tensor> inputs);
  bool selective() const { return selective_; }
  bool will_run(const Node* node) {
    const std::int32_t s = table_.known(node);
    return s >= 0 && states_[s].needed;
  }

 private:
  std::int32_t state_of(Node* node, bool& fresh) {
    const std::int32_t s = table_.find(node, fresh);
    if (fresh) {
      states_[s].grads = std::uint32_t(pool_.size());
      pool_.resize(pool_.size() + node->num_inputs);
    }
    return s;
  }
  void discover(const std::vector<Edge>& root_edges);
  void mark_needed();
  void deliver(std::int32_t s, std::uint32_t input_nr, Tensor grad);
  void run_node(std::int32_t s);
  void push_ready(std::int32_t s) {
    ready_.push_back(s);
    std::push_heap(ready_.begin(), ready_.end(), [this](auto a, auto b) { return newer(b, a); });
  }
  bool newer(std::int32_t a, std::int32_t b) const { return states_[a].node->sequence > states_[b].node->sequence; }

  const BackwardOptions& options_;
  StateTable &states_, &table_;
  std::vector<Tensor>& pool_;
  std::vector<std::int32_t>&ready_, &stack_;
  std::vector<Capture>& captures_;
  std::vector<Tensor> results_;
  bool selective_ = false;
};

void Pass::discover(const std::vector<Edge>& root_edges) {
  std::vector<std::int32_t>& stack = stack_;
  stack.clear();
  bool fresh;
  for (const Edge& e : root_edges) {
    const std::int32_t s = state_of(e.node, fresh);
    if (fresh) stack.push_back(s);
  }
  while (!stack.empty()) {
    Node* node = states_[stack.back()].node;
    stack.pop_back();
    for (const Edge& e : node->edges) {
      if (!e.node) continue;
      const std::int32_t s = state_of(e.node, fresh);
      ++states_[s].waiting;
      if (fresh) stack.push_back(s);
    }
  }
}

// With `inputs`: a node is needed if a gradient is captured there or behind it. Nodes are visited after their successors.
void Pass::mark_needed() {
  std::vector<std::uint8_t> done(states_.size(), 0);
  std::vector<std::pair<std::int32_t, std::size_t>> stack;
  for (std::size_t start = 0; start < done.size(); ++start) {
    if (done[start]) continue;
    done[start] = 1;
    stack.push_back({std::int32_t(start), 0});
    while (!stack.empty()) {
      auto& [s, at] = stack.back();
      Node* node = states_[s].node;
      bool descended = false;
      while (at < node->edges.size()) {
        const Edge& e = node->edges[at++];
        if (!e.node) continue;
        const std::int32_t next = table_.known(e.node);  // none behind an input that the roots do not reach
        if (next >= 0 && !done[next]) {
          done[next] = 1;
          stack.push_back({next, 0});
          descended = true;
          break;
        }
      }
      if (descended) continue;
      State& state = states_[s];
      for (const Edge& e : node->edges)
        if (const std::int32_t next = e.node ? table_.known(e.node) : -1; next >= 0)
          state.runs = state.runs || states_[next].needed;
      state.needed = state.runs || state.first_capture >= 0;
      stack.pop_back();
    }
  }
}

void Pass::deliver(std::int32_t s, std::uint32_t input_nr, Tensor grad) {
  if (grad.defined()) {
    Tensor& slot = pool_[states_[s].grads + input_nr];
    if (!slot.defined()) slot = std::move(grad);
    else slot = primitives::add(slot, grad);
  }
}

// Runs the hooks of tensors on the gradients that come into the node they were made by; those that only look
// (retain_grad) come last.
void run_tensor_hooks(Node* node, Tensor* grads) {
  if (node->is_accumulate()) {
    const std::vector<HookPtr> hooks = static_cast<AccumulateGrad*>(node)->variable->autograd->hooks;
    for (const HookPtr& hook : hooks) hook->call(grads, 1, nullptr, 0);
  }
  if (!node->hooks) return;
  const std::vector<TensorHook> hooks = node->hooks->tensor_hooks;  // a hook may remove itself
  for (const bool looks : {false, true})
    for (const TensorHook& hook : hooks)
      if (hook.retains_grad == looks) hook.hook->call(&grads[hook.input_nr], 1, nullptr, 0);
}

// The edges that this thread's pass leaves out at the node it runs now.
struct LeftOut {
  const Node* node = nullptr;
  const std::vector<std::uint8_t>* edges = nullptr;
};
thread_local constinit LeftOut t_left_out;

void apply_hooked(Node* node, Tensor* grads, Tensor* out) {
  const std::size_t count = node->num_inputs, out_count = node->edges.size();
  std::vector<Tensor> before;
  std::vector<std::pair<std::uint64_t, HookPtr>> post;
  if (node->hooks) {
    const auto pre = node->hooks->pre_hooks;
    for (const auto& [id, hook] : pre) hook->call(grads, count, nullptr, 0);
    post = node->hooks->post_hooks;
    if (!post.empty()) before.assign(grads, grads + count);
  }
  if (t_modes.anomaly) apply_watched(*node, grads, out);
  else node->apply(grads, out);
  for (const auto& [id, hook] : post) hook->call(out, out_count, before.data(), count);
}
void apply_node(Node* node, Tensor* grads, Tensor* out) {
  if (node->hooks || t_modes.anomaly) [[unlikely]]
    apply_hooked(node, grads, out);
  else node->apply(grads, out);
}

void Pass::run_node(std::int32_t s) {
  Node* node = states_[s].node;
  Tensor grads_inline[4], out_inline[4];
  std::vector<Tensor> grads_heap, out_heap;
  Tensor* grads = grads_inline;
  Tensor* out = out_inline;
  const std::size_t count = node->num_inputs, out_count = node->edges.size();
  if (count > 4) grads_heap.resize(count), grads = grads_heap.data();
  if (out_count > 4) out_heap.resize(out_count), out = out_heap.data();
  for (std::size_t i = 0; i < count; ++i) grads[i] = std::move(pool_[states_[s].grads + i]);
  // What is caught at a node that also runs has not seen the hooks; at one that does not, it has.
  const bool runs = states_[s].runs;
  const bool hooked =
      node->hooks || (node->is_accumulate() && !static_cast<AccumulateGrad*>(node)->variable->autograd->hooks.empty());
  if (hooked && !runs) run_tensor_hooks(node, grads);
  for (std::int32_t c = states_[s].first_capture; c >= 0; c = captures_[c].next)
    results_[captures_[c].result] = grads[captures_[c].input_nr];
  if (!runs) return;
  if (hooked) run_tensor_hooks(node, grads);

  bool fresh;
  if (selective_) {
    std::vector<std::uint8_t> left(out_count, 0);
    bool any = false;
    for (std::size_t i = 0; i < out_count; ++i)
      if (const Edge e = node->edges[i]; e.node && !states_[table_.find(e.node, fresh)].needed) left[i] = any = true;
    if (any) node->selective.store(true, std::memory_order_relaxed);
    struct Restore {
      LeftOut before = t_left_out;
      ~Restore() { t_left_out = before; }
    } restore;
    t_left_out = {node, &left};
    apply_node(node, grads, out);
  } else {
    apply_node(node, grads, out);
  }
  if (!options_.retain_graph) node->release_saved();
  for (std::size_t i = 0; i < out_count; ++i) {
    const Edge e = node->edges[i];
    if (!e.node) continue;
    const std::int32_t next = table_.find(e.node, fresh);
    if (!states_[next].needed) continue;
    deliver(next, e.input_nr, std::move(out[i]));
    if (--states_[next].waiting == 0) push_ready(next);
  }
}

std::vector<Tensor> Pass::run(Span<Tensor> roots, Span<Tensor> grads, Span<Tensor> inputs) {
  std::vector<Edge> edges;
  std::vector<NodePtr> keep;  // the graph must outlive the pass even if hooks drop the roots
  edges.reserve(roots.size());
  for (const Tensor& root : roots) {
    const Edge e = gradient_edge(root);
    HWARO_CHECK(e.node, "element ", edges.size(), " of tensors does not require grad and does not have a grad_fn");
    edges.push_back(e);
    keep.push_back(NodePtr::adopt(e.node));
  }
  discover(edges);
  if (!inputs.empty()) {
    selective_ = true;
    results_.resize(inputs.size());
    std::vector<std::int32_t> targets;
    bool fresh;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const Edge e = gradient_edge(inputs[i]);
      if (!e.node) continue;  // a view made under no_grad: known to require grad, but nothing leads there
      keep.push_back(NodePtr::adopt(e.node));
      const std::int32_t s = state_of(e.node, fresh);
      if (options_.accumulate) {
        targets.push_back(s);
        continue;
      }
      captures_.push_back({e.input_nr, std::uint32_t(i), states_[s].first_capture});
      states_[s].first_capture = std::int32_t(captures_.size()) - 1;
    }
    for (std::size_t i = 0; i < states_.size(); ++i) states_[std::int32_t(i)].runs = false;
    for (const std::int32_t s : targets) states_[s].runs = true;
    mark_needed();
  }
  for (std::size_t i = 0; i < edges.size(); ++i) {
    bool fresh;
    deliver(table_.find(edges[i].node, fresh), edges[i].input_nr, grads[i]);
  }
  std::vector<std::uint8_t> queued(states_.size(), 0);
  for (const Edge& e : edges) {
    bool fresh;
    const std::int32_t s = table_.find(e.node, fresh);
    // A single root is looked at even if it is not needed: hooks on it run.
    if (states_[s].waiting == 0 && (states_[s].needed || edges.size() == 1) && !queued[s]) {
      queued[s] = 1;
      push_ready(s);
    }
  }
  while (!ready_.empty()) {
    std::pop_heap(ready_.begin(), ready_.end(), [this](auto a, auto b) { return newer(b, a); });
    const std::int32_t s = ready_.back();
    ready_.pop_back();
    run_node(s);
  }
  return std::move(results_);
}

// Raises unless a gradient given by the user fits the root it is for; fills in ones where none was given.
Tensor check_root(const Tensor& root, const Tensor& grad, std::size_t index) {
  HWARO_CHECK(is_tracked(root), "element ", index, " of tensors does not require grad and does not have a grad_fn");
  if (!grad.defined()) {
    HWARO_CHECK(root.numel() == 1, "grad can be implicitly created only for scalar outputs");
    HWARO_CHECK(!is_complex(root.dtype()), "grad can be implicitly created only for real scalar outputs but got torch.",
                name_of(root.dtype()));
    return primitives::ones_like(root);
  }
  HWARO_CHECK(grad.sizes() == root.sizes(), "Mismatch in shape: grad_output[", index, "] has a shape of torch.Size(",
              sizes_str(grad.sizes()), ") and output[", index, "] has a shape of torch.Size(", sizes_str(root.sizes()),
              ").");
  HWARO_CHECK(
      is_complex(grad.dtype()) == is_complex(root.dtype()),
      "For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in dtype: "
      "grad_output[",
      index, "] has a dtype of torch.", name_of(grad.dtype()), " and output[", index, "] has a dtype of torch.",
      name_of(root.dtype()), ".");
  return grad.dtype() == root.dtype() ? grad : primitives::to_dtype(grad, root.dtype());
}

thread_local constinit std::pair<Pass*, std::int64_t> t_current{nullptr, -1};

}  // namespace

std::int64_t current_pass() { return t_current.second; }
bool current_pass_is_whole() { return !t_current.first || !t_current.first->selective(); }
bool current_pass_runs(const Node* node) { return t_current.first && t_current.first->will_run(node); }

bool Node::left_out(std::size_t i) const { return t_left_out.node == this && (*t_left_out.edges)[i]; }

void AccumulateGrad::apply(Tensor* grads, Tensor*) {
  Tensor grad = std::move(grads[0]);
  if (!grad.defined()) return;
  HWARO_CHECK(!grad_fn(variable), "leaf variable has been moved into the graph interior");
  if (!variable->requires_grad) return;
  static constinit ForkSafeMutex locks[16];
  AutogradMeta& meta = autograd_meta(*variable.impl());
  {
    // Who has the lock may be waiting for the interpreter, so nobody waits for the lock with the interpreter in hand.
    std::optional<LongWork> without_interpreter;
    std::unique_lock lock(locks[(reinterpret_cast<std::size_t>(variable.impl()) >> 8) & 15], std::try_to_lock);
    if (!lock) {
      without_interpreter.emplace();
      lock.lock();
    }
    if (grad.sizes() != variable.sizes()) grad = primitives::sum_to_size(grad, variable.sizes());
    if (grad.dtype() != variable.dtype()) grad = primitives::to_dtype(grad, variable.dtype());
    if (!meta.grad.defined()) {
      // The first gradient is moved in if nobody else holds it or its bytes; .grad never shares memory with anything.
      const bool own = grad->use_count() == 1 && grad->storage->use_count() == 1 && !grad->storage->escaped() &&
                       !grad->is(kIsView | kConj) && grad->strides == variable->strides && grad->storage->resizable();
      meta.grad = own && (grad_enabled() || !grad->grad_fn)
                      ? grad
                      : primitives::copy_into_geometry(grad, grad.sizes(),
                                                       preserved_strides(variable.sizes(), variable.strides()));
    } else if (grad_enabled()) {
      meta.grad = primitives::add(meta.grad, grad);
    } else {
      primitives::add_(meta.grad, grad);
      meta.grad->bump_version();
    }
  }
  for (std::size_t i = 0; i < meta.post_accumulate.size(); ++i) {
    Tensor self = variable;
    HookPtr(meta.post_accumulate[i])->call(&self, 1, nullptr, 0);
  }
}

std::vector<Tensor> run_backward(Span<Tensor> roots, Span<Tensor> grads, Span<Tensor> inputs,
                                 const BackwardOptions& options) {
  std::vector<Tensor> checked;
  checked.reserve(roots.size());
  for (std::size_t i = 0; i < roots.size(); ++i)
    checked.push_back(check_root(roots[i], i < grads.size() ? grads[i] : Tensor(), i));
  for (const Tensor& input : inputs) {
    if (options.accumulate) retain_grad(input);
    HWARO_CHECK(is_tracked(input), "One of the differentiated Tensors does not require grad");
  }
  GradModeGuard mode(options.create_graph);
  // A pass that starts inside another one (a hook, checkpointing) needs vectors of its own.
  struct Spare {
    Workspace* w = nullptr;
    ~Spare() { delete std::exchange(w, nullptr); }
  };
  static thread_local constinit Spare spare;
  Workspace* workspace = std::exchange(spare.w, nullptr);
  if (!workspace) workspace = new Workspace();
  struct GiveBack {
    Workspace* w;
    ~GiveBack() {
      if (spare.w) delete w;
      else spare.w = w;
    }
  } give_back{workspace};
  static std::atomic<std::int64_t> next_pass{0};
  Pass pass(options, *workspace);
  struct Current {
    std::pair<Pass*, std::int64_t> before = t_current;
    ~Current() { t_current = before; }
  } current;
  t_current = {&pass, next_pass.fetch_add(1, std::memory_order_relaxed)};
  std::vector<Tensor> results = pass.run(roots, checked, inputs);
  if (!options.accumulate && !options.allow_unused)
    for (std::size_t i = 0; i < results.size(); ++i)
      HWARO_CHECK(
          results[i].defined(), "The differentiated Tensor at index ", i,
          " appears to not have been used in the graph. Set allow_unused=True if this is the desired behavior.");
  return results;
}

}  // namespace hwaro
