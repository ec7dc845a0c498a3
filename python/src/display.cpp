// repr and str of tensors.
#include "hwaro/core/tensor.h"
#include "python/src/binding.h"

namespace hwaro::python {

// `print(t)` goes through hwaro._tensor_str, which knows set_printoptions.
PyObject* tensor_repr(PyObject* self) {
  static PyObject* function = nullptr;
  if (!function) {
    const Ref module = Ref::adopt(PyImport_ImportModule("hwaro._tensor_str"));
    if (!module) return nullptr;
    function = PyObject_GetAttrString(module.get(), "_str");
    if (!function) return nullptr;
  }
  return PyObject_CallOneArg(function, self);
}

}  // namespace hwaro::python
