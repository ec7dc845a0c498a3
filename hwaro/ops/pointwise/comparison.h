// Comparisons; the results are bool.
#pragma once

#include "hwaro/ops/kinds/pointwise.h"

namespace hwaro::engine {

struct Eq {
  static constexpr Schema schema = "eq.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "Whether each element of self equals that of other.";
  static constexpr unsigned numbers_for = kOther;
  static constexpr auto dtypes = to_bool(every);
  static constexpr auto forward(auto a, auto b) { return a == b; }
};

struct Ne {
  static constexpr Schema schema = "ne.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "Whether each element of self differs from that of other.";
  static constexpr unsigned numbers_for = kOther;
  static constexpr auto dtypes = to_bool(every);
  static constexpr auto forward(auto a, auto b) { return a != b; }
};

struct Lt {
  static constexpr Schema schema = "lt.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "Whether each element of self is less than that of other.";
  static constexpr unsigned numbers_for = kOther;
  static constexpr auto dtypes = to_bool(boolean | integers | floating);
  static constexpr auto forward(auto a, auto b) { return a < b; }
};

struct Le {
  static constexpr Schema schema = "le.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "Whether each element of self is at most that of other.";
  static constexpr unsigned numbers_for = kOther;
  static constexpr auto dtypes = to_bool(boolean | integers | floating);
  static constexpr auto forward(auto a, auto b) { return a <= b; }
};

struct Gt {
  static constexpr Schema schema = "gt.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "Whether each element of self is greater than that of other.";
  static constexpr unsigned numbers_for = kOther;
  static constexpr auto dtypes = to_bool(boolean | integers | floating);
  static constexpr auto forward(auto a, auto b) { return a > b; }
};

struct Ge {
  static constexpr Schema schema = "ge.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "Whether each element of self is at least that of other.";
  static constexpr unsigned numbers_for = kOther;
  static constexpr auto dtypes = to_bool(boolean | integers | floating);
  static constexpr auto forward(auto a, auto b) { return a >= b; }
};

struct NotEqual : AliasOf<Ne> {
  static constexpr Schema schema = "not_equal.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "Alias of ne.";
};
struct Less : AliasOf<Lt> {
  static constexpr Schema schema = "less.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "Alias of lt.";
};
struct LessEqual : AliasOf<Le> {
  static constexpr Schema schema = "less_equal.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "Alias of le.";
};
struct Greater : AliasOf<Gt> {
  static constexpr Schema schema = "greater.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "Alias of gt.";
};
struct GreaterEqual : AliasOf<Ge> {
  static constexpr Schema schema = "greater_equal.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "Alias of ge.";
};

}  // namespace hwaro::engine
