// What stands between the brackets of t[…], and what t[…] is. Included by hwaro/tensor.h.
#pragma once

#include <memory>
#include <type_traits>
#include <vector>

#include "hwaro/tensor.h"

namespace hwaro {

// start:stop:step; what is left out (None) is the beginning, the end, and 1. Slice() is ":".
struct Slice {
  std::optional<std::int64_t> start, stop, step;
  Slice(std::optional<std::int64_t> start = std::nullopt, std::optional<std::int64_t> stop = std::nullopt,
        std::optional<std::int64_t> step = std::nullopt)
      : start(start), stop(stop), step(step) {}
};
enum class EllipsisType { Ellipsis };
// All dimensions that the other indices leave.
inline constexpr EllipsisType Ellipsis = EllipsisType::Ellipsis;
// A new dimension of size 1, or a bound of a slice that is left out.
inline constexpr std::nullopt_t None = std::nullopt;

// One index: a number, a slice, None, Ellipsis, a truth value, or a tensor of indices or truth values.
class TensorIndex {
 public:
  enum class Kind { None, Ellipsis, Int, Bool, Slice, Tensor };
  TensorIndex(std::nullopt_t) : kind(Kind::None) {}    // NOLINT
  TensorIndex(EllipsisType) : kind(Kind::Ellipsis) {}  // NOLINT
  template <class T>
    requires std::is_integral_v<T>
  TensorIndex(T i) : kind(std::is_same_v<T, bool> ? Kind::Bool : Kind::Int), number(std::int64_t(i)) {}  // NOLINT
  TensorIndex(Slice s) : kind(Kind::Slice), slice(s) {}                                                  // NOLINT
  TensorIndex(Tensor t) : kind(Kind::Tensor), tensor(std::move(t)) {}                                    // NOLINT

  Kind kind;
  std::int64_t number = 0;
  Slice slice;
  Tensor tensor;
};

// t[…]: a tensor that also knows what it was taken from, so that t[…] = value can write there, mask or view. Values
// broadcast to the indexed part and are converted to its type. Only the expression itself can be assigned to: after
// `auto row = t[0];` write row.copy_(value) or t[0] = value.
class Indexed : public Tensor {
 public:
  Indexed(const Indexed&) = default;
  void operator=(const Tensor& value) &&;
  void operator=(const Scalar& value) &&;
  void operator=(const Indexed& value) && { std::move(*this) = static_cast<const Tensor&>(value); }
  Indexed& operator=(const Indexed&) & = delete;

  void operator+=(const Operand& other) &&;
  void operator-=(const Operand& other) &&;
  void operator*=(const Operand& other) &&;
  void operator/=(const Operand& other) &&;
  const Tensor& operator+=(const Operand& other) const& { return Tensor::operator+=(other); }
  const Tensor& operator-=(const Operand& other) const& { return Tensor::operator-=(other); }
  const Tensor& operator*=(const Operand& other) const& { return Tensor::operator*=(other); }
  const Tensor& operator/=(const Operand& other) const& { return Tensor::operator/=(other); }

 private:
  friend class Tensor;
  struct Place;  // where a copy came from; none for a view, which is the place itself
  Indexed(Tensor part, std::shared_ptr<const Place> place) : Tensor(std::move(part)), place_(std::move(place)) {}
  void write_back(const Tensor& value) const;
  std::shared_ptr<const Place> place_;
};

}  // namespace hwaro
