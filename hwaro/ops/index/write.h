// Operators that write into a copy of self, or into self: both forms from one description.
#pragma once

#include "hwaro/ops/index/has_data.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"

namespace hwaro::engine {

// src with the history that it has now: a write to its base would make that of a view out of date.
inline Tensor history_of(const Tensor& src) {
  if (!src.defined() || !src->is(kIsView) || !is_tracked(src)) return src;
  const NodePtr node = grad_fn(src);
  if (!node) return src;  // a leaf, though a view: its gradient goes to itself
  const Tensor out = alias(src, src.sizes(), src.strides(), src->offset);
  set_history(out, node, src->output_nr);
  return out;
}

// raw(target) writes; backward is what record() takes. inputs[0] is self. With `apart`, nothing that is read may share
// memory with self in place, nor may elements of self share theirs. `format` is that of the copy otherwise, `shape` its
// shape where self is broadcast.
template <class Raw, class F>
Tensor write_into(bool inplace, const char* node, const Tensor& self, std::initializer_list<Tensor> inputs,
                  std::initializer_list<Save> saves, Raw raw, F backward,
                  MemoryFormat format = MemoryFormat::Contiguous, bool apart = true, OptIntSpan shape = std::nullopt) {
  for (const Tensor& t : inputs) check_has_data(self, {t});
  for (const Save& s : saves) check_has_data(self, {s.tensor});
  const bool recorded = recording_any(inputs) && is_differentiable(self.dtype());
  if (inplace) {
    check_inplace(self, recorded);
    if (apart) check_internal_overlap(self);
    for (const Tensor* t = inputs.begin() + 1; apart && t < inputs.end(); ++t) check_apart(self, *t);
    for (const Save& s : saves)
      if (apart) check_apart(self, s.tensor);
  }
  const Tensor other = inplace && recorded && inputs.size() > 1 ? history_of(inputs.begin()[1]) : Tensor();
  Tensor target = self;
  if (!inplace) {
    NoGradGuard guard;
    target = clone(shape && self.sizes() != *shape ? expand(self, *shape) : self, format);
  }
  if (!self.device().is_meta()) raw(target);
  if (inplace) self->bump_version();
  if (recorded) {
    if (inplace && other.defined()) record_inplace(node, self, {self, other}, saves, std::move(backward));
    else if (inplace) record_inplace(node, self, {self}, saves, std::move(backward));
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
