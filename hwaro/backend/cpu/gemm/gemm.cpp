// Real products: which kernel computes a shape, and how it is cut into tasks.
// - one row or one column: matrix times vector;
// - up to 64 columns of little depth, or few rows: the kernel that packs nothing;
// - few rows or columns, both operands stored along the depth (linear layers): tiles of dot products;
// - everything else: tiles of c of at most 256 x 512, each packed and computed by one task.
// Every border is a function of the shape alone. OpenBLAS takes no part in real products: on one AVX-512 core (Zen 4)
// these kernels are level with it for large squares (512: 1.00, 1024: 0.99), within 7 % for small ones (32: 0.93,
// 64: 0.96), and ahead where an operand is transposed (32: 1.5), rows are few (8 x 512 x 784: 2.1) or it is a vector
// (3 and more).
#include "hwaro/backend/cpu/gemm/gemm.h"

#include <algorithm>

#include "hwaro/backend/cpu/gemm/kernels.h"
#include "hwaro/backend/cpu/workspace.h"
#include "hwaro/base/parallel.h"

namespace hwaro {
namespace {

using std::int64_t;

constexpr int64_t kTaskWork = int64_t{1} << 18;  // multiply-adds that are worth handing to another thread

constexpr int64_t kUnpackedWork = int64_t{128} * 128 * 128;  // up to here packing b costs more than it saves
constexpr int64_t kDotsSide = 16;

int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

template <class T>
MatrixView<T> view_of(Trans trans, const T* data, int64_t ld) {
  return trans == Trans::kNo ? MatrixView<T>{data, ld, 1} : MatrixView<T>{data, 1, ld};
}

template <class T>
struct Product {
  int64_t m, n, k;
  MatrixView<T> a, b;
  int64_t ldc;
  Epilogue<T> epilogue;

  // Both operands run along the depth, and packing would cost as much as the product.
  bool dots() const { return a.col == 1 && b.row == 1 && b.col != 1 && std::min(m, n) <= kDotsSide && k > 64; }
  bool small() const {
    if (b.col == 1 && (m <= 12 || m * n * k <= kUnpackedWork)) return true;
    return n <= kSmallColumns && k <= kSmallDepth;
  }
};

// c = beta * c + bias, for an empty sum.
template <class T>
void finish_empty(const Product<T>& p, T* c) {
  for (int64_t i = 0; i < p.m; ++i)
    for (int64_t j = 0; j < p.n; ++j) {
      T& out = c[i * p.ldc + j];
      out = p.epilogue.beta == T(0) ? T(0) : p.epilogue.beta * out;
      if (p.epilogue.bias != nullptr) out += p.epilogue.bias[j];
    }
}

// Elements of a strided vector side by side.
template <class T>
class Contiguous {
 public:
  Contiguous(int64_t n, const T* x, int64_t inc) : copy_(inc == 1 ? 0 : n), data_(x) {
    if (inc == 1) return;
    for (int64_t i = 0; i < n; ++i) copy_.data()[i] = x[i * inc];
    data_ = copy_.data();
  }
  const T* data() const { return data_; }

 private:
  Workspace<T> copy_;
  const T* data_;
};

// y = epilogue(a @ x), a seen as (m, n).
template <class T>
void run_gemv(int64_t m, int64_t n, MatrixView<T> a, const T* x, int64_t incx, Epilogue<T> e, T* y, int64_t incy) {
  const auto& kernels = active_gemm_kernels().real<T>();
  const auto body = [&](const T* vector, int64_t begin, int64_t end) {
    const Epilogue<T> part{e.alpha, e.beta, e.bias ? e.bias + begin : nullptr};
    if (a.col == 1)
      kernels.gemv_rows(end - begin, n, a.data + begin * a.row, a.row, vector, part, y + begin * incy, incy);
    else kernels.gemv_columns(end - begin, n, a.data + begin, a.col, vector, part, y + begin * incy, incy);
  };
  const auto run = [&](const T* vector) {
    const int64_t grain = std::max<int64_t>(64, ceil_div(kTaskWork / 4 / std::max<int64_t>(n, 1), 64) * 64);
    if (m <= grain) body(vector, 0, m);
    else parallel_for(m, grain, [&](int64_t begin, int64_t end) { body(vector, begin, end); });
  };
  if (incx == 1) run(x);
  else run(Contiguous<T>(n, x, incx).data());
}

// The tiles of c: at most 256 rows by 512 columns, smaller where that gives work to more threads.
template <class T>
struct Tiling {
  int64_t rows, columns, down, across;
  explicit Tiling(const Product<T>& p) {
    rows = p.m / std::max<int64_t>(1, ceil_div(p.m, 256)), columns = p.n / std::max<int64_t>(1, ceil_div(p.n, 512));
    while (ceil_div(p.m, rows) * ceil_div(p.n, columns) < 8 && rows * columns * p.k > (int64_t{1} << 22)) {
      if (rows >= columns) rows = ceil_div(rows, 2);
      else columns = ceil_div(columns, 2);
    }
    rows = std::max<int64_t>(rows, 1);
    columns = ceil_div(columns, 32) * 32;
    down = ceil_div(p.m, rows), across = ceil_div(p.n, columns);
  }
};

template <class T>
void run_tile(const Product<T>& p, const Tiling<T>& tiling, int64_t tile, T* c, T* work) {
  const int64_t i = tile / tiling.across * tiling.rows, j = tile % tiling.across * tiling.columns;
  const int64_t m = std::min(tiling.rows, p.m - i), n = std::min(tiling.columns, p.n - j);
  const Epilogue<T> e{p.epilogue.alpha, p.epilogue.beta, p.epilogue.bias ? p.epilogue.bias + j : nullptr};
  active_gemm_kernels().real<T>().block(m, n, p.k, {p.a.data + i * p.a.row, p.a.row, p.a.col},
                                        {p.b.data + j * p.b.col, p.b.row, p.b.col}, c + i * p.ldc + j, p.ldc, e, work);
}

template <class T>
void run_small(const Product<T>& p, T* c) {
  const auto& kernels = active_gemm_kernels().real<T>();
  const auto body = [&](int64_t begin, int64_t end) {
    kernels.small(end - begin, p.n, p.k, {p.a.data + begin * p.a.row, p.a.row, p.a.col}, p.b, c + begin * p.ldc, p.ldc,
                  p.epilogue);
  };
  const int64_t grain = std::max<int64_t>(12, ceil_div(kTaskWork, p.n * p.k) / 12 * 12);
  if (p.m <= grain) body(0, p.m);
  else parallel_for(p.m, grain, body);
}

template <class T>
void run_dots(const Product<T>& p, T* c) {
  const auto& kernels = active_gemm_kernels().real<T>();
  const int64_t grain = std::max<int64_t>(12, ceil_div(kTaskWork, std::min(p.m, p.n) * p.k) / 12 * 12);
  if (p.m * p.n * p.k <= kTaskWork) {
    kernels.dots(p.m, p.n, p.k, p.a.data, p.a.row, p.b.data, p.b.col, c, p.ldc, p.epilogue);
  } else if (p.m > p.n) {
    parallel_for(p.m, grain, [&](int64_t begin, int64_t end) {
      kernels.dots(end - begin, p.n, p.k, p.a.data + begin * p.a.row, p.a.row, p.b.data, p.b.col, c + begin * p.ldc,
                   p.ldc, p.epilogue);
    });
  } else {
    parallel_for(p.n, grain, [&](int64_t begin, int64_t end) {
      const Epilogue<T> e{p.epilogue.alpha, p.epilogue.beta, p.epilogue.bias ? p.epilogue.bias + begin : nullptr};
      kernels.dots(p.m, end - begin, p.k, p.a.data, p.a.row, p.b.data + begin * p.b.col, p.b.col, c + begin, p.ldc, e);
    });
  }
}

template <class T>
void run_product(const Product<T>& p, T* c) {
  if (p.m <= 0 || p.n <= 0) return;
  if (p.k <= 0 || p.epilogue.alpha == T(0)) return finish_empty(p, c);
  if (p.m == 1) return run_gemv<T>(p.n, p.k, {p.b.data, p.b.col, p.b.row}, p.a.data, p.a.col, p.epilogue, c, 1);
  if (p.n == 1 && p.epilogue.bias == nullptr)
    return run_gemv<T>(p.m, p.k, p.a, p.b.data, p.b.row, p.epilogue, c, p.ldc);
  if (p.dots()) return run_dots(p, c);
  if (p.small()) return run_small(p, c);
  const Tiling<T> tiling(p);
  const int64_t work_size = active_gemm_kernels().real<T>().block_workspace(std::min(tiling.columns, p.n), p.k);
  const auto body = [&](int64_t begin, int64_t end) {
    Workspace<T> work(work_size);
    for (int64_t tile = begin; tile < end; ++tile) run_tile(p, tiling, tile, c, work.data());
  };
  const int64_t tiles = tiling.down * tiling.across;
  if (tiles == 1) body(0, 1);
  else parallel_for(tiles, 1, body);
}

}  // namespace

template <class T>
void gemm(Trans a_trans, Trans b_trans, int64_t m, int64_t n, int64_t k, T alpha, const T* a, int64_t lda, const T* b,
          int64_t ldb, T beta, T* c, int64_t ldc) {
  run_product<T>({m, n, k, view_of(a_trans, a, lda), view_of(b_trans, b, ldb), ldc, {alpha, beta, nullptr}}, c);
}

template <class T>
void gemm_bias(Trans a_trans, Trans b_trans, int64_t m, int64_t n, int64_t k, const T* a, int64_t lda, const T* b,
               int64_t ldb, const T* bias, T* c, int64_t ldc) {
  run_product<T>({m, n, k, view_of(a_trans, a, lda), view_of(b_trans, b, ldb), ldc, {T(1), T(0), bias}}, c);
}

void for_each_product(int64_t batch, int64_t work, void (*one)(const void*, int64_t), const void* context) {
  // Nested parallel loops serve few large products as well as many small ones.
  const int64_t grain = std::max<int64_t>(1, kTaskWork / std::max<int64_t>(1, work));
  const auto body = [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) one(context, i);
  };
  if (batch <= grain) body(0, batch);
  else parallel_for(batch, grain, body);
}

template <class T>
void gemv(Trans a_trans, int64_t m, int64_t n, T alpha, const T* a, int64_t lda, const T* x, int64_t incx, T beta, T* y,
          int64_t incy) {
  if (m <= 0) return;
  if (n <= 0 || alpha == T(0)) {
    for (int64_t i = 0; i < m; ++i) y[i * incy] = beta == T(0) ? T(0) : beta * y[i * incy];
    return;
  }
  run_gemv<T>(m, n, view_of(a_trans, a, lda), x, incx, {alpha, beta, nullptr}, y, incy);
}

template <class T>
T dot(int64_t n, const T* x, int64_t incx, const T* y, int64_t incy) {
  // Blocks of a fixed size, summed pairwise: exact borders, and an error that grows with log n.
  constexpr int64_t kBlock = 16384;
  if (n <= 0) return T(0);
  const auto block = [&](int64_t begin, int64_t end) {
    const int64_t count = end - begin;
    const T *px = x + begin * incx, *py = y + begin * incy;
    const auto& kernels = active_gemm_kernels().real<T>();
    if (incx == 1 && incy == 1) return kernels.dot(count, px, py);
    return kernels.dot(count, Contiguous<T>(count, px, incx).data(), Contiguous<T>(count, py, incy).data());
  };
  if (n <= kBlock) return block(0, n);
  const int64_t blocks = ceil_div(n, kBlock);
  Workspace<T> sums(blocks);
  T* s = sums.data();
  parallel_for(blocks, 4, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) s[i] = block(i * kBlock, std::min(n, (i + 1) * kBlock));
  });
  for (int64_t width = 1; width < blocks; width *= 2)
    for (int64_t i = 0; i + width < blocks; i += 2 * width) s[i] += s[i + width];
  return s[0];
}

#define HWARO_INSTANTIATE(T)                                                                                          \
  template void gemm<T>(Trans, Trans, int64_t, int64_t, int64_t, T, const T*, int64_t, const T*, int64_t, T, T*,      \
                        int64_t);                                                                                     \
  template void gemm_bias<T>(Trans, Trans, int64_t, int64_t, int64_t, const T*, int64_t, const T*, int64_t, const T*, \
                             T*, int64_t);                                                                            \
  template void gemv<T>(Trans, int64_t, int64_t, T, const T*, int64_t, const T*, int64_t, T, T*, int64_t);            \
  template T dot<T>(int64_t, const T*, int64_t, const T*, int64_t);
HWARO_INSTANTIATE(float)
HWARO_INSTANTIATE(double)
#undef HWARO_INSTANTIATE

}  // namespace hwaro
