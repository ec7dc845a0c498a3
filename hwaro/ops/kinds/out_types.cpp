#include "hwaro/ops/kinds/out_types.h"

#include <string>
#include <string_view>

#include "hwaro/core/type_names.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

namespace {

enum class Accepts : std::uint8_t { Same, Castable, Anything };

// Operators whose result has an order of dimensions of its own, which an empty out= takes over.
constexpr std::string_view kOwnStrides =
    " linalg_cholesky linalg_cholesky_ex linalg_inv linalg_inv_ex inverse linalg_lu linalg_lu_factor "
    "linalg_lu_factor_ex "
    "linalg_lu_solve lu_solve lu_unpack linalg_solve linalg_solve_ex linalg_qr qr linalg_svd svd linalg_eigh "
    "linalg_ldl_factor linalg_ldl_factor_ex linalg_ldl_solve triangular_solve geqrf linalg_lstsq linalg_eig "
    "linalg_householder_product orgqr ormqr ";

struct Rule {
  Accepts accepts;
  // In the text, %r and %o are the types of the result and of out as C++ spells them, %R and %O as ScalarType does, %n is
  // the result's name.
  const char* text;
  const char* operators;  // between single spaces; with the overload where only that one is meant
  bool type_error = false;
};

constexpr Rule kRules[] = {
    {Accepts::Same, "Expected out tensor to have dtype %r, but got %o instead",
     " addmm addmv baddbmm bmm mm matmul cross linear tril triu diag gather scatter scatter_add scatter_reduce "
     "index_copy index_add index_reduce slice_scatter take_along_dim avg_pool2d avg_pool3d norm "
     "linalg_vector_norm linalg_cross linalg_det linalg_slogdet linalg_cholesky linalg_cholesky_ex linalg_eigh "
     "linalg_eigvalsh linalg_ldl_factor linalg_ldl_factor_ex linalg_ldl_solve linalg_qr qr linalg_lu "
     "linalg_lu_factor linalg_lu_factor_ex linalg_lu_solve lu_solve lu_unpack linalg_inv linalg_inv_ex inverse "
     "linalg_solve linalg_solve_ex triangular_solve linalg_svd linalg_svdvals svd expand_copy diagonal_copy "
     "alias_copy as_strided_copy view_copy permute_copy split_copy split_with_sizes_copy slice_copy unbind_copy "
     "unfold_copy "
     "squeeze_copy unsqueeze_copy transpose_copy t_copy "},
    {Accepts::Same, "result dtype %O does not match input dtype %R", " dot vdot "},
    {Accepts::Same, "self and mat2 must have the same dtype, but got %O and %R", " addbmm "},
    {Accepts::Same, "addmv input tensors must have the same dtype, but got %O, %R, and %R", " mv "},
    {Accepts::Same, "tensordot: Expected the output tensor to have dtype %R, but got an output tensor with dtype %O",
     " tensordot "},
    {Accepts::Same, "multi_dot(): expected out tensor to have dtype %r but got %o", " linalg_multi_dot chain_matmul "},
    {Accepts::Same, "linalg.vecdot: Expected out of dtype%R but found %O", " linalg_vecdot "},
    {Accepts::Same, "linalg.norm expected out tensor dtype %R but got: %O", " linalg_norm "},
    {Accepts::Same, "linalg.matrix_norm expected out tensor dtype %R but got: %O", " linalg_matrix_norm "},
    {Accepts::Same, "expected scalar type %R but found %O",
     " linalg_solve_triangular log_sigmoid logsigmoid native_batch_norm "},
    {Accepts::Same,
     "torch.ormqr: Expected input and result to have the same dtype, but input has dtype%R and result has "
     "dtype %O",
     " ormqr "},
    {Accepts::Same,
     "torch.histogram: input tensor and hist tensor should have the same dtype, but got input %r and hist "
     "%o",
     " histc histogram "},
    {Accepts::Same, "masked_select(): self and result must have the same scalar type", " masked_select "},
    {Accepts::Same, "index_select(): self and result must have the same scalar type", " index_select "},
    {Accepts::Same, "take(): self and out expected to have the same dtype, but got self.dtype = %R and out.dtype = %O",
     " take "},
    {Accepts::Castable, "%N: Expected %n to be safely castable from %R dtype, but got %n with dtype %O",
     " cholesky cholesky_inverse cholesky_solve geqrf linalg_cond linalg_eig linalg_householder_product "
     "orgqr linalg_lstsq linalg_matrix_power matrix_power linalg_pinv linalg_tensorinv linalg_tensorsolve "},
    {Accepts::Castable,
     "torch.linalg.eigvals: Expected eigenvalues to be safely castable from %R dtype, but got eigenvalues with dtype "
     "%O",
     " linalg_eigvals "},
    {Accepts::Castable, "torch.cat(): input types can't be cast to the desired output type %O",
     " cat stack hstack vstack dstack column_stack ", true},
    {Accepts::Anything, "", " lu "},
};

// What the texts of linear algebra call an operator: not the same everywhere.
std::string_view spoken(std::string_view op) {
  constexpr std::string_view names[][2] = {{"geqrf", "torch.geqrf"},
                                           {"linalg_cond", "linalg.cond"},
                                           {"linalg_eig", "torch.linalg.eig"},
                                           {"linalg_eigvals", "torch.linalg.eigvals"},
                                           {"linalg_householder_product", "torch.linalg.householder_product"},
                                           {"orgqr", "torch.linalg.householder_product"},
                                           {"linalg_lstsq", "torch.linalg.lstsq"},
                                           {"linalg_matrix_power", "matrix_power"},
                                           {"linalg_pinv", "linalg.pinv"},
                                           {"linalg_tensorinv", "tensorinv"},
                                           {"linalg_tensorsolve", "tensorsolve"}};
  for (const auto& name : names)
    if (name[0] == op) return name[1];
  return op;
}

const Rule* rule_of(const Schema& op) {
  const std::string name(op.name_str()), overload(op.str(op.overload));
  for (const std::string& word : {" " + name + "." + overload + " ", " " + name + " "})
    for (const Rule& rule : kRules)
      if (std::string_view(rule.operators).find(word) != std::string_view::npos) return &rule;
  return nullptr;
}

// Operators that read elements after others are written, and which of their arguments out= must not meet (bit by bit).
struct Apart {
  unsigned arguments, partly;  // `partly`: may be out= itself, but not share some of its elements
  const char* operators;       // between single spaces
};
constexpr Apart kApart[] = {
    {1, 4, " gather take_along_dim "},
    {1, 0, " kthvalue nonzero cat concat concatenate stack hstack vstack row_stack dstack column_stack "},
    {1 | 2, 0, " take masked_select cross linalg_cross "},
    {1 | 4, 0, " index_select "},
    {4 | 8, 1, " scatter scatter_add scatter_reduce index_copy index_add "},
};

}  // namespace

void check_out_apart(const Schema& op, const Value* args, const Tensor& out, const Tensor& result) {
  if (out.dtype() != result.dtype()) return;
  const std::string name = concat(' ', op.name_str(), ' ');
  for (const Apart& rule : kApart) {
    if (std::string_view(rule.operators).find(name) == std::string_view::npos) continue;
    check_internal_overlap(out);
    resize_out(out, result.sizes());
    for (int i = 0; i < op.arg_count; ++i) {
      const Value& v = args[i];
      if (v.kind == Value::Kind::Tensor && rule.partly >> i & 1) {
        const Operand operand(v.tensor);
        check_no_overlap(out, &operand, 1);
      }
      if (!(rule.arguments >> i & 1)) continue;
      if (v.kind == Value::Kind::Tensor) check_apart(out, Tensor(IntrusivePtr<TensorImpl>::share(v.tensor)));
      if (v.kind == Value::Kind::TensorList)
        for (std::size_t k = 0; k < v.size; ++k) check_apart(out, static_cast<const Tensor*>(v.data)[k]);
    }
  }
}

std::string out_type_text(const char* words, DType result, DType out, FunctionRef<std::string(char)> more) {
  std::string text;
  for (const char* c = words; *c != '\0'; ++c) {
    if (*c != '%') {
      text += *c;
      continue;
    }
    switch (*++c) {
      case 'r': text += c_type_name(result); break;
      case 'o': text += c_type_name(out); break;
      case 'R': text += scalar_type_name(result); break;
      case 'O': text += scalar_type_name(out); break;
      default: text += more(*c);
    }
  }
  return text;
}

void store_result(const Schema& op, int index, const Tensor& into, const Tensor& computed, const OutRule& own) {
  if (own.given()) return store_out(into, computed, own, std::size_t(index));
  const DType out = into.dtype(), result = computed.dtype();
  const bool fresh = into.numel() == 0 && computed.numel() > 0;
  if (fresh && kOwnStrides.find(concat(' ', op.name_str(), ' ')) != std::string_view::npos) {
    resize_out(into, computed.sizes());
    into->strides = Dims(computed.strides());
    into->refresh_geometry();
  }
  const Rule* rule = out == result ? nullptr : rule_of(op);
  if (rule == nullptr || (rule->accepts == Accepts::Castable && can_cast(result, out)))
    return store_out(into, computed);
  if (rule->accepts == Accepts::Anything) return store_out(into, dense_as(computed, out));
  const std::string text = out_type_text(rule->text, result, out, [&](char letter) -> std::string {
    if (letter == 'N') return std::string(spoken(op.name_str()));
    return std::string(op.return_names[index].length > 0 ? op.str(op.return_names[index]) : "result");
  });
  if (rule->type_error) raise<TypeError>(text);
  raise<RuntimeError>(text);
}

}  // namespace hwaro::engine
