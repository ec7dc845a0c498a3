// Reductions into chosen places: scatter_reduce, index_reduce.
#include <limits>

#include "hwaro/ops/index/scatter_loops.h"
#include "hwaro/ops/index/write.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/scatter.h"

namespace hwaro::engine {

using std::int64_t;

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
static void reduce_raw(const Tensor& target, int64_t dim, const Tensor& at, const Tensor& src, Reduce reduce,
                       bool include_self) {
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

static Tensor reduce_values(bool inplace, const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src,
                            std::string_view name, bool include_self);

// Gradients of self and src. What reached one place shares in it by the rule of the reduction.
static void reduce_gradients(Backward& b, int64_t dim, Reduce reduce, const std::string& name, bool include_self) {
  const Tensor g = b.g(), self = b.saved(0), index = b.saved(1), src = b.saved(2);
  // Recomputed and not saved, so that in-place calls can be differentiated twice as well.
  Tensor result;
  if (reduce != Reduce::Sum && reduce != Reduce::Mean)
    result = reduce_values(false, self, dim, index, src, name, include_self);
  auto gathered = [&](const Tensor& t) { return gather(t, dim, index); };
  Tensor grad_self, grad_src;
  switch (reduce) {
    case Reduce::Sum:
      grad_self = g;
      grad_src = gathered(g);
      break;
    case Reduce::Mean: {
      Tensor n = make_full(self.sizes(), include_self ? 1 : 0, self.dtype(), self.device());
      n = scatter_add(n, dim, index, ones_for(src, src.dtype()));
      n = where(n == 0, 1, n);
      grad_self = g / n;
      grad_src = gathered(g) / gathered(n);
      break;
    }
    case Reduce::Prod: {
      const Tensor safe = where(self == 0, 1, self);
      grad_self = g * reduce_values(false, safe, dim, index, src, name, include_self) / safe;
      const Tensor zero = src == 0;
      const Tensor zeros_there = gathered(
          scatter_add(make_zeros(self.sizes(), self.dtype(), self.device()), dim, index, to_dtype(zero, self.dtype())));
      const Tensor only = zero & (zeros_there == 1);
      const Tensor without = reduce_values(false, self, dim, index, where(only, 1, src), name, include_self);
      grad_src = where(only, gathered(g * without), gathered(g * result) / where(zero, 1, src));
      grad_src = where(zeros_there > 1, 0, grad_src);
      break;
    }
    default: {
      const Tensor value = gathered(result);
      const Tensor self_is = to_dtype(self == result, self.dtype()), src_is = to_dtype(src == value, self.dtype());
      const Tensor share = g / scatter_add(self_is, dim, index, src_is);
      grad_self = self_is * share;
      grad_src = src_is * gathered(share);
      break;
    }
  }
  if (b.needs(0)) b.set(0, include_self ? grad_self : scatter(grad_self, dim, index, 0));
  if (b.needs(1)) b.set(1, src.dim() == 0 ? reshape(grad_src, {}) : grad_src);
}

static Tensor reduce_values(bool inplace, const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src,
                            std::string_view name, bool include_self) {
  const Reduce reduce = reduce_of(name);
  dim = check_scatter(self, dim, index, &src);
  const bool recorded = recording(self, src) && is_differentiable(self.dtype());
  if (inplace) {
    check_inplace(self, recorded);
    check_internal_overlap(self);
  }
  const Tensor before = recorded && inplace ? clone(self) : self;  // what the gradients read
  const Tensor target = inplace ? self : clone(detach(self), MemoryFormat::Contiguous);
  if (!self.device().is_meta() && index.numel() > 0) {
    const Tensor at = index_for(self, index, dim);
    reduce_raw(target, dim, at, source_for(src, self, at), reduce, include_self);
  }
  if (inplace) self->bump_version();
  if (recorded) {
    auto backward = [dim, reduce, name = std::string(name), include_self](Backward& b) {
      reduce_gradients(b, dim, reduce, name, include_self);
    };
    if (inplace)
      record_inplace("ScatterReduceBackward0", self, {self, src}, {save(before), save(index), save(src)}, backward);
    else record("ScatterReduceBackward0", {self, src}, target, {save(before), save(index), save(src)}, backward);
  }
  return target;
}

struct ScatterReduce {
  static constexpr Schema schema =
      "scatter_reduce.two(Tensor self, int dim, Tensor index, Tensor src, str reduce, *, bool include_self=True) -> "
      "Tensor";
  static constexpr Doc doc =
      "A copy of self with src reduced (sum, prod, mean, amax, amin) into where index points along dim.";
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src, std::string_view reduce,
                     bool include_self) {
    return reduce_values(false, self, dim, index, src, reduce, include_self);
  }
};
struct ScatterReduceInplace {
  static constexpr Schema schema =
      "scatter_reduce_.two(Tensor(a!) self, int dim, Tensor index, Tensor src, str reduce, *, bool include_self=True) "
      "-> Tensor(a!)";
  static constexpr Doc doc = "Reduces src (sum, prod, mean, amax, amin) into where index points along dim.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src, std::string_view reduce,
                     bool include_self) {
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

static int64_t check_index_reduce(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source,
                                  std::string_view reduce) {
  HWARO_CHECK(reduce == "prod" || reduce == "mean" || reduce == "amax" || reduce == "amin",
              "index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got ", reduce, ".");
  dim = wrap_dim(dim, self.dim());
  check_index_type("index_reduce", index);
  HWARO_CHECK_AS(IndexError, index.dim() <= 1,
                 "index_reduce(): Index is supposed to be a vector, but got dim: ", index.dim());
  HWARO_CHECK(self.dtype() == source.dtype(), "index_reduce(): self and source must have the same scalar type");
  HWARO_CHECK(index.numel() == (source.dim() ? source.sizes()[dim] : 1),
              "index_reduce(): Number of indices should be equal to self.size(dim)");
  return dim;
}

struct IndexReduce {
  static constexpr Schema schema =
      "index_reduce(Tensor self, int dim, Tensor index, Tensor source, str reduce, *, bool include_self=True) -> "
      "Tensor";
  static constexpr Doc doc =
      "A copy of self with slices of source reduced (prod, mean, amax, amin) into those that index lists.";
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source,
                     std::string_view reduce, bool include_self) {
    return run(false, self, dim, index, source, reduce, include_self);
  }
  static Tensor run(bool inplace, const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source,
                    std::string_view reduce, bool include_self) {
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
        [dim, kind, name = std::string(reduce), include_self](Backward& b) {
          reduce_gradients(b, dim, kind, name, include_self);
        });
  }
};
struct IndexReduceInplace {
  static constexpr Schema schema =
      "index_reduce_(Tensor(a!) self, int dim, Tensor index, Tensor source, str reduce, *, bool include_self=True) -> "
      "Tensor(a!)";
  static constexpr Doc doc = "Reduces slices of source (prod, mean, amax, amin) into those of self that index lists.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source,
                     std::string_view reduce, bool include_self) {
    return IndexReduce::run(true, self, dim, index, source, reduce, include_self);
  }
};

}  // namespace hwaro::engine

#include "families/scatter_reduce.inc"
