#include "python/src/hints.h"

#include <new>

#include "hwaro/base/hint.h"
#include "hwaro/base/linalg_error.h"

namespace hwaro::python {

namespace {

// Adds a note to the error that is set. Before Python 3.11 nobody shows notes, and an attribute of that name does no harm.
void add_note(const std::string& text) noexcept {
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  PyErr_NormalizeException(&type, &value, &trace);
  const Ref note = Ref::adopt(PyUnicode_FromStringAndSize(text.data(), Py_ssize_t(text.size())));
  if (note && value) {
    const Ref notes = Ref::adopt(PyObject_GetAttrString(value, "__notes__"));
    PyErr_Clear();
    const Ref list = notes ? notes : Ref::adopt(PyList_New(0));
    if (list && PyList_Check(list.get()) && PyList_Append(list.get(), note.get()) == 0 && !notes)
      PyObject_SetAttrString(value, "__notes__", list.get());
  }
  PyErr_Clear();
  PyErr_Restore(type, value, trace);
}

}  // namespace

std::string shown_argument(PyObject* o) {
  if (is_tensor(o)) {
    const TensorImpl& t = *impl_of(o);
    return concat(name_of(t.dtype), " ", sizes_str(t.sizes), " ", t.device.str());
  }
  if (PyLong_Check(o) || PyFloat_Check(o) || o == Py_None) {
    const Ref text = Ref::adopt(PyObject_Repr(o));
    const char* utf8 = text ? PyUnicode_AsUTF8(text.get()) : nullptr;
    if (utf8) return utf8;
    PyErr_Clear();
  }
  if ((PyTuple_Check(o) || PyList_Check(o)) && PySequence_Fast_GET_SIZE(o) > 0 && PySequence_Fast_GET_SIZE(o) <= 4) {
    std::string out;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(o); ++i)
      out += (i ? ", " : "") + shown_argument(PySequence_Fast_GET_ITEM(o, i));
    return "(" + out + ")";
  }
  return Py_TYPE(o)->tp_name;
}

void set_error_with_note(std::string_view call) noexcept {
  try {
    throw;
  } catch (const PythonError&) {
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_SystemError, "error without an exception set");
    return;
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
    return;
  } catch (const std::exception& e) {
    PyObject* type = PyExc_RuntimeError;
    if (dynamic_cast<const IndexError*>(&e)) type = PyExc_IndexError;
    else if (dynamic_cast<const TypeError*>(&e)) type = PyExc_TypeError;
    else if (dynamic_cast<const ValueError*>(&e)) type = PyExc_ValueError;
    else if (dynamic_cast<const NotImplementedError*>(&e)) type = PyExc_NotImplementedError;
    else if (dynamic_cast<const AssertionError*>(&e)) type = PyExc_AssertionError;
    else if (dynamic_cast<const LinAlgError*>(&e)) type = linalg_error();
    else if (dynamic_cast<const OutOfMemoryError*>(&e)) type = out_of_memory_error();
    PyErr_SetString(type, e.what());
    if (type == out_of_memory_error()) return;  // to say more would need memory
    try {
      const std::string note = hint_for(e.what(), call);
      if (!note.empty()) add_note(note);
    } catch (...) {
      // The error stands without its note.
    }
  }
}

void set_error_from_exception() noexcept { set_error_with_note({}); }

void set_error_from_slot(const char* name, PyObject* self, PyObject* other) noexcept {
  std::string call;
  try {
    call = concat(name, "(self: ", shown_argument(self));
    if (other) call += ", other: " + shown_argument(other);
    call += ")";
  } catch (...) {
    call.clear();
  }
  set_error_with_note(call);
}

}  // namespace hwaro::python
