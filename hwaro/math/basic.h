// Exact functions: signs, extremes, rounding, classification, square root, fma, nextafter, fmod and its relatives.
#pragma once

#include "hwaro/math/vec.h"

namespace hwaro {
inline namespace HWARO_ISA {

template <class T>
struct FloatTraits;
template <>
struct FloatTraits<float> {
  static constexpr int kMantissaBits = 23, kBias = 127;
  static constexpr float kInfinity = __builtin_inff(), kNaN = __builtin_nanf("");
  static constexpr float kMinNormal = 0x1p-126f, kMax = 0x1.fffffep127f, kEpsilon = 0x1p-23f;
  static constexpr float kIntegral = 0x1p23f;  // from here on every value is an integer
  static constexpr float kMagic = 0x1.8p23f;   // adding it rounds to an integer that sits in the low bits
};
template <>
struct FloatTraits<double> {
  static constexpr int kMantissaBits = 52, kBias = 1023;
  static constexpr double kInfinity = __builtin_inf(), kNaN = __builtin_nan("");
  static constexpr double kMinNormal = 0x1p-1022, kMax = 0x1.fffffffffffffp1023, kEpsilon = 0x1p-52;
  static constexpr double kIntegral = 0x1p52;
  static constexpr double kMagic = 0x1.8p52;
};
template <class T>
concept Floating = native::kIsFloating<T>;
template <class T>
concept Integral = !native::kIsFloating<T>;

template <Floating T, int N>
HWARO_INLINE Vec<T, N> fma_of(Vec<T, N> a, Vec<T, N> b, Vec<T, N> c) {
  return Vec<T, N>::from_raw(native::by_register<T, N>(native::FmaOp{}, a.v, b.v, c.v));
}
template <Integral T, int N>
HWARO_INLINE Vec<T, N> fma_of(Vec<T, N> a, Vec<T, N> b, Vec<T, N> c) {
  return a * b + c;
}
// a * b + c with whatever rounding is fastest here: for polynomials.
template <class T, int N>
HWARO_INLINE Vec<T, N> mul_add_of(Vec<T, N> a, Vec<T, N> b, Vec<T, N> c) {
  if constexpr (native::kHasFma) return fma_of(a, b, c);
  else return a * b + c;
}

// Polynomial by Horner's rule, constant coefficient first.
template <class V>
HWARO_INLINE V poly(V, V c) {
  return c;
}
template <class V, class... Cs>
HWARO_INLINE V poly(V x, V c, Cs... rest) {
  return mul_add_of(poly(x, V(rest)...), x, c);
}

// ---- signs ----
template <class T, int N>
HWARO_INLINE Vec<T, N> abs(Vec<T, N> x) {
  if constexpr (Floating<T>) {
    return Vec<T, N>::from_raw((native::Raw<T, N>)((typename Vec<T, N>::Bits)x.v & (~native::UnsignedLike<T>(0) >> 1)));
  } else if constexpr (native::kIsUnsigned<T>) {
    return x;
  } else {
    return where(x < Vec<T, N>(0), -x, x);
  }
}
template <class T, int N>
HWARO_INLINE Vec<T, N> neg(Vec<T, N> x) {
  return -x;
}
template <class T, int N>
HWARO_INLINE Vec<T, N> positive(Vec<T, N> x) {
  return x;
}
// The sign bit alone, as bits.
template <Floating T, int N>
HWARO_INLINE Vec<T, N> sign_bit_of(Vec<T, N> x) {
  return x & Vec<T, N>(T(-0.0));
}
template <class T, int N>
HWARO_INLINE Mask<T, N> signbit(Vec<T, N> x) {
  return Mask<T, N>::from_raw((typename Vec<T, N>::Ints)x.v < native::SignedLike<T>(0));
}
template <class T, int N>
  requires native::kIsUnsigned<T>
HWARO_INLINE Mask<T, N> signbit(Vec<T, N>) {
  return Mask<T, N>(false);
}
template <class T, int N>
HWARO_INLINE Vec<T, N> copysign_of(Vec<T, N> a, Vec<T, N> b) {
  return abs(a) | sign_bit_of(b);
}
// 0 for NaN, as torch.sign.
template <class T, int N>
HWARO_INLINE Vec<T, N> sign(Vec<T, N> x) {
  const Vec<T, N> zero(0), one(1);
  return where(x > zero, one, zero) - where(x < zero, one, zero);
}
template <class T, int N>
HWARO_INLINE Vec<T, N> sgn(Vec<T, N> x) {
  return sign(x);
}

// ---- classification ----
template <class T, int N>
HWARO_INLINE Mask<T, N> isnan(Vec<T, N> x) {
  return x != x;
}
template <class T, int N>
HWARO_INLINE Mask<T, N> isinf(Vec<T, N> x) {
  if constexpr (Floating<T>) return abs(x) == Vec<T, N>(FloatTraits<T>::kInfinity);
  else return Mask<T, N>(false);
}
template <class T, int N>
HWARO_INLINE Mask<T, N> isfinite(Vec<T, N> x) {
  if constexpr (Floating<T>) return abs(x) < Vec<T, N>(FloatTraits<T>::kInfinity);
  else return Mask<T, N>(true);
}

// ---- what complex numbers also have ----
template <class T, int N>
HWARO_INLINE Vec<T, N> conj(Vec<T, N> x) {
  return x;
}
template <class T, int N>
HWARO_INLINE Vec<T, N> real(Vec<T, N> x) {
  return x;
}
// The angle: 0 or pi, NaN for NaN.
template <Floating T, int N>
HWARO_INLINE Vec<T, N> arg(Vec<T, N> x) {
  return where(isnan(x), x, where(x < Vec<T, N>(0), Vec<T, N>(3.14159265358979323846), Vec<T, N>(0)));
}

// ---- extremes ----
// NaN in either operand gives NaN.
template <class T, int N>
HWARO_INLINE Vec<T, N> maximum_of(Vec<T, N> a, Vec<T, N> b) {
  if constexpr (Floating<T>) {
    const auto m = Vec<T, N>::from_raw(native::by_register<T, N>(native::ExtremeOp<true>{}, a.v, b.v));
    return where(a != a, a, m);
  } else {
    return where(a > b, a, b);
  }
}
template <class T, int N>
HWARO_INLINE Vec<T, N> minimum_of(Vec<T, N> a, Vec<T, N> b) {
  if constexpr (Floating<T>) {
    const auto m = Vec<T, N>::from_raw(native::by_register<T, N>(native::ExtremeOp<false>{}, a.v, b.v));
    return where(a != a, a, m);
  } else {
    return where(a < b, a, b);
  }
}
// The other operand where one is NaN.
template <class T, int N>
HWARO_INLINE Vec<T, N> fmax_of(Vec<T, N> a, Vec<T, N> b) {
  if constexpr (Floating<T>) {
    const auto m = Vec<T, N>::from_raw(native::by_register<T, N>(native::ExtremeOp<true>{}, b.v, a.v));
    return where(a != a, b, m);
  } else {
    return maximum_of(a, b);
  }
}
template <class T, int N>
HWARO_INLINE Vec<T, N> fmin_of(Vec<T, N> a, Vec<T, N> b) {
  if constexpr (Floating<T>) {
    const auto m = Vec<T, N>::from_raw(native::by_register<T, N>(native::ExtremeOp<false>{}, b.v, a.v));
    return where(a != a, b, m);
  } else {
    return minimum_of(a, b);
  }
}
// Cheap clamps for reductions inside this layer: x is kept where it is NaN.
template <Floating T, int N>
HWARO_INLINE Vec<T, N> at_least(Vec<T, N> x, T lo) {
  return Vec<T, N>::from_raw(native::by_register<T, N>(native::ExtremeOp<true>{}, Vec<T, N>(lo).v, x.v));
}
template <Floating T, int N>
HWARO_INLINE Vec<T, N> at_most(Vec<T, N> x, T hi) {
  return Vec<T, N>::from_raw(native::by_register<T, N>(native::ExtremeOp<false>{}, Vec<T, N>(hi).v, x.v));
}

// ---- roots and products ----
template <Floating T, int N>
HWARO_INLINE Vec<T, N> sqrt(Vec<T, N> x) {
  return Vec<T, N>::from_raw(native::by_register<T, N>(native::SqrtOp{}, x.v));
}
template <Floating T, int N>
HWARO_INLINE Vec<T, N> rsqrt(Vec<T, N> x) {
  return Vec<T, N>(1) / sqrt(x);
}
template <Floating T, int N>
HWARO_INLINE Vec<T, N> reciprocal(Vec<T, N> x) {
  return Vec<T, N>(1) / x;
}
template <class T, int N>
HWARO_INLINE Vec<T, N> square(Vec<T, N> x) {
  return x * x;
}

// ---- rounding to integers ----
// Without the instruction: adding 2^mantissa rounds to even; the other directions correct that by one.
template <Floating T, int N>
HWARO_INLINE Vec<T, N> round(Vec<T, N> x) {
  if constexpr (native::kHasRound) {
#if defined(__AVX2__) || defined(__aarch64__)
    return Vec<T, N>::from_raw(native::by_register<T, N>(native::RoundOp<native::Rounding::kNearest>{}, x.v));
#endif
  } else {
    const Vec<T, N> big(FloatTraits<T>::kIntegral), a = abs(x);
    return where(a < big, copysign_of((a + big) - big, x), x);
  }
}
template <Floating T, int N>
HWARO_INLINE Vec<T, N> floor(Vec<T, N> x) {
  if constexpr (native::kHasRound) {
#if defined(__AVX2__) || defined(__aarch64__)
    return Vec<T, N>::from_raw(native::by_register<T, N>(native::RoundOp<native::Rounding::kDown>{}, x.v));
#endif
  } else {
    const Vec<T, N> r = round(x);
    return where(r > x, r - Vec<T, N>(1), r);
  }
}
template <Floating T, int N>
HWARO_INLINE Vec<T, N> ceil(Vec<T, N> x) {
  if constexpr (native::kHasRound) {
#if defined(__AVX2__) || defined(__aarch64__)
    return Vec<T, N>::from_raw(native::by_register<T, N>(native::RoundOp<native::Rounding::kUp>{}, x.v));
#endif
  } else {
    const Vec<T, N> r = round(x);
    return where(r < x, copysign_of(r + Vec<T, N>(1), x), r);
  }
}
template <Floating T, int N>
HWARO_INLINE Vec<T, N> trunc(Vec<T, N> x) {
  if constexpr (native::kHasRound) {
#if defined(__AVX2__) || defined(__aarch64__)
    return Vec<T, N>::from_raw(native::by_register<T, N>(native::RoundOp<native::Rounding::kTowardZero>{}, x.v));
#endif
  } else {
    const Vec<T, N> a = abs(x), r = round(a);
    return copysign_of(where(r > a, r - Vec<T, N>(1), r), x);
  }
}
template <Integral T, int N>
HWARO_INLINE Vec<T, N> round(Vec<T, N> x) {
  return x;
}
template <Integral T, int N>
HWARO_INLINE Vec<T, N> floor(Vec<T, N> x) {
  return x;
}
template <Integral T, int N>
HWARO_INLINE Vec<T, N> ceil(Vec<T, N> x) {
  return x;
}
template <Integral T, int N>
HWARO_INLINE Vec<T, N> trunc(Vec<T, N> x) {
  return x;
}
template <Floating T, int N>
HWARO_INLINE Vec<T, N> frac(Vec<T, N> x) {
  return x - trunc(x);
}

}  // namespace HWARO_ISA
}  // namespace hwaro
