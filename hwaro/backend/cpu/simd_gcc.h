// The few vector operations that matrix products need, on GCC/Clang vector extensions. Private to kernel files, which
// are compiled once per instruction set; a vector is as wide as HWARO_VECTOR_BYTES says.
#pragma once

#include <cstdint>
#include <utility>

#include "hwaro/base/isa.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define HWARO_INLINE inline __attribute__((always_inline))
#define HWARO_UNROLL _Pragma("GCC unroll 16")

namespace hwaro {
inline namespace HWARO_ISA {
namespace simd {

typedef float VectorF __attribute__((vector_size(HWARO_VECTOR_BYTES)));
typedef double VectorD __attribute__((vector_size(HWARO_VECTOR_BYTES)));
typedef std::int32_t VectorI __attribute__((vector_size(HWARO_VECTOR_BYTES)));
typedef std::int64_t VectorL __attribute__((vector_size(HWARO_VECTOR_BYTES)));

template <class T>
struct Traits;
template <>
struct Traits<float> {
  using Vector = VectorF;
  using Integer = VectorI;
};
template <>
struct Traits<double> {
  using Vector = VectorD;
  using Integer = VectorL;
};

template <class T>
using Vector = typename Traits<T>::Vector;
template <class T>
inline constexpr int kLanes = HWARO_VECTOR_BYTES / sizeof(T);

template <class T>
HWARO_INLINE Vector<T> load(const T* p) {
  Vector<T> v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
template <class T>
HWARO_INLINE void store(T* p, Vector<T> v) {
  __builtin_memcpy(p, &v, sizeof v);
}

// Says which lanes a partial load or store touches: the first `count`. Memory behind them is neither read nor written.
#if defined(__AVX512F__)
template <class T>
struct Mask {
  std::uint32_t bits;
};
template <class T>
HWARO_INLINE Mask<T> first_lanes(int count) {
  return {static_cast<std::uint32_t>((std::uint64_t{1} << count) - 1)};
}
HWARO_INLINE VectorF load_masked(const float* p, Mask<float> m) {
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>(m.bits), p);
}
HWARO_INLINE VectorD load_masked(const double* p, Mask<double> m) {
  return _mm512_maskz_loadu_pd(static_cast<__mmask8>(m.bits), p);
}
HWARO_INLINE void store_masked(float* p, VectorF v, Mask<float> m) {
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>(m.bits), v);
}
HWARO_INLINE void store_masked(double* p, VectorD v, Mask<double> m) {
  _mm512_mask_storeu_pd(p, static_cast<__mmask8>(m.bits), v);
}
#elif defined(__AVX2__)
template <class T>
struct Mask {
  __m256i bits;
};
template <class T>
HWARO_INLINE Mask<T> first_lanes(int count) {
  if constexpr (sizeof(T) == 4)
    return {_mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))};
  else return {_mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3))};
}
HWARO_INLINE VectorF load_masked(const float* p, Mask<float> m) { return _mm256_maskload_ps(p, m.bits); }
HWARO_INLINE VectorD load_masked(const double* p, Mask<double> m) { return _mm256_maskload_pd(p, m.bits); }
HWARO_INLINE void store_masked(float* p, VectorF v, Mask<float> m) { _mm256_maskstore_ps(p, m.bits, v); }
HWARO_INLINE void store_masked(double* p, VectorD v, Mask<double> m) { _mm256_maskstore_pd(p, m.bits, v); }
#else
template <class T>
struct Mask {
  int count;
};
template <class T>
HWARO_INLINE Mask<T> first_lanes(int count) {
  return {count};
}
template <class T>
HWARO_INLINE Vector<T> load_masked(const T* p, Mask<T> m) {
  T lanes[kLanes<T>];
  for (int i = 0; i < kLanes<T>; ++i) lanes[i] = i < m.count ? p[i] : T(0);
  return load<T>(lanes);
}
template <class T>
HWARO_INLINE void store_masked(T* p, Vector<T> v, Mask<T> m) {
  T lanes[kLanes<T>];
  store<T>(lanes, v);
  for (int i = 0; i < m.count; ++i) p[i] = lanes[i];
}
#endif

HWARO_INLINE VectorF splat(float x) {
#if defined(__AVX512F__)
  return _mm512_set1_ps(x);
#elif defined(__AVX2__)
  return _mm256_set1_ps(x);
#else
  return VectorF{x, x, x, x};
#endif
}
HWARO_INLINE VectorD splat(double x) {
#if defined(__AVX512F__)
  return _mm512_set1_pd(x);
#elif defined(__AVX2__)
  return _mm256_set1_pd(x);
#else
  return VectorD{x, x};
#endif
}

// a * b + c; with one rounding where the instruction set has it.
HWARO_INLINE VectorF fma(VectorF a, VectorF b, VectorF c) {
#if defined(__AVX512F__)
  return _mm512_fmadd_ps(a, b, c);
#elif defined(__FMA__)
  return _mm256_fmadd_ps(a, b, c);
#elif defined(__aarch64__)
  return vfmaq_f32(c, a, b);
#else
  return a * b + c;
#endif
}
HWARO_INLINE VectorD fma(VectorD a, VectorD b, VectorD c) {
#if defined(__AVX512F__)
  return _mm512_fmadd_pd(a, b, c);
#elif defined(__FMA__)
  return _mm256_fmadd_pd(a, b, c);
#elif defined(__aarch64__)
  return vfmaq_f64(c, a, b);
#else
  return a * b + c;
#endif
}

// Keeps a broadcast in a register: GCC would otherwise repeat it as a memory operand of every fma that uses it.
template <class V>
HWARO_INLINE V pinned(V v) {
#if defined(__x86_64__)
  asm("" : "+v"(v));
#endif
  return v;
}

template <class T, int... I>
HWARO_INLINE void split_pairs_of(Vector<T> a, Vector<T> b, Vector<T>* even, Vector<T>* odd,
                                 std::integer_sequence<int, I...>) {
  *even = __builtin_shufflevector(a, b, (2 * I)...);
  *odd = __builtin_shufflevector(a, b, (2 * I + 1)...);
}
// Lanes 0, 2, 4, ... and 1, 3, 5, ... of a and b side by side.
template <class T>
HWARO_INLINE void split_pairs(Vector<T> a, Vector<T> b, Vector<T>* even, Vector<T>* odd) {
  split_pairs_of<T>(a, b, even, odd, std::make_integer_sequence<int, kLanes<T>>{});
}

// Sum of the lanes, halves first: the order is the same for every caller.
template <class T>
HWARO_INLINE T sum(Vector<T> v) {
  typedef T Half __attribute__((vector_size(HWARO_VECTOR_BYTES / 2)));
#if HWARO_VECTOR_BYTES == 64
  typedef T Quarter __attribute__((vector_size(16)));
  Half h[2];
  __builtin_memcpy(h, &v, sizeof v);
  h[0] += h[1];
  Quarter q[2];
  __builtin_memcpy(q, h, sizeof h[0]);
  q[0] += q[1];
  if constexpr (sizeof(T) == 4) return (q[0][0] + q[0][2]) + (q[0][1] + q[0][3]);
  else return q[0][0] + q[0][1];
#elif HWARO_VECTOR_BYTES == 32
  Half h[2];
  __builtin_memcpy(h, &v, sizeof v);
  h[0] += h[1];
  if constexpr (sizeof(T) == 4) return (h[0][0] + h[0][2]) + (h[0][1] + h[0][3]);
  else return h[0][0] + h[0][1];
#else
  (void)sizeof(Half);
  if constexpr (sizeof(T) == 4) return (v[0] + v[2]) + (v[1] + v[3]);
  else return v[0] + v[1];
#endif
}

}  // namespace simd
}  // namespace HWARO_ISA
}  // namespace hwaro
