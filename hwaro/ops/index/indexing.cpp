// From a subscript to views and to index_tensor.
#include "hwaro/ops/index/indexing.h"

#include <vector>

#include "hwaro/ops/index/advanced.h"
#include "hwaro/ops/index/has_data.h"
#include "hwaro/ops/index/masks.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/shape/slicing.h"
#include "hwaro/ops/copy.h"
#include "hwaro/ops/fill.h"
#include "hwaro/ops/slicing.h"

namespace hwaro::engine {

using std::int64_t;
using Kind = Index::Kind;

namespace {

bool is_mask(const Tensor& t) { return t.dtype() == DType::Bool || t.dtype() == DType::UInt8; }

// How many dimensions of the tensor an entry takes up.
int64_t takes(const Index& i) {
  switch (i.kind) {
    case Kind::Integer:
    case Kind::Slice: return 1;
    case Kind::Tensor: return is_mask(i.tensor) ? i.tensor.dim() : 1;
    default: return 0;
  }
}

int64_t checked_index(int64_t index, int64_t size, int64_t dim) {
  HWARO_CHECK_AS(IndexError, index >= -size && index < size, "index ", index, " is out of bounds for dimension ", dim,
                 " with size ", size);
  return index < 0 ? index + size : index;
}

void check_step(const Index& i) {
  HWARO_CHECK_AS(ValueError, i.step > 0, i.step == 0 ? "slice step cannot be zero" : "step must be greater than zero");
}

Tensor whole_slice(const Tensor& self, int64_t dim, const Index& i) {
  check_step(i);
  return slice(self, dim, i.start, i.stop, i.step);
}

bool is_full(const Index& i, int64_t size) {
  const int64_t start = i.start.value_or(0);
  return i.step == 1 && start == 0 && i.stop.value_or(size) >= size;
}

// True picks the one index of a new dimension, False none.
Tensor bool_index(bool value) { return make_zeros({value ? 1 : 0}, DType::Int64); }

struct Sliced {
  Tensor view;
  std::vector<Tensor> indices;  // by dimension of the view, as index_tensor takes them
};

// What only changes geometry is gathered in here, so that a subscript makes one view and not one per entry.
class Geometry {
 public:
  Geometry(const Tensor& self) : sizes_(self.sizes()), strides_(self.strides()), offset_(self->offset) {}  // NOLINT
  void select(int64_t dim, int64_t index) {
    whole_ = false;
    offset_ += index * strides_[dim];
    sizes_.erase(std::size_t(dim));
    strides_.erase(std::size_t(dim));
  }
  void slice(int64_t dim, const Index& i) {
    const int64_t size = sizes_[dim];
    whole_ = whole_ && is_full(i, size);
    int64_t start = i.start.value_or(0), end = i.stop.value_or(size);
    if (start < 0) start += size;
    if (end < 0) end += size;
    start = start < 0 ? 0 : start > size ? size : start;
    end = end < start ? start : end > size ? size : end;
    offset_ += start * strides_[dim];
    sizes_[dim] = (end - start + i.step - 1) / i.step;
    strides_[dim] *= i.step;
  }
  void unsqueeze(int64_t dim) {
    whole_ = false;
    strides_.insert(std::size_t(dim), dim < int64_t(sizes_.size()) ? sizes_[dim] * strides_[dim] : 1);
    sizes_.insert(std::size_t(dim), 1);
  }
  int64_t size(int64_t dim) const { return sizes_[dim]; }
  int64_t dim() const { return int64_t(sizes_.size()); }
  // self itself where all entries say so; not where it just comes out the same.
  Tensor view_of(const Tensor& self) const { return whole_ ? self : make_view(self, sizes_, strides_, offset_); }

 private:
  Dims sizes_, strides_;
  int64_t offset_;
  bool whole_ = true;
};

// The same, with a recorded view per entry.
class Recorded {
 public:
  Recorded(const Tensor& self) : view_(self) {}  // NOLINT
  void select(int64_t dim, int64_t index) { view_ = select_view(view_, dim, index); }
  void slice(int64_t dim, const Index& i) {
    if (!is_full(i, view_.sizes()[dim])) view_ = engine::slice(view_, dim, i.start, i.stop, i.step);
  }
  void unsqueeze(int64_t dim) { view_ = engine::unsqueeze(view_, dim); }
  int64_t size(int64_t dim) const { return view_.sizes()[dim]; }
  int64_t dim() const { return view_.dim(); }
  Tensor view_of(const Tensor&) const { return view_; }

 private:
  Tensor view_;
};

void put_index(std::vector<Tensor>& indices, int64_t dim, const Tensor& index) {
  while (int64_t(indices.size()) < dim) indices.emplace_back();
  indices.push_back(index);
}

template <class View>
Sliced apply(const Tensor& self, Span<Index> indices) {
  int64_t taken = 0;
  for (const Index& i : indices) taken += takes(i);
  HWARO_CHECK_AS(IndexError, taken <= self.dim(), "too many indices for tensor of dimension ", self.dim());
  View view(self);
  Sliced out;
  int64_t dim = 0;     // the next dimension of the view
  int64_t place = 0;   // entries of index_tensor's list so far; differs from dim where masks cover several dimensions
  int64_t entry = -1;  // messages count entries, not dimensions
  for (const Index& i : indices) {
    ++entry;
    if (i.kind == Kind::Tensor) check_has_data(self, {i.tensor});
    switch (i.kind) {
      case Kind::Integer: view.select(dim, checked_index(i.integer, view.size(dim), entry)); break;
      case Kind::Slice:
        check_step(i);
        view.slice(dim, i);
        ++dim, ++place;
        break;
      case Kind::Ellipsis: {
        const int64_t skip = self.dim() - taken;
        dim += skip, place += skip;
        taken = self.dim();  // a second ellipsis stands for nothing
        break;
      }
      case Kind::None:
        view.unsqueeze(dim);
        ++dim, ++place;
        break;
      case Kind::Bool:
        view.unsqueeze(dim);
        put_index(out.indices, place, bool_index(i.boolean));
        ++dim, ++place;
        break;
      case Kind::Tensor: {
        const Tensor& t = i.tensor;
        if (t.dim() == 0 && is_integral(t.dtype()) && !is_mask(t) && !t.device().is_meta()) {
          view.select(dim, checked_index(*dense_as(t, DType::Int64)->read_as<int64_t>(), view.size(dim), entry));
        } else if (t.dim() == 0 && is_mask(t)) {
          check_countable("nonzero", t);
          view.unsqueeze(dim);
          put_index(out.indices, place, bool_index(*dense_as(t, DType::Bool)->read_as<bool>()));
          ++dim, ++place;
        } else {
          const int64_t covers = takes(i);
          put_index(out.indices, place, t);
          dim += covers, ++place;
        }
        break;
      }
    }
  }
  out.view = view.view_of(self);
  return out;
}

Sliced apply(const Tensor& self, Span<Index> indices) {
  return recording(self) ? apply<Recorded>(self, indices) : apply<Geometry>(self, indices);
}

void check_not_zero_dim(const Tensor& self) {
  HWARO_CHECK_AS(IndexError, self.dim() > 0,
                 "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to "
                 "convert a 0-dim tensor to "
                 "a number");
}

// Leading dimensions of size 1 are dropped from an assigned value.
Tensor without_leading_ones(const Tensor& value) {
  std::size_t ones = 0;
  while (ones < value.sizes().size() && value.sizes()[ones] == 1) ++ones;
  if (ones == 0) return value;
  return reshape(value, {value.sizes().data() + ones, value.sizes().size() - ones});
}

void check_single(const Tensor& self, Span<Index> indices) {
  if (indices.size() != 1) return;
  if (indices[0].kind == Kind::Integer) check_not_zero_dim(self);
  HWARO_CHECK_AS(IndexError, indices[0].kind != Kind::Slice || self.dim() > 0,
                 "slice() cannot be applied to a 0-dim tensor.");
}

}  // namespace

Tensor get_item(const Tensor& self, Span<Index> indices) {
  check_single(self, indices);
  if (indices.size() == 1) {
    const Index& i = indices[0];
    switch (i.kind) {
      case Kind::Integer: return select_view(self, 0, checked_index(i.integer, self.sizes()[0], 0));
      case Kind::Slice: return whole_slice(self, 0, i);
      case Kind::None: return unsqueeze(self, 0);
      case Kind::Ellipsis: return engine::alias(self);
      case Kind::Tensor:
        // A mask or a list of rows for the leading dimensions: no view is needed.
        if (i.tensor.dim() > 0) {
          HWARO_CHECK_AS(IndexError, takes(i) <= self.dim(), "too many indices for tensor of dimension ", self.dim());
          return index_tensor(self, {&i.tensor, 1});
        }
        break;
      default: break;
    }
  }
  const Sliced s = apply(self, indices);
  if (!s.indices.empty()) return index_tensor(s.view, s.indices);
  return s.view.is_same(self) ? engine::alias(self) : s.view;
}

void set_item(const Tensor& self, Span<Index> indices, const Tensor& value) {
  check_single(self, indices);
  const Sliced s = apply(self, indices);
  if (s.indices.empty()) {
    const Tensor& to = s.view;
    const Tensor from = to.sizes() == value.sizes() ? value : without_leading_ones(value);
    if (to.sizes() == value.sizes()) copy_(to, value, false);
    else if (value.dim() == 0) fill_(to, value);
    else if (to.sizes() == from.sizes()) copy_(to, from, false);
    else copy_(to, expand(from, to.sizes()), false);
    return;
  }
  Tensor v = without_leading_ones(value);
  if (v->is(kWrappedNumber)) v = to_dtype(v, self.dtype());
  index_put_tensor(s.view, s.indices, v, false, true);
}

}  // namespace hwaro::engine
