// Products of Householder reflections H_i = 1 - tau_i v_i v_i^H, v_i being column i of a matrix below its diagonal with a one
// on it, as geqrf leaves them (E. Anderson et al., LAPACK Users' Guide, "Orthogonal factorizations").
//
// Gradients: through W -> H W = W - tau v (v^H W), one reflection after the other. With G the gradient of H W:
//   gW = G - conj(tau) v (v^H G),  gtau = -(v^H G) (v^H W)^H,  gv = -conj(tau) G (v^H W)^H - tau W (G^H v).
#include "hwaro/ops/diagonal.h"
#include "hwaro/ops/linalg/lapack.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

struct Gradients {
  Tensor vectors, tau, start;
};

// Of Q C or Q^H C (with Q = H_1 … H_k), for the gradient g of the result.
Gradients reflect_gradients(const Tensor& reflections, const Tensor& tau, const Tensor& start, Tensor g,
                            bool adjoint_q) {
  const int64_t m = reflections.size(-2), n = reflections.size(-1), k = tau.size(-1);
  const auto column = [](const Tensor& t, int64_t i) { return narrow(t, -1, i, 1); };
  const auto vector_of = [&](int64_t i) {
    const Tensor below = tril(reflections, -1);
    const Tensor one = unsqueeze(select(identity(m, reflections.dtype(), reflections.device()), 1, i), -1);
    return add(column(below, i), one);
  };
  const auto factor_of = [&](int64_t i) {
    const Tensor t = unsqueeze(column(tau, i), -1);
    return adjoint_q ? conj(t) : t;
  };
  const auto reflected = [](const Tensor& w, const Tensor& v, const Tensor& t) {
    return sub(w, mul(t, matmul(v, matmul(adjoint(v), w))));
  };
  // Reflections in the order in which they are applied: H_k first for Q, H_1 first for its adjoint.
  const auto at = [&](int64_t step) { return adjoint_q ? step : k - 1 - step; };
  std::vector<Tensor> before(static_cast<std::size_t>(k));
  Tensor w = start;
  for (int64_t step = 0; step < k; ++step) {
    before[std::size_t(step)] = w;
    if (step + 1 < k) w = reflected(w, vector_of(at(step)), factor_of(at(step)));
  }
  std::vector<Tensor> gv(static_cast<std::size_t>(n)), gt(static_cast<std::size_t>(k));
  for (int64_t step = k - 1; step >= 0; --step) {
    const int64_t i = at(step);
    const Tensor v = vector_of(i), t = factor_of(i), &input = before[std::size_t(step)];
    const Tensor vw = matmul(adjoint(v), input), vg = matmul(adjoint(v), g);
    const Tensor factor = squeeze(neg(matmul(vg, adjoint(vw))), -1);
    gt[std::size_t(i)] = adjoint_q ? conj(factor) : factor;
    gv[std::size_t(i)] = neg(add(mul(conj(t), matmul(g, adjoint(vw))), mul(t, matmul(input, matmul(adjoint(g), v)))));
    g = sub(g, mul(conj(t), matmul(v, vg)));
  }
  const Dims batch = batch_sizes(reflections);
  for (int64_t i = k; i < n; ++i)
    gv[std::size_t(i)] = make_zeros(with_sizes(batch, {m, 1}), reflections.dtype(), reflections.device());
  Gradients out;
  out.start = g;
  out.vectors =
      n > 0 ? tril(cat(gv, -1), -1) : make_zeros(reflections.sizes(), reflections.dtype(), reflections.device());
  out.tau = k > 0 ? cat(gt, -1) : make_zeros(tau.sizes(), tau.dtype(), tau.device());
  return out;
}

}  // namespace

struct LinalgHouseholderProduct {
  static constexpr Schema schema = "linalg_householder_product(Tensor input, Tensor tau) -> Tensor";
  static constexpr Doc doc =
      "The first columns of a product of Householder reflections, which are the columns of input.";
  static Tensor call(const Tensor& input, const Tensor& tau) {
    constexpr const char* function = "torch.linalg.householder_product";
    HWARO_CHECK(input.dim() >= 2, function, ": input must have at least 2 dimensions.");
    HWARO_CHECK(input.size(-2) >= input.size(-1), function,
                ": input.shape[-2] must be greater than or equal to input.shape[-1]");
    HWARO_CHECK(input.size(-1) >= tau.size(-1), function,
                ": input.shape[-1] must be greater than or equal to tau.shape[-1]");
    HWARO_CHECK(input.dim() - tau.dim() == 1, function,
                ": Expected tau to have one dimension less than input, but got tau.ndim equal to ", tau.dim(),
                " and input.ndim is equal to ", input.dim());
    HWARO_CHECK(batch_sizes(input) == batch_sizes(tau, 1), function,
                ": Expected batch dimensions of tau to be equal to input.shape[:-2], but got ",
                sizes_str(batch_sizes(tau, 1)));
    HWARO_CHECK(tau.dtype() == input.dtype(), function, ": tau dtype ", scalar_type_name(tau.dtype()),
                " does not match input dtype ", scalar_type_name(input.dtype()));
    Tensor out;
    {
      NoGradGuard guard;
      out = column_copy(input);
      if (!input.device().is_meta() && input.numel() > 0) {
        const Matrices m(out);
        const Tensor factors = dense(tau);
        const int64_t k = tau.size(-1);
        for (int64_t i = 0; i < m.count; ++i)
          lapack().orgqr(out.dtype(), m.rows, m.cols, int(k), block_of(out, i, int64_t(m.rows) * m.cols), m.rows,
                         block_of(factors, i, k));
      }
    }
    if (recording(input, tau))
      record("LinalgHouseholderProductBackward0", {input, tau}, out, {save(input), save(tau)}, [](Backward& b) {
        const Tensor a = b.saved(0), t = b.saved(1);
        const Tensor one = identity(a.size(-2), a.dtype(), a.device());
        const Tensor start = expand(narrow(one, -1, 0, a.size(-1)), a.sizes());
        const Gradients g = reflect_gradients(a, t, start, b.g(), false);
        b.set(0, g.vectors);
        b.set(1, g.tau);
      });
    return out;
  }
};

struct Orgqr {
  static constexpr Schema schema = "orgqr(Tensor self, Tensor input2) -> Tensor";
  static constexpr Doc doc = "linalg.householder_product.";
  static Tensor call(const Tensor& self, const Tensor& tau) { return LinalgHouseholderProduct::call(self, tau); }
};

struct Ormqr {
  static constexpr Schema schema =
      "ormqr(Tensor self, Tensor input2, Tensor input3, bool left=True, bool transpose=False) -> Tensor";
  static constexpr Doc doc =
      "A matrix (input3) times the product Q of the reflections in self and input2, or times its adjoint.";
  static Tensor call(const Tensor& input, const Tensor& tau, const Tensor& other, bool left, bool transposed) {
    constexpr const char* f = "torch.ormqr: ";
    HWARO_CHECK(input.dim() >= 2, f, "input must have at least 2 dimensions.");
    HWARO_CHECK(other.dim() >= 2, f, "other must have at least 2 dimensions.");
    const int side = left ? -2 : -1;
    HWARO_CHECK(other.size(side) == input.size(-2), f, "other.shape[", side, "] must be equal to input.shape[-2]");
    const int64_t least = other.size(side) < input.size(-1) ? other.size(side) : input.size(-1);
    HWARO_CHECK(tau.size(-1) == least, f, "tau.shape[-1] must be equal to min(other.shape[", side,
                "], input.shape[-1])");
    HWARO_CHECK(input.dim() - tau.dim() == 1, f,
                "Expected tau to have one dimension less than input, but got tau.ndim equal to ", tau.dim(),
                " and input.ndim is equal to ", input.dim());
    HWARO_CHECK(input.dim() == other.dim(), f,
                "Expected other to have the same number of dimensions as input, but got other.ndim equal to ",
                other.dim(), " and input.ndim is equal to ", input.dim());
    HWARO_CHECK(batch_sizes(input) == batch_sizes(tau, 1), f,
                "Expected batch dimensions of tau to be equal to input.shape[:-2], but got ",
                sizes_str(batch_sizes(tau, 1)));
    HWARO_CHECK(batch_sizes(input) == batch_sizes(other), f,
                "Expected batch dimensions of other to be equal to input.shape[:-2], but got ",
                sizes_str(batch_sizes(other)));
    HWARO_CHECK(tau.dtype() == input.dtype(), f, "Expected input and tau to have the same dtype, but input has dtype",
                scalar_type_name(input.dtype()), " and tau has dtype ", scalar_type_name(tau.dtype()));
    HWARO_CHECK(other.dtype() == input.dtype(), f,
                "Expected input and other to have the same dtype, but input has dtype", scalar_type_name(input.dtype()),
                " and other has dtype ", scalar_type_name(other.dtype()));
    Tensor out;
    {
      NoGradGuard guard;
      out = column_copy(other);
      if (!out.device().is_meta() && out.numel() > 0 && tau.size(-1) > 0) {
        const Matrices m(out), a(input);
        const Tensor reflections = column_copy(input), factors = dense(tau);
        for (int64_t i = 0; i < m.count; ++i)
          lapack().ormqr(out.dtype(), left ? 'L' : 'R', transposed, m.rows, m.cols, int(tau.size(-1)),
                         block_of(reflections, i, int64_t(a.rows) * a.cols), a.rows, block_of(factors, i, tau.size(-1)),
                         block_of(out, i, int64_t(m.rows) * m.cols), m.rows);
      }
    }
    if (recording(input, tau, other))
      record("OrmqrBackward0", {input, tau, other}, out, {save(input), save(tau), save(other)},
             [left, transposed](Backward& b) {
               // C Q is the adjoint of Q^H C^H.
               const Tensor c = b.saved(2);
               const Gradients g = reflect_gradients(b.saved(0), b.saved(1), left ? c : adjoint(c),
                                                     left ? b.g() : adjoint(b.g()), left == transposed);
               b.set(0, g.vectors);
               b.set(1, g.tau);
               b.set(2, left ? g.start : adjoint(g.start));
             });
    return out;
  }
};

}  // namespace hwaro::engine

#include "families/lapack_reflections.inc"
