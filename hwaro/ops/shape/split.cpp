// Cutting a tensor into views along one dimension.
#include "hwaro/ops/create/fill.h"
#include "hwaro/ops/index/has_data.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/shape/geometry.h"
#include "hwaro/ops/shape/parts.h"

namespace hwaro::engine {

using std::int64_t;

std::vector<Tensor> all_gradients(Backward& b, const std::vector<Dims>& sizes) {
  const Tensor* some = nullptr;
  for (std::size_t i = 0; i < b.output_count() && !some; ++i)
    if (b.g(i).defined()) some = &b.g(i);
  std::vector<Tensor> out;
  if (!some) return out;
  for (std::size_t i = 0; i < b.output_count(); ++i)
    out.push_back(b.g(i).defined() ? b.g(i) : fresh_zeros(sizes[i], some->dtype(), some->device()));
  return out;
}

namespace {

// Consecutive parts of the given lengths along dim, recorded as one node with several outputs.
template <class Length>
std::vector<Tensor> cut(const char* name, const Tensor& self, int64_t dim, int64_t count, Length length) {
  std::vector<Tensor> out;
  out.reserve(std::size_t(count));
  Dims sizes(self.sizes());
  int64_t start = 0;
  for (int64_t i = 0; i < count; ++i) {
    sizes[dim] = length(i);
    out.push_back(make_view(self, sizes, self.strides(), self->offset + start * self.strides()[dim], true));
    start += sizes[dim];
  }
  if (recording(self)) {
    std::vector<Dims> shapes;
    for (const Tensor& t : out) shapes.emplace_back(t.sizes());
    record(name, {&self, 1}, out, {}, [dim, shapes = std::move(shapes)](Backward& b) {
      const std::vector<Tensor> grads = all_gradients(b, shapes);
      if (!grads.empty()) b.set(0, cat(grads, dim));
    });
  }
  return out;
}

std::vector<Tensor> split_into(const Tensor& self, int64_t split_size, int64_t dim) {
  HWARO_CHECK(self.dim() > 0, "split expects at least a 1-dimensional tensor");
  HWARO_CHECK(split_size >= 0, "split expects split_size be non-negative, but got split_size=", split_size);
  dim = wrap_dim(dim, self.dim());
  const int64_t size = self.sizes()[dim];
  HWARO_CHECK(split_size > 0 || size == 0,
              "split_size can only be 0 if dimension size is 0, but got dimension size of ", size);
  int64_t count = 1;
  if (size > 0) count = 1 + (size - 1) / split_size;
  return cut("SplitBackward0", self, dim, count, [=](int64_t i) {
    return i + 1 < count ? split_size : split_size > 0 ? size - split_size * (count - 1) : size;
  });
}

std::vector<Tensor> split_sizes_into(const Tensor& self, IntSpan sizes, int64_t dim) {
  HWARO_CHECK(self.dim() > 0, "split expects at least a 1-dimensional tensor");
  dim = wrap_dim(dim, self.dim());
  int64_t sum = 0;
  bool overflow = false;
  for (int64_t s : sizes) {
    HWARO_CHECK(s >= 0, "split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes=",
                sizes_str(sizes));
    overflow = __builtin_add_overflow(sum, s, &sum) || overflow;
  }
  HWARO_CHECK(!overflow && sum == self.sizes()[dim], "split_with_sizes expects split_sizes to sum exactly to ",
              self.sizes()[dim], " (input tensor's size at dimension ", dim,
              "), but got split_sizes=", sizes_str(sizes));
  return cut("SplitWithSizesBackward0", self, dim, int64_t(sizes.size()),
             [sizes](int64_t i) { return sizes[std::size_t(i)]; });
}

void check_tensor_split(const Tensor& self) {
  HWARO_CHECK(self.dim() > 0, "tensor_split expected at least a 1-dimensional tensor, but got a tensor with ",
              self.dim(), " dims");
}

std::vector<Tensor> sections_into(const Tensor& self, int64_t sections, int64_t dim) {
  check_tensor_split(self);
  dim = wrap_dim(dim, self.dim());
  HWARO_CHECK(sections > 0, "number of sections must be larger than 0, got ", sections);
  const int64_t size = self.sizes()[dim], small = size / sections, larger = size % sections;
  std::vector<Tensor> out;
  int64_t start = 0;
  for (int64_t i = 0; i < sections; ++i) {
    const int64_t length = small + (i < larger ? 1 : 0);
    out.push_back(slice(self, dim, start, start + length, 1));
    start += length;
  }
  return out;
}

std::vector<Tensor> borders_into(const Tensor& self, IntSpan indices, int64_t dim) {
  check_tensor_split(self);
  dim = wrap_dim(dim, self.dim());
  std::vector<Tensor> out;
  int64_t start = 0;
  for (int64_t end : indices) {
    out.push_back(slice(self, dim, start, end, 1));
    start = end;
  }
  out.push_back(slice(self, dim, start, self.sizes()[dim], 1));
  return out;
}

// hsplit, vsplit and dsplit: along one dimension, in equal parts.
void check_direction(const Tensor& self, const char* name, int dims) {
  HWARO_CHECK(self.dim() >= dims, "torch.", name, " requires a tensor with at least ", dims,
              " dimension, but got a tensor with ", self.dim(), " dimensions!");
}
std::vector<Tensor> equal_parts(const Tensor& self, const char* name, int64_t sections, int64_t dim) {
  const int64_t size = self.sizes()[dim];
  HWARO_CHECK(sections != 0 && size % sections == 0, "torch.", name, " attempted to split along dimension ", dim,
              ", but the size of the dimension ", size, " is not divisible by the split_size ", sections, "!");
  return sections_into(self, sections, dim);
}

}  // namespace

struct SplitInt {
  static constexpr Schema schema = "split.Tensor(Tensor(a) self, int split_size, int dim=0) -> Tensor[]";
  static constexpr Doc doc = "Views of split_size indices of dimension dim each; the last may be smaller.";
  static constexpr unsigned expose = kFunction | kMethod;
  static std::vector<Tensor> call(const Tensor& self, int64_t split_size, int64_t dim) {
    return split_into(self, split_size, dim);
  }
};

struct SplitSizes {
  static constexpr Schema schema = "split.sizes(Tensor(a) self, int[] split_size, int dim=0) -> Tensor[]";
  static constexpr Doc doc = "Views of the given numbers of indices of dimension dim.";
  static constexpr unsigned expose = kFunction | kMethod;
  static std::vector<Tensor> call(const Tensor& self, IntSpan split_size, int64_t dim) {
    return split_sizes_into(self, split_size, dim);
  }
};

struct SplitWithSizes {
  static constexpr Schema schema = "split_with_sizes(Tensor(a) self, int[] split_sizes, int dim=0) -> Tensor[]";
  static constexpr Doc doc = "Views of the given numbers of indices of dimension dim.";
  static constexpr unsigned expose = kFunction | kMethod;
  static std::vector<Tensor> call(const Tensor& self, IntSpan split_sizes, int64_t dim) {
    return split_sizes_into(self, split_sizes, dim);
  }
};

struct Chunk {
  static constexpr Schema schema = "chunk(Tensor(a) self, int chunks, int dim=0) -> Tensor[]";
  static constexpr Doc doc = "At most chunks views of equal length along dim; the last may be smaller.";
  static constexpr unsigned expose = kFunction | kMethod;
  static std::vector<Tensor> call(const Tensor& self, int64_t chunks, int64_t dim) {
    HWARO_CHECK(self.dim() > 0, "chunk expects at least a 1-dimensional tensor");
    HWARO_CHECK(chunks > 0, "chunk expects `chunks` to be greater than 0, got: ", chunks);
    dim = wrap_dim(dim, self.dim());
    const int64_t size = self.sizes()[dim], length = size > 0 ? 1 + (size - 1) / chunks : 0;
    if (length == 0) return split_sizes_into(self, Dims(std::size_t(chunks), 0), dim);
    return split_into(self, length, dim);
  }
};

struct TensorSplitSections {
  static constexpr Schema schema = "tensor_split.sections(Tensor(a) self, int sections, int dim=0) -> Tensor[]";
  static constexpr Doc doc = "sections views along dim whose lengths differ by one at most.";
  static constexpr unsigned expose = kFunction | kMethod;
  static std::vector<Tensor> call(const Tensor& self, int64_t sections, int64_t dim) {
    return sections_into(self, sections, dim);
  }
};

struct TensorSplitIndices {
  static constexpr Schema schema = "tensor_split.indices(Tensor(a) self, int[] indices, int dim=0) -> Tensor[]";
  static constexpr Doc doc = "Views along dim, cut at the given indices.";
  static constexpr unsigned expose = kFunction | kMethod;
  static std::vector<Tensor> call(const Tensor& self, IntSpan indices, int64_t dim) {
    return borders_into(self, indices, dim);
  }
};

struct TensorSplitTensor {
  static constexpr Schema schema =
      "tensor_split.tensor_indices_or_sections(Tensor(a) self, Tensor tensor_indices_or_sections, int dim=0) -> "
      "Tensor[]";
  static constexpr Doc doc = "Views along dim; a tensor says how many, or where to cut.";
  static constexpr unsigned expose = kFunction | kMethod;
  static std::vector<Tensor> call(const Tensor& self, const Tensor& where, int64_t dim) {
    check_tensor_split(self);
    HWARO_CHECK(where.dtype() == DType::Int64,
                "tensor_split expected tensor_indices_or_sections to have dtype of long, but got ",
                scalar_type_name(where.dtype()));
    HWARO_CHECK(where.dim() <= 1,
                "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional tensor, "
                "but got a tensor with ",
                where.dim(), " dims");
    check_countable("tensor_split", where);
    const Tensor values = dense(where);
    const int64_t* data = values->read_as<int64_t>();
    if (where.dim() == 0) return sections_into(self, *data, dim);
    return borders_into(self, {data, std::size_t(where.numel())}, dim);
  }
};

struct HsplitInt {
  static constexpr Schema schema = "hsplit.int(Tensor(a) self, int sections) -> Tensor[]";
  static constexpr Doc doc = "Equal views along dimension 1 (0 for vectors).";
  static constexpr unsigned expose = kFunction | kMethod;
  static std::vector<Tensor> call(const Tensor& self, int64_t sections) {
    check_direction(self, "hsplit", 1);
    return equal_parts(self, "hsplit", sections, self.dim() == 1 ? 0 : 1);
  }
};
struct HsplitArray {
  static constexpr Schema schema = "hsplit.array(Tensor(a) self, int[] indices) -> Tensor[]";
  static constexpr Doc doc = "Views along dimension 1 (0 for vectors), cut at the given indices.";
  static constexpr unsigned expose = kFunction | kMethod;
  static std::vector<Tensor> call(const Tensor& self, IntSpan indices) {
    check_direction(self, "hsplit", 1);
    return borders_into(self, indices, self.dim() == 1 ? 0 : 1);
  }
};
struct VsplitInt {
  static constexpr Schema schema = "vsplit.int(Tensor(a) self, int sections) -> Tensor[]";
  static constexpr Doc doc = "Equal views along dimension 0.";
  static constexpr unsigned expose = kFunction | kMethod;
  static std::vector<Tensor> call(const Tensor& self, int64_t sections) {
    check_direction(self, "vsplit", 2);
    return equal_parts(self, "vsplit", sections, 0);
  }
};
struct VsplitArray {
  static constexpr Schema schema = "vsplit.array(Tensor(a) self, int[] indices) -> Tensor[]";
  static constexpr Doc doc = "Views along dimension 0, cut at the given indices.";
  static constexpr unsigned expose = kFunction | kMethod;
  static std::vector<Tensor> call(const Tensor& self, IntSpan indices) {
    check_direction(self, "vsplit", 2);
    return borders_into(self, indices, 0);
  }
};
struct DsplitInt {
  static constexpr Schema schema = "dsplit.int(Tensor(a) self, int sections) -> Tensor[]";
  static constexpr Doc doc = "Equal views along dimension 2.";
  static constexpr unsigned expose = kFunction | kMethod;
  static std::vector<Tensor> call(const Tensor& self, int64_t sections) {
    check_direction(self, "dsplit", 3);
    return equal_parts(self, "dsplit", sections, 2);
  }
};
struct DsplitArray {
  static constexpr Schema schema = "dsplit.array(Tensor(a) self, int[] indices) -> Tensor[]";
  static constexpr Doc doc = "Views along dimension 2, cut at the given indices.";
  static constexpr unsigned expose = kFunction | kMethod;
  static std::vector<Tensor> call(const Tensor& self, IntSpan indices) {
    check_direction(self, "dsplit", 3);
    return borders_into(self, indices, 2);
  }
};

struct Unbind {
  static constexpr Schema schema = "unbind.int(Tensor(a) self, int dim=0) -> Tensor[]";
  static constexpr Doc doc = "The parts at each index of dimension dim, as views with one dimension less.";
  static constexpr unsigned expose = kFunction | kMethod;
  static std::vector<Tensor> call(const Tensor& self, int64_t dim) {
    dim = wrap_dim(dim, self.dim(), false);
    const int64_t count = self.sizes()[dim], stride = self.strides()[dim];
    Dims sizes(self.sizes()), strides(self.strides());
    sizes.erase(std::size_t(dim));
    strides.erase(std::size_t(dim));
    std::vector<Tensor> out;
    out.reserve(std::size_t(count));
    for (int64_t i = 0; i < count; ++i) out.push_back(make_view(self, sizes, strides, self->offset + i * stride, true));
    if (recording(self) && count > 0)
      record("UnbindBackward0", {&self, 1}, out, {},
             [dim, shapes = std::vector<Dims>(std::size_t(count), sizes)](Backward& b) {
               const std::vector<Tensor> grads = all_gradients(b, shapes);
               if (!grads.empty()) b.set(0, stack(grads, dim));
             });
    return out;
  }
};

// ---- parts that are no views of self for autograd: writing into one does not make the others stale ----

namespace {

// Views of what self holds, cut apart from its history and its version.
std::vector<Tensor> unsafe_parts(const char* node, const Tensor& self, std::vector<Tensor> parts, int64_t dim) {
  std::vector<Dims> shapes;
  for (Tensor& t : parts) {
    t = alias(t, t.sizes(), t.strides(), t->offset);
    t->counter = VersionCounter::create(0);
    shapes.emplace_back(t.sizes());
  }
  if (recording(self))
    record(node, {&self, 1}, parts, {}, [dim, shapes = std::move(shapes)](Backward& b) {
      const std::vector<Tensor> grads = all_gradients(b, shapes);
      if (!grads.empty()) b.set(0, cat(grads, dim));
    });
  return parts;
}

}  // namespace

struct UnsafeSplit {
  static constexpr Schema schema = "unsafe_split.Tensor(Tensor self, int split_size, int dim=0) -> Tensor[]";
  static constexpr Doc doc = "As split, for parts that are written into one at a time.";
  static constexpr unsigned expose = kFunction | kMethod;
  static std::vector<Tensor> call(const Tensor& self, int64_t split_size, int64_t dim) {
    return unsafe_parts("UnsafeSplitBackward0", self, split_into(detach(self), split_size, dim), dim);
  }
};

struct UnsafeSplitWithSizes {
  static constexpr Schema schema = "unsafe_split_with_sizes(Tensor self, int[] split_sizes, int dim=0) -> Tensor[]";
  static constexpr Doc doc = "As split_with_sizes, for parts that are written into one at a time.";
  static constexpr unsigned expose = kFunction | kMethod;
  static std::vector<Tensor> call(const Tensor& self, IntSpan split_sizes, int64_t dim) {
    return unsafe_parts("UnsafeSplitWithSizesBackward0", self, split_sizes_into(detach(self), split_sizes, dim), dim);
  }
};

struct UnsafeChunk {
  static constexpr Schema schema = "unsafe_chunk(Tensor self, int chunks, int dim=0) -> Tensor[]";
  static constexpr Doc doc = "As chunk, for parts that are written into one at a time.";
  static constexpr unsigned expose = kFunction | kMethod;
  static std::vector<Tensor> call(const Tensor& self, int64_t chunks, int64_t dim) {
    HWARO_CHECK(self.dim() > 0, "chunk expects at least a 1-dimensional tensor");
    HWARO_CHECK(chunks > 0, "chunk expects `chunks` to be greater than 0, got: ", chunks);
    const int64_t size = self.sizes()[wrap_dim(dim, self.dim())], length = (size + chunks - 1) / chunks;
    if (length == 0) return UnsafeSplitWithSizes::call(self, Dims(std::size_t(chunks), 0), dim);
    return UnsafeSplit::call(self, length, dim);
  }
};

}  // namespace hwaro::engine

#include "families/split.inc"
