// t[…] and t[…] = v: from Python's subscripts to the index engine (hwaro/ops/index/indexing.h).
#include "hwaro/ops/index/indexing.h"

#include <vector>

#include "hwaro/ops/create/fill.h"
#include "hwaro/ops/kinds/support.h"
#include "python/src/binding.h"
#include "python/src/interop.h"
#include "python/src/torch_function.h"

namespace hwaro::python {

PyMappingMethods tensor_mapping_methods;

namespace {

using engine::Index;

PyObject* call_creation(const char* name, PyObject* argument) {
  static PyObject* module = nullptr;
  if (!module) module = check(PyImport_ImportModule("hwaro._C"));
  const Ref f = Ref::adopt(check(PyObject_GetAttrString(module, name)));
  return check(PyObject_CallOneArg(f.get(), argument));
}

std::optional<std::int64_t> bound(PyObject* o) {
  if (o == Py_None) return std::nullopt;
  std::int64_t v;
  if (PyLong_Check(o)) {
    // Bounds beyond 64 bits are cut, as Python's own slices do.
    const Py_ssize_t n = PyNumber_AsSsize_t(o, nullptr);
    return n;
  }
  if (!int_from(o, v)) raise<TypeError>("slice indices must be integers or None or have an __index__ method");
  return v;
}

Index index_of(PyObject* o) {
  Index i;
  if (PyUnicode_Check(o)) raise<TypeError>("new(): invalid data type 'str'");
  if (o == Py_None) {
    i.kind = Index::Kind::None;
  } else if (o == Py_Ellipsis) {
    i.kind = Index::Kind::Ellipsis;
  } else if (PyLong_CheckExact(o)) {
    i.kind = Index::Kind::Integer;
    int overflow;
    i.integer = PyLong_AsLongLongAndOverflow(o, &overflow);
    HWARO_CHECK_AS(ValueError, !overflow, "Overflow when unpacking long long");
  } else if (PySlice_Check(o)) {
    const auto* s = reinterpret_cast<PySliceObject*>(o);
    i.kind = Index::Kind::Slice;
    i.start = bound(s->start);
    i.stop = bound(s->stop);
    i.step = bound(s->step).value_or(1);
  } else if (PyBool_Check(o)) {
    i.kind = Index::Kind::Bool;
    i.boolean = o == Py_True;
  } else if (is_tensor(o)) {
    const Tensor t = tensor_of(o);
    if (t.dim() == 0 && is_integral(t.dtype()) && t.dtype() != DType::UInt8 && !t.device().is_meta()) {
      i.kind = Index::Kind::Integer;
      const Ref number = Ref::adopt(check(item_object(t)));
      i.integer = PyLong_AsLongLong(number.get());
    } else {
      i.kind = Index::Kind::Tensor;
      i.tensor = t;
    }
  } else if (PyList_Check(o) || PyTuple_Check(o) || PyRange_Check(o)) {
    i.kind = Index::Kind::Tensor;
    if (PySequence_Size(o) == 0) {
      i.tensor = engine::make_tensor({0}, DType::Int64);
    } else {
      const Ref t = Ref::adopt(call_creation("tensor", o));
      i.tensor = tensor_of(t.get());
    }
  } else if (has_elements(o)) {
    const Ref t = Ref::adopt(call_creation("as_tensor", o));
    i.kind = Index::Kind::Tensor;
    i.tensor = tensor_of(t.get());
  } else {
    std::int64_t v;
    if (is_index(o) && int_from(o, v)) {
      i.kind = Index::Kind::Integer;
      i.integer = v;
      return i;
    }
    Scalar s;
    if (scalar_from(o, s) && s.is_bool()) {
      i.kind = Index::Kind::Bool;
      i.boolean = s.to_bool();
      return i;
    }
    raise<IndexError>(
        "only integers, slices (`:`), ellipsis (`...`), None and long or byte Variables are valid indices (got ",
        Py_TYPE(o)->tp_name, ")");
  }
  return i;
}

// Too many indices are an error before any of them is looked at.
void check_count(const Tensor& t, PyObject* const* items, Py_ssize_t n) {
  std::int64_t count = 0;
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* o = items[i];
    if (o == Py_None || o == Py_Ellipsis || PyBool_Check(o)) continue;
    const bool mask = is_tensor(o) && (impl_of(o)->dtype == DType::Bool || impl_of(o)->dtype == DType::UInt8);
    count += mask ? impl_of(o)->dim() : 1;
  }
  HWARO_CHECK_AS(IndexError, count <= t.dim(), "too many indices for tensor of dimension ", t.dim());
}

void warn_of_sequence() {
  engine::warn(
      "Using a non-tuple sequence for multidimensional indexing is deprecated and will be changed in pytorch 2.9; use "
      "x[tuple(seq)] instead of x[seq]. In pytorch 2.9 this will be interpreted as tensor index, x[torch.tensor(seq)], "
      "which will result either in an error or a different result");
  if (PyErr_Occurred()) throw_python_error();
}

// A list is one index; a tuple is several. (Old NumPy treated short lists of slices as tuples; so does PyTorch.)
std::vector<Index> indices_of(const Tensor& t, PyObject* key) {
  std::vector<Index> out;
  bool several = PyTuple_Check(key);
  if (PyList_Check(key) && PyList_GET_SIZE(key) < 32)
    for (Py_ssize_t i = 0; i < PyList_GET_SIZE(key) && !several; ++i) {
      PyObject* item = PyList_GET_ITEM(key, i);
      several = is_tensor(item) || PySlice_Check(item) || item == Py_Ellipsis || item == Py_None ||
                (PyList_Check(item) || PyTuple_Check(item));
      if (PyList_Check(item) || PyTuple_Check(item)) several = true;
    }
  if (several && !PyTuple_Check(key)) warn_of_sequence();
  if (PyUnicode_Check(key) && PyUnicode_GET_LENGTH(key) > 0) warn_of_sequence();
  if (!several) {
    if (!PySlice_Check(key) && !PyLong_Check(key)) check_count(t, &key, 1);
    out.push_back(index_of(key));
    return out;
  }
  const Ref fast = Ref::adopt(check(PySequence_Fast(key, "index")));
  const Py_ssize_t n = PySequence_Fast_GET_SIZE(fast.get());
  check_count(t, PySequence_Fast_ITEMS(fast.get()), n);
  out.reserve(std::size_t(n));
  for (Py_ssize_t i = 0; i < n; ++i) out.push_back(index_of(PySequence_Fast_GET_ITEM(fast.get(), i)));
  return out;
}

PyObject* subscript(PyObject* self, PyObject* key) {
  if (g_torch_function) [[unlikely]] {
    PyObject* args[] = {self, key};
    if (PyObject* result; dispatched_method("__getitem__", args, 2, nullptr, result)) return result;
  }
  HWARO_PY_TRY
  const Tensor t = tensor_of(self);
  if (PyLong_CheckExact(key)) {
    int overflow;
    const std::int64_t i = PyLong_AsLongLongAndOverflow(key, &overflow);
    HWARO_CHECK_AS(ValueError, !overflow, "Overflow when unpacking long long");
    if (t.dim() == 0)
      raise<IndexError>(
          "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a "
          "0-dim tensor to a number");
    const std::int64_t n = t.sizes()[0];
    if (i < -n || i >= n) raise<IndexError>("index ", i, " is out of bounds for dimension 0 with size ", n);
    return wrap(engine::select(t, 0, i));
  }
  const std::vector<Index> indices = indices_of(t, key);
  return wrap(engine::get_item(t, indices));
  HWARO_PY_CATCH(nullptr)
}

// A number as a 0-dim tensor of t's type. Errors: where it does not fit.
Tensor element(const Tensor& t, Scalar s) {
  if (s.is_complex() && !is_complex(t.dtype()) && (t.dtype() == DType::Bool || s.im() == 0))
    s = t.dtype() == DType::Bool ? Scalar(s.to_bool()) : Scalar(s.re());
  engine::check_fits(s, t.dtype(), 1);
  return engine::make_full({}, s, t.dtype());
}

int assign(PyObject* self, PyObject* key, PyObject* value) {
  if (g_torch_function && value) [[unlikely]] {
    PyObject* args[] = {self, key, value};
    PyObject* result;
    if (dispatched_method("__setitem__", args, 3, nullptr, result)) return Ref::adopt(result) ? 0 : -1;
  }
  HWARO_PY_TRY
  if (!value) raise<TypeError>("Tensor does not support deleting items");
  const Tensor t = tensor_of(self);
  Tensor v;
  Scalar s;
  if (is_tensor(value)) {
    v = tensor_of(value);
  } else if (PyLong_Check(value)) {
    int overflow;
    const long long n = PyLong_AsLongLongAndOverflow(value, &overflow);
    HWARO_CHECK_AS(ValueError, !overflow, "Overflow when unpacking long long");
    v = element(t, PyBool_Check(value) ? Scalar(n != 0) : Scalar(std::int64_t(n)));
  } else if ((PyFloat_Check(value) || PyComplex_Check(value) || is_index(value)) && scalar_from(value, s)) {
    v = element(t, s);
  } else {
    raise<TypeError>("can't assign a ", Py_TYPE(value)->tp_name, " to a torch.",
                     kDTypeInfos[int(t.dtype())].tensor_type_name);
  }
  const std::vector<Index> indices = indices_of(t, key);
  engine::set_item(t, indices, v);
  return 0;
  HWARO_PY_CATCH(-1)
}

Py_ssize_t length(PyObject* self) {
  if (wants_dispatch(self)) [[unlikely]] {
    PyObject* result;
    if (dispatched_method("__len__", &self, 1, nullptr, result)) {
      const Ref n = Ref::adopt(result);
      return n ? PyLong_AsSsize_t(n.get()) : -1;
    }
  }
  const TensorImpl& t = *impl_of(self);
  if (t.sizes.empty()) {
    PyErr_SetString(PyExc_TypeError, "len() of a 0-d tensor");
    return -1;
  }
  return t.sizes[0];
}

struct Install {
  Install() { tensor_mapping_methods = {&length, &subscript, &assign}; }
} install;

}  // namespace
}  // namespace hwaro::python
