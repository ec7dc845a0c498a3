// nextafter of half and bfloat16 numbers that are held in float lanes.
// The magnitude steps up or down in the bits of float, where both types keep a fixed number of low bits free; below 2^-14
// half is evenly spaced, 2^-24 apart.
#pragma once

#include "hwaro/math/math.h"

namespace hwaro {
inline namespace HWARO_ISA {

template <int N, class Step>
HWARO_INLINE Vec<float, N> neighbour(Vec<float, N> a, Vec<float, N> b, float smallest, Step step) {
  using V = Vec<float, N>;
  const auto grows = (b > a) ^ signbit(a);
  const V moved = copysign(step(abs(a), grows), a);
  const V r = where(a == b, b, where(a == 0, copysign(V(smallest), b), moved));
  return where(isnan(a) | isnan(b), a + b, r);
}
// The float whose bits are those of m, plus or minus a whole number.
template <int N>
HWARO_INLINE Vec<float, N> step_bits(Vec<float, N> m, Mask<float, N> up, int step) {
  using I = Vec<std::int32_t, N>;
  const I bits = m.template bits_as<std::int32_t>();
  return where(up, (bits + I(step)).template bits_as<float>(), (bits - I(step)).template bits_as<float>());
}

template <int N>
HWARO_INLINE Vec<float, N> nextafter_bfloat16(Vec<float, N> a, Vec<float, N> b) {
  return neighbour(a, b, 0x1p-133f, [](auto m, auto up) { return step_bits(m, up, 0x10000); });
}
template <int N>
HWARO_INLINE Vec<float, N> nextafter_half(Vec<float, N> a, Vec<float, N> b) {
  using V = Vec<float, N>;
  return neighbour(a, b, 0x1p-24f, [](V m, auto up) {
    const V even = where(up, m + 0x1p-24f, m - 0x1p-24f);
    const auto evenly = (m < V(0x1p-14f)) | (~up & (m == V(0x1p-14f)));
    return where(evenly, even, where(~up & isinf(m), V(65504), step_bits(m, up, 0x2000)));
  });
}

}  // namespace HWARO_ISA
}  // namespace hwaro
