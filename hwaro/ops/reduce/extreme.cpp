// Largest and smallest elements, and where they are.
#include "hwaro/base/parallel.h"
#include "hwaro/loops/copy_kernels.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/reduce/plan.h"
#include "hwaro/ops/reduce/selection.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

void check_real(const char* kernel, const Tensor& self) {
  if (is_complex(self.dtype()))
    raise<NotImplementedError>('"', kernel, "\" not implemented for '", scalar_type_name(self.dtype()), '\'');
}
void check_any_element(const char* name, const Tensor& self) {
  HWARO_CHECK(self.numel() != 0, name,
              "(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the "
              "'dim' argument.");
}

// The extreme and its first index along the reduced part of a block. Rows of more than kGrain elements are cut into
// chunks, whose winners are compared in order.
std::pair<Tensor, Tensor> arg_reduce(bool min, const Tensor& self, DimMask mask, bool keepdim) {
  const Dims shape = reduced_sizes(self.sizes(), mask, keepdim);
  const Tensor indices = make_tensor(shape, DType::Int64, self.device());
  if (self.device().is_meta() || self.numel() == 0) return {make_tensor(shape, self.dtype(), self.device()), indices};
  ReducedBlock block = reduced_block(self, mask);
  DType type = compute_type(self.dtype());
  if (is_integral(type, true) && type != DType::Int64) type = DType::Int32;
  if (block.size > INT32_MAX && block.inner > 1) type = is_floating(type) ? DType::Double : DType::Int64;
  block.dense = dense_as(
      block.dense.is_contiguous() ? block.dense : alias(block.dense, {block.dense.numel()}, {1}, block.dense->offset),
      type);
  const Tensor values = make_tensor(shape, type, self.device());
  const ArgKernels& kernels = arg_kernels();
  const int64_t size = size_of(type), n = block.size, inner = block.inner;
  const char* in = static_cast<const char*>(block.dense->read());
  char* out = static_cast<char*>(values->write());
  int64_t* at = indices->write_as<int64_t>();
  if (inner > 1) {
    const ArgLoop loop = kernels.columns[min][int(type)];
    constexpr int64_t kTile = 512;
    const int64_t tiles = (inner + kTile - 1) / kTile;
    parallel_for(
        block.outer * tiles, kGrain / (n * (inner < kTile ? inner : kTile)) + 1, [&](int64_t begin, int64_t end) {
          for (int64_t t = begin; t < end; ++t) {
            const int64_t o = t / tiles, j = t % tiles * kTile, width = inner - j < kTile ? inner - j : kTile;
            loop(out + (o * inner + j) * size, at + o * inner + j, in + (o * n * inner + j) * size, n, inner, width);
          }
        });
  } else if (n <= kShortRow && block.outer >= 64) {
    // Short rows are transposed in L1 and compared side by side.
    const ArgLoop loop = kernels.columns[min][int(type)];
    const int64_t group = kShortTile / n;
    parallel_for((block.outer + group - 1) / group, kGrain / kShortTile, [&](int64_t begin, int64_t end) {
      alignas(64) char tile[kShortTile * 8];
      for (int64_t t = begin; t < end; ++t) {
        const int64_t row = t * group, rows = block.outer - row < group ? block.outer - row : group;
        copy_kernels().transpose(tile, rows, in + row * n * size, n, rows, n, __builtin_ctzll(std::uint64_t(size)));
        loop(out + row * size, at + row, tile, n, rows, rows);
      }
    });
  } else if (n <= 2 * kGrain) {
    const ArgLoop loop = kernels.rows[min][int(type)];
    parallel_for(block.outer, kGrain / n + 1, [&](int64_t begin, int64_t end) {
      loop(out + begin * size, at + begin, in + begin * n * size, end - begin, n, n);
    });
  } else {
    const ArgLoop loop = kernels.rows[min][int(type)];
    const int64_t chunks = (n + kGrain - 1) / kGrain;
    const Tensor best = make_tensor({block.outer, chunks}, type),
                 where = make_tensor({block.outer, chunks}, DType::Int64);
    char* b = static_cast<char*>(best->write());
    int64_t* w = where->write_as<int64_t>();
    parallel_for(block.outer * chunks, 1, [&](int64_t begin, int64_t end) {
      for (int64_t t = begin; t < end; ++t) {
        const int64_t start = t % chunks * kGrain;
        loop(b + t * size, w + t, in + (t / chunks * n + start) * size, 1, 0, n - start < kGrain ? n - start : kGrain);
        w[t] += start;
      }
    });
    loop(out, at, b, block.outer, chunks, chunks);
    for (int64_t o = 0; o < block.outer; ++o) at[o] = w[o * chunks + at[o]];
  }
  return {dense_as(values, self.dtype()), indices};
}

// The gradient of an extreme value is shared by all elements that equal it.
Tensor share_gradient(const Tensor& g, const Tensor& mask, DimMask dims) {
  Dims list;
  for (int d = 0; d < mask.dim(); ++d)
    if (dims >> d & 1) list.push_back(d);
  if (list.empty()) return mul(g, to_dtype(mask, g.dtype()));
  return div(mul(g, to_dtype(mask, g.dtype())), sum(mask, IntSpan(list), true));
}
Tensor extreme_gradient(const Tensor& g, const Tensor& x, const Tensor& result, DimMask dims, bool keepdim) {
  const Tensor y = restore_dims(result, x.dim(), dims, keepdim);
  return share_gradient(restore_dims(g, x.dim(), dims, keepdim), eq(x, y), dims);
}

Tensor full_extreme(bool min, const Tensor& self) {
  check_any_element(min ? "min" : "max", self);
  check_real(min ? "min_all" : "max_all", self);
  const DimMask mask = all_dims(self.dim());
  const Tensor out = dense_as(reduce(min ? ReduceOp::Min : ReduceOp::Max, self, mask, false), self.dtype());
  if (recording(self))
    record(min ? "MinBackward1" : "MaxBackward1", {self}, out, {save(self), save_output(out)}, [](Backward& b) {
      const Tensor x = b.saved(0), y = b.saved(1);
      const Tensor mask = logical_or(eq(x, y), logical_and(isnan(x), isnan(y)));
      b.set(0, where(mask, div(b.g(), sum_all(mask)), make_zeros({}, b.g().dtype(), b.g().device())));
    });
  return out;
}

std::tuple<Tensor, Tensor> dim_extreme(bool min, const Tensor& self, int64_t dim, bool keepdim) {
  const char* name = min ? "min" : "max";
  dim = wrap_dim(dim, self.dim());
  check_not_empty(name, self, dim);
  HWARO_CHECK(!is_complex(self.dtype()), name, "(): does not support complex input");
  const DimMask mask = self.dim() ? DimMask(1) << dim : 0;
  const auto [values, indices] = arg_reduce(min, self, mask, keepdim);
  if (recording(self)) record_selection(min ? "MinBackward0" : "MaxBackward0", self, values, indices, dim, keepdim);
  return {values, indices};
}

Tensor extreme_values(bool min, const Tensor& self, IntSpan dim, bool keepdim) {
  const char* name = min ? "amin" : "amax";
  if (self.numel() == 0 && dim.empty()) check_any_element(name, self);
  const DimMask mask = dim_mask(dim, self.dim());
  for (int64_t d : dim)
    HWARO_CHECK_AS(IndexError, self.dim() == 0 || self.size(d) != 0, name, "(): Expected reduction dim ", d,
                   " to have non-zero size.");
  if (self.numel() == 0 && is_complex(self.dtype())) {
    HWARO_CHECK(!recording(self), name, " does not support automatic differentiation for outputs with complex dtype.");
    return make_tensor(reduced_sizes(self.sizes(), mask, keepdim), self.dtype(), self.device());
  }
  check_real(min ? "min_values_cpu" : "max_values_cpu", self);
  const Tensor out = dense_as(reduce(min ? ReduceOp::Min : ReduceOp::Max, self, mask, keepdim), self.dtype());
  if (recording(self))
    record(min ? "AminBackward0" : "AmaxBackward0", {self}, out, {save(self), save_output(out)},
           [mask, keepdim](Backward& b) { b.set(0, extreme_gradient(b.g(), b.saved(0), b.saved(1), mask, keepdim)); });
  return out;
}

Tensor arg_extreme(bool min, const Tensor& self, std::optional<int64_t> dim, bool keepdim) {
  const char* name = min ? "argmin" : "argmax";
  HWARO_CHECK(!is_complex(self.dtype()), name, "(): does not support complex input");
  HWARO_CHECK(self.dtype() != DType::Bool, name, "(): does not support bool input");
  DimMask mask = all_dims(self.dim());
  if (dim) {
    const int64_t d = wrap_dim(*dim, self.dim());
    check_not_empty(name, self, d);
    mask = self.dim() ? DimMask(1) << d : 0;
  } else {
    HWARO_CHECK_AS(IndexError, self.numel() != 0, name,
                   "(): Expected reduction dim to be specified for input.numel() == 0.");
  }
  if (dim || self.is_contiguous()) return arg_reduce(min, self, mask, keepdim).second;
  // Indices count in logical order.
  return arg_reduce(min, self.device().is_meta() ? self : dense(self), mask, keepdim).second;
}

}  // namespace

struct Max {
  static constexpr Schema schema = "max(Tensor self) -> Tensor";
  static constexpr Doc doc = "The largest of all elements; NaN counts as largest.";
  static constexpr auto out_rule = out_castable(
      "Expected canCast( typeMetaToScalarType(self.dtype()), typeMetaToScalarType(out.dtype())) to be true, but got "
      "false.  (Could this error message be improved?  If so, please report an enhancement request to PyTorch.)");
  static Tensor call(const Tensor& self) { return full_extreme(false, self); }
};

// Before max.dim, which takes a tensor of one integer as dim.
struct MaxOther {
  static constexpr Schema schema = "max.other(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "The larger of self and other, element by element.";
  static Tensor call(const Tensor& self, const Tensor& other) { return maximum(self, other); }
};

struct MaxDim {
  static constexpr Schema schema =
      "max.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)";
  static constexpr Doc doc = "The largest elements along dim, and the first index of each.";
  static constexpr auto out_rule = out_expected;
  static std::tuple<Tensor, Tensor> call(const Tensor& self, int64_t dim, bool keepdim) {
    return dim_extreme(false, self, dim, keepdim);
  }
};

struct Min {
  static constexpr Schema schema = "min(Tensor self) -> Tensor";
  static constexpr Doc doc = "The smallest of all elements; NaN counts as smallest.";
  static constexpr auto out_rule = out_castable(
      "Expected canCast( typeMetaToScalarType(self.dtype()), typeMetaToScalarType(out.dtype())) to be true, but got "
      "false.  (Could this error message be improved?  If so, please report an enhancement request to PyTorch.)");
  static Tensor call(const Tensor& self) { return full_extreme(true, self); }
};

// Before min.dim, which takes a tensor of one integer as dim.
struct MinOther {
  static constexpr Schema schema = "min.other(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "The smaller of self and other, element by element.";
  static Tensor call(const Tensor& self, const Tensor& other) { return minimum(self, other); }
};

struct MinDim {
  static constexpr Schema schema =
      "min.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)";
  static constexpr Doc doc = "The smallest elements along dim, and the first index of each.";
  static constexpr auto out_rule = out_expected;
  static std::tuple<Tensor, Tensor> call(const Tensor& self, int64_t dim, bool keepdim) {
    return dim_extreme(true, self, dim, keepdim);
  }
};

struct Amax {
  static constexpr Schema schema = "amax(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor";
  static constexpr Doc doc = "The largest elements over the given dimensions; equal ones share the gradient.";
  static constexpr auto out_rule =
      out_same("Expected the dtype for input and out to match, but got %R for input's dtype and %O for out's dtype.");
  static Tensor call(const Tensor& self, IntSpan dim, bool keepdim) {
    return extreme_values(false, self, dim, keepdim);
  }
};

struct Amin {
  static constexpr Schema schema = "amin(Tensor self, int[1] dim=[], bool keepdim=False) -> Tensor";
  static constexpr Doc doc = "The smallest elements over the given dimensions; equal ones share the gradient.";
  static constexpr auto out_rule =
      out_same("Expected the dtype for input and out to match, but got %R for input's dtype and %O for out's dtype.");
  static Tensor call(const Tensor& self, IntSpan dim, bool keepdim) { return extreme_values(true, self, dim, keepdim); }
};

struct Aminmax {
  static constexpr Schema schema =
      "aminmax(Tensor self, *, int? dim=None, bool keepdim=False) -> (Tensor min, Tensor max)";
  static constexpr Doc doc = "The smallest and the largest elements along dim, or of all.";
  static constexpr unsigned expose = kFunction | kMethod | kOut;
  static constexpr auto out_rule = out_expected;
  static std::tuple<Tensor, Tensor> call(const Tensor& self, std::optional<int64_t> dim, bool keepdim) {
    DimMask mask = all_dims(self.dim());
    HWARO_CHECK(self.dim() <= 64, "only tensors with up to 64 dims are supported");
    if (dim) {
      const int64_t d = wrap_dim(*dim, self.dim());
      HWARO_CHECK_AS(IndexError, self.dim() == 0 || self.sizes()[d] != 0, "aminmax: Expected reduction dim ", d,
                     " to have non-zero size.");
      mask = self.dim() ? DimMask(1) << d : 0;
    }
    HWARO_CHECK(dim || self.numel() != 0,
                "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity.");
    check_real("aminmax_cpu", self);
    const Tensor low = dense_as(reduce(ReduceOp::Min, self, mask, keepdim), self.dtype());
    const Tensor high = dense_as(reduce(ReduceOp::Max, self, mask, keepdim), self.dtype());
    if (recording(self))
      record("AminmaxBackward0", {self}, {low, high}, {save(self), save_output(low), save_output(high)},
             [mask, keepdim](Backward& b) {
               const Tensor x = b.saved(0);
               Tensor total;
               for (int i = 0; i < 2; ++i) {
                 if (!b.g(i).defined()) continue;
                 const Tensor g = extreme_gradient(b.g(i), x, b.saved(1 + i), mask, keepdim);
                 total = total.defined() ? add(total, g) : g;
               }
               b.set(0, total);
             });
    return {low, high};
  }
};

struct Argmax {
  static constexpr Schema schema = "argmax(Tensor self, int? dim=None, bool keepdim=False) -> Tensor";
  static constexpr Doc doc = "The first index of the largest element along dim, or of all elements in order.";
  static constexpr auto out_rule = out_expected;
  static Tensor call(const Tensor& self, std::optional<int64_t> dim, bool keepdim) {
    return arg_extreme(false, self, dim, keepdim);
  }
};

struct Argmin {
  static constexpr Schema schema = "argmin(Tensor self, int? dim=None, bool keepdim=False) -> Tensor";
  static constexpr Doc doc = "The first index of the smallest element along dim, or of all elements in order.";
  static constexpr auto out_rule = out_expected;
  static Tensor call(const Tensor& self, std::optional<int64_t> dim, bool keepdim) {
    return arg_extreme(true, self, dim, keepdim);
  }
};

}  // namespace hwaro::engine

#include "families/extreme.inc"
