// Trigonometric and hyperbolic functions and their inverses.
#pragma once

#include "hwaro/ops/kinds/pointwise.h"

namespace hwaro::engine {

void check_no_complex_degrees(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, DType common);

inline constexpr double kPi = 3.14159265358979323846;

struct Sin {
  static constexpr Schema schema = "sin(Tensor self) -> Tensor";
  static constexpr Doc doc = "The sine of each element.";
  static constexpr auto dtypes = int_to_float(floating | complex);
  static constexpr auto forward(auto x) { return sin(x); }
  static constexpr auto derivative(auto x, auto) { return cos(x); }
};

struct Cos {
  static constexpr Schema schema = "cos(Tensor self) -> Tensor";
  static constexpr Doc doc = "The cosine of each element.";
  static constexpr auto dtypes = int_to_float(floating | complex);
  static constexpr auto forward(auto x) { return cos(x); }
  static constexpr auto derivative(auto x, auto) { return -sin(x); }
};

struct Tan {
  static constexpr Schema schema = "tan(Tensor self) -> Tensor";
  static constexpr Doc doc = "The tangent of each element.";
  static constexpr auto dtypes = int_to_float(floating | complex);
  static constexpr auto forward(auto x) { return tan(x); }
  static constexpr auto derivative(auto, auto y) { return 1 + y * y; }
};

struct Asin {
  static constexpr Schema schema = "asin(Tensor self) -> Tensor";
  static constexpr Doc doc = "The angle whose sine each element is.";
  static constexpr auto dtypes = int_to_float(floating | complex);
  static constexpr auto forward(auto x) { return asin(x); }
  static constexpr auto derivative(auto x, auto) { return rsqrt(1 - x * x); }
};

struct Acos {
  static constexpr Schema schema = "acos(Tensor self) -> Tensor";
  static constexpr Doc doc = "The angle whose cosine each element is.";
  static constexpr auto dtypes = int_to_float(floating | complex);
  static constexpr auto forward(auto x) { return acos(x); }
  static constexpr auto derivative(auto x, auto) { return -rsqrt(1 - x * x); }
};

struct Atan {
  static constexpr Schema schema = "atan(Tensor self) -> Tensor";
  static constexpr Doc doc = "The angle whose tangent each element is.";
  static constexpr auto dtypes = int_to_float(floating | complex);
  static constexpr auto forward(auto x) { return atan(x); }
  static constexpr auto backward(auto g, auto x, auto) { return g / conj(x * x + 1); }
};

struct Sinh {
  static constexpr Schema schema = "sinh(Tensor self) -> Tensor";
  static constexpr Doc doc = "The hyperbolic sine of each element.";
  static constexpr auto dtypes = int_to_float(floating | complex);
  static constexpr auto forward(auto x) { return sinh(x); }
  static constexpr auto derivative(auto x, auto) { return cosh(x); }
};

struct Cosh {
  static constexpr Schema schema = "cosh(Tensor self) -> Tensor";
  static constexpr Doc doc = "The hyperbolic cosine of each element.";
  static constexpr auto dtypes = int_to_float(floating | complex);
  static constexpr auto forward(auto x) { return cosh(x); }
  static constexpr auto derivative(auto x, auto) { return sinh(x); }
};

struct Tanh {
  static constexpr Schema schema = "tanh(Tensor self) -> Tensor";
  static constexpr Doc doc = "The hyperbolic tangent of each element.";
  static constexpr auto dtypes = int_to_float(floating | complex);
  static constexpr auto forward(auto x) { return tanh(x); }
  static constexpr auto derivative(auto, auto y) { return 1 - y * y; }
};

struct Asinh {
  static constexpr Schema schema = "asinh(Tensor self) -> Tensor";
  static constexpr Doc doc = "The number whose hyperbolic sine each element is.";
  static constexpr auto dtypes = int_to_float(floating | complex);
  static constexpr auto forward(auto x) { return asinh(x); }
  static constexpr auto derivative(auto x, auto) { return rsqrt(x * x + 1); }
};

struct Acosh {
  static constexpr Schema schema = "acosh(Tensor self) -> Tensor";
  static constexpr Doc doc = "The number whose hyperbolic cosine each element is.";
  static constexpr auto dtypes = int_to_float(floating | complex);
  static constexpr auto forward(auto x) { return acosh(x); }
  static constexpr auto derivative(auto x, auto) { return acosh_slope(x); }
};

struct Atanh {
  static constexpr Schema schema = "atanh(Tensor self) -> Tensor";
  static constexpr Doc doc = "The number whose hyperbolic tangent each element is.";
  static constexpr auto dtypes = int_to_float(floating | complex);
  static constexpr auto forward(auto x) { return atanh(x); }
  static constexpr auto backward(auto g, auto x, auto) { return g / conj(1 - x * x); }
};

struct Atan2 {
  static constexpr Schema schema = "atan2(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "The angle of the point (other, self) from the first axis.";
  static constexpr auto dtypes = int_to_float(floating);
  static constexpr auto forward(auto y, auto x) { return atan2(y, x); }
  // 0 at the origin, which has no angle.
  static constexpr auto b_self(auto g, auto y, auto x, auto) { return slope(g * x, y * y + x * x); }
  static constexpr auto b_other(auto g, auto y, auto x, auto) { return slope(-g * y, y * y + x * x); }
  static constexpr auto slope(auto a, auto square) { return where(square == 0, 0, a / square); }
};

struct Hypot {
  static constexpr Schema schema = "hypot(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "The length of the hypotenuse over the legs self and other.";
  static constexpr auto dtypes = same(floating);
  static constexpr auto forward(auto a, auto b) { return hypot(a, b); }
  static constexpr auto d_self(auto a, auto, auto r) { return a / r; }
  static constexpr auto d_other(auto, auto b, auto r) { return b / r; }
};

struct Sinc {
  static constexpr Schema schema = "sinc(Tensor self) -> Tensor";
  static constexpr Doc doc = "sin(pi x) / (pi x) of each element, 1 at 0.";
  static constexpr auto dtypes = int_to_float(floating | complex);
  static constexpr auto forward(auto x) { return sinc(x); }
  static constexpr auto derivative(auto x, auto) {
    return where(x * x * kPi == 0, 0, (cos(x * kPi) * (x * kPi) - sin(x * kPi)) / (x * x * kPi));
  }
};

struct Deg2Rad {
  static constexpr Schema schema = "deg2rad(Tensor self) -> Tensor";
  static constexpr Doc doc = "Degrees as radians.";
  static constexpr auto dtypes = int_to_float(floating);
  static constexpr auto check = &check_no_complex_degrees;
  static constexpr auto forward(auto x) { return x * (kPi / 180); }
  static constexpr auto derivative(auto, auto) { return kPi / 180; }
};

struct Rad2Deg {
  static constexpr Schema schema = "rad2deg(Tensor self) -> Tensor";
  static constexpr Doc doc = "Radians as degrees.";
  static constexpr auto dtypes = int_to_float(floating);
  static constexpr auto check = &check_no_complex_degrees;
  static constexpr auto forward(auto x) { return x * (180 / kPi); }
  static constexpr auto derivative(auto, auto) { return 180 / kPi; }
};

struct Arcsin : AliasOf<Asin> {
  static constexpr Schema schema = "arcsin(Tensor self) -> Tensor";
  static constexpr Doc doc = "Alias of asin.";
};
struct Arccos : AliasOf<Acos> {
  static constexpr Schema schema = "arccos(Tensor self) -> Tensor";
  static constexpr Doc doc = "Alias of acos.";
};
struct Arctan : AliasOf<Atan> {
  static constexpr Schema schema = "arctan(Tensor self) -> Tensor";
  static constexpr Doc doc = "Alias of atan.";
};
struct Arcsinh : AliasOf<Asinh> {
  static constexpr Schema schema = "arcsinh(Tensor self) -> Tensor";
  static constexpr Doc doc = "Alias of asinh.";
};
struct Arccosh : AliasOf<Acosh> {
  static constexpr Schema schema = "arccosh(Tensor self) -> Tensor";
  static constexpr Doc doc = "Alias of acosh.";
};
struct Arctanh : AliasOf<Atanh> {
  static constexpr Schema schema = "arctanh(Tensor self) -> Tensor";
  static constexpr Doc doc = "Alias of atanh.";
};
struct Arctan2 : AliasOf<Atan2> {
  static constexpr Schema schema = "arctan2(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "Alias of atan2.";
};
struct SpecialSinc : AliasOf<Sinc> {
  static constexpr Schema schema = "special_sinc(Tensor self) -> Tensor";
  static constexpr Doc doc = "Alias of torch.sinc.";
  static constexpr unsigned expose = kFunction | kOut;
};

}  // namespace hwaro::engine
