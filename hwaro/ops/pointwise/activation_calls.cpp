// Activation functions as torch.nn.functional calls them, with inplace= and arguments that are not numbers.
#include "hwaro/autograd/node.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/pointwise/activations.h"
#include "hwaro/ops/pointwise/exponential.h"
#include "hwaro/ops/registry.h"

#include "hwaro/ops/activations.h"
#include "hwaro/ops/exponential.h"

namespace hwaro::engine {

Tensor bent(const Tensor& x, const Tensor& g) {
  if (!recording(x)) return g;
  const Tensor out = alias(g, g.sizes(), g.strides(), g->offset);
  record("ThresholdBackwardBackward0", {g, x}, out, {}, [sizes = Dims(x.sizes())](Backward& b) {
    if (b.needs(0)) b.set(0, b.g());
    if (b.needs(1)) b.set(1, make_zeros(sizes, b.g().dtype(), b.g().device()));
  });
  return out;
}

namespace {

inline constexpr double kSeluAlpha = 1.6732632423543772848170429916717, kSeluScale = 1.0507009873554804934193349852946;

// The call of an operator of one tensor; in place where asked, which may be another operator with the same arguments.
Tensor activate(const Tensor& x, bool inplace, const PointwiseInfo& info, const PointwiseInfo& inplace_info,
                std::initializer_list<Scalar> scalars = {}) {
  const Operand operands[] = {x};
  if (!inplace) return pointwise(info, operands, scalars.begin());
  pointwise_inplace(inplace_info, operands, scalars.begin());
  return x;
}
Tensor elu(const Tensor& x, bool inplace, const Scalar& alpha, const Scalar& scale, const Scalar& input_scale) {
  return activate(x, inplace, pointwise_info<Elu>, pointwise_info<EluInplace>, {alpha, scale, input_scale});
}
Tensor celu_of(const Tensor& x, bool inplace, const Scalar& alpha) {
  HWARO_CHECK_AS(RuntimeError, alpha.to_double() != 0, "ZeroDivisionError: alpha cannot be 0 for CELU");
  return activate(x, inplace, pointwise_info<Celu>, pointwise_info<CeluInplace>, {alpha});
}
Tensor leaky(const Tensor& x, bool inplace, const Scalar& slope) {
  return activate(x, inplace, pointwise_info<LeakyRelu>, pointwise_info<LeakyReluInplace>, {slope});
}
Tensor limited(const Tensor& x, bool inplace, const Scalar& low, const Scalar& high) {
  return activate(x, inplace, pointwise_info<Hardtanh>, pointwise_info<Hardtanh>, {low, high});
}

}  // namespace

// ---- one argument beside inplace ----

struct FunctionalRelu {
  static constexpr Schema schema = "relu(Tensor input, bool inplace=False) -> Tensor";
  static constexpr Doc doc = "The larger of each element and zero.";
  static constexpr unsigned expose = kNnFunctional;
  static constexpr bool python_only = true;
  static Tensor call(const Tensor& x, bool inplace) {
    return activate(x, inplace, pointwise_info<Relu>, pointwise_info<Relu>);
  }
};
struct FunctionalReluInplace {
  static constexpr Schema schema = "relu_(Tensor(a!) input) -> Tensor(a!)";
  static constexpr Doc doc = "In-place form of relu.";
  static constexpr unsigned expose = kNnFunctional;
  static constexpr bool python_only = true;
  static Tensor call(const Tensor& x) { return activate(x, true, pointwise_info<Relu>, pointwise_info<Relu>); }
};
struct FunctionalSilu {
  static constexpr Schema schema = "silu(Tensor input, bool inplace=False) -> Tensor";
  static constexpr Doc doc = "x times the logistic function of x.";
  static constexpr unsigned expose = kNnFunctional;
  static constexpr bool python_only = true;
  static Tensor call(const Tensor& x, bool inplace) {
    return activate(x, inplace, pointwise_info<Silu>, pointwise_info<Silu>);
  }
};
struct FunctionalMish {
  static constexpr Schema schema = "mish(Tensor input, bool inplace=False) -> Tensor";
  static constexpr Doc doc = "x times tanh(softplus(x)).";
  static constexpr unsigned expose = kNnFunctional;
  static constexpr bool python_only = true;
  static Tensor call(const Tensor& x, bool inplace) {
    return activate(x, inplace, pointwise_info<Mish>, pointwise_info<Mish>);
  }
};
struct FunctionalHardswish {
  static constexpr Schema schema = "hardswish(Tensor input, bool inplace=False) -> Tensor";
  static constexpr Doc doc = "x * min(max(x + 3, 0), 6) / 6.";
  static constexpr unsigned expose = kNnFunctional;
  static constexpr bool python_only = true;
  static Tensor call(const Tensor& x, bool inplace) {
    return activate(x, inplace, pointwise_info<Hardswish>, pointwise_info<Hardswish>);
  }
};
struct FunctionalHardsigmoid {
  static constexpr Schema schema = "hardsigmoid(Tensor input, bool inplace=False) -> Tensor";
  static constexpr Doc doc = "min(max(x + 3, 0), 6) / 6.";
  static constexpr unsigned expose = kNnFunctional;
  static constexpr bool python_only = true;
  static Tensor call(const Tensor& x, bool inplace) {
    return activate(x, inplace, pointwise_info<Hardsigmoid>, pointwise_info<Hardsigmoid>);
  }
};
struct FunctionalSigmoid {
  static constexpr Schema schema = "sigmoid(Tensor input) -> Tensor";
  static constexpr Doc doc = "The logistic function of each element.";
  static constexpr unsigned expose = kNnFunctional;
  static constexpr bool python_only = true;
  static Tensor call(const Tensor& x) { return sigmoid(x); }
};
struct FunctionalTanh {
  static constexpr Schema schema = "tanh(Tensor input) -> Tensor";
  static constexpr Doc doc = "The hyperbolic tangent of each element.";
  static constexpr unsigned expose = kNnFunctional;
  static constexpr bool python_only = true;
  static Tensor call(const Tensor& x) { return tanh(x); }
};

// ---- limits, slopes and scales ----

struct FunctionalRelu6 {
  static constexpr Schema schema = "relu6(Tensor input, bool inplace=False) -> Tensor";
  static constexpr Doc doc = "min(max(x, 0), 6).";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& x, bool inplace) { return limited(x, inplace, 0, 6); }
};
struct FunctionalHardtanh {
  static constexpr Schema schema =
      "hardtanh(Tensor input, Scalar min_val=-1.0, Scalar max_val=1.0, bool inplace=False) -> Tensor";
  static constexpr Doc doc = "Each element limited to [min_val, max_val].";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& x, const Scalar& low, const Scalar& high, bool inplace) {
    HWARO_CHECK_AS(ValueError, low.re() <= high.re(), "min_val cannot be greater than max_val");
    return limited(x, inplace, low, high);
  }
};
struct FunctionalHardtanhInplace {
  static constexpr Schema schema = "hardtanh_(Tensor(a!) input, Scalar min_val=-1.0, Scalar max_val=1.0) -> Tensor(a!)";
  static constexpr Doc doc = "In-place form of hardtanh.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& x, const Scalar& low, const Scalar& high) { return limited(x, true, low, high); }
};
struct FunctionalElu {
  static constexpr Schema schema = "elu(Tensor input, Scalar alpha=1.0, bool inplace=False) -> Tensor";
  static constexpr Doc doc = "x above zero, alpha * (e^x - 1) below.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& x, const Scalar& alpha, bool inplace) { return elu(x, inplace, alpha, 1, 1); }
};
struct FunctionalEluInplace {
  static constexpr Schema schema = "elu_(Tensor(a!) input, Scalar alpha=1.0) -> Tensor(a!)";
  static constexpr Doc doc = "In-place form of elu.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& x, const Scalar& alpha) { return elu(x, true, alpha, 1, 1); }
};
struct Selu {
  static constexpr Schema schema = "selu(Tensor self) -> Tensor";
  static constexpr Doc doc = "elu with the two constants that keep mean and variance (Klambauer et al. 2017).";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& x) { return elu(x, false, kSeluAlpha, kSeluScale, 1); }
};
struct SeluInplace {
  static constexpr Schema schema = "selu_(Tensor(a!) self) -> Tensor(a!)";
  static constexpr Doc doc = "In-place form of selu.";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& x) { return elu(x, true, kSeluAlpha, kSeluScale, 1); }
};
struct FunctionalSelu {
  static constexpr Schema schema = "selu(Tensor input, bool inplace=False) -> Tensor";
  static constexpr Doc doc = "elu with the two constants that keep mean and variance (Klambauer et al. 2017).";
  static constexpr unsigned expose = kNnFunctional;
  static constexpr bool python_only = true;
  static Tensor call(const Tensor& x, bool inplace) { return elu(x, inplace, kSeluAlpha, kSeluScale, 1); }
};
struct CeluInplaceCall {
  static constexpr Schema schema = "celu_(Tensor(a!) self, Scalar alpha=1.0) -> Tensor(a!)";
  static constexpr Doc doc = "In-place form of celu.";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& x, const Scalar& alpha) { return celu_of(x, true, alpha); }
};
struct FunctionalCelu {
  static constexpr Schema schema = "celu(Tensor input, Scalar alpha=1.0, bool inplace=False) -> Tensor";
  static constexpr Doc doc = "x above zero, alpha * (e^(x / alpha) - 1) below.";
  static constexpr unsigned expose = kNnFunctional;
  static constexpr bool python_only = true;
  static Tensor call(const Tensor& x, const Scalar& alpha, bool inplace) { return celu_of(x, inplace, alpha); }
};
struct FunctionalLeakyRelu {
  static constexpr Schema schema = "leaky_relu(Tensor input, Scalar negative_slope=0.01, bool inplace=False) -> Tensor";
  static constexpr Doc doc = "x above zero, negative_slope * x below.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& x, const Scalar& slope, bool inplace) { return leaky(x, inplace, slope); }
};
struct FunctionalLeakyReluInplace {
  static constexpr Schema schema = "leaky_relu_(Tensor(a!) input, Scalar negative_slope=0.01) -> Tensor(a!)";
  static constexpr Doc doc = "In-place form of leaky_relu.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& x, const Scalar& slope) { return leaky(x, true, slope); }
};
struct FunctionalThreshold {
  static constexpr Schema schema =
      "threshold(Tensor input, Scalar threshold, Scalar value, bool inplace=False) -> Tensor";
  static constexpr Doc doc = "Each element, but value where it is not above threshold.";
  static constexpr unsigned expose = kNnFunctional;
  static constexpr bool python_only = true;
  static Tensor call(const Tensor& x, const Scalar& threshold, const Scalar& value, bool inplace) {
    return activate(x, inplace, pointwise_info<Threshold>, pointwise_info<Threshold>, {threshold, value});
  }
};
struct FunctionalThresholdInplace {
  static constexpr Schema schema = "threshold_(Tensor(a!) input, Scalar threshold, Scalar value) -> Tensor(a!)";
  static constexpr Doc doc = "In-place form of threshold.";
  static constexpr unsigned expose = kNnFunctional;
  static constexpr bool python_only = true;
  static Tensor call(const Tensor& x, const Scalar& threshold, const Scalar& value) {
    return activate(x, true, pointwise_info<Threshold>, pointwise_info<Threshold>, {threshold, value});
  }
};
struct FunctionalSoftplus {
  static constexpr Schema schema = "softplus(Tensor input, Scalar beta=1, Scalar threshold=20) -> Tensor";
  static constexpr auto out_rule = out_found;
  static constexpr Doc doc = "log(1 + e^(beta x)) / beta; x itself where beta x is above threshold.";
  static constexpr unsigned expose = kNnFunctional | kOut;
  static Tensor call(const Tensor& x, const Scalar& beta, const Scalar& threshold) {
    return activate(x, false, pointwise_info<Softplus>, pointwise_info<Softplus>, {beta, threshold});
  }
};

// ---- others ----

struct FunctionalGelu {
  static constexpr Schema schema = "gelu(Tensor input, *, str approximate='none') -> Tensor";
  static constexpr auto out_rule = out_found;
  static constexpr Doc doc = "x times the normal distribution function of x, exact ('none') or by tanh ('tanh').";
  static constexpr unsigned expose = kNnFunctional | kOut;
  static Tensor call(const Tensor& x, std::string_view approximate) {
    HWARO_CHECK(approximate == "none" || approximate == "tanh", "approximate argument must be either none or tanh.");
    const PointwiseInfo& info = approximate == "none" ? pointwise_info<Gelu> : pointwise_info<GeluTanh>;
    return activate(x, false, info, info);
  }
};
struct FunctionalLogSigmoid {
  static constexpr Schema schema = "logsigmoid(Tensor input) -> Tensor";
  static constexpr Doc doc = "The logarithm of the logistic function of each element.";
  static constexpr unsigned expose = kNnFunctional | kOut;
  static Tensor call(const Tensor& x) { return log_sigmoid(x); }
};
struct FunctionalSoftsign {
  static constexpr Schema schema = "softsign(Tensor input) -> Tensor";
  static constexpr Doc doc = "x / (1 + |x|).";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& x) { return x / (abs(x) + 1); }
};
struct FunctionalTanhshrink {
  static constexpr Schema schema = "tanhshrink(Tensor input) -> Tensor";
  static constexpr Doc doc = "x - tanh(x).";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& x) { return x - tanh(x); }
};

struct Prelu {
  static constexpr Schema schema = "prelu(Tensor self, Tensor weight) -> Tensor";
  static constexpr Doc doc = "x above zero, weight * x below; weight is one number or one per channel (dimension 1).";
  static constexpr unsigned expose = kFunction | kMethod | kNnFunctional;
  static Tensor call(const Tensor& self, const Tensor& weight) {
    HWARO_CHECK(self.dtype() == weight.dtype(), "prelu: Type promoting not supported. Got ",
                scalar_type_name(self.dtype()), " and ", scalar_type_name(weight.dtype()));
    if (weight.numel() != 1) {
      HWARO_CHECK(self.dim() > 0, "Not allow zero-dim input tensor.");
      const std::int64_t channels = self.dim() > 1 ? self.size(1) : 1;
      HWARO_CHECK(channels == weight.numel(),
                  "Mismatch of parameter numbers and input channel size. Found parameter numbers = ", weight.numel(),
                  " and channel size = ", channels, ".");
    }
    HWARO_CHECK(weight.dim() <= 1,
                "prelu: Expected `weight` to be a scalar or 1D tensor, but got: ndim = ", weight.dim());
    if (self.dim() == 0) {
      const Tensor w = weight.dim() == 1 ? reshape(weight, IntSpan()) : weight;
      return _prelu_kernel(self, w);
    }
    Tensor w = weight;
    if (self.dim() != weight.dim()) {
      Dims shape(self.sizes().size(), 1);
      if (self.dim() > 1) shape[1] = weight.numel();
      w = reshape(weight, shape);
    }
    return _prelu_kernel(self, w);
  }
};

struct Glu {
  static constexpr Schema schema = "glu(Tensor input, int dim=-1) -> Tensor";
  static constexpr Doc doc = "a * sigmoid(b), where a and b are the halves of input along dim.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& x, std::int64_t dim) {
    HWARO_CHECK(x.dim() > 0, "glu does not support scalars because halving size must be even");
    const std::int64_t d = wrap_dim(dim, x.dim()), size = x.size(d);
    HWARO_CHECK(size % 2 == 0, "Halving dimension must be even, but dimension ", d, " is size ", size);
    if (!is_floating(x.dtype()))
      raise<NotImplementedError>("\"glu_cpu\" not implemented for '", scalar_type_name(x.dtype()), '\'');
    Tensor out;
    {
      const NoGradGuard no_grad;
      out = mul(narrow(x, d, 0, size / 2), sigmoid(narrow(x, d, size / 2, size / 2)));
    }
    if (recording(x))
      record("GluBackward0", {x}, out, {save(x)}, [d, half = size / 2](Backward& b) {
        const Tensor x = b.saved(0);
        const Tensor a = narrow(x, d, 0, half), s = sigmoid(narrow(x, d, half, half));
        const Tensor parts[] = {b.g() * s, b.g() * a * s * (1 - s)};
        b.set(0, cat({parts, 2}, d));
      });
    return out;
  }
};

// ---- logit ----

struct Logit {
  static constexpr Schema schema = "logit(Tensor self, float? eps=None) -> Tensor";
  static constexpr Doc doc = "log(x / (1 - x)), with x limited to [eps, 1 - eps] if eps is given.";
  static Tensor call(const Tensor& self, std::optional<double> eps) {
    const Operand operands[] = {self};
    const Scalar scalars[] = {eps.value_or(-1.0)};
    return pointwise(eps && *eps >= 0 ? pointwise_info<LogitLimited> : pointwise_info<LogitPlain>, operands, scalars);
  }
};
struct LogitInplace {
  static constexpr Schema schema = "logit_(Tensor(a!) self, float? eps=None) -> Tensor(a!)";
  static constexpr Doc doc = "In-place form of logit.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, std::optional<double> eps) {
    const Operand operands[] = {self};
    const Scalar scalars[] = {eps.value_or(-1.0)};
    pointwise_inplace(eps && *eps >= 0 ? pointwise_info<LogitLimited> : pointwise_info<LogitPlain>, operands, scalars);
    return self;
  }
};
struct SpecialLogit {
  static constexpr Schema schema = "special_logit(Tensor self, float? eps=None) -> Tensor";
  static constexpr Doc doc = "Alias of torch.logit.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, std::optional<double> eps) { return Logit::call(self, eps); }
};

}  // namespace hwaro::engine

#include "families/activation_calls.inc"
