// Operators as Python callables: one object per name, which parses its arguments by the schemas of its overloads.
//
// The object supports the vectorcall protocol and acts as a method descriptor, so x.sum() makes no bound method.
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hwaro/autograd/grad_mode.h"
#include "hwaro/autograd/node.h"
#include "hwaro/ops/kinds/out_types.h"
#include "python/src/bound_op.h"
#include "python/src/hints.h"
#include "python/src/op_arguments.h"
#include "python/src/torch_function.h"

namespace hwaro::python {

namespace {

struct OpObject {
  PyObject_HEAD vectorcallfunc vectorcall;
  const OverloadSet* set;
  PyObject* dict;
};

// The tensors of out=: one, or a tuple for operators with several results.
std::vector<Tensor> out_tensors(const OpEntry& e, PyObject* out) {
  std::vector<Tensor> outs;
  if (!is_tuple_out(*e.schema)) {
    outs.push_back(tensor_of(out));
    return outs;
  }
  const Ref fast = Ref::adopt(check(PySequence_Fast(out, "argument 'out' must be tuple of Tensors")));
  const Py_ssize_t count = PySequence_Fast_GET_SIZE(fast.get());
  HWARO_CHECK_AS(TypeError, e.schema->returns_list || count == e.schema->return_count, "expected tuple of ",
                 int(e.schema->return_count), " elements but got ", count);
  for (Py_ssize_t i = 0; i < count; ++i) outs.push_back(tensor_of(PySequence_Fast_GET_ITEM(fast.get(), i)));
  return outs;
}

// Stores results in out= tensors and returns what Python gets back.
PyObject* store_results(const OpEntry& e, const Value* args, Result& r, const std::vector<Tensor>& outs,
                        PyObject* out) {
  if (r.kind == Result::Kind::Tensor) {
    engine::check_out_apart(*e.schema, args, outs[0], r.tensor);
    engine::store_result(*e.schema, 0, outs[0], r.tensor, e.out_rule);
    return Py_NewRef(out);
  }
  HWARO_CHECK(r.tensors.size() == outs.size(), e.schema->name_str(), "_out expected an out= argument of size ",
              r.tensors.size(), ", got size ", outs.size());
  if (e.out_rule.given())  // nothing is written before all types are known to fit
    for (std::size_t i = 0; i < outs.size(); ++i)
      engine::check_out_type(e.out_rule, r.tensors[i].dtype(), outs[i].dtype(), i);
  if (!outs.empty()) engine::check_out_apart(*e.schema, args, outs[0], r.tensors[0]);
  for (std::size_t i = 0; i < outs.size(); ++i)
    engine::store_result(*e.schema, int(i), outs[i], r.tensors[i], e.out_rule);
  if (e.schema->returns_list) Py_RETURN_NONE;
  if (!takes_tuple_out(*e.schema)) {
    const Ref plain = Ref::adopt(check(PyTuple_New(Py_ssize_t(outs.size()))));
    for (std::size_t i = 0; i < outs.size(); ++i) PyTuple_SET_ITEM(plain.get(), Py_ssize_t(i), wrap(outs[i]));
    return Py_NewRef(plain.get());
  }
  const Ref named = Ref::adopt(check(PyStructSequence_New(named_type(*e.schema, "_out"))));
  for (std::size_t i = 0; i < outs.size(); ++i) PyStructSequence_SetItem(named.get(), Py_ssize_t(i), wrap(outs[i]));
  return Py_NewRef(named.get());
}

bool any_requires_grad(const OpEntry& e, const Value* values, const std::vector<Tensor>& outs) {
  if (!grad_enabled()) return false;
  for (const Tensor& t : outs)
    if (is_tracked(t)) return true;
  for (int i = 0; i < e.schema->arg_count; ++i) {
    const Value& v = values[i];
    if (v.kind == Value::Kind::Tensor && is_tracked(Tensor(IntrusivePtr<TensorImpl>::share(v.tensor)))) return true;
    if (v.kind == Value::Kind::TensorList)
      for (std::size_t k = 0; k < v.size; ++k)
        if (const Tensor& t = static_cast<const Tensor*>(v.data)[k]; t.defined() && is_tracked(t)) return true;
  }
  return false;
}

PyObject* run(const OverloadSet& set, const OpEntry& e, Parsed& p) {
  const bool inplace = set.inplace && e.pointwise;  // operators of other kinds write in place by themselves
  std::vector<Tensor> outs;
  if (inplace || (p.out && p.out != Py_None)) {
    if (e.pointwise) {
      const PointwiseInfo& info = *e.pointwise;
      Operand operands[engine::kMaxOperands];
      Scalar scalars[engine::kMaxScalars];
      for (int i = 0; i < info.operands; ++i)
        operands[i] =
            p.values[i].kind == Value::Kind::Tensor ? Operand(p.values[i].tensor) : Operand(p.values[i].scalar);
      int k = 0;
      for (int i = info.operands; i < info.schema->arg_count; ++i)
        scalars[k++] = p.values[i].kind == Value::Kind::None ? Scalar::none() : p.values[i].scalar;
      if (inplace) {
        engine::pointwise_inplace(info, operands, scalars);
        return wrap(operands[0].get());
      }
      engine::pointwise_out(info, operands, scalars, tensor_of(p.out));
      return Py_NewRef(p.out);
    }
    outs = out_tensors(e, p.out);
    HWARO_CHECK(!any_requires_grad(e, p.values, outs), set.name,
                "(): functions with out=... arguments don't support automatic differentiation, but one of the "
                "arguments requires grad.");
    if (is_tensor(p.out)) engine::take_type_of_out(e, p.values, tensor_of(p.out));
    if (e.out) {
      e.out(p.values, outs[0]);
      return Py_NewRef(p.out);
    }
  }
  Result r;
  e.invoke(e.function, p.values, r);
  if (p.out && p.out != Py_None) return store_results(e, p.values, r, outs, p.out);
  if (p.requires_grad) require_grad_of_new(r.tensor);
  return result_object(r, e.schema);
}

// "mm(self: float32 [2, 3] cpu, mat2: float32 [2, 3] cpu)"
std::string described_call(const OverloadSet& set, const Schema& s, PyObject* const* args, Py_ssize_t count,
                           PyObject* kwnames) {
  std::string out = set.name + "(";
  for (Py_ssize_t i = 0; i < count; ++i)
    out += concat(i ? ", " : "", i < s.arg_count ? std::string(s.str(s.args[i].name)) : "", i < s.arg_count ? ": " : "",
                  shown_argument(args[i]));
  for (Py_ssize_t k = 0; kwnames && k < PyTuple_GET_SIZE(kwnames); ++k)
    out += concat(count + k ? ", " : "", PyUnicode_AsUTF8(PyTuple_GET_ITEM(kwnames, k)), ": ",
                  shown_argument(args[count + k]));
  return out + ")";
}

[[gnu::cold]] void set_error_from_operator(const OverloadSet& set, const Schema* running, PyObject* const* args,
                                           Py_ssize_t count, PyObject* kwnames) noexcept {
  std::string call;
  try {
    if (running) call = described_call(set, *running, args, count, kwnames);
  } catch (...) {
    call.clear();
  }
  set_error_with_note(call);
}

// `function` is the object that Python called, for those who want to see the call; null where we call ourselves.
PyObject* call_set(const OverloadSet& set, PyObject* const* args, Py_ssize_t count, PyObject* kwnames,
                   PyObject* function) {
  const Schema* running = set.entries[0]->schema;  // null while arguments are parsed
  try {
    // Tensors only, pointwise: no parsing.
    const OpEntry& first = *set.entries[0];
    if (first.pointwise && !kwnames && !set.inplace && count == first.pointwise->operands &&
        first.pointwise->scalars == 0) {
      const PointwiseInfo& info = *first.pointwise;
      Operand operands[engine::kMaxOperands];
      bool plain = true;
      for (Py_ssize_t i = 0; i < count && plain; ++i) {
        plain = is_tensor(args[i]);
        if (plain) operands[i] = impl_of(args[i]);
      }
      if (plain) return wrap(engine::pointwise(info, operands, nullptr));
    }
    running = nullptr;
    if (set.overloads.empty()) [[unlikely]]
      prepare(const_cast<OverloadSet&>(set));
    for (const Overload& overload : set.overloads) {
      Parsed p;
      Arena arena;
      if (parse(set, overload, args, count, kwnames, p, arena, nullptr)) {
        running = overload.entry->schema;
        return run(set, *overload.entry, p);
      }
    }
    // An object that is no tensor may take part by __torch_function__.
    if (PyObject* result; function && dispatched(function, args, count, kwnames, result)) return result;
    std::vector<PyObject*> rewritten;
    if (Ref names; reordered(set, args, count, kwnames, rewritten, names))
      return call_set(set, rewritten.data(), Py_ssize_t(rewritten.size()) - PyTuple_GET_SIZE(names.get()), names.get(),
                      nullptr);
    raise_no_match(set, args, count, kwnames);
  } catch (...) {
    set_error_from_operator(set, running, args, count, kwnames);
    return nullptr;
  }
}

// ---- the type of operator objects ----

PyObject* op_vectorcall(PyObject* self, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  const OverloadSet& set = *reinterpret_cast<OpObject*>(self)->set;
  const Py_ssize_t count = PyVectorcall_NARGS(nargsf);
  if (g_torch_function) [[unlikely]]
    if (PyObject* result; dispatched(self, args, count, kwnames, result)) return result;
  if (set.method && (count == 0 || !is_tensor(args[0]))) [[unlikely]] {
    return PyErr_Format(PyExc_TypeError,
                        "descriptor '%s' for 'torch._C.TensorBase' objects doesn't apply to a '%s' object",
                        set.name.c_str(), count ? Py_TYPE(args[0])->tp_name : "NoneType");
  }
  return call_set(set, args, count, kwnames, self);
}
PyObject* op_get(PyObject* self, PyObject* object, PyObject*) {
  if (!object || object == Py_None || !reinterpret_cast<OpObject*>(self)->set->method) return Py_NewRef(self);
  return bind_op(self, object);
}
PyObject* op_repr(PyObject* self) {
  const OverloadSet& set = *reinterpret_cast<OpObject*>(self)->set;
  if (set.method) return PyUnicode_FromFormat("<method '%s' of 'torch._C.TensorBase' objects>", set.name.c_str());
  return PyUnicode_FromFormat("<built-in method %s of type object at %p>", set.name.c_str(),
                              static_cast<void*>(&TensorType));
}
PyObject* op_name(PyObject* self, void*) {
  return PyUnicode_FromString(reinterpret_cast<OpObject*>(self)->set->name.c_str());
}
PyObject* op_doc(PyObject* self, void*) {
  const OverloadSet& set = *reinterpret_cast<OpObject*>(self)->set;
  std::string out;
  for (const OpEntry* e : set.entries) out += set.name + python_signature(set, *e) + "\n";
  return PyUnicode_FromString((out + "\n" + set.entries[0]->doc).c_str());
}
PyObject* op_module(PyObject*, void*) { return PyUnicode_FromString("hwaro"); }
PyObject* op_reduce(PyObject* self, PyObject*) {
  return PyUnicode_FromString(reinterpret_cast<OpObject*>(self)->set->name.c_str());
}
PyGetSetDef op_getset[] = {{"__name__", op_name, nullptr, nullptr, nullptr},
                           {"__qualname__", op_name, nullptr, nullptr, nullptr},
                           {"__doc__", op_doc, nullptr, nullptr, nullptr},
                           {"__module__", op_module, nullptr, nullptr, nullptr},
                           {}};
PyMethodDef op_methods[] = {{"__reduce__", op_reduce, METH_NOARGS, nullptr}, {}};
PyTypeObject OpType = {PyVarObject_HEAD_INIT(nullptr, 0)};

// name -> set, for functions and for methods.
std::map<std::string, std::unique_ptr<OverloadSet>, std::less<>> g_functions, g_methods, g_nn, g_internal;

OverloadSet& set_in(std::map<std::string, std::unique_ptr<OverloadSet>, std::less<>>& map, const std::string& name) {
  auto& slot = map[name];
  if (!slot) {
    slot = std::make_unique<OverloadSet>();
    slot->name = name;
  }
  return *slot;
}

PyObject* make_op(const OverloadSet* set) {
  auto* o = PyObject_New(OpObject, &OpType);
  if (!o) return nullptr;
  o->vectorcall = &op_vectorcall;
  o->set = set;
  o->dict = nullptr;
  return reinterpret_cast<PyObject*>(o);
}

bool put(PyObject* dict, const std::string& name, const OverloadSet* set) {
  const Ref op = Ref::adopt(make_op(set));
  return op && PyDict_SetItemString(dict, name.c_str(), op.get()) == 0;
}

}  // namespace

const OverloadSet* function_set(std::string_view name) {
  const auto it = g_functions.find(name);
  if (it == g_functions.end()) return nullptr;
  if (it->second->overloads.empty()) prepare(*it->second);
  return it->second.get();
}

PyObject* call_function(const char* name, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
  const auto it = g_functions.find(std::string_view(name));
  if (it == g_functions.end()) return PyErr_Format(PyExc_RuntimeError, "no operator '%s'", name);
  return call_set(*it->second, args, count, kwnames, nullptr);
}

// ---- named results ----

static PyObject* named_repr(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  const Ref names = Ref::adopt(PyObject_GetAttrString(reinterpret_cast<PyObject*>(type), "__match_args__"));
  std::string out = std::string(type->tp_name) + "(";
  const Py_ssize_t n = PyTuple_GET_SIZE(self);
  for (Py_ssize_t i = 0; i < n; ++i) {
    const Ref value = Ref::adopt(PyObject_Repr(PyTuple_GET_ITEM(self, i)));
    if (!value) return nullptr;
    PyObject* name = PyTuple_GET_ITEM(names.get(), i);
    out += std::string("\n") + PyUnicode_AsUTF8(name) + "=" + PyUnicode_AsUTF8(value.get());
    if (i + 1 < n) out += ",";
  }
  return PyUnicode_FromString((out + ")").c_str());
}

PyTypeObject* return_type(const Schema& schema) { return named_type(schema, ""); }

PyTypeObject* named_type(const Schema& schema, const char* suffix) {
  static std::map<std::string, PyTypeObject*> types;
  std::string key = std::string(schema.name_str()) + suffix;
  for (int i = 0; i < schema.return_count; ++i) key += "," + std::string(schema.str(schema.return_names[i]));
  PyTypeObject*& type = types[key];
  if (type) return type;
  auto keep = [](std::string text) { return (new std::string(std::move(text)))->c_str(); };  // types live for ever
  auto* fields = new PyStructSequence_Field[schema.return_count + 1]();
  for (int i = 0; i < schema.return_count; ++i) fields[i] = {keep(std::string(schema.str(schema.return_names[i]))), ""};
  PyStructSequence_Desc desc = {keep("torch.return_types." + std::string(schema.name_str()) + suffix), nullptr, fields,
                                schema.return_count};
  type = new PyTypeObject();
  std::memset(static_cast<void*>(type), 0, sizeof *type);
  if (PyStructSequence_InitType2(type, &desc) < 0) throw_python_error();
  type->tp_repr = &named_repr;
  PyType_Modified(type);
  return type;
}

// _return_types() -> {name: type} of all operators with named results
static PyObject* return_types(PyObject*, PyObject*) {
  HWARO_PY_TRY
  const Ref out = Ref::adopt(check(PyDict_New()));
  for (const engine::OpFamily& family : engine::op_families())
    for (std::size_t i = 0; i < family.count; ++i) {
      const Schema& s = *family.entries[i].schema;
      if (s.return_count < 2 || s.str(s.return_names[0]).empty()) continue;
      auto* type = reinterpret_cast<PyObject*>(return_type(s));
      if (PyDict_SetItemString(out.get(), std::string(s.name_str()).c_str(), type) < 0) return nullptr;
    }
  return Py_NewRef(out.get());
  HWARO_PY_CATCH(nullptr)
}
static PyMethodDef operator_functions[] = {{"_return_types", return_types, METH_NOARGS, nullptr}, {}};

// Tensor.__radd__ and its like, asked of the class, are methods with PyTorch's words and nodes (a number slot cannot tell
// a.__rsub__(b) from b - a). They lie on the metatype: in the class itself they would make Python dispatch the number
// slots of subclasses, Parameter among them, by name.
namespace {

struct Reflected {
  const char *name, *function;
  PyObject* method;
} reflected_methods[] = {{"__radd__", "add", nullptr},       {"__rmul__", "mul", nullptr},
                         {"__rsub__", "rsub", nullptr},      {"__rand__", "bitwise_and", nullptr},
                         {"__ror__", "bitwise_or", nullptr}, {"__rxor__", "bitwise_xor", nullptr}};
PyGetSetDef reflected_getset[std::size(reflected_methods)];

// A subclass that defines the method keeps its own.
PyObject* reflected_get(PyObject* type, void* closure) {
  const auto& r = *static_cast<Reflected*>(closure);
  const Ref name = Ref::adopt(PyUnicode_InternFromString(r.name));
  if (!name) return nullptr;
  PyObject* found = _PyType_Lookup(reinterpret_cast<PyTypeObject*>(type), name.get());
  if (!found || found == PyDict_GetItem(TensorType.tp_dict, name.get())) return Py_NewRef(r.method);
  const descrgetfunc bind = Py_TYPE(found)->tp_descr_get;
  return bind ? bind(found, nullptr, type) : Py_NewRef(found);
}

bool add_reflected() {
  int k = 0;
  for (Reflected& r : reflected_methods) {
    static decltype(g_functions) sets;
    OverloadSet& set = set_in(sets, r.name);
    set.entries = g_functions.find(std::string_view(r.function))->second->entries;
    set.method = true;
    r.method = make_op(&set);
    reflected_getset[k] = {r.name, &reflected_get, nullptr, nullptr, &r};
    const Ref descriptor = Ref::adopt(PyDescr_NewGetSet(&TensorMetaType, &reflected_getset[k++]));
    if (!r.method || !descriptor || PyDict_SetItemString(TensorMetaType.tp_dict, r.name, descriptor.get()) < 0)
      return false;
  }
  PyType_Modified(&TensorMetaType);
  return true;
}

}  // namespace

bool add_operators(PyObject* module) {
  if (PyModule_AddFunctions(module, operator_functions) < 0) return false;
  OpType.tp_name = "builtin_function_or_method";
  OpType.tp_basicsize = sizeof(OpObject);
  OpType.tp_vectorcall_offset = offsetof(OpObject, vectorcall);
  OpType.tp_call = &PyVectorcall_Call;
  OpType.tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR;
  OpType.tp_descr_get = &op_get;
  OpType.tp_repr = &op_repr;
  OpType.tp_getset = op_getset;
  OpType.tp_methods = op_methods;
  OpType.tp_dictoffset = offsetof(OpObject, dict);
  if (PyType_Ready(&OpType) < 0 || !add_bound_ops()) return false;

  for (const engine::OpFamily& family : engine::op_families()) {
    for (std::size_t i = 0; i < family.count; ++i) {
      const OpEntry& e = family.entries[i];
      const std::string name(e.schema->name_str());
      const bool out = e.expose & engine::kOut || takes_tuple_out(*e.schema);
      auto add = [&](auto& map, const std::string& n, bool method, bool inplace) {
        OverloadSet& set = set_in(map, n);
        set.entries.push_back(&e);
        set.method = method;
        set.inplace = set.inplace || inplace;
        set.allow_out = set.allow_out || (out && !method && !inplace);
      };
      if (e.expose & engine::kFunction) add(g_functions, name, false, false);
      if (e.expose & engine::kMethod) add(g_methods, name, true, false);
      if (e.expose & engine::kNnFunctional) add(g_nn, name, false, false);
      if (e.expose & engine::kInternal) add(g_internal, name, false, false);
      if (e.expose & engine::kInplace && e.pointwise && !e.pointwise->schema->name_str().empty()) {
        if (e.expose & engine::kMethod) add(g_methods, name + "_", true, true);
        if (e.expose & engine::kFunction) add(g_functions, name + "_", false, true);
        if (e.expose & engine::kNnFunctional) add(g_nn, name + "_", false, true);
      }
    }
  }
  // Prefixes of PyTorch's schemas name modules.
  const Ref functions = Ref::adopt(PyDict_New());
  const Ref nn = Ref::adopt(PyModule_New("hwaro._C.nn_functional"));
  const std::pair<const char*, const char*> prefixes[] = {{"linalg_", "hwaro._C.linalg"},
                                                          {"special_", "hwaro._C.special"}};
  Ref modules[2];
  for (int k = 0; k < 2; ++k) modules[k] = Ref::adopt(PyModule_New(prefixes[k].second));
  for (auto& [name, set] : g_functions) {
    bool prefixed = false;
    for (int k = 0; k < 2; ++k) {
      const std::string prefix = prefixes[k].first;
      if (name.rfind(prefix, 0) == 0) {
        set->name = name;
        if (!put(PyModule_GetDict(modules[k].get()), name.substr(prefix.size()), set.get())) return false;
        prefixed = true;
      }
    }
    if (!prefixed && !put(functions.get(), name, set.get())) return false;
  }
  if (const auto it = g_nn.find("logsigmoid"); it != g_nn.end()) it->second->name = "log_sigmoid";  // as errors call it
  for (auto& [name, set] : g_nn)
    if (!put(PyModule_GetDict(nn.get()), name, set.get())) return false;
  for (auto& [name, set] : g_internal)
    if (!put(PyModule_GetDict(module), name, set.get())) return false;
  for (auto& [name, set] : g_methods)
    if (!PyDict_GetItemString(TensorType.tp_dict, name.c_str()) && !put(TensorType.tp_dict, name, set.get()))
      return false;
  PyType_Modified(&TensorType);
  if (!add_reflected()) return false;
  PyObject* sys_modules = PyImport_GetModuleDict();
  if (PyDict_SetItemString(sys_modules, "hwaro._C.nn_functional", nn.get()) < 0) return false;
  for (int k = 0; k < 2; ++k)
    if (PyDict_SetItemString(sys_modules, prefixes[k].second, modules[k].get()) < 0 ||
        PyModule_AddObject(module, prefixes[k].second + sizeof("hwaro._C.") - 1, Py_NewRef(modules[k].get())) < 0)
      return false;
  return PyModule_AddObject(module, "nn_functional", Py_NewRef(nn.get())) == 0 &&
         PyModule_AddObject(module, "functions", Py_NewRef(functions.get())) == 0;
}

}  // namespace hwaro::python
