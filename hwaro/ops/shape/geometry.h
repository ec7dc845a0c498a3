// Shape arithmetic of view operators.
#pragma once

#include "hwaro/ops/vocabulary.h"

namespace hwaro::engine {

// A shape with at most one -1 filled in so that it holds numel elements. Errors: RuntimeError in PyTorch's words.
Dims infer_size(IntSpan shape, std::int64_t numel);
// A stride `step` times as long. Wraps around where the step leads out of every tensor, as that of t[::2**62].
inline std::int64_t stretched(std::int64_t stride, std::int64_t step) {
  return std::int64_t(std::uint64_t(stride) * std::uint64_t(step));
}
// Strides that show a tensor of the given geometry in a new shape without a copy; false where there are none.
bool view_strides(IntSpan sizes, IntSpan strides, IntSpan new_sizes, Dims& new_strides);
// The gradient through as_strided: see autograd/primitives.h. Recorded.
Tensor as_strided_backward(const Tensor& grad, IntSpan base_sizes, IntSpan base_strides, std::int64_t base_offset,
                           IntSpan sizes, IntSpan strides, std::int64_t offset);
// A fresh tensor for a copy of t in a memory format. Errors: RuntimeError for a rank that the format does not have.
Tensor make_in_format(const Tensor& t, MemoryFormat format, DType dtype, Device device);
void check_format_rank(int dim, MemoryFormat format);
// A copy of t with exactly these strides. Recorded.
Tensor to_geometry(const Tensor& t, IntSpan sizes, IntSpan strides);

}  // namespace hwaro::engine
