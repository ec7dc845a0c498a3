// Scaled dot-product attention (Vaswani et al., 2017): softmax(q k^T * scale + mask) v.
//
// The products run per head on matrices that stay in cache; the probabilities are kept for backward.
#include <cmath>
#include <limits>

#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

Tensor softmax(const Tensor& self, std::int64_t dim, OptDType dtype);
Tensor dropout(const Tensor& input, double p, bool train);

namespace {

// 0 where a query may look, -inf where it may not: query i sees keys 0 … i.
Tensor causal_mask(int64_t queries, int64_t keys, DType dtype) {
  const Tensor mask = make_zeros({queries, keys}, DType::Double);
  double* p = mask->write_as<double>();
  for (int64_t i = 0; i < queries; ++i)
    for (int64_t k = i + 1; k < keys; ++k) p[i * keys + k] = -std::numeric_limits<double>::infinity();
  return dense_as(mask, dtype);
}

Tensor repeat_heads(const Tensor& t, int64_t heads) {
  const int64_t dim = t.dim() - 3, own = t.sizes()[dim];
  if (own == heads) return t;
  HWARO_CHECK(heads % own == 0, "Number of heads in key and value must divide the number of heads in query");
  Dims wide(t.sizes());
  wide.insert(std::size_t(dim) + 1, heads / own);
  Dims out(t.sizes());
  out[dim] = heads;
  return reshape(expand(unsqueeze(t, dim + 1), wide), out);
}

}  // namespace

struct ScaledDotProductAttention {
  static constexpr Schema schema =
      "scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, float "
      "dropout_p=0.0, "
      "bool is_causal=False, *, float? scale=None, bool enable_gqa=False) -> Tensor";
  static constexpr Doc doc = "Attention of query (…, L, E) to key (…, S, E) and value (…, S, Ev).";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& query, const Tensor& key_in, const Tensor& value_in, const Tensor& mask,
                     double dropout_p, bool is_causal, std::optional<double> scale, bool enable_gqa) {
    HWARO_CHECK(query.dtype() == key_in.dtype() && query.dtype() == value_in.dtype(),
                "Expected query, key, and value to have the same dtype, but got query.dtype: ", name_of(query.dtype()),
                " key.dtype: ", name_of(key_in.dtype()), " and value.dtype: ", name_of(value_in.dtype()), " instead.");
    HWARO_CHECK(query.dim() >= 2 && key_in.dim() >= 2 && value_in.dim() >= 2,
                "Expected query, key, and value to all be  at least 2 dimensional, but got query.dim: ", query.dim(),
                ", key.dim: ", key_in.dim(), " and value.dim: ", value_in.dim(), " instead.");
    HWARO_CHECK(!(is_causal && mask.defined()),
                "_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True");
    Tensor key = key_in, value = value_in;
    if (enable_gqa)
      key = repeat_heads(key, query.sizes()[query.dim() - 3]),
      value = repeat_heads(value, query.sizes()[query.dim() - 3]);
    const double factor = scale.value_or(1 / std::sqrt(double(query.sizes().back())));
    Tensor scores = matmul(mul(query, factor), transpose(key, -2, -1));
    if (is_causal)
      scores = add(scores, causal_mask(query.sizes()[query.dim() - 2], key.sizes()[key.dim() - 2], query.dtype()));
    if (mask.defined()) {
      if (mask.dtype() == DType::Bool) scores = where(mask, scores, -std::numeric_limits<double>::infinity());
      else scores = add(scores, mask);
    }
    Tensor weights = softmax(scores, -1, std::nullopt);
    // A query that may look nowhere gets zeros, not NaN.
    if (mask.defined() && mask.dtype() == DType::Bool) weights = where(isnan(weights), 0, weights);
    if (dropout_p > 0) weights = dropout(weights, dropout_p, true);
    return matmul(weights, value);
  }
};

}  // namespace hwaro::engine

#include "families/attention.inc"
