// repr and str of tensors, and the options of printing.
#include <cmath>

#include "hwaro/autograd/print.h"
#include "python/src/binding.h"

namespace hwaro::python {

namespace {

// Parameter prints like a plain tensor (it writes its own first line); other subclasses say their name.
bool is_plain(PyTypeObject* type) {
  if (type == &TensorType) return true;
  static PyObject* parameter = nullptr;
  if (!parameter) {
    // A subclass is printed: nn is loaded if there is a Parameter at all.
    PyObject* module = PyDict_GetItemString(PyImport_GetModuleDict(), "hwaro.nn.parameter");
    if (!module) return false;
    parameter = PyObject_GetAttrString(module, "Parameter");
    if (!parameter) {
      PyErr_Clear();
      return false;
    }
  }
  return reinterpret_cast<PyObject*>(type) == parameter;
}

// _tensor_text(tensor, contents=None)
PyObject* tensor_text(PyObject*, PyObject* args) {
  HWARO_PY_TRY
  PyObject *self, *contents = Py_None;
  if (!PyArg_ParseTuple(args, "O|O", &self, &contents)) return nullptr;
  if (!is_tensor(self)) raise<TypeError>("expected a Tensor, not ", Py_TYPE(self)->tp_name);
  std::string prefix = "tensor";
  if (!is_plain(Py_TYPE(self))) {
    const Ref name = Ref::adopt(check(PyObject_GetAttrString(reinterpret_cast<PyObject*>(Py_TYPE(self)), "__name__")));
    prefix = check(PyUnicode_AsUTF8(name.get()));
  }
  std::optional<std::string_view> given;
  if (contents != Py_None) given = check(PyUnicode_AsUTF8(contents));
  return PyUnicode_FromString(to_string(tensor_of(self), prefix, given).c_str());
  HWARO_PY_CATCH(nullptr)
}

// _set_printoptions(precision, threshold, edgeitems, linewidth, sci_mode)
PyObject* set_printoptions(PyObject*, PyObject* args) {
  double precision, threshold, edgeitems, linewidth;
  PyObject* sci_mode;
  if (!PyArg_ParseTuple(args, "ddddO", &precision, &threshold, &edgeitems, &linewidth, &sci_mode)) return nullptr;
  const auto whole = [](double v, double limit) { return std::isnan(v) ? 0 : std::fmin(std::fmax(v, 0), limit); };
  PrintOptions& o = print_options();
  o.precision = int(whole(precision, 1000));
  o.threshold = threshold;
  o.edgeitems = std::int64_t(whole(edgeitems, 1e15));
  o.linewidth = int(whole(linewidth, 1e9));
  o.sci_mode = sci_mode == Py_None ? std::nullopt : std::optional<bool>(PyObject_IsTrue(sci_mode) == 1);
  Py_RETURN_NONE;
}

PyMethodDef functions[] = {{"_tensor_text", tensor_text, METH_VARARGS, nullptr},
                           {"_set_printoptions", set_printoptions, METH_VARARGS, nullptr},
                           {}};

}  // namespace

PyObject* tensor_repr(PyObject* self) {
  const Ref args = Ref::adopt(PyTuple_Pack(1, self));
  return args ? tensor_text(nullptr, args.get()) : nullptr;
}

bool add_display(PyObject* module) { return PyModule_AddFunctions(module, functions) == 0; }

}  // namespace hwaro::python
