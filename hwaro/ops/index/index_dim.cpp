// Whole slices of one dimension, chosen by a vector of indices: index_select, index_add, index_copy, index_fill.
//
// All of them move rows between places with given offsets: see advanced.h.
#include "hwaro/ops/create/fill.h"
#include "hwaro/ops/index/advanced.h"
#include "hwaro/ops/index/write.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

Tensor index_fill(const Tensor& self, int64_t dim, const Tensor& index, const Scalar& value);

namespace {

// 0-dimensional tensors count as vectors of one element.
Tensor at_least_vector(const Tensor& t) { return t.dim() > 0 ? t : alias(t, {1}, {1}, t->offset); }

IndexGeometry geometry_along(const Tensor& self, int64_t dim, int64_t count) {
  IndexPlan plan;
  plan.sizes = Dims(self.sizes());
  plan.shape = Dims(self.sizes());
  plan.shape[dim] = count;
  plan.index_count = count;
  for (int64_t d = 0; d < self.dim(); ++d) {
    if (d < dim) plan.outer.push_back(d), plan.outer_count *= self.sizes()[d];
    if (d > dim) plan.inner.push_back(d), plan.inner_count *= self.sizes()[d];
  }
  return IndexGeometry(plan);
}

// index * stride; `fail` raises for an index that is out of bounds. Negative ones wrap only where `wraps` is set.
template <class Fail>
Tensor positions_along(const Tensor& index, int64_t size, int64_t stride, bool wraps, Fail fail) {
  const Tensor from = dense_as(index, DType::Int64);
  const Tensor out = make_tensor({from.numel()}, DType::Int64);
  const int64_t* in = from->read_as<int64_t>();
  int64_t* to = out->write_as<int64_t>();
  bool bad = false;
  for (int64_t i = 0; i < from.numel(); ++i) {
    const int64_t at = in[i] + (wraps && in[i] < 0 ? size : 0);
    bad |= std::uint64_t(at) >= std::uint64_t(size);
    to[i] = at * stride;
  }
  if (bad)
    for (int64_t i = 0; i < from.numel(); ++i)
      if (in[i] >= size || in[i] < (wraps ? -size : 0)) fail(in[i]);
  return out;
}

bool is_index_type(const Tensor& t) { return t.dtype() == DType::Int64 || t.dtype() == DType::Int32; }

// Gives raw writers a row-major target without conj flag, and copies back where that is not self itself.
template <class F>
void on_plain(const Tensor& target, F f) {
  const Tensor t = at_least_vector(target);
  if (!t.is_conj()) return f(t);
  const Tensor work = dense(t);
  f(work);
  copy_raw(t, work);
}

}  // namespace

static Tensor add_slices(bool inplace, const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source,
                         const Scalar& alpha);

struct IndexSelect {
  static constexpr Schema schema = "index_select(Tensor self, int dim, Tensor index) -> Tensor";
  static constexpr Doc doc = "The slices of dimension dim that index lists.";
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index) {
    check_has_data(self, {index});
    HWARO_CHECK_AS(IndexError, index.dim() <= 1, "index_select(): Index is supposed to be a vector");
    HWARO_CHECK(self.dim() > 0 || index.numel() == 1, "index_select(): Index to scalar can have only 1 value, got ",
                index.numel(), " value(s)");
    dim = wrap_dim(dim, self.dim());
    HWARO_CHECK(is_index_type(index), "index_select(): Expected dtype int32 or int64 for index");
    const Tensor source = at_least_vector(self.is_conj() ? dense(self) : self);
    const IndexGeometry geo = geometry_along(source, dim, index.numel());
    const Tensor out = make_tensor(self.dim() ? IntSpan(geo.shape) : IntSpan(), self.dtype(), self.device());
    if (!self.device().is_meta()) {
      const Tensor positions = positions_along(index, source.sizes()[dim], source.strides()[dim], false,
                                               [](int64_t) { raise<IndexError>("index out of range in self"); });
      gather_positions(out, source, geo, positions);
    }
    if (recording(self))
      record("IndexSelectBackward0", {self}, out, {save(index)}, [dim, sizes = Dims(self.sizes())](Backward& b) {
        b.set(0, add_slices(false, make_zeros(sizes, b.g().dtype(), b.g().device()), dim, b.saved(0), b.g(), 1));
      });
    return out;
  }
};

static Tensor add_slices(bool inplace, const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source,
                         const Scalar& alpha) {
  dim = wrap_dim(dim, self.dim());
  HWARO_CHECK(is_index_type(index),
              "index_add_(): Expected dtype int32/int64 for index but got: ", scalar_type_name(index.dtype()));
  HWARO_CHECK(self.dtype() == source.dtype(), "index_add_(): self (", scalar_type_name(self.dtype()), ") and source (",
              scalar_type_name(source.dtype()), ") must have the same scalar type");
  HWARO_CHECK_AS(IndexError, index.dim() <= 1,
                 "index_add_(): Index is supposed to be a vector, but got dim: ", index.dim(),
                 " with type: ", scalar_type_name(index.dtype()), " and size: ", sizes_str(index.sizes()));
  bool fits = self.dim() == source.dim() || self.dim() == 0 || source.dim() == 0;
  for (int64_t d = 0; fits && d < self.dim() && d < source.dim(); ++d)
    fits = d == dim || self.sizes()[d] == source.sizes()[d];
  if (source.dim() == 0) fits = self.dim() == 0 || self.numel() == self.sizes()[dim];
  const int64_t length = source.dim() ? source.sizes()[self.dim() ? dim : 0] : 1;
  HWARO_CHECK(fits,
              "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = ",
              sizes_str(self.sizes()), " source.shape = ", sizes_str(source.sizes()));
  HWARO_CHECK(index.numel() == length, "index_add_(): Number of indices (", index.numel(),
              ") should be equal to source.size(dim): (", length, "), for dim: ", dim);
  check_fits(alpha, self.dtype());
  const double a = alpha.re();
  return write_into(
      inplace, "IndexAddBackward0", self, {self, source}, {save(index)},
      [&](const Tensor& target) {
        Tensor values = apart_from(source, self);
        if (alpha.is_complex() || a != 1) {
          NoGradGuard guard;
          values = mul(values, is_integral(self.dtype(), true) ? Scalar(alpha.to_int()) : alpha);
        }
        on_plain(target, [&](const Tensor& t) {
          const int64_t size = t.sizes()[dim];
          const IndexGeometry geo = geometry_along(t, dim, index.numel());
          const Tensor positions = positions_along(index, size, t.strides()[dim], false, [size](int64_t i) {
            raise<RuntimeError>("index ", i, " is out of bounds for dimension 0 with size ", size);
          });
          scatter_positions(t, values, geo, positions, true);
        });
      },
      [dim, alpha, sizes = Dims(source.sizes())](Backward& b) {
        if (b.needs(0)) b.set(0, b.g());
        if (b.needs(1)) {
          Tensor g = IndexSelect::call(b.g(), dim, b.saved(0));
          if (g.sizes() != IntSpan(sizes)) g = reshape(g, sizes);
          b.set(1, alpha.re() == 1 && alpha.im() == 0
                       ? g
                       : mul(g, alpha.is_complex() ? Scalar(Complex<double>{alpha.re(), -alpha.im()}) : alpha));
        }
      },
      MemoryFormat::Contiguous);
}

struct IndexAdd {
  static constexpr Schema schema =
      "index_add(Tensor self, int dim, Tensor index, Tensor source, *, Scalar alpha=1) -> Tensor";
  static constexpr Doc doc =
      "A copy of self with slices of source, scaled by alpha, added to the slices of dim that index lists.";
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source, const Scalar& alpha) {
    return add_slices(false, self, dim, index, source, alpha);
  }
};
struct IndexAddInplace {
  static constexpr Schema schema =
      "index_add_(Tensor(a!) self, int dim, Tensor index, Tensor source, *, Scalar alpha=1) -> Tensor(a!)";
  static constexpr Doc doc = "Adds slices of source, scaled by alpha, to the slices of dimension dim that index lists.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source, const Scalar& alpha) {
    return add_slices(true, self, dim, index, source, alpha);
  }
};

// ---- index_copy ----

static std::string slice_shape(IntSpan sizes, int64_t dim) {
  std::string out;
  for (int64_t d = 0; d < int64_t(sizes.size()); ++d)
    if (d != dim) out += (out.empty() ? "" : " ") + std::to_string(sizes[d]);
  return out;
}

static Tensor copy_slices(bool inplace, const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source) {
  dim = wrap_dim(dim, self.dim());
  HWARO_CHECK_AS(IndexError, index.dim() < 2, "index_copy_(): Index should have dimension 1 or 0 (got ", index.dim(),
                 ")");
  HWARO_CHECK_AS(IndexError, source.dim() > 0 || index.numel() == 1,
                 "index_copy_(): When source is scalar, index should have one element (got ", index.numel(), ")");
  HWARO_CHECK_AS(IndexError, source.dim() == self.dim() || source.dim() == 0 || self.dim() == 0,
                 "index_copy_(): When source and destination are not scalars, their dimensionality must match. Source "
                 "dimensionality (",
                 source.dim(), "), destination dimensionality (", self.dim(), ")");
  HWARO_CHECK(index.dtype() == DType::Int64, "index_copy_(): Expected a long tensor for index, but got ",
              scalar_type_name(index.dtype()));
  HWARO_CHECK(self.dtype() == source.dtype(),
              "index_copy_(): self and source expected to have the same dtype, but got (self) ",
              scalar_type_name(self.dtype()), " and (source) ", scalar_type_name(source.dtype()));
  HWARO_CHECK(slice_shape(self.sizes(), dim) == slice_shape(source.sizes(), dim),
              "index_copy_(): Source/destination tensor must have same slice shapes. Destination slice shape: ",
              slice_shape(self.sizes(), dim), " at dimension ", dim,
              " and source slice shape: ", slice_shape(source.sizes(), dim), " at dimension 0.");
  HWARO_CHECK_AS(IndexError, source.dim() == 0 || index.numel() == source.sizes()[dim],
                 "index_copy_(): Number of indices (", index.numel(), ") should be equal to source.size(dim) (",
                 source.dim() ? source.sizes()[dim] : 1, ")");
  return write_into(
      inplace, "IndexCopyBackward0", self, {self, source}, {save(index)},
      [&](const Tensor& target) {
        const Tensor values = apart_from(source, self);
        on_plain(target, [&](const Tensor& t) {
          const int64_t size = t.sizes()[dim];
          const Tensor positions = positions_along(index, size, t.strides()[dim], false, [size](int64_t i) {
            raise<IndexError>("index_copy_(): index ", i, " is out of bounds for dimension 0 with size ", size);
          });
          scatter_positions(t, values, geometry_along(t, dim, index.numel()), positions, false);
        });
      },
      [dim, sizes = Dims(source.sizes())](Backward& b) {
        if (b.needs(0)) b.set(0, index_fill(b.g(), dim, b.saved(0), 0));
        if (b.needs(1)) b.set(1, reshape(IndexSelect::call(b.g(), dim, b.saved(0)), sizes));
      },
      MemoryFormat::Contiguous);
}

struct IndexCopy {
  static constexpr Schema schema = "index_copy(Tensor self, int dim, Tensor index, Tensor source) -> Tensor";
  static constexpr Doc doc =
      "A copy of self with the slices of dimension dim that index lists replaced by those of source.";
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source) {
    return copy_slices(false, self, dim, index, source);
  }
};
struct IndexCopyInplace {
  static constexpr Schema schema = "index_copy_(Tensor(a!) self, int dim, Tensor index, Tensor source) -> Tensor(a!)";
  static constexpr Doc doc = "Writes slices of source to the slices of dimension dim that index lists.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source) {
    return copy_slices(true, self, dim, index, source);
  }
};

// ---- index_fill ----

static void write_slices(const Tensor& target, int64_t dim, const Tensor& index, const Tensor& value) {
  on_plain(target, [&](const Tensor& t) {
    const int64_t size = t.sizes()[dim];
    const Tensor positions = positions_along(index, size, t.strides()[dim], true, [size, dim](int64_t i) {
      raise<IndexError>("index ", i, " is out of bounds for dimension ", dim, " with size ", size);
    });
    scatter_positions(t, value, geometry_along(t, dim, index.numel()), positions, false);
  });
}

static int64_t check_fill(const Tensor& self, int64_t dim, const Tensor& index) {
  HWARO_CHECK_AS(IndexError, index.dtype() == DType::Int64, "index_fill_(): Expected dtype int64 for index.");
  dim = wrap_dim(dim, self.dim());
  HWARO_CHECK(index.dim() <= 1, "Index has to be a vector/scalar");
  return dim;
}

static Tensor fill_slices(bool inplace, const Tensor& self, int64_t dim, const Tensor& index, const Scalar& value) {
  dim = check_fill(self, dim, index);
  HWARO_CHECK(!value.is_complex() || is_complex(self.dtype()),
              "index_fill_(): Converting complex Scalar to non-complex type is not supported");
  check_fits(value, self.dtype());
  return write_into(
      inplace, "IndexFillBackward0", self, {self}, {save(index)},
      [&](const Tensor& target) { write_slices(target, dim, index, make_full({}, value, self.dtype())); },
      [dim](Backward& b) { b.set(0, index_fill(b.g(), dim, b.saved(0), 0)); }, MemoryFormat::Preserve, false);
}

static Tensor fill_slices(bool inplace, const Tensor& self, int64_t dim, const Tensor& index, const Tensor& value) {
  HWARO_CHECK(value.dim() == 0, "index_fill_ only supports a 0-dimensional value tensor, but got tensor with ",
              value.dim(), " dimension(s).");
  dim = check_fill(self, dim, index);
  return write_into(
      inplace, "IndexFillBackward1", self, {self, value}, {save(index)},
      [&](const Tensor& target) { write_slices(target, dim, index, dense_as(value, self.dtype())); },
      [dim, type = value.dtype()](Backward& b) {
        if (b.needs(0)) b.set(0, index_fill(b.g(), dim, b.saved(0), 0));
        // Each filled place counts once, however often index names it: what is left of g when those places are cleared.
        if (b.needs(1)) b.set(1, to_dtype(sum_all(sub(b.g(), index_fill(b.g(), dim, b.saved(0), 0))), type));
      },
      MemoryFormat::Preserve, false);
}

struct IndexFillTensor {
  static constexpr Schema schema = "index_fill.int_Tensor(Tensor self, int dim, Tensor index, Tensor value) -> Tensor";
  static constexpr Doc doc =
      "A copy of self with the slices of dimension dim that index lists set to the value of a 0-dimensional tensor.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& value) {
    return fill_slices(false, self, dim, index, value);
  }
};
struct IndexFillScalar {
  static constexpr Schema schema = "index_fill.int_Scalar(Tensor self, int dim, Tensor index, Scalar value) -> Tensor";
  static constexpr Doc doc = "A copy of self with the slices of dimension dim that index lists set to a number.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Scalar& value) {
    return fill_slices(false, self, dim, index, value);
  }
};
struct IndexFillTensorInplace {
  static constexpr Schema schema =
      "index_fill_.int_Tensor(Tensor(a!) self, int dim, Tensor index, Tensor value) -> Tensor(a!)";
  static constexpr Doc doc =
      "Sets the slices of dimension dim that index lists to the value of a 0-dimensional tensor.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& value) {
    return fill_slices(true, self, dim, index, value);
  }
};
struct IndexFillScalarInplace {
  static constexpr Schema schema =
      "index_fill_.int_Scalar(Tensor(a!) self, int dim, Tensor index, Scalar value) -> Tensor(a!)";
  static constexpr Doc doc = "Sets the slices of dimension dim that index lists to a number.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Scalar& value) {
    return fill_slices(true, self, dim, index, value);
  }
};

// ---- single elements by their row-major position ----

static Tensor flat_positions(const char* name, const Tensor& index, int64_t numel) {
  HWARO_CHECK(index.dtype() == DType::Int64, name, "(): Expected a long tensor for index, but got ",
              scalar_type_name(index.dtype()));
  return positions_along(index, numel, 1, true, [numel](int64_t i) {
    raise<IndexError>("out of range: tried to access index ", i, " on a tensor of ", numel, " elements.");
  });
}

static IndexGeometry flat_geometry(int64_t numel, int64_t count) {
  IndexPlan plan;
  plan.sizes = {numel};
  plan.shape = {count};
  plan.index_count = count;
  return IndexGeometry(plan);
}

Tensor put(const Tensor& self, const Tensor& index, const Tensor& source, bool accumulate);

struct Take {
  static constexpr Schema schema = "take(Tensor self, Tensor index) -> Tensor";
  static constexpr Doc doc = "The elements of self, seen as a vector, that index lists; in the shape of index.";
  static Tensor call(const Tensor& self, const Tensor& index) {
    HWARO_CHECK(index.dtype() == DType::Int64, "take(): Expected a long tensor for index, but got ",
                scalar_type_name(index.dtype()));
    check_has_data(self, {index});
    HWARO_CHECK_AS(IndexError, self.numel() > 0 || index.numel() == 0, "take(): tried to take from an empty tensor");
    const Tensor out = make_tensor(index.sizes(), self.dtype(), self.device());
    if (!self.device().is_meta()) {
      const Tensor source = dense(self);
      gather_positions(out, source, flat_geometry(source.numel(), index.numel()),
                       flat_positions("take", index, source.numel()));
    }
    if (recording(self))
      record("TakeBackward0", {self}, out, {save(index)}, [sizes = Dims(self.sizes())](Backward& b) {
        b.set(0, put(make_zeros(sizes, b.g().dtype(), b.g().device()), b.saved(0), b.g(), true));
      });
    return out;
  }
};

static Tensor put_elements(bool inplace, const Tensor& self, const Tensor& index, const Tensor& source,
                           bool accumulate) {
  HWARO_CHECK(index.dtype() == DType::Int64, "put_(): Expected a long tensor for index, but got ",
              scalar_type_name(index.dtype()));
  HWARO_CHECK(self.dtype() == source.dtype(),
              "put_(): self and source expected to have the same dtype, but got self.dtype = ",
              scalar_type_name(self.dtype()), " and source.dtype = ", scalar_type_name(source.dtype()));
  HWARO_CHECK_AS(IndexError, index.numel() == source.numel(),
                 "put_(): Expected source and index to have the same number of elements, but got source.numel() = ",
                 source.numel(), ", index.numel() = ", index.numel());
  return write_into(
      inplace, "PutBackward0", self, {self, source}, {save(index)},
      [&](const Tensor& target) {
        const Tensor values = dense(apart_from(source, self)), work = dense(target);
        HWARO_CHECK_AS(IndexError, work.numel() > 0 || index.numel() == 0,
                       "put_(): Tried to put elements into an empty tensor");
        const IndexGeometry geo = flat_geometry(work.numel(), index.numel());
        scatter_positions(work, alias(values, {values.numel()}, {1}, values->offset), geo,
                          flat_positions("put_", index, work.numel()), accumulate);
        if (work.impl() != target.impl()) copy_raw(target, work);
      },
      [accumulate, sizes = Dims(source.sizes())](Backward& b) {
        if (b.needs(0))
          b.set(0,
                accumulate ? b.g() : put(b.g(), b.saved(0), make_zeros(sizes, b.g().dtype(), b.g().device()), false));
        if (b.needs(1)) b.set(1, reshape(Take::call(b.g(), b.saved(0)), sizes));
      },
      MemoryFormat::Preserve);
}

struct Put {
  static constexpr Schema schema = "put(Tensor self, Tensor index, Tensor source, bool accumulate=False) -> Tensor";
  static constexpr Doc doc =
      "A copy of self with elements of source written (or added) at the row-major positions that index lists.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, const Tensor& index, const Tensor& source, bool accumulate) {
    return put_elements(false, self, index, source, accumulate);
  }
};
struct PutInplace {
  static constexpr Schema schema =
      "put_(Tensor(a!) self, Tensor index, Tensor source, bool accumulate=False) -> Tensor(a!)";
  static constexpr Doc doc = "Writes (or adds) elements of source at the row-major positions that index lists.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, const Tensor& index, const Tensor& source, bool accumulate) {
    return put_elements(true, self, index, source, accumulate);
  }
};

}  // namespace hwaro::engine

#include "families/index_dim.inc"
