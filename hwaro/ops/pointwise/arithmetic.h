// Sums, differences, products, quotients and powers.
#pragma once

#include "hwaro/ops/kinds/pointwise.h"

namespace hwaro::engine {

// The integer check that formulas cannot make: whether any element of a tensor or number is zero.
void check_integer_divisor(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, DType common);
// Rejects a fractional alpha for integers, a bool alpha for others, and bool subtraction.
void check_alpha(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, DType common);
void check_no_bool_sub(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, DType common);
void check_no_bool_neg(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, DType common);
void check_integer_power(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, DType common);
// Which operator computes a call: multiplying by an alpha of one would turn infinite complex numbers into NaN.
const PointwiseInfo* select_add(const Operand* operands, const Scalar* scalars);
const PointwiseInfo* select_sub(const Operand* operands, const Scalar* scalars);
// Which overload PyTorch would have taken, for the number in the node's name.
int scalar_overload_is_one(const Operand* operands, const Scalar* scalars);
int tensor_overload_is_one(const Operand* operands, const Scalar* scalars);
int always_one(const Operand* operands, const Scalar* scalars);
int always_two(const Operand* operands, const Scalar* scalars);
int power_number(const Operand* operands, const Scalar* scalars);
const PointwiseInfo* select_power(const Operand* operands, const Scalar* scalars);

struct AddScaled {
  static constexpr Schema schema = "_add_scaled(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor";
  static constexpr Doc doc = "self + alpha * other, for an alpha other than one.";
  static constexpr unsigned expose = 0, numbers_for = kSelf | kOther;
  static constexpr auto dtypes = same(every);
  static constexpr auto grad_name = "Add";
  static constexpr auto kernel_name = "add_stub";
  static constexpr auto check = &check_alpha;
  static constexpr auto forward(auto a, auto b, auto alpha) { return a + alpha * b; }
  static constexpr auto d_self(auto, auto, auto, auto) { return One{}; }
  static constexpr auto d_other(auto, auto, auto, auto alpha) { return alpha; }
};

struct SubScaled {
  static constexpr Schema schema = "_sub_scaled(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor";
  static constexpr Doc doc = "self - alpha * other, for an alpha other than one.";
  static constexpr unsigned expose = 0, numbers_for = kSelf | kOther;
  static constexpr auto dtypes = same(every);
  static constexpr auto grad_name = "Sub";
  static constexpr auto kernel_name = "sub_stub";
  static constexpr auto check = &check_alpha;
  static constexpr auto forward(auto a, auto b, auto alpha) { return a - alpha * b; }
  static constexpr auto d_self(auto, auto, auto, auto) { return One{}; }
  static constexpr auto d_other(auto, auto, auto, auto alpha) { return -alpha; }
};

struct Add {
  static constexpr Schema schema = "add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor";
  static constexpr Doc doc = "Adds other, scaled by alpha, to each element of self.";
  static constexpr unsigned numbers_for = kSelf | kOther;
  static constexpr auto dtypes = same(every);
  static constexpr auto kernel_name = "add_stub";
  static constexpr auto select = &select_add;
  static constexpr auto forward(auto a, auto b, auto) { return a + b; }
  static constexpr auto d_self(auto, auto, auto, auto) { return One{}; }
  static constexpr auto d_other(auto, auto, auto, auto) { return One{}; }
};

struct Sub {
  static constexpr Schema schema = "sub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor";
  static constexpr Doc doc = "Subtracts other, scaled by alpha, from each element of self.";
  static constexpr unsigned numbers_for = kSelf | kOther;
  static constexpr auto dtypes = same(every);
  static constexpr auto kernel_name = "sub_stub";
  static constexpr auto check = &check_no_bool_sub;
  static constexpr auto select = &select_sub;
  static constexpr auto forward(auto a, auto b, auto) { return a - b; }
  static constexpr auto d_self(auto, auto, auto, auto) { return One{}; }
  static constexpr auto d_other(auto, auto, auto, auto) { return -1; }
};

struct Mul {
  static constexpr Schema schema = "mul.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "Multiplies self by other, element by element.";
  static constexpr unsigned numbers_for = kSelf | kOther;
  static constexpr auto dtypes = same(every);
  static constexpr auto forward(auto a, auto b) { return a * b; }
  static constexpr auto d_self(auto, auto b, auto) { return b; }
  static constexpr auto d_other(auto a, auto, auto) { return a; }
};

struct Div {
  static constexpr Schema schema = "div.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "Divides self by other, element by element; integers give floating-point results.";
  static constexpr unsigned numbers_for = kSelf | kOther;
  static constexpr auto dtypes = int_to_float(floating | complex);
  static constexpr auto forward(auto a, auto b) { return a / b; }
  static constexpr auto b_self(auto g, auto, auto b, auto) { return g / conj(b); }
  // -g a / b / b: as much as is needed of the quotient again, so that the result need not be kept.
  static constexpr auto b_other(auto g, auto a, auto b, auto) { return -g * conj((a / b) / b); }
};

struct Neg {
  static constexpr Schema schema = "neg(Tensor self) -> Tensor";
  static constexpr Doc doc = "The negative of each element.";
  static constexpr auto out_rule = out_found;
  static constexpr auto dtypes = same(numbers);
  static constexpr auto check = &check_no_bool_neg;
  static constexpr auto forward(auto x) { return -x; }
  static constexpr auto derivative(auto, auto) { return -1; }
};

struct Reciprocal {
  static constexpr Schema schema = "reciprocal(Tensor self) -> Tensor";
  static constexpr Doc doc = "One divided by each element.";
  static constexpr auto dtypes = int_to_float(floating | complex);
  static constexpr auto forward(auto x) { return 1 / x; }
  static constexpr auto derivative(auto, auto y) { return -(y * y); }
};

struct Square {
  static constexpr Schema schema = "square(Tensor self) -> Tensor";
  static constexpr Doc doc = "The square of each element.";
  static constexpr auto dtypes = bool_to_int(numbers);
  static constexpr auto grad_name = "Pow";
  static constexpr auto forward(auto x) { return x * x; }
  static constexpr auto derivative(auto x, auto) { return 2 * x; }
};

struct Cube {
  static constexpr Schema schema = "_cube(Tensor self) -> Tensor";
  static constexpr Doc doc = "The third power of each element.";
  static constexpr unsigned expose = 0;
  static constexpr auto dtypes = same(numbers);
  static constexpr auto grad_name = "Pow";
  static constexpr auto forward(auto x) { return x * x * x; }
  static constexpr auto derivative(auto x, auto) { return 3 * (x * x); }
};

// Powers with formulas of their own, which is faster than pow and as PyTorch computes them.
struct SquareRootPower {
  static constexpr Schema schema = "_sqrt_power(Tensor self) -> Tensor";
  static constexpr Doc doc = "self ** 0.5.";
  static constexpr unsigned expose = 0;
  static constexpr auto dtypes = same(floating);
  static constexpr auto grad_name = "Pow";
  static constexpr auto forward(auto x) { return sqrt(x); }
  static constexpr auto derivative(auto x, auto) { return 0.5 / sqrt(x); }
};

struct ReciprocalRootPower {
  static constexpr Schema schema = "_rsqrt_power(Tensor self) -> Tensor";
  static constexpr Doc doc = "self ** -0.5.";
  static constexpr unsigned expose = 0;
  static constexpr auto dtypes = same(floating);
  static constexpr auto grad_name = "Pow";
  static constexpr auto forward(auto x) { return rsqrt(x); }
  static constexpr auto derivative(auto x, auto) { return -0.5 * pow(x, -1.5); }
};

struct ZerothPower {
  static constexpr Schema schema = "_zeroth_power(Tensor self) -> Tensor";
  static constexpr Doc doc = "self ** 0: one, also for NaN.";
  static constexpr unsigned expose = 0;
  static constexpr auto dtypes = same(every);
  static constexpr auto grad_name = "Pow";
  static constexpr auto forward(auto x) { return zero_like(x) + 1; }
  static constexpr auto backward(auto g, auto, auto) { return zero_like(g); }
};

struct FirstPower {
  static constexpr Schema schema = "_first_power(Tensor self) -> Tensor";
  static constexpr Doc doc = "self ** 1: a copy.";
  static constexpr unsigned expose = 0;
  static constexpr auto dtypes = same(every);
  static constexpr auto grad_name = "Pow";
  static constexpr auto forward(auto x) { return x; }
  static constexpr auto derivative(auto, auto) { return One{}; }
};

struct ReciprocalPower {
  static constexpr Schema schema = "_reciprocal_power(Tensor self) -> Tensor";
  static constexpr Doc doc = "self ** -1.";
  static constexpr unsigned expose = 0;
  static constexpr auto dtypes = same(floating);
  static constexpr auto grad_name = "Pow";
  static constexpr auto forward(auto x) { return 1 / x; }
  static constexpr auto derivative(auto x, auto) { return -1 / (x * x); }
};

struct Pow {
  static constexpr Schema schema = "pow.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor";
  static constexpr Doc doc = "self raised to the power exponent, element by element.";
  static constexpr unsigned numbers_for = kSelf | kOther;
  static constexpr bool drops_numbers = true;
  static constexpr auto dtypes = same(numbers);
  static constexpr auto kernel_name = "pow";
  static constexpr auto check = &check_integer_power;
  static constexpr auto grad_number = &power_number;
  static constexpr auto select = &select_power;
  static constexpr auto forward(auto x, auto e) { return pow(x, e); }
  // x ** 0 has gradient 0 also at x = 0, and 0 ** e has gradient 0 in e for e >= 0.
  static constexpr auto b_self(auto g, auto x, auto e, auto) { return where(e == 0, 0, g * conj(e * pow(x, e - 1))); }
  static constexpr auto b_other(auto g, auto x, auto e, auto y) {
    return g * conj(where((x == 0) & is_nonnegative(e), 0, y * log(x)));
  }
};

struct Rsub {
  static constexpr Schema schema = "rsub.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor";
  static constexpr Doc doc = "Subtracts self, scaled by alpha, from other.";
  static constexpr unsigned expose = kFunction, numbers_for = kOther;
  static constexpr bool drops_numbers = true;
  static constexpr auto dtypes = same(every);
  static constexpr auto check = &check_alpha;
  static constexpr auto grad_number = &scalar_overload_is_one;
  static constexpr auto forward(auto a, auto b, auto alpha) { return b - alpha * a; }
  static constexpr auto d_self(auto, auto, auto, auto alpha) { return -alpha; }
  static constexpr auto d_other(auto, auto, auto, auto) { return One{}; }
};

// ---- quotients to whole numbers, and what is left of them ----

struct FloorDivide {
  static constexpr Schema schema = "floor_divide(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "The quotient rounded down, as Python's // gives it.";
  static constexpr unsigned numbers_for = kSelf | kOther;
  static constexpr bool drops_numbers = true;
  static constexpr auto dtypes = same(integers | floating);
  static constexpr auto kernel_name = "div_floor_cpu";
  static constexpr auto check = &check_integer_divisor;
  static constexpr auto forward(auto a, auto b) { return floor_divide(a, b); }
  static constexpr auto d_self(auto, auto, auto) { return Missing{}; }
  static constexpr auto d_other(auto, auto, auto) { return Missing{}; }
};

struct DivFloor {
  static constexpr Schema schema = "_div_floor(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "div with rounding_mode='floor'.";
  static constexpr unsigned expose = 0, numbers_for = kSelf | kOther;
  static constexpr auto dtypes = same(integers | floating);
  static constexpr auto kernel_name = "div_floor_cpu";
  static constexpr auto grad_name = "Div";
  static constexpr auto check = &check_integer_divisor;
  static constexpr auto grad_number = &always_two;
  static constexpr auto forward(auto a, auto b) { return floor_divide(a, b); }
  static constexpr auto b_self(auto g, auto, auto, auto) { return zero_like(g); }
  static constexpr auto b_other(auto g, auto, auto, auto) { return zero_like(g); }
};

struct DivTrunc {
  static constexpr Schema schema = "_div_trunc(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "div with rounding_mode='trunc'.";
  static constexpr unsigned expose = 0, numbers_for = kSelf | kOther;
  static constexpr auto dtypes = same(integers | floating);
  static constexpr auto kernel_name = "div_trunc_cpu";
  static constexpr auto grad_name = "Div";
  static constexpr auto check = &check_integer_divisor;
  static constexpr auto grad_number = &always_two;
  static constexpr auto forward(auto a, auto b) { return trunc_divide(a, b); }
  static constexpr auto b_self(auto g, auto, auto, auto) { return zero_like(g); }
  static constexpr auto b_other(auto g, auto, auto, auto) { return zero_like(g); }
};

struct Remainder {
  static constexpr Schema schema = "remainder.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "What floor division leaves: the result has the sign of other.";
  static constexpr unsigned numbers_for = kSelf | kOther;
  static constexpr bool drops_numbers = true;
  static constexpr auto dtypes = same(integers | floating);
  static constexpr auto check = &check_integer_divisor;
  static constexpr auto grad_number = &tensor_overload_is_one;
  static constexpr auto forward(auto a, auto b) { return remainder(a, b); }
  static constexpr auto d_self(auto, auto, auto) { return One{}; }
  static constexpr auto d_other(auto a, auto b, auto) { return -quotient_floor(a, b); }
};

struct Fmod {
  static constexpr Schema schema = "fmod.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "What division rounded towards zero leaves: the result has the sign of self.";
  static constexpr unsigned numbers_for = kOther;
  static constexpr bool drops_numbers = true;
  static constexpr auto dtypes = same(integers | floating);
  static constexpr auto check = &check_integer_divisor;
  static constexpr auto grad_number = &tensor_overload_is_one;
  static constexpr auto forward(auto a, auto b) { return fmod(a, b); }
  static constexpr auto d_self(auto, auto, auto) { return One{}; }
  static constexpr auto d_other(auto a, auto b, auto) { return -quotient_trunc(a, b); }
};

// ---- other names ----

struct TrueDivide : AliasOf<Div> {
  static constexpr Schema schema = "true_divide.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "Alias of div.";
};
struct Subtract : AliasOf<Sub> {
  static constexpr Schema schema = "subtract.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor";
  static constexpr Doc doc = "Alias of sub.";
};
struct Multiply : AliasOf<Mul> {
  static constexpr Schema schema = "multiply.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "Alias of mul.";
};
struct Divide : AliasOf<Div> {
  static constexpr Schema schema = "divide.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "Alias of div.";
};
struct Negative : AliasOf<Neg> {
  static constexpr Schema schema = "negative(Tensor self) -> Tensor";
  static constexpr Doc doc = "Alias of neg.";
  static constexpr auto out_rule = out_found;
};

}  // namespace hwaro::engine
