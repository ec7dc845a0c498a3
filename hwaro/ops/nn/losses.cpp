// Losses. `reduction` is 'none', 'mean' or 'sum', as in torch.nn.functional.
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/linalg/products.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

Tensor log_softmax(const Tensor& self, std::int64_t dim, OptDType dtype);
Tensor mean(const Tensor& self, std::optional<DType> dtype);
Tensor xlogy(const Operand& self, const Operand& other);

using std::int64_t;

namespace {

enum class Reduction { None, Mean, Sum };

Reduction reduction_of(std::string_view text) {
  if (text == "none") return Reduction::None;
  if (text == "mean") return Reduction::Mean;
  if (text == "sum") return Reduction::Sum;
  raise<ValueError>(text, " is not a valid value for reduction");
}

Tensor reduce(const Tensor& loss, Reduction r) {
  if (r == Reduction::Mean) return mean(loss, OptDType());
  if (r == Reduction::Sum) return sum_all(loss);
  return loss;
}

// PyTorch warns where input and target only fit by broadcasting.
void warn_broadcast(const Tensor& input, const Tensor& target) {
  if (input.sizes() != target.sizes())
    warn(concat(
        "Using a target size (torch.Size(", sizes_str(target.sizes()),
        ")) that is different to the input size (torch.Size(", sizes_str(input.sizes()),
        ")). This will likely lead to incorrect results due to broadcasting. Please ensure they have the same size."));
}

// The gradient of a reduced loss, spread over its elements: g / count for the mean.
Tensor spread(const Tensor& g, Reduction r, int64_t count) { return r == Reduction::Mean ? div(g, double(count)) : g; }

// A loss of input - target whose derivative is d(difference): recorded under `name`, differentiable twice through `d`.
template <class F, class D>
Tensor difference_loss(const char* name, const char* kernel, const Tensor& input, const Tensor& target, Reduction r,
                       F f, D d) {
  const DType type = promote_types(input.dtype(), target.dtype());
  HWARO_CHECK_AS(NotImplementedError, is_floating(type), '"', kernel, "\" not implemented for '",
                 scalar_type_name(type), '\'');
  Tensor out;
  {
    NoGradGuard guard;
    out = reduce(f(sub(input, target)), r);
  }
  if (!recording(input, target)) return out;
  record(name, {input, target}, out, {save(input), save(target)}, [r, d](Backward& b) {
    const Tensor x = b.saved(0), t = b.saved(1);
    const Tensor difference = sub(x, t);
    const Tensor g = mul(spread(b.g(), r, difference.numel()), d(difference));
    if (b.needs(0)) b.set(0, to_dtype(sum_to_size(g, x.sizes()), x.dtype()));
    if (b.needs(1)) b.set(1, to_dtype(sum_to_size(neg(g), t.sizes()), t.dtype()));
  });
  return out;
}

// ---- negative log-likelihood ----

// Classes along dimension 1 (0 for a single sample), seen as N x C x S.
struct Classes {
  int64_t batch, classes, inner;
  explicit Classes(const Tensor& input)
      : batch(input.dim() > 1 ? input.sizes()[0] : 1), classes(input.sizes()[input.dim() > 1 ? 1 : 0]), inner(1) {
    for (int d = 2; d < input.dim(); ++d) inner *= input.sizes()[d];
  }
};

Dims target_shape(const Tensor& input) {
  Dims shape;
  for (int d = 0; d < input.dim(); ++d)
    if (d != (input.dim() > 1 ? 1 : 0)) shape.push_back(input.sizes()[d]);
  return shape;
}

void check_nll(const Tensor& input, const Tensor& target, const Tensor& weight) {
  HWARO_CHECK_AS(ValueError, input.dim() > 0, "Expected 1 or more dimensions (got ", input.dim(), ")");
  if (input.dim() > 1 && target.dim() > 0)
    HWARO_CHECK_AS(ValueError, input.sizes()[0] == target.sizes()[0], "Expected input batch_size (", input.sizes()[0],
                   ") to match target batch_size (", target.sizes()[0], ").");
  const Dims shape = target_shape(input);
  if (input.dim() <= 2) {
    HWARO_CHECK(target.dim() <= 1, "0D or 1D target tensor expected, multi-target not supported");
    HWARO_CHECK(target.sizes() == IntSpan(shape), "size mismatch (got input: ", sizes_str(input.sizes()),
                ", target: ", sizes_str(target.sizes()), ")");
  } else if (input.dim() == 4) {
    HWARO_CHECK(target.sizes() == IntSpan(shape), "size mismatch (got input: ", sizes_str(input.sizes()),
                " , target: ", sizes_str(target.sizes()));
  } else {
    HWARO_CHECK(target.sizes() == IntSpan(shape), "Expected target size ", sizes_str(shape), ", got ",
                sizes_str(target.sizes()));
  }
  HWARO_CHECK(target.dtype() == DType::Int64 || target.dtype() == DType::UInt8,
              "expected target dtype to be Long or Byte, but got ", scalar_type_name(target.dtype()));
  if (weight.defined()) {
    HWARO_CHECK(weight.dim() == 1 && weight.numel() == Classes(input).classes,
                "weight tensor should be defined either for all ", Classes(input).classes,
                " classes or no classes but got weight tensor of shape: ", sizes_str(weight.sizes()));
    HWARO_CHECK(weight.dtype() == input.dtype(), "expected scalar type ", scalar_type_name(input.dtype()),
                " but found ", scalar_type_name(weight.dtype()));
  }
}

// Calls f(position in the target, class or -1 where ignored).
template <class F>
void each_target(const Classes& c, const Tensor& target, int64_t ignore_index, F f) {
  const Tensor t = dense_as(target, DType::Int64);
  const int64_t* p = t->read_as<int64_t>();
  for (int64_t i = 0; i < c.batch * c.inner; ++i) {
    if (p[i] == ignore_index) {
      f(i, int64_t(-1));
      continue;
    }
    HWARO_CHECK_AS(IndexError, p[i] >= 0 && p[i] < c.classes, "Target ", p[i], " is out of bounds.");
    f(i, p[i]);
  }
}

// The sum of the weights of all targets that count: what the mean divides by.
double total_weight(const Tensor& input, const Tensor& target, const Tensor& weight, int64_t ignore_index) {
  const Classes c(input);
  const Tensor w = weight.defined() ? dense_as(weight, DType::Double) : Tensor();
  const double* p = w.defined() ? w->read_as<double>() : nullptr;
  double total = 0;
  each_target(c, target, ignore_index, [&](int64_t, int64_t k) { total += k < 0 ? 0 : p ? p[k] : 1; });
  return total;
}

template <class T>
using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;

Tensor nll_value(const Tensor& input, const Tensor& target, const Tensor& weight, int64_t ignore_index, Reduction r) {
  const Classes c(input);
  const Tensor out = make_tensor(r == Reduction::None ? target_shape(input) : Dims(), input.dtype(), input.device());
  if (input.device().is_meta()) return out;
  const Tensor x = dense(input);
  visit<kFloatSet>(input.dtype(), "nll_loss_out_frame", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const Tensor w = weight.defined() ? dense(weight) : Tensor();
    const T *p = x->read_as<T>(), *wp = w.defined() ? w->read_as<T>() : nullptr;
    T* o = out->write_as<T>();
    double sum = 0, total = 0;
    each_target(c, target, ignore_index, [&](int64_t i, int64_t k) {
      double value = 0;
      if (k >= 0) {
        const double wk = wp ? double(Wide<T>(wp[k])) : 1;
        value = -wk * double(Wide<T>(p[(i / c.inner * c.classes + k) * c.inner + i % c.inner]));
        total += wk;
      }
      if (r == Reduction::None) o[i] = T(Wide<T>(value));
      sum += value;
    });
    if (r == Reduction::Sum) *o = T(Wide<T>(sum));
    if (r == Reduction::Mean) *o = T(Wide<T>(sum / total));  // no targets: NaN, as the mean of nothing
  });
  return out;
}

Tensor nll(const Tensor& input, const Tensor& target, const Tensor& weight, int64_t ignore_index, Reduction r);

// Gradient of nll for the input; linear in g, so its own gradient is nll itself.
Tensor nll_backward(const Tensor& g, const Tensor& input, const Tensor& target, const Tensor& weight,
                    int64_t ignore_index, Reduction r) {
  const Classes c(input);
  const Tensor out = make_zeros(input.sizes(), input.dtype(), input.device());
  const double total = r == Reduction::Mean ? total_weight(input, target, weight, ignore_index) : 1;
  const Tensor dense_g = dense(g);
  visit<kFloatSet>(input.dtype(), "nll_loss_backward_out_frame", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const Tensor w = weight.defined() ? dense(weight) : Tensor();
    const T *gp = dense_g->read_as<T>(), *wp = w.defined() ? w->read_as<T>() : nullptr;
    T* o = out->write_as<T>();
    each_target(c, target, ignore_index, [&](int64_t i, int64_t k) {
      if (k < 0) return;
      const double gi = double(Wide<T>(gp[r == Reduction::None ? i : 0])) / total;
      o[(i / c.inner * c.classes + k) * c.inner + i % c.inner] = T(Wide<T>(-(wp ? double(Wide<T>(wp[k])) : 1.0) * gi));
    });
  });
  if (recording(g))
    record("NllLossBackwardBackward0", {g}, out, {save(target), save(weight)}, [ignore_index, r](Backward& b) {
      b.set(0, nll(b.g(), b.saved(0), b.has_saved(1) ? b.saved(1) : Tensor(), ignore_index, r));
    });
  return out;
}

Tensor nll(const Tensor& input, const Tensor& target, const Tensor& weight, int64_t ignore_index, Reduction r) {
  check_nll(input, target, weight);
  const Tensor out = nll_value(input, target, weight, ignore_index, r);
  if (recording(input))
    record(input.dim() > 2 ? "NllLoss2DBackward0" : "NllLossBackward0", {input}, out,
           {save(input), save(target), save(weight)}, [ignore_index, r](Backward& b) {
             b.set(0, nll_backward(b.g(), b.saved(0), b.saved(1), b.has_saved(2) ? b.saved(2) : Tensor(), ignore_index,
                                   r));
           });
  return out;
}

// Every number of dimensions but one, two and four is seen as (N, C, 1, the rest), as PyTorch does (it shows in grad_fn).
Tensor nll_of_any_rank(const Tensor& input, const Tensor& target, const Tensor& weight, int64_t ignore_index,
                       Reduction r) {
  if (input.dim() <= 2 || input.dim() == 4) return nll(input, target, weight, ignore_index, r);
  check_nll(input, target, weight);
  const Classes c(input);
  const Tensor loss = nll(reshape(input, {c.batch, c.classes, 1, c.inner}), reshape(target, {c.batch, 1, c.inner}),
                          weight, ignore_index, r);
  return r == Reduction::None ? view(loss, target.sizes()) : loss;
}

Dims class_view(const Tensor& input) {
  Dims shape(input.sizes().size(), 1);
  shape[input.dim() > 1 ? 1 : 0] = -1;
  return shape;
}

}  // namespace

struct NllLoss {
  static constexpr Schema schema =
      "nll_loss(Tensor input, Tensor target, Tensor? weight=None, int ignore_index=-100, str reduction='mean') -> "
      "Tensor";
  static constexpr Doc doc =
      "The negative log-likelihood of targets (N, …) of classes under log-probabilities (N, C, …).";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input, const Tensor& target, const Tensor& weight, int64_t ignore_index,
                     std::string_view reduction) {
    return nll_of_any_rank(input, target, weight, ignore_index, reduction_of(reduction));
  }
};

struct CrossEntropy {
  static constexpr Schema schema =
      "cross_entropy(Tensor input, Tensor target, Tensor? weight=None, int ignore_index=-100, str reduction='mean', "
      "float label_smoothing=0.0) -> Tensor";
  static constexpr Doc doc =
      "The cross entropy between logits (N, C, …) and class indices (N, …) or probabilities (N, C, …).";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input, const Tensor& target, const Tensor& weight, int64_t ignore_index,
                     std::string_view reduction, double smoothing) {
    const Reduction r = reduction_of(reduction);
    HWARO_CHECK(smoothing >= 0 && smoothing <= 1, "label_smoothing must be between 0.0 and 1.0. Got: ", smoothing);
    const int64_t dim = input.dim() == 1 ? 0 : 1;
    const bool probabilities = input.dim() > 0 && input.sizes() == target.sizes();
    HWARO_CHECK(input.dim() > 0 || is_floating(target.dtype()),
                "Expected floating point type for target with class probabilities, got ",
                scalar_type_name(target.dtype()));
    HWARO_CHECK(!probabilities || !is_floating(target.dtype()) || ignore_index < 0,
                "ignore_index is not supported for floating point target");
    const Tensor lp = log_softmax(input, dim, std::nullopt);
    if (probabilities) return soft_targets(lp, target, weight, r, smoothing, dim);
    const Tensor loss = nll_of_any_rank(lp, target, weight, ignore_index, r);
    if (smoothing == 0) return loss;
    // The smoothed part: the mean over classes, with ignored targets left out.
    Tensor smooth = neg(sum(weight.defined() ? mul(lp, reshape(weight, class_view(lp))) : lp, IntSpan({dim})));
    smooth = where(eq(target, ignore_index), 0, smooth);
    if (r == Reduction::Sum) smooth = sum_all(smooth);
    if (r == Reduction::Mean) smooth = div(sum_all(smooth), total_weight(input, target, weight, ignore_index));
    const double share = smoothing / double(Classes(input).classes);
    return add(multiply_scalar(loss, 1 - smoothing), multiply_scalar(smooth, share));
  }
  static Tensor soft_targets(const Tensor& lp, const Tensor& target, const Tensor& weight, Reduction r,
                             double smoothing, int64_t dim) {
    HWARO_CHECK(is_floating(target.dtype()), "Expected floating point type for target with class probabilities, got ",
                scalar_type_name(target.dtype()));
    const double classes = double(lp.sizes()[dim]);
    const Tensor t = smoothing > 0 ? add(mul(target, 1 - smoothing), smoothing / classes) : target;
    Tensor product = mul(lp, t);
    if (weight.defined()) product = mul(product, reshape(weight, class_view(lp)));
    if (r == Reduction::Sum) return neg(sum_all(product));
    if (r == Reduction::Mean) return divide_scalar(neg(sum_all(product)), double(lp.numel()) / classes);
    return neg(sum(product, IntSpan({dim})));
  }
};

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
    return reduce(abs(sub(input, target)), r);
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
        [beta](const Tensor& d) {
          const Tensor a = abs(d);
          return where(lt(a, beta), mul(square(a), 0.5 / beta), sub(a, 0.5 * beta));
        },
        [beta](const Tensor& d) { return where(lt(abs(d), beta), div(d, beta), sign(d)); });
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
    auto value = [delta](const Tensor& d) {
      const Tensor a = abs(d);
      return where(le(a, delta), mul(square(a), 0.5), mul(sub(a, 0.5 * delta), delta));
    };
    auto slope = [delta](const Tensor& d) {
      return maximum(minimum(d, make_full({}, delta, d.dtype())), make_full({}, -delta, d.dtype()));
    };
    if (!weight.defined()) return difference_loss("HuberLossBackward0", "huber_cpu", input, target, r, value, slope);
    return reduce(
        mul(weight, difference_loss("HuberLossBackward0", "huber_cpu", input, target, Reduction::None, value, slope)),
        r);
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
    return reduce(loss, reduction_of(reduction));
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
      out = reduce(loss, r);
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
      out = reduce(loss, r);
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
    Tensor out;
    {
      NoGradGuard guard;
      out = reduce(log1p(exp(mul(neg(target), input))), r);
    }
    if (recording(input))
      record("SoftMarginLossBackward0", {input}, out, {save(input), save(target)}, [r](Backward& b) {
        const Tensor x = b.saved(0), t = b.saved(1), z = exp(mul(neg(t), x));
        const Tensor g = mul(div(mul(neg(t), z), add(z, 1)), spread(b.g(), r, z.numel()));
        b.set(0, sum_to_size(g, x.sizes()));
      });
    return out;
  }
};

}  // namespace hwaro::engine

#include "families/losses.inc"
