// sin, cos, tan, sinc and the inverse functions.
// Arguments are reduced by k = round(x 2/pi) with pi/2 in three parts (four short ones where there is no fma), keeping
// the remainder as r + lo; one polynomial each for sin and cos on |r| <= pi/4, blended by the quadrant. Beyond the
// range where that is exact a lane goes through libm. Base float, without fma, is evaluated in double.
// asin and acos use sqrt((1 - |x|) / 2) beyond 1/2; atan2 brings its ratio below tan(pi/8) with a single division.
#pragma once

#include "hwaro/math/widen.h"

namespace hwaro {
inline namespace HWARO_ISA {

template <class T>
inline constexpr bool kInDouble = native::kSame<T, float> && !native::kHasFma;

template <class T>
struct PiConstants;
template <>
struct PiConstants<float> {
  static constexpr float kHalf[] = {0x1.921fb6p+0f, -0x1.777a5cp-25f, -0x1.ee59dap-50f};
  static constexpr float kLargest = 1e5f;
  static constexpr float kPi = 0x1.921fb6p+1f, kPiLo = -0x1.777a5cp-24f;
};
template <>
struct PiConstants<double> {
  static constexpr double kHalf[] = {0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54, -0x1.f1976b7ed8fbcp-110};
  static constexpr double kHalfShort[] = {0x1.921fb544p+0, 0x1.0b4611a6p-34, 0x1.3198a2ep-69, 0x1.b839a252049c1p-104};
  static constexpr double kLargest = native::kHasFma ? 1e9 : 1e6;
  static constexpr double kPi = 0x1.921fb54442d18p+1, kPiLo = 0x1.1a62633145c07p-53;
};

template <class V>
struct QuarterTurns {
  V r, lo;                    // x = k pi/2 + r + lo
  typename V::Bits quadrant;  // k in its low bits
};
template <Floating T, int N>
HWARO_INLINE QuarterTurns<Vec<T, N>> reduce_quarter_turns(Vec<T, N> x) {
  using V = Vec<T, N>;
  using C = PiConstants<T>;
  const V magic(FloatTraits<T>::kMagic);
  const V sum = mul_add_of(x, V(T(0x1.45f306dc9c883p-1)), magic);
  const V k = sum - magic;
  if constexpr (native::kHasFma) {
    // The first step is exact; the second cancels, so its product and its sum both keep what they round away.
    const V r1 = fma_of(k, V(-C::kHalf[0]), x);
    const V p = k * V(C::kHalf[1]), p_lo = fma_of(k, V(C::kHalf[1]), -p);
    const V r = r1 - p;
    const V lo = ((r1 - r) - p) - fma_of(k, V(C::kHalf[2]), p_lo);
    return {r, lo, (typename V::Bits)sum.v};
  } else {
    const V r1 = x - k * V(C::kHalfShort[0]), w = k * V(C::kHalfShort[1]);
    const V r = r1 - w;
    const V lo = ((r1 - r) - w) - k * V(C::kHalfShort[2]) - k * V(C::kHalfShort[3]);
    const auto parts = fast_two_sum(r, lo);  // lo may exceed the last place of r here
    return {parts.hi, parts.lo, (typename V::Bits)sum.v};
  }
}

template <class V>
struct SinCos {
  V sin, cos;
};
template <Floating T, int N>
HWARO_INLINE SinCos<Vec<T, N>> sincos_reduced(Vec<T, N> r, Vec<T, N> lo) {
  using V = Vec<T, N>;
  const V z = mul_add_of(r, r, r * (lo + lo));
  V s, c;
  if constexpr (native::kSame<T, float>) {
    s = poly(z, V(-0.166666552), 0.00833218824, -0.000195180954);
    c = poly(z, V(-0.5), 0.0416666456, -0.00138873013, 2.44306702e-05);
  } else {
    s = poly(z, V(-0.1666666666666663), 0.00833333333332184, -0.00019841269829358544, 2.755731353852453e-06,
             -2.5050734391409857e-08, 1.589543343670026e-10);
    c = poly(z, V(-0.5), 0.0416666666666666, -0.0013888888888874457, 2.480158728965285e-05, -2.755731439387355e-07,
             2.0875728113711933e-09, -1.1359865286022399e-11);
  }
  const V cos = mul_add_of(z, c, V(1));
  const V t = z * s, sin = r + mul_add_of(r, t, mul_add_of(lo, t, lo));
  return {sin, cos};
}
template <class T>
HWARO_INLINE T scalar_sin(T x) {
  return static_cast<T>(__builtin_sin(static_cast<double>(x)));
}
template <class T>
HWARO_INLINE T scalar_cos(T x) {
  return static_cast<T>(__builtin_cos(static_cast<double>(x)));
}
template <class T>
HWARO_INLINE T scalar_tan(T x) {
  return static_cast<T>(__builtin_tan(static_cast<double>(x)));
}

template <class V>
HWARO_INLINE typename V::MaskT odd_quadrant(typename V::Bits q) {
  // As a sign, which is what a blend tests.
  constexpr int top = 8 * sizeof(typename V::Lane) - 1;
  return V::MaskT::from_raw((typename V::Ints)((typename V::Ints)(q << top) < 0));
}

// Bit 1 of q as a sign, times the sign of x.
template <class V>
HWARO_INLINE V half_turn_sign(typename V::Bits q, V x) {
  return sign_bit_of(V::from_raw((typename V::Raw)(q << (8 * sizeof(typename V::Lane) - 2))) ^ x);
}

// Both at once, for functions that need them together (complex exp, tan by parts).
template <Floating T, int N>
HWARO_INLINE SinCos<Vec<T, N>> sincos(Vec<T, N> x) {
  using V = Vec<T, N>;
  using U = native::UnsignedLike<T>;
  if constexpr (kInDouble<T>) {
    return {sin(x), cos(x)};
  } else {
    const V a = abs(x);
    const auto q = reduce_quarter_turns(a);
    const auto [s, c] = sincos_reduced(q.r, q.lo);
    const auto odd = odd_quadrant<V>(q.quadrant);
    const auto sin_sign = half_turn_sign<V>(q.quadrant, x), cos_sign = half_turn_sign<V>(q.quadrant + U(1), V(0));
    const auto large = a > V(PiConstants<T>::kLargest);
    return {patch_lanes(
                large, where(odd, c, s) ^ sin_sign, [](T v) { return scalar_sin(v); }, x),
            patch_lanes(large, where(odd, s, c) ^ cos_sign, [](T v) { return scalar_cos(v); }, x)};
  }
}
template <Floating T, int N>
HWARO_INLINE Vec<T, N> sin(Vec<T, N> x) {
  using V = Vec<T, N>;
  if constexpr (kInDouble<T>) {
    return through_double([](auto v) { return sin(v); }, x);
  } else {
    const V a = abs(x);
    const auto q = reduce_quarter_turns(a);
    const auto [s, c] = sincos_reduced(q.r, q.lo);
    const auto sign = half_turn_sign<V>(q.quadrant, x);
    return patch_lanes(
        a > V(PiConstants<T>::kLargest), where(odd_quadrant<V>(q.quadrant), c, s) ^ sign,
        [](T v) { return scalar_sin(v); }, x);
  }
}
template <Floating T, int N>
HWARO_INLINE Vec<T, N> cos(Vec<T, N> x) {
  using V = Vec<T, N>;
  using U = native::UnsignedLike<T>;
  if constexpr (kInDouble<T>) {
    return through_double([](auto v) { return cos(v); }, x);
  } else {
    const V a = abs(x);
    const auto q = reduce_quarter_turns(a);
    const auto [s, c] = sincos_reduced(q.r, q.lo);
    const auto sign = half_turn_sign<V>(q.quadrant + U(1), V(0));
    return patch_lanes(
        a > V(PiConstants<T>::kLargest), where(odd_quadrant<V>(q.quadrant), s, c) ^ sign,
        [](T v) { return scalar_cos(v); }, x);
  }
}

// tan r = t with t kept in two parts, so that the -1/t of odd quadrants rounds once. Double halves r first and uses
// 2t / (1 - t^2): half the polynomial.
template <Floating T, int N>
HWARO_INLINE Vec<T, N> tan(Vec<T, N> x) {
  using V = Vec<T, N>;
  if constexpr (kInDouble<T>) {
    return through_double([](auto v) { return tan(v); }, x);
  } else {
    const V a = abs(x);
    const auto q = reduce_quarter_turns(a);
    const auto odd = odd_quadrant<V>(q.quadrant);
    V y;
    if constexpr (native::kSame<T, float>) {
      const V r = q.r, z = r * r;
      const V p =
          poly(z, V(0.333333492), 0.133326739, 0.0540591776, 0.0212845076, 0.0108325072, 9.11543975e-05, 0.00437647663);
      const V small = mul_add_of(r * z, p, mul_add_of(z, q.lo, q.lo));
      const auto t = fast_two_sum(r, small);
      const V inverse = V(-1) / t.hi;
      const V error = fma_of(t.hi, inverse, V(1)) + t.lo * inverse;
      y = where(odd, fma_of(inverse, error, inverse), t.hi);
    } else {
      const V r = V(0.5) * q.r, lo = V(0.5) * q.lo, z = r * r;
      const V p = poly(z, V(0.33333333333333504), 0.1333333333328905, 0.05396825400780492, 0.02186948680850287,
                       0.008863278104268091, 0.0035914968154763228, 0.0014615637243128709, 0.0005590709148092025,
                       0.00032880931572457593);
      const auto t = fast_two_sum(r, mul_add_of(r * z, p, mul_add_of(z, lo, lo)));
      const auto square = two_product(t.hi, t.hi);
      const auto one_minus = fast_two_sum(V(1), -square.hi);
      const V den_hi = one_minus.hi, den_lo = one_minus.lo - square.lo - V(2) * t.hi * t.lo;
      const V num_hi = t.hi + t.hi, num_lo = t.lo + t.lo;
      const V n = where(odd, -den_hi, num_hi), n_lo = where(odd, -den_lo, num_lo);
      const V d = where(odd, num_hi, den_hi), d_lo = where(odd, num_lo, den_lo);
      const V inverse = V(1) / d, quotient = n * inverse;
      const auto back = two_product(quotient, d);
      y = quotient + inverse * (((n - back.hi) - back.lo) + (n_lo - quotient * d_lo));
      y = where(a < V(0x1p-27), a, y);  // halving would lose subnormals
    }
    y = y ^ sign_bit_of(x);
    return patch_lanes(a > V(PiConstants<T>::kLargest), y, [](T v) { return scalar_tan(v); }, x);
  }
}

// sin(pi x) / (pi x) as torch.sinc has it: the product pi x is rounded before the sine is taken.
template <Floating T, int N>
HWARO_INLINE Vec<T, N> sinc(Vec<T, N> x) {
  using V = Vec<T, N>;
  const V product = x * V(PiConstants<T>::kPi);
  return where(x == V(0), V(1), sin(product) / product);
}

// ---- inverse functions ----

// (asin r - r) / r^3 in z = r^2 <= 1/4.
template <Floating T, int N>
HWARO_INLINE Vec<T, N> asin_tail(Vec<T, N> z) {
  using V = Vec<T, N>;
  if constexpr (native::kSame<T, float>) {
    return poly(z, V(0.166666597), 0.0750052184, 0.0445137434, 0.0318326429, 0.0143509964, 0.0376311913);
  } else {
    return poly(z, V(0.1666666666666676), 0.07499999999970865, 0.044642857174563476, 0.030381942709702212,
                0.022372214941316075, 0.017351612745803473, 0.013980812675080185, 0.011398970844478646,
                0.010779950386677737, 0.0037074697428549214, 0.021705030429082048, -0.020995839565061077,
                0.03262671342731971);
  }
}
template <class V>
struct AsinParts {
  typename V::MaskT outer;  // |x| > 1/2: r = sqrt((1 - |x|) / 2), else r = |x|
  V r, lo;                  // asin r = r + lo
};
template <Floating T, int N>
HWARO_INLINE AsinParts<Vec<T, N>> asin_parts(Vec<T, N> a) {
  using V = Vec<T, N>;
  const auto outer = a > V(T(0.5));
  const V half = V(T(0.5)) - V(T(0.5)) * a;
  const V root = sqrt(half);
  // What the square root rounded away; 0 / 0 at a == 1 is masked.
  const auto square = two_product(root, root);
  V root_lo = ((half - square.hi) - square.lo) / (root + root);
  root_lo = where(a == V(1), V(0), root_lo);
  const V r = where(outer, root, a), z = where(outer, half, a * a);
  return {outer, r, mul_add_of(r * z, asin_tail(z), where(outer, root_lo, V(0)))};
}
template <Floating T, int N>
HWARO_INLINE Vec<T, N> asin(Vec<T, N> x) {
  using V = Vec<T, N>;
  if constexpr (kInDouble<T>) {
    return through_double([](auto v) { return asin(v); }, x);
  } else {
    using C = PiConstants<T>;
    const V a = abs(x);
    const auto p = asin_parts(a);
    const auto quarter = fast_two_sum(V(C::kPi * T(0.25)), -p.r);
    const V far = quarter.hi + ((quarter.lo + V(C::kPiLo * T(0.25))) - p.lo);
    return copysign_of(where(p.outer, far + far, p.r + p.lo), x);
  }
}
template <Floating T, int N>
HWARO_INLINE Vec<T, N> acos(Vec<T, N> x) {
  using V = Vec<T, N>;
  if constexpr (kInDouble<T>) {
    return through_double([](auto v) { return acos(v); }, x);
  } else {
    using C = PiConstants<T>;
    const auto p = asin_parts(abs(x));
    const V sign = sign_bit_of(x);
    // |x| <= 1/2: pi/2 -+ asin; beyond: 2 asin or pi - 2 asin.
    const V r = p.r ^ sign, lo = p.lo ^ sign;
    const auto middle = fast_two_sum(V(C::kPi * T(0.5)), -r);
    const V near = middle.hi + ((middle.lo + V(C::kPiLo * T(0.5))) - lo);
    const auto half_pi = fast_two_sum(V(C::kPi * T(0.5)), -p.r);
    const V left = half_pi.hi + ((half_pi.lo + V(C::kPiLo * T(0.5))) - p.lo);
    const V right = p.r + p.lo;
    const V far = where(signbit(x), left, right);
    return where(p.outer, far + far, near);
  }
}

// Angle in [0, pi/4] of the ratio a / b, 0 <= a <= b, as hi + lo. Either 1 / b is a normal number or a == b.
template <Floating T, int N>
HWARO_INLINE TwoPart<Vec<T, N>> atan_ratio(Vec<T, N> a, Vec<T, N> b) {
  using V = Vec<T, N>;
  using C = PiConstants<T>;
  const auto steep = a > b * V(T(0.41421356237309503));
  const V num = where(steep, a - b, a), den = where(steep, a + b, b);
  const V inverse = V(1) / den, ratio = num * inverse;
  // One Newton step on the quotient, with what the sum and the difference rounded away.
  const V num_lo = where(steep, a - (b + num), V(0)), den_lo = where(steep, a - (den - b), V(0));
  const auto back = two_product(ratio, den);
  const V t = where(a == b, V(0), ratio + inverse * (((num - back.hi) - back.lo) + (num_lo - ratio * den_lo)));
  const V z = t * t;
  V p;
  if constexpr (native::kSame<T, float>) {
    p = poly(z, V(-0.333333164), 0.199985281, -0.14244391, 0.105991684, -0.0609005205);
  } else {
    p = poly(z, V(-0.333333333333332), 0.19999999999953677, -0.14285714280200343, 0.11111110783545813,
             -0.09090897759333862, 0.07692060246463854, -0.0666310454290603, 0.05847894221655158, -0.05039333554478479,
             0.03806547263435518, -0.017908407163965013);
  }
  const V tail = (t * z) * p;
  const V base = where(steep, V(C::kPi * T(0.25)), V(0)), base_lo = where(steep, V(C::kPiLo * T(0.25)), V(0));
  const auto sum = fast_two_sum(base, t);
  return {where(steep, sum.hi, t), where(steep, sum.lo + base_lo, V(0)) + tail};
}
template <Floating T, int N>
HWARO_INLINE Vec<T, N> atan(Vec<T, N> x) {
  using V = Vec<T, N>;
  if constexpr (kInDouble<T>) {
    return through_double([](auto v) { return atan(v); }, x);
  } else {
    using C = PiConstants<T>;
    const V a = abs(x);
    const auto above = a > V(1);
    const auto angle = atan_ratio(where(above, V(1), a), where(above, at_most(a, T(0x1p60)), V(1)));
    const auto rest = fast_two_sum(V(C::kPi * T(0.5)), -angle.hi);
    const V far = rest.hi + ((rest.lo + V(C::kPiLo * T(0.5))) - angle.lo);
    return copysign_of(where(above, far, angle.hi + angle.lo), x);
  }
}
template <Floating T, int N>
HWARO_INLINE Vec<T, N> atan2_of(Vec<T, N> y, Vec<T, N> x) {
  using V = Vec<T, N>;
  if constexpr (kInDouble<T>) {
    return through_double([](auto v, auto w) { return atan2_of(v, w); }, y, x);
  } else {
    using C = PiConstants<T>;
    constexpr bool f = native::kSame<T, float>;
    constexpr T large = f ? T(0x1p60) : T(0x1p500), up = f ? T(0x1p90) : T(0x1p550);
    constexpr T infinite = f ? T(0x1p120) : T(0x1p900), small = f ? T(0x1p-60) : T(0x1p-400);
    const V ay = abs(y), ax = abs(x);
    const auto swap = ay > ax;
    const V a = where(swap, ax, ay), b = where(swap, ay, ax);
    // Into a range where sums and reciprocals are normal numbers; infinity becomes a large number.
    const V scale = where(b > V(large), V(T(1) / up), where(b < V(T(1) / large), V(up), V(1)));
    auto angle = atan_ratio(at_most(a * scale, infinite), at_most(b * scale, infinite));
    const auto tiny = angle.hi < V(small);
    if (tiny.any()) [[unlikely]] {
      angle.hi = where(tiny & (b > V(0)), a / b, angle.hi);
      angle.lo = where(tiny, V(0), angle.lo);
    }
    const auto half = fast_two_sum(V(C::kPi * T(0.5)), -angle.hi);
    V hi = where(swap, half.hi, angle.hi), lo = where(swap, (half.lo + V(C::kPiLo * T(0.5))) - angle.lo, angle.lo);
    const auto whole = fast_two_sum(V(C::kPi), -hi);
    const auto left = signbit(x);
    lo = where(left, (whole.lo + V(C::kPiLo)) - lo, lo);
    hi = where(left, whole.hi, hi);
    const V r = copysign_of(hi + lo, y);
    return where(isnan(x) | isnan(y), x + y, r);
  }
}

}  // namespace HWARO_ISA
}  // namespace hwaro
