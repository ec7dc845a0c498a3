// What singular values above a bound decide: ranks, pseudoinverses, least squares.
//
// Gradients: G. Golub and V. Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems whose
// variables separate" (1973): dP = -P dA P + P P^H dA^H (I - A P) + (I - P A) dA^H P^H P.
#include <limits>

#include "hwaro/ops/lapack_eigen.h"
#include "hwaro/ops/lapack_svd.h"
#include "hwaro/ops/extreme.h"
#include "hwaro/ops/linalg/lapack.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

using OptDouble = std::optional<double>;

struct Bounds {
  Tensor atol, rtol;
};

double epsilon(DType t) {
  return to_real(t) == DType::Float ? double(std::numeric_limits<float>::epsilon())
                                    : std::numeric_limits<double>::epsilon();
}

// An absent rtol is the machine precision times the larger side, or zero where atol is given and positive.
Bounds bounds_of(const Tensor& a, const Tensor& atol, const Tensor& rtol, const char* function) {
  for (const Tensor& t : {atol, rtol})
    HWARO_CHECK(!t.defined() || !is_complex(t.dtype()), function, ": ", t.is_same(atol) ? "atol" : "rtol",
                " tensor of complex type is not supported. Got ", t.defined() ? scalar_type_name(t.dtype()) : "");
  NoGradGuard guard;
  const DType type = DType::Double;
  Bounds b{atol, rtol};
  const double usual = epsilon(a.dtype()) * double(a.size(-1) > a.size(-2) ? a.size(-1) : a.size(-2));
  if (!b.rtol.defined()) {
    b.rtol = make_full({}, usual, type, a.device());
    if (atol.defined()) b.rtol = where(gt(atol, 0), make_zeros({}, type, a.device()), b.rtol);
  }
  if (!b.atol.defined()) b.atol = make_zeros({}, type, a.device());
  return b;
}

Bounds bounds_of(const Tensor& a, OptDouble atol, OptDouble rtol, const char* function) {
  const auto tensor = [&](OptDouble v) { return v ? make_full({}, *v, DType::Double, a.device()) : Tensor(); };
  return bounds_of(a, tensor(atol), tensor(rtol), function);
}

// Which of the falling (or, of self-adjoint matrices, unordered) magnitudes are above the bounds.
Tensor above(const Tensor& s, const Bounds& b) {
  const int64_t last = -1;
  const Tensor most = amax(s, IntSpan(&last, 1), true);
  return gt(s, maximum(unsqueeze(b.atol, -1), mul(unsqueeze(b.rtol, -1), most)));
}

Tensor rank_of(const Tensor& a, const Bounds& b, bool hermitian) {
  NoGradGuard guard;
  const int64_t last = -1;
  Dims batch = batch_sizes(a);
  broadcast_into(batch, b.atol.sizes());
  broadcast_into(batch, b.rtol.sizes());
  if (a.numel() == 0) return make_zeros(batch, kInt64, a.device());
  const Tensor s = hermitian ? abs(linalg_eigvalsh(a, "L")) : linalg_svdvals(a, std::nullopt);
  return sum(above(s, b), IntSpan(&last, 1));
}

// The adjoints of the three terms above.
Tensor pinv_gradient(const Tensor& g, const Tensor& a, const Tensor& p) {
  const Tensor ph = adjoint(p), gh = adjoint(g);
  const Tensor inner = matmul(matmul(gh, p), ph), outer = matmul(ph, matmul(p, gh));
  const Tensor second = sub(inner, matmul(a, matmul(p, inner))), third = sub(outer, matmul(matmul(outer, p), a));
  return add(neg(matmul(ph, matmul(g, ph))), add(second, third));
}

Tensor pinv_of(const Tensor& a, const Bounds& b, bool hermitian) {
  check_floating(a, "linalg.pinv");
  check_matrix(a, "linalg.pinv");
  Tensor out;
  {
    NoGradGuard guard;
    if (a.numel() == 0) {
      out = make_zeros(with_sizes(batch_sizes(a), {a.size(-1), a.size(-2)}), a.dtype(), a.device());
    } else if (hermitian) {
      const auto [values, v] = linalg_eigh(a, "L");
      const Tensor kept = where(above(abs(values), b), reciprocal(values), make_zeros({}, values.dtype(), a.device()));
      out = matmul(mul(v, unsqueeze(kept, -2)), adjoint(v));
    } else {
      const auto [u, s, vh] = linalg_svd(a, false, std::nullopt);
      const Tensor kept = where(above(s, b), reciprocal(s), make_zeros({}, s.dtype(), a.device()));
      out = matmul(mul(adjoint(vh), unsqueeze(kept, -2)), adjoint(u));
    }
  }
  if (recording(a))
    record("LinalgPinvBackward0", {a}, out, {save(a), save_output(out)},
           [](Backward& back) { back.set(0, pinv_gradient(back.g(), back.saved(0), back.saved(1))); });
  return out;
}

}  // namespace

// ---- ranks ----

struct LinalgMatrixRankTensors {
  static constexpr Schema schema =
      "linalg_matrix_rank.atol_rtol_tensor(Tensor input, *, Tensor? atol=None, Tensor? rtol=None, bool "
      "hermitian=False) -> "
      "Tensor";
  static constexpr Doc doc = "How many singular values are above atol and above rtol times the largest.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& input, const Tensor& atol, const Tensor& rtol, bool hermitian) {
    check_matrix(input, "linalg.matrix_rank", "input");
    return rank_of(input, bounds_of(input, atol, rtol, "torch.linalg.matrix_rank"), hermitian);
  }
};

struct LinalgMatrixRank {
  static constexpr Schema schema =
      "linalg_matrix_rank.atol_rtol_float(Tensor self, *, float? atol=None, float? rtol=None, bool hermitian=False) -> "
      "Tensor";
  static constexpr Doc doc = "How many singular values are above atol and above rtol times the largest.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, OptDouble atol, OptDouble rtol, bool hermitian) {
    check_matrix(self, "linalg.matrix_rank", "input");
    return rank_of(self, bounds_of(self, atol, rtol, "torch.linalg.matrix_rank"), hermitian);
  }
};

struct LinalgMatrixRankTolTensor {
  static constexpr Schema schema =
      "linalg_matrix_rank.tol_tensor(Tensor input, Tensor tol, bool hermitian=False) -> Tensor";
  static constexpr Doc doc = "How many singular values are above tol.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& input, const Tensor& tol, bool hermitian) {
    check_matrix(input, "linalg.matrix_rank", "input");
    const Tensor zero = make_zeros({}, DType::Double, input.device());
    return rank_of(input, bounds_of(input, tol, zero, "torch.linalg.matrix_rank"), hermitian);
  }
};

struct LinalgMatrixRankTol {
  static constexpr Schema schema = "linalg_matrix_rank(Tensor self, float tol, bool hermitian=False) -> Tensor";
  static constexpr Doc doc = "How many singular values are above tol.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, double tol, bool hermitian) {
    check_matrix(self, "linalg.matrix_rank", "input");
    return rank_of(self, bounds_of(self, tol, 0.0, "torch.linalg.matrix_rank"), hermitian);
  }
};

// ---- pseudoinverses ----

struct LinalgPinvTensors {
  static constexpr Schema schema =
      "linalg_pinv.atol_rtol_tensor(Tensor self, *, Tensor? atol=None, Tensor? rtol=None, bool hermitian=False) -> "
      "Tensor";
  static constexpr Doc doc = "The pseudoinverse; singular values at most atol or rtol times the largest count as zero.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, const Tensor& atol, const Tensor& rtol, bool hermitian) {
    check_matrix(self, "linalg.pinv");
    return pinv_of(self, bounds_of(self, atol, rtol, "torch.linalg.pinv"), hermitian);
  }
};

struct LinalgPinv {
  static constexpr Schema schema =
      "linalg_pinv.atol_rtol_float(Tensor self, *, float? atol=None, float? rtol=None, bool hermitian=False) -> Tensor";
  static constexpr Doc doc = "The pseudoinverse; singular values at most atol or rtol times the largest count as zero.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, OptDouble atol, OptDouble rtol, bool hermitian) {
    check_matrix(self, "linalg.pinv");
    return pinv_of(self, bounds_of(self, atol, rtol, "torch.linalg.pinv"), hermitian);
  }
};

struct LinalgPinvRcondTensor {
  static constexpr Schema schema =
      "linalg_pinv.rcond_tensor(Tensor self, Tensor rcond, bool hermitian=False) -> Tensor";
  static constexpr Doc doc = "The pseudoinverse; singular values at most rcond times the largest count as zero.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, const Tensor& rcond, bool hermitian) {
    check_matrix(self, "linalg.pinv");
    return pinv_of(self, bounds_of(self, make_zeros({}, DType::Double, self.device()), rcond, "torch.linalg.pinv"),
                   hermitian);
  }
};

struct LinalgPinvRcond {
  static constexpr Schema schema = "linalg_pinv(Tensor self, float rcond, bool hermitian=False) -> Tensor";
  static constexpr Doc doc = "The pseudoinverse; singular values at most rcond times the largest count as zero.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, double rcond, bool hermitian) {
    check_matrix(self, "linalg.pinv");
    return pinv_of(self, bounds_of(self, 0.0, rcond, "torch.linalg.pinv"), hermitian);
  }
};

struct Pinverse {
  static constexpr Schema schema = "pinverse(Tensor self, float rcond=1e-15) -> Tensor";
  static constexpr Doc doc = "linalg.pinv.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, double rcond) { return LinalgPinvRcond::call(self, rcond, false); }
};

// ---- least squares ----

struct LinalgLstsq {
  static constexpr Schema schema =
      "linalg_lstsq(Tensor self, Tensor b, float? rcond=None, *, str? driver=None) -> (Tensor solution, Tensor "
      "residuals, "
      "Tensor rank, Tensor singular_values)";
  static constexpr Doc doc =
      "X that makes the columns of self X - b shortest, by LAPACK's gels, gelsy, gelsd or gelss.";
  static constexpr unsigned expose = kFunction | kOut;
  static std::tuple<Tensor, Tensor, Tensor, Tensor> call(const Tensor& self, const Tensor& b, OptDouble rcond,
                                                         std::optional<std::string_view> wanted) {
    constexpr const char* f = "torch.linalg.lstsq: ";
    HWARO_CHECK(self.dim() >= 2, f, "input must have at least 2 dimensions.");
    HWARO_CHECK(b.dim() >= 1, f, "other must have at least 1 dimension.");
    HWARO_CHECK(self.dtype() == b.dtype(), f, "Expected input and other to have the same dtype, but got input's dtype ",
                scalar_type_name(self.dtype()), " and other's dtype ", scalar_type_name(b.dtype()));
    const int difference = self.dim() - b.dim();
    HWARO_CHECK(difference >= 0 && difference <= 1, f,
                "input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) <= 1");
    const bool vectors = difference == 1;
    HWARO_CHECK(self.size(-2) == b.size(vectors ? -1 : -2), f, "input.size(-2) should match other.size(",
                vectors ? "-1" : "-2", ")");
    const std::string_view driver = wanted.value_or("gelsy");
    HWARO_CHECK(driver == "gels" || driver == "gelsy" || driver == "gelsd" || driver == "gelss", f,
                "parameter `driver` should be one of (gels, gelsy, gelsd, gelss)");
    check_floating(self, "torch.linalg.lstsq");
    const char kind = driver == "gels" ? 'l' : driver[4];
    Tensor solution, residuals, ranks, values;
    {
      NoGradGuard guard;
      const int64_t m = self.size(-2), n = self.size(-1), k = m < n ? m : n, most = m < n ? n : m;
      const Tensor right = vectors ? unsqueeze(b, -1) : b;
      const Dims batch = common_batch(self, right);
      const int64_t columns = right.size(-1);
      const DType real = to_real(self.dtype());
      const Tensor x = make_columns(with_sizes(batch, {most, columns}), self.dtype(), self.device());
      const bool data = !self.device().is_meta();
      ranks = make_zeros(kind == 'l' ? Dims{0} : batch, kInt64, self.device());
      values = make_zeros(kind == 'd' || kind == 's' ? with_sizes(batch, {k}) : Dims{0}, real, self.device());
      bool full_rank = true;
      if (data) {
        fill_elements(*x.impl(), 0);
        copy_raw(slice(x, -2, 0, m), expand(right, with_sizes(batch, {m, columns})));
        const Tensor a = column_copy(expand(self, with_sizes(batch, {m, n})));
        const Tensor info = make_zeros(batch, kInt32, self.device());
        const double bound = rcond.value_or(epsilon(self.dtype()) * double(most));
        if (a.numel() > 0 && x.numel() > 0)
          for (int64_t i = 0; i < Matrices(a).count; ++i) {
            int rank = 0;
            info->write_as<int>()[i] =
                lapack().gels(self.dtype(), kind, int(m), int(n), int(columns), block_of(a, i, m * n), int(m),
                              block_of(x, i, most * columns), int(most), bound, &rank,
                              values.numel() > 0 ? block_of(values, i, k) : nullptr);
            if (kind != 'l') ranks->write_as<int64_t>()[i] = rank, full_rank = full_rank && rank == n;
          }
        check_info(info, "torch.linalg.lstsq", batch.empty());
      }
      solution = narrow(x, -2, 0, n);
      if (m > n && kind != 'y' && full_rank) {
        const int64_t rows = -2;
        const Tensor rest = abs(narrow(x, -2, n, m - n));
        residuals = sum(mul(rest, rest), IntSpan(&rows, 1));
      } else {
        residuals = make_zeros({0}, real, self.device());
      }
      solution = alias(x, vectors ? IntSpan(batch_sizes(solution, 1)) : solution.sizes(),
                       vectors ? IntSpan(Dims(IntSpan(solution.strides().data(), std::size_t(solution.dim() - 1))))
                               : solution.strides(),
                       0);
    }
    if (recording(self, b))
      record("LinalgLstsqBackward0", {self, b}, {solution, residuals, Tensor(), Tensor()},
             {save(self), save(b), save_output(solution)}, [vectors](Backward& back) {
               const Tensor a = back.saved(0), right = back.saved(1), solved = back.saved(2);
               const auto columns = [&](const Tensor& t) { return vectors ? unsqueeze(t, -1) : t; };
               const Tensor rhs = columns(right);
               Tensor ga, gb;
               if (back.g(0).defined()) {
                 const Tensor g = columns(back.g(0));
                 const Tensor p = pinv_of(a, bounds_of(a, OptDouble(), OptDouble(), "torch.linalg.pinv"), false);
                 gb = matmul(adjoint(p), g);
                 ga = pinv_gradient(matmul(g, adjoint(rhs)), a, p);  // X = P B
               }
               if (back.g(1).defined() && back.g(1).numel() > 0) {
                 const Tensor x = columns(solved), rest = mul(sub(matmul(a, x), rhs), 2);
                 const Tensor scaled = mul(rest, unsqueeze(back.g(1), -2));
                 const Tensor more_a = matmul(scaled, adjoint(x)), more_b = neg(scaled);
                 ga = ga.defined() ? add(ga, more_a) : more_a;
                 gb = gb.defined() ? add(gb, more_b) : more_b;
               }
               if (back.needs(0) && ga.defined()) back.set(0, sum_to_size(ga, a.sizes()));
               if (back.needs(1) && gb.defined())
                 back.set(1, sum_to_size(vectors ? squeeze(gb, -1) : gb, right.sizes()));
             });
    return {solution, residuals, ranks, values};
  }
};

}  // namespace hwaro::engine

#include "families/lapack_rank.inc"
