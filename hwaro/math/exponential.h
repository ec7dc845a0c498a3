// exp, exp2, expm1 and the logarithms.
// exp: x = k ln2 + r with |r| <= ln2 / 2, a minimax polynomial for e^r - 1, and a two-step (or vscalef) multiplication
// by 2^k that rounds once, also into the subnormals. log: x = m 2^e with m in [sqrt(1/2), sqrt(2)); float takes a
// polynomial in m - 1, double the series of atanh(f / (2 + f)) whose small terms are added first.
// Constants k * ln2_hi are exact by trailing zeros, so that no fma is needed.
#pragma once

#include "hwaro/math/widen.h"

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
  V r, k;        // x = k ln2 + r
  V r_hi, r_lo;  // r before its last rounding: the first is exact
};
template <Floating T, int N>
HWARO_INLINE ExpReduced<Vec<T, N>> exp_reduce(Vec<T, N> x) {
  using V = Vec<T, N>;
  const V magic(FloatTraits<T>::kMagic);
  const V k = mul_add_of(x, V(T(1.44269504088896340736)), magic) - magic;
  const V r_hi = mul_add_of(k, V(-ExpConstants<T>::kLn2Hi), x);
  return {mul_add_of(k, V(-ExpConstants<T>::kLn2Lo), r_hi), k, r_hi, k * V(-ExpConstants<T>::kLn2Lo)};
}
// (e^r - 1 - r) / r^2 on |r| <= ln2 / 2.
template <Floating T, int N>
HWARO_INLINE Vec<T, N> exp_tail(Vec<T, N> r) {
  if constexpr (native::kSame<T, float>) {
    return poly(r, Vec<T, N>(0.5), 0.166664869, 0.0416655429, 0.0083724549, 0.00140362221);
  } else {
    return poly(r, Vec<T, N>(0.5), 0.16666666666666677, 0.04166666666666663, 0.008333333333321234,
                0.0013888888888903448, 0.00019841269887484826, 2.480158729565477e-05, 2.755724255196974e-06,
                2.755728918132025e-07, 2.5109700314005e-08, 2.0913205383220824e-09);
  }
}

template <Floating T, int N>
HWARO_INLINE Vec<T, N> exp(Vec<T, N> x) {
  using V = Vec<T, N>;
  const V c = at_most(at_least(x, ExpConstants<T>::kLow), ExpConstants<T>::kHigh);
  const auto [r, k, r_hi, r_lo] = exp_reduce(c);
  const V p = mul_add_of(r, mul_add_of(r, exp_tail(r), V(1)), V(1));
  return scale_by_power(p, k);
}

// 2^k for integral k that stays a normal number, from the low bits of k + magic + bias.
template <Floating T, int N>
HWARO_INLINE Vec<T, N> power_of_two(Vec<T, N> k) {
  using V = Vec<T, N>;
  using Tr = FloatTraits<T>;
  return V::from_raw((typename V::Raw)((typename V::Bits)(k + V(Tr::kMagic + T(Tr::kBias))).v << Tr::kMantissaBits));
}

template <Floating T, int N>
HWARO_INLINE Vec<T, N> exp2(Vec<T, N> x) {
  using V = Vec<T, N>;
  constexpr bool f = native::kSame<T, float>;
  const V c = at_most(at_least(x, f ? T(-151) : T(-1076)), f ? T(129) : T(1025));
  const V magic(FloatTraits<T>::kMagic);
  const V k = (c + magic) - magic, r = c - k;
  V p;
  if constexpr (f) {
    p = poly(r, V(0.693147182), 0.240226507, 0.0555040352, 0.00961805973, 0.00133392005, 0.000154639783,
             1.40845214e-05);
  } else {
    p = poly(r, V(0.6931471805599453), 0.2402265069591007, 0.05550410866482338, 0.00961812910763023,
             0.0013333558146033297, 0.00015403530388879947, 1.5252734167065775e-05, 1.3215491344690505e-06,
             1.0177931969526522e-07, 7.052932823474785e-09, 4.4734158215151625e-10, 2.877713100710395e-11);
  }
  return scale_by_power(mul_add_of(r, p, V(1)), k);
}

// e^r - 1 - r, so that the sum with r is relative to e^r - 1 on |r| <= ln2 / 2.
template <Floating T, int N>
HWARO_INLINE Vec<T, N> expm1_tail(Vec<T, N> r) {
  if constexpr (native::kSame<T, float>) {
    return r * r * poly(r, Vec<T, N>(0.5), 0.166666657, 0.0416664667, 0.00833364204, 0.00139349955, 0.000196673747);
  } else {
    return r * r * exp_tail(r);
  }
}
// 2^k (e^r - 1) + (2^k - 1), summed from the exact part of r on. Half of it first, so that 2^k stays finite.
template <Floating T, int N>
HWARO_INLINE Vec<T, N> expm1(Vec<T, N> x) {
  using V = Vec<T, N>;
  constexpr bool f = native::kSame<T, float>;
  const auto [r, k, r_hi, r_lo] = exp_reduce(at_most(at_least(x, f ? T(-20) : T(-40)), ExpConstants<T>::kHigh));
  const V tail = expm1_tail(r), half = power_of_two(k - V(1));
  const V y = mul_add_of(half, tail + r_lo, mul_add_of(half, r_hi, half - V(T(0.5))));
  return copysign_of(where(k == V(0), r + tail, y + y), x);
}

// ---- logarithms ----

template <class V>
struct LogReduced {
  V f, e;  // x = (1 + f) 2^e
};
// For positive, finite, normal x.
template <Floating T, int N>
HWARO_INLINE LogReduced<Vec<T, N>> log_reduce(Vec<T, N> x) {
  using V = Vec<T, N>;
  using Tr = FloatTraits<T>;
  using B = typename V::Bits;
  using I = typename V::Ints;
  using U = native::UnsignedLike<T>;
  // Subtracting the bits of sqrt(1/2) makes the exponent field count from there.
  constexpr U sqrt_half = native::kSame<T, float> ? U(0x3f3504f3) : U(0x3fe6a09e667f3bcd);
  const B offset = (B)x.v - sqrt_half;
  const B mantissa = (offset & U((U(1) << Tr::kMantissaBits) - 1)) + sqrt_half;
  V e;
  if constexpr (native::kSame<T, float>) {
    e = V::from_raw(__builtin_convertvector((I)offset >> Tr::kMantissaBits, typename V::Raw));
  } else {
    // A logical shift, then an integer placed under 2^52; the offset 1024 keeps it positive.
    const B biased = (offset + (U(1024) << 52)) >> 52;
    e = V::from_raw((typename V::Raw)(biased | U(0x4330000000000000))) - V(0x1p52 + 1024);
  }
  return {V::from_raw((typename V::Raw)mantissa) - V(1), e};
}
// (log(1 + f) - f) / f^2 + 1/2
template <int N>
HWARO_INLINE Vec<float, N> log_tail(Vec<float, N> f) {
  return f * poly(f, Vec<float, N>(0.333333313), -0.250008225, 0.200012609, -0.166233301, 0.142009556, -0.131593451,
                  0.127651021, -0.0763983727);
}
// (log(1 + f) - 2 s) / s in z = s^2, s = f / (2 + f)
template <int N>
HWARO_INLINE Vec<double, N> log_tail(Vec<double, N> z) {
  return z * poly(z, Vec<double, N>(0.6666666666666734), 0.3999999999941704, 0.2857142874189364, 0.22222198621569303,
                  0.18183561905864432, 0.15314110464427105, 0.14795367560184014);
}

// log((1 + f) 2^e), given e ln2_lo plus whatever else is small.
template <Floating T, int N>
HWARO_INLINE Vec<T, N> log_from_parts(Vec<T, N> f, Vec<T, N> e, Vec<T, N> small) {
  using V = Vec<T, N>;
  using C = ExpConstants<T>;
  if constexpr (native::kSame<T, float>) {
    const V tail = mul_add_of(f * f, log_tail(f) - V(0.5), small);
    return mul_add_of(e, V(C::kLn2Hi), f + tail);
  } else {
    const V half_square = V(T(0.5)) * f * f;
    const V s = f / (f + V(2));
    const V rest = mul_add_of(s, half_square + log_tail(s * s), small);
    return mul_add_of(e, V(C::kLn2Hi), f - (half_square - rest));
  }
}

// Finishes a logarithm: `core` holds for positive, finite, normal numbers; subnormals come back scaled by 2^(bits + 1),
// zero, infinities, negative numbers and NaN get their values.
template <class Core, Floating T, int N>
HWARO_INLINE Vec<T, N> finish_log(Vec<T, N> x, Core core) {
  using V = Vec<T, N>;
  using Tr = FloatTraits<T>;
  using B = typename V::Bits;
  using U = native::UnsignedLike<T>;
  V y = core(x, V(0));
  constexpr U lowest = U(1) << Tr::kMantissaBits, count = ((U(2 * Tr::kBias + 1)) << Tr::kMantissaBits) - lowest;
  const auto special = V::MaskT::from_raw((typename V::Ints)((B)x.v - lowest >= count));
  if (special.any()) [[unlikely]] {
    const V small = core(x * V(T(2) * Tr::kIntegral), V(T(-(Tr::kMantissaBits + 1))));
    y = where(x < V(Tr::kMinNormal), small, y);
    y = where(x < V(Tr::kInfinity), y, x);
    y = where(x == V(0), V(-Tr::kInfinity), y);
    y = where(x < V(0), V(Tr::kNaN), y);
  }
  return y;
}

template <Floating T, int N>
HWARO_INLINE Vec<T, N> log(Vec<T, N> x) {
  using V = Vec<T, N>;
  return finish_log(x, [](V v, V shift) {
    const auto [f, e] = log_reduce(v);
    const V total = e + shift;
    return log_from_parts(f, total, total * V(ExpConstants<T>::kLn2Lo));
  });
}

// log(1 + x) = e ln2 + log(1 + f): f = x 2^-e + (2^-e - 1) keeps the bits that 1 + x drops.
template <Floating T, int N>
HWARO_INLINE Vec<T, N> log1p(Vec<T, N> x) {
  using V = Vec<T, N>;
  using Tr = FloatTraits<T>;
  constexpr T huge = T(4) * Tr::kIntegral;
  const V u = x + V(1);
  const auto [m, e] = log_reduce(u);
  const auto large = u > V(huge);
  const V scale = power_of_two(at_least(-e, T(-60)));
  const V a = scale - V(1), b = x * scale, f = a + b, t = f - a;
  const V lo = (a - (f - t)) + (b - t);
  // d log(1 + f) = df / (1 + f): the first two terms suffice for a rounding error.
  const V small = e * V(ExpConstants<T>::kLn2Lo) + where(large, V(0), lo - lo * f);
  V y = log_from_parts(where(large, m, f), e, small);
  const auto special = !((u > V(0)) & (u < V(Tr::kInfinity)));
  if (special.any()) [[unlikely]] {
    y = where(u > V(0), where(special, x, y), where(u == V(0), V(-Tr::kInfinity), V(Tr::kNaN)));
  }
  return copysign_of(y, x);
}

// log2 and log10: the factor 1 / ln(base) in two parts meets f before anything is rounded.
template <class T>
struct LogBase;
template <>
struct LogBase<float> {
  static constexpr float kLog2E = 0x1.715476p+0f, kLog2ELo = 0x1.4ae0cp-26f;
  static constexpr float kLog10E = 0x1.bcb7b2p-2f, kLog10ELo = -0x1.5b235ep-27f;
  static constexpr float kLog10Of2Hi = 0x1.344p-2f, kLog10Of2Lo = 0x1.3509f7p-18f;
};
template <>
struct LogBase<double> {
  static constexpr double kLog2E = 0x1.71547652b82fep+0, kLog2ELo = 0x1.777d0ffda0d24p-56;
  static constexpr double kLog10E = 0x1.bcb7b1526e50ep-2, kLog10ELo = 0x1.95355baaafad3p-57;
  static constexpr double kLog10Of2Hi = 0x1.3441350ap-2, kLog10Of2Lo = -0x1.0c0219dc1da99p-39;
};

// log(1 + f) * (factor + factor_lo) as hi + lo.
template <Floating T, int N>
HWARO_INLINE TwoPart<Vec<T, N>> scaled_log1p(Vec<T, N> f, T factor, T factor_lo) {
  using V = Vec<T, N>;
  const auto square = two_product(f, f);
  const V half = V(T(0.5)) * square.hi;
  V tail;
  if constexpr (native::kSame<T, float>) {
    tail = square.hi * log_tail(f);
  } else {
    const V s = f / (f + V(2));
    tail = s * (half + log_tail(s * s));
  }
  const auto top = fast_two_sum(f, -half);
  const V hi = top.hi, lo = (top.lo - V(T(0.5)) * square.lo) + tail;
  const auto product = two_product(hi, V(factor));
  return {product.hi, product.lo + mul_add_of(hi, V(factor_lo), lo * V(factor))};
}
template <Floating T, int N>
HWARO_INLINE Vec<T, N> log2(Vec<T, N> x) {
  using V = Vec<T, N>;
  return finish_log(x, [](V v, V shift) {
    const auto [f, e] = log_reduce(v);
    const auto p = scaled_log1p(f, LogBase<T>::kLog2E, LogBase<T>::kLog2ELo);
    const auto sum = fast_two_sum(e + shift, p.hi);
    return sum.hi + (sum.lo + p.lo);
  });
}
template <Floating T, int N>
HWARO_INLINE Vec<T, N> log10(Vec<T, N> x) {
  using V = Vec<T, N>;
  using C = LogBase<T>;
  return finish_log(x, [](V v, V shift) {
    const auto [f, e0] = log_reduce(v);
    const V e = e0 + shift;
    const auto p = scaled_log1p(f, C::kLog10E, C::kLog10ELo);
    const auto sum = two_sum(e * V(C::kLog10Of2Hi), p.hi);
    return sum.hi + (sum.lo + mul_add_of(e, V(C::kLog10Of2Lo), p.lo));
  });
}

}  // namespace HWARO_ISA
}  // namespace hwaro
