// Everything is brought to (outer, n, inner) in row-major order, with the part of the tensor that the index does not
// reach cut away. Two indices can only meet in one place within a column along n, so columns are what threads share.
#include "hwaro/ops/index/scatter_loops.h"

#include "hwaro/base/parallel.h"
#include "hwaro/ops/index/index_kernels.h"
#include "hwaro/ops/index/write.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

// The part of t that an index of these sizes can reach along dim.
Tensor reached(const Tensor& t, IntSpan sizes, int64_t dim) {
  Dims part(sizes);
  part[dim] = t.sizes()[dim];
  return alias(t, part, t.strides(), t->offset);
}

struct Layout {
  int64_t outer = 1, n = 0, count = 0, inner = 1;  // n: length of the tensor along dim; count: of the index
};

Layout layout_of(const Tensor& t, const Tensor& index, int64_t dim) {
  Layout l;
  for (int64_t d = 0; d < index.dim(); ++d) {
    if (d < dim) l.outer *= index.sizes()[d];
    if (d > dim) l.inner *= index.sizes()[d];
  }
  l.n = t.sizes()[dim];
  l.count = index.sizes()[dim];
  return l;
}

// Dense int64 indices within bounds.
Tensor checked_index(const Tensor& index, int64_t size, int64_t dim) {
  const Tensor out = dense_as(index, DType::Int64);
  const int64_t* i = out->read_as<int64_t>();
  if (!index_kernels().in_range(i, out.numel(), size))
    for (int64_t k = 0; k < out.numel(); ++k)
      HWARO_CHECK(i[k] >= 0 && i[k] < size, "index ", i[k], " is out of bounds for dimension ", dim, " with size ",
                  size);
  return out;
}

// Calls f(place in the tensor, place in the index) for every element of the index; columns along n are never split.
template <class F>
void each_element(const Layout& l, const int64_t* index, F f) {
  const int64_t per_outer = l.count * l.inner;
  if (per_outer == 0) return;
  auto block = [&](int64_t o, int64_t begin, int64_t end) {
    if (l.inner == 1) {
      const int64_t to = o * l.n, from = o * l.count;
      for (int64_t j = 0; j < l.count; ++j) f(to + index[from + j], from + j);
      return;
    }
    for (int64_t j = 0; j < l.count; ++j) {
      const int64_t row = (o * l.count + j) * l.inner;
      for (int64_t i = begin; i < end; ++i) f((o * l.n + index[row + i]) * l.inner + i, row + i);
    }
  };
  constexpr int64_t kElements = 16384;
  if (l.outer > 1) {
    parallel_for(l.outer, per_outer >= kElements ? 1 : kElements / per_outer, [&](int64_t begin, int64_t end) {
      for (int64_t o = begin; o < end; ++o) block(o, 0, l.inner);
    });
  } else {
    const int64_t grain = l.count >= kElements ? 1 : kElements / l.count;
    parallel_for(l.inner, grain < 64 ? 64 : grain, [&](int64_t begin, int64_t end) { block(0, begin, end); });
  }
}

template <class T>
T plus(T a, T b) {
  if constexpr (std::is_same_v<T, bool>) return a || b;
  else if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) return T(float(a) + float(b));
  else return T(a + b);
}
template <class T>
T times(T a, T b) {
  if constexpr (std::is_same_v<T, bool>) return a && b;
  else if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) return T(float(a) * float(b));
  else return T(a * b);
}
template <class T>
bool is_nan(T a) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) return float(a) != float(a);
  else if constexpr (std::is_floating_point_v<T>) return a != a;
  else return false;
}
template <class T>
bool less(T a, T b) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) return float(a) < float(b);
  else return a < b;
}
template <class T>
T larger(T a, T b) {
  return is_nan(a) ? a : is_nan(b) || less(a, b) ? b : a;
}
template <class T>
T smaller(T a, T b) {
  return is_nan(a) ? a : is_nan(b) || less(b, a) ? b : a;
}

}  // namespace

Tensor at_least_vector(const Tensor& t) { return t.dim() > 0 ? t : alias(t, {1}, {1}, t->offset); }

void gather_raw(const Tensor& out, const Tensor& self, int64_t dim, const Tensor& index) {
  const Tensor source = dense(reached(at_least_vector(self), index.sizes(), dim));
  const Layout l = layout_of(source, index, dim);
  visit_if<kAllSet>(self.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* to = out->write_as<T>();
    const T* from = source->read_as<T>();
    each_element(l, index->read_as<int64_t>(), [&](int64_t p, int64_t i) { to[i] = from[p]; });
  });
}

void scatter_raw(const Tensor& target, int64_t dim, const Tensor& index, const Tensor& src, Reduce reduce) {
  if (index.numel() == 0) return;
  const Tensor whole = at_least_vector(target), part = reached(whole, index.sizes(), dim), work = dense(part);
  const Layout l = layout_of(work, index, dim);
  const int64_t step = src.numel() == 1 ? 0 : 1;
  const int64_t* at = index->read_as<int64_t>();
  visit_if<kAllSet>(work.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* to = work->write_as<T>();
    const T* from = src->read_as<T>();
    switch (reduce) {
      case Reduce::Assign: return each_element(l, at, [&](int64_t p, int64_t i) { to[p] = from[step * i]; });
      case Reduce::Sum:
      case Reduce::Mean: return each_element(l, at, [&](int64_t p, int64_t i) { to[p] = plus(to[p], from[step * i]); });
      case Reduce::Prod:
        return each_element(l, at, [&](int64_t p, int64_t i) { to[p] = times(to[p], from[step * i]); });
      default: break;
    }
    if constexpr (contains(kComplexSet, dtype_of<T>)) {
      raise<NotImplementedError>("\"scatter_reduce_amax_amin\" not implemented for '", scalar_type_name(dtype_of<T>),
                                 "'");
    } else {
      if (reduce == Reduce::Amax)
        each_element(l, at, [&](int64_t p, int64_t i) { to[p] = larger(to[p], from[step * i]); });
      else each_element(l, at, [&](int64_t p, int64_t i) { to[p] = smaller(to[p], from[step * i]); });
    }
  });
  if (work.impl() != part.impl()) copy_raw(part, work);
}

// ---- checks ----

void check_index_type(const char* name, const Tensor& index) {
  HWARO_CHECK(index.dtype() == DType::Int64 || index.dtype() == DType::Int32, name,
              "(): Expected dtype int32/int64 for index");
}

int64_t check_scatter(const Tensor& self, int64_t dim, const Tensor& index, const Tensor* src) {
  dim = wrap_dim(dim, self.dim());
  if (index.numel() > 0) check_index_type("scatter", index);
  check_has_data(self, {index, src ? *src : Tensor()});
  HWARO_CHECK(!src || self.dtype() == src->dtype(), "scatter(): Expected self.dtype to be equal to src.dtype");
  if (index.numel() == 0) return dim;
  HWARO_CHECK(vector_dim(self) == vector_dim(index),
              "Index tensor must have the same number of dimensions as self tensor");
  if (src && src->dim() > 0 && src->dim() < index.dim())
    wrap_dim(src->dim(), src->dim());  // raises, in PyTorch's words
  HWARO_CHECK(!src || vector_dim(*src) == vector_dim(index),
              "Index tensor must have the same number of dimensions as src tensor");
  bool in_self = true, in_src = true;
  for (int64_t d = 0; d < index.dim(); ++d) {
    const int64_t size = index.sizes()[d];
    if (d != dim && self.dim() && size > self.sizes()[d]) in_self = false;
    if (src && size > (src->dim() ? src->sizes()[d] : 1)) in_src = false;
  }
  if (src)
    HWARO_CHECK(in_self && in_src, "Expected index ", sizes_str(index.sizes()), " to be no larger than self ",
                sizes_str(self.sizes()), " apart from dimension ", dim, " and to be no larger size than src ",
                sizes_str(src->sizes()));
  else
    HWARO_CHECK(in_self, "Expected index ", sizes_str(index.sizes()), " to be no larger than self ",
                sizes_str(self.sizes()), " apart from dimension ", dim);
  return dim;
}

Tensor source_for(const Tensor& src, const Tensor& self, const Tensor& index) {
  const Tensor s = at_least_vector(apart_from(src, self));
  return dense(alias(s, index.sizes(), s.strides(), s->offset));
}

Tensor index_for(const Tensor& self, const Tensor& index, int64_t dim) {
  const Tensor i = at_least_vector(index);
  return checked_index(i, self.dim() ? self.sizes()[dim] : 1, dim);
}

}  // namespace hwaro::engine
