// Views: other geometry over the same bytes.
#include "hwaro/autograd/node_names.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/shape/geometry.h"

namespace hwaro::engine {

using std::int64_t;

struct View {
  static constexpr Schema schema = "view(Tensor(a) self, int[] size) -> Tensor(a)";
  static constexpr Doc doc =
      "A view of the same elements with another shape; raises where the strides do not allow one.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, IntSpan size) {
    const Dims shape = infer_size(size, self.numel());
    Dims strides;
    HWARO_CHECK(
        view_strides(self.sizes(), self.strides(), shape, strides),
        "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
        "contiguous subspaces). Use .reshape(...) instead.");
    return record_view("ViewBackward0", self, shape, strides, self->offset,
                       [sizes = Dims(self.sizes())](const Tensor& g) { return reshape(g, sizes); });
  }
};

struct Reshape {
  static constexpr Schema schema = "reshape(Tensor(a) self, int[] shape) -> Tensor(a)";
  static constexpr Doc doc = "The same elements in another shape: a view where possible, else a copy.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, IntSpan size) {
    const Dims shape = infer_size(size, self.numel());
    Dims strides;
    if (self.is_contiguous()) return view(self, shape);
    if (view_strides(self.sizes(), self.strides(), shape, strides))
      return record_view("ReshapeAliasBackward0", self, shape, strides, self->offset,
                         [sizes = Dims(self.sizes())](const Tensor& g) { return reshape(g, sizes); });
    const Tensor copy = clone(self, MemoryFormat::Contiguous);
    const Tensor out = alias(copy, shape, contiguous_strides(shape), copy->offset);
    if (recording(self))
      record("UnsafeViewBackward0", {copy}, out, {},
             [sizes = Dims(self.sizes())](Backward& b) { b.set(0, reshape(b.g(), sizes)); });
    return out;
  }
};

struct Expand {
  static constexpr Schema schema = "expand(Tensor(a) self, int[] size, *, bool implicit=False) -> Tensor(a)";
  static constexpr Doc doc = "A view in which dimensions of size 1 are repeated to the given sizes (-1 keeps a size).";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, IntSpan size, bool) {
    HWARO_CHECK(size.size() >= self.sizes().size(), "expand(", type_text(self), "{", sizes_str(self.sizes()),
                "}, size=", sizes_str(size), "): the number of sizes provided (", size.size(),
                ") must be greater or equal to the number of dimensions in the tensor (", self.dim(), ")");
    const std::size_t skip = size.size() - self.sizes().size();
    Dims shape(size.size()), strides(size.size());
    for (std::size_t d = size.size(); d-- > 0;) {
      const int64_t old = d < skip ? 1 : self.sizes()[d - skip];
      const bool last = d + 1 == size.size();
      const int64_t stride = d >= skip ? self.strides()[d - skip] : last ? 1 : shape[d + 1] * strides[d + 1];
      int64_t want = size[d];
      if (want == -1) {
        HWARO_CHECK(d >= skip, "The expanded size of the tensor (", want,
                    ") isn't allowed in a leading, non-existing dimension ", d);
        want = old;
      }
      HWARO_CHECK(want >= 0, "expand: the requested shape has negative dimension ", want);
      HWARO_CHECK(old == 1 || old == want, "The expanded size of the tensor (", want,
                  ") must match the existing size (", old, ") at non-singleton dimension ", d,
                  ".  Target sizes: ", sizes_str(size), ".  Tensor sizes: ", sizes_str(self.sizes()));
      shape[d] = want;
      strides[d] = old == want ? stride : 0;
    }
    return record_view("ExpandBackward0", self, shape, strides, self->offset,
                       [sizes = Dims(self.sizes())](const Tensor& g) { return sum_to_size(g, sizes); });
  }
};

struct Permute {
  static constexpr Schema schema = "permute(Tensor(a) self, int[] dims) -> Tensor(a)";
  static constexpr Doc doc = "A view with the dimensions in the given order.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, IntSpan dims) {
    HWARO_CHECK(int(dims.size()) == self.dim(),
                "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the "
                "desired ordering of dimensions i.e. input.dim() = ",
                self.dim(), " is not equal to len(dims) = ", dims.size());
    Dims sizes(dims.size()), strides(dims.size()), inverse(dims.size(), -1);
    for (std::size_t i = 0; i < dims.size(); ++i) {
      const int64_t d = wrap_dim(dims[i], self.dim());
      HWARO_CHECK(inverse[d] < 0, "permute(): duplicate dims are not allowed.");
      inverse[d] = int64_t(i);
      sizes[i] = self.sizes()[d];
      strides[i] = self.strides()[d];
    }
    return record_view("PermuteBackward0", self, sizes, strides, self->offset,
                       [inverse](const Tensor& g) { return permute(g, inverse); });
  }
};

struct Transpose {
  static constexpr Schema schema = "transpose.int(Tensor(a) self, int dim0, int dim1) -> Tensor(a)";
  static constexpr Doc doc = "A view with two dimensions exchanged.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, int64_t dim0, int64_t dim1) {
    dim0 = wrap_dim(dim0, self.dim());
    dim1 = wrap_dim(dim1, self.dim());
    Dims sizes(self.sizes()), strides(self.strides());
    if (self.dim() > 0) {
      std::swap(sizes[dim0], sizes[dim1]);
      std::swap(strides[dim0], strides[dim1]);
    }
    return record_view("TransposeBackward0", self, sizes, strides, self->offset,
                       [dim0, dim1](const Tensor& g) { return transpose(g, dim0, dim1); });
  }
};

struct T {
  static constexpr Schema schema = "t(Tensor(a) self) -> Tensor(a)";
  static constexpr Doc doc = "A matrix transposed; vectors and scalars as they are.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self) {
    HWARO_CHECK(self.dim() <= 2, "t() expects a tensor with <= 2 dimensions, but self is ", self.dim(), "D");
    Dims sizes(self.sizes()), strides(self.strides());
    if (self.dim() == 2) {
      std::swap(sizes[0], sizes[1]);
      std::swap(strides[0], strides[1]);
    }
    return record_view("TBackward0", self, sizes, strides, self->offset, [](const Tensor& g) { return t(g); });
  }
};

struct SqueezeAll {
  static constexpr Schema schema = "squeeze(Tensor(a) self) -> Tensor(a)";
  static constexpr Doc doc = "A view without the dimensions of size 1.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self) {
    Dims sizes, strides;
    for (int d = 0; d < self.dim(); ++d)
      if (self.sizes()[d] != 1) sizes.push_back(self.sizes()[d]), strides.push_back(self.strides()[d]);
    return record_view("SqueezeBackward0", self, sizes, strides, self->offset,
                       [shape = Dims(self.sizes())](const Tensor& g) { return reshape(g, shape); });
  }
};

struct Squeeze {
  static constexpr Schema schema = "squeeze.dim(Tensor(a) self, int dim) -> Tensor(a)";
  static constexpr Doc doc = "A view without dimension dim if its size is 1.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, int64_t dim) {
    dim = wrap_dim(dim, self.dim());
    Dims sizes(self.sizes()), strides(self.strides());
    if (self.dim() > 0 && sizes[dim] == 1) sizes.erase(dim), strides.erase(dim);
    return record_view("SqueezeBackward1", self, sizes, strides, self->offset,
                       [shape = Dims(self.sizes())](const Tensor& g) { return reshape(g, shape); });
  }
};

struct SqueezeDims {
  static constexpr Schema schema = "squeeze.dims(Tensor(a) self, int[] dim) -> Tensor(a)";
  static constexpr Doc doc = "A view without those of the given dimensions whose size is 1.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, IntSpan dims) {
    Dims drop(self.sizes().size(), 0), sizes, strides;
    for (int64_t d : dims)
      if (const int64_t w = wrap_dim(d, self.dim()); self.dim() > 0) drop[w] = 1;
    for (int d = 0; d < self.dim(); ++d)
      if (!(drop[d] && self.sizes()[d] == 1)) sizes.push_back(self.sizes()[d]), strides.push_back(self.strides()[d]);
    return record_view("SqueezeBackward2", self, sizes, strides, self->offset,
                       [shape = Dims(self.sizes())](const Tensor& g) { return reshape(g, shape); });
  }
};

struct Unsqueeze {
  static constexpr Schema schema = "unsqueeze(Tensor(a) self, int dim) -> Tensor(a)";
  static constexpr Doc doc = "A view with a dimension of size 1 inserted at dim.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, int64_t dim) {
    dim = wrap_dim(dim, self.dim() + 1);
    Dims sizes(self.sizes()), strides(self.strides());
    strides.insert(dim, dim < self.dim() ? sizes[dim] * strides[dim] : 1);
    sizes.insert(dim, 1);
    return record_view("UnsqueezeBackward0", self, sizes, strides, self->offset,
                       [dim](const Tensor& g) { return squeeze(g, dim); });
  }
};

struct Detach {
  static constexpr Schema schema = "detach(Tensor(a) self) -> Tensor(a)";
  static constexpr Doc doc = "The same elements without history; shares memory and version with self.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self) {
    Tensor out = alias(self, self.sizes(), self.strides(), self->offset);
    return out;
  }
};

struct AsStrided {
  static constexpr Schema schema =
      "as_strided(Tensor(a) self, int[] size, int[] stride, int? storage_offset=None) -> Tensor(a)";
  static constexpr Doc doc = "A view of self's storage with the given sizes, strides and offset, in elements.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, IntSpan size, IntSpan stride, std::optional<int64_t> storage_offset) {
    const int64_t offset = storage_offset.value_or(self->offset);
    HWARO_CHECK(size.size() == stride.size(), "mismatch in length of strides and shape");
    HWARO_CHECK(offset >= 0, "Tensor: invalid storage offset ", offset);
    for (std::size_t i = 0; i < size.size(); ++i) {
      HWARO_CHECK(stride[i] >= 0,
                  "as_strided: Negative strides are not supported at the moment, got strides: ", sizes_str(stride));
      HWARO_CHECK(size[i] >= 0, "Trying to create tensor with negative dimension ", size[i], ": ", sizes_str(size));
    }
    const std::size_t bytes = span_bytes(size, stride, offset, self.dtype());
    HWARO_CHECK(bytes <= self->storage->nbytes(), "setStorage: sizes ", sizes_str(size), ", strides ",
                sizes_str(stride), ", storage offset ", offset, ", and itemsize ", size_of(self.dtype()),
                " requiring a storage size of ", bytes, " are out of bounds for storage of size ",
                self->storage->nbytes());
    return record_view("AsStridedBackward0", self, size, stride, offset,
                       [base = Dims(self.sizes()), base_strides = Dims(self.strides()), base_offset = self->offset,
                        sizes = Dims(size), strides = Dims(stride), offset](const Tensor& g) {
                         return as_strided_backward(g, base, base_strides, base_offset, sizes, strides, offset);
                       });
  }
};

}  // namespace hwaro::engine

#include "families/view.inc"
