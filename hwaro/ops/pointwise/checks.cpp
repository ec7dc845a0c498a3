// What pointwise operators refuse beyond what their type rules say, choices between operators, and the tensor side of the
// words in kinds/lane_helpers.h.
#include "hwaro/autograd/node.h"
#include "hwaro/core/promotion.h"
#include "hwaro/core/type_names.h"
#include "hwaro/ops/create/fill.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/pointwise/activations.h"
#include "hwaro/ops/pointwise/combination.h"
#include "hwaro/ops/pointwise/error_functions.h"
#include "hwaro/ops/pointwise/exponential.h"
#include "hwaro/ops/pointwise/extrema.h"
#include "hwaro/ops/pointwise/logic.h"
#include "hwaro/ops/pointwise/rounding.h"
#include "hwaro/ops/pointwise/where.h"
#include "hwaro/ops/pointwise/trigonometric.h"

#include "hwaro/ops/arithmetic.h"
#include "hwaro/ops/complex_view.h"
#include "hwaro/ops/kinds/warn_once.h"

namespace hwaro::engine {

// ---- vocabulary on tensors ----

Tensor is_nonnegative(const Tensor& x) { return ge(is_complex(x.dtype()) ? real(x) : x, 0); }
Tensor zero_like(const Tensor& x) { return make_zeros(x.sizes(), x.dtype(), x.device()); }
Tensor acosh_slope(const Tensor& x) { return is_complex(x.dtype()) ? rsqrt(x - 1) * rsqrt(x + 1) : rsqrt(x * x - 1); }
Tensor quotient_floor(const Tensor& a, const Tensor& b) { return _div_floor(a, b); }
Tensor quotient_trunc(const Tensor& a, const Tensor& b) { return _div_trunc(a, b); }

Tensor angle_gradient(const Tensor& g, const Tensor& z) {
  if (!is_complex(z.dtype())) return zero_like(g);
  const Tensor re = real(z), im = imag(z);
  const Tensor scale = g / (re * re + im * im);
  return where(z == 0, 0, mul(z * scale, Scalar(Complex<double>(0, 1))));
}
Tensor sgn_gradient(const Tensor& g, const Tensor& z, const Tensor& y) {
  if (!is_complex(z.dtype())) return zero_like(g);
  const Tensor along = real(g * conj(y)), size = abs(z);
  return where(size == 0, 0, (g - y * along) / size);
}

// ---- types that are refused in words of their own ----

void check_lerp_types(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, DType common) {
  const DType type = operands[0].tensor->dtype;
  static const char* const kRoles[] = {"self", "end", "weight"};
  for (int i = 1; i < info.operands; ++i) {
    if (!operands[i].is_tensor()) continue;
    const DType other = operands[i].tensor->dtype;
    HWARO_CHECK(other == type, "expected dtype ", c_type_name(type), " for `", kRoles[i], "` but got dtype ",
                c_type_name(other));
  }
  HWARO_CHECK(info.scalars == 0 || is_complex(common) || !scalars[0].is_complex(), "value cannot be converted to type ",
              c_type_name(common), " without overflow");
}
void check_no_integer_addcdiv(const PointwiseInfo&, const Operand* operands, const Scalar*, DType) {
  HWARO_CHECK(
      !(is_integral(operands[1].tensor->dtype, true) && is_integral(operands[2].tensor->dtype, true)),
      "Integer division with addcdiv is no longer supported, and in a future  release addcdiv will perform a true "
      "division of tensor1 and tensor2. The historic addcdiv behavior can be implemented as (input + value * "
      "torch.trunc(tensor1 / tensor2)).to(input.dtype) for integer inputs and as (input + value * tensor1 / tensor2) "
      "for float inputs. The future addcdiv behavior is just the latter implementation: (input + value * tensor1 / "
      "tensor2), for all dtypes.");
}
void check_no_complex_infinity(const PointwiseInfo& info, const Operand*, const Scalar*, DType common) {
  HWARO_CHECK(!is_complex(common), info.schema->name_str(), " does not support complex inputs.");
}
void check_no_complex_sign(const PointwiseInfo&, const Operand*, const Scalar*, DType common) {
  HWARO_CHECK_AS(NotImplementedError, !is_complex(common), "signbit is not implemented for complex tensors.");
}
void check_no_complex_degrees(const PointwiseInfo& info, const Operand*, const Scalar*, DType common) {
  HWARO_CHECK(!is_complex(common), info.schema->name_str(), " is not supported for complex tensors.");
}
void check_no_complex_rounding(const PointwiseInfo& info, const Operand*, const Scalar*, DType common) {
  HWARO_CHECK_AS(NotImplementedError, !is_complex(common), info.schema->name_str(),
                 " is not supported for complex inputs");
}
void check_no_complex_sgn(const PointwiseInfo&, const Operand*, const Scalar*, DType common) {
  HWARO_CHECK_AS(NotImplementedError, !is_complex(common),
                 "Unlike NumPy, torch.sign is not intended to support complex numbers. Please use torch.sgn instead.");
}
void check_heaviside(const PointwiseInfo&, const Operand* operands, const Scalar*, DType common) {
  HWARO_CHECK(!is_complex(common), "heaviside is not yet implemented for complex tensors.");
  HWARO_CHECK(operands[0].tensor->dtype == operands[1].tensor->dtype,
              "heaviside is not yet implemented for tensors with different dtypes.");
}
void check_no_complex_extremes(const PointwiseInfo& info, const Operand*, const Scalar*, DType common) {
  HWARO_CHECK(!is_complex(common), info.schema->name_str(), " not implemented for complex tensors.");
}
void check_condition(const PointwiseInfo&, const Operand* operands, const Scalar*, DType) {
  const DType type = operands[0].tensor->dtype;
  if (type == DType::UInt8) {
    warn_once(
        "where received a uint8 condition tensor. This behavior is deprecated and will be removed in a future version "
        "of "
        "PyTorch. Use a boolean condition instead.");
    return;
  }
  HWARO_CHECK(type == DType::Bool, "where expected condition to be a boolean tensor, but got a tensor with dtype ",
              scalar_type_name(type));
}

// ---- limits ----

void check_no_complex_clamp(const PointwiseInfo&, const Operand*, const Scalar*, DType common) {
  HWARO_CHECK_AS(NotImplementedError, !is_complex(common), "clamp is not supported for complex types");
}
const PointwiseInfo* select_clamp(const Operand*, const Scalar* scalars) {
  HWARO_CHECK(!(scalars[0].is_none() && scalars[1].is_none()),
              "torch.clamp: At least one of 'min' or 'max' must not be None");
  if (scalars[1].is_none()) return &pointwise_info<ClampBelow>;
  if (scalars[0].is_none()) return &pointwise_info<ClampAbove>;
  return nullptr;
}

// ---- activations ----

void check_relu(const PointwiseInfo&, const Operand*, const Scalar*, DType common) {
  HWARO_CHECK(common != DType::Bool, "Boolean inputs not supported for relu");
  HWARO_CHECK_AS(NotImplementedError, !is_complex(common), "clamp is not supported for complex types");
}
void check_hardtanh(const PointwiseInfo&, const Operand*, const Scalar* scalars, DType common) {
  HWARO_CHECK(common != DType::Bool, "Bool inputs not supported for hardtanh");
  HWARO_CHECK(!(common == DType::UInt8 && (scalars[0].re() < 0 || scalars[1].re() < 0)),
              "cannot do hardtanh on an unsigned type with negative limits");
  HWARO_CHECK_AS(NotImplementedError, !is_complex(common), "clamp is not supported for complex types");
}
void check_inplace_slope(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, DType) {
  if (!is_tracked(operands[0].get()) || scalars[0].re() >= 0) return;
  const std::string_view name = info.grad_name;
  if (name == "LeakyRelu")
    raise(
        "In-place leakyReLu backward calculation is triggered with a negative slope which is not supported. This is "
        "caused by "
        "calling in-place forward function with a negative slope, please call out-of-place version instead. File an "
        "issue at "
        "https://github.com/pytorch/pytorch if you do require supporting in-place leakRelu backward calculation with "
        "negative "
        "slope");
  raise(
      "In-place elu backward calculation is triggered with a negative slope which is not supported. This is caused by "
      "calling "
      "in-place forward function with a negative slope, please call out-of-place version instead.");
}
void check_softshrink(const PointwiseInfo&, const Operand*, const Scalar* scalars, DType common) {
  if (!is_floating(common))
    raise<NotImplementedError>("\"softshrink_check\" not implemented for '", scalar_type_name(common), '\'');
  const double largest = common == DType::Half       ? 65504
                         : common == DType::BFloat16 ? 0x1.fep127
                         : common == DType::Float    ? 0x1.fffffep127
                                                     : 0x1.fffffffffffffp1023;
  HWARO_CHECK(scalars[0].re() >= 0 && scalars[0].re() <= largest, "lambda must be in range [0, ", largest,
              "] for input dtype ", scalar_type_name(common), ", but found ", scalars[0].re());
}

// ---- choices ----

const PointwiseInfo* select_bitwise_not(const Operand* operands, const Scalar*) {
  return operands[0].tensor->dtype == DType::Bool ? &pointwise_info<LogicalNot> : nullptr;
}
const PointwiseInfo* select_nextafter(const Operand* operands, const Scalar*) {
  ResultType type;
  for (int i = 0; i < 2; ++i) type.add(*operands[i].tensor);
  if (type.get() == DType::Half) return &pointwise_info<NextAfterHalf>;
  if (type.get() == DType::BFloat16) return &pointwise_info<NextAfterBFloat16>;
  return nullptr;
}
int xlogy_number(const Operand* operands, const Scalar*) {
  return !operands[0].is_tensor() ? 1 : operands[1].is_tensor() ? 0 : 2;
}
int copysign_number(const Operand* operands, const Scalar*) { return operands[1].is_tensor() ? 0 : 1; }

}  // namespace hwaro::engine
