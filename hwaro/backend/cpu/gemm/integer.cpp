// Integer products, modulo 2^bits as everywhere in integer arithmetic here. A row of 16 sums at a time: its length is
// known to the compiler, which turns it into vectors for the narrow types.
#include <algorithm>
#include <type_traits>

#include "hwaro/backend/cpu/gemm/gemm.h"
#include "hwaro/backend/cpu/workspace.h"
#include "hwaro/base/parallel.h"

namespace hwaro {

using std::int64_t;

template <class T>
void gemm_integer(Trans a_trans, Trans b_trans, int64_t m, int64_t n, int64_t k, T alpha, const T* a, int64_t lda,
                  const T* b, int64_t ldb, T beta, T* c, int64_t ldc) {
  // Unsigned and at least as wide as int: no promotion to a signed type that could overflow.
  using U = std::conditional_t<sizeof(T) <= 4, std::uint32_t, std::uint64_t>;
  constexpr int64_t kWidth = 16;
  if (m <= 0 || n <= 0) return;
  const bool ta = a_trans != Trans::kNo, tb = b_trans != Trans::kNo;
  const int64_t row_work = std::max<int64_t>(1, n * k);
  parallel_for(m, std::max<int64_t>(1, 65536 / row_work), [&](int64_t begin, int64_t end) {
    Workspace<T> panel(std::max<int64_t>(k, 0) * kWidth);
    for (int64_t j = 0; j < n; j += kWidth) {
      const int64_t columns = std::min(kWidth, n - j);
      for (int64_t p = 0; p < k; ++p)
        for (int64_t t = 0; t < kWidth; ++t)
          panel.data()[p * kWidth + t] = t < columns ? (tb ? b[(j + t) * ldb + p] : b[p * ldb + j + t]) : T(0);
      for (int64_t i = begin; i < end; ++i) {
        U sum[kWidth] = {};
        for (int64_t p = 0; p < k; ++p) {
          const U x = static_cast<U>(ta ? a[p * lda + i] : a[i * lda + p]);
          const T* y = panel.data() + p * kWidth;
          for (int64_t t = 0; t < kWidth; ++t) sum[t] += x * static_cast<U>(y[t]);
        }
        for (int64_t t = 0; t < columns; ++t) {
          T& out = c[i * ldc + j + t];
          const U old = beta == T(0) ? U(0) : static_cast<U>(beta) * static_cast<U>(out);
          out = static_cast<T>(static_cast<U>(alpha) * sum[t] + old);
        }
      }
    }
  });
}

#define HWARO_INSTANTIATE(T)                                                                                         \
  template void gemm_integer<T>(Trans, Trans, int64_t, int64_t, int64_t, T, const T*, int64_t, const T*, int64_t, T, \
                                T*, int64_t);
HWARO_INSTANTIATE(std::uint8_t)
HWARO_INSTANTIATE(std::int8_t)
HWARO_INSTANTIATE(std::int16_t)
HWARO_INSTANTIATE(std::int32_t)
HWARO_INSTANTIATE(std::int64_t)
HWARO_INSTANTIATE(std::uint16_t)
HWARO_INSTANTIATE(std::uint32_t)
HWARO_INSTANTIATE(std::uint64_t)
#undef HWARO_INSTANTIATE

}  // namespace hwaro
