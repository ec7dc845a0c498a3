// Tensor.to and Tensor.type.
#include "hwaro/ops/copy.h"
#include "python/src/binding.h"
#include "python/src/members.h"
#include "python/src/op_arguments.h"

namespace hwaro::python {

namespace {

struct ToOptions {
  std::optional<DType> dtype;
  std::optional<Device> device;
  std::optional<MemoryFormat> format;
  bool copy = false;
};

bool is_device_like(PyObject* o) { return is_device(o) || PyUnicode_Check(o) || (PyLong_Check(o) && !PyBool_Check(o)); }

[[noreturn]] void raise_bad_to(PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
  if (count > 4) raise<TypeError>("to() takes from 0 to 4 positional arguments but ", count, " were given");
  raise<TypeError>(
      "to() received an invalid combination of arguments - got ", shown_types(args, 0, count, kwnames),
      ", but expected one of:\n * (torch.device device = None, torch.dtype dtype = None, bool non_blocking = False, "
      "bool copy = False, *, torch.memory_format memory_format = None)\n * (torch.dtype dtype, bool non_blocking = "
      "False, bool copy = False, *, torch.memory_format memory_format = None)\n * (Tensor tensor, bool non_blocking = "
      "False, bool copy = False, *, torch.memory_format memory_format = None)\n");
}

ToOptions parse_to(PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
  ToOptions o;
  Py_ssize_t at = 0;
  if (count > 0) {
    PyObject* first = args[0];
    if (const std::optional<DType> type = dtype_from(first)) {
      o.dtype = type;
      at = 1;
    } else if (is_tensor(first)) {
      o.dtype = impl_of(first)->dtype;
      o.device = impl_of(first)->device;
      at = 1;
    } else if (is_device_like(first)) {
      o.device = device_of_object(first);
      at = 1;
      if (count > 1 && dtype_from(args[1])) {
        o.dtype = dtype_from(args[1]);
        at = 2;
      } else if (count > 1 && args[1] == Py_None) {
        at = 2;
      }
    } else if (first == Py_None) {
      at = 1;
      if (count > 1 && dtype_from(args[1])) o.dtype = dtype_from(args[1]), at = 2;
    } else if (Scalar number; scalar_from(first, number)) {  // a number is a tensor of its kind
      o.dtype = number.is_complex() ? DType::ComplexDouble : number.is_floating() ? DType::Double : number.dtype();
      at = 1;
    } else {
      raise_bad_to(args, count, kwnames);
    }
  }
  for (int flag = 0; flag < 2 && at < count; ++flag, ++at) {
    if (!PyBool_Check(args[at])) raise_bad_to(args, count, kwnames);
    if (flag == 1) o.copy = args[at] == Py_True;  // the other is non_blocking
  }
  if (at < count) raise_bad_to(args, count, kwnames);
  const Py_ssize_t keywords = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
  for (Py_ssize_t k = 0; k < keywords; ++k) {
    const std::string_view name = check(PyUnicode_AsUTF8(PyTuple_GET_ITEM(kwnames, k)));
    PyObject* v = args[count + k];
    if (name == "dtype") {
      if (v == Py_None) continue;
      o.dtype = dtype_from(v);
      if (!o.dtype) raise_bad_to(args, count, kwnames);
    } else if (name == "device") {
      if (v == Py_None) continue;
      if (!is_device_like(v)) raise_bad_to(args, count, kwnames);
      o.device = device_of_object(v);
    } else if (name == "copy") {
      if (!PyBool_Check(v)) raise_bad_to(args, count, kwnames);
      o.copy = v == Py_True;
    } else if (name == "memory_format") {
      if (v == Py_None) continue;
      if (!is_memory_format(v)) raise_bad_to(args, count, kwnames);
      o.format = memory_format_of(v);
    } else if (name == "tensor") {
      if (!is_tensor(v)) raise_bad_to(args, count, kwnames);
      o.dtype = impl_of(v)->dtype;
      o.device = impl_of(v)->device;
    } else if (name != "non_blocking") {
      raise_bad_to(args, count, kwnames);
    }
  }
  return o;
}

// As PyTorch sees it here: whatever is not channels-last counts as row-major.
bool has_format(const Tensor& t, MemoryFormat format) {
  if (format != MemoryFormat::Contiguous) return t.is_contiguous(format);
  return t.is_contiguous() ||
         !(t.is_contiguous(MemoryFormat::ChannelsLast) || t.is_contiguous(MemoryFormat::ChannelsLast3d));
}

PyObject* convert(PyObject* self, const ToOptions& o) {
  const Tensor t = tensor_of(self);
  if (o.device) check_device_available(*o.device);
  const bool same = (!o.dtype || *o.dtype == t.dtype()) && (!o.device || *o.device == t.device()) &&
                    (!o.format || *o.format == MemoryFormat::Preserve || has_format(t, *o.format));
  if (same && !o.copy) return Py_NewRef(self);
  return wrap(engine::_to_copy(t, o.dtype, o.device, o.format));
}

}  // namespace

PyObject* tensor_to(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
  HWARO_PY_TRY
  return convert(self, parse_to(args, count, kwnames));
  HWARO_PY_CATCH(nullptr)
}

PyObject* tensor_type(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
  HWARO_PY_TRY
  const TensorImpl& t = *impl_of(self);
  PyObject* want = nullptr;
  if (count > 2) raise<TypeError>("type() takes from 0 to 2 positional arguments but ", count, " were given");
  if (count > 0) want = args[0];
  PyObject* waits_not = count > 1 ? args[1] : Py_False;
  for (Py_ssize_t k = 0; kwnames && k < PyTuple_GET_SIZE(kwnames); ++k) {
    PyObject* name = PyTuple_GET_ITEM(kwnames, k);
    if (same_name(name, "dtype")) want = args[count + k];
    else if (same_name(name, "non_blocking")) waits_not = args[count + k];
    else raise<TypeError>("type() got an unexpected keyword argument '", PyUnicode_AsUTF8(name), "'");
  }
  if (!PyBool_Check(waits_not))
    raise<TypeError>("type(): argument 'non_blocking' ", count > 1 ? "(position 2) " : "", "must be bool, not ",
                     shown_type(waits_not));
  const std::string prefix = t.device.is_cpu() ? "torch." : std::string("torch.") + name_of(t.device.type) + ".";
  if (!want || want == Py_None)
    return PyUnicode_FromString((prefix + kDTypeInfos[int(t.dtype)].tensor_type_name).c_str());
  ToOptions o;
  if (is_dtype(want)) {
    o.dtype = dtype_of_object(want);
    return convert(self, o);
  }
  // "torch.FloatTensor", or the class of that name.
  Ref text;
  if (PyUnicode_Check(want)) {
    text = Ref::share(want);
  } else {
    const Ref module = Ref::adopt(PyObject_GetAttrString(want, "__module__")),
              name = Ref::adopt(PyObject_GetAttrString(want, "__name__"));
    if (module && name) {
      // Tensor types are called by module and name, Python's own by their name.
      const std::string_view where = check(PyUnicode_AsUTF8(module.get()));
      text = where == "builtins" ? name
             : where.substr(where.size() - std::min<std::size_t>(where.size(), 5)) == ".cuda"
                 ? Ref::adopt(PyUnicode_FromFormat("torch.cuda.%U", name.get()))
                 : Ref::adopt(PyUnicode_FromFormat("torch.%U", name.get()));
    }
    PyErr_Clear();
  }
  if (text) {
    const std::string_view wanted = check(PyUnicode_AsUTF8(text.get()));
    for (int i = 0; i < kDTypes; ++i)
      if (wanted == std::string("torch.") + kDTypeInfos[i].tensor_type_name) {
        o.dtype = DType(i);
        return convert(self, o);
      }
    if (wanted == "torch.Tensor") {
      o.dtype = default_dtype();
      return convert(self, o);
    }
    HWARO_CHECK(
        wanted.substr(0, 11) != "torch.cuda.",
        "Cannot initialize CUDA without ATen_cuda library. PyTorch splits its backend into two shared libraries: a "
        "CPU library and a CUDA library; this error has occurred because you are trying to use some CUDA "
        "functionality, but the CUDA library has not been loaded by the dynamic linker for some reason.");
    raise<ValueError>("invalid type: '", wanted, "'");
  }
  raise<TypeError>("dtype must be a type, str, or dtype object");
  HWARO_PY_CATCH(nullptr)
}

}  // namespace hwaro::python
