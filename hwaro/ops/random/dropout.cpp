// Dropout: each element, or each channel, is dropped with probability p; what stays is scaled to keep the mean (and,
// for alpha dropout, the variance of self-normalising networks: Klambauer et al., 2017).
#include <charconv>
#include <cmath>

#include "hwaro/ops/arithmetic.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/random/fill_random.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

// noise *= factor; noise += shift, in place on a fresh tensor of zeros and ones.
void affine(const Tensor& noise, double zero, double one) {
  visit_if<kFloatSet>(noise.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    using C = std::conditional_t<std::is_same_v<T, double>, double, float>;
    T* v = noise->write_as<T>();
    const T values[2] = {T(C(zero)), T(C(one))};
    for (int64_t i = 0; i < noise.numel(); ++i) v[i] = values[C(v[i]) != C(0)];
  });
}

Tensor multiply(const Tensor& input, const Operand& factor, bool inplace) {
  if (!inplace) return mul(input, factor);
  const Operand operands[] = {input, factor};
  const Scalar none[] = {Scalar()};
  Mul_inplace(operands, none);
  return input;
}
Tensor plus(const Tensor& input, const Tensor& shift, bool inplace) {
  if (!inplace) return add(input, shift);
  const Operand operands[] = {input, shift};
  const Scalar one[] = {1};
  Add_inplace(operands, one);
  return input;
}

enum Kind : unsigned { kPlain = 0, kFeature = 1, kAlpha = 2 };

Tensor drop(const Tensor& input, double p, bool train, unsigned kind, bool inplace) {
  HWARO_CHECK(p >= 0 && p <= 1, "dropout probability has to be between 0 and 1, but got ", p);
  if (p == 0 || !train || input.numel() == 0) return input;
  if (p == 1) return multiply(input, make_zeros({}, input.dtype(), input.device()), inplace);
  Tensor noise;
  if (kind & kFeature) {
    HWARO_CHECK(input.dim() >= 2, "Feature dropout requires at least 2 dimensions in the input");
    Dims shape(input.sizes().size(), 1);
    shape[0] = input.sizes()[0], shape[1] = input.sizes()[1];
    noise = make_tensor(shape, input.dtype(), input.device());
  } else {
    noise = make_like(input);
  }
  HWARO_CHECK(!is_integral(input.dtype(), true), "result type Float can't be cast to the desired output type ",
              scalar_type_name(input.dtype()));
  bernoulli_raw(noise, 1 - p, nullptr);
  if (!(kind & kAlpha)) {
    // Divided in the type that the elements are divided in.
    const double keep = input.dtype() == DType::Double ? 1 / (1 - p) : double(1.0f / float(1 - p));
    if (!noise.device().is_meta()) affine(noise, 0, keep);
    return multiply(input, noise, inplace);
  }
  constexpr double kSaturation = 1.7580993408473766;  // SELU's scale times its alpha
  const double a = 1 / std::sqrt((kSaturation * kSaturation * p + 1) * (1 - p));
  Tensor shift;
  {
    NoGradGuard guard;
    shift = add(mul(add(noise, -1), kSaturation * a), kSaturation * a * p);
  }
  if (!noise.device().is_meta()) affine(noise, 0, a);
  return plus(multiply(input, noise, inplace), shift, inplace);
}

// As Python writes a float.
std::string python_float(double v) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, v).ptr;
  std::string out(text, end);
  if (out.find_first_of(".en") == std::string::npos) out += ".0";
  return out;
}
void check_probability(double p) {
  HWARO_CHECK_AS(ValueError, p >= 0 && p <= 1, "dropout probability has to be between 0 and 1, but got ",
                 python_float(p));
}

}  // namespace

struct Dropout {
  static constexpr Schema schema = "dropout(Tensor input, float p, bool train) -> Tensor";
  static constexpr Doc doc = "In training, zeroes elements with probability p and scales the others by 1 / (1 - p).";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& input, double p, bool train) { return drop(input, p, train, kPlain, false); }
};
struct DropoutInplace {
  static constexpr Schema schema = "dropout_(Tensor(a!) self, float p, bool train) -> Tensor(a!)";
  static constexpr Doc doc = "dropout in place.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& self, double p, bool train) { return drop(self, p, train, kPlain, true); }
};
struct FeatureDropout {
  static constexpr Schema schema = "feature_dropout(Tensor input, float p, bool train) -> Tensor";
  static constexpr Doc doc = "dropout of whole channels of (N, C, …).";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& input, double p, bool train) { return drop(input, p, train, kFeature, false); }
};
struct FeatureDropoutInplace {
  static constexpr Schema schema = "feature_dropout_(Tensor(a!) self, float p, bool train) -> Tensor(a!)";
  static constexpr Doc doc = "feature_dropout in place.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& self, double p, bool train) { return drop(self, p, train, kFeature, true); }
};
struct AlphaDropout {
  static constexpr Schema schema = "alpha_dropout(Tensor input, float p, bool train) -> Tensor";
  static constexpr Doc doc = "dropout to SELU's negative saturation value, keeping mean and variance.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& input, double p, bool train) { return drop(input, p, train, kAlpha, false); }
};
struct AlphaDropoutInplace {
  static constexpr Schema schema = "alpha_dropout_(Tensor(a!) self, float p, bool train) -> Tensor(a!)";
  static constexpr Doc doc = "alpha_dropout in place.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& self, double p, bool train) { return drop(self, p, train, kAlpha, true); }
};
struct FeatureAlphaDropout {
  static constexpr Schema schema = "feature_alpha_dropout(Tensor input, float p, bool train) -> Tensor";
  static constexpr Doc doc = "alpha_dropout of whole channels of (N, C, …).";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& input, double p, bool train) {
    return drop(input, p, train, kFeature | kAlpha, false);
  }
};
struct FeatureAlphaDropoutInplace {
  static constexpr Schema schema = "feature_alpha_dropout_(Tensor(a!) self, float p, bool train) -> Tensor(a!)";
  static constexpr Doc doc = "feature_alpha_dropout in place.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& self, double p, bool train) { return drop(self, p, train, kFeature | kAlpha, true); }
};

// ---- as torch.nn.functional has them ----

struct FunctionalDropout {
  static constexpr Schema schema =
      "dropout.functional(Tensor input, float p=0.5, bool training=True, bool inplace=False) -> Tensor";
  static constexpr Doc doc = "In training, zeroes elements with probability p and scales the others by 1 / (1 - p).";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input, double p, bool training, bool inplace) {
    check_probability(p);
    return drop(input, p, training, kPlain, inplace);
  }
};
struct FunctionalAlphaDropout {
  static constexpr Schema schema =
      "alpha_dropout.functional(Tensor input, float p=0.5, bool training=False, bool inplace=False) -> Tensor";
  static constexpr Doc doc = "dropout to SELU's negative saturation value, keeping mean and variance.";
  static constexpr unsigned expose = kNnFunctional;
  static Tensor call(const Tensor& input, double p, bool training, bool inplace) {
    check_probability(p);
    return drop(input, p, training, kAlpha, inplace);
  }
};

}  // namespace hwaro::engine

#include "families/dropout.inc"
