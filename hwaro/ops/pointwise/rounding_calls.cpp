// Rounding to decimals, replacing special values, and taking numbers apart.
#include <cmath>
#include <limits>

#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/pointwise/rounding.h"
#include "hwaro/ops/registry.h"

#include "hwaro/ops/rounding.h"

namespace hwaro::engine {

// Without decimals it is still an operator of its own: it takes no integers.
static const PointwiseInfo& decimals_operator(const Tensor& self, std::int64_t decimals, Scalar& scale) {
  if (decimals == 0 && !is_floating(self.dtype()))
    raise<NotImplementedError>("\"round_vml_cpu\" not implemented for '", scalar_type_name(self.dtype()), '\'');
  scale = std::pow(10.0, double(decimals < 0 ? -decimals : decimals));
  return decimals < 0 ? pointwise_info<RoundDown> : pointwise_info<RoundUp>;
}

struct RoundDecimals {
  static constexpr Schema schema = "round.decimals(Tensor self, *, int decimals) -> Tensor";
  static constexpr Doc doc = "Each element rounded to a number of decimals.";
  static constexpr auto out_rule = out_found;
  static Tensor call(const Tensor& self, std::int64_t decimals) {
    Scalar scale;
    const PointwiseInfo& info = decimals_operator(self, decimals, scale);
    const Operand operands[] = {self};
    return pointwise(info, operands, &scale);
  }
};
struct RoundDecimalsInplace {
  static constexpr Schema schema = "round_.decimals(Tensor(a!) self, *, int decimals) -> Tensor(a!)";
  static constexpr Doc doc = "In-place form of round.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, std::int64_t decimals) {
    Scalar scale;
    const PointwiseInfo& info = decimals_operator(self, decimals, scale);
    const Operand operands[] = {self};
    pointwise_inplace(info, operands, &scale);
    return self;
  }
};

// The largest finite number of a floating type, and the smallest.
static double largest(DType type) {
  switch (to_real(type)) {
    case DType::Half: return 65504;
    case DType::BFloat16: return 0x1.fep127;
    case DType::Float: return std::numeric_limits<float>::max();
    default: return std::numeric_limits<double>::max();
  }
}
static void replacements(const Tensor& self, std::optional<double> nan, std::optional<double> posinf,
                         std::optional<double> neginf, Scalar* out) {
  HWARO_CHECK(!(is_complex(self.dtype()) && recording(self)),
              "nan_to_num does not support automatic differentiation for outputs with complex dtype.");
  out[0] = nan.value_or(0.0);
  out[1] = posinf.value_or(largest(self.dtype()));
  out[2] = neginf.value_or(-largest(self.dtype()));
  // A replacement stands for both parts of a complex number.
  if (is_complex(self.dtype()))
    for (int i = 0; i < 3; ++i) out[i] = Scalar(Complex<double>(out[i].re(), out[i].re()));
}

struct NanToNumCall {
  static constexpr Schema schema =
      "nan_to_num(Tensor self, float? nan=None, float? posinf=None, float? neginf=None) -> Tensor";
  static constexpr Doc doc =
      "NaN replaced by nan (0) and infinities by posinf and neginf (the largest finite numbers).";
  static constexpr auto out_rule = out_same("nan_to_num: dtype of out: %O should be same as input: %R");
  static Tensor call(const Tensor& self, std::optional<double> nan, std::optional<double> posinf,
                     std::optional<double> neginf) {
    if (is_integral(self.dtype(), true)) return clone(self);
    Scalar scalars[3];
    replacements(self, nan, posinf, neginf, scalars);
    const Operand operands[] = {self};
    return pointwise(pointwise_info<NanToNum>, operands, scalars);
  }
};
struct NanToNumInplace {
  static constexpr Schema schema =
      "nan_to_num_(Tensor(a!) self, float? nan=None, float? posinf=None, float? neginf=None) -> Tensor(a!)";
  static constexpr Doc doc = "In-place form of nan_to_num.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, std::optional<double> nan, std::optional<double> posinf,
                     std::optional<double> neginf) {
    if (is_integral(self.dtype(), true)) return self;
    Scalar scalars[3];
    replacements(self, nan, posinf, neginf, scalars);
    const Operand operands[] = {self};
    pointwise_inplace(pointwise_info<NanToNum>, operands, scalars);
    return self;
  }
};

struct ConjPhysicalCall {
  static constexpr Schema schema = "conj_physical(Tensor self) -> Tensor";
  static constexpr Doc doc = "The conjugate of each element, written out; real tensors as they are.";
  static constexpr auto out_rule = out_found;
  static Tensor call(const Tensor& self) { return is_complex(self.dtype()) ? _conj_physical(self) : self; }
};
struct ConjPhysicalInplace {
  static constexpr Schema schema = "conj_physical_(Tensor(a!) self) -> Tensor(a!)";
  static constexpr Doc doc = "In-place form of conj_physical.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self) {
    const Operand operands[] = {self};
    if (is_complex(self.dtype())) pointwise_inplace(pointwise_info<ConjPhysical>, operands, nullptr);
    return self;
  }
};

struct Frexp {
  static constexpr Schema schema = "frexp.Tensor(Tensor self) -> (Tensor mantissa, Tensor exponent)";
  static constexpr Doc doc = "Each element as mantissa * 2^exponent with a mantissa in [0.5, 1).";
  static constexpr auto out_rule = out_same("torch.frexp() expects mantissa to have dtype %r but got %o",
                                            "torch.frexp() expects exponent to have int dtype but got %o");
  static constexpr unsigned expose = kFunction | kMethod | kOut;
  static std::tuple<Tensor, Tensor> call(const Tensor& self) {
    HWARO_CHECK(is_floating(self.dtype()), "torch.frexp() only supports floating-point dtypes");
    const Tensor x = dense(self);
    const Tensor mantissa = make_tensor(self.sizes(), self.dtype(), self.device());
    const Tensor exponent = make_tensor(self.sizes(), DType::Int32, self.device());
    if (!self.device().is_meta())
      visit<kFloatSet>(self.dtype(), "frexp_cpu", [&](auto tag) {
        using T = typename decltype(tag)::type;
        const T* in = x->read_as<T>();
        T* out = mantissa->write_as<T>();
        std::int32_t* powers = exponent->write_as<std::int32_t>();
        for (std::int64_t i = 0; i < x.numel(); ++i) {
          int power = 0;
          const double m = std::frexp(double(in[i]), &power);
          out[i] = T(float(m));
          if constexpr (std::is_same_v<T, double>) out[i] = m;
          powers[i] = power;
        }
      });
    if (recording(self))
      record("FrexpBackward0", {self}, {mantissa, exponent}, {save(exponent)},
             [](Backward& b) { b.set(0, div(b.g(), to_dtype(exp2(b.saved(0)), b.g().dtype()))); });
    return {mantissa, exponent};
  }
};

}  // namespace hwaro::engine

#include "families/rounding_calls.inc"
