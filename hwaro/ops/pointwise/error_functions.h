// Error functions and the gamma family.
#pragma once

#include "hwaro/ops/kinds/pointwise.h"
#include "hwaro/ops/pointwise/special_lanes.h"

namespace hwaro::engine {

inline constexpr double kTwoOverSqrtPi = 1.12837916709551257390, kHalfSqrtPi = 0.88622692545275801365;

// The derivative of digamma as a tensor: polygamma(1, x).
Tensor trigamma(const Tensor& x);

struct Erf {
  static constexpr Schema schema = "erf(Tensor self) -> Tensor";
  static constexpr Doc doc = "The error function of each element.";
  static constexpr auto dtypes = int_to_float(floating);
  static constexpr auto kernel_name = "erf_vml_cpu";
  static constexpr auto forward(auto x) { return erf(x); }
  static constexpr auto derivative(auto x, auto) { return kTwoOverSqrtPi * exp(-(x * x)); }
};

struct Erfc {
  static constexpr Schema schema = "erfc(Tensor self) -> Tensor";
  static constexpr Doc doc = "One minus the error function of each element, exact where that is near one.";
  static constexpr auto dtypes = int_to_float(floating);
  static constexpr auto kernel_name = "erfc_vml_cpu";
  static constexpr auto forward(auto x) { return erfc(x); }
  static constexpr auto derivative(auto x, auto) { return -kTwoOverSqrtPi * exp(-(x * x)); }
};

struct Erfinv {
  static constexpr Schema schema = "erfinv(Tensor self) -> Tensor";
  static constexpr Doc doc = "The number whose error function each element is.";
  static constexpr auto dtypes = int_to_float(floating);
  static constexpr auto kernel_name = "erfinv_vml_cpu";
  static constexpr auto forward(auto x) { return erfinv(x); }
  static constexpr auto derivative(auto, auto y) { return kHalfSqrtPi * exp(y * y); }
};

struct Lgamma {
  static constexpr Schema schema = "lgamma(Tensor self) -> Tensor";
  static constexpr Doc doc = "The logarithm of the absolute value of the gamma function of each element.";
  static constexpr auto dtypes = int_to_float(floating);
  static constexpr auto kernel_name = "lgamma_vml_cpu";
  static constexpr auto forward(auto x) { return lgamma(x); }
  static constexpr auto derivative(auto x, auto) { return digamma(x); }
};

struct Digamma {
  static constexpr Schema schema = "digamma(Tensor self) -> Tensor";
  static constexpr Doc doc = "The derivative of lgamma at each element.";
  static constexpr auto dtypes = int_to_float(floating);
  static constexpr auto kernel_name = "digamma";
  static constexpr auto forward(auto x) { return digamma(x); }
  static constexpr auto derivative(auto x, auto) { return trigamma(x); }
};

struct SpecialErf : AliasOf<Erf> {
  static constexpr Schema schema = "special_erf(Tensor self) -> Tensor";
  static constexpr Doc doc = "Alias of torch.erf.";
  static constexpr unsigned expose = kFunction | kOut;
};
struct SpecialErfc : AliasOf<Erfc> {
  static constexpr Schema schema = "special_erfc(Tensor self) -> Tensor";
  static constexpr Doc doc = "Alias of torch.erfc.";
  static constexpr unsigned expose = kFunction | kOut;
};
struct SpecialErfinv : AliasOf<Erfinv> {
  static constexpr Schema schema = "special_erfinv(Tensor self) -> Tensor";
  static constexpr Doc doc = "Alias of torch.erfinv.";
  static constexpr unsigned expose = kFunction | kOut;
};
struct SpecialGammaln : AliasOf<Lgamma> {
  static constexpr Schema schema = "special_gammaln(Tensor self) -> Tensor";
  static constexpr Doc doc = "Alias of torch.lgamma.";
  static constexpr unsigned expose = kFunction | kOut;
};
struct SpecialDigamma : AliasOf<Digamma> {
  static constexpr Schema schema = "special_digamma(Tensor self) -> Tensor";
  static constexpr Doc doc = "Alias of torch.digamma.";
  static constexpr unsigned expose = kFunction | kOut;
};
struct SpecialPsi : AliasOf<Digamma> {
  static constexpr Schema schema = "special_psi(Tensor self) -> Tensor";
  static constexpr Doc doc = "Alias of torch.digamma.";
  static constexpr unsigned expose = kFunction | kOut;
};

}  // namespace hwaro::engine
