// Inverses and solutions of linear systems, by LU factors with row exchanges (LAPACK getrf and getrs).
//
// Gradients: M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation"
// (2008), 2.2.3 and 2.3.1, with adjoints in place of transposes for complex matrices.
#include "hwaro/ops/linalg/lapack.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

struct Solved {
  Tensor result, info;
};

Solved inverse_of(const Tensor& a) {
  Solved s;
  {
    NoGradGuard guard;
    s.result = make_columns(a.sizes(), a.dtype(), a.device());
    if (!a.device().is_meta()) copy_raw(s.result, identity(a.size(-1), a.dtype(), a.device()));
    const Factors f = factor_lu(a);
    solve_factored(f, 'N', s.result);
    s.info = f.info;
  }
  if (recording(a))
    record("LinalgInvExBackward0", {a}, s.result, {save_output(s.result)}, [](Backward& b) {
      const Tensor h = adjoint(b.saved(0));
      b.set(0, neg(matmul(h, matmul(b.g(), h))));
    });
  return s;
}

void check_inverse(const Tensor& a) {
  check_square(a, "linalg.inv");
  check_floating(a, "linalg.inv");
}

// Whether B is a batch of vectors: one vector for one matrix, or the batch of A with one dimension less.
bool is_vectors(const Tensor& a, const Tensor& b) {
  if (b.dim() == 1) return true;
  return b.dim() == a.dim() - 1 && b.sizes() == IntSpan(batch_sizes(a, 1));
}

void check_solvable(const Tensor& a, const Tensor& b, bool left, bool vectors, const char* function) {
  const Tensor& m = b;
  const int64_t rows = vectors ? b.size(-1) : left ? m.size(-2) : m.size(-1);
  const int64_t br = vectors ? b.size(-1) : b.size(-2), bc = vectors ? 1 : b.size(-1);
  HWARO_CHECK(a.size(-1) == rows, function, ": Incompatible shapes of A and B for the equation ",
              left ? "AX = B" : "XA = B", " (", a.size(-2), "x", a.size(-1), " and ", br, "x", bc, ")");
}

Solved solve_of(const Tensor& a, const Tensor& b, bool left) {
  constexpr const char* function = "linalg.solve";
  check_floating(a, function);
  HWARO_CHECK(a.dtype() == b.dtype(), function, ": Expected A and B to have the same dtype, but found A of type ",
              scalar_type_name(a.dtype()), " and B of type ", scalar_type_name(b.dtype()), " instead");
  check_square(a, function);
  const bool vectors = b.dim() > 0 && is_vectors(a, b);
  if (!vectors) check_matrix(b, function, "B");
  HWARO_CHECK(left || !vectors,
              "linalg.solve: Vector broadcasting of the left hand side is not supported for left=False. In this case "
              "linalg.solve is equivalent to B / A.squeeze(-1)");
  check_solvable(a, b, left, vectors, function);
  Solved s;
  {
    NoGradGuard guard;
    const Tensor matrix = vectors ? unsqueeze(b, -1) : b;
    const Dims batch = common_batch(a, matrix);
    const Dims wide_b = with_sizes(batch, {matrix.size(-2), matrix.size(-1)});
    const Tensor eb = expand(matrix, wide_b);
    const Factors f = factor_lu(a);
    // X A = B is A^T X^T = B^T: then the result is row-major.
    const Tensor x = column_copy(left ? eb : transpose(eb, -2, -1));
    solve_factored(f, left ? 'N' : 'T', x);
    s.info = f.info;
    s.result = alias(x, wide_b, left ? Dims(x.strides()) : Dims(transpose(x, -2, -1).strides()), 0);
    if (vectors) {
      Dims sizes(wide_b), strides(s.result.strides());
      sizes.pop_back(), strides.pop_back();
      const Tensor out = make_strided(sizes, sizes.size() < 2 ? contiguous_strides(sizes) : column_strides(sizes),
                                      a.dtype(), a.device());
      if (!a.device().is_meta()) copy_raw(out, alias(s.result, sizes, strides, 0));
      s.result = out;
    }
  }
  if (recording(a, b))
    record("LinalgSolveExBackward0", {a, b}, s.result, {save(a), save_output(s.result)},
           [left, vectors, sizes_a = Dims(a.sizes()), sizes_b = Dims(b.sizes())](Backward& back) {
             const Tensor matrix = back.saved(0);
             const auto columns = [&](const Tensor& t) { return vectors ? unsqueeze(t, -1) : t; };
             const Tensor x = columns(back.saved(1));
             const Tensor gb = solve_of(adjoint(matrix), columns(back.g()), left).result;
             if (back.needs(0))
               back.set(0, sum_to_size(neg(left ? matmul(gb, adjoint(x)) : matmul(adjoint(x), gb)), sizes_a));
             if (back.needs(1)) back.set(1, sum_to_size(vectors ? squeeze(gb, -1) : gb, sizes_b));
           });
  return s;
}

}  // namespace

struct LinalgInvEx {
  static constexpr Schema schema =
      "linalg_inv_ex(Tensor A, *, bool check_errors=False) -> (Tensor inverse, Tensor info)";
  static constexpr Doc doc =
      "The inverses of square matrices, and LAPACK's code for each: 0, or the row of a zero pivot.";
  static constexpr unsigned expose = kFunction | kOut;
  static std::tuple<Tensor, Tensor> call(const Tensor& a, bool check_errors) {
    check_inverse(a);
    const Solved s = inverse_of(a);
    if (check_errors) check_info(s.info, "linalg.inv", a.dim() == 2);
    return {s.result, s.info};
  }
};

struct LinalgInv {
  static constexpr Schema schema = "linalg_inv(Tensor A) -> Tensor";
  static constexpr Doc doc = "The inverses of square matrices. Errors: LinAlgError for a singular one.";
  static Tensor call(const Tensor& a) {
    check_inverse(a);
    const Solved s = inverse_of(a);
    check_info(s.info, "linalg.inv", a.dim() == 2);
    return s.result;
  }
};

struct Inverse {
  static constexpr Schema schema = "inverse(Tensor self) -> Tensor";
  static constexpr Doc doc = "linalg.inv.";
  static Tensor call(const Tensor& self) { return LinalgInv::call(self); }
};

struct LinalgSolveEx {
  static constexpr Schema schema =
      "linalg_solve_ex(Tensor A, Tensor B, *, bool left=True, bool check_errors=False) -> (Tensor result, Tensor info)";
  static constexpr Doc doc = "linalg.solve, and LAPACK's code for each matrix: 0, or the row of a zero pivot.";
  static constexpr unsigned expose = kFunction | kOut;
  static std::tuple<Tensor, Tensor> call(const Tensor& a, const Tensor& b, bool left, bool check_errors) {
    const Solved s = solve_of(a, b, left);
    if (check_errors) check_info(s.info, "torch.linalg.solve", a.dim() == 2);
    return {s.result, s.info};
  }
};

struct LinalgSolve {
  static constexpr Schema schema = "linalg_solve(Tensor A, Tensor B, *, bool left=True) -> Tensor";
  static constexpr Doc doc = "X of A X = B, or of X A = B with left=False. Errors: LinAlgError for a singular A.";
  static Tensor call(const Tensor& a, const Tensor& b, bool left) {
    const Solved s = solve_of(a, b, left);
    check_info(s.info, "torch.linalg.solve", a.dim() == 2);
    return s.result;
  }
};

struct LinalgTensorinv {
  static constexpr Schema schema = "linalg_tensorinv(Tensor self, int ind=2) -> Tensor";
  static constexpr Doc doc = "The inverse of self as a map from its last dimensions to its first `ind` ones.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, int64_t ind) {
    check_floating(self, "tensorinv");
    HWARO_CHECK(ind > 0, "Expected a strictly positive integer for 'ind'");
    Dims shape, front;
    for (int i = 0; i < self.dim(); ++i) (i < ind ? front : shape).push_back(self.sizes()[i]);
    const int64_t rows = product(front), cols = product(shape);
    HWARO_CHECK(rows == cols,
                "Expected self to satisfy the requirement prod(self.shape[ind:]) == prod(self.shape[:ind]), "
                "but got ",
                cols, " != ", rows);
    for (int64_t n : front) shape.push_back(n);
    return reshape(LinalgInv::call(reshape(self, {rows, cols})), shape);
  }
};

struct LinalgTensorsolve {
  static constexpr Schema schema = "linalg_tensorsolve(Tensor self, Tensor other, int[]? dims=None) -> Tensor";
  static constexpr Doc doc = "X of tensordot(self, X, X.dim()) = other; dims are moved to the right beforehand.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, const Tensor& other, OptIntSpan dims) {
    check_floating(self, "tensorsolve");
    Tensor moved = self;
    if (dims) {
      Dims order, last;
      for (int64_t d : *dims) last.push_back(wrap_dim(d, self.dim()));
      for (int i = 0; i < self.dim(); ++i) {
        bool is_last = false;
        for (int64_t d : last) is_last = is_last || d == i;
        if (!is_last) order.push_back(i);
      }
      for (int64_t d : last) order.push_back(d);
      moved = permute(self, order);
    }
    Dims shape;
    for (int i = other.dim(); i < moved.dim(); ++i) shape.push_back(moved.sizes()[i]);
    const int64_t cols = product(shape), rows = other.numel();
    HWARO_CHECK(rows == cols,
                "Expected self to satisfy the requirement prod(self.shape[other.ndim:]) == "
                "prod(self.shape[:other.ndim]), but got ",
                cols, " != ", rows);
    return reshape(LinalgSolve::call(reshape(moved, {rows, cols}), reshape(other, {rows}), true), shape);
  }
};

}  // namespace hwaro::engine

#include "families/lapack_solve.inc"
