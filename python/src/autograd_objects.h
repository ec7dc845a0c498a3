// The graph as Python sees it.
#pragma once

#include "hwaro/autograd/node.h"
#include "python/src/binding.h"

namespace hwaro::python {

// New reference to the object of a node (the same one each time while it lives), or None.
PyObject* node_object(const NodePtr& node);
// A Python callable as a hook on gradients: called with the gradient, may return a replacement.
HookPtr python_hook(PyObject* callable);

}  // namespace hwaro::python
