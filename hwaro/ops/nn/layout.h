// Memory formats of results: an operator on images answers in the layout of its input.
#pragma once

#include "hwaro/ops/vocabulary.h"

namespace hwaro::engine {

// Whether t is laid out with channels last and in no other way.
inline bool is_channels_last(const Tensor& t) {
  if (t.dim() != 4 && t.dim() != 5) return false;
  return !t.is_contiguous() &&
         t.is_contiguous(t.dim() == 5 ? MemoryFormat::ChannelsLast3d : MemoryFormat::ChannelsLast);
}

// t (dense) or, where asked for, a copy of t that has its channels last. Not recorded.
inline Tensor in_layout(const Tensor& t, bool channels_last) {
  if (!channels_last || (t.dim() != 4 && t.dim() != 5)) return t;
  const Tensor out = make_strided(t.sizes(), channels_last_strides(t.sizes()), t.dtype(), t.device());
  if (!t.device().is_meta()) copy_raw(out, t);
  return out;
}
// t (dense) or, where `like` has its channels last, a copy of t that has them last as well. Not recorded.
inline Tensor in_layout_of(const Tensor& t, const Tensor& like) { return in_layout(t, is_channels_last(like)); }

}  // namespace hwaro::engine
