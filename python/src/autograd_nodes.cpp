// Nodes of the graph as objects: tensor.grad_fn and what can be reached from there.
#include <map>

#include "hwaro/autograd/accumulate_grad.h"
#include "hwaro/autograd/node_names.h"
#include "hwaro/autograd/saved_tensor.h"
#include "python/src/autograd_objects.h"
#include "python/src/binding.h"

namespace hwaro::python {

PyTypeObject NodeType = {PyVarObject_HEAD_INIT(nullptr, 0)};

namespace {

std::map<std::string, PyTypeObject*> g_node_types;  // type(grad_fn).__name__ is the node's name

void node_dealloc(PyObject* o) {
  auto* n = reinterpret_cast<PyNode*>(o);
  if (n->weakrefs) PyObject_ClearWeakRefs(o);
  Node* node = n->node;
  if (node && node->pyobj == o) node->pyobj = nullptr;
  Py_XDECREF(n->metadata);
  PyTypeObject* type = Py_TYPE(o);
  PyObject_Free(o);
  Py_DECREF(type);
  NodePtr::adopt(node).reset();
}
PyObject* node_name(PyObject* o, PyObject*) { return PyUnicode_FromString(qualified_name(*node_of(o)).c_str()); }
PyObject* node_next(PyObject* o, void*) {
  HWARO_PY_TRY
  Node* n = node_of(o);
  Ref out = Ref::adopt(check(PyTuple_New(Py_ssize_t(n->edges.size()))));
  for (std::size_t i = 0; i < n->edges.size(); ++i) {
    PyObject* next = node_object(NodePtr::share(n->edges[i].node));
    PyTuple_SET_ITEM(out.get(), Py_ssize_t(i),
                     Py_BuildValue("(NI)", next, unsigned(n->edges[i].node ? n->edges[i].input_nr : 0)));
  }
  return out.release();
  HWARO_PY_CATCH(nullptr)
}
PyObject* node_requires_grad(PyObject*, void*) { Py_RETURN_TRUE; }
// What the gradients are that come in: objects with shape, dtype and device, None where nothing is known.
PyObject* node_input_metadata(PyObject* o, void*) {
  HWARO_PY_TRY
  const Node& node = *node_of(o);
  const Ref types = Ref::adopt(check(PyImport_ImportModule("types")));
  Ref list = Ref::adopt(check(PyList_New(0)));
  const auto add = [&](const OutputInfo& info) {
    const Ref words = Ref::adopt(check(PyDict_New())), empty = Ref::adopt(check(PyTuple_New(0)));
    const Ref shape = Ref::adopt(size_object(info.sizes)), dtype = Ref::adopt(Py_NewRef(dtype_object(info.dtype))),
              device = Ref::adopt(device_object(info.device));
    if (PyDict_SetItemString(words.get(), "shape", shape.get()) < 0 ||
        PyDict_SetItemString(words.get(), "dtype", dtype.get()) < 0 ||
        PyDict_SetItemString(words.get(), "device", device.get()) < 0)
      throw_python_error();
    const Ref type = Ref::adopt(check(PyObject_GetAttrString(types.get(), "SimpleNamespace")));
    const Ref value = Ref::adopt(check(PyObject_Call(type.get(), empty.get(), words.get())));
    if (PyList_Append(list.get(), value.get()) < 0) throw_python_error();
  };
  if (node.is_accumulate()) {
    const Tensor& leaf = static_cast<const AccumulateGrad&>(node).variable;
    add({leaf->sizes, leaf.dtype(), leaf.device()});
    return list.release();
  }
  add(node.output);
  if (node.more_outputs)
    for (const OutputInfo& info : *node.more_outputs) add(info);
  return list.release();
  HWARO_PY_CATCH(nullptr)
}
PyObject* node_metadata(PyObject* o, void*) {
  auto* n = reinterpret_cast<PyNode*>(o);
  if (!n->metadata) n->metadata = PyDict_New();
  return Py_XNewRef(n->metadata);
}
PyObject* node_getattro(PyObject* o, PyObject* name) {
  HWARO_PY_TRY
  const std::string_view text = check(PyUnicode_AsUTF8(name));
  if (text == "variable" && node_of(o)->is_accumulate())
    return wrap(static_cast<AccumulateGrad*>(node_of(o))->variable);
  for (const bool raw : {false, true}) {
    const std::string_view prefix = raw ? "_raw_saved_" : "_saved_";
    if (!text.starts_with(prefix)) continue;
    Node* node = node_of(o);
    for (auto& [key, saved] : node->saved()) {
      if (saved_name(*node, key) != text.substr(prefix.size())) continue;
      if (raw) return saved_object(saved, node);
      const Tensor value = saved->unpack(node);
      return value.defined() ? wrap(value) : Py_NewRef(Py_None);
    }
  }
  if (PyObject* found = PyObject_GenericGetAttr(o, name)) return found;
  PyObject* context = function_context(node_of(o));
  if (!context || !PyErr_ExceptionMatches(PyExc_AttributeError)) return nullptr;
  PyErr_Clear();
  return PyObject_GetAttr(context, name);
  HWARO_PY_CATCH(nullptr)
}
PyObject* node_repr(PyObject* o) {
  return PyUnicode_FromFormat("<%s%s object at %p>", function_context(node_of(o)) ? "torch.autograd.function." : "",
                              node_of(o)->name().c_str(), static_cast<void*>(o));
}
PyObject* node_hook(PyObject* o, PyObject* f, bool post) {
  HWARO_PY_TRY
  const HookPtr hook = python_node_hook(f, post);
  NodeHooks& hooks = node_of(o)->make_hooks();
  (post ? hooks.post_hooks : hooks.pre_hooks).push_back({next_hook_id(), hook});
  // A node with hooks must keep its Python object: metadata and identity are seen again inside them.
  return make_handle({hook, NodePtr::share(node_of(o)), {}});
  HWARO_PY_CATCH(nullptr)
}
PyObject* node_register_hook(PyObject* o, PyObject* f) { return node_hook(o, f, true); }
PyObject* node_register_prehook(PyObject* o, PyObject* f) { return node_hook(o, f, false); }
PyObject* node_sequence(PyObject* o, PyObject*) { return PyLong_FromUnsignedLongLong(node_of(o)->sequence); }
PyObject* node_dir(PyObject* o, PyObject*) {
  HWARO_PY_TRY
  const Ref type = Ref::adopt(check(PyObject_Dir(reinterpret_cast<PyObject*>(Py_TYPE(o)))));
  Node* node = node_of(o);
  for (auto& [key, saved] : node->saved())
    for (const char* prefix : {"_saved_", "_raw_saved_"}) {
      const Ref name = Ref::adopt(check(PyUnicode_FromString((prefix + saved_name(*node, key)).c_str())));
      if (PyList_Append(type.get(), name.get()) < 0) return nullptr;
    }
  return Py_NewRef(type.get());
  HWARO_PY_CATCH(nullptr)
}
PyMethodDef node_methods[] = {
    {"__dir__", node_dir, METH_NOARGS, nullptr},
    {"name", node_name, METH_NOARGS, "The node's name."},
    {"register_hook", node_register_hook, METH_O, "Runs a function on (grad_inputs, grad_outputs) after the node."},
    {"register_prehook", node_register_prehook, METH_O, "Runs a function on grad_outputs before the node."},
    {"_sequence_nr", node_sequence, METH_NOARGS, nullptr},
    {}};
PyGetSetDef node_getset[] = {{"next_functions", node_next, nullptr, nullptr, nullptr},
                             {"metadata", node_metadata, nullptr, nullptr, nullptr},
                             {"_input_metadata", node_input_metadata, nullptr, nullptr, nullptr},
                             {"requires_grad", node_requires_grad, nullptr, nullptr, nullptr},
                             {}};

PyTypeObject* node_type(const std::string& module, const std::string& name) {
  PyTypeObject*& type = g_node_types[module + name];
  if (type) return type;
  PyType_Slot slots[] = {{Py_tp_dealloc, reinterpret_cast<void*>(&node_dealloc)}, {0, nullptr}};
  // The class's name is what PyTorch users compare: type(t.grad_fn).__name__.
  const std::string* keep = new std::string(module + name);
  PyType_Spec spec = {keep->c_str(), int(sizeof(PyNode)), 0, Py_TPFLAGS_DEFAULT, slots};
  const Ref bases = Ref::adopt(PyTuple_Pack(1, reinterpret_cast<PyObject*>(&NodeType)));
  type = reinterpret_cast<PyTypeObject*>(check(PyType_FromSpecWithBases(&spec, bases.get())));
  type->tp_name = keep->c_str() + module.size();  // messages name it without a module
  return type;
}

}  // namespace

PyObject* node_object(const NodePtr& node) {
  if (!node) Py_RETURN_NONE;
  if (node->pyobj) return Py_NewRef(static_cast<PyObject*>(node->pyobj));
  PyTypeObject* type = node_type(function_context(node.get()) ? "torch.autograd.function." : "builtins.", node->name());
  auto* o = PyObject_New(PyNode, type);
  if (!o) throw_python_error();
  o->node = NodePtr(node).release();
  o->metadata = nullptr;
  o->weakrefs = nullptr;
  node->pyobj = o;
  return reinterpret_cast<PyObject*>(o);
}

bool add_nodes(PyObject* module) {
  NodeType.tp_name = "torch.autograd.graph.Node";
  NodeType.tp_basicsize = sizeof(PyNode);
  NodeType.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE;
  NodeType.tp_dealloc = &node_dealloc;
  NodeType.tp_repr = &node_repr;
  NodeType.tp_getattro = &node_getattro;
  NodeType.tp_methods = node_methods;
  NodeType.tp_getset = node_getset;
  NodeType.tp_weaklistoffset = offsetof(PyNode, weakrefs);
  return PyType_Ready(&NodeType) == 0 &&
         PyModule_AddObject(module, "Node", Py_NewRef(reinterpret_cast<PyObject*>(&NodeType))) == 0;
}

}  // namespace hwaro::python
