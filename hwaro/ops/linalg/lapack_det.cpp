// Determinants, from LU factors.
//
// Gradients: M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation"
// (2008), 2.2.4: g conj(det A) A^-H. Of a singular matrix that is the adjoint of its adjugate, which the singular value
// decomposition gives without a quotient: adj(A)^H = conj(det U det Vh) U diag(products of the other values) Vh.
#include <limits>

#include "hwaro/ops/lapack_solve.h"
#include "hwaro/ops/lapack_svd.h"
#include "hwaro/ops/linalg/lapack.h"
#include "hwaro/ops/product.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

// The diagonal of U, and the sign of the row exchanges (as real numbers).
struct Diagonal {
  Tensor values, sign;
};

Diagonal factor_diagonal(const Tensor& a) {
  const Factors f = factor_lu(a);
  const int64_t n = a.size(-1);
  const Tensor sign = make_tensor(batch_sizes(a), to_real(a.dtype()), a.device());
  if (!a.device().is_meta())
    visit<bit(DType::Float) | bit(DType::Double)>(sign.dtype(), "det", [&](auto tag) {
      using T = typename decltype(tag)::type;
      for (int64_t b = 0; b < sign.numel(); ++b) {
        bool odd = false;
        for (int64_t i = 0; i < n; ++i) odd = odd != (f.pivots->read_as<int>()[b * n + i] != i + 1);
        sign->write_as<T>()[b] = odd ? T(-1) : T(1);
      }
    });
  return {diagonal_of(f.lu), sign};
}

bool any_zero(const Tensor& t) {
  NoGradGuard guard;
  const Tensor zero = dense(eq(t, 0));
  for (int64_t i = 0; i < zero.numel(); ++i)
    if (zero->read_as<bool>()[i]) return true;
  return false;
}

Tensor as_matrix_factor(const Tensor& t) { return unsqueeze(unsqueeze(t, -1), -1); }

Tensor det_of(const Tensor& a);

Tensor det_gradient(const Tensor& g, const Tensor& a, const Tensor& det) {
  if (!any_zero(det)) return mul(as_matrix_factor(mul(g, conj(det))), adjoint(std::get<0>(linalg_inv_ex(a))));
  const auto [u, s, vh] = linalg_svd(a, true, std::nullopt);
  const int64_t n = a.size(-1);
  // Row i of a square of singular values with a one in place of value i.
  const Tensor eye = identity(n, s.dtype(), a.device());
  const Tensor others = prod(where(eq(eye, 1), 1, unsqueeze(s, -2)), -1, false, std::nullopt);
  const Tensor scale = mul(g, conj(mul(det_of(u), det_of(vh))));
  return matmul(mul(u, mul(unsqueeze(others, -2), unsqueeze(unsqueeze(scale, -1), -1))), vh);
}

Tensor det_of(const Tensor& a) {
  Tensor out;
  {
    NoGradGuard guard;
    const Diagonal d = factor_diagonal(a);
    out = mul(prod(d.values, -1, false, std::nullopt), d.sign);
  }
  if (recording(a))
    record("LinalgDetBackward0", {a}, out, {save(a), save_output(out)},
           [](Backward& b) { b.set(0, det_gradient(b.g(), b.saved(0), b.saved(1))); });
  return out;
}

std::tuple<Tensor, Tensor> slogdet_of(const Tensor& a, const char* function) {
  check_square(a, function);
  check_floating(a, function);
  Tensor sign, log_size;
  {
    NoGradGuard guard;
    const Diagonal d = factor_diagonal(a);
    sign = mul(prod(sgn(d.values), -1, false, std::nullopt), d.sign);
    const int64_t last = -1;
    log_size = sum(log(abs(d.values)), IntSpan(&last, 1));
  }
  if (recording(a))
    record("LinalgSlogdetBackward0", {a}, {sign, log_size}, {save(a), save_output(sign)}, [](Backward& b) {
      const Tensor matrix = b.saved(0);
      // With w = tr(A^-1 dA): d log|det| = Re w and d sign = i sign Im w.
      Tensor scale = b.g(1);
      if (is_complex(matrix.dtype()) && b.g(0).defined()) {
        const Tensor phase = mul(conj(b.g(0)), b.saved(1));
        const Tensor turn = mul(sub(phase, conj(phase)), -0.5);  // -i Im(conj(g) sign)
        scale = scale.defined() ? add(scale, turn) : turn;
      }
      if (scale.defined()) b.set(0, mul(as_matrix_factor(scale), adjoint(std::get<0>(linalg_inv_ex(matrix)))));
    });
  return {sign, log_size};
}

}  // namespace

struct LinalgDet {
  static constexpr Schema schema = "linalg_det(Tensor A) -> Tensor";
  static constexpr Doc doc = "The determinants of square matrices.";
  static Tensor call(const Tensor& a) {
    check_square(a, "linalg.det");
    check_floating(a, "linalg.det");
    return det_of(a);
  }
};

struct Det {
  static constexpr Schema schema = "det(Tensor self) -> Tensor";
  static constexpr Doc doc = "linalg.det.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self) { return LinalgDet::call(self); }
};

struct LinalgSlogdet {
  static constexpr Schema schema = "linalg_slogdet(Tensor A) -> (Tensor sign, Tensor logabsdet)";
  static constexpr Doc doc =
      "The signs of the determinants of square matrices, and the logarithms of their magnitudes.";
  static constexpr unsigned expose = kFunction | kOut;
  static std::tuple<Tensor, Tensor> call(const Tensor& a) { return slogdet_of(a, "linalg.slogdet"); }
};

struct Slogdet {
  static constexpr Schema schema = "slogdet(Tensor self) -> (Tensor sign, Tensor logabsdet)";
  static constexpr Doc doc = "linalg.slogdet.";
  static constexpr unsigned expose = kFunction | kMethod | kOut;
  static std::tuple<Tensor, Tensor> call(const Tensor& self) { return slogdet_of(self, "linalg.slogdet"); }
};

struct Logdet {
  static constexpr Schema schema = "logdet(Tensor self) -> Tensor";
  static constexpr Doc doc = "The logarithms of determinants; NaN where one is negative.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self) {
    check_square(self, "logdet");
    check_floating(self, "logdet");
    const auto [sign, log_size] = slogdet_of(self, "logdet");
    if (is_complex(self.dtype())) return add(log_size, log(sign));
    return where(eq(sign, -1),
                 make_full({}, Scalar(std::numeric_limits<double>::quiet_NaN()), self.dtype(), self.device()),
                 log_size);
  }
};

}  // namespace hwaro::engine

#include "families/lapack_det.inc"
