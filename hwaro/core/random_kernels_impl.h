// Random number kernels for one instruction set; included by one file per set.
// Twister: new[i] = old[i + 397] ^ twist(old[i], old[i + 1]), indices mod 624. The new words a step needs are at least
// 227 places back, so whole vectors can be made in place, in order; only the ends of the two ranges are narrower.
// Normals: Box-Muller on blocks of 16: radius from 1 - u[0..8), angle from u[8..16), cosines in front. Logarithm, sine
// and cosine follow Cephes' single precision functions, step by step as PyTorch's AVX2 kernel evaluates them, so that
// the values are the same to the bit. Every fma rounds once: without the instruction libm's does, which is slow but keeps
// the same numbers for a seed on every processor.
#pragma once

#include "hwaro/core/random_kernels.h"
#include "hwaro/math/basic.h"
#include "hwaro/math/vec.h"

namespace hwaro {
inline namespace HWARO_ISA {
namespace random_impl {

using Words = Vec<std::uint32_t>;
constexpr int kState = 624, kShift = 397, kBack = kState - kShift;

template <int N>
HWARO_INLINE native::Raw<std::uint32_t, N> load_words(const std::uint32_t* p) {
  return Vec<std::uint32_t, N>::load(p).v;
}

HWARO_INLINE std::uint32_t twisted(std::uint32_t high, std::uint32_t low, std::uint32_t source) {
  return source ^ (((high & 0x80000000u) | (low & 0x7fffffffu)) >> 1) ^ ((0u - (low & 1u)) & 0x9908b0dfu);
}

// Words [Begin, End) from those at distance Source: vectors, then narrower vectors, then single words.
template <int Begin, int End, int Source, int Width = Words::size()>
HWARO_INLINE void twist_range(std::uint32_t* state) {
  if constexpr (Begin < End && Width >= 4) {
    using Raw = native::Raw<std::uint32_t, Width>;
    constexpr int kStop = Begin + (End - Begin) / Width * Width;
    for (int i = Begin; i < kStop; i += Width) {
      const Raw low = load_words<Width>(state + i + 1);
      const Raw mixed = (load_words<Width>(state + i) & 0x80000000u) | (low & 0x7fffffffu);
      const Raw next = load_words<Width>(state + i + Source) ^ (mixed >> 1) ^ ((Raw{} - (low & 1u)) & 0x9908b0dfu);
      Vec<std::uint32_t, Width>::from_raw(next).store(state + i);
    }
    twist_range<kStop, End, Source, Width / 2>(state);
  } else if constexpr (Begin < End) {
    state[Begin] = twisted(state[Begin], state[Begin + 1], state[Begin + Source]);
    twist_range<Begin + 1, End, Source, Width>(state);
  }
}

static void twist(std::uint32_t* state) {
  twist_range<0, kBack, kShift>(state);
  twist_range<kBack, kState - 1, -kBack>(state);
  state[kState - 1] = twisted(state[kState - 1], state[0], state[kState - 1 - kBack]);
}

template <class Raw>
HWARO_INLINE Raw tempered(Raw y) {
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  y ^= y >> 18;
  return y;
}

static void temper(const std::uint32_t* state, std::uint32_t* out, std::int64_t n) {
  constexpr int kWide = Words::size();
  std::int64_t i = 0;
  for (; i + kWide <= n; i += kWide) Words::from_raw(tempered(Words::load(state + i).v)).store(out + i);
  for (; i < n; ++i) out[i] = tempered(state[i]);
}

template <class V>
HWARO_INLINE V horner(V, V c) {
  return c;
}
template <class V, class... Cs>
HWARO_INLINE V horner(V x, V c, Cs... rest) {
  return fma(horner(x, V(rest)...), x, c);
}

template <class V>
HWARO_INLINE void store_scaled(V fraction, typename V::Lane from, typename V::Lane to, typename V::Lane* out) {
  const V scale(to - from);
  const V x = from == 0 ? fraction * scale : fma(fraction, scale, V(from));  // the same, and quicker without fma
  where(x == V(to), V(from), x).store(out);
}

template <int N>
HWARO_INLINE void uniform_float_at(const std::uint32_t* words, float* out, float from, float to) {
  const auto bits = load_words<N>(words) & 0xffffffu;
  const auto x = __builtin_convertvector((native::Raw<std::int32_t, N>)bits, native::Raw<float, N>) * 0x1p-24f;
  store_scaled(Vec<float, N>::from_raw(x), from, to, out);
}

static void uniform_float(const std::uint32_t* words, float* out, std::int64_t n, float from, float to) {
  constexpr int kWide = Words::size();
  std::int64_t i = 0;
  for (; i + kWide <= n; i += kWide) uniform_float_at<kWide>(words + i, out + i, from, to);
  for (; i < n; ++i) uniform_float_at<1>(words + i, out + i, from, to);
}

template <int N>
HWARO_INLINE void uniform_double_at(const std::uint32_t* words, double* out, double from, double to) {
  using Raw = native::Raw<std::uint64_t, N>;
  Raw pair;
  __builtin_memcpy(&pair, words, sizeof pair);  // little-endian: the high half, drawn first, is the low word
  // Two numbers whose exponents place the halves: 2^84 + high * 2^32 and 2^52 + low; their sum less the powers is exact.
  const Raw high = (pair & 0x1fffffu) | 0x4530000000000000u;
  const Raw low = (pair >> 32) | 0x4330000000000000u;
  using Floats = native::Raw<double, N>;
  const Floats x = (((Floats)high - (0x1p84 + 0x1p52)) + (Floats)low) * 0x1p-53;
  store_scaled(Vec<double, N>::from_raw(x), from, to, out);
}

static void uniform_double(const std::uint32_t* words, double* out, std::int64_t n, double from, double to) {
  constexpr int kWide = Words::size() / 2;
  std::int64_t i = 0;
  for (; i + kWide <= n; i += kWide) uniform_double_at<kWide>(words + 2 * i, out + i, from, to);
  for (; i < n; ++i) uniform_double_at<1>(words + 2 * i, out + i, from, to);
}

// ---- Box-Muller ----

template <class V>
HWARO_INLINE V log_positive(V x) {  // of normal numbers in (0, 1]
  using Ints = typename V::Ints;
  using Bits = typename V::Bits;
  const Ints exponent = (Ints)((Bits)x.v >> 23) - 126;
  V e = V::from_raw(__builtin_convertvector(exponent, typename V::Raw));
  V m = V::from_raw((typename V::Raw)(((Bits)x.v & 0x807fffffu) | 0x3f000000u));  // [0.5, 1)
  const auto small = m < V(0.707106781186547524f);
  e = e - where(small, V(1), V(0));
  const V f = (m - V(1)) + where(small, m, V(0));
  const V z = f * f;
  V y = horner(f, V(3.3333331174e-1f), -2.4999993993e-1f, 2.0000714765e-1f, -1.6668057665e-1f, 1.4249322787e-1f,
               -1.2420140846e-1f, 1.1676998740e-1f, -1.1514610310e-1f, 7.0376836292e-2f);
  y = fma(y * f, z, e * V(-2.12194440e-4f));
  y = fma(z, V(-0.5f), y);
  return fma(e, V(0.693359375f), f + y);
}

template <class V>
HWARO_INLINE void sincos_positive(V x, V& sine, V& cosine) {  // of x in [0, 2 pi]
  using Ints = typename V::Ints;
  using Bits = typename V::Bits;
  const V turns = x * V(1.27323954473516f);  // eighths of a turn
  const Ints octant = (__builtin_convertvector(turns.v, Ints) + 1) & ~1;
  const V k = V::from_raw(__builtin_convertvector(octant, typename V::Raw));
  V r = fma(k, V(-0.78515625f), x);
  r = fma(k, V(-2.4187564849853515625e-4f), r);
  r = fma(k, V(-3.77489497744594108e-8f), r);
  const V z = r * r;
  V c = horner(z, V(4.166664568298827e-2f), -1.388731625493765e-3f, 2.443315711809948e-5f) * z;
  c = fma(c, z, z * V(-0.5f)) + V(1);
  V s = horner(z, V(-1.6666654611e-1f), 8.3321608736e-3f, -1.9515295891e-4f) * z;
  s = fma(s, r, r);
  const Ints swapped = (octant & 2) != 0;
  const V from_sine = V::from_raw(swapped ? c.v : s.v), from_cosine = V::from_raw(swapped ? s.v : c.v);
  const Bits sine_sign = ((Bits)octant & 4u) << 29;
  const Bits cosine_sign = (~(Bits)(octant - 2) & 4u) << 29;
  sine = V::from_raw((typename V::Raw)((Bits)from_sine.v ^ sine_sign));
  cosine = V::from_raw((typename V::Raw)((Bits)from_cosine.v ^ cosine_sign));
}

static void normal_blocks(float* data, std::int64_t blocks, float mean, float std) {
  constexpr int kLanes = Words::size() < 8 ? Words::size() : 8;
  using V = Vec<float, kLanes>;
  for (std::int64_t block = 0; block < blocks; ++block, data += 16) {
    for (int i = 0; i < 8; i += kLanes) {
      const V radius = sqrt(V(-2) * log_positive(V(1) - V::load(data + i)));
      V sine, cosine;
      sincos_positive(V(6.283185307179586f) * V::load(data + 8 + i), sine, cosine);
      fma(radius * cosine, V(std), V(mean)).store(data + i);
      fma(radius * sine, V(std), V(mean)).store(data + 8 + i);
    }
  }
}

static constexpr RandomKernels kKernels = {twist, temper, uniform_float, uniform_double, normal_blocks};

}  // namespace random_impl
}  // namespace HWARO_ISA
}  // namespace hwaro
