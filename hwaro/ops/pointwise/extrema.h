// The larger and the smaller of two elements, and limits.
#pragma once

#include "hwaro/ops/kinds/pointwise.h"
#include "hwaro/ops/pointwise/arithmetic.h"

namespace hwaro::engine {

void check_no_complex_extremes(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, DType common);
void check_no_complex_clamp(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, DType common);
// Complex numbers, and limits that the integer type cannot hold.
const PointwiseInfo* select_clamp(const Operand* operands, const Scalar* scalars);

struct Maximum {
  static constexpr Schema schema = "maximum(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "The larger of each two elements; NaN if one is NaN.";
  static constexpr unsigned expose = kFunction | kMethod | kOut;
  static constexpr auto dtypes = same(boolean | integers | floating);
  static constexpr auto check = &check_no_complex_extremes;
  static constexpr auto forward(auto a, auto b) { return maximum(a, b); }
  static constexpr auto b_self(auto g, auto a, auto b, auto) { return where(a == b, g / 2, where(a < b, 0, g)); }
  static constexpr auto b_other(auto g, auto a, auto b, auto) { return where(a == b, g / 2, where(a > b, 0, g)); }
};

struct Minimum {
  static constexpr Schema schema = "minimum(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "The smaller of each two elements; NaN if one is NaN.";
  static constexpr unsigned expose = kFunction | kMethod | kOut;
  static constexpr auto dtypes = same(boolean | integers | floating);
  static constexpr auto check = &check_no_complex_extremes;
  static constexpr auto forward(auto a, auto b) { return minimum(a, b); }
  static constexpr auto b_self(auto g, auto a, auto b, auto) { return where(a == b, g / 2, where(a > b, 0, g)); }
  static constexpr auto b_other(auto g, auto a, auto b, auto) { return where(a == b, g / 2, where(a < b, 0, g)); }
};

struct Fmax {
  static constexpr Schema schema = "fmax(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "The larger of each two elements; the other one if one is NaN.";
  static constexpr unsigned expose = kFunction | kMethod | kOut;
  static constexpr auto dtypes = same(boolean | integers | floating);
  static constexpr auto check = &check_no_complex_extremes;
  static constexpr auto forward(auto a, auto b) { return fmax(a, b); }
  static constexpr auto b_self(auto g, auto a, auto b, auto) { return where((a >= b) | (b != b), g, 0); }
  static constexpr auto b_other(auto g, auto a, auto b, auto) { return where((a >= b) | (b != b), 0, g); }
};

struct Fmin {
  static constexpr Schema schema = "fmin(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "The smaller of each two elements; the other one if one is NaN.";
  static constexpr unsigned expose = kFunction | kMethod | kOut;
  static constexpr auto dtypes = same(boolean | integers | floating);
  static constexpr auto check = &check_no_complex_extremes;
  static constexpr auto forward(auto a, auto b) { return fmin(a, b); }
  static constexpr auto b_self(auto g, auto a, auto b, auto) { return where((a <= b) | (b != b), g, 0); }
  static constexpr auto b_other(auto g, auto a, auto b, auto) { return where((a <= b) | (b != b), 0, g); }
};

// ---- clamp with numbers; one without a minimum or a maximum is an operator of its own ----

struct ClampBelow {
  static constexpr Schema schema = "_clamp_below(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor";
  static constexpr Doc doc = "clamp without a maximum.";
  static constexpr unsigned expose = 0;
  static constexpr bool promotes_scalars = true;
  static constexpr auto dtypes = same(integers | floating);
  static constexpr auto grad_name = "Clamp";
  static constexpr auto grad_number = &always_one;
  static constexpr auto check = &check_no_complex_clamp;
  static constexpr auto forward(auto x, auto low, auto) { return maximum(x, low); }
  static constexpr auto backward(auto g, auto x, auto, auto low, auto) { return where(x >= low, g, 0); }
};

struct ClampAbove {
  static constexpr Schema schema = "_clamp_above(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor";
  static constexpr Doc doc = "clamp without a minimum.";
  static constexpr unsigned expose = 0;
  static constexpr bool promotes_scalars = true;
  static constexpr auto dtypes = same(integers | floating);
  static constexpr auto grad_name = "Clamp";
  static constexpr auto grad_number = &always_one;
  static constexpr auto check = &check_no_complex_clamp;
  static constexpr auto forward(auto x, auto, auto high) { return minimum(x, high); }
  static constexpr auto backward(auto g, auto x, auto, auto, auto high) { return where(x <= high, g, 0); }
};

struct Clamp {
  static constexpr Schema schema = "clamp(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor";
  static constexpr Doc doc = "Each element, but at least min and at most max (max wins where min is larger).";
  static constexpr bool promotes_scalars = true;
  static constexpr auto dtypes = same(integers | floating);
  static constexpr auto grad_number = &always_one;
  static constexpr auto check = &check_no_complex_clamp;
  static constexpr auto select = &select_clamp;
  static constexpr auto forward(auto x, auto low, auto high) { return minimum(maximum(x, low), high); }
  static constexpr auto backward(auto g, auto x, auto, auto low, auto high) {
    return where((x >= low) & (x <= high), g, 0);
  }
};

// ---- clamp with tensors; a limit that is not given is the number False, which takes no part in promotion ----

struct ClampTensors {
  static constexpr Schema schema = "_clamp_tensors(Tensor self, Tensor min, Tensor max) -> Tensor";
  static constexpr Doc doc = "clamp with tensors as limits.";
  static constexpr unsigned expose = 0, numbers_for = kOther | kThird;
  static constexpr auto dtypes = same(integers | floating);
  static constexpr auto kernel_name = "clamp_cpu";
  static constexpr auto grad_name = "Clamp";
  static constexpr auto check = &check_no_complex_clamp;
  static constexpr auto forward(auto x, auto low, auto high) { return minimum(maximum(x, low), high); }
  static constexpr auto b_self(auto g, auto x, auto low, auto high, auto) {
    return where((x >= low) & (x <= high), g, 0);
  }
  static constexpr auto b_other(auto g, auto x, auto low, auto high, auto) {
    return where((low < high) & (x < low), g, 0);
  }
  static constexpr auto b_third(auto g, auto x, auto low, auto high, auto) {
    return where((x > high) | (high < low), g, 0);
  }
};

struct ClampTensorsBelow {
  static constexpr Schema schema = "_clamp_tensors_below(Tensor self, Tensor min, Tensor max) -> Tensor";
  static constexpr Doc doc = "clamp with a tensor as minimum alone.";
  static constexpr unsigned expose = 0, numbers_for = kOther | kThird;
  static constexpr auto dtypes = same(boolean | integers | floating);
  static constexpr auto kernel_name = "clamp_cpu";
  static constexpr auto grad_name = "Clamp";
  static constexpr auto check = &check_no_complex_clamp;
  static constexpr auto forward(auto x, auto low, auto) { return maximum(x, low); }
  static constexpr auto b_self(auto g, auto x, auto low, auto, auto) { return where(x >= low, g, 0); }
  static constexpr auto b_other(auto g, auto x, auto low, auto, auto) { return where(x < low, g, 0); }
  static constexpr auto b_third(auto g, auto, auto, auto, auto) { return zero_like(g); }
};

struct ClampTensorsAbove {
  static constexpr Schema schema = "_clamp_tensors_above(Tensor self, Tensor min, Tensor max) -> Tensor";
  static constexpr Doc doc = "clamp with a tensor as maximum alone.";
  static constexpr unsigned expose = 0, numbers_for = kOther | kThird;
  static constexpr auto dtypes = same(boolean | integers | floating);
  static constexpr auto kernel_name = "clamp_cpu";
  static constexpr auto grad_name = "Clamp";
  static constexpr auto check = &check_no_complex_clamp;
  static constexpr auto forward(auto x, auto, auto high) { return minimum(x, high); }
  static constexpr auto b_self(auto g, auto x, auto, auto high, auto) { return where(x <= high, g, 0); }
  static constexpr auto b_other(auto g, auto, auto, auto, auto) { return zero_like(g); }
  static constexpr auto b_third(auto g, auto x, auto, auto high, auto) { return where(x > high, g, 0); }
};

// Overloads with tensors come first: a 0-dim tensor would pass for a number too.
struct ClampMinTensor {
  static constexpr Schema schema = "clamp_min.Tensor(Tensor self, Tensor min) -> Tensor";
  static constexpr Doc doc = "Each element, but at least that of min.";
  static constexpr auto dtypes = same(boolean | integers | floating);
  static constexpr auto kernel_name = "maximum_cpu";
  static constexpr auto grad_number = &always_one;
  static constexpr auto forward(auto x, auto low) { return maximum(x, low); }
  static constexpr auto b_self(auto g, auto x, auto low, auto) { return where(x >= low, g, 0); }
  static constexpr auto b_other(auto g, auto x, auto low, auto) { return where(x < low, g, 0); }
};

struct ClampMin {
  static constexpr Schema schema = "clamp_min(Tensor self, Scalar min) -> Tensor";
  static constexpr Doc doc = "Each element, but at least min.";
  static constexpr bool promotes_scalars = true;
  static constexpr auto dtypes = same(integers | floating);
  static constexpr auto kernel_name = "clamp_min_scalar_cpu";
  static constexpr auto check = &check_no_complex_clamp;
  static constexpr auto forward(auto x, auto low) { return maximum(x, low); }
  static constexpr auto backward(auto g, auto x, auto, auto low) { return where(x >= low, g, 0); }
};

struct ClampMaxTensor {
  static constexpr Schema schema = "clamp_max.Tensor(Tensor self, Tensor max) -> Tensor";
  static constexpr Doc doc = "Each element, but at most that of max.";
  static constexpr auto dtypes = same(boolean | integers | floating);
  static constexpr auto kernel_name = "minimum_cpu";
  static constexpr auto grad_number = &always_one;
  static constexpr auto forward(auto x, auto high) { return minimum(x, high); }
  static constexpr auto b_self(auto g, auto x, auto high, auto) { return where(x <= high, g, 0); }
  static constexpr auto b_other(auto g, auto x, auto high, auto) { return where(x > high, g, 0); }
};

struct ClampMax {
  static constexpr Schema schema = "clamp_max(Tensor self, Scalar max) -> Tensor";
  static constexpr Doc doc = "Each element, but at most max.";
  static constexpr bool promotes_scalars = true;
  static constexpr auto dtypes = same(integers | floating);
  static constexpr auto kernel_name = "clamp_max_scalar_cpu";
  static constexpr auto check = &check_no_complex_clamp;
  static constexpr auto forward(auto x, auto high) { return minimum(x, high); }
  static constexpr auto backward(auto g, auto x, auto, auto high) { return where(x <= high, g, 0); }
};

struct Clip : AliasOf<Clamp> {
  static constexpr Schema schema = "clip(Tensor self, Scalar? min=None, Scalar? max=None) -> Tensor";
  static constexpr Doc doc = "Alias of clamp.";
};

}  // namespace hwaro::engine
