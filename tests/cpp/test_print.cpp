// Printing from C++: what Python's print shows.
#include <doctest/doctest.h>
#include <hwaro/hwaro.h>

#include <sstream>

namespace {

std::string printed(const hwaro::Tensor& t) {
  std::ostringstream out;
  out << t;
  return out.str();
}

}  // namespace

TEST_CASE("tensors print as in Python") {
  CHECK(printed(hwaro::tensor({{1.0, 2.5}, {-3.0, 4.0}})) ==
        "tensor([[ 1.0000,  2.5000],\n        [-3.0000,  4.0000]])");
  CHECK(printed(hwaro::arange(3)) == "tensor([0, 1, 2])");
  CHECK(printed(hwaro::zeros({0, 3})) == "tensor([], size=(0, 3))");
  CHECK(printed(hwaro::ones({2}, hwaro::kFloat64)) == "tensor([1., 1.], dtype=torch.float64)");
  CHECK(printed(hwaro::Tensor()) == "undefined tensor");
}

TEST_CASE("a printed tensor tells how it was made") {
  const hwaro::Tensor leaf = hwaro::ones({2}, {.requires_grad = true});
  CHECK(printed(leaf) == "tensor([1., 1.], requires_grad=True)");
  CHECK(printed(leaf * 2) == "tensor([2., 2.], grad_fn=<MulBackward0>)");
  CHECK(hwaro::to_string(leaf.detach()) == "tensor([1., 1.])");
}
