// Type promotion: the type in which operands of different types meet (torch.result_type).
#pragma once

#include "hwaro/core/tensor.h"

namespace hwaro {

// Collects operands by category (dimensioned tensors, then 0-dim tensors, then Python numbers) and combines them.
class ResultType {
 public:
  void add(const TensorImpl& t) {
    DType type = t.dtype;
    if (t.is(kWrappedNumber)) {
      if (is_complex(type)) type = to_complex(default_dtype());
      else if (is_floating(type)) type = default_dtype();
      merge(number_, type);
    } else {
      merge(t.sizes.empty() ? zero_dim_ : dimensioned_, type);
    }
  }
  void add(const Scalar& s) { merge(number_, s.dtype()); }
  DType get() const { return DType(combine(dimensioned_, combine(zero_dim_, number_))); }

 private:
  static constexpr int kNone = -1;
  static void merge(int& slot, DType t) { slot = slot == kNone ? int(t) : int(promote_types(DType(slot), t)); }
  // A lower category only matters where it is of a higher kind (float over int, complex over float).
  static int combine(int high, int low) {
    if (high == kNone) return low;
    if (low == kNone) return high;
    const DType h = DType(high), l = DType(low);
    if (is_complex(h)) return high;
    if (is_floating(h)) return is_complex(l) ? int(to_complex(h)) : high;
    if (h == DType::Bool || is_floating(l) || is_complex(l)) return int(promote_types(h, l));
    return high;
  }
  int dimensioned_ = kNone, zero_dim_ = kNone, number_ = kNone;
};

}  // namespace hwaro
