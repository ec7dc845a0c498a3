// Guards for operators that read elements where others only need shapes.
#pragma once

#include "hwaro/ops/vocabulary.h"

namespace hwaro::engine {

// Raises where self has elements and another operand, on the meta device, has none.
inline void check_has_data(const Tensor& self, std::initializer_list<Tensor> others) {
  if (self.device().is_meta()) return;
  for (const Tensor& t : others)
    HWARO_CHECK(!t.defined() || !t.device().is_meta(), "Tensor on device meta is not on the expected device ",
                self.device().str(), "!");
}

// Raises where the shape of the result depends on elements that t does not have.
inline void check_countable(const char* op, const Tensor& t) {
  HWARO_CHECK_AS(NotImplementedError, !t.device().is_meta(), op,
                 ": the shape of the result depends on the elements, and a tensor on the meta device has none");
}

}  // namespace hwaro::engine
