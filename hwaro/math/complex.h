// Complex<T>: storage with T = float or double, and a vector of complex numbers with T = Vec<float> or Vec<double>.
// The functions are templates that reach the real ones by argument-dependent lookup, so they need a vector type (the
// scalar is Complex<Vec<T, 1>>). Products and quotients follow PyTorch: no recovery of infinities in a product, Smith's
// scaling in a quotient. Branch cuts, signs of zero and the inverse functions follow Kahan, "Branch Cuts for Complex
// Elementary Functions" (1987). Comparisons other than == and != do not exist, so real-only formulas do not compile.
#pragma once

#include <type_traits>

namespace hwaro {

#define HWARO_COMPLEX_INLINE [[gnu::always_inline]] inline

template <class T>
struct Complex {
  T re, im;

  constexpr Complex() = default;
  [[gnu::always_inline]] constexpr Complex(T real, T imag) : re(real), im(imag) {}
  [[gnu::always_inline]] constexpr Complex(T real) : re(real), im(T(0)) {}  // NOLINT: a real number converts
  template <class A>
    requires(std::is_arithmetic_v<A> && !std::is_same_v<A, T>)
  [[gnu::always_inline]] constexpr Complex(A real) : re(T(real)), im(T(0)) {}  // NOLINT: literals convert

  [[gnu::always_inline]] constexpr T real() const { return re; }
  [[gnu::always_inline]] constexpr T imag() const { return im; }

  HWARO_COMPLEX_INLINE friend constexpr Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
  HWARO_COMPLEX_INLINE friend constexpr Complex operator-(Complex a, Complex b) { return {a.re - b.re, a.im - b.im}; }
  HWARO_COMPLEX_INLINE friend constexpr Complex operator*(Complex a, Complex b) {
    return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
  }
  HWARO_COMPLEX_INLINE friend constexpr Complex operator/(Complex a, Complex b) { return divide(a, b); }
  HWARO_COMPLEX_INLINE friend constexpr Complex operator-(Complex a) { return {-a.re, -a.im}; }
  HWARO_COMPLEX_INLINE friend constexpr Complex operator+(Complex a) { return a; }

  // A real factor scales both parts.
  template <class A>
    requires(std::is_same_v<A, T> || std::is_arithmetic_v<A>)
  HWARO_COMPLEX_INLINE friend constexpr Complex operator*(Complex a, A b) {
    return {a.re * T(b), a.im * T(b)};
  }
  template <class A>
    requires(std::is_same_v<A, T> || std::is_arithmetic_v<A>)
  HWARO_COMPLEX_INLINE friend constexpr Complex operator*(A a, Complex b) {
    return {T(a) * b.re, T(a) * b.im};
  }
  template <class A>
    requires(std::is_same_v<A, T> || std::is_arithmetic_v<A>)
  HWARO_COMPLEX_INLINE friend constexpr Complex operator/(Complex a, A b) {
    return {a.re / T(b), a.im / T(b)};
  }

  HWARO_COMPLEX_INLINE constexpr Complex& operator+=(Complex b) { return *this = *this + b; }
  HWARO_COMPLEX_INLINE constexpr Complex& operator-=(Complex b) { return *this = *this - b; }
  HWARO_COMPLEX_INLINE constexpr Complex& operator*=(Complex b) { return *this = *this * b; }
  HWARO_COMPLEX_INLINE constexpr Complex& operator/=(Complex b) { return *this = *this / b; }

  HWARO_COMPLEX_INLINE friend constexpr auto operator==(Complex a, Complex b) {
    return (a.re == b.re) && (a.im == b.im);
  }
  HWARO_COMPLEX_INLINE friend constexpr auto operator!=(Complex a, Complex b) {
    return (a.re != b.re) || (a.im != b.im);
  }

  template <class M>
  HWARO_COMPLEX_INLINE friend constexpr Complex where(M mask, Complex a, Complex b) {
    return {where(mask, a.re, b.re), where(mask, a.im, b.im)};
  }
  HWARO_COMPLEX_INLINE friend constexpr Complex pow(Complex a, Complex b) { return power(a, b); }
  HWARO_COMPLEX_INLINE friend constexpr Complex mul_add(Complex a, Complex b, Complex c) { return a * b + c; }
  HWARO_COMPLEX_INLINE friend constexpr Complex fma(Complex a, Complex b, Complex c) { return a * b + c; }
  HWARO_COMPLEX_INLINE friend constexpr Complex xlogy(Complex a, Complex b) {
    return where(isnan(b), b, where(a == Complex(0), Complex(0), a * log(b)));
  }
};

template <class T>
HWARO_COMPLEX_INLINE constexpr Complex<T> divide(Complex<T> a, Complex<T> b) {
  if constexpr (std::is_arithmetic_v<T>) {
    const T c = b.re < 0 ? -b.re : b.re, d = b.im < 0 ? -b.im : b.im;
    if (c >= d) {
      if (c == 0 && d == 0) return {a.re / c, a.im / c};
      const T ratio = b.im / b.re, den = b.re + b.im * ratio;
      return {(a.re + a.im * ratio) / den, (a.im - a.re * ratio) / den};
    }
    const T ratio = b.re / b.im, den = b.re * ratio + b.im;
    return {(a.re * ratio + a.im) / den, (a.im * ratio - a.re) / den};
  } else {
    const T c = abs(b.re), d = abs(b.im);
    const auto swap = c < d, zero = (c == T(0)) & (d == T(0));
    // a / b = (a.re - i a.im)* … : with the larger part of b as p, both cases are one formula up to a rotation.
    const T p = where(swap, b.im, b.re), q = where(swap, b.re, b.im);
    const T x = where(swap, a.im, a.re), y = where(swap, -a.re, a.im);
    const T q_signed = where(swap, -q, q);
    const T ratio = where(zero, T(0), q_signed / p), den = where(zero, c, p + q_signed * ratio);
    return {(x + y * ratio) / den, (y - x * ratio) / den};
  }
}

// i z and -i z, as exact rotations.
template <class T>
HWARO_COMPLEX_INLINE constexpr Complex<T> times_i(Complex<T> z) {
  return {-z.im, z.re};
}
template <class T>
HWARO_COMPLEX_INLINE constexpr Complex<T> times_minus_i(Complex<T> z) {
  return {z.im, -z.re};
}

template <class T>
HWARO_COMPLEX_INLINE constexpr T real(Complex<T> z) {
  return z.re;
}
template <class T>
HWARO_COMPLEX_INLINE constexpr T imag(Complex<T> z) {
  return z.im;
}
template <class T>
HWARO_COMPLEX_INLINE constexpr Complex<T> conj(Complex<T> z) {
  return {z.re, -z.im};
}
template <class T>
HWARO_COMPLEX_INLINE constexpr Complex<T> neg(Complex<T> z) {
  return -z;
}
template <class T>
HWARO_COMPLEX_INLINE constexpr Complex<T> positive(Complex<T> z) {
  return z;
}
template <class T>
HWARO_COMPLEX_INLINE T abs(Complex<T> z) {
  return hypot(z.re, z.im);
}
template <class T>
HWARO_COMPLEX_INLINE T arg(Complex<T> z) {
  return atan2(z.im, z.re);
}
template <class T>
HWARO_COMPLEX_INLINE auto isnan(Complex<T> z) {
  return isnan(z.re) || isnan(z.im);
}
template <class T>
HWARO_COMPLEX_INLINE auto isinf(Complex<T> z) {
  return isinf(z.re) || isinf(z.im);
}
template <class T>
HWARO_COMPLEX_INLINE auto isfinite(Complex<T> z) {
  return isfinite(z.re) && isfinite(z.im);
}

template <class T>
HWARO_COMPLEX_INLINE Complex<T> square(Complex<T> z) {
  return z * z;
}
template <class T>
HWARO_COMPLEX_INLINE Complex<T> reciprocal(Complex<T> z) {
  return divide(Complex<T>(1), z);
}
template <class T>
HWARO_COMPLEX_INLINE Complex<T> sgn(Complex<T> z) {
  const T size = abs(z);
  const auto zero = size == T(0);
  return {where(zero, T(0), z.re / size), where(zero, T(0), z.im / size)};
}

}  // namespace hwaro

#include "hwaro/math/complex_functions.h"
