// Keys: unsigned integers whose order is the order in which sorting puts elements. NaN comes last, whatever its sign
// and payload, and the two zeros are equal.
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>

#include "hwaro/core/dtype.h"

namespace hwaro::engine {

// 32 bits where the type has no more: such a key and an index share one 64-bit word.
template <class T>
using Key = std::conditional_t<(sizeof(T) <= 4), std::uint32_t, std::uint64_t>;

template <class T>
inline Key<T> sort_key(T x) {
  using K = Key<T>;
  constexpr K kTop = K(1) << (8 * sizeof(K) - 1);
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
    return sort_key(float(x));
  } else if constexpr (std::is_floating_point_v<T>) {
    const T y = x + T(0);  // -0 becomes +0
    K bits;
    std::memcpy(&bits, &y, sizeof bits);
    const K key = bits & kTop ? K(~bits) : K(bits | kTop);
    return x != x ? ~K(0) : key;
  } else if constexpr (std::is_signed_v<T>) {
    return K(std::make_signed_t<K>(x)) ^ kTop;
  } else {
    return K(x);
  }
}

// An element's key with its index: compares by key, then by index, so that every order of them is stable.
struct KeyIndex {
  std::uint64_t key;
  std::uint32_t index;
  friend bool operator<(const KeyIndex& a, const KeyIndex& b) {
    return a.key != b.key ? a.key < b.key : a.index < b.index;
  }
};
template <class T>
using Entry = std::conditional_t<(sizeof(T) <= 4), std::uint64_t, KeyIndex>;

// With `descending` the order is reversed, except that equal elements stay in order.
template <class T>
inline Entry<T> make_entry_for(T x, std::int64_t index, bool descending) {
  const Key<T> key = descending ? Key<T>(~sort_key(x)) : sort_key(x);
  if constexpr (sizeof(T) <= 4) return std::uint64_t(key) << 32 | std::uint64_t(index);
  else return {key, std::uint32_t(index)};
}
inline std::int64_t index_of(std::uint64_t entry) { return std::int64_t(entry & 0xffffffffu); }
inline std::int64_t index_of(const KeyIndex& entry) { return entry.index; }

// The element types that are sorted: all but complex.
inline constexpr DTypeSet kSortSet = kBoolSet | kIntSet | kFloatSet;

}  // namespace hwaro::engine
