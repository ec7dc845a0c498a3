// Operators of three tensors: interpolation and fused products.
#pragma once

#include "hwaro/ops/kinds/pointwise.h"
#include "hwaro/ops/pointwise/arithmetic.h"

namespace hwaro::engine {

// Operands of one type, as PyTorch asks of lerp.
void check_lerp_types(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, DType common);
void check_no_integer_addcdiv(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, DType common);
void check_no_bool_addcmul(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, DType common);

struct LerpScalar {
  static constexpr Schema schema = "lerp.Scalar(Tensor self, Tensor end, Scalar weight) -> Tensor";
  static constexpr Doc doc = "Interpolates linearly: self + weight * (end - self).";
  static constexpr auto dtypes = same(floating | complex);
  static constexpr auto kernel_name = "lerp_kernel_scalar";
  static constexpr auto check = &check_lerp_types;
  // From the nearer end, so that weights of 0 and 1 give the ends themselves.
  static constexpr auto forward(auto a, auto b, auto w) {
    return where(abs(w) < 0.5, a + w * (b - a), b - (b - a) * (1 - w));
  }
  static constexpr auto d_self(auto, auto, auto, auto w) { return 1 - w; }
  static constexpr auto d_other(auto, auto, auto, auto w) { return w; }
};

struct LerpTensor {
  static constexpr Schema schema = "lerp.Tensor(Tensor self, Tensor end, Tensor weight) -> Tensor";
  static constexpr Doc doc = "Interpolates linearly, with a weight for each element.";
  static constexpr auto dtypes = same(floating | complex);
  static constexpr auto kernel_name = "lerp_kernel_tensor";
  static constexpr auto check = &check_lerp_types;
  static constexpr auto grad_number = &always_one;
  static constexpr auto forward(auto a, auto b, auto w) { return LerpScalar::forward(a, b, w); }
  static constexpr auto d_self(auto, auto, auto w, auto) { return 1 - w; }
  static constexpr auto d_other(auto, auto, auto w, auto) { return w; }
  static constexpr auto d_third(auto a, auto b, auto, auto) { return b - a; }
};

struct Addcmul {
  static constexpr Schema schema = "addcmul(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor";
  static constexpr Doc doc = "self + value * tensor1 * tensor2.";
  static constexpr auto dtypes = same(numbers);
  static constexpr auto kernel_name = "addcmul_cpu_out";
  static constexpr auto forward(auto a, auto b, auto c, auto v) { return a + v * b * c; }
  static constexpr auto d_self(auto, auto, auto, auto, auto) { return One{}; }
  static constexpr auto d_other(auto, auto, auto c, auto, auto v) { return c * v; }
  static constexpr auto d_third(auto, auto b, auto, auto, auto v) { return b * v; }
};

struct Addcdiv {
  static constexpr Schema schema = "addcdiv(Tensor self, Tensor tensor1, Tensor tensor2, *, Scalar value=1) -> Tensor";
  static constexpr Doc doc = "self + value * tensor1 / tensor2.";
  static constexpr auto dtypes = same(floating | complex);
  static constexpr auto check = &check_no_integer_addcdiv;
  static constexpr auto forward(auto a, auto b, auto c, auto v) { return a + v * b / c; }
  static constexpr auto d_self(auto, auto, auto, auto, auto) { return One{}; }
  static constexpr auto d_other(auto, auto, auto c, auto, auto v) { return v / c; }
  static constexpr auto d_third(auto, auto b, auto c, auto, auto v) { return -(v * b) / (c * c); }
};

}  // namespace hwaro::engine
