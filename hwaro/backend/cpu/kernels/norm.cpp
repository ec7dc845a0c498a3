// Loops of batch, layer and group normalisation.
// Moments take two passes (mean, then squared deviations): a run of one plane or row is in cache for the second one, and no
// precision is lost where the mean is large. Sums keep four vectors of partial sums and are folded in a fixed order, so a
// result depends on the length only. Tails of fewer elements than a vector are done one by one in the same expressions.
#include "hwaro/ops/nn/norm_kernels.h"

#include "hwaro/base/isa.h"
#include "hwaro/backend/cpu/kernels/each.h"
#include "hwaro/math/lanes.h"
#include "hwaro/math/math.h"

namespace hwaro {
inline namespace HWARO_ISA {
namespace {

using std::int64_t;

// Sum over i < n of f(vector at i), f(one element at i) for the tail.
template <class T, class F>
HWARO_INLINE T sum_of(int64_t n, F f) {
  using V = Vec<T>;
  constexpr int N = V::size();
  V a(0), b(0), c(0), d(0);
  int64_t i = 0;
  for (; i + 4 * N <= n; i += 4 * N) {
    a += f(i, V());
    b += f(i + N, V());
    c += f(i + 2 * N, V());
    d += f(i + 3 * N, V());
  }
  for (; i + N <= n; i += N) a += f(i, V());
  T sum = sum_lanes((a + b) + (c + d));
  for (; i < n; ++i) sum += f(i, Vec<T, 1>())[0];
  return sum;
}
template <class V, class T>
HWARO_INLINE V at(const T* p, int64_t i) {
  return V::load(p + i);
}

// Long runs are summed in blocks whose sums are added in double: float sums of 10^6 elements would lose three digits.
constexpr int64_t kBlock = 4096;

template <class T>
HWARO_INLINE void mean_and_squares(int64_t n, const T* x, T* mean, T* squares) {
  double total = 0;
  for (int64_t i = 0; i < n; i += kBlock) {
    const T* p = x + i;
    total +=
        double(sum_of<T>(n - i < kBlock ? n - i : kBlock, [&](int64_t k, auto v) { return at<decltype(v)>(p, k); }));
  }
  const T m = n > 0 ? T(total / double(n)) : T(0);
  total = 0;
  for (int64_t i = 0; i < n; i += kBlock) {
    const T* p = x + i;
    total += double(sum_of<T>(n - i < kBlock ? n - i : kBlock, [&](int64_t k, auto v) {
      const auto d = at<decltype(v)>(p, k) - decltype(v)(m);
      return d * d;
    }));
  }
  *mean = m;
  *squares = T(total);
}

template <class T>
void moments(int64_t n, const T* x, T* mean, T* squares) {
  mean_and_squares(n, x, mean, squares);
}

template <class T>
void affine(int64_t n, const T* x, T scale, T shift, T* y) {
  each<T>(n, [&](int64_t i, auto v) {
    using V = decltype(v);
    mul_add(V::load(x + i), V(scale), V(shift)).store(y + i);
  });
}

// Both sums in one pass: two vectors of each.
template <class T>
void grad_sums(int64_t n, const T* dy, const T* x, T mean, T* sum, T* dot) {
  using V = Vec<T>;
  constexpr int N = V::size();
  const V m(mean);
  double total = 0, products = 0;
  for (int64_t begin = 0; begin < n; begin += kBlock) {
    const int64_t count = n - begin < kBlock ? n - begin : kBlock;
    const T* g = dy + begin;
    const T* p = x + begin;
    V a(0), b(0), c(0), d(0);
    int64_t i = 0;
    for (; i + 2 * N <= count; i += 2 * N) {
      const V g0 = V::load(g + i), g1 = V::load(g + i + N);
      a += g0;
      b += g1;
      c = mul_add(g0, V::load(p + i) - m, c);
      d = mul_add(g1, V::load(p + i + N) - m, d);
    }
    T s = sum_lanes(a + b), t = sum_lanes(c + d);
    for (; i < count; ++i) {
      s += g[i];
      t += g[i] * (p[i] - mean);
    }
    total += double(s);
    products += double(t);
  }
  *sum = T(total);
  *dot = T(products);
}

template <class T>
void grad_input(int64_t n, const T* dy, const T* x, T mean, T a, T b, T c, T* dx) {
  each<T>(n, [&](int64_t i, auto v) {
    using V = decltype(v);
    mul_add(V(a), V::load(dy + i), mul_add(V(b), V::load(x + i) - V(mean), V(c))).store(dx + i);
  });
}

// ---- columns ----

// Adds f(row, column) down the columns, in blocks of rows so that partial sums in T stay short. `total` is added to.
template <class T, class F>
HWARO_INLINE void sum_columns(int64_t rows, int64_t cols, double* total, F f) {
  constexpr int64_t kRows = 256;
  for (int64_t c = 0; c < cols;) {
    const auto strip = [&](auto v) {
      using V = decltype(v);
      for (int64_t r0 = 0; r0 < rows; r0 += kRows) {
        const int64_t r1 = r0 + kRows < rows ? r0 + kRows : rows;
        V sum(0);
        for (int64_t r = r0; r < r1; ++r) sum += f(r * cols + c, c, V());
        for (int l = 0; l < V::size(); ++l) total[c + l] += double(sum[l]);
      }
      c += V::size();
    };
    if (c + Vec<T>::size() <= cols) strip(Vec<T>());
    else strip(Vec<T, 1>());
  }
}

template <class T>
void column_sums(int64_t rows, int64_t cols, const T* x, double* sum) {
  sum_columns<T>(rows, cols, sum, [&](int64_t i, int64_t, auto v) { return at<decltype(v)>(x, i); });
}
template <class T>
void column_squares(int64_t rows, int64_t cols, const T* x, const T* mean, double* squares) {
  sum_columns<T>(rows, cols, squares, [&](int64_t i, int64_t c, auto v) {
    using V = decltype(v);
    const V d = V::load(x + i) - V::load(mean + c);
    return d * d;
  });
}
template <class T>
void column_affine(int64_t rows, int64_t cols, const T* x, const T* scale, const T* shift, T* y) {
  for (int64_t r = 0; r < rows; ++r)
    each<T>(cols, [&](int64_t c, auto v) {
      using V = decltype(v);
      mul_add(V::load(x + r * cols + c), V::load(scale + c), V::load(shift + c)).store(y + r * cols + c);
    });
}
template <class T>
void column_grad_sums(int64_t rows, int64_t cols, const T* dy, const T* x, const T* mean, double* sum, double* dot) {
  sum_columns<T>(rows, cols, sum, [&](int64_t i, int64_t, auto v) { return at<decltype(v)>(dy, i); });
  sum_columns<T>(rows, cols, dot, [&](int64_t i, int64_t c, auto v) {
    using V = decltype(v);
    return V::load(dy + i) * (V::load(x + i) - V::load(mean + c));
  });
}
template <class T>
void column_grad_input(int64_t rows, int64_t cols, const T* dy, const T* x, const T* mean, const T* a, const T* b,
                       const T* c, T* dx) {
  for (int64_t r = 0; r < rows; ++r)
    each<T>(cols, [&](int64_t k, auto v) {
      using V = decltype(v);
      const int64_t i = r * cols + k;
      mul_add(V::load(a + k), V::load(dy + i),
              mul_add(V::load(b + k), V::load(x + i) - V::load(mean + k), V::load(c + k)))
          .store(dx + i);
    });
}

// ---- rows ----

template <class T>
void row_forward(int64_t rows, int64_t n, const T* x, const T* weight, const T* bias, T eps, T* y, T* mean, T* rstd) {
  for (int64_t r = 0; r < rows; ++r, x += n, y += n) {
    T m, squares;
    mean_and_squares(n, x, &m, &squares);
    const T s = T(1) / T(sqrt(Vec<T, 1>(squares / T(n) + eps))[0]);
    mean[r] = m;
    rstd[r] = s;
    each<T>(n, [&](int64_t i, auto v) {
      using V = decltype(v);
      V t = (V::load(x + i) - V(m)) * V(s);
      if (weight && bias) t = mul_add(t, V::load(weight + i), V::load(bias + i));
      else if (weight) t = t * V::load(weight + i);
      else if (bias) t = t + V::load(bias + i);
      t.store(y + i);
    });
  }
}

template <class T>
void row_backward(int64_t rows, int64_t n, const T* dy, const T* x, const T* mean, const T* rstd, const T* weight,
                  T* dx, T* dweight, T* dbias) {
  for (int64_t r = 0; r < rows; ++r, x += n, dy += n) {
    const T m = mean[r], s = rstd[r];
    if (dx) {
      // With h = dy * weight and z = (x - mean) rstd: dx = rstd (h - mean(h) - z mean(h z)).
      const T sum = sum_of<T>(n, [&](int64_t i, auto v) {
        using V = decltype(v);
        const V g = V::load(dy + i);
        return weight ? g * V::load(weight + i) : g;
      });
      const T dot = sum_of<T>(n, [&](int64_t i, auto v) {
        using V = decltype(v);
        const V g = V::load(dy + i), d = V::load(x + i) - V(m);
        return weight ? g * V::load(weight + i) * d : g * d;
      });
      const T b = -(dot * s * s / T(n)), c = -(sum / T(n));
      each<T>(n, [&](int64_t i, auto v) {
        using V = decltype(v);
        V h = V::load(dy + i);
        if (weight) h = h * V::load(weight + i);
        (V(s) * (h + mul_add(V(b), V::load(x + i) - V(m), V(c)))).store(dx + i);
      });
      dx += n;
    }
    if (dweight || dbias)
      each<T>(n, [&](int64_t i, auto v) {
        using V = decltype(v);
        const V g = V::load(dy + i);
        if (dweight) (V::load(dweight + i) + g * ((V::load(x + i) - V(m)) * V(s))).store(dweight + i);
        if (dbias) (V::load(dbias + i) + g).store(dbias + i);
      });
  }
}

template <class T>
constexpr NormKernelsOf<T> kernels_of() {
  return {moments<T>,           affine<T>,         grad_sums<T>,     grad_input<T>,
          column_sums<T>,       column_squares<T>, column_affine<T>, column_grad_sums<T>,
          column_grad_input<T>, row_forward<T>,    row_backward<T>};
}

}  // namespace

extern constinit const NormKernels norm_table = {kernels_of<float>(), kernels_of<double>()};

}  // namespace HWARO_ISA
}  // namespace hwaro
