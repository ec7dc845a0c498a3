// The arguments of operators called from Python: overloads, and the parser that the schemas drive.
//
// What it accepts and what it says about the rest is PyTorch's argument parser, case by case.
#pragma once

#include <string>
#include <vector>

#include "hwaro/ops/kinds/support.h"
#include "python/src/binding.h"

namespace hwaro::python {

using engine::OpEntry;
using engine::PointwiseInfo;
using engine::Result;
using engine::Value;

// One overload, with what parsing needs prepared: interned argument names and the values of defaults.
struct Overload {
  const OpEntry* entry;
  std::vector<PyObject*> names;  // interned, owned for ever
  std::vector<Value> defaults;
  std::vector<std::vector<std::int64_t>> default_ints;  // what list defaults point at
  int device_argument = -1;                             // of a factory function: where set_default_device() applies
  bool out = false;                                     // this overload takes out=
};

struct OverloadSet {
  std::string name;                     // as Python calls it
  std::vector<const OpEntry*> entries;  // in order of preference
  std::vector<Overload> overloads;      // the same, prepared at the first call
  bool method = false;                  // first argument is self
  bool inplace = false;                 // name_ of a pointwise operator
  bool allow_out = false;
};

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

// The arguments of one call. Raw storage: only as many values are made as the operator has arguments.
struct Parsed {
  alignas(Value) char storage[kMaxArgs * sizeof(Value)];
  Value* values = reinterpret_cast<Value*>(storage);
  PyObject* out = nullptr;  // out=
  bool requires_grad = false;
};

// Makes what parsing needs, at the first call of a set.
void prepare(OverloadSet& set);
// Whether the arguments fit an overload; if not, and if `why` is given, it gets the reason.
bool parse(const OverloadSet& set, const Overload& overload, PyObject* const* args, Py_ssize_t count, PyObject* kwnames,
           Parsed& p, Arena& arena, std::string* why);
// The error for arguments that fit no overload.
[[noreturn]] void raise_no_match(const OverloadSet& set, PyObject* const* args, Py_ssize_t count, PyObject* kwnames);
// Whether an overload of the set takes out=.
bool overload_takes_out(const OverloadSet& set, const OpEntry& e);
// "(Tensor input, Number other, *, Tensor out = None)"
std::string python_signature(const OverloadSet& set, const OpEntry& e);
// Texts for one overload: too many positional arguments, required ones missing from the given one on, odd keywords.
std::string too_many(const OverloadSet& set, const Schema& s, Py_ssize_t given);
std::string missing(const OverloadSet& set, const Schema& s, int from);
std::string bad_keyword(const OverloadSet& set, const Overload& overload, Py_ssize_t count, PyObject* kwnames);
// Whether PyTorch has overloads for numbers on either side where one schema stands here: lt(x, 2), pow(2, x). Two numbers
// fit none of them; add and its like take numbers as tensors.
bool has_number_overloads(const OverloadSet& set);
// Raises, for a function that PyTorch has in Python, what the interpreter or the operator called there says.
void raise_in_python(const OverloadSet& set, PyObject* const* args, Py_ssize_t count, PyObject* kwnames);
// Whether PyTorch has the function in Python, where the interpreter looks at the arguments first.
bool is_python_function(const OverloadSet& set);
// The operator of a name, prepared for parsing; null where there is none.
const OverloadSet* function_set(std::string_view name);
// Whether an operator has an older order of arguments that is hidden from its signatures.
bool has_old_order(const OverloadSet& set);
// Rewrites a call in the old order, numbers before tensors; `out` are then the arguments, `names` those of the keywords
// at their end.
bool reordered(const OverloadSet& set, PyObject* const* args, Py_ssize_t count, PyObject* kwnames,
               std::vector<PyObject*>& out, Ref& names);
// The one argument of a small method that is no operator, or null; raises where there is another.
PyObject* only_argument(const char* method, const char* name, PyObject* const* args, Py_ssize_t count,
                        PyObject* kwnames);
std::string shown_types(PyObject* const* args, Py_ssize_t first, Py_ssize_t count, PyObject* kwnames);
std::string shown_type(PyObject* o);
const char* python_type_name(const ArgSchema& a);
bool same_name(PyObject* name, std::string_view text);
bool takes_factory_arguments(const Schema& s);
// Operators with several named results have out=(one, two): PyTorch's all do.
inline bool takes_tuple_out(const Schema& s) { return s.return_count > 1 && s.return_names[0].length; }
// Whether out=, where it is taken, is a tuple.
inline bool is_tuple_out(const Schema& s) { return s.return_count > 1 || s.returns_list; }
// The named tuple type of an operator's results; suffix "_out": where they went into out=.
PyTypeObject* named_type(const Schema& schema, const char* suffix);
// The argument's name as Python has it: self of a function is called input.
std::string argument_name(const Schema& s, int i);

}  // namespace hwaro::python
