// Functions of two arguments, and integer arithmetic.
#include "tests/cpp/test_math_support.h"

namespace hwaro {
inline namespace HWARO_ISA {

using math_test::same_bits;

template <class W>
W python_remainder(W a, W b) {
  const W r = std::fmod(a, b);
  return r != 0 && (b < 0) != (r < 0) ? r + b : r;
}
template <class W>
W reference_logaddexp(W a, W b) {
  if (std::isnan(a) || std::isnan(b)) return a + b;
  if (a == b && std::isinf(a)) return a;
  return std::max(a, b) + std::log1p(std::exp(-std::abs(a - b)));
}

MATH_TEST("pow is within an ulp and has every special case of IEEE 754") {
  // The pairs include all special values on both sides.
  CHECK_ULPS_PAIRS(pow, 1.2, 0, 10, -10, 10, std::pow(v, w));
  CHECK_ULPS_PAIRS(pow, 1.2, 0.9, 1.1, -700, 700, std::pow(v, w));
  CHECK_ULPS_PAIRS(pow, 1.2, -3, 3, 2, 2, std::pow(v, w));
}

MATH_TEST("pow knows odd, even and fractional exponents of negative bases") {
  const float inf = std::numeric_limits<float>::infinity();
  CHECK(pow(Vec<float>(-2.0f), 3)[0] == -8.0f);
  CHECK(pow(Vec<float>(-2.0f), 2)[0] == 4.0f);
  CHECK(std::isnan(pow(Vec<float>(-2.0f), 0.5)[0]));
  CHECK(pow(Vec<float>(0.0f), 0)[0] == 1.0f);
  CHECK(pow(Vec<float>(std::numeric_limits<float>::quiet_NaN()), 0)[0] == 1.0f);
  CHECK(same_bits(pow(Vec<float>(-0.0f), -3)[0], -inf));
  CHECK(same_bits(pow(Vec<float>(-inf), -3)[0], -0.0f));
  CHECK(pow(Vec<float>(-1.0f), inf)[0] == 1.0f);
  CHECK(pow(Vec<double>(-2.0), 0x1p60)[0] == std::numeric_limits<double>::infinity());
}

MATH_TEST("atan2 and hypot") {
  CHECK_ULPS_PAIRS(atan2, 1.7, -5, 5, -5, 5, std::atan2(v, w));
  CHECK_ULPS_PAIRS(hypot, 1.0, -10, 10, -10, 10, std::hypot(v, w));
}

MATH_TEST("fmod is exact; remainder takes the sign of the divisor") {
  CHECK_ULPS_PAIRS(fmod, 0, -100, 100, -10, 10, std::fmod(v, w));
  CHECK_ULPS_PAIRS(fmod, 0, -1e30, 1e30, -10, 10, std::fmod(v, w));
  CHECK_ULPS_PAIRS(remainder, 0.5001, -100, 100, -10, 10, python_remainder(v, w));
  CHECK(remainder(Vec<float>(-7.0f), 3)[0] == 2.0f);
  CHECK(fmod(Vec<float>(-7.0f), 3)[0] == -1.0f);
}

MATH_TEST("floor_divide is Python's //, trunc_divide rounds towards zero") {
  CHECK(floor_divide(Vec<float>(-7.0f), 2)[0] == -4.0f);
  CHECK(trunc_divide(Vec<float>(-7.0f), 2)[0] == -3.0f);
  CHECK(floor_divide(Vec<double>(1.0), 0.1)[0] == 9.0);  // 0.1 is a little more than a tenth
  CHECK(floor_divide(Vec<float>(1.0f), 0)[0] == std::numeric_limits<float>::infinity());
  CHECK(same_bits(floor_divide(Vec<float>(-0.0f), 3)[0], -0.0f));
}

MATH_TEST("sums in the log domain survive infinities") {
  const float inf = std::numeric_limits<float>::infinity();
  const auto worst = math_test::worst_of_pairs<double>(
      [](auto v, auto w) { return logaddexp(v, w); },
      [](long double v, long double w) { return reference_logaddexp(v, w); }, 1, 50, 1, 50);
  // Near a result of zero the formula cancels, as PyTorch's does: compare where it does not.
  CHECK(worst.lane_differences == 0);
  for (double a : math_test::sample<double>(1, 50)) {
    if (!(std::abs(a) < 1e300) || a < 0) continue;
    CHECK(math_test::ulps<double>(logaddexp(Vec<double>(a), 2.0)[0], reference_logaddexp<long double>(a, 2)) <= 2);
  }
  CHECK(logaddexp(Vec<float>(inf), inf)[0] == inf);
  CHECK(logaddexp(Vec<float>(-inf), -inf)[0] == -inf);
  CHECK(logaddexp2(Vec<double>(3.0), 3)[0] == doctest::Approx(4.0));
}

MATH_TEST("xlogy is zero for zero, whatever the logarithm, and NaN for NaN") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(xlogy(Vec<float>(0.0f), 0)[0] == 0.0f);
  CHECK(xlogy(Vec<float>(0.0f), -1)[0] == 0.0f);
  CHECK(std::isnan(xlogy(Vec<float>(0.0f), nan)[0]));
  CHECK(xlog1py(Vec<double>(2.0), 1e-20)[0] == 2e-20);
}

MATH_TEST("maximum and minimum propagate NaN, fmax and fmin ignore it") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (bool left : {true, false}) {
    const Vec<float> a(left ? nan : 1.0f), b(left ? 1.0f : nan);
    CHECK(isnan(maximum(a, b)).all());
    CHECK(isnan(minimum(a, b)).all());
    CHECK(fmax(a, b)[0] == 1.0f);
    CHECK(fmin(a, b)[0] == 1.0f);
    CHECK(isnan(clamp(a, 0, b)).all());
  }
  CHECK(clamp(Vec<float>(5.0f), -1, 2)[0] == 2.0f);
  CHECK(clamp(Vec<int>(-5), -1, 2)[0] == -1);
}

MATH_TEST("nextafter, copysign and ldexp") {
  CHECK_ULPS_PAIRS(nextafter, 0, -10, 10, -10, 10,
                   (sizeof(v) == 8 ? decltype(v)(std::nextafter(float(v), float(w)))
                                   : decltype(v)(std::nextafter(double(v), double(w)))));
  CHECK(same_bits(copysign(Vec<float>(0.0f), -1)[0], -0.0f));
  CHECK(ldexp(Vec<double>(3.0), -2)[0] == 0.75);
}

// ---- integers ----

template <class T>
void check_integers() {
  using V = Vec<T>;
  using Big = __int128;
  constexpr int width = 8 * sizeof(T);
  constexpr int sign_bit = std::is_signed_v<T> ? 1 : 0;
  std::mt19937_64 random(3);
  const T edges[] = {0, 1, T(-1), 2, T(-2), 3, 7, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
  long wrong = 0;
  for (int round = 0; round < 300; ++round) {
    T a[V::size()], b[V::size()], out[7][V::size()];
    for (int i = 0; i < V::size(); ++i) {
      a[i] = random() % 3 ? static_cast<T>(random()) : edges[random() % 9];
      b[i] = random() % 3 ? static_cast<T>(random() >> (random() % 64)) : edges[random() % 9];
    }
    const V x = V::load(a), y = V::load(b);
    (x / y).store(out[0]);
    floor_divide(x, y).store(out[1]);
    fmod(x, y).store(out[2]);
    remainder(x, y).store(out[3]);
    (x << y).store(out[4]);
    (x >> y).store(out[5]);
    pow(x, y).store(out[6]);
    for (int i = 0; i < V::size(); ++i) {
      const Big m = a[i], d = b[i], q = d ? m / d : 0, f = q - (d != 0 && m % d != 0 && (m < 0) != (d < 0));
      Big power = 1, square = m;
      if (d < 0) {
        power = m == 1 ? 1 : m == -1 ? (d & 1 ? -1 : 1) : 0;
      } else {
        for (Big e = d; e; e >>= 1, square = static_cast<T>(Big(static_cast<T>(square)) * static_cast<T>(square))) {
          if (e & 1) power = static_cast<T>(Big(static_cast<T>(power)) * static_cast<T>(square));
        }
      }
      const T want[] = {static_cast<T>(q),
                        static_cast<T>(f),
                        static_cast<T>(d ? m - q * d : 0),
                        static_cast<T>(d ? m - f * d : 0),
                        d < 0 || d >= width ? T(0) : static_cast<T>(static_cast<unsigned __int128>(m) << int(d)),
                        static_cast<T>(m >> (d < 0 || d >= width - sign_bit ? width - sign_bit : int(d))),
                        static_cast<T>(power)};
      for (int k = 0; k < 7; ++k) wrong += out[k][i] != want[k];
    }
  }
  CHECK(wrong == 0);
  CHECK((V(7) / V(0))[0] == 0);
  CHECK((V(std::numeric_limits<T>::min()) / V(T(-1)))[0] == (sign_bit ? std::numeric_limits<T>::min() : T(0)));
}
MATH_TEST("integer division never traps, shifts are defined for any count, powers wrap") {
  check_integers<std::uint8_t>();
  check_integers<std::int8_t>();
  check_integers<std::int16_t>();
  check_integers<std::int32_t>();
  check_integers<std::int64_t>();
}

MATH_TEST("integer negation, abs, sign and products wrap") {
  const std::int32_t lowest = std::numeric_limits<std::int32_t>::min();
  CHECK((-Vec<std::int32_t>(lowest))[0] == lowest);
  CHECK(abs(Vec<std::int32_t>(lowest))[0] == lowest);
  CHECK((Vec<std::int32_t>(1 << 30) * 4)[0] == 0);
  CHECK((Vec<std::uint8_t>(200) + 100)[0] == 44);
  CHECK(sign(Vec<std::int64_t>(-9))[0] == -1);
}

}  // namespace HWARO_ISA
}  // namespace hwaro
