// Singular value decompositions (LAPACK gesdd).
//
// Gradients: J. Townsend, "Differentiating the singular value decomposition" (2016); for complex matrices Z.-Q. Wan and S.-X.
// Zhang, "Automatic differentiation for complex valued SVD" (2019), whose last term keeps the phases of U and V apart.
#include "hwaro/ops/complex_view.h"
#include "hwaro/ops/diagonal.h"
#include "hwaro/ops/linalg/lapack.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

struct Svd {
  Tensor u, s, vh, info;
};

Svd decompose(const Tensor& a, bool full, bool vectors) {
  NoGradGuard guard;
  const int64_t m = a.size(-2), n = a.size(-1), k = m < n ? m : n;
  const Dims batch = batch_sizes(a);
  Svd d;
  d.info = make_zeros(batch, kInt32, a.device());
  d.s = make_tensor(with_sizes(batch, {k}), to_real(a.dtype()), a.device());
  if (vectors) {
    d.u = make_columns(with_sizes(batch, {m, full ? m : k}), a.dtype(), a.device());
    d.vh = make_columns(with_sizes(batch, {full ? n : k, n}), a.dtype(), a.device());
  } else {
    d.u = make_tensor({0}, a.dtype(), a.device());
    d.vh = make_tensor({0}, a.dtype(), a.device());
  }
  if (a.device().is_meta()) return d;
  if (a.numel() == 0) {  // no values; U and Vh are any orthonormal bases
    if (vectors && d.u.numel() > 0) copy_raw(d.u, slice(identity(m, a.dtype(), a.device()), -1, 0, d.u.size(-1)));
    if (vectors && d.vh.numel() > 0) copy_raw(d.vh, slice(identity(n, a.dtype(), a.device()), -2, 0, d.vh.size(-2)));
    return d;
  }
  const Tensor work = column_copy(a);
  const Matrices matrices(a);
  for (int64_t i = 0; i < matrices.count; ++i)
    d.info->write_as<int>()[i] =
        lapack().gesdd(a.dtype(),
                       !vectors ? 'N'
                       : full   ? 'A'
                                : 'S',
                       int(m), int(n), block_of(work, i, m * n), int(m), block_of(d.s, i, k),
                       vectors ? block_of(d.u, i, m * d.u.size(-1)) : nullptr, int(m),
                       vectors ? block_of(d.vh, i, d.vh.size(-2) * n) : nullptr, vectors ? int(d.vh.size(-2)) : 1);
  return d;
}

Tensor skew(const Tensor& t) { return sub(t, adjoint(t)); }

void check_phase(const Tensor& u_part, const Tensor& v_part) {
  NoGradGuard guard;
  Tensor turn;
  for (const Tensor& part : {u_part, v_part})
    if (part.defined()) turn = turn.defined() ? add(turn, imag(diagonal_of(part))) : imag(diagonal_of(part));
  if (!turn.defined() || turn.device().is_meta()) return;
  const Tensor size = dense_as(abs(turn), DType::Double);
  for (int64_t i = 0; i < size.numel(); ++i)
    HWARO_CHECK(
        size->read_as<double>()[i] <= 1e-2,
        "svd_backward: The singular vectors in the complex case are specified up to multiplication by e^{i phi}. The "
        "specified loss function depends on this phase term, making it ill-defined.");
}

Tensor svd_gradient(Tensor gu, const Tensor& gs, Tensor gvh, Tensor u, const Tensor& s, Tensor vh) {
  const int64_t m = u.size(-2), n = vh.size(-1), k = s.size(-1);
  if (!gu.defined() && !gvh.defined()) return matmul(mul(slice(u, -1, 0, k), unsqueeze(gs, -2)), slice(vh, -2, 0, k));
  // Of full_matrices=True only the first k vectors are functions of A; the others are left out, as in PyTorch.
  u = narrow(u, -1, 0, k), vh = narrow(vh, -2, 0, k);
  if (gu.defined()) gu = narrow(gu, -1, 0, k);
  if (gvh.defined()) gvh = narrow(gvh, -2, 0, k);
  const bool complex = is_complex(u.dtype());
  const Tensor v = adjoint(vh), gv = gvh.defined() ? adjoint(gvh) : gvh;
  Tensor u_part, v_part;  // U^H gU and V^H gV
  if (gu.defined()) u_part = matmul(adjoint(u), gu);
  if (gv.defined()) v_part = matmul(adjoint(v), gv);
  if (complex) check_phase(u_part, v_part);
  // s_j^2 - s_i^2; the diagonal does not count.
  const Tensor squares = mul(s, s);
  const Tensor gaps = add(sub(unsqueeze(squares, -2), unsqueeze(squares, -1)), identity(k, s.dtype(), s.device()));
  const Tensor others = sub(make_full({k, k}, 1, s.dtype(), s.device()), identity(k, s.dtype(), s.device()));
  Tensor inner;
  const auto plus = [&](const Tensor& t) { inner = inner.defined() ? add(inner, t) : t; };
  if (u_part.defined()) plus(mul(mul(div(skew(u_part), gaps), others), unsqueeze(s, -2)));
  if (v_part.defined()) plus(mul(unsqueeze(s, -1), mul(div(skew(v_part), gaps), others)));
  if (gs.defined()) plus(diagonal_matrix(gs));
  if (complex && u_part.defined()) plus(diagonal_matrix(div(diagonal_of(skew(u_part)), mul(s, 2))));
  Tensor ga;
  if (m > k && gu.defined()) {
    const Tensor outside = div(sub(gu, matmul(u, u_part)), unsqueeze(s, -2));
    ga = matmul(add(matmul(u, inner), outside), vh);
  } else {
    ga = matmul(u, matmul(inner, vh));
  }
  if (n > k && gv.defined()) {
    const Tensor outside = div(sub(gv, matmul(v, v_part)), unsqueeze(s, -2));
    ga = add(ga, matmul(u, adjoint(outside)));
  }
  return ga;
}

std::tuple<Tensor, Tensor, Tensor> svd_of(const Tensor& a, bool full, bool vectors) {
  check_matrix(a, "linalg.svd");
  HWARO_CHECK(is_differentiable(a.dtype()), "linalg.svd: Expected a floating point or complex tensor as input. Got ",
              scalar_type_name(a.dtype()));
  HWARO_CHECK_AS(NotImplementedError, !is_reduced_float(a.dtype()), "\"linalg_svd_cpu\" not implemented for '",
                 scalar_type_name(a.dtype()), '\'');
  const bool recorded = recording(a);
  const Svd d = decompose(a, full, vectors || recorded);
  check_info(d.info, "linalg.svd", a.dim() == 2);
  if (recorded)
    record("LinalgSvdBackward0", {a}, {d.u, d.s, d.vh}, {save_output(d.u), save_output(d.s), save_output(d.vh)},
           [](Backward& b) { b.set(0, svd_gradient(b.g(0), b.g(1), b.g(2), b.saved(0), b.saved(1), b.saved(2))); });
  return {d.u, d.s, d.vh};
}

void check_driver(const std::optional<std::string_view>& driver) {
  HWARO_CHECK(!driver,
              "torch.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend.");
}

}  // namespace

struct LinalgSvd {
  static constexpr Schema schema =
      "linalg_svd(Tensor A, bool full_matrices=True, *, str? driver=None) -> (Tensor U, Tensor S, Tensor Vh)";
  static constexpr Doc doc = "A = U diag(S) Vh with orthonormal columns of U and rows of Vh; S falls.";
  static constexpr unsigned expose = kFunction | kOut;
  static std::tuple<Tensor, Tensor, Tensor> call(const Tensor& a, bool full, std::optional<std::string_view> driver) {
    check_driver(driver);
    return svd_of(a, full, true);
  }
};

struct LinalgSvdvals {
  static constexpr Schema schema = "linalg_svdvals(Tensor A, *, str? driver=None) -> Tensor";
  static constexpr Doc doc = "The singular values of matrices, from the largest.";
  static Tensor call(const Tensor& a, std::optional<std::string_view> driver) {
    check_driver(driver);
    return std::get<1>(svd_of(a, false, false));
  }
};

struct SvdOld {
  static constexpr Schema schema =
      "svd(Tensor self, bool some=True, bool compute_uv=True) -> (Tensor U, Tensor S, Tensor V)";
  static constexpr Doc doc = "self = U diag(S) V^H: linalg.svd with V in place of its adjoint.";
  static constexpr unsigned expose = kFunction | kMethod | kOut;
  static std::tuple<Tensor, Tensor, Tensor> call(const Tensor& self, bool some, bool compute_uv) {
    check_matrix(self, "linalg.svd");
    if (compute_uv) {
      const auto [u, s, vh] = svd_of(self, !some, true);
      return {u, s, adjoint(vh)};
    }
    const Tensor s = std::get<1>(svd_of(self, false, false));
    const auto zeros = [&](int64_t n) {
      return make_zeros(with_sizes(batch_sizes(self), {n, n}), self.dtype(), self.device());
    };
    return {zeros(self.size(-2)), s, adjoint(zeros(self.size(-1)))};
  }
};

}  // namespace hwaro::engine

#include "families/lapack_svd.inc"
