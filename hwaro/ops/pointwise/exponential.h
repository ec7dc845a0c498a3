// Exponentials, logarithms, roots and the logistic function.
#pragma once

#include "hwaro/ops/kinds/pointwise.h"
#include "hwaro/ops/pointwise/arithmetic.h"

namespace hwaro::engine {

int xlogy_number(const Operand* operands, const Scalar* scalars);

inline constexpr double kLn2 = 0.69314718055994530942, kLn10 = 2.30258509299404568402;

struct Exp {
  static constexpr Schema schema = "exp(Tensor self) -> Tensor";
  static constexpr Doc doc = "e to the power of each element.";
  static constexpr auto dtypes = int_to_float(floating | complex);
  static constexpr auto forward(auto x) { return exp(x); }
  static constexpr auto derivative(auto, auto y) { return y; }
};

struct Exp2 {
  static constexpr Schema schema = "exp2(Tensor self) -> Tensor";
  static constexpr Doc doc = "Two to the power of each element.";
  static constexpr auto dtypes = int_to_float(floating | complex);
  static constexpr auto forward(auto x) { return exp2(x); }
  static constexpr auto derivative(auto, auto y) { return y * kLn2; }
};

struct Expm1 {
  static constexpr Schema schema = "expm1(Tensor self) -> Tensor";
  static constexpr Doc doc = "e to the power of each element, minus one, exact near zero.";
  static constexpr auto dtypes = int_to_float(floating | complex);
  static constexpr auto forward(auto x) { return expm1(x); }
  static constexpr auto derivative(auto, auto y) { return y + 1; }
};

struct Log {
  static constexpr Schema schema = "log(Tensor self) -> Tensor";
  static constexpr Doc doc = "The natural logarithm of each element.";
  static constexpr auto dtypes = int_to_float(floating | complex);
  static constexpr auto forward(auto x) { return log(x); }
  static constexpr auto backward(auto g, auto x, auto) { return g / conj(x); }
};

struct Log2 {
  static constexpr Schema schema = "log2(Tensor self) -> Tensor";
  static constexpr Doc doc = "The logarithm to base two of each element.";
  static constexpr auto dtypes = int_to_float(floating | complex);
  static constexpr auto forward(auto x) { return log2(x); }
  static constexpr auto backward(auto g, auto x, auto) { return g / conj(x * kLn2); }
};

struct Log10 {
  static constexpr Schema schema = "log10(Tensor self) -> Tensor";
  static constexpr Doc doc = "The logarithm to base ten of each element.";
  static constexpr auto dtypes = int_to_float(floating | complex);
  static constexpr auto forward(auto x) { return log10(x); }
  static constexpr auto backward(auto g, auto x, auto) { return g / conj(x * kLn10); }
};

struct Log1p {
  static constexpr Schema schema = "log1p(Tensor self) -> Tensor";
  static constexpr Doc doc = "The natural logarithm of one plus each element, exact near zero.";
  static constexpr auto dtypes = int_to_float(floating | complex);
  static constexpr auto forward(auto x) { return log1p(x); }
  static constexpr auto backward(auto g, auto x, auto) { return g / conj(x + 1); }
};

struct Sqrt {
  static constexpr Schema schema = "sqrt(Tensor self) -> Tensor";
  static constexpr Doc doc = "The square root of each element.";
  static constexpr auto dtypes = int_to_float(floating | complex);
  static constexpr auto forward(auto x) { return sqrt(x); }
  static constexpr auto backward(auto g, auto, auto y) { return g / conj(2 * y); }
};

struct Rsqrt {
  static constexpr Schema schema = "rsqrt(Tensor self) -> Tensor";
  static constexpr Doc doc = "One divided by the square root of each element.";
  static constexpr auto dtypes = int_to_float(floating | complex);
  static constexpr auto forward(auto x) { return rsqrt(x); }
  static constexpr auto derivative(auto, auto y) { return -0.5 * (y * y * y); }
};

struct Sigmoid {
  static constexpr Schema schema = "sigmoid(Tensor self) -> Tensor";
  static constexpr Doc doc = "The logistic function 1 / (1 + e^-x) of each element.";
  static constexpr auto dtypes = int_to_float(floating | complex);
  static constexpr auto forward(auto x) { return sigmoid(x); }
  static constexpr auto derivative(auto, auto y) { return (1 - y) * y; }
};

// logit without and with a limit; outside [0, 1] the first gives NaN.
struct LogitPlain {
  static constexpr Schema schema = "_logit(Tensor self, Scalar eps) -> Tensor";
  static constexpr Doc doc = "log(x / (1 - x)).";
  static constexpr unsigned expose = 0;
  static constexpr auto dtypes = int_to_float(floating);
  static constexpr auto kernel_name = "logit_cpu";
  static constexpr auto grad_name = "Logit";
  static constexpr auto forward(auto x, auto) { return log(x / (1 - x)); }
  static constexpr auto derivative(auto x, auto, auto) {
    return where((x < 0) | (x > 1), __builtin_nan(""), where((x == 0) | (x == 1), __builtin_inf(), 1 / (x * (1 - x))));
  }
};

struct LogitLimited {
  static constexpr Schema schema = "_logit_limited(Tensor self, Scalar eps) -> Tensor";
  static constexpr Doc doc = "logit of x limited to [eps, 1 - eps].";
  static constexpr unsigned expose = 0;
  static constexpr auto dtypes = int_to_float(floating);
  static constexpr auto kernel_name = "logit_cpu";
  static constexpr auto grad_name = "Logit";
  static constexpr auto forward(auto x, auto eps) {
    const auto z = where(x < eps, eps, where(x > 1 - eps, 1 - eps, x));
    return log(z / (1 - z));
  }
  static constexpr auto backward(auto g, auto x, auto, auto eps) {
    return where((x < eps) | (x > 1 - eps), 0, g / (x * (1 - x)));
  }
};

struct LogAddExp {
  static constexpr Schema schema = "logaddexp(Tensor self, Tensor other) -> Tensor";
  static constexpr unsigned expose = kFunction | kMethod | kOut;
  static constexpr Doc doc = "log(e^self + e^other), without overflow.";
  static constexpr auto dtypes = same(floating | complex);
  static constexpr auto grad_name = "Logaddexp";
  static constexpr auto forward(auto a, auto b) { return logaddexp(a, b); }
  static constexpr auto b_self(auto g, auto a, auto b, auto) { return g / conj(1 + exp(b - a)); }
  static constexpr auto b_other(auto g, auto a, auto b, auto) { return g / conj(1 + exp(a - b)); }
};

struct LogAddExp2 {
  static constexpr Schema schema = "logaddexp2(Tensor self, Tensor other) -> Tensor";
  static constexpr unsigned expose = kFunction | kMethod | kOut;
  static constexpr Doc doc = "log2(2^self + 2^other), without overflow.";
  static constexpr auto dtypes = same(floating);
  static constexpr auto grad_name = "Logaddexp2";
  static constexpr auto forward(auto a, auto b) { return logaddexp2(a, b); }
  static constexpr auto b_self(auto g, auto a, auto b, auto) { return g / (1 + exp2(b - a)); }
  static constexpr auto b_other(auto g, auto a, auto b, auto) { return g / (1 + exp2(a - b)); }
};

struct Xlogy {
  static constexpr Schema schema = "xlogy.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "self * log(other), and 0 where self is 0.";
  static constexpr unsigned numbers_for = kSelf | kOther;
  static constexpr bool drops_numbers = true;
  static constexpr auto dtypes = int_to_float(floating);
  static constexpr auto grad_number = &xlogy_number;
  static constexpr auto forward(auto a, auto b) { return xlogy(a, b); }
  static constexpr auto b_self(auto g, auto a, auto b, auto) { return g * where((a == 0) & (b <= 0), 0, log(b)); }
  static constexpr auto b_other(auto g, auto a, auto b, auto) { return g * a / b; }
};

struct SpecialXlog1py {
  static constexpr Schema schema = "special_xlog1py(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "self * log1p(other), and 0 where self is 0.";
  static constexpr unsigned expose = kFunction | kOut, numbers_for = kSelf | kOther;
  static constexpr bool drops_numbers = true;
  static constexpr auto dtypes = int_to_float(floating);
  static constexpr auto kernel_name = "xlog1py_cpu";
  static constexpr auto grad_name = "SpecialXlog1Py";
  static constexpr auto grad_number = &xlogy_number;
  static constexpr auto forward(auto a, auto b) { return xlog1py(a, b); }
  static constexpr auto b_self(auto g, auto a, auto b, auto) { return g * where((a == 0) & (b <= -1), 0, log1p(b)); }
  static constexpr auto b_other(auto g, auto a, auto b, auto) { return g * a / (b + 1); }
};

// self * 2^other, in PyTorch's way of computing it.
struct LdexpLoop {
  static constexpr Schema schema = "_ldexp(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "ldexp of operands as they lie.";
  static constexpr unsigned expose = 0;
  static constexpr auto grad_name = "Ldexp";
  static constexpr auto out_rule = out_castable("ldexp can't be cast to the desired output type %O");
  static constexpr auto dtypes = int_to_float(floating | complex);
  static constexpr auto forward(auto a, auto b) { return a * exp2(b); }
  static constexpr auto d_self(auto, auto b, auto) { return exp2(b); }
  static constexpr auto d_other(auto, auto, auto y) { return y * kLn2; }
};

struct SpecialExp2 : AliasOf<Exp2> {
  static constexpr Schema schema = "special_exp2(Tensor self) -> Tensor";
  static constexpr Doc doc = "Alias of torch.exp2.";
  static constexpr unsigned expose = kFunction | kOut;
};
struct SpecialExpm1 : AliasOf<Expm1> {
  static constexpr Schema schema = "special_expm1(Tensor self) -> Tensor";
  static constexpr Doc doc = "Alias of torch.expm1.";
  static constexpr unsigned expose = kFunction | kOut;
};
struct SpecialLog1p : AliasOf<Log1p> {
  static constexpr Schema schema = "special_log1p(Tensor self) -> Tensor";
  static constexpr Doc doc = "Alias of torch.log1p.";
  static constexpr unsigned expose = kFunction | kOut;
};
struct SpecialExpit : AliasOf<Sigmoid> {
  static constexpr Schema schema = "special_expit(Tensor self) -> Tensor";
  static constexpr Doc doc = "Alias of torch.sigmoid.";
  static constexpr unsigned expose = kFunction | kOut;
};
struct SpecialXlogy : AliasOf<Xlogy> {
  static constexpr Schema schema = "special_xlogy(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "Alias of torch.xlogy.";
  static constexpr unsigned expose = kFunction | kOut;
};

}  // namespace hwaro::engine
