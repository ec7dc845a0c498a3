// Parts of a tensor as views: select, slice, narrow, and the gradients that put a part back into zeros.
#include "hwaro/ops/create/fill.h"
#include "hwaro/ops/index/has_data.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/shape/geometry.h"
#include "hwaro/ops/shape/slicing.h"

namespace hwaro::engine {

using std::int64_t;

struct SliceRange {
  int64_t start, length;
};

// Clamps bounds as Python does.
static SliceRange slice_range(int64_t size, std::optional<int64_t> from, std::optional<int64_t> to, int64_t step) {
  int64_t start = from.value_or(0), end = to.value_or(size);
  if (start < 0) start += size;
  if (end < 0) end += size;
  start = start < 0 ? 0 : start > size ? size : start;
  end = end < start ? start : end > size ? size : end;
  return {start, end > start ? 1 + (end - start - 1) / step : 0};
}

// g in a tensor of zeros, at the place where a view with these strides (over contiguous memory) looks.
static Tensor embed(const Tensor& g, IntSpan sizes, IntSpan strides, int64_t offset) {
  const Tensor out = fresh_zeros(sizes, g.dtype(), g.device());
  if (!g.device().is_meta()) copy_raw(alias(out, g.sizes(), strides, offset), g);
  return out;
}

Tensor select_backward(const Tensor& g, IntSpan sizes, int64_t dim, int64_t index) {
  Dims strides = contiguous_strides(sizes);
  const int64_t offset = index * strides[dim];
  strides.erase(std::size_t(dim));
  const Tensor out = embed(g, sizes, strides, offset);
  if (recording(g))
    record("SelectBackwardBackward0", {g}, out, {}, [dim, index](Backward& b) { b.set(0, select(b.g(), dim, index)); });
  return out;
}

Tensor slice_backward(const Tensor& g, IntSpan sizes, int64_t dim, int64_t start, int64_t end, int64_t step) {
  Dims strides = contiguous_strides(sizes);
  const int64_t offset = start * strides[dim];
  strides[dim] = stretched(strides[dim], step);
  const Tensor out = embed(g, sizes, strides, offset);
  if (recording(g))
    record("SliceBackwardBackward0", {g}, out, {},
           [dim, start, end, step](Backward& b) { b.set(0, slice(b.g(), dim, start, end, step)); });
  return out;
}

Tensor select_view(const Tensor& self, int64_t dim, int64_t index) {
  Dims sizes(self.sizes()), strides(self.strides());
  const int64_t offset = self->offset + index * strides[dim];
  sizes.erase(std::size_t(dim));
  strides.erase(std::size_t(dim));
  return record_view(
      "SelectBackward0", self, sizes, strides, offset,
      [shape = Dims(self.sizes()), dim, index](const Tensor& g) { return select_backward(g, shape, dim, index); });
}

struct Select {
  static constexpr Schema schema = "select.int(Tensor(a) self, int dim, int index) -> Tensor(a)";
  static constexpr Doc doc = "The part of self at one index of dimension dim, as a view with one dimension less.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, int64_t dim, int64_t index) {
    HWARO_CHECK_AS(IndexError, self.dim() > 0, "select() cannot be applied to a 0-dim tensor.");
    dim = wrap_dim(dim, self.dim());
    const int64_t size = self.sizes()[dim];
    HWARO_CHECK_AS(IndexError, index >= -size && index < size, "select(): index ", index,
                   " out of range for tensor of size ", sizes_str(self.sizes()), " at dimension ", dim);
    return select_view(self, dim, index < 0 ? index + size : index);
  }
};

struct Slice {
  static constexpr Schema schema =
      "slice.Tensor(Tensor(a) self, int dim=0, int? start=None, int? end=None, int step=1) -> Tensor(a)";
  static constexpr Doc doc = "Every step-th index of dimension dim from start to before end, as a view.";
  static constexpr unsigned expose = kInternal;
  static Tensor call(const Tensor& self, int64_t dim, std::optional<int64_t> from, std::optional<int64_t> to,
                     int64_t step) {
    HWARO_CHECK_AS(IndexError, self.dim() > 0, "slice() cannot be applied to a 0-dim tensor.");
    dim = wrap_dim(dim, self.dim());
    HWARO_CHECK(step > 0, "slice step must be positive");
    const SliceRange r = slice_range(self.sizes()[dim], from, to, step);
    Dims sizes(self.sizes()), strides(self.strides());
    const int64_t offset = self->offset + r.start * strides[dim];
    sizes[dim] = r.length;
    strides[dim] = stretched(strides[dim], step);
    const int64_t end = r.length ? r.start + (r.length - 1) * step + 1 : r.start;
    return record_view("SliceBackward0", self, sizes, strides, offset,
                       [shape = Dims(self.sizes()), dim, start = r.start, end, step](const Tensor& g) {
                         return slice_backward(g, shape, dim, start, end, step);
                       });
  }
};

static void check_narrow(const Tensor& self, int64_t& dim, int64_t& start, int64_t length, bool copies = false) {
  HWARO_CHECK(self.dim() > 0, "narrow() cannot be applied to a 0-dim tensor.");
  HWARO_CHECK(copies || length >= 0, "narrow(): length must be non-negative.");
  dim = wrap_dim(dim, self.dim());
  const int64_t size = self.sizes()[dim];
  HWARO_CHECK_AS(IndexError, start >= -size && start <= size, "start out of range (expected to be in range of [", -size,
                 ", ", size, "], but got ", start, ")");
  if (start < 0) start += size;
  HWARO_CHECK(length >= 0 && start <= size - length, "start (", start, ") + length (", length,
              ") exceeds dimension size (", size, ").");
}

struct Narrow {
  static constexpr Schema schema = "narrow(Tensor(a) self, int dim, int start, int length) -> Tensor(a)";
  static constexpr Doc doc = "length indices of dimension dim from start on, as a view.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, int64_t dim, int64_t start, int64_t length) {
    check_narrow(self, dim, start, length);
    return slice(self, dim, start, start + length, 1);
  }
};

struct NarrowTensor {
  static constexpr Schema schema = "narrow.Tensor(Tensor(a) self, int dim, Tensor start, int length) -> Tensor(a)";
  static constexpr Doc doc = "length indices of dimension dim from the value of an integer tensor on, as a view.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& start, int64_t length) {
    HWARO_CHECK(start.dim() == 0 && is_integral(start.dtype()), "start must be an 0-dim integral Tensor.");
    check_countable("narrow", start);
    return narrow(self, dim, *dense_as(start, DType::Int64)->read_as<int64_t>(), length);
  }
};

struct NarrowCopy {
  static constexpr Schema schema = "narrow_copy(Tensor self, int dim, int start, int length) -> Tensor";
  static constexpr auto out_rule = out_same(
      "Expected self.dtype() == output.dtype() to be true, but got false.  (Could this error message be improved?  If "
      "so, please report an enhancement request to PyTorch.)");
  static constexpr Doc doc = "A copy of length indices of dimension dim from start on.";
  static Tensor call(const Tensor& self, int64_t dim, int64_t start, int64_t length) {
    HWARO_CHECK(self.dim() > 0, "narrow() cannot be applied to a 0-dim tensor.");
    HWARO_CHECK(dim < self.dim(),
                "Expected dim < static_cast<int64_t>(self_sizes.size()) to be true, but got false.  (Could this error "
                "message be improved?  If so, please report an enhancement request to PyTorch.)");
    check_narrow(self, dim, start, length, true);
    Tensor out;
    {
      NoGradGuard guard;
      out = clone(narrow(self, dim, start, length), MemoryFormat::Contiguous);
    }
    if (recording(self))
      record("NarrowCopyBackward0", {self}, out, {}, [shape = Dims(self.sizes()), dim, start, length](Backward& b) {
        b.set(0, slice_backward(b.g(), shape, dim, start, start + length, 1));
      });
    return out;
  }
};

struct Alias {
  static constexpr Schema schema = "alias(Tensor(a) self) -> Tensor(a)";
  static constexpr Doc doc = "A view of all of self.";
  static constexpr unsigned expose = kInternal;
  static Tensor call(const Tensor& self) {
    return record_view("AliasBackward0", self, self.sizes(), self.strides(), self->offset,
                       [](const Tensor& g) { return g; });
  }
};

// ---- a copy of self with one part replaced ----

Tensor clone_in_place(const Tensor& self) {
  const Tensor plain = detach(self);
  if (has_internal_overlap(*self.impl()) || self.device().is_meta()) return clone(plain);
  const auto count = int64_t(self->storage->nbytes() / size_of(self.dtype()));
  const Tensor whole = clone(alias(plain, {count}, {1}, 0));
  return alias(whole, self.sizes(), self.strides(), self->offset);
}

struct SelectScatter {
  static constexpr Schema schema = "select_scatter(Tensor self, Tensor src, int dim, int index) -> Tensor";
  static constexpr Doc doc = "A copy of self with the part at one index of dimension dim replaced by src.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, const Tensor& src, int64_t dim, int64_t index) {
    const Tensor part = Select::call(detach(self), dim, index);
    HWARO_CHECK(part.sizes() == src.sizes(),
                "expected src to have a size equal to the slice of self. src size = ", sizes_str(src.sizes()),
                ", slice size = ", sizes_str(part.sizes()));
    dim = wrap_dim(dim, self.dim());
    if (index < 0) index += self.sizes()[dim];
    check_has_data(self, {src});
    const Tensor out = clone_in_place(self);
    if (!out.device().is_meta()) copy_raw(Select::call(out, dim, index), src);
    if (recording(self, src))
      record("SelectScatterBackward0", {self, src}, out, {}, [dim, index](Backward& b) {
        const Tensor part = select(b.g(), dim, index);
        if (b.needs(0)) b.set(0, call(b.g(), make_zeros(part.sizes(), part.dtype(), part.device()), dim, index));
        if (b.needs(1)) b.set(1, part);
      });
    return out;
  }
};

struct SliceScatter {
  static constexpr Schema schema =
      "slice_scatter(Tensor self, Tensor src, int dim=0, int? start=None, int? end=None, int step=1) -> Tensor";
  static constexpr Doc doc = "A copy of self with a slice of dimension dim replaced by src.";
  static Tensor call(const Tensor& self, const Tensor& src, int64_t dim, std::optional<int64_t> start,
                     std::optional<int64_t> end, int64_t step) {
    check_has_data(self, {src});
    const Tensor out = clone_in_place(self);
    const Tensor part = Slice::call(out, dim, start, end, step);
    HWARO_CHECK(part.sizes() == src.sizes(),
                "expected src to have a size equal to the slice of self. src size = ", sizes_str(src.sizes()),
                ", slice size = ", sizes_str(part.sizes()));
    if (!out.device().is_meta()) copy_raw(part, src);
    if (recording(self, src))
      record("SliceScatterBackward0", {self, src}, out, {}, [dim, start, end, step](Backward& b) {
        const Tensor part = slice(b.g(), dim, start, end, step);
        if (b.needs(0))
          b.set(0, call(b.g(), make_zeros(part.sizes(), part.dtype(), part.device()), dim, start, end, step));
        if (b.needs(1)) b.set(1, part);
      });
    return out;
  }
};

struct AsStridedScatter {
  static constexpr Schema schema =
      "as_strided_scatter(Tensor self, Tensor src, int[] size, int[] stride, int? storage_offset=None) -> Tensor";
  static constexpr Doc doc = "A copy of self with what as_strided(size, stride, storage_offset) shows replaced by src.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, const Tensor& src, IntSpan size, IntSpan stride,
                     std::optional<int64_t> storage_offset) {
    check_has_data(self, {src});
    const int64_t offset = storage_offset.value_or(self->offset);
    const Tensor out = clone_in_place(self), part = as_strided(out, size, stride, offset);
    HWARO_CHECK(part.sizes() == src.sizes(),
                "expected src to have a size equal to the slice of self. src size = ", sizes_str(src.sizes()),
                ", slice size = ", sizes_str(part.sizes()));
    if (!out.device().is_meta()) copy_raw(part, src);
    if (recording(self, src))
      record("AsStridedScatterBackward0", {self, src}, out, {},
             [sizes = Dims(self.sizes()), strides = Dims(self.strides()), base = self->offset, size = Dims(size),
              stride = Dims(stride), offset](Backward& b) {
               // The places of self as they lie in its storage; as_strided on the gradient looks there too.
               const Tensor g = to_geometry(b.g(), sizes, strides);
               if (b.needs(0))
                 b.set(0, call(g, make_zeros(size, g.dtype(), g.device()), size, stride, offset - base + g->offset));
               if (b.needs(1)) b.set(1, contiguous(as_strided(g, size, stride, offset - base + g->offset)));
             });
    return out;
  }
};

}  // namespace hwaro::engine

#include "families/slicing.inc"
