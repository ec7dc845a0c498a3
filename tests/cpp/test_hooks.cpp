// Hooks on tensors from C++, and histories of views after writes through them.
#include <doctest/doctest.h>

#include "hwaro/hwaro.h"

using namespace hwaro;

TEST_CASE("a hook sees the gradient, may replace it, and comes off again") {
  const Tensor x = tensor({1.0, 2.0}).requires_grad_();
  int calls = 0;
  HookHandle looks = x.register_hook([&](const Tensor& g) {
    CHECK(g.index({0}).item<double>() == 3);
    ++calls;
  });
  HookHandle doubles = x.register_hook([](const Tensor& g) { return g * 2; });
  (x * 3).sum().backward();
  CHECK(x.grad().index({1}).item<double>() == 6);
  looks.remove();
  doubles.remove();
  (x * 3).sum().backward();
  CHECK(x.grad().index({1}).item<double>() == 9);
  CHECK(calls == 1);
}

TEST_CASE("hooks on results, and errors of hooks") {
  const Tensor x = tensor({1.0, 2.0}).requires_grad_();
  const Tensor y = x * 2;
  y.register_hook([](const Tensor& g) { return g * 10; });
  y.retain_grad();
  y.sum().backward();
  CHECK(y.grad().index({0}).item<double>() == 10);
  CHECK(x.grad().index({0}).item<double>() == 20);
  CHECK_THROWS_AS(tensor({1.0}).register_hook([](const Tensor&) {}), RuntimeError);
  const Tensor z = x * 1;
  z.register_hook([](const Tensor& g) { return g.sum(); });
  CHECK_THROWS_AS(z.sum().backward(), RuntimeError);
}

TEST_CASE("a hook after accumulation sees the leaf with its gradient") {
  const Tensor x = tensor({1.0, 2.0}).requires_grad_();
  double seen = 0;
  HookHandle handle =
      x.register_post_accumulate_grad_hook([&](const Tensor& leaf) { seen = leaf.grad().index({1}).item<double>(); });
  (x * 3).sum().backward();
  CHECK(seen == 3);
  handle.remove();
  (x * 3).sum().backward();
  CHECK(seen == 3);
  CHECK_THROWS_AS((x * 1).register_post_accumulate_grad_hook([](const Tensor&) {}), RuntimeError);
}

TEST_CASE("writing in place moves retained gradients to the new value") {
  const Tensor x = tensor({1.0, 2.0}).requires_grad_();
  const Tensor y = x * 2;
  y.retain_grad();
  y *= 3;
  (y * y).sum().backward();
  CHECK(y.grad().index({0}).item<double>() == 12);
  CHECK(x.grad().index({0}).item<double>() == 72);
}
