// torch.dtype, torch.device, torch.Size, torch.layout and torch.memory_format.
#include "python/src/binding.h"

namespace hwaro::python {

namespace {

struct PyDType {
  PyObject_HEAD DType type;
};
PyObject* g_dtypes[kDTypes];

PyObject* dtype_repr(PyObject* self) {
  return PyUnicode_FromFormat("torch.%s", name_of(reinterpret_cast<PyDType*>(self)->type));
}
PyObject* dtype_reduce(PyObject* self, PyObject*) {
  return PyUnicode_FromString(name_of(reinterpret_cast<PyDType*>(self)->type));
}
PyObject* dtype_to_real(PyObject* self, PyObject*) {
  return Py_NewRef(dtype_object(to_real(reinterpret_cast<PyDType*>(self)->type)));
}
PyObject* dtype_to_complex(PyObject* self, PyObject*) {
  return Py_NewRef(dtype_object(to_complex(reinterpret_cast<PyDType*>(self)->type)));
}
PyObject* dtype_is_floating(PyObject* self, void*) { return PyBool_FromLong(is_floating(dtype_of_object(self))); }
PyObject* dtype_is_complex(PyObject* self, void*) { return PyBool_FromLong(is_complex(dtype_of_object(self))); }
PyObject* dtype_is_signed(PyObject* self, void*) {
  return PyBool_FromLong(dtype_of_object(self) != DType::Bool && dtype_of_object(self) != DType::UInt8);
}
PyObject* dtype_itemsize(PyObject* self, void*) { return PyLong_FromSize_t(size_of(dtype_of_object(self))); }
PyObject* dtype_module(PyObject*, void*) { return PyUnicode_FromString("hwaro"); }
PyMethodDef dtype_methods[] = {{"__reduce__", dtype_reduce, METH_NOARGS, nullptr},
                               {"to_real", dtype_to_real, METH_NOARGS, "The type of the real part."},
                               {"to_complex", dtype_to_complex, METH_NOARGS, "The complex type of the same precision."},
                               {}};
PyGetSetDef dtype_getset[] = {{"is_floating_point", dtype_is_floating, nullptr, nullptr, nullptr},
                              {"is_complex", dtype_is_complex, nullptr, nullptr, nullptr},
                              {"is_signed", dtype_is_signed, nullptr, nullptr, nullptr},
                              {"itemsize", dtype_itemsize, nullptr, nullptr, nullptr},
                              {"__module__", dtype_module, nullptr, nullptr, nullptr},
                              {}};

// Classes say that they are of the module torch, which need not exist: pickles name a function of ours instead.
PyObject* rebuilder(const char* name) {
  const Ref module = Ref::adopt(PyImport_ImportModule("hwaro._utils"));
  return module ? PyObject_GetAttrString(module.get(), name) : nullptr;
}

struct PyDevice {
  PyObject_HEAD Device device;
};

[[noreturn]] void raise_no_device(const char* got) {
  raise<TypeError>("device() received an invalid combination of arguments - got (", got,
                   "), but expected one of:\n * (torch.device device)\n * (str type, int index = -1)\n");
}

PyObject* device_new(PyTypeObject*, PyObject* args, PyObject* kwargs) {
  HWARO_PY_TRY
  static const char* names[] = {"type", "index", nullptr};
  PyObject *type = nullptr, *index = nullptr;
  if (PyTuple_GET_SIZE(args) == 0 && !kwargs) raise_no_device("");
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O|O:device", const_cast<char**>(names), &type, &index))
    return nullptr;
  if (!PyUnicode_Check(type) && !PyLong_Check(type) && !is_device(type)) raise_no_device(Py_TYPE(type)->tp_name);
  Device d = device_of_object(type);
  if (index && index != Py_None) {
    if (!PyUnicode_Check(type))
      raise<TypeError>("device(): argument 'type' (position 1) must be str, not ", Py_TYPE(type)->tp_name);
    HWARO_CHECK(d.index < 0, "type (string) must not include an index because index was passed explicitly: ",
                PyUnicode_AsUTF8(type));
    if (!PyLong_Check(index))
      raise<TypeError>("device(): argument 'index' (position 2) must be int, not ", Py_TYPE(index)->tp_name);
    const long i = PyLong_AsLong(index);
    if (i == -1 && PyErr_Occurred()) return nullptr;
    HWARO_CHECK(i >= 0 && i < 128, "Device index must not be negative");
    d.index = static_cast<std::int8_t>(i);
  }
  return device_object(d);
  HWARO_PY_CATCH(nullptr)
}
PyObject* device_str(PyObject* self) { return PyUnicode_FromString(device_of_object(self).str().c_str()); }
PyObject* device_repr(PyObject* self) {
  const Device d = device_of_object(self);
  if (d.index < 0) return PyUnicode_FromFormat("device(type='%s')", name_of(d.type));
  return PyUnicode_FromFormat("device(type='%s', index=%d)", name_of(d.type), int(d.index));
}
Py_hash_t device_hash(PyObject* self) {
  const Device d = device_of_object(self);
  return (Py_hash_t(d.type) << 8) + d.index + 1;
}
PyObject* device_compare(PyObject* a, PyObject* b, int op) {
  if (!is_device(a) || !is_device(b) || (op != Py_EQ && op != Py_NE)) Py_RETURN_NOTIMPLEMENTED;
  return PyBool_FromLong((device_of_object(a) == device_of_object(b)) == (op == Py_EQ));
}
PyObject* device_type(PyObject* self, void*) { return PyUnicode_FromString(name_of(device_of_object(self).type)); }
PyObject* device_index(PyObject* self, void*) {
  const Device d = device_of_object(self);
  if (d.index < 0) Py_RETURN_NONE;
  return PyLong_FromLong(d.index);
}
PyObject* device_reduce(PyObject* self, PyObject*) {
  const Device d = device_of_object(self);
  PyObject* make = rebuilder("_make_device");
  if (!make) return nullptr;
  if (d.index < 0) return Py_BuildValue("(N(s))", make, name_of(d.type));
  return Py_BuildValue("(N(si))", make, name_of(d.type), int(d.index));
}
// `with torch.device("meta"):` makes factories use that device: the list lives in Python (hwaro/_device.py).
PyObject* device_context(PyObject* self, const char* function, PyObject* args) {
  Ref module = Ref::adopt(PyImport_ImportModule("hwaro._device"));
  if (!module) return nullptr;
  Ref f = Ref::adopt(PyObject_GetAttrString(module.get(), function));
  if (!f) return nullptr;
  return PyObject_CallFunctionObjArgs(f.get(), self, args, nullptr);
}
PyObject* device_enter(PyObject* self, PyObject*) { return device_context(self, "enter", nullptr); }
PyObject* device_exit(PyObject* self, PyObject* args) { return device_context(self, "leave", args); }
// _set_default_device(device or None), _get_default_device(): of this thread
PyObject* set_default_device(PyObject*, PyObject* o) {
  HWARO_PY_TRY
  if (o == Py_None) {
    t_default_device = {};
  } else {
    const Device d = device_of_object(o);
    check_device_available(d);
    t_default_device = {d, true};
  }
  Py_RETURN_NONE;
  HWARO_PY_CATCH(nullptr)
}
PyObject* get_default_device(PyObject*, PyObject*) {
  if (!t_default_device.given) Py_RETURN_NONE;
  return device_object(t_default_device.device);
}
PyMethodDef type_functions[] = {{"_set_default_device", set_default_device, METH_O, nullptr},
                                {"_get_default_device", get_default_device, METH_NOARGS, nullptr},
                                {}};
PyMethodDef device_methods[] = {{"__reduce__", device_reduce, METH_NOARGS, nullptr},
                                {"__enter__", device_enter, METH_NOARGS, nullptr},
                                {"__exit__", device_exit, METH_VARARGS, nullptr},
                                {}};
PyGetSetDef device_getset[] = {
    {"type", device_type, nullptr, nullptr, nullptr}, {"index", device_index, nullptr, nullptr, nullptr}, {}};

// ---- Size ----

PyObject* size_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  Ref made = Ref::adopt(PyTuple_Type.tp_new(type, args, kwargs));
  if (!made) return nullptr;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(made.get()); ++i) {
    PyObject* item = PyTuple_GET_ITEM(made.get(), i);
    if (PyLong_Check(item)) continue;
    if (is_tensor(item) || is_index(item)) {
      Ref number = Ref::adopt(PyNumber_Index(item));
      if (number) {
        PyTuple_SET_ITEM(made.get(), i, number.release());
        Py_DECREF(item);
        continue;
      }
      PyErr_Clear();
    }
    return PyErr_Format(PyExc_TypeError, "torch.Size() takes an iterable of 'int' (item %zd is '%s')", i,
                        Py_TYPE(item)->tp_name);
  }
  return made.release();
}
PyObject* size_repr(PyObject* self) {
  std::string out = "torch.Size([";
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self); ++i) {
    if (i) out += ", ";
    out += std::to_string(PyLong_AsLongLong(PyTuple_GET_ITEM(self, i)));
  }
  return PyUnicode_FromString((out + "])").c_str());
}
PyObject* size_numel(PyObject* self, PyObject*) {
  long long n = 1;
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(self); ++i) n *= PyLong_AsLongLong(PyTuple_GET_ITEM(self, i));
  return PyLong_FromLongLong(n);
}
PyObject* size_reduce(PyObject* self, PyObject*) {
  Ref plain = Ref::adopt(PySequence_List(self));
  if (!plain) return nullptr;
  Ref tuple = Ref::adopt(PyList_AsTuple(plain.get()));
  PyObject* make = rebuilder("_make_size");
  return make ? Py_BuildValue("(N(O))", make, tuple.get()) : nullptr;
}
// Slices and sums of sizes are sizes.
PyObject* as_size(PyObject* tuple) {
  if (!tuple || !PyTuple_Check(tuple) || Py_TYPE(tuple) == &SizeType) return tuple;
  Ref owned = Ref::adopt(tuple);
  Ref args = Ref::adopt(PyTuple_Pack(1, tuple));
  return args ? PyTuple_Type.tp_new(&SizeType, args.get(), nullptr) : nullptr;
}
PyObject* size_concat(PyObject* a, PyObject* b) { return as_size(PyTuple_Type.tp_as_sequence->sq_concat(a, b)); }
PyObject* size_repeat(PyObject* a, Py_ssize_t n) { return as_size(PyTuple_Type.tp_as_sequence->sq_repeat(a, n)); }
PyObject* size_subscript(PyObject* a, PyObject* key) {
  PyObject* out = PyTuple_Type.tp_as_mapping->mp_subscript(a, key);
  return PySlice_Check(key) ? as_size(out) : out;
}
// (1,) + size is a size, too: the number protocol is asked before tuple's own concatenation.
PyObject* size_add(PyObject* a, PyObject* b) {
  if (!PyTuple_Check(a) || !PyTuple_Check(b)) Py_RETURN_NOTIMPLEMENTED;
  return size_concat(a, b);
}
PyNumberMethods size_number;
PySequenceMethods size_sequence;
PyMappingMethods size_mapping;
PyMethodDef size_methods[] = {{"numel", size_numel, METH_NOARGS, "The number of elements of a tensor of this size."},
                              {"__reduce__", size_reduce, METH_NOARGS, nullptr},
                              {}};

// ---- layout and memory format: named constants ----

struct PyNamed {
  PyObject_HEAD const char* name;
  int value;
};
PyObject* named_repr(PyObject* self) {
  return PyUnicode_FromFormat("torch.%s", reinterpret_cast<PyNamed*>(self)->name);
}
PyObject* named_reduce(PyObject* self, PyObject*) {
  return PyUnicode_FromString(reinterpret_cast<PyNamed*>(self)->name);
}
PyMethodDef named_methods[] = {{"__reduce__", named_reduce, METH_NOARGS, nullptr}, {}};
PyGetSetDef named_getset[] = {{"__module__", dtype_module, nullptr, nullptr, nullptr}, {}};
PyObject* g_strided = nullptr;
PyObject* g_formats[4];

PyObject* make_named(PyTypeObject* type, const char* name, int value) {
  auto* o = PyObject_New(PyNamed, type);
  if (!o) return nullptr;
  o->name = name;
  o->value = value;
  return reinterpret_cast<PyObject*>(o);
}

}  // namespace

PyTypeObject DTypeType = {PyVarObject_HEAD_INIT(nullptr, 0)};
PyTypeObject DeviceType_ = {PyVarObject_HEAD_INIT(nullptr, 0)};
PyTypeObject SizeType = {PyVarObject_HEAD_INIT(nullptr, 0)};
PyTypeObject LayoutType = {PyVarObject_HEAD_INIT(nullptr, 0)};
PyTypeObject MemoryFormatType = {PyVarObject_HEAD_INIT(nullptr, 0)};

PyObject* dtype_object(DType t) { return g_dtypes[int(t)]; }
bool is_dtype(PyObject* o) { return Py_TYPE(o) == &DTypeType; }
DType dtype_of_object(PyObject* o) { return reinterpret_cast<PyDType*>(o)->type; }
std::optional<DType> dtype_from(PyObject* o) {
  if (is_dtype(o)) return dtype_of_object(o);
  if (o == reinterpret_cast<PyObject*>(&PyFloat_Type)) return DType::Double;
  if (o == reinterpret_cast<PyObject*>(&PyLong_Type)) return DType::Int64;
  if (o == reinterpret_cast<PyObject*>(&PyBool_Type)) return DType::Bool;
  if (o == reinterpret_cast<PyObject*>(&PyComplex_Type)) return DType::ComplexDouble;
  return std::nullopt;
}

PyObject* device_object(Device d) {
  auto* o = PyObject_New(PyDevice, &DeviceType_);
  if (!o) return nullptr;
  o->device = d;
  return reinterpret_cast<PyObject*>(o);
}
bool is_device(PyObject* o) { return Py_TYPE(o) == &DeviceType_; }
Device device_of_object(PyObject* o) {
  if (is_device(o)) return reinterpret_cast<PyDevice*>(o)->device;
  if (PyUnicode_Check(o)) return Device(std::string_view(check(PyUnicode_AsUTF8(o))));
  if (PyLong_Check(o) && !PyBool_Check(o)) {
    // A number means the accelerator's device of that index: this build has none.
    HWARO_CHECK(PyLong_AsLong(o) >= 0 || PyErr_Occurred(), "Device index must not be negative");
    raise("Cannot access accelerator device when none is available.");
  }
  raise<TypeError>("device(): argument 'type' (position 1) must be str, not ", Py_TYPE(o)->tp_name);
}

PyObject* size_object(IntSpan sizes) {
  PyObject* t = check(SizeType.tp_alloc(&SizeType, Py_ssize_t(sizes.size())));
  for (std::size_t i = 0; i < sizes.size(); ++i) PyTuple_SET_ITEM(t, Py_ssize_t(i), PyLong_FromLongLong(sizes[i]));
  return t;
}
PyObject* int_tuple(IntSpan values) {
  PyObject* t = check(PyTuple_New(Py_ssize_t(values.size())));
  for (std::size_t i = 0; i < values.size(); ++i) PyTuple_SET_ITEM(t, Py_ssize_t(i), PyLong_FromLongLong(values[i]));
  return t;
}
PyObject* layout_object() { return g_strided; }
PyObject* memory_format_object(MemoryFormat f) { return g_formats[int(f)]; }
bool is_memory_format(PyObject* o) { return Py_TYPE(o) == &MemoryFormatType; }
MemoryFormat memory_format_of(PyObject* o) { return MemoryFormat(reinterpret_cast<PyNamed*>(o)->value); }

bool add_types(PyObject* module) {
  DTypeType.tp_name = "torch.dtype";
  DTypeType.tp_basicsize = sizeof(PyDType);
  DTypeType.tp_flags = Py_TPFLAGS_DEFAULT;
  DTypeType.tp_repr = &dtype_repr;
  DTypeType.tp_methods = dtype_methods;
  DTypeType.tp_getset = dtype_getset;

  DeviceType_.tp_name = "torch.device";
  DeviceType_.tp_basicsize = sizeof(PyDevice);
  DeviceType_.tp_flags = Py_TPFLAGS_DEFAULT;
  DeviceType_.tp_repr = &device_repr;
  DeviceType_.tp_str = &device_str;
  DeviceType_.tp_hash = &device_hash;
  DeviceType_.tp_richcompare = &device_compare;
  DeviceType_.tp_methods = device_methods;
  DeviceType_.tp_getset = device_getset;
  DeviceType_.tp_new = &device_new;

  size_sequence = *PyTuple_Type.tp_as_sequence;
  size_sequence.sq_concat = &size_concat;
  size_sequence.sq_repeat = &size_repeat;
  size_mapping = *PyTuple_Type.tp_as_mapping;
  size_mapping.mp_subscript = &size_subscript;
  SizeType.tp_name = "torch.Size";
  SizeType.tp_base = &PyTuple_Type;
  SizeType.tp_flags = Py_TPFLAGS_DEFAULT;
  SizeType.tp_repr = &size_repr;
  size_number.nb_add = &size_add;
  SizeType.tp_as_number = &size_number;
  SizeType.tp_as_sequence = &size_sequence;
  SizeType.tp_as_mapping = &size_mapping;
  SizeType.tp_methods = size_methods;
  SizeType.tp_new = &size_new;

  for (PyTypeObject* t : {&LayoutType, &MemoryFormatType}) {
    t->tp_basicsize = sizeof(PyNamed);
    t->tp_flags = Py_TPFLAGS_DEFAULT;
    t->tp_repr = &named_repr;
    t->tp_methods = named_methods;
    t->tp_getset = named_getset;
  }
  LayoutType.tp_name = "torch.layout";
  MemoryFormatType.tp_name = "torch.memory_format";

  const std::pair<const char*, PyTypeObject*> types[] = {{"dtype", &DTypeType},
                                                         {"device", &DeviceType_},
                                                         {"Size", &SizeType},
                                                         {"layout", &LayoutType},
                                                         {"memory_format", &MemoryFormatType}};
  if (PyModule_AddFunctions(module, type_functions) < 0) return false;
  for (auto [name, type] : types) {
    if (PyType_Ready(type) < 0) return false;
    if (PyModule_AddObject(module, name, Py_NewRef(reinterpret_cast<PyObject*>(type))) < 0) return false;
  }
  for (int i = 0; i < kDTypes; ++i) {
    auto* o = PyObject_New(PyDType, &DTypeType);
    if (!o) return false;
    o->type = DType(i);
    g_dtypes[i] = reinterpret_cast<PyObject*>(o);
    if (PyModule_AddObject(module, name_of(DType(i)), Py_NewRef(g_dtypes[i])) < 0) return false;
  }
  const std::pair<const char*, DType> aliases[] = {{"half", DType::Half},           {"float", DType::Float},
                                                   {"double", DType::Double},       {"short", DType::Int16},
                                                   {"int", DType::Int32},           {"long", DType::Int64},
                                                   {"cfloat", DType::ComplexFloat}, {"cdouble", DType::ComplexDouble}};
  for (auto [name, type] : aliases)
    if (PyModule_AddObject(module, name, Py_NewRef(dtype_object(type))) < 0) return false;
  g_strided = make_named(&LayoutType, "strided", 0);
  if (PyModule_AddObject(module, "strided", Py_NewRef(g_strided)) < 0) return false;
  const char* formats[] = {"contiguous_format", "preserve_format", "channels_last", "channels_last_3d"};
  for (int i = 0; i < 4; ++i) {
    g_formats[i] = make_named(&MemoryFormatType, formats[i], i);
    if (PyModule_AddObject(module, formats[i], Py_NewRef(g_formats[i])) < 0) return false;
  }
  return PyModule_AddObject(module, "legacy_contiguous_format", Py_NewRef(g_formats[0])) == 0;
}

}  // namespace hwaro::python
