// gather and scatter: single elements along one dimension, chosen by an index tensor of the result's shape.
//
// Everything is brought to (outer, n, inner) in row-major order, with the part of the tensor that the index does not
// reach cut away. Two indices can only meet in one place within a column along n, so columns are what threads share out.
#include <limits>

#include "hwaro/base/parallel.h"
#include "hwaro/ops/create/fill.h"
#include "hwaro/ops/index/index_kernels.h"
#include "hwaro/ops/index/write.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

Tensor at_least_vector(const Tensor& t) { return t.dim() > 0 ? t : alias(t, {1}, {1}, t->offset); }

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
      HWARO_CHECK(i[k] >= 0 && i[k] < size, "index ", i[k], " is out of bounds for dimension ", dim, " with size ", size);
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
T larger(T a, T b) { return is_nan(a) ? a : is_nan(b) || less(a, b) ? b : a; }
template <class T>
T smaller(T a, T b) { return is_nan(a) ? a : is_nan(b) || less(b, a) ? b : a; }

enum class Reduce { Assign, Sum, Prod, Mean, Amax, Amin };

// target[index] = reduce(target[index], src) for every element; src has one element, or is of the index's shape.
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
      case Reduce::Prod: return each_element(l, at, [&](int64_t p, int64_t i) { to[p] = times(to[p], from[step * i]); });
      default: break;
    }
    if constexpr (contains(kComplexSet, dtype_of<T>)) {
      raise<NotImplementedError>("\"scatter_reduce_amax_amin\" not implemented for '", scalar_type_name(dtype_of<T>), "'");
    } else {
      if (reduce == Reduce::Amax) each_element(l, at, [&](int64_t p, int64_t i) { to[p] = larger(to[p], from[step * i]); });
      else each_element(l, at, [&](int64_t p, int64_t i) { to[p] = smaller(to[p], from[step * i]); });
    }
  });
  if (work.impl() != part.impl()) copy_raw(part, work);
}

// ---- checks ----

void check_index_type(const char* name, const Tensor& index) {
  HWARO_CHECK(index.dtype() == DType::Int64 || index.dtype() == DType::Int32, name, "(): Expected dtype int32/int64 for index");
}

int64_t vector_dim(const Tensor& t) { return t.dim() ? t.dim() : 1; }

// Checks a scatter call and returns the wrapped dim.
int64_t check_scatter(const Tensor& self, int64_t dim, const Tensor& index, const Tensor* src) {
  dim = wrap_dim(dim, self.dim());
  check_index_type("scatter", index);
  HWARO_CHECK(!src || self.dtype() == src->dtype(), "scatter(): Expected self.dtype to be equal to src.dtype");
  if (index.numel() == 0) return dim;
  HWARO_CHECK(vector_dim(self) == vector_dim(index), "Index tensor must have the same number of dimensions as self tensor");
  if (src && src->dim() > 0 && src->dim() < index.dim()) wrap_dim(src->dim(), src->dim());  // raises, in PyTorch's words
  HWARO_CHECK(!src || vector_dim(*src) == vector_dim(index), "Index tensor must have the same number of dimensions as src tensor");
  bool in_self = true, in_src = true;
  for (int64_t d = 0; d < index.dim(); ++d) {
    const int64_t size = index.sizes()[d];
    if (d != dim && self.dim() && size > self.sizes()[d]) in_self = false;
    if (src && size > (src->dim() ? src->sizes()[d] : 1)) in_src = false;
  }
  if (src)
    HWARO_CHECK(in_self && in_src, "Expected index ", sizes_str(index.sizes()), " to be no larger than self ", sizes_str(self.sizes()),
                " apart from dimension ", dim, " and to be no larger size than src ", sizes_str(src->sizes()));
  else
    HWARO_CHECK(in_self, "Expected index ", sizes_str(index.sizes()), " to be no larger than self ", sizes_str(self.sizes()),
                " apart from dimension ", dim);
  return dim;
}

// src cut to the index's shape, dense.
Tensor source_for(const Tensor& src, const Tensor& self, const Tensor& index) {
  const Tensor s = at_least_vector(apart_from(src, self));
  return dense(alias(s, index.sizes(), s.strides(), s->offset));
}

Tensor index_for(const Tensor& self, const Tensor& index, int64_t dim) {
  const Tensor i = at_least_vector(index);
  return checked_index(i, self.dim() ? self.sizes()[dim] : 1, dim);
}

}  // namespace

Tensor scatter(const Tensor& self, int64_t dim, const Tensor& index, const Scalar& value);
Tensor scatter_add(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src);

struct Gather {
  static constexpr Schema schema = "gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor";
  static constexpr Doc doc = "out[i][j] = self[index[i][j]][j] for dim 0, and so on: elements picked along one dimension.";
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, bool) {
    dim = wrap_dim(dim, self.dim());
    check_index_type("gather", index);
    const Tensor out = make_tensor(index.sizes(), self.dtype(), self.device());
    if (index.numel() > 0) {
      HWARO_CHECK(vector_dim(self) == vector_dim(index), "Index tensor must have the same number of dimensions as input tensor");
      for (int64_t d = 0; d < index.dim() && self.dim(); ++d)
        HWARO_CHECK(d == dim || index.sizes()[d] <= self.sizes()[d], "Size does not match at dimension ", d, " expected index ",
                    sizes_str(index.sizes()), " to be no larger than self ", sizes_str(self.sizes()), " apart from dimension ", dim);
      if (!self.device().is_meta()) fill(out, at_least_vector(self), dim, index_for(self, index, dim));
    }
    if (recording(self))
      record("GatherBackward0", {self}, out, {save(index)}, [dim, sizes = Dims(self.sizes())](Backward& b) {
        b.set(0, scatter_add(make_zeros(sizes, b.g().dtype(), b.g().device()), dim, b.saved(0), b.g()));
      });
    return out;
  }
  static void fill(const Tensor& out, const Tensor& self, int64_t dim, const Tensor& index) {
    const Tensor source = dense(reached(self, index.sizes(), dim));
    const Layout l = layout_of(source, index, dim);
    visit_if<kAllSet>(self.dtype(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      T* to = out->write_as<T>();
      const T* from = source->read_as<T>();
      each_element(l, index->read_as<int64_t>(), [&](int64_t p, int64_t i) { to[i] = from[p]; });
    });
  }
};

struct TakeAlongDim {
  static constexpr Schema schema = "take_along_dim(Tensor self, Tensor indices, int? dim=None) -> Tensor";
  static constexpr Doc doc = "gather with self and indices broadcast to each other beside dim; without dim, on both as vectors.";
  static Tensor call(const Tensor& self, const Tensor& indices, std::optional<int64_t> dim) {
    HWARO_CHECK(indices.dtype() == DType::Int64, "torch.take_along_dim(): dtype of indices should be Long but got ",
                scalar_type_name(indices.dtype()));
    if (!dim) return Gather::call(reshape(self, {-1}), 0, reshape(indices, {-1}), false);
    HWARO_CHECK(self.dim() == indices.dim(), "torch.take_along_dim(): input and indices should have the same number of dimensions, but got ",
                self.dim(), " dimensions for input, and ", indices.dim(), " dimensions for indices");
    const int64_t d = wrap_dim(*dim, self.dim());
    if (self.dim() == 0) return Gather::call(self, d, indices, false);
    Dims self_shape(self.sizes()), index_shape(indices.sizes());
    const int64_t length = self_shape[d], count = index_shape[d];
    self_shape[d] = count;
    broadcast_into(self_shape, indices.sizes());
    index_shape = self_shape;
    self_shape[d] = length;
    index_shape[d] = count;
    return Gather::call(expand(self, self_shape), d, expand(indices, index_shape), false);
  }
};

// ---- scatter ----

static Tensor scatter_values(bool inplace, const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src, Reduce reduce) {
  dim = check_scatter(self, dim, index, &src);
  auto raw = [&](const Tensor& target) {
    if (index.numel() == 0) return;
    const Tensor at = index_for(self, index, dim);
    scatter_raw(target, dim, at, source_for(src, self, at), reduce);
  };
  if (reduce == Reduce::Assign)
    return write_into(inplace, "ScatterBackward0", self, {self, src}, {save(index)}, raw, [dim, sizes = Dims(src.sizes())](Backward& b) {
      if (b.needs(0)) b.set(0, scatter(b.g(), dim, b.saved(0), 0));
      if (b.needs(1)) b.set(1, Gather::call(b.g(), dim, b.saved(0), false));
    });
  return write_into(inplace, "NotImplemented", self, {self, src}, {}, raw,
                    [](Backward&) { raise<RuntimeError>("derivative for aten::scatter is not implemented"); });
}

static Tensor scatter_value(bool inplace, const Tensor& self, int64_t dim, const Tensor& index, const Scalar& value, Reduce reduce) {
  dim = check_scatter(self, dim, index, nullptr);
  auto raw = [&](const Tensor& target) {
    if (index.numel() == 0) return;
    scatter_raw(target, dim, index_for(self, index, dim), make_full({}, value, self.dtype()), reduce);
  };
  if (reduce == Reduce::Assign)
    return write_into(inplace, "ScatterBackward1", self, {self}, {save(index)}, raw,
                      [dim](Backward& b) { b.set(0, scatter(b.g(), dim, b.saved(0), 0)); });
  return write_into(inplace, "NotImplemented", self, {self}, {}, raw,
                    [](Backward&) { raise<RuntimeError>("derivative for aten::scatter is not implemented"); });
}

static Reduce old_reduce(std::string_view reduce) {
  if (reduce == "add") return Reduce::Sum;
  HWARO_CHECK(reduce == "multiply", "reduce argument must be either add or multiply.");
  return Reduce::Prod;
}

struct ScatterSrc {
  static constexpr Schema schema = "scatter.src(Tensor self, int dim, Tensor index, Tensor src) -> Tensor";
  static constexpr Doc doc = "A copy of self with out[index[i][j]][j] = src[i][j] for dim 0, and so on.";
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src) {
    return scatter_values(false, self, dim, index, src, Reduce::Assign);
  }
};
struct ScatterValue {
  static constexpr Schema schema = "scatter.value(Tensor self, int dim, Tensor index, Scalar value) -> Tensor";
  static constexpr Doc doc = "A copy of self with a number written where index points along dim.";
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Scalar& value) {
    return scatter_value(false, self, dim, index, value, Reduce::Assign);
  }
};
struct ScatterReduceOld {
  static constexpr Schema schema = "scatter.reduce(Tensor self, int dim, Tensor index, Tensor src, *, str reduce) -> Tensor";
  static constexpr Doc doc = "As scatter, with src added to ('add') or multiplied onto ('multiply') what is there.";
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src, std::string_view reduce) {
    return scatter_values(false, self, dim, index, src, old_reduce(reduce));
  }
};
struct ScatterValueReduceOld {
  static constexpr Schema schema = "scatter.value_reduce(Tensor self, int dim, Tensor index, Scalar value, *, str reduce) -> Tensor";
  static constexpr Doc doc = "As scatter, with a number added to ('add') or multiplied onto ('multiply') what is there.";
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Scalar& value, std::string_view reduce) {
    return scatter_value(false, self, dim, index, value, old_reduce(reduce));
  }
};
struct ScatterSrcInplace {
  static constexpr Schema schema = "scatter_.src(Tensor(a!) self, int dim, Tensor index, Tensor src) -> Tensor(a!)";
  static constexpr Doc doc = "Writes src where index points along dim.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src) {
    return scatter_values(true, self, dim, index, src, Reduce::Assign);
  }
};
struct ScatterValueInplace {
  static constexpr Schema schema = "scatter_.value(Tensor(a!) self, int dim, Tensor index, Scalar value) -> Tensor(a!)";
  static constexpr Doc doc = "Writes a number where index points along dim.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Scalar& value) {
    return scatter_value(true, self, dim, index, value, Reduce::Assign);
  }
};
struct ScatterReduceOldInplace {
  static constexpr Schema schema = "scatter_.reduce(Tensor(a!) self, int dim, Tensor index, Tensor src, *, str reduce) -> Tensor(a!)";
  static constexpr Doc doc = "Adds src to, or multiplies it onto, what is where index points along dim.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src, std::string_view reduce) {
    return scatter_values(true, self, dim, index, src, old_reduce(reduce));
  }
};
struct ScatterValueReduceOldInplace {
  static constexpr Schema schema =
      "scatter_.value_reduce(Tensor(a!) self, int dim, Tensor index, Scalar value, *, str reduce) -> Tensor(a!)";
  static constexpr Doc doc = "Adds a number to, or multiplies it onto, what is where index points along dim.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Scalar& value, std::string_view reduce) {
    return scatter_value(true, self, dim, index, value, old_reduce(reduce));
  }
};

// ---- scatter_add ----

static Tensor add_values(bool inplace, const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src) {
  dim = check_scatter(self, dim, index, &src);
  return write_into(
      inplace, "ScatterAddBackward0", self, {self, src}, {save(index)},
      [&](const Tensor& target) {
        if (index.numel() == 0) return;
        const Tensor at = index_for(self, index, dim);
        scatter_raw(target, dim, at, source_for(src, self, at), Reduce::Sum);
      },
      [dim](Backward& b) {
        if (b.needs(0)) b.set(0, b.g());
        if (b.needs(1)) b.set(1, Gather::call(b.g(), dim, b.saved(0), false));
      });
}

struct ScatterAdd {
  static constexpr Schema schema = "scatter_add(Tensor self, int dim, Tensor index, Tensor src) -> Tensor";
  static constexpr Doc doc = "A copy of self with src added where index points along dim.";
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src) {
    return add_values(false, self, dim, index, src);
  }
};
struct ScatterAddInplace {
  static constexpr Schema schema = "scatter_add_(Tensor(a!) self, int dim, Tensor index, Tensor src) -> Tensor(a!)";
  static constexpr Doc doc = "Adds src where index points along dim.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src) {
    return add_values(true, self, dim, index, src);
  }
};

// ---- scatter_reduce ----

static Reduce reduce_of(std::string_view name) {
  if (name == "sum") return Reduce::Sum;
  if (name == "prod") return Reduce::Prod;
  if (name == "mean") return Reduce::Mean;
  if (name == "amax") return Reduce::Amax;
  if (name == "amin") return Reduce::Amin;
  raise<RuntimeError>("reduce argument must be either sum, prod, mean, amax or amin, got ", name);
}

static Tensor neutral(DType type, Reduce reduce) {
  if (reduce == Reduce::Prod) return make_full({}, 1, type);
  const Tensor out = make_full({}, 0, type);
  if (reduce == Reduce::Sum || reduce == Reduce::Mean) return out;
  visit_if<kBoolSet | kIntSet | kFloatSet>(type, [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* value = out->write_as<T>();
    if constexpr (std::is_integral_v<T>) {
      *value = reduce == Reduce::Amax ? std::numeric_limits<T>::lowest() : std::numeric_limits<T>::max();
    } else {
      const float inf = std::numeric_limits<float>::infinity();
      *value = T(reduce == Reduce::Amax ? -inf : inf);
    }
  });
  return out;
}

static Tensor ones_for(const Tensor& t, DType type) { return make_full(t.sizes(), 1, type, t.device()); }

// The reduction itself, on what is in target.
static void reduce_raw(const Tensor& target, int64_t dim, const Tensor& at, const Tensor& src, Reduce reduce, bool include_self) {
  if (!include_self) scatter_raw(target, dim, at, neutral(target.dtype(), reduce), Reduce::Assign);
  scatter_raw(target, dim, at, src, reduce);
  if (reduce != Reduce::Mean) return;
  NoGradGuard guard;
  const Tensor count = make_full(target.sizes(), include_self ? 1 : 0, target.dtype());
  scatter_raw(count, dim, at, make_full({}, 1, target.dtype()), Reduce::Sum);
  // Means of integers are rounded down.
  visit_if<kIntSet | kFloatSet | kComplexSet>(target.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const Tensor work = dense(target);
    T* to = work->write_as<T>();
    const T* n = count->read_as<T>();
    for (int64_t i = 0; i < work.numel(); ++i) {
      if constexpr (std::is_integral_v<T>) {
        if (n[i] <= 1) continue;
        const T q = T(to[i] / n[i]);
        to[i] = T(q - (to[i] % n[i] != 0 && to[i] < 0));
      } else if constexpr (contains(kComplexSet, dtype_of<T>)) {
        if (n[i].re > 1) to[i].re /= n[i].re, to[i].im /= n[i].re;
      } else if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) {
        if (float(n[i]) > 1) to[i] = T(float(to[i]) / float(n[i]));
      } else {
        if (n[i] > 1) to[i] /= n[i];
      }
    }
    if (work.impl() != target.impl()) copy_raw(target, work);
  });
}

static Tensor reduce_values(bool inplace, const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src, std::string_view name,
                            bool include_self);

// Gradients of self and src. What reached one place shares in it by the rule of the reduction.
static void reduce_gradients(Backward& b, int64_t dim, Reduce reduce, const std::string& name, bool include_self) {
  const Tensor g = b.g(), self = b.saved(0), index = b.saved(1), src = b.saved(2);
  // Recomputed and not saved, so that in-place calls can be differentiated twice as well.
  Tensor result;
  if (reduce != Reduce::Sum && reduce != Reduce::Mean) result = reduce_values(false, self, dim, index, src, name, include_self);
  auto gather = [&](const Tensor& t) { return Gather::call(t, dim, index, false); };
  Tensor grad_self, grad_src;
  switch (reduce) {
    case Reduce::Sum:
      grad_self = g;
      grad_src = gather(g);
      break;
    case Reduce::Mean: {
      Tensor n = make_full(self.sizes(), include_self ? 1 : 0, self.dtype(), self.device());
      n = scatter_add(n, dim, index, ones_for(src, src.dtype()));
      n = where(n == 0, 1, n);
      grad_self = g / n;
      grad_src = gather(g) / gather(n);
      break;
    }
    case Reduce::Prod: {
      const Tensor safe = where(self == 0, 1, self);
      grad_self = g * reduce_values(false, safe, dim, index, src, name, include_self) / safe;
      const Tensor zero = src == 0;
      const Tensor zeros_there = gather(scatter_add(make_zeros(self.sizes(), self.dtype(), self.device()), dim, index, to_dtype(zero, self.dtype())));
      const Tensor only = zero & (zeros_there == 1);
      const Tensor without = reduce_values(false, self, dim, index, where(only, 1, src), name, include_self);
      grad_src = where(only, gather(g * without), gather(g * result) / where(zero, 1, src));
      grad_src = where(zeros_there > 1, 0, grad_src);
      break;
    }
    default: {
      const Tensor value = gather(result);
      const Tensor self_is = to_dtype(self == result, self.dtype()), src_is = to_dtype(src == value, self.dtype());
      const Tensor share = g / scatter_add(self_is, dim, index, src_is);
      grad_self = self_is * share;
      grad_src = src_is * gather(share);
      break;
    }
  }
  if (b.needs(0)) b.set(0, include_self ? grad_self : scatter(grad_self, dim, index, 0));
  if (b.needs(1)) b.set(1, grad_src);
}

static Tensor reduce_values(bool inplace, const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src, std::string_view name,
                            bool include_self) {
  const Reduce reduce = reduce_of(name);
  dim = check_scatter(self, dim, index, &src);
  const bool recorded = recording(self, src) && is_differentiable(self.dtype());
  if (inplace) {
    check_inplace(self, recorded);
    check_internal_overlap(self);
  }
  const Tensor before = recorded && inplace ? clone(self) : self;  // what the gradients read
  const Tensor target = inplace ? self : clone(detach(self));
  if (!self.device().is_meta() && index.numel() > 0) {
    const Tensor at = index_for(self, index, dim);
    reduce_raw(target, dim, at, source_for(src, self, at), reduce, include_self);
  }
  if (inplace) self->bump_version();
  if (recorded) {
    auto backward = [dim, reduce, name = std::string(name), include_self](Backward& b) { reduce_gradients(b, dim, reduce, name, include_self); };
    if (inplace) record_inplace("ScatterReduceBackward0", self, {self, src}, {save(before), save(index), save(src)}, backward);
    else record("ScatterReduceBackward0", {self, src}, target, {save(before), save(index), save(src)}, backward);
  }
  return target;
}

struct ScatterReduce {
  static constexpr Schema schema =
      "scatter_reduce.two(Tensor self, int dim, Tensor index, Tensor src, str reduce, *, bool include_self=True) -> Tensor";
  static constexpr Doc doc = "A copy of self with src reduced (sum, prod, mean, amax, amin) into where index points along dim.";
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src, std::string_view reduce, bool include_self) {
    return reduce_values(false, self, dim, index, src, reduce, include_self);
  }
};
struct ScatterReduceInplace {
  static constexpr Schema schema =
      "scatter_reduce_.two(Tensor(a!) self, int dim, Tensor index, Tensor src, str reduce, *, bool include_self=True) -> Tensor(a!)";
  static constexpr Doc doc = "Reduces src (sum, prod, mean, amax, amin) into where index points along dim.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src, std::string_view reduce, bool include_self) {
    return reduce_values(true, self, dim, index, src, reduce, include_self);
  }
};

// ---- index_reduce: scatter_reduce of whole slices ----

static Tensor spread(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source) {
  Dims shape(source.sizes().size() ? source.sizes().size() : 1, 1);
  shape[dim] = index.numel();
  const Tensor line = reshape(index, shape);
  return self.dim() == 0 ? line : expand(line, source.sizes());
}

static int64_t check_index_reduce(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source, std::string_view reduce) {
  HWARO_CHECK(reduce == "prod" || reduce == "mean" || reduce == "amax" || reduce == "amin",
              "index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got ", reduce, ".");
  dim = wrap_dim(dim, self.dim());
  check_index_type("index_reduce", index);
  HWARO_CHECK_AS(IndexError, index.dim() <= 1, "index_reduce(): Index is supposed to be a vector, but got dim: ", index.dim());
  HWARO_CHECK(self.dtype() == source.dtype(), "index_reduce(): self and source must have the same scalar type");
  HWARO_CHECK(index.numel() == (source.dim() ? source.sizes()[dim] : 1),
              "index_reduce(): Number of indices should be equal to self.size(dim)");
  return dim;
}

struct IndexReduce {
  static constexpr Schema schema =
      "index_reduce(Tensor self, int dim, Tensor index, Tensor source, str reduce, *, bool include_self=True) -> Tensor";
  static constexpr Doc doc = "A copy of self with slices of source reduced (prod, mean, amax, amin) into those that index lists.";
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source, std::string_view reduce, bool include_self) {
    return run(false, self, dim, index, source, reduce, include_self);
  }
  static Tensor run(bool inplace, const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source, std::string_view reduce,
                    bool include_self) {
    dim = check_index_reduce(self, dim, index, source, reduce);
    const Tensor each = spread(self, dim, index, source);
    const Reduce kind = reduce_of(reduce);
    const Tensor before = inplace ? clone(self) : self;
    Tensor result;
    {
      NoGradGuard guard;
      result = reduce_values(false, before, dim, each, source, reduce, include_self);
    }
    return write_into(
        inplace, "IndexReduceBackward0", self, {self, source}, {save(before), save(each), save(source)},
        [&](const Tensor& target) { copy_raw(target, result); },
        [dim, kind, name = std::string(reduce), include_self](Backward& b) { reduce_gradients(b, dim, kind, name, include_self); });
  }
};
struct IndexReduceInplace {
  static constexpr Schema schema =
      "index_reduce_(Tensor(a!) self, int dim, Tensor index, Tensor source, str reduce, *, bool include_self=True) -> Tensor(a!)";
  static constexpr Doc doc = "Reduces slices of source (prod, mean, amax, amin) into those of self that index lists.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source, std::string_view reduce, bool include_self) {
    return IndexReduce::run(true, self, dim, index, source, reduce, include_self);
  }
};

}  // namespace hwaro::engine

#include "families/scatter.inc"
