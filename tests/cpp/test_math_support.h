// Helpers of the hwaro/math tests: error in units in the last place against a wider reference, over random numbers of
// every magnitude and over the values where formulas break.
#pragma once

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

#include "hwaro/backend/cpu/capability.h"
#include "hwaro/math/math.h"

namespace hwaro {
inline namespace HWARO_ISA {
namespace math_test {

#define HWARO_STRINGIZE_2(x) #x
#define HWARO_STRINGIZE(x) HWARO_STRINGIZE_2(x)

// Variants that the processor lacks are skipped.
inline bool isa_runs() {
  for (int level = 0; level <= static_cast<int>(detect_cpu_capability()); ++level)
    if (!std::strcmp(cpu_capability_name(static_cast<CpuCapability>(level)), HWARO_STRINGIZE(HWARO_ISA))) return true;
  return false;
}
#define MATH_TEST(name) TEST_CASE("[" HWARO_STRINGIZE(HWARO_ISA) "] " name* doctest::skip(!math_test::isa_runs()))

template <class T>
using Wide = std::conditional_t<std::is_same_v<T, float>, double, long double>;

template <class T>
bool same_bits(T a, T b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0 || (a != a && b != b);
}

// Distance in units in the last place of T; 1e30 where NaN, infinity or the sign of zero do not agree.
template <class T>
double ulps(T got, Wide<T> want) {
  const T rounded = static_cast<T>(want);
  if (std::isnan(want) || std::isnan(got)) return std::isnan(want) == std::isnan(got) ? 0 : 1e30;
  if (std::isinf(rounded) || std::isinf(got)) {
    // At the edge of overflow both the largest number and infinity are within an ulp.
    const bool edge = std::abs(want) > static_cast<Wide<T>>(std::numeric_limits<T>::max()) * (1 - 1e-7L) &&
                      !std::isinf(want) && std::abs(got) >= std::numeric_limits<T>::max();
    return rounded == got || edge ? 0 : 1e30;
  }
  if (want == 0 && got == 0) return std::signbit(want) == std::signbit(got) ? 0 : 1e30;
  int exponent;
  std::frexp(std::abs(want), &exponent);
  exponent = std::max(exponent, std::numeric_limits<T>::min_exponent);
  const auto unit = std::ldexp(static_cast<Wide<T>>(1), exponent - std::numeric_limits<T>::digits);
  return static_cast<double>(std::abs(static_cast<Wide<T>>(got) - want) / unit);
}

template <class T>
std::vector<T> special_values() {
  using L = std::numeric_limits<T>;
  std::vector<T> out;
  for (double b : {0.0,  1.0,  2.0,   3.0,       0.5,   0.25, 1.5,   2.5,   10.0,       88.0,      88.5,
                   88.7, 89.4, 104.0, 709.5,     745.0, 9.0,  3.9,   27.0,  3.14159265, 1.5707963, 0.785398163,
                   1e5,  1e9,  1e20,  8388607.5, 1e-3,  1e-8, 1e-20, 1e-38, 1e-40}) {
    const T x = static_cast<T>(b);
    for (T y : {x, std::nextafter(x, L::infinity()), std::nextafter(x, -L::infinity())}) {
      out.push_back(y);
      out.push_back(-y);
    }
  }
  for (T x : {L::min(), L::denorm_min(), L::max(), L::infinity(), L::quiet_NaN(), L::epsilon()}) {
    out.push_back(x);
    out.push_back(-x);
  }
  return out;
}

// Special values, uniform ones in [lo, hi], and random bits; a multiple of 64 of them.
template <class T>
std::vector<T> sample(double lo, double hi, int count = 4000, unsigned seed = 1) {
  std::mt19937_64 random(seed);
  std::vector<T> out = special_values<T>();
  for (int i = 0; i < count; ++i) out.push_back(static_cast<T>(lo + (hi - lo) * (random() >> 11) * 0x1p-53));
  for (int i = 0; i < count / 2; ++i) {
    const auto bits = static_cast<std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>(random());
    T x;
    std::memcpy(&x, &bits, sizeof x);
    out.push_back(x);
  }
  while (out.size() % 64 != 0) out.push_back(T(1));
  return out;
}

struct Worst {
  double error = 0, at = 0, at2 = 0, got = 0, want = 0;
  int lane_differences = 0;
};

// f on whole vectors against the reference, and on single lanes against whole vectors.
template <class T, class F, class R>
Worst worst_of(F f, R reference, double lo, double hi) {
  using V = Vec<T>;
  const std::vector<T> in = sample<T>(lo, hi);
  Worst worst;
  for (std::size_t i = 0; i < in.size(); i += V::size()) {
    T out[V::size()];
    f(V::load(&in[i])).store(out);
    for (int j = 0; j < V::size(); ++j) {
      const Wide<T> want = reference(static_cast<Wide<T>>(in[i + j]));
      const double error = ulps<T>(out[j], want);
      if (error > worst.error) {
        worst = {error, double(in[i + j]), 0, double(out[j]), double(want), worst.lane_differences};
      }
      worst.lane_differences += !same_bits(f(Vec<T, 1>(in[i + j]))[0], out[j]);
    }
  }
  return worst;
}
template <class T, class F, class R>
Worst worst_of_pairs(F f, R reference, double lo, double hi, double lo2, double hi2) {
  using V = Vec<T>;
  std::vector<T> a = sample<T>(lo, hi, 4000, 1), b = sample<T>(lo2, hi2, 4000, 2);
  for (T x : special_values<T>()) {
    for (T y : special_values<T>()) {
      a.push_back(x);
      b.push_back(y);
    }
  }
  while (a.size() % 64 != 0) {
    a.push_back(T(1));
    b.push_back(T(1));
  }
  Worst worst;
  for (std::size_t i = 0; i < a.size(); i += V::size()) {
    T out[V::size()];
    f(V::load(&a[i]), V::load(&b[i])).store(out);
    for (int j = 0; j < V::size(); ++j) {
      const Wide<T> want = reference(static_cast<Wide<T>>(a[i + j]), static_cast<Wide<T>>(b[i + j]));
      const double error = ulps<T>(out[j], want);
      if (error > worst.error) {
        worst = {error, double(a[i + j]), double(b[i + j]), double(out[j]), double(want), worst.lane_differences};
      }
      worst.lane_differences += !same_bits(f(Vec<T, 1>(a[i + j]), Vec<T, 1>(b[i + j]))[0], out[j]);
    }
  }
  return worst;
}

inline void check(const char* name, const Worst& worst, double limit) {
  INFO(name << " at " << worst.at << ", " << worst.at2 << ": got " << worst.got << ", want " << worst.want);
  CHECK(worst.error <= limit);
  CHECK(worst.lane_differences == 0);
}

// CHECK_ULPS(exp, limit, lo, hi): hwaro's exp against std::exp in the wider type, for float and double.
#define CHECK_ULPS(f, limit, lo, hi) CHECK_ULPS_REF(f, limit, lo, hi, std::f(v))
#define CHECK_ULPS_REF(f, limit, lo, hi, reference)                                                               \
  do {                                                                                                            \
    const auto apply = [](auto v) { return f(v); };                                                               \
    math_test::check(#f " float",                                                                                 \
                     math_test::worst_of<float>(apply, [](double v) { return reference; }, lo, hi), limit);       \
    math_test::check(#f " double",                                                                                \
                     math_test::worst_of<double>(apply, [](long double v) { return reference; }, lo, hi), limit); \
  } while (0)
#define CHECK_ULPS_PAIRS(f, limit, lo, hi, lo2, hi2, reference)                                            \
  do {                                                                                                     \
    const auto apply = [](auto v, auto w) { return f(v, w); };                                             \
    math_test::check(#f " float",                                                                          \
                     math_test::worst_of_pairs<float>(                                                     \
                         apply, [](double v, double w) { return reference; }, lo, hi, lo2, hi2),           \
                     limit);                                                                               \
    math_test::check(#f " double",                                                                         \
                     math_test::worst_of_pairs<double>(                                                    \
                         apply, [](long double v, long double w) { return reference; }, lo, hi, lo2, hi2), \
                     limit);                                                                               \
  } while (0)

}  // namespace math_test
}  // namespace HWARO_ISA
}  // namespace hwaro
