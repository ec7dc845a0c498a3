// backward(), autograd.grad(), grad modes, hooks, nodes and autograd.Function for Python.
#include <map>

#include "hwaro/autograd/accumulate_grad.h"
#include "hwaro/autograd/anomaly.h"
#include "hwaro/autograd/engine.h"
#include "hwaro/autograd/grad_mode.h"
#include "hwaro/autograd/saved_tensor.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "python/src/autograd_objects.h"
#include "python/src/binding.h"
#include "python/src/members.h"

namespace hwaro::python {

namespace {

// ---- hooks ----

class PythonHook final : public Hook {
 public:
  explicit PythonHook(PyObject* f) : f_(Ref::share(f)) {}
  ~PythonHook() override {
    GilAcquire gil;
    f_ = Ref();
  }
  void call(Tensor* grads, std::size_t count, const Tensor*, std::size_t) override {
    GilAcquire gil;
    (void)count;
    const Ref grad = Ref::adopt(check(wrap(grads[0])));
    const Ref result = Ref::adopt(check(PyObject_CallOneArg(f_.get(), grad.get())));
    if (result.get() == Py_None) return;
    if (!is_tensor(result.get()))
      raise<TypeError>("expected Variable, but hook returned '", Py_TYPE(result.get())->tp_name, "'");
    const Tensor replacement = tensor_of(result.get());
    HWARO_CHECK(replacement.sizes() == grads[0].sizes(), "hook '", name(), "' has changed the size of value");
    grads[0] = replacement;
  }
  const void* identity() const override { return f_.get(); }

 private:
  std::string name() const {
    const Ref n = Ref::adopt(PyObject_GetAttrString(f_.get(), "__name__"));
    PyErr_Clear();
    return n ? PyUnicode_AsUTF8(n.get()) : "hook";
  }
  Ref f_;
};

// A hook on all gradients of a node: pre (grads in) or post (grads out, with those that came in).
class PythonNodeHook final : public Hook {
 public:
  PythonNodeHook(PyObject* f, bool post) : f_(Ref::share(f)), post_(post) {}
  ~PythonNodeHook() override {
    GilAcquire gil;
    f_ = Ref();
  }
  void call(Tensor* grads, std::size_t count, const Tensor* others, std::size_t other_count) override {
    GilAcquire gil;
    const Ref first = tuple(grads, count);
    Ref result;
    if (post_) {
      const Ref second = tuple(others, other_count);
      result = Ref::adopt(check(PyObject_CallFunctionObjArgs(f_.get(), first.get(), second.get(), nullptr)));
    } else {
      result = Ref::adopt(check(PyObject_CallOneArg(f_.get(), first.get())));
    }
    if (result.get() == Py_None) return;
    if (is_tensor(result.get()) && count == 1) {
      grads[0] = tensor_of(result.get());
      return;
    }
    if (!PyTuple_Check(result.get()) || PyTuple_GET_SIZE(result.get()) != Py_ssize_t(count))
      raise("hook has returned an incorrect number of values (got ",
            PyTuple_Check(result.get()) ? PyTuple_GET_SIZE(result.get()) : 1, ", but expected ", count, ")");
    for (std::size_t i = 0; i < count; ++i) {
      PyObject* o = PyTuple_GET_ITEM(result.get(), Py_ssize_t(i));
      grads[i] = o == Py_None ? Tensor() : tensor_of(o);
    }
  }
  const void* identity() const override { return f_.get(); }

 private:
  static Ref tuple(const Tensor* tensors, std::size_t count) {
    Ref t = Ref::adopt(check(PyTuple_New(Py_ssize_t(count))));
    for (std::size_t i = 0; i < count; ++i) PyTuple_SET_ITEM(t.get(), Py_ssize_t(i), wrap(tensors[i]));
    return t;
  }
  Ref f_;
  bool post_;
};

// Looks at a gradient and keeps it in .grad (retain_grad).
class RetainHook final : public Hook {
 public:
  explicit RetainHook(TensorImpl* t) : t_(t) {}
  void call(Tensor* grads, std::size_t, const Tensor*, std::size_t) override {
    autograd_meta(*t_).grad = engine::clone(grads[0]);
  }

 private:
  TensorImpl*
      t_;  // alive: the hook hangs on the tensor's own grad_fn, which is only reached through graphs that hold it
};

// A handle for removing a hook; hwaro.utils.hooks wraps it as RemovableHandle.
struct PyHandle {
  PyObject_HEAD Hook* hook;  // counted
  Node* node;                // counted, or null
  TensorImpl* tensor;        // counted, or null
  std::uint64_t id;
};
PyTypeObject HandleType = {PyVarObject_HEAD_INIT(nullptr, 0)};
std::uint64_t g_next_hook = 0;

void handle_dealloc(PyObject* o) {
  auto* h = reinterpret_cast<PyHandle*>(o);
  HookPtr::adopt(h->hook).reset();
  NodePtr::adopt(h->node).reset();
  IntrusivePtr<TensorImpl>::adopt(h->tensor).reset();
  PyObject_Free(o);
}
template <class V, class P>
void erase_if_matches(V& list, P&& matches) {
  for (auto it = list.begin(); it != list.end(); ++it)
    if (matches(*it)) {
      list.erase(it);
      return;
    }
}
PyObject* handle_remove(PyObject* o, PyObject*) {
  auto* h = reinterpret_cast<PyHandle*>(o);
  if (h->node && h->node->hooks) {
    NodeHooks& hooks = *h->node->hooks;
    erase_if_matches(hooks.tensor_hooks, [&](auto& x) { return x.hook.get() == h->hook; });
    erase_if_matches(hooks.pre_hooks, [&](auto& x) { return x.second.get() == h->hook; });
    erase_if_matches(hooks.post_hooks, [&](auto& x) { return x.second.get() == h->hook; });
  }
  if (h->tensor && h->tensor->autograd) {
    erase_if_matches(h->tensor->autograd->hooks, [&](auto& x) { return x.get() == h->hook; });
    erase_if_matches(h->tensor->autograd->post_accumulate, [&](auto& x) { return x.get() == h->hook; });
  }
  Py_RETURN_NONE;
}
PyObject* handle_enter(PyObject* o, PyObject*) { return Py_NewRef(o); }
PyObject* handle_exit(PyObject* o, PyObject*) { return handle_remove(o, nullptr); }
PyObject* handle_id(PyObject* o, void*) { return PyLong_FromUnsignedLongLong(reinterpret_cast<PyHandle*>(o)->id); }
PyMethodDef handle_methods[] = {{"remove", handle_remove, METH_NOARGS, "Removes the hook."},
                                {"__enter__", handle_enter, METH_NOARGS, nullptr},
                                {"__exit__", handle_exit, METH_VARARGS, nullptr},
                                {}};
PyGetSetDef handle_getset[] = {{"id", handle_id, nullptr, nullptr, nullptr}, {}};

PyObject* make_handle(const HookPtr& hook, Node* node, TensorImpl* tensor) {
  auto* h = PyObject_New(PyHandle, &HandleType);
  if (!h) throw_python_error();
  h->hook = HookPtr(hook).release();
  h->node = NodePtr::share(node).release();
  h->tensor = IntrusivePtr<TensorImpl>::share(tensor).release();
  h->id = g_next_hook++;
  return reinterpret_cast<PyObject*>(h);
}

// ---- nodes ----

struct PyNode {
  PyObject_HEAD Node* node;  // counted
  PyObject* metadata;
  PyObject* weakrefs;
};
PyTypeObject NodeType = {PyVarObject_HEAD_INIT(nullptr, 0)};
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
Node* node_of(PyObject* o) { return reinterpret_cast<PyNode*>(o)->node; }
PyObject* node_name(PyObject* o, PyObject*) {
  if (node_of(o)->is_accumulate()) return PyUnicode_FromString("torch::autograd::AccumulateGrad");
  return PyUnicode_FromString(node_of(o)->name().c_str());
}
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
PyObject* node_metadata(PyObject* o, void*) {
  auto* n = reinterpret_cast<PyNode*>(o);
  if (!n->metadata) n->metadata = PyDict_New();
  return Py_XNewRef(n->metadata);
}
PyObject* function_context(Node* node);  // the ctx of an autograd.Function, or null
PyObject* node_getattro(PyObject* o, PyObject* name) {
  HWARO_PY_TRY
  const std::string_view text = check(PyUnicode_AsUTF8(name));
  if (text == "variable" && node_of(o)->is_accumulate())
    return wrap(static_cast<AccumulateGrad*>(node_of(o))->variable);
  if (text.substr(0, 7) == "_saved_")
    for (auto& [key, tensor] : node_of(o)->saved())
      if (key == text.substr(7)) return wrap(tensor);
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
  const HookPtr hook = HookPtr::adopt(new PythonNodeHook(f, post));
  NodeHooks& hooks = node_of(o)->make_hooks();
  (post ? hooks.post_hooks : hooks.pre_hooks).push_back({g_next_hook, hook});
  // A node with hooks must keep its Python object: metadata and identity are seen again inside them.
  return make_handle(hook, node_of(o), nullptr);
  HWARO_PY_CATCH(nullptr)
}
PyObject* node_register_hook(PyObject* o, PyObject* f) { return node_hook(o, f, true); }
PyObject* node_register_prehook(PyObject* o, PyObject* f) { return node_hook(o, f, false); }
PyObject* node_sequence(PyObject* o, PyObject*) { return PyLong_FromUnsignedLongLong(node_of(o)->sequence); }
PyMethodDef node_methods[] = {
    {"name", node_name, METH_NOARGS, "The node's name."},
    {"register_hook", node_register_hook, METH_O, "Runs a function on (grad_inputs, grad_outputs) after the node."},
    {"register_prehook", node_register_prehook, METH_O, "Runs a function on grad_outputs before the node."},
    {"_sequence_nr", node_sequence, METH_NOARGS, nullptr},
    {}};
PyGetSetDef node_getset[] = {{"next_functions", node_next, nullptr, nullptr, nullptr},
                             {"metadata", node_metadata, nullptr, nullptr, nullptr},
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
  return type;
}

// ---- backward and grad ----

std::vector<Tensor> tensors_from(PyObject* o, const char* what) {
  std::vector<Tensor> out;
  if (!o || o == Py_None) return out;
  if (is_tensor(o)) {
    out.push_back(tensor_of(o));
    return out;
  }
  const Ref fast = Ref::adopt(check(PySequence_Fast(o, what)));
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(fast.get()); ++i) {
    PyObject* item = PySequence_Fast_GET_ITEM(fast.get(), i);
    if (item == Py_None) out.emplace_back();
    else if (is_tensor(item)) out.push_back(tensor_of(item));
    else raise<TypeError>(what, " can be either Tensors or None, but got ", Py_TYPE(item)->tp_name);
  }
  return out;
}

// What stands for a GradientEdge (node, output_nr, …) in a pass: the leaf itself, or an empty tensor with that history.
// `like` gives the shape and type of a root.
Tensor tensor_of_edge(PyObject* edge, const Tensor& like) {
  PyObject *node = PyTuple_GET_ITEM(edge, 0), *number = PyTuple_GET_ITEM(edge, 1);
  std::int64_t output_nr;
  if (!PyObject_TypeCheck(node, &NodeType) || !int_from(number, output_nr)) raise<TypeError>("expected a GradientEdge");
  Node* n = node_of(node);
  HWARO_CHECK(output_nr >= 0 && output_nr < std::int64_t(n->num_inputs), "GradientEdge: the node has no output ",
              output_nr);
  if (n->is_accumulate()) return static_cast<AccumulateGrad*>(n)->variable;
  const Tensor out = like.defined() ? engine::make_like(like) : engine::make_tensor({}, default_dtype());
  set_history(out, NodePtr::share(n), std::uint32_t(output_nr));
  return out;
}
bool is_edge(PyObject* o) {
  return PyTuple_Check(o) && PyTuple_GET_SIZE(o) >= 2 && PyObject_HasAttrString(o, "ownership_token");
}

// Tensors and GradientEdges.
std::vector<Tensor> ends_from(PyObject* o, const std::vector<Tensor>& like, const char* what) {
  if (!o || o == Py_None || is_tensor(o)) return tensors_from(o, what);
  const Ref items = Ref::adopt(check(PySequence_List(o)));
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items.get()); ++i)
    if (PyObject* item = PyList_GET_ITEM(items.get(), i); is_edge(item))
      PyList_SetItem(items.get(), i,
                     check(wrap(tensor_of_edge(item, std::size_t(i) < like.size() ? like[std::size_t(i)] : Tensor()))));
  return tensors_from(items.get(), what);
}

void warn_of_cycle(const BackwardOptions& options) {
  static bool done = false;
  if (!options.create_graph || !options.accumulate || done) return;
  done = true;
  engine::warn(
      "Using backward() with create_graph=True will create a reference cycle between the parameter and its gradient "
      "which can cause a memory leak. "
      "We recommend using autograd.grad when creating the graph to avoid this. If you have to use this function, make "
      "sure to reset the .grad "
      "fields of your parameters to None after use to break the cycle and avoid the leak.");
}

// _C.run_backward(roots, grads, retain_graph, create_graph, inputs, accumulate, allow_unused)
PyObject* py_run_backward(PyObject*, PyObject* args) {
  HWARO_PY_TRY
  PyObject *roots, *grads, *inputs;
  int retain, create, accumulate, allow_unused;
  if (!PyArg_ParseTuple(args, "OOppOpp", &roots, &grads, &retain, &create, &inputs, &accumulate, &allow_unused))
    return nullptr;
  const std::vector<Tensor> g = tensors_from(grads, "gradients"), r = ends_from(roots, g, "tensors"),
                            in = ends_from(inputs, {}, "inputs");
  BackwardOptions options;
  options.retain_graph = retain;
  options.create_graph = create;
  options.accumulate = accumulate;
  options.allow_unused = allow_unused;
  warn_of_cycle(options);
  std::vector<Tensor> results = run_backward(r, g, in, options);
  if (accumulate) Py_RETURN_NONE;
  PyObject* out = check(PyTuple_New(Py_ssize_t(results.size())));
  for (std::size_t i = 0; i < results.size(); ++i) PyTuple_SET_ITEM(out, Py_ssize_t(i), wrap(std::move(results[i])));
  return out;
  HWARO_PY_CATCH(nullptr)
}

// ---- autograd.Function ----

// A tensor kept by ctx.save_for_backward. `owner` is the node that the tensor is an output of, while that lives.
struct PySaved {
  PyObject_HEAD SavedTensor* saved;
  Node* owner;
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

PyObject* function_context(Node* node) {
  auto* function = dynamic_cast<PythonFunctionNode*>(node);
  return function ? function->context() : nullptr;
}

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
  for (const Tensor& t : in) node->add_edge(t.defined() ? gradient_edge(t) : Edge{});
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (!out[i].defined() || !is_differentiable(out[i].dtype())) continue;
    bool is_dirty = false;
    for (const Tensor& d : changed) is_dirty = is_dirty || d.impl() == out[i].impl();
    if (is_dirty) {
      HWARO_CHECK(!(out[i]->requires_grad && !out[i]->grad_fn),
                  "a leaf Variable that requires grad has been used in an in-place operation.");
      out[i]->bump_version();
    }
    set_history(out[i], owner, std::uint32_t(i));
    if (out[i]->is(kIsView)) out[i]->view_origin = std::uint8_t(ViewOrigin::CustomFunction);
  }
  return node_object(owner);
  HWARO_PY_CATCH(nullptr)
}

// ---- saved tensors for Python: ctx.save_for_backward ----

void saved_dealloc(PyObject* o) {
  delete reinterpret_cast<PySaved*>(o)->saved;
  PyObject_Free(o);
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
    {"unpack", saved_unpack, METH_NOARGS, nullptr}, {"release", saved_release, METH_NOARGS, nullptr}, {}};
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
  owner->keep(reinterpret_cast<PyObject*>(o));
  return reinterpret_cast<PyObject*>(o);
  HWARO_PY_CATCH(nullptr)
}

// ---- saved-tensor hooks ----

class PackedObject final : public GraphNode {
 public:
  PackedObject(PyObject* packed, PyObject* unpack) : packed(Ref::share(packed)), unpack(Ref::share(unpack)) {}
  ~PackedObject() override {
    GilAcquire gil;
    packed = Ref();
    unpack = Ref();
  }
  void dispose() noexcept override { delete this; }
  Ref packed, unpack;
};
std::vector<std::pair<Ref, Ref>>& hook_stack() {
  static thread_local std::vector<std::pair<Ref, Ref>>* stack = nullptr;
  if (!stack) stack = new std::vector<std::pair<Ref, Ref>>();
  return *stack;
}
IntrusivePtr<GraphNode> pack(const Tensor& t) {
  GilAcquire gil;
  auto& [pack_function, unpack_function] = hook_stack().back();
  const Ref tensor = Ref::adopt(check(wrap(t)));
  const Ref packed = Ref::adopt(check(PyObject_CallOneArg(pack_function.get(), tensor.get())));
  return IntrusivePtr<GraphNode>::adopt(new PackedObject(packed.get(), unpack_function.get()));
}
Tensor unpack(GraphNode* node) {
  GilAcquire gil;
  auto* p = static_cast<PackedObject*>(node);
  const Ref tensor = Ref::adopt(check(PyObject_CallOneArg(p->unpack.get(), p->packed.get())));
  if (!is_tensor(tensor.get()))
    raise<TypeError>("Output of saved tensor unpack_hook expected to be a Tensor but got result of type ",
                     Py_TYPE(tensor.get())->tp_name);
  return tensor_of(tensor.get());
}
PyObject* py_push_saved_hooks(PyObject*, PyObject* args) {
  PyObject *p, *u;
  if (!PyArg_ParseTuple(args, "OO", &p, &u)) return nullptr;
  hook_stack().push_back({Ref::share(p), Ref::share(u)});
  ++t_saved_tensor_hooks_active;
  Py_RETURN_NONE;
}
PyObject* py_pop_saved_hooks(PyObject*, PyObject*) {
  if (!hook_stack().empty()) {
    hook_stack().pop_back();
    --t_saved_tensor_hooks_active;
  }
  Py_RETURN_NONE;
}

PyObject* py_grad_enabled(PyObject*, PyObject*) { return PyBool_FromLong(grad_enabled()); }
PyObject* py_set_grad_enabled(PyObject*, PyObject* on) {
  const int v = PyObject_IsTrue(on);
  if (v < 0) return nullptr;
  t_modes.grad = v;
  Py_RETURN_NONE;
}
PyObject* py_inference_enabled(PyObject*, PyObject*) { return PyBool_FromLong(inference_enabled()); }
PyObject* py_set_inference(PyObject*, PyObject* on) {
  const int v = PyObject_IsTrue(on);
  if (v < 0) return nullptr;
  t_modes.inference = v;
  Py_RETURN_NONE;
}
// ---- anomaly mode ----

// Where the program was when a node was made: the lines of traceback.format_stack().
class Trace final : public GraphNode {
 public:
  explicit Trace(Ref lines) : lines(std::move(lines)) {}
  ~Trace() override {
    GilAcquire gil;
    lines = Ref();
  }
  void dispose() noexcept override { delete this; }
  Ref lines;
};
IntrusivePtr<GraphNode> trace_now() {
  GilAcquire gil;
  const Ref module = Ref::adopt(check(PyImport_ImportModule("traceback")));
  return IntrusivePtr<GraphNode>::adopt(
      new Trace(Ref::adopt(check(PyObject_CallMethod(module.get(), "format_stack", nullptr)))));
}
void report_anomaly(const Node& node, GraphNode* trace) {
  GilAcquire gil;
  // The node's own error is on its way: it must not be disturbed.
  PyObject *type, *value, *traceback;
  PyErr_Fetch(&type, &value, &traceback);
  std::string text = "Error detected in " + node.name() + ". ";
  if (auto* t = dynamic_cast<Trace*>(trace)) {
    const Ref empty = Ref::adopt(PyUnicode_FromString(""));
    const Ref joined = Ref::adopt(PyUnicode_Join(empty.get(), t->lines.get()));
    text += std::string("Traceback of forward call that caused the error:\n") +
            (joined ? PyUnicode_AsUTF8(joined.get()) : "");
  } else {
    text += "No forward pass information available. Enable detect anomaly during forward pass for more information.";
  }
  if (PyErr_WarnEx(PyExc_UserWarning, text.c_str(), 1) < 0) PyErr_Clear();
  PyErr_Restore(type, value, traceback);
}
// _set_anomaly(enabled, check_nan), _anomaly() -> (enabled, check_nan)
PyObject* py_set_anomaly(PyObject*, PyObject* args) {
  int on, check_nan;
  if (!PyArg_ParseTuple(args, "pp", &on, &check_nan)) return nullptr;
  t_modes.anomaly = on;
  t_modes.anomaly_nan = check_nan;
  Py_RETURN_NONE;
}
PyObject* py_anomaly(PyObject*, PyObject*) {
  return Py_BuildValue("(NN)", PyBool_FromLong(t_modes.anomaly), PyBool_FromLong(t_modes.anomaly_nan));
}

PyObject* py_bump_version(PyObject*, PyObject* o) {
  HWARO_PY_TRY
  if (!is_tensor(o)) raise<TypeError>("expected a Tensor");
  impl_of(o)->bump_version();
  Py_RETURN_NONE;
  HWARO_PY_CATCH(nullptr)
}
PyObject* py_gradient_edge(PyObject*, PyObject* o) {
  HWARO_PY_TRY
  if (!is_tensor(o)) raise<TypeError>("expected a Tensor");
  const Edge e = gradient_edge(tensor_of(o));
  const NodePtr node = NodePtr::adopt(e.node);
  return Py_BuildValue("(NI)", node_object(node), unsigned(e.input_nr));
  HWARO_PY_CATCH(nullptr)
}

PyMethodDef autograd_functions[] = {
    {"run_backward", py_run_backward, METH_VARARGS, nullptr},
    {"record_function", py_record_function, METH_VARARGS, nullptr},
    {"save_tensor", py_save_tensor, METH_VARARGS, nullptr},
    {"push_saved_tensor_hooks", py_push_saved_hooks, METH_VARARGS, nullptr},
    {"pop_saved_tensor_hooks", py_pop_saved_hooks, METH_NOARGS, nullptr},
    {"is_grad_enabled", py_grad_enabled, METH_NOARGS, "Whether operations are recorded on this thread."},
    {"_set_grad_enabled", py_set_grad_enabled, METH_O, nullptr},
    {"is_inference_mode_enabled", py_inference_enabled, METH_NOARGS, nullptr},
    {"_set_inference_mode", py_set_inference, METH_O, nullptr},
    {"gradient_edge", py_gradient_edge, METH_O, nullptr},
    {"_set_anomaly", py_set_anomaly, METH_VARARGS, nullptr},
    {"_anomaly", py_anomaly, METH_NOARGS, nullptr},
    {"_bump_version", py_bump_version, METH_O, nullptr},
    {}};

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

HookPtr python_hook(PyObject* callable) { return HookPtr::adopt(new PythonHook(callable)); }

PyObject* tensor_backward(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
  HWARO_PY_TRY
  const Tensor root = tensor_of(self);
  Tensor grad;
  BackwardOptions options;
  std::vector<Tensor> inputs;
  bool retain_given = false;
  auto take = [&](std::string_view name, PyObject* v) {
    if (name == "gradient") {
      if (v == Py_None) return;
      if (is_tensor(v)) {
        grad = tensor_of(v);
      } else {
        const Ref items = Ref::adopt(check(PySequence_List(v)));  // a list with one gradient, for the one root
        const std::vector<Tensor> given = tensors_from(items.get(), "gradients");
        if (!given.empty()) grad = given[0];
      }
    } else if (name == "retain_graph") {
      if (v != Py_None) options.retain_graph = PyObject_IsTrue(v) == 1, retain_given = true;
    } else if (name == "create_graph") {
      options.create_graph = PyObject_IsTrue(v) == 1;
    } else if (name == "inputs") {
      if (v == Py_None) return;
      inputs = tensors_from(v, "inputs");
      HWARO_CHECK(!inputs.empty(), "`inputs` argument to `backward()` cannot be empty.");
    } else {
      raise<TypeError>("Tensor.backward() got an unexpected keyword argument '", name, "'");
    }
  };
  static const char* const names[] = {"gradient", "retain_graph", "create_graph", "inputs"};
  if (count > 4)
    raise<TypeError>("Tensor.backward() takes from 1 to 5 positional arguments but ", count + 1, " were given");
  for (Py_ssize_t i = 0; i < count; ++i) take(names[i], args[i]);
  for (Py_ssize_t k = 0; kwnames && k < PyTuple_GET_SIZE(kwnames); ++k)
    take(check(PyUnicode_AsUTF8(PyTuple_GET_ITEM(kwnames, k))), args[count + k]);
  if (!retain_given) options.retain_graph = options.create_graph;
  warn_of_cycle(options);
  run_backward({&root, 1}, {&grad, 1}, inputs, options);
  Py_RETURN_NONE;
  HWARO_PY_CATCH(nullptr)
}

PyObject* tensor_register_hook(PyObject* self, PyObject* f) {
  HWARO_PY_TRY
  const Tensor t = tensor_of(self);
  HWARO_CHECK(is_tracked(t), "cannot register a hook on a tensor that doesn't require gradient");
  const HookPtr hook = python_hook(f);
  if (const NodePtr node = grad_fn(t)) {
    node->make_hooks().tensor_hooks.push_back({t->output_nr, hook});
    return make_handle(hook, node.get(), nullptr);
  }
  autograd_meta(*t.impl()).hooks.push_back(hook);
  return make_handle(hook, nullptr, t.impl());
  HWARO_PY_CATCH(nullptr)
}

PyObject* tensor_register_post_hook(PyObject* self, PyObject* f) {
  HWARO_PY_TRY
  const Tensor t = tensor_of(self);
  HWARO_CHECK(is_tracked(t), "cannot register a hook on a tensor that doesn't require gradient");
  HWARO_CHECK(!grad_fn(t), "post accumulate grad hooks cannot be registered on non-leaf tensors");
  const HookPtr hook = python_hook(f);
  autograd_meta(*t.impl()).post_accumulate.push_back(hook);
  return make_handle(hook, nullptr, t.impl());
  HWARO_PY_CATCH(nullptr)
}

PyObject* tensor_retain_grad(PyObject* self, PyObject*) {
  HWARO_PY_TRY
  const Tensor t = tensor_of(self);
  HWARO_CHECK(is_tracked(t), "can't retain_grad on Tensor that has requires_grad=False");
  const NodePtr node = grad_fn(t);
  if (!node || autograd_meta(*t.impl()).retain_grad) Py_RETURN_NONE;
  autograd_meta(*t.impl()).retain_grad = true;
  node->make_hooks().tensor_hooks.push_back({t->output_nr, HookPtr::adopt(new RetainHook(t.impl())), true});
  Py_RETURN_NONE;
  HWARO_PY_CATCH(nullptr)
}

bool add_autograd(PyObject* module) {
  g_saved_tensor_hooks = {&pack, &unpack};
  g_anomaly_hooks = {&trace_now, &report_anomaly};
  NodeType.tp_name = "torch.autograd.graph.Node";
  NodeType.tp_basicsize = sizeof(PyNode);
  NodeType.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE;
  NodeType.tp_dealloc = &node_dealloc;
  NodeType.tp_repr = &node_repr;
  NodeType.tp_getattro = &node_getattro;
  NodeType.tp_methods = node_methods;
  NodeType.tp_getset = node_getset;
  NodeType.tp_weaklistoffset = offsetof(PyNode, weakrefs);
  HandleType.tp_name = "torch.utils.hooks.RemovableHandle";
  HandleType.tp_basicsize = sizeof(PyHandle);
  HandleType.tp_flags = Py_TPFLAGS_DEFAULT;
  HandleType.tp_dealloc = &handle_dealloc;
  HandleType.tp_methods = handle_methods;
  HandleType.tp_getset = handle_getset;
  SavedType.tp_name = "torch._C._SavedTensor";
  SavedType.tp_basicsize = sizeof(PySaved);
  SavedType.tp_flags = Py_TPFLAGS_DEFAULT;
  SavedType.tp_dealloc = &saved_dealloc;
  SavedType.tp_methods = saved_methods;
  for (PyTypeObject* t : {&NodeType, &HandleType, &SavedType})
    if (PyType_Ready(t) < 0) return false;
  return PyModule_AddFunctions(module, autograd_functions) == 0 &&
         PyModule_AddObject(module, "Node", Py_NewRef(reinterpret_cast<PyObject*>(&NodeType))) == 0 &&
         PyModule_AddObject(module, "HookHandle", Py_NewRef(reinterpret_cast<PyObject*>(&HandleType))) == 0;
}

}  // namespace hwaro::python
