// Copies of views: what a view operator shows, row-major in memory of its own.
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/shape/geometry.h"
#include "hwaro/ops/shape/parts.h"
#include "hwaro/ops/shape/slicing.h"
#include "hwaro/ops/complex_view.h"
#include "hwaro/ops/split.h"
#include "hwaro/ops/view.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

// shown(self) is the view; backward takes a gradient and the sizes of self.
template <class View, class F>
Tensor copied(const char* node, const Tensor& self, View shown, F backward) {
  Tensor out;
  {
    NoGradGuard guard;
    out = clone(shown(self), MemoryFormat::Contiguous);
  }
  if (recording(self))
    record(node, {self}, out, {}, [backward = std::move(backward), sizes = Dims(self.sizes())](Backward& b) {
      b.set(0, backward(b.g(), sizes));
    });
  return out;
}

Tensor reshaped(const Tensor& g, IntSpan sizes) { return reshape(g, sizes); }

// Several results; `join` puts their gradients together again.
template <class View, class F>
std::vector<Tensor> copied_parts(const char* node, const Tensor& self, View shown, F join) {
  std::vector<Tensor> out;
  {
    NoGradGuard guard;
    out = shown(self);
    for (Tensor& t : out) t = clone(t, MemoryFormat::Contiguous);
  }
  if (recording(self) && !out.empty()) {
    std::vector<Dims> shapes;
    for (const Tensor& t : out) shapes.emplace_back(t.sizes());
    record(node, {&self, 1}, out, {}, [join = std::move(join), shapes = std::move(shapes)](Backward& b) {
      const std::vector<Tensor> grads = all_gradients(b, shapes);
      if (!grads.empty()) b.set(0, join(grads));
    });
  }
  return out;
}

}  // namespace

struct AliasCopy {
  static constexpr Schema schema = "alias_copy(Tensor self) -> Tensor";
  static constexpr Doc doc = "A row-major copy of self.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self) {
    return copied(
        "AliasBackward0_copy", self, [](const Tensor& t) { return t; }, [](const Tensor& g, IntSpan) { return g; });
  }
};

struct DetachCopy {
  static constexpr Schema schema = "detach_copy(Tensor self) -> Tensor";
  static constexpr Doc doc = "A row-major copy of self without history.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self) { return clone(detach(self), MemoryFormat::Contiguous); }
};

struct ViewCopy {
  static constexpr Schema schema = "view_copy(Tensor self, int[] size) -> Tensor";
  static constexpr Doc doc = "A copy in another shape.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, IntSpan size) {
    return copied("ViewBackward0_copy", self, [&](const Tensor& t) { return reshape(t, size); }, reshaped);
  }
};

struct ViewCopyDType {
  static constexpr Schema schema = "view_copy.dtype(Tensor self, ScalarType dtype) -> Tensor";
  static constexpr Doc doc = "A copy of view(dtype).";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, DType dtype) {
    return clone(view(detach(self), dtype), MemoryFormat::Contiguous);
  }
};

struct ExpandCopy {
  static constexpr Schema schema = "expand_copy(Tensor self, int[] size, *, bool implicit=False) -> Tensor";
  static constexpr Doc doc = "A copy of expand(size).";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, IntSpan size, bool) {
    return copied("ExpandBackward0_copy", self, [&](const Tensor& t) { return expand(t, size); }, sum_to_size);
  }
};

struct PermuteCopy {
  static constexpr Schema schema = "permute_copy(Tensor self, int[] dims) -> Tensor";
  static constexpr Doc doc = "A copy with the dimensions in the given order.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, IntSpan dims) {
    return copied(
        "PermuteBackward0_copy", self, [&](const Tensor& t) { return permute(t, dims); },
        [dims = Dims(dims)](const Tensor& g, IntSpan sizes) {
          Dims inverse(dims.size());
          for (std::size_t i = 0; i < dims.size(); ++i)
            inverse[std::size_t(wrap_dim(dims[i], int64_t(sizes.size())))] = int64_t(i);
          return permute(g, inverse);
        });
  }
};

struct TransposeCopy {
  static constexpr Schema schema = "transpose_copy.int(Tensor self, int dim0, int dim1) -> Tensor";
  static constexpr Doc doc = "A copy with two dimensions exchanged.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, int64_t dim0, int64_t dim1) {
    return copied(
        "TransposeBackward0_copy", self, [&](const Tensor& t) { return transpose(t, dim0, dim1); },
        [dim0, dim1](const Tensor& g, IntSpan) { return transpose(g, dim0, dim1); });
  }
};

struct TCopy {
  static constexpr Schema schema = "t_copy(Tensor self) -> Tensor";
  static constexpr Doc doc = "A copy of t().";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self) {
    return copied(
        "TBackward0_copy", self, [](const Tensor& x) { return t(x); }, [](const Tensor& g, IntSpan) { return t(g); });
  }
};

struct SqueezeCopyAll {
  static constexpr Schema schema = "squeeze_copy(Tensor self) -> Tensor";
  static constexpr Doc doc = "A copy without the dimensions of size 1.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self) {
    return copied("SqueezeBackward0_copy", self, [](const Tensor& t) { return squeeze(t); }, reshaped);
  }
};

struct SqueezeCopy {
  static constexpr Schema schema = "squeeze_copy.dim(Tensor self, int dim) -> Tensor";
  static constexpr Doc doc = "A copy without dimension dim if its size is 1.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, int64_t dim) {
    return copied("SqueezeBackward1_copy", self, [dim](const Tensor& t) { return squeeze(t, dim); }, reshaped);
  }
};

struct SqueezeCopyDims {
  static constexpr Schema schema = "squeeze_copy.dims(Tensor self, int[] dim) -> Tensor";
  static constexpr Doc doc = "A copy without those of the given dimensions whose size is 1.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, IntSpan dim) {
    return copied("SqueezeBackward2_copy", self, [&](const Tensor& t) { return squeeze(t, dim); }, reshaped);
  }
};

struct UnsqueezeCopy {
  static constexpr Schema schema = "unsqueeze_copy(Tensor self, int dim) -> Tensor";
  static constexpr Doc doc = "A copy with a dimension of size 1 inserted at dim.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, int64_t dim) {
    return copied("UnsqueezeBackward0_copy", self, [dim](const Tensor& t) { return unsqueeze(t, dim); }, reshaped);
  }
};

struct SelectCopy {
  static constexpr Schema schema = "select_copy.int(Tensor self, int dim, int index) -> Tensor";
  static constexpr Doc doc = "A copy of the part at one index of dimension dim.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, int64_t dim, int64_t index) {
    return copied(
        "SelectBackward0_copy", self, [&](const Tensor& t) { return select(t, dim, index); },
        [dim, index](const Tensor& g, IntSpan sizes) {
          const int64_t d = wrap_dim(dim, int64_t(sizes.size()));
          return select_backward(g, sizes, d, index < 0 ? index + sizes[std::size_t(d)] : index);
        });
  }
};

struct SliceCopy {
  static constexpr Schema schema =
      "slice_copy.Tensor(Tensor self, int dim=0, int? start=None, int? end=None, int step=1) -> Tensor";
  static constexpr Doc doc = "A copy of every step-th index of dimension dim from start to before end.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, int64_t dim, std::optional<int64_t> start, std::optional<int64_t> end,
                     int64_t step) {
    return copied(
        "SliceBackward0_copy", self, [&](const Tensor& t) { return slice(t, dim, start, end, step); },
        [dim, start, step](const Tensor& g, IntSpan sizes) {
          const int64_t d = wrap_dim(dim, int64_t(sizes.size())), size = sizes[std::size_t(d)];
          int64_t first = start.value_or(0);
          if (first < 0) first += size;
          first = first < 0 ? 0 : first > size ? size : first;
          return slice_backward(g, sizes, d, first, first + g.sizes()[d] * step, step);
        });
  }
};

struct AsStridedCopy {
  static constexpr Schema schema =
      "as_strided_copy(Tensor self, int[] size, int[] stride, int? storage_offset=None) -> Tensor";
  static constexpr Doc doc = "A copy of as_strided(size, stride, storage_offset).";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, IntSpan size, IntSpan stride, std::optional<int64_t> storage_offset) {
    return copied(
        "AsStridedBackward0_copy", self, [&](const Tensor& t) { return as_strided(t, size, stride, storage_offset); },
        [strides = Dims(self.strides()), base = self->offset, shown = Dims(size), steps = Dims(stride),
         offset = storage_offset.value_or(self->offset)](const Tensor& g, IntSpan sizes) {
          return as_strided_backward(g, sizes, strides, base, shown, steps, offset);
        });
  }
};

struct SplitCopy {
  static constexpr Schema schema = "split_copy.Tensor(Tensor self, int split_size, int dim=0) -> Tensor[]";
  static constexpr Doc doc = "Copies of split_size indices of dimension dim each; the last may be smaller.";
  static constexpr unsigned expose = kFunction | kOut;
  static std::vector<Tensor> call(const Tensor& self, int64_t split_size, int64_t dim) {
    return copied_parts(
        "SplitBackward0_copy", self, [&](const Tensor& t) { return split(t, split_size, dim); },
        [dim](const std::vector<Tensor>& grads) { return cat(grads, dim); });
  }
};

struct SplitWithSizesCopy {
  static constexpr Schema schema = "split_with_sizes_copy(Tensor self, int[] split_sizes, int dim=0) -> Tensor[]";
  static constexpr Doc doc = "Copies of the given numbers of indices of dimension dim.";
  static constexpr unsigned expose = kFunction | kOut;
  static std::vector<Tensor> call(const Tensor& self, IntSpan split_sizes, int64_t dim) {
    return copied_parts(
        "SplitWithSizesBackward0_copy", self, [&](const Tensor& t) { return split_with_sizes(t, split_sizes, dim); },
        [dim](const std::vector<Tensor>& grads) { return cat(grads, dim); });
  }
};

struct UnbindCopy {
  static constexpr Schema schema = "unbind_copy.int(Tensor self, int dim=0) -> Tensor[]";
  static constexpr Doc doc = "Copies of the parts at each index of dimension dim.";
  static constexpr unsigned expose = kFunction | kOut;
  static std::vector<Tensor> call(const Tensor& self, int64_t dim) {
    return copied_parts(
        "UnbindBackward0_copy", self, [&](const Tensor& t) { return unbind(t, dim); },
        [dim](const std::vector<Tensor>& grads) { return stack(grads, dim); });
  }
};

}  // namespace hwaro::engine

#include "families/view_copies.inc"
