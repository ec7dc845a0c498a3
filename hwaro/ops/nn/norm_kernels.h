// Loops of normalisations over contiguous runs; sums come back in double. One table per instruction set.
#pragma once

#include <cstdint>

namespace hwaro {

struct NormLoops {
  double (*sum)(const void* x, std::int64_t n);
  double (*sum_squares)(const void* x, double mean, std::int64_t n);  // of x - mean
  // Sums of g and of g * (x - mean).
  void (*sum_products)(const void* g, const void* x, double mean, std::int64_t n, double* sum_g, double* sum_gx);
  void (*scale)(void* y, const void* x, double a, double b, std::int64_t n);  // y = a x + b
  void (*combine)(void* dx, const void* g, const void* x, double a, double b, double c,
                  std::int64_t n);  // dx = a g + b x + c
  // One row of layer norm: y = (x - mean) * rstd * w + bias; w and bias may be null.
  void (*row)(void* y, const void* x, const void* w, const void* bias, double mean, double rstd, std::int64_t n);
  // Its backward: dx (may be null), and dw += g * xhat, db += g (may be null).
  void (*row_backward)(void* dx, void* dw, void* db, const void* g, const void* x, const void* w, double mean,
                       double rstd, std::int64_t n);
};
struct NormKernels {
  NormLoops loops[2];  // float, double
};

const NormKernels& norm_kernels();
void set_norm_kernels(const NormKernels* table);  // called once at load by the backend

}  // namespace hwaro
