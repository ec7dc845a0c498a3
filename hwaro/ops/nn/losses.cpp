// Losses element by element. `reduction` is 'none', 'mean' or 'sum', as in torch.nn.functional.
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/nn/reduction.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

Tensor _hardtanh(const Operand& self, const Scalar& min_val, const Scalar& max_val);
Tensor mean(const Tensor& self, std::optional<DType> dtype);
Tensor xlogy(const Operand& self, const Operand& other);

using std::int64_t;

Reduction reduction_of(std::string_view text) {
  if (text == "none") return Reduction::None;
  if (text == "mean") return Reduction::Mean;
  if (text == "sum") return Reduction::Sum;
  raise<ValueError>(text, " is not a valid value for reduction");
}

Tensor reduce_loss(const Tensor& loss, Reduction r) {
  if (r == Reduction::Mean) return mean(loss, OptDType());
  if (r == Reduction::Sum) return sum_all(loss);
  return loss;
}

namespace {

// PyTorch warns where input and target only fit by broadcasting.
void warn_broadcast(const Tensor& input, const Tensor& target) {
  if (input.sizes() != target.sizes())
    warn(concat(
        "Using a target size (torch.Size(", sizes_str(target.sizes()),
        ")) that is different to the input size (torch.Size(", sizes_str(input.sizes()),
        ")). This will likely lead to incorrect results due to broadcasting. Please ensure they have the same size."));
}

// PyTorch computes some losses in place of a target's or a result's copy, which must be able to hold them.
void check_holds(DType result, DType storage) {
  HWARO_CHECK(can_cast(result, storage), "result type ", scalar_type_name(result),
              " can't be cast to the desired output type ", scalar_type_name(storage));
}

// The gradient of a reduced loss, spread over its elements: g / count for the mean.
Tensor spread(const Tensor& g, Reduction r, int64_t count) { return r == Reduction::Mean ? div(g, double(count)) : g; }

// Targets may be bool here, where subtraction itself refuses them.
Tensor difference(const Tensor& input, const Tensor& target) {
  return sub(input, target.dtype() == DType::Bool ? to_dtype(target, input.dtype()) : target);
}

// A loss of input - target whose derivative is d(difference): recorded under `name`, differentiable twice through `d`.
// `as_input`: the result has the type of input, and only a target of that type gets a gradient through.
template <class F, class D>
Tensor difference_loss(const char* name, const char* kernel, const Tensor& input, const Tensor& target, Reduction r,
                       F f, D d, bool as_input = false) {
  const DType common = promote_types(input.dtype(), target.dtype()), type = as_input ? input.dtype() : common;
  if (common != type) check_holds(common, type);
  HWARO_CHECK_AS(NotImplementedError, is_floating(type), '"', kernel, "\" not implemented for '",
                 scalar_type_name(type), '\'');
  Tensor out;
  {
    NoGradGuard guard;
    out = reduce_loss(to_dtype(f(difference(input, target)), type), r);
  }
  if (!recording(input, target)) return out;
  record(name, {input, target}, out, {save(input), save(target)}, [r, d, as_input](Backward& b) {
    const Tensor x = b.saved(0), t = b.saved(1);
    HWARO_CHECK(!as_input || t.dtype() == x.dtype(), "Found dtype ", scalar_type_name(t.dtype()), " but expected ",
                scalar_type_name(x.dtype()));
    const Tensor by = difference(x, t), g = mul(spread(b.g(), r, by.numel()), d(by));
    if (b.needs(0)) b.set(0, to_dtype(sum_to_size(g, x.sizes()), x.dtype()));
    if (b.needs(1)) b.set(1, to_dtype(sum_to_size(neg(g), t.sizes()), t.dtype()));
  });
  return out;
}

// a * a / 2 up to the limit, then straight on, over divisor: with m = min(a, limit), m / divisor * (a - m / 2). Few
// passes and no branch; dividing first keeps large half-precision numbers in range.
Tensor limited_square(const Tensor& a, double limit, double divisor) {
  const Tensor m = _hardtanh(a, 0, limit);
  return mul(divisor == 1 ? m : div(m, divisor), sub(a, m, 0.5));
}

}  // namespace

struct MseLoss {
  static constexpr Schema schema = "mse_loss(Tensor input, Tensor target, str reduction='mean') -> Tensor";
  static constexpr Doc doc = "The squared difference.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input, const Tensor& target, std::string_view reduction) {
    const Reduction r = reduction_of(reduction);
    warn_broadcast(input, target);
    return difference_loss(
        "MseLossBackward0", "mse_cpu", input, target, r, [](const Tensor& d) { return square(d); },
        [](const Tensor& d) { return mul(d, 2); });
  }
};

struct L1Loss {
  static constexpr Schema schema = "l1_loss(Tensor input, Tensor target, str reduction='mean') -> Tensor";
  static constexpr Doc doc = "The absolute difference.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input, const Tensor& target, std::string_view reduction) {
    const Reduction r = reduction_of(reduction);
    warn_broadcast(input, target);
    return reduce_loss(abs(sub(input, target)), r);
  }
};

struct SmoothL1Loss {
  static constexpr Schema schema =
      "smooth_l1_loss(Tensor input, Tensor target, str reduction='mean', float beta=1.0) -> Tensor";
  static constexpr Doc doc = "Quadratic below beta, linear above (Girshick, Fast R-CNN, 2015).";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input, const Tensor& target, std::string_view reduction, double beta) {
    const Reduction r = reduction_of(reduction);
    HWARO_CHECK(beta >= 0, "smooth_l1_loss does not support negative values for beta.");
    if (beta == 0) return L1Loss::call(input, target, reduction);
    warn_broadcast(input, target);
    return difference_loss(
        "SmoothL1LossBackward0", "smooth_l1_cpu", input, target, r,
        [beta](const Tensor& d) { return limited_square(abs(d), beta, beta); },
        [beta](const Tensor& d) { return beta == 1 ? _hardtanh(d, -1, 1) : div(_hardtanh(d, -beta, beta), beta); });
  }
};

struct HuberLoss {
  static constexpr Schema schema =
      "huber_loss(Tensor input, Tensor target, str reduction='mean', float delta=1.0, Tensor? weight=None) -> Tensor";
  static constexpr Doc doc = "Half the square below delta, linear above (Huber, 1964).";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input, const Tensor& target, std::string_view reduction, double delta,
                     const Tensor& weight) {
    HWARO_CHECK(delta > 0, "huber_loss does not support non-positive values for delta.");
    const Reduction r = reduction_of(reduction);
    warn_broadcast(input, target);
    const auto loss = [&](Reduction reduction) {
      return difference_loss(
          "HuberLossBackward0", "huber_cpu", input, target, reduction,
          [delta](const Tensor& d) { return limited_square(abs(d), delta, 1); },
          [delta](const Tensor& d) { return _hardtanh(d, -delta, delta); }, true);
    };
    return weight.defined() ? reduce_loss(mul(weight, loss(Reduction::None)), r) : loss(r);
  }
};

struct KlDiv {
  static constexpr Schema schema =
      "kl_div(Tensor input, Tensor target, str reduction='mean', bool log_target=False) -> Tensor";
  static constexpr Doc doc = "The Kullback-Leibler divergence of target from exp(input).";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input, const Tensor& target, std::string_view reduction, bool log_target) {
    HWARO_CHECK(!is_integral(input.dtype(), true) && !is_integral(target.dtype(), true),
                "kl_div: Integral inputs not supported.");
    HWARO_CHECK(!is_complex(input.dtype()) && !is_complex(target.dtype()), "kl_div: Complex inputs not supported.");
    const bool batch = reduction == "batchmean";
    if (reduction == "mean")
      warn(
          "reduction: 'mean' divides the total loss by both the batch size and the support size.'batchmean' divides "
          "only by the batch "
          "size, and aligns with the KL div math definition.'mean' will be changed to behave the same as 'batchmean' "
          "in the next major "
          "release.");
    const Tensor loss =
        log_target ? mul(exp(target), sub(target, input)) : sub(xlogy(target, target), mul(target, input));
    if (batch) return input.dim() == 0 ? sum_all(loss) : div(sum_all(loss), double(input.sizes()[0]));
    return reduce_loss(loss, reduction_of(reduction));
  }
};

struct BinaryCrossEntropy {
  static constexpr Schema schema =
      "binary_cross_entropy(Tensor input, Tensor target, Tensor? weight=None, str reduction='mean') -> Tensor";
  static constexpr Doc doc = "-(t log p + (1 - t) log(1 - p)), with logarithms no smaller than -100.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input, const Tensor& target, const Tensor& weight, std::string_view reduction) {
    const Reduction r = reduction_of(reduction);
    HWARO_CHECK_AS(ValueError, input.sizes() == target.sizes(), "Using a target size (torch.Size(",
                   sizes_str(target.sizes()), ")) that is different to the input size (torch.Size(",
                   sizes_str(input.sizes()), ")) is deprecated. Please ensure they have the same size.");
    HWARO_CHECK_AS(NotImplementedError, is_floating(input.dtype()), "\"binary_cross_entropy\" not implemented for '",
                   scalar_type_name(input.dtype()), '\'');
    HWARO_CHECK(target.dtype() == input.dtype(), "Found dtype ", scalar_type_name(target.dtype()), " but expected ",
                scalar_type_name(input.dtype()));
    if (!input.device().is_meta() && input.numel() > 0) {
      const Tensor x = dense_as(input, DType::Double);
      const double* p = x->read_as<double>();
      for (int64_t i = 0; i < x.numel(); ++i)
        HWARO_CHECK(p[i] >= 0 && p[i] <= 1, "all elements of input should be between 0 and 1");
    }
    Tensor out;
    {
      NoGradGuard guard;
      const Tensor floor = make_full({}, -100, input.dtype());
      const Tensor a = maximum(log(input), floor), b = maximum(log1p(neg(input)), floor);
      Tensor loss = sub(mul(sub(target, 1), b), mul(target, a));
      if (weight.defined()) loss = mul(loss, weight);
      out = reduce_loss(loss, r);
    }
    if (recording(input, target))
      record("BinaryCrossEntropyBackward0", {input, target}, out, {save(input), save(target), save(weight)},
             [r](Backward& b) {
               const Tensor x = b.saved(0), t = b.saved(1);
               Tensor g = spread(b.g(), r, x.numel());
               if (b.has_saved(2)) g = mul(g, b.saved(2));
               const Tensor product = mul(sub(make_full({}, 1, x.dtype()), x), x);
               if (b.needs(0)) b.set(0, div(mul(g, sub(x, t)), maximum(product, make_full({}, 1e-12, x.dtype()))));
               if (b.needs(1)) b.set(1, mul(g, sub(log1p(neg(x)), log(x))));
             });
    return out;
  }
};

struct BinaryCrossEntropyWithLogits {
  static constexpr Schema schema =
      "binary_cross_entropy_with_logits(Tensor input, Tensor target, Tensor? weight=None, str reduction='mean', "
      "Tensor? pos_weight=None) -> Tensor";
  static constexpr Doc doc = "Binary cross entropy of sigmoid(input), without overflow.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor softplus_of(const Tensor& x) {
    return sub(log1p(exp(neg(abs(x)))), minimum(x, make_full({}, 0, x.dtype())));
  }
  static Tensor call(const Tensor& input, const Tensor& target, const Tensor& weight, std::string_view reduction,
                     const Tensor& pos_weight) {
    const Reduction r = reduction_of(reduction);
    HWARO_CHECK_AS(ValueError, input.sizes() == target.sizes(), "Target size (torch.Size(", sizes_str(target.sizes()),
                   ")) must be the same as input size (torch.Size(", sizes_str(input.sizes()), "))");
    HWARO_CHECK_AS(NotImplementedError, is_floating(input.dtype()), "\"log_sigmoid_cpu\" not implemented for '",
                   scalar_type_name(input.dtype()), '\'');
    HWARO_CHECK(target.dtype() != DType::Bool,
                "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` "
                "operator instead.");
    const DType type = promote_types(input.dtype(), target.dtype());
    if (type != target.dtype()) check_holds(type, target.dtype());
    Tensor out;
    {
      NoGradGuard guard;
      // softplus(-x) = -log sigmoid(x), weighted for the positive class.
      const Tensor positive = softplus_of(input);
      Tensor loss;
      if (pos_weight.defined())
        loss = add(mul(sub(make_full({}, 1, input.dtype()), target), input),
                   mul(add(mul(sub(pos_weight, 1), target), 1), positive));
      else loss = add(mul(sub(make_full({}, 1, input.dtype()), target), input), positive);
      if (weight.defined()) loss = mul(loss, weight);
      out = reduce_loss(to_dtype(loss, target.dtype()), r);
    }
    if (recording(input, target))
      record("BinaryCrossEntropyWithLogitsBackward0", {input, target}, out,
             {save(input), save(target), save(weight), save(pos_weight)}, [r](Backward& b) {
               const Tensor x = b.saved(0), t = b.saved(1);
               Tensor g = spread(b.g(), r, x.numel());
               if (b.has_saved(2)) g = mul(g, b.saved(2));
               const Tensor s = sigmoid(x);
               if (b.has_saved(3)) {
                 const Tensor w = b.saved(3), wt = mul(w, t);
                 if (b.needs(0)) b.set(0, mul(g, sub(mul(sub(add(wt, 1), t), s), wt)));
                 if (b.needs(1)) b.set(1, mul(g, sub(mul(sub(w, 1), softplus_of(x)), x)));
               } else {
                 if (b.needs(0)) b.set(0, to_dtype(mul(g, sub(s, t)), x.dtype()));
                 if (b.needs(1)) b.set(1, to_dtype(mul(g, neg(x)), t.dtype()));
               }
             });
    return out;
  }
};

struct SoftMarginLoss {
  static constexpr Schema schema = "soft_margin_loss(Tensor input, Tensor target, str reduction='mean') -> Tensor";
  static constexpr Doc doc = "log(1 + exp(-target * input)) for targets 1 and -1.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input, const Tensor& target, std::string_view reduction) {
    const Reduction r = reduction_of(reduction);
    HWARO_CHECK(!recording(target),
                "The function 'soft_margin_loss' is not differentiable with respect to argument 'target'. "
                "This input cannot have requires_grad True.");
    check_holds(target.dtype(), input.dtype());
    const Tensor labels = to_dtype(target, input.dtype());
    Tensor out;
    {
      NoGradGuard guard;
      const Tensor z = neg(mul(input, labels));
      if (is_integral(z.dtype())) check_holds(default_dtype(), z.dtype());
      out = reduce_loss(log1p(exp(z)), r);
    }
    if (recording(input))
      record("SoftMarginLossBackward0", {input}, out, {save(input), save(labels)}, [r](Backward& b) {
        const Tensor x = b.saved(0), t = b.saved(1), z = exp(neg(mul(t, x)));
        const Tensor g = mul(div(mul(neg(t), z), add(z, 1)), spread(b.g(), r, z.numel()));
        b.set(0, sum_to_size(g, x.sizes()));
      });
    return out;
  }
};

}  // namespace hwaro::engine

#include "families/losses.inc"
