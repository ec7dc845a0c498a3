// Cholesky factors A = L L^H, and what is computed from them.
//
// Gradients: I. Murray, "Differentiation of the Cholesky decomposition" (2016), section 3.2, with adjoints for complex
// matrices: gA = 1/2 L^-H (P + P^H) L^-1, P the lower triangle of L^H gL with its diagonal halved. The inverse and the
// solution follow from d(A^-1) = -A^-1 dA A^-1 with dA = dL L^H + L dL^H.
#include "hwaro/ops/diagonal.h"
#include "hwaro/ops/lapack_triangular.h"
#include "hwaro/ops/kinds/warn_once.h"
#include "hwaro/ops/linalg/lapack.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

struct Factored {
  Tensor factor, info;
};

Tensor cholesky_gradient(const Tensor& g, const Tensor& factor, bool upper) {
  const Tensor l = upper ? adjoint(factor) : factor, gl = upper ? adjoint(g) : g;
  // P + P^H keeps the imaginary part of the diagonal here, as PyTorch does: it says nothing for a self-adjoint A.
  const Tensor product = matmul(adjoint(l), gl);
  const Tensor both = mul(add(tril(product, 0), adjoint(tril(product, -1))), 0.5);
  const Tensor left = linalg_solve_triangular(adjoint(l), both, true, true, false);
  return linalg_solve_triangular(l, left, false, false, false);
}

Factored factor_of(const Tensor& a, bool upper, const char* node) {
  Factored f;
  {
    NoGradGuard guard;
    f.info = make_zeros(batch_sizes(a), kInt32, a.device());
    const Tensor work = column_copy(a);
    if (!a.device().is_meta() && a.numel() > 0) {
      const Matrices m(a);
      for (int64_t i = 0; i < m.count; ++i)
        f.info->write_as<int>()[i] =
            lapack().potrf(a.dtype(), upper ? 'U' : 'L', m.rows, block_of(work, i, int64_t(m.rows) * m.rows), m.rows);
    }
    f.factor = make_columns(a.sizes(), a.dtype(), a.device());
    if (!a.device().is_meta()) copy_raw(f.factor, upper ? triu(work, 0) : tril(work, 0));
  }
  if (recording(a))
    record(node, {a}, {f.factor, f.info}, {save_output(f.factor)}, [upper](Backward& b) {
      if (b.g(0).defined()) b.set(0, cholesky_gradient(b.g(0), b.saved(0), upper));
    });
  return f;
}

void check_cholesky(const Tensor& a) {
  check_square(a, "linalg.cholesky");
  check_floating(a, "linalg.cholesky");
}

}  // namespace

struct LinalgCholeskyEx {
  static constexpr Schema schema =
      "linalg_cholesky_ex(Tensor self, *, bool upper=False, bool check_errors=False) -> (Tensor L, Tensor info)";
  static constexpr Doc doc =
      "linalg.cholesky, and LAPACK's code for each matrix: 0, or the order of a minor that is not positive.";
  static constexpr unsigned expose = kFunction | kOut;
  static std::tuple<Tensor, Tensor> call(const Tensor& a, bool upper, bool check_errors) {
    check_cholesky(a);
    const Factored f = factor_of(a, upper, "LinalgCholeskyExBackward0");
    if (check_errors) check_info(f.info, "linalg.cholesky_ex", a.dim() == 2);
    return {f.factor, f.info};
  }
};

struct LinalgCholesky {
  static constexpr Schema schema = "linalg_cholesky(Tensor self, *, bool upper=False) -> Tensor";
  static constexpr Doc doc =
      "L of A = L L^H, or with upper=True its adjoint. Errors: LinAlgError if A is not positive-definite.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& a, bool upper) {
    check_cholesky(a);
    const Factored f = factor_of(a, upper, "LinalgCholeskyExBackward0");
    check_info(f.info, "linalg.cholesky", a.dim() == 2);
    return f.factor;
  }
};

struct Cholesky {
  static constexpr Schema schema = "cholesky(Tensor self, bool upper=False) -> Tensor";
  static constexpr Doc doc = "linalg.cholesky.";
  static Tensor call(const Tensor& self, bool upper) {
    warn_once(
        "torch.cholesky is deprecated in favor of torch.linalg.cholesky and will be removed in a future PyTorch "
        "release.\nL = torch.cholesky(A)\nshould be replaced with\nL = torch.linalg.cholesky(A)\nand\nU = "
        "torch.cholesky(A, upper=True)\nshould be replaced with\nU = torch.linalg.cholesky(A).mH\nThis transform will "
        "produce equivalent results for all valid (symmetric positive definite) inputs.");
    if (self.numel() == 0) {
      check_square(self, "cholesky");
      return factor_of(self, upper, "CholeskyBackward0").factor;
    }
    check_square(self, "cholesky");
    const Factored f = factor_of(self, upper, "CholeskyBackward0");
    check_info(f.info, "cholesky", self.dim() == 2);
    return f.factor;
  }
};

struct CholeskyInverse {
  static constexpr Schema schema = "cholesky_inverse(Tensor self, bool upper=False) -> Tensor";
  static constexpr Doc doc = "The inverses of matrices given by their Cholesky factors.";
  static Tensor call(const Tensor& self, bool upper) {
    check_square(self, "cholesky_inverse");
    Tensor out;
    {
      NoGradGuard guard;
      out = column_copy(self);
      if (!self.device().is_meta() && self.numel() > 0) {
        const Matrices m(self);
        for (int64_t i = 0; i < m.count; ++i)
          lapack().potri(self.dtype(), upper ? 'U' : 'L', m.rows, block_of(out, i, int64_t(m.rows) * m.rows), m.rows);
        // LAPACK writes one triangle.
        const Tensor half = upper ? triu(out, 0) : tril(out, 0);
        const Tensor rest = upper ? tril(adjoint(half), -1) : triu(adjoint(half), 1);
        copy_raw(out, add(half, rest));
      }
    }
    if (recording(self))
      record("CholeskyInverseBackward0", {self}, out, {save(self), save_output(out)}, [upper](Backward& b) {
        const Tensor factor = b.saved(0), inverse = b.saved(1);
        const Tensor inner = matmul(inverse, matmul(add(b.g(), adjoint(b.g())), inverse));
        b.set(0, neg(upper ? matmul(factor, inner) : matmul(inner, factor)));
      });
    return out;
  }
};

struct CholeskySolve {
  static constexpr Schema schema = "cholesky_solve(Tensor self, Tensor input2, bool upper=False) -> Tensor";
  static constexpr Doc doc = "X of A X = self for a matrix A given by its Cholesky factor.";
  static Tensor call(const Tensor& self, const Tensor& factor, bool upper) {
    HWARO_CHECK(self.dim() >= 2, "b should have at least 2 dimensions, but has ", self.dim(), " dimensions instead");
    HWARO_CHECK(factor.dim() >= 2, "u should have at least 2 dimensions, but has ", factor.dim(),
                " dimensions instead");
    HWARO_CHECK(self.dtype() == factor.dtype(), "Expected b and A to have the same dtype, but found b of type ",
                scalar_type_name(self.dtype()), " and A of type ", scalar_type_name(factor.dtype()), " instead");
    HWARO_CHECK(factor.size(-1) == factor.size(-2), "A must be batches of square matrices, but they are ",
                factor.size(-2), " by ", factor.size(-1), " matrices");
    HWARO_CHECK(factor.size(-1) == self.size(-2), "Incompatible matrix sizes for cholesky_solve: each A matrix is ",
                factor.size(-1), " by ", factor.size(-1), " but each b matrix is ", self.size(-2), " by ",
                self.size(-1));
    Tensor out;
    {
      NoGradGuard guard;
      out = column_copy(expand(self, with_sizes(common_batch(factor, self), {self.size(-2), self.size(-1)})));
      if (!out.device().is_meta() && out.numel() > 0) {
        const Matrices m(out);
        const Tensor l = column_copy(factor);
        const std::vector<int64_t> from = broadcast_index(batch_sizes(factor), batch_sizes(out));
        for (int64_t i = 0; i < m.count; ++i)
          lapack().potrs(out.dtype(), upper ? 'U' : 'L', m.rows, m.cols,
                         block_of(l, from[std::size_t(i)], int64_t(m.rows) * m.rows), m.rows,
                         block_of(out, i, int64_t(m.rows) * m.cols), m.rows);
      }
    }
    if (recording(self, factor))
      record("CholeskySolveBackward0", {self, factor}, out, {save(factor), save_output(out)},
             [upper, sizes_b = Dims(self.sizes()), sizes_l = Dims(factor.sizes())](Backward& b) {
               const Tensor l = b.saved(0);
               const Tensor gb = call(b.g(), l, upper);
               if (b.needs(1)) {
                 Tensor both = matmul(gb, adjoint(b.saved(1)));
                 both = neg(add(both, adjoint(both)));
                 b.set(1, sum_to_size(upper ? matmul(l, both) : matmul(both, l), sizes_l));
               }
               if (b.needs(0)) b.set(0, sum_to_size(gb, sizes_b));
             });
    return out;
  }
};

}  // namespace hwaro::engine

#include "families/lapack_cholesky.inc"
