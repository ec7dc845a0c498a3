// Operators as Python callables: one object per name, which parses its arguments by the schemas of its overloads.
//
// The object supports the vectorcall protocol and acts as a method descriptor, so x.sum() makes no bound method.
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hwaro/core/availability.h"
#include "hwaro/autograd/grad_mode.h"
#include "hwaro/autograd/node.h"
#include "hwaro/ops/kinds/support.h"
#include "python/src/binding.h"

namespace hwaro::python {

using engine::OpEntry;

using engine::PointwiseInfo;
using engine::Result;
using engine::Value;

namespace {

// One overload, with what parsing needs prepared: interned argument names and the values of defaults.
struct Overload {
  const OpEntry* entry;
  std::vector<PyObject*> names;  // interned, owned for ever
  std::vector<Value> defaults;
  std::vector<std::vector<std::int64_t>> default_ints;  // what list defaults point at
  int device_argument = -1;                             // of a factory function: where set_default_device() applies
};

struct OverloadSet {
  std::string name;                     // as Python calls it
  std::vector<const OpEntry*> entries;  // in order of preference
  std::vector<Overload> overloads;      // the same, prepared at the first call
  bool method = false;                  // first argument is self
  bool inplace = false;                 // name_ of a pointwise operator
  bool allow_out = false;
};

struct OpObject {
  PyObject_HEAD vectorcallfunc vectorcall;
  const OverloadSet* set;
  PyObject* dict;
};

// ---- parsing ----

// Storage for what Values point at; on the stack, grows for long lists.
struct Arena {
  SmallVector<std::int64_t, 32> ints;
  SmallVector<double, 8> doubles;
  SmallVector<Scalar, 4> scalars;
  SmallVector<bool, 8> bools;
  std::vector<Tensor> tensors;
  // A list's position is fixed up at the end, because adding to a vector may move it.
  struct Fix {
    int arg;
    std::size_t begin;
  };
  SmallVector<Fix, 4> fixes;
};

// Why one overload does not fit. The text is only made when it is shown.
struct Mismatch {
  std::string text;
};

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

std::string argument_name(const Schema& s, int i) {
  const std::string_view n = s.str(s.args[i].name);
  return n == "self" ? "input" : std::string(n);
}

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

// Converts one Python object to an argument; false if the type does not fit. Errors in values are thrown.
bool convert(const OpEntry& e, int i, PyObject* o, Value& v, Arena& arena) {
  const ArgSchema& a = e.schema->args[i];
  if (o == Py_None) {
    if (!a.optional && !(a.has_default && e.schema->str(a.default_text) == "None")) return false;
    v.kind = Value::Kind::None;
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
          std::int64_t x;
          if (!element_is_int(items[k]) || !int_from(items[k], x)) return false;
          arena.ints.push_back(x);
        }
        return true;
      case ArgType::Float:
        v.kind = Value::Kind::FloatList;
        arena.fixes.push_back({i, arena.doubles.size()});
        for (Py_ssize_t k = 0; k < n; ++k) {
          if (!PyFloat_Check(items[k]) && (!PyLong_Check(items[k]) || PyBool_Check(items[k]))) return false;
          arena.doubles.push_back(PyFloat_AsDouble(items[k]));
        }
        return true;
      case ArgType::Bool:
        v.kind = Value::Kind::BoolList;
        arena.fixes.push_back({i, arena.bools.size()});
        for (Py_ssize_t k = 0; k < n; ++k) {
          if (!PyBool_Check(items[k])) return false;
          arena.bools.push_back(items[k] == Py_True);
        }
        return true;
      case ArgType::Scalar:
        v.kind = Value::Kind::ScalarList;
        arena.fixes.push_back({i, arena.scalars.size()});
        for (Py_ssize_t k = 0; k < n; ++k) {
          Scalar s;
          if (!scalar_from(items[k], s)) return false;
          arena.scalars.push_back(s);
        }
        return true;
      case ArgType::Tensor:
        v.kind = Value::Kind::TensorList;
        arena.fixes.push_back({i, arena.tensors.size()});
        for (Py_ssize_t k = 0; k < n; ++k) {
          if (items[k] == Py_None && a.optional) arena.tensors.emplace_back();
          else if (is_tensor(items[k])) arena.tensors.push_back(tensor_of(items[k]));
          else if (k == 0) return false;
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
      return false;
    case ArgType::Scalar:
      if (!scalar_from(o, v.scalar)) return false;
      v.kind = Value::Kind::Scalar;
      return true;
    case ArgType::Int:
      if (PyBool_Check(o) || !int_from(o, v.i)) return false;
      v.kind = Value::Kind::Int;
      return true;
    case ArgType::Float: {
      if (PyFloat_CheckExact(o)) {
        v.d = PyFloat_AS_DOUBLE(o);
      } else {
        Scalar s;
        if (PyBool_Check(o) || !scalar_from(o, s) || s.is_complex()) return false;
        v.d = s.re();
      }
      v.kind = Value::Kind::Float;
      return true;
    }
    case ArgType::Bool:
      if (PyBool_Check(o)) {
        v.b = o == Py_True;
      } else {
        // NumPy's bool, and a one-element bool tensor.
        const std::string_view type = Py_TYPE(o)->tp_name;
        if (type != "numpy.bool" && type != "numpy.bool_" &&
            !(is_tensor(o) && tensor_of(o).dtype() == DType::Bool && tensor_of(o).numel() == 1))
          return false;
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

// The arguments of one call. Raw storage: only as many values are made as the operator has arguments.
struct Parsed {
  alignas(Value) char storage[kMaxArgs * sizeof(Value)];
  Value* values = reinterpret_cast<Value*>(storage);
  PyObject* out = nullptr;  // out=
  bool requires_grad = false;
};

void prepare(OverloadSet& set);

bool same_name(PyObject* name, std::string_view text) {
  return PyUnicode_CompareWithASCIIString(name, std::string(text).c_str()) == 0;
}

// NumPy's names for the same arguments.
bool is_alias(std::string_view name, std::string_view given) {
  return (name == "dim" && given == "axis") || (name == "dims" && given == "axes") ||
         (name == "keepdim" && given == "keepdims") ||
         (name == "self" && (given == "input" || given == "x" || given == "a" || given == "x1")) ||
         (name == "other" && given == "x2");
}

bool takes_factory_arguments(const Schema& s) {
  for (int i = 0; i < s.arg_count; ++i)
    if (s.str(s.args[i].name) == "pin_memory") return true;
  return false;
}

// Whether Python calls of this set may pass the leading int list as separate arguments: x.view(2, 3).
bool takes_varargs(const OverloadSet& set, const Schema& s, int first) {
  return first < s.positional_count && s.args[first].list && s.args[first].type == ArgType::Int &&
         s.args[first].list_size == 0 &&
         first == (set.method ? 1 : (s.arg_count && s.args[0].type == ArgType::Tensor && !s.args[0].list ? 99 : 0));
}

// Functions that take their tensors as separate arguments as well: meshgrid(x, y).
bool takes_separate_tensors(const OverloadSet& set) {
  static constexpr std::string_view kNames[] = {"meshgrid", "broadcast_tensors", "block_diag", "cartesian_prod",
                                                "chain_matmul"};
  for (std::string_view name : kNames)
    if (set.name == name) return true;
  return false;
}

bool parse(const OverloadSet& set, const Overload& overload, PyObject* const* args, Py_ssize_t count, PyObject* kwnames,
           Parsed& p, Arena& arena, Mismatch* why) {
  const OpEntry& e = *overload.entry;
  const Schema& s = *e.schema;
  std::uninitialized_copy(overload.defaults.begin(), overload.defaults.end(), p.values);
  const Py_ssize_t keywords = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
  Py_ssize_t used_keywords = 0;
  Py_ssize_t at = 0;
  const int self_offset = set.method ? 1 : 0;
  for (int i = 0; i < s.arg_count; ++i) {
    const ArgSchema& a = s.args[i];
    PyObject* given = nullptr;
    bool consumed_rest = false;
    if (at < count && !a.keyword_only) {
      given = args[at];
      if (takes_varargs(set, s, i) && element_is_int(given)) {
        Value& v = p.values[i];
        v.kind = Value::Kind::IntList;
        arena.fixes.push_back({i, arena.ints.size()});
        v.size = 0;
        for (; at < count; ++at, ++v.size) {
          std::int64_t n;
          if (!element_is_int(args[at]) || !int_from(args[at], n)) {
            if (why)
              why->text = concat(set.name, "(): argument '", argument_name(s, i),
                                 "' failed to unpack the object at pos ", at - self_offset + 1,
                                 " with error \"type must be tuple of ints,but got ", shown_type(args[at]), "\"");
            return false;
          }
          arena.ints.push_back(n);
        }
        consumed_rest = true;
      } else if (i == 0 && a.list && a.type == ArgType::Tensor && is_tensor(given) && takes_separate_tensors(set)) {
        Value& v = p.values[i];
        v.kind = Value::Kind::TensorList;
        arena.fixes.push_back({i, arena.tensors.size()});
        for (v.size = 0; at < count && is_tensor(args[at]); ++at, ++v.size)
          arena.tensors.push_back(tensor_of(args[at]));
        consumed_rest = true;
      } else {
        ++at;
      }
    }
    if (consumed_rest) continue;
    if (keywords && (!given || a.keyword_only)) {
      const std::string_view name = s.str(a.name);
      for (Py_ssize_t k = 0; k < keywords; ++k) {
        PyObject* kw = PyTuple_GET_ITEM(kwnames, k);
        bool match = kw == overload.names[std::size_t(i)] || (name != "self" && same_name(kw, name));
        if (!match && !(set.method && i == 0)) {
          const char* text = PyUnicode_AsUTF8(kw);
          match = text && is_alias(name, text);
        }
        if (match) {
          given = args[count + k];
          ++used_keywords;
          break;
        }
      }
    }
    if (!given) {
      if (!a.has_default && !a.optional) {
        if (why) {
          std::string missing;
          int n = 0;
          for (int k = i; k < s.positional_count; ++k) {
            bool named = false;
            for (Py_ssize_t w = 0; w < keywords; ++w)
              named = named || same_name(PyTuple_GET_ITEM(kwnames, w), argument_name(s, k));
            if (!s.args[k].has_default && !named)
              missing += (n++ ? std::string(", \"") : std::string("\"")) + argument_name(s, k) + "\"";
          }
          why->text = concat(set.name, "() missing ", n, " required positional arguments: ", missing);
        }
        return false;
      }
      continue;  // the default is there already
    }
    if (!convert(e, i, given, p.values[i], arena)) {
      if (why) {
        const std::string got = shown_type(given);
        if (a.keyword_only || at == 0 || given != args[at - 1])
          why->text =
              concat(set.name, "(): argument '", argument_name(s, i), "' must be ", python_type_name(a), ", not ", got);
        else if (a.list && (PyTuple_Check(given) || PyList_Check(given)) && PySequence_Fast_GET_SIZE(given) > 0)
          why->text = concat(set.name, "(): argument '", argument_name(s, i), "' (position ", at - self_offset,
                             ") must be ", python_type_name(a), ", but found element of type ",
                             shown_type(PySequence_Fast_GET_ITEM(given, 0)), " at pos 0");
        else
          why->text = concat(set.name, "(): argument '", argument_name(s, i), "' (position ", at - self_offset,
                             ") must be ", python_type_name(a), ", not ", got);
      }
      return false;
    }
  }
  if (at < count) {
    if (why)
      why->text = concat(set.name, "() takes ", int(s.positional_count) - self_offset, " positional argument",
                         s.positional_count - self_offset == 1 ? "" : "s", " but ", count - self_offset,
                         count - self_offset == 1 ? " was" : " were", " given");
    return false;
  }
  if (used_keywords < keywords) {
    for (Py_ssize_t k = 0; k < keywords; ++k) {
      PyObject* kw = PyTuple_GET_ITEM(kwnames, k);
      if (set.allow_out && same_name(kw, "out")) {
        p.out = args[count + k];
        ++used_keywords;
      } else if (same_name(kw, "requires_grad") && takes_factory_arguments(s)) {
        p.requires_grad = PyObject_IsTrue(args[count + k]) == 1;
        ++used_keywords;
      }
    }
    if (used_keywords < keywords) {
      if (why) {
        for (Py_ssize_t k = 0; k < keywords; ++k) {
          PyObject* kw = PyTuple_GET_ITEM(kwnames, k);
          bool known = same_name(kw, "out") && set.allow_out;
          int index = -1;
          for (int i = 0; i < s.arg_count; ++i)
            if (same_name(kw, argument_name(s, i))) known = true, index = i;
          if (index >= 0 && index < count && !s.args[index].keyword_only)
            why->text = concat(set.name, "() got multiple values for argument '", PyUnicode_AsUTF8(kw), "'");
          else if (!known)
            why->text = concat(set.name, "() got an unexpected keyword argument '", PyUnicode_AsUTF8(kw), "'");
          if (!why->text.empty()) break;
        }
      }
      return false;
    }
  }
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

std::string python_signature(const OverloadSet& set, const OpEntry& e) {
  const Schema& s = *e.schema;
  std::string out = "(";
  bool star = false, first = true;
  for (int i = set.method ? 1 : 0; i < s.arg_count; ++i) {
    const ArgSchema& a = s.args[i];
    if (!first) out += ", ";
    first = false;
    if (a.keyword_only && !star) {
      out += "*, ";
      star = true;
    }
    out += std::string(python_type_name(a)) + " " + argument_name(s, i);
    if (a.has_default) out += " = " + std::string(s.str(a.default_text));
  }
  if (set.allow_out) out += std::string(first ? "" : ", ") + (star ? "" : "*, ") + "Tensor out = None";
  return out + ")";
}

[[noreturn, gnu::cold]] void raise_no_match(const OverloadSet& set, PyObject* const* args, Py_ssize_t count,
                                            PyObject* kwnames) {
  if (set.entries.size() == 1) {
    Parsed p;
    Arena arena;
    Mismatch why;
    parse(set, set.overloads[0], args, count, kwnames, p, arena, &why);
    raise<TypeError>(why.text);
  }
  // If only one overload takes as many arguments, what is wrong is told in its terms.
  const Overload* plausible = nullptr;
  int fitting = 0;
  const Py_ssize_t given = count + (kwnames ? PyTuple_GET_SIZE(kwnames) : 0);
  for (const Overload& o : set.overloads) {
    const Schema& s = *o.entry->schema;
    int least = 0;
    for (int i = 0; i < s.arg_count; ++i) least += !s.args[i].has_default && !s.args[i].optional;
    if (given < least || given > s.arg_count + (set.allow_out ? 1 : 0)) continue;
    ++fitting;
    plausible = &o;
  }
  if (fitting == 1) {
    Parsed p;
    Arena arena;
    Mismatch why;
    if (!parse(set, *plausible, args, count, kwnames, p, arena, &why) && !why.text.empty()) raise<TypeError>(why.text);
  }
  std::string got;
  for (Py_ssize_t i = set.method ? 1 : 0; i < count; ++i) {
    if (!got.empty()) got += ", ";
    if (PyTuple_Check(args[i]) || PyList_Check(args[i])) {
      std::string inner;
      for (Py_ssize_t k = 0; k < PySequence_Fast_GET_SIZE(args[i]); ++k)
        inner += (k ? ", " : "") + shown_type(PySequence_Fast_GET_ITEM(args[i], k));
      got += (PyTuple_Check(args[i]) ? "tuple of (" : "list of [") + inner + (PyTuple_Check(args[i]) ? ")" : "]");
      if (PySequence_Fast_GET_SIZE(args[i]) == 1 && PyTuple_Check(args[i])) got.insert(got.size() - 1, ",");
    } else {
      got += shown_type(args[i]);
    }
  }
  if (kwnames)
    for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(kwnames); ++k) {
      if (!got.empty()) got += ", ";
      got += std::string(PyUnicode_AsUTF8(PyTuple_GET_ITEM(kwnames, k))) + "=" + shown_type(args[count + k]);
    }
  std::string expected;
  for (const OpEntry* e : set.entries) expected += "\n * " + python_signature(set, *e);
  raise<TypeError>(set.name, "() received an invalid combination of arguments - got (", got,
                   "), but expected one of:", expected, "\n");
}

Tensor out_tensor(PyObject* o) {
  if (!is_tensor(o)) raise<TypeError>("argument 'out' must be Tensor, not ", Py_TYPE(o)->tp_name);
  return tensor_of(o);
}

// Stores results in out= tensors and returns what Python gets back.
PyObject* store_results(const OpEntry& e, Result& r, PyObject* out) {
  if (r.kind == Result::Kind::Tensor) {
    if (PyTuple_Check(out) && PyTuple_GET_SIZE(out) == 1) out = PyTuple_GET_ITEM(out, 0);
    engine::store_out(out_tensor(out), r.tensor);
    return Py_NewRef(out);
  }
  const Ref fast = Ref::adopt(check(PySequence_Fast(out, "argument 'out' must be a tuple of Tensors")));
  HWARO_CHECK_AS(TypeError, PySequence_Fast_GET_SIZE(fast.get()) == Py_ssize_t(r.tensors.size()), "expected tuple of ",
                 r.tensors.size(), " elements but got ", PySequence_Fast_GET_SIZE(fast.get()));
  std::vector<Tensor> outs;
  for (std::size_t i = 0; i < r.tensors.size(); ++i) {
    outs.push_back(out_tensor(PySequence_Fast_GET_ITEM(fast.get(), Py_ssize_t(i))));
    engine::store_out(outs.back(), r.tensors[i]);
  }
  r.tensors = std::move(outs);
  return result_object(r, e.schema);
}

bool any_requires_grad(const OpEntry& e, const Value* values) {
  if (!grad_enabled()) return false;
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
      engine::pointwise_out(info, operands, scalars, out_tensor(p.out));
      return Py_NewRef(p.out);
    }
    HWARO_CHECK(!any_requires_grad(e, p.values), set.name,
                "(): functions with out=... arguments don't support automatic differentiation, but one of the "
                "arguments requires grad.");
    if (e.out) {
      e.out(p.values, out_tensor(p.out));
      return Py_NewRef(p.out);
    }
  }
  Result r;
  e.invoke(e.function, p.values, r);
  if (p.out && p.out != Py_None) return store_results(e, r, p.out);
  if (p.requires_grad) require_grad_of_new(r.tensor);
  return result_object(r, e.schema);
}

void prepare(OverloadSet& set) {
  for (const OpEntry* e : set.entries) {
    Overload o{e, {}, {}, std::vector<std::vector<std::int64_t>>(e->schema->arg_count)};
    const bool factory = takes_factory_arguments(*e->schema) && e->schema->args[0].type != ArgType::Tensor;
    for (int i = 0; i < e->schema->arg_count; ++i) {
      if (factory && e->schema->args[i].type == ArgType::Device) o.device_argument = i;
      o.names.push_back(check(PyUnicode_InternFromString(argument_name(*e->schema, i).c_str())));
      o.defaults.push_back(default_of(*e->schema, i, o.default_ints[std::size_t(i)]));
    }
    set.overloads.push_back(std::move(o));
  }
}

PyObject* call_set(const OverloadSet& set, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
  HWARO_PY_TRY
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
  if (set.overloads.empty()) [[unlikely]]
    prepare(const_cast<OverloadSet&>(set));
  for (const Overload& overload : set.overloads) {
    Parsed p;
    Arena arena;
    if (parse(set, overload, args, count, kwnames, p, arena, nullptr)) return run(set, *overload.entry, p);
  }
  raise_no_match(set, args, count, kwnames);
  HWARO_PY_CATCH(nullptr)
}

// ---- the type of operator objects ----

PyObject* op_vectorcall(PyObject* self, PyObject* const* args, size_t nargsf, PyObject* kwnames) {
  const OverloadSet& set = *reinterpret_cast<OpObject*>(self)->set;
  const Py_ssize_t count = PyVectorcall_NARGS(nargsf);
  if (set.method && (count == 0 || !is_tensor(args[0]))) [[unlikely]] {
    return PyErr_Format(PyExc_TypeError,
                        "descriptor '%s' for 'torch._C.TensorBase' objects doesn't apply to a '%s' object",
                        set.name.c_str(), count ? Py_TYPE(args[0])->tp_name : "NoneType");
  }
  return call_set(set, args, count, kwnames);
}
PyObject* op_get(PyObject* self, PyObject* object, PyObject*) {
  if (!object || object == Py_None || !reinterpret_cast<OpObject*>(self)->set->method) return Py_NewRef(self);
  return PyMethod_New(self, object);
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

PyObject* call_function(const char* name, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
  const auto it = g_functions.find(std::string_view(name));
  if (it == g_functions.end()) return PyErr_Format(PyExc_RuntimeError, "no operator '%s'", name);
  return call_set(*it->second, args, count, kwnames);
}

// ---- named results ----

static PyObject* named_repr(PyObject* self) {
  PyTypeObject* type = Py_TYPE(self);
  const Ref names = Ref::adopt(PyObject_GetAttrString(reinterpret_cast<PyObject*>(type), "_fields"));
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

PyTypeObject* return_type(const Schema& schema) {
  static std::map<std::string, PyTypeObject*> types;
  std::string key(schema.name_str());
  for (int i = 0; i < schema.return_count; ++i) key += "," + std::string(schema.str(schema.return_names[i]));
  PyTypeObject*& type = types[key];
  if (type) return type;
  auto keep = [](std::string text) { return (new std::string(std::move(text)))->c_str(); };  // types live for ever
  auto* fields = new PyStructSequence_Field[schema.return_count + 1]();
  for (int i = 0; i < schema.return_count; ++i) fields[i] = {keep(std::string(schema.str(schema.return_names[i]))), ""};
  PyStructSequence_Desc desc = {keep("torch.return_types." + std::string(schema.name_str())), nullptr, fields,
                                schema.return_count};
  type = new PyTypeObject();
  std::memset(static_cast<void*>(type), 0, sizeof *type);
  if (PyStructSequence_InitType2(type, &desc) < 0) throw_python_error();
  type->tp_repr = &named_repr;
  const Ref names = Ref::adopt(PyTuple_New(schema.return_count));
  for (int i = 0; i < schema.return_count; ++i) PyTuple_SET_ITEM(names.get(), i, PyUnicode_FromString(fields[i].name));
  PyDict_SetItemString(type->tp_dict, "_fields", names.get());
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
  if (PyType_Ready(&OpType) < 0) return false;

  for (const engine::OpFamily& family : engine::op_families()) {
    for (std::size_t i = 0; i < family.count; ++i) {
      const OpEntry& e = family.entries[i];
      const std::string name(e.schema->name_str());
      const bool out = e.expose & engine::kOut;
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
  const std::pair<const char*, const char*> prefixes[] = {
      {"linalg_", "hwaro._C.linalg"}, {"special_", "hwaro._C.special"}, {"fft_", "hwaro._C.fft"}};
  Ref modules[3];
  for (int k = 0; k < 3; ++k) modules[k] = Ref::adopt(PyModule_New(prefixes[k].second));
  for (auto& [name, set] : g_functions) {
    bool prefixed = false;
    for (int k = 0; k < 3; ++k) {
      const std::string prefix = prefixes[k].first;
      if (name.rfind(prefix, 0) == 0) {
        set->name = name;
        if (!put(PyModule_GetDict(modules[k].get()), name.substr(prefix.size()), set.get())) return false;
        prefixed = true;
      }
    }
    if (!prefixed && !put(functions.get(), name, set.get())) return false;
  }
  for (auto& [name, set] : g_nn)
    if (!put(PyModule_GetDict(nn.get()), name, set.get())) return false;
  for (auto& [name, set] : g_internal)
    if (!put(PyModule_GetDict(module), name, set.get())) return false;
  for (auto& [name, set] : g_methods)
    if (!PyDict_GetItemString(TensorType.tp_dict, name.c_str()) && !put(TensorType.tp_dict, name, set.get()))
      return false;
  PyType_Modified(&TensorType);
  PyObject* sys_modules = PyImport_GetModuleDict();
  if (PyDict_SetItemString(sys_modules, "hwaro._C.nn_functional", nn.get()) < 0) return false;
  for (int k = 0; k < 3; ++k)
    if (PyDict_SetItemString(sys_modules, prefixes[k].second, modules[k].get()) < 0 ||
        PyModule_AddObject(module, prefixes[k].second + sizeof("hwaro._C.") - 1, Py_NewRef(modules[k].get())) < 0)
      return false;
  return PyModule_AddObject(module, "nn_functional", Py_NewRef(nn.get())) == 0 &&
         PyModule_AddObject(module, "functions", Py_NewRef(functions.get())) == 0;
}

}  // namespace hwaro::python
