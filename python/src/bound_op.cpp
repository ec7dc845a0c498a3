// x.sum without a call: the operator together with its tensor. Python's own method object would print all elements.
#include "python/src/bound_op.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hwaro::python {

namespace {

struct BoundOp {
  PyObject_HEAD vectorcallfunc vectorcall;
  PyObject* op;
  PyObject* self;
};
PyTypeObject BoundOpType = {PyVarObject_HEAD_INIT(nullptr, 0)};

BoundOp* bound(PyObject* o) { return reinterpret_cast<BoundOp*>(o); }

PyObject* bound_call(PyObject* o, PyObject* const* args, std::size_t flags, PyObject* kwnames) {
  const Py_ssize_t count = PyVectorcall_NARGS(flags), keywords = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
  std::vector<PyObject*> all;
  all.reserve(std::size_t(count + keywords + 1));
  all.push_back(bound(o)->self);
  all.insert(all.end(), args, args + count + keywords);
  return PyObject_Vectorcall(bound(o)->op, all.data(), std::size_t(count + 1), kwnames);
}
int bound_traverse(PyObject* o, visitproc visit, void* arg) {
  Py_VISIT(bound(o)->op);
  Py_VISIT(bound(o)->self);
  return 0;
}
int bound_clear(PyObject* o) {
  Py_CLEAR(bound(o)->op);
  Py_CLEAR(bound(o)->self);
  return 0;
}
void bound_dealloc(PyObject* o) {
  PyObject_GC_UnTrack(o);
  bound_clear(o);
  PyObject_GC_Del(o);
}
PyObject* bound_repr(PyObject* o) {
  const Ref name = Ref::adopt(PyObject_GetAttrString(bound(o)->op, "__name__"));
  if (!name) return nullptr;
  return PyUnicode_FromFormat("<built-in method %U of %s object at %p>", name.get(), Py_TYPE(bound(o)->self)->tp_name,
                              static_cast<void*>(bound(o)->self));
}
PyObject* bound_compare(PyObject* a, PyObject* b, int op) {
  if (Py_TYPE(b) != &BoundOpType || (op != Py_EQ && op != Py_NE)) Py_RETURN_NOTIMPLEMENTED;
  const bool same = bound(a)->op == bound(b)->op && bound(a)->self == bound(b)->self;
  return PyBool_FromLong(same == (op == Py_EQ));
}
Py_hash_t bound_hash(PyObject* o) {
  const auto bits =
      reinterpret_cast<std::uintptr_t>(bound(o)->op) ^ (reinterpret_cast<std::uintptr_t>(bound(o)->self) >> 4);
  return Py_hash_t(bits == std::uintptr_t(-1) ? 0 : bits);
}
// What the object itself lacks (__name__, __doc__, …) is that of the operator.
PyObject* bound_getattr(PyObject* o, PyObject* name) {
  if (PyObject* found = PyObject_GenericGetAttr(o, name)) return found;
  if (!PyErr_ExceptionMatches(PyExc_AttributeError)) return nullptr;
  PyErr_Clear();
  return PyObject_GetAttr(bound(o)->op, name);
}
PyObject* bound_self(PyObject* o, void*) { return Py_NewRef(bound(o)->self); }
PyObject* bound_func(PyObject* o, void*) { return Py_NewRef(bound(o)->op); }
PyObject* bound_doc(PyObject* o, void*) { return PyObject_GetAttrString(bound(o)->op, "__doc__"); }
PyObject* bound_reduce(PyObject* o, PyObject*) {
  const Ref builtins = Ref::adopt(PyImport_ImportModule("builtins"));
  const Ref getattr = builtins ? Ref::adopt(PyObject_GetAttrString(builtins.get(), "getattr")) : Ref();
  const Ref name = Ref::adopt(PyObject_GetAttrString(bound(o)->op, "__name__"));
  if (!getattr || !name) return nullptr;
  return Py_BuildValue("O(OO)", getattr.get(), bound(o)->self, name.get());
}
PyMethodDef bound_methods[] = {{"__reduce__", bound_reduce, METH_NOARGS, nullptr}, {}};
PyGetSetDef bound_getset[] = {{"__self__", bound_self, nullptr, nullptr, nullptr},
                              {"__func__", bound_func, nullptr, nullptr, nullptr},
                              {"__doc__", bound_doc, nullptr, nullptr, nullptr},
                              {}};

}  // namespace

PyObject* bind_op(PyObject* op, PyObject* self) {
  auto* o = PyObject_GC_New(BoundOp, &BoundOpType);
  if (!o) return nullptr;
  o->vectorcall = &bound_call;
  o->op = Py_NewRef(op);
  o->self = Py_NewRef(self);
  PyObject_GC_Track(reinterpret_cast<PyObject*>(o));
  return reinterpret_cast<PyObject*>(o);
}

bool add_bound_ops() {
  PyTypeObject& t = BoundOpType;
  t.tp_name = "builtin_function_or_method";
  t.tp_basicsize = sizeof(BoundOp);
  t.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL;
  t.tp_vectorcall_offset = offsetof(BoundOp, vectorcall);
  t.tp_call = &PyVectorcall_Call;
  t.tp_traverse = &bound_traverse;
  t.tp_clear = &bound_clear;
  t.tp_dealloc = &bound_dealloc;
  t.tp_repr = &bound_repr;
  t.tp_richcompare = &bound_compare;
  t.tp_hash = &bound_hash;
  t.tp_getattro = &bound_getattr;
  t.tp_methods = bound_methods;
  t.tp_getset = bound_getset;
  return PyType_Ready(&t) == 0;
}

}  // namespace hwaro::python
