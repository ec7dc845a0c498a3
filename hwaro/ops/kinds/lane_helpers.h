// Words of the formula vocabulary that mean the same on lanes, complex lanes, usage masks and tensors.
#pragma once

#include "hwaro/math/complex.h"
#include "hwaro/math/math.h"
#include "hwaro/math/usage.h"
#include "hwaro/ops/vocabulary.h"

namespace hwaro {
inline namespace HWARO_ISA {

template <class T, int N>
HWARO_INLINE Vec<T, N> conj(Vec<T, N> x) { return x; }
// Real part >= 0.
template <class T, int N>
HWARO_INLINE Mask<T, N> is_nonnegative(Vec<T, N> x) { return x >= Vec<T, N>(0); }
template <class T, int N>
HWARO_INLINE Mask<T, N> is_nonnegative(const Complex<Vec<T, N>>& x) { return x.re >= Vec<T, N>(0); }

}  // namespace HWARO_ISA

template <unsigned M>
constexpr Uses<M> is_nonnegative(Uses<M>) { return {}; }

namespace engine {
inline Tensor is_nonnegative(const Tensor& x) { return ge(is_complex(x.dtype()) ? real(x) : x, 0); }
}  // namespace engine

}  // namespace hwaro
