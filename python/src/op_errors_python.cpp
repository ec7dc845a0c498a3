// Functions that are compiled here and written in Python in PyTorch: wrong arguments are refused in the interpreter's words,
// or in those of the operator that the Python code calls.
#include <algorithm>

#include "python/src/op_arguments.h"

namespace hwaro::python {

bool is_python_function(const OverloadSet& set) {
  static constexpr std::string_view kNames =
      " adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d adaptive_max_pool3d "
      "alpha_dropout batch_norm binary_cross_entropy binary_cross_entropy_with_logits celu cross_entropy dropout elu "
      "embedding fold fractional_max_pool2d fractional_max_pool3d glu group_norm hardsigmoid hardswish hardtanh "
      "huber_loss interpolate kl_div l1_loss layer_norm leaky_relu log_softmax margin_ranking_loss max_pool1d "
      "max_pool2d max_pool3d max_unpool2d max_unpool3d mish mse_loss multi_margin_loss multilabel_margin_loss nll_loss "
      "normalize "
      "pad relu relu6 rms_norm rrelu selu sigmoid silu smooth_l1_loss soft_margin_loss softmax softsign tanh "
      "tanhshrink threshold unfold ";
  const unsigned expose = set.entries[0]->expose;
  return !set.method && expose & engine::kNnFunctional && !(expose & engine::kFunction) &&
         kNames.find(concat(' ', set.name, ' ')) != std::string_view::npos;
}

namespace {

// A Python function as the interpreter sees it.
struct Signature {
  std::string name;
  std::vector<std::string> names;  // of its arguments
  std::size_t positional, required;
};

// Gives every argument its place, null where none is given; raises in the interpreter's words where that fails.
std::vector<PyObject*> bind(const Signature& f, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
  std::vector<PyObject*> bound(f.names.size(), nullptr);
  for (std::size_t i = 0; i < std::min(std::size_t(count), f.positional); ++i) bound[i] = args[i];
  for (Py_ssize_t k = 0; kwnames && k < PyTuple_GET_SIZE(kwnames); ++k) {
    PyObject* name = PyTuple_GET_ITEM(kwnames, k);
    const auto at = std::find_if(f.names.begin(), f.names.end(), [&](auto& n) { return same_name(name, n); });
    if (at == f.names.end())
      raise<TypeError>(f.name, "() got an unexpected keyword argument '", PyUnicode_AsUTF8(name), "'");
    PyObject*& place = bound[std::size_t(at - f.names.begin())];
    if (place) raise<TypeError>(f.name, "() got multiple values for argument '", PyUnicode_AsUTF8(name), "'");
    place = args[count + k];
  }
  if (std::size_t(count) > f.positional) {
    const std::string few = f.required < f.positional ? concat("from ", f.required, " to ") : "";
    raise<TypeError>(f.name, "() takes ", few, f.positional, " positional argument",
                     f.positional == 1 && few.empty() ? "" : "s", " but ", count,
                     count == 1 ? " was given" : " were given");
  }
  std::vector<std::string> missing;
  for (std::size_t i = 0; i < f.required; ++i)
    if (!bound[i]) missing.push_back("'" + f.names[i] + "'");
  const std::size_t n = missing.size();
  if (n == 0) return bound;
  std::string list;
  for (std::size_t i = 0; i < n; ++i)
    list += (i == 0 ? "" : n == 2 ? " and " : i + 1 == n ? ", and " : ", ") + missing[i];
  raise<TypeError>(f.name, "() missing ", n, " required positional argument", n == 1 ? ": " : "s: ", list);
}

Signature signature_of(const OverloadSet& set) {
  const Schema& s = *set.entries[0]->schema;
  Signature f{set.name, {}, std::size_t(s.positional_count), 0};
  for (int i = 0; i < s.arg_count; ++i) {
    f.names.push_back(argument_name(s, i));
    f.required += !s.args[i].has_default;
  }
  return f;
}

// Which operator the Python code of a function calls, with what in which order: "theirs" or "ours:theirs". Of others the
// operator has the function's own name and order.
struct Inner {
  std::string_view function, op, arguments;
  bool expands = false;  // a number stands for a list of them before the operator sees it
};
constexpr Inner kInner[] = {
    {"embedding", "embedding", "weight input:indices padding_idx"},
    {"cross_entropy", "cross_entropy_loss", "input target weight reduction ignore_index label_smoothing"},
    {"nll_loss", "nll_loss_nd", "input target weight reduction ignore_index"},
    {"batch_norm", "batch_norm", "input weight bias running_mean running_var training momentum eps"},
    {"unfold", "im2col", "input kernel_size dilation padding stride", true},
    {"fold", "col2im", "input output_size kernel_size dilation padding stride", true},
    {"pad", "pad", "input pad mode value"},
    {"normalize", "linalg_vector_norm", "input p:ord dim"},
    {"huber_loss", "huber_loss", "input target reduction delta"},
    {"softmax", "softmax", "dim dtype"},  // methods: self is not counted
    {"log_softmax", "log_softmax", "dim dtype"},
};

// "relu(): argument 'input' must be Tensor, not str" as the operator inside says it: by position.
std::string told_inside(const OverloadSet& set, const std::string& why) {
  const std::string head = set.name + "(): argument '";
  const std::size_t end = why.find('\'', head.size());
  if (why.compare(0, head.size(), head) != 0 || end == std::string::npos) return why;
  const std::string ours = why.substr(head.size(), end - head.size());
  std::string rest = why.substr(why.find("must be", end)), theirs;
  Inner inner{set.name, set.name, ""};
  for (const Inner& i : kInner)
    if (i.function == set.name) inner = i;
  std::string own;
  if (inner.arguments.empty()) {
    for (const std::string& name : signature_of(set).names) own += (own.empty() ? "" : " ") + name;
    inner.arguments = own;
  }
  int position = 0;
  for (std::size_t at = 0, next; at < inner.arguments.size() && theirs.empty(); at = next + 1) {
    next = std::min(inner.arguments.find(' ', at), inner.arguments.size());
    const std::string_view word = inner.arguments.substr(at, next - at);
    const std::size_t colon = std::min(word.find(':'), word.size());
    ++position;
    if (word.substr(0, colon) == ours) theirs = word.substr(colon == word.size() ? 0 : colon + 1);
  }
  if (theirs.empty()) return why;
  const std::size_t is = rest.rfind(", not ");
  if (inner.expands && rest.find("tuple of ints") != std::string::npos && is != std::string::npos)
    rest = rest.substr(0, is) + ", but found element of type " + rest.substr(is + 6) + " at pos 0";
  return concat(inner.op, "(): argument '", theirs, "' (position ", position, ") ", rest);
}

// A call of an operator that its own parser refuses.
void raise_refused(const OverloadSet& set, const std::vector<PyObject*>& args) {
  const auto count = Py_ssize_t(args.size());
  Parsed p;
  Arena arena;
  std::string why;
  if (set.overloads.size() > 1)
    raise<TypeError>(set.name, "() received an invalid combination of arguments - got ",
                     shown_types(args.data(), 0, count, nullptr), ", but expected one of:\n * ",
                     python_signature(set, *set.entries[0]), "\n");
  if (!parse(set, set.overloads[0], args.data(), count, nullptr, p, arena, &why)) raise<TypeError>(why);
}

// split(x, 2.5): what is no int is a list of sizes.
void raise_split(const std::vector<PyObject*>& given) {
  const bool one = PyLong_Check(given[1]);
  std::vector<PyObject*> args(given.begin(), given.begin() + (one || given[2] ? 3 : 2));
  const Ref zero = Ref::adopt(check(PyLong_FromLong(0)));
  if (one && !given[2]) args[2] = zero.get();
  raise_refused(*function_set(one ? "split" : "split_with_sizes"), args);
}

// norm(x, 2, 'q') is linalg.vector_norm(x, 2, 'q', False).
void raise_norm(const std::vector<PyObject*>& given) {
  if (!given[1] || PyUnicode_Check(given[1])) return;
  raise_refused(*function_set("linalg_vector_norm"),
                {given[0], given[1], given[2] ? given[2] : Py_None, given[3] ? given[3] : Py_False});
}

}  // namespace

void raise_in_python(const OverloadSet& set, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
  if (is_python_function(set)) {
    bind(signature_of(set), args, count, kwnames);
    Parsed p;
    Arena arena;
    std::string why;
    if (set.overloads.size() == 1 && !parse(set, set.overloads[0], args, count, kwnames, p, arena, &why) &&
        why.find("(): argument '") != std::string::npos && why.find("must be") != std::string::npos)
      raise<TypeError>(told_inside(set, why));
  } else if (set.name == "split") {
    const Signature f = set.method ? Signature{"Tensor.split", {"self", "split_size", "dim"}, 3, 2}
                                   : Signature{"split", {"tensor", "split_size_or_sections", "dim"}, 3, 2};
    const std::vector<PyObject*> given = bind(f, args, count, kwnames);
    if (is_tensor(given[0])) raise_split(given);
  } else if (set.name == "norm") {
    const Signature f = set.method ? Signature{"Tensor.norm", {"self", "p", "dim", "keepdim", "dtype"}, 5, 1}
                                   : Signature{"norm", {"input", "p", "dim", "keepdim", "out", "dtype"}, 6, 1};
    const std::vector<PyObject*> given = bind(f, args, count, kwnames);
    if (is_tensor(given[0])) raise_norm(given);
  }
}

}  // namespace hwaro::python
