// The list of operators as data: schema, documentation and one way to call each with arguments that were parsed at run
// time. Language bindings, documentation and tests are driven by it. The tables are constant; nothing registers itself.
#pragma once

#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "hwaro/core/schema.h"
#include "hwaro/ops/kinds/pointwise_info.h"
#include "hwaro/ops/vocabulary.h"

namespace hwaro::engine {

// One argument, borrowed from whoever calls. Which member counts follows from the schema; `kind` also says None.
struct Value {
  enum class Kind : std::uint8_t {
    None,
    Tensor,
    TensorList,
    Scalar,
    ScalarList,
    Int,
    IntList,
    Float,
    FloatList,
    Bool,
    BoolList,
    DType,
    Device,
    MemoryFormat,
    Str,
    Generator
  };
  Kind kind = Kind::None;
  union {
    TensorImpl* tensor;
    std::int64_t i;
    double d;
    bool b;
    DType dtype;
    Device device;
    MemoryFormat format;
    Generator* generator;
    const void* data;  // lists and strings
  };
  std::size_t size = 0;
  Scalar scalar;
  Value() : tensor(nullptr) {}
};

// What an operator gave back.
struct Result {
  enum class Kind : std::uint8_t { None, Tensor, Tuple, TensorList, Bool, Int, Float, Scalar, Str, DType };
  Kind kind = Kind::None;
  Tensor tensor;
  std::vector<Tensor> tensors;
  Scalar scalar;
  bool boolean = false;
  std::int64_t integer = 0;
  double number = 0;
  DType dtype = DType::Float;
  std::string text;
};

using Invoke = void (*)(const void* function, const Value* args, Result& result);

struct OpEntry {
  const Schema* schema;
  const char* doc;
  unsigned expose;
  const PointwiseInfo* pointwise;  // null for operators of the other kinds
  const void* function;            // a pointer to the operator's call(), for `invoke`
  Invoke invoke;
  void (*out)(const Value* args, const Tensor& out);  // an out variant of its own, or null: computed and stored
  OutRule out_rule;                                   // of operators that are not pointwise
};

// Before a call with `out=`: where out says the type of the result, the dtype argument becomes out's or must be it.
void take_type_of_out(const OpEntry& entry, Value* args, const Tensor& out);

struct OpFamily {
  const char* name;
  const OpEntry* entries;
  std::size_t count;
};
// Every family, in alphabetical order (generated).
Span<OpFamily> op_families();

// ---- from parsed arguments to a typed call ----

namespace registry_detail {

template <class T>
struct From;
template <>
struct From<const Tensor&> {
  static Tensor get(const Value& v) {
    return Tensor(IntrusivePtr<TensorImpl>::share(v.kind == Value::Kind::Tensor ? v.tensor : nullptr));
  }
};
template <>
struct From<const Operand&> {
  static Operand get(const Value& v) { return v.kind == Value::Kind::Tensor ? Operand(v.tensor) : Operand(v.scalar); }
};
template <>
struct From<Span<Tensor>> {
  static Span<Tensor> get(const Value& v) { return {static_cast<const Tensor*>(v.data), v.size}; }
};
template <>
struct From<const Scalar&> {
  static const Scalar& get(const Value& v) { return v.scalar; }
};
template <>
struct From<std::int64_t> {
  static std::int64_t get(const Value& v) { return v.i; }
};
template <>
struct From<double> {
  static double get(const Value& v) { return v.d; }
};
template <>
struct From<bool> {
  static bool get(const Value& v) { return v.b; }
};
template <>
struct From<DType> {
  static DType get(const Value& v) { return v.dtype; }
};
template <>
struct From<Device> {
  static Device get(const Value& v) { return v.device; }
};
template <>
struct From<MemoryFormat> {
  static MemoryFormat get(const Value& v) { return v.format; }
};
template <>
struct From<std::string_view> {
  static std::string_view get(const Value& v) { return {static_cast<const char*>(v.data), v.size}; }
};
template <>
struct From<Generator*> {
  static Generator* get(const Value& v) { return v.kind == Value::Kind::None ? nullptr : v.generator; }
};
template <class T>
struct FromList {
  static Span<T> get(const Value& v) { return {static_cast<const T*>(v.data), v.size}; }
};
template <>
struct From<Span<std::int64_t>> : FromList<std::int64_t> {};
template <>
struct From<Span<double>> : FromList<double> {};
template <>
struct From<Span<bool>> : FromList<bool> {};
template <>
struct From<Span<Scalar>> : FromList<Scalar> {};
template <class T>
struct From<std::optional<T>> {
  static std::optional<T> get(const Value& v) {
    if (v.kind == Value::Kind::None) return std::nullopt;
    if constexpr (std::is_same_v<T, Scalar>) return From<const Scalar&>::get(v);
    else return From<T>::get(v);
  }
};
template <class T>
struct From<const std::optional<T>&> : From<std::optional<T>> {};

inline void give(Result& r, Tensor&& t) { r.kind = Result::Kind::Tensor, r.tensor = std::move(t); }
inline void give(Result& r, std::vector<Tensor>&& v) { r.kind = Result::Kind::TensorList, r.tensors = std::move(v); }
inline void give(Result& r, bool v) { r.kind = Result::Kind::Bool, r.boolean = v; }
inline void give(Result& r, std::int64_t v) { r.kind = Result::Kind::Int, r.integer = v; }
inline void give(Result& r, double v) { r.kind = Result::Kind::Float, r.number = v; }
inline void give(Result& r, const Scalar& v) { r.kind = Result::Kind::Scalar, r.scalar = v; }
inline void give(Result& r, std::string&& v) { r.kind = Result::Kind::Str, r.text = std::move(v); }
inline void give(Result& r, DType v) { r.kind = Result::Kind::DType, r.dtype = v; }
template <class... T>
void give(Result& r, std::tuple<T...>&& v) {
  r.kind = Result::Kind::Tuple;
  std::apply([&](T&... t) { (r.tensors.push_back(std::move(t)), ...); }, v);
}

template <class R, class... Args, std::size_t... I>
void invoke_typed(R (*f)(Args...), const Value* args, Result& result, std::index_sequence<I...>) {
  if constexpr (std::is_void_v<R>) f(From<Args>::get(args[I])...);
  else give(result, f(From<Args>::get(args[I])...));
}
template <class R, class... Args>
void invoke(const void* function, const Value* args, Result& result) {
  auto f = *static_cast<R (*const*)(Args...)>(function);
  invoke_typed(f, args, result, std::index_sequence_for<Args...>());
}
template <class R, class... Args>
constexpr Invoke invoke_for(R (*)(Args...)) {
  return &invoke<R, Args...>;
}
template <class R, class... Args>
constexpr int parameter_count(R (*)(Args...)) {
  return sizeof...(Args);
}

template <class Op>
inline constexpr auto call_pointer = &Op::call;

void invoke_pointwise(const void* info, const Value* args, Result& result);

template <class Op>
constexpr unsigned expose_of(unsigned fallback) {
  if constexpr (requires { Op::expose; }) return Op::expose;
  else return fallback;
}
template <class Op>
constexpr OutRule out_rule_of() {
  if constexpr (requires { Op::out_rule; }) return Op::out_rule;
  else return {};
}
// A function is a method too if its first argument is self.
constexpr unsigned default_expose(const Schema& s) {
  const bool method = s.arg_count > 0 && s.str(s.args[0].name) == "self";
  const bool out = s.return_count == 1 && !s.returns_list && s.str(s.returns) == "Tensor";
  return kFunction | (method ? unsigned(kMethod) : 0u) | (out ? unsigned(kOut) : 0u);
}

}  // namespace registry_detail

template <class Op>
constexpr OpEntry make_entry(const PointwiseInfo* info) {
  namespace d = registry_detail;
  if constexpr (requires { Op::dtypes; }) {
    return {&Op::schema, Op::doc, d::expose_of<Op>(d::default_expose(Op::schema) | kInplace),
            info,        info,    &d::invoke_pointwise,
            nullptr,     {}};
  } else {
    static_assert(d::parameter_count(&Op::call) == Op::schema.arg_count,
                  "call() must have one parameter per schema argument");
    void (*out)(const Value*, const Tensor&) = nullptr;
    if constexpr (requires { &Op::call_out; }) {
      out = [](const Value* args, const Tensor& o) {
        [&]<class... Args>(void (*f)(const Tensor&, Args...)) {
          [&]<std::size_t... I>(std::index_sequence<I...>) {
            f(o, d::From<Args>::get(args[I])...);
          }(std::index_sequence_for<Args...>());
        }(&Op::call_out);
      };
    }
    return {&Op::schema,
            Op::doc,
            d::expose_of<Op>(d::default_expose(Op::schema)),
            nullptr,
            &d::call_pointer<Op>,
            d::invoke_for(&Op::call),
            out,
            d::out_rule_of<Op>()};
  }
}

}  // namespace hwaro::engine
