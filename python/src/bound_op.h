// An operator bound to a tensor: what x.sum is.
#pragma once

#include "python/src/binding.h"

namespace hwaro::python {

PyObject* bind_op(PyObject* op, PyObject* self);
bool add_bound_ops();

}  // namespace hwaro::python
