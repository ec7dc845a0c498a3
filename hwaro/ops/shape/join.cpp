// Joining tensors: cat, stack and their relatives.
//
// Contiguous inputs of one type are rows that are copied one after the other; everything else goes through the strided
// copy loops, one input at a time.
#include <cstring>

#include "hwaro/base/parallel.h"
#include "hwaro/core/promotion.h"
#include "hwaro/ops/create/fill.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/shape/geometry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

constexpr int64_t kGrainBytes = 4 * kGrain;

// Old programs start with an empty vector and cat to it; it is skipped whatever the other shapes are.
bool is_skipped(const Tensor& t) { return t.dim() == 1 && t.sizes()[0] == 0; }

DType common_type(TensorSpan tensors) {
  ResultType type;
  for (const Tensor& t : tensors) type.add(*t.impl());
  return type.get();
}

Device one_device(TensorSpan tensors) {
  const Device device = tensors[0].device();
  for (const Tensor& t : tensors) {
    HWARO_CHECK(t.device() == device || !t.device().is_meta(), "Tensor on device meta is not on the expected device ",
                device.str(), "!");
    HWARO_CHECK(t.device() == device, "Expected all tensors to be on the same device, but found at least two devices, ",
                device.str(), " and ", t.device().str(), "!");
  }
  return device;
}

struct Piece {
  const char* data;
  int64_t bytes;  // per row of the output
};
using Pieces = SmallVector<Piece, 8>;

// Fills rows that consist of one piece of each input.
void join_rows(char* out, const Pieces& pieces, int64_t rows, int64_t row_bytes) {
  auto fill = [&](int64_t begin, int64_t end) {
    char* to = out + begin * row_bytes;
    for (int64_t r = begin; r < end; ++r)
      for (const Piece& p : pieces) {
        std::memcpy(to, p.data + r * p.bytes, std::size_t(p.bytes));
        to += p.bytes;
      }
  };
  if (rows * row_bytes <= kGrainBytes) return fill(0, rows);
  if (rows == 1) {
    for (const Piece& p : pieces) {
      parallel_for(p.bytes, kGrainBytes, [&](int64_t begin, int64_t end) {
        std::memcpy(out + begin, p.data + begin, std::size_t(end - begin));
      });
      out += p.bytes;
    }
    return;
  }
  parallel_for(rows, (kGrainBytes + row_bytes - 1) / row_bytes, fill);
}

bool is_plain(const Tensor& t, DType type) { return t.dtype() == type && t.is_contiguous() && !t.is_conj(); }

// Whether strides alone say that channels are innermost; what is ambiguous is row-major.
bool strides_say_channels_last(const Tensor& t) {
  const int n = t.dim();
  int64_t least = 0;
  for (int k = 0; k < n; ++k) {
    const int d = k == 0 ? 1 : k == n - 1 ? 0 : n - k;  // channels, the last dimension, …, the batch
    if (t.sizes()[d] == 0 || t.strides()[d] < least || t.strides()[1] == 0) return false;
    if (d == 0 && least == t.strides()[1]) return false;
    least = t.strides()[d] * (t.sizes()[d] > 1 ? t.sizes()[d] : 1);
  }
  return true;
}

// Whether all inputs keep their channels innermost; then so does the result.
std::optional<MemoryFormat> shared_format(TensorSpan tensors, int dim) {
  const MemoryFormat format = dim == 4 ? MemoryFormat::ChannelsLast : MemoryFormat::ChannelsLast3d;
  if (dim != 4 && dim != 5) return {};
  for (const Tensor& t : tensors)
    if (!is_skipped(t) && !strides_say_channels_last(t)) return {};
  return format;
}

// Strides of a stack: it is a cat whose dimension is split, or one of inputs with a dimension more at their end.
Dims stacked_strides(TensorSpan tensors, int64_t dim, IntSpan shape) {
  const Tensor& first = tensors[0];
  if (dim < first.dim()) {
    if (!shared_format(tensors, first.dim())) return contiguous_strides(shape);
    Dims joined(first.sizes());
    joined[dim] *= int64_t(tensors.size());
    Dims strides = channels_last_strides(joined);
    strides.insert(std::size_t(dim), strides[dim] * first.sizes()[dim]);
    return strides;
  }
  NoGradGuard guard;
  std::vector<Tensor> wide;
  for (const Tensor& t : tensors) wide.push_back(unsqueeze(t, dim));
  return shared_format(wide, wide[0].dim()) ? channels_last_strides(shape) : contiguous_strides(shape);
}

// Passes to input i what belongs to it, in its own type.
void set_part(Backward& b, std::size_t i, const Tensor& part, DType type) {
  const Tensor g = is_complex(part.dtype()) && !is_complex(type) ? real(part) : part;
  b.set(i, to_dtype(g, type));
}

struct InputInfo {
  int64_t length;
  DType dtype;
};

}  // namespace

struct Cat {
  static constexpr Schema schema = "cat(Tensor[] tensors, int dim=0) -> Tensor";
  static constexpr Doc doc = "The tensors one after the other along an existing dimension.";
  static Tensor call(TensorSpan tensors, int64_t dim) {
    HWARO_CHECK_AS(ValueError, !tensors.empty(), "torch.cat(): expected a non-empty list of Tensors");
    const Tensor* first = nullptr;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      HWARO_CHECK(tensors[i].dim() > 0, "zero-dimensional tensor (at position ", i, ") cannot be concatenated");
      if (!first && !is_skipped(tensors[i])) first = &tensors[i];
    }
    const Device device = one_device(tensors);
    const DType type = common_type(tensors);
    if (!first) first = &tensors[0];
    dim = wrap_dim(dim, first->dim());
    Dims shape(first->sizes());
    shape[dim] = 0;
    bool plain = true;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      const Tensor& t = tensors[i];
      if (is_skipped(t)) continue;
      HWARO_CHECK(t.dim() == first->dim(), "Tensors must have same number of dimensions: got ", first->dim(), " and ",
                  t.dim());
      for (int64_t d = 0; d < t.dim(); ++d)
        HWARO_CHECK(d == dim || t.sizes()[d] == shape[d], "Sizes of tensors must match except in dimension ", dim,
                    ". Expected size ", shape[d], " but got size ", t.sizes()[d], " for tensor number ", i,
                    " in the list.");
      shape[dim] += t.sizes()[dim];
      plain = plain && is_plain(t, type);
    }
    const std::optional<MemoryFormat> format = shared_format(tensors, int(shape.size()));
    const Tensor out =
        format ? make_strided(shape, channels_last_strides(shape), type, device) : make_tensor(shape, type, device);
    if (!device.is_meta() && out.numel() > 0) fill(out, tensors, dim, plain && !format);
    if (recording_any(tensors) && is_differentiable(type)) {
      std::vector<InputInfo> inputs;
      for (const Tensor& t : tensors) inputs.push_back({is_skipped(t) ? -1 : t.sizes()[dim], t.dtype()});
      record("CatBackward0", tensors, {&out, 1}, {}, [dim, inputs = std::move(inputs)](Backward& b) {
        int64_t start = 0;
        for (std::size_t i = 0; i < inputs.size(); ++i) {
          const int64_t length = inputs[i].length;
          if (b.needs(i) && length < 0) b.set(i, make_zeros({0}, inputs[i].dtype, b.g().device()));
          else if (b.needs(i)) set_part(b, i, narrow(b.g(), dim, start, length), inputs[i].dtype);
          start += length < 0 ? 0 : length;
        }
      });
    }
    return out;
  }
  static void fill(const Tensor& out, TensorSpan tensors, int64_t dim, bool plain) {
    const int64_t rows = product({out.sizes().data(), std::size_t(dim)}), size = int64_t(out.element_size());
    if (plain) {
      Pieces pieces;
      for (const Tensor& t : tensors)
        if (t.numel() > 0) pieces.push_back({static_cast<const char*>(t->read()), t.numel() / rows * size});
      join_rows(static_cast<char*>(out->write()), pieces, rows, out.numel() / rows * size);
      return;
    }
    int64_t at = 0;
    for (const Tensor& t : tensors) {
      if (is_skipped(t)) continue;
      copy_raw(alias(out, t.sizes(), out.strides(), at * out.strides()[dim]), t);
      at += t.sizes()[dim];
    }
  }
};

struct Concat {
  static constexpr Schema schema = "concat(Tensor[] tensors, int dim=0) -> Tensor";
  static constexpr Doc doc = "Another name for cat.";
  static Tensor call(TensorSpan tensors, int64_t dim) { return Cat::call(tensors, dim); }
};

struct Concatenate {
  static constexpr Schema schema = "concatenate(Tensor[] tensors, int dim=0) -> Tensor";
  static constexpr Doc doc = "Another name for cat.";
  static Tensor call(TensorSpan tensors, int64_t dim) { return Cat::call(tensors, dim); }
};

struct Stack {
  static constexpr Schema schema = "stack(Tensor[] tensors, int dim=0) -> Tensor";
  static constexpr Doc doc = "Tensors of one shape, side by side along a new dimension.";
  static Tensor call(TensorSpan tensors, int64_t dim) {
    HWARO_CHECK(!tensors.empty(), "stack expects a non-empty TensorList");
    dim = wrap_dim(dim, tensors[0].dim() + 1);
    bool plain = true;
    const DType type = common_type(tensors);
    const Device device = one_device(tensors);
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      HWARO_CHECK(tensors[i].sizes() == tensors[0].sizes(), "stack expects each tensor to be equal size, but got ",
                  sizes_str(tensors[0].sizes()), " at entry 0 and ", sizes_str(tensors[i].sizes()), " at entry ", i);
      plain = plain && is_plain(tensors[i], type);
    }
    Dims shape(tensors[0].sizes());
    shape.insert(std::size_t(dim), int64_t(tensors.size()));
    const bool images = shape.size() >= 5 || tensors[0].dim() == 4;
    const Tensor out = images ? make_strided(shape, stacked_strides(tensors, dim, shape), type, device)
                              : make_tensor(shape, type, device);
    plain = plain && out.is_contiguous();
    if (!device.is_meta() && out.numel() > 0) fill(out, tensors, dim, plain);
    if (recording_any(tensors) && is_differentiable(type)) {
      std::vector<DType> types;
      for (const Tensor& t : tensors) types.push_back(t.dtype());
      record("StackBackward0", tensors, {&out, 1}, {}, [dim, types = std::move(types)](Backward& b) {
        for (std::size_t i = 0; i < types.size(); ++i)
          if (b.needs(i)) set_part(b, i, select(b.g(), dim, int64_t(i)), types[i]);
      });
    }
    return out;
  }
  static void fill(const Tensor& out, TensorSpan tensors, int64_t dim, bool plain) {
    const int64_t rows = product({out.sizes().data(), std::size_t(dim)}), size = int64_t(out.element_size());
    if (plain) {
      Pieces pieces;
      for (const Tensor& t : tensors) pieces.push_back({static_cast<const char*>(t->read()), t.numel() / rows * size});
      join_rows(static_cast<char*>(out->write()), pieces, rows, out.numel() / rows * size);
      return;
    }
    Dims strides(out.strides());
    const int64_t step = strides[dim];
    strides.erase(std::size_t(dim));
    for (std::size_t i = 0; i < tensors.size(); ++i)
      copy_raw(alias(out, tensors[i].sizes(), strides, int64_t(i) * step), tensors[i]);
  }
};

// ---- by direction ----

static std::vector<Tensor> raised(TensorSpan tensors, int dims) {
  std::vector<Tensor> out;
  for (const Tensor& t : tensors) {
    if (dims == 1) out.push_back(t.dim() == 0 ? reshape(t, {1}) : t);
    else if (dims == 2) out.push_back(t.dim() == 0 ? reshape(t, {1, 1}) : t.dim() == 1 ? unsqueeze(t, 0) : t);
    else
      out.push_back(t.dim() == 0   ? reshape(t, {1, 1, 1})
                    : t.dim() == 1 ? unsqueeze(unsqueeze(t, 0), -1)
                    : t.dim() == 2 ? unsqueeze(t, -1)
                                   : t);
  }
  return out;
}

struct Hstack {
  static constexpr Schema schema = "hstack(Tensor[] tensors) -> Tensor";
  static constexpr Doc doc = "The tensors joined along dimension 1 (0 for vectors).";
  static Tensor call(TensorSpan tensors) {
    HWARO_CHECK(!tensors.empty(), "hstack expects a non-empty TensorList");
    const std::vector<Tensor> parts = raised(tensors, 1);
    return cat(parts, parts[0].dim() == 1 ? 0 : 1);
  }
};

struct Vstack {
  static constexpr Schema schema = "vstack(Tensor[] tensors) -> Tensor";
  static constexpr Doc doc = "The tensors, vectors taken as rows, joined along dimension 0.";
  static Tensor call(TensorSpan tensors) {
    HWARO_CHECK(!tensors.empty(), "vstack expects a non-empty TensorList");
    return cat(raised(tensors, 2), 0);
  }
};

struct RowStack {
  static constexpr Schema schema = "row_stack(Tensor[] tensors) -> Tensor";
  static constexpr Doc doc = "Another name for vstack.";
  static Tensor call(TensorSpan tensors) { return Vstack::call(tensors); }
};

struct Dstack {
  static constexpr Schema schema = "dstack(Tensor[] tensors) -> Tensor";
  static constexpr Doc doc = "The tensors, with at least three dimensions, joined along dimension 2.";
  static Tensor call(TensorSpan tensors) {
    HWARO_CHECK(!tensors.empty(), "dstack expects a non-empty TensorList");
    return cat(raised(tensors, 3), 2);
  }
};

struct ColumnStack {
  static constexpr Schema schema = "column_stack(Tensor[] tensors) -> Tensor";
  static constexpr Doc doc = "The tensors, vectors taken as columns, joined along dimension 1.";
  static Tensor call(TensorSpan tensors) {
    HWARO_CHECK(!tensors.empty(), "column_stack expects a non-empty TensorList");
    std::vector<Tensor> parts;
    for (const Tensor& t : tensors) parts.push_back(t.dim() <= 1 ? reshape(t, {t.numel(), 1}) : t);
    return cat(parts, 1);
  }
};

struct BlockDiag {
  static constexpr Schema schema = "block_diag(Tensor[] tensors) -> Tensor";
  static constexpr Doc doc =
      "A matrix with the given matrices, vectors or numbers along its diagonal and zeros elsewhere.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(TensorSpan tensors) {
    if (tensors.empty()) return make_tensor({1, 0}, default_dtype());
    std::vector<Tensor> parts;
    int64_t rows = 0, cols = 0;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      HWARO_CHECK(tensors[i].dim() <= 2, "torch.block_diag: Input tensors must have 2 or fewer dimensions. Input ", i,
                  " has ", tensors[i].dim(), " dimensions");
      parts.push_back(raised({&tensors[i], 1}, 2)[0]);
      rows += parts.back().sizes()[0], cols += parts.back().sizes()[1];
    }
    const DType type = common_type(tensors);
    const Tensor out = fresh_zeros({rows, cols}, type, one_device(tensors));
    struct Block {
      int64_t row, col, rows, cols;
      DType dtype;
      int dims;
    };
    std::vector<Block> blocks;
    int64_t row = 0, col = 0;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      const IntSpan s = parts[i].sizes();
      if (!out.device().is_meta()) copy_raw(alias(out, s, {cols, 1}, row * cols + col), parts[i]);
      blocks.push_back({row, col, s[0], s[1], tensors[i].dtype(), tensors[i].dim()});
      row += s[0], col += s[1];
    }
    if (recording_any(tensors) && is_differentiable(type))
      record("BlockDiagBackward0", tensors, {&out, 1}, {}, [blocks = std::move(blocks)](Backward& b) {
        for (std::size_t i = 0; i < blocks.size(); ++i) {
          if (!b.needs(i)) continue;
          const Block& k = blocks[i];
          Tensor part = narrow(narrow(b.g(), 0, k.row, k.rows), 1, k.col, k.cols);
          if (k.dims == 1) part = select(part, 0, 0);
          else if (k.dims == 0) part = reshape(part, {});
          set_part(b, i, part, k.dtype);
        }
      });
    return out;
  }
};

}  // namespace hwaro::engine

#include "families/join.inc"
