// A vector's lanes folded into one or a few, and vectors of which only the first lanes are in memory: the beginnings and
// ends of rows that kernels walk by whole vectors.
#pragma once

#include <cstdint>
#include <utility>

#include "hwaro/math/vec.h"

namespace hwaro {
inline namespace HWARO_ISA {
namespace lanes_detail {

template <int From, class A, int N, int... I>
HWARO_INLINE Vec<A, int(sizeof...(I))> part(Vec<A, N> v, std::integer_sequence<int, I...>) {
  return Vec<A, int(sizeof...(I))>::from_raw(__builtin_shufflevector(v.v, v.v, (I + From)...));
}
template <int By, class A, int N, int... I>
HWARO_INLINE Vec<A, N> rotated(Vec<A, N> v, std::integer_sequence<int, I...>) {
  return Vec<A, N>::from_raw(__builtin_shufflevector(v.v, v.v, ((I + By) % N)...));
}
// In one register the lanes turn instead of being halved: vectors below 16 bytes are slow.
template <int Width, int By, class A, int N, class F>
HWARO_INLINE Vec<A, N> turn(Vec<A, N> v, F combine) {
  if constexpr (By >= Width && By > 0)
    return turn<Width, By / 2>(combine(v, rotated<By>(v, std::make_integer_sequence<int, N>())), combine);
  else return v;
}

}  // namespace lanes_detail

// Combines lane i with lane i + h for h = N/2, N/4, … until `Width` lanes are left, which are the first of the result.
template <int Width, class A, int N, class F>
HWARO_INLINE auto fold_lanes(Vec<A, N> v, F combine) {
  if constexpr (N > Width && N * int(sizeof(A)) > 16) {
    using Half = std::make_integer_sequence<int, N / 2>;
    return fold_lanes<Width>(combine(lanes_detail::part<0>(v, Half()), lanes_detail::part<N / 2>(v, Half())), combine);
  } else {
    return lanes_detail::turn<Width, N / 2>(v, combine);
  }
}
// The sum of the lanes, halves first: the order is the same for every caller.
template <class A, int N>
HWARO_INLINE A sum_lanes(Vec<A, N> v) {
  return fold_lanes<1>(v, [](auto a, auto b) { return a + b; })[0];
}

// The first n of the lanes from memory, 0 ≤ n < N; the others are `fill`. What lies behind the n elements is not read.
template <class A, int N>
HWARO_INLINE Vec<A, N> load_first(const A* p, std::int64_t n, A fill) {
#if defined(__AVX512F__)
  if constexpr (native::kSame<A, float> && N == 16)
    return Vec<A, N>::from_raw(
        (native::Raw<A, N>)_mm512_mask_loadu_ps((__m512)Vec<A, N>(fill).v, static_cast<__mmask16>((1u << n) - 1), p));
  if constexpr (native::kSame<A, double> && N == 8)
    return Vec<A, N>::from_raw(
        (native::Raw<A, N>)_mm512_mask_loadu_pd((__m512d)Vec<A, N>(fill).v, static_cast<__mmask8>((1u << n) - 1), p));
#elif defined(__AVX2__)
  if constexpr (native::kIsFloating<A> && sizeof(A) * N == 32) {
    using I = native::SignedLike<A>;
    const auto in = Vec<I, N>::iota() < Vec<I, N>(static_cast<I>(n));
    Vec<A, N> v;
    if constexpr (sizeof(A) == 4) v.v = (native::Raw<A, N>)_mm256_maskload_ps(p, (__m256i)in.v);
    else v.v = (native::Raw<A, N>)_mm256_maskload_pd(p, (__m256i)in.v);
    return where(in.template as<A>(), v, Vec<A, N>(fill));
  }
#endif
  A lanes[N];
  for (int i = 0; i < N; ++i) lanes[i] = i < n ? p[i] : fill;
  return Vec<A, N>::load(lanes);
}

// Writes the first n lanes, 0 ≤ n < N, and nothing behind them.
template <class A, int N>
HWARO_INLINE void store_first(Vec<A, N> v, A* p, std::int64_t n) {
#if defined(__AVX512F__)
  if constexpr (native::kSame<A, float> && N == 16)
    return _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << n) - 1), (__m512)v.v);
  if constexpr (native::kSame<A, double> && N == 8)
    return _mm512_mask_storeu_pd(p, static_cast<__mmask8>((1u << n) - 1), (__m512d)v.v);
#elif defined(__AVX2__)
  if constexpr (native::kIsFloating<A> && sizeof(A) * N == 32) {
    using I = native::SignedLike<A>;
    const auto in = (__m256i)(Vec<I, N>::iota() < Vec<I, N>(static_cast<I>(n))).v;
    if constexpr (sizeof(A) == 4) return _mm256_maskstore_ps(p, in, (__m256)v.v);
    else return _mm256_maskstore_pd(p, in, (__m256d)v.v);
  }
#endif
  A lanes[N];
  v.store(lanes);
  for (int i = 0; i < N && i < n; ++i) p[i] = lanes[i];
}

}  // namespace HWARO_ISA
}  // namespace hwaro
