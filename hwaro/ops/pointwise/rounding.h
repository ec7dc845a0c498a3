// Signs, absolute values and rounding.
#pragma once

#include "hwaro/ops/kinds/pointwise.h"
#include "hwaro/ops/pointwise/arithmetic.h"
#include "hwaro/ops/pointwise/half_neighbours.h"

namespace hwaro::engine {

void check_no_complex_rounding(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, DType common);
void check_no_complex_sgn(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, DType common);
void check_heaviside(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, DType common);
void check_no_bool_abs(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, DType common);
int copysign_number(const Operand* operands, const Scalar* scalars);
const PointwiseInfo* select_nextafter(const Operand* operands, const Scalar* scalars);
Tensor isfinite(const Operand& self);

struct Abs {
  static constexpr Schema schema = "abs(Tensor self) -> Tensor";
  static constexpr Doc doc = "The absolute value of each element; of complex numbers a real tensor.";
  static constexpr auto out_rule = out_found;
  static constexpr auto dtypes = to_real_result(numbers);
  static constexpr auto forward(auto x) { return abs(x); }
  static constexpr auto backward(auto g, auto x, auto) { return g * sgn(x); }
};

struct Angle {
  static constexpr Schema schema = "angle(Tensor self) -> Tensor";
  static constexpr Doc doc = "The angle of each complex number; of negative real numbers pi, of others 0.";
  static constexpr unsigned expose = kFunction | kMethod | kOut;
  static constexpr auto dtypes = int_to_float_real(floating | complex);
  static constexpr auto forward(auto x) { return arg(x); }
  static constexpr auto backward(auto g, auto x, auto) { return angle_gradient(g, x); }
};

struct Sgn {
  static constexpr Schema schema = "sgn(Tensor self) -> Tensor";
  static constexpr Doc doc = "The sign of each element; of complex numbers z / |z|.";
  static constexpr auto out_rule = out_found;
  static constexpr auto dtypes = same(every);
  static constexpr auto forward(auto x) { return sgn(x); }
  static constexpr auto backward(auto g, auto x, auto y) { return sgn_gradient(g, x, y); }
};

struct Sign {
  static constexpr Schema schema = "sign(Tensor self) -> Tensor";
  static constexpr Doc doc = "-1, 0 or 1 by the sign of each element.";
  static constexpr auto out_rule = out_found;
  static constexpr auto dtypes = same(boolean | integers | floating);
  static constexpr auto check = &check_no_complex_sgn;
  static constexpr auto forward(auto x) { return sign(x); }
  static constexpr auto backward(auto g, auto, auto) { return zero_like(g); }
};

struct ConjPhysical {
  static constexpr Schema schema = "_conj_physical(Tensor self) -> Tensor";
  static constexpr Doc doc = "The conjugate of each complex number, written out.";
  static constexpr unsigned expose = 0;
  static constexpr auto dtypes = same(complex);
  static constexpr auto grad_name = "ConjPhysical";
  static constexpr auto forward(auto x) { return conj(x); }
  static constexpr auto backward(auto g, auto, auto) { return conj(g); }
};

struct Floor {
  static constexpr Schema schema = "floor(Tensor self) -> Tensor";
  static constexpr Doc doc = "The largest whole number that is not above each element.";
  static constexpr auto out_rule = out_found;
  static constexpr auto dtypes = same(integers | floating);
  static constexpr auto kernel_name = "floor_vml_cpu";
  static constexpr auto check = &check_no_complex_rounding;
  static constexpr auto forward(auto x) { return floor(x); }
  static constexpr auto backward(auto g, auto, auto) { return zero_like(g); }
};

struct Ceil {
  static constexpr Schema schema = "ceil(Tensor self) -> Tensor";
  static constexpr Doc doc = "The smallest whole number that is not below each element.";
  static constexpr auto out_rule = out_found;
  static constexpr auto dtypes = same(integers | floating);
  static constexpr auto kernel_name = "ceil_vml_cpu";
  static constexpr auto check = &check_no_complex_rounding;
  static constexpr auto forward(auto x) { return ceil(x); }
  static constexpr auto backward(auto g, auto, auto) { return zero_like(g); }
};

struct Trunc {
  static constexpr Schema schema = "trunc(Tensor self) -> Tensor";
  static constexpr Doc doc = "Each element rounded towards zero.";
  static constexpr auto out_rule = out_found;
  static constexpr auto dtypes = same(integers | floating);
  static constexpr auto kernel_name = "trunc_vml_cpu";
  static constexpr auto check = &check_no_complex_rounding;
  static constexpr auto forward(auto x) { return trunc(x); }
  static constexpr auto backward(auto g, auto, auto) { return zero_like(g); }
};

struct Round {
  static constexpr Schema schema = "round(Tensor self) -> Tensor";
  static constexpr Doc doc = "Each element rounded to the nearest whole number, halves to the even one.";
  static constexpr auto out_rule = out_found;
  static constexpr auto dtypes = same(integers | floating);
  static constexpr auto kernel_name = "round_vml_cpu";
  static constexpr auto forward(auto x) { return round(x); }
  static constexpr auto backward(auto g, auto, auto) { return zero_like(g); }
};

struct RoundUp {
  static constexpr Schema schema = "_round_decimals(Tensor self, Scalar scale) -> Tensor";
  static constexpr Doc doc = "round with a number of decimals above zero: scale is ten to its power.";
  static constexpr unsigned expose = 0;
  static constexpr auto dtypes = same(floating);
  static constexpr auto kernel_name = "round_cpu";
  static constexpr auto grad_name = "Round";
  static constexpr auto grad_number = &always_one;
  static constexpr auto forward(auto x, auto scale) { return round(x * scale) / scale; }
  static constexpr auto backward(auto g, auto, auto, auto) { return zero_like(g); }
};

struct RoundDown {
  static constexpr Schema schema = "_round_tens(Tensor self, Scalar scale) -> Tensor";
  static constexpr Doc doc = "round with a number of decimals below zero: scale is ten to its magnitude.";
  static constexpr unsigned expose = 0;
  static constexpr auto dtypes = same(floating);
  static constexpr auto kernel_name = "round_cpu";
  static constexpr auto grad_name = "Round";
  static constexpr auto grad_number = &always_one;
  static constexpr auto forward(auto x, auto scale) { return round(x / scale) * scale; }
  static constexpr auto backward(auto g, auto, auto, auto) { return zero_like(g); }
};

struct Frac {
  static constexpr Schema schema = "frac(Tensor self) -> Tensor";
  static constexpr Doc doc = "What trunc leaves of each element.";
  static constexpr auto out_rule = out_found;
  static constexpr auto dtypes = same(floating);
  static constexpr auto forward(auto x) { return x - trunc(x); }
  static constexpr auto derivative(auto, auto) { return One{}; }
};

struct Copysign {
  static constexpr Schema schema = "copysign.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "The magnitude of self with the sign of other.";
  static constexpr unsigned numbers_for = kOther;
  static constexpr bool drops_numbers = true;
  static constexpr auto dtypes = int_to_float(floating);
  static constexpr auto grad_number = &copysign_number;
  static constexpr auto forward(auto a, auto b) { return copysign(a, b); }
  static constexpr auto b_self(auto g, auto a, auto, auto y) { return g * where(a == 0, 0, y / a); }
  static constexpr auto b_other(auto g, auto, auto, auto) { return zero_like(g); }
};

struct NextAfterHalf {
  static constexpr Schema schema = "_nextafter_half(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "nextafter of half precision.";
  static constexpr unsigned expose = 0;
  static constexpr auto dtypes = same(bit(DType::Half));
  static constexpr auto grad_name = "Nextafter";
  static constexpr auto forward(auto a, auto b) { return nextafter_half(a, b); }
  static constexpr auto b_self(auto g, auto a, auto b, auto) { return where(a == b, 0, g); }
  static constexpr auto b_other(auto g, auto, auto, auto) { return zero_like(g); }
};

struct NextAfterBFloat16 {
  static constexpr Schema schema = "_nextafter_bfloat16(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "nextafter of bfloat16.";
  static constexpr unsigned expose = 0;
  static constexpr auto dtypes = same(bit(DType::BFloat16));
  static constexpr auto grad_name = "Nextafter";
  static constexpr auto forward(auto a, auto b) { return nextafter_bfloat16(a, b); }
  static constexpr auto b_self(auto g, auto a, auto b, auto) { return where(a == b, 0, g); }
  static constexpr auto b_other(auto g, auto, auto, auto) { return zero_like(g); }
};

struct NextAfter {
  static constexpr Schema schema = "nextafter(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "The number after self in the direction of other.";
  // The two half types are computed in float, whose neighbours are not theirs: they have operators of their own.
  static constexpr auto dtypes = same(bit(DType::Float) | bit(DType::Double));
  static constexpr auto grad_name = "Nextafter";
  static constexpr auto select = &select_nextafter;
  static constexpr auto forward(auto a, auto b) { return nextafter(a, b); }
  static constexpr auto b_self(auto g, auto a, auto b, auto) { return where(a == b, 0, g); }
  static constexpr auto b_other(auto g, auto, auto, auto) { return zero_like(g); }
};

struct Heaviside {
  static constexpr Schema schema = "heaviside(Tensor self, Tensor values) -> Tensor";
  static constexpr Doc doc = "0 below zero, 1 above, and values at zero.";
  static constexpr auto out_rule = out_same("heaviside is not yet implemented for tensors with different dtypes.");
  static constexpr auto dtypes = same(boolean | integers | floating);
  static constexpr auto check = &check_heaviside;
  static constexpr auto forward(auto x, auto v) { return where(x == 0, v, where(x > 0, 1, zero_like(x))); }
  static constexpr auto d_self(auto, auto, auto) { return Missing{}; }
  static constexpr auto d_other(auto, auto, auto) { return Missing{}; }
};

struct NanToNum {
  static constexpr Schema schema = "_nan_to_num(Tensor self, Scalar nan, Scalar posinf, Scalar neginf) -> Tensor";
  static constexpr Doc doc = "nan_to_num with all replacements given.";
  static constexpr unsigned expose = 0;
  static constexpr auto dtypes = same(floating | complex);
  static constexpr auto kernel_name = "nan_to_num";
  static constexpr auto grad_name = "NanToNum";
  static constexpr auto forward(auto x, auto nan, auto top, auto bottom) {
    return replace_special(x, nan, top, bottom);
  }
  static constexpr auto derivative(auto x, auto, auto, auto, auto) { return where(isfinite(x), 1, 0); }
};

struct Fix : AliasOf<Trunc> {
  static constexpr Schema schema = "fix(Tensor self) -> Tensor";
  static constexpr Doc doc = "Alias of trunc.";
  static constexpr auto out_rule = out_found;
};
struct Absolute : AliasOf<Abs> {
  static constexpr Schema schema = "absolute(Tensor self) -> Tensor";
  static constexpr Doc doc = "Alias of abs.";
  static constexpr auto out_rule = out_found;
};
struct SpecialRound : AliasOf<Round> {
  static constexpr Schema schema = "special_round(Tensor self) -> Tensor";
  static constexpr Doc doc = "Alias of torch.round.";
  static constexpr unsigned expose = kFunction | kOut;
};

}  // namespace hwaro::engine
