// Changing a tensor's own geometry: squeeze_, t_ and their like, resize_, set_.
#include "hwaro/core/type_names.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/shape/geometry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

// Gives self, which may be written to, the geometry of a view of it. The version goes up although no element changes, as
// in PyTorch. Whether it may is asked first, before anything about dimensions.
template <class F>
Tensor restride(const char* name, const Tensor& self, const Dims& sizes, const Dims& strides, F backward) {
  const bool recorded = recording(self);
  if (recorded)
    record(name, {self}, self, {}, [backward = std::move(backward)](Backward& b) { b.set(0, backward(b.g())); });
  self->sizes = sizes;
  self->strides = strides;
  self->refresh_geometry();
  const std::uint32_t before = self->version();
  self->bump_version();
  if (recorded && self->view_version == before) self->view_version = self->version();
  return self;
}

Tensor swap_dims(const char* name, const Tensor& self, int64_t dim0, int64_t dim1) {
  check_inplace(self, recording(self));
  dim0 = wrap_dim(dim0, self.dim());
  dim1 = wrap_dim(dim1, self.dim());
  Dims sizes(self.sizes()), strides(self.strides());
  if (self.dim() > 0) {
    std::swap(sizes[dim0], sizes[dim1]);
    std::swap(strides[dim0], strides[dim1]);
  }
  return restride(name, self, sizes, strides, [dim0, dim1](const Tensor& g) { return transpose(g, dim0, dim1); });
}

Tensor drop_dims(const char* name, const Tensor& self, const Dims& drop) {
  Dims sizes, strides;
  for (int d = 0; d < self.dim(); ++d)
    if (!drop[d] || self.sizes()[d] != 1) sizes.push_back(self.sizes()[d]), strides.push_back(self.strides()[d]);
  return restride(name, self, sizes, strides,
                  [shape = Dims(self.sizes())](const Tensor& g) { return reshape(g, shape); });
}

}  // namespace

struct SqueezeInplace {
  static constexpr Schema schema = "squeeze_(Tensor(a!) self) -> Tensor(a!)";
  static constexpr Doc doc = "Drops the dimensions of size 1.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self) {
    check_inplace(self, recording(self));
    return drop_dims("SqueezeBackward3", self, Dims(self.sizes().size(), 1));
  }
};
struct SqueezeDimInplace {
  static constexpr Schema schema = "squeeze_.dim(Tensor(a!) self, int dim) -> Tensor(a!)";
  static constexpr Doc doc = "Drops dimension dim if its size is 1.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t dim) {
    check_inplace(self, recording(self));
    Dims drop(self.sizes().size() + 1, 0);
    drop[wrap_dim(dim, self.dim())] = 1;
    return drop_dims("SqueezeBackward4", self, drop);
  }
};
struct SqueezeDimsInplace {
  static constexpr Schema schema = "squeeze_.dims(Tensor(a!) self, int[] dim) -> Tensor(a!)";
  static constexpr Doc doc = "Drops those of the given dimensions whose size is 1.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, IntSpan dims) {
    check_inplace(self, recording(self));
    Dims drop(self.sizes().size() + 1, 0);
    for (int64_t d : dims) drop[wrap_dim(d, self.dim())] = 1;
    return drop_dims("SqueezeBackward5", self, drop);
  }
};

struct UnsqueezeInplace {
  static constexpr Schema schema = "unsqueeze_(Tensor(a!) self, int dim) -> Tensor(a!)";
  static constexpr Doc doc = "Inserts a dimension of size 1 at dim.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t dim) {
    check_inplace(self, recording(self));
    dim = wrap_dim(dim, self.dim() + 1);
    Dims sizes(self.sizes()), strides(self.strides());
    strides.insert(std::size_t(dim), dim < self.dim() ? sizes[dim] * strides[dim] : 1);
    sizes.insert(std::size_t(dim), 1);
    return restride("UnsqueezeBackward1", self, sizes, strides, [dim](const Tensor& g) { return squeeze(g, dim); });
  }
};

struct AsStridedInplace {
  static constexpr Schema schema =
      "as_strided_(Tensor(a!) self, int[] size, int[] stride, int? storage_offset=None) -> Tensor(a!)";
  static constexpr Doc doc = "Gives self other sizes, strides and another offset into its storage, in elements.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, IntSpan size, IntSpan stride, std::optional<int64_t> storage_offset) {
    check_inplace(self, recording(self));
    const Tensor view = as_strided(detach(self), size, stride, storage_offset);
    const Dims base(self.sizes()), base_strides(self.strides()), sizes(view.sizes()), strides(view.strides());
    const int64_t base_offset = self->offset, offset = view->offset;
    restride("AsStridedBackward1", self, sizes, strides,
             [base, base_strides, base_offset, sizes, strides, offset](const Tensor& g) {
               return as_strided_backward(g, base, base_strides, base_offset, sizes, strides, offset);
             });
    self->offset = offset;
    return self;
  }
};

struct TInplace {
  static constexpr Schema schema = "t_(Tensor(a!) self) -> Tensor(a!)";
  static constexpr Doc doc = "Transposes a matrix by exchanging its strides.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self) {
    check_inplace(self, recording(self));
    HWARO_CHECK(self.dim() <= 2, "t_() expects a tensor with <= 2 dimensions, but self is ", self.dim(), "D");
    return swap_dims("TBackward1", self, 0, self.dim() < 2 ? 0 : 1);
  }
};
struct TransposeInplace {
  static constexpr Schema schema = "transpose_(Tensor(a!) self, int dim0, int dim1) -> Tensor(a!)";
  static constexpr Doc doc = "Exchanges two dimensions of self.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t dim0, int64_t dim1) {
    return swap_dims("TransposeBackward1", self, dim0, dim1);
  }
};
struct SwapaxesInplace {
  static constexpr Schema schema = "swapaxes_(Tensor(a!) self, int axis0, int axis1) -> Tensor(a!)";
  static constexpr Doc doc = "Another name for transpose_.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t axis0, int64_t axis1) {
    return swap_dims("TransposeBackward1", self, axis0, axis1);
  }
};
struct SwapdimsInplace {
  static constexpr Schema schema = "swapdims_(Tensor(a!) self, int dim0, int dim1) -> Tensor(a!)";
  static constexpr Doc doc = "Another name for transpose_.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t dim0, int64_t dim1) {
    return swap_dims("TransposeBackward1", self, dim0, dim1);
  }
};

// ---- other sizes, other memory ----

static void check_resizable(const Tensor& self) {
  HWARO_CHECK(!is_tracked(self), "cannot resize variables that require grad");
}

static Tensor resize_to(const Tensor& self, IntSpan size, std::optional<MemoryFormat> format) {
  check_resizable(self);
  for (int64_t s : size)
    HWARO_CHECK(s >= 0, "Trying to create tensor with negative dimension ", s, ": ", sizes_str(size));
  const MemoryFormat wanted = format.value_or(MemoryFormat::Contiguous);
  HWARO_CHECK(wanted != MemoryFormat::Preserve, "Unsupported memory format", "Preserve");
  resize_tensor(self, size);
  if (wanted != MemoryFormat::Contiguous) {
    check_format_rank(self.dim(), wanted);
    self->strides = channels_last_strides(size);
    self->refresh_geometry();
  }
  return self;
}

struct Resize {
  static constexpr Schema schema =
      "resize_(Tensor(a!) self, int[] size, *, MemoryFormat? memory_format=None) -> Tensor(a!)";
  static constexpr Doc doc = "Gives self another shape; new elements are undefined.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, IntSpan size, std::optional<MemoryFormat> format) {
    return resize_to(self, size, format);
  }
};

struct ResizeAs {
  static constexpr Schema schema =
      "resize_as_(Tensor(a!) self, Tensor the_template, *, MemoryFormat? memory_format=None) -> Tensor(a!)";
  static constexpr Doc doc = "Gives self the shape of another tensor; new elements are undefined.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, const Tensor& other, std::optional<MemoryFormat> format) {
    if (format == MemoryFormat::Preserve) {
      resize_to(self, other.sizes(), std::nullopt);
      if (!other.is_contiguous()) {
        self->strides = preserved_strides(other.sizes(), other.strides());
        self->refresh_geometry();
      }
      return self;
    }
    return resize_to(self, other.sizes(), format);
  }
};

static Tensor set_to(const Tensor& self, const StoragePtr& storage, int64_t offset, IntSpan sizes, IntSpan strides) {
  check_inplace(self, is_tracked(self));
  // The counter of writes stays self's own; that of the new memory belongs to others.
  self->count_apart();
  self->bump_version();
  self->storage = storage;
  self->offset = offset;
  self->sizes = Dims(sizes);
  self->strides = Dims(strides);
  self->refresh_geometry();
  return self;
}

struct SetTensor {
  static constexpr Schema schema = "set_.source_Tensor(Tensor(a!) self, Tensor source) -> Tensor(a!)";
  static constexpr Doc doc = "Makes self share the memory and geometry of source.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, const Tensor& source) {
    HWARO_CHECK(self.dtype() == source.dtype(), "Could not set tensor of type ", meta_type_name(source.dtype()),
                " to a tensor of type ", meta_type_name(self.dtype()));
    return set_to(self, source->storage, source->offset, source.sizes(), source.strides());
  }
};

struct SetTensorStrided {
  static constexpr Schema schema =
      "set_.source_Tensor_storage_offset(Tensor(a!) self, Tensor source, int storage_offset, int[] size, int[] "
      "stride=[]) -> Tensor(a!)";
  static constexpr Doc doc = "Makes self share the memory of source, with a geometry of its own.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, const Tensor& source, int64_t storage_offset, IntSpan size, IntSpan stride) {
    HWARO_CHECK(self.dtype() == source.dtype(), "Could not set tensor of type ", meta_type_name(source.dtype()),
                " to a tensor of type ", meta_type_name(self.dtype()));
    const Dims strides = stride.empty() ? contiguous_strides(size) : Dims(stride);
    HWARO_CHECK(strides.size() == size.size(), "mismatch in length of strides and shape");
    HWARO_CHECK(storage_offset >= 0, "Tensor: invalid storage offset ", storage_offset);
    for (std::size_t d = 0; d < size.size(); ++d)
      HWARO_CHECK(strides[d] >= 0 && size[d] >= 0, "set_: negative sizes and strides are not supported");
    const std::size_t bytes = span_bytes(size, strides, storage_offset, self.dtype());
    if (bytes > source->storage->nbytes()) source->storage->resize(bytes);
    return set_to(self, source->storage, storage_offset, size, strides);
  }
};

struct SetEmpty {
  static constexpr Schema schema = "set_(Tensor(a!) self) -> Tensor(a!)";
  static constexpr Doc doc = "Makes self an empty vector with memory of its own.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self) { return set_to(self, Storage::create(0, self.device()), 0, {0}, {1}); }
};

}  // namespace hwaro::engine

#include "families/restride.inc"
