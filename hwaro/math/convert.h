// Conversions between storage types and vectors.
// Half and BFloat16 load as float lanes and round to nearest even on the way back. Float to integer is undefined in C++
// for NaN, infinities and values out of range; here it is what PyTorch gives on x86:
//   int8, int16, uint16   truncated to int32 (out of range: INT32_MIN), then the low bits
//   int32                 truncated; out of range INT32_MIN
//   uint8, uint32         truncated to int64 (out of range: INT64_MIN), then the low bits
//   int64                 truncated; out of range INT64_MIN
//   uint64                as int64 below 2^63, otherwise int64(x - 2^63) with the top bit flipped
//   bool                  x != 0, so NaN is true
// Everything passes through float on its way into Half and BFloat16; complex to real drops the imaginary part.
#pragma once

#include <cstdint>

#include "hwaro/math/complex.h"
#include "hwaro/math/half.h"
#include "hwaro/math/widen.h"

namespace hwaro {
inline namespace HWARO_ISA {

// ---- one value ----

HWARO_INLINE std::int32_t truncate_to_int32(float x) {
#if defined(__SSE2__)
  return _mm_cvttss_si32(native::unfolded(_mm_set_ss(x)));
#else
  return x >= -0x1p31f && x < 0x1p31f ? static_cast<std::int32_t>(x) : INT32_MIN;
#endif
}
HWARO_INLINE std::int32_t truncate_to_int32(double x) {
#if defined(__SSE2__)
  return _mm_cvttsd_si32(native::unfolded(_mm_set_sd(x)));
#else
  return x > -0x1p31 - 1 && x < 0x1p31 ? static_cast<std::int32_t>(x) : INT32_MIN;
#endif
}
HWARO_INLINE std::int64_t truncate_to_int64(float x) {
#if defined(__SSE2__)
  return _mm_cvttss_si64(native::unfolded(_mm_set_ss(x)));
#else
  return x >= -0x1p63f && x < 0x1p63f ? static_cast<std::int64_t>(x) : INT64_MIN;
#endif
}
HWARO_INLINE std::int64_t truncate_to_int64(double x) {
#if defined(__SSE2__)
  return _mm_cvttsd_si64(native::unfolded(_mm_set_sd(x)));
#else
  return x >= -0x1p63 && x < 0x1p63 ? static_cast<std::int64_t>(x) : INT64_MIN;
#endif
}

template <class T>
inline constexpr bool kIsComplex = false;
template <class T>
inline constexpr bool kIsComplex<Complex<T>> = true;
template <class T>
inline constexpr bool kIsHalf = native::kSame<T, Half> || native::kSame<T, BFloat16>;

template <class To, class From>
HWARO_INLINE To cast_scalar(From x) {
  if constexpr (native::kSame<To, From>) {
    return x;
  } else if constexpr (kIsComplex<To>) {
    using R = decltype(To{}.re);
    if constexpr (kIsComplex<From>) return To{cast_scalar<R>(x.re), cast_scalar<R>(x.im)};
    else return To{cast_scalar<R>(x), R(0)};
  } else if constexpr (kIsComplex<From>) {
    if constexpr (native::kSame<To, bool>) return x.re != 0 || x.im != 0;
    else return cast_scalar<To>(x.re);
  } else if constexpr (kIsHalf<From>) {
    return cast_scalar<To>(static_cast<float>(x));
  } else if constexpr (kIsHalf<To>) {
    return To(static_cast<float>(x));
  } else if constexpr (native::kSame<To, bool>) {
    return x != From(0);
  } else if constexpr (native::kIsFloating<From> && !native::kIsFloating<To>) {
    if constexpr (sizeof(To) == 8 && native::kIsUnsigned<To>) {
      constexpr From top = From(0x1p63);
      if (!(x >= top)) return static_cast<To>(truncate_to_int64(x));
      return static_cast<To>(truncate_to_int64(x - top)) ^ (To(1) << 63);
    } else if constexpr (sizeof(To) == 8 || (native::kIsUnsigned<To> && sizeof(To) != 2)) {
      return static_cast<To>(truncate_to_int64(x));
    } else {
      return static_cast<To>(truncate_to_int32(x));
    }
  } else {
    return static_cast<To>(x);
  }
}

// ---- half precision ----

namespace half_lanes {

template <int N>
using U32 = native::Raw<std::uint32_t, N>;

// Both without F16C: shift into place, rescale by 2^112 (which also normalises subnormals), mend infinity and NaN.
template <int N>
HWARO_INLINE Vec<float, N> from_half(const std::uint16_t* in) {
  native::Raw<std::uint16_t, N> h;
  __builtin_memcpy(&h, in, sizeof(h));
  const U32<N> w = __builtin_convertvector(h, U32<N>);
  const U32<N> magnitude = (w & 0x7fffu) << 13, sign = (w & 0x8000u) << 16;
  using F = native::Raw<float, N>;
  const F scaled = (F)magnitude * 0x1p112f;
  const U32<N> quiet = magnitude > 0x0f800000u ? U32<N>{} + 0x400000u : U32<N>{};
  const U32<N> special = magnitude | 0x7f800000u | quiet;
  return Vec<float, N>::from_raw((F)((magnitude >= 0x0f800000u ? special : (U32<N>)scaled) | sign));
}
template <int N>
HWARO_INLINE U32<N> to_half_bits(Vec<float, N> x) {
  using F = native::Raw<float, N>;
  const U32<N> bits = (U32<N>)x.v, a = bits & 0x7fffffffu, sign = (bits >> 16) & 0x8000u;
  // Adding 1/2 puts multiples of 2^-24, the smallest subnormal, into the low bits, rounded.
  const U32<N> subnormal = (U32<N>)((F)a + 0.5f) - 0x3f000000u;
  const U32<N> m = a - (112u << 23), normal = (m + 0xfffu + ((m >> 13) & 1u)) >> 13;
  U32<N> h = a < 0x38800000u ? subnormal : normal;
  h = a >= 0x47800000u ? U32<N>{} + 0x7c00u : h;
  h = a > 0x7f800000u ? 0x7e00u | ((a >> 13) & 0x3ffu) : h;
  return h | sign;
}
template <int N>
HWARO_INLINE U32<N> to_bfloat16_bits(Vec<float, N> x) {
  const U32<N> bits = (U32<N>)x.v;
  const U32<N> rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  return (bits & 0x7fffffffu) > 0x7f800000u ? (bits >> 16) | 0x40u : rounded;
}
// The low halves of the lanes.
template <int N>
HWARO_INLINE void store_low16(U32<N> v, std::uint16_t* out) {
#if defined(__AVX512F__)
  if constexpr (N == 16) {
    const __m256i packed = _mm512_maskz_cvtepi32_epi16(native::kAllLanes, (__m512i)v);
    __builtin_memcpy(out, &packed, 32);
    return;
  }
#endif
#if defined(__AVX2__)
  if constexpr (N == 8) {
    const __m128i packed =
        _mm_packus_epi32(_mm256_castsi256_si128((__m256i)v), _mm256_extracti128_si256((__m256i)v, 1));
    __builtin_memcpy(out, &packed, 16);
    return;
  }
#endif
#if defined(__SSE2__)
  if constexpr (N == 4) {  // packs saturates signed, so extend the sign of the low half first
    const __m128i low = _mm_srai_epi32(_mm_slli_epi32((__m128i)v, 16), 16), packed = _mm_packs_epi32(low, low);
    __builtin_memcpy(out, &packed, 8);
    return;
  }
#endif
  for (int i = 0; i < N; ++i) out[i] = static_cast<std::uint16_t>(v[i]);
}

}  // namespace half_lanes

template <int... I>
struct Indices {};
template <int N, int... I>
struct MakeIndices : MakeIndices<N - 1, N - 1, I...> {};
template <int... I>
struct MakeIndices<0, I...> {
  using type = Indices<I...>;
};

inline constexpr int kFloatLanes = HWARO_VECTOR_BYTES / 4;

template <int N = kFloatLanes>
HWARO_INLINE Vec<float, N> load_as_float(const float* in) {
  return Vec<float, N>::load(in);
}
template <int N = kFloatLanes>
HWARO_INLINE Vec<float, N> load_as_float(const Half* in) {
#if defined(__AVX512F__)
  if constexpr (N == 16) {
    __m256i h;
    __builtin_memcpy(&h, in, 32);
    return Vec<float, N>::from_raw((native::Raw<float, N>)_mm512_maskz_cvtph_ps(native::kAllLanes, h));
  }
#endif
#if defined(__F16C__)
  if constexpr (N == 8) {
    __m128i h;
    __builtin_memcpy(&h, in, 16);
    return Vec<float, N>::from_raw((native::Raw<float, N>)_mm256_cvtph_ps(h));
  }
  if constexpr (N <= 4) {
    __m128i h = _mm_setzero_si128();
    __builtin_memcpy(&h, in, 2 * N);
    return Vec<float, N>::from_raw(native::resize<native::Raw<float, N>>(_mm_cvtph_ps(h)));
  }
#endif
  return half_lanes::from_half<N>(reinterpret_cast<const std::uint16_t*>(in));
}
template <int N = kFloatLanes>
HWARO_INLINE Vec<float, N> load_as_float(const BFloat16* in) {
  native::Raw<std::uint16_t, N> h;
  __builtin_memcpy(&h, in, sizeof(h));
  using U = native::Raw<std::uint32_t, N>;
  return Vec<float, N>::from_raw((native::Raw<float, N>)(__builtin_convertvector(h, U) << 16));
}

template <int N>
HWARO_INLINE void store_from_float(Vec<float, N> x, float* out) {
  x.store(out);
}
template <int N>
HWARO_INLINE void store_from_float(Vec<float, N> x, Half* out) {
#if defined(__AVX512F__)
  if constexpr (N == 16) {
    const __m256i h = _mm512_maskz_cvtps_ph(native::kAllLanes, (__m512)x.v, _MM_FROUND_TO_NEAREST_INT);
    __builtin_memcpy(out, &h, 32);
    return;
  }
#endif
#if defined(__F16C__)
  if constexpr (N == 8) {
    const __m128i h = _mm256_cvtps_ph((__m256)x.v, _MM_FROUND_TO_NEAREST_INT);
    __builtin_memcpy(out, &h, 16);
    return;
  }
  if constexpr (N <= 4) {
    const __m128i h = _mm_cvtps_ph(native::resize<__m128>(x.v), _MM_FROUND_TO_NEAREST_INT);
    __builtin_memcpy(out, &h, 2 * N);
    return;
  }
#endif
  half_lanes::store_low16<N>(half_lanes::to_half_bits(x), reinterpret_cast<std::uint16_t*>(out));
}
template <int N>
HWARO_INLINE void store_from_float(Vec<float, N> x, BFloat16* out) {
  half_lanes::store_low16<N>(half_lanes::to_bfloat16_bits(x), reinterpret_cast<std::uint16_t*>(out));
}

// ---- truncation of lanes ----

// Out of range and NaN: INT32_MIN.
template <int N>
HWARO_INLINE Vec<std::int32_t, N> truncate_to_int32(Vec<float, N> x) {
  using R = native::Raw<std::int32_t, N>;
#if defined(__AVX512F__)
  if constexpr (N == 16) {
    const __m512 v = native::unfolded((__m512)x.v);
    return Vec<std::int32_t, N>::from_raw((R)_mm512_maskz_cvttps_epi32(native::kAllLanes, v));
  }
#endif
#if defined(__AVX2__)
  if constexpr (N == 8) {
    return Vec<std::int32_t, N>::from_raw((R)_mm256_cvttps_epi32(native::unfolded((__m256)x.v)));
  }
#endif
#if defined(__SSE2__)
  if constexpr (N <= 4) {
    return Vec<std::int32_t, N>::from_raw(
        native::resize<R>(_mm_cvttps_epi32(native::unfolded(native::resize<__m128>(x.v)))));
  }
#endif
  R out;
  for (int i = 0; i < N; ++i) out[i] = truncate_to_int32(x.v[i]);
  return Vec<std::int32_t, N>::from_raw(out);
}
template <int N>
HWARO_INLINE Vec<std::int32_t, N> truncate_to_int32(Vec<double, N> x) {
  using R = native::Raw<std::int32_t, N>;
#if defined(__AVX512F__)
  if constexpr (N == 8) {
    const __m512d v = native::unfolded((__m512d)x.v);
    return Vec<std::int32_t, N>::from_raw((R)_mm512_maskz_cvttpd_epi32(native::kAllLanes, v));
  }
#endif
#if defined(__AVX2__)
  if constexpr (N == 4) {
    return Vec<std::int32_t, N>::from_raw((R)_mm256_cvttpd_epi32(native::unfolded((__m256d)x.v)));
  }
#endif
#if defined(__SSE2__)
  if constexpr (N <= 2) {
    return Vec<std::int32_t, N>::from_raw(
        native::resize<R>(_mm_cvttpd_epi32(native::unfolded(native::resize<__m128d>(x.v)))));
  }
#endif
  R out;
  for (int i = 0; i < N; ++i) out[i] = truncate_to_int32(x.v[i]);
  return Vec<std::int32_t, N>::from_raw(out);
}
// Out of range and NaN: INT64_MIN. Below 2^51 the integer sits in the low bits of x + 1.5 * 2^52.
template <int N>
HWARO_INLINE Vec<std::int64_t, N> truncate_to_int64(Vec<double, N> x) {
  using R = native::Raw<std::int64_t, N>;
#if defined(__AVX512DQ__)
  if constexpr (N == 8) {
    const __m512d v = native::unfolded((__m512d)x.v);
    return Vec<std::int64_t, N>::from_raw((R)_mm512_maskz_cvttpd_epi64(native::kAllLanes, v));
  }
#endif
  const Vec<double, N> magic(0x1.8p52), t = trunc(x);
  using B = native::Raw<std::uint64_t, N>;
  R out = (R)((B)(t + magic).v - (B)magic.v);
  const auto wide = !(abs(t) < Vec<double, N>(0x1p51));
  if (wide.any()) [[unlikely]] {
    for (int i = 0; i < N; ++i) {
      if (wide[i]) out[i] = truncate_to_int64(x.v[i]);
    }
  }
  return Vec<std::int64_t, N>::from_raw(out);
}

// ---- complex numbers: pairs in memory, two vectors in registers ----

template <int N = kFloatLanes, class T>
HWARO_INLINE Complex<Vec<T, N>> load_complex(const Complex<T>* in) {
  if constexpr (N == 1) {
    return {Vec<T, 1>(in->re), Vec<T, 1>(in->im)};
  } else {
    const auto a = Vec<T, N>::load(&in->re), b = Vec<T, N>::load(&in[N / 2].re);
    const auto shuffle = [&]<int... I>(Indices<I...>) {
      return Complex<Vec<T, N>>{Vec<T, N>::from_raw(__builtin_shufflevector(a.v, b.v, 2 * I...)),
                                Vec<T, N>::from_raw(__builtin_shufflevector(a.v, b.v, 2 * I + 1 ...))};
    };
    return shuffle(typename MakeIndices<N>::type{});
  }
}
template <class T, int N>
HWARO_INLINE void store_complex(Complex<Vec<T, N>> z, Complex<T>* out) {
  if constexpr (N == 1) {
    out->re = z.re[0];
    out->im = z.im[0];
  } else {
    const auto shuffle = [&]<int... I>(Indices<I...>) {
      Vec<T, N>::from_raw(__builtin_shufflevector(z.re.v, z.im.v, (I / 2 + (I % 2) * N)...)).store(&out->re);
      Vec<T, N>::from_raw(__builtin_shufflevector(z.re.v, z.im.v, (N / 2 + I / 2 + (I % 2) * N)...))
          .store(&out[N / 2].re);
    };
    shuffle(typename MakeIndices<N>::type{});
  }
}

}  // namespace HWARO_ISA
}  // namespace hwaro

#include "hwaro/math/convert_array.h"
