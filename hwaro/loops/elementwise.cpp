// How it goes:
//   1. Operands become pointers and strides over the output's shape; dimensions are sorted by the output's strides and
//      merged where every operand allows it.
//   2. Flat: one dimension, everything contiguous and of the right type: the inner loop runs on the tensors themselves.
//   3. Otherwise in segments: whole rows where the innermost dimension is long, else tiles of kTile elements gathered
//      across several short rows. What cannot be read or written in place goes through an L1-sized buffer.
// Chunk borders depend on the shape only.
#include "hwaro/loops/elementwise.h"

#include <cstring>

#include "hwaro/base/parallel.h"
#include "hwaro/loops/copy_kernels.h"

namespace hwaro {

void broadcast_into(Dims& shape, IntSpan other) {
  if (IntSpan(shape) == other) return;
  const std::size_t ndim = shape.size() > other.size() ? shape.size() : other.size();
  Dims out(ndim);
  for (std::size_t k = 0; k < ndim; ++k) {
    const std::size_t at = ndim - 1 - k;
    const std::int64_t a = k < shape.size() ? shape[shape.size() - 1 - k] : 1;
    const std::int64_t b = k < other.size() ? other[other.size() - 1 - k] : 1;
    HWARO_CHECK(a == b || a == 1 || b == 1, "The size of tensor a (", a, ") must match the size of tensor b (", b,
                ") at non-singleton dimension ", at);
    out[at] = a == 1 ? b : a;
  }
  shape = std::move(out);
}

Dims broadcast_shapes(Span<const TensorImpl*> tensors) {
  Dims shape;
  bool first = true;
  for (const TensorImpl* t : tensors) {
    if (first) shape = t->sizes;
    else broadcast_into(shape, t->sizes);
    first = false;
  }
  return shape;
}

Dims output_strides(IntSpan shape, Span<const TensorImpl*> inputs) {
  bool all_contiguous = true;
  for (const TensorImpl* t : inputs) all_contiguous = all_contiguous && t->is(kContiguous);
  if (all_contiguous) return contiguous_strides(shape);
  // All inputs of the full shape with the same dense strides: keep them as they are (also for sizes of 1).
  const TensorImpl* first = nullptr;
  bool same = true;
  for (const TensorImpl* t : inputs) {
    if (IntSpan(t->sizes) != shape) same = false;
    else if (!first) first = t;
    else if (!(t->strides == first->strides)) same = false;
  }
  if (same && first && is_dense_non_overlapping(first->sizes, first->strides)) return first->strides;

  // Order dimensions from fastest to slowest: the first input that tells two dimensions apart decides.
  const int ndim = int(shape.size());
  Dims perm(shape.size());
  for (int i = 0; i < ndim; ++i) perm[i] = ndim - 1 - i;
  auto stride_of = [&](const TensorImpl* t, std::int64_t d) -> std::int64_t {
    const std::int64_t at = d - (ndim - t->dim());
    if (at < 0 || (t->sizes[at] == 1 && shape[d] != 1)) return 0;
    return t->strides[at];
  };
  auto compare = [&](std::int64_t a, std::int64_t b) {
    for (const TensorImpl* t : inputs) {
      const std::int64_t sa = stride_of(t, a), sb = stride_of(t, b);
      if (sa == 0 || sb == 0) continue;
      if (sa < sb) return -1;
      if (sa > sb) return 1;
      if (shape[a] > shape[b]) return 1;
    }
    return 0;
  };
  for (int i = 1; i < ndim; ++i) {
    int at = i;
    for (int j = i - 1; j >= 0; --j) {
      const int c = compare(perm[j], perm[at]);
      if (c > 0) {
        std::swap(perm[j], perm[at]);
        at = j;
      } else if (c < 0) {
        break;
      }
    }
  }
  Dims out(shape.size());
  std::int64_t n = 1;
  for (int i = 0; i < ndim; ++i) {
    out[perm[i]] = n;
    n *= shape[perm[i]] > 1 ? shape[perm[i]] : 1;
  }
  return out;
}

namespace {

constexpr std::int64_t kTile = 1024;
constexpr std::int64_t kLongRow = 128;  // from here on a row is worth an inner loop of its own

struct Side {
  char* data = nullptr;
  Dims strides;  // in elements, over the plan's shape
  DType dtype = DType::Float;
  std::int64_t size = 0;  // bytes per element
  bool conj = false;
  bool constant = false;  // the same element everywhere
  bool convert = false;   // not of the type that the loop reads or writes
};

struct Plan {
  Dims shape;
  Side sides[1 + kMaxInputs];  // 0: output
  int count = 0;
  std::int64_t numel = 1;

  void simplify();
};

// Sorts dimensions so that the output's innermost comes last, drops those of size 1 and merges neighbours.
void Plan::simplify() {
  const int ndim = int(shape.size());
  Dims order;
  for (int d = 0; d < ndim; ++d)
    if (shape[d] != 1) order.push_back(d);
  const Dims& first = sides[0].strides;
  for (std::size_t i = 1; i < order.size(); ++i)
    for (std::size_t j = i; j > 0 && first[order[j - 1]] < first[order[j]]; --j) std::swap(order[j - 1], order[j]);
  Dims new_shape;
  Dims new_strides[1 + kMaxInputs];
  for (std::int64_t d : order) {
    bool merge = !new_shape.empty();
    for (int s = 0; s < count && merge; ++s) merge = new_strides[s].back() == sides[s].strides[d] * shape[d];
    if (merge) {
      new_shape.back() *= shape[d];
      for (int s = 0; s < count; ++s) new_strides[s].back() = sides[s].strides[d];
    } else {
      new_shape.push_back(shape[d]);
      for (int s = 0; s < count; ++s) new_strides[s].push_back(sides[s].strides[d]);
    }
  }
  if (new_shape.empty()) {
    new_shape.push_back(1);
    for (int s = 0; s < count; ++s) new_strides[s].push_back(1);
  }
  shape = std::move(new_shape);
  for (int s = 0; s < count; ++s) {
    sides[s].strides = std::move(new_strides[s]);
    bool constant = s > 0 && numel > 1;
    for (std::int64_t stride : sides[s].strides) constant = constant && stride == 0;
    sides[s].constant = constant;
  }
}

Dims strides_over(IntSpan shape, const TensorImpl& t) {
  Dims out(shape.size());
  const std::size_t skip = shape.size() - t.sizes.size();
  for (std::size_t d = skip; d < shape.size(); ++d) out[d] = t.sizes[d - skip] == 1 ? 0 : t.strides[d - skip];
  return out;
}

void conjugate(void* data, DType type, std::int64_t n) {
  visit_if<kComplexSet>(type, [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* p = static_cast<T*>(data);
    for (std::int64_t i = 0; i < n; ++i) p[i].im = -p[i].im;
  });
}

// A position in the plan's index space, and the copies between one side and a contiguous buffer from there on.
class Walker {
 public:
  Walker(const Plan& plan, std::int64_t start) : plan_(plan), index_(plan.shape.size()) {
    for (std::size_t d = plan.shape.size(); d-- > 0;) {
      index_[d] = start % plan.shape[d];
      start /= plan.shape[d];
    }
  }
  std::int64_t left_in_row() const { return plan_.shape.back() - index_.back(); }
  char* at(const Side& side) const {
    std::int64_t offset = 0;
    for (std::size_t d = 0; d < index_.size(); ++d) offset += index_[d] * side.strides[d];
    return side.data + offset * side.size;
  }
  void advance(std::int64_t n) {
    std::size_t d = index_.size() - 1;
    index_[d] += n;
    while (d > 0 && index_[d] >= plan_.shape[d]) {
      const std::int64_t carry = index_[d] / plan_.shape[d];
      index_[d] %= plan_.shape[d];
      index_[--d] += carry;
    }
  }
  // Calls f(pointer into the side, how many elements) for runs of the innermost dimension that cover n elements.
  template <class F>
  void rows(const Side& side, std::int64_t n, F&& f) const {
    Walker w = *this;
    while (n > 0) {
      const std::int64_t run = n < w.left_in_row() ? n : w.left_in_row();
      f(w.at(side), run);
      n -= run;
      if (n > 0) w.advance(run);
    }
  }

 private:
  const Plan& plan_;
  Dims index_;
};

struct alignas(64) Tile {
  char bytes[kTile * 16 + 64];
};

void run_range(const Plan& plan, InnerLoop loop, DType compute, DType loop_out, const Attr* attrs, std::int64_t begin,
               std::int64_t end) {
  const CopyKernels& copy = copy_kernels();
  Tile tiles[1 + kMaxInputs];
  const void* in[kMaxInputs];
  const std::int64_t compute_size = std::int64_t(size_of(compute));
  bool needs_tile = plan.sides[0].convert || plan.sides[0].strides.back() != 1;
  for (int s = 1; s < plan.count; ++s) {
    const Side& side = plan.sides[s];
    if (side.constant) {
      copy.cast[int(side.dtype)][int(compute)](tiles[s].bytes, 1, side.data, 0, kTile);
      if (side.conj) conjugate(tiles[s].bytes, compute, kTile);
      needs_tile = true;
    } else if (side.convert || side.conj || side.strides.back() != 1) {
      needs_tile = true;
    }
  }
  const bool by_rows = plan.shape.back() >= kLongRow || plan.shape.size() == 1;
  Walker walker(plan, begin);
  for (std::int64_t i = begin; i < end;) {
    std::int64_t n = end - i;
    if (by_rows && n > walker.left_in_row()) n = walker.left_in_row();
    if ((needs_tile || !by_rows) && n > kTile) n = kTile;
    for (int s = 1; s < plan.count; ++s) {
      const Side& side = plan.sides[s];
      if (side.constant) {
        in[s - 1] = tiles[s].bytes;
      } else if (by_rows && !side.convert && !side.conj && side.strides.back() == 1) {
        in[s - 1] = walker.at(side);
      } else {
        char* to = tiles[s].bytes;
        const CopyKernel cast = copy.cast[int(side.dtype)][int(compute)];
        walker.rows(side, n, [&](char* from, std::int64_t run) {
          cast(to, 1, from, side.strides.back(), run);
          to += run * compute_size;
        });
        if (side.conj) conjugate(tiles[s].bytes, compute, n);
        in[s - 1] = tiles[s].bytes;
      }
    }
    const Side& out = plan.sides[0];
    if (by_rows && !out.convert && out.strides.back() == 1) {
      loop(walker.at(out), in, n, attrs);
    } else {
      loop(tiles[0].bytes, in, n, attrs);
      const char* from = tiles[0].bytes;
      const CopyKernel cast = copy.cast[int(loop_out)][int(out.dtype)];
      walker.rows(out, n, [&](char* to, std::int64_t run) {
        cast(to, out.strides.back(), from, 1, run);
        from += run * std::int64_t(size_of(loop_out));
      });
    }
    i += n;
    if (i < end) walker.advance(n);
  }
}

// The same element everywhere: a 0-dim tensor, or one expanded from a single element.
bool is_uniform(const TensorImpl& t) {
  if (t.numel == 1) return true;
  for (std::size_t d = 0; d < t.strides.size(); ++d)
    if (t.strides[d] != 0 && t.sizes[d] != 1) return false;
  return true;
}

// A number as an element of a type.
void store_number(void* to, DType type, const Scalar& value) {
  if (type == DType::Float) {
    const float v = float(value.re());
    std::memcpy(to, &v, sizeof v);
    return;
  }
  visit_if<kAllSet>(type, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T v = value.template to<T>();
    std::memcpy(to, &v, sizeof v);
  });
}

// Everything contiguous and of the right type, or the same element throughout: the loop runs on the tensors themselves, and
// numbers are laid out as tiles. Returns false where that does not fit; nothing has happened then.
bool run_flat(InnerLoop loop, TensorImpl& out, bool fresh, Span<Operand> inputs, DType compute, DType loop_out,
              const Attr* attrs) {
  if (!out.is(kContiguous) || out.dtype != loop_out) return false;
  const int count = int(inputs.size());
  const void* data[kMaxInputs];
  unsigned uniform = 0;
  for (int k = 0; k < count; ++k) {
    const TensorImpl* t = inputs[std::size_t(k)].tensor;
    if (t && t->dtype == compute && t->numel == out.numel && (t->flags & (kContiguous | kConj)) == kContiguous &&
        t->storage->padded()) {
      data[k] = t->read();
    } else if (!t || (is_uniform(*t) && !t->is(kConj))) {
      uniform |= 1u << k;
    } else {
      return false;
    }
  }
  const std::int64_t compute_size = std::int64_t(size_of(compute)), out_size = std::int64_t(size_of(out.dtype));
  std::int64_t n = out.numel, piece = kGrain;
  // Over the end of a block of our own the loop may run in whole vectors: up to 64 bytes of the widest element in play.
  const std::int64_t unit = 64 / (compute_size > out_size ? compute_size : out_size);
  if (fresh && n <= kGrain) n = (n + unit - 1) / unit * unit;
  char* const to = static_cast<char*>(out.write());
  if (!uniform && n <= kGrain) {
    loop(to, data, n, attrs);
    return true;
  }
  Tile tiles[kMaxInputs];
  for (int k = 0; k < count; ++k) {
    if (!(uniform & (1u << k))) continue;
    piece = kTile;
    Complex<double> number;
    const TensorImpl* t = inputs[std::size_t(k)].tensor;
    if (!t) store_number(&number, compute, inputs[std::size_t(k)].scalar);
    copy_kernels().cast[int(t ? t->dtype : compute)][int(compute)](tiles[k].bytes, 1, t ? t->read() : &number, 0,
                                                                   n < kTile ? n : kTile);
    data[k] = tiles[k].bytes;
  }
  auto run = [&](std::int64_t begin, std::int64_t end) {
    const void* in[kMaxInputs];
    for (std::int64_t i = begin; i < end; i += piece) {
      for (int k = 0; k < count; ++k)
        in[k] = uniform & (1u << k) ? data[k] : static_cast<const char*>(data[k]) + i * compute_size;
      loop(to + i * out_size, in, end - i < piece ? end - i : piece, attrs);
    }
  };
  if (n <= kGrain) run(0, n);
  else parallel_for(n, kGrain, run);
  return true;
}

}  // namespace

void run_elementwise(InnerLoop loop, TensorImpl& out, bool fresh, Span<Operand> inputs, DType compute, DType loop_out,
                     const Attr* attrs) {
  if (out.numel == 0) return;
  if (run_flat(loop, out, fresh, inputs, compute, loop_out, attrs)) return;
  Plan plan;
  plan.shape = out.sizes;
  plan.numel = out.numel;
  plan.count = 1 + int(inputs.size());
  Side& o = plan.sides[0];
  o.data = static_cast<char*>(out.write());
  o.strides = out.strides;
  o.dtype = out.dtype;
  o.size = std::int64_t(size_of(out.dtype));
  o.convert = out.dtype != loop_out;
  Complex<double> numbers[kMaxInputs];
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    Side& side = plan.sides[1 + i];
    if (inputs[i].is_tensor()) {
      const TensorImpl& t = *inputs[i].tensor;
      side.data = static_cast<char*>(const_cast<void*>(t.read()));
      side.strides = strides_over(out.sizes, t);
      side.dtype = t.dtype;
      side.conj = t.is(kConj);
      side.convert = t.dtype != compute;
    } else {
      store_number(&numbers[i], compute, inputs[i].scalar);
      side.data = reinterpret_cast<char*>(&numbers[i]);
      side.strides = Dims(out.sizes.size());
      side.dtype = compute;
      side.constant = true;
    }
    side.size = std::int64_t(size_of(side.dtype));
  }
  plan.simplify();
  parallel_for(out.numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
    run_range(plan, loop, compute, loop_out, attrs, begin, end);
  });
}

// ---- copies ----

namespace {

constexpr int log2_size(std::size_t bytes) {
  return bytes == 1 ? 0 : bytes == 2 ? 1 : bytes == 4 ? 2 : bytes == 8 ? 3 : 4;
}

// The offset of row-major index i over the first `dims` dimensions of a plan, for one side, in bytes.
std::int64_t outer_offset(const Plan& plan, const Side& side, std::size_t dims, std::int64_t i) {
  std::int64_t offset = 0;
  for (std::size_t d = dims; d-- > 0;) {
    offset += i % plan.shape[d] * side.strides[d];
    i /= plan.shape[d];
  }
  return offset * side.size;
}

// The last two dimensions, one side contiguous along each: a blocked transpose instead of a strided walk.
bool try_transpose(const Plan& plan) {
  const Side &dst = plan.sides[0], &src = plan.sides[1];
  const std::size_t nd = plan.shape.size();
  if (nd < 2 || dst.dtype != src.dtype || src.conj) return false;
  const std::int64_t cols = plan.shape[nd - 1],
                     rows = plan.shape[nd - 2];  // of dst: rows x cols; src holds it column by column
  if (dst.strides[nd - 1] != 1 || src.strides[nd - 2] != 1 || src.strides[nd - 1] < rows) return false;
  if (rows < 8 || cols < 8) return false;
  constexpr std::int64_t kBand = 64;
  const std::int64_t bands = (rows + kBand - 1) / kBand, outer = plan.numel / (rows * cols);
  const auto transpose = copy_kernels().transpose;
  parallel_for(outer * bands, (kGrain + kBand * cols - 1) / (kBand * cols), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end;) {
      // As many bands of one matrix as the chunk holds.
      const std::int64_t o = i / bands, first = i % bands, last = bands - first < end - i ? bands : first + (end - i);
      const std::int64_t r0 = first * kBand, r1 = last * kBand < rows ? last * kBand : rows;
      transpose(dst.data + outer_offset(plan, dst, nd - 2, o) + r0 * dst.strides[nd - 2] * dst.size,
                dst.strides[nd - 2], src.data + outer_offset(plan, src, nd - 2, o) + r0 * src.size, src.strides[nd - 1],
                cols, r1 - r0, log2_size(std::size_t(dst.size)));
      i += last - first;
    }
  });
  return true;
}

// A few bytes, in steps of the machine's words.
inline void copy_small(char* to, const char* from, std::int64_t bytes) {
  for (; bytes >= 16; bytes -= 16, to += 16, from += 16) std::memcpy(to, from, 16);
  if (bytes & 8) std::memcpy(to, from, 8), to += 8, from += 8;
  if (bytes & 4) std::memcpy(to, from, 4), to += 4, from += 4;
  if (bytes & 2) std::memcpy(to, from, 2), to += 2, from += 2;
  if (bytes & 1) *to = *from;
}

// Rows of a few elements: walked across, so that the inner loop is long (a row of two took 4 ns per element otherwise).
bool try_short_rows(const Plan& plan, CopyKernel cast) {
  const Side &dst = plan.sides[0], &src = plan.sides[1];
  const std::size_t nd = plan.shape.size();
  if (nd < 2 || src.conj || plan.shape[nd - 1] >= 16 || plan.shape[nd - 2] < 32) return false;
  const std::int64_t width = plan.shape[nd - 1], rows = plan.shape[nd - 2];
  constexpr std::int64_t kRows = 256;  // one block stays in the first-level cache for all its columns
  const std::int64_t blocks = (rows + kRows - 1) / kRows, outer = plan.numel / (rows * width);
  const std::int64_t row_bytes = width * dst.size;
  const bool whole = dst.dtype == src.dtype && dst.strides[nd - 1] == 1 && src.strides[nd - 1] == 1 && row_bytes >= 16;
  parallel_for(
      outer * blocks, (kGrain + kRows * width - 1) / (kRows * width), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
          const std::int64_t r = i % blocks * kRows, n = rows - r < kRows ? rows - r : kRows;
          char* to = dst.data + outer_offset(plan, dst, nd - 2, i / blocks) + r * dst.strides[nd - 2] * dst.size;
          const char* from =
              src.data + outer_offset(plan, src, nd - 2, i / blocks) + r * src.strides[nd - 2] * src.size;
          if (whole) {
            for (std::int64_t k = 0; k < n;
                 ++k, to += dst.strides[nd - 2] * dst.size, from += src.strides[nd - 2] * src.size)
              copy_small(to, from, row_bytes);
            continue;
          }
          for (std::int64_t k = 0; k < width; ++k)
            cast(to + k * dst.strides[nd - 1] * dst.size, dst.strides[nd - 2],
                 from + k * src.strides[nd - 1] * src.size, src.strides[nd - 2], n);
        }
      });
  return true;
}

}  // namespace

void copy_elements(TensorImpl& dst, const TensorImpl& src) {
  if (dst.numel == 0) return;
  const CopyKernels& copy = copy_kernels();
  const CopyKernel cast = copy.cast[int(src.dtype)][int(dst.dtype)];
  const bool conj = src.is(kConj) != dst.is(kConj) && is_complex(dst.dtype);
  if (dst.is(kContiguous) && src.is(kContiguous) && dst.numel == src.numel) {
    char* to = static_cast<char*>(dst.write());
    const char* from = static_cast<const char*>(src.read());
    const std::int64_t to_size = std::int64_t(size_of(dst.dtype)), from_size = std::int64_t(size_of(src.dtype));
    parallel_for(dst.numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
      cast(to + begin * to_size, 1, from + begin * from_size, 1, end - begin);
      if (conj) conjugate(to + begin * to_size, dst.dtype, end - begin);
    });
    return;
  }
  Plan plan;
  plan.shape = dst.sizes;
  plan.numel = dst.numel;
  plan.count = 2;
  plan.sides[0].data = static_cast<char*>(dst.write());
  plan.sides[0].strides = dst.strides;
  plan.sides[0].dtype = dst.dtype;
  plan.sides[0].size = std::int64_t(size_of(dst.dtype));
  plan.sides[1].data = static_cast<char*>(const_cast<void*>(src.read()));
  plan.sides[1].strides = strides_over(dst.sizes, src);
  plan.sides[1].dtype = src.dtype;
  plan.sides[1].size = std::int64_t(size_of(src.dtype));
  plan.sides[1].conj = conj;
  plan.simplify();
  if (try_transpose(plan) || try_short_rows(plan, cast)) return;
  const Side &to = plan.sides[0], &from = plan.sides[1];
  parallel_for(dst.numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
    Walker walker(plan, begin);
    for (std::int64_t i = begin; i < end;) {
      std::int64_t n = end - i;
      if (n > walker.left_in_row()) n = walker.left_in_row();
      cast(walker.at(to), to.strides.back(), walker.at(from), from.strides.back(), n);
      if (conj) {
        char* p = walker.at(to);
        for (std::int64_t k = 0; k < n; ++k) conjugate(p + k * to.strides.back() * to.size, to.dtype, 1);
      }
      i += n;
      if (i < end) walker.advance(n);
    }
  });
}

void fill_elements(TensorImpl& dst, const Scalar& value) {
  if (dst.numel == 0) return;
  Complex<double> element;
  store_number(&element, dst.dtype, value);
  const CopyKernel cast = copy_kernels().cast[int(dst.dtype)][int(dst.dtype)];
  if (is_dense_non_overlapping(dst.sizes, dst.strides)) {
    char* to = static_cast<char*>(dst.write());
    const std::int64_t size = std::int64_t(size_of(dst.dtype));
    bool zero = true;
    for (std::int64_t b = 0; b < size; ++b) zero = zero && reinterpret_cast<char*>(&element)[b] == 0;
    parallel_for(dst.numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
      if (zero) std::memset(to + begin * size, 0, std::size_t((end - begin) * size));
      else cast(to + begin * size, 1, &element, 0, end - begin);
    });
    return;
  }
  Plan plan;
  plan.shape = dst.sizes;
  plan.numel = dst.numel;
  plan.count = 1;
  plan.sides[0].data = static_cast<char*>(dst.write());
  plan.sides[0].strides = dst.strides;
  plan.sides[0].dtype = dst.dtype;
  plan.sides[0].size = std::int64_t(size_of(dst.dtype));
  plan.simplify();
  parallel_for(dst.numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
    Walker walker(plan, begin);
    for (std::int64_t i = begin; i < end;) {
      std::int64_t n = end - i < walker.left_in_row() ? end - i : walker.left_in_row();
      cast(walker.at(plan.sides[0]), plan.sides[0].strides.back(), &element, 0, n);
      i += n;
      if (i < end) walker.advance(n);
    }
  });
}

}  // namespace hwaro
