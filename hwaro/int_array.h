// How public functions take lists of sizes: a number, a list in braces, or any container of 64-bit integers.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <vector>

#include "hwaro/base/small_vector.h"

namespace hwaro {

// For arguments that PyTorch writes as int[N]: one number stands for N of it, so that conv2d(x, w, b, 2) means {2, 2}.
template <int N>
class IntArray {
 public:
  IntArray(std::int64_t value) : span_(inline_, N) {  // NOLINT: numbers convert
    for (auto& x : inline_) x = value;
  }
  IntArray(int value) : IntArray(std::int64_t(value)) {}  // NOLINT
  IntArray(bool) = delete;                                // a truth value is no dimension
#pragma GCC diagnostic push
#if !defined(__clang__)
#pragma GCC diagnostic ignored "-Winit-list-lifetime"  // meant for arguments of one call, where the list lives on
#endif
  IntArray(std::initializer_list<std::int64_t> list) : span_(list.begin(), list.size()) {}  // NOLINT
#pragma GCC diagnostic pop
  IntArray(IntSpan span) : span_(span) {}                     // NOLINT
  IntArray(const std::vector<std::int64_t>& v) : span_(v) {}  // NOLINT
  IntArray(const Dims& v) : span_(v) {}                       // NOLINT
  IntArray(const IntArray& other) : span_(other.span_) {
    for (int i = 0; i < N; ++i) inline_[i] = other.inline_[i];
    if (other.span_.data() == other.inline_) span_ = {inline_, N};
  }
  IntArray& operator=(const IntArray&) = delete;
  operator IntSpan() const { return span_; }  // NOLINT

 private:
  std::int64_t inline_[N] = {};
  IntSpan span_;
};

// The same where the argument may be left out. (std::optional would not take a list in braces.)
template <int N>
class OptIntArray {
 public:
  OptIntArray(std::nullopt_t) : given_(false), value_(0) {}  // NOLINT
  OptIntArray(std::int64_t value) : value_(value) {}         // NOLINT
  OptIntArray(int value) : value_(value) {}                  // NOLINT
  OptIntArray(bool) = delete;
  OptIntArray(std::initializer_list<std::int64_t> list) : value_(list) {}  // NOLINT
  OptIntArray(IntSpan span) : value_(span) {}                              // NOLINT
  OptIntArray(const std::vector<std::int64_t>& v) : value_(v) {}           // NOLINT
  operator std::optional<IntSpan>() const {                                // NOLINT
    return given_ ? std::optional<IntSpan>(value_) : std::nullopt;
  }

 private:
  bool given_ = true;
  IntArray<N> value_;
};

}  // namespace hwaro
