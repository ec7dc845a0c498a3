// Negative log-likelihood and cross entropy of classes.
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/linalg/products.h"
#include "hwaro/ops/nn/reduction.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

Tensor log_softmax(const Tensor& self, std::int64_t dim, OptDType dtype);

using std::int64_t;

namespace {

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
  if (input.dim() > 1) {
    const int64_t batch = target.dim() > 0 ? target.sizes()[0] : 0;
    HWARO_CHECK_AS(ValueError, input.sizes()[0] == batch, "Expected input batch_size (", input.sizes()[0],
                   ") to match target batch_size (", batch, ").");
  }
  const Dims shape = target_shape(input);
  const int64_t classes = Classes(input).classes;
  const bool weight_fits = !weight.defined() || (weight.dim() == 1 && weight.numel() == classes);
  if (input.dim() <= 2) {
    HWARO_CHECK(target.dim() <= 1, "0D or 1D target tensor expected, multi-target not supported");
    if (input.dim() == 1 && target.dim() == 1)
      HWARO_CHECK_AS(ValueError, target.numel() == 1,
                     "For 1D input, 1D target must have size 1, but got target size: ", target.numel());
  } else if (input.dim() == 4) {
    HWARO_CHECK(target.dim() == 3,
                "only batches of spatial targets supported (3D tensors) but got targets of dimension: ", target.dim());
    HWARO_CHECK(weight_fits, "weight tensor should be defined either for all or no classes");
    HWARO_CHECK(target.sizes() == IntSpan(shape), "size mismatch (got input: ", sizes_str(input.sizes()),
                " , target: ", sizes_str(target.sizes()));
  } else {
    HWARO_CHECK(target.sizes() == IntSpan(shape), "Expected target size ", sizes_str(shape), ", got ",
                sizes_str(target.sizes()));
  }
  HWARO_CHECK(target.dtype() == DType::Int64 || target.dtype() == DType::UInt8,
              "expected target dtype to be Long or Byte, but got ", scalar_type_name(target.dtype()));
  HWARO_CHECK(weight_fits, "weight tensor should be defined either for all ", classes,
              " classes or no classes but got weight tensor of shape: ", sizes_str(weight.sizes()));
  HWARO_CHECK(!weight.defined() || weight.dtype() == input.dtype(), "expected scalar type ",
              scalar_type_name(input.dtype()), " but found ", scalar_type_name(weight.dtype()));
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

Tensor saved_or_none(Backward& b, std::size_t i) { return b.has_saved(i) ? b.saved(i) : Tensor(); }

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
  // It does not depend on the values of input, yet PyTorch gives those a gradient, of zeros.
  if (recording(g, input))
    record(input.dim() > 2 ? "NllLoss2DBackwardBackward0" : "NllLossBackwardBackward0", {g, input}, out,
           {save(target), save(weight)}, [ignore_index, r](Backward& b) {
             if (b.needs(0)) b.set(0, nll(b.g(), b.saved(0), saved_or_none(b, 1), ignore_index, r));
             if (b.needs(1)) b.set(1, make_zeros(b.g().sizes(), b.g().dtype(), b.g().device()));
           });
  return out;
}

Tensor nll(const Tensor& input, const Tensor& target, const Tensor& weight, int64_t ignore_index, Reduction r) {
  check_nll(input, target, weight);
  const Tensor out = nll_value(input, target, weight, ignore_index, r);
  if (recording(input))
    record(input.dim() > 2 ? "NllLoss2DBackward0" : "NllLossBackward0", {input}, out,
           {save(input), save(target), save(weight)}, [ignore_index, r](Backward& b) {
             b.set(0, nll_backward(b.g(), b.saved(0), b.saved(1), saved_or_none(b, 2), ignore_index, r));
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
    HWARO_CHECK(smoothing <= 1, "label_smoothing must be between 0.0 and 1.0. Got: ", smoothing);
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
    if (smoothing <= 0) return loss;
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
    HWARO_CHECK(!weight.defined() || (weight.dim() == 1 && weight.numel() == lp.sizes()[dim]),
                "cross_entropy: weight tensor should be defined either for all ", lp.sizes()[dim],
                " classes or no classes but got weight tensor of shape: ", sizes_str(weight.sizes()));
    const double classes = double(lp.sizes()[dim]);
    const Tensor t = smoothing > 0 ? add(mul(target, 1 - smoothing), smoothing / classes) : target;
    Tensor product = mul(lp, t);
    if (weight.defined()) product = mul(product, reshape(weight, class_view(lp)));
    if (r == Reduction::Sum) return neg(sum_all(product));
    if (r == Reduction::Mean && lp.numel() == 0) return neg(div(sum_all(product), 0));  // NaN
    if (r == Reduction::Mean) return divide_scalar(neg(sum_all(product)), double(lp.numel()) / classes);
    return neg(sum(product, IntSpan({dim})));
  }
};

}  // namespace hwaro::engine

#include "families/cross_entropy.inc"
