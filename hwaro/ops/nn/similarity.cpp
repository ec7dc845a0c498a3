// Distances and similarities of vectors, and the bilinear layer.
#include <cmath>

#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/vector_norm.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

// The p-norm over one dimension, recorded under the name it has in PyTorch's own compositions.
Tensor norm_of(const Tensor& x, double p, int64_t dim, bool keepdim) {
  Tensor out;
  {
    NoGradGuard guard;
    out = linalg_vector_norm(x, p, IntSpan(&dim, 1), keepdim);
  }
  if (recording(x))
    record("NormBackward1", {x}, out, {save(x), save_output(out)}, [p, dim, keepdim](Backward& b) {
      const Tensor x = b.saved(0), g = keepdim ? b.g() : unsqueeze(b.g(), dim),
                   n = keepdim ? b.saved(1) : unsqueeze(b.saved(1), dim);
      const Tensor safe = where(eq(n, 0), 1, n);  // the gradient at zero is zero
      if (p == 0) return b.set(0, make_zeros(x.sizes(), x.dtype(), x.device()));
      if (p == 1) return b.set(0, mul(sgn(x), g));
      if (p == 2) return b.set(0, where(eq(n, 0), 0, mul(x, div(g, safe))));
      if (std::isinf(p)) {
        const Tensor hit = to_dtype(eq(abs(x), n), x.dtype());
        return b.set(0, mul(sgn(x), mul(div(hit, sum(hit, IntSpan(&dim, 1), true)), g)));
      }
      const Tensor power = where(eq(x, 0), 0, pow(where(eq(x, 0), 1, abs(x)), p - 1));
      b.set(0, where(eq(n, 0), 0, mul(mul(sgn(x), power), div(g, pow(safe, p - 1)))));
    });
  return out;
}

// t + number, recorded as AddBackward1: what PyTorch's C++ code gives where Python gives AddBackward0.
Tensor add_scalar(const Tensor& t, double number) {
  Tensor out;
  {
    NoGradGuard guard;
    out = add(t, number);
  }
  if (recording(t)) record("AddBackward1", {t}, out, {}, [](Backward& b) { b.set(0, b.g()); });
  return out;
}

}  // namespace

struct PairwiseDistance {
  static constexpr Schema schema =
      "pairwise_distance(Tensor x1, Tensor x2, float p=2.0, float eps=1e-06, bool keepdim=False) -> Tensor";
  static constexpr Doc doc = "The p-norm of x1 - x2 + eps over the last dimension.";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& x1, const Tensor& x2, double p, double eps, bool keepdim) {
    const int64_t last = (x1.dim() > x2.dim() ? x1.dim() : x2.dim()) - 1;
    return norm_of(add_scalar(sub(x1, x2), eps), p, last, keepdim);
  }
};

struct CosineSimilarity {
  static constexpr Schema schema = "cosine_similarity(Tensor x1, Tensor x2, int dim=1, float eps=1e-08) -> Tensor";
  static constexpr Doc doc = "x1 . x2 / (max(|x1|, eps) max(|x2|, eps)) along dim.";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& x1, const Tensor& x2, int64_t dim, double eps) {
    const DType type = promote_types(x1.dtype(), x2.dtype());
    HWARO_CHECK(is_floating(type), "expected common dtype to be floating point, yet common dtype is ",
                scalar_type_name(type));
    Dims shape(x1.sizes());
    broadcast_into(shape, x2.sizes());
    const auto wide = [&](const Tensor& t) {
      const Tensor own = to_dtype(t, type);
      return own.sizes() == IntSpan(shape) ? own : expand(own, shape);
    };
    const Tensor a = wide(x1), b = wide(x2), least = make_full({}, eps, type, a.device());
    const Tensor na = maximum(linalg_vector_norm(a, 2, IntSpan(&dim, 1), true), least);
    const Tensor nb = maximum(linalg_vector_norm(b, 2, IntSpan(&dim, 1), true), least);
    return sum(mul(div(a, na), div(b, nb)), IntSpan(&dim, 1));
  }
};

// ---- bilinear ----

namespace {

// out[n, o] = sum over i, j of a[n, i] w[o, i, j] b[n, j].
Tensor trilinear(const Tensor& a, const Tensor& w, const Tensor& b) {
  const int64_t n = a.size(0), outputs = w.size(0), i = w.size(1), j = w.size(2), two = 2;
  // (n, O J) = a @ w as (I, O J); the sum over j follows.
  const auto against = [=](const Tensor& x, const Tensor& weight, int64_t from, int64_t to) {
    return reshape(mm(x, reshape(permute(weight, {1, 0, 2}), {from, outputs * to})), {n, outputs, to});
  };
  Tensor out;
  {
    NoGradGuard guard;
    out = sum(mul(against(a, w, i, j), unsqueeze(b, 1)), IntSpan(&two, 1), false, a.dtype());
  }
  if (recording(a, w, b))
    record("TrilinearBackward0", {a, w, b}, out, {save(a), save(w), save(b)}, [=](Backward& back) {
      const Tensor x1 = back.saved(0), weight = back.saved(1), x2 = back.saved(2), g = unsqueeze(back.g(), 2);
      const int64_t one = 1;
      if (back.needs(0)) back.set(0, sum(mul(against(x2, transpose(weight, 1, 2), j, i), g), IntSpan(&one, 1)));
      if (back.needs(1))
        back.set(1, reshape(mm(t(reshape(mul(g, unsqueeze(x1, 1)), {n, outputs * i})), x2), {outputs, i, j}));
      if (back.needs(2)) back.set(2, sum(mul(against(x1, weight, i, j), g), IntSpan(&one, 1)));
    });
  return out;
}

}  // namespace

struct Bilinear {
  static constexpr Schema schema = "bilinear(Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None) -> Tensor";
  static constexpr Doc doc = "x1^T W_o x2 + bias_o for each output o: inputs (*, I) and (*, J), weight (O, I, J).";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& x1, const Tensor& x2, const Tensor& weight, const Tensor& bias) {
    HWARO_CHECK(x1.dim() == x2.dim(), "bilinear(): input dimensions do not match: got ", x1.dim(), " and ", x2.dim());
    HWARO_CHECK(x1.dim() > 0 && weight.dim() == 3, "bilinear(): inputs need at least one dimension and weight three");
    for (int d = 0; d + 1 < x1.dim(); ++d)
      HWARO_CHECK(x1.sizes()[d] == x2.sizes()[d], "bilinear(): input batch dimensions do not match at dim ", d,
                  ": got ", x1.sizes()[d], " and ", x2.sizes()[d]);
    HWARO_CHECK(x1.size(-1) == weight.size(1), "bilinear(): input1 size does not match weight size: got ", x1.size(-1),
                " but expected ", weight.size(1));
    HWARO_CHECK(x2.size(-1) == weight.size(2), "bilinear(): input2 size does not match weight size: got ", x2.size(-1),
                " but expected ", weight.size(2));
    HWARO_CHECK(!bias.defined() || (bias.dim() == 1 && bias.size(0) == weight.size(0)),
                "bilinear(): bias size does not match weight size: got ",
                bias.defined() && bias.dim() > 0 ? bias.size(0) : 0, " but expected ", weight.size(0));
    Dims shape(x1.sizes());
    shape.pop_back();
    const int64_t n = product(shape);
    shape.push_back(weight.size(0));
    const Tensor out = view(trilinear(reshape(x1, {n, x1.size(-1)}), weight, reshape(x2, {n, x2.size(-1)})), shape);
    return bias.defined() ? add(out, bias) : out;
  }
};

}  // namespace hwaro::engine

#include "families/similarity.inc"
