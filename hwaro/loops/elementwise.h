// Plans for elementwise work: broadcasting, dropping and merging of dimensions, and tiles for what an inner loop cannot
// read in place. Inner loops only ever see contiguous runs of one element type.
#pragma once

#include "hwaro/core/tensor.h"

namespace hwaro {

// A scalar argument as kernels get it: each element type reads the member that fits it.
struct Attr {
  double re = 0, im = 0;
  std::int64_t i = 0;
  Attr() = default;
  Attr(const Scalar& s) : re(s.re()), im(s.im()), i(s.fits_int() ? s.to_int() : 0) {}  // NOLINT
};

// out[i] = f(in[0][i], in[1][i], …) for i in [0, n), contiguous.
using InnerLoop = void (*)(void* out, const void* const* in, std::int64_t n, const Attr* attrs);

inline constexpr int kMaxInputs = 4;  // gradient kernels read the incoming gradient beside up to three operands

// What an operator works on: a tensor, or a number that stands for a tensor of any shape.
struct Operand {
  TensorImpl* tensor = nullptr;  // borrowed
  Scalar scalar;
  Operand() = default;
  Operand(const engine::Tensor& t) : tensor(t.impl()) {}  // NOLINT
  Operand(TensorImpl* t) : tensor(t) {}                   // NOLINT
  Operand(const Scalar& s) : scalar(s) {}                 // NOLINT
  template <class T>
    requires std::is_arithmetic_v<T>
  Operand(T v) : scalar(v) {}                // NOLINT
  Operand(Complex<double> v) : scalar(v) {}  // NOLINT
  bool is_tensor() const { return tensor != nullptr; }
  engine::Tensor get() const { return engine::Tensor(IntrusivePtr<TensorImpl>::share(tensor)); }
};

// The shape that all shapes broadcast to. Errors: RuntimeError "The size of tensor a (3) must match …".
Dims broadcast_shapes(Span<const TensorImpl*> tensors);
void broadcast_into(Dims& shape, IntSpan other);

// Strides of an output that keeps the inputs' order of dimensions (computed from the first input that decides).
Dims output_strides(IntSpan shape, Span<const TensorImpl*> inputs);

// Elements per chunk of a parallel loop.
inline constexpr std::int64_t kGrain = 32768;

// Runs `loop` over all elements of `out`. Inputs are broadcast to out's shape and converted to `compute`; the loop writes
// elements of type `loop_out`, converted to out's type where that differs. With `fresh`, out owns its block, so the loop
// may run over the end in whole vectors.
void run_elementwise(InnerLoop loop, TensorImpl& out, bool fresh, Span<Operand> inputs, DType compute, DType loop_out,
                     const Attr* attrs);

// Copies src (broadcast to dst's shape, converted to its type) into dst; they must not overlap unless they are the same.
void copy_elements(TensorImpl& dst, const TensorImpl& src);
// Fills every element with a value.
void fill_elements(TensorImpl& dst, const Scalar& value);

}  // namespace hwaro
