// Factors of symmetric (or self-adjoint) matrices that need not be positive: A = L D L^H with row exchanges (sytrf, hetrf).
#include "hwaro/ops/diagonal.h"
#include "hwaro/ops/linalg/lapack.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

std::tuple<Tensor, Tensor, Tensor> factor_of(const Tensor& a, bool hermitian) {
  check_square(a, "torch.linalg.ldl_factor_ex");
  check_floating(a, "torch.linalg.ldl_factor_ex");
  Tensor ld, pivots, info;
  {
    NoGradGuard guard;
    ld = column_copy(tril(a, 0));
    pivots = make_tensor(batch_sizes(a, 1), kInt32, a.device());
    info = make_zeros(batch_sizes(a), kInt32, a.device());
    if (!a.device().is_meta() && a.numel() > 0) {
      const Matrices m(a);
      for (int64_t i = 0; i < m.count; ++i)
        info->write_as<int>()[i] =
            lapack().sytrf(a.dtype(), hermitian && is_complex(a.dtype()), 'L', m.rows,
                           block_of(ld, i, int64_t(m.rows) * m.rows), m.rows, pivots->write_as<int>() + i * m.rows);
    }
  }
  if (recording(a))
    record("NotImplemented", {a}, ld, {},
           [](Backward&) { raise<RuntimeError>("derivative for aten::linalg_ldl_factor_ex is not implemented"); });
  return {ld, pivots, info};
}

}  // namespace

struct LinalgLdlFactorEx {
  static constexpr Schema schema =
      "linalg_ldl_factor_ex(Tensor self, *, bool hermitian=False, bool check_errors=False) -> (Tensor LD, Tensor "
      "pivots, "
      "Tensor info)";
  static constexpr Doc doc = "linalg.ldl_factor, and LAPACK's code for each matrix.";
  static constexpr unsigned expose = kFunction | kOut;
  static std::tuple<Tensor, Tensor, Tensor> call(const Tensor& self, bool hermitian, bool check_errors) {
    const auto result = factor_of(self, hermitian);
    if (check_errors) check_info(std::get<2>(result), "torch.linalg.ldl_factor_ex", self.dim() == 2);
    return result;
  }
};

struct LinalgLdlFactor {
  static constexpr Schema schema =
      "linalg_ldl_factor(Tensor self, *, bool hermitian=False) -> (Tensor LD, Tensor pivots)";
  static constexpr Doc doc =
      "L and D of A = L D L^H in one matrix, and the rows exchanged; the lower triangle is read.";
  static constexpr unsigned expose = kFunction | kOut;
  static std::tuple<Tensor, Tensor> call(const Tensor& self, bool hermitian) {
    const auto [ld, pivots, info] = factor_of(self, hermitian);
    check_info(info, "torch.linalg.ldl_factor", self.dim() == 2);
    return {ld, pivots};
  }
};

struct LinalgLdlSolve {
  static constexpr Schema schema =
      "linalg_ldl_solve(Tensor LD, Tensor pivots, Tensor B, *, bool hermitian=False) -> Tensor";
  static constexpr Doc doc = "X of A X = B from what linalg.ldl_factor returned.";
  static Tensor call(const Tensor& ld, const Tensor& pivots, const Tensor& b, bool hermitian) {
    constexpr const char* f = "torch.linalg.ldl_solve";
    check_square(ld, f, "LD");
    check_floating(ld, f);
    HWARO_CHECK(b.dim() >= 2, f, ": Expected B to have at least 2 dimensions, but it has ", b.dim(),
                " dimensions instead");
    const bool fits = batch_sizes(ld) == batch_sizes(pivots, 1) && ld.size(-1) == pivots.size(-1);
    HWARO_CHECK(fits, f, ": Expected LD.shape[:-1] and pivots.shape to be the same, but got pivots with shape ",
                sizes_str(pivots.sizes()), " instead");
    HWARO_CHECK(is_integral(pivots.dtype()), f, ": Expected pivots to be integers. Got ",
                scalar_type_name(pivots.dtype()));
    HWARO_CHECK(ld.dtype() == b.dtype(), f, ": LD dtype ", scalar_type_name(ld.dtype()), " does not match b dtype ",
                scalar_type_name(b.dtype()));
    Tensor out;
    {
      NoGradGuard guard;
      out = column_copy(expand(b, with_sizes(common_batch(ld, b), {b.size(-2), b.size(-1)})));
      if (!out.device().is_meta() && out.numel() > 0) {
        const Tensor factors = column_copy(ld), list = dense_as(pivots, kInt32);
        const Matrices m(out);
        const std::vector<int64_t> from = broadcast_index(batch_sizes(ld), batch_sizes(out));
        for (int64_t i = 0; i < m.count; ++i) {
          const int64_t at = from[std::size_t(i)];
          lapack().sytrs(out.dtype(), hermitian && is_complex(out.dtype()), 'L', m.rows, m.cols,
                         block_of(factors, at, int64_t(m.rows) * m.rows), m.rows, list->read_as<int>() + at * m.rows,
                         block_of(out, i, int64_t(m.rows) * m.cols), m.rows);
        }
      }
    }
    if (recording(ld, b)) {
      std::vector<Tensor> tracked;
      for (const Tensor& t : {ld, b})
        if (is_tracked(t)) tracked.push_back(t);
      record("NotImplemented", Span<Tensor>(tracked), Span<Tensor>(&out, 1), {},
             [](Backward&) { raise<RuntimeError>("derivative for aten::linalg_ldl_solve is not implemented"); });
    }
    return out;
  }
};

}  // namespace hwaro::engine

#include "families/lapack_ldl.inc"
