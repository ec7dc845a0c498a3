// Loops of normalisations on contiguous memory; float and double. One table per instruction set.
#pragma once

#include <cstdint>

namespace hwaro {

template <class T>
struct NormKernelsOf {
  // Mean and sum of squared deviations of n elements.
  void (*moments)(std::int64_t n, const T* x, T* mean, T* squares);
  // y = x * scale + shift
  void (*affine)(std::int64_t n, const T* x, T scale, T shift, T* y);
  // sum of dy, and of dy * (x - mean)
  void (*grad_sums)(std::int64_t n, const T* dy, const T* x, T mean, T* sum, T* dot);
  // dx = a * dy + b * (x - mean) + c
  void (*grad_input)(std::int64_t n, const T* dy, const T* x, T mean, T a, T b, T c, T* dx);

  // The same with one set of numbers per column of a matrix (rows, cols): sums run down the columns.
  void (*column_sums)(std::int64_t rows, std::int64_t cols, const T* x, double* sum);
  void (*column_squares)(std::int64_t rows, std::int64_t cols, const T* x, const T* mean, double* squares);
  void (*column_affine)(std::int64_t rows, std::int64_t cols, const T* x, const T* scale, const T* shift, T* y);
  void (*column_grad_sums)(std::int64_t rows, std::int64_t cols, const T* dy, const T* x, const T* mean, double* sum,
                           double* dot);
  void (*column_grad_input)(std::int64_t rows, std::int64_t cols, const T* dy, const T* x, const T* mean, const T* a,
                            const T* b, const T* c, T* dx);

  // Rows of n elements with weight and bias (n) or null: y = (x - mean) * rstd * weight + bias.
  void (*row_forward)(std::int64_t rows, std::int64_t n, const T* x, const T* weight, const T* bias, T eps, T* y,
                      T* mean, T* rstd);
  // dx (rows, n) or null; dweight and dbias (n) or null are added to.
  void (*row_backward)(std::int64_t rows, std::int64_t n, const T* dy, const T* x, const T* mean, const T* rstd,
                       const T* weight, T* dx, T* dweight, T* dbias);
};

struct NormKernels {
  NormKernelsOf<float> f;
  NormKernelsOf<double> d;
  template <class T>
  const NormKernelsOf<T>& of() const;
};
template <>
inline const NormKernelsOf<float>& NormKernels::of<float>() const {
  return f;
}
template <>
inline const NormKernelsOf<double>& NormKernels::of<double>() const {
  return d;
}

const NormKernels& norm_kernels();
void set_norm_kernels(const NormKernels* table);  // called once at load by the backend

}  // namespace hwaro
