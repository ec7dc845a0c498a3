// A loop over vectors and then single elements, for kernels whose arrays have no padding to run over.
#pragma once

#include <cstdint>

#include "hwaro/math/math.h"

namespace hwaro {
inline namespace HWARO_ISA {
namespace {

// f(i, Vec<T>()) for whole vectors, then f(i, Vec<T, 1>()) for single elements: the tags say how many to take.
template <class T, class F>
HWARO_INLINE void each(std::int64_t n, F f) {
  constexpr int N = Vec<T>::size();
  std::int64_t i = 0;
  for (; i + N <= n; i += N) f(i, Vec<T>());
  for (; i < n; ++i) f(i, Vec<T, 1>());
}

}  // namespace
}  // namespace HWARO_ISA
}  // namespace hwaro
