// +, -, ==, … between tensors and numbers. Comparisons give bool tensors, element by element.
#pragma once

#include "hwaro/functions.h"  // generated

namespace hwaro {

#define HWARO_OPERATOR(symbol, name)                                                            \
  inline Tensor operator symbol(const Tensor& a, const Tensor& b) { return hwaro::name(a, b); } \
  inline Tensor operator symbol(const Tensor& a, const Scalar& b) { return hwaro::name(a, b); }
HWARO_OPERATOR(+, add)
HWARO_OPERATOR(-, sub)
HWARO_OPERATOR(*, mul)
HWARO_OPERATOR(/, div)
HWARO_OPERATOR(%, remainder)
HWARO_OPERATOR(&, bitwise_and)
HWARO_OPERATOR(|, bitwise_or)
HWARO_OPERATOR(^, bitwise_xor)
HWARO_OPERATOR(==, eq)
HWARO_OPERATOR(!=, ne)
HWARO_OPERATOR(<, lt)
HWARO_OPERATOR(<=, le)
HWARO_OPERATOR(>, gt)
HWARO_OPERATOR(>=, ge)
#undef HWARO_OPERATOR
inline Tensor operator+(const Scalar& a, const Tensor& b) { return hwaro::add(a, b); }
// As in Python: rsub, and a product with the reciprocal.
inline Tensor operator-(const Scalar& a, const Tensor& b) { return hwaro::rsub(b, a); }
inline Tensor operator*(const Scalar& a, const Tensor& b) { return hwaro::mul(a, b); }
inline Tensor operator/(const Scalar& a, const Tensor& b) { return hwaro::mul(hwaro::reciprocal(b), a); }
inline Tensor operator==(const Scalar& a, const Tensor& b) { return hwaro::eq(b, a); }
inline Tensor operator!=(const Scalar& a, const Tensor& b) { return hwaro::ne(b, a); }
inline Tensor operator<(const Scalar& a, const Tensor& b) { return hwaro::gt(b, a); }
inline Tensor operator<=(const Scalar& a, const Tensor& b) { return hwaro::ge(b, a); }
inline Tensor operator>(const Scalar& a, const Tensor& b) { return hwaro::lt(b, a); }
inline Tensor operator>=(const Scalar& a, const Tensor& b) { return hwaro::le(b, a); }
inline Tensor operator-(const Tensor& a) { return hwaro::neg(a); }
inline Tensor operator~(const Tensor& a) { return hwaro::bitwise_not(a); }

}  // namespace hwaro
