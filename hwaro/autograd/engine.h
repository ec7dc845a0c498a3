// The backward pass: a loop on the calling thread, newest node first, without queues or locks.
#pragma once

#include <vector>

#include "hwaro/autograd/node.h"

namespace hwaro {

struct BackwardOptions {
  bool retain_graph = false;
  bool create_graph = false;
  bool accumulate = true;  // add into .grad of leaves; false: return the gradients of `inputs`
  bool allow_unused = false;
};

// Runs backward from `roots` with `grads` (undefined: ones, for one-element real tensors). With `inputs`, gradients go
// only there; with accumulate == false they are returned, one per input (undefined where unused).
// Errors: RuntimeError in PyTorch's words.
std::vector<engine::Tensor> run_backward(Span<engine::Tensor> roots, Span<engine::Tensor> grads,
                                         Span<engine::Tensor> inputs, const BackwardOptions& options);

// The number of the pass that this thread is in, -1 outside of any; whether that pass will run a node; and whether it goes
// to all leaves, not to given inputs only.
std::int64_t current_pass();
bool current_pass_is_whole();
bool current_pass_runs(const Node* node);

}  // namespace hwaro
