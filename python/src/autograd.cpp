// backward(), autograd.grad(), grad modes and anomaly mode for Python.
#include "hwaro/autograd/accumulate_grad.h"
#include "hwaro/autograd/anomaly.h"
#include "hwaro/autograd/engine.h"
#include "hwaro/autograd/grad_mode.h"
#include "hwaro/ops/kinds/support.h"
#include "python/src/autograd_objects.h"
#include "python/src/binding.h"
#include "python/src/members.h"

namespace hwaro::python {

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

namespace {

// ---- backward and grad ----

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

// What a pass is asked the gradients of; none of them is left out. Errors: RuntimeError for anything else, None too.
std::vector<Tensor> inputs_from(PyObject* o) {
  if (!o || o == Py_None || is_tensor(o)) return tensors_from(o, "inputs");
  const Ref items = Ref::adopt(check(PySequence_List(o)));
  for (Py_ssize_t i = 0; i < PyList_GET_SIZE(items.get()); ++i) {
    PyObject* item = PyList_GET_ITEM(items.get(), i);
    HWARO_CHECK(is_tensor(item) || is_edge(item), "all inputs have to be Tensors or GradientEdges, but got ",
                Py_TYPE(item)->tp_name);
  }
  return ends_from(items.get(), {}, "inputs");
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
                            in = inputs_from(inputs);
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

// ---- modes ----

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

PyObject* py_current_pass(PyObject*, PyObject*) { return PyLong_FromLongLong(current_pass()); }
PyObject* py_pass_is_whole(PyObject*, PyObject*) { return PyBool_FromLong(current_pass_is_whole()); }
PyObject* py_pass_runs(PyObject*, PyObject* o) {
  if (!PyObject_TypeCheck(o, &NodeType)) return PyErr_Format(PyExc_TypeError, "expected a Node");
  HWARO_PY_TRY
  HWARO_CHECK(current_pass() >= 0, "_get_should_execute_nodes should only be called during the backward pass");
  return PyBool_FromLong(current_pass_runs(node_of(o)));
  HWARO_PY_CATCH(nullptr)
}

PyMethodDef autograd_functions[] = {
    {"_current_graph_task_id", py_current_pass, METH_NOARGS, nullptr},
    {"_is_checkpoint_valid", py_pass_is_whole, METH_NOARGS, nullptr},
    {"_will_engine_execute_node", py_pass_runs, METH_O, nullptr},
    {"run_backward", py_run_backward, METH_VARARGS, nullptr},
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
      inputs = inputs_from(v);
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

bool add_autograd(PyObject* module) {
  g_anomaly_hooks = {&trace_now, &report_anomaly};
  return add_nodes(module) && add_hooks(module) && add_functions(module) &&
         PyModule_AddFunctions(module, autograd_functions) == 0;
}

}  // namespace hwaro::python
