// Functions of one argument: accuracy, special values, and the same bits in every lane.
#include "tests/cpp/test_math_support.h"

namespace hwaro {
inline namespace HWARO_ISA {

using math_test::same_bits;

template <class W>
W reference_sigmoid(W x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}
// Newton's method on the complementary error function.
template <class W>
W reference_erfinv(W y) {
  if (!(std::abs(y) <= 1)) return std::numeric_limits<W>::quiet_NaN();
  if (std::abs(y) == 1) return y * std::numeric_limits<W>::infinity();
  if (y == 0) return y;
  const long double a = std::abs(static_cast<long double>(y)), pi = std::acos(-1.0L);
  long double x = a < 0.9L ? a * 0.8862269L : std::sqrt(-std::log((1 - a) * 3.5L));
  for (int i = 0; i < 100; ++i) {
    const long double f = a < 0.5L ? std::erf(x) - a : (1 - a) - std::erfc(x);
    const long double step = f / (2 / std::sqrt(pi) * std::exp(-x * x));
    x -= step / (1 + x * step);
  }
  return static_cast<W>(y < 0 ? -x : x);
}
template <class W>
W reference_digamma(W argument) {
  long double x = argument, sum = 0;
  if (x == 0) return std::signbit(argument) ? std::numeric_limits<W>::infinity() : -std::numeric_limits<W>::infinity();
  const long double pi = std::acos(-1.0L);
  if (x < 0) {
    if (x == std::floor(x)) return std::numeric_limits<W>::quiet_NaN();
    return static_cast<W>(reference_digamma<long double>(1 - x) - pi / std::tan(pi * (x - std::round(x))));
  }
  if (std::isinf(x)) return argument;
  for (; x < 40; x += 1) sum += 1 / x;
  const long double q = 1 / (x * x);
  const long double series = q * (1.0L / 12 - q * (1.0L / 120 - q * (1.0L / 252 - q * (1.0L / 240 - q / 132))));
  return static_cast<W>(std::log(x) - 0.5L / x - series - sum);
}

// Where there is no fma a few more roundings show.
constexpr double kUlp = native::kHasFma ? 0.9 : 1.2, kUlpTrig = native::kHasFma ? 0.9 : 1.4;

MATH_TEST("exponentials are within an ulp") {
  CHECK_ULPS(exp, kUlp, -90, 90);
  CHECK_ULPS(exp, kUlp, -750, 720);
  CHECK_ULPS(exp2, kUlp, -150, 130);
  CHECK_ULPS(exp2, kUlp, -1080, 1025);
  CHECK_ULPS(expm1, 1.5, -4, 4);
  CHECK_ULPS(expm1, 1.5, -40, 90);
}

MATH_TEST("exp is finite up to its last argument and reaches the subnormals") {
  CHECK(exp(Vec<float>(88.5f))[0] == doctest::Approx(std::exp(88.5)).epsilon(1e-6));
  CHECK(std::isfinite(exp(Vec<float>(88.72283f))[0]));
  CHECK(std::isinf(exp(Vec<float>(88.7229f))[0]));
  CHECK(exp(Vec<float>(-103.5f))[0] == std::numeric_limits<float>::denorm_min());
  CHECK(exp(Vec<float>(-104.5f))[0] == 0.0f);
  CHECK(std::isfinite(exp(Vec<double>(709.78))[0]));
  CHECK(std::isinf(exp(Vec<double>(709.79))[0]));
}

MATH_TEST("logarithms are within an ulp") {
  CHECK_ULPS(log, 1.0, 0, 4);
  CHECK_ULPS(log, 1.0, 0, 1e30);
  CHECK_ULPS(log2, 1.0, 0, 4);
  CHECK_ULPS(log10, 1.0, 0, 4);
  CHECK_ULPS(log1p, 1.0, -1, 4);
  CHECK_ULPS(log1p, 1.0, 0, 1e10);
}

MATH_TEST("log has IEEE's special values") {
  CHECK(log(Vec<float>(0.0f))[0] == -std::numeric_limits<float>::infinity());
  CHECK(std::isnan(log(Vec<float>(-1.0f))[0]));
  CHECK(same_bits(log(Vec<float>(1.0f))[0], 0.0f));
  CHECK(same_bits(log1p(Vec<float>(-0.0f))[0], -0.0f));
  CHECK(log2(Vec<double>(0x1p-1074))[0] == -1074);
}

MATH_TEST("sine, cosine and tangent are right for small, large and huge arguments") {
  for (double range : {1.0, 10.0, 1000.0, 90000.0, 1e6, 1e12}) {
    CAPTURE(range);
    CHECK_ULPS(sin, kUlpTrig, -range, range);
    CHECK_ULPS(cos, kUlpTrig, -range, range);
    CHECK_ULPS(tan, 1.4, -range, range);
  }
  // The double closest to a multiple of pi/2, and a float near one.
  CHECK(math_test::ulps<double>(sin(Vec<double>(6381956970095103.0 * 0x1p797))[0],
                                std::sin(6381956970095103.0L * 0x1p797L)) <= 1.4);
  CHECK(math_test::ulps<float>(sin(Vec<float>(4046.371337890625f))[0], std::sin(4046.371337890625)) <= 1.4);
}

MATH_TEST("inverse trigonometric functions are within an ulp") {
  CHECK_ULPS(asin, 1.0, -1, 1);
  CHECK_ULPS(acos, 1.0, -1, 1);
  CHECK_ULPS(atan, 1.1, -3, 3);
  CHECK_ULPS(atan, 1.1, -1e4, 1e4);
}

MATH_TEST("hyperbolic functions") {
  CHECK_ULPS(tanh, 2.5, -1, 1);
  CHECK_ULPS(tanh, 2.5, -20, 20);
  CHECK_ULPS(sinh, 2.0, -3, 3);
  CHECK_ULPS(sinh, 2.0, -90, 90);
  CHECK_ULPS(cosh, 2.0, -3, 3);
  CHECK_ULPS(cosh, 2.0, -711, 711);
  CHECK_ULPS(asinh, 2.0, -3, 3);
  CHECK_ULPS(acosh, 2.0, 1, 4);
  CHECK_ULPS(atanh, 2.0, -1, 1);
  CHECK_ULPS_REF(sigmoid, 2.5, -20, 20, reference_sigmoid(v));
  CHECK_ULPS_REF(sigmoid, 2.5, -800, 100, reference_sigmoid(v));
}

MATH_TEST("error functions") {
  CHECK_ULPS(erf, 2.6, -4, 4);
  CHECK_ULPS(erfc, 4.2, -3, 10);
  CHECK_ULPS(erfc, 4.2, 10, 28);
  CHECK_ULPS_REF(erfinv, 3.0, -1, 1, reference_erfinv(v));
  CHECK_ULPS_REF(erfinv, 3.0, 0.999, 1, reference_erfinv(v));
}

MATH_TEST("gamma functions") {
  // Right of the last zero, where relative error makes sense; elsewhere absolute error is what counts.
  CHECK_ULPS(lgamma, 8.0, 3, 100);
  math_test::check("digamma",
                   math_test::worst_of<float>([](auto v) { return digamma(v); },
                                              [](double v) { return reference_digamma(v); }, -20, 20),
                   1.0);
  const auto in = math_test::sample<double>(-20, 20);
  for (double x : in) {
    const double got = digamma(Vec<double>(x))[0], want = reference_digamma(x);
    if (std::isfinite(want) && std::abs(x) < 1e15 && std::abs(x - std::round(x)) > 1e-6) {
      CHECK(std::abs(got - want) <= 1e-14 * (1 + std::abs(want)) * (1 + std::abs(x)));
    }
  }
  CHECK(std::isnan(digamma(Vec<double>(-3.0))[0]));
  CHECK(same_bits(lgamma(Vec<float>(1.0f))[0], 0.0f));
  CHECK(std::isinf(lgamma(Vec<float>(-2.0f))[0]));
}

MATH_TEST("square root and its relatives are correctly rounded") {
  CHECK_ULPS(sqrt, 0.5001, 0, 1e4);
  CHECK_ULPS_REF(reciprocal, 0.5001, -100, 100, 1 / v);
  CHECK(same_bits(sqrt(Vec<float>(-0.0f))[0], -0.0f));
  CHECK(same_bits(rsqrt(Vec<float>(-0.0f))[0], -std::numeric_limits<float>::infinity()));
}

MATH_TEST("rounding functions are exact, ties go to even and zero keeps its sign") {
  for (double range : {4.0, 1e6, 1e17}) {
    CHECK_ULPS(floor, 0, -range, range);
    CHECK_ULPS(ceil, 0, -range, range);
    CHECK_ULPS(trunc, 0, -range, range);
    CHECK_ULPS_REF(round, 0, -range, range, std::nearbyint(v));
  }
  CHECK(round(Vec<float>(2.5f))[0] == 2.0f);
  CHECK(round(Vec<float>(-3.5f))[0] == -4.0f);
  CHECK(same_bits(ceil(Vec<float>(-0.3f))[0], -0.0f));
  CHECK(same_bits(trunc(Vec<double>(-0.9))[0], -0.0));
  CHECK(frac(Vec<float>(-2.25f))[0] == -0.25f);
}

MATH_TEST("sign, abs and classification see NaN and negative zero") {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  CHECK(sign(Vec<float>(nan))[0] == 0.0f);
  CHECK(sign(Vec<float>(-3.0f))[0] == -1.0f);
  CHECK(signbit(Vec<float>(-0.0f)).all());
  CHECK_FALSE(signbit(Vec<float>(0.0f)).any());
  CHECK(same_bits(abs(Vec<double>(-0.0))[0], 0.0));
  CHECK(isnan(Vec<float>(nan)).all());
  CHECK(isinf(Vec<float>(-inf)).all());
  CHECK_FALSE(isfinite(Vec<float>(nan)).any());
  CHECK_FALSE(isnan(Vec<int>(3)).any());
  CHECK(sinc(Vec<float>(0.0f))[0] == 1.0f);
}

}  // namespace HWARO_ISA
}  // namespace hwaro
