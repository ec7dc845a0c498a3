// Words of the formula vocabulary that mean the same on lanes, complex lanes, usage masks and tensors.
#pragma once

#include "hwaro/math/complex.h"
#include "hwaro/math/math.h"
#include "hwaro/math/usage.h"
#include "hwaro/ops/vocabulary.h"

namespace hwaro {
inline namespace HWARO_ISA {

// Between two literals: numbers, not masks.
template <class T, int N, class A, class B>
  requires(std::is_arithmetic_v<A> && std::is_arithmetic_v<B>)
HWARO_INLINE Vec<T, N> where(Mask<T, N> mask, A a, B b) {
  return where(mask, Vec<T, N>(a), Vec<T, N>(b));
}

// Real part >= 0.
template <class T, int N>
HWARO_INLINE Mask<T, N> is_nonnegative(Vec<T, N> x) {
  return x >= Vec<T, N>(0);
}
template <class T, int N>
HWARO_INLINE Mask<T, N> is_nonnegative(const Complex<Vec<T, N>>& x) {
  return x.re >= Vec<T, N>(0);
}

// Zero, whatever x is, infinities and NaN included.
template <class T, int N>
HWARO_INLINE Vec<T, N> zero_like(Vec<T, N>) {
  return Vec<T, N>(0);
}
template <class T, int N>
HWARO_INLINE Complex<Vec<T, N>> zero_like(const Complex<Vec<T, N>>&) {
  return Complex<Vec<T, N>>(0);
}

// Quotients rounded down and towards zero, for gradients: recorded with zero gradients of their own.
template <class V>
HWARO_INLINE V quotient_floor(V a, V b) {
  return floor_divide(a, b);
}
template <class V>
HWARO_INLINE V quotient_trunc(V a, V b) {
  return trunc_divide(a, b);
}

// 1 / sqrt(x^2 - 1): by two roots where x is complex, which is right on the whole plane.
template <class T, int N>
HWARO_INLINE Vec<T, N> acosh_slope(Vec<T, N> x) {
  return rsqrt(x * x - 1);
}
template <class T, int N>
HWARO_INLINE Complex<Vec<T, N>> acosh_slope(const Complex<Vec<T, N>>& z) {
  return rsqrt(z - 1) * rsqrt(z + 1);
}

// The gradients of |z|, arg z and z / |z|, whose formulas differ between real and complex arguments.
template <class T, int N>
HWARO_INLINE Vec<T, N> angle_gradient(Vec<T, N> g, Vec<T, N>) {
  return zero_like(g);
}
template <class T, int N>
HWARO_INLINE Complex<Vec<T, N>> angle_gradient(const Complex<Vec<T, N>>& g, const Complex<Vec<T, N>>& z) {
  const Vec<T, N> scale = g.re / (z.re * z.re + z.im * z.im);
  return where((z.re == 0) & (z.im == 0), Complex<Vec<T, N>>(0), times_i(z) * scale);
}
template <class T, int N>
HWARO_INLINE Vec<T, N> sgn_gradient(Vec<T, N> g, Vec<T, N>, Vec<T, N>) {
  return zero_like(g);
}
template <class T, int N>
HWARO_INLINE Complex<Vec<T, N>> sgn_gradient(const Complex<Vec<T, N>>& g, const Complex<Vec<T, N>>& z,
                                             const Complex<Vec<T, N>>& y) {
  const Vec<T, N> along = g.re * y.re + g.im * y.im, size = abs(z);
  return where(size == 0, Complex<Vec<T, N>>(0), (g - y * along) / size);
}

template <class T, int N>
HWARO_INLINE Complex<Vec<T, N>> sinc(const Complex<Vec<T, N>>& z) {
  const Complex<Vec<T, N>> turned = z * Vec<T, N>(3.14159265358979323846);
  return where(z == 0, 1, sin(turned) / turned);
}
// log(e^a + e^b) from the operand with the larger real part.
template <class T, int N>
HWARO_INLINE Complex<Vec<T, N>> logaddexp(const Complex<Vec<T, N>>& a, const Complex<Vec<T, N>>& b) {
  const auto swap = a.re < b.re;
  const Complex<Vec<T, N>> high = where(swap, b, a), low = where(swap, a, b);
  const auto equal_infinities = isinf(a.re) & (a.re == b.re);
  return where(equal_infinities, a, high + log1p(exp(low - high)));
}
template <class T, int N>
HWARO_INLINE Mask<T, N> imaginary_is_zero(Vec<T, N>) {
  return Mask<T, N>(true);
}
template <class T, int N>
HWARO_INLINE Mask<T, N> imaginary_is_zero(const Complex<Vec<T, N>>& z) {
  return z.im == 0;
}

// NaN and the infinities replaced, in each part of a complex number.
template <class T, int N>
HWARO_INLINE Vec<T, N> replace_special(Vec<T, N> x, Vec<T, N> nan, Vec<T, N> top, Vec<T, N> bottom) {
  return where(isnan(x), nan, where(isinf(x), where(x > 0, top, bottom), x));
}
template <class T, int N>
HWARO_INLINE Complex<Vec<T, N>> replace_special(const Complex<Vec<T, N>>& z, const Complex<Vec<T, N>>& nan,
                                                const Complex<Vec<T, N>>& top, const Complex<Vec<T, N>>& bottom) {
  return {replace_special(z.re, nan.re, top.re, bottom.re), replace_special(z.im, nan.re, top.re, bottom.re)};
}

}  // namespace HWARO_ISA

template <unsigned M>
constexpr Uses<M> is_nonnegative(Uses<M>) {
  return {};
}
template <unsigned M>
constexpr Uses<M> acosh_slope(Uses<M>) {
  return {};
}
template <unsigned M>
constexpr Uses<0> zero_like(Uses<M>) {
  return {};
}
template <unsigned A, unsigned B>
constexpr Uses<A | B> quotient_floor(Uses<A>, Uses<B>) {
  return {};
}
template <unsigned A, unsigned B>
constexpr Uses<A | B> quotient_trunc(Uses<A>, Uses<B>) {
  return {};
}
template <unsigned A, unsigned B>
constexpr Uses<A | B> angle_gradient(Uses<A>, Uses<B>) {
  return {};
}
template <unsigned A, unsigned B, unsigned C>
constexpr Uses<A | B | C> sgn_gradient(Uses<A>, Uses<B>, Uses<C>) {
  return {};
}

namespace engine {

Tensor is_nonnegative(const Tensor& x);
Tensor zero_like(const Tensor& x);
Tensor acosh_slope(const Tensor& x);
Tensor quotient_floor(const Tensor& a, const Tensor& b);
Tensor quotient_trunc(const Tensor& a, const Tensor& b);
Tensor angle_gradient(const Tensor& g, const Tensor& z);
Tensor sgn_gradient(const Tensor& g, const Tensor& z, const Tensor& y);

}  // namespace engine

}  // namespace hwaro
