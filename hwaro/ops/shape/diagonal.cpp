// Triangles and diagonals.
#include <algorithm>
#include <cstring>

#include "hwaro/base/parallel.h"
#include "hwaro/ops/create/fill.h"
#include "hwaro/ops/index/has_data.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/shape/geometry.h"
#include "hwaro/ops/shape/slicing.h"

namespace hwaro::engine {

Tensor fill_(const Tensor& self, const Scalar& value);
Tensor as_strided(const Tensor& self, IntSpan size, IntSpan stride, std::optional<std::int64_t> storage_offset);

using std::int64_t;

namespace {

// Zeroes what lies on the other side of a diagonal in every matrix of a dense batch.
void keep_triangle(const Tensor& t, bool lower, int64_t diagonal) {
  const int64_t rows = t.size(-2), cols = t.size(-1), size = int64_t(t.element_size());
  if (t.numel() == 0) return;
  diagonal = std::clamp(diagonal, -rows, cols);  // beyond, all diagonals are the same
  char* data = static_cast<char*>(t->write());
  parallel_for(t.numel() / cols, (kGrain + cols - 1) / cols, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t r = i % rows;
      // Columns up to r + diagonal belong to the lower triangle, those from there on to the upper one.
      int64_t from = lower ? r + diagonal + 1 : 0, to = lower ? cols : r + diagonal;
      if (from < 0) from = 0;
      if (to > cols) to = cols;
      if (from < to) std::memset(data + (i * cols + from) * size, 0, std::size_t((to - from) * size));
    }
  });
}

// The same in a tensor whose elements share memory: whatever any of them loses is zero.
void keep_shared_triangle(const Tensor& t, bool lower, int64_t diagonal) {
  const Tensor keep = make_full(t.sizes(), 1, DType::Bool, t.device());
  keep_triangle(keep, lower, diagonal);
  const bool* kept = keep->read_as<bool>();
  const int64_t size = int64_t(t.element_size());
  Dims at(t.sizes().size(), 0);
  for (int64_t i = 0; i < t.numel(); ++i) {
    int64_t place = 0;
    for (std::size_t d = 0; d < at.size(); ++d) place += at[d] * t.strides()[d];
    if (!kept[i]) std::memset(static_cast<char*>(t->write()) + place * size, 0, std::size_t(size));
    for (std::size_t d = at.size(); d-- > 0 && ++at[d] == t.sizes()[d];) at[d] = 0;
  }
}

Tensor triangle(const char* name, const char* node, const Tensor& self, bool lower, int64_t diagonal) {
  HWARO_CHECK(self.dim() >= 2, name, ": input tensor must have at least 2 dimensions");
  const Tensor out = make_tensor(self.sizes(), self.dtype(), self.device());
  if (!self.device().is_meta()) {
    copy_raw(out, self);
    keep_triangle(out, lower, diagonal);
  }
  if (recording(self))
    record(node, {self}, out, {},
           [name, node, lower, diagonal](Backward& b) { b.set(0, triangle(name, node, b.g(), lower, diagonal)); });
  return out;
}

Tensor triangle_inplace(const char* name, const char* node, const Tensor& self, bool lower, int64_t diagonal) {
  HWARO_CHECK(self.dim() >= 2, name, ": input tensor must have at least 2 dimensions");
  const bool recorded = recording(self);
  check_inplace(self, recorded);
  if (has_internal_overlap(*self.impl())) {
    if (!self.device().is_meta()) keep_shared_triangle(self, lower, diagonal);
  } else if (!self.device().is_meta()) {
    const Tensor work = dense(self);
    keep_triangle(work, lower, diagonal);
    if (work.impl() != self.impl()) copy_raw(self, work);
  }
  self->bump_version();
  if (recorded)
    record_inplace(node, self, {self}, {}, [name, node, lower, diagonal](Backward& b) {
      b.set(0, triangle(name, node, b.g(), lower, diagonal));
    });
  return self;
}

struct DiagonalView {
  Dims sizes, strides;
  int64_t offset;
};

DiagonalView diagonal_view(IntSpan sizes, IntSpan strides, int64_t offset, int64_t diagonal, int64_t dim1,
                           int64_t dim2) {
  DiagonalView v{{}, {}, offset};
  int64_t length =
      diagonal >= 0 ? std::min(sizes[dim1], sizes[dim2] - diagonal) : std::min(sizes[dim1] + diagonal, sizes[dim2]);
  if (length < 0) length = 0;
  if (length > 0) v.offset += diagonal >= 0 ? diagonal * strides[dim2] : -diagonal * strides[dim1];
  for (int64_t d = 0; d < int64_t(sizes.size()); ++d) {
    if (d == dim1 || d == dim2) continue;
    v.sizes.push_back(sizes[d]);
    v.strides.push_back(strides[d]);
  }
  v.sizes.push_back(length);
  v.strides.push_back(strides[dim1] + strides[dim2]);
  return v;
}

Tensor diagonal_backward(const Tensor& g, IntSpan sizes, int64_t diagonal, int64_t dim1, int64_t dim2);

struct Wrapped {
  int64_t dim1, dim2;
};
Wrapped wrap_diagonal(int64_t dim1, int64_t dim2, int64_t n) {
  const Wrapped w{wrap_dim(dim1, n), wrap_dim(dim2, n)};
  HWARO_CHECK(w.dim1 != w.dim2, "diagonal dimensions cannot be identical ", dim1, ", ", dim2);
  return w;
}

}  // namespace

struct Tril {
  static constexpr Schema schema = "tril(Tensor self, int diagonal=0) -> Tensor";
  static constexpr Doc doc = "The elements on and below a diagonal of each matrix, zeros elsewhere.";
  static Tensor call(const Tensor& self, int64_t diagonal) {
    return triangle("tril", "TrilBackward0", self, true, diagonal);
  }
};
struct Triu {
  static constexpr Schema schema = "triu(Tensor self, int diagonal=0) -> Tensor";
  static constexpr Doc doc = "The elements on and above a diagonal of each matrix, zeros elsewhere.";
  static Tensor call(const Tensor& self, int64_t diagonal) {
    return triangle("triu", "TriuBackward0", self, false, diagonal);
  }
};
struct TrilInplace {
  static constexpr Schema schema = "tril_(Tensor(a!) self, int diagonal=0) -> Tensor(a!)";
  static constexpr Doc doc = "Zeroes the elements above a diagonal of each matrix.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t diagonal) {
    return triangle_inplace("tril", "TrilBackward0", self, true, diagonal);
  }
};
struct TriuInplace {
  static constexpr Schema schema = "triu_(Tensor(a!) self, int diagonal=0) -> Tensor(a!)";
  static constexpr Doc doc = "Zeroes the elements below a diagonal of each matrix.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t diagonal) {
    return triangle_inplace("triu", "TriuBackward0", self, false, diagonal);
  }
};

struct Diagonal {
  static constexpr Schema schema = "diagonal(Tensor(a) self, int offset=0, int dim1=0, int dim2=1) -> Tensor(a)";
  static constexpr Doc doc = "A diagonal of two dimensions as a view; it becomes the last dimension.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, int64_t offset, int64_t dim1, int64_t dim2) {
    const Wrapped w = wrap_diagonal(dim1, dim2, self.dim());
    const DiagonalView v = diagonal_view(self.sizes(), self.strides(), self->offset, offset, w.dim1, w.dim2);
    return record_view("DiagonalBackward0", self, v.sizes, v.strides, v.offset,
                       [shape = Dims(self.sizes()), offset, w](const Tensor& g) {
                         return diagonal_backward(g, shape, offset, w.dim1, w.dim2);
                       });
  }
};

namespace {
Tensor diagonal_backward(const Tensor& g, IntSpan sizes, int64_t diagonal, int64_t dim1, int64_t dim2) {
  const Tensor out = fresh_zeros(sizes, g.dtype(), g.device());
  const DiagonalView v = diagonal_view(sizes, out.strides(), 0, diagonal, dim1, dim2);
  if (!g.device().is_meta()) copy_raw(alias(out, v.sizes, v.strides, v.offset), g);
  if (recording(g))
    record("DiagonalBackwardBackward0", {g}, out, {},
           [diagonal, dim1, dim2](Backward& b) { b.set(0, Diagonal::call(b.g(), diagonal, dim1, dim2)); });
  return out;
}
}  // namespace

struct DiagEmbed {
  static constexpr Schema schema = "diag_embed(Tensor self, int offset=0, int dim1=-2, int dim2=-1) -> Tensor";
  static constexpr Doc doc = "Matrices of zeros with the last dimension of self on a diagonal.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, int64_t offset, int64_t dim1, int64_t dim2) {
    const int64_t n = self.dim() + 1;
    const Wrapped w = wrap_diagonal(dim1, dim2, n);
    int64_t length = 0;
    HWARO_CHECK(!(offset < 0 ? __builtin_sub_overflow(self.size(-1), offset, &length)
                             : __builtin_add_overflow(self.size(-1), offset, &length)),
                "numel: integer multiplication overflow");
    Dims sizes;
    int64_t from = 0;
    for (int64_t d = 0; d < n; ++d) sizes.push_back(d == w.dim1 || d == w.dim2 ? length : self.sizes()[from++]);
    const Tensor out = fresh_zeros(sizes, self.dtype(), self.device());
    const DiagonalView v = diagonal_view(sizes, out.strides(), 0, offset, w.dim1, w.dim2);
    if (!self.device().is_meta()) copy_raw(alias(out, v.sizes, v.strides, v.offset), self);
    if (recording(self))
      record("DiagEmbedBackward0", {self}, out, {},
             [offset, w](Backward& b) { b.set(0, Diagonal::call(b.g(), offset, w.dim1, w.dim2)); });
    return out;
  }
};

struct DiagonalCopy {
  static constexpr Schema schema = "diagonal_copy(Tensor self, int offset=0, int dim1=0, int dim2=1) -> Tensor";
  static constexpr Doc doc = "A copy of a diagonal of two dimensions.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, int64_t offset, int64_t dim1, int64_t dim2) {
    const Wrapped w = wrap_diagonal(dim1, dim2, self.dim());
    const Tensor out = clone(Diagonal::call(detach(self), offset, dim1, dim2), MemoryFormat::Contiguous);
    if (recording(self))
      record("DiagonalBackward0_copy", {self}, out, {}, [shape = Dims(self.sizes()), offset, w](Backward& b) {
        b.set(0, diagonal_backward(b.g(), shape, offset, w.dim1, w.dim2));
      });
    return out;
  }
};

struct Diag {
  static constexpr Schema schema = "diag(Tensor self, int diagonal=0) -> Tensor";
  static constexpr Doc doc = "A copy of a diagonal of a matrix, or a matrix with a vector on its diagonal.";
  static Tensor call(const Tensor& self, int64_t diagonal) {
    HWARO_CHECK(self.dim() == 1 || self.dim() == 2, "diag(): Supports 1D or 2D tensors. Got ", self.dim(), "D");
    if (self.dim() == 1) return DiagEmbed::call(self, diagonal, -2, -1);
    return DiagonalCopy::call(self, diagonal, 0, 1);
  }
  static void call_out(const Tensor& out, const Tensor& self, int64_t diagonal) {
    const Tensor result = call(self, diagonal);
    HWARO_CHECK(self.dim() == 2 || can_cast(result.dtype(), out.dtype()), "diag: result type ",
                scalar_type_name(result.dtype()), " can't be cast to the desired out= type ",
                scalar_type_name(out.dtype()));
    store_out(out, result, out_expected);
  }
};

struct Diagflat {
  static constexpr Schema schema = "diagflat(Tensor self, int offset=0) -> Tensor";
  static constexpr Doc doc = "A matrix with all elements of self on a diagonal.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, int64_t offset) { return Diag::call(reshape(self, {-1}), offset); }
};

struct DiagonalScatter {
  static constexpr Schema schema =
      "diagonal_scatter(Tensor self, Tensor src, int offset=0, int dim1=0, int dim2=1) -> Tensor";
  static constexpr Doc doc = "A copy of self with a diagonal replaced by src.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, const Tensor& src, int64_t offset, int64_t dim1, int64_t dim2) {
    check_has_data(self, {src});
    const Tensor out = clone_in_place(self);
    const Tensor part = Diagonal::call(out, offset, dim1, dim2);
    HWARO_CHECK(part.sizes() == src.sizes(),
                "expected src to have a size equal to the slice of self. src size = ", sizes_str(src.sizes()),
                ", slice size = ", sizes_str(part.sizes()));
    if (!out.device().is_meta()) copy_raw(part, src);
    if (recording(self, src))
      record("DiagonalScatterBackward0", {self, src}, out, {}, [offset, dim1, dim2](Backward& b) {
        const Tensor part = Diagonal::call(b.g(), offset, dim1, dim2);
        if (b.needs(0))
          b.set(0, call(b.g(), make_zeros(part.sizes(), part.dtype(), part.device()), offset, dim1, dim2));
        if (b.needs(1)) b.set(1, part);
      });
    return out;
  }
};

struct FillDiagonalInplace {
  static constexpr Schema schema = "fill_diagonal_(Tensor(a!) self, Scalar fill_value, bool wrap=False) -> Tensor(a!)";
  static constexpr Doc doc =
      "Writes a number on the main diagonal; with wrap, the diagonal of a tall matrix starts again below its end.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, const Scalar& fill_value, bool wrap) {
    HWARO_CHECK(self.dim() >= 2, "dimensions must larger than 1");
    int64_t shortest = self.sizes()[0], step = 0;
    for (int64_t d = 0; d < self.dim(); ++d) {
      HWARO_CHECK(self.dim() == 2 || self.sizes()[d] == self.sizes()[0],
                  "all dimensions of input must be of equal length");
      shortest = std::min(shortest, self.sizes()[d]);
      step += self.strides()[d];
    }
    if (self.numel() == 0) return self;
    fill_(as_strided(self, IntSpan(&shortest, 1), IntSpan(&step, 1), self->offset), fill_value);
    const int64_t rows = self.sizes()[0], columns = self.sizes()[1];
    if (!wrap || self.dim() != 2) return self;
    for (int64_t begin = columns + 1; begin < rows; begin += columns + 1) {
      const int64_t count = std::min(columns, rows - begin);
      fill_(as_strided(self, IntSpan(&count, 1), IntSpan(&step, 1), self->offset + begin * self.strides()[0]),
            fill_value);
    }
    return self;
  }
};

}  // namespace hwaro::engine

#include "families/diagonal.inc"
