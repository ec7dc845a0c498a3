// What native.h cannot say in vector extensions, in NEON. A register has one size here, so each is a specialisation.
#pragma once

#include <arm_neon.h>

#include "hwaro/math/native.h"

namespace hwaro {
inline namespace HWARO_ISA {
namespace native {

template <>
HWARO_INLINE Raw<float, 4> SqrtOp::operator()<float, 4>(Raw<float, 4> v) const {
  return (Raw<float, 4>)vsqrtq_f32((float32x4_t)v);
}
template <>
HWARO_INLINE Raw<double, 2> SqrtOp::operator()<double, 2>(Raw<double, 2> v) const {
  return (Raw<double, 2>)vsqrtq_f64((float64x2_t)v);
}

template <>
HWARO_INLINE Raw<float, 4> FmaOp::operator()<float, 4>(Raw<float, 4> a, Raw<float, 4> b, Raw<float, 4> c) const {
  return (Raw<float, 4>)vfmaq_f32((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}
template <>
HWARO_INLINE Raw<double, 2> FmaOp::operator()<double, 2>(Raw<double, 2> a, Raw<double, 2> b, Raw<double, 2> c) const {
  return (Raw<double, 2>)vfmaq_f64((float64x2_t)c, (float64x2_t)a, (float64x2_t)b);
}

inline constexpr bool kHasRound = true;
template <Rounding R>
struct RoundOp {
  template <class T, int N>
  HWARO_INLINE Raw<T, N> operator()(Raw<T, N> v) const {
    static_assert(N * sizeof(T) == 16);
    if constexpr (kSame<T, float>) {
      const auto x = (float32x4_t)v;
      return (Raw<T, N>)(R == Rounding::kNearest ? vrndnq_f32(x)
                         : R == Rounding::kDown  ? vrndmq_f32(x)
                         : R == Rounding::kUp    ? vrndpq_f32(x)
                                                 : vrndq_f32(x));
    } else {
      const auto x = (float64x2_t)v;
      return (Raw<T, N>)(R == Rounding::kNearest ? vrndnq_f64(x)
                         : R == Rounding::kDown  ? vrndmq_f64(x)
                         : R == Rounding::kUp    ? vrndpq_f64(x)
                                                 : vrndq_f64(x));
    }
  }
};

template <>
HWARO_INLINE bool any_lane<std::int8_t, 16>(Raw<std::int8_t, 16> m) {
  return vmaxvq_u32((uint32x4_t)m) != 0;
}
template <>
HWARO_INLINE bool any_lane<std::int16_t, 8>(Raw<std::int16_t, 8> m) {
  return vmaxvq_u32((uint32x4_t)m) != 0;
}
template <>
HWARO_INLINE bool any_lane<std::int32_t, 4>(Raw<std::int32_t, 4> m) {
  return vmaxvq_u32((uint32x4_t)m) != 0;
}
template <>
HWARO_INLINE bool any_lane<std::int64_t, 2>(Raw<std::int64_t, 2> m) {
  return vmaxvq_u32((uint32x4_t)m) != 0;
}

}  // namespace native
}  // namespace HWARO_ISA
}  // namespace hwaro
