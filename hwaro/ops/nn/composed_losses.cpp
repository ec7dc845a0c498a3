// Losses and normalisations made of other operators. `reduction` is 'none', 'mean' or 'sum'.
#include <numbers>

#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/nn/reduction.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

Tensor clamp_min(const Operand& self, const Scalar& min);
Tensor log_sigmoid(const Operand& self);
Tensor rsub(const Operand& self, const Operand& other, const Scalar& alpha = 1);
Tensor mean(const Tensor& self, std::optional<DType> dtype);
Tensor masked_fill(const Tensor& self, const Tensor& mask, const Scalar& value);
Tensor pairwise_distance(const Tensor& x1, const Tensor& x2, double p, double eps, bool keepdim);
Tensor linalg_vector_norm(const Tensor& self, const Scalar& ord, OptIntSpan dim, bool keepdim, OptDType dtype);
std::tuple<Tensor, Tensor> _ctc_loss(const Tensor& log_probs, const Tensor& targets, IntSpan input_lengths,
                                     IntSpan target_lengths, std::int64_t blank, bool zero_infinity);

using std::int64_t;

namespace {

Tensor zero_of(const Tensor& t) { return make_zeros({}, t.dtype(), t.device()); }

Tensor sum_last(const Tensor& t, int64_t dim) { return sum(t, IntSpan(&dim, 1)); }

}  // namespace

struct PoissonNllLoss {
  static constexpr Schema schema =
      "poisson_nll_loss(Tensor input, Tensor target, bool log_input=True, bool full=False, float eps=1e-08, str "
      "reduction='mean') -> Tensor";
  static constexpr Doc doc =
      "The negative log likelihood of Poisson counts; full adds Stirling's approximation for targets above one.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input, const Tensor& target, bool log_input, bool full, double eps,
                     std::string_view reduction) {
    reduction_of(reduction);
    Tensor loss = log_input ? sub(exp(input), mul(target, input)) : sub(input, mul(target, log(add(input, eps))));
    if (full) {
      const Tensor stirling =
          add(sub(mul(target, log(target)), target), mul(log(mul(target, 2 * std::numbers::pi)), 0.5));
      loss = add(loss, masked_fill(stirling, le(target, 1), 0));
    }
    return reduce_loss(loss, reduction_of(reduction));
  }
};

struct HingeEmbeddingLoss {
  static constexpr Schema schema =
      "hinge_embedding_loss(Tensor input, Tensor target, float margin=1.0, str reduction='mean') -> Tensor";
  static constexpr Doc doc = "The input where target is 1, max(0, margin - input) where it is -1.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input, const Tensor& target, double margin, std::string_view reduction) {
    const Tensor zero = zero_of(input);
    const Tensor loss =
        add(where(ne(target, 1), clamp_min(rsub(input, margin), 0), zero), where(ne(target, -1), input, zero));
    return reduce_loss(loss, reduction_of(reduction));
  }
};

struct MultilabelSoftMarginLoss {
  static constexpr Schema schema =
      "multilabel_soft_margin_loss(Tensor input, Tensor target, Tensor? weight=None, str reduction='mean') -> Tensor";
  static constexpr Doc doc = "The mean over the last dimension of the logistic loss of each label.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input, const Tensor& target, const Tensor& weight, std::string_view reduction) {
    Tensor loss = neg(add(mul(target, log_sigmoid(input)), mul(rsub(target, 1), log_sigmoid(neg(input)))));
    if (weight.defined()) loss = mul(loss, weight);
    HWARO_CHECK_AS(IndexError, input.dim() > 0, "Dimension specified as -1 but tensor has no dimensions");
    loss = div(sum_last(loss, -1), input.sizes()[input.dim() - 1]);
    HWARO_CHECK_AS(ValueError, reduction == "none" || reduction == "mean" || reduction == "sum", reduction,
                   " is not valid");
    return reduce_loss(loss, reduction_of(reduction));
  }
};

struct CosineEmbeddingLoss {
  static constexpr Schema schema =
      "cosine_embedding_loss(Tensor input1, Tensor input2, Tensor target, float margin=0.0, str reduction='mean') -> "
      "Tensor";
  static constexpr Doc doc =
      "1 - cos where target is 1, max(0, cos - margin) where it is -1; inputs (N, D) or (D), target (N) or ().";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input1, const Tensor& input2, const Tensor& target, double margin,
                     std::string_view reduction) {
    const int64_t dim = target.dim();
    HWARO_CHECK(dim <= 1, "0D or 1D target tensor expected, multi-target not supported");
    HWARO_CHECK(input1.dim() == dim + 1 && input2.dim() == dim + 1, dim, "D target tensor expects ", dim + 1,
                "D input tensors, but found inputs with sizes ", sizes_str(input1.sizes()), " and ",
                sizes_str(input2.sizes()), '.');
    const double small = 1e-12;
    const Tensor product = sum_last(mul(input1, input2), dim);
    const Tensor lengths =
        mul(add(sum_last(mul(input1, input1), dim), small), add(sum_last(mul(input2, input2), dim), small));
    const Tensor cosine = div(product, sqrt(lengths));
    const Tensor zero = make_zeros(cosine.sizes(), cosine.dtype(), cosine.device());
    const Tensor loss = add(where(eq(target, 1), rsub(cosine, 1), zero),
                            where(eq(target, -1), clamp_min(sub(cosine, margin), 0), zero));
    return reduce_loss(loss, reduction_of(reduction));
  }
};

struct TripletMarginLoss {
  static constexpr Schema schema =
      "triplet_margin_loss(Tensor anchor, Tensor positive, Tensor negative, float margin=1.0, float p=2.0, float "
      "eps=1e-06, bool swap=False, str reduction='mean') -> Tensor";
  static constexpr Doc doc =
      "max(0, |a - p| - |a - n| + margin) with p-norms along the last dimension; swap takes |p - n| where smaller.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& anchor, const Tensor& positive, const Tensor& negative, double margin, double p,
                     double eps, bool swap, std::string_view reduction) {
    HWARO_CHECK(anchor.dim() == positive.dim() && positive.dim() == negative.dim(),
                "The anchor, positive, and negative tensors are expected to have the same number of dimensions, but "
                "got: anchor ",
                anchor.dim(), "D, positive ", positive.dim(), "D, and negative ", negative.dim(), "D inputs");
    const Tensor near = pairwise_distance(anchor, positive, p, eps, false);
    Tensor far = pairwise_distance(anchor, negative, p, eps, false);
    if (swap) far = minimum(far, pairwise_distance(positive, negative, p, eps, false));
    return reduce_loss(clamp_min(sub(add(near, margin), far), 0), reduction_of(reduction));
  }
};

struct CtcLossReduced {
  static constexpr Schema schema =
      "ctc_loss(Tensor log_probs, Tensor targets, int[] input_lengths, int[] target_lengths, int blank=0, str "
      "reduction='mean', bool zero_infinity=False) -> Tensor";
  static constexpr Doc doc =
      "Connectionist temporal classification (Graves et al., 2006): log_probs (T, N, C) or (T, C), targets (N, S), "
      "(sum of lengths) or (S); 'mean' divides each loss by its target's length first.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& log_probs, const Tensor& targets, IntSpan input_lengths, IntSpan target_lengths,
                     int64_t blank, std::string_view reduction, bool zero_infinity) {
    const Reduction r = reduction_of(reduction);
    const bool single = log_probs.dim() == 2;
    const Tensor probs = single ? unsqueeze(log_probs, 1) : log_probs;
    const Tensor labels = single && targets.dim() == 1 ? unsqueeze(targets, 0) : targets;
    Tensor loss =
        std::get<0>(_ctc_loss(probs, to_dtype(labels, kInt64), input_lengths, target_lengths, blank, zero_infinity));
    if (zero_infinity) loss = where(eq(loss, std::numeric_limits<double>::infinity()), zero_of(loss), loss);
    if (r == Reduction::Sum) return sum_all(loss);
    if (r == Reduction::None) return single ? squeeze(loss, 0) : loss;
    const Tensor lengths = make_tensor({int64_t(target_lengths.size())}, kFloat64);
    for (std::size_t i = 0; i < target_lengths.size(); ++i)
      lengths->write_as<double>()[i] = double(target_lengths[i] > 1 ? target_lengths[i] : 1);
    const Tensor per_label = loss.device().is_meta() ? make_tensor(lengths.sizes(), loss.dtype(), loss.device())
                                                     : to_dtype(lengths, loss.dtype());
    return mean(div(loss, per_label), OptDType());
  }
};

struct Normalize {
  static constexpr Schema schema = "normalize(Tensor input, Scalar p=2.0, int[1] dim=1, float eps=1e-12) -> Tensor";
  static constexpr Doc doc = "The input divided by its p-norm along dim, which counts as at least eps.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input, const Scalar& p, IntSpan dim, double eps) {
    const Tensor norm = linalg_vector_norm(input, p, dim, true, std::nullopt);
    return div(input, expand(clamp_min(norm, eps), input.sizes()));
  }
};

}  // namespace hwaro::engine

#include "families/composed_losses.inc"
