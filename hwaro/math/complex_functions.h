// Elementary functions of Complex<Vec>; included by complex.h.
#pragma once

#include "hwaro/math/complex.h"

namespace hwaro {

// The square root with non-negative real part, continuous from the side that the sign of a zero imaginary part says.
template <class T>
HWARO_COMPLEX_INLINE Complex<T> sqrt(Complex<T> z) {
  const T x = abs(z.re), half_root = sqrt(T(0.5) * x + T(0.5) * abs(z));
  const T other = where(half_root == T(0), z.im, z.im / (half_root + half_root));
  const auto left = z.re < T(0);
  const T re = where(left, abs(other), half_root), im = where(left, copysign(half_root, z.im), other);
  const auto infinite = isinf(z.im);
  return {where(infinite, abs(z.im), re), where(infinite, z.im, im)};
}
template <class T>
HWARO_COMPLEX_INLINE Complex<T> rsqrt(Complex<T> z) {
  return reciprocal(sqrt(z));
}

template <class T>
HWARO_COMPLEX_INLINE Complex<T> exp(Complex<T> z) {
  const auto turn = sincos(z.im);
  const T size = exp(z.re);
  T re = size * turn.cos, im = size * turn.sin;
  // The product may be finite where e^x alone overflows.
  const auto overflow = isinf(size) & isfinite(z.re);
  if (any(overflow)) {
    const T root = exp(T(0.5) * z.re);
    re = where(overflow, root * turn.cos * root, re);
    im = where(overflow, root * turn.sin * root, im);
  }
  const auto infinite = isinf(z.re), lost = infinite & !isfinite(z.im);
  re = where(lost, size, re);  // inf or 0, whatever the angle
  im = where((infinite & (z.re < T(0))) & !isfinite(z.im), T(0), im);
  return {re, where(z.im == T(0), z.im, im)};
}
template <class T>
HWARO_COMPLEX_INLINE Complex<T> exp2(Complex<T> z) {
  return exp(z * T(0.69314718055994530942));
}
// e^z - 1 = (e^x - 1) cos y - 2 sin^2(y / 2) + i e^x sin y
template <class T>
HWARO_COMPLEX_INLINE Complex<T> expm1(Complex<T> z) {
  const auto turn = sincos(z.im);
  const T half = sin(T(0.5) * z.im);
  const T re = expm1(z.re) * turn.cos - T(2) * half * half, im = exp(z.re) * turn.sin;
  return {re, where(z.im == T(0), z.im, im)};
}

// log |z| without cancellation where |z| is near 1.
template <class T>
HWARO_COMPLEX_INLINE T log_abs(Complex<T> z) {
  const T x = abs(z.re), y = abs(z.im), size = abs(z);
  const auto swap = x < y;
  const T a = where(swap, y, x), b = where(swap, x, y);
  const T near = T(0.5) * log1p(mul_add(a - T(1), a + T(1), b * b));
  T r = where((size > T(0.5)) & (size < T(2)), near, log(size));
  const auto overflow = isinf(size) & isfinite(a);
  if (any(overflow)) {
    const T scaled = log(hypot(T(0.25) * x, T(0.25) * y)) + T(1.38629436111989061883);
    r = where(overflow, scaled, r);
  }
  return r;
}
template <class T>
HWARO_COMPLEX_INLINE Complex<T> log(Complex<T> z) {
  return {log_abs(z), arg(z)};
}
template <class T>
HWARO_COMPLEX_INLINE Complex<T> log2(Complex<T> z) {
  return log(z) * T(1.44269504088896340736);
}
template <class T>
HWARO_COMPLEX_INLINE Complex<T> log10(Complex<T> z) {
  return log(z) * T(0.43429448190325182765);
}
template <class T>
HWARO_COMPLEX_INLINE Complex<T> log1p(Complex<T> z) {
  const Complex<T> one_more{z.re + T(1), z.im};
  const auto small = (abs(z.re) < T(0.5)) & (abs(z.im) < T(1));
  const T near = T(0.5) * log1p(mul_add(z.re, z.re + T(2), z.im * z.im));
  const T re = where(small, near, log_abs(one_more));
  return {where((z.re == T(0)) & (z.im == T(0)), z.re, re), arg(one_more)};
}
template <class T>
HWARO_COMPLEX_INLINE Complex<T> power(Complex<T> a, Complex<T> b) {
  return exp(b * log(a));
}

// sinh z = sinh x cos y + i cosh x sin y; a zero part stays zero against an infinite other one.
template <class T>
HWARO_COMPLEX_INLINE Complex<T> sinh(Complex<T> z) {
  const auto turn = sincos(z.im);
  const T re = sinh(z.re) * turn.cos, im = cosh(z.re) * turn.sin;
  const auto lost = isinf(z.re) & !isfinite(z.im);
  return {where((z.re == T(0)) | lost, z.re, re), where(z.im == T(0), z.im, im)};
}
template <class T>
HWARO_COMPLEX_INLINE Complex<T> cosh(Complex<T> z) {
  const auto turn = sincos(z.im);
  const T re = cosh(z.re) * turn.cos, im = sinh(z.re) * turn.sin;
  const T zero = copysign(T(0), z.re) * copysign(T(1), z.im);
  const auto lost = isinf(z.re) & !isfinite(z.im);
  return {where(lost, abs(z.re), re), where((z.re == T(0)) | (z.im == T(0)), zero, im)};
}
// Kahan's tanh: with t = tan y, s = sinh x, the quotient (b r s + i t) / (1 + b s^2), b = 1 + t^2, r = cosh x.
template <class T>
HWARO_COMPLEX_INLINE Complex<T> tanh(Complex<T> z) {
  constexpr double far = sizeof(typename T::Lane) == 4 ? 11.0 : 22.0;
  const T x = z.re, t = tan(z.im), s = sinh(x), b = T(1) + t * t, r = sqrt(T(1) + s * s);
  const T den = T(1) + b * s * s;
  T re = b * r * s / den, im = t / den;
  const auto large = abs(x) > T(far);
  if (any(large)) {
    const auto turn = sincos(z.im);
    const T decay = exp(T(-2) * abs(x)), tail = T(4) * turn.sin * turn.cos * decay;
    re = where(large, copysign(T(1), x), re);
    im = where(large, where(decay == T(0), copysign(T(0), turn.sin * turn.cos), tail), im);
  }
  return {where(x == T(0), x, re), where(z.im == T(0), z.im, im)};
}
template <class T>
HWARO_COMPLEX_INLINE Complex<T> sin(Complex<T> z) {
  return times_minus_i(sinh(times_i(z)));
}
template <class T>
HWARO_COMPLEX_INLINE Complex<T> cos(Complex<T> z) {
  return cosh(times_i(z));
}
template <class T>
HWARO_COMPLEX_INLINE Complex<T> tan(Complex<T> z) {
  return times_minus_i(tanh(times_i(z)));
}

template <class T>
HWARO_COMPLEX_INLINE Complex<T> asin(Complex<T> z) {
  const Complex<T> a = sqrt(Complex<T>{T(1) - z.re, -z.im}), b = sqrt(Complex<T>{T(1) + z.re, z.im});
  const T re = atan2(z.re, a.re * b.re - a.im * b.im), im = asinh(a.re * b.im - a.im * b.re);
  const auto infinite = isinf(z.re) | isinf(z.im);
  const T limit = copysign(T(__builtin_inf()), z.im);
  return {where(infinite, atan2(z.re, abs(z.im)), re), where(infinite, limit, im)};
}
template <class T>
HWARO_COMPLEX_INLINE Complex<T> acos(Complex<T> z) {
  const Complex<T> a = sqrt(Complex<T>{T(1) - z.re, -z.im}), b = sqrt(Complex<T>{T(1) + z.re, z.im});
  const T re = T(2) * atan2(a.re, b.re), im = asinh(b.re * a.im - b.im * a.re);
  const auto infinite = isinf(z.re) | isinf(z.im);
  const T limit = copysign(T(__builtin_inf()), -z.im);
  return {where(infinite, atan2(abs(z.im), z.re), re), where(infinite, limit, im)};
}
template <class T>
HWARO_COMPLEX_INLINE Complex<T> acosh(Complex<T> z) {
  const Complex<T> a = sqrt(Complex<T>{z.re - T(1), z.im}), b = sqrt(Complex<T>{z.re + T(1), z.im});
  const T re = asinh(a.re * b.re + a.im * b.im), im = T(2) * atan2(a.im, b.re);
  const auto infinite = isinf(z.re) | isinf(z.im);
  return {where(infinite, T(__builtin_inf()), re), where(infinite, atan2(z.im, z.re), im)};
}
template <class T>
HWARO_COMPLEX_INLINE Complex<T> asinh(Complex<T> z) {
  return times_i(asin(times_minus_i(z)));
}
template <class T>
HWARO_COMPLEX_INLINE Complex<T> atanh(Complex<T> z) {
  const T x = abs(z.re), y = z.im, left = T(1) - x;
  const T re = T(0.25) * log1p(T(4) * x / (left * left + y * y));
  const T im = T(0.5) * atan2(T(2) * y, left * (T(1) + x) - y * y);
  const auto infinite = isinf(x) | isinf(y);
  const T quarter_turn = copysign(T(1.57079632679489661923), y);
  return {copysign(where(infinite, T(0), re), z.re), where(infinite, quarter_turn, im)};
}
template <class T>
HWARO_COMPLEX_INLINE Complex<T> atan(Complex<T> z) {
  return times_minus_i(atanh(times_i(z)));
}

template <class T>
HWARO_COMPLEX_INLINE Complex<T> sigmoid(Complex<T> z) {
  return reciprocal(Complex<T>(1) + exp(-z));
}
template <class T>
HWARO_COMPLEX_INLINE Complex<T> log_sigmoid(Complex<T> z) {
  return -log1p(exp(-z));
}

}  // namespace hwaro
