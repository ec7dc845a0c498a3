// Repetition, and grids of all combinations.
#include "hwaro/ops/create/fill.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/index_dim.h"
#include "hwaro/ops/kinds/warn_once.h"
#include "hwaro/ops/masked.h"
#include "hwaro/ops/rearrange.h"

namespace hwaro::engine {

using std::int64_t;

struct Repeat {
  static constexpr Schema schema = "repeat(Tensor self, int[] repeats) -> Tensor";
  static constexpr Doc doc = "self repeated along each dimension; further repeats make new leading dimensions.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, IntSpan repeats) {
    HWARO_CHECK(repeats.size() >= self.sizes().size(),
                "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor");
    const std::size_t n = repeats.size(), skip = n - self.sizes().size();
    // Each dimension of size s becomes r x s, written through a view from a source whose r has stride 0.
    Dims shape(n), pairs, from, to;
    bool overflow = false;
    for (std::size_t d = 0; d < n; ++d)
      overflow = __builtin_mul_overflow(repeats[d], d < skip ? 1 : self.sizes()[d - skip], &shape[d]) || overflow;
    HWARO_CHECK(!overflow, "numel: integer multiplication overflow");
    const Tensor out = make_tensor(shape, self.dtype(), self.device());
    for (std::size_t d = 0; d < n; ++d) {
      const int64_t s = d < skip ? 1 : self.sizes()[d - skip];
      pairs.push_back(repeats[d]), pairs.push_back(s);
      from.push_back(0), from.push_back(d < skip ? 0 : self.strides()[d - skip]);
      to.push_back(out.strides()[d] * s), to.push_back(out.strides()[d]);
    }
    if (!self.device().is_meta() && out.numel() > 0)
      copy_raw(alias(out, pairs, to, 0), alias(self, pairs, from, self->offset));
    if (recording(self))
      record("RepeatBackward0", {self}, out, {}, [pairs, sizes = Dims(self.sizes())](Backward& b) {
        if (b.g().numel() == 0) return b.set(0, make_zeros(sizes, b.g().dtype(), b.g().device()));
        Dims summed;
        for (std::size_t d = 0; d < pairs.size(); d += 2) summed.push_back(int64_t(d));
        const Tensor g = reshape(b.g(), pairs);
        b.set(0, reshape(summed.empty() ? g : sum(g, IntSpan(summed)), sizes));
      });
    return out;
  }
};

struct Tile {
  static constexpr Schema schema = "tile(Tensor self, int[] dims) -> Tensor";
  static constexpr Doc doc = "self repeated along each dimension; missing leading repeats count as one.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, IntSpan dims) {
    Dims repeats;
    for (int d = int(dims.size()); d < self.dim(); ++d) repeats.push_back(1);
    for (int64_t r : dims) repeats.push_back(r);
    return Repeat::call(self, repeats);
  }
};

// Position i as often as repeats[i] says.
static Tensor repeated_positions(const Tensor& repeats, std::optional<int64_t> output_size) {
  HWARO_CHECK(repeats.dim() == 1, "repeat_interleave only accept 1D vector as repeat");
  HWARO_CHECK_AS(NotImplementedError, repeats.dtype() == DType::Int64 || repeats.dtype() == DType::Int32,
                 "\"repeat_interleave_cpu\" not implemented for '", scalar_type_name(repeats.dtype()), "'");
  HWARO_CHECK(!repeats.device().is_meta(), "cannot repeat_interleave a meta tensor without output_size");
  const Tensor counts = dense_as(repeats, DType::Int64);
  const int64_t* count = counts->read_as<int64_t>();
  int64_t total = 0;
  bool overflow = false;
  for (int64_t i = 0; i < counts.numel(); ++i) {
    HWARO_CHECK(count[i] >= 0, "repeats can not be negative");
    overflow = __builtin_add_overflow(total, count[i], &total) || overflow;
  }
  HWARO_CHECK(!overflow, "numel: integer multiplication overflow");
  HWARO_CHECK(!output_size || *output_size == total, "allocated size does not match required size");
  const Tensor out = make_tensor({total}, DType::Int64);
  int64_t* to = out->write_as<int64_t>();
  for (int64_t i = 0; i < counts.numel(); ++i)
    for (int64_t k = 0; k < count[i]; ++k) *to++ = i;
  return out;
}

struct RepeatInterleaveTensor {
  static constexpr Schema schema =
      "repeat_interleave.self_Tensor(Tensor self, Tensor repeats, int? dim=None, *, int? output_size=None) -> Tensor";
  static constexpr Doc doc = "Each element, or each index of dimension dim, as often as repeats says.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, const Tensor& repeats, std::optional<int64_t> dim,
                     std::optional<int64_t> output_size) {
    const Tensor input = dim ? self : flatten(self, 0, -1);
    const int64_t at = wrap_dim(dim.value_or(0), input.dim());
    Tensor each = repeats;
    HWARO_CHECK(repeats.dim() <= 1, "repeats must be 0-dim or 1-dim tensor");
    const int64_t size = input.dim() ? input.sizes()[at] : 1;
    if (repeats.dim() == 0 || (repeats.dim() == 1 && repeats.sizes()[0] == 1))
      each = expand(reshape(repeats, {1}), {size});
    else
      HWARO_CHECK(repeats.sizes()[0] == size,
                  "repeats must have the same size as input along dim, but got repeats.size(0) = ", repeats.sizes()[0],
                  " and input.size(", at, ") = ", size);
    return index_select(input, at, repeated_positions(each, output_size));
  }
};

struct RepeatInterleaveInt {
  static constexpr Schema schema =
      "repeat_interleave.self_int(Tensor self, int repeats, int? dim=None, *, int? output_size=None) -> Tensor";
  static constexpr Doc doc = "Each element, or each index of dimension dim, repeats times.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, int64_t repeats, std::optional<int64_t> dim, std::optional<int64_t>) {
    Tensor input = dim ? self : flatten(self, 0, -1);
    if (input.dim() == 0) input = reshape(input, {1});
    const int64_t at = wrap_dim(dim.value_or(0), self.dim());
    HWARO_CHECK(repeats >= 0, "Repeats must be non-negative");
    Dims shape(input.sizes());
    shape.insert(std::size_t(at + 1), repeats);
    return flatten(clone(expand(unsqueeze(input, at + 1), shape), MemoryFormat::Contiguous), at, at + 1);
  }
};

struct RepeatInterleave {
  static constexpr Schema schema = "repeat_interleave.Tensor(Tensor repeats, *, int? output_size=None) -> Tensor";
  static constexpr Doc doc = "The numbers 0, 1, … where number i stands repeats[i] times.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& repeats, std::optional<int64_t> output_size) {
    return repeated_positions(repeats, output_size);
  }
};

// ---- grids ----

struct Meshgrid {
  static constexpr Schema schema = "meshgrid(Tensor[] tensors, *, str? indexing=None) -> Tensor[]";
  static constexpr Doc doc = "Vectors expanded along each other's dimensions: the coordinates of a grid.";
  static constexpr unsigned expose = kFunction;
  static std::vector<Tensor> call(TensorSpan tensors, std::optional<std::string_view> indexing) {
    if (!indexing)
      warn_once("torch.meshgrid: in an upcoming release, it will be required to pass the indexing argument.");
    return grid(tensors, indexing.value_or("ij"));
  }
  static std::vector<Tensor> grid(TensorSpan tensors, std::string_view indexing) {
    HWARO_CHECK(!tensors.empty(), "meshgrid expects a non-empty TensorList");
    HWARO_CHECK(indexing == "ij" || indexing == "xy",
                "torch.meshgrid: indexing must be one of \"xy\" or \"ij\", but received: ", indexing);
    for (const Tensor& t : tensors)
      HWARO_CHECK(t.dtype() == tensors[0].dtype(), "meshgrid expects all tensors to have the same dtype");
    std::vector<Tensor> order(tensors.begin(), tensors.end());
    const bool swapped = indexing == "xy" && order.size() >= 2;
    if (swapped) std::swap(order[0], order[1]);
    Dims shape;
    for (const Tensor& t : order) {
      HWARO_CHECK(t.dim() <= 1, "torch.meshgrid: Expected 0D or 1D tensor in the tensor list but got: ", t.dim(),
                  "D tensor");
      shape.push_back(t.numel());
    }
    std::vector<Tensor> out;
    for (std::size_t i = 0; i < order.size(); ++i) {
      Dims line(order.size(), 1);
      line[i] = order[i].numel();
      out.push_back(expand(view(order[i], line), shape));
    }
    if (swapped) std::swap(out[0], out[1]);
    return out;
  }
};

struct CartesianProd {
  static constexpr Schema schema = "cartesian_prod(Tensor[] tensors) -> Tensor";
  static constexpr Doc doc = "All combinations of one element of each vector, as rows (n, vectors).";
  static constexpr unsigned expose = kFunction;
  static Tensor call(TensorSpan tensors) {
    for (const Tensor& t : tensors)
      HWARO_CHECK(t.dim() == 1, "Expect a 1D vector, but got shape ", sizes_str(t.sizes()));
    if (tensors.size() == 1) return tensors[0];
    std::vector<Tensor> columns = Meshgrid::grid(tensors, "ij");
    for (Tensor& t : columns) t = flatten(t, 0, -1);
    return stack(columns, 1);
  }
};

struct Combinations {
  static constexpr Schema schema = "combinations(Tensor self, int r=2, bool with_replacement=False) -> Tensor";
  static constexpr Doc doc = "All choices of r elements of a vector in order, as rows (n, r).";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& self, int64_t r, bool with_replacement) {
    HWARO_CHECK(self.dim() == 1, "Expect a 1D vector, but got shape ", sizes_str(self.sizes()));
    HWARO_CHECK(r >= 0, "Expect a non-negative number, but got ", r);
    if (r == 0) return make_tensor({0}, self.dtype(), self.device());
    // A grid of positions per place; those stay that rise from place to place.
    const int64_t n = self.sizes()[0];
    const Tensor line = make_tensor({n}, DType::Int64, self.device());
    if (!self.device().is_meta())
      for (int64_t i = 0; i < n; ++i) line->write_as<int64_t>()[i] = i;
    const std::vector<Tensor> lines(static_cast<std::size_t>(r), line), values(static_cast<std::size_t>(r), self);
    const std::vector<Tensor> at = Meshgrid::grid(lines, "ij"), grids = Meshgrid::grid(values, "ij");
    Tensor mask = make_full(at[0].sizes(), true, DType::Bool, self.device());
    for (std::size_t k = 0; k + 1 < at.size(); ++k)
      mask = mask & (with_replacement ? at[k] <= at[k + 1] : at[k] < at[k + 1]);
    std::vector<Tensor> parts;
    for (const Tensor& grid : grids) parts.push_back(masked_select(grid, mask));
    return stack(parts, 1);
  }
};

}  // namespace hwaro::engine

#include "families/repeat.inc"
