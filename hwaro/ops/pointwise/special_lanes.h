// Special functions lane by lane, in double: rare enough that precision and size matter more than speed.
// zeta: Euler-Maclaurin from q + 12 on. Bessel I: the power series, whose terms are all positive, below 30, and the
// asymptotic one above. Bessel K: the power series up to 2, Steed's continued fraction above (Temme 1975). erfcx:
// e^(x^2) erfc(x) below 2, the continued fraction of erfc above. ndtri: Halley steps on log erfc.
#pragma once

#include "hwaro/math/math.h"
#include "hwaro/math/usage.h"

// Of the C library, which <cmath> declares together with templates that kernel files must not use; clang has no
// builtins of these names.
extern "C" {
double lgamma_r(double, int*) noexcept;
double j0(double) noexcept;
double j1(double) noexcept;
double y0(double) noexcept;
double y1(double) noexcept;
}

namespace hwaro {
inline namespace HWARO_ISA {
namespace special_lanes {

inline constexpr double kPiValue = 3.14159265358979323846, kEulerGamma = 0.57721566490153286061;

template <class T, int N, class F>
HWARO_INLINE Vec<T, N> each_lane(Vec<T, N> x, F f) {
  T lanes[N];
  x.store(lanes);
  for (int i = 0; i < N; ++i) lanes[i] = static_cast<T>(f(static_cast<double>(lanes[i])));
  return Vec<T, N>::load(lanes);
}
template <class T, int N, class F>
HWARO_INLINE Vec<T, N> each_lane(Vec<T, N> x, Vec<T, N> y, F f) {
  T a[N], b[N];
  x.store(a);
  y.store(b);
  for (int i = 0; i < N; ++i) a[i] = static_cast<T>(f(static_cast<double>(a[i]), static_cast<double>(b[i])));
  return Vec<T, N>::load(a);
}

// Hurwitz zeta, the sum of (q + k)^-s.
[[gnu::noinline]] inline double zeta(double s, double q) {
  if (s == 1) return __builtin_inf();
  if (!(s > 1) || q != q || q == __builtin_inf()) return __builtin_nan("");
  if (q <= 0) {
    if (q == __builtin_floor(q)) return __builtin_inf();
    if (s != __builtin_floor(s)) return __builtin_nan("");
  }
  // B(2k) / (2k)!
  static constexpr double kBernoulli[] = {1.0 / 12,
                                          -1.0 / 720,
                                          1.0 / 30240,
                                          -1.0 / 1209600,
                                          1.0 / 47900160,
                                          -691.0 / 1307674368000.0,
                                          1.0 / 74724249600.0,
                                          -3617.0 / 10670622842880000.0};
  double sum = 0, w = q;
  for (int k = 0; k < 12 || w < 12; ++k, w += 1) {
    const double term = __builtin_pow(w, -s);
    sum += term;
    if (w > 0 && term < sum * 1e-18) return sum;
  }
  const double power = __builtin_pow(w, -s);
  sum += power * w / (s - 1) + 0.5 * power;
  double rising = s, scale = power / w;
  for (int k = 0; k < 8; ++k) {
    sum += kBernoulli[k] * rising * scale;
    rising *= (s + 2 * k + 1) * (s + 2 * k + 2);
    scale /= w * w;
  }
  return sum;
}

[[gnu::noinline]] inline double polygamma(double n, double x) {
  if (n == 1 && __builtin_isinf(x)) return x > 0 ? 0 : __builtin_nan("");
  if (n == 1 && x < 0.5 && x != __builtin_floor(x) && x > -1e15) {
    const double sine = __builtin_sin(kPiValue * (x - 2 * __builtin_floor(x / 2)));
    return kPiValue * kPiValue / (sine * sine) - zeta(2, 1 - x);
  }
  const double odd = __builtin_fmod(n, 2) == 1 ? 1 : -1;
  return odd * __builtin_tgamma(n + 1) * zeta(n + 1, x);
}

// Trigamma as PyTorch rounds it for float: reflection below 1/2, six steps up, the asymptotic series (A&S 6.4.7, 6.4.12).
// Near the poles its sine of a rounded multiple of pi decides the result.
[[gnu::noinline]] inline float trigamma_float(float x) {
  constexpr float kPi = static_cast<float>(kPiValue);
  float sum = 0;
  const bool reflected = x < 0.5f;
  if (reflected) {
    const float sine = __builtin_sinf(kPi * x);
    sum = -(kPi * kPi) / (sine * sine);
    x = 1 - x;
  }
  for (int k = 0; k < 6; ++k, x += 1) sum += 1 / (x * x);
  const float square = 1 / (x * x);
  sum += (1 + 1 / (2 * x) + square * (1.0f / 6 - square * (1.0f / 30 - square * (1.0f / 42)))) / x;
  return reflected ? -sum : sum;
}

// The regularised incomplete gamma functions: the power series of the lower one below x = a + 1, Lentz's continued fraction
// of the upper one above.
template <bool Upper>
[[gnu::noinline]] inline double incomplete_gamma(double a, double x) {
  if (!(a >= 0) || !(x >= 0)) return __builtin_nan("");
  const double infinity = __builtin_inf();
  if (a == 0) return x == 0 ? __builtin_nan("") : Upper ? 0.0 : 1.0;
  if (x == 0 || a == infinity) return a == infinity && x == infinity ? __builtin_nan("") : Upper ? 1.0 : 0.0;
  if (x == infinity) return Upper ? 0.0 : 1.0;
  int sign;
  const double front = __builtin_exp(a * __builtin_log(x) - x - ::lgamma_r(a, &sign));
  if (x < a + 1) {
    double term = 1 / a, sum = term;
    for (double k = a + 1; k < a + 10000; k += 1) {
      term *= x / k;
      sum += term;
      if (term < sum * 1e-17) break;
    }
    return Upper ? 1 - front * sum : front * sum;
  }
  double b = x + 1 - a, c = 1e300, d = 1 / b, h = d;
  for (int k = 1; k < 10000; ++k) {
    const double numerator = -k * (k - a);
    b += 2;
    d = 1 / (numerator * d + b);
    c = b + numerator / c;
    const double step = c * d;
    h *= step;
    if (__builtin_fabs(step - 1) < 1e-16) break;
  }
  return Upper ? front * h : 1 - front * h;
}

// P(n) of a family of orthogonal polynomials by its recurrence; n is cut to a whole number; below zero, and
// where int64 does not hold it, the value is 0.
enum class Family { ChebyshevT, ChebyshevU, ChebyshevV, ChebyshevW, HermiteH, HermiteHe, Laguerre, Legendre };
template <Family F, bool Shifted>
[[gnu::noinline]] inline double polynomial(double value, double order) {
  const double x = Shifted ? 2 * value - 1 : value;
  if (order != order || x != x) return __builtin_nan("");
  if (order <= -1 || order >= 0x1p63) return 0;
  const auto n = static_cast<std::int64_t>(order);
  double before = 1, current = x;
  if (F == Family::ChebyshevU || F == Family::HermiteH) current = 2 * x;
  if (F == Family::ChebyshevV) current = 2 * x - 1;
  if (F == Family::ChebyshevW) current = 2 * x + 1;
  if (F == Family::Laguerre) current = 1 - x;
  if (n == 0) return before;
  for (std::int64_t k = 1; k < n && current == current; ++k) {
    const auto m = static_cast<double>(k);
    double next = 2 * x * current - before;
    if (F == Family::HermiteH) next = 2 * (x * current - m * before);
    if (F == Family::HermiteHe) next = x * current - m * before;
    if (F == Family::Laguerre) next = ((2 * m + 1 - x) * current - m * before) / (m + 1);
    if (F == Family::Legendre) next = ((2 * m + 1) * x * current - m * before) / (m + 1);
    before = current;
    current = next;
  }
  return current;
}

// I0(x) e^-|x| and I1(x) e^-|x|.
template <int Order>
[[gnu::noinline]] inline double bessel_i_scaled(double x) {
  const double a = __builtin_fabs(x);
  double sum = 1, term = 1;
  if (a < 30) {
    const double z = 0.25 * a * a;
    for (int k = 1; k < 200; ++k) {
      term *= z / (double(k) * (k + Order));
      sum += term;
      if (term < sum * 1e-18) break;
    }
    sum *= __builtin_exp(-a) * (Order ? 0.5 * a : 1.0);
  } else {
    const double mu = 4.0 * Order;
    for (int k = 1; k < 40; ++k) {
      const double next = term * -(mu - (2.0 * k - 1) * (2.0 * k - 1)) / (8 * a * k);
      if (__builtin_fabs(next) > __builtin_fabs(term) || __builtin_fabs(next) < 1e-18) break;
      sum += term = next;
    }
    sum /= __builtin_sqrt(2 * kPiValue * a);
  }
  return Order && x < 0 ? -sum : sum;
}

// K0(x) and K1(x), times e^x if Scaled.
template <int Order, bool Scaled>
[[gnu::noinline]] inline double bessel_k(double x) {
  if (x == 0) return __builtin_inf();
  if (!(x > 0)) return __builtin_nan("");
  if (x > 1e8) return Scaled ? __builtin_sqrt(kPiValue / (2 * x)) : __builtin_exp(-x);
  if (x <= 2) {
    const double z = 0.25 * x * x, lead = -(__builtin_log(0.5 * x) + kEulerGamma);
    // K0 = sum z^k / k!^2 (lead + H(k)); K1 = 1/x - its derivative's series.
    double term = 1, harmonic = 0, sum = Order ? 0 : lead;
    if constexpr (Order == 0) {
      for (int k = 1; k < 40; ++k) {
        term *= z / (double(k) * k);
        harmonic += 1.0 / k;
        sum += term * (lead + harmonic);
      }
    } else {
      for (int k = 0; k < 40; ++k) {
        sum += term * (lead + harmonic + 0.5 / (k + 1));
        harmonic += 1.0 / (k + 1);
        term *= z / (double(k + 1) * (k + 2));
      }
      sum = 1 / x - 0.5 * x * sum;
    }
    return Scaled ? sum * __builtin_exp(x) : sum;
  }
  // Steed: K0 e^x = sqrt(pi / 2x) / S, K1 / K0 = (x + 1/2 - h) / x.
  double b = 2 * (1 + x), d = 1 / b, h = d, delta = d, q1 = 0, q2 = 1, a1 = 0.25, q = a1, c = a1, a = -a1,
         s = 1 + q * delta;
  for (int k = 2; k < 500; ++k) {
    a -= 2 * (k - 1);
    c = -a * c / k;
    const double next = (q1 - b * q2) / a;
    q1 = q2;
    q2 = next;
    q += c * next;
    b += 2;
    d = 1 / (b + a * d);
    delta = (b * d - 1) * delta;
    h += delta;
    const double step = q * delta;
    s += step;
    if (__builtin_fabs(step) < __builtin_fabs(s) * 1e-17) break;
  }
  double k0 = __builtin_sqrt(kPiValue / (2 * x)) / s;
  if (!Scaled) k0 *= __builtin_exp(-x);
  return Order ? k0 * (x + 0.5 - a1 * h) / x : k0;
}

// e^(x^2) erfc(x)
[[gnu::noinline]] inline double erfcx(double x) {
  if (x < 0) {
    const double square = x * x;
    return square > 720 ? __builtin_inf() : 2 * __builtin_exp(square) - erfcx(-x);
  }
  if (x < 2) return __builtin_exp(x * x) * __builtin_erfc(x);
  if (x > 1e8) return 0.56418958354775628695 / x;
  double fraction = 0;
  for (int k = 80; k > 0; --k) fraction = 0.5 * k / (x + fraction);
  return 0.56418958354775628695 / (x + fraction);
}
// log of the normal distribution function.
[[gnu::noinline]] inline double log_ndtr(double x) {
  const double t = x * 0.70710678118654752440;
  if (x < -1) return __builtin_log(erfcx(-t) / 2) - t * t;
  return __builtin_log1p(-__builtin_erfc(t) / 2);
}
// The inverse of the normal distribution function.
[[gnu::noinline]] inline double ndtri(double p) {
  if (p == 0) return -__builtin_inf();
  if (p == 1) return __builtin_inf();
  if (!(p > 0 && p < 1)) return __builtin_nan("");
  // erfc(z) = 2 min(p, 1 - p); Newton on log erfc, which is concave, from the left of the root.
  const double tail = p > 0.5 ? 1 - p : p, goal = __builtin_log(2 * tail);
  double z = goal > -1.5
                 ? -goal * 0.6
                 : __builtin_sqrt(__builtin_fmax(-goal - 0.5 * __builtin_log(__builtin_fmax(-goal, 1) * kPiValue), 0));
  for (int i = 0; i < 60; ++i) {
    const double scaled = erfcx(z), slope = -1.12837916709551257390 / scaled;
    const double step = (__builtin_log(scaled) - z * z - goal) / slope;
    z -= step;
    if (__builtin_fabs(step) <= __builtin_fabs(z) * 1e-16) break;
  }
  const double x = z * 1.41421356237309504880;
  return p > 0.5 ? x : -x;
}

}  // namespace special_lanes

template <class T, int N>
HWARO_INLINE Vec<T, N> zeta(Vec<T, N> s, Vec<T, N> q) {
  return special_lanes::each_lane(s, q, [](double a, double b) { return special_lanes::zeta(a, b); });
}
template <class T, int N>
HWARO_INLINE Vec<T, N> gamma_lower(Vec<T, N> a, Vec<T, N> x) {
  return special_lanes::each_lane(a, x,
                                  [](double u, double v) { return special_lanes::incomplete_gamma<false>(u, v); });
}
template <class T, int N>
HWARO_INLINE Vec<T, N> gamma_upper(Vec<T, N> a, Vec<T, N> x) {
  return special_lanes::each_lane(a, x, [](double u, double v) { return special_lanes::incomplete_gamma<true>(u, v); });
}
template <special_lanes::Family F, bool Shifted, class T, int N>
HWARO_INLINE Vec<T, N> polynomial_of(Vec<T, N> x, Vec<T, N> n) {
  return special_lanes::each_lane(x, n, [](double u, double v) { return special_lanes::polynomial<F, Shifted>(u, v); });
}
template <class T, int N>
HWARO_INLINE Vec<T, N> polygamma_of(Vec<T, N> x, Vec<T, N> n) {
  if constexpr (sizeof(T) == sizeof(float))
    return special_lanes::each_lane(n, x, [](double a, double b) {
      return a == 1 ? double(special_lanes::trigamma_float(float(b))) : special_lanes::polygamma(a, b);
    });
  else return special_lanes::each_lane(n, x, [](double a, double b) { return special_lanes::polygamma(a, b); });
}
#define HWARO_EACH_LANE(name, expression)                                    \
  template <class T, int N>                                                  \
  HWARO_INLINE Vec<T, N> name(Vec<T, N> x) {                                 \
    return special_lanes::each_lane(x, [](double v) { return expression; }); \
  }
HWARO_EACH_LANE(trigamma, special_lanes::polygamma(1, v))
HWARO_EACH_LANE(i0, special_lanes::bessel_i_scaled<0>(v) * __builtin_exp(__builtin_fabs(v)))
HWARO_EACH_LANE(i0e, special_lanes::bessel_i_scaled<0>(v))
HWARO_EACH_LANE(i1, special_lanes::bessel_i_scaled<1>(v) * __builtin_exp(__builtin_fabs(v)))
HWARO_EACH_LANE(i1e, special_lanes::bessel_i_scaled<1>(v))
HWARO_EACH_LANE(erfcx, special_lanes::erfcx(v))
HWARO_EACH_LANE(log_ndtr, special_lanes::log_ndtr(v))
HWARO_EACH_LANE(ndtri, special_lanes::ndtri(v))
HWARO_EACH_LANE(bessel_j0, ::j0(v))
HWARO_EACH_LANE(bessel_j1, ::j1(v))
HWARO_EACH_LANE(bessel_y0, (v < 0 ? __builtin_nan("") : ::y0(v)))
HWARO_EACH_LANE(bessel_y1, (v < 0 ? __builtin_nan("") : ::y1(v)))
HWARO_EACH_LANE(bessel_k0, (special_lanes::bessel_k<0, false>(v)))
HWARO_EACH_LANE(bessel_k1, (special_lanes::bessel_k<1, false>(v)))
HWARO_EACH_LANE(bessel_k0e, (special_lanes::bessel_k<0, true>(v)))
HWARO_EACH_LANE(bessel_k1e, (special_lanes::bessel_k<1, true>(v)))
#undef HWARO_EACH_LANE

}  // namespace HWARO_ISA

#define HWARO_USES(name)            \
  template <unsigned M>             \
  constexpr Uses<M> name(Uses<M>) { \
    return {};                      \
  }
HWARO_USES(trigamma)
HWARO_USES(i0)
HWARO_USES(i0e)
HWARO_USES(i1)
HWARO_USES(i1e)
HWARO_USES(erfcx)
HWARO_USES(log_ndtr)
HWARO_USES(ndtri)
#undef HWARO_USES
template <unsigned A, unsigned B>
constexpr Uses<A | B> polygamma_of(Uses<A>, Uses<B>) {
  return {};
}
template <unsigned A, unsigned B>
constexpr Uses<A | B> zeta(Uses<A>, Uses<B>) {
  return {};
}

}  // namespace hwaro
