// Truth values, bits and tests for special values.
#pragma once

#include "hwaro/ops/kinds/pointwise.h"

namespace hwaro::engine {

// ~ on truth values is negation, not the complement of a byte.
const PointwiseInfo* select_bitwise_not(const Operand* operands, const Scalar* scalars);
void check_no_complex_infinity(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, DType common);
void check_no_complex_sign(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, DType common);

struct LogicalAnd {
  static constexpr Schema schema = "logical_and(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "Whether both elements are other than zero.";
  static constexpr auto dtypes = to_bool(every);
  static constexpr auto forward(auto a, auto b) { return (a != 0) & (b != 0); }
};

struct LogicalOr {
  static constexpr Schema schema = "logical_or(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "Whether one of the elements is other than zero.";
  static constexpr auto dtypes = to_bool(every);
  static constexpr auto forward(auto a, auto b) { return (a != 0) | (b != 0); }
};

struct LogicalXor {
  static constexpr Schema schema = "logical_xor(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "Whether exactly one of the elements is other than zero.";
  static constexpr auto dtypes = to_bool(every);
  static constexpr auto forward(auto a, auto b) { return (a != 0) ^ (b != 0); }
};

struct LogicalNot {
  static constexpr Schema schema = "logical_not(Tensor self) -> Tensor";
  static constexpr Doc doc = "Whether each element is zero.";
  static constexpr auto dtypes = to_bool(every);
  static constexpr auto forward(auto x) { return x == 0; }
};

struct BitwiseAnd {
  static constexpr Schema schema = "bitwise_and.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "The bits set in both elements.";
  static constexpr unsigned numbers_for = kSelf | kOther;
  static constexpr auto dtypes = same(boolean | integers);
  static constexpr auto forward(auto a, auto b) { return a & b; }
};

struct BitwiseOr {
  static constexpr Schema schema = "bitwise_or.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "The bits set in one of the elements.";
  static constexpr unsigned numbers_for = kSelf | kOther;
  static constexpr auto dtypes = same(boolean | integers);
  static constexpr auto forward(auto a, auto b) { return a | b; }
};

struct BitwiseXor {
  static constexpr Schema schema = "bitwise_xor.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "The bits in which the elements differ.";
  static constexpr unsigned numbers_for = kSelf | kOther;
  static constexpr auto dtypes = same(boolean | integers);
  static constexpr auto forward(auto a, auto b) { return a ^ b; }
};

struct BitwiseNot {
  static constexpr Schema schema = "bitwise_not(Tensor self) -> Tensor";
  static constexpr Doc doc = "The complement of each element; of truth values the negation.";
  static constexpr auto out_rule = out_found;
  static constexpr auto dtypes = same(integers);
  static constexpr auto select = &select_bitwise_not;
  static constexpr auto forward(auto x) { return ~x; }
};

struct BitwiseLeftShift {
  static constexpr Schema schema = "bitwise_left_shift.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc =
      "The bits of self moved up by other places; by the width or more, or a negative number: 0.";
  static constexpr unsigned numbers_for = kSelf | kOther;
  static constexpr auto dtypes = same(integers);
  static constexpr auto kernel_name = "lshift_cpu";
  static constexpr auto forward(auto a, auto b) { return a << b; }
};

struct BitwiseRightShift {
  static constexpr Schema schema = "bitwise_right_shift.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "The bits of self moved down by other places, keeping the sign.";
  static constexpr unsigned numbers_for = kSelf | kOther;
  static constexpr auto dtypes = same(integers);
  static constexpr auto kernel_name = "rshift_cpu";
  static constexpr auto forward(auto a, auto b) { return a >> b; }
};

struct IsNan {
  static constexpr Schema schema = "isnan(Tensor self) -> Tensor";
  static constexpr Doc doc = "Whether each element is not a number (of a complex number: one of its parts).";
  static constexpr unsigned expose = kFunction | kMethod;
  static constexpr auto dtypes = to_bool(every);
  static constexpr auto forward(auto x) { return x != x; }
};

struct IsInf {
  static constexpr Schema schema = "isinf(Tensor self) -> Tensor";
  static constexpr Doc doc = "Whether each element is infinite (of a complex number: one of its parts).";
  static constexpr unsigned expose = kFunction | kMethod;
  static constexpr auto dtypes = to_bool(every);
  static constexpr auto forward(auto x) { return isinf(x); }
};

struct IsFinite {
  static constexpr Schema schema = "isfinite(Tensor self) -> Tensor";
  static constexpr Doc doc = "Whether each element is neither infinite nor NaN.";
  static constexpr unsigned expose = kFunction | kMethod;
  static constexpr auto dtypes = to_bool(every);
  static constexpr auto forward(auto x) { return isfinite(x); }
};

struct IsPosInf {
  static constexpr Schema schema = "isposinf(Tensor self) -> Tensor";
  static constexpr Doc doc = "Whether each element is positive infinity.";
  static constexpr auto out_rule = out_same("isposinf does not support non-boolean outputs.");
  static constexpr unsigned expose = kFunction | kMethod | kOut;
  static constexpr auto dtypes = to_bool(boolean | integers | floating);
  static constexpr auto check = &check_no_complex_infinity;
  static constexpr auto forward(auto x) { return isinf(x) & (x > 0); }
};

struct IsNegInf {
  static constexpr Schema schema = "isneginf(Tensor self) -> Tensor";
  static constexpr Doc doc = "Whether each element is negative infinity.";
  static constexpr auto out_rule = out_same("isneginf does not support non-boolean outputs.");
  static constexpr unsigned expose = kFunction | kMethod | kOut;
  static constexpr auto dtypes = to_bool(boolean | integers | floating);
  static constexpr auto check = &check_no_complex_infinity;
  static constexpr auto forward(auto x) { return isinf(x) & (x < 0); }
};

struct IsReal {
  static constexpr Schema schema = "isreal(Tensor self) -> Tensor";
  static constexpr Doc doc = "Whether the imaginary part of each element is zero.";
  static constexpr unsigned expose = kFunction | kMethod;
  static constexpr auto dtypes = to_bool(every);
  static constexpr auto forward(auto x) { return imaginary_is_zero(x); }
};

struct SignBit {
  static constexpr Schema schema = "signbit(Tensor self) -> Tensor";
  static constexpr Doc doc = "Whether the sign of each element is negative, -0.0 included.";
  static constexpr auto out_rule = out_same("signbit does not support non-boolean outputs.");
  static constexpr unsigned expose = kFunction | kMethod | kOut;
  static constexpr auto dtypes = to_bool(boolean | integers | floating);
  static constexpr auto check = &check_no_complex_sign;
  static constexpr auto forward(auto x) { return signbit(x); }
};

}  // namespace hwaro::engine
