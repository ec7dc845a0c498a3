// Complex products from real ones: real and imaginary parts are taken apart, four real products are formed with the
// kernels for real numbers, and the result is put together. Taking apart costs O(mk + kn + mn), so this runs at the
// speed of the real kernels (of OpenBLAS' cgemm: 0.7 at 64, 0.8 at 128, 1.7 at 512). Tiny products are plain loops.
#include <algorithm>

#include "hwaro/backend/cpu/gemm/gemm.h"
#include "hwaro/backend/cpu/workspace.h"
#include "hwaro/base/parallel.h"

namespace hwaro {
namespace {

using std::int64_t;

constexpr int64_t kPlainWork = 512;  // multiplications up to which plain loops are faster

// One stored matrix as two: rows of `columns` values, parts split, the imaginary one with the sign of conjugation.
template <class T>
class Split {
 public:
  Split(Trans trans, int64_t rows, int64_t columns, const T* data, int64_t ld)
      : values_(2 * rows * columns), rows_(rows), columns_(columns) {
    const T sign = trans == Trans::kConjTranspose ? T(-1) : T(1);
    parallel_for(rows, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, columns)), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const T* from = data + 2 * i * ld;
        T *re = values_.data() + i * columns, *im = re + rows * columns;
        for (int64_t j = 0; j < columns; ++j) re[j] = from[2 * j], im[j] = sign * from[2 * j + 1];
      }
    });
  }
  const T* re() const { return values_.data(); }
  const T* im() const { return values_.data() + rows_ * columns_; }
  int64_t ld() const { return columns_; }

 private:
  Workspace<T> values_;
  int64_t rows_, columns_;
};

// c = alpha * (re, im) + beta * c.
template <class T>
void finish(T re, T im, T alpha_re, T alpha_im, T beta_re, T beta_im, T* c) {
  T out_re = re, out_im = im;
  if (alpha_re != T(1) || alpha_im != T(0)) {
    out_re = alpha_re * re - alpha_im * im;
    out_im = alpha_re * im + alpha_im * re;
  }
  if (beta_re != T(0) || beta_im != T(0)) {
    out_re += beta_re * c[0] - beta_im * c[1];
    out_im += beta_re * c[1] + beta_im * c[0];
  }
  c[0] = out_re, c[1] = out_im;
}

}  // namespace

template <class T>
void gemm_complex(Trans a_trans, Trans b_trans, int64_t m, int64_t n, int64_t k, T alpha_re, T alpha_im, const T* a,
                  int64_t lda, const T* b, int64_t ldb, T beta_re, T beta_im, T* c, int64_t ldc) {
  if (m <= 0 || n <= 0) return;
  const bool ta = a_trans != Trans::kNo, tb = b_trans != Trans::kNo;
  if (k <= 0 || (alpha_re == T(0) && alpha_im == T(0)) || m * n * k <= kPlainWork) {
    const int64_t depth = alpha_re == T(0) && alpha_im == T(0) ? 0 : k;
    const T sign_a = a_trans == Trans::kConjTranspose ? T(-1) : T(1),
            sign_b = b_trans == Trans::kConjTranspose ? T(-1) : T(1);
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) {
        T re = 0, im = 0;
        for (int64_t p = 0; p < depth; ++p) {
          const T* x = a + 2 * (ta ? p * lda + i : i * lda + p);
          const T* y = b + 2 * (tb ? j * ldb + p : p * ldb + j);
          const T xi = sign_a * x[1], yi = sign_b * y[1];
          re += x[0] * y[0] - xi * yi;
          im += x[0] * yi + xi * y[0];
        }
        finish(re, im, alpha_re, alpha_im, beta_re, beta_im, c + 2 * (i * ldc + j));
      }
    return;
  }
  const Split<T> x(a_trans, ta ? k : m, ta ? m : k, a, lda), y(b_trans, tb ? n : k, tb ? k : n, b, ldb);
  const Trans rta = ta ? Trans::kTranspose : Trans::kNo, rtb = tb ? Trans::kTranspose : Trans::kNo;
  Workspace<T> result(2 * m * n);
  T *re = result.data(), *im = re + m * n;
  gemm<T>(rta, rtb, m, n, k, T(1), x.re(), x.ld(), y.re(), y.ld(), T(0), re, n);
  gemm<T>(rta, rtb, m, n, k, T(-1), x.im(), x.ld(), y.im(), y.ld(), T(1), re, n);
  gemm<T>(rta, rtb, m, n, k, T(1), x.re(), x.ld(), y.im(), y.ld(), T(0), im, n);
  gemm<T>(rta, rtb, m, n, k, T(1), x.im(), x.ld(), y.re(), y.ld(), T(1), im, n);
  parallel_for(m, std::max<int64_t>(1, 16384 / n), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      for (int64_t j = 0; j < n; ++j)
        finish(re[i * n + j], im[i * n + j], alpha_re, alpha_im, beta_re, beta_im, c + 2 * (i * ldc + j));
  });
}

template void gemm_complex<float>(Trans, Trans, int64_t, int64_t, int64_t, float, float, const float*, int64_t,
                                  const float*, int64_t, float, float, float*, int64_t);
template void gemm_complex<double>(Trans, Trans, int64_t, int64_t, int64_t, double, double, const double*, int64_t,
                                   const double*, int64_t, double, double, double*, int64_t);

}  // namespace hwaro
