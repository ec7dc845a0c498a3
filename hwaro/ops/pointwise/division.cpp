// Quotients with a rounding mode, floating-point powers, and +x.
#include "hwaro/core/promotion.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/pointwise/arithmetic.h"
#include "hwaro/ops/pointwise/rounding.h"
#include "hwaro/ops/registry.h"

#include "hwaro/ops/arithmetic.h"
#include "hwaro/ops/rounding.h"

namespace hwaro::engine {

// The operator that divides in a rounding mode.
static const PointwiseInfo& division(const std::optional<std::string_view>& mode) {
  if (!mode) return pointwise_info<Div>;
  if (*mode == "floor") return pointwise_info<DivFloor>;
  HWARO_CHECK(*mode == "trunc", "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '", *mode,
              "'");
  return pointwise_info<DivTrunc>;
}
// PyTorch rounds a quotient of two halves before it cuts it.
static bool cuts_rounded(const Operand& a, const Operand& b, const std::optional<std::string_view>& mode) {
  if (!mode || *mode != "trunc") return false;
  ResultType type;
  for (const Operand* x : {&a, &b})
    if (x->is_tensor()) type.add(*x->tensor);
    else type.add(x->scalar);
  return is_reduced_float(type.get());
}
static Tensor cut_quotient(const Operand& a, const Operand& b) {
  Tensor out;
  {
    NoGradGuard guard;
    out = trunc(div(a, b));
  }
  const Tensor x = a.is_tensor() ? a.get() : Tensor(), y = b.is_tensor() ? b.get() : Tensor();
  if (recording(x, y))
    record("DivBackward2", {x, y}, out, {},
           [x_like = x.defined() ? Dims(x.sizes()) : Dims(),
            y_like = y.defined() ? Dims(y.sizes()) : Dims()](Backward& b) {
             if (b.needs(0)) b.set(0, make_zeros(x_like, b.g().dtype(), b.g().device()));
             if (b.needs(1)) b.set(1, make_zeros(y_like, b.g().dtype(), b.g().device()));
           });
  return out;
}

static Tensor divide(const Operand& a, const Operand& b, const std::optional<std::string_view>& mode) {
  if (cuts_rounded(a, b, mode)) return cut_quotient(a, b);
  const Operand operands[] = {a, b};
  return pointwise(division(mode), operands, nullptr);
}
static Tensor divide_inplace(const Tensor& a, const Operand& b, const std::optional<std::string_view>& mode) {
  const Operand operands[] = {a, b};
  if (cuts_rounded(a, b, mode)) {
    pointwise_inplace(pointwise_info<Div>, operands, nullptr);
    pointwise_inplace(pointwise_info<Trunc>, operands, nullptr);
    return a;
  }
  pointwise_inplace(division(mode), operands, nullptr);
  return a;
}

struct DivMode {
  static constexpr Schema schema = "div.Tensor_mode(Tensor self, Tensor other, *, str? rounding_mode) -> Tensor";
  static constexpr Doc doc = "Divides and rounds towards zero ('trunc') or down ('floor').";
  static Tensor call(const Tensor& self, const Tensor& other, std::optional<std::string_view> mode) {
    return divide(self, other, mode);
  }
};
struct DivScalarMode {
  static constexpr Schema schema = "div.Scalar_mode(Tensor self, Scalar other, *, str? rounding_mode) -> Tensor";
  static constexpr Doc doc = "Divides and rounds towards zero ('trunc') or down ('floor').";
  static Tensor call(const Tensor& self, const Scalar& other, std::optional<std::string_view> mode) {
    return divide(self, other, mode);
  }
};
struct DivNumberMode {
  static constexpr Schema schema = "div.Number_mode(Scalar self, Tensor other, *, str? rounding_mode) -> Tensor";
  static constexpr Doc doc = "Divides and rounds towards zero ('trunc') or down ('floor').";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Scalar& self, const Tensor& other, std::optional<std::string_view> mode) {
    return divide(self, other, mode);
  }
};
struct DivNumbersMode {
  static constexpr Schema schema = "div.Numbers_mode(Scalar self, Scalar other, *, str? rounding_mode) -> Tensor";
  static constexpr Doc doc = "Divides and rounds towards zero ('trunc') or down ('floor').";
  static constexpr unsigned expose = kFunction;
  static constexpr bool python_only = true;
  static Tensor call(const Scalar& self, const Scalar& other, std::optional<std::string_view> mode) {
    return divide(make_full({}, self, self.dtype()), other, mode);
  }
};
struct DivModeInplace {
  static constexpr Schema schema =
      "div_.Tensor_mode(Tensor(a!) self, Tensor other, *, str? rounding_mode) -> Tensor(a!)";
  static constexpr Doc doc = "In-place form of div.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, const Tensor& other, std::optional<std::string_view> mode) {
    return divide_inplace(self, other, mode);
  }
};
struct DivScalarModeInplace {
  static constexpr Schema schema =
      "div_.Scalar_mode(Tensor(a!) self, Scalar other, *, str? rounding_mode) -> Tensor(a!)";
  static constexpr Doc doc = "In-place form of div.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, const Scalar& other, std::optional<std::string_view> mode) {
    return divide_inplace(self, other, mode);
  }
};
struct DivideMode {
  static constexpr Schema schema = "divide.Tensor_mode(Tensor self, Tensor other, *, str? rounding_mode) -> Tensor";
  static constexpr Doc doc = "Alias of div.";
  static Tensor call(const Tensor& self, const Tensor& other, std::optional<std::string_view> mode) {
    return divide(self, other, mode);
  }
};
struct DivideScalarMode {
  static constexpr Schema schema = "divide.Scalar_mode(Tensor self, Scalar other, *, str? rounding_mode) -> Tensor";
  static constexpr Doc doc = "Alias of div.";
  static Tensor call(const Tensor& self, const Scalar& other, std::optional<std::string_view> mode) {
    return divide(self, other, mode);
  }
};

struct DivideModeInplace {
  static constexpr Schema schema =
      "divide_.Tensor_mode(Tensor(a!) self, Tensor other, *, str? rounding_mode) -> Tensor(a!)";
  static constexpr Doc doc = "In-place form of divide.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, const Tensor& other, std::optional<std::string_view> mode) {
    return divide_inplace(self, other, mode);
  }
};

struct Positive {
  static constexpr Schema schema = "positive(Tensor(a) self) -> Tensor(a)";
  static constexpr Doc doc = "self, as +self gives it.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self) {
    HWARO_CHECK(self.dtype() != DType::Bool, "The `+` operator, on a bool tensor is not supported.");
    return self;
  }
};

// ---- float_power: pow in double precision, whatever comes in ----

static DType float_power_type(bool complex) { return complex ? DType::ComplexDouble : DType::Double; }
static Scalar as_type(const Scalar& s, DType type) {
  return is_complex(type) ? Scalar(Complex<double>(s.re(), s.im())) : Scalar(s.to_double());
}
static void check_float_power_inplace(const Tensor& self, DType type) {
  HWARO_CHECK(self.dtype() == type, "the base given to float_power_ has dtype ", scalar_type_name(self.dtype()),
              " but the operation's result requires dtype ", scalar_type_name(type));
}

struct FloatPower {
  static constexpr Schema schema = "float_power.Tensor_Tensor(Tensor self, Tensor exponent) -> Tensor";
  static constexpr Doc doc = "self to the power exponent, computed in double precision.";
  static constexpr auto out_rule =
      out_same("the output given to float_power has dtype %O but the operation's result requires dtype %R");
  static Tensor call(const Tensor& self, const Tensor& exponent) {
    const DType type = float_power_type(is_complex(self.dtype()) || is_complex(exponent.dtype()));
    return pow(to_dtype(self, type), to_dtype(exponent, type));
  }
};
struct FloatPowerScalarBase {
  static constexpr Schema schema = "float_power.Scalar(Scalar self, Tensor exponent) -> Tensor";
  static constexpr Doc doc = "self to the power exponent, computed in double precision.";
  static constexpr auto out_rule =
      out_same("the output given to float_power has dtype %O but the operation's result requires dtype %R");
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Scalar& self, const Tensor& exponent) {
    const DType type = float_power_type(self.is_complex() || is_complex(exponent.dtype()));
    return pow(as_type(self, type), to_dtype(exponent, type));
  }
};
struct FloatPowerScalar {
  static constexpr Schema schema = "float_power.Tensor_Scalar(Tensor self, Scalar exponent) -> Tensor";
  static constexpr Doc doc = "self to the power exponent, computed in double precision.";
  static constexpr auto out_rule =
      out_same("the output given to float_power has dtype %O but the operation's result requires dtype %R");
  static Tensor call(const Tensor& self, const Scalar& exponent) {
    const DType type = float_power_type(is_complex(self.dtype()) || exponent.is_complex());
    return pow(to_dtype(self, type), as_type(exponent, type));
  }
};
struct FloatPowerInplace {
  static constexpr Schema schema = "float_power_.Tensor(Tensor(a!) self, Tensor exponent) -> Tensor(a!)";
  static constexpr Doc doc = "In-place form of float_power.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, const Tensor& exponent) {
    const DType type = float_power_type(is_complex(self.dtype()) || is_complex(exponent.dtype()));
    check_float_power_inplace(self, type);
    const Tensor e = to_dtype(exponent, type);
    const Operand operands[] = {self, e};
    pointwise_inplace(pointwise_info<Pow>, operands, nullptr);
    return self;
  }
};
struct FloatPowerScalarInplace {
  static constexpr Schema schema = "float_power_.Scalar(Tensor(a!) self, Scalar exponent) -> Tensor(a!)";
  static constexpr Doc doc = "In-place form of float_power.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, const Scalar& exponent) {
    const DType type = float_power_type(is_complex(self.dtype()) || exponent.is_complex());
    check_float_power_inplace(self, type);
    const Operand operands[] = {self, as_type(exponent, type)};
    pointwise_inplace(pointwise_info<Pow>, operands, nullptr);
    return self;
  }
};

}  // namespace hwaro::engine

#include "families/division.inc"
