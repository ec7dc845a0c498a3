// __torch_function__: who wants to see a call, and the call of hwaro/overrides.py that asks them.
//
// Ordinary programs pay one test of a global flag per call. The protocol itself (order of classes, modes, what happens
// with NotImplemented) is Python: a call that is shown to a Python function costs microseconds anyway.
#include "python/src/torch_function.h"

#include "hwaro/ops/slicing.h"

namespace hwaro::python {

namespace {

// Levels of torch._C.DisableTorchFunction*: 1 hides subclasses, 2 modes as well.
thread_local constinit int t_disabled = 0;
thread_local constinit int t_modes = 0;

PyObject* protocol_name() {
  static PyObject* name = PyUnicode_InternFromString("__torch_function__");
  return name;
}
PyObject* g_off = nullptr;  // torch._C._disabled_torch_function_impl

bool has_protocol(PyTypeObject* type) {
  PyObject* found = _PyType_Lookup(type, protocol_name());
  return found && found != g_off;
}

// Types that are never asked: the usual arguments of operators.
bool is_basic(PyObject* o) {
  return o == Py_None || PyLong_Check(o) || PyFloat_Check(o) || PyUnicode_Check(o) || PyComplex_Check(o) ||
         PySlice_Check(o) || PyDict_Check(o) || is_dtype(o) || is_device(o) || o == Py_Ellipsis;
}

void collect(PyObject* o, PyObject* found, bool inside) {
  if (Py_TYPE(o) == &TensorType || is_basic(o)) return;
  if ((PyTuple_Check(o) || PyList_Check(o)) && !inside) {
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); ++i) collect(PySequence_Fast_GET_ITEM(o, i), found, true);
    return;
  }
  if (PyType_Check(o) || !has_protocol(Py_TYPE(o))) return;
  if (PyList_Append(found, o) < 0) throw_python_error();
}

PyObject* ask(PyObject* function, PyObject* found, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
  static PyObject* dispatch = nullptr;
  if (!dispatch) {
    const Ref module = Ref::adopt(check(PyImport_ImportModule("hwaro.overrides")));
    dispatch = check(PyObject_GetAttrString(module.get(), "_dispatch"));
  }
  const Ref positional = Ref::adopt(check(PyTuple_New(count))), keywords = Ref::adopt(check(PyDict_New()));
  for (Py_ssize_t i = 0; i < count; ++i) PyTuple_SET_ITEM(positional.get(), i, Py_NewRef(args[i]));
  for (Py_ssize_t k = 0; kwnames && k < PyTuple_GET_SIZE(kwnames); ++k)
    if (PyDict_SetItem(keywords.get(), PyTuple_GET_ITEM(kwnames, k), args[count + k]) < 0) throw_python_error();
  return PyObject_CallFunctionObjArgs(dispatch, function, found, positional.get(), keywords.get(), nullptr);
}

Ref tensor_attribute(const char* name) {
  return Ref::adopt(check(PyObject_GetAttrString(reinterpret_cast<PyObject*>(&TensorType), name)));
}

// _torch_function_state(disabled, modes) -> what they were; -1 leaves one as it is
PyObject* set_state(PyObject*, PyObject* args) {
  int disabled, modes;
  if (!PyArg_ParseTuple(args, "ii", &disabled, &modes)) return nullptr;
  PyObject* before = Py_BuildValue("(ii)", t_disabled, t_modes);
  if (disabled >= 0) t_disabled = disabled;
  if (modes >= 0) t_modes = modes;
  if (modes > 0) g_torch_function = true;
  return before;
}

// _disabled_torch_function_impl(func, types, args=(), kwargs=None): the class wants no part in the protocol.
PyObject* disabled_impl(PyObject*, PyObject* args) {
  PyObject *function, *types, *positional = nullptr, *keywords = nullptr;
  if (!PyArg_ParseTuple(args, "OO|OO", &function, &types, &positional, &keywords)) return nullptr;
  const Ref none = Ref::adopt(PyTuple_New(0));
  const int before = std::exchange(t_disabled, std::max(t_disabled, 1));
  PyObject* result = PyObject_Call(function, positional ? positional : none.get(),
                                   keywords && PyDict_Check(keywords) ? keywords : nullptr);
  t_disabled = before;
  return result;
}

// _as_subclass(tensor, cls): the same tensor, in the graph as well, as an object of the class
PyObject* as_subclass(PyObject*, PyObject* args) {
  HWARO_PY_TRY
  PyObject *self, *cls;
  if (!PyArg_ParseTuple(args, "OO", &self, &cls)) return nullptr;
  if (!is_tensor(self) || !PyType_Check(cls) || !PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(cls), &TensorType))
    raise<TypeError>("as_subclass(): argument 'cls' must be a subclass of Tensor");
  return wrap_as(reinterpret_cast<PyTypeObject*>(cls), engine::alias(tensor_of(self)));
  HWARO_PY_CATCH(nullptr)
}

// _has_torch_function(objects): whether one of them is shown calls
PyObject* has_torch_function(PyObject*, PyObject* objects) {
  const Ref fast = Ref::adopt(PySequence_Fast(objects, "expected a sequence"));
  if (!fast) return nullptr;
  if (mode_is_on()) Py_RETURN_TRUE;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(fast.get()); ++i) {
    PyObject* o = PySequence_Fast_GET_ITEM(fast.get(), i);
    if (!t_disabled && Py_TYPE(o) != &TensorType && !is_basic(o) && has_protocol(Py_TYPE(o))) Py_RETURN_TRUE;
  }
  Py_RETURN_FALSE;
}

PyMethodDef functions[] = {{"_torch_function_state", set_state, METH_VARARGS, nullptr},
                           {"_disabled_torch_function_impl", disabled_impl, METH_VARARGS, nullptr},
                           {"_as_subclass", as_subclass, METH_VARARGS, nullptr},
                           {"_has_torch_function", has_torch_function, METH_O, nullptr},
                           {}};

}  // namespace

bool has_protocol(PyObject* o) { return !t_disabled && !is_basic(o) && has_protocol(Py_TYPE(o)); }
bool overrides(PyObject* o) {
  return Py_TYPE(o)->tp_dealloc == &subclass_dealloc && !t_disabled && has_protocol(Py_TYPE(o));
}
bool mode_is_on() { return t_modes > 0 && t_disabled < 2; }

// The three are called from C functions of the interpreter: what goes wrong inside is the result of the call.
#define HWARO_DISPATCH_CATCH    \
  }                             \
  catch (...) {                 \
    set_error_from_exception(); \
    result = nullptr;           \
    return true;                \
  }

bool dispatched(PyObject* function, PyObject* const* args, Py_ssize_t count, PyObject* kwnames, PyObject*& result) {
  try {
    if (t_disabled && !mode_is_on()) return false;
    const Ref found = Ref::adopt(check(PyList_New(0)));
    const Py_ssize_t all = count + (kwnames ? PyTuple_GET_SIZE(kwnames) : 0);
    for (Py_ssize_t i = 0; i < all && !t_disabled; ++i) collect(args[i], found.get(), false);
    if (PyList_GET_SIZE(found.get()) == 0 && !mode_is_on()) return false;
    result = ask(function, found.get(), args, count, kwnames);
    return true;
    HWARO_DISPATCH_CATCH
  }
  bool dispatched_method(const char* name, PyObject* const* args, Py_ssize_t count, PyObject* kwnames,
                         PyObject*& result) {
    try {
      return dispatched(tensor_attribute(name).get(), args, count, kwnames, result);
      HWARO_DISPATCH_CATCH
    }
    bool dispatched_attribute(const char* name, const char* part, PyObject* self, PyObject* value, PyObject*& result) {
      try {
        const Ref attribute = tensor_attribute(name);
        const Ref function = Ref::adopt(check(PyObject_GetAttrString(attribute.get(), part)));
        PyObject* args[] = {self, value};
        return dispatched(function.get(), args, value ? 2 : 1, nullptr, result);
        HWARO_DISPATCH_CATCH
      }

      PyObject* get_attribute(PyObject * self, void* attribute) {
        const auto& a = *static_cast<const Attribute*>(attribute);
        if (wants_dispatch(self)) [[unlikely]] {
          if (PyObject* result; dispatched_attribute(a.name, "__get__", self, nullptr, result)) return result;
        }
        return a.get(self, nullptr);
      }
      int set_attribute(PyObject * self, PyObject * value, void* attribute) {
        const auto& a = *static_cast<const Attribute*>(attribute);
        if (wants_dispatch(self)) [[unlikely]] {
          PyObject* result;
          if (dispatched_attribute(a.name, value ? "__set__" : "__delete__", self, value, result))
            return Ref::adopt(result) ? 0 : -1;
        }
        return a.set(self, value, nullptr);
      }

      void note_subclass(PyTypeObject * type) {
        if (g_off && has_protocol(type)) g_torch_function = true;
      }

      bool add_torch_function(PyObject * module) {
        if (PyModule_AddFunctions(module, functions) < 0) return false;
        g_off = PyObject_GetAttrString(module, "_disabled_torch_function_impl");
        return g_off != nullptr;
      }

    }  // namespace hwaro::python
