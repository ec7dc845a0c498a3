// LU factors: A = P L U with row exchanges.
//
// Gradients by the method of M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
// differentiation" (2008): with A' = P^H A = L U square, dA' = dL U + L dU, whose two triangles give
//   gA' = L^-H [ tril(L^H gL, -1) + triu(gU U^H) ] U^-H.
// The rows below (of a tall matrix) are L2 = A2 U^-1, the columns to the right (of a wide one) are U2 = L^-1 A2; what they
// pass on to U and L is subtracted from the two products.
#include "hwaro/ops/lapack_triangular.h"
#include "hwaro/ops/kinds/warn_once.h"
#include "hwaro/ops/linalg/lapack.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/diagonal.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

constexpr const char* kNoPivot = "linalg.lu_factor: LU without pivoting is not implemented on the CPU";

// Permutation matrices (…, m, m) of LAPACK's lists of exchanges (…, k).
Tensor permutation_matrix(const Tensor& pivots, int64_t m, DType dtype) {
  const Tensor out = make_zeros(with_sizes(batch_sizes(pivots, 1), {m, m}), dtype, pivots.device());
  if (pivots.device().is_meta()) return out;
  const Tensor list = dense(pivots);
  const int64_t k = pivots.size(-1), count = m > 0 ? out.numel() / (m * m) : 0;
  visit<kFloatSet | kComplexSet>(dtype, "lu_unpack", [&](auto tag) {
    using T = typename decltype(tag)::type;
    std::vector<int64_t> row(std::size_t(m), 0);
    for (int64_t b = 0; b < count; ++b) {
      for (int64_t i = 0; i < m; ++i) row[std::size_t(i)] = i;
      for (int64_t i = 0; i < k; ++i) {
        const int other = list->read_as<int>()[b * k + i] - 1;
        HWARO_CHECK(other >= 0 && other < m,
                    "pivots passed to lu_unpack must be between 1 and LU.size(-2) inclusive."
                    "Did you properly pass the result of lu_factor?");
        std::swap(row[std::size_t(i)], row[std::size_t(other)]);
      }
      for (int64_t i = 0; i < m; ++i) out->write_as<T>()[(b * m + row[std::size_t(i)]) * m + i] = T(1);
    }
  });
  return out;
}

Tensor rows(const Tensor& t, int64_t from, int64_t to) { return slice(t, -2, from, to); }
Tensor cols(const Tensor& t, int64_t from, int64_t to) { return slice(t, -1, from, to); }

// The gradient of P^H A, from those of L and U (either may be undefined).
Tensor factors_gradient(const Tensor& gl, const Tensor& gu, const Tensor& l, const Tensor& u) {
  const int64_t m = l.size(-2), n = u.size(-1), k = m < n ? m : n;
  const Tensor l1 = rows(l, 0, k), u1 = cols(u, 0, k);
  Tensor low, high;  // L^H gL and gU U^H of the square part
  if (gl.defined()) low = matmul(adjoint(l1), rows(gl, 0, k));
  if (gu.defined()) high = matmul(cols(gu, 0, k), adjoint(u1));
  Tensor below, right;
  if (m > n && gl.defined()) {
    const Tensor l2 = rows(l, k, m), g2 = rows(gl, k, m);
    below = linalg_solve_triangular(adjoint(u1), g2, false, false, false);
    const Tensor passed = matmul(adjoint(l2), g2);
    high = high.defined() ? sub(high, passed) : neg(passed);
  }
  if (m < n && gu.defined()) {
    const Tensor u2 = cols(u, k, n), g2 = cols(gu, k, n);
    right = linalg_solve_triangular(adjoint(l1), g2, true, true, true);
    const Tensor passed = matmul(g2, adjoint(u2));
    low = low.defined() ? sub(low, passed) : neg(passed);
  }
  Tensor sum;
  if (low.defined()) sum = tril(low, -1);
  if (high.defined()) sum = sum.defined() ? add(sum, triu(high)) : triu(high);
  const Tensor square = linalg_solve_triangular(
      adjoint(u1), linalg_solve_triangular(adjoint(l1), sum, true, true, true), false, false, false);
  if (m == n) return square;
  if (m > n) {
    if (!below.defined()) below = make_zeros(with_sizes(batch_sizes(l), {m - k, k}), l.dtype(), l.device());
    return cat({square, below}, -2);
  }
  if (!right.defined()) right = make_zeros(with_sizes(batch_sizes(l), {k, n - k}), l.dtype(), l.device());
  return cat({square, right}, -1);
}

// L (…, m, k) with its unit diagonal, and U (…, k, n), of packed factors. Recorded.
Tensor lower_of(const Tensor& lu) {
  const int64_t m = lu.size(-2), n = lu.size(-1), k = m < n ? m : n;
  const Tensor ones = make_zeros(with_sizes(batch_sizes(lu), {m, k}), lu.dtype(), lu.device());
  if (!lu.device().is_meta()) {
    NoGradGuard guard;
    fill_elements(*diagonal_of(ones).impl(), 1);
  }
  return add(tril(cols(lu, 0, k), -1), ones);
}
Tensor upper_of(const Tensor& lu) {
  const int64_t m = lu.size(-2), n = lu.size(-1), k = m < n ? m : n;
  return triu(rows(lu, 0, k), 0);
}

Factors recorded_factors(const Tensor& a, bool pivot) {
  check_matrix(a, "torch.linalg.lu_factor");
  check_floating(a, "torch.linalg.lu_factor");
  HWARO_CHECK(pivot, kNoPivot);
  const Factors f = factor_lu(a);
  if (recording(a))
    record("LinalgLuFactorExBackward0", {a}, {f.lu, f.pivots, f.info}, {save_output(f.lu), save(f.pivots)},
           [](Backward& b) {
             if (!b.g(0).defined()) return;
             const Tensor lu = b.saved(0), g = b.g(0);
             const int64_t m = lu.size(-2), n = lu.size(-1), k = m < n ? m : n;
             const Tensor p = permutation_matrix(b.saved(1), m, lu.dtype());
             const Tensor inner =
                 factors_gradient(tril(cols(g, 0, k), -1), triu(rows(g, 0, k), 0), lower_of(lu), upper_of(lu));
             b.set(0, matmul(p, inner));
           });
  return f;
}

void check_lu_factor(const Tensor& a, bool pivot) {
  check_matrix(a, "torch.linalg.lu_factor");
  check_floating(a, "torch.linalg.lu_factor");
  HWARO_CHECK(pivot, kNoPivot);
}

}  // namespace

struct LinalgLuFactorEx {
  static constexpr Schema schema =
      "linalg_lu_factor_ex(Tensor A, *, bool pivot=True, bool check_errors=False) -> (Tensor LU, Tensor pivots, Tensor "
      "info)";
  static constexpr Doc doc = "linalg.lu_factor, and LAPACK's code for each matrix: 0, or the row of a zero pivot.";
  static constexpr unsigned expose = kFunction | kOut;
  static std::tuple<Tensor, Tensor, Tensor> call(const Tensor& a, bool pivot, bool check_errors) {
    check_lu_factor(a, pivot);
    const Factors f = recorded_factors(a, pivot);
    if (check_errors) check_info(f.info, "torch.linalg.lu_factor_ex", a.dim() == 2);
    return {f.lu, f.pivots, f.info};
  }
};

struct LinalgLuFactor {
  static constexpr Schema schema = "linalg_lu_factor(Tensor A, *, bool pivot=True) -> (Tensor LU, Tensor pivots)";
  static constexpr Doc doc = "L below the diagonal and U above it in one matrix, and the rows exchanged, from 1.";
  static constexpr unsigned expose = kFunction | kOut;
  static std::tuple<Tensor, Tensor> call(const Tensor& a, bool pivot) {
    check_lu_factor(a, pivot);
    const Factors f = recorded_factors(a, pivot);
    check_info(f.info, "torch.linalg.lu_factor", a.dim() == 2);
    return {f.lu, f.pivots};
  }
};

struct LuWithInfo {
  static constexpr Schema schema =
      "_lu_with_info(Tensor self, bool pivot=True, bool check_errors=True) -> (Tensor LU, Tensor pivots, Tensor info)";
  static constexpr Doc doc = "What torch.lu is made of: linalg.lu_factor_ex.";
  static constexpr unsigned expose = kFunction;
  static std::tuple<Tensor, Tensor, Tensor> call(const Tensor& self, bool pivot, bool check_errors) {
    return LinalgLuFactorEx::call(self, pivot, check_errors);
  }
};

struct LinalgLu {
  static constexpr Schema schema = "linalg_lu(Tensor A, *, bool pivot=True) -> (Tensor P, Tensor L, Tensor U)";
  static constexpr Doc doc = "A = P L U: a permutation, a unit lower and an upper triangular matrix.";
  static constexpr unsigned expose = kFunction | kOut;
  static std::tuple<Tensor, Tensor, Tensor> call(const Tensor& a, bool pivot) {
    check_matrix(a, "linalg.lu");
    check_floating(a, "linalg.lu");
    HWARO_CHECK(pivot, kNoPivot);
    Tensor p, l, u;
    {
      NoGradGuard guard;
      const Factors f = factor_lu(a);
      p = permutation_matrix(f.pivots, a.size(-2), a.dtype());
      l = dense(lower_of(f.lu));
      u = dense(upper_of(f.lu));
    }
    if (recording(a))
      record("LinalgLuBackward0", {a}, {Tensor(), l, u}, {save(p), save_output(l), save_output(u)}, [](Backward& b) {
        b.set(0, matmul(b.saved(0), factors_gradient(b.g(1), b.g(2), b.saved(1), b.saved(2))));
      });
    return {p, l, u};
  }
};

struct LuUnpack {
  static constexpr Schema schema =
      "lu_unpack(Tensor LU_data, Tensor LU_pivots, bool unpack_data=True, bool unpack_pivots=True) -> (Tensor P, "
      "Tensor L, "
      "Tensor U)";
  static constexpr Doc doc = "P, L and U of what linalg.lu_factor returned.";
  static constexpr unsigned expose = kFunction | kOut;
  static std::tuple<Tensor, Tensor, Tensor> call(const Tensor& data, const Tensor& pivots, bool unpack_data,
                                                 bool unpack_pivots) {
    check_matrix(data, "torch.lu_unpack", "LU_data");
    if (unpack_pivots)
      HWARO_CHECK(pivots.dtype() == kInt32,
                  "torch.lu_unpack: LU_pivots is expected to be a contiguous tensor of torch.int32 dtype.\nNote: this "
                  "function is intended to be used with the output produced by torch.linalg.lu_factor");
    const Tensor none = make_tensor({0}, data.dtype(), data.device());
    Tensor p = none, l = none, u = none;
    {
      NoGradGuard guard;
      if (unpack_pivots) p = permutation_matrix(pivots, data.size(-2), data.dtype());
      if (unpack_data) l = dense(lower_of(data)), u = dense(upper_of(data));
    }
    if (unpack_data && recording(data))
      record("LuUnpackBackward0", {data}, {Tensor(), l, u}, {}, [sizes = Dims(data.sizes())](Backward& b) {
        const std::size_t d = sizes.size();
        const int64_t m = sizes[d - 2], n = sizes[d - 1], k = m < n ? m : n;
        const Tensor& any = b.g(1).defined() ? b.g(1) : b.g(2);
        Dims batch(sizes);
        batch.pop_back(), batch.pop_back();
        const auto zeros = [&](int64_t r, int64_t c) {
          return make_zeros(with_sizes(batch, {r, c}), any.dtype(), any.device());
        };
        Tensor g;
        if (b.g(1).defined()) {
          g = tril(b.g(1), -1);
          if (n > k) g = cat({g, zeros(m, n - k)}, -1);
        }
        if (b.g(2).defined()) {
          Tensor high = triu(b.g(2), 0);
          if (m > k) high = cat({high, zeros(m - k, n)}, -2);
          g = g.defined() ? add(g, high) : high;
        }
        b.set(0, g);
      });
    return {p, l, u};
  }
};

struct LinalgLuSolve {
  static constexpr Schema schema =
      "linalg_lu_solve(Tensor LU, Tensor pivots, Tensor B, *, bool left=True, bool adjoint=False) -> Tensor";
  static constexpr Doc doc = "X of A X = B (or X A = B, or with the adjoint of A) from the factors of A.";
  static Tensor call(const Tensor& lu, const Tensor& pivots, const Tensor& b, bool left, bool adjoint) {
    check_square(lu, "torch.linalg.lu_solve", "LU");
    check_floating(lu, "torch.linalg.lu_solve");
    HWARO_CHECK(lu.dtype() == b.dtype(),
                "linalg.lu_solve: Expected LU and B to have the same dtype, but found LU of type ",
                scalar_type_name(lu.dtype()), " and B of type ", scalar_type_name(b.dtype()), " instead");
    HWARO_CHECK(pivots.dtype() == kInt32, "linalg.lu_solve: pivots should be a Tensor of scalar type torch.int32");
    check_matrix(b, "linalg.lu_solve", "B");
    HWARO_CHECK(left ? lu.size(-1) == b.size(-2) : lu.size(-1) == b.size(-1),
                "linalg.lu_solve: Incompatible shapes of A and B for the equation ", left ? "AX = B" : "XA = B", " (",
                lu.size(-2), "x", lu.size(-1), " and ", b.size(-2), "x", b.size(-1), ")");
    HWARO_CHECK(lu.size(-1) == pivots.size(-1),
                "linalg.lu_solve: Number of pivots per batch should be same as the dimension of the matrix");
    HWARO_CHECK(batch_sizes(lu) == batch_sizes(pivots, 1),
                "linalg.lu_solve: Expected LU.shape[:-1] and pivots.shape to be the same, but got pivots with shape ",
                sizes_str(pivots.sizes()), " instead");
    Tensor out;
    {
      NoGradGuard guard;
      const Dims sizes = with_sizes(common_batch(lu, b), {b.size(-2), b.size(-1)});
      const Factors f{column_copy(lu), dense(pivots), Tensor()};
      const Tensor wide = expand(b, sizes);
      if (left) {
        out = column_copy(wide);
        solve_factored(f, adjoint ? 'C' : 'N', out);
      } else {  // X A = B is A^H X^H = B^H
        const Tensor x = column_copy(conj(transpose(wide, -2, -1)));
        solve_factored(f, adjoint ? 'N' : 'C', x);
        out = column_copy(conj(transpose(x, -2, -1)));
        out = dense(out);
      }
    }
    if (recording(lu, b))
      record("LinalgLuSolveBackward0", {lu, b}, out, {save(lu), save(pivots), save_output(out)},
             [left, adjoint, sizes_lu = Dims(lu.sizes()), sizes_b = Dims(b.sizes())](Backward& back) {
               const Tensor factors = back.saved(0), exchanged = back.saved(1), x = back.saved(2);
               const Tensor gb = call(factors, exchanged, back.g(), left, !adjoint);
               if (back.needs(1)) back.set(1, sum_to_size(gb, sizes_b));
               if (!back.needs(0)) return;
               // The gradient of A, then of its factors: A = P L U.
               Tensor ga = left ? (adjoint ? matmul(x, engine::adjoint(gb)) : matmul(gb, engine::adjoint(x)))
                                : (adjoint ? matmul(engine::adjoint(gb), x) : matmul(engine::adjoint(x), gb));
               const Tensor p = permutation_matrix(exchanged, factors.size(-1), factors.dtype());
               const Tensor inner = neg(matmul(transpose(p, -2, -1), ga));
               const Tensor low = tril(matmul(inner, engine::adjoint(upper_of(factors))), -1);
               const Tensor high = triu(matmul(engine::adjoint(lower_of(factors)), inner), 0);
               back.set(0, sum_to_size(add(low, high), sizes_lu));
             });
    return out;
  }
};

struct LuSolve {
  static constexpr Schema schema = "lu_solve(Tensor self, Tensor LU_data, Tensor LU_pivots) -> Tensor";
  static constexpr Doc doc = "linalg.lu_solve with the right-hand side first.";
  static Tensor call(const Tensor& self, const Tensor& data, const Tensor& pivots) {
    warn_once(
        "torch.lu_solve is deprecated in favor of torch.linalg.lu_solveand will be removed in a future PyTorch "
        "release.\n"
        "Note that torch.linalg.lu_solve has its arguments reversed.\nX = torch.lu_solve(B, LU, pivots)\nshould be "
        "replaced with\nX = torch.linalg.lu_solve(LU, pivots, B)");
    return LinalgLuSolve::call(data, pivots, self, true, false);
  }
};

}  // namespace hwaro::engine

#include "families/lapack_lu.inc"
