// Methods of Tensor that live in files of their own.
#pragma once

#include "python/src/binding.h"

namespace hwaro::python {

PyObject* tensor_to(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* kwnames);
PyObject* tensor_type(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* kwnames);
PyObject* tensor_backward(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* kwnames);
PyObject* tensor_register_hook(PyObject* self, PyObject* hook);
PyObject* tensor_register_post_hook(PyObject* self, PyObject* hook);
PyObject* tensor_retain_grad(PyObject* self, PyObject*);
PyObject* tensor_numpy(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* kwnames);
PyObject* tensor_array(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* kwnames);
PyObject* tensor_dlpack(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* kwnames);
PyObject* tensor_dlpack_device(PyObject* self, PyObject*);

}  // namespace hwaro::python
