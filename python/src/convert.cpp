// Numbers, lists and results between Python and C++.
#include "python/src/binding.h"

namespace hwaro::python {

PyObject* out_of_memory_error() {
  static PyObject* type = PyErr_NewExceptionWithDoc(
      "torch.OutOfMemoryError", "There is not enough memory for a tensor.", PyExc_RuntimeError, nullptr);
  return type;
}

PyObject* linalg_error() {
  static PyObject* type = PyErr_NewExceptionWithDoc(
      "torch._C._LinAlgError", "A matrix has no inverse, factors or solution.", PyExc_RuntimeError, nullptr);
  return type;
}

bool is_index(PyObject* o) {
  return !PyBool_Check(o) && Py_TYPE(o)->tp_as_number && Py_TYPE(o)->tp_as_number->nb_index && !is_tensor(o);
}

static std::int64_t int_of_long(PyObject* o) {
  int overflow = 0;
  const long long v = PyLong_AsLongLongAndOverflow(o, &overflow);
  if (overflow) {
    PyErr_SetString(PyExc_OverflowError, "int too big to convert");
    throw_python_error();
  }
  if (v == -1 && PyErr_Occurred()) throw_python_error();
  return v;
}

bool int_from(PyObject* o, std::int64_t& out) {
  if (PyLong_CheckExact(o)) {
    out = int_of_long(o);
    return true;
  }
  if (PyBool_Check(o) || PyFloat_Check(o)) return false;
  if (is_tensor(o)) {
    const Tensor t = tensor_of(o);
    if (t.numel() != 1 || !is_integral(t.dtype(), false)) return false;
    const Ref number = Ref::adopt(check(item_object(t)));
    out = int_of_long(number.get());
    return true;
  }
  if (!is_index(o) || PyUnicode_Check(o)) return false;
  const Ref number = Ref::adopt(PyNumber_Index(o));
  if (!number) {
    PyErr_Clear();
    return false;
  }
  out = int_of_long(number.get());
  return true;
}

bool scalar_from(PyObject* o, Scalar& out) {
  if (PyFloat_CheckExact(o)) {
    out = Scalar(PyFloat_AS_DOUBLE(o));
    return true;
  }
  if (PyLong_CheckExact(o)) {
    out = Scalar(int_of_long(o));
    return true;
  }
  if (PyBool_Check(o)) {
    out = Scalar(o == Py_True);
    return true;
  }
  if (PyComplex_Check(o)) {
    out = Scalar(Complex<double>{PyComplex_RealAsDouble(o), PyComplex_ImagAsDouble(o)});
    return true;
  }
  if (PyFloat_Check(o)) {
    out = Scalar(PyFloat_AsDouble(o));
    return true;
  }
  if (PyLong_Check(o)) {
    out = Scalar(int_of_long(o));
    return true;
  }
  if (is_tensor(o)) {
    const Tensor t = tensor_of(o);
    if (t.dim() != 0) return false;
    const Ref number = Ref::adopt(check(item_object(t)));
    return scalar_from(number.get(), out);
  }
  // NumPy's scalars: through item(), which gives the Python number.
  if (PyUnicode_Check(o) || PyTuple_Check(o) || PyList_Check(o) || PyDict_Check(o) || o == Py_None) return false;
  const char* type = Py_TYPE(o)->tp_name;
  if (std::string_view(type).substr(0, 6) == "numpy.") {
    const Ref ndim = Ref::adopt(PyObject_GetAttrString(o, "ndim"));
    if (ndim && PyLong_Check(ndim.get()) && PyLong_AsLong(ndim.get()) == 0 &&
        std::string_view(type) != "numpy.ndarray") {
      const Ref number = Ref::adopt(PyObject_CallMethod(o, "item", nullptr));
      if (number && !PyUnicode_Check(number.get()) && number.get() != o) return scalar_from(number.get(), out);
    }
    PyErr_Clear();
    return false;
  }
  if (is_index(o)) {
    std::int64_t i;
    if (int_from(o, i)) {
      out = Scalar(i);
      return true;
    }
  }
  return false;
}

PyObject* scalar_object(const Scalar& s) {
  switch (s.kind()) {
    case Scalar::Kind::Bool: return PyBool_FromLong(s.to_bool());
    case Scalar::Kind::Int: return PyLong_FromLongLong(s.to_int());
    case Scalar::Kind::Float: return PyFloat_FromDouble(s.re());
    case Scalar::Kind::Complex: return PyComplex_FromDoubles(s.re(), s.im());
    case Scalar::Kind::None: Py_RETURN_NONE;
  }
  Py_RETURN_NONE;
}

PyObject* item_object(const Tensor& t) {
  if (t.numel() != 1) raise("a Tensor with ", t.numel(), " elements cannot be converted to Scalar");
  if (t.device().is_meta()) raise("Tensor.item() cannot be called on meta tensors");
  const void* p = t->read();
  switch (t.dtype()) {
    case DType::Float: return PyFloat_FromDouble(double(*static_cast<const float*>(p)));
    case DType::Double: return PyFloat_FromDouble(*static_cast<const double*>(p));
    case DType::Int64: return PyLong_FromLongLong(*static_cast<const std::int64_t*>(p));
    case DType::Bool: return PyBool_FromLong(*static_cast<const std::uint8_t*>(p) != 0);
    case DType::UInt8: return PyLong_FromLong(*static_cast<const std::uint8_t*>(p));
    case DType::Int8: return PyLong_FromLong(*static_cast<const std::int8_t*>(p));
    case DType::Int16: return PyLong_FromLong(*static_cast<const std::int16_t*>(p));
    case DType::Int32: return PyLong_FromLong(*static_cast<const std::int32_t*>(p));
    case DType::Half: return PyFloat_FromDouble(double(float(*static_cast<const Half*>(p))));
    case DType::BFloat16: return PyFloat_FromDouble(double(float(*static_cast<const BFloat16*>(p))));
    case DType::ComplexFloat: {
      const auto c = *static_cast<const Complex<float>*>(p);
      return PyComplex_FromDoubles(double(c.re), t.is_conj() ? -double(c.im) : double(c.im));
    }
    case DType::ComplexDouble: {
      const auto c = *static_cast<const Complex<double>*>(p);
      return PyComplex_FromDoubles(c.re, t.is_conj() ? -c.im : c.im);
    }
  }
  Py_RETURN_NONE;
}

Dims dims_from(PyObject* o) {
  const Ref fast = Ref::adopt(check(PySequence_Fast(o, "expected a sequence of ints")));
  Dims out;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(fast.get()); ++i) {
    std::int64_t v;
    PyObject* item = PySequence_Fast_GET_ITEM(fast.get(), i);
    if (!int_from(item, v))
      raise<TypeError>("expected a sequence of ints, got ", Py_TYPE(item)->tp_name, " at pos ", i);
    out.push_back(v);
  }
  return out;
}

static PyObject* tensor_sequence(std::vector<Tensor>& tensors, PyTypeObject* named) {
  const Py_ssize_t n = Py_ssize_t(tensors.size());
  PyObject* out = named ? PyStructSequence_New(named) : PyTuple_New(n);
  if (!out) throw_python_error();
  const Ref guard = Ref::adopt(out);
  for (Py_ssize_t i = 0; i < n; ++i) {
    PyObject* item = wrap(std::move(tensors[std::size_t(i)]));
    if (named) PyStructSequence_SetItem(out, i, item);
    else PyTuple_SET_ITEM(out, i, item);
  }
  return Py_NewRef(out);
}

PyObject* result_object(engine::Result& r, const Schema* schema) {
  using Kind = engine::Result::Kind;
  switch (r.kind) {
    case Kind::None: Py_RETURN_NONE;
    case Kind::Tensor: return wrap(std::move(r.tensor));
    case Kind::Tuple:
      return tensor_sequence(r.tensors, schema->return_names[0].length ? return_type(*schema) : nullptr);
    case Kind::TensorList: return tensor_sequence(r.tensors, nullptr);
    case Kind::Bool: return PyBool_FromLong(r.boolean);
    case Kind::Int: return PyLong_FromLongLong(r.integer);
    case Kind::Float: return PyFloat_FromDouble(r.number);
    case Kind::Scalar: return scalar_object(r.scalar);
    case Kind::Str: return PyUnicode_FromStringAndSize(r.text.data(), Py_ssize_t(r.text.size()));
    case Kind::DType: return Py_NewRef(dtype_object(r.dtype));
  }
  Py_RETURN_NONE;
}

}  // namespace hwaro::python
