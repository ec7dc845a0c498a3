// How public functions take lists of sizes: a number, a list in braces, or any container of 64-bit integers.
#pragma once

#include <cstdint>
#include <optional>
#include <type_traits>
#include <vector>

#include "hwaro/base/small_vector.h"

namespace hwaro {

inline constexpr std::size_t kMostNumbers = 12;  // numbers in braces

// For arguments that PyTorch writes as int[N]: one number stands for N of it, so that conv2d(x, w, b, 2) means {2, 2}.
//
// Lists in braces come in as so many numbers, not as an initializer_list: g++ 12 takes {.padding = 1} for such a list.
template <int N>
class IntArray {
 public:
  IntArray() = default;                               // {}
  IntArray(std::int64_t value) : span_(inline_, N) {  // NOLINT: numbers convert
    for (int i = 0; i < N; ++i) inline_[i] = value;
  }
  IntArray(int value) : IntArray(std::int64_t(value)) {}  // NOLINT
  IntArray(bool) = delete;                                // a truth value is no dimension
  template <class... Int>
    requires(sizeof...(Int) >= 2 && sizeof...(Int) <= kMostNumbers && (std::is_integral_v<Int> && ...))
  IntArray(Int... values) : inline_{std::int64_t(values)...}, span_(inline_, sizeof...(Int)) {}  // NOLINT
  IntArray(IntSpan span) : span_(span) {}                                                        // NOLINT
  IntArray(const std::vector<std::int64_t>& v) : span_(v) {}                                     // NOLINT
  IntArray(const Dims& v) : span_(v) {}                                                          // NOLINT
  IntArray(const IntArray& other) : span_(other.span_) {
    if (other.span_.data() != other.inline_) return;
    for (std::size_t i = 0; i < span_.size(); ++i) inline_[i] = other.inline_[i];
    span_ = {inline_, span_.size()};
  }
  IntArray& operator=(const IntArray&) = delete;
  operator IntSpan() const { return span_; }  // NOLINT

 private:
  std::int64_t inline_[kMostNumbers];
  IntSpan span_;
};

// The same where the argument may be left out.
template <int N>
class OptIntArray {
 public:
  OptIntArray() = default;                            // {}
  OptIntArray(std::nullopt_t) : given_(false) {}      // NOLINT
  OptIntArray(std::int64_t value) : value_(value) {}  // NOLINT
  OptIntArray(int value) : value_(value) {}           // NOLINT
  OptIntArray(bool) = delete;
  template <class... Int>
    requires(sizeof...(Int) >= 2 && sizeof...(Int) <= kMostNumbers && (std::is_integral_v<Int> && ...))
  OptIntArray(Int... values) : value_(values...) {}               // NOLINT
  OptIntArray(IntSpan span) : value_(span) {}                     // NOLINT
  OptIntArray(const std::vector<std::int64_t>& v) : value_(v) {}  // NOLINT
  OptIntArray(const Dims& v) : value_(v) {}                       // NOLINT
  operator std::optional<IntSpan>() const {                       // NOLINT
    return given_ ? std::optional<IntSpan>(value_) : std::nullopt;
  }

 private:
  bool given_ = true;
  IntArray<N> value_;
};

}  // namespace hwaro
