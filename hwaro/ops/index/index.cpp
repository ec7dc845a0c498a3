// The operators behind subscripts with tensors, under PyTorch's names.
#include "hwaro/ops/index/advanced.h"
#include "hwaro/ops/index/has_data.h"
#include "hwaro/ops/index/masks.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

Tensor masked_fill(const Tensor& self, const Tensor& mask, const Tensor& value);
Tensor masked_fill_(const Tensor& self, const Tensor& mask, const Tensor& value);

struct IndexTensor {
  static constexpr Schema schema = "index.Tensor(Tensor self, Tensor[] indices) -> Tensor";
  static constexpr Doc doc = "self[indices]; an undefined entry stands for a whole dimension.";
  static constexpr unsigned expose = kInternal;
  static Tensor call(const Tensor& self, TensorSpan indices) { return index_tensor(self, indices); }
};

static Tensor put_at(const Tensor& self, TensorSpan indices, const Tensor& values, bool accumulate, bool inplace) {
  HWARO_CHECK_AS(IndexError, std::int64_t(indices.size()) <= self.dim(), "too many indices for tensor of dimension ",
                 self.dim(), " (got ", indices.size(), ")");
  // One mask of no dimension says whether anything is written.
  if (indices.size() == 1 && indices[0].dim() == 0 && indices[0].dtype() == DType::Bool && !accumulate &&
      values.numel() == 1)
    return inplace ? masked_fill_(self, indices[0], reshape(values, {}))
                   : masked_fill(self, indices[0], reshape(values, {}));
  return index_put_tensor(self, indices, values, accumulate, inplace);
}

struct IndexPut {
  static constexpr Schema schema =
      "index_put(Tensor self, Tensor[] indices, Tensor values, bool accumulate=False) -> Tensor";
  static constexpr Doc doc = "A copy of self with values written (or added) at the places that indices name.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, TensorSpan indices, const Tensor& values, bool accumulate) {
    return put_at(self, indices, values, accumulate, false);
  }
};

struct IndexPutInplace {
  static constexpr Schema schema =
      "index_put_(Tensor(a!) self, Tensor[] indices, Tensor values, bool accumulate=False) -> Tensor(a!)";
  static constexpr Doc doc = "Writes (or adds) values at the places that indices name.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, TensorSpan indices, const Tensor& values, bool accumulate) {
    return put_at(self, indices, values, accumulate, true);
  }
};

// ---- where a tensor is not zero ----

struct Nonzero {
  static constexpr Schema schema = "nonzero(Tensor self) -> Tensor";
  static constexpr auto out_rule =
      out_same("nonzero: Expected out tensor to have scalar type %R but got scalar type%O");
  static constexpr Doc doc = "The coordinates of elements that are not zero, as rows (n, dim).";
  static Tensor call(const Tensor& self) {
    check_countable("nonzero", self);
    return set_coordinates(dense_as(self, DType::Bool));
  }
};

struct Argwhere {
  static constexpr Schema schema = "argwhere(Tensor self) -> Tensor";
  static constexpr Doc doc = "Another name for nonzero.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self) { return Nonzero::call(self); }
};

struct NonzeroStatic {
  static constexpr Schema schema = "nonzero_static(Tensor self, *, int size, int fill_value=-1) -> Tensor";
  static constexpr Doc doc = "The first `size` rows of nonzero; missing ones are filled with a value.";
  static Tensor call(const Tensor& self, std::int64_t size, std::int64_t fill_value) {
    HWARO_CHECK(size >= 0, "nonzero_static: 'size' must be an non-negative integer");
    const Tensor out = make_full({size, self.dim()}, fill_value, DType::Int64, self.device());
    if (self.device().is_meta()) return out;
    const Tensor rows = Nonzero::call(self);
    const std::int64_t count = rows.sizes()[0] < size ? rows.sizes()[0] : size;
    if (count > 0 && self.dim() > 0)
      copy_raw(alias(out, {count, self.dim()}, out.strides(), 0), alias(rows, {count, self.dim()}, rows.strides(), 0));
    return out;
  }
};

struct NonzeroNumpy {
  static constexpr Schema schema = "nonzero_numpy(Tensor self) -> Tensor[]";
  static constexpr Doc doc = "The coordinates of elements that are not zero, one vector per dimension.";
  static constexpr unsigned expose = kInternal;
  static std::vector<Tensor> call(const Tensor& self) {
    const Tensor flat = self.dim() == 0 ? reshape(detach(self), {1}) : self;
    const Tensor rows = Nonzero::call(flat);
    std::vector<Tensor> out;
    for (std::int64_t d = 0; d < flat.dim(); ++d) out.push_back(select(rows, 1, d));
    return out;
  }
};

struct WhereNonzero {
  static constexpr Schema schema = "where(Tensor condition) -> Tensor[]";
  static constexpr Doc doc = "The coordinates where condition is not zero, one vector per dimension.";
  static constexpr auto out_rule = out_same("Expected out type to be %R but got %O");
  static constexpr unsigned expose = kFunction;
  static std::vector<Tensor> call(const Tensor& condition) { return NonzeroNumpy::call(condition); }
};

}  // namespace hwaro::engine

#include "families/index.inc"
