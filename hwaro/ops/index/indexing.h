// What a subscript means: t[1, 2:, None, ..., mask, rows] and t[…] = value.
#pragma once

#include <optional>

#include "hwaro/ops/vocabulary.h"

namespace hwaro::engine {

// One entry of a subscript.
struct Index {
  enum class Kind : std::uint8_t { None, Ellipsis, Integer, Slice, Bool, Tensor };
  Kind kind = Kind::None;
  bool boolean = false;
  std::int64_t integer = 0;
  std::optional<std::int64_t> start, stop;  // of a slice
  std::int64_t step = 1;
  Tensor tensor;  // integers, or a mask

  Index() = default;
  Index(std::int64_t i) : kind(Kind::Integer), integer(i) {}     // NOLINT
  Index(int i) : Index(std::int64_t(i)) {}                       // NOLINT
  Index(bool b) : kind(Kind::Bool), boolean(b) {}                // NOLINT
  Index(Tensor t) : kind(Kind::Tensor), tensor(std::move(t)) {}  // NOLINT
  static Index none() { return {}; }
  static Index ellipsis() {
    Index i;
    i.kind = Kind::Ellipsis;
    return i;
  }
  static Index slice(std::optional<std::int64_t> start = {}, std::optional<std::int64_t> stop = {},
                     std::int64_t step = 1) {
    Index i;
    i.kind = Kind::Slice;
    i.start = start, i.stop = stop, i.step = step;
    return i;
  }
};

// A view where all entries are integers, slices, None, Ellipsis; else a copy (IndexBackward0). Errors: IndexError.
Tensor get_item(const Tensor& self, Span<Index> indices);
// Writes value, broadcast, into what get_item would show. Errors: IndexError, RuntimeError.
void set_item(const Tensor& self, Span<Index> indices, const Tensor& value);

}  // namespace hwaro::engine
