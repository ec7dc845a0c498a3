#include "python/src/op_arguments.h"

#include <cstring>
#include <memory>

#include "hwaro/core/availability.h"
#include "python/src/torch_function.h"

namespace hwaro::python {

std::string argument_name(const Schema& s, int i) {
  const std::string_view n = s.str(s.args[i].name);
  return n == "self" ? "input" : std::string(n);
}

const char* python_type_name(const ArgSchema& a) {
  switch (a.type) {
    case ArgType::Tensor: return a.list ? "tuple of Tensors" : "Tensor";
    case ArgType::Scalar: return a.list ? "tuple of Scalars" : "Number";
    case ArgType::Int: return a.list ? "tuple of ints" : "int";
    case ArgType::Float: return a.list ? "tuple of floats" : "float";
    case ArgType::Bool: return "bool";
    case ArgType::DType: return "torch.dtype";
    case ArgType::Layout: return "torch.layout";
    case ArgType::Device: return "torch.device";
    case ArgType::MemoryFormat: return "torch.memory_format";
    case ArgType::Str: return "str";
    case ArgType::Generator: return "torch.Generator";
  }
  return "";
}

std::string shown_type(PyObject* o) {
  if (is_tensor(o)) return Py_TYPE(o) == &TensorType ? "Tensor" : Py_TYPE(o)->tp_name;
  const std::string name = Py_TYPE(o)->tp_name;
  return name;
}

bool same_name(PyObject* name, std::string_view text) {
  return PyUnicode_CompareWithASCIIString(name, std::string(text).c_str()) == 0;
}

bool takes_factory_arguments(const Schema& s) {
  for (int i = 0; i < s.arg_count; ++i)
    if (s.str(s.args[i].name) == "pin_memory") return true;
  return false;
}

namespace {

// The default of an argument as the schema writes it.
Value default_of(const Schema& s, int i, std::vector<std::int64_t>& ints) {
  Value v;
  const ArgSchema& a = s.args[i];
  const std::string_view d = s.str(a.default_text);
  v.scalar = Scalar::none();
  v.data = nullptr;
  if (!a.has_default || d == "None") return v;
  const std::string text(d);
  if (a.list) {
    if (text[0] == '[') {
      const char* p = text.c_str() + 1;
      while (*p && *p != ']') {
        char* end;
        ints.push_back(std::strtoll(p, &end, 10));
        p = end;
        while (*p == ',' || *p == ' ') ++p;
      }
    } else {
      ints.assign(a.list_size ? a.list_size : 1, std::strtoll(text.c_str(), nullptr, 10));
    }
    v.kind = Value::Kind::IntList;
    v.data = ints.data();
    v.size = ints.size();
    return v;
  }
  switch (a.type) {
    case ArgType::Int: v.kind = Value::Kind::Int, v.i = std::strtoll(text.c_str(), nullptr, 10); break;
    case ArgType::Float: v.kind = Value::Kind::Float, v.d = std::strtod(text.c_str(), nullptr); break;
    case ArgType::Bool: v.kind = Value::Kind::Bool, v.b = d == "True"; break;
    case ArgType::Scalar:
      v.kind = Value::Kind::Scalar;
      if (d == "True" || d == "False") v.scalar = Scalar(d == "True");
      else if (d.find_first_of(".einf") != std::string_view::npos)
        v.scalar = Scalar(std::strtod(text.c_str(), nullptr));
      else v.scalar = Scalar(std::int64_t(std::strtoll(text.c_str(), nullptr, 10)));
      break;
    case ArgType::Str: v.kind = Value::Kind::Str, v.data = d.data() + 1, v.size = d.size() - 2; break;
    case ArgType::MemoryFormat:
      v.kind = Value::Kind::MemoryFormat;
      v.format = d == "preserve_format" ? MemoryFormat::Preserve : MemoryFormat::Contiguous;
      break;
    default: break;
  }
  return v;
}

bool element_is_int(PyObject* o) {
  if (PyLong_Check(o)) return !PyBool_Check(o);
  if (is_tensor(o)) return tensor_of(o).numel() == 1 && is_integral(tensor_of(o).dtype());
  return is_index(o);
}

// One int of a list. The first element decides whether the list fits (a bool does not, and later does); a later one that
// is no int is an error.
void take_int(const OverloadSet& set, const Schema& s, int i, Py_ssize_t k, PyObject* o, Arena& arena) {
  std::int64_t n = 0;
  const bool whole = element_is_int(o) || (k > 0 && PyBool_Check(o));
  int overflow = 0;
  if (whole && PyLong_Check(o)) n = PyLong_AsLongLongAndOverflow(o, &overflow);
  else if (whole) int_from(o, n);
  if (!whole || overflow)
    raise<TypeError>(set.name, "(): argument '", argument_name(s, i), "' failed to unpack the object at pos ", k + 1,
                     " with error \"",
                     overflow ? "Overflow when unpacking long long" : "type must be tuple of ints,but got ",
                     overflow ? "" : shown_type(o), overflow ? "" : "\"");
  arena.ints.push_back(n);
}

// Converts one Python object to an argument; false if the type does not fit, with `failed` as the first element of a
// list that does not. Errors in values are thrown.
bool convert(const OverloadSet& set, const OpEntry& e, int i, PyObject* o, Value& v, Arena& arena, int& failed) {
  const ArgSchema& a = e.schema->args[i];
  if (o == Py_None) {
    const std::string_view text = a.has_default ? e.schema->str(a.default_text) : "";
    const bool all = a.list && text == "[]";  // no list is the empty one
    if (!a.optional && text != "None" && !all) return false;
    v.kind = all ? Value::Kind::IntList : Value::Kind::None;
    v.data = nullptr;
    v.size = 0;
    v.scalar = Scalar::none();
    return true;
  }
  if (a.list) {
    if (a.list_size && a.type == ArgType::Int && element_is_int(o)) {
      std::int64_t n;
      if (!int_from(o, n)) return false;
      v.kind = Value::Kind::IntList;
      arena.fixes.push_back({i, arena.ints.size()});
      for (int k = 0; k < a.list_size; ++k) arena.ints.push_back(n);
      v.size = a.list_size;
      return true;
    }
    if (a.list_size && a.type == ArgType::Float && (PyFloat_Check(o) || (PyLong_Check(o) && !PyBool_Check(o)))) {
      v.kind = Value::Kind::FloatList;
      arena.fixes.push_back({i, arena.doubles.size()});
      for (int k = 0; k < a.list_size; ++k) arena.doubles.push_back(PyFloat_AsDouble(o));
      v.size = a.list_size;
      return true;
    }
    if (!PyTuple_Check(o) && !PyList_Check(o)) return false;
    const Py_ssize_t n = PySequence_Fast_GET_SIZE(o);
    PyObject** items = PySequence_Fast_ITEMS(o);
    v.size = std::size_t(n);
    switch (a.type) {
      case ArgType::Int:
        v.kind = Value::Kind::IntList;
        arena.fixes.push_back({i, arena.ints.size()});
        for (Py_ssize_t k = 0; k < n; ++k) {
          if (k == 0 && !element_is_int(items[0])) return failed = 0, false;
          take_int(set, *e.schema, i, k, items[k], arena);
        }
        return true;
      case ArgType::Float:
        v.kind = Value::Kind::FloatList;
        arena.fixes.push_back({i, arena.doubles.size()});
        for (Py_ssize_t k = 0; k < n; ++k) {
          if (!PyFloat_Check(items[k]) && !PyLong_Check(items[k])) return failed = int(k), false;
          arena.doubles.push_back(PyFloat_AsDouble(items[k]));
        }
        return true;
      case ArgType::Bool:
        v.kind = Value::Kind::BoolList;
        arena.fixes.push_back({i, arena.bools.size()});
        for (Py_ssize_t k = 0; k < n; ++k) {
          if (!PyBool_Check(items[k])) return failed = int(k), false;
          arena.bools.push_back(items[k] == Py_True);
        }
        return true;
      case ArgType::Scalar:
        v.kind = Value::Kind::ScalarList;
        arena.fixes.push_back({i, arena.scalars.size()});
        for (Py_ssize_t k = 0; k < n; ++k) {
          Scalar s;
          if (!scalar_from(items[k], s)) return failed = int(k), false;
          arena.scalars.push_back(s);
        }
        return true;
      case ArgType::Tensor:
        v.kind = Value::Kind::TensorList;
        arena.fixes.push_back({i, arena.tensors.size()});
        for (Py_ssize_t k = 0; k < n; ++k) {
          if (items[k] == Py_None && a.optional) arena.tensors.emplace_back();
          else if (is_tensor(items[k])) arena.tensors.push_back(tensor_of(items[k]));
          else
            raise<TypeError>("expected Tensor as element ", k, " in argument ", i, ", but got ", shown_type(items[k]));
        }
        return true;
      default: return false;
    }
  }
  switch (a.type) {
    case ArgType::Tensor:
      if (is_tensor(o)) {
        v.kind = Value::Kind::Tensor;
        v.tensor = impl_of(o);
        return true;
      }
      if (e.pointwise && e.pointwise->numbers_for & (1u << i) && scalar_from(o, v.scalar)) {
        v.kind = Value::Kind::Scalar;
        return true;
      }
      if (Scalar number; set.name == "copy_" && scalar_from(o, number)) {
        arena.tensors.push_back(engine::make_full({}, number, number.dtype()));
        v.kind = Value::Kind::Tensor;
        v.tensor = arena.tensors.back().impl();
        return true;
      }
      return false;
    case ArgType::Scalar:
      if (!scalar_from(o, v.scalar)) return false;
      v.kind = Value::Kind::Scalar;
      return true;
    case ArgType::Int:
      if (PyBool_Check(o) || (is_tensor(o) && tensor_of(o).dim() > 0) || !int_from(o, v.i)) return false;
      v.kind = Value::Kind::Int;
      return true;
    case ArgType::Float: {
      if (PyFloat_CheckExact(o)) {
        v.d = PyFloat_AS_DOUBLE(o);
      } else {
        Scalar s;
        if (!scalar_from(o, s) || s.is_complex()) return false;
        v.d = s.re();
      }
      v.kind = Value::Kind::Float;
      return true;
    }
    case ArgType::Bool:
      if (PyBool_Check(o)) {
        v.b = o == Py_True;
      } else if (PyLong_Check(o) && is_python_function(set)) {
        v.b = PyObject_IsTrue(o) == 1;  // what PyTorch writes in Python takes anything that is true or false
      } else {
        const std::string_view type = Py_TYPE(o)->tp_name;
        if (type != "numpy.bool" && type != "numpy.bool_") return false;
        v.b = PyObject_IsTrue(o) == 1;
      }
      v.kind = Value::Kind::Bool;
      return true;
    case ArgType::DType:
      if (const std::optional<DType> t = dtype_from(o)) v.dtype = *t;
      else return false;
      v.kind = Value::Kind::DType;
      return true;
    case ArgType::Layout:
      if (Py_TYPE(o) != &LayoutType) return false;
      v.kind = Value::Kind::None;
      return true;
    case ArgType::Device: {
      if (!is_device(o) && !PyUnicode_Check(o) && !(PyLong_Check(o) && !PyBool_Check(o))) return false;
      const Device d = device_of_object(o);
      check_can_create_on(d);
      v.device = d;
      v.kind = Value::Kind::Device;
      return true;
    }
    case ArgType::MemoryFormat:
      if (!is_memory_format(o)) return false;
      v.format = memory_format_of(o);
      v.kind = Value::Kind::MemoryFormat;
      return true;
    case ArgType::Str: {
      if (!PyUnicode_Check(o)) return false;
      Py_ssize_t n;
      v.data = check(PyUnicode_AsUTF8AndSize(o, &n));
      v.size = std::size_t(n);
      v.kind = Value::Kind::Str;
      return true;
    }
    case ArgType::Generator:
      if (!is_generator(o)) return false;
      v.generator = generator_of(o);
      v.kind = Value::Kind::Generator;
      return true;
  }
  return false;
}

// NumPy's names for the same arguments.
bool is_alias(std::string_view name, std::string_view given) {
  return (name == "dim" && given == "axis") || (name == "dims" && given == "axes") ||
         (name == "keepdim" && given == "keepdims") ||
         (name == "self" && (given == "input" || given == "x" || given == "a" || given == "x1")) ||
         (name == "other" && given == "x2");
}

// Whether Python calls may pass the one positional argument, a list of ints, as separate ints: x.view(2, 3).
bool takes_varargs(const OverloadSet& set, const Schema& s) {
  const int first = set.method ? 1 : 0;
  return s.positional_count == first + 1 && s.args[first].list && s.args[first].type == ArgType::Int &&
         !s.args[first].optional;
}

// Functions that take their tensors as separate arguments as well: meshgrid(x, y).
bool takes_separate_tensors(const OverloadSet& set) {
  static constexpr std::string_view kNames[] = {"meshgrid", "broadcast_tensors", "block_diag", "cartesian_prod",
                                                "chain_matmul"};
  for (std::string_view name : kNames)
    if (set.name == name) return true;
  return false;
}

// The object given for an argument by keyword, or null.
PyObject* keyword_argument(const OverloadSet& set, const Overload& overload, int i, PyObject* const* values,
                           PyObject* kwnames) {
  if (set.method && i == 0) return nullptr;
  PyObject* wanted = overload.names[std::size_t(i)];
  const Py_ssize_t n = PyTuple_GET_SIZE(kwnames);
  for (Py_ssize_t k = 0; k < n; ++k)
    if (PyTuple_GET_ITEM(kwnames, k) == wanted) return values[k];
  const Schema& s = *overload.entry->schema;
  const std::string_view name = s.str(s.args[i].name);
  for (Py_ssize_t k = 0; k < n; ++k) {
    PyObject* given = PyTuple_GET_ITEM(kwnames, k);
    if (name != "self" && same_name(given, name)) return values[k];
    const char* text = PyUnicode_AsUTF8(given);
    if (text && is_alias(name, text)) return values[k];
  }
  return nullptr;
}

}  // namespace

static bool fits_out(const Schema& s, PyObject* out) {
  if (out == Py_None) return true;
  if (!is_tuple_out(s)) return is_tensor(out);
  if (!PyTuple_Check(out) && !PyList_Check(out)) return false;
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(out); ++i)
    if (!is_tensor(PySequence_Fast_GET_ITEM(out, i))) return false;
  return true;
}

bool parse(const OverloadSet& set, const Overload& overload, PyObject* const* args, Py_ssize_t count, PyObject* kwnames,
           Parsed& p, Arena& arena, std::string* why) {
  const OpEntry& e = *overload.entry;
  const Schema& s = *e.schema;
  std::uninitialized_copy(overload.defaults.begin(), overload.defaults.end(), p.values);
  const Py_ssize_t keywords = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
  const int self_offset = set.method ? 1 : 0;
  const bool varargs = takes_varargs(set, s);
  Py_ssize_t used_keywords = 0, at = 0;
  if (count > s.positional_count && !varargs && !(count && is_tensor(args[0]) && takes_separate_tensors(set))) {
    if (why) *why = too_many(set, s, count - self_offset);
    return false;
  }
  if (varargs && count - self_offset > 1 && !element_is_int(args[self_offset])) {
    if (why) *why = too_many(set, s, count - self_offset);
    return false;
  }
  for (int i = 0; i < s.arg_count; ++i) {
    const ArgSchema& a = s.args[i];
    PyObject* given = nullptr;
    bool keyword = false;
    if (at < count) {
      if (a.keyword_only) {
        if (why) *why = too_many(set, s, count - self_offset);
        return false;
      }
      given = args[at];
    } else if (keywords) {
      given = keyword_argument(set, overload, i, args + count, kwnames);
      keyword = given != nullptr;
    }
    if (!given) {
      if (a.has_default) continue;  // the default is there already
      if (why) *why = missing(set, s, i);
      return false;
    }
    if (varargs && at == self_offset && !keyword && element_is_int(given)) {
      Value& v = p.values[i];
      v.kind = Value::Kind::IntList;
      arena.fixes.push_back({i, arena.ints.size()});
      v.size = std::size_t(count - at);
      for (Py_ssize_t k = 0; at < count; ++at, ++k) take_int(set, s, i, k, args[at], arena);
      continue;
    }
    if (i == 0 && !keyword && a.list && a.type == ArgType::Tensor && is_tensor(given) && takes_separate_tensors(set)) {
      Value& v = p.values[i];
      v.kind = Value::Kind::TensorList;
      arena.fixes.push_back({i, arena.tensors.size()});
      for (v.size = 0; at < count && is_tensor(args[at]); ++at, ++v.size) arena.tensors.push_back(tensor_of(args[at]));
      continue;
    }
    int failed = -1;  // the element of a list that is of the wrong type
    if (!convert(set, e, i, given, p.values[i], arena, failed)) {
      if (why) {
        const std::string head = concat(set.name, "(): argument '", argument_name(s, i), "' ");
        if (keyword) *why = concat(head, "must be ", python_type_name(a), ", not ", shown_type(given));
        else if (failed >= 0)
          *why = concat(head, "(position ", at - self_offset + 1, ") must be ", python_type_name(a),
                        ", but found element of type ", shown_type(PySequence_Fast_GET_ITEM(given, failed)), " at pos ",
                        failed);
        else
          *why = concat(head, "(position ", at - self_offset + 1, ") must be ", python_type_name(a), ", not ",
                        shown_type(given));
      }
      return false;
    }
    if (keyword) ++used_keywords;
    else ++at;
  }
  if (at < count) {
    if (why) *why = too_many(set, s, count - self_offset);
    return false;
  }
  if (used_keywords < keywords) {
    for (Py_ssize_t k = 0; k < keywords; ++k) {
      PyObject* name = PyTuple_GET_ITEM(kwnames, k);
      if (overload.out && same_name(name, "out")) {
        p.out = args[count + k];
        if (!fits_out(s, p.out)) {
          if (why)
            *why = concat(set.name, "(): argument 'out' must be ", is_tuple_out(s) ? "tuple of Tensors" : "Tensor",
                          ", not ", shown_type(p.out));
          return false;
        }
        ++used_keywords;
      } else if (same_name(name, "requires_grad") && takes_factory_arguments(s)) {
        PyObject* on = args[count + k];
        if (!PyBool_Check(on) && on != Py_None) {
          if (why) *why = concat(set.name, "(): argument 'requires_grad' must be bool, not ", shown_type(on));
          return false;
        }
        p.requires_grad = on == Py_True;
        ++used_keywords;
      }
    }
    if (used_keywords < keywords) {
      if (why) *why = bad_keyword(set, overload, count, kwnames);
      return false;
    }
  }
  if (e.pointwise && e.pointwise->operands == 2 && p.values[0].kind == Value::Kind::Scalar &&
      p.values[1].kind == Value::Kind::Scalar && has_number_overloads(set))
    return false;
  if (t_default_device.given && overload.device_argument >= 0) [[unlikely]] {
    Value& v = p.values[overload.device_argument];
    if (v.kind == Value::Kind::None) v.kind = Value::Kind::Device, v.device = t_default_device.device;
  }
  for (const Arena::Fix& f : arena.fixes) {
    Value& v = p.values[f.arg];
    switch (v.kind) {
      case Value::Kind::IntList: v.data = arena.ints.data() + f.begin; break;
      case Value::Kind::FloatList: v.data = arena.doubles.data() + f.begin; break;
      case Value::Kind::BoolList: v.data = arena.bools.data() + f.begin; break;
      case Value::Kind::ScalarList: v.data = arena.scalars.data() + f.begin; break;
      case Value::Kind::TensorList: v.data = arena.tensors.data() + f.begin; break;
      default: break;
    }
  }
  return true;
}

bool overload_takes_out(const OverloadSet& set, const OpEntry& e) {
  return set.allow_out && (e.expose & engine::kOut || takes_tuple_out(*e.schema));
}

void prepare(OverloadSet& set) {
  for (const OpEntry* e : set.entries) {
    Overload o{e, {}, {}, std::vector<std::vector<std::int64_t>>(e->schema->arg_count)};
    const bool factory = takes_factory_arguments(*e->schema) && e->schema->args[0].type != ArgType::Tensor;
    o.out = overload_takes_out(set, *e);
    for (int i = 0; i < e->schema->arg_count; ++i) {
      if (factory && e->schema->args[i].type == ArgType::Device) o.device_argument = i;
      o.names.push_back(check(PyUnicode_InternFromString(argument_name(*e->schema, i).c_str())));
      o.defaults.push_back(default_of(*e->schema, i, o.default_ints[std::size_t(i)]));
    }
    set.overloads.push_back(std::move(o));
  }
}

}  // namespace hwaro::python
