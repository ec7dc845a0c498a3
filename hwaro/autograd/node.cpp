#include "hwaro/autograd/node.h"

#include <atomic>
#include <mutex>

#include "hwaro/autograd/accumulate_grad.h"
#include "hwaro/autograd/anomaly.h"
#include "hwaro/autograd/grad_mode.h"
#include "hwaro/autograd/meta.h"
#include "hwaro/base/fork_safe_mutex.h"
#include "hwaro/core/allocator.h"

namespace hwaro {

static std::atomic<std::uint64_t> g_sequence{0};

Node::Node() : sequence(g_sequence.fetch_add(1, std::memory_order_relaxed)) {
  if (t_modes.anomaly) [[unlikely]]
    remember_origin(*this);
}

// Nodes come from the small-object caches: most live for one training step.
void* Node::operator new(std::size_t bytes) { return allocate_node(bytes); }
void Node::operator delete(void* p, std::size_t bytes) noexcept { deallocate_node(p, bytes); }

Node::~Node() = default;

// A chain of 100,000 nodes must not be released by recursion: a node that dies while another is being taken apart on
// this thread is put on a list instead.
void Node::dispose() noexcept {
  static thread_local constinit std::vector<Node*>* pending = nullptr;
  auto take_apart = [](Node* n) {
    for (Edge& e : n->edges)
      if (e.node && e.node->drop()) GraphNode::destroy(e.node);
    n->edges.clear();
    n->release_saved();
    delete n;
  };
  if (pending) {
    pending->push_back(this);
    return;
  }
  std::vector<Node*> list;
  pending = &list;
  take_apart(this);
  while (!list.empty()) {
    Node* next = list.back();
    list.pop_back();
    take_apart(next);
  }
  pending = nullptr;
}

AutogradMeta& autograd_meta(TensorImpl& t) {
  if (!t.autograd) t.autograd = new AutogradMeta();
  return *t.autograd;
}

namespace {

// Guards AutogradMeta::accumulator against a look-up on one thread while the node dies on another.
ForkSafeMutex g_accumulator_mutex;

struct InstallHooks {
  InstallHooks() {
    g_tensor_hooks.destroy_autograd = [](AutogradMeta* m) { delete m; };
  }
} install_hooks;

}  // namespace

AccumulateGrad::AccumulateGrad(engine::Tensor leaf) : variable(std::move(leaf)) { sequence = ~std::uint64_t(0); }

// A sole owner's drop() leaves the count at one, so a look-up on another thread may have taken a reference since: then
// that one keeps the node.
void AccumulateGrad::dispose() noexcept {
  {
    std::lock_guard lock(g_accumulator_mutex);
    if (use_count() > 1 && !drop()) return;
    AutogradMeta* meta = variable->autograd;
    if (meta && meta->accumulator == this) meta->accumulator = nullptr;
  }
  Node::dispose();
}

NodePtr grad_accumulator(const engine::Tensor& leaf) {
  std::lock_guard lock(g_accumulator_mutex);  // also over the first use of a leaf by several threads
  AutogradMeta& meta = autograd_meta(*leaf.impl());
  if (meta.accumulator && meta.accumulator->try_retain()) return NodePtr::adopt(meta.accumulator);
  auto* node = new AccumulateGrad(leaf);
  meta.accumulator = node;
  return NodePtr::adopt(node);
}

Edge gradient_edge(const engine::Tensor& t) {
  if (!t.defined() || !is_tracked(t)) return {};
  if (NodePtr node = grad_fn(t)) return {node.release(), t->output_nr};
  if (!t->requires_grad) return {};
  return {grad_accumulator(t).release(), 0};
}

static OutputInfo& output_info(Node& node, std::uint32_t nr) {
  if (nr == 0) [[likely]]
    return node.output;
  if (!node.more_outputs) node.more_outputs = std::make_unique<std::vector<OutputInfo>>();
  if (node.more_outputs->size() < nr) node.more_outputs->resize(nr);
  return (*node.more_outputs)[nr - 1];
}

void set_history(const engine::Tensor& t, const NodePtr& node, std::uint32_t nr) {
  OutputInfo& info = output_info(*node, nr);
  info.sizes = t->sizes;
  info.dtype = t.dtype();
  info.device = t.device();
  t->grad_fn = IntrusivePtr<GraphNode>::share(node.get());
  t->output_nr = nr;
  t->set(kTracked, true);
  t->view_version = t->version();
}

void set_requires_grad(const engine::Tensor& t, bool on) {
  if (on && !is_differentiable(t.dtype()))
    raise("only Tensors of floating point and complex dtype can require gradients");
  if (t->grad_fn) {
    if (!on)
      raise(
          "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a "
          "subgraph that doesn't require differentiation use var_no_grad = var.detach().");
    return;
  }
  HWARO_CHECK(!(on && t->is(kInference) && !inference_enabled()),
              "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.");
  t->requires_grad = on;
  t->set(kTracked, on);
}

}  // namespace hwaro
