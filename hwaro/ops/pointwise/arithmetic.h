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
int power_number(const Operand* operands, const Scalar* scalars);
const PointwiseInfo* select_power(const Operand* operands, const Scalar* scalars);

struct AddScaled {
  static constexpr Schema schema = "_add_scaled(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor";
  static constexpr Doc doc = "self + alpha * other, for an alpha other than one.";
  static constexpr unsigned expose = 0, numbers_for = kOther;
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
  static constexpr unsigned expose = 0, numbers_for = kOther;
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
  static constexpr unsigned numbers_for = kOther;
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
  static constexpr unsigned numbers_for = kOther;
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
  static constexpr unsigned numbers_for = kOther;
  static constexpr auto dtypes = same(every);
  static constexpr auto forward(auto a, auto b) { return a * b; }
  static constexpr auto d_self(auto, auto b, auto) { return b; }
  static constexpr auto d_other(auto a, auto, auto) { return a; }
};

struct Div {
  static constexpr Schema schema = "div.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "Divides self by other, element by element; integers give floating-point results.";
  static constexpr unsigned numbers_for = kOther;
  static constexpr auto dtypes = int_to_float(floating | complex);
  static constexpr auto forward(auto a, auto b) { return a / b; }
  static constexpr auto d_self(auto, auto b, auto) { return 1 / b; }
  static constexpr auto d_other(auto, auto b, auto y) { return -y / b; }
};

struct Neg {
  static constexpr Schema schema = "neg(Tensor self) -> Tensor";
  static constexpr Doc doc = "The negative of each element.";
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
  static constexpr auto dtypes = same(every);
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

struct Pow {
  static constexpr Schema schema = "pow.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor";
  static constexpr Doc doc = "self raised to the power exponent, element by element.";
  static constexpr unsigned numbers_for = kSelf | kOther;
  static constexpr auto dtypes = same(numbers);
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

}  // namespace hwaro::engine
