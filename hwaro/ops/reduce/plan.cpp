// How a reduction goes:
//   1. A dense tensor that is reduced as a whole is one row.
//   2. Otherwise dimensions are sorted by stride and merged where both are kept or both are reduced. While there are
//      reduced ones, the innermost goes first: as rows if it is reduced, else the nearest reduced one as columns.
//   3. Long rows and high columns are cut into chunks, whose partial results form one more dimension to reduce.
// Chunk borders depend on sizes only, so the result has the same bits for any number of threads.
#include "hwaro/ops/reduce/plan.h"

#include <limits>

#include "hwaro/base/parallel.h"
#include "hwaro/loops/copy_kernels.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"

namespace hwaro {

static constinit const ReduceKernels* g_reduce = nullptr;
static constinit const ArgKernels* g_arg = nullptr;
const ReduceKernels& reduce_kernels() { return *g_reduce; }
const ArgKernels& arg_kernels() { return *g_arg; }
void set_reduce_kernels(const ReduceKernels* table) { g_reduce = table; }
void set_arg_kernels(const ArgKernels* table) { g_arg = table; }

namespace engine {

using std::int64_t;

DimMask dim_mask(const OptIntSpan& dims, int ndim, bool empty_means_all) {
  HWARO_CHECK(ndim <= 64, "only tensors with up to 64 dims are supported");
  if (!dims || (dims->empty() && empty_means_all)) return all_dims(ndim);
  DimMask mask = 0;
  for (int64_t d : *dims) {
    const DimMask one = DimMask(1) << wrap_dim(d, ndim);
    HWARO_CHECK(!(mask & one), "dim ", wrap_dim(d, ndim), " appears multiple times in the list of dims");
    mask |= one;
  }
  return mask;
}

Dims reduced_sizes(IntSpan sizes, DimMask mask, bool keepdim) {
  Dims out;
  for (std::size_t d = 0; d < sizes.size(); ++d) {
    if (!(mask >> d & 1)) out.push_back(sizes[d]);
    else if (keepdim) out.push_back(1);
  }
  return out;
}

int64_t reduced_numel(IntSpan sizes, DimMask mask) {
  int64_t n = 1;
  for (std::size_t d = 0; d < sizes.size(); ++d)
    if (mask >> d & 1) n *= sizes[d];
  return n;
}

AlongDim::AlongDim(IntSpan sizes, int64_t dim) {
  for (std::size_t d = 0; d < sizes.size(); ++d)
    (int64_t(d) < dim ? outer : int64_t(d) == dim ? size : inner) *= sizes[d];
}

Tensor restore_dims(const Tensor& t, int ndim, DimMask mask, bool keepdim) {
  if (keepdim || mask == 0 || ndim == 0) return t;
  if (mask == all_dims(ndim)) return reshape(t, Dims(std::size_t(ndim), 1));
  Tensor out = t;
  for (int d = 0; d < ndim; ++d)
    if (mask >> d & 1) out = unsqueeze(out, d);
  return out;
}

Tensor expand_reduced(const Tensor& t, IntSpan sizes, DimMask mask, bool keepdim) {
  if (t.dim() == 0) return expand(t, sizes);
  return expand(restore_dims(t, int(sizes.size()), mask, keepdim), sizes);
}

namespace {

Scalar identity_of(ReduceOp op, DType type) {
  switch (combining(op)) {
    case ReduceOp::Sum: return 0;
    case ReduceOp::Prod: return 1;
    default: break;
  }
  const bool max = combining(op) == ReduceOp::Max;
  if (is_floating(type))
    return max ? -std::numeric_limits<double>::infinity() : std::numeric_limits<double>::infinity();
  if (op == ReduceOp::MaxAbs) return 0;
  Scalar value;
  visit_if<kIntSet | kBoolSet>(type, [&](auto tag) {
    using T = typename decltype(tag)::type;
    value = max ? std::numeric_limits<T>::min() : std::numeric_limits<T>::max();
  });
  return value;
}

// A run of elements: a dimension, or several that merged.
struct Run {
  int64_t size, stride;
  bool reduced;
};
using Runs = SmallVector<Run, 8>;

void merge(Runs& runs) {
  Runs out;
  for (const Run& r : runs) {
    if (r.size == 1) continue;
    if (!out.empty() && out.back().reduced == r.reduced && out.back().stride == r.size * r.stride) {
      out.back().size *= r.size;
      out.back().stride = r.stride;
    } else {
      out.push_back(r);
    }
  }
  runs = std::move(out);
}

constexpr int64_t kChunk = kGrain;
constexpr int64_t kMaxTile = 1024;  // columns per task

// One reduction under way: where its elements are and which runs are left.
class Reduction {
 public:
  Reduction(ReduceOp op, const Tensor& dense, Runs runs) : op_(op), source_(dense), runs_(std::move(runs)) {
    merge(runs_);
  }

  Tensor run() {
    bool left = false;
    for (const Run& r : runs_) left = left || r.reduced;
    // Something has to be read even where every reduced dimension is of size 1: the kernels map and convert.
    if (!left) runs_.push_back({1, 1, true});
    while (left || !done_) {
      if (runs_.back().reduced) reduce_rows();
      else reduce_columns();
      op_ = combining(op_);
      done_ = true;
      merge(runs_);
      left = false;
      for (const Run& r : runs_) left = left || r.reduced;
    }
    return source_;
  }

 private:
  // The element offset of position `index` in the first `count` runs.
  int64_t offset(const Runs& outer, int64_t index) const {
    int64_t at = 0;
    for (std::size_t i = outer.size(); i-- > 0;) {
      at += index % outer[i].size * outer[i].stride;
      index /= outer[i].size;
    }
    return at;
  }
  static int64_t count(const Runs& runs) {
    int64_t n = 1;
    for (const Run& r : runs) n *= r.size;
    return n;
  }
  // Replaces the source by the results of one stage, whose runs are contiguous in order.
  void finish(Tensor results, Runs runs) {
    int64_t stride = 1;
    for (std::size_t i = runs.size(); i-- > 0;) {
      runs[i].stride = stride;
      stride *= runs[i].size;
    }
    source_ = std::move(results);
    runs_ = std::move(runs);
  }

  void reduce_rows() {
    const DType type = source_.dtype(), acc = accumulation_type(op_, type);
    const ReduceLoop loop = reduce_kernels().rows[int(op_)][int(type)];
    const int64_t n = runs_.back().size;
    Runs outer = runs_;
    outer.pop_back();
    const int64_t total = count(outer);
    const int64_t chunks = n > 2 * kChunk ? (n + kChunk - 1) / kChunk : 1;
    const Tensor results = make_tensor({total * chunks}, acc);
    const char* in = static_cast<const char*>(source_->read());
    char* out = static_cast<char*>(results->write());
    const int64_t in_size = size_of(type), out_size = size_of(acc);
    if (chunks > 1) {
      parallel_for(total * chunks, 1, [&](int64_t begin, int64_t end) {
        for (int64_t t = begin; t < end; ++t) {
          const int64_t start = t % chunks * kChunk;
          loop(out + t * out_size, in + (offset(outer, t / chunks) + start) * in_size, 1, 0,
               n - start < kChunk ? n - start : kChunk);
        }
      });
      outer.push_back({chunks, 1, true});
    } else {
      // Rows of the innermost outer run go to the kernel in one call.
      Run step{1, 0, false};
      if (!outer.empty()) {
        step = outer.back();
        outer.pop_back();
      }
      const bool transpose = n <= kShortRow && step.size >= 64;
      const int64_t group = transpose    ? kShortTile / n
                            : n > kChunk ? 1
                                         : kChunk / n,
                    groups = (step.size + group - 1) / group;
      parallel_for(count(outer) * groups, kChunk / (group * n) + 1, [&](int64_t begin, int64_t end) {
        for (int64_t t = begin; t < end; ++t) {
          const int64_t nest = t / groups, row = t % groups * group;
          const int64_t rows = step.size - row < group ? step.size - row : group;
          const char* x = in + (offset(outer, nest) + row * step.stride) * in_size;
          char* o = out + (nest * step.size + row) * out_size;
          if (transpose) short_rows(o, x, rows, step.stride, n);
          else loop(o, x, rows, step.stride, n);
        }
      });
      if (step.size > 1) outer.push_back(step);
    }
    finish(results, std::move(outer));
  }

  // Rows of a few elements: transposed in L1, then reduced as columns.
  void short_rows(char* out, const char* in, int64_t rows, int64_t stride, int64_t n) const {
    alignas(64) char tile[kShortTile * 16];
    const DType type = source_.dtype();
    const int64_t size = size_of(type);
    if (n == 1 && stride == 1) return reduce_kernels().columns[int(op_)][int(type)](out, in, 1, 0, rows);
    copy_kernels().transpose(tile, rows, in, stride, rows, n, __builtin_ctzll(std::uint64_t(size)));
    reduce_kernels().columns[int(op_)][int(type)](out, tile, n, rows, rows);
  }

  void reduce_columns() {
    const DType type = source_.dtype(), acc = accumulation_type(op_, type);
    const ReduceLoop loop = reduce_kernels().columns[int(op_)][int(type)];
    std::size_t at = runs_.size() - 1;
    while (!runs_[at].reduced) --at;
    const Run inner = runs_.back();
    Run high = runs_[at];
    Runs outer = runs_;
    outer.pop_back();
    outer.erase(at);
    // Narrow columns without gaps: several rows side by side count as one.
    int64_t width = inner.size, fold = 1;
    if (high.stride == width && width < 32 && high.size >= 64) fold = 64 / width;
    const int64_t folded_rows = high.size / fold, left_over = high.size % fold;
    const int64_t tile = width * fold < kMaxTile ? width * fold : kMaxTile;
    const int64_t per_chunk = kChunk / tile > 128 ? kChunk / tile / 128 * 128 : 128;
    const int64_t chunks = folded_rows > 2 * per_chunk ? (folded_rows + per_chunk - 1) / per_chunk : 1;
    const int64_t rows_of_result = chunks * fold + left_over;
    const int64_t total = count(outer), tiles = (width * fold + tile - 1) / tile;
    const Tensor results = make_tensor({total * rows_of_result * width}, acc);
    const char* in = static_cast<const char*>(source_->read());
    char* out = static_cast<char*>(results->write());
    const int64_t in_size = size_of(type), out_size = size_of(acc);
    const int64_t work = (chunks > 1 ? per_chunk : folded_rows) * tile;
    parallel_for(total * chunks * tiles, kChunk / work + 1, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) {
        const int64_t nest = t / (chunks * tiles), chunk = t / tiles % chunks, column = t % tiles * tile;
        const int64_t row = chunk * per_chunk,
                      rows = chunks > 1 && folded_rows - row > per_chunk ? per_chunk : folded_rows - row;
        const int64_t columns = width * fold - column < tile ? width * fold - column : tile;
        const char* x = in + offset(outer, nest) * in_size;
        char* o = out + nest * rows_of_result * width * out_size;
        loop(o + (chunk * fold * width + column) * out_size, x + (row * high.stride * fold + column) * in_size, rows,
             high.stride * fold, columns);
        if (left_over && chunk == 0 && column == 0)
          for (int64_t i = 0; i < left_over; ++i)
            loop(o + (chunks * fold + i) * width * out_size, x + (folded_rows * fold + i) * high.stride * in_size, 1, 0,
                 width);
      }
    });
    if (rows_of_result > 1) outer.push_back({rows_of_result, 1, true});
    outer.push_back(inner);
    finish(results, std::move(outer));
  }

  ReduceOp op_;
  Tensor source_;
  Runs runs_;
  bool done_ = false;
};

// Dimensions from slowest to fastest.
Dims memory_order(const Tensor& t) {
  Dims order;
  for (int d = 0; d < t.dim(); ++d) {
    if (t.sizes()[d] == 1) continue;
    std::size_t at = order.size();
    while (at > 0 && t.strides()[order[at - 1]] < t.strides()[d]) --at;
    order.insert(at, d);
  }
  // Dimensions of size 1, whose strides say nothing, stay in front of the first one that follows them.
  for (int d = 0; d < t.dim(); ++d) {
    if (t.sizes()[d] != 1) continue;
    std::size_t at = 0;
    while (at < order.size() && order[at] < d) ++at;
    order.insert(at, d);
  }
  return order;
}

bool has_loop(ReduceOp op, DType type) { return reduce_kernels().rows[int(op)][int(type)] != nullptr; }

}  // namespace

Tensor reduce(ReduceOp op, const Tensor& self, DimMask mask, bool keepdim) {
  const DType acc = accumulation_type(op, self.dtype());
  const Dims shape = reduced_sizes(self.sizes(), mask, keepdim);
  if (self.device().is_meta()) return make_tensor(shape, acc, self.device());
  if (self.numel() == 0) return make_full(shape, identity_of(op, acc), acc);

  Tensor x = has_loop(op, self.dtype()) && !self.is_conj() ? self : dense_as(self, acc);
  const bool whole = mask == all_dims(self.dim());
  if (whole && self.numel() <= kChunk && x.is_contiguous()) {
    const Tensor out = make_tensor(shape, acc);
    reduce_kernels().rows[int(op)][int(x.dtype())](out->write(), x->read(), 1, 0, x.numel());
    return out;
  }

  // Small dense tensors whose reduced dimensions are neighbours need no plan.
  if (x.numel() <= kChunk && x.is_contiguous()) {
    int64_t outer = 1, size = 1, inner = 1;
    int phase = 0;  // before, in, after the reduced dimensions; 3: they are not neighbours
    for (int d = 0; d < x.dim(); ++d) {
      const int64_t n = x.sizes()[d];
      if (n == 1) continue;
      const bool reduced = mask >> d & 1;
      if (reduced) phase = phase >= 2 ? 3 : 1;
      else if (phase == 1) phase = 2;
      (reduced ? size : phase == 0 ? outer : inner) *= n;
    }
    if (phase <= 2 && (inner > 1 || size > kShortRow || outer < 64)) {
      const Tensor out = make_tensor(shape, acc);
      const ReduceKernels& kernels = reduce_kernels();
      if (inner == 1) {
        kernels.rows[int(op)][int(x.dtype())](out->write(), x->read(), outer, size, size);
      } else {
        const char* in = static_cast<const char*>(x->read());
        char* to = static_cast<char*>(out->write());
        const int64_t in_step = size * inner * int64_t(size_of(x.dtype())), out_step = inner * int64_t(size_of(acc));
        for (int64_t o = 0; o < outer; ++o)
          kernels.columns[int(op)][int(x.dtype())](to + o * out_step, in + o * in_step, size, inner, inner);
      }
      return out;
    }
  }

  // The innermost dimension has to be without gaps, and no element may stand for several.
  Dims order = memory_order(x);
  auto readable = [&] {
    std::size_t last = order.size();
    while (last > 0 && x.sizes()[order[last - 1]] == 1) --last;
    return (last == 0 || x.strides()[order[last - 1]] == 1) && !has_internal_overlap(*x.impl());
  };
  if (!readable()) {
    x = make_tensor(self.sizes(), x.dtype());
    copy_raw(x, self);
    order = memory_order(x);
  }

  Runs runs;
  Dims kept;  // kept dimensions in the order of the results
  for (int64_t d : order) {
    const bool reduced = mask >> d & 1;
    runs.push_back({x.sizes()[d], x.strides()[d], reduced});
    if (!reduced) kept.push_back(d);
  }
  const Tensor flat = Reduction(op, x, std::move(runs)).run();

  bool ordered = true;
  for (std::size_t i = 1; i < kept.size(); ++i) ordered = ordered && kept[i - 1] < kept[i];
  if (ordered) return alias(flat, shape, contiguous_strides(shape), flat->offset);
  Dims strides(self.sizes().size(), 1);
  int64_t stride = 1;
  for (std::size_t i = kept.size(); i-- > 0;) {
    strides[kept[i]] = stride;
    stride *= self.sizes()[kept[i]];
  }
  Dims out_strides;
  for (int d = 0; d < self.dim(); ++d) {
    if (!(mask >> d & 1)) out_strides.push_back(strides[d]);
    else if (keepdim) out_strides.push_back(1);
  }
  return dense(alias(flat, shape, out_strides, flat->offset));
}

ReducedBlock reduced_block(const Tensor& self, DimMask mask) {
  ReducedBlock block;
  Dims order;
  bool in_order = false;
  if (!self.is_conj() && (self.is_contiguous() || is_dense_non_overlapping(self.sizes(), self.strides()))) {
    if (self.is_contiguous())
      for (int d = 0; d < self.dim(); ++d) order.push_back(d);
    else order = memory_order(self);
    // In order: kept dimensions ascend, and the reduced ones are neighbours. Dimensions of size 1 do not matter.
    in_order = true;
    int64_t last_kept = -1;
    int phase = 0;  // before, in and after the reduced dimensions
    for (int64_t d : order) {
      if (self.sizes()[d] == 1) continue;
      const bool reduced = mask >> d & 1;
      if (reduced ? phase == 2 : d < last_kept) in_order = false;
      if (!reduced) last_kept = d;
      if (reduced) phase = 1;
      else if (phase == 1) phase = 2;
      (reduced ? block.size : phase == 0 ? block.outer : block.inner) *= self.sizes()[d];
    }
  }
  if (in_order) {
    block.dense = self;
    return block;
  }
  block = {};
  Dims sizes, strides;
  for (int pass = 0; pass < 2; ++pass) {
    for (int d = 0; d < self.dim(); ++d) {
      if (int(mask >> d & 1) != pass) continue;
      sizes.push_back(self.sizes()[d]);
      strides.push_back(self.strides()[d]);
      (pass ? block.size : block.outer) *= self.sizes()[d];
    }
  }
  block.dense = dense(alias(self, sizes, strides, self->offset));
  return block;
}

void check_differentiable(const Tensor& self, DType result) {
  HWARO_CHECK(is_differentiable(result) || !recording(self), "Autograd not support dtype: ", scalar_type_name(result));
}

void check_not_empty(const char* name, const Tensor& self, int64_t dim) {
  HWARO_CHECK_AS(IndexError, self.dim() == 0 || self.sizes()[dim] != 0, name, "(): Expected reduction dim ", dim,
                 " to have non-zero size.");
}

}  // namespace engine
}  // namespace hwaro
