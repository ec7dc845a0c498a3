// Products against a plain triple loop in double, on every instruction set that this processor has.
#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "hwaro/backend/cpu/capability.h"
#include "hwaro/backend/cpu/gemm/blas.h"
#include "hwaro/backend/cpu/gemm/gemm.h"
#include "hwaro/backend/cpu/gemm/kernels.h"
#include "hwaro/base/error.h"
#include "hwaro/math/half.h"

namespace {

using namespace hwaro;
using std::int64_t;

const GemmKernels* table_of(int level) {
  const GemmKernels* tables[] = HWARO_TABLES(gemm_kernels);
  return tables[level];
}

// Runs body once per instruction set.
template <class F>
void on_each_isa(F body) {
  for (int level = 0; level <= static_cast<int>(detect_cpu_capability()); ++level) {
    const std::string isa = cpu_capability_name(static_cast<CpuCapability>(level));
    CAPTURE(isa);
    set_active_gemm_kernels(table_of(level));
    body();
  }
  set_active_gemm_kernels(nullptr);
}

// Multiples of 2^-16, for which a plain loop in double is exact: 100,000 products of two of them add up to 49 bits.
template <class T>
std::vector<T> random_values(int64_t count, std::uint32_t seed) {
  std::mt19937 engine(seed);
  std::uniform_int_distribution<int> uniform(-65536, 65536);
  std::vector<T> out(static_cast<std::size_t>(count));
  for (T& x : out) x = static_cast<T>(uniform(engine) * 0x1p-16);
  return out;
}

// A bound for the rounding of a sum of k products of random values below 1: partial sums grow with the root of k, and
// so does what their roundings add up to.
template <class T>
double tolerance(int64_t k) {
  return static_cast<double>(std::numeric_limits<T>::epsilon()) * (4.0 + static_cast<double>(k));
}

template <class T>
void check_gemm(Trans ta, Trans tb, int64_t m, int64_t n, int64_t k, T alpha, T beta, int64_t slack) {
  const int64_t lda = (ta == Trans::kNo ? k : m) + slack, ldb = (tb == Trans::kNo ? n : k) + slack, ldc = n + slack;
  const auto a = random_values<T>((ta == Trans::kNo ? m : k) * lda, 1);
  const auto b = random_values<T>((tb == Trans::kNo ? k : n) * ldb, 2);
  const auto c0 = random_values<T>(m * ldc, 3);
  auto c = c0;
  if (beta == T(0))
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) c[i * ldc + j] = std::numeric_limits<T>::quiet_NaN();
  gemm<T>(ta, tb, m, n, k, alpha, a.data(), lda, b.data(), ldb, beta, c.data(), ldc);
  CAPTURE(m);
  CAPTURE(n);
  CAPTURE(k);
  CAPTURE(int(ta));
  CAPTURE(int(tb));
  CAPTURE(alpha);
  CAPTURE(beta);
  CAPTURE(slack);
  bool close = true, untouched = true;
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      double sum = 0;
      for (int64_t p = 0; p < k; ++p)
        sum += double(ta == Trans::kNo ? a[i * lda + p] : a[p * lda + i]) *
               double(tb == Trans::kNo ? b[p * ldb + j] : b[j * ldb + p]);
      const double expected = alpha * sum + (beta == T(0) ? 0.0 : beta * double(c0[i * ldc + j]));
      close = close && std::abs(double(c[i * ldc + j]) - expected) <= tolerance<T>(k);
    }
    for (int64_t j = n; j < ldc; ++j) untouched = untouched && c[i * ldc + j] == c0[i * ldc + j];
  }
  CHECK(close);
  CHECK(untouched);
}

}  // namespace

TEST_CASE_TEMPLATE("gemm matches a triple loop for all small shapes", T, float, double) {
  on_each_isa([] {
    for (Trans ta : {Trans::kNo, Trans::kTranspose})
      for (Trans tb : {Trans::kNo, Trans::kTranspose})
        for (int64_t m : {1, 2, 5, 8, 13, 17})
          for (int64_t n : {1, 3, 8, 15, 16, 33, 64, 65})
            for (int64_t k : {1, 2, 7, 16, 31}) check_gemm<T>(ta, tb, m, n, k, T(1), T(0), (m + n) % 2 * 3);
  });
}

TEST_CASE_TEMPLATE("gemm matches a triple loop for shapes of several tiles and panels", T, float, double) {
  on_each_isa([] {
    const int64_t shapes[][3] = {{70, 70, 70},   {128, 128, 300}, {257, 129, 64}, {30, 600, 140},
                                 {300, 20, 513}, {15, 100, 520},  {9, 130, 700}};
    for (const auto& s : shapes)
      for (Trans ta : {Trans::kNo, Trans::kTranspose})
        for (Trans tb : {Trans::kNo, Trans::kTranspose}) check_gemm<T>(ta, tb, s[0], s[1], s[2], T(1), T(0), 5);
  });
}

TEST_CASE_TEMPLATE("gemm applies alpha and beta once, whatever the depth", T, float, double) {
  on_each_isa([] {
    for (int64_t size : {3, 20, 70})
      for (int64_t k : {5, 600})
        for (T alpha : {T(0), T(1), T(-0.5)})
          for (T beta : {T(0), T(1), T(0.25)})
            check_gemm<T>(Trans::kNo, Trans::kTranspose, size, size + 1, k, alpha, beta, 1);
  });
}

TEST_CASE("gemm of an empty depth is beta times c, and of no rows nothing") {
  float c[4] = {1, 2, 3, std::numeric_limits<float>::quiet_NaN()};
  gemm<float>(Trans::kNo, Trans::kNo, 1, 3, 0, 1.0f, nullptr, 1, nullptr, 3, 2.0f, c, 3);
  CHECK(c[0] == 2.0f);
  CHECK(c[2] == 6.0f);
  gemm<float>(Trans::kNo, Trans::kNo, 1, 4, 0, 1.0f, nullptr, 1, nullptr, 4, 0.0f, c, 4);
  CHECK(c[0] == 0.0f);
  CHECK(c[3] == 0.0f);
  gemm<float>(Trans::kNo, Trans::kNo, 0, 4, 3, 1.0f, nullptr, 3, nullptr, 4, 0.0f, nullptr, 4);
}

TEST_CASE("gemm carries NaN and infinity of the operands into the rows and columns that they belong to") {
  on_each_isa([] {
    for (int64_t n : {8, 40, 100}) {
      std::vector<float> a(n * n, 1.0f), b(n * n, 1.0f), c(n * n);
      a[2 * n + 3] = std::numeric_limits<float>::quiet_NaN();
      b[1 * n + 5] = std::numeric_limits<float>::infinity();
      gemm<float>(Trans::kNo, Trans::kNo, n, n, n, 1.0f, a.data(), n, b.data(), n, 0.0f, c.data(), n);
      for (int64_t i = 0; i < n; ++i)
        for (int64_t j = 0; j < n; ++j) {
          const float x = c[i * n + j];
          if (i == 2) CHECK(std::isnan(x));
          else if (j == 5) CHECK(std::isinf(x));
          else CHECK(x == float(n));
        }
    }
  });
}

TEST_CASE_TEMPLATE("gemm_bias adds one value per column", T, float, double) {
  on_each_isa([] {
    const int64_t shapes[][3] = {{1, 7, 20}, {8, 8, 8}, {64, 10, 512}, {64, 100, 300}, {5, 1, 9}, {3, 4, 0}};
    for (const auto& s : shapes) {
      const int64_t m = s[0], n = s[1], k = s[2];
      const auto a = random_values<T>(m * k, 4), b = random_values<T>(n * k, 5), bias = random_values<T>(n, 6);
      std::vector<T> c(m * n, std::numeric_limits<T>::quiet_NaN());
      gemm_bias<T>(Trans::kNo, Trans::kTranspose, m, n, k, a.data(), k, b.data(), k, bias.data(), c.data(), n);
      for (int64_t i = 0; i < m; ++i)
        for (int64_t j = 0; j < n; ++j) {
          double sum = bias[j];
          for (int64_t p = 0; p < k; ++p) sum += double(a[i * k + p]) * double(b[j * k + p]);
          CHECK(std::abs(double(c[i * n + j]) - sum) <= tolerance<T>(k));
        }
    }
  });
}

TEST_CASE_TEMPLATE("gemv walks over strided vectors", T, float, double) {
  on_each_isa([] {
    for (Trans trans : {Trans::kNo, Trans::kTranspose})
      for (int64_t m : {1, 3, 4, 9, 70, 300})
        for (int64_t n : {1, 2, 17, 63, 130})
          for (int64_t inc : {1, 3}) {
            const int64_t lda = (trans == Trans::kNo ? n : m) + 2;
            const auto a = random_values<T>((trans == Trans::kNo ? m : n) * lda, 7), x = random_values<T>(n * inc, 8);
            const auto y0 = random_values<T>(m * inc, 9);
            auto y = y0;
            gemv<T>(trans, m, n, T(2), a.data(), lda, x.data(), inc, T(0.5), y.data(), inc);
            bool close = true;
            for (int64_t i = 0; i < m; ++i) {
              double sum = 0;
              for (int64_t j = 0; j < n; ++j)
                sum += double(trans == Trans::kNo ? a[i * lda + j] : a[j * lda + i]) * double(x[j * inc]);
              close =
                  close && std::abs(double(y[i * inc]) - (2 * sum + 0.5 * double(y0[i * inc]))) <= 2 * tolerance<T>(n);
              if (inc == 3) close = close && y[i * inc + 1] == y0[i * inc + 1];
            }
            CAPTURE(m);
            CAPTURE(n);
            CAPTURE(inc);
            CAPTURE(int(trans));
            CHECK(close);
          }
  });
}

TEST_CASE_TEMPLATE("dot sums all elements once", T, float, double) {
  on_each_isa([] {
    for (int64_t n : {0, 1, 5, 31, 64, 100, 16384, 16385, 100000})
      for (int64_t inc : {1, 2}) {
        const auto x = random_values<T>(n * inc, 10), y = random_values<T>(n, 11);
        double sum = 0;
        for (int64_t i = 0; i < n; ++i) sum += double(x[i * inc]) * double(y[i]);
        CAPTURE(n);
        CAPTURE(inc);
        CHECK(std::abs(double(dot<T>(n, x.data(), inc, y.data(), 1)) - sum) <= tolerance<T>(n));
      }
  });
}

TEST_CASE_TEMPLATE("gemm_batched repeats an operand of stride zero", T, float, double) {
  on_each_isa([] {
    for (int64_t batch : {0, 1, 3, 50}) {
      const int64_t m = 9, n = 20, k = 11;
      const auto a = random_values<T>(batch * m * k, 12), b = random_values<T>(k * n, 13);
      std::vector<T> c(batch * m * n), expected(batch * m * n);
      gemm_batched<T>(Trans::kNo, Trans::kNo, batch, m, n, k, T(1), a.data(), k, m * k, b.data(), n, 0, T(0), c.data(),
                      n, m * n);
      for (int64_t i = 0; i < batch; ++i)
        gemm<T>(Trans::kNo, Trans::kNo, m, n, k, T(1), a.data() + i * m * k, k, b.data(), n, T(0),
                expected.data() + i * m * n, n);
      CHECK(c == expected);
    }
  });
}

namespace {

template <class T>
struct Pair {
  T re, im;
};

}  // namespace

TEST_CASE_TEMPLATE("complex gemm conjugates what is stored conjugated", T, float, double) {
  using C = Pair<T>;
  for (const int64_t size : {1, 5, 40})
    for (Trans ta : {Trans::kNo, Trans::kTranspose, Trans::kConjTranspose})
      for (Trans tb : {Trans::kNo, Trans::kTranspose, Trans::kConjTranspose})
        for (const T beta : {T(0), T(0.5)}) {
          const int64_t m = size, n = size + 1, k = size + 2, ld = size + 4;
          const auto a = random_values<T>(2 * ld * ld, 1), b = random_values<T>(2 * ld * ld, 2),
                     c0 = random_values<T>(2 * ld * ld, 3);
          auto c = c0;
          if (beta == T(0)) c.assign(c.size(), std::numeric_limits<T>::quiet_NaN());
          gemm<C>(ta, tb, m, n, k, {T(0.5), T(-1)}, reinterpret_cast<const C*>(a.data()), ld,
                  reinterpret_cast<const C*>(b.data()), ld, {beta, beta}, reinterpret_cast<C*>(c.data()), ld);
          bool close = true;
          for (int64_t i = 0; i < m; ++i)
            for (int64_t j = 0; j < n; ++j) {
              double re = 0, im = 0;
              for (int64_t p = 0; p < k; ++p) {
                const int64_t x = 2 * (ta == Trans::kNo ? i * ld + p : p * ld + i),
                              y = 2 * (tb == Trans::kNo ? p * ld + j : j * ld + p);
                const double xr = a[x], xi = ta == Trans::kConjTranspose ? -a[x + 1] : a[x + 1];
                const double yr = b[y], yi = tb == Trans::kConjTranspose ? -b[y + 1] : b[y + 1];
                re += xr * yr - xi * yi, im += xr * yi + xi * yr;
              }
              const int64_t at = 2 * (i * ld + j);
              double want_re = 0.5 * re + im, want_im = 0.5 * im - re;
              if (beta != T(0)) {
                want_re += beta * double(c0[at]) - beta * double(c0[at + 1]);
                want_im += beta * double(c0[at + 1]) + beta * double(c0[at]);
              }
              close = close && std::abs(double(c[at]) - want_re) <= 3 * tolerance<T>(k) &&
                      std::abs(double(c[at + 1]) - want_im) <= 3 * tolerance<T>(k);
            }
          CAPTURE(size);
          CAPTURE(int(ta));
          CAPTURE(int(tb));
          CHECK(close);
        }
}

TEST_CASE_TEMPLATE("integer gemm wraps around", T, std::uint8_t, std::int8_t, std::int16_t, std::int32_t,
                   std::int64_t) {
  std::mt19937_64 engine(5);
  const int64_t m = 7, n = 21, k = 33;
  std::vector<T> a(m * k), b(k * n), c(m * n);
  for (auto* v : {&a, &b, &c})
    for (T& x : *v) x = static_cast<T>(engine());
  for (bool transposed : {false, true}) {
    auto got = c;
    gemm<T>(Trans::kNo, transposed ? Trans::kTranspose : Trans::kNo, m, n, k, T(3), a.data(), k, b.data(),
            transposed ? k : n, T(2), got.data(), n);
    bool equal = true;
    for (int64_t i = 0; i < m; ++i)
      for (int64_t j = 0; j < n; ++j) {
        std::uint64_t sum = 0;
        for (int64_t p = 0; p < k; ++p)
          sum += std::uint64_t(a[i * k + p]) * std::uint64_t(transposed ? b[j * k + p] : b[p * n + j]);
        equal = equal && got[i * n + j] == static_cast<T>(3 * sum + 2 * std::uint64_t(c[i * n + j]));
      }
    CHECK(equal);
  }
}

TEST_CASE_TEMPLATE("half gemm rounds once, after the sum in float", H, hwaro::Half, hwaro::BFloat16) {
  const int64_t m = 5, n = 18, k = 40;
  std::vector<float> x = random_values<float>(m * k, 1), y = random_values<float>(k * n, 2), z(m * n);
  std::vector<H> a(m * k), b(k * n), c(m * n, H(std::numeric_limits<float>::quiet_NaN()));
  for (int64_t i = 0; i < m * k; ++i) a[i] = H(x[i]), x[i] = static_cast<float>(a[i]);
  for (int64_t i = 0; i < k * n; ++i) b[i] = H(y[i]), y[i] = static_cast<float>(b[i]);
  gemm<H>(Trans::kNo, Trans::kNo, m, n, k, H(1.0f), a.data(), k, b.data(), n, H(0.0f), c.data(), n);
  gemm<float>(Trans::kNo, Trans::kNo, m, n, k, 1.0f, x.data(), k, y.data(), n, 0.0f, z.data(), n);
  for (int64_t i = 0; i < m * n; ++i) CHECK(c[i].bits == H(z[i]).bits);
}

TEST_CASE("a library that is no BLAS is refused") {
  CHECK_THROWS_AS(set_blas_library("/nonexistent/libblas.so"), Error);
}

TEST_CASE("functions of BLAS and LAPACK are found with and without a prefix") {
  if (blas_library() == nullptr) {
    CHECK(blas_symbol("dgesv_") == nullptr);
    return;
  }
  CHECK(blas_symbol("no_such_function") == nullptr);
  using Solve = void (*)(const int* n, const int* nrhs, double* a, const int* lda, int* pivots, double* b,
                         const int* ldb, int* info);
  const auto solve = reinterpret_cast<Solve>(blas_symbol("dgesv_"));
  REQUIRE((solve != nullptr));
  const int n = 2, one = 1;
  double a[4] = {2, 1, 1, 3}, b[2] = {3, 5};  // by columns: 2x + y = 3, x + 3y = 5
  int pivots[2], info = -1;
  solve(&n, &one, a, &n, pivots, b, &n, &info);
  CHECK(info == 0);
  CHECK(b[0] == doctest::Approx(0.8));
  CHECK(b[1] == doctest::Approx(1.4));
}
