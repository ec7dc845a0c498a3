// Eigenvalues and eigenvectors (LAPACK syevd/heevd and geev).
//
// Gradients: M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation"
// (2008), 3.1, for self-adjoint matrices; C. Boeddeker et al., "On the computation of complex-valued gradients with
// application to statistically optimum beamforming" (2017), 4.21 and 4.22, for others, whose vectors have norm one.
#include "hwaro/ops/complex_view.h"
#include "hwaro/ops/diagonal.h"
#include "hwaro/ops/lapack_solve.h"
#include "hwaro/ops/linalg/lapack.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

void check_phase(const Tensor& inner, const char* function) {
  NoGradGuard guard;
  if (inner.device().is_meta()) return;
  const Tensor size = dense_as(abs(imag(diagonal_of(inner))), DType::Double);
  for (int64_t i = 0; i < size.numel(); ++i)
    HWARO_CHECK(
        size->read_as<double>()[i] <= 1e-2, function,
        ": The eigenvectors in the complex case are specified up to "
        "multiplication by e^{i phi}. The specified loss function depends on this quantity, so it is ill-defined.");
}

// Zero on the diagonal, one elsewhere.
Tensor off_diagonal(int64_t n, DType dtype, Device device) {
  return sub(make_full({n, n}, 1, dtype, device), identity(n, dtype, device));
}

// l_j - l_i, with ones on the diagonal.
Tensor gaps_of(const Tensor& l) {
  return add(sub(unsqueeze(l, -2), unsqueeze(l, -1)), identity(l.size(-1), l.dtype(), l.device()));
}

// ---- self-adjoint matrices ----

Tensor eigh_gradient(const Tensor& gl, const Tensor& gv, const Tensor& l, const Tensor& v) {
  if (!gv.defined()) return matmul(mul(v, unsqueeze(gl, -2)), adjoint(v));
  Tensor inner = matmul(adjoint(v), gv);
  if (is_complex(v.dtype())) check_phase(inner, "linalg_eigh_backward");
  // Vectors stay orthonormal: what counts of V^H gV is its skew part.
  inner = mul(sub(inner, adjoint(inner)), 0.5);
  inner = mul(div(inner, gaps_of(l)), off_diagonal(l.size(-1), l.dtype(), l.device()));
  if (gl.defined()) inner = add(inner, diagonal_matrix(gl));
  return matmul(v, matmul(inner, adjoint(v)));
}

std::tuple<Tensor, Tensor> eigh_of(const Tensor& a, std::string_view uplo, bool vectors) {
  check_square(a, "linalg.eigh");
  HWARO_CHECK(uplo.size() == 1 && (uplo == "L" || uplo == "U" || uplo == "l" || uplo == "u"),
              "Expected UPLO argument to be 'L' or 'U', but got ", uplo);
  HWARO_CHECK_AS(NotImplementedError, is_differentiable(a.dtype()) && !is_reduced_float(a.dtype()),
                 "\"linalg_eigh_cpu\" not implemented for '", scalar_type_name(a.dtype()), '\'');
  const bool recorded = recording(a), wanted = vectors || recorded;
  Tensor values, columns;
  {
    NoGradGuard guard;
    values = make_tensor(batch_sizes(a, 1), to_real(a.dtype()), a.device());
    columns = column_copy(a);
    if (!a.device().is_meta() && a.numel() > 0) {
      const Tensor info = make_zeros(batch_sizes(a), kInt32, a.device());
      const Matrices m(a);
      for (int64_t i = 0; i < m.count; ++i)
        info->write_as<int>()[i] =
            lapack().syevd(a.dtype(), wanted ? 'V' : 'N', uplo[0], m.rows,
                           block_of(columns, i, int64_t(m.rows) * m.rows), m.rows, block_of(values, i, m.rows));
      check_info(info, "linalg.eigh", a.dim() == 2);
    }
    if (!wanted) columns = make_tensor({0}, a.dtype(), a.device());
  }
  if (recorded)
    record("LinalgEighBackward0", {a}, {values, columns}, {save_output(values), save_output(columns)},
           [](Backward& b) { b.set(0, eigh_gradient(b.g(0), b.g(1), b.saved(0), b.saved(1))); });
  return {values, columns};
}

// ---- all other matrices ----

Tensor eig_gradient(const Tensor& gl, const Tensor& gv, const Tensor& l, const Tensor& v, bool real) {
  Tensor inner;
  const Tensor vh = adjoint(v);
  if (gv.defined()) {
    inner = matmul(vh, gv);
    check_phase(inner, "linalg_eig_backward");
    const Tensor along = unsqueeze(to_dtype(engine::real(diagonal_of(inner)), inner.dtype()), -2);
    inner = sub(inner, mul(matmul(vh, v), along));
    inner = mul(div(inner, conj(gaps_of(l))), off_diagonal(l.size(-1), to_real(l.dtype()), l.device()));
  }
  if (gl.defined()) inner = inner.defined() ? add(inner, diagonal_matrix(gl)) : diagonal_matrix(gl);
  const Tensor ga = linalg_solve(vh, matmul(inner, vh), true);
  return real ? engine::real(ga) : ga;
}

std::tuple<Tensor, Tensor> eig_of(const Tensor& a, bool vectors, const char* function) {
  check_square(a, "linalg.eig");
  HWARO_CHECK(is_differentiable(a.dtype()), "Unknown Complex ScalarType for ", scalar_type_name(a.dtype()));
  HWARO_CHECK_AS(NotImplementedError, !is_reduced_float(a.dtype()), "\"linalg_eig_cpu\" not implemented for '",
                 scalar_type_name(a.dtype()), '\'');
  const bool recorded = recording(a), wanted = vectors || recorded;
  const DType type = to_complex(a.dtype());
  Tensor values, columns;
  {
    NoGradGuard guard;
    values = make_tensor(batch_sizes(a, 1), type, a.device());
    columns = wanted ? make_columns(a.sizes(), type, a.device()) : make_tensor({0}, type, a.device());
    if (!a.device().is_meta() && a.numel() > 0) {
      const Tensor size = dense_as(abs(a), DType::Double);
      for (int64_t i = 0; i < size.numel(); ++i)
        HWARO_CHECK(size->read_as<double>()[i] - size->read_as<double>()[i] == 0, function,
                    ": input tensor should not contain infs or NaNs.");
      const Tensor work = column_copy(a), info = make_zeros(batch_sizes(a), kInt32, a.device());
      const Matrices m(a);
      for (int64_t i = 0; i < m.count; ++i)
        info->write_as<int>()[i] = lapack().geev(a.dtype(), m.rows, block_of(work, i, int64_t(m.rows) * m.rows), m.rows,
                                                 block_of(values, i, m.rows),
                                                 wanted ? block_of(columns, i, int64_t(m.rows) * m.rows) : nullptr);
      check_info(info, "linalg.eig", a.dim() == 2);
    }
  }
  if (recorded)
    record("LinalgEigBackward0", {a}, {values, columns}, {save_output(values), save_output(columns)},
           [real = !is_complex(a.dtype())](Backward& b) {
             b.set(0, eig_gradient(b.g(0), b.g(1), b.saved(0), b.saved(1), real));
           });
  return {values, columns};
}

}  // namespace

struct LinalgEigh {
  static constexpr Schema schema =
      "linalg_eigh(Tensor self, str UPLO=\"L\") -> (Tensor eigenvalues, Tensor eigenvectors)";
  static constexpr Doc doc =
      "Rising eigenvalues and orthonormal eigenvectors of self-adjoint matrices; one triangle is read.";
  static constexpr unsigned expose = kFunction | kOut;
  static std::tuple<Tensor, Tensor> call(const Tensor& self, std::string_view uplo) {
    return eigh_of(self, uplo, true);
  }
};

struct LinalgEigvalsh {
  static constexpr Schema schema = "linalg_eigvalsh(Tensor self, str UPLO=\"L\") -> Tensor";
  static constexpr Doc doc = "Rising eigenvalues of self-adjoint matrices; one triangle is read.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, std::string_view uplo) { return std::get<0>(eigh_of(self, uplo, false)); }
};

struct LinalgEig {
  static constexpr Schema schema = "linalg_eig(Tensor self) -> (Tensor eigenvalues, Tensor eigenvectors)";
  static constexpr Doc doc = "Complex eigenvalues and eigenvectors of norm one of square matrices.";
  static constexpr unsigned expose = kFunction | kOut;
  static std::tuple<Tensor, Tensor> call(const Tensor& self) { return eig_of(self, true, "torch.linalg.eig"); }
};

struct LinalgEigvals {
  static constexpr Schema schema = "linalg_eigvals(Tensor self) -> Tensor";
  static constexpr Doc doc = "Complex eigenvalues of square matrices.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self) { return std::get<0>(eig_of(self, false, "torch.linalg.eigvals")); }
};

}  // namespace hwaro::engine

#include "families/lapack_eigen.inc"
