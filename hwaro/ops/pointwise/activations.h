// Activation functions. Those whose arguments are more than numbers, and the in-place forms whose gradient is computed from
// the result, are put together in activation_calls.cpp from the operators with a leading underscore.
#pragma once

#include "hwaro/ops/kinds/pointwise.h"
#include "hwaro/ops/pointwise/arithmetic.h"

namespace hwaro::engine {

void check_relu(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, DType common);
void check_hardtanh(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, DType common);
// From the result alone the side of zero can only be told while the slope below is not negative.
void check_inplace_slope(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, DType common);
void check_softshrink(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, DType common);

// Marks the gradient of a function that is linear in pieces. It depends on x, though by no slope: in PyTorch, whose names
// for such gradients are operators, it requires grad with x, and the gradient of it is zero.
template <class X, class G>
constexpr G bent(X, G g) {
  return g;
}
template <unsigned X, unsigned G>
constexpr Uses<X | G> bent(Uses<X>, Uses<G>) {
  return {};
}
Tensor bent(const Tensor& x, const Tensor& g);

inline constexpr double kSqrtHalf = 0.70710678118654752440, kInvSqrt2Pi = 0.39894228040143267794,
                        kSqrt2OverPi = 0.79788456080286535588, kGeluCubic = 0.044715;

struct Relu {
  static constexpr Schema schema = "relu(Tensor self) -> Tensor";
  static constexpr Doc doc = "The larger of each element and zero.";
  static constexpr unsigned expose = kFunction | kMethod | kInplace;
  static constexpr auto dtypes = same(integers | floating);
  static constexpr auto check = &check_relu;
  static constexpr auto forward(auto x) { return maximum(x, 0); }
  static constexpr auto backward(auto g, auto, auto y) { return bent(y, where(y <= 0, 0, g)); }
};

struct Gelu {
  static constexpr Schema schema = "_gelu(Tensor self) -> Tensor";
  static constexpr Doc doc = "x times the normal distribution function of x.";
  static constexpr unsigned expose = 0;
  static constexpr auto dtypes = same(floating);
  static constexpr auto kernel_name = "GeluKernelImpl";
  static constexpr auto grad_name = "Gelu";
  static constexpr auto forward(auto x) { return x * 0.5 * (1 + erf(x * kSqrtHalf)); }
  static constexpr auto derivative(auto x, auto) {
    return 0.5 * (1 + erf(x * kSqrtHalf)) + x * (exp(x * x * -0.5) * kInvSqrt2Pi);
  }
};

struct GeluTanh {
  static constexpr Schema schema = "_gelu_tanh(Tensor self) -> Tensor";
  static constexpr Doc doc = "gelu with the distribution function approximated by tanh.";
  static constexpr unsigned expose = 0;
  static constexpr auto dtypes = same(floating);
  static constexpr auto kernel_name = "GeluKernelImpl";
  static constexpr auto grad_name = "Gelu";
  static constexpr auto forward(auto x) { return 0.5 * x * (1 + tanh(kSqrt2OverPi * (x + kGeluCubic * (x * x * x)))); }
  static constexpr auto derivative(auto x, auto) {
    const auto t = tanh(kSqrt2OverPi * (x + kGeluCubic * (x * x * x)));
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * (kSqrt2OverPi * (1 + 3 * kGeluCubic * (x * x)));
  }
};

struct Silu {
  static constexpr Schema schema = "silu(Tensor self) -> Tensor";
  static constexpr Doc doc = "x times the logistic function of x.";
  static constexpr unsigned expose = kInternal | kInplace;
  static constexpr auto dtypes = same(floating | complex);
  static constexpr auto forward(auto x) { return x * sigmoid(x); }
  static constexpr auto derivative(auto x, auto) {
    const auto s = sigmoid(x);
    return s * (1 + x * (1 - s));
  }
};

struct Mish {
  static constexpr Schema schema = "mish(Tensor self) -> Tensor";
  static constexpr Doc doc = "x times tanh(softplus(x)).";
  static constexpr unsigned expose = kInternal | kInplace;
  static constexpr auto dtypes = same(floating);
  static constexpr auto forward(auto x) { return x * tanh(log1p(exp(x))); }
  static constexpr auto derivative(auto x, auto) {
    const auto t = tanh(log1p(exp(x)));
    return t + x * sigmoid(x) * (1 - t * t);
  }
};

struct Elu {
  static constexpr Schema schema = "_elu(Tensor self, Scalar alpha, Scalar scale, Scalar input_scale) -> Tensor";
  static constexpr Doc doc = "scale * x above zero, scale * alpha * (e^(input_scale x) - 1) below.";
  static constexpr unsigned expose = 0;
  static constexpr auto dtypes = same(floating);
  static constexpr auto kernel_name = "elu_cpu";
  static constexpr auto forward(auto x, auto alpha, auto scale, auto input_scale) {
    return where(x < 0, expm1(x * input_scale) * (alpha * scale), x * scale);
  }
  static constexpr auto derivative(auto x, auto, auto alpha, auto scale, auto input_scale) {
    return where(x <= 0, input_scale * (alpha * scale) * exp(x * input_scale), scale);
  }
};

struct EluInplace {
  static constexpr Schema schema =
      "_elu_inplace(Tensor self, Scalar alpha, Scalar scale, Scalar input_scale) -> Tensor";
  static constexpr Doc doc = "_elu with a gradient computed from the result.";
  static constexpr unsigned expose = 0;
  static constexpr auto dtypes = same(floating);
  static constexpr auto kernel_name = "elu_cpu";
  static constexpr auto grad_name = "Elu";
  static constexpr auto grad_number = &always_one;
  static constexpr auto check = &check_inplace_slope;
  static constexpr auto forward(auto x, auto alpha, auto scale, auto input_scale) {
    return Elu::forward(x, alpha, scale, input_scale);
  }
  static constexpr auto derivative(auto, auto y, auto alpha, auto scale, auto input_scale) {
    return where(y <= 0, input_scale * (y + alpha * scale), scale);
  }
};

struct Celu {
  static constexpr Schema schema = "celu(Tensor self, Scalar alpha=1.0) -> Tensor";
  static constexpr Doc doc = "x above zero, alpha * (e^(x / alpha) - 1) below.";
  static constexpr unsigned expose = kFunction;
  static constexpr auto dtypes = same(floating);
  static constexpr auto kernel_name = "elu_cpu";
  static constexpr auto forward(auto x, auto alpha) { return where(x < 0, expm1(x * (1 / alpha)) * alpha, x); }
  static constexpr auto derivative(auto x, auto, auto alpha) { return where(x <= 0, exp(x * (1 / alpha)), 1); }
};

struct CeluInplace {
  static constexpr Schema schema = "_celu_inplace(Tensor self, Scalar alpha=1.0) -> Tensor";
  static constexpr Doc doc = "celu with a gradient computed from the result.";
  static constexpr unsigned expose = 0;
  static constexpr auto dtypes = same(floating);
  static constexpr auto kernel_name = "elu_cpu";
  static constexpr auto grad_name = "Celu";
  static constexpr auto grad_number = &always_one;
  static constexpr auto check = &check_inplace_slope;
  static constexpr auto forward(auto x, auto alpha) { return Celu::forward(x, alpha); }
  static constexpr auto derivative(auto, auto y, auto alpha) { return where(y <= 0, (1 / alpha) * (y + alpha), 1); }
};

struct LeakyRelu {
  static constexpr Schema schema = "_leaky_relu(Tensor self, Scalar negative_slope) -> Tensor";
  static constexpr Doc doc = "x above zero, negative_slope * x below.";
  static constexpr unsigned expose = 0;
  static constexpr auto dtypes = same(floating);
  static constexpr auto kernel_name = "leaky_relu_cpu";
  static constexpr auto grad_name = "LeakyRelu";
  static constexpr auto forward(auto x, auto slope) { return where(x > 0, x, x * slope); }
  static constexpr auto backward(auto g, auto x, auto, auto slope) { return bent(x, where(x > 0, g, g * slope)); }
};

struct LeakyReluInplace {
  static constexpr Schema schema = "_leaky_relu_inplace(Tensor self, Scalar negative_slope) -> Tensor";
  static constexpr Doc doc = "leaky_relu with a gradient computed from the result.";
  static constexpr unsigned expose = 0;
  static constexpr auto dtypes = same(floating);
  static constexpr auto kernel_name = "leaky_relu_cpu";
  static constexpr auto grad_name = "LeakyRelu";
  static constexpr auto grad_number = &always_one;
  static constexpr auto check = &check_inplace_slope;
  static constexpr auto forward(auto x, auto slope) { return where(x > 0, x, x * slope); }
  static constexpr auto backward(auto g, auto, auto y, auto slope) { return bent(y, where(y > 0, g, g * slope)); }
};

struct Hardtanh {
  static constexpr Schema schema = "_hardtanh(Tensor self, Scalar min_val, Scalar max_val) -> Tensor";
  static constexpr Doc doc = "Each element limited to [min_val, max_val].";
  static constexpr unsigned expose = 0;
  static constexpr auto dtypes = same(integers | floating);
  static constexpr auto grad_name = "Hardtanh";
  static constexpr auto check = &check_hardtanh;
  static constexpr auto forward(auto x, auto low, auto high) { return minimum(maximum(x, low), high); }
  static constexpr auto backward(auto g, auto x, auto, auto low, auto high) {
    return bent(x, where((x <= low) | (x >= high), 0, g));
  }
};

struct Hardswish {
  static constexpr Schema schema = "hardswish(Tensor self) -> Tensor";
  static constexpr Doc doc = "x * min(max(x + 3, 0), 6) / 6.";
  static constexpr unsigned expose = kInternal | kInplace;
  static constexpr auto dtypes = same(floating);
  static constexpr auto forward(auto x) { return x * minimum(maximum(x + 3, 0), 6) / 6; }
  static constexpr auto backward(auto g, auto x, auto) { return where(x <= -3, 0, where(x < 3, g * (x / 3 + 0.5), g)); }
};

struct Hardsigmoid {
  static constexpr Schema schema = "hardsigmoid(Tensor self) -> Tensor";
  static constexpr Doc doc = "min(max(x + 3, 0), 6) / 6.";
  static constexpr unsigned expose = kInternal | kInplace;
  static constexpr auto dtypes = same(floating);
  static constexpr auto forward(auto x) { return minimum(maximum(x + 3, 0), 6) / 6; }
  static constexpr auto backward(auto g, auto x, auto) { return where((x > -3) & (x < 3), g / 6, 0); }
};

struct Softplus {
  static constexpr Schema schema = "_softplus(Tensor self, Scalar beta, Scalar threshold) -> Tensor";
  static constexpr Doc doc = "log(1 + e^(beta x)) / beta; x itself where beta x is above threshold.";
  static constexpr unsigned expose = 0;
  static constexpr auto dtypes = same(floating);
  static constexpr auto kernel_name = "softplus_cpu";
  static constexpr auto grad_name = "Softplus";
  static constexpr auto forward(auto x, auto beta, auto threshold) {
    return where(x * beta > threshold, x, log1p(exp(x * beta)) / beta);
  }
  static constexpr auto derivative(auto x, auto, auto beta, auto threshold) {
    return where(x * beta > threshold, 1, sigmoid(x * beta));
  }
};

struct LogSigmoid {
  static constexpr Schema schema = "log_sigmoid(Tensor self) -> Tensor";
  static constexpr Doc doc = "The logarithm of the logistic function of each element.";
  static constexpr unsigned expose = kInternal;
  static constexpr auto dtypes = same(floating);
  static constexpr auto forward(auto x) { return log_sigmoid(x); }
  static constexpr auto derivative(auto x, auto) { return sigmoid(-x); }
};

struct Softshrink {
  static constexpr Schema schema = "softshrink(Tensor self, Scalar lambd=0.5) -> Tensor";
  static constexpr auto out_rule = out_found;
  static constexpr Doc doc = "Each element moved towards zero by lambd, and zero from there on.";
  static constexpr unsigned expose = kNnFunctional | kOut;
  static constexpr auto dtypes = same(floating);
  static constexpr auto check = &check_softshrink;
  // x * 0 keeps NaN.
  static constexpr auto forward(auto x, auto lambd) {
    return where(x > lambd, x - lambd, where(x < -lambd, x + lambd, x * 0));
  }
  static constexpr auto backward(auto g, auto x, auto, auto lambd) {
    return bent(x, where((x >= -lambd) & (x <= lambd), 0, g));
  }
};

struct Hardshrink {
  static constexpr Schema schema = "hardshrink(Tensor self, Scalar lambd=0.5) -> Tensor";
  static constexpr Doc doc = "Each element, but zero within [-lambd, lambd].";
  static constexpr auto out_rule = out_found;
  static constexpr unsigned expose = kFunction | kMethod | kNnFunctional | kOut;
  static constexpr auto dtypes = same(floating);
  static constexpr auto forward(auto x, auto lambd) { return where((x >= -lambd) & (x <= lambd), 0, x); }
  static constexpr auto backward(auto g, auto x, auto, auto lambd) {
    return bent(x, where((x >= -lambd) & (x <= lambd), 0, g));
  }
};

struct Threshold {
  static constexpr Schema schema = "threshold(Tensor self, Scalar threshold, Scalar value) -> Tensor";
  static constexpr Doc doc = "Each element, but value where it is not above threshold.";
  static constexpr unsigned expose = kFunction | kInplace | kOut;
  static constexpr auto dtypes = same(integers | floating);
  static constexpr auto forward(auto x, auto threshold, auto value) { return where(x <= threshold, value, x); }
  static constexpr auto backward(auto g, auto x, auto, auto threshold, auto) {
    return bent(x, where(x <= threshold, 0, g));
  }
};

struct PreluKernel {
  static constexpr Schema schema = "_prelu_kernel(Tensor self, Tensor weight) -> Tensor";
  static constexpr Doc doc = "x above zero, weight * x below.";
  static constexpr unsigned expose = kFunction;
  static constexpr auto dtypes = same(floating);
  static constexpr auto kernel_name = "prelu_cpu";
  static constexpr auto forward(auto x, auto w) { return where(x > 0, x, w * x); }
  static constexpr auto b_self(auto g, auto x, auto w, auto) { return bent(x, where(x > 0, g, w * g)); }
  static constexpr auto b_other(auto g, auto x, auto, auto) { return bent(x, where(x > 0, 0, x * g)); }
};

}  // namespace hwaro::engine
