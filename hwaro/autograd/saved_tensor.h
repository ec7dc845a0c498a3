// A tensor kept for backward, with the check that nobody wrote to it in between.
#pragma once

#include <functional>

#include "hwaro/autograd/node.h"

namespace hwaro {

class SavedTensor {
 public:
  SavedTensor() = default;
  // is_output: t is a result of the node that saves it; then only its data are kept, so that node and result do not
  // keep each other alive.
  SavedTensor(const engine::Tensor& t, bool is_output);

  // The tensor, with its history (for create_graph). `owner` is the node that saved it.
  // Errors: RuntimeError if it was released or written to in place since.
  engine::Tensor unpack(Node* owner) const;
  bool defined() const { return tensor_.defined() || packed_; }
  bool released() const { return released_; }
  // Passes the tensor through a hook of its own. Errors: RuntimeError if it has one, is None or was released.
  void pack(const std::function<IntrusivePtr<GraphNode>(const engine::Tensor&)>& hook, Node* owner);
  void release() {
    tensor_ = {};
    packed_ = {};
    released_ = true;
  }

 private:
  void keep_packed(const engine::Tensor& t, IntrusivePtr<GraphNode> packed);

  engine::Tensor tensor_;
  IntrusivePtr<GraphNode> packed_;  // what a saved-tensors hook made of it, with the history of the tensor
  std::uint32_t version_ = 0, output_nr_ = 0;
  bool is_output_ = false, released_ = false;
};

// Hooks of torch.autograd.graph.saved_tensors_hooks: pack returns an object that keeps whatever unpack needs.
struct SavedTensorHooks {
  IntrusivePtr<GraphNode> (*pack)(const engine::Tensor&) = nullptr;
  engine::Tensor (*unpack)(GraphNode*) = nullptr;
};
// Installed by the binding; `active` says whether this thread has hooks on.
extern SavedTensorHooks g_saved_tensor_hooks;
[[gnu::visibility("default")]] inline thread_local constinit int t_saved_tensor_hooks_active = 0;

}  // namespace hwaro
