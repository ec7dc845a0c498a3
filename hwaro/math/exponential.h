// exp, exp2, expm1 and the logarithms.
// exp: x = k ln2 + r with |r| <= ln2 / 2, a minimax polynomial for e^r - 1, and a two-step (or vscalef) multiplication by
// 2^k that rounds once, also into the subnormals. log: x = m 2^e with m in [sqrt(1/2), sqrt(2)); float takes a
// polynomial in m - 1, double the series of atanh(f / (2 + f)) whose small terms are added first.
// Constants k * ln2_hi are exact by trailing zeros, so that no fma is needed.
#pragma once

#include "hwaro/math/basic.h"

namespace hwaro {
inline namespace HWARO_ISA {

// p * 2^k for integral |k| < 2^(exponent bits); rounds once.
template <Floating T, int N>
HWARO_INLINE Vec<T, N> scale_by_power(Vec<T, N> p, Vec<T, N> k) {
#if defined(__AVX512F__)
  return Vec<T, N>::from_raw(native::by_register<T, N>(native::ScaleOp{}, p.v, k.v));
#else
  using Tr = FloatTraits<T>;
  using V = Vec<T, N>;
  // Low bits of (k + magic + bias) hold k + bias; half of k first, so that each factor is a normal number.
  const V half = k * V(T(0.5)) + V(Tr::kMagic + T(Tr::kBias));
  const V k1 = half - V(Tr::kMagic + T(Tr::kBias));
  const V rest = (k - k1) + V(Tr::kMagic + T(Tr::kBias));
  const V s1 = V::from_raw((typename V::Raw)((typename V::Bits)half.v << Tr::kMantissaBits));
  const V s2 = V::from_raw((typename V::Raw)((typename V::Bits)rest.v << Tr::kMantissaBits));
  return p * s1 * s2;
#endif
}

template <class T>
struct ExpConstants;
template <>
struct ExpConstants<float> {
  static constexpr float kLn2Hi = 0x1.62ep-1f, kLn2Lo = 0x1.0bfbe8p-15f;
  static constexpr float kLow = -104.0f, kHigh = 89.0f;
};
template <>
struct ExpConstants<double> {
  static constexpr double kLn2Hi = 0x1.62e42feep-1, kLn2Lo = 0x1.a39ef35793c76p-33;
  static constexpr double kLow = -746.0, kHigh = 710.0;
};

template <class V>
struct ExpReduced {
  V r, k;
};
template <Floating T, int N>
HWARO_INLINE ExpReduced<Vec<T, N>> exp_reduce(Vec<T, N> x) {
  using V = Vec<T, N>;
  const V magic(FloatTraits<T>::kMagic);
  const V k = mul_add_of(x, V(T(1.44269504088896340736)), magic) - magic;
  V r = mul_add_of(k, V(-ExpConstants<T>::kLn2Hi), x);
  r = mul_add_of(k, V(-ExpConstants<T>::kLn2Lo), r);
  return {r, k};
}
// (e^r - 1 - r) / r^2 on |r| <= ln2 / 2.
template <Floating T, int N>
HWARO_INLINE Vec<T, N> exp_tail(Vec<T, N> r) {
  if constexpr (native::kSame<T, float>) {
    return poly(r, Vec<T, N>(0.5), 0.166664869, 0.0416655429, 0.0083724549, 0.00140362221);
  } else {
    return poly(r, Vec<T, N>(0.5), 0.16666666666666677, 0.04166666666666663, 0.008333333333321234, 0.0013888888888903448,
                0.00019841269887484826, 2.480158729565477e-05, 2.755724255196974e-06, 2.755728918132025e-07,
                2.5109700314005e-08, 2.0913205383220824e-09);
  }
}

template <Floating T, int N>
HWARO_INLINE Vec<T, N> exp(Vec<T, N> x) {
  using V = Vec<T, N>;
  const V c = at_most(at_least(x, ExpConstants<T>::kLow), ExpConstants<T>::kHigh);
  const auto [r, k] = exp_reduce(c);
  const V p = mul_add_of(exp_tail(r), r * r, r) + V(1);
  return scale_by_power(p, k);
}

template <class V>
struct LogReduced {
  V f, e;  // x = (1 + f) 2^e
};
template <Floating T, int N>
HWARO_INLINE LogReduced<Vec<T, N>> log_reduce(Vec<T, N> x) {
  using V = Vec<T, N>;
  using Tr = FloatTraits<T>;
  using B = typename V::Bits;
  using I = typename V::Ints;
  using U = native::UnsignedLike<T>;
  const auto tiny = x < V(Tr::kMinNormal);
  const V y = where(tiny, x * V(T(2) * Tr::kIntegral), x);
  const V shift = where(tiny, V(T(-(Tr::kMantissaBits + 1))), V(0));
  // Subtracting the bits of sqrt(1/2) makes the exponent field count from there.
  constexpr U sqrt_half = native::kSame<T, float> ? U(0x3f3504f3) : U(0x3fe6a09e667f3bcd);
  const B offset = (B)y.v - sqrt_half;
  const B mantissa = (offset & U((U(1) << Tr::kMantissaBits) - 1)) + sqrt_half;
  V e;
  if constexpr (native::kSame<T, float>) {
    e = V::from_raw(__builtin_convertvector((I)offset >> Tr::kMantissaBits, typename V::Raw)) + shift;
  } else {
    // An unsigned shift, then 52 bits of integer placed under 2^52; the sign of e comes back by the offset 2048.
    const B biased = (offset + (U(1024) << 52)) >> 52;
    e = V::from_raw((typename V::Raw)(biased | U(0x4330000000000000))) - V(0x1p52 + 1024) + shift;
  }
  return {V::from_raw((typename V::Raw)mantissa) - V(1), e};
}
template <Floating T, int N>
HWARO_INLINE Vec<T, N> log_special(Vec<T, N> x, Vec<T, N> y) {
  using V = Vec<T, N>;
  using Tr = FloatTraits<T>;
  y = where(x < V(Tr::kInfinity), y, x);              // inf and NaN
  y = where(x == V(0), V(-Tr::kInfinity), y);
  return where(x < V(0), V(Tr::kNaN), y);
}
// log(1 + f) - f + f^2 / 2
template <int N>
HWARO_INLINE Vec<float, N> log_tail(Vec<float, N> f) {
  const auto p = poly(f, Vec<float, N>(0.333333313), -0.250008225, 0.200012609, -0.166233301, 0.142009556, -0.131593451,
                      0.127651021, -0.0763983727);
  return p * (f * f) * f;
}
// (log(1 + f) - 2 s) / s in z = s^2, s = f / (2 + f)
template <int N>
HWARO_INLINE Vec<double, N> log_tail(Vec<double, N> z) {
  return z * poly(z, Vec<double, N>(0.6666666666666734), 0.3999999999941704, 0.2857142874189364, 0.22222198621569303,
                  0.18183561905864432, 0.15314110464427105, 0.14795367560184014);
}

template <Floating T, int N>
HWARO_INLINE Vec<T, N> log(Vec<T, N> x) {
  using V = Vec<T, N>;
  using C = ExpConstants<T>;
  const auto [f, e] = log_reduce(x);
  const V half_square = V(T(0.5)) * f * f;
  V y;
  if constexpr (native::kSame<T, float>) {
    const V small = mul_add_of(e, V(C::kLn2Lo), log_tail(f)) - half_square;
    y = mul_add_of(e, V(C::kLn2Hi), f + small);
  } else {
    const V s = f / (f + V(2));
    const V tail = log_tail(s * s);
    const V small = mul_add_of(s, half_square + tail, e * V(C::kLn2Lo));
    y = e * V(C::kLn2Hi) - ((half_square - small) - f);
  }
  return log_special(x, y);
}

}  // namespace HWARO_ISA
}  // namespace hwaro
