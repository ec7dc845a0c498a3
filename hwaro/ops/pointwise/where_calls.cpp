// The other ways to call where.
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/pointwise/where.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

struct WhereScalars {
  static constexpr Schema schema = "where.Scalar(Tensor condition, Scalar self, Scalar other) -> Tensor";
  static constexpr Doc doc = "One of two numbers for each element of the condition.";
  static constexpr auto out_rule = out_same("Expected out type to be %R but got %O");
  static constexpr unsigned expose = kFunction;
  static constexpr bool python_only = true;
  static Tensor call(const Tensor& condition, const Scalar& self, const Scalar& other) {
    return where(condition, self, other);
  }
};
struct WhereMethod {
  static constexpr Schema schema = "where.self(Tensor self, Tensor condition, Tensor other) -> Tensor";
  static constexpr Doc doc = "self where the condition holds, else other.";
  static constexpr auto out_rule = out_same("Expected out type to be %R but got %O");
  static constexpr unsigned expose = kMethod;
  static constexpr bool python_only = true;
  static Tensor call(const Tensor& self, const Tensor& condition, const Tensor& other) {
    return where(condition, self, other);
  }
};
struct WhereMethodScalar {
  static constexpr Schema schema = "where.ScalarOther(Tensor self, Tensor condition, Scalar other) -> Tensor";
  static constexpr Doc doc = "self where the condition holds, else other.";
  static constexpr auto out_rule = out_same("Expected out type to be %R but got %O");
  static constexpr unsigned expose = kMethod;
  static constexpr bool python_only = true;
  static Tensor call(const Tensor& self, const Tensor& condition, const Scalar& other) {
    return where(condition, self, other);
  }
};

}  // namespace hwaro::engine

#include "families/where_calls.inc"
