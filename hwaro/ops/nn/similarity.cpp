// Distances and similarities of vectors, and the bilinear layer.
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

Tensor linalg_vector_norm(const Tensor& self, const Scalar& ord, std::optional<IntSpan> dim, bool keepdim,
                          std::optional<DType> dtype);

using std::int64_t;

struct PairwiseDistance {
  static constexpr Schema schema =
      "pairwise_distance(Tensor x1, Tensor x2, float p=2.0, float eps=1e-06, bool keepdim=False) -> Tensor";
  static constexpr Doc doc = "The p-norm of x1 - x2 + eps over the last dimension.";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& x1, const Tensor& x2, double p, double eps, bool keepdim) {
    const int64_t last = (x1.dim() > x2.dim() ? x1.dim() : x2.dim()) - 1;
    return linalg_vector_norm(add(sub(x1, x2), eps), p, IntSpan({last}), keepdim, std::nullopt);
  }
};

struct CosineSimilarity {
  static constexpr Schema schema = "cosine_similarity(Tensor x1, Tensor x2, int dim=1, float eps=1e-08) -> Tensor";
  static constexpr Doc doc = "x1 . x2 / (max(|x1|, eps) max(|x2|, eps)) along dim.";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& x1, const Tensor& x2, int64_t dim, double eps) {
    HWARO_CHECK(is_floating(x1.dtype()) && is_floating(x2.dtype()),
                "expected common dtype to be floating point, yet common dtype is ",
                scalar_type_name(promote_types(x1.dtype(), x2.dtype())));
    Dims shape(x1.sizes());
    broadcast_into(shape, x2.sizes());
    const DType type = promote_types(x1.dtype(), x2.dtype());
    const Tensor a = expand(to_dtype(x1, type), shape), b = expand(to_dtype(x2, type), shape),
                 least = make_full({}, eps, type);
    const Tensor na = maximum(linalg_vector_norm(a, 2, IntSpan({dim}), true, std::nullopt), least);
    const Tensor nb = maximum(linalg_vector_norm(b, 2, IntSpan({dim}), true, std::nullopt), least);
    return sum(mul(div(a, na), div(b, nb)), IntSpan({dim}));
  }
};

struct Bilinear {
  static constexpr Schema schema = "bilinear(Tensor input1, Tensor input2, Tensor weight, Tensor? bias=None) -> Tensor";
  static constexpr Doc doc = "x1^T W_o x2 + bias_o for each output o: inputs (…, I) and (…, J), weight (O, I, J).";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& x1, const Tensor& x2, const Tensor& weight, const Tensor& bias) {
    HWARO_CHECK(x1.dim() == x2.dim(), "bilinear(): input dimensions do not match: got ", x1.dim(), " and ", x2.dim());
    HWARO_CHECK(weight.dim() == 3 && x1.sizes().back() == weight.sizes()[1],
                "bilinear(): input1 size does not match weight size: got ", x1.sizes().back(), " but expected ",
                weight.dim() == 3 ? weight.sizes()[1] : 0);
    HWARO_CHECK(x2.sizes().back() == weight.sizes()[2], "bilinear(): input2 size does not match weight size: got ",
                x2.sizes().back(), " but expected ", weight.sizes()[2]);
    const int64_t outputs = weight.sizes()[0], i = weight.sizes()[1], j = weight.sizes()[2];
    const Tensor a = reshape(x1, {-1, i}), b = reshape(x2, {-1, j});
    // (n, O, J) = a (n, I) times W as (I, O J), then the sum against b.
    const Tensor left =
        reshape(mm(a, reshape(permute(weight, {1, 0, 2}), {i, outputs * j})), {a.sizes()[0], outputs, j});
    Tensor out = sum(mul(left, unsqueeze(b, 1)), IntSpan({2}));
    if (bias.defined()) out = add(out, bias);
    Dims shape(x1.sizes());
    shape.back() = outputs;
    return reshape(out, shape);
  }
};

}  // namespace hwaro::engine

#include "families/similarity.inc"
