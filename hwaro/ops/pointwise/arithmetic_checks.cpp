// What arithmetic refuses, and which special powers have formulas of their own.
#include "hwaro/ops/pointwise/arithmetic.h"

#include "hwaro/ops/create/fill.h"

namespace hwaro::engine {

void check_alpha(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, DType common) {
  const Scalar& alpha = scalars[0];
  if (!alpha.is_integral()) {
    HWARO_CHECK(!(alpha.is_bool() && common != DType::Bool), "Boolean alpha only supported for Boolean results.");
    HWARO_CHECK(is_floating(common) || is_complex(common) || alpha.is_bool(),
                "For integral input tensors, argument alpha must not be a floating point number.");
    HWARO_CHECK(is_complex(common) || !alpha.is_complex(),
                "For non-complex input tensors, argument alpha must not be a complex number.");
  }
  if (info.schema->name_str() != "_add_scaled") check_no_bool_sub(info, operands, scalars, common);
}

void check_no_bool_sub(const PointwiseInfo&, const Operand* operands, const Scalar*, DType common) {
  HWARO_CHECK(
      common != DType::Bool,
      "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` operator "
      "instead.");
  for (int i = 0; i < 2; ++i)
    HWARO_CHECK(!(operands[i].is_tensor() ? operands[i].tensor->dtype == DType::Bool : operands[i].scalar.is_bool()),
                "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a "
                "mask, use the "
                "`~` or `logical_not()` operator instead.");
}

void check_no_bool_neg(const PointwiseInfo&, const Operand*, const Scalar*, DType common) {
  HWARO_CHECK(common != DType::Bool,
              "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use "
              "the `~` or "
              "`logical_not()` operator instead.");
}

void check_integer_power(const PointwiseInfo&, const Operand* operands, const Scalar*, DType common) {
  if (operands[1].is_tensor() || !is_integral(common, true) || !operands[1].scalar.is_integral()) return;
  HWARO_CHECK(operands[1].scalar.to_int() >= 0, "Integers to negative integer powers are not allowed.");
  check_fits(operands[1].scalar, common);
}

static bool is_one(const Scalar& s) { return s.is_integral() && s.to_int() == 1; }
const PointwiseInfo* select_add(const Operand*, const Scalar* scalars) {
  return is_one(scalars[0]) ? nullptr : &pointwise_info<AddScaled>;
}
const PointwiseInfo* select_sub(const Operand*, const Scalar* scalars) {
  return is_one(scalars[0]) ? nullptr : &pointwise_info<SubScaled>;
}

int scalar_overload_is_one(const Operand* operands, const Scalar*) { return operands[1].is_tensor() ? 0 : 1; }
int tensor_overload_is_one(const Operand* operands, const Scalar*) { return operands[1].is_tensor() ? 1 : 0; }
int always_one(const Operand*, const Scalar*) { return 1; }
int always_two(const Operand*, const Scalar*) { return 2; }
int power_number(const Operand* operands, const Scalar*) {
  if (!operands[1].is_tensor()) return 0;
  return operands[0].is_tensor() ? 1 : 2;
}

const PointwiseInfo* select_power(const Operand* operands, const Scalar*) {
  const Operand& e = operands[1];
  if (!operands[0].is_tensor() || e.is_tensor() || e.scalar.kind() > Scalar::Kind::Float) return nullptr;
  // Only where the result has the type of self.
  const DType type = operands[0].tensor->dtype;
  if (type == DType::Bool ? !e.scalar.is_bool() : is_integral(type) && !e.scalar.is_integral(true)) return nullptr;
  const double exponent = e.scalar.re();
  if (exponent == 0) return &pointwise_info<ZerothPower>;
  if (exponent == 1) return &pointwise_info<FirstPower>;
  if (exponent == 2) return &pointwise_info<Square>;
  if (exponent == 3) return &pointwise_info<Cube>;
  if (!is_floating(type)) return nullptr;
  if (exponent == 0.5) return &pointwise_info<SquareRootPower>;
  if (exponent == -0.5) return &pointwise_info<ReciprocalRootPower>;
  if (exponent == -1) return &pointwise_info<ReciprocalPower>;
  return nullptr;
}

void check_integer_divisor(const PointwiseInfo&, const Operand* operands, const Scalar*, DType common) {
  if (!is_integral(common)) return;
  const Operand& other = operands[1];
  const TensorImpl* tensors[2];
  std::size_t count = 0;
  for (int i = 0; i < 2; ++i)
    if (operands[i].is_tensor()) tensors[count++] = operands[i].tensor;
  if (product(broadcast_shapes({tensors, count})) == 0) return;  // shapes that do not fit are told first
  bool zero = false;
  if (!other.is_tensor()) {
    visit_if<kIntSet>(common, [&](auto tag) { zero = other.scalar.to<typename decltype(tag)::type>() == 0; });
  } else if (!other.tensor->device.is_meta()) {
    const Tensor divisors = dense_as(other.get(), common);
    visit_if<kIntSet>(common, [&](auto tag) {
      using T = typename decltype(tag)::type;
      const T* p = divisors->read_as<T>();
      for (std::int64_t i = 0; i < divisors.numel(); ++i) zero = zero || p[i] == 0;
    });
  }
  HWARO_CHECK(!zero, "ZeroDivisionError");
}

}  // namespace hwaro::engine
