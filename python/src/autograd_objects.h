// The graph as Python sees it: what the files autograd*.cpp share.
#pragma once

#include <functional>
#include <vector>

#include "hwaro/autograd/tensor_hooks.h"
#include "python/src/binding.h"

namespace hwaro::python {

// ---- nodes (autograd_nodes.cpp) ----

struct PyNode {
  PyObject_HEAD Node* node;  // counted
  PyObject* metadata;
  PyObject* weakrefs;
};
extern PyTypeObject NodeType;
inline Node* node_of(PyObject* o) { return reinterpret_cast<PyNode*>(o)->node; }
// New reference to the object of a node (the same one each time while it lives), or None.
PyObject* node_object(const NodePtr& node);

// ---- hooks (autograd_hooks.cpp) ----

// A Python callable as a hook on gradients: called with the gradient, may return a replacement.
HookPtr python_hook(PyObject* callable);
// As a hook on all gradients of a node: before it runs (post: after it, with those that came in).
HookPtr python_node_hook(PyObject* callable, bool post);
// New reference to what removes a hook.
PyObject* make_handle(HookPlace place);
// A pack hook, whose product remembers the unpack hook that goes with it.
std::function<IntrusivePtr<GraphNode>(const Tensor&)> python_pack(PyObject* pack, PyObject* unpack);
// Numbers hooks in the order in which they were registered.
std::uint64_t next_hook_id();

// ---- autograd.Function (autograd_function.cpp) ----

// The ctx of the function whose node this is (borrowed), or null.
PyObject* function_context(Node* node);

// New reference to a tensor that a node has saved, as an object that takes hooks of its own.
PyObject* saved_object(SavedTensor* saved, Node* node);

// Tensors of a sequence, undefined for None. Errors: TypeError that begins with `what`.
std::vector<Tensor> tensors_from(PyObject* sequence, const char* what);

bool add_nodes(PyObject* module);
bool add_hooks(PyObject* module);
bool add_functions(PyObject* module);

}  // namespace hwaro::python
