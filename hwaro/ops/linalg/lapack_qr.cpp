// A = Q R by Householder reflections.
//
// Gradients: S. Walter and L. Lehmann, "Algorithmic differentiation of linear algebra functions with application in optimum
// experimental design" (2010), for at least as many rows as columns; D. Roberts and L. Roberts, "QR and LQ decomposition
// matrix backpropagation algorithms for square, wide, and deep matrices" (2020), for wide ones, whose first columns are a
// square problem.
#include "hwaro/ops/diagonal.h"
#include "hwaro/ops/lapack_triangular.h"
#include "hwaro/ops/kinds/warn_once.h"
#include "hwaro/ops/linalg/lapack.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

struct Reflections {
  Tensor a, tau;  // R above the diagonal, the reflections below it
};

Reflections reflections_of(const Tensor& a) {
  NoGradGuard guard;
  const int64_t k = a.size(-1) < a.size(-2) ? a.size(-1) : a.size(-2);
  const Reflections r{column_copy(a), make_zeros(with_sizes(batch_sizes(a), {k}), a.dtype(), a.device())};
  if (a.device().is_meta() || a.numel() == 0) return r;
  const Matrices m(a);
  for (int64_t i = 0; i < m.count; ++i)
    lapack().geqrf(a.dtype(), m.rows, m.cols, block_of(r.a, i, int64_t(m.rows) * m.cols), m.rows,
                   block_of(r.tau, i, k));
  return r;
}

// Overwrites the column-major (…, m, n) q, whose first columns hold the reflections, with their product's first n columns.
void multiply_out(const Tensor& q, const Tensor& tau) {
  if (q.device().is_meta() || q.numel() == 0) return;
  const Matrices m(q);
  const int k = int(tau.size(-1));
  for (int64_t i = 0; i < m.count; ++i)
    lapack().orgqr(q.dtype(), m.rows, m.cols, k, block_of(q, i, int64_t(m.rows) * m.cols), m.rows, block_of(tau, i, k));
}

// Of tall or square A; the gradients may be undefined.
Tensor tall_gradient(const Tensor& gq, const Tensor& gr, const Tensor& q, const Tensor& r) {
  Tensor m;
  if (gr.defined()) m = matmul(gr, adjoint(r));
  if (gq.defined()) {
    const Tensor inner = matmul(adjoint(q), gq);
    m = m.defined() ? sub(m, inner) : neg(inner);
  }
  const Tensor upper = triu(m, 0);
  Tensor both = add(upper, adjoint(upper));
  both = sub(both, mul(diagonal_matrix(diagonal_of(both)), 0.5));
  Tensor ga = matmul(q, both);
  if (gq.defined()) ga = add(ga, gq);
  return linalg_solve_triangular(adjoint(r), ga, false, false, false);
}

Tensor qr_gradient(const Tensor& gq, const Tensor& gr, const Tensor& q, const Tensor& r, std::string_view mode) {
  const int64_t m = q.size(-2), n = r.size(-1);
  HWARO_CHECK(mode != "r",
              "The derivative of linalg.qr depends on Q, which is not computed when mode='r'. Please use "
              "linalg.qr(A, mode='reduced') if you are going to differentiate through linalg.qr.");
  HWARO_CHECK(mode != "complete" || m <= n,
              "The QR decomposition is not differentiable when mode='complete' and nrows > ncols.");
  if (m >= n) return tall_gradient(gq, gr, q, r);
  // A = [X Y] with X = Q U square and Y = Q V.
  const Tensor u = slice(r, -1, 0, m), v = slice(r, -1, m, n);
  Tensor gu, gy, inner = gq;
  if (gr.defined()) {
    const Tensor gv = slice(gr, -1, m, n);
    gu = slice(gr, -1, 0, m);
    gy = matmul(q, gv);
    const Tensor y = matmul(q, v), passed = matmul(y, adjoint(gv));
    inner = inner.defined() ? add(inner, passed) : passed;
  } else {
    gy = make_zeros(v.sizes(), v.dtype(), v.device());
  }
  return cat({tall_gradient(inner, gu, q, u), gy}, -1);
}

std::tuple<Tensor, Tensor> qr_of(const Tensor& a, std::string_view mode) {
  check_matrix(a, "linalg.qr");
  check_floating(a, "linalg.qr");
  HWARO_CHECK(mode == "reduced" || mode == "complete" || mode == "r", "qr received unrecognized mode '", mode,
              "' but expected one of 'reduced' (default), 'r', or 'complete'");
  Tensor q, r;
  {
    NoGradGuard guard;
    const int64_t m = a.size(-2), n = a.size(-1), k = m < n ? m : n, wide = mode == "complete" ? m : k;
    const Reflections f = reflections_of(a);
    const Dims batch = batch_sizes(a);
    r = make_columns(with_sizes(batch, {wide, n}), a.dtype(), a.device());
    const bool data = !a.device().is_meta();
    if (data) {
      fill_elements(*r.impl(), 0);
      copy_raw(slice(r, -2, 0, k), triu(slice(f.a, -2, 0, k), 0));
    }
    if (mode == "r") {
      q = make_tensor({0}, a.dtype(), a.device());
    } else {
      q = make_columns(with_sizes(batch, {m, wide}), a.dtype(), a.device());
      if (data) {
        fill_elements(*q.impl(), 0);
        copy_raw(slice(q, -1, 0, k), slice(f.a, -1, 0, k));
        if (k > 0) multiply_out(q, f.tau);
        else copy_raw(q, identity(m, a.dtype(), a.device()));
      }
    }
  }
  if (recording(a))
    record("LinalgQrBackward0", {a}, {q, r}, {save_output(q), save_output(r)}, [mode = std::string(mode)](Backward& b) {
      b.set(0, qr_gradient(b.g(0), b.g(1), b.saved(0), b.saved(1), mode));
    });
  return {q, r};
}

}  // namespace

struct LinalgQr {
  static constexpr Schema schema = "linalg_qr(Tensor A, str mode=\"reduced\") -> (Tensor Q, Tensor R)";
  static constexpr Doc doc =
      "A = Q R: orthonormal columns and an upper triangle; mode is \"reduced\", \"complete\" or \"r\".";
  static constexpr unsigned expose = kFunction | kOut;
  static std::tuple<Tensor, Tensor> call(const Tensor& a, std::string_view mode) { return qr_of(a, mode); }
};

struct Qr {
  static constexpr Schema schema = "qr(Tensor self, bool some=True) -> (Tensor Q, Tensor R)";
  static constexpr Doc doc = "linalg.qr, reduced or (some=False) complete.";
  static constexpr unsigned expose = kFunction | kMethod | kOut;
  static std::tuple<Tensor, Tensor> call(const Tensor& self, bool some) {
    warn_once(
        "torch.qr is deprecated in favor of torch.linalg.qr and will be removed in a future PyTorch release.\nThe "
        "boolean "
        "parameter 'some' has been replaced with a string parameter 'mode'.\nQ, R = torch.qr(A, some)\nshould be "
        "replaced "
        "with\nQ, R = torch.linalg.qr(A, 'reduced' if some else 'complete')");
    return qr_of(self, some ? "reduced" : "complete");
  }
};

struct Geqrf {
  static constexpr Schema schema = "geqrf(Tensor self) -> (Tensor a, Tensor tau)";
  static constexpr Doc doc = "R above the diagonal and the Householder reflections below it, with their factors tau.";
  static constexpr unsigned expose = kFunction | kMethod | kOut;
  static std::tuple<Tensor, Tensor> call(const Tensor& self) {
    HWARO_CHECK(self.dim() >= 2, "torch.geqrf: input must have at least 2 dimensions.");
    check_floating(self, "torch.geqrf");
    const Reflections r = reflections_of(self);
    if (recording(self))
      record("GeqrfBackward0", {self}, {r.a, r.tau}, {},
             [](Backward&) { raise<NotImplementedError>("the derivative for 'geqrf' is not implemented."); });
    return {r.a, r.tau};
  }
};

}  // namespace hwaro::engine

#include "families/lapack_qr.inc"
