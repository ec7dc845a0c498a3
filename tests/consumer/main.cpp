// What a first C++ program writes: tensors, an operator, a gradient, an error that is caught by its type.
//
//   consumer [BLAS]    BLAS: a part of the path of the OpenBLAS that must be found
#include <hwaro/backend/cpu/gemm/blas.h>
#include <hwaro/hwaro.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

void expect(bool condition, const char* what) {
  if (condition) return;
  std::fprintf(stderr, "consumer: wrong: %s\n", what);
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  hwaro::Tensor a = hwaro::arange(6, hwaro::kFloat32).reshape({2, 3});
  hwaro::Tensor b = hwaro::ones({3});
  hwaro::Tensor sum = (a + b).sum();
  expect(sum.item<float>() == 21.0f, "(arange(6).reshape({2, 3}) + ones({3})).sum() is 21");
  expect(a.size(1) == 3 && a.dim() == 2, "sizes");

  hwaro::Tensor x = hwaro::full({2}, 3.0).requires_grad_(true);
  (x * x).sum().backward();
  expect(x.grad().sum().item<float>() == 12.0f, "the gradient of x * x is 2 * x");

  hwaro::Tensor product = hwaro::matmul(a, hwaro::ones({3, 2}));
  expect(std::abs(product.sum().item<float>() - 30.0f) < 1e-5f, "matmul");

  bool caught = false;
  try {
    a + hwaro::ones({2, 2});
  } catch (const hwaro::Error& error) {
    caught = true;
    std::printf("consumer: caught: %s\n", error.what());
  }
  expect(caught, "shapes that do not broadcast throw hwaro::Error");

  if (argc > 1) {
    const char* blas = hwaro::blas_library();
    std::printf("consumer: OpenBLAS is %s\n", blas ? blas : "missing");
    expect(blas && std::strstr(blas, argv[1]), "OpenBLAS is found where it was installed");
    expect(hwaro::blas_symbol("dgesv_") != nullptr, "it has LAPACK");
  }
  std::printf("consumer: passed\n");
}
