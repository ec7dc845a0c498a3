// autograd.Function: nodes whose backward is a Python function, and the tensors that it saved.
#include <memory>
#include <string>

#include "hwaro/autograd/views.h"
#include "hwaro/autograd/saved_tensor.h"
#include "hwaro/ops/kinds/record.h"
#include "python/src/autograd_objects.h"
#include "python/src/binding.h"

namespace hwaro::python {

namespace {

// A tensor kept by ctx.save_for_backward, or (with `of`, counted) one that a built-in node has saved. `owner` is the node
// that the tensor is an output of, while that lives.
struct PySaved {
  PyObject_HEAD SavedTensor* saved;
  Node *owner, *of;
};
PyTypeObject SavedType = {PyVarObject_HEAD_INIT(nullptr, 0)};

// A node whose backward is a Python function: `apply(grads) -> tuple of gradients or None`.
class PythonFunctionNode final : public Node {
 public:
  PythonFunctionNode(PyObject* apply, PyObject* release, std::string name)
      : apply_(Ref::share(apply)), release_(Ref::share(release)), name_(std::move(name)) {}
  ~PythonFunctionNode() override {
    GilAcquire gil;
    for (const Ref& saved : saved_) reinterpret_cast<PySaved*>(saved.get())->owner = nullptr;
    saved_.clear();
    apply_ = Ref();
    release_ = Ref();
  }
  void keep(PyObject* saved) {
    reinterpret_cast<PySaved*>(saved)->owner = this;
    saved_.push_back(Ref::share(saved));
  }
  // The ctx of the function, whose attributes the node shows as its own.
  PyObject* context() const { return PyMethod_Check(apply_.get()) ? PyMethod_GET_SELF(apply_.get()) : nullptr; }
  void apply(Tensor* grads, Tensor* out) override {
    GilAcquire gil;
    const Ref in = Ref::adopt(check(PyTuple_New(Py_ssize_t(num_inputs))));
    for (std::uint32_t i = 0; i < num_inputs; ++i) PyTuple_SET_ITEM(in.get(), Py_ssize_t(i), wrap(grads[i]));
    const Ref result = Ref::adopt(check(PyObject_CallOneArg(apply_.get(), in.get())));
    if (!PyTuple_Check(result.get()) || PyTuple_GET_SIZE(result.get()) != Py_ssize_t(edges.size()))
      raise("function ", name_, " returned an incorrect number of gradients (expected ", edges.size(), ", got ",
            PyTuple_Check(result.get()) ? PyTuple_GET_SIZE(result.get()) : 1, ")");
    for (std::size_t i = 0; i < edges.size(); ++i) {
      PyObject* o = PyTuple_GET_ITEM(result.get(), Py_ssize_t(i));
      if (o == Py_None) continue;
      if (!is_tensor(o)) raise<TypeError>("expected Variable or None (got ", Py_TYPE(o)->tp_name, ")");
      if (needs(i)) out[i] = tensor_of(o);
    }
  }
  std::string name() const override { return name_; }
  void release_saved() override {
    GilAcquire gil;
    PyObject *type, *value, *traceback;  // an error may be on its way: it must not be lost
    PyErr_Fetch(&type, &value, &traceback);
    const Ref done = Ref::adopt(PyObject_CallNoArgs(release_.get()));
    if (!done) PyErr_Clear();
    PyErr_Restore(type, value, traceback);
  }

 private:
  Ref apply_, release_;
  std::vector<Ref> saved_;
  std::string name_;
};

// _C.record_function(apply, release, name, inputs, outputs, dirty) -> node object; outputs become results of the node.
PyObject* py_record_function(PyObject*, PyObject* args) {
  HWARO_PY_TRY
  PyObject *apply, *release, *inputs, *outputs, *dirty;
  const char* name;
  if (!PyArg_ParseTuple(args, "OOsOOO", &apply, &release, &name, &inputs, &outputs, &dirty)) return nullptr;
  const std::vector<Tensor> in = tensors_from(inputs, "inputs"), out = tensors_from(outputs, "outputs"),
                            changed = tensors_from(dirty, "dirty");
  auto* node = new PythonFunctionNode(apply, release, name);
  const NodePtr owner = NodePtr::adopt(node);
  node->num_inputs = std::uint32_t(out.size());
  for (const Tensor& t : changed) t->bump_version();
  for (const Tensor& t : changed)
    if (t->is(kIsView)) check_view_written(t, false);
  for (const Tensor& t : in) node->add_edge(t.defined() ? gradient_edge(t) : Edge{});
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!out[i].defined() || !is_differentiable(out[i].dtype())) continue;
    bool is_dirty = false;
    for (const Tensor& d : changed) is_dirty = is_dirty || d.impl() == out[i].impl();
    if (is_dirty) {
      HWARO_CHECK(!(out[i]->requires_grad && !out[i]->grad_fn),
                  "a leaf Variable that requires grad has been used in an in-place operation.");
      if (out[i]->is(kIsView)) check_inplace(out[i], true);
      if (out[i]->is(kIsView) && out.size() == 1) {
        rebase_history(out[i], owner);
        continue;
      }
    }
    set_history(out[i], owner, std::uint32_t(i));
    if (out[i]->is(kIsView)) out[i]->view_origin = std::uint8_t(ViewOrigin::CustomFunction);
  }
  return node_object(owner);
  HWARO_PY_CATCH(nullptr)
}

// ---- saved tensors for Python: ctx.save_for_backward ----

void saved_dealloc(PyObject* o) {
  auto* s = reinterpret_cast<PySaved*>(o);
  if (!s->of) delete s->saved;
  NodePtr::adopt(s->of).reset();
  PyObject_Free(o);
}
PyObject* saved_register(PyObject* o, PyObject* args) {
  HWARO_PY_TRY
  PyObject *pack, *unpack;
  if (!PyArg_ParseTuple(args, "OO", &pack, &unpack)) return nullptr;
  const auto* s = reinterpret_cast<PySaved*>(o);
  s->saved->pack(python_pack(pack, unpack), s->owner);
  Py_RETURN_NONE;
  HWARO_PY_CATCH(nullptr)
}
PyObject* saved_unpack(PyObject* o, PyObject*) {
  HWARO_PY_TRY
  const auto* s = reinterpret_cast<PySaved*>(o);
  HWARO_CHECK(s->owner, "ctx.saved_tensors can be read while the graph that the function is part of exists");
  return wrap(s->saved->unpack(s->owner));
  HWARO_PY_CATCH(nullptr)
}
PyObject* saved_release(PyObject* o, PyObject*) {
  reinterpret_cast<PySaved*>(o)->saved->release();
  Py_RETURN_NONE;
}
PyMethodDef saved_methods[] = {
    {"register_hooks", saved_register, METH_VARARGS, "Lets the tensor through a pack hook now, unpack when needed."},
    {"unpack", saved_unpack, METH_NOARGS, nullptr},
    {"release", saved_release, METH_NOARGS, nullptr},
    {}};
// _C.save_tensor(node, tensor, is_output) -> what unpack() gives the tensor back; is_output: it is a result of the node.
PyObject* py_save_tensor(PyObject*, PyObject* args) {
  HWARO_PY_TRY
  PyObject *node, *tensor;
  int is_output;
  if (!PyArg_ParseTuple(args, "O!Op", &NodeType, &node, &tensor, &is_output)) return nullptr;
  if (tensor != Py_None && !is_tensor(tensor))
    raise<TypeError>("save_for_backward can only save variables, but argument is of type ", Py_TYPE(tensor)->tp_name);
  auto* owner = dynamic_cast<PythonFunctionNode*>(node_of(node));
  HWARO_CHECK(owner, "save_tensor: the node is not one of a Python function");
  auto saved = std::make_unique<SavedTensor>(tensor == Py_None ? Tensor() : tensor_of(tensor), is_output);
  auto* o = PyObject_New(PySaved, &SavedType);
  if (!o) return nullptr;
  o->saved = saved.release();
  o->of = nullptr;
  owner->keep(reinterpret_cast<PyObject*>(o));
  return reinterpret_cast<PyObject*>(o);
  HWARO_PY_CATCH(nullptr)
}

PyMethodDef function_functions[] = {{"record_function", py_record_function, METH_VARARGS, nullptr},
                                    {"save_tensor", py_save_tensor, METH_VARARGS, nullptr},
                                    {}};

}  // namespace

PyObject* saved_object(SavedTensor* saved, Node* node) {
  auto* o = PyObject_New(PySaved, &SavedType);
  if (!o) throw_python_error();
  o->saved = saved;
  o->owner = node;
  o->of = NodePtr::share(node).release();
  return reinterpret_cast<PyObject*>(o);
}

PyObject* function_context(Node* node) {
  auto* function = dynamic_cast<PythonFunctionNode*>(node);
  return function ? function->context() : nullptr;
}

bool add_functions(PyObject* module) {
  SavedType.tp_name = "torch._C._autograd.SavedTensor";
  SavedType.tp_basicsize = sizeof(PySaved);
  SavedType.tp_flags = Py_TPFLAGS_DEFAULT;
  SavedType.tp_dealloc = &saved_dealloc;
  SavedType.tp_methods = saved_methods;
  return PyType_Ready(&SavedType) == 0 && PyModule_AddFunctions(module, function_functions) == 0;
}

}  // namespace hwaro::python
