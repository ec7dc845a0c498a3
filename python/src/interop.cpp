// NumPy both ways without a copy, without including NumPy's headers and without importing it before it is needed: arrays
// come in through the buffer protocol and go out through the tensor's own.
#include "python/src/interop.h"
#include "python/src/op_arguments.h"

#include <cstring>

#include "hwaro/autograd/grad_mode.h"
#include "hwaro/autograd/node.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/kinds/warn_once.h"
#include "python/src/members.h"

namespace hwaro::python {

PyBufferProcs tensor_buffer_procs;

namespace {

const char* format_of(DType t) {
  constexpr const char* kFormats[kDTypes] = {"?", "B", "b", "h", "i", "l", "e", nullptr, "f", "d", "Zf", "Zd"};
  return kFormats[int(t)];
}

bool type_of_format(const char* format, Py_ssize_t itemsize, DType& type) {
  if (!format) format = "B";
  if (*format == '@' || *format == '=' || *format == '<') ++format;
  const std::string_view f = format;
  if (f == "?") type = DType::Bool;
  else if (f == "e") type = DType::Half;
  else if (f == "f") type = DType::Float;
  else if (f == "d") type = DType::Double;
  else if (f == "Zf") type = DType::ComplexFloat;
  else if (f == "Zd") type = DType::ComplexDouble;
  else if (f.size() == 1 && std::strchr("bhilqn", f[0])) {
    if (itemsize == 1) type = DType::Int8;
    else if (itemsize == 2) type = DType::Int16;
    else if (itemsize == 4) type = DType::Int32;
    else type = DType::Int64;
  } else if (f == "B" || f == "c") type = DType::UInt8;
  else return false;
  return std::size_t(itemsize) == size_of(type);
}

struct HeldBuffer {
  Py_buffer view;
};
void release_buffer(void* context) {
  GilAcquire gil;
  auto* held = static_cast<HeldBuffer*>(context);
  PyBuffer_Release(&held->view);
  delete held;
}

[[noreturn]] void raise_bad_type(PyObject* o) {
  const Ref dtype = Ref::adopt(PyObject_GetAttrString(o, "dtype"));
  PyErr_Clear();
  std::string name = "object";
  if (dtype) {
    const Ref text = Ref::adopt(PyObject_GetAttrString(dtype.get(), "type"));
    const Ref shown = text ? Ref::adopt(PyObject_GetAttrString(text.get(), "__name__")) : Ref();
    if (shown) name = std::string("numpy.") + PyUnicode_AsUTF8(shown.get());
  }
  PyErr_Clear();
  raise<TypeError>("can't convert np.ndarray of type ", name,
                   ". The only supported types are: float64, float32, float16, complex64, complex128, int64, int32, "
                   "int16, int8, uint64, uint32, uint16, uint8, and bool.");
}

int get_buffer(PyObject* self, Py_buffer* view, int flags) {
  TensorImpl& t = *impl_of(self);
  const char* format = format_of(t.dtype);
  if (!format || is_tracked(tensor_of(self)) || t.is(kConj) || !t.device.is_cpu()) {
    PyErr_SetString(PyExc_BufferError, "this tensor does not export its memory; see Tensor.numpy()");
    view->obj = nullptr;
    return -1;
  }
  const int n = t.dim();
  auto* numbers = new Py_ssize_t[std::size_t(2 * n + 1)];
  for (int i = 0; i < n; ++i) {
    numbers[i] = t.sizes[i];
    numbers[n + i] = t.numel ? t.strides[i] * Py_ssize_t(size_of(t.dtype)) : 0;  // as NumPy has them
  }
  if (!(flags & PyBUF_STRIDES) && !t.is(kContiguous)) {
    delete[] numbers;
    PyErr_SetString(PyExc_BufferError, "tensor is not contiguous");
    view->obj = nullptr;
    return -1;
  }
  view->buf = static_cast<char*>(t.storage->escape()) + t.offset * std::int64_t(size_of(t.dtype));
  view->obj = Py_NewRef(self);
  view->len = Py_ssize_t(t.numel) * Py_ssize_t(size_of(t.dtype));
  view->itemsize = Py_ssize_t(size_of(t.dtype));
  view->readonly = 0;
  view->ndim = n;
  view->format = flags & PyBUF_FORMAT ? const_cast<char*>(format) : nullptr;
  view->shape = flags & PyBUF_ND ? numbers : nullptr;
  view->strides = flags & PyBUF_STRIDES ? numbers + n : nullptr;
  view->suboffsets = nullptr;
  view->internal = numbers;
  return 0;
}
void release_exported(PyObject*, Py_buffer* view) { delete[] static_cast<Py_ssize_t*>(view->internal); }

struct InstallBufferProcs {
  InstallBufferProcs() { tensor_buffer_procs = {&get_buffer, &release_exported}; }
} install_buffer_procs;

}  // namespace

bool is_ndarray(PyObject* o) {
  for (PyTypeObject* t = Py_TYPE(o); t; t = t->tp_base)
    if (std::strcmp(t->tp_name, "numpy.ndarray") == 0) return true;
  return false;
}

bool has_elements(PyObject* o) {
  if (is_ndarray(o)) return true;
  if (PyBytes_Check(o) || PyByteArray_Check(o) || PyUnicode_Check(o)) return false;
  return PyObject_CheckBuffer(o) && !std::strstr(Py_TYPE(o)->tp_name, "numpy.");
}

// An array's own strides where its buffer shows others: NumPy exports those of the contiguous array where a dimension has
// one element or none.
static void steps_of_array(PyObject* o, const Py_buffer& v, Dims& steps) {
  bool others = false;
  for (int i = 0; i < v.ndim; ++i) others = others || v.shape[i] <= 1;
  if (!others || !is_ndarray(o)) return;
  const Ref own = Ref::adopt(check(PyObject_GetAttrString(o, "strides")));
  for (int i = 0; i < v.ndim; ++i) steps[i] = PyLong_AsLongLong(PyTuple_GET_ITEM(own.get(), i));
}

Tensor tensor_from_elements(PyObject* o, bool for_copy) {
  auto* held = new HeldBuffer();
  if (PyObject_GetBuffer(o, &held->view, PyBUF_STRIDES | PyBUF_FORMAT) != 0) {
    delete held;
    PyErr_Clear();
    raise_bad_type(o);
  }
  const Py_buffer& v = held->view;
  DType type;
  if (v.format && (*v.format == '>' || *v.format == '!') && v.itemsize > 1) {
    release_buffer(held);
    raise<ValueError>(
        "given numpy array has byte order different from the native byte order. Conversion between byte orders is "
        "currently not supported.");
  }
  if (!type_of_format(v.format, v.itemsize, type)) {
    release_buffer(held);
    raise_bad_type(o);
  }
  Dims sizes, strides, steps;
  for (int i = 0; i < v.ndim; ++i) steps.push_back(v.strides[i]);
  steps_of_array(o, v, steps);
  for (int i = 0; i < v.ndim; ++i) {
    sizes.push_back(v.shape[i]);
    if (steps[i] < 0) {
      release_buffer(held);
      raise<ValueError>(
          "At least one stride in the given numpy array is negative, and tensors with negative strides are not "
          "currently supported. (You can "
          "probably work around this by making a copy of your array  with array.copy().) ");
    }
    if (steps[i] % v.itemsize != 0 && v.shape[i] > 1) {
      release_buffer(held);
      raise<ValueError>(
          "given numpy array strides not a multiple of the element byte size. Copy the numpy array to reallocate the "
          "memory.");
    }
    strides.push_back(steps[i] / v.itemsize);
  }
  if (v.readonly && !for_copy) {
    engine::warn_once(
        "The given NumPy array is not writable, and PyTorch does not support non-writable tensors. This means writing "
        "to this tensor will result in "
        "undefined behavior. You may want to copy the array to protect its data or make it writable before converting "
        "it to a tensor. This type of "
        "warning will be suppressed for the rest of this program.");
  }
  std::int64_t last = 0;
  bool empty = false;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    empty = empty || sizes[i] == 0;
    last += (sizes[i] - 1) * strides[i];
  }
  TensorImpl* t = TensorImpl::create();
  Tensor out(IntrusivePtr<TensorImpl>::adopt(t));
  t->storage =
      Storage::borrow(v.buf, empty ? 0 : std::size_t(last + 1) * std::size_t(v.itemsize), &release_buffer, held);
  t->dtype = type;
  t->sizes = std::move(sizes);
  t->strides = std::move(strides);
  t->refresh_geometry();
  t->set(kInference, inference_enabled());
  if (v.readonly == 0) t->storage->escape();
  return out;
}

Tensor tensor_from_buffer(PyObject* o, DType type, long long count, long long offset) {
  auto* held = new HeldBuffer();
  if (PyObject_GetBuffer(o, &held->view, PyBUF_WRITABLE) != 0) {
    PyErr_Clear();
    if (PyObject_GetBuffer(o, &held->view, PyBUF_SIMPLE) != 0) {
      delete held;
      PyErr_Clear();
      raise<ValueError>("object does not implement Python buffer protocol.");
    }
    engine::warn_once(
        "The given buffer is not writable, and PyTorch does not support non-writable tensors. This means you can write "
        "to the underlying (supposedly "
        "non-writable) buffer using the tensor. You may want to copy the buffer to protect its data or make it "
        "writable before converting it to a "
        "tensor. This type of warning will be suppressed for the rest of this program.");
  }
  const long long length = held->view.len, size = (long long)size_of(type);
  try {
    HWARO_CHECK_AS(ValueError, length > 0 && count != 0, "both buffer length (", length, ") and count (", count,
                   ") must not be 0");
    HWARO_CHECK_AS(ValueError, offset >= 0 && offset < length, "offset (", offset,
                   " bytes) must be non-negative and no greater than buffer length (", length, " bytes) minus 1");
    HWARO_CHECK_AS(ValueError, count > 0 || (length - offset) % size == 0, "buffer length (", length - offset,
                   " bytes) after offset (", offset, " bytes) must be a multiple of element size (", size, ")");
    if (count < 0) count = (length - offset) / size;
    HWARO_CHECK_AS(ValueError, offset + count * size <= length, "requested buffer length (", count, " * ", size,
                   " bytes) after offset (", offset, " bytes) must not be greater than actual buffer length (", length,
                   " bytes)");
  } catch (...) {
    release_buffer(held);
    throw;
  }
  TensorImpl* t = TensorImpl::create();
  Tensor out(IntrusivePtr<TensorImpl>::adopt(t));
  t->storage =
      Storage::borrow(static_cast<char*>(held->view.buf) + offset, std::size_t(count * size), &release_buffer, held);
  t->storage->escape();
  t->dtype = type;
  t->sizes = {count};
  t->strides = {1};
  t->refresh_geometry();
  return out;
}

bool numpy_scalar_type(PyObject* o, DType& type) {
  const std::string_view name = Py_TYPE(o)->tp_name;
  if (name.substr(0, 6) != "numpy.") return false;
  const std::string_view n = name.substr(6);
  if (n == "bool" || n == "bool_") type = DType::Bool;
  else
    for (int i = 0; i < kDTypes; ++i)
      if (n == kDTypeInfos[i].name) {
        type = DType(i);
        return true;
      }
  return n == "bool" || n == "bool_";
}

// ---- tensors as NumPy arrays ----

static PyObject* numpy_function(const char* name) {
  static PyObject* numpy = nullptr;
  if (!numpy) numpy = PyImport_ImportModule("numpy");
  if (!numpy) {
    PyErr_Clear();
    raise<RuntimeError>("Numpy is not available");
  }
  return check(PyObject_GetAttrString(numpy, name));
}

static PyObject* to_numpy(PyObject* self, bool force) {
  Tensor t = tensor_of(self);
  if (force) {
    if (is_tracked(t)) t = engine::detach(t);
    if (t.is_conj()) t = engine::dense(t);
  }
  HWARO_CHECK(!is_tracked(t), "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.");
  HWARO_CHECK(!t.is_conj(),
              "Can't call numpy() on Tensor that has conjugate bit set. Use tensor.resolve_conj().numpy() instead.");
  HWARO_CHECK_AS(TypeError, t.device().is_cpu(), "can't convert ", t.device().str(),
                 " device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first.");
  HWARO_CHECK_AS(TypeError, format_of(t.dtype()), "Got unsupported ScalarType ", scalar_type_name(t.dtype()));
  const Ref object = Ref::adopt(check(wrap(t)));
  const Ref view = Ref::adopt(check(PyMemoryView_FromObject(object.get())));
  const Ref asarray = Ref::adopt(numpy_function("asarray"));
  return check(PyObject_CallOneArg(asarray.get(), view.get()));
}

PyObject* tensor_numpy(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
  HWARO_PY_TRY
  HWARO_CHECK_AS(TypeError, count == 0, "numpy() takes 0 positional arguments but ", count,
                 count == 1 ? " was given" : " were given");
  PyObject* force = only_argument("numpy", "force", args, count, kwnames);
  if (force && !PyBool_Check(force))
    raise<TypeError>("numpy(): argument 'force' must be bool, not ", shown_type(force));
  return to_numpy(self, force == Py_True);
  HWARO_PY_CATCH(nullptr)
}

PyObject* tensor_array(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
  HWARO_PY_TRY
  const Ref array = Ref::adopt(to_numpy(self, false));
  PyObject *dtype = count > 0 ? args[0] : Py_None, *copy = Py_None;
  for (Py_ssize_t k = 0; kwnames && k < PyTuple_GET_SIZE(kwnames); ++k) {
    const std::string_view name = check(PyUnicode_AsUTF8(PyTuple_GET_ITEM(kwnames, k)));
    if (name == "dtype") dtype = args[count + k];
    if (name == "copy") copy = args[count + k];
  }
  if (dtype == Py_None && copy != Py_True) return Py_NewRef(array.get());
  if (dtype == Py_None) return PyObject_CallMethod(array.get(), "copy", nullptr);
  const Ref astype = Ref::adopt(check(PyObject_GetAttrString(array.get(), "astype")));
  const Ref kwargs = Ref::adopt(Py_BuildValue("{s:O}", "copy", copy == Py_True ? Py_True : Py_False));
  const Ref positional = Ref::adopt(PyTuple_Pack(1, dtype));
  return PyObject_Call(astype.get(), positional.get(), kwargs.get());
  HWARO_PY_CATCH(nullptr)
}

}  // namespace hwaro::python
