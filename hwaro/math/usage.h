// Uses<mask>: a stand-in for a value that only remembers which arguments it was computed from (bit i = argument i).
// Evaluating a formula on Uses<1>, Uses<2>, … at type level says which arguments the formula reads; that decides
// which tensors a backward pass saves. Literals read nothing.
#pragma once

#include <type_traits>

namespace hwaro {

template <unsigned M>
struct Uses {
  static constexpr unsigned mask = M;

  constexpr Uses() = default;
  template <class A>
    requires(std::is_arithmetic_v<A> && M == 0)
  constexpr Uses(A) {}  // NOLINT: literals convert
  // Parts of a complex value.
  constexpr Uses real() const { return {}; }
  constexpr Uses imag() const { return {}; }
};

namespace usage_detail {

template <class A>
inline constexpr bool kIsUses = false;
template <unsigned M>
inline constexpr bool kIsUses<Uses<M>> = true;
template <class A>
concept Operand = kIsUses<std::remove_cvref_t<A>> || std::is_arithmetic_v<std::remove_cvref_t<A>>;
template <class A>
inline constexpr unsigned kMaskOf = 0;
template <unsigned M>
inline constexpr unsigned kMaskOf<Uses<M>> = M;
template <class... As>
concept Operands = (Operand<As> && ...) && (kIsUses<std::remove_cvref_t<As>> || ...);
template <class... As>
using Union = Uses<(0u | ... | kMaskOf<std::remove_cvref_t<As>>)>;

}  // namespace usage_detail

#define HWARO_USES_1(name)          \
  template <unsigned M>             \
  constexpr Uses<M> name(Uses<M>) { \
    return {};                      \
  }
#define HWARO_USES_2(name)                         \
  template <class A, class B>                      \
    requires usage_detail::Operands<A, B>          \
  constexpr usage_detail::Union<A, B> name(A, B) { \
    return {};                                     \
  }
#define HWARO_USES_3(name)                               \
  template <class A, class B, class C>                   \
    requires usage_detail::Operands<A, B, C>             \
  constexpr usage_detail::Union<A, B, C> name(A, B, C) { \
    return {};                                           \
  }

HWARO_USES_1(operator-)
HWARO_USES_1(operator+)
HWARO_USES_1(operator~)
HWARO_USES_1(operator!)
HWARO_USES_2(operator+)
HWARO_USES_2(operator-)
HWARO_USES_2(operator*)
HWARO_USES_2(operator/)
HWARO_USES_2(operator&)
HWARO_USES_2(operator|)
HWARO_USES_2(operator^)
HWARO_USES_2(operator&&)
HWARO_USES_2(operator||)
HWARO_USES_2(operator<<)
HWARO_USES_2(operator>>)
HWARO_USES_2(operator==)
HWARO_USES_2(operator!=)
HWARO_USES_2(operator<)
HWARO_USES_2(operator<=)
HWARO_USES_2(operator>)
HWARO_USES_2(operator>=)

HWARO_USES_1(abs)
HWARO_USES_1(neg)
HWARO_USES_1(positive)
HWARO_USES_1(sign)
HWARO_USES_1(sgn)
HWARO_USES_1(signbit)
HWARO_USES_1(isnan)
HWARO_USES_1(isinf)
HWARO_USES_1(isfinite)
HWARO_USES_1(sqrt)
HWARO_USES_1(rsqrt)
HWARO_USES_1(reciprocal)
HWARO_USES_1(square)
HWARO_USES_1(floor)
HWARO_USES_1(ceil)
HWARO_USES_1(round)
HWARO_USES_1(trunc)
HWARO_USES_1(frac)
HWARO_USES_1(exp)
HWARO_USES_1(exp2)
HWARO_USES_1(expm1)
HWARO_USES_1(log)
HWARO_USES_1(log2)
HWARO_USES_1(log10)
HWARO_USES_1(log1p)
HWARO_USES_1(sin)
HWARO_USES_1(cos)
HWARO_USES_1(tan)
HWARO_USES_1(asin)
HWARO_USES_1(acos)
HWARO_USES_1(atan)
HWARO_USES_1(sinh)
HWARO_USES_1(cosh)
HWARO_USES_1(tanh)
HWARO_USES_1(asinh)
HWARO_USES_1(acosh)
HWARO_USES_1(atanh)
HWARO_USES_1(sinc)
HWARO_USES_1(sigmoid)
HWARO_USES_1(log_sigmoid)
HWARO_USES_1(erf)
HWARO_USES_1(erfc)
HWARO_USES_1(erfinv)
HWARO_USES_1(lgamma)
HWARO_USES_1(digamma)
HWARO_USES_1(conj)
HWARO_USES_1(arg)
HWARO_USES_1(real)
HWARO_USES_1(imag)

HWARO_USES_2(maximum)
HWARO_USES_2(minimum)
HWARO_USES_2(fmax)
HWARO_USES_2(fmin)
HWARO_USES_2(copysign)
HWARO_USES_2(nextafter)
HWARO_USES_2(pow)
HWARO_USES_2(atan2)
HWARO_USES_2(hypot)
HWARO_USES_2(fmod)
HWARO_USES_2(remainder)
HWARO_USES_2(floor_divide)
HWARO_USES_2(trunc_divide)
HWARO_USES_2(logaddexp)
HWARO_USES_2(logaddexp2)
HWARO_USES_2(xlogy)
HWARO_USES_2(xlog1py)
HWARO_USES_2(ldexp)
HWARO_USES_2(heaviside)

HWARO_USES_3(where)
HWARO_USES_3(clamp)
HWARO_USES_3(fma)
HWARO_USES_3(mul_add)

#undef HWARO_USES_1
#undef HWARO_USES_2
#undef HWARO_USES_3

}  // namespace hwaro
