// Distances between all pairs of rows of two batches of matrices.
// Up to 25 rows, and for p != 2, every pair is summed directly; larger Euclidean distances come from one product,
// |a|^2 - 2 a.b + |b|^2, which is what PyTorch does with the same border (it shows in grad_fn and in the last bits).
#include <cmath>

#include "hwaro/base/parallel.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/linalg/products.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/index_dim.h"

namespace hwaro::engine {

using std::int64_t;

template <class T>
static T pair_distance(const T* a, const T* b, int64_t n, double p) {
  T sum = 0;
  if (p == 2) {
    for (int64_t i = 0; i < n; ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return std::sqrt(sum);
  }
  if (p == 1) {
    for (int64_t i = 0; i < n; ++i) sum += std::abs(a[i] - b[i]);
    return sum;
  }
  if (p == 0) {
    for (int64_t i = 0; i < n; ++i) sum += a[i] != b[i] ? T(1) : T(0);
    return sum;
  }
  if (std::isinf(p)) {
    for (int64_t i = 0; i < n; ++i) {
      const T d = std::abs(a[i] - b[i]);
      if (d > sum || d != d) sum = d;
    }
    return sum;
  }
  for (int64_t i = 0; i < n; ++i) sum += std::pow(std::abs(a[i] - b[i]), T(p));
  return std::pow(sum, T(1 / p));
}

// For differences a - b of pairs (..., M), their distances (..., 1) and the gradients of those: the gradients of the
// differences. In terms of recorded operators.
static Tensor pair_gradient(const Tensor& gs, const Tensor& diff, const Tensor& ds, double p) {
  if (p == 0) return make_zeros(diff.sizes(), diff.dtype(), diff.device());
  if (p == 1) return mul(sgn(diff), gs);
  if (p == 2) return where(eq(ds, 0), 0, div(mul(gs, diff), where(eq(ds, 0), 1, ds)));
  if (std::isinf(p)) return mul(mul(sgn(diff), gs), to_dtype(eq(abs(diff), ds), diff.dtype()));
  const Tensor ratio = div(abs(diff), where(eq(ds, 0), 1, ds));
  const Tensor power = where(eq(diff, 0), 0, pow(where(eq(diff, 0), 1, ratio), p - 1));
  return mul(mul(sgn(diff), power), gs);
}

// The gradient of a.
static Tensor cdist_gradient(const Tensor& g, const Tensor& a, const Tensor& b, double p, const Tensor& distance) {
  if (p == 0) return make_zeros(a.sizes(), a.dtype(), a.device());
  const Tensor diff = sub(unsqueeze(a, -2), unsqueeze(b, -3));  // (..., P, R, M)
  const int64_t dim = -2;
  return sum(pair_gradient(unsqueeze(g, -1), diff, unsqueeze(distance, -1), p), IntSpan(&dim, 1));
}

// Rows of both operands under a common batch, which each of them is broadcast to.
struct PairShape {
  Dims a, b, out;  // (…, P, M), (…, R, M), (…, P, R)
  int64_t count;   // product of the batch
};

static Tensor widen(const Tensor& t, IntSpan sizes) { return t.sizes() == sizes ? t : expand(t, sizes); }

static Tensor cdist_direct(const Tensor& x1, const Tensor& x2, double p, const PairShape& s) {
  const Tensor out = make_tensor(s.out, x1.dtype(), x1.device());
  const int64_t P = x1.size(-2), R = x2.size(-2), M = x1.size(-1);
  if (!out.device().is_meta() && out.numel() > 0) {
    NoGradGuard guard;
    const Tensor a = dense(widen(x1, s.a)), b = dense(widen(x2, s.b));
    visit<bit(DType::Float) | bit(DType::Double)>(x1.dtype(), "cdist", [&](auto tag) {
      using T = typename decltype(tag)::type;
      const T* pa = a->read_as<T>();
      const T* pb = b->read_as<T>();
      T* po = out->write_as<T>();
      const int64_t grain = 1 + 32768 / (1 + R * M);
      parallel_for(out.numel() / R, grain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i)
          for (int64_t j = 0; j < R; ++j) po[i * R + j] = pair_distance(pa + i * M, pb + (i / P * R + j) * M, M, p);
      });
    });
  }
  if (recording(x1, x2))
    record("CdistBackward0", {x1, x2}, out, {save(x1), save(x2), save_output(out)}, [p, s](Backward& b) {
      const Tensor saved1 = b.saved(0), saved2 = b.saved(1), d = b.saved(2);
      const Tensor a1 = widen(saved1, s.a), a2 = widen(saved2, s.b);
      if (b.needs(0)) b.set(0, sum_to_size(cdist_gradient(b.g(), a1, a2, p, d), saved1.sizes()));
      if (b.needs(1))
        b.set(1,
              sum_to_size(cdist_gradient(transpose(b.g(), -1, -2), a2, a1, p, transpose(d, -1, -2)), saved2.sizes()));
    });
  return out;
}

// (batch, P, R)
static Tensor euclidean(const Tensor& x1, const Tensor& x2, const PairShape& s) {
  const int64_t P = x1.size(-2), R = x2.size(-2), M = x1.size(-1);
  const auto flat = [](const Tensor& t, IntSpan wide, int64_t count, int64_t rows, int64_t cols) {
    return reshape(widen(t, wide), {count, rows, cols});
  };
  Tensor out;
  {
    NoGradGuard guard;
    const int64_t dim = -1;
    const Tensor a = flat(x1, s.a, s.count, P, M), b = flat(x2, s.b, s.count, R, M);
    const Tensor n1 = sum(square(a), IntSpan(&dim, 1), true), n2 = sum(square(b), IntSpan(&dim, 1), true);
    const Tensor products = bmm(mul(a, -2), transpose(b, 1, 2));
    out = sqrt(maximum(add(add(products, n1), transpose(n2, 1, 2)), 0));
  }
  if (recording(x1, x2))
    record("EuclideanDistBackward0", {x1, x2}, out, {save(x1), save(x2), save_output(out)},
           [flat, s, P, R, M](Backward& b) {
             const Tensor saved1 = b.saved(0), saved2 = b.saved(1), d = b.saved(2);
             const Tensor a1 = flat(saved1, s.a, s.count, P, M), a2 = flat(saved2, s.b, s.count, R, M);
             const Tensor ratio = where(eq(d, 0), 0, div(b.g(), where(eq(d, 0), 1, d)));
             const int64_t last = -1, rows = -2;
             const auto back = [](const Tensor& g, IntSpan wide, IntSpan sizes) {
               return sum_to_size(reshape(g, wide), sizes);
             };
             if (b.needs(0))
               b.set(0, back(sub(mul(a1, sum(ratio, IntSpan(&last, 1), true)), bmm(ratio, a2)), s.a, saved1.sizes()));
             if (b.needs(1))
               b.set(1, back(sub(mul(a2, transpose(sum(ratio, IntSpan(&rows, 1), true), 1, 2)),
                                 bmm(transpose(ratio, 1, 2), a1)),
                             s.b, saved2.sizes()));
           });
  return out;
}

struct Cdist {
  static constexpr Schema schema = "cdist(Tensor x1, Tensor x2, float p=2., int? compute_mode=None) -> Tensor";
  static constexpr Doc doc = "p-norm distances between all pairs of rows of x1 (..., P, M) and x2 (..., R, M).";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& x1, const Tensor& x2, double p, std::optional<int64_t> mode) {
    HWARO_CHECK(x1.dim() >= 2, "cdist only supports at least 2D tensors, X1 got: ", x1.dim(), "D");
    HWARO_CHECK(x2.dim() >= 2, "cdist only supports at least 2D tensors, X2 got: ", x2.dim(), "D");
    HWARO_CHECK(x1.size(-1) == x2.size(-1), "X1 and X2 must have the same number of columns. X1: ", x1.size(-1),
                " X2: ", x2.size(-1));
    HWARO_CHECK(is_floating(x1.dtype()),
                "cdist only supports floating-point dtypes, X1 got: ", scalar_type_name(x1.dtype()));
    HWARO_CHECK(is_floating(x2.dtype()),
                "cdist only supports floating-point dtypes, X2 got: ", scalar_type_name(x2.dtype()));
    HWARO_CHECK(p >= 0, "cdist only supports non-negative p values");
    const int64_t choice = mode.value_or(0);
    HWARO_CHECK(choice >= 0 && choice <= 2, "possible modes: 0, 1, 2, but was: ", choice);
    const DType type = promote_types(x1.dtype(), x2.dtype());
    const Tensor a = to_dtype(x1, type), b = to_dtype(x2, type);
    const int64_t P = x1.size(-2), R = x2.size(-2), M = x1.size(-1);
    Dims batch(IntSpan(a.sizes().data(), std::size_t(a.dim() - 2)));
    broadcast_into(batch, IntSpan(b.sizes().data(), std::size_t(b.dim() - 2)));
    PairShape s{batch, batch, batch, product(batch)};
    s.a.push_back(P), s.a.push_back(M);
    s.b.push_back(R), s.b.push_back(M);
    s.out.push_back(P), s.out.push_back(R);
    if (p == 2 && M > 0 && P > 0 && R > 0 && (choice == 1 || (choice == 0 && (P > 25 || R > 25))))
      return view(euclidean(a, b, s), s.out);
    return cdist_direct(a, b, p, s);
  }
};

// The first and second rows of all pairs, as index vectors.
static std::pair<Tensor, Tensor> all_pairs(int64_t rows) {
  const int64_t count = rows * (rows - 1) / 2;
  const Tensor first = make_tensor({count}, DType::Int64), second = make_tensor({count}, DType::Int64);
  int64_t *a = first->write_as<int64_t>(), *b = second->write_as<int64_t>();
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = i + 1; j < rows; ++j) *a++ = i, *b++ = j;
  return {first, second};
}

struct Pdist {
  static constexpr Schema schema = "pdist(Tensor self, float p=2) -> Tensor";
  static constexpr Doc doc = "Distances in the p-norm between all pairs of rows (N, M), as a vector (N (N - 1) / 2).";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& self, double p) {
    HWARO_CHECK(self.dim() == 2, "pdist only supports 2D tensors, got: ", self.dim(), "D");
    HWARO_CHECK(is_floating(self.dtype()), "pdist only supports floating-point dtypes");
    HWARO_CHECK(p >= 0, "pdist only supports non-negative p values");
    const int64_t rows = self.sizes()[0], width = self.sizes()[1];
    const Tensor out = make_tensor({rows > 0 ? rows * (rows - 1) / 2 : 0}, self.dtype(), self.device());
    if (!self.device().is_meta()) {
      const Tensor x = dense(self);
      visit<bit(DType::Float) | bit(DType::Double)>(self.dtype(), "pdist", [&](auto tag) {
        using T = typename decltype(tag)::type;
        const T* from = x->read_as<T>();
        T* to = out->write_as<T>();
        parallel_for(rows, 1 + 32768 / (1 + rows * width), [&](int64_t begin, int64_t end) {
          for (int64_t i = begin; i < end; ++i) {
            T* row = to + i * (2 * rows - i - 1) / 2;
            for (int64_t j = i + 1; j < rows; ++j) *row++ = pair_distance(from + i * width, from + j * width, width, p);
          }
        });
      });
    }
    if (recording(self))
      record("PdistBackward0", {self}, out, {save(self), save_output(out)}, [p](Backward& b) {
        const Tensor x = b.saved(0), zeros = make_zeros(x.sizes(), x.dtype(), x.device());
        if (x.device().is_meta()) return b.set(0, zeros);
        const auto [first, second] = all_pairs(x.sizes()[0]);
        const Tensor diff = sub(index_select(x, 0, first), index_select(x, 0, second));
        const Tensor g = pair_gradient(unsqueeze(b.g(), -1), diff, unsqueeze(b.saved(1), -1), p);
        b.set(0, index_add(index_add(zeros, 0, first, g, 1), 0, second, g, -1));
      });
    return out;
  }
};

}  // namespace hwaro::engine

#include "families/distance.inc"
