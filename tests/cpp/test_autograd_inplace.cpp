// What becomes of retained gradients when a tensor is written to in place.
#include <doctest/doctest.h>

#include "hwaro/hwaro.h"

using namespace hwaro;

TEST_CASE("writing in place moves retained gradients to the new value") {
  const Tensor x = tensor({1.0, 2.0}).requires_grad_();
  const Tensor y = x * 2;
  y.retain_grad();
  y *= 3;
  (y * y).sum().backward();
  CHECK(y.grad().index({0}).item<double>() == 12);
  CHECK(x.grad().index({0}).item<double>() == 72);
}
