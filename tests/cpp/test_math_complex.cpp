// Complex arithmetic and functions against std::complex<long double>, and special values.
#include <complex>

#include "tests/cpp/test_math_support.h"

namespace hwaro {
inline namespace HWARO_ISA {

using Exact = std::complex<long double>;

// Largest error in units of epsilon relative to |want|.
template <class T, class F, class R>
double worst_complex(F f, R reference) {
  constexpr int N = Vec<T>::size();
  std::mt19937_64 random(7);
  const auto uniform = [&] { return (random() >> 11) * 0x1p-53; };
  double worst = 0;
  for (int i = 0; i < 2000; i += N) {
    Complex<T> in[N], out[N], one;
    for (auto& z : in) {
      const double size = std::exp(8 * uniform() - 6);
      z = Complex<T>(static_cast<T>(size * (2 * uniform() - 1)), static_cast<T>(size * (2 * uniform() - 1)));
    }
    store_complex(f(load_complex<N>(in)), out);
    for (int j = 0; j < N; ++j) {
      const Exact want = reference(Exact(in[j].re, in[j].im));
      const double error = static_cast<double>(std::abs(Exact(out[j].re, out[j].im) - want) / std::abs(want));
      worst = std::max(worst, error / std::numeric_limits<T>::epsilon());
      if (!(error < 1)) worst = 1e30;
      store_complex(f(load_complex<1>(&in[j])), &one);
      if (!math_test::same_bits(one.re, out[j].re) || !math_test::same_bits(one.im, out[j].im)) worst = 1e30;
    }
  }
  return worst;
}
#define CHECK_COMPLEX(limit, ours, exact)                                                                     \
  do {                                                                                                        \
    CHECK(worst_complex<float>([](auto z) { return ours; }, [](Exact z) { return Exact(exact); }) <= limit);  \
    CHECK(worst_complex<double>([](auto z) { return ours; }, [](Exact z) { return Exact(exact); }) <= limit); \
  } while (0)

MATH_TEST("complex arithmetic") {
  CHECK_COMPLEX(1.5, z * z, z * z);
  CHECK_COMPLEX(3, z / (z + 2), z / (z + 2.0L));
  CHECK_COMPLEX(3, reciprocal(z), 1.0L / z);
  CHECK_COMPLEX(1.5, 2 * z + 1, 2.0L * z + 1.0L);
  CHECK_COMPLEX(1.5, sgn(z), z / std::abs(z));
  CHECK_COMPLEX(0.01, conj(z), std::conj(z));
  CHECK_COMPLEX(1.5, decltype(z)(abs(z)), std::abs(z));
  CHECK_COMPLEX(1.5, decltype(z)(arg(z)), std::arg(z));
}
MATH_TEST("complex exponentials, logarithms and powers") {
  CHECK_COMPLEX(2, exp(z), std::exp(z));
  CHECK_COMPLEX(3, exp2(z), std::exp(z * std::log(2.0L)));
  CHECK_COMPLEX(2.5, log(z), std::log(z));
  CHECK_COMPLEX(3, log10(z), std::log10(z));
  CHECK_COMPLEX(3, log2(z), std::log(z) / std::log(2.0L));
  CHECK_COMPLEX(2, sqrt(z), std::sqrt(z));
  CHECK_COMPLEX(4, rsqrt(z), 1.0L / std::sqrt(z));
  CHECK_COMPLEX(40, pow(z, 2.5), std::pow(z, Exact(2.5L)));
  CHECK_COMPLEX(20, sigmoid(z), 1.0L / (1.0L + std::exp(-z)));
  CHECK_COMPLEX(4, expm1(z),
                Exact(std::expm1(z.real()) * std::cos(z.imag()) - 2 * std::pow(std::sin(z.imag() / 2), 2),
                      std::exp(z.real()) * std::sin(z.imag())));
  CHECK_COMPLEX(4, log1p(z),
                Exact(std::log1p(z.real() * (2 + z.real()) + z.imag() * z.imag()) / 2, std::arg(1.0L + z)));
}
MATH_TEST("complex trigonometric and hyperbolic functions") {
  CHECK_COMPLEX(2.5, sin(z), std::sin(z));
  CHECK_COMPLEX(2.5, cos(z), std::cos(z));
  CHECK_COMPLEX(5, tan(z), std::tan(z));
  CHECK_COMPLEX(2.5, sinh(z), std::sinh(z));
  CHECK_COMPLEX(2.5, cosh(z), std::cosh(z));
  CHECK_COMPLEX(5, tanh(z), std::tanh(z));
  CHECK_COMPLEX(4, asin(z), std::asin(z));
  CHECK_COMPLEX(4, acos(z), std::acos(z));
  CHECK_COMPLEX(4, atan(z), std::atan(z));
  CHECK_COMPLEX(4, asinh(z), std::asinh(z));
  CHECK_COMPLEX(4, acosh(z), std::acosh(z));
  CHECK_COMPLEX(4, atanh(z), std::atanh(z));
}

struct Pair {
  float re, im;
};
template <class F>
void check_value(F f, Pair in, Pair want) {
  const auto out = f(Complex<Vec<float, 1>>(Vec<float, 1>(in.re), Vec<float, 1>(in.im)));
  const float re = out.re[0], im = out.im[0];
  CAPTURE(in.re);
  CAPTURE(in.im);
  // Values to an ulp; NaN, infinities and the signs of zero exactly.
  CHECK(math_test::ulps<float>(re, want.re) <= 1);
  CHECK(math_test::ulps<float>(im, want.im) <= 1);
}
MATH_TEST("complex functions keep signs of zero and branch cuts") {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const float pi = 3.14159265f, half_pi = 1.57079633f;
  const auto f_sqrt = [](auto z) { return sqrt(z); };
  check_value(f_sqrt, {-1, 0.0f}, {0, 1});
  check_value(f_sqrt, {-1, -0.0f}, {0, -1});
  check_value(f_sqrt, {0, -0.0f}, {0, -0.0f});
  check_value(f_sqrt, {-inf, 0}, {0, inf});
  check_value(f_sqrt, {nan, inf}, {inf, inf});
  const auto f_log = [](auto z) { return log(z); };
  check_value(f_log, {-1, 0.0f}, {0, pi});
  check_value(f_log, {-1, -0.0f}, {0, -pi});
  check_value(f_log, {0, 0}, {-inf, 0});
  check_value(f_log, {-inf, 0}, {inf, pi});
  const auto f_exp = [](auto z) { return exp(z); };
  check_value(f_exp, {inf, 0}, {inf, 0});
  check_value(f_exp, {-inf, 0}, {0, 0});
  check_value(f_exp, {0, -0.0f}, {1, -0.0f});
  const auto f_tanh = [](auto z) { return tanh(z); };
  check_value(f_tanh, {inf, 0}, {1, 0});
  check_value(f_tanh, {-inf, 0}, {-1, 0});
  check_value(f_tanh, {-0.0f, 0}, {-0.0f, 0});
  const auto f_acos = [](auto z) { return acos(z); };
  check_value(f_acos, {-1, -0.0f}, {pi, 0});
  check_value(f_acos, {inf, 0}, {0, -inf});
  const auto f_asin = [](auto z) { return asin(z); };
  check_value(f_asin, {inf, 0}, {half_pi, inf});
  const auto f_atanh = [](auto z) { return atanh(z); };
  check_value(f_atanh, {-1, 0}, {-inf, 0});
  check_value(f_atanh, {inf, 0}, {0, half_pi});
  const auto f_reciprocal = [](auto z) { return reciprocal(z); };
  check_value(f_reciprocal, {0, 0}, {inf, nan});
  check_value(f_reciprocal, {inf, 0}, {0, 0});
}

MATH_TEST("complex exp is finite where e^x overflows and the product does not") {
  const auto z = exp(Complex<Vec<float>>(Vec<float>(89.0f), Vec<float>(1.5f)));
  CHECK(math_test::ulps<float>(z.re[0], std::exp(89.0) * std::cos(1.5)) <= 4);
  CHECK(std::isinf(z.im[0]));
}

MATH_TEST("complex selects, compares and has no infinity recovery in products") {
  const float inf = std::numeric_limits<float>::infinity();
  const Complex<Vec<float>> a(Vec<float>(1.0f), Vec<float>(2.0f)), b(Vec<float>(1.0f), Vec<float>(3.0f));
  CHECK((a == a).all());
  CHECK((a != b).all());
  CHECK(where(a == b, a, 0).re[0] == 0.0f);
  const auto product = Complex<Vec<float>>(Vec<float>(inf), Vec<float>(1.0f)) * Complex<Vec<float>>(2);
  CHECK(product.re[0] == inf);
  CHECK(std::isnan(product.im[0]));
  const Complex<double> scalar = Complex<double>(1.0, 2.0) / Complex<double>(3.0, -4.0);
  CHECK(scalar.re == doctest::Approx(-0.2));
  CHECK(scalar.im == doctest::Approx(0.4));
}

}  // namespace HWARO_ISA
}  // namespace hwaro
