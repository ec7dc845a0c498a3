// Hyperbolic functions and the logistic sigmoid, from e^x - 1 kept as its own polynomial so that small arguments lose
// nothing.
#pragma once

#include "hwaro/math/exponential.h"

namespace hwaro {
inline namespace HWARO_ISA {

// e^r - 1 relative to itself on |r| <= ln2 / 2.
template <Floating T, int N>
HWARO_INLINE Vec<T, N> expm1_reduced(Vec<T, N> r) {
  if constexpr (native::kSame<T, float>) {
    const auto p = poly(r, Vec<T, N>(0.5), 0.166666657, 0.0416664667, 0.00833364204, 0.00139349955, 0.000196673747);
    return mul_add_of(p, r * r, r);
  } else {
    return mul_add_of(exp_tail(r), r * r, r);
  }
}

// t / (t + 2) with t = e^2|x| - 1.
template <Floating T, int N>
HWARO_INLINE Vec<T, N> tanh(Vec<T, N> x) {
  using V = Vec<T, N>;
  using Tr = FloatTraits<T>;
  constexpr T saturated = native::kSame<T, float> ? T(20) : T(44);
  const auto [r, k] = exp_reduce(at_most(abs(x) + abs(x), saturated));
  const V p = expm1_reduced(r);
  const V scale = V::from_raw((typename V::Raw)((typename V::Bits)(k + V(Tr::kMagic + T(Tr::kBias))).v
                                                << Tr::kMantissaBits));
  const V t = mul_add_of(p, scale, scale - V(1));
  return copysign_of(t / (t + V(2)), x);
}

}  // namespace HWARO_ISA
}  // namespace hwaro
