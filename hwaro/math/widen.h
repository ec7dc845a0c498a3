// Float functions that are evaluated in double lanes: a vector of floats goes through in two halves.
#pragma once

#include "hwaro/math/basic.h"

namespace hwaro {
inline namespace HWARO_ISA {

template <int N>
HWARO_INLINE Vec<double, N> to_double(Vec<float, N> x) {
  using R = native::Raw<double, N>;
#if defined(__AVX512F__)
  if constexpr (N == 8) {
    return Vec<double, N>::from_raw((R)_mm512_maskz_cvtps_pd(native::kAllLanes, (__m256)x.v));
  }
#endif
#if defined(__AVX2__)
  if constexpr (N == 4) return Vec<double, N>::from_raw((R)_mm256_cvtps_pd((__m128)x.v));
#endif
#if defined(__SSE2__)
  if constexpr (N <= 2) {
    return Vec<double, N>::from_raw(native::resize<R>(_mm_cvtps_pd(native::resize<__m128>(x.v))));
  }
#endif
  return Vec<double, N>::from_raw(__builtin_convertvector(x.v, R));
}
template <int N>
HWARO_INLINE Vec<float, N> to_float(Vec<double, N> x) {
  using R = native::Raw<float, N>;
#if defined(__AVX512F__)
  if constexpr (N == 8) {
    return Vec<float, N>::from_raw((R)_mm512_maskz_cvtpd_ps(native::kAllLanes, (__m512d)x.v));
  }
#endif
#if defined(__AVX2__)
  if constexpr (N == 4) return Vec<float, N>::from_raw((R)_mm256_cvtpd_ps((__m256d)x.v));
#endif
#if defined(__SSE2__)
  if constexpr (N <= 2) {
    return Vec<float, N>::from_raw(native::resize<R>(_mm_cvtpd_ps(native::resize<__m128d>(x.v))));
  }
#endif
  return Vec<float, N>::from_raw(__builtin_convertvector(x.v, R));
}

// f: one or more Vec<double, M> to Vec<double, M>.
template <class F, int N, class... Vs>
HWARO_INLINE Vec<float, N> through_double(F f, Vec<float, N> x, Vs... rest) {
  if constexpr (N * 8 <= HWARO_VECTOR_BYTES) {
    return to_float(f(to_double(x), to_double(rest)...));
  } else {
    using Half = Vec<float, N / 2>;
    struct Pair {
      native::Raw<float, N / 2> lo, hi;
    };
    Pair out;
    out.lo = through_double(f, Half::from_raw(native::cast_bits<Pair>(x.v).lo),
                            Half::from_raw(native::cast_bits<Pair>(rest.v).lo)...)
                 .v;
    out.hi = through_double(f, Half::from_raw(native::cast_bits<Pair>(x.v).hi),
                            Half::from_raw(native::cast_bits<Pair>(rest.v).hi)...)
                 .v;
    return Vec<float, N>::from_raw(native::cast_bits<native::Raw<float, N>>(out));
  }
}

// Rare lanes: replaces the masked lanes of y by a scalar function of the same lane of x.
template <class S, class T, int N>
HWARO_INLINE Vec<T, N> patch_lanes(Mask<T, N> mask, Vec<T, N> y, S scalar, Vec<T, N> x) {
  if (mask.any()) [[unlikely]] {
    T in[N], out[N];
    std::uint8_t hit[N];
    x.store(in);
    y.store(out);
    mask.store_bool(hit);
    for (int i = 0; i < N; ++i) {
      if (hit[i]) out[i] = scalar(in[i]);
    }
    y = Vec<T, N>::load(out);
  }
  return y;
}
template <class S, class T, int N>
HWARO_INLINE Vec<T, N> patch_lanes(Mask<T, N> mask, Vec<T, N> y, S scalar, Vec<T, N> a, Vec<T, N> b) {
  if (mask.any()) [[unlikely]] {
    T in_a[N], in_b[N], out[N];
    std::uint8_t hit[N];
    a.store(in_a);
    b.store(in_b);
    y.store(out);
    mask.store_bool(hit);
    for (int i = 0; i < N; ++i) {
      if (hit[i]) out[i] = scalar(in_a[i], in_b[i]);
    }
    y = Vec<T, N>::load(out);
  }
  return y;
}

// An unevaluated sum.
template <class V>
struct TwoPart {
  V hi, lo;
};
// Exact a + b, for any a and b, or for |a| >= |b| or a == 0.
template <class V>
HWARO_INLINE TwoPart<V> two_sum(V a, V b) {
  const V s = a + b, t = s - a;
  return {s, (a - (s - t)) + (b - t)};
}
template <class V>
HWARO_INLINE TwoPart<V> fast_two_sum(V a, V b) {
  const V s = a + b;
  return {s, b - (s - a)};
}
// Exact a * b: one fma, or Dekker's splitting where there is none.
template <Floating T, int N>
HWARO_INLINE TwoPart<Vec<T, N>> two_product(Vec<T, N> a, Vec<T, N> b) {
  using V = Vec<T, N>;
  const V p = a * b;
  if constexpr (native::kHasFma) {
    return {p, fma_of(a, b, -p)};
  } else {
    const V factor(T(native::kSame<T, float> ? 4097.0 : 134217729.0));
    const V ta = a * factor, tb = b * factor;
    const V ah = ta - (ta - a), al = a - ah, bh = tb - (tb - b), bl = b - bh;
    return {p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
  }
}

}  // namespace HWARO_ISA
}  // namespace hwaro
