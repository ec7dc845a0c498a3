// The less common functions of torch.special.
#pragma once

#include "hwaro/ops/kinds/pointwise.h"
#include "hwaro/ops/pointwise/arithmetic.h"
#include "hwaro/ops/pointwise/special_lanes.h"

namespace hwaro::engine {

inline constexpr DTypeSet full_precision = bit(DType::Float) | bit(DType::Double);

int xlogy_number(const Operand* operands, const Scalar* scalars);

// The formulas' words on tensors; the definitions are with the operators they call.
Tensor trigamma(const Tensor& x);
Tensor polygamma_of(const Tensor& x, const Tensor& n);
Tensor i0(const Operand& self);
Tensor i1(const Tensor& x);
Tensor i0e(const Tensor& x);
Tensor i1e(const Tensor& x);
Tensor zeta(const Tensor& s, const Tensor& q);
Tensor erfcx(const Tensor& x);
Tensor lgamma(const Operand& self);

struct Polygamma {
  static constexpr Schema schema = "_polygamma(Tensor self, Scalar n) -> Tensor";
  static constexpr Doc doc = "The derivative of digamma of order n, for n of at least 1.";
  static constexpr unsigned expose = 0;
  static constexpr auto dtypes = int_to_float(floating);
  static constexpr auto kernel_name = "polygamma";
  static constexpr auto grad_name = "Polygamma";
  static constexpr auto forward(auto x, auto n) { return polygamma_of(x, n); }
  static constexpr auto derivative(auto x, auto, auto n) { return polygamma_of(x, n + 1); }
};

struct SpecialZeta {
  static constexpr Schema schema = "special_zeta(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "The Hurwitz zeta function: the sum of (other + k)^-self.";
  static constexpr unsigned expose = kFunction | kOut, numbers_for = kSelf | kOther;
  static constexpr bool drops_numbers = true;
  static constexpr auto dtypes = int_to_float(full_precision);
  static constexpr auto kernel_name = "zeta_cpu";
  static constexpr auto grad_name = "SpecialZeta";
  static constexpr auto grad_number = &xlogy_number;
  static constexpr auto forward(auto s, auto q) { return zeta(s, q); }
  static constexpr auto d_self(auto, auto, auto) { return Missing{}; }
  static constexpr auto d_other(auto s, auto q, auto) { return -s * zeta(s + 1, q); }
};

struct Igamma {
  static constexpr auto grad_name = "Igamma";
  static constexpr Schema schema = "igamma(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "The regularised lower incomplete gamma function of order self at other.";
  static constexpr auto dtypes = same(floating);
  static constexpr auto forward(auto a, auto x) { return gamma_lower(a, x); }
  static constexpr auto d_self(auto, auto, auto) { return Missing{}; }
  static constexpr auto d_other(auto a, auto x, auto) { return exp((a - 1) * log(x) - x - lgamma(a)); }
};

struct Igammac {
  static constexpr auto grad_name = "Igammac";
  static constexpr Schema schema = "igammac(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "The regularised upper incomplete gamma function of order self at other.";
  static constexpr auto dtypes = same(floating);
  static constexpr auto forward(auto a, auto x) { return gamma_upper(a, x); }
  static constexpr auto d_self(auto, auto, auto) { return Missing{}; }
  static constexpr auto d_other(auto a, auto x, auto) { return -exp((a - 1) * log(x) - x - lgamma(a)); }
};

struct SpecialGammainc : AliasOf<Igamma> {
  static constexpr Schema schema = "special_gammainc(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "Alias of torch.igamma.";
  static constexpr unsigned expose = kFunction | kOut;
};
struct SpecialGammaincc : AliasOf<Igammac> {
  static constexpr Schema schema = "special_gammaincc(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "Alias of torch.igammac.";
  static constexpr unsigned expose = kFunction | kOut;
};

struct I0 {
  static constexpr Schema schema = "i0(Tensor self) -> Tensor";
  static constexpr Doc doc = "The modified Bessel function of the first kind of order 0.";
  static constexpr auto dtypes = int_to_float(floating);
  static constexpr auto kernel_name = "i0_vml_cpu";
  static constexpr auto forward(auto x) { return i0(x); }
  static constexpr auto derivative(auto x, auto) { return i1(x); }
};

struct SpecialI0e {
  static constexpr Schema schema = "special_i0e(Tensor self) -> Tensor";
  static constexpr Doc doc = "i0, scaled by e^-|x|.";
  static constexpr unsigned expose = kFunction | kOut;
  static constexpr auto dtypes = int_to_float(floating);
  static constexpr auto kernel_name = "i0e_cpu";
  static constexpr auto grad_name = "SpecialI0E";
  static constexpr auto forward(auto x) { return i0e(x); }
  static constexpr auto derivative(auto x, auto y) { return i1e(x) - sgn(x) * y; }
};

struct SpecialI1 {
  static constexpr Schema schema = "special_i1(Tensor self) -> Tensor";
  static constexpr Doc doc = "The modified Bessel function of the first kind of order 1.";
  static constexpr unsigned expose = kFunction | kOut;
  static constexpr auto dtypes = int_to_float(floating);
  static constexpr auto kernel_name = "i1_cpu";
  static constexpr auto forward(auto x) { return i1(x); }
  static constexpr auto derivative(auto x, auto y) { return where(x == 0, 0.5, i0(x) - y / where(x == 0, 1, x)); }
};

struct SpecialI1e {
  static constexpr Schema schema = "special_i1e(Tensor self) -> Tensor";
  static constexpr Doc doc = "i1, scaled by e^-|x|.";
  static constexpr unsigned expose = kFunction | kOut;
  static constexpr auto dtypes = int_to_float(floating);
  static constexpr auto kernel_name = "i1e_cpu";
  static constexpr auto grad_name = "SpecialI1E";
  static constexpr auto forward(auto x) { return i1e(x); }
  static constexpr auto derivative(auto x, auto y) {
    return where(x == 0, 0.5, i0e(x) - y * (sgn(x) + 1 / where(x == 0, 1, x)));
  }
};

struct SpecialEntr {
  static constexpr Schema schema = "special_entr(Tensor self) -> Tensor";
  static constexpr Doc doc = "-x log x; 0 at 0, minus infinity below.";
  static constexpr unsigned expose = kFunction | kOut;
  static constexpr auto dtypes = int_to_float(floating);
  static constexpr auto kernel_name = "entr_cpu";
  static constexpr auto forward(auto x) {
    return where(x != x, x, where(x > 0, -x * log(x), where(x == 0, 0, zero_like(x) - __builtin_inf())));
  }
  static constexpr auto derivative(auto x, auto) { return -log(x) - 1; }
};

struct SpecialErfcx {
  static constexpr Schema schema = "special_erfcx(Tensor self) -> Tensor";
  static constexpr Doc doc = "e^(x^2) erfc(x), without overflow or underflow.";
  static constexpr unsigned expose = kFunction | kOut;
  static constexpr auto dtypes = int_to_float(full_precision);
  static constexpr auto kernel_name = "erfcx_cpu";
  static constexpr auto forward(auto x) { return erfcx(x); }
  static constexpr auto derivative(auto x, auto y) { return 2 * x * y - 1.12837916709551257390; }
};

struct SpecialLogNdtr {
  static constexpr Schema schema = "special_log_ndtr(Tensor self) -> Tensor";
  static constexpr Doc doc = "The logarithm of the normal distribution function.";
  static constexpr unsigned expose = kFunction | kOut;
  static constexpr auto dtypes = int_to_float(full_precision);
  static constexpr auto kernel_name = "log_ndtr_cpu";
  static constexpr auto forward(auto x) { return log_ndtr(x); }
  static constexpr auto derivative(auto x, auto) { return 0.79788456080286535588 / erfcx(x * -0.70710678118654752440); }
};

struct SpecialNdtri {
  static constexpr Schema schema = "special_ndtri(Tensor self) -> Tensor";
  static constexpr Doc doc = "The inverse of the normal distribution function.";
  static constexpr unsigned expose = kFunction | kOut;
  static constexpr auto dtypes = int_to_float(full_precision);
  static constexpr auto kernel_name = "ndtri_cpu";
  static constexpr auto forward(auto x) { return ndtri(x); }
  static constexpr auto derivative(auto, auto y) { return exp(y * y / 2) * 2.50662827463100050242; }
};

// ---- Bessel functions without a gradient, as in PyTorch ----

struct SpecialBesselJ0 {
  static constexpr Schema schema = "special_bessel_j0(Tensor self) -> Tensor";
  static constexpr Doc doc = "The Bessel function of the first kind of order 0.";
  static constexpr unsigned expose = kFunction | kOut;
  static constexpr auto dtypes = int_to_float(full_precision);
  static constexpr auto kernel_name = "bessel_j0_cpu";
  static constexpr auto forward(auto x) { return bessel_j0(x); }
};
struct SpecialBesselJ1 {
  static constexpr Schema schema = "special_bessel_j1(Tensor self) -> Tensor";
  static constexpr Doc doc = "The Bessel function of the first kind of order 1.";
  static constexpr unsigned expose = kFunction | kOut;
  static constexpr auto dtypes = int_to_float(full_precision);
  static constexpr auto kernel_name = "bessel_j1_cpu";
  static constexpr auto forward(auto x) { return bessel_j1(x); }
};
struct SpecialBesselY0 {
  static constexpr Schema schema = "special_bessel_y0(Tensor self) -> Tensor";
  static constexpr Doc doc = "The Bessel function of the second kind of order 0.";
  static constexpr unsigned expose = kFunction | kOut;
  static constexpr auto dtypes = int_to_float(full_precision);
  static constexpr auto kernel_name = "bessel_y0_cpu";
  static constexpr auto forward(auto x) { return bessel_y0(x); }
};
struct SpecialBesselY1 {
  static constexpr Schema schema = "special_bessel_y1(Tensor self) -> Tensor";
  static constexpr Doc doc = "The Bessel function of the second kind of order 1.";
  static constexpr unsigned expose = kFunction | kOut;
  static constexpr auto dtypes = int_to_float(full_precision);
  static constexpr auto kernel_name = "bessel_y1_cpu";
  static constexpr auto forward(auto x) { return bessel_y1(x); }
};
struct SpecialModifiedBesselI0 {
  static constexpr Schema schema = "special_modified_bessel_i0(Tensor self) -> Tensor";
  static constexpr Doc doc = "The modified Bessel function of the first kind of order 0.";
  static constexpr unsigned expose = kFunction | kOut;
  static constexpr auto dtypes = int_to_float(full_precision);
  static constexpr auto kernel_name = "modified_bessel_i0_cpu";
  static constexpr auto forward(auto x) { return i0(x); }
};
struct SpecialModifiedBesselI1 {
  static constexpr Schema schema = "special_modified_bessel_i1(Tensor self) -> Tensor";
  static constexpr Doc doc = "The modified Bessel function of the first kind of order 1.";
  static constexpr unsigned expose = kFunction | kOut;
  static constexpr auto dtypes = int_to_float(full_precision);
  static constexpr auto kernel_name = "modified_bessel_i1_cpu";
  static constexpr auto forward(auto x) { return i1(x); }
};
struct SpecialModifiedBesselK0 {
  static constexpr Schema schema = "special_modified_bessel_k0(Tensor self) -> Tensor";
  static constexpr Doc doc = "The modified Bessel function of the second kind of order 0.";
  static constexpr unsigned expose = kFunction | kOut;
  static constexpr auto dtypes = int_to_float(full_precision);
  static constexpr auto kernel_name = "modified_bessel_k0_cpu";
  static constexpr auto forward(auto x) { return bessel_k0(x); }
};
struct SpecialModifiedBesselK1 {
  static constexpr Schema schema = "special_modified_bessel_k1(Tensor self) -> Tensor";
  static constexpr Doc doc = "The modified Bessel function of the second kind of order 1.";
  static constexpr unsigned expose = kFunction | kOut;
  static constexpr auto dtypes = int_to_float(full_precision);
  static constexpr auto kernel_name = "modified_bessel_k1_cpu";
  static constexpr auto forward(auto x) { return bessel_k1(x); }
};
struct SpecialScaledModifiedBesselK0 {
  static constexpr Schema schema = "special_scaled_modified_bessel_k0(Tensor x) -> Tensor";
  static constexpr Doc doc = "modified_bessel_k0, scaled by e^x.";
  static constexpr unsigned expose = kFunction | kOut;
  static constexpr auto dtypes = int_to_float(full_precision);
  static constexpr auto kernel_name = "scaled_modified_bessel_k0_cpu";
  static constexpr auto forward(auto x) { return bessel_k0e(x); }
};
struct SpecialScaledModifiedBesselK1 {
  static constexpr Schema schema = "special_scaled_modified_bessel_k1(Tensor x) -> Tensor";
  static constexpr Doc doc = "modified_bessel_k1, scaled by e^x.";
  static constexpr unsigned expose = kFunction | kOut;
  static constexpr auto dtypes = int_to_float(full_precision);
  static constexpr auto kernel_name = "scaled_modified_bessel_k1_cpu";
  static constexpr auto forward(auto x) { return bessel_k1e(x); }
};
struct SpecialSphericalBesselJ0 {
  static constexpr Schema schema = "special_spherical_bessel_j0(Tensor x) -> Tensor";
  static constexpr Doc doc = "sin(x) / x, 1 at 0.";
  static constexpr unsigned expose = kFunction | kOut;
  static constexpr auto dtypes = int_to_float(full_precision);
  static constexpr auto kernel_name = "spherical_bessel_j0_cpu";
  static constexpr auto forward(auto x) { return where(isinf(x), 0, where(abs(x) < 1e-4, 1 - x * x / 6, sin(x) / x)); }
};

struct SpecialI0 : AliasOf<I0> {
  static constexpr Schema schema = "special_i0(Tensor self) -> Tensor";
  static constexpr Doc doc = "Alias of torch.i0.";
  static constexpr unsigned expose = kFunction | kOut;
};

// ---- whole numbers ----

struct Gcd {
  static constexpr Schema schema = "gcd(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "The greatest common divisor.";
  static constexpr auto dtypes = same(integers);
  static constexpr auto forward(auto a, auto b) { return gcd_of(a, b); }
};
struct Lcm {
  static constexpr Schema schema = "lcm(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "The least common multiple.";
  static constexpr auto dtypes = same(integers);
  static constexpr auto forward(auto a, auto b) { return lcm_of(a, b); }
};

}  // namespace hwaro::engine
