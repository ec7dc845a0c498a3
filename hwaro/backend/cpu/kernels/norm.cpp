// Loops of batch, layer and group normalisation. Sums run in four vectors of the element type over blocks of kBlock
// elements, whose totals are added in double: the error stays at that of a pairwise sum, and the loop at the speed of
// memory. Element-wise loops finish their last vector through a buffer.
#include "hwaro/ops/nn/norm_kernels.h"

#include "hwaro/math/math.h"

namespace hwaro {
inline namespace HWARO_ISA {
namespace {

constexpr std::int64_t kBlock = 4096;

template <class T>
HWARO_INLINE double lane_sum(Vec<T> v) {
  T lanes[Vec<T>::size()];
  v.store(lanes);
  double s = 0;
  for (int i = 0; i < Vec<T>::size(); ++i) s += double(lanes[i]);
  return s;
}

// Up to one vector from p; lanes beyond n get `fill`.
template <class T>
HWARO_INLINE Vec<T> load_part(const T* p, std::int64_t n, T fill) {
  T buffer[Vec<T>::size()];
  for (auto& b : buffer) b = fill;
  __builtin_memcpy(buffer, p, std::size_t(n) * sizeof(T));
  return Vec<T>::load(buffer);
}
template <class T>
HWARO_INLINE void store_part(Vec<T> v, T* p, std::int64_t n) {
  T buffer[Vec<T>::size()];
  v.store(buffer);
  __builtin_memcpy(p, buffer, std::size_t(n) * sizeof(T));
}

template <class T, class Term>
HWARO_INLINE double total(std::int64_t n, const Term& term) {
  constexpr std::int64_t step = Vec<T>::size();
  double result = 0;
  for (std::int64_t begin = 0; begin < n; begin += kBlock) {
    const std::int64_t end = begin + kBlock < n ? begin + kBlock : n;
    Vec<T> a(0), b(0), c(0), d(0);
    std::int64_t i = begin;
    for (; i + 4 * step <= end; i += 4 * step) {
      a = a + term(i, step);
      b = b + term(i + step, step);
      c = c + term(i + 2 * step, step);
      d = d + term(i + 3 * step, step);
    }
    for (; i < end; i += step) a = a + term(i, end - i < step ? end - i : step);
    result += lane_sum<T>((a + b) + (c + d));
  }
  return result;
}

template <class T>
double sum(const void* x, std::int64_t n) {
  const T* p = static_cast<const T*>(x);
  return total<T>(n, [&](std::int64_t i, std::int64_t left) __attribute__((always_inline)) {
    return left == Vec<T>::size() ? Vec<T>::load(p + i) : load_part<T>(p + i, left, T(0));
  });
}

template <class T>
double sum_squares(const void* x, double mean, std::int64_t n) {
  const T* p = static_cast<const T*>(x);
  const Vec<T> m(static_cast<T>(mean));
  return total<T>(n, [&](std::int64_t i, std::int64_t left) __attribute__((always_inline)) {
    const Vec<T> d =
        (left == Vec<T>::size() ? Vec<T>::load(p + i) : load_part<T>(p + i, left, static_cast<T>(mean))) - m;
    return d * d;
  });
}

template <class T>
void sum_products(const void* g, const void* x, double mean, std::int64_t n, double* sum_g, double* sum_gx) {
  const T *gp = static_cast<const T*>(g), *xp = static_cast<const T*>(x);
  constexpr std::int64_t step = Vec<T>::size();
  const Vec<T> m(static_cast<T>(mean));
  double s = 0, p = 0;
  for (std::int64_t begin = 0; begin < n; begin += kBlock) {
    const std::int64_t end = begin + kBlock < n ? begin + kBlock : n;
    Vec<T> a0(0), a1(0), b0(0), b1(0);
    std::int64_t i = begin;
    for (; i + 2 * step <= end; i += 2 * step) {
      const Vec<T> g0 = Vec<T>::load(gp + i), g1 = Vec<T>::load(gp + i + step);
      a0 = a0 + g0;
      a1 = a1 + g1;
      b0 = b0 + g0 * (Vec<T>::load(xp + i) - m);
      b1 = b1 + g1 * (Vec<T>::load(xp + i + step) - m);
    }
    for (; i < end; i += step) {
      const std::int64_t left = end - i < step ? end - i : step;
      const Vec<T> g0 = load_part<T>(gp + i, left, T(0));
      a0 = a0 + g0;
      b0 = b0 + g0 * (load_part<T>(xp + i, left, T(0)) - m);
    }
    s += lane_sum<T>(a0 + a1);
    p += lane_sum<T>(b0 + b1);
  }
  *sum_g = s;
  *sum_gx = p;
}

template <class T>
void scale(void* y, const void* x, double a, double b, std::int64_t n) {
  const T* p = static_cast<const T*>(x);
  T* to = static_cast<T*>(y);
  const Vec<T> va(static_cast<T>(a)), vb(static_cast<T>(b));
  constexpr std::int64_t step = Vec<T>::size();
  std::int64_t i = 0;
  for (; i + step <= n; i += step) (Vec<T>::load(p + i) * va + vb).store(to + i);
  if (i < n) store_part<T>(load_part<T>(p + i, n - i, T(0)) * va + vb, to + i, n - i);
}

template <class T>
void combine(void* dx, const void* g, const void* x, double a, double b, double c, std::int64_t n) {
  const T *gp = static_cast<const T*>(g), *xp = static_cast<const T*>(x);
  T* to = static_cast<T*>(dx);
  const Vec<T> va(static_cast<T>(a)), vb(static_cast<T>(b)), vc(static_cast<T>(c));
  constexpr std::int64_t step = Vec<T>::size();
  std::int64_t i = 0;
  for (; i + step <= n; i += step) (Vec<T>::load(gp + i) * va + (Vec<T>::load(xp + i) * vb + vc)).store(to + i);
  if (i < n)
    store_part<T>(load_part<T>(gp + i, n - i, T(0)) * va + (load_part<T>(xp + i, n - i, T(0)) * vb + vc), to + i,
                  n - i);
}

template <class T>
void row(void* y, const void* x, const void* w, const void* bias, double mean, double rstd, std::int64_t n) {
  const T *p = static_cast<const T*>(x), *wp = static_cast<const T*>(w), *bp = static_cast<const T*>(bias);
  T* to = static_cast<T*>(y);
  const Vec<T> m(static_cast<T>(mean)), r(static_cast<T>(rstd));
  constexpr std::int64_t step = Vec<T>::size();
  auto value = [&](Vec<T> v, std::int64_t i, std::int64_t left) __attribute__((always_inline)) {
    v = (v - m) * r;
    if (wp) v = v * (left == step ? Vec<T>::load(wp + i) : load_part<T>(wp + i, left, T(0)));
    if (bp) v = v + (left == step ? Vec<T>::load(bp + i) : load_part<T>(bp + i, left, T(0)));
    return v;
  };
  std::int64_t i = 0;
  for (; i + step <= n; i += step) value(Vec<T>::load(p + i), i, step).store(to + i);
  if (i < n) store_part<T>(value(load_part<T>(p + i, n - i, T(0)), i, n - i), to + i, n - i);
}

template <class T>
void row_backward(void* dx, void* dw, void* db, const void* g, const void* x, const void* w, double mean, double rstd,
                  std::int64_t n) {
  const T *gp = static_cast<const T*>(g), *xp = static_cast<const T*>(x), *wp = static_cast<const T*>(w);
  T *dwp = static_cast<T*>(dw), *dbp = static_cast<T*>(db), *to = static_cast<T*>(dx);
  constexpr std::int64_t step = Vec<T>::size();
  const Vec<T> m(static_cast<T>(mean)), r(static_cast<T>(rstd));
  Vec<T> s0(0), s1(0);
  double sum_g = 0, sum_gx = 0;
  for (std::int64_t i = 0; i < n; i += step) {
    const std::int64_t left = n - i < step ? n - i : step;
    const bool whole = left == step;
    const Vec<T> gv = whole ? Vec<T>::load(gp + i) : load_part<T>(gp + i, left, T(0));
    const Vec<T> xhat = ((whole ? Vec<T>::load(xp + i) : load_part<T>(xp + i, left, static_cast<T>(mean))) - m) * r;
    if (dwp) {
      const Vec<T> old = whole ? Vec<T>::load(dwp + i) : load_part<T>(dwp + i, left, T(0));
      if (whole) (old + gv * xhat).store(dwp + i);
      else store_part<T>(old + gv * xhat, dwp + i, left);
    }
    if (dbp) {
      const Vec<T> old = whole ? Vec<T>::load(dbp + i) : load_part<T>(dbp + i, left, T(0));
      if (whole) (old + gv).store(dbp + i);
      else store_part<T>(old + gv, dbp + i, left);
    }
    const Vec<T> gw = wp ? gv * (whole ? Vec<T>::load(wp + i) : load_part<T>(wp + i, left, T(0))) : gv;
    s0 = s0 + gw;
    s1 = s1 + gw * xhat;
    if ((i / step & 255) == 255) {
      sum_g += lane_sum<T>(s0);
      sum_gx += lane_sum<T>(s1);
      s0 = s1 = Vec<T>(0);
    }
  }
  if (!to) return;
  sum_g += lane_sum<T>(s0);
  sum_gx += lane_sum<T>(s1);
  const Vec<T> mean_g(static_cast<T>(sum_g / double(n))), mean_gx(static_cast<T>(sum_gx / double(n)));
  for (std::int64_t i = 0; i < n; i += step) {
    const std::int64_t left = n - i < step ? n - i : step;
    const bool whole = left == step;
    Vec<T> gw = whole ? Vec<T>::load(gp + i) : load_part<T>(gp + i, left, T(0));
    if (wp) gw = gw * (whole ? Vec<T>::load(wp + i) : load_part<T>(wp + i, left, T(0)));
    const Vec<T> xhat = ((whole ? Vec<T>::load(xp + i) : load_part<T>(xp + i, left, T(0))) - m) * r;
    const Vec<T> out = r * (gw - mean_g - xhat * mean_gx);
    if (whole) out.store(to + i);
    else store_part<T>(out, to + i, left);
  }
}

template <class T>
constexpr NormLoops loops() {
  return {&sum<T>, &sum_squares<T>, &sum_products<T>, &scale<T>, &combine<T>, &row<T>, &row_backward<T>};
}

}  // namespace

extern constinit const NormKernels norm_table = {{loops<float>(), loops<double>()}};

}  // namespace HWARO_ISA
}  // namespace hwaro
