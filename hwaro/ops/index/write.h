// Operators that write into a copy of self, or into self: both forms from one description.
#pragma once

#include "hwaro/ops/index/has_data.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"

namespace hwaro::engine {

// raw(target) writes; backward is what record() takes. inputs[0] is self.
template <class Raw, class F>
Tensor write_into(bool inplace, const char* node, const Tensor& self, std::initializer_list<Tensor> inputs,
                  std::initializer_list<Save> saves, Raw raw, F backward) {
  for (const Tensor& t : inputs) check_has_data(self, {t});
  for (const Save& s : saves) check_has_data(self, {s.tensor});
  const bool recorded = recording_any(inputs) && is_differentiable(self.dtype());
  if (inplace) {
    check_inplace(self, recorded);
    check_internal_overlap(self);
  }
  const Tensor target = inplace ? self : clone(detach(self));
  if (!self.device().is_meta()) raw(target);
  if (inplace) self->bump_version();
  if (recorded) {
    if (inplace) record_inplace(node, self, inputs, saves, std::move(backward));
    else record(node, inputs, target, saves, std::move(backward));
  }
  return target;
}

// src, or a copy of it where it shares self's memory: for writes that read what they may have written.
inline Tensor apart_from(const Tensor& src, const Tensor& self) {
  if (src->storage != self->storage || src.device().is_meta()) return src;
  NoGradGuard guard;
  return clone(src);
}

}  // namespace hwaro::engine
