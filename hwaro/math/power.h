// pow, hypot, fmod and its Python relatives, logaddexp, xlogy.
// pow in float is exp2(y log2|x|) in double lanes: the reduction of x happens in float, where it is exact.
// pow in double carries log2|x| as a sum of two doubles (about 2^-67 relative), so that the product with y is good to
// the last bit of the result. Signs and special cases follow IEEE 754.
#pragma once

#include "hwaro/math/exponential.h"
#include "hwaro/math/integer.h"

namespace hwaro {
inline namespace HWARO_ISA {

// log2(1 + f) + e for pow(float): about 2^-38 relative.
template <int N>
HWARO_INLINE Vec<double, N> short_log2(Vec<double, N> f, Vec<double, N> e) {
  using V = Vec<double, N>;
  const V s = f / (f + V(2)), z = s * s;
  const V p =
      poly(z, V(2.885390081790081), 0.9617966733497352, 0.5770835832900022, 0.4116728269104329, 0.34072799440791784);
  return mul_add_of(s, p, e);
}
// 2^t to about 2^-32, t clamped to what float can hold (NaN stays).
template <int N>
HWARO_INLINE Vec<double, N> short_exp2(Vec<double, N> t) {
  using V = Vec<double, N>;
  const V c = at_most(at_least(t, -160.0), 160.0), magic(0x1.8p52 + 1023);
  const V sum = c + magic, r = c - (sum - magic);
  const V p = poly(r, V(1), 0.693147183824709, 0.24022650921312003, 0.05550400358184754, 0.00961805680663295,
                   0.0013341958105879304, 0.0001546141281605483, 1.3359737479828169e-05);
  return p * V::from_raw((typename V::Raw)((typename V::Bits)sum.v << 52));
}

// log2 x = hi + lo for positive, finite, normal x: 2 atanh(s) / ln2 with s = f / (2 + f) in two parts; only the first
// term of the series beyond s needs the second part.
template <int N>
HWARO_INLINE TwoPart<Vec<double, N>> long_log2(Vec<double, N> x, Vec<double, N> shift) {
  using V = Vec<double, N>;
  const auto [f, e] = log_reduce(x);
  const auto den = two_sum(V(2), f);
  const V inverse = V(1) / den.hi, s = f * inverse;
  const auto back = two_product(s, den.hi);
  const V s_lo = inverse * (((f - back.hi) - back.lo) - s * den.lo);
  // z = s^2 = z.hi + z_lo
  const auto z = two_product(s, s);
  const V z_lo = mul_add_of(s + s, s_lo, z.lo);
  // series = 1/3 + z/5 + z^2/7 + …, times z, where 1/3 has two parts
  const V tail =
      poly(z.hi, V(0.2), 0.14285714285714285, 0.1111111111111111, 0.09090909090909091, 0.07692307692307693,
           0.06666666666666667, 0.058823529411764705, 0.052631578947368418, 0.047619047619047616, 0.043478260869565216);
  const auto third = two_product(z.hi, V(0x1.5555555555555p-2));
  const V third_lo = third.lo + mul_add_of(z.hi, V(0x1.5555555555555p-56), z_lo * V(1.0 / 3));
  const auto q = fast_two_sum(third.hi, z.hi * z.hi * tail);
  const V q_lo = q.lo + third_lo;
  // log(1 + f) / 2 = s (1 + q)
  const auto sq = two_product(s, q.hi);
  const auto half_log = fast_two_sum(s, sq.hi);
  const V half_log_lo = half_log.lo + (sq.lo + mul_add_of(s, q_lo, mul_add_of(s_lo, q.hi, s_lo)));
  // times 2 / ln2
  const auto product = two_product(half_log.hi, V(2 * 0x1.71547652b82fep+0));
  const V product_lo =
      product.lo + mul_add_of(half_log.hi, V(2 * 0x1.777d0ffda0d24p-56), half_log_lo * V(2 * 0x1.71547652b82fep+0));
  const auto sum = fast_two_sum(e + shift, product.hi);
  const V lo = sum.lo + product_lo;
  return fast_two_sum(sum.hi, lo);
}

// 2^(hi + lo) * 1, rounding once.
template <int N>
HWARO_INLINE Vec<double, N> exp2_of_sum(Vec<double, N> hi, Vec<double, N> lo) {
  using V = Vec<double, N>;
  const V c = at_most(at_least(hi, -1100.0), 1100.0), magic(0x1.8p52);
  const V k = (c + magic) - magic;
  const V r = (c - k) + where(c == hi, lo, V(0));  // beyond the clamp lo may be anything
  const V p = poly(r, V(0.6931471805599453), 0.2402265069591007, 0.05550410866482338, 0.00961812910763023,
                   0.0013333558146033297, 0.00015403530388879947, 1.5252734167065775e-05, 1.3215491344690505e-06,
                   1.0177931969526522e-07, 7.052932823474785e-09, 4.4734158215151625e-10, 2.877713100710395e-11);
  return scale_by_power(mul_add_of(r, p, V(1)), k);
}

// x^y for positive, finite, normal x times 2^shift, and finite y.
template <int N>
HWARO_INLINE Vec<float, N> power_of_positive(Vec<float, N> x, Vec<float, N> y, Vec<float, N> shift) {
  const auto [f, e] = log_reduce(x);
  return through_double([](auto fd, auto ed, auto yd) { return short_exp2(short_log2(fd, ed) * yd); }, f, e + shift, y);
}
template <int N>
HWARO_INLINE Vec<double, N> power_of_positive(Vec<double, N> x, Vec<double, N> y, Vec<double, N> shift) {
  const auto log = long_log2(x, shift);
  const auto p = two_product(log.hi, y);
  return exp2_of_sum(p.hi, mul_add_of(log.lo, y, p.lo));
}

// |x|^y with 0, subnormals, infinities and NaN on either side.
template <class T, int N>
[[gnu::noinline]] void power_special(const T* magnitudes, const T* exponents, T* out) {
  using V = Vec<T, N>;
  using Tr = FloatTraits<T>;
  const V inf(Tr::kInfinity), x = V::load(magnitudes), y = V::load(exponents);
  const auto tiny = x < V(Tr::kMinNormal), finite = abs(y) < V(T(0x1p100));
  const V normal = where(tiny, x * V(T(2) * Tr::kIntegral), where(x < inf, x, V(2)));
  const V moderate = where(finite, y, copysign_of(V(T(0x1p100)), y));
  V r = power_of_positive(normal, moderate, where(tiny, V(T(-(Tr::kMantissaBits + 1))), V(0)));
  const auto up = y > V(0);
  r = where(x == inf, where(up, inf, V(0)), where(x == V(0), where(up, V(0), inf), r));
  r = where((x == V(1)) | (y == V(0)), V(1), r);
  where(isnan(x) | isnan(y), where(y == V(0), V(1), x + y), r).store(out);
}

template <Floating T, int N>
HWARO_INLINE Vec<T, N> pow_of(Vec<T, N> x, Vec<T, N> y) {
  using V = Vec<T, N>;
  using Tr = FloatTraits<T>;
  using B = typename V::Bits;
  using U = native::UnsignedLike<T>;
  constexpr U lowest = U(1) << Tr::kMantissaBits, count = ((U(2 * Tr::kBias + 1)) << Tr::kMantissaBits) - lowest;
  const V a = abs(x);
  V r = power_of_positive(a, y, V(0));
  const auto special = V::MaskT::from_raw((typename V::Ints)((B)a.v - lowest >= count)) | !(abs(y) < V(T(0x1p100)));
  if (special.any()) [[unlikely]] {
    T in_a[N], in_y[N], out[N];
    a.store(in_a);
    y.store(in_y);
    power_special<T, N>(in_a, in_y, out);
    r = where(special, V::load(out), r);
  }
  const auto negative = signbit(x);
  if (negative.any()) {
    const V half = y * V(T(0.5));
    const auto integral = trunc(y) == y, odd = integral & (trunc(half) != half) & (abs(y) < V(Tr::kInfinity));
    r = where(negative & odd, -r, r);
    r = where((x < V(0)) & (a < V(Tr::kInfinity)) & !integral & !isnan(y), V(Tr::kNaN), r);
  }
  return where(x == V(1), V(1), r);
}

// a 2^b
template <Floating T, int N>
HWARO_INLINE Vec<T, N> ldexp_of(Vec<T, N> a, Vec<T, N> b) {
  return a * exp2(b);
}

// ---- hypot ----
template <Floating T, int N>
HWARO_INLINE Vec<T, N> hypot_of(Vec<T, N> x, Vec<T, N> y) {
  using V = Vec<T, N>;
  const V inf(FloatTraits<T>::kInfinity);
  V r;
  if constexpr (native::kSame<T, float>) {
    r = through_double([](auto a, auto b) { return sqrt(mul_add_of(a, a, b * b)); }, x, y);
  } else {
    const V ax = abs(x), ay = abs(y);
    const V big = fmax_of(ax, ay), small = fmin_of(ax, ay);
    // Powers of two keep the squares in range; the smaller square is rounded once more than the larger one.
    const V scale = where(big > V(0x1p510), V(0x1p-600), where(big < V(0x1p-400), V(0x1p600), V(1)));
    const V back = where(big > V(0x1p510), V(0x1p600), where(big < V(0x1p-400), V(0x1p-600), V(1)));
    const V b = big * scale, s = small * scale;
    const auto bb = two_product(b, b), ss = two_product(s, s);
    const auto sum = fast_two_sum(bb.hi, ss.hi);
    const V root = sqrt(sum.hi + (sum.lo + (bb.lo + ss.lo)));
    r = root * back;
    r = where(isnan(x) | isnan(y), x + y, r);
  }
  return where((abs(x) == inf) | (abs(y) == inf), inf, r);
}

// ---- remainders of floats ----
template <class T>
HWARO_INLINE T scalar_fmod(T a, T b) {
  if constexpr (native::kSame<T, float>) return __builtin_fmodf(a, b);
  else return __builtin_fmod(a, b);
}
// Exact. A quotient below 2^(mantissa) is off by at most one too many after rounding, and x - q y is exact; larger
// quotients go through libm.
template <Floating T, int N>
HWARO_INLINE Vec<T, N> fmod_of(Vec<T, N> x, Vec<T, N> y) {
  using V = Vec<T, N>;
  const V a = abs(x), b = abs(y), inf(FloatTraits<T>::kInfinity);
  V r;
  Mask<T, N> hard(false);
  if constexpr (native::kHasFma || native::kSame<T, float>) {
    const V quotient = a / b, q = trunc(quotient);
    if constexpr (native::kHasFma) r = fma_of(-q, b, a);
    else r = through_double([](auto qd, auto bd, auto ad) { return ad - qd * bd; }, q, b, a);
    r = where(r < V(0), r + b, r);
    r = where(b == inf, a, r);
    hard = (quotient >= V(FloatTraits<T>::kIntegral)) & (a < inf) & (b > V(0));
  } else {
    hard = (a < inf) & (b > V(0));
    r = V(0) / V(0);
  }
  // Subnormal divisors: the quotient may overflow.
  r = patch_lanes(hard, r, [](T v, T w) { return scalar_fmod(v, w); }, a, b);
  r = where((a == inf) | (b == V(0)) | isnan(x) | isnan(y), V(FloatTraits<T>::kNaN), r);
  return copysign_of(r, x);
}
template <Floating T, int N>
HWARO_INLINE Vec<T, N> remainder_of(Vec<T, N> a, Vec<T, N> b) {
  using V = Vec<T, N>;
  const V r = fmod_of(a, b);
  return where((r != V(0)) & ((b < V(0)) ^ (r < V(0))), r + b, r);
}
// The floor of the exact quotient as Python has it: from the exact remainder, then to the nearest integer.
template <Floating T, int N>
HWARO_INLINE Vec<T, N> floor_divide_of(Vec<T, N> a, Vec<T, N> b) {
  using V = Vec<T, N>;
  const V r = fmod_of(a, b), ratio = a / b;
  V q = (a - r) / b;
  q = where((r != V(0)) & ((b < V(0)) ^ (r < V(0))), q - V(1), q);
  const V f = floor(q);
  const V nearest = where(q - f > V(T(0.5)), f + V(1), f);
  return where(b == V(0), ratio, where(q == V(0), copysign_of(V(0), ratio), nearest));
}
template <Floating T, int N>
HWARO_INLINE Vec<T, N> trunc_divide_of(Vec<T, N> a, Vec<T, N> b) {
  return trunc(a / b);
}

// ---- sums in the log domain ----
// Equal infinities would give inf - inf.
template <Floating T, int N>
HWARO_INLINE Vec<T, N> logaddexp_of(Vec<T, N> a, Vec<T, N> b) {
  using V = Vec<T, N>;
  const V m = maximum_of(a, b);
  return where(isinf(a) & (a == b), a, m + log1p(exp(-abs(a - b))));
}
template <Floating T, int N>
HWARO_INLINE Vec<T, N> logaddexp2_of(Vec<T, N> a, Vec<T, N> b) {
  using V = Vec<T, N>;
  const V m = maximum_of(a, b);
  return where(isinf(a) & (a == b), a, m + log1p(exp2(-abs(a - b))) * V(LogBase<T>::kLog2E));
}
// 0 where x is 0, whatever the logarithm; NaN where y is NaN.
template <Floating T, int N>
HWARO_INLINE Vec<T, N> xlogy_of(Vec<T, N> x, Vec<T, N> y) {
  using V = Vec<T, N>;
  return where(isnan(y), y, where(x == V(0), V(0), x * log(y)));
}
template <Floating T, int N>
HWARO_INLINE Vec<T, N> xlog1py_of(Vec<T, N> x, Vec<T, N> y) {
  using V = Vec<T, N>;
  return where(isnan(y), y, where(x == V(0), V(0), x * log1p(y)));
}

// The neighbour of a towards b, by stepping the bits.
template <Floating T, int N>
HWARO_INLINE Vec<T, N> nextafter_of(Vec<T, N> a, Vec<T, N> b) {
  using V = Vec<T, N>;
  using I = typename V::Ints;
  using S = native::SignedLike<T>;
  const auto away = (b > a) ^ signbit(a);
  const I step = away.v ? I{} + S(1) : I{} - S(1);
  const V moved = V::from_raw((typename V::Raw)((typename V::Bits)a.v + (typename V::Bits)step));  // -0.0 wraps around
  const V from_zero = copysign_of(V::from_raw((typename V::Raw)(I{} + S(1))), b);
  V r = where(a == V(0), from_zero, moved);
  r = where(a == b, b, r);
  return where(isnan(a) | isnan(b), a + b, r);
}

}  // namespace HWARO_ISA
}  // namespace hwaro
