// Hyperbolic functions, their inverses and the logistic sigmoid.
// sinh and cosh: x = k ln2 + r, then the addition theorem with short odd and even polynomials in r; no division.
// tanh: t / (t + 2) with t = e^2|x| - 1. The inverses are logarithms; in float they are evaluated in double, where the
// direct formulas lose nothing that float could see.
#pragma once

#include "hwaro/math/exponential.h"

namespace hwaro {
inline namespace HWARO_ISA {

template <Floating T, int N>
HWARO_INLINE Vec<T, N> tanh(Vec<T, N> x) {
  using V = Vec<T, N>;
  constexpr T saturated = native::kSame<T, float> ? T(20) : T(44);
  const auto [r, k, r_hi, r_lo] = exp_reduce(at_most(abs(x) + abs(x), saturated));
  const V scale = power_of_two(k);
  const V t = mul_add_of(scale, expm1_tail(r) + r_lo, mul_add_of(scale, r_hi, scale - V(1)));
  return copysign_of(t / (t + V(2)), x);
}

// 1 / (1 + e^-x), without overflow and accurate into the left tail.
template <Floating T, int N>
HWARO_INLINE Vec<T, N> sigmoid(Vec<T, N> x) {
  using V = Vec<T, N>;
  const V e = exp(-abs(x));
  return where(signbit(x), e, V(1)) / (V(1) + e);
}

template <class V>
struct HyperbolicParts {
  V r_hi, sinh_tail, cosh_tail;  // x = k ln2 + r: sinh r = r_hi + sinh_tail, cosh r = 1 + cosh_tail
  V sinh_k, cosh_k;              // of k ln2, halved
  V k;
};
// |x| up to where the result overflows.
template <Floating T, int N>
HWARO_INLINE HyperbolicParts<Vec<T, N>> hyperbolic_parts(Vec<T, N> x) {
  using V = Vec<T, N>;
  constexpr bool f = native::kSame<T, float>;
  const auto [r, k, r_hi, r_lo] = exp_reduce(at_most(x, f ? T(89.5) : T(710.6)));
  const V z = r * r;
  V s, c;
  if constexpr (f) {
    s = poly(z, V(0.166666672), 0.00833317544, 0.000199740243);
    c = poly(z, V(0.5), 0.0416664593, 0.00139354577);
  } else {
    s = poly(z, V(0.16666666666666677), 0.008333333333321376, 0.00019841269886867292, 2.7557243387999275e-06,
             2.5109344115859113e-08);
    c = poly(z, V(0.5), 0.041666666666666685, 0.001388888888887327, 2.4801587349251133e-05, 2.7557251760769717e-07,
             2.092179269707152e-09);
  }
  const V up = power_of_two(k - V(2)), down = power_of_two(V(-2) - at_most(k, T(100)));
  return {r_hi, mul_add_of(r * z, s, r_lo), z * c, up - down, up + down, k};
}
template <Floating T, int N>
HWARO_INLINE Vec<T, N> sinh(Vec<T, N> x) {
  using V = Vec<T, N>;
  const auto p = hyperbolic_parts(abs(x));
  // The sum starts from the exact part of r: sinh(k ln2) and r may cancel.
  const V half = mul_add_of(p.cosh_k, p.r_hi, p.sinh_k) + mul_add_of(p.sinh_k, p.cosh_tail, p.cosh_k * p.sinh_tail);
  return copysign_of(where(p.k == V(0), p.r_hi + p.sinh_tail, half + half), x);
}
template <Floating T, int N>
HWARO_INLINE Vec<T, N> cosh(Vec<T, N> x) {
  using V = Vec<T, N>;
  const auto p = hyperbolic_parts(abs(x));
  const V half = mul_add_of(p.sinh_k, p.r_hi, p.cosh_k) + mul_add_of(p.cosh_k, p.cosh_tail, p.sinh_k * p.sinh_tail);
  return half + half;
}

template <Floating T, int N>
HWARO_INLINE Vec<T, N> asinh(Vec<T, N> x) {
  using V = Vec<T, N>;
  const V a = abs(x);
  if constexpr (native::kSame<T, float>) {
    const V y = through_double(
        [](auto v) {
          using D = decltype(v);
          return log(v + sqrt(mul_add_of(v, v, D(1))));
        },
        a);
    // Below 2^-8 two terms of the series are exact enough, and log would see too little of x.
    const V z = x * x;
    const V series = mul_add_of(a * z, mul_add_of(z, V(0.075), V(-0.166666667)), a);
    return copysign_of(where(a < V(0x1p-8), series, y), x);
  } else {
    // log1p(a + a^2 / (1 + sqrt(a^2 + 1))), and log(2a) where a^2 would swallow the 1.
    const auto large = a > V(0x1p54);
    const V square = a * a;
    const V small = a + square / (V(1) + sqrt(square + V(1)));
    const V y = log1p(where(large, a, small));
    return copysign_of(where(large, y + V(0x1.62e42fefa39efp-1), y), x);
  }
}
template <Floating T, int N>
HWARO_INLINE Vec<T, N> acosh(Vec<T, N> x) {
  using V = Vec<T, N>;
  if constexpr (native::kSame<T, float>) {
    const V y = through_double(
        [](auto v) {
          using D = decltype(v);
          const D t = v - D(1);
          return log1p(t + sqrt(mul_add_of(t, t, t + t)));
        },
        x);
    return where(x < V(1), V(FloatTraits<T>::kNaN), y);
  } else {
    const auto large = x > V(0x1p54);
    const V t = x - V(1);
    const V y = log1p(where(large, x, t + sqrt(mul_add_of(t, t, t + t))));
    return where(x < V(1), V(FloatTraits<T>::kNaN), where(large, y + V(0x1.62e42fefa39efp-1), y));
  }
}
template <Floating T, int N>
HWARO_INLINE Vec<T, N> atanh(Vec<T, N> x) {
  using V = Vec<T, N>;
  const V a = abs(x);
  if constexpr (native::kSame<T, float>) {
    const V y = through_double(
        [](auto v) {
          using D = decltype(v);
          return D(0.5) * log((D(1) + v) / (D(1) - v));
        },
        a);
    const V z = x * x;
    const V series = mul_add_of(a * z, mul_add_of(z, V(0.2), V(0.333333333)), a);
    return copysign_of(where(a < V(0x1p-8), series, y), x);
  } else {
    const V y = V(0.5) * log1p((a + a) / (V(1) - a));
    return copysign_of(where(a > V(1), V(FloatTraits<T>::kNaN), where(a < V(0x1p-28), a, y)), x);
  }
}

// min(x, 0) - log1p(e^-|x|)
template <Floating T, int N>
HWARO_INLINE Vec<T, N> log_sigmoid(Vec<T, N> x) {
  using V = Vec<T, N>;
  return minimum_of(x, V(0)) - log1p(exp(-abs(x)));
}

}  // namespace HWARO_ISA
}  // namespace hwaro
