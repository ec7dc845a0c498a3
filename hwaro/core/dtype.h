// Element types, their categories and PyTorch's promotion lattice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

#include "hwaro/base/error.h"
#include "hwaro/math/complex.h"
#include "hwaro/math/half.h"

namespace hwaro {

// Ordered so that within a category a later type holds every value of an earlier one.
enum class DType : std::uint8_t {
  Bool,
  UInt8,
  Int8,
  Int16,
  Int32,
  Int64,
  Half,
  BFloat16,
  Float,
  Double,
  ComplexFloat,
  ComplexDouble,
};
inline constexpr int kDTypes = 12;

inline constexpr DType kBool = DType::Bool, kUInt8 = DType::UInt8, kInt8 = DType::Int8, kInt16 = DType::Int16,
                       kInt32 = DType::Int32, kInt64 = DType::Int64, kFloat16 = DType::Half,
                       kBFloat16 = DType::BFloat16, kFloat32 = DType::Float, kFloat64 = DType::Double,
                       kComplex64 = DType::ComplexFloat, kComplex128 = DType::ComplexDouble;

struct DTypeInfo {
  std::uint8_t size;             // bytes per element
  const char* name;              // "float32": what follows "torch." in the repr
  const char* scalar_type_name;  // "Float": what PyTorch's error messages say
  const char* tensor_type_name;  // "FloatTensor"
};
inline constexpr DTypeInfo kDTypeInfos[kDTypes] = {
    {1, "bool", "Bool", "BoolTensor"},
    {1, "uint8", "Byte", "ByteTensor"},
    {1, "int8", "Char", "CharTensor"},
    {2, "int16", "Short", "ShortTensor"},
    {4, "int32", "Int", "IntTensor"},
    {8, "int64", "Long", "LongTensor"},
    {2, "float16", "Half", "HalfTensor"},
    {2, "bfloat16", "BFloat16", "BFloat16Tensor"},
    {4, "float32", "Float", "FloatTensor"},
    {8, "float64", "Double", "DoubleTensor"},
    {8, "complex64", "ComplexFloat", "ComplexFloatTensor"},
    {16, "complex128", "ComplexDouble", "ComplexDoubleTensor"},
};

constexpr std::size_t size_of(DType t) { return kDTypeInfos[int(t)].size; }
constexpr const char* name_of(DType t) { return kDTypeInfos[int(t)].name; }
constexpr const char* scalar_type_name(DType t) { return kDTypeInfos[int(t)].scalar_type_name; }
constexpr bool is_complex(DType t) { return t >= DType::ComplexFloat; }
constexpr bool is_floating(DType t) { return t >= DType::Half && t <= DType::Double; }
constexpr bool is_integral(DType t, bool include_bool = false) {
  return t <= DType::Int64 && (include_bool || t != DType::Bool);
}
constexpr bool is_reduced_float(DType t) { return t == DType::Half || t == DType::BFloat16; }
constexpr bool is_differentiable(DType t) { return t >= DType::Half; }
// complex64 -> float32, complex128 -> float64, every other type itself.
constexpr DType to_real(DType t) {
  return t == DType::ComplexFloat ? DType::Float : t == DType::ComplexDouble ? DType::Double : t;
}
// float64 -> complex128, other floating types -> complex64, complex types themselves.
constexpr DType to_complex(DType t) {
  return is_complex(t) ? t : t == DType::Double ? DType::ComplexDouble : DType::ComplexFloat;
}
// The type in which a kernel computes: float32 for the two half types (results are rounded once), else the type.
constexpr DType compute_type(DType t) { return is_reduced_float(t) ? DType::Float : t; }

// The type of floating-point results where inputs give none; float32 unless set. Errors unless floating.
DType default_dtype();
void set_default_dtype(DType t);

// The smallest type that both convert to (torch.promote_types).
DType promote_types(DType a, DType b);
// Whether a result of type `from` may be stored in a tensor of type `to` (torch.can_cast): a category never goes down.
constexpr bool can_cast(DType from, DType to) {
  if (is_complex(from) && !is_complex(to)) return false;
  if (is_floating(from) && is_integral(to, true)) return false;
  if (from != DType::Bool && to == DType::Bool) return false;
  return true;
}

// ---- C++ type <-> DType ----
template <class T>
struct DTypeOf;
#define HWARO_DTYPE_OF(T, D)                 \
  template <>                                \
  struct DTypeOf<T> {                        \
    static constexpr DType value = DType::D; \
  };
HWARO_DTYPE_OF(bool, Bool)
HWARO_DTYPE_OF(std::uint8_t, UInt8)
HWARO_DTYPE_OF(std::int8_t, Int8)
HWARO_DTYPE_OF(std::int16_t, Int16)
HWARO_DTYPE_OF(std::int32_t, Int32)
HWARO_DTYPE_OF(std::int64_t, Int64)
HWARO_DTYPE_OF(Half, Half)
HWARO_DTYPE_OF(BFloat16, BFloat16)
HWARO_DTYPE_OF(float, Float)
HWARO_DTYPE_OF(double, Double)
HWARO_DTYPE_OF(Complex<float>, ComplexFloat)
HWARO_DTYPE_OF(Complex<double>, ComplexDouble)
#undef HWARO_DTYPE_OF
template <class T>
inline constexpr DType dtype_of = DTypeOf<T>::value;

// Sets of types, for rules and for visit().
using DTypeSet = std::uint16_t;
constexpr DTypeSet bit(DType t) { return DTypeSet(1u << int(t)); }
inline constexpr DTypeSet kBoolSet = bit(DType::Bool);
inline constexpr DTypeSet kIntSet =
    bit(DType::UInt8) | bit(DType::Int8) | bit(DType::Int16) | bit(DType::Int32) | bit(DType::Int64);
inline constexpr DTypeSet kHalfSet = bit(DType::Half) | bit(DType::BFloat16);
inline constexpr DTypeSet kFloatSet = kHalfSet | bit(DType::Float) | bit(DType::Double);
inline constexpr DTypeSet kComplexSet = bit(DType::ComplexFloat) | bit(DType::ComplexDouble);
inline constexpr DTypeSet kAllSet = (1u << kDTypes) - 1;
constexpr bool contains(DTypeSet set, DType t) { return set & bit(t); }

template <class T>
struct TypeTag {
  using type = T;
};

// Calls f(TypeTag<T>{}) for the C++ type of `t`, if `Set` contains it; returns false otherwise. Only the types in Set
// are instantiated.
template <DTypeSet Set, class F>
bool visit_if(DType t, F&& f) {
  switch (t) {
#define HWARO_CASE(D, T)                     \
  case DType::D:                             \
    if constexpr (contains(Set, DType::D)) { \
      f(TypeTag<T>{});                       \
      return true;                           \
    }                                        \
    return false;
    HWARO_CASE(Bool, bool)
    HWARO_CASE(UInt8, std::uint8_t)
    HWARO_CASE(Int8, std::int8_t)
    HWARO_CASE(Int16, std::int16_t)
    HWARO_CASE(Int32, std::int32_t)
    HWARO_CASE(Int64, std::int64_t)
    HWARO_CASE(Half, Half)
    HWARO_CASE(BFloat16, BFloat16)
    HWARO_CASE(Float, float)
    HWARO_CASE(Double, double)
    HWARO_CASE(ComplexFloat, Complex<float>)
    HWARO_CASE(ComplexDouble, Complex<double>)
#undef HWARO_CASE
  }
  return false;
}

// As visit_if, and raises PyTorch's `"name" not implemented for 'Type'` for a type outside the set.
template <DTypeSet Set, class F>
void visit(DType t, const char* name, F&& f) {
  if (!visit_if<Set>(t, static_cast<F&&>(f))) [[unlikely]]
    raise<NotImplementedError>('"', name, "\" not implemented for '", scalar_type_name(t), '\'');
}

}  // namespace hwaro
