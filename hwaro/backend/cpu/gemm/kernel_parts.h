// Entry points that one kernel file of products defines and another puts into the table.
#pragma once

#include "hwaro/backend/cpu/gemm/kernels.h"
#include "hwaro/backend/cpu/simd_gcc.h"

namespace hwaro {
inline namespace HWARO_ISA {

template <class T>
void dots(std::int64_t m, std::int64_t n, std::int64_t k, const T* a, std::int64_t lda, const T* b, std::int64_t ldb,
          T* c, std::int64_t ldc, Epilogue<T> epilogue);
template <class T>
void gemv_rows(std::int64_t m, std::int64_t n, const T* a, std::int64_t lda, const T* x, Epilogue<T> e, T* y,
               std::int64_t incy);
template <class T>
void gemv_columns(std::int64_t m, std::int64_t n, const T* a, std::int64_t lda, const T* x, Epilogue<T> e, T* y,
                  std::int64_t incy);
template <class T>
T dot(std::int64_t n, const T* x, const T* y);

}  // namespace HWARO_ISA
}  // namespace hwaro
