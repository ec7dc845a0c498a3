// erf, erfc, erfinv, lgamma, digamma.
// erf in float: eight segments of |x| < 4, each a polynomial for erf(x) / x whose coefficients are picked by a register
// permutation. Otherwise erf is x P(x^2) inside and 1 - erfc outside, with erfc = e^(-x^2) Q(t) / (1 + 2x),
// t = (x - k) / (x + k). erfinv starts from a polynomial in -log(1 - x^2) (Giles 2012); double takes a Halley step.
// digamma climbs to x >= 8 by the recurrence, gathered into one quotient, then takes the asymptotic series.
#pragma once

#include <math.h>

#include "hwaro/math/power.h"
#include "hwaro/math/trigonometric.h"

namespace hwaro {
inline namespace HWARO_ISA {

// table[index & 7] in every lane.
template <int N>
HWARO_INLINE Vec<float, N> lookup8(const float* table, native::Raw<std::uint32_t, N> index) {
  using V = Vec<float, N>;
#if defined(__AVX512F__)
  if constexpr (N == 16) {
    const __m512 both = _mm512_maskz_broadcast_f32x8(native::kAllLanes, _mm256_loadu_ps(table));
    return V::from_raw((typename V::Raw)_mm512_maskz_permutexvar_ps(native::kAllLanes, (__m512i)index, both));
  }
#endif
#if defined(__AVX2__)
  if constexpr (N == 8) {
    return V::from_raw((typename V::Raw)_mm256_permutevar8x32_ps(_mm256_loadu_ps(table), (__m256i)index));
  }
#endif
  typename V::Raw out;
  for (int i = 0; i < N; ++i) out[i] = table[index[i] & 7];
  return V::from_raw(out);
}

// Segment k is centred at k / 1.875; rows are powers of t = 1.875 x - k, the first one in two parts.
alignas(32) inline constexpr float kErfSegments[8][8] = {
    {1.12837923f, 1.02993608f, 0.814286232f, 0.61021775f, 0.467553288f, 0.374939084f, 0.312498122f, 0.267857105f},
    {-5.98346332e-08f, -3.91364203e-08f, -9.73387704e-10f, -1.03561009e-08f, -2.66942446e-09f, 6.31146413e-10f,
     -5.49253842e-09f, 3.66488084e-09f},
    {0.0f, -0.180907056f, -0.226303205f, -0.174329624f, -0.11391066f, -0.0748036578f, -0.0520763025f, -0.0382651575f},
    {-0.106986918f, -0.0605942234f, 0.0102735842f, 0.0332980379f, 0.0250897929f, 0.0146988314f, 0.00866792072f,
     0.00546616688f},
    {0.0f, 0.0258828457f, 0.0167364571f, 0.000261001813f, -0.00398555771f, -0.00270922855f, -0.00143226818f,
     -0.000780525035f},
    {0.00912676193f, 0.00194411585f, -0.00483206287f, -0.00258036796f, 1.59062547e-05f, 0.000402484962f,
     0.000229219178f, 0.0001111729f},
    {0.0f, -0.00209520664f, -0.000270934543f, 0.00072544557f, 0.000251312304f, -1.83666307e-05f, -3.26378395e-05f,
     -1.56889873e-05f},
    {-0.000600875181f, 5.45878975e-05f, 0.000356129167f, -2.10297603e-05f, -8.1366059e-05f, -1.39060412e-05f,
     3.01204659e-06f, 2.08775896e-06f}};

template <int N>
HWARO_INLINE Vec<float, N> erf(Vec<float, N> x) {
  using V = Vec<float, N>;
  using B = typename V::Bits;
  const V a = at_most(abs(x), 3.98f), magic(0x1.8p23f);
  const V sum = mul_add_of(a, V(1.875f), magic), t = mul_add_of(a, V(1.875f), magic - sum);
  const B k = (B)sum.v;
  V p = lookup8<N>(kErfSegments[7], k);
  for (int row = 6; row >= 1; --row) p = mul_add_of(p, t, lookup8<N>(kErfSegments[row], k));
  const V y = mul_add_of(a, lookup8<N>(kErfSegments[0], k), a * p);
  return copysign_of(at_most(y, 1.0f), x);
}

// erfc(a) for a >= 0 in double lanes, about 2^-30: enough for float.
template <int N>
HWARO_INLINE Vec<double, N> short_erfc(Vec<double, N> a) {
  using V = Vec<double, N>;
  const V b = at_most(a, 20.0);
  const V t = (b - V(3)) / (b + V(3));
  const V q = poly(t, V(1.2530080590583732), -0.13562111166151972, -0.04756239638946952, 0.1296453619749992,
                   -0.11927144366136176, 0.06830668082419661, -0.023788255597234634, 0.002526129829202081,
                   0.001948552232429221, -0.000736245317238205, -0.0001760862743668712, 3.7614404373576686e-05);
  return short_exp2(b * b * V(-1.44269504088896340736)) * q / (V(1) + b + b);
}
template <int N>
HWARO_INLINE Vec<float, N> erfc(Vec<float, N> x) {
  return through_double(
      [](auto v) {
        using D = decltype(v);
        const D y = short_erfc(abs(v));
        return where(signbit(v), D(2) - y, y);
      },
      x);
}

template <class V>
struct ErfParts {
  V inner;  // erf x for |x| <= 0.85
  V outer;  // erfc |x|
};
template <int N>
HWARO_INLINE ErfParts<Vec<double, N>> erf_parts(Vec<double, N> x) {
  using V = Vec<double, N>;
  const V z = x * x;
  const V inner =
      x * poly(z, V(1.1283791670955126), -0.37612638903183754, 0.11283791670954658, -0.026866170645011386,
               0.005223977623852213, -0.0008548326898740972, 0.00012055326765993567, -1.4925445815651182e-05,
               1.6457605746427113e-06, -1.6299768609248376e-07, 1.4185356241742045e-08, -8.826590536821817e-10);
  const V a = at_most(abs(x), 28.0);
  const V t = (a - V(4)) / (a + V(4));
  const V q = poly(t, V(1.2329951186255526), -0.13962111684056253, 0.015379652102619622, 0.06809705425469532,
                   -0.10103906603629773, 0.09373283499825626, -0.06633036581236006, 0.03716751553897762,
                   -0.016197734056208158, 0.005031969964883469, -0.0007577732992426644, -0.00019925662551854438,
                   0.00015062172348049218, -2.439944226329271e-05, -1.1222183041614767e-05, 5.710196836932621e-06,
                   2.941618658683062e-07, -8.259665398811572e-07, 7.410527562013002e-08, 1.10332948973269e-07,
                   -1.746962691262327e-08, -1.4070562719326582e-08, 1.6772660691433066e-09, 1.198131462099728e-09);
  // e^(-a^2) with the square in two parts; scaled last, so that subnormal results round once.
  const auto square = two_product(a, a);
  const auto e = exp_reduce(-square.hi);
  const V r = e.r - square.lo;
  const V p = mul_add_of(r, mul_add_of(r, exp_tail(r), V(1)), V(1));
  return {inner, scale_by_power(p * (q / (V(1) + a + a)), e.k)};
}
template <int N>
HWARO_INLINE Vec<double, N> erf(Vec<double, N> x) {
  using V = Vec<double, N>;
  const auto p = erf_parts(x);
  return where(abs(x) < V(0.85), p.inner, copysign_of(V(1) - p.outer, x));
}
template <int N>
HWARO_INLINE Vec<double, N> erfc(Vec<double, N> x) {
  using V = Vec<double, N>;
  const auto p = erf_parts(x);
  return where(abs(x) < V(0.5), V(1) - p.inner, where(signbit(x), V(2) - p.outer, p.outer));
}

// x g(w), w = -log(1 - x^2): about 2^-28 for w < 37.
template <int N>
HWARO_INLINE Vec<double, N> erfinv_start(Vec<double, N> x) {
  using V = Vec<double, N>;
  const auto [f, e] = log_reduce((V(1) - x) * (V(1) + x));
  const V w = short_log2(f, e) * V(-0.6931471805599453), u = w - V(3), s = sqrt(w) - V(4);
  const V central = poly(u, V(1.623542006611171), 0.24163040097562166, -0.005738136991363374, -0.0008361723331755345,
                         0.00019506442226192394, -1.27245005070401e-05, -1.749899782910114e-06, 4.5300686569084003e-07,
                         -2.3165276020145297e-08, -6.037431736709115e-09, 1.0416787518229968e-09,
                         2.4595582092054575e-11, -1.3486359114291036e-11);
  const V tail = poly(s, V(3.839783800147571), 1.0094931840827799, 0.0012597425098723628, -0.0008682355738399122,
                      0.00032150418847977656, -0.00012031536571814109, 5.479586229019426e-05, -2.8982941560821855e-05,
                      1.903345050042202e-05, -1.1538341172560444e-05, 3.30332269895952e-06, 5.855259410009538e-07,
                      -5.855006456034172e-07, 9.891420931827915e-08);
  return x * where(w < V(6.2), central, tail);
}
template <Floating T, int N>
HWARO_INLINE Vec<T, N> erfinv(Vec<T, N> x) {
  using V = Vec<T, N>;
  const V a = abs(x);
  V y;
  if constexpr (native::kSame<T, float>) {
    y = through_double([](auto v) { return erfinv_start(v); }, x);
  } else {
    const V y0 = erfinv_start(a);
    const auto p = erf_parts(y0);
    // erf y0 - a without cancellation on either side.
    const V error = where(y0 < V(0.5), p.inner - a, (V(1) - a) - p.outer);
    const V step = error * V(0.886226925452758) * exp(y0 * y0);
    y = copysign_of(y0 - step / (V(1) + y0 * step), x);
  }
  y = where(a == V(1), copysign_of(V(FloatTraits<T>::kInfinity), x), y);
  return where(a <= V(1), y, V(FloatTraits<T>::kNaN));
}

// ---- gamma ----

template <class T>
HWARO_INLINE T scalar_lgamma(T x) {
  int sign;  // the reentrant form: lgamma itself writes a global
  return static_cast<T>(::lgamma_r(static_cast<double>(x), &sign));
}
// log Gamma(x) for x > 0 in double lanes, absolute error about 1e-15: enough for float. Stirling's series at x + 8.
template <int N>
HWARO_INLINE Vec<double, N> short_lgamma(Vec<double, N> x) {
  using V = Vec<double, N>;
  const auto small = x < V(8);
  const V a = where(small, x, V(1));
  const V product = a * (a + V(1)) * (a + V(2)) * (a + V(3)) * (a + V(4)) * (a + V(5)) * (a + V(6)) * (a + V(7));
  const V z = where(small, x + V(8), x), inverse = V(1) / z;
  const V series = inverse * poly(inverse * inverse, V(1.0 / 12), -1.0 / 360, 1.0 / 1260, -1.0 / 1680, 1.0 / 1188,
                                  -691.0 / 360360, 1.0 / 156);
  const V stirling = (z - V(0.5)) * log(z) - z + V(0.91893853320467274178) + series;
  return where(small, stirling - log(product), stirling);
}
template <Floating T, int N>
HWARO_INLINE Vec<T, N> lgamma(Vec<T, N> x) {
  using V = Vec<T, N>;
  if constexpr (native::kSame<T, float>) {
    V y = through_double([](auto v) { return short_lgamma(v); }, at_most(x, 1e37f));
    y = where((x == V(1)) | (x == V(2)), V(0), y);
    return patch_lanes(!((x > V(0)) & (x < V(1e37f))), y, [](T v) { return scalar_lgamma(v); }, x);
  } else {
    return patch_lanes(Mask<T, N>(true), x, [](T v) { return scalar_lgamma(v); }, x);
  }
}

template <Floating T, int N>
HWARO_INLINE Vec<T, N> digamma_positive(Vec<T, N> x) {
  using V = Vec<T, N>;
  // 1/x + 1/(x + 1) + … + 1/(x + 7) as one quotient.
  const auto small = x < V(8);
  const V a = where(small, x, V(1));
  V num(1), den = a;
  for (int i = 1; i < 8; ++i) {
    const V next = a + V(i);
    num = mul_add_of(num, next, den);
    den = den * next;
  }
  const V z = where(small, x + V(8), x), inverse = V(1) / z;
  const V square = inverse * inverse;
  const V series = square * poly(square, V(1.0 / 12), -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132, -691.0 / 32760,
                                 1.0 / 12, -3617.0 / 8160, 43867.0 / 14364);
  const V y = log(z) - V(0.5) * inverse - series;
  return where(small, y - num / den, y);
}
// psi(1 - x) - pi / tan(pi x) left of zero; NaN at negative integers, infinity with the opposite sign at zero.
template <Floating T, int N>
HWARO_INLINE Vec<T, N> digamma(Vec<T, N> x) {
  using V = Vec<T, N>;
  if constexpr (native::kSame<T, float>) {
    return through_double([](auto v) { return digamma(v); }, x);
  } else {
    const auto left = !(x > V(0));
    V y = digamma_positive(where(left, V(1) - x, x));
    if (left.any()) [[unlikely]] {
      const V r = x - round(x);
      V reflected = y - V(PiConstants<T>::kPi) / tan(r * V(PiConstants<T>::kPi));
      reflected = where((r == V(0)) | (x < V(-0x1p52)), V(FloatTraits<T>::kNaN), reflected);
      reflected = where(x == V(0), copysign_of(V(FloatTraits<T>::kInfinity), -x), reflected);
      y = where(left, reflected, y);
    }
    return y;
  }
}

}  // namespace HWARO_ISA
}  // namespace hwaro
