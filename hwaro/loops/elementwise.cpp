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
#include "hwaro/loops/walk.h"

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

}  // namespace hwaro
