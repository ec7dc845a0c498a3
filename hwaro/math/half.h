// The 16-bit storage types: IEEE binary16 and bfloat16. They only store; arithmetic happens in float.
// Conversion rounds to nearest even, keeps subnormals, infinities and the sign and payload of NaN (made quiet).
#pragma once

#include <cstdint>

namespace hwaro {

struct Half;
struct BFloat16;

namespace half_detail {

[[gnu::always_inline]] constexpr std::uint32_t float_bits(float x) { return __builtin_bit_cast(std::uint32_t, x); }
[[gnu::always_inline]] constexpr float bits_float(std::uint32_t b) { return __builtin_bit_cast(float, b); }

[[gnu::always_inline]] constexpr std::uint16_t half_from_float(float x) {
  const std::uint32_t bits = float_bits(x), sign = (bits >> 16) & 0x8000u, a = bits & 0x7fffffffu;
  std::uint32_t h = 0;
  if (a > 0x7f800000u) {
    h = 0x7e00u | ((a >> 13) & 0x3ffu);
  } else if (a >= 0x47800000u) {  // 65536 and more
    h = 0x7c00u;
  } else if (a >= 0x38800000u) {  // normal: rounding may carry into the exponent and up to infinity
    const std::uint32_t m = a - (112u << 23);
    h = (m + 0xfffu + ((m >> 13) & 1u)) >> 13;
  } else if (a >= 0x33000000u) {  // subnormal, from half of the smallest one on
    const std::uint32_t shift = 126u - (a >> 23), m = (a & 0x7fffffu) | 0x800000u;
    const std::uint32_t rest = m & ((1u << shift) - 1u), middle = 1u << (shift - 1);
    h = m >> shift;
    if (rest > middle || (rest == middle && (h & 1u))) ++h;
  }
  return static_cast<std::uint16_t>(sign | h);
}

[[gnu::always_inline]] constexpr float half_to_float(std::uint16_t h) {
  const std::uint32_t sign = (h & 0x8000u) << 16, exponent = (h >> 10) & 0x1fu, mantissa = h & 0x3ffu;
  if (exponent == 0x1f) return bits_float(sign | 0x7f800000u | (mantissa << 13) | (mantissa ? 0x400000u : 0u));
  if (exponent != 0) return bits_float(sign | ((exponent + 112u) << 23) | (mantissa << 13));
  const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
  return bits_float(sign | float_bits(magnitude));
}

[[gnu::always_inline]] constexpr std::uint16_t bfloat16_from_float(float x) {
  const std::uint32_t bits = float_bits(x);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<std::uint16_t>((bits >> 16) | 0x40u);
  return static_cast<std::uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

}  // namespace half_detail

struct Half {
  std::uint16_t bits;

  constexpr Half() = default;
  [[gnu::always_inline]] explicit constexpr Half(float x) : bits(half_detail::half_from_float(x)) {}
  [[gnu::always_inline]] constexpr operator float() const { return half_detail::half_to_float(bits); }  // NOLINT
  [[gnu::always_inline]] static constexpr Half from_bits(std::uint16_t b) {
    Half h{};
    h.bits = b;
    return h;
  }
};

struct BFloat16 {
  std::uint16_t bits;

  constexpr BFloat16() = default;
  [[gnu::always_inline]] explicit constexpr BFloat16(float x) : bits(half_detail::bfloat16_from_float(x)) {}
  [[gnu::always_inline]] constexpr operator float() const {  // NOLINT
    return half_detail::bits_float(static_cast<std::uint32_t>(bits) << 16);
  }
  [[gnu::always_inline]] static constexpr BFloat16 from_bits(std::uint16_t b) {
    BFloat16 h{};
    h.bits = b;
    return h;
  }
};

static_assert(sizeof(Half) == 2 && sizeof(BFloat16) == 2);

}  // namespace hwaro
