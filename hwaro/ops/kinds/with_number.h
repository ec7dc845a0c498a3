// Arithmetic with a number as PyTorch's C++ interface records it: the node has one input and the name's second form.
#pragma once

#include "hwaro/ops/kinds/record.h"

namespace hwaro::engine {

inline Tensor plus_number(const Tensor& x, const Scalar& number) {
  Tensor out;
  {
    NoGradGuard guard;
    out = add(x, number);
  }
  if (recording(x)) record("AddBackward1", {x}, out, {}, [](Backward& b) { b.set(0, b.g()); });
  return out;
}

inline Tensor times_number(const Tensor& x, const Scalar& number) {
  Tensor out;
  {
    NoGradGuard guard;
    out = mul(x, number);
  }
  if (recording(x))
    record("MulBackward1", {x}, out, {}, [number](Backward& b) {
      b.set(0, times_number(b.g(), number.is_complex() ? Scalar(Complex<double>{number.re(), -number.im()}) : number));
    });
  return out;
}

inline Tensor over_number(const Tensor& x, const Scalar& number) {
  Tensor out;
  {
    NoGradGuard guard;
    out = div(x, number);
  }
  if (recording(x))
    record("DivBackward1", {x}, out, {}, [number](Backward& b) {
      b.set(0, over_number(b.g(), number.is_complex() ? Scalar(Complex<double>{number.re(), -number.im()}) : number));
    });
  return out;
}

}  // namespace hwaro::engine
