// Operands as pointers and strides over one shape, and the walk over it: what elementwise loops and copies have in common.
#pragma once

#include "hwaro/loops/elementwise.h"

namespace hwaro {

struct Side {
  char* data = nullptr;
  Dims strides;  // in elements, over the plan's shape
  DType dtype = DType::Float;
  std::int64_t size = 0;  // bytes per element
  bool conj = false;
  bool constant = false;  // the same element everywhere
  bool convert = false;   // not of the type that the loop reads or writes
};

struct Plan {
  Dims shape;
  Side sides[1 + kMaxInputs];  // 0: output
  int count = 0;
  std::int64_t numel = 1;

  // Sorts dimensions so that the output's innermost comes last, drops those of size 1 and merges neighbours.
  void simplify();
};

// Strides of t, broadcast to a shape.
Dims strides_over(IntSpan shape, const TensorImpl& t);
// n complex numbers of a type, conjugated where they are; nothing for other types.
void conjugate(void* data, DType type, std::int64_t n);
// A number as an element of a type.
void store_number(void* to, DType type, const Scalar& value);

// A position in the plan's index space, and the copies between one side and a contiguous buffer from there on.
class Walker {
 public:
  Walker(const Plan& plan, std::int64_t start) : plan_(plan), index_(plan.shape.size()) {
    for (std::size_t d = plan.shape.size(); d-- > 0;) {
      index_[d] = start % plan.shape[d];
      start /= plan.shape[d];
    }
  }
  std::int64_t left_in_row() const { return plan_.shape.back() - index_.back(); }
  char* at(const Side& side) const {
    std::int64_t offset = 0;
    for (std::size_t d = 0; d < index_.size(); ++d) offset += index_[d] * side.strides[d];
    return side.data + offset * side.size;
  }
  void advance(std::int64_t n) {
    std::size_t d = index_.size() - 1;
    index_[d] += n;
    while (d > 0 && index_[d] >= plan_.shape[d]) {
      const std::int64_t carry = index_[d] / plan_.shape[d];
      index_[d] %= plan_.shape[d];
      index_[--d] += carry;
    }
  }
  // Calls f(pointer into the side, how many elements) for runs of the innermost dimension that cover n elements.
  template <class F>
  void rows(const Side& side, std::int64_t n, F&& f) const {
    Walker w = *this;
    while (n > 0) {
      const std::int64_t run = n < w.left_in_row() ? n : w.left_in_row();
      f(w.at(side), run);
      n -= run;
      if (n > 0) w.advance(run);
    }
  }

 private:
  const Plan& plan_;
  Dims index_;
};

}  // namespace hwaro
