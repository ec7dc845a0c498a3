// From a pointwise operator's struct to its PointwiseInfo. The struct has
//   schema      "tanh(Tensor self) -> Tensor": up to three tensors, then scalars
//   dtypes      a rule of rules.h
//   forward     (tensors…, scalars…) on lanes of any type
//   derivative  (x, y, scalars…) for one operand, or d_self, d_other, d_third (tensors…, result, scalars…) for several;
//               may return One{} or Missing{}. The framework multiplies the gradient by its conjugate.
//   backward    instead, where g must not simply be multiplied: (g, x, y, scalars…), or b_self, b_other, b_third
//               (g, tensors…, result, scalars…)
// and optionally numbers_for, promotes_scalars, not_promoted, drops_numbers, select, check, grad_number, grad_name,
// kernel_name, out_rule. `struct Other : AliasOf<Tanh>` with a schema and a doc of its own is a second name.
#pragma once

#include <type_traits>
#include <utility>

#include "hwaro/ops/kinds/lane_helpers.h"
#include "hwaro/ops/kinds/pointwise_info.h"
#include "hwaro/ops/vocabulary.h"

namespace hwaro::engine::pointwise_detail {

// How the gradient of operand I is written in the struct.
enum class Form { None, Derivative, Backward };

// The struct's function of the given name exists and takes exactly these arguments. Probed with usage masks, on which
// every formula can be evaluated.
#define HWARO_PROBE(name)            \
  template <class Op, class... Args> \
  constexpr bool has_##name = requires { &Op::template name<Args...>; };
HWARO_PROBE(derivative)
HWARO_PROBE(backward)
HWARO_PROBE(d_self)
HWARO_PROBE(d_other)
HWARO_PROBE(d_third)
HWARO_PROBE(b_self)
HWARO_PROBE(b_other)
HWARO_PROBE(b_third)
#undef HWARO_PROBE

template <class Op, int I, std::size_t... T, std::size_t... S>
constexpr Form form(std::index_sequence<T...>, std::index_sequence<S...>) {
#define HWARO_FORM(b, d)                                                                                         \
  return has_##b<Op, Uses<0>, Uses<(1u << T)>..., Uses<8>, decltype((void(S), Uses<0>{}))...> ? Form::Backward   \
         : has_##d<Op, Uses<(1u << T)>..., Uses<8>, decltype((void(S), Uses<0>{}))...>        ? Form::Derivative \
                                                                                              : Form::None
  if constexpr (I >= sizeof...(T)) return Form::None;
  else if constexpr (sizeof...(T) == 1) HWARO_FORM(backward, derivative);
  else if constexpr (I == 0) HWARO_FORM(b_self, d_self);
  else if constexpr (I == 1) HWARO_FORM(b_other, d_other);
  else HWARO_FORM(b_third, d_third);
#undef HWARO_FORM
}
template <class Op, int I>
constexpr Form form() {
  return form<Op, I>(std::make_index_sequence<Op::schema.tensor_count()>(),
                     std::make_index_sequence<Op::schema.scalar_count()>());
}

// Evaluates the gradient formula of operand I on lanes, tensors or Uses: args are tensors…, result, scalars….
template <class Op, int I, class... Args>
constexpr auto derivative_of(const Args&... args) {
  if constexpr (Op::schema.tensor_count() == 1) return Op::derivative(args...);
  else if constexpr (I == 0) return Op::d_self(args...);
  else if constexpr (I == 1) return Op::d_other(args...);
  else return Op::d_third(args...);
}
template <class Op, int I, class G, class... Args>
constexpr auto backward_of(const G& g, const Args&... args) {
  if constexpr (Op::schema.tensor_count() == 1) return Op::backward(g, args...);
  else if constexpr (I == 0) return Op::b_self(g, args...);
  else if constexpr (I == 1) return Op::b_other(g, args...);
  else return Op::b_third(g, args...);
}

// Gradient of operand I for an incoming gradient, in whatever G is (lanes, Tensor).
template <class Op, int I, class G, class... Args>
constexpr auto gradient(const G& g, const Args&... args) {
  if constexpr (form<Op, I>() == Form::Backward) return backward_of<Op, I>(g, args...);
  else if constexpr (std::is_arithmetic_v<decltype(derivative_of<Op, I>(args...))>)
    return g * derivative_of<Op, I>(args...);
  else return g * conj(derivative_of<Op, I>(args...));
}

template <class Op, int I, std::size_t... T, std::size_t... S>
constexpr unsigned uses_mask(std::index_sequence<T...>, std::index_sequence<S...>) {
  if constexpr (form<Op, I>() == Form::None) {
    return kNoGradient;
  } else if constexpr (form<Op, I>() == Form::Backward) {
    using R = decltype(backward_of<Op, I>(Uses<0>{}, Uses<(1u << T)>{}..., Uses<kResult>{}, (void(S), Uses<0>{})...));
    return R::mask;
  } else {
    using R = decltype(derivative_of<Op, I>(Uses<(1u << T)>{}..., Uses<kResult>{}, (void(S), Uses<0>{})...));
    if constexpr (std::is_same_v<R, One>) return kPassThrough;
    else if constexpr (std::is_same_v<R, Missing>) return kRaises;
    else if constexpr (std::is_arithmetic_v<R>) return 0;
    else return R::mask;
  }
}
template <class Op, int I>
constexpr unsigned uses_mask() {
  return uses_mask<Op, I>(std::make_index_sequence<Op::schema.tensor_count()>(),
                          std::make_index_sequence<Op::schema.scalar_count()>());
}

// A number in a formula on tensors: in double precision, whatever the type of g, and without taking part in promotion.
Tensor formula_number(const Scalar& value, const Tensor& g);

template <class Op, int I, std::size_t... T, std::size_t... S>
Tensor formula(const Tensor& g, const Tensor* operands, const Tensor& result, const Scalar* scalars,
               std::index_sequence<T...>, std::index_sequence<S...>) {
  return gradient<Op, I>(g, operands[T]..., result, formula_number(scalars[S], g)...);
}
template <class Op, int I>
constexpr Formula formula_pointer() {
  if constexpr (uses_mask<Op, I>() >= kPassThrough) {
    return nullptr;
  } else {
    return [](const Tensor& g, const Tensor* operands, const Tensor& result, const Scalar* scalars) -> Tensor {
      return formula<Op, I>(g, operands, result, scalars, std::make_index_sequence<Op::schema.tensor_count()>(),
                            std::make_index_sequence<Op::schema.scalar_count()>());
    };
  }
}

#define HWARO_OPTIONAL(member, fallback)                       \
  template <class Op>                                          \
  constexpr auto member##_of() {                               \
    if constexpr (requires { Op::member; }) return Op::member; \
    else return fallback;                                      \
  }
HWARO_OPTIONAL(numbers_for, 0u)
HWARO_OPTIONAL(promotes_scalars, false)
HWARO_OPTIONAL(not_promoted, 0u)
HWARO_OPTIONAL(drops_numbers, false)
HWARO_OPTIONAL(grad_name, static_cast<const char*>(nullptr))
HWARO_OPTIONAL(kernel_name, static_cast<const char*>(nullptr))
HWARO_OPTIONAL(out_rule, OutRule{})
#undef HWARO_OPTIONAL
template <class Op>
constexpr auto select_of() -> decltype(PointwiseInfo::select) {
  if constexpr (requires { Op::select; }) return Op::select;
  else return nullptr;
}
template <class Op>
constexpr auto check_of() -> decltype(PointwiseInfo::check) {
  if constexpr (requires { Op::check; }) return Op::check;
  else return nullptr;
}
template <class Op>
constexpr auto grad_number_of() -> decltype(PointwiseInfo::grad_number) {
  if constexpr (requires { Op::grad_number; }) return Op::grad_number;
  else return nullptr;
}

}  // namespace hwaro::engine::pointwise_detail

namespace hwaro::engine {

template <class Op>
constexpr PointwiseInfo make_pointwise(const PointwiseKernels* const* cpu, std::uint16_t index) {
  namespace d = pointwise_detail;
  static_assert(Op::schema.tensor_count() <= kMaxOperands && Op::schema.scalar_count() <= kMaxScalars);
  return {
      &Op::schema,
      Op::dtypes,
      std::uint8_t(Op::schema.tensor_count()),
      std::uint8_t(Op::schema.scalar_count()),
      std::uint8_t(d::numbers_for_of<Op>()),
      d::promotes_scalars_of<Op>(),
      std::uint8_t(d::not_promoted_of<Op>()),
      d::drops_numbers_of<Op>(),
      {std::uint8_t(d::uses_mask<Op, 0>()), std::uint8_t(d::uses_mask<Op, 1>()), std::uint8_t(d::uses_mask<Op, 2>())},
      {cpu, nullptr, nullptr, nullptr},
      index,
      {d::formula_pointer<Op, 0>(), d::formula_pointer<Op, 1>(), d::formula_pointer<Op, 2>()},
      d::select_of<Op>(),
      d::check_of<Op>(),
      d::grad_number_of<Op>(),
      d::grad_name_of<Op>(),
      d::kernel_name_of<Op>(),
      d::out_rule_of<Op>()};
}

// Defined by the generated registry of the operator's family. Constant, though not declared so: a specialisation of a const
// variable template would be local to its file.
template <class Op>
extern PointwiseInfo pointwise_info;

// A second name: every call is the other operator's, errors and grad_fn included. Without kernels of its own.
template <class Op>
struct AliasOf {
  static constexpr unsigned numbers_for = pointwise_detail::numbers_for_of<Op>();
  static constexpr DTypeRule dtypes{};
  static const PointwiseInfo* select(const Operand*, const Scalar*) { return &pointwise_info<Op>; }
  static constexpr auto forward(auto x, auto...) { return x; }
};

}  // namespace hwaro::engine
