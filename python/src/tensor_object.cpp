// The Python object of a tensor: creation, death and identity.
//
// Note [Objects that outlive themselves]
// `x.grad is x.grad`, and an attribute set on a tensor survives while anything holds the tensor, also if for a while that
// is only C++ (a graph, a parameter's gradient). So an object whose last Python reference goes while its tensor lives on,
// and which has attributes, weak references or a subclass, is not freed: the tensor takes over the ownership
// (owns_pyobj), and wrap() gives it back. Objects without such state are simply freed and made anew when needed.
#include <cstddef>

#include "python/src/binding.h"
#include "python/src/torch_function.h"

namespace hwaro::python {

namespace {

// Objects of the exact type are recycled: half of the cost of a small operation was the allocator of the interpreter.
constexpr int kFreeMax = 128;
PyTensor* g_free[kFreeMax];
int g_free_count = 0;

PyTensor* new_exact() {
  PyTensor* self;
  if (g_free_count > 0) {
    self = g_free[--g_free_count];
    _Py_NewReference(reinterpret_cast<PyObject*>(self));
  } else {
    self = PyObject_GC_New(PyTensor, &TensorType);
    if (!self) throw_python_error();
  }
  self->dict = nullptr;
  self->weakrefs = nullptr;
  return self;  // not tracked by the collector until it has a __dict__: nothing it holds can lead back to it
}

bool has_state(PyTensor* self) {
  return Py_TYPE(self) != &TensorType || self->weakrefs || (self->dict && PyDict_GET_SIZE(self->dict) > 0);
}

// If the tensor lives on and the object has state, hands the object to the tensor and returns true.
bool resurrect(PyTensor* self) {
  TensorImpl* impl = self->impl;
  if (!impl || impl->use_count() <= 1 || !has_state(self)) return false;
  Py_SET_REFCNT(reinterpret_cast<PyObject*>(self), 1);
#ifdef Py_REF_DEBUG
  _Py_RefTotal++;
#endif
  impl->owns_pyobj = true;
  // The object's reference to the tensor becomes borrowed; others are left, so this cannot be the last one… unless
  // another thread dropped them meanwhile, in which case the tensor dies now and takes the object with it.
  if (impl->drop()) TensorImpl::destroy(impl);
  return true;
}

void release_parts(PyTensor* self) {
  if (self->weakrefs) PyObject_ClearWeakRefs(reinterpret_cast<PyObject*>(self));
  Py_CLEAR(self->dict);
  if (TensorImpl* impl = std::exchange(self->impl, nullptr)) {
    impl->pyobj = nullptr;
    if (impl->drop()) TensorImpl::destroy(impl);
  }
}

int tensor_traverse(PyObject* o, visitproc visit, void* arg) {
  auto* self = reinterpret_cast<PyTensor*>(o);
  // What a tensor that lives on for C++ holds is reachable from there: the collector must leave it alone.
  if (self->impl && self->impl->use_count() > 1) return 0;
  Py_VISIT(self->dict);
  return 0;
}
int tensor_clear(PyObject* o) {
  Py_CLEAR(reinterpret_cast<PyTensor*>(o)->dict);
  return 0;
}

int tensor_setattro(PyObject* o, PyObject* name, PyObject* value) {
  const int result = PyObject_GenericSetAttr(o, name, value);
  if (result == 0 && reinterpret_cast<PyTensor*>(o)->dict && !PyObject_GC_IsTracked(o)) PyObject_GC_Track(o);
  return result;
}

// A class that derives from Tensor: give it our deallocator, which knows how to resurrect.
int meta_init(PyObject* cls, PyObject* args, PyObject* kwargs) {
  if (PyType_Type.tp_init(cls, args, kwargs) < 0) return -1;
  reinterpret_cast<PyTypeObject*>(cls)->tp_dealloc = &subclass_dealloc;
  note_subclass(reinterpret_cast<PyTypeObject*>(cls));
  return 0;
}

// Slots that a static type does not take from methods put into its dictionary: they call those methods.
PyObject* tensor_iter(PyObject* self) { return PyObject_CallMethod(self, "__iter__", nullptr); }
int tensor_contains(PyObject* self, PyObject* element) {
  const Ref found = Ref::adopt(PyObject_CallMethod(self, "__contains__", "O", element));
  return found ? PyObject_IsTrue(found.get()) : -1;
}
PySequenceMethods tensor_sequence_methods;

// A static type's module is part of its name, and the name is what errors show. They say 'Tensor', as PyTorch's, and so
// does ours; the metaclass says which module it is of.
PyObject* meta_repr(PyObject* cls) {
  if (cls == reinterpret_cast<PyObject*>(&TensorType)) return PyUnicode_FromString("<class 'torch.Tensor'>");
  return PyType_Type.tp_repr(cls);
}
// The descriptor behind cls.__module__ of ordinary classes.
PyObject* type_module() {
  static PyObject* found = nullptr;
  if (!found) {
    const Ref dict = Ref::adopt(PyObject_GetAttrString(reinterpret_cast<PyObject*>(&PyType_Type), "__dict__"));
    found = PyMapping_GetItemString(dict.get(), "__module__");
  }
  return found;
}
PyObject* meta_module(PyObject* cls, void*) {
  if (cls == reinterpret_cast<PyObject*>(&TensorType)) return PyUnicode_FromString("torch");
  PyObject* own = type_module();
  return Py_TYPE(own)->tp_descr_get(own, cls, reinterpret_cast<PyObject*>(Py_TYPE(cls)));
}
int meta_set_module(PyObject* cls, PyObject* value, void*) {
  PyObject* own = type_module();
  return Py_TYPE(own)->tp_descr_set(own, cls, value);
}
PyGetSetDef meta_getset[] = {{"__module__", meta_module, meta_set_module, nullptr, nullptr}, {}};

void destroy_pyobj(TensorImpl* impl) {
  if (!impl->owns_pyobj) {
    // The object still lives: it owns a reference, so this cannot happen except while it is being freed.
    return;
  }
  auto* self = static_cast<PyTensor*>(impl->pyobj);
#if PY_VERSION_HEX >= 0x030D0000
  const bool ending = Py_IsFinalizing();
#else
  const bool ending = _Py_IsFinalizing();
#endif
  if (ending) {  // the object stays, and the collector still looks at it
    self->impl = nullptr;
    return;
  }
  GilAcquire gil;
  self->impl = nullptr;
  impl->pyobj = nullptr;
  Py_DECREF(reinterpret_cast<PyObject*>(self));
}

}  // namespace

void tensor_dealloc(PyObject* o) {
  auto* self = reinterpret_cast<PyTensor*>(o);
  if (resurrect(self)) return;
  if (PyObject_GC_IsTracked(o)) PyObject_GC_UnTrack(o);
  release_parts(self);
  if (g_free_count < kFreeMax) g_free[g_free_count++] = self;
  else PyObject_GC_Del(o);
}

void subclass_dealloc(PyObject* o) {
  auto* self = reinterpret_cast<PyTensor*>(o);
  if (resurrect(self)) return;
  PyTypeObject* type = Py_TYPE(o);
  if (type->tp_finalize) {
    PyObject_GC_Track(o);
    if (PyObject_CallFinalizerFromDealloc(o) < 0) return;
  }
  if (PyObject_GC_IsTracked(o)) PyObject_GC_UnTrack(o);
  if (type->tp_del) {
    type->tp_del(o);
    if (Py_REFCNT(o) > 0) return;
  }
  release_parts(self);
  type->tp_free(o);
  Py_DECREF(type);
}

PyObject* wrap(Tensor tensor) {
  if (!tensor.defined()) Py_RETURN_NONE;
  TensorImpl* impl = tensor.ptr().release();
  if (auto* self = static_cast<PyTensor*>(impl->pyobj)) {
    if (impl->owns_pyobj) {
      impl->owns_pyobj = false;  // the object owns the tensor again, with the reference that came in
      return reinterpret_cast<PyObject*>(self);
    }
    Py_INCREF(reinterpret_cast<PyObject*>(self));
    (void)impl->drop();  // never the last: the object holds one
    return reinterpret_cast<PyObject*>(self);
  }
  PyTensor* self = new_exact();
  self->impl = impl;
  impl->pyobj = self;
  return reinterpret_cast<PyObject*>(self);
}

PyObject* wrap_as(PyTypeObject* type, Tensor tensor) {
  if (type == &TensorType) return wrap(std::move(tensor));
  auto* self = reinterpret_cast<PyTensor*>(type->tp_alloc(type, 0));
  if (!self) throw_python_error();
  self->impl = tensor.ptr().release();
  self->impl->pyobj = self;
  return reinterpret_cast<PyObject*>(self);
}

PyTypeObject TensorMetaType = {PyVarObject_HEAD_INIT(nullptr, 0)};
PyTypeObject TensorType = {PyVarObject_HEAD_INIT(nullptr, 0)};

bool add_tensor_type(PyObject* module) {
  g_tensor_hooks.destroy_pyobj = &destroy_pyobj;
  PyTypeObject& m = TensorMetaType;
  m.tp_name = "torch._C._TensorMeta";
  m.tp_basicsize = 0;
  m.tp_base = &PyType_Type;
  m.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE;
  m.tp_init = &meta_init;
  m.tp_repr = &meta_repr;
  m.tp_getset = meta_getset;
  if (PyType_Ready(&m) < 0) return false;

  PyTypeObject& t = TensorType;
  Py_SET_TYPE(reinterpret_cast<PyObject*>(&t), &m);
  t.tp_name = "Tensor";
  t.tp_basicsize = sizeof(PyTensor);
  t.tp_dealloc = &tensor_dealloc;
  t.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE | Py_TPFLAGS_HAVE_GC;
  t.tp_traverse = &tensor_traverse;
  t.tp_clear = &tensor_clear;
  t.tp_dictoffset = offsetof(PyTensor, dict);
  t.tp_weaklistoffset = offsetof(PyTensor, weakrefs);
  t.tp_setattro = &tensor_setattro;
  t.tp_as_number = &tensor_number_methods;
  t.tp_as_mapping = &tensor_mapping_methods;
  t.tp_as_buffer = &tensor_buffer_procs;
  tensor_sequence_methods.sq_contains = &tensor_contains;
  t.tp_as_sequence = &tensor_sequence_methods;
  t.tp_iter = &tensor_iter;
  t.tp_richcompare = &tensor_richcompare;
  t.tp_hash = reinterpret_cast<hashfunc>(_Py_HashPointer);
  t.tp_repr = &tensor_repr;
  t.tp_getset = tensor_getset;
  t.tp_methods = tensor_methods;
  t.tp_new = &tensor_new;
  t.tp_doc = "A multi-dimensional array of elements of one type.";
  if (!add_number_protocol()) return false;
  if (PyType_Ready(&t) < 0) return false;
  // The interpreter's errors name methods by what PyTorch calls their class.
  for (const PyMethodDef* method = tensor_methods; method->ml_name; ++method) {
    PyObject* descriptor = PyDict_GetItemString(t.tp_dict, method->ml_name);
    if (!descriptor || Py_TYPE(descriptor) != &PyMethodDescr_Type) continue;
    PyObject*& name = reinterpret_cast<PyDescrObject*>(descriptor)->d_qualname;
    Py_XSETREF(name, PyUnicode_FromFormat("TensorBase.%s", method->ml_name));
    if (!name) return false;
  }
  Py_INCREF(&m);
  Py_INCREF(&t);
  return PyModule_AddObject(module, "_TensorMeta", reinterpret_cast<PyObject*>(&m)) == 0 &&
         PyModule_AddObject(module, "Tensor", reinterpret_cast<PyObject*>(&t)) == 0;
}

}  // namespace hwaro::python
