// The few operations that vector extensions cannot say (square root, rounding, fma, mask tests), on raw vectors.
// Sizes below 16 bytes are widened to 16, so that a single lane runs the very instruction the full vector runs;
// sizes above the register split into halves. Elsewhere the lanes are looped over, but for what neon.h has.
#pragma once

#include <cstdint>

#include "hwaro/base/isa.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define HWARO_INLINE [[gnu::always_inline]] inline

namespace hwaro {
inline namespace HWARO_ISA {
namespace native {

template <class T, int N>
struct RawOf {
  typedef T type __attribute__((vector_size(N * sizeof(T))));
};
template <class T, int N>
using Raw = typename RawOf<T, N>::type;

template <int Bytes>
struct SignedOf;
template <>
struct SignedOf<1> {
  using type = std::int8_t;
};
template <>
struct SignedOf<2> {
  using type = std::int16_t;
};
template <>
struct SignedOf<4> {
  using type = std::int32_t;
};
template <>
struct SignedOf<8> {
  using type = std::int64_t;
};
template <int Bytes>
struct UnsignedOf;
template <>
struct UnsignedOf<1> {
  using type = std::uint8_t;
};
template <>
struct UnsignedOf<2> {
  using type = std::uint16_t;
};
template <>
struct UnsignedOf<4> {
  using type = std::uint32_t;
};
template <>
struct UnsignedOf<8> {
  using type = std::uint64_t;
};

template <class A, class B>
inline constexpr bool kSame = false;
template <class A>
inline constexpr bool kSame<A, A> = true;
template <class T>
inline constexpr bool kIsFloating = kSame<T, float> || kSame<T, double>;
template <class T>
inline constexpr bool kIsUnsigned = !kIsFloating<T> && T(-1) > T(0);
template <class T>
using SignedLike = typename SignedOf<sizeof(T)>::type;
template <class T>
using UnsignedLike = typename UnsignedOf<sizeof(T)>::type;

// Copies the common prefix of two objects; the rest of the result is zero.
template <class To, class From>
HWARO_INLINE To resize(From from) {
  To to = {};
  __builtin_memcpy(&to, &from, sizeof(To) < sizeof(From) ? sizeof(To) : sizeof(From));
  return to;
}
template <class To, class From>
HWARO_INLINE To cast_bits(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  __builtin_memcpy(&to, &from, sizeof(To));
  return to;
}

// GCC 12 warns about its own headers in the unmasked forms of some AVX-512 intrinsics; a full mask costs nothing.
inline constexpr int kAllLanes = -1;

// Compilers fold the truncating conversion of a known out-of-range number to something the instruction never gives.
template <class R>
HWARO_INLINE R unfolded(R x) {
#if defined(__AVX512F__)
  __asm__("" : "+v"(x));
#elif defined(__SSE2__)
  __asm__("" : "+x"(x));
#endif
  return x;
}

enum class Rounding { kNearest, kDown, kUp, kTowardZero };

template <class T>
HWARO_INLINE T scalar_sqrt(T x) {
  if constexpr (kSame<T, float>) return __builtin_sqrtf(x);
  else return __builtin_sqrt(x);
}
template <class T>
HWARO_INLINE T scalar_fma(T a, T b, T c) {
  if constexpr (kSame<T, float>) return __builtin_fmaf(a, b, c);
  else return __builtin_fma(a, b, c);
}

// Applies `op<T, M>(raw...)` to pieces of a size the machine has. Op is a stateless functor.
template <class T, int N, class Op, class... Vs>
HWARO_INLINE Raw<T, N> by_register(Op op, Vs... vs) {
  constexpr int bytes = N * int(sizeof(T));
  if constexpr (bytes < 16) {
    constexpr int M = 16 / int(sizeof(T));
    return resize<Raw<T, N>>(op.template operator()<T, M>(resize<Raw<T, M>>(vs)...));
  } else if constexpr (bytes <= HWARO_VECTOR_BYTES) {
    return op.template operator()<T, N>(vs...);
  } else {
    using Half = Raw<T, N / 2>;
    struct Pair {
      Half lo, hi;
    };
    Pair out;
    out.lo = by_register<T, N / 2>(op, cast_bits<Pair>(vs).lo...);
    out.hi = by_register<T, N / 2>(op, cast_bits<Pair>(vs).hi...);
    return cast_bits<Raw<T, N>>(out);
  }
}

struct SqrtOp {
  template <class T, int N>
  HWARO_INLINE Raw<T, N> operator()(Raw<T, N> v) const {
    [[maybe_unused]] constexpr int bytes = N * int(sizeof(T));
    [[maybe_unused]] constexpr bool f = kSame<T, float>;
#if defined(__AVX512F__)
    if constexpr (bytes == 64) {
      if constexpr (f) return (Raw<T, N>)_mm512_maskz_sqrt_ps(kAllLanes, (__m512)v);
      else return (Raw<T, N>)_mm512_maskz_sqrt_pd(kAllLanes, (__m512d)v);
    }
#endif
#if defined(__AVX2__)
    if constexpr (bytes == 32) {
      if constexpr (f) return (Raw<T, N>)_mm256_sqrt_ps((__m256)v);
      else return (Raw<T, N>)_mm256_sqrt_pd((__m256d)v);
    }
#endif
#if defined(__SSE2__)
    if constexpr (bytes == 16) {
      if constexpr (f) return (Raw<T, N>)_mm_sqrt_ps((__m128)v);
      else return (Raw<T, N>)_mm_sqrt_pd((__m128d)v);
    }
#endif
    Raw<T, N> out;
    for (int i = 0; i < N; ++i) out[i] = scalar_sqrt<T>(v[i]);
    return out;
  }
};

#if defined(__FMA__) || defined(__aarch64__)
inline constexpr bool kHasFma = true;
#else
inline constexpr bool kHasFma = false;
#endif

// One rounding in every instruction set; without fma instructions this goes lane by lane through libm.
struct FmaOp {
  template <class T, int N>
  HWARO_INLINE Raw<T, N> operator()(Raw<T, N> a, Raw<T, N> b, Raw<T, N> c) const {
    [[maybe_unused]] constexpr int bytes = N * int(sizeof(T));
    [[maybe_unused]] constexpr bool f = kSame<T, float>;
#if defined(__AVX512F__)
    if constexpr (bytes == 64) {
      if constexpr (f) return (Raw<T, N>)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
      else return (Raw<T, N>)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
    }
#endif
#if defined(__FMA__)
    if constexpr (bytes == 32) {
      if constexpr (f) return (Raw<T, N>)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
      else return (Raw<T, N>)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
    }
    if constexpr (bytes == 16) {
      if constexpr (f) return (Raw<T, N>)_mm_fmadd_ps((__m128)a, (__m128)b, (__m128)c);
      else return (Raw<T, N>)_mm_fmadd_pd((__m128d)a, (__m128d)b, (__m128d)c);
    }
#endif
    Raw<T, N> out;
    for (int i = 0; i < N; ++i) out[i] = scalar_fma<T>(a[i], b[i], c[i]);
    return out;
  }
};

#if defined(__AVX2__)
inline constexpr bool kHasRound = true;
template <Rounding R>
struct RoundOp {
  template <class T, int N>
  HWARO_INLINE Raw<T, N> operator()(Raw<T, N> v) const {
    constexpr int mode = (R == Rounding::kNearest ? _MM_FROUND_TO_NEAREST_INT
                          : R == Rounding::kDown  ? _MM_FROUND_TO_NEG_INF
                          : R == Rounding::kUp    ? _MM_FROUND_TO_POS_INF
                                                  : _MM_FROUND_TO_ZERO) |
                         _MM_FROUND_NO_EXC;
    [[maybe_unused]] constexpr int bytes = N * int(sizeof(T));
    [[maybe_unused]] constexpr bool f = kSame<T, float>;
#if defined(__AVX512F__)
    if constexpr (bytes == 64) {
      if constexpr (f) return (Raw<T, N>)_mm512_maskz_roundscale_ps(kAllLanes, (__m512)v, mode);
      else return (Raw<T, N>)_mm512_maskz_roundscale_pd(kAllLanes, (__m512d)v, mode);
    }
#endif
    if constexpr (bytes == 32) {
      if constexpr (f) return (Raw<T, N>)_mm256_round_ps((__m256)v, mode);
      else return (Raw<T, N>)_mm256_round_pd((__m256d)v, mode);
    }
    if constexpr (bytes == 16) {
      if constexpr (f) return (Raw<T, N>)_mm_round_ps((__m128)v, mode);
      else return (Raw<T, N>)_mm_round_pd((__m128d)v, mode);
    }
    __builtin_unreachable();
  }
};
#elif !defined(__aarch64__)
inline constexpr bool kHasRound = false;
#endif

// min/max as the instruction has them: the second operand where either is NaN.
template <bool Max>
struct ExtremeOp {
  template <class T, int N>
  HWARO_INLINE Raw<T, N> operator()(Raw<T, N> a, Raw<T, N> b) const {
    [[maybe_unused]] constexpr int bytes = N * int(sizeof(T));
    [[maybe_unused]] constexpr bool f = kSame<T, float>;
#if defined(__AVX512F__)
    if constexpr (bytes == 64) {
      if constexpr (f) {
        return (Raw<T, N>)(Max ? _mm512_maskz_max_ps(kAllLanes, (__m512)a, (__m512)b)
                               : _mm512_maskz_min_ps(kAllLanes, (__m512)a, (__m512)b));
      } else {
        return (Raw<T, N>)(Max ? _mm512_maskz_max_pd(kAllLanes, (__m512d)a, (__m512d)b)
                               : _mm512_maskz_min_pd(kAllLanes, (__m512d)a, (__m512d)b));
      }
    }
#endif
#if defined(__AVX2__)
    if constexpr (bytes == 32) {
      if constexpr (f) {
        return (Raw<T, N>)(Max ? _mm256_max_ps((__m256)a, (__m256)b) : _mm256_min_ps((__m256)a, (__m256)b));
      } else {
        return (Raw<T, N>)(Max ? _mm256_max_pd((__m256d)a, (__m256d)b) : _mm256_min_pd((__m256d)a, (__m256d)b));
      }
    }
#endif
#if defined(__SSE2__)
    if constexpr (bytes == 16) {
      if constexpr (f) return (Raw<T, N>)(Max ? _mm_max_ps((__m128)a, (__m128)b) : _mm_min_ps((__m128)a, (__m128)b));
      else return (Raw<T, N>)(Max ? _mm_max_pd((__m128d)a, (__m128d)b) : _mm_min_pd((__m128d)a, (__m128d)b));
    }
#endif
    return Max ? (a > b ? a : b) : (a < b ? a : b);
  }
};

#if defined(__AVX512F__)
// p * 2^k, exact except for one rounding at overflow and underflow.
struct ScaleOp {
  template <class T, int N>
  HWARO_INLINE Raw<T, N> operator()(Raw<T, N> p, Raw<T, N> k) const {
    [[maybe_unused]] constexpr int bytes = N * int(sizeof(T));
    [[maybe_unused]] constexpr bool f = kSame<T, float>;
    if constexpr (bytes == 64) {
      if constexpr (f) return (Raw<T, N>)_mm512_maskz_scalef_ps(kAllLanes, (__m512)p, (__m512)k);
      else return (Raw<T, N>)_mm512_maskz_scalef_pd(kAllLanes, (__m512d)p, (__m512d)k);
    } else if constexpr (bytes == 32) {
      if constexpr (f) return (Raw<T, N>)_mm256_scalef_ps((__m256)p, (__m256)k);
      else return (Raw<T, N>)_mm256_scalef_pd((__m256d)p, (__m256d)k);
    } else {
      if constexpr (f) return (Raw<T, N>)_mm_scalef_ps((__m128)p, (__m128)k);
      else return (Raw<T, N>)_mm_scalef_pd((__m128d)p, (__m128d)k);
    }
  }
};
#endif

// ---- mask vectors: every lane all ones or all zeros ----

template <class I, int N>
HWARO_INLINE bool any_lane(Raw<I, N> m) {
  [[maybe_unused]] constexpr int bytes = N * int(sizeof(I));
#if defined(__AVX512F__)
  if constexpr (bytes == 64) return _mm512_test_epi64_mask((__m512i)m, (__m512i)m) != 0;
#endif
#if defined(__AVX2__)
  if constexpr (bytes == 32) return !_mm256_testz_si256((__m256i)m, (__m256i)m);
#endif
#if defined(__SSE2__)
  if constexpr (bytes == 16) return _mm_movemask_epi8((__m128i)m) != 0;
  if constexpr (bytes < 16) return any_lane<I, 16 / int(sizeof(I))>(resize<Raw<I, 16 / int(sizeof(I))>>(m));
#endif
  std::uint64_t bits = 0;
  for (int i = 0; i < N; ++i) bits |= static_cast<std::uint64_t>(m[i]);
  return bits != 0;
}

// One byte per lane, zero or not.
template <class I, int N>
HWARO_INLINE Raw<I, N> load_mask_bytes(const std::uint8_t* in) {
  Raw<std::int8_t, N> bytes;
  __builtin_memcpy(&bytes, in, N);
#if defined(__AVX512F__)
  if constexpr (N * sizeof(I) == 64 && sizeof(I) > 1) {
    if constexpr (sizeof(I) == 2) {
      return (Raw<I, N>)_mm512_movm_epi16(_mm256_test_epi8_mask((__m256i)bytes, (__m256i)bytes));
    } else {
      const __m128i b = resize<__m128i>(bytes);
      const __mmask16 set = _mm_test_epi8_mask(b, b);
      if constexpr (sizeof(I) == 4) return (Raw<I, N>)_mm512_movm_epi32(set);
      else return (Raw<I, N>)_mm512_movm_epi64(static_cast<__mmask8>(set));
    }
  }
#endif
#if defined(__AVX2__)
  if constexpr (N * sizeof(I) == 32 && sizeof(I) > 1) {
    const __m128i b = resize<__m128i>(bytes);
    const __m256i wide = sizeof(I) == 2   ? _mm256_cvtepi8_epi16(b)
                         : sizeof(I) == 4 ? _mm256_cvtepi8_epi32(b)
                                          : _mm256_cvtepi8_epi64(b);
    return Raw<I, N>{} != (Raw<I, N>)wide;
  }
#endif
#if defined(__SSE2__)
  if constexpr (N * sizeof(I) == 16 && sizeof(I) > 1) {
    const __m128i zero = _mm_setzero_si128();
    __m128i wide = _mm_unpacklo_epi8(resize<__m128i>(bytes), zero);
    if constexpr (sizeof(I) >= 4) wide = _mm_unpacklo_epi16(wide, zero);
    if constexpr (sizeof(I) == 8) wide = _mm_unpacklo_epi32(wide, zero);
    return Raw<I, N>{} != (Raw<I, N>)wide;
  }
#endif
  return Raw<I, N>{} != __builtin_convertvector(bytes, Raw<I, N>);
}
// One byte 0 or 1 per lane.
template <class I, int N>
HWARO_INLINE void store_mask_bytes(Raw<I, N> m, std::uint8_t* out) {
  [[maybe_unused]] constexpr int bytes = N * int(sizeof(I));
  if constexpr (sizeof(I) == 1) {
    const Raw<I, N> ones = m & I(1);
    __builtin_memcpy(out, &ones, bytes);
    return;
  }
#if defined(__AVX512F__)
  if constexpr (bytes == 64) {
    __m128i packed;
    if constexpr (sizeof(I) == 2) {
      const __m256i wide = _mm256_maskz_set1_epi8(_mm512_movepi16_mask((__m512i)m), 1);
      __builtin_memcpy(out, &wide, 32);
      return;
    } else if constexpr (sizeof(I) == 4) {
      packed = _mm_maskz_set1_epi8(_mm512_movepi32_mask((__m512i)m), 1);
    } else {
      packed = _mm_maskz_set1_epi8(_mm512_movepi64_mask((__m512i)m), 1);
    }
    __builtin_memcpy(out, &packed, N);
    return;
  }
#endif
#if defined(__AVX2__)
  if constexpr (bytes == 32) {
    __m128i lo = _mm256_castsi256_si128((__m256i)m), hi = _mm256_extracti128_si256((__m256i)m, 1);
    if constexpr (sizeof(I) == 8) {
      lo = _mm_packs_epi32(lo, hi);
      lo = _mm_packs_epi32(lo, lo);
      lo = _mm_and_si128(_mm_packs_epi16(lo, lo), _mm_set1_epi8(1));
    } else {
      lo = sizeof(I) == 4 ? _mm_packs_epi32(lo, hi) : _mm_packs_epi16(lo, hi);
      if constexpr (sizeof(I) == 4) lo = _mm_packs_epi16(lo, lo);
      lo = _mm_and_si128(lo, _mm_set1_epi8(1));
    }
    __builtin_memcpy(out, &lo, N);
    return;
  }
#endif
#if defined(__SSE2__)
  if constexpr (bytes == 16) {
    __m128i v = (__m128i)m;
    if constexpr (sizeof(I) == 8) v = _mm_shuffle_epi32(v, 0x88);
    if constexpr (sizeof(I) >= 4) v = _mm_packs_epi32(v, v);
    v = _mm_and_si128(_mm_packs_epi16(v, v), _mm_set1_epi8(1));
    __builtin_memcpy(out, &v, N);
    return;
  }
#endif
  for (int i = 0; i < N; ++i) out[i] = m[i] != 0;
}

}  // namespace native
}  // namespace HWARO_ISA
}  // namespace hwaro

#if defined(__aarch64__)
#include "hwaro/math/neon.h"
#endif
