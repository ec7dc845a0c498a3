// Division and powers of integers as PyTorch defines them; nothing here traps.
// 8- and 16-bit quotients go through float and 32-bit ones through double, where a correctly rounded quotient truncates
// to the right integer; 64-bit ones lane by lane.
#pragma once

#include "hwaro/math/widen.h"

namespace hwaro {
inline namespace HWARO_ISA {

// One lane: x / 0 is 0, MIN / -1 wraps to MIN.
template <class T>
HWARO_INLINE T divide_scalar(T a, T b) {
  if (b == 0) return 0;
  if constexpr (!native::kIsUnsigned<T>) {
    if (b == T(-1)) return static_cast<T>(native::UnsignedLike<T>(0) - static_cast<native::UnsignedLike<T>>(a));
  }
  return static_cast<T>(a / b);
}

#if defined(__AVX2__)
// 32-bit quotients in double lanes, half a vector at a time. Out of range (x / 0, MIN / -1) gives INT32_MIN.
template <int M>
HWARO_INLINE native::Raw<std::int32_t, M> divide_half(native::Raw<std::int32_t, M> a, native::Raw<std::int32_t, M> b) {
  using R = native::Raw<std::int32_t, M>;
#if defined(__AVX512F__)
  using native::kAllLanes;
  if constexpr (M == 8) {
    const __m512d x = _mm512_maskz_cvtepi32_pd(kAllLanes, (__m256i)a);
    const __m512d y = _mm512_maskz_cvtepi32_pd(kAllLanes, (__m256i)b);
    return (R)_mm512_maskz_cvttpd_epi32(kAllLanes, native::unfolded(x / y));
  }
#endif
  if constexpr (M == 4) {
    const __m256d x = _mm256_cvtepi32_pd((__m128i)a), y = _mm256_cvtepi32_pd((__m128i)b);
    return (R)_mm256_cvttpd_epi32(native::unfolded(x / y));
  }
}
template <int N>
HWARO_INLINE Vec<std::int32_t, N> divide_int32(Vec<std::int32_t, N> a, Vec<std::int32_t, N> b) {
  using R = native::Raw<std::int32_t, N>;
  if constexpr (N >= 8) {
    struct Pair {
      native::Raw<std::int32_t, N / 2> lo, hi;
    };
    const auto x = native::cast_bits<Pair>(a.v), y = native::cast_bits<Pair>(b.v);
    const Pair out{divide_half<N / 2>(x.lo, y.lo), divide_half<N / 2>(x.hi, y.hi)};
    return Vec<std::int32_t, N>::from_raw(native::cast_bits<R>(out));
  } else {
    R out;
    for (int i = 0; i < N; ++i) out[i] = divide_scalar<std::int32_t>(a.v[i], b.v[i]);
    return Vec<std::int32_t, N>::from_raw(out);
  }
}
#endif

template <class T, int N>
HWARO_INLINE Vec<T, N> integer_divide(Vec<T, N> a, Vec<T, N> b) {
  using V = Vec<T, N>;
#if defined(__AVX2__)
  if constexpr (native::kSame<T, std::int32_t>) {
    return where(b == V(0), V(0), divide_int32(a, b));
  }
#endif
  native::Raw<T, N> out;
  for (int i = 0; i < N; ++i) out[i] = divide_scalar<T>(a.v[i], b.v[i]);
  return V::from_raw(out);
}

// C semantics: the sign of the dividend; x % 0 is 0 here (the caller raises).
template <Integral T, int N>
HWARO_INLINE Vec<T, N> fmod_of(Vec<T, N> a, Vec<T, N> b) {
  return where(b == Vec<T, N>(0), Vec<T, N>(0), a - integer_divide(a, b) * b);
}
// Python semantics: the sign of the divisor.
template <Integral T, int N>
HWARO_INLINE Vec<T, N> remainder_of(Vec<T, N> a, Vec<T, N> b) {
  using V = Vec<T, N>;
  const V r = fmod_of(a, b);
  if constexpr (native::kIsUnsigned<T>) return r;
  else return where((r != V(0)) & ((r ^ b) < V(0)), r + b, r);
}
template <Integral T, int N>
HWARO_INLINE Vec<T, N> floor_divide_of(Vec<T, N> a, Vec<T, N> b) {
  using V = Vec<T, N>;
  const V q = integer_divide(a, b);
  if constexpr (native::kIsUnsigned<T>) return q;
  else return where((q * b != a) & ((a ^ b) < V(0)) & (b != V(0)), q - V(1), q);
}
template <Integral T, int N>
HWARO_INLINE Vec<T, N> trunc_divide_of(Vec<T, N> a, Vec<T, N> b) {
  return integer_divide(a, b);
}

// Wrapping power by squaring; a negative exponent gives 0 except for 1 and -1.
template <Integral T, int N>
HWARO_INLINE Vec<T, N> pow_of(Vec<T, N> base, Vec<T, N> exponent) {
  using V = Vec<T, N>;
  V result(1), square = base, left = exponent;
  if constexpr (!native::kIsUnsigned<T>) left = where(exponent < V(0), V(0), exponent);
  while ((left != V(0)).any()) {
    result = where((left & V(1)) != V(0), result * square, result);
    square = square * square;
    left = V::from_raw(left.v >> 1);
  }
  if constexpr (!native::kIsUnsigned<T>) {
    const V minus_one = where((exponent & V(1)) != V(0), V(-1), V(1));
    const V inverse = where(base == V(1), V(1), where(base == V(-1), minus_one, V(0)));
    result = where(exponent < V(0), inverse, result);
  }
  return result;
}

template <Integral T, int N>
HWARO_INLINE Vec<T, N> copysign_of(Vec<T, N> a, Vec<T, N> b) {
  return where(b < Vec<T, N>(0), -abs(a), abs(a));
}

template <class T>
HWARO_INLINE T gcd_scalar(T a, T b) {
  using U = native::UnsignedLike<T>;
  U x = static_cast<U>(a), y = static_cast<U>(b);
  if constexpr (!native::kIsUnsigned<T>) {
    if (a < 0) x = static_cast<U>(U(0) - x);
    if (b < 0) y = static_cast<U>(U(0) - y);
  }
  while (y != 0) {
    const U r = static_cast<U>(x % y);
    x = y;
    y = r;
  }
  return static_cast<T>(x);
}
template <Integral T, int N>
HWARO_INLINE Vec<T, N> gcd_of(Vec<T, N> a, Vec<T, N> b) {
  native::Raw<T, N> out;
  for (int i = 0; i < N; ++i) out[i] = gcd_scalar<T>(a.v[i], b.v[i]);
  return Vec<T, N>::from_raw(out);
}
template <Integral T, int N>
HWARO_INLINE Vec<T, N> lcm_of(Vec<T, N> a, Vec<T, N> b) {
  return abs(integer_divide(a, gcd_of(a, b)) * b);
}

}  // namespace HWARO_ISA
}  // namespace hwaro
