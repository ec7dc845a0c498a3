// A Python-like number: bool, int, float or complex.
#pragma once

#include <cmath>
#include <cstdint>
#include <type_traits>

#include "hwaro/core/dtype.h"

namespace hwaro {

class Scalar {
 public:
  // None: an optional argument that was not given (Scalar? x=None).
  enum class Kind : std::uint8_t { Bool, Int, Float, Complex, None };
  static constexpr Scalar none() {
    Scalar s;
    s.kind_ = Kind::None;
    return s;
  }

  constexpr Scalar() : Scalar(0) {}
  template <class T>
    requires std::is_arithmetic_v<T>
  constexpr Scalar(T v) {  // NOLINT: numbers convert implicitly, as in formulas
    if constexpr (std::is_same_v<T, bool>) {
      kind_ = Kind::Bool;
      int_ = v;
      re_ = v;
    } else if constexpr (std::is_integral_v<T>) {
      kind_ = Kind::Int;
      int_ = static_cast<std::int64_t>(v);
      re_ = static_cast<double>(v);
    } else {
      kind_ = Kind::Float;
      re_ = static_cast<double>(v);
    }
  }
  constexpr Scalar(Complex<double> v) : kind_(Kind::Complex), re_(v.re), im_(v.im) {}                 // NOLINT
  constexpr Scalar(Complex<float> v) : kind_(Kind::Complex), re_(double(v.re)), im_(double(v.im)) {}  // NOLINT
  Scalar(Half v) : Scalar(float(v)) {}                                                                // NOLINT
  Scalar(BFloat16 v) : Scalar(float(v)) {}                                                            // NOLINT

  constexpr Kind kind() const { return kind_; }
  constexpr bool is_bool() const { return kind_ == Kind::Bool; }
  constexpr bool is_integral(bool include_bool = false) const {
    return kind_ == Kind::Int || (include_bool && is_bool());
  }
  constexpr bool is_floating() const { return kind_ == Kind::Float; }
  constexpr bool is_none() const { return kind_ == Kind::None; }
  constexpr bool is_complex() const { return kind_ == Kind::Complex; }

  constexpr double re() const { return re_; }
  constexpr double im() const { return im_; }
  // The integer, or the whole part. Errors: RuntimeError where int64 does not hold it.
  std::int64_t to_int() const {
    if (kind_ <= Kind::Int) return int_;
    HWARO_CHECK(fits_int(), "value cannot be converted to type int64_t without overflow");
    return static_cast<std::int64_t>(re_);
  }
  constexpr bool fits_int() const { return kind_ <= Kind::Int || (re_ >= -0x1p63 && re_ < 0x1p63); }
  constexpr double to_double() const { return re_; }
  constexpr bool to_bool() const { return kind_ <= Kind::Int ? int_ != 0 : (re_ != 0 || im_ != 0); }

  // The category's own type in promotion: bool, int64, the default float, or its complex counterpart.
  DType dtype() const {
    switch (kind_) {
      case Kind::Bool: return DType::Bool;
      case Kind::Int: return DType::Int64;
      case Kind::Float: return default_dtype();
      default: return to_complex(default_dtype());
    }
  }
  // The element of type T. Integers wrap; the caller has checked ranges where PyTorch does.
  template <class T>
  T to() const {
    if constexpr (std::is_same_v<T, bool>) return to_bool();
    else if constexpr (std::is_integral_v<T>) return static_cast<T>(to_int());
    else if constexpr (std::is_floating_point_v<T>) return static_cast<T>(re_);
    else if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) return T(static_cast<float>(re_));
    else return T{static_cast<decltype(T::re)>(re_), static_cast<decltype(T::re)>(im_)};
  }

 private:
  Kind kind_ = Kind::Int;
  std::int64_t int_ = 0;  // exact value of Bool and Int
  double re_ = 0, im_ = 0;
};

}  // namespace hwaro
