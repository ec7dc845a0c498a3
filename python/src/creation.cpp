// torch.tensor and relatives: tensors from Python data.
#include <cstring>

#include "hwaro/autograd/node.h"
#include "hwaro/core/type_names.h"
#include "hwaro/ops/kinds/support.h"
#include "python/src/binding.h"
#include "python/src/interop.h"

namespace hwaro::python {

namespace {

// ---- nested sequences ----

bool is_sequence(PyObject* o) {
  if (PyList_Check(o) || PyTuple_Check(o)) return true;
  if (is_ndarray(o)) return PySequence_Size(o) >= 0 || (PyErr_Clear(), false);  // one without dimensions has no length
  if (is_tensor(o) || PyUnicode_Check(o) || PyBytes_Check(o) || PyDict_Check(o) || PyNumber_Check(o)) return false;
  return PySequence_Check(o);
}

void warn_of_arrays() {
  static bool done = false;
  if (done) return;
  done = true;
  engine::warn(
      "Creating a tensor from a list of numpy.ndarrays is extremely slow. Please consider converting the list to a "
      "single numpy.ndarray with "
      "numpy.array() before converting to a tensor.");
}

Dims shape_of(PyObject* data) {
  Dims shape;
  Ref hold;
  while (is_sequence(data)) {
    const Py_ssize_t n = PySequence_Size(data);
    if (n < 0) throw_python_error();
    shape.push_back(n);
    HWARO_CHECK_AS(ValueError, shape.size() <= 128, "too many dimensions '", Py_TYPE(data)->tp_name, "'");
    if (n == 0) break;
    Ref first = Ref::adopt(PySequence_GetItem(data, 0));
    if (!first) throw_python_error();
    HWARO_CHECK_AS(ValueError, !PyUnicode_Check(first.get()), "too many dimensions 'str'");
    if (is_ndarray(first.get()) && shape.size() == 1 && !is_ndarray(data)) warn_of_arrays();
    hold = first;
    data = hold.get();
  }
  return shape;
}

// The type of one number; int, float and complex by category, NumPy's scalars and tensors by their own type.
DType type_of_number(PyObject* o) {
  if (PyFloat_CheckExact(o)) return default_dtype();
  if (PyBool_Check(o)) return DType::Bool;
  if (PyLong_Check(o)) return DType::Int64;
  if (PyComplex_CheckExact(o)) return to_complex(default_dtype());
  if (is_tensor(o)) return impl_of(o)->dtype;
  DType t;
  if (numpy_scalar_type(o, t)) return t;
  if (PyFloat_Check(o)) return default_dtype();
  if (PyComplex_Check(o)) return to_complex(default_dtype());
  Scalar s;
  if (scalar_from(o, s)) return s.dtype();
  if (PyUnicode_Check(o)) raise<TypeError>("new(): invalid data type 'str'");
  if (is_ndarray(o)) return tensor_from_elements(o, true).dtype();
  raise<RuntimeError>("Could not infer dtype of ", Py_TYPE(o)->tp_name);
}

void infer_type(PyObject* data, DType& type, bool& any) {
  if (!is_sequence(data)) {
    const DType t = type_of_number(data);
    type = any ? promote_types(type, t) : t;
    any = true;
    return;
  }
  const Ref fast = Ref::adopt(check(PySequence_Fast(data, "not a sequence")));
  const Py_ssize_t n = PySequence_Fast_GET_SIZE(fast.get());
  PyObject** items = PySequence_Fast_ITEMS(fast.get());
  const DType floating = default_dtype();
  for (Py_ssize_t i = 0; i < n; ++i) {
    // Long runs of plain floats or ints are the common case.
    if (any && PyFloat_CheckExact(items[i]) && type == floating) continue;
    if (any && type == DType::Int64 && PyLong_CheckExact(items[i])) continue;
    infer_type(items[i], type, any);
  }
}

template <class T>
T element_of(PyObject* o) {
  if constexpr (std::is_same_v<T, float> || std::is_same_v<T, double>) {
    if (PyFloat_CheckExact(o)) return static_cast<T>(PyFloat_AS_DOUBLE(o));
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    if (PyLong_CheckExact(o)) {
      int overflow = 0;
      const long long v = PyLong_AsLongLongAndOverflow(o, &overflow);
      HWARO_CHECK_AS(ValueError, !overflow, "Overflow when unpacking long long");
      return v;
    }
  }
  Scalar s;
  if (is_tensor(o)) {
    if constexpr (std::is_integral_v<T>)
      HWARO_CHECK_AS(TypeError, tensor_of(o).numel() == 1,
                     "only integer tensors of a single element can be converted to an index");
    HWARO_CHECK_AS(ValueError, tensor_of(o).numel() == 1,
                   "only one element tensors can be converted to Python scalars");
    const Ref number = Ref::adopt(check(item_object(tensor_of(o))));
    scalar_from(number.get(), s);
  } else if (!scalar_from(o, s)) {
    if (std::is_integral_v<T> && is_sequence(o))
      raise<TypeError>("'", Py_TYPE(o)->tp_name, "' object cannot be interpreted as an integer");
    raise<TypeError>("must be real number, not ", Py_TYPE(o)->tp_name);
  }
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    if (s.is_complex()) raise<TypeError>("can't convert complex to int");
    if (s.is_floating()) {
      const double limit = 2.0 * double(std::numeric_limits<T>::max() / 2 + 1);  // exact, unlike max() of 64 bits
      HWARO_CHECK(s.re() < limit && (std::is_signed_v<T> ? s.re() >= -limit : s.re() > -limit),
                  "value cannot be converted to type ", name_of(dtype_of<T>), " without overflow");
      return static_cast<T>(static_cast<std::int64_t>(s.re()));
    }
    const std::int64_t v = s.to_int();
    if constexpr (sizeof(T) < 8)
      HWARO_CHECK(
          (v >= std::int64_t(std::numeric_limits<T>::min()) && v <= std::int64_t(std::numeric_limits<T>::max())) ||
              (std::is_unsigned_v<T> && v < 0 && v >= -std::int64_t(std::numeric_limits<T>::max())),
          "value cannot be converted to type ", name_of(dtype_of<T>), " without overflow");
    return static_cast<T>(v);
  } else if constexpr (std::is_floating_point_v<T> || std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
    if (s.is_complex()) raise<TypeError>("must be real number, not complex");
    return s.to<T>();
  } else {
    return s.to<T>();
  }
}

template <class T>
T* fill(PyObject* data, IntSpan shape, std::size_t dim, T* out) {
  if (dim == shape.size()) {
    if (is_sequence(data)) {
      raise<ValueError>("expected sequence of length 0 at dim ", dim, " (got ", PySequence_Size(data), ")");
    }
    *out = element_of<T>(data);
    return out + 1;
  }
  if (is_tensor(data)) {
    // A tensor among the items where others are lists: its elements, converted.
    const Tensor t = engine::dense_as(tensor_of(data), dtype_of<T>);
    HWARO_CHECK_AS(ValueError, t.sizes() == IntSpan(shape.begin() + dim, shape.size() - dim),
                   "expected sequence of length ", shape[dim], " at dim ", dim, " (got ", t.dim() ? t.sizes()[0] : 0,
                   ")");
    const std::size_t n = std::size_t(t.numel());
    std::memcpy(static_cast<void*>(out), t->read(), n * sizeof(T));
    return out + n;
  }
  if (!is_sequence(data)) raise<TypeError>("not a sequence");
  const Ref fast = Ref::adopt(check(PySequence_Fast(data, "not a sequence")));
  const Py_ssize_t n = PySequence_Fast_GET_SIZE(fast.get());
  HWARO_CHECK_AS(ValueError, n == shape[dim], "expected sequence of length ", shape[dim], " at dim ", dim, " (got ", n,
                 ")");
  PyObject** items = PySequence_Fast_ITEMS(fast.get());
  if (dim + 1 == shape.size()) {
    for (Py_ssize_t i = 0; i < n; ++i) *out++ = element_of<T>(items[i]);
    return out;
  }
  for (Py_ssize_t i = 0; i < n; ++i) out = fill(items[i], shape, dim + 1, out);
  return out;
}

Tensor from_sequence(PyObject* data, std::optional<DType> dtype) {
  const Dims shape = shape_of(data);
  DType type = default_dtype();
  if (dtype) {
    type = *dtype;
  } else {
    bool any = false;
    infer_type(data, type, any);
  }
  const Tensor out = engine::make_tensor(shape, type);
  if (out.numel() == 0 && !shape.empty()) return out;
  visit_if<kAllSet>(type, [&](auto tag) {
    using T = typename decltype(tag)::type;
    fill<T>(data, shape, 0, out->write_as<T>());
  });
  return out;
}

// ---- arguments ----

struct Options {
  PyObject* data = nullptr;
  std::optional<DType> dtype;
  std::optional<Device> device;
  bool requires_grad = false;
  std::optional<bool> copy;
};

Options parse_options(const char* function, PyObject* const* args, Py_ssize_t count, PyObject* kwnames,
                      Py_ssize_t positional, const char* data_name) {
  Options o;
  HWARO_CHECK_AS(TypeError, count <= positional, function, "() takes ", positional, " positional argument",
                 positional == 1 ? "" : "s", " but ", count, " were given");
  if (count > 0) o.data = args[0];
  auto take = [&](std::string_view name, PyObject* v) {
    if (name == data_name) o.data = v;
    else if (name == "dtype") {
      if (v == Py_None) return;
      o.dtype = dtype_from(v);
      if (!o.dtype) raise<TypeError>(function, "(): argument 'dtype' must be torch.dtype, not ", Py_TYPE(v)->tp_name);
    } else if (name == "device") {
      if (v != Py_None) o.device = device_of_object(v);
    } else if (name == "requires_grad") {
      o.requires_grad = PyObject_IsTrue(v) == 1;
    } else if (name == "copy") {
      if (v != Py_None) o.copy = PyObject_IsTrue(v) == 1;
    } else if (name != "pin_memory" && name != "names" && name != "layout") {
      raise<TypeError>(function, "() got an unexpected keyword argument '", name, "'");
    }
  };
  if (count > 1) take("dtype", args[1]);
  if (count > 2) take("device", args[2]);
  for (Py_ssize_t k = 0; kwnames && k < PyTuple_GET_SIZE(kwnames); ++k)
    take(check(PyUnicode_AsUTF8(PyTuple_GET_ITEM(kwnames, k))), args[count + k]);
  HWARO_CHECK_AS(TypeError, o.data, function, "() missing 1 required positional arguments: \"", data_name, "\"");
  if (!o.device && t_default_device.given && !is_tensor(o.data)) o.device = t_default_device.device;
  if (o.device) check_device_available(*o.device);
  return o;
}

Tensor to_device(const Tensor& t, const Options& o) {
  if (o.device && o.device->is_meta() && !t.device().is_meta())
    return engine::make_tensor(t.sizes(), t.dtype(), *o.device);
  return t;
}

// Copies whatever has elements: tensors, arrays, sequences, numbers.
Tensor copy_of(PyObject* data, std::optional<DType> dtype) {
  if (is_tensor(data)) {
    const Tensor t = tensor_of(data);
    const Tensor out =
        t.device().is_meta() ? engine::make_like(t, dtype) : engine::make_like(t, dtype.value_or(t.dtype()));
    if (!t.device().is_meta()) engine::copy_raw(out, t);
    return out;
  }
  if (!PyList_CheckExact(data) && !PyTuple_CheckExact(data) && has_elements(data)) {
    const Tensor shared = tensor_from_elements(data, true);
    const Tensor out = engine::make_like(shared, dtype);
    engine::copy_raw(out, shared);
    return out;
  }
  return from_sequence(data, dtype);
}

PyObject* py_tensor(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
  HWARO_PY_TRY
  const Options o = parse_options("tensor", args, count, kwnames, 1, "data");
  if (is_tensor(o.data)) {
    engine::warn(
        "To copy construct from a tensor, it is recommended to use sourceTensor.detach().clone() or "
        "sourceTensor.detach().clone().requires_grad_(True), rather than torch.tensor(sourceTensor).");
    if (PyErr_Occurred()) return nullptr;
  }
  const Tensor out = to_device(copy_of(o.data, o.dtype), o);
  if (o.requires_grad) require_grad_of_new(out);
  return wrap(out);
  HWARO_PY_CATCH(nullptr)
}

PyObject* as_tensor_with(const Options& o) {
  if (is_tensor(o.data)) {
    const Tensor t = tensor_of(o.data);
    const bool same = (!o.dtype || *o.dtype == t.dtype()) && (!o.device || *o.device == t.device());
    if (same && o.copy.value_or(false)) return wrap(engine::clone(t));
    if (same) return Py_NewRef(o.data);
    HWARO_CHECK_AS(ValueError, !(o.copy && !*o.copy), "can't alias tensor with dtype '", name_of(t.dtype()),
                   "' into dtype '", name_of(o.dtype.value_or(t.dtype())), "'.");
    return wrap(to_device(o.dtype ? engine::to_dtype(t, *o.dtype) : t, o));
  }
  if (!PyList_CheckExact(o.data) && !PyTuple_CheckExact(o.data) && has_elements(o.data) && !o.copy.value_or(false)) {
    const Tensor shared = tensor_from_elements(o.data, false);
    if (!o.dtype || *o.dtype == shared.dtype()) return wrap(to_device(shared, o));
  }
  return wrap(to_device(copy_of(o.data, o.dtype), o));
}

PyObject* py_as_tensor(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
  HWARO_PY_TRY
  return as_tensor_with(parse_options("as_tensor", args, count, kwnames, 3, "data"));
  HWARO_PY_CATCH(nullptr)
}
PyObject* py_asarray(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
  HWARO_PY_TRY
  const Options o = parse_options("asarray", args, count, kwnames, 1, "obj");
  Ref out = Ref::adopt(check(as_tensor_with(o)));
  // An array of no dimensions is taken for a number.
  if (!is_tensor(o.data) && !o.copy && tensor_of(out.get()).dim() == 0)
    out = Ref::adopt(check(wrap(engine::clone(tensor_of(out.get())))));
  if (o.requires_grad) require_grad_of_new(tensor_of(out.get()));
  return Py_NewRef(out.get());
  HWARO_PY_CATCH(nullptr)
}

// ---- legacy constructors: torch.Tensor(2, 3), torch.LongTensor([1, 2]) ----

[[noreturn]] void raise_bad_legacy(PyObject* args, PyObject* kwargs) {
  std::string types;
  const auto add = [&](const std::string& name, PyObject* o) {
    types += (types.empty() ? "" : ", ") + name + Py_TYPE(o)->tp_name;
  };
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(args); ++i) add("", PyTuple_GET_ITEM(args, i));
  PyObject *key, *value;
  Py_ssize_t at = 0;
  while (kwargs && PyDict_Next(kwargs, &at, &key, &value)) add(std::string(check(PyUnicode_AsUTF8(key))) + "=", value);
  if (PyTuple_GET_SIZE(args) == 0) types += ", ";  // as PyTorch writes it
  raise<TypeError>("new() received an invalid combination of arguments - got (", types,
                   "), but expected one of:\n * (*, torch.device device = None)\n * (torch.Storage storage)\n"
                   " * (Tensor other)\n * (tuple of ints size, *, torch.device device = None)\n"
                   " * (object data, *, torch.device device = None)\n");
}

std::string tensor_options(DType type) {
  return concat("TensorOptions(dtype=", c_type_name(type),
                ", device=cpu, layout=Strided, requires_grad=false (default), pinned_memory=false (default), "
                "memory_format=(nullopt))");
}

// `type` left out: torch.Tensor itself, which makes tensors of the default type and takes tensors of any.
Tensor legacy_tensor(PyObject* args, PyObject* kwargs, std::optional<DType> wanted) {
  const DType type = wanted.value_or(default_dtype());
  Py_ssize_t n = PyTuple_GET_SIZE(args);
  PyObject* first = n ? PyTuple_GET_ITEM(args, 0) : nullptr;
  bool size_by_name = false;
  PyObject *key, *value;
  Py_ssize_t at = 0;
  while (kwargs && PyDict_Next(kwargs, &at, &key, &value)) {
    const std::string_view name = check(PyUnicode_AsUTF8(key));
    if (name == "device") {
      if (value == Py_None) continue;
      const Device device = device_of_object(value);
      HWARO_CHECK(device.is_cpu(),
                  "legacy constructor expects device type: cpu but device type: ", name_of(device.type), " was passed");
    } else if ((name == "data" || name == "other" || name == "size") && n == 0) {
      first = value;
      n = 1;
      size_by_name = name == "size";
    } else {
      raise_bad_legacy(args, kwargs);
    }
  }
  if (n == 0) return engine::make_tensor({0}, type);
  std::int64_t v;
  if (n == PyTuple_GET_SIZE(args) && (PyLong_Check(first) || (is_index(first) && !PySequence_Check(first)))) {
    Dims shape;
    for (Py_ssize_t i = 0; i < n; ++i) {
      if (!int_from(PyTuple_GET_ITEM(args, i), v))
        raise<TypeError>("new(): argument 'size' failed to unpack the object at pos ", i + 1,
                         " with error \"type must be tuple of ints,but got ",
                         Py_TYPE(PyTuple_GET_ITEM(args, i))->tp_name, "\"");
      shape.push_back(v);
    }
    return engine::make_tensor(shape, type);
  }
  if (n > 1) raise_bad_legacy(args, kwargs);
  if (Py_TYPE(first) == &SizeType || size_by_name) return engine::make_tensor(dims_from(first), type);
  if (is_tensor(first)) {
    const Tensor t = tensor_of(first);
    HWARO_CHECK_AS(TypeError, !wanted || t.dtype() == type, "expected ", tensor_options(type), " (got ",
                   tensor_options(t.dtype()), ")");
    return engine::alias(t, t.sizes(), t.strides(), t->offset);
  }
  if (PyUnicode_Check(first)) raise<TypeError>("new(): invalid data type 'str'");
  if (is_sequence(first) || has_elements(first)) return copy_of(first, type);
  raise<TypeError>("new(): data must be a sequence (got ", Py_TYPE(first)->tp_name, ")");
}

// _C.legacy_new(dtype or None, args, kwargs or None)
PyObject* py_legacy_new(PyObject*, PyObject* args) {
  HWARO_PY_TRY
  PyObject *dtype, *data, *kwargs = nullptr;
  if (!PyArg_ParseTuple(args, "OO!|O!", &dtype, &PyTuple_Type, &data, &PyDict_Type, &kwargs)) return nullptr;
  return wrap(legacy_tensor(data, kwargs, dtype == Py_None ? std::nullopt : std::optional(dtype_of_object(dtype))));
  HWARO_PY_CATCH(nullptr)
}

PyObject* py_frombuffer(PyObject*, PyObject* args, PyObject* kwargs) {
  HWARO_PY_TRY
  static const char* names[] = {"buffer", "dtype", "count", "offset", "requires_grad", nullptr};
  PyObject *buffer, *dtype;
  long long count = -1, offset = 0;
  int requires_grad = 0;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|$OLLp:frombuffer", const_cast<char**>(names), &buffer, &dtype,
                                   &count, &offset, &requires_grad))
    return nullptr;
  if (!is_dtype(dtype)) raise<TypeError>("frombuffer(): argument 'dtype' must be torch.dtype");
  const Tensor out = tensor_from_buffer(buffer, dtype_of_object(dtype), count, offset);
  if (requires_grad) require_grad_of_new(out);
  return wrap(out);
  HWARO_PY_CATCH(nullptr)
}

PyObject* py_from_numpy(PyObject*, PyObject* o) {
  HWARO_PY_TRY
  if (!is_ndarray(o)) raise<TypeError>("expected np.ndarray (got ", Py_TYPE(o)->tp_name, ")");
  return wrap(tensor_from_elements(o, false));
  HWARO_PY_CATCH(nullptr)
}

#define HWARO_FAST(f) reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(f)), METH_FASTCALL | METH_KEYWORDS
PyMethodDef creation_functions[] = {
    {"tensor", HWARO_FAST(py_tensor),
     "tensor(data, *, dtype=None, device=None, requires_grad=False, pin_memory=False) -> Tensor\n\nA copy of data."},
    {"as_tensor", HWARO_FAST(py_as_tensor),
     "as_tensor(data, dtype=None, device=None) -> Tensor\n\nShares memory with data where possible."},
    {"asarray", HWARO_FAST(py_asarray),
     "asarray(obj, *, dtype=None, device=None, copy=None, requires_grad=False) -> Tensor"},
    {"from_numpy", py_from_numpy, METH_O, "from_numpy(ndarray) -> Tensor\n\nShares memory with the array."},
    {"frombuffer", reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(py_frombuffer)),
     METH_VARARGS | METH_KEYWORDS, "frombuffer(buffer, *, dtype, count=-1, offset=0, requires_grad=False) -> Tensor"},
    {"legacy_new", py_legacy_new, METH_VARARGS, nullptr},
    {}};

}  // namespace

PyObject* tensor_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  HWARO_PY_TRY
  return wrap_as(type, legacy_tensor(args, kwargs, std::nullopt));
  HWARO_PY_CATCH(nullptr)
}

bool add_creation(PyObject* module) { return PyModule_AddFunctions(module, creation_functions) == 0; }

}  // namespace hwaro::python
