#include "hwaro/core/dtype.h"

#include <atomic>

namespace hwaro {

namespace {
std::atomic<DType> g_default_dtype{DType::Float};
}

DType default_dtype() { return g_default_dtype.load(std::memory_order_relaxed); }

void set_default_dtype(DType t) {
  HWARO_CHECK_AS(TypeError, is_floating(t), "only floating-point types are supported as the default type");
  g_default_dtype.store(t, std::memory_order_relaxed);
}

DType promote_types(DType a, DType b) {
  if (a == b) return a;
  if (a > b) {
    const DType t = a;
    a = b;
    b = t;
  }
  // a < b from here on. uint8 beside a signed type needs one that holds both ranges.
  if (a == DType::UInt8 && b == DType::Int8) return DType::Int16;
  if (a == DType::Half && b == DType::BFloat16) return DType::Float;
  if (b == DType::ComplexFloat && a == DType::Double) return DType::ComplexDouble;
  return b;
}

}  // namespace hwaro
