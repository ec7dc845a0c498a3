// Choosing between elements.
#pragma once

#include "hwaro/ops/kinds/pointwise.h"

namespace hwaro::engine {

void check_condition(const PointwiseInfo& info, const Operand* operands, const Scalar* scalars, DType common);

struct Where {
  static constexpr Schema schema = "where.self(Tensor condition, Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "The element of self where the condition holds, else that of other.";
  static constexpr auto out_rule = out_same("Expected out type to be %R but got %O");
  static constexpr unsigned expose = kFunction | kOut, numbers_for = kOther | kThird, not_promoted = kSelf;
  static constexpr auto dtypes = same(every);
  static constexpr auto check = &check_condition;
  // The condition comes as 0 or 1 of the operands' type.
  static constexpr auto forward(auto c, auto a, auto b) { return where(c != 0, a, b); }
  static constexpr auto b_other(auto g, auto c, auto, auto, auto) { return where(c != 0, g, 0); }
  static constexpr auto b_third(auto g, auto c, auto, auto, auto) { return where(c != 0, 0, g); }
};

}  // namespace hwaro::engine
