// Python functions as hooks: on gradients of tensors and nodes, and on the tensors that the graph saves.
#include "hwaro/autograd/meta.h"
#include "hwaro/autograd/saved_tensor.h"
#include "hwaro/autograd/tensor_hooks.h"
#include "hwaro/ops/kinds/record.h"
#include "python/src/autograd_objects.h"
#include "python/src/binding.h"
#include "python/src/members.h"

namespace hwaro::python {

namespace {

std::string hook_name(PyObject* f) {
  const Ref name = Ref::adopt(PyObject_GetAttrString(f, "__name__"));
  PyErr_Clear();
  return name ? PyUnicode_AsUTF8(name.get()) : "<unknown>";
}

// Puts what a hook returned in the gradient's place.
void replace(Tensor& grad, PyObject* result, PyObject* f) {
  if (result == Py_None) return;
  HWARO_CHECK(grad.defined(), "can't replace a None gradient with a non-None value");
  if (!is_tensor(result)) raise<TypeError>("expected Variable, but hook returned '", Py_TYPE(result)->tp_name, "'");
  const Tensor& given = tensor_of(result);
  auto type = [](const Tensor& t) { return concat("torch.", kDTypeInfos[int(t.dtype())].tensor_type_name); };
  HWARO_CHECK(given.dtype() == grad.dtype(), "hook '", hook_name(f), "' has changed the type of value (was ",
              type(grad), " got ", type(given), ")");
  HWARO_CHECK(given.sizes() == grad.sizes(), "hook '", hook_name(f), "' has changed the size of value");
  grad = given;
}

class PythonHook final : public Hook {
 public:
  explicit PythonHook(PyObject* f) : f_(Ref::share(f)) {}
  ~PythonHook() override {
    GilAcquire gil;
    f_ = Ref();
  }
  void call(Tensor* grads, std::size_t, const Tensor*, std::size_t) override {
    GilAcquire gil;
    const Ref grad = Ref::adopt(check(wrap(grads[0])));
    const Ref result = Ref::adopt(check(PyObject_CallOneArg(f_.get(), grad.get())));
    replace(grads[0], result.get(), f_.get());
  }
  const void* identity() const override { return f_.get(); }

 private:
  Ref f_;
};

// A hook on a leaf whose gradient has been accumulated.
class PythonPostHook final : public Hook {
 public:
  explicit PythonPostHook(PyObject* f) : f_(Ref::share(f)) {}
  ~PythonPostHook() override {
    GilAcquire gil;
    f_ = Ref();
  }
  void call(Tensor* leaf, std::size_t, const Tensor*, std::size_t) override {
    GilAcquire gil;
    const Ref variable = Ref::adopt(check(wrap(leaf[0])));
    const Ref result = Ref::adopt(check(PyObject_CallOneArg(f_.get(), variable.get())));
  }

 private:
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
    if (!PyTuple_Check(result.get()))
      raise<TypeError>("expected tuple, but hook returned '", Py_TYPE(result.get())->tp_name, "'");
    HWARO_CHECK(PyTuple_GET_SIZE(result.get()) == Py_ssize_t(count), "hook '", hook_name(f_.get()),
                "' has returned an incorrect number of values (got ", PyTuple_GET_SIZE(result.get()), ", but expected ",
                count, ")");
    for (std::size_t i = 0; i < count; ++i) replace(grads[i], PyTuple_GET_ITEM(result.get(), Py_ssize_t(i)), f_.get());
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

// A handle for removing a hook; hwaro.utils.hooks wraps it as RemovableHandle.
struct PyHandle {
  PyObject_HEAD HookPlace* place;
  std::uint64_t id;
};
PyTypeObject HandleType = {PyVarObject_HEAD_INIT(nullptr, 0)};
std::uint64_t g_next_hook = 0;

void handle_dealloc(PyObject* o) {
  delete reinterpret_cast<PyHandle*>(o)->place;
  PyObject_Free(o);
}
PyObject* handle_remove(PyObject* o, PyObject*) {
  reinterpret_cast<PyHandle*>(o)->place->remove();
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
IntrusivePtr<GraphNode> pack_with(const Tensor& t, PyObject* pack_function, PyObject* unpack_function) {
  GilAcquire gil;
  const std::uint32_t version = t.version();
  const Ref tensor = Ref::adopt(check(wrap(t)));
  const Ref packed = Ref::adopt(check(PyObject_CallOneArg(pack_function, tensor.get())));
  HWARO_CHECK(t.version() == version,
              "A saved tensor pack hook is modifying its input in place. Tensors provided as input to pack hook cannot "
              "be modified by in-place operations as this can lead to unexpected side-effects. Please open an issue if "
              "you need to perform in-place operations on the input to a pack hook.");
  return IntrusivePtr<GraphNode>::adopt(new PackedObject(packed.get(), unpack_function));
}
IntrusivePtr<GraphNode> pack(const Tensor& t) {
  GilAcquire gil;
  const auto [pack_function, unpack_function] = hook_stack().back();
  return pack_with(t, pack_function.get(), unpack_function.get());
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

PyMethodDef hook_functions[] = {{"push_saved_tensor_hooks", py_push_saved_hooks, METH_VARARGS, nullptr},
                                {"pop_saved_tensor_hooks", py_pop_saved_hooks, METH_NOARGS, nullptr},
                                {}};

}  // namespace

PyObject* make_handle(HookPlace place) {
  auto* h = PyObject_New(PyHandle, &HandleType);
  if (!h) throw_python_error();
  h->place = new HookPlace(std::move(place));
  h->id = g_next_hook++;
  return reinterpret_cast<PyObject*>(h);
}

std::function<IntrusivePtr<GraphNode>(const Tensor&)> python_pack(PyObject* pack, PyObject* unpack) {
  return [pack = Ref::share(pack), unpack = Ref::share(unpack)](const Tensor& t) {
    return pack_with(t, pack.get(), unpack.get());
  };
}
std::uint64_t next_hook_id() { return g_next_hook++; }
HookPtr python_hook(PyObject* callable) { return HookPtr::adopt(new PythonHook(callable)); }
HookPtr python_node_hook(PyObject* callable, bool post) { return HookPtr::adopt(new PythonNodeHook(callable, post)); }

// ---- methods of Tensor ----

PyObject* tensor_register_hook(PyObject* self, PyObject* f) {
  HWARO_PY_TRY
  return make_handle(add_tensor_hook(tensor_of(self), python_hook(f)));
  HWARO_PY_CATCH(nullptr)
}

PyObject* tensor_register_post_hook(PyObject* self, PyObject* f) {
  HWARO_PY_TRY
  return make_handle(add_post_accumulate_hook(tensor_of(self), HookPtr::adopt(new PythonPostHook(f))));
  HWARO_PY_CATCH(nullptr)
}

PyObject* tensor_retain_grad(PyObject* self, PyObject*) {
  HWARO_PY_TRY
  retain_grad(tensor_of(self));
  Py_RETURN_NONE;
  HWARO_PY_CATCH(nullptr)
}

bool add_hooks(PyObject* module) {
  g_saved_tensor_hooks = {&pack, &unpack};
  HandleType.tp_name = "torch.utils.hooks.RemovableHandle";
  HandleType.tp_basicsize = sizeof(PyHandle);
  HandleType.tp_flags = Py_TPFLAGS_DEFAULT;
  HandleType.tp_dealloc = &handle_dealloc;
  HandleType.tp_methods = handle_methods;
  HandleType.tp_getset = handle_getset;
  return PyType_Ready(&HandleType) == 0 && PyModule_AddFunctions(module, hook_functions) == 0 &&
         PyModule_AddObject(module, "HookHandle", Py_NewRef(reinterpret_cast<PyObject*>(&HandleType))) == 0;
}

}  // namespace hwaro::python
