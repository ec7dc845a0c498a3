// Products of 16-bit floats: widened to float, multiplied there, rounded once.
#include "hwaro/math/half.h"

#include <algorithm>

#include "hwaro/backend/cpu/gemm/gemm.h"
#include "hwaro/backend/cpu/workspace.h"
#include "hwaro/base/parallel.h"

namespace hwaro {
namespace {

using std::int64_t;

template <class H>
void widen(int64_t rows, int64_t columns, const H* from, int64_t ld, float* to) {
  parallel_for(rows, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, columns)), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      for (int64_t j = 0; j < columns; ++j) to[i * columns + j] = static_cast<float>(from[i * ld + j]);
  });
}

}  // namespace

template <class H>
void gemm_half(Trans a_trans, Trans b_trans, int64_t m, int64_t n, int64_t k, float alpha, const H* a, int64_t lda,
               const H* b, int64_t ldb, float beta, H* c, int64_t ldc) {
  if (m <= 0 || n <= 0) return;
  const bool ta = a_trans != Trans::kNo, tb = b_trans != Trans::kNo;
  k = std::max<int64_t>(k, 0);
  const int64_t a_columns = ta ? m : k, b_columns = tb ? k : n;
  Workspace<float> x(m * k), y(k * n), z(m * n);
  widen(ta ? k : m, a_columns, a, lda, x.data());
  widen(tb ? n : k, b_columns, b, ldb, y.data());
  if (beta != 0.0f) widen(m, n, c, ldc, z.data());
  gemm<float>(a_trans, b_trans, m, n, k, alpha, x.data(), a_columns, y.data(), b_columns, beta, z.data(), n);
  parallel_for(m, std::max<int64_t>(1, 16384 / n), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      for (int64_t j = 0; j < n; ++j) c[i * ldc + j] = H(z.data()[i * n + j]);
  });
}

template void gemm_half<Half>(Trans, Trans, int64_t, int64_t, int64_t, float, const Half*, int64_t, const Half*,
                              int64_t, float, Half*, int64_t);
template void gemm_half<BFloat16>(Trans, Trans, int64_t, int64_t, int64_t, float, const BFloat16*, int64_t,
                                  const BFloat16*, int64_t, float, BFloat16*, int64_t);

}  // namespace hwaro
