// What is said about arguments that fit no overload, and the argument orders of old versions, which still work.
#include <algorithm>
#include <unordered_map>

#include "hwaro/ops/kinds/support.h"
#include "python/src/op_arguments.h"

namespace hwaro::python {

// Methods of self alone: PyTorch leaves their arguments to the interpreter, and so they have its texts.
static bool takes_nothing(const OverloadSet& set) {
  return set.method && set.entries.size() == 1 && set.entries[0]->schema->arg_count == 1;
}

std::string too_many(const OverloadSet& set, const Schema& s, Py_ssize_t given) {
  const int self_offset = set.method ? 1 : 0, most = s.positional_count - self_offset;
  if (takes_nothing(set)) return concat("TensorBase.", set.name, "() takes no arguments (", given, " given)");
  int least = -self_offset;
  for (int i = 0; i < s.arg_count; ++i) least += !s.args[i].has_default;
  if (least != most)
    return concat(set.name, "() takes from ", least, " to ", most, " positional arguments but ", given, " were given");
  return concat(set.name, "() takes ", most, " positional argument", most == 1 ? "" : "s", " but ", given,
                given == 1 ? " was" : " were", " given");
}
std::string missing(const OverloadSet& set, const Schema& s, int from) {
  std::string names;
  int n = 0;
  for (int k = from; k < s.arg_count; ++k) {
    if (s.args[k].has_default) continue;
    names += (n++ ? ", \"" : "\"") + argument_name(s, k) + "\"";
  }
  return concat(set.name, "() missing ", n, " required positional argument", n == 1 ? "s" : "", ": ", names);
}
std::string bad_keyword(const OverloadSet& set, const Overload& overload, Py_ssize_t count, PyObject* kwnames) {
  const Schema& s = *overload.entry->schema;
  const bool out = overload.out;
  if (takes_nothing(set)) return concat("TensorBase.", set.name, "() takes no keyword arguments");
  for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(kwnames); ++k) {
    PyObject* name = PyTuple_GET_ITEM(kwnames, k);
    int index = out && same_name(name, "out") ? s.arg_count : -1;
    if (takes_factory_arguments(s) && same_name(name, "requires_grad")) index = s.arg_count;
    for (int i = set.method ? 1 : 0; i < s.arg_count; ++i)
      if (same_name(name, argument_name(s, i))) index = i;
    if (index < 0) return concat(set.name, "() got an unexpected keyword argument '", PyUnicode_AsUTF8(name), "'");
    if (index < count) return concat(set.name, "() got multiple values for argument '", PyUnicode_AsUTF8(name), "'");
  }
  return "invalid keyword arguments";
}

PyObject* only_argument(const char* method, const char* name, PyObject* const* args, Py_ssize_t count,
                        PyObject* kwnames) {
  if (count > 1) raise<TypeError>(method, "() takes from 0 to 1 positional arguments but ", count, " were given");
  const Py_ssize_t keywords = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
  for (Py_ssize_t k = 0; k < keywords; ++k) {
    PyObject* given = PyTuple_GET_ITEM(kwnames, k);
    if (!same_name(given, name))
      raise<TypeError>(method, "() got an unexpected keyword argument '", PyUnicode_AsUTF8(given), "'");
    if (count > 0) raise<TypeError>(method, "() got multiple values for argument '", name, "'");
  }
  return count + keywords ? args[0] : nullptr;
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
  if (overload_takes_out(set, e))
    out += std::string(first ? "" : ", ") + (star ? "" : "*, ") +
           (is_tuple_out(s) ? "tuple of Tensors out = None" : "Tensor out = None");
  return out + ")";
}

// The types of the arguments of a call, as errors show them: "(Tensor, tuple, dim=int)".
std::string shown_types(PyObject* const* args, Py_ssize_t first, Py_ssize_t count, PyObject* kwnames) {
  std::string out = "(";
  for (Py_ssize_t i = first; i < count; ++i) {
    if (i > first) out += ", ";
    out += shown_type(args[i]);
  }
  // PyTorch keeps keywords in such a map, and its order shows.
  std::unordered_map<std::string, std::string> keywords;
  for (Py_ssize_t k = 0; kwnames && k < PyTuple_GET_SIZE(kwnames); ++k)
    keywords.emplace(PyUnicode_AsUTF8(PyTuple_GET_ITEM(kwnames, k)), shown_type(args[count + k]));
  for (const auto& [name, type] : keywords) {
    if (count > first) out += ", ";
    out += name + "=" + type;
    if (count == first) out += ", ";
  }
  return out + ")";
}

// Functions that have more signatures in PyTorch: with names of dimensions, with a type for the result, with a generator.
// How many arguments those take.
struct MoreSignatures {
  std::string_view names;  // between single spaces
  int least, most;
};
static constexpr MoreSignatures kMoreSignatures[] = {{" rand randn randperm rand_like randn_like ", 2, 9},
                                                     {" floor_divide ", 2, 2},
                                                     {" mm bmm ", 3, 4},
                                                     {" addmm baddbmm ", 4, 7}};

static const MoreSignatures* more_signatures(const OverloadSet& set) {
  if (set.method) return nullptr;
  for (const MoreSignatures& m : kMoreSignatures)
    if (m.names.find(concat(' ', set.name, ' ')) != std::string_view::npos) return &m;
  return nullptr;
}

[[gnu::cold]] void raise_no_match(const OverloadSet& set, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
  raise_in_python(set, args, count, kwnames);
  const MoreSignatures* more = more_signatures(set);
  const bool numbers = has_number_overloads(set), several = numbers || more;
  const Overload* told = set.overloads.size() == 1 && !has_old_order(set) && !several ? &set.overloads[0] : nullptr;
  if (!told && !numbers) {
    // If only one overload takes as many arguments, what is wrong is told in its terms.
    const Py_ssize_t given = count + (kwnames ? PyTuple_GET_SIZE(kwnames) : 0);
    int fitting = more && given >= more->least && given <= more->most ? 1 : 0;
    for (const Overload& o : set.overloads) {
      const Schema& s = *o.entry->schema;
      int least = 0;
      for (int i = 0; i < s.arg_count; ++i) least += !s.args[i].has_default;
      if (given < least || given > s.arg_count + (o.out ? 1 : 0) + (takes_factory_arguments(s) ? 1 : 0)) continue;
      ++fitting;
      told = &o;
    }
    if (fitting != 1) told = nullptr;
  }
  if (told) {
    Parsed p;
    Arena arena;
    std::string why;
    if (!parse(set, *told, args, count, kwnames, p, arena, &why) && !why.empty()) raise<TypeError>(why);
  }
  const std::string got = shown_types(args, set.method ? 1 : 0, count, kwnames);
  if (set.overloads.size() == 1 && !several)
    raise<TypeError>(set.name, "() received an invalid combination of arguments - got ", got, ", but expected ",
                     python_signature(set, *set.entries[0]));
  std::string expected;
  for (const OpEntry* e : set.entries) expected += "\n * " + python_signature(set, *e);
  raise<TypeError>(set.name, "() received an invalid combination of arguments - got ", got,
                   ", but expected one of:", expected, "\n");
}

// ---- numbers before tensors ----

namespace {

// add(x, 2, y) is add(x, y, alpha=2). Tensors keep their order; the numbers are these keywords, in order.
struct OldOrder {
  std::string_view name;
  int tensors;
  const char* numbers[2];
  // What may stand where, self included: T a tensor, N a number, E either.
  std::string_view function[2], method[2];
};
constexpr OldOrder kOldOrders[] = {
    {"add", 2, {"alpha", nullptr}, {"TNE"}, {"TNE"}},
    {"sub", 2, {"alpha", nullptr}, {"TNE"}, {"TNE"}},
    {"addcmul", 3, {"value", nullptr}, {"TNTT"}, {"TNTT"}},
    {"addcdiv", 3, {"value", nullptr}, {"TNTT"}, {"TNTT"}},
    {"addmm", 3, {"beta", "alpha"}, {"NTNTT", "NTTT"}, {"TNNTT", "TNTT"}},
    {"addmv", 3, {"beta", "alpha"}, {"NTNTT", "NTTT"}, {"TNNTT", "TNTT"}},
    {"addr", 3, {"beta", "alpha"}, {"NTNTT", "NTTT"}, {"TNNTT", "TNTT"}},
    {"addbmm", 3, {"beta", "alpha"}, {"NTNTT", "NTTT"}, {"TNNTT", "TNTT"}},
    {"baddbmm", 3, {"beta", "alpha"}, {"NTNTT", "NTTT"}, {"TNNTT", "TNTT"}},
};
const OldOrder* old_order(const OverloadSet& set) {
  std::string_view name = set.name;
  if (!name.empty() && name.back() == '_') name.remove_suffix(1);
  for (const OldOrder& o : kOldOrders)
    if (o.name == name) return &o;
  return nullptr;
}

void warn_of_old_order(const OverloadSet& set, const OldOrder& order, std::size_t numbers) {
  static bool warned = false;  // once per process, for whichever comes first
  if (std::exchange(warned, true)) return;
  const Schema& s = *set.entries[0]->schema;
  const bool beta_first = order.tensors == 3 && order.numbers[1];
  std::string old;
  auto put = [&](const std::string& part) { old += (old.empty() ? "" : ", ") + part; };
  if (beta_first) put("Number beta");
  for (int i = 0, tensor = 0; i < s.positional_count; ++i, ++tensor) {
    if (i == 1 && (!beta_first || numbers > 1)) put(std::string("Number ") + order.numbers[beta_first ? 1 : 0]);
    if (i > 0 || !set.method) put("Tensor " + argument_name(s, i));
  }
  if (set.allow_out) put("*, Tensor out = None");
  engine::warn(concat("This overload of ", set.name, " is deprecated:\n\t", set.name, "(", old,
                      ")\nConsider using one of the following signatures instead:\n\t", set.name,
                      python_signature(set, *set.entries[0])));
  if (PyErr_Occurred()) throw_python_error();
}

}  // namespace

bool has_number_overloads(const OverloadSet& set) {
  static constexpr std::string_view kNumbersAreTensors[] = {
      "add", "sub", "mul", "div", "multiply", "subtract", "divide", "true_divide", "floor_divide"};
  const PointwiseInfo* info = set.entries[0]->pointwise;
  if (set.entries.size() != 1 || !info || info->operands != 2 || !(info->numbers_for & 2u)) return false;
  std::string_view plain = set.name;
  if (plain.back() == '_') plain.remove_suffix(1);
  for (std::string_view name : kNumbersAreTensors)
    if (plain == name) return false;
  return true;
}

bool has_old_order(const OverloadSet& set) { return set.name == "copy_" || old_order(set); }

bool reordered(const OverloadSet& set, PyObject* const* args, Py_ssize_t count, PyObject* kwnames,
               std::vector<PyObject*>& out, Ref& names) {
  const OldOrder* order = old_order(set);
  if (!order) return false;
  std::vector<PyObject*> numbers;
  const auto fits = [&](std::string_view pattern) {
    out.clear(), numbers.clear();
    if (pattern.empty() || Py_ssize_t(pattern.size()) != count) return false;
    for (Py_ssize_t i = 0; i < count; ++i) {
      Scalar s;
      const bool tensor = is_tensor(args[i]);
      if (!tensor && !scalar_from(args[i], s)) return false;
      const char kind = pattern[std::size_t(i)];
      if (kind != 'E' && tensor != (kind == 'T')) return false;
      (kind == 'N' ? numbers : out).push_back(args[i]);
    }
    return true;
  };
  const auto& patterns = set.method ? order->method : order->function;
  if (!fits(patterns[0]) && !fits(patterns[1])) return false;
  warn_of_old_order(set, *order, numbers.size());
  const Py_ssize_t given = kwnames ? PyTuple_GET_SIZE(kwnames) : 0;
  names = Ref::adopt(check(PyTuple_New(Py_ssize_t(numbers.size()) + given)));
  for (std::size_t k = 0; k < numbers.size(); ++k) {
    out.push_back(numbers[k]);
    PyTuple_SET_ITEM(names.get(), Py_ssize_t(k), check(PyUnicode_InternFromString(order->numbers[k])));
  }
  for (Py_ssize_t k = 0; k < given; ++k) {
    out.push_back(args[count + k]);
    PyTuple_SET_ITEM(names.get(), Py_ssize_t(numbers.size()) + k, Py_NewRef(PyTuple_GET_ITEM(kwnames, k)));
  }
  return true;
}

}  // namespace hwaro::python
