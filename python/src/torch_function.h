// __torch_function__: subclasses of Tensor, other objects and modes that want to see calls before operators run.
#pragma once

#include "python/src/binding.h"

namespace hwaro::python {

// Whether a class with a __torch_function__ of its own exists or a mode was ever on. Calls test nothing else until then.
inline constinit bool g_torch_function = false;

// Whether the class of o has the protocol and has not switched it off.
bool has_protocol(PyObject* o);
// Whether the class of o is a tensor's that asks to see calls.
bool overrides(PyObject* o);
// Whether calls without such arguments have to be shown, too: a mode is on.
bool mode_is_on();
inline bool wants_dispatch(PyObject* o) { return g_torch_function && (overrides(o) || mode_is_on()); }

// Shows a call to those that want to see it. False if there are none; else `result` is what they gave (null: an error).
bool dispatched(PyObject* function, PyObject* const* args, Py_ssize_t count, PyObject* kwnames, PyObject*& result);
// The same for a call of the attribute of that name of torch.Tensor.
bool dispatched_method(const char* name, PyObject* const* args, Py_ssize_t count, PyObject* kwnames, PyObject*& result);
// The same for reading, setting or deleting an attribute: part is __get__, __set__ or __delete__.
bool dispatched_attribute(const char* name, const char* part, PyObject* self, PyObject* value, PyObject*& result);

// An attribute of torch.Tensor: an entry of a PyGetSetDef that tests for __torch_function__ first.
struct Attribute {
  const char* name;
  getter get;
  setter set;
};
PyObject* get_attribute(PyObject* self, void* attribute);
int set_attribute(PyObject* self, PyObject* value, void* attribute);

// A name as an argument of a template.
template <std::size_t N>
struct Name {
  char text[N];
  constexpr Name(const char (&from)[N]) {
    for (std::size_t i = 0; i < N; ++i) text[i] = from[i];
  }
};

// Methods of torch.Tensor that test for __torch_function__ first.
template <Name name, auto method>
PyObject* fast_method(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
  if (wants_dispatch(self)) [[unlikely]] {
    PyObject* all[17] = {self};
    const Py_ssize_t n = count + (kwnames ? PyTuple_GET_SIZE(kwnames) : 0);
    for (Py_ssize_t i = 0; i < n && i < 16; ++i) all[i + 1] = args[i];
    if (PyObject* result; n <= 16 && dispatched_method(name.text, all, count + 1, kwnames, result)) return result;
  }
  return method(self, args, count, kwnames);
}
template <Name name, auto method>
PyObject* plain_method(PyObject* self, PyObject* argument) {
  if (wants_dispatch(self)) [[unlikely]] {
    PyObject* all[] = {self, argument};
    if (PyObject* result; dispatched_method(name.text, all, argument ? 2 : 1, nullptr, result)) return result;
  }
  return method(self, argument);
}

bool add_torch_function(PyObject* module);
// Called for each new class that derives from Tensor.
void note_subclass(PyTypeObject* type);

}  // namespace hwaro::python
