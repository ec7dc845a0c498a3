// gather and scatter: single elements along one dimension, chosen by an index tensor of the result's shape.
#include "hwaro/ops/create/fill.h"
#include "hwaro/ops/index/scatter_loops.h"
#include "hwaro/ops/index/write.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

Tensor remainder(const Operand& self, const Operand& other);
Tensor scatter(const Tensor& self, int64_t dim, const Tensor& index, const Scalar& value);
Tensor scatter_add(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src);

struct Gather {
  static constexpr Schema schema = "gather(Tensor self, int dim, Tensor index, *, bool sparse_grad=False) -> Tensor";
  static constexpr Doc doc =
      "out[i][j] = self[index[i][j]][j] for dim 0, and so on: elements picked along one dimension.";
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, bool) {
    dim = wrap_dim(dim, self.dim());
    if (index.numel() > 0) check_index_type("gather", index);
    check_has_data(self, {index});
    const Tensor out = make_tensor(index.sizes(), self.dtype(), self.device());
    if (index.numel() > 0) {
      HWARO_CHECK(vector_dim(self) == vector_dim(index),
                  "Index tensor must have the same number of dimensions as input tensor");
      for (int64_t d = 0; d < index.dim() && self.dim(); ++d)
        HWARO_CHECK(d == dim || index.sizes()[d] <= self.sizes()[d], "Size does not match at dimension ", d,
                    " expected index ", sizes_str(index.sizes()), " to be no larger than self ",
                    sizes_str(self.sizes()), " apart from dimension ", dim);
      if (!self.device().is_meta()) gather_raw(out, self, dim, index_for(self, index, dim));
    }
    if (recording(self))
      record("GatherBackward0", {self}, out, {save(index)}, [dim, sizes = Dims(self.sizes())](Backward& b) {
        const Tensor index = b.saved(0), zeros = make_zeros(sizes, b.g().dtype(), b.g().device());
        b.set(0, index.numel() > 0 ? scatter_add(zeros, dim, index, b.g()) : zeros);
      });
    return out;
  }
};

struct TakeAlongDim {
  static constexpr Schema schema = "take_along_dim(Tensor self, Tensor indices, int? dim=None) -> Tensor";
  static constexpr Doc doc =
      "gather with self and indices broadcast to each other beside dim; without dim, on both as vectors.";
  static Tensor call(const Tensor& self, const Tensor& indices, std::optional<int64_t> dim) {
    if (!dim) return Gather::call(reshape(self, {-1}), 0, reshape(indices, {-1}), false);
    HWARO_CHECK(self.dim() == indices.dim(),
                "torch.take_along_dim(): input and indices should have the same number of dimensions, but got ",
                self.dim(), " dimensions for input, and ", indices.dim(), " dimensions for indices");
    HWARO_CHECK(indices.dtype() == DType::Int64, "torch.take_along_dim(): dtype of indices should be Long but got ",
                scalar_type_name(indices.dtype()));
    const int64_t d = wrap_dim(*dim, self.dim());
    if (self.dim() == 0) return Gather::call(self, d, indices, false);
    Dims self_shape(self.sizes()), index_shape(indices.sizes());
    const int64_t length = self_shape[d], count = index_shape[d];
    self_shape[d] = count;
    broadcast_into(self_shape, indices.sizes());
    index_shape = self_shape;
    self_shape[d] = length;
    index_shape[d] = count;
    // Indices count modulo the length: negative ones from the end.
    const Tensor at = length > 0 ? remainder(indices, length) : indices;
    return Gather::call(expand(self, self_shape), d, expand(at, index_shape), false);
  }
};

// ---- scatter ----

static Tensor scatter_values(bool inplace, const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src,
                             Reduce reduce) {
  dim = check_scatter(self, dim, index, &src);
  auto raw = [&](const Tensor& target) {
    if (index.numel() == 0) return;
    const Tensor at = index_for(self, index, dim);
    scatter_raw(target, dim, at, source_for(src, self, at), reduce);
  };
  if (reduce == Reduce::Assign)
    return write_into(
        inplace, "ScatterBackward0", self, {self, src}, {save(index)}, raw,
        [dim, sizes = Dims(src.sizes())](Backward& b) {
          if (b.needs(0)) b.set(0, scatter(b.g(), dim, b.saved(0), 0));
          if (b.needs(1)) b.set(1, Gather::call(b.g(), dim, b.saved(0), false));
        },
        MemoryFormat::Contiguous);
  return write_into(
      inplace, "NotImplemented", self, {self, src}, {}, raw,
      [](Backward&) { raise<RuntimeError>("derivative for aten::scatter is not implemented"); },
      MemoryFormat::Contiguous);
}

static Tensor scatter_value(bool inplace, const Tensor& self, int64_t dim, const Tensor& index, const Scalar& value,
                            Reduce reduce) {
  dim = check_scatter(self, dim, index, nullptr);
  check_fits(value, self.dtype());
  auto raw = [&](const Tensor& target) {
    if (index.numel() == 0) return;
    scatter_raw(target, dim, index_for(self, index, dim), make_full({}, value, self.dtype()), reduce);
  };
  if (reduce == Reduce::Assign)
    return write_into(
        inplace, "ScatterBackward1", self, {self}, {save(index)}, raw,
        [dim](Backward& b) { b.set(0, scatter(b.g(), dim, b.saved(0), 0)); }, MemoryFormat::Contiguous);
  return write_into(
      inplace, "NotImplemented", self, {self}, {}, raw,
      [](Backward&) { raise<RuntimeError>("derivative for aten::scatter is not implemented"); },
      MemoryFormat::Contiguous);
}

static Reduce old_reduce(std::string_view reduce) {
  if (reduce == "add") return Reduce::Sum;
  HWARO_CHECK(reduce == "multiply", "reduce argument must be either add or multiply.");
  return Reduce::Prod;
}

struct ScatterSrc {
  static constexpr Schema schema = "scatter.src(Tensor self, int dim, Tensor index, Tensor src) -> Tensor";
  static constexpr Doc doc = "A copy of self with out[index[i][j]][j] = src[i][j] for dim 0, and so on.";
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src) {
    return scatter_values(false, self, dim, index, src, Reduce::Assign);
  }
};
struct ScatterValue {
  static constexpr Schema schema = "scatter.value(Tensor self, int dim, Tensor index, Scalar value) -> Tensor";
  static constexpr Doc doc = "A copy of self with a number written where index points along dim.";
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Scalar& value) {
    return scatter_value(false, self, dim, index, value, Reduce::Assign);
  }
};
struct ScatterReduceOld {
  static constexpr Schema schema =
      "scatter.reduce(Tensor self, int dim, Tensor index, Tensor src, *, str reduce) -> Tensor";
  static constexpr Doc doc = "As scatter, with src added to ('add') or multiplied onto ('multiply') what is there.";
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src, std::string_view reduce) {
    return scatter_values(false, self, dim, index, src, old_reduce(reduce));
  }
};
struct ScatterValueReduceOld {
  static constexpr Schema schema =
      "scatter.value_reduce(Tensor self, int dim, Tensor index, Scalar value, *, str reduce) -> Tensor";
  static constexpr Doc doc =
      "As scatter, with a number added to ('add') or multiplied onto ('multiply') what is there.";
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Scalar& value,
                     std::string_view reduce) {
    return scatter_value(false, self, dim, index, value, old_reduce(reduce));
  }
};
struct ScatterSrcInplace {
  static constexpr Schema schema = "scatter_.src(Tensor(a!) self, int dim, Tensor index, Tensor src) -> Tensor(a!)";
  static constexpr Doc doc = "Writes src where index points along dim.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src) {
    return scatter_values(true, self, dim, index, src, Reduce::Assign);
  }
};
struct ScatterValueInplace {
  static constexpr Schema schema = "scatter_.value(Tensor(a!) self, int dim, Tensor index, Scalar value) -> Tensor(a!)";
  static constexpr Doc doc = "Writes a number where index points along dim.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Scalar& value) {
    return scatter_value(true, self, dim, index, value, Reduce::Assign);
  }
};
struct ScatterReduceOldInplace {
  static constexpr Schema schema =
      "scatter_.reduce(Tensor(a!) self, int dim, Tensor index, Tensor src, *, str reduce) -> Tensor(a!)";
  static constexpr Doc doc = "Adds src to, or multiplies it onto, what is where index points along dim.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src, std::string_view reduce) {
    return scatter_values(true, self, dim, index, src, old_reduce(reduce));
  }
};
struct ScatterValueReduceOldInplace {
  static constexpr Schema schema =
      "scatter_.value_reduce(Tensor(a!) self, int dim, Tensor index, Scalar value, *, str reduce) -> Tensor(a!)";
  static constexpr Doc doc = "Adds a number to, or multiplies it onto, what is where index points along dim.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Scalar& value,
                     std::string_view reduce) {
    return scatter_value(true, self, dim, index, value, old_reduce(reduce));
  }
};

// ---- scatter_add ----

static Tensor add_values(bool inplace, const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src) {
  dim = check_scatter(self, dim, index, &src);
  return write_into(
      inplace, "ScatterAddBackward0", self, {self, src}, {save(index)},
      [&](const Tensor& target) {
        if (index.numel() == 0) return;
        const Tensor at = index_for(self, index, dim);
        scatter_raw(target, dim, at, source_for(src, self, at), Reduce::Sum);
      },
      [dim](Backward& b) {
        if (b.needs(0)) b.set(0, b.g());
        if (b.needs(1)) b.set(1, Gather::call(b.g(), dim, b.saved(0), false));
      },
      MemoryFormat::Contiguous);
}

struct ScatterAdd {
  static constexpr Schema schema = "scatter_add(Tensor self, int dim, Tensor index, Tensor src) -> Tensor";
  static constexpr Doc doc = "A copy of self with src added where index points along dim.";
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src) {
    return add_values(false, self, dim, index, src);
  }
};
struct ScatterAddInplace {
  static constexpr Schema schema = "scatter_add_(Tensor(a!) self, int dim, Tensor index, Tensor src) -> Tensor(a!)";
  static constexpr Doc doc = "Adds src where index points along dim.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& src) {
    return add_values(true, self, dim, index, src);
  }
};

}  // namespace hwaro::engine

#include "families/scatter.inc"
