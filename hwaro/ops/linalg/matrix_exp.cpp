// The exponential of matrices: scaling and squaring with a Taylor polynomial of degree 18, whose remainder at norm one is below
// the precision of double. N. Higham, "The scaling and squaring method for the matrix exponential revisited" (2005).
//
// Gradient: the block matrix [[A^H, G], [0, A^H]] has the derivative of exp at A^H in direction G as the upper right block
// of its exponential: R. Mathias, "A chain rule for matrix functions and applications" (1996).
#include <cmath>

#include "hwaro/ops/linalg/lapack.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

constexpr int kDegree = 18, kGroup = 6;

// sum of x^k / k!, in groups of kGroup powers (Paterson and Stockmeyer).
Tensor taylor(const Tensor& x) {
  std::vector<Tensor> powers = {identity(x.size(-1), x.dtype(), x.device()), x};
  while (int(powers.size()) <= kGroup) powers.push_back(matmul(powers[powers.size() - 1], x));
  double factor[kDegree + 1] = {1};
  for (int k = 1; k <= kDegree; ++k) factor[k] = factor[k - 1] / k;
  Tensor sum;
  for (int group = kDegree / kGroup; group >= 0; --group) {
    Tensor part;
    for (int k = 0; k < kGroup && group * kGroup + k <= kDegree; ++k) {
      const Tensor term = mul(powers[std::size_t(k)], factor[group * kGroup + k]);
      part = part.defined() ? add(part, term) : term;
    }
    sum = sum.defined() ? add(matmul(sum, powers[kGroup]), part) : part;
  }
  return sum;
}

Tensor exp_of(const Tensor& a) {
  Tensor out;
  {
    NoGradGuard guard;
    const int64_t rows = -2;
    out = make_tensor(a.sizes(), a.dtype(), a.device());
    if (!a.device().is_meta() && a.numel() > 0) {
      // In double: squaring doubles the error each time.
      const DType wide = is_complex(a.dtype()) ? DType::ComplexDouble : DType::Double;
      const Tensor all = dense_as(reshape(a, {-1, a.size(-2), a.size(-1)}), wide);
      const Tensor sums = dense_as(sum(abs(all), IntSpan(&rows, 1)), DType::Double);
      const int64_t n = a.size(-1), count = all.sizes()[0];
      const Tensor flat = alias(out, all.sizes(), contiguous_strides(all.sizes()), 0);
      for (int64_t i = 0; i < count; ++i) {
        double norm = 0;
        for (int64_t j = 0; j < n; ++j) {
          const double column = sums->read_as<double>()[i * n + j];
          if (!(column <= norm)) norm = column;
        }
        const int halvings = std::isfinite(norm) && norm > 1 ? int(std::ceil(std::log2(norm))) : 0;
        Tensor e = taylor(mul(select(all, 0, i), std::ldexp(1.0, -halvings)));
        for (int k = 0; k < halvings; ++k) e = matmul(e, e);
        copy_raw(select(flat, 0, i), e);
      }
    }
  }
  if (recording(a))
    record("LinalgMatrixExpBackward0", {a}, out, {save(a)}, [](Backward& b) {
      const Tensor h = adjoint(b.saved(0));
      const int64_t n = h.size(-1);
      const Tensor zero = make_zeros(h.sizes(), h.dtype(), h.device());
      const Tensor block = cat({cat({h, b.g()}, -1), cat({zero, h}, -1)}, -2);
      b.set(0, slice(slice(exp_of(block), -2, 0, n), -1, n, 2 * n));
    });
  return out;
}

Tensor checked_exp(const Tensor& a) {
  check_square(a, "linalg.matrix_exp");
  check_floating(a, "linalg.matrix_exp", true);
  return exp_of(a);
}

}  // namespace

struct LinalgMatrixExp {
  static constexpr Schema schema = "linalg_matrix_exp(Tensor self) -> Tensor";
  static constexpr Doc doc = "The exponentials of square matrices.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& self) { return checked_exp(self); }
};

struct MatrixExp {
  static constexpr Schema schema = "matrix_exp(Tensor self) -> Tensor";
  static constexpr Doc doc = "linalg.matrix_exp.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self) { return checked_exp(self); }
};

}  // namespace hwaro::engine

#include "families/matrix_exp.inc"
