// Indexing with tensors.
//   1. Masks become one index tensor per dimension that they cover; all index tensors are broadcast together.
//   2. Each place of the index tensors becomes one offset, with its bounds checked; nothing after that can fail.
//   3. What is not indexed is split into what comes before the index tensors (walked outside) and what comes after
//      (copied as rows: positions.cpp). Where the indexed dimensions are not neighbours, all the rest comes after, as in
//      NumPy.
#include "hwaro/ops/index/advanced.h"

#include "hwaro/ops/create/fill.h"
#include "hwaro/ops/index/has_data.h"
#include "hwaro/ops/index/masks.h"
#include "hwaro/ops/index/write.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

bool is_mask(const Tensor& t) { return t.dtype() == DType::Bool || t.dtype() == DType::UInt8; }

// Undefined for dimensions that are not indexed; a mask gives one entry per dimension that it covers.
std::vector<Tensor> expand_masks(const Tensor& self, Span<Tensor> indices) {
  std::vector<Tensor> out;
  for (const Tensor& index : indices) {
    if (!index.defined()) {
      out.emplace_back();
      continue;
    }
    const DType type = index.dtype();
    HWARO_CHECK_AS(IndexError, type == DType::Int64 || type == DType::Int32 || is_mask(index),
                   "tensors used as indices must be long, int, byte or bool tensors");
    if (!is_mask(index)) {
      out.push_back(index);
      continue;
    }
    if (type == DType::UInt8)
      warn("indexing with dtype torch.uint8 is now deprecated, please use a dtype torch.bool instead.");
    for (int64_t d = 0; d < index.dim(); ++d) {
      const int64_t at = int64_t(out.size()) + d;
      HWARO_CHECK_AS(IndexError, at < self.dim(), "too many indices for tensor of dimension ", self.dim());
      HWARO_CHECK_AS(IndexError, index.sizes()[d] == self.sizes()[at], "The shape of the mask ",
                     sizes_str(index.sizes()), " at index ", d, " does not match the shape of the indexed tensor ",
                     sizes_str(self.sizes()), " at index ", at);
    }
    const Tensor coordinates = set_coordinates(dense_mask(index));
    for (int64_t d = 0; d < index.dim(); ++d)
      out.push_back(
          alias(coordinates, {coordinates.sizes()[0]}, {coordinates.strides()[0]}, d * coordinates.strides()[1]));
  }
  HWARO_CHECK_AS(IndexError, int64_t(out.size()) <= self.dim(), "too many indices for tensor of dimension ", self.dim(),
                 " (got ", out.size(), ")");
  return out;
}

Dims common_shape(const std::vector<Tensor>& indices) {
  Dims shape;
  try {
    for (const Tensor& t : indices)
      if (t.defined()) broadcast_into(shape, t.sizes());
  } catch (const Error&) {
    std::string all;
    for (const Tensor& t : indices)
      if (t.defined()) all += (all.empty() ? "" : ", ") + sizes_str(t.sizes());
    raise<IndexError>("shape mismatch: indexing tensors could not be broadcast together with shapes ", all);
  }
  return shape;
}

}  // namespace

IndexPlan plan_index(const Tensor& self, Span<Tensor> indices) {
  const std::vector<Tensor> each = expand_masks(self, indices);
  const Dims shape = common_shape(each);
  IndexPlan plan;
  plan.sizes = Dims(self.sizes());
  int64_t first = -1, last = -1;
  for (int64_t d = 0; d < int64_t(each.size()); ++d) {
    if (!each[d].defined()) continue;
    if (first < 0) first = d;
    last = d;
    plan.indexed.push_back(d);
    Tensor index = each[d].dtype() == DType::Int64 ? each[d] : dense_as(each[d], DType::Int64);
    if (index.sizes() != IntSpan(shape)) {
      Dims strides(shape.size(), 0);
      const std::size_t skip = shape.size() - index.sizes().size();
      for (std::size_t k = skip; k < shape.size(); ++k)
        strides[k] = index.sizes()[k - skip] == 1 ? 0 : index.strides()[k - skip];
      index = alias(index, shape, strides, index->offset);
    }
    plan.indices.push_back(dense(index));
  }
  const bool neighbours = last - first + 1 == int64_t(plan.indexed.size());
  for (int64_t d = 0; d < self.dim(); ++d) {
    if (d < int64_t(each.size()) && each[d].defined()) continue;
    if (neighbours && d < first) plan.outer.push_back(d), plan.outer_count *= self.sizes()[d];
    else plan.inner.push_back(d), plan.inner_count *= self.sizes()[d];
  }
  plan.index_count = product(shape);
  for (int64_t d : plan.outer) plan.shape.push_back(self.sizes()[d]);
  for (int64_t s : shape) plan.shape.push_back(s);
  for (int64_t d : plan.inner) plan.shape.push_back(self.sizes()[d]);
  return plan;
}

Tensor index_positions(const IndexPlan& plan, IntSpan strides) {
  const int64_t n = plan.index_count;
  const Tensor out = make_tensor({n}, DType::Int64);
  int64_t* to = out->write_as<int64_t>();
  for (std::size_t k = 0; k < plan.indices.size(); ++k) {
    const int64_t* index = plan.indices[k]->read_as<int64_t>();
    const int64_t size = plan.sizes[plan.indexed[k]], stride = strides[plan.indexed[k]];
    HWARO_CHECK_AS(IndexError, size > 0 || n == 0, "index is out of bounds for dimension with size 0");
    bool bad = false;
    for (int64_t i = 0; i < n; ++i) {
      const int64_t at = index[i] + (index[i] < 0 ? size : 0);
      bad |= std::uint64_t(at) >= std::uint64_t(size);
      to[i] = (k == 0 ? 0 : to[i]) + at * stride;
    }
    if (!bad || product(plan.shape) == 0) continue;  // a result without elements reads nothing, so all is well
    for (int64_t i = 0; i < n; ++i)
      HWARO_CHECK_AS(IndexError, index[i] >= -size && index[i] < size, "index ", index[i],
                     " is out of bounds for dimension ", k, " with size ", size);
  }
  return out;
}

// ---- recorded ----

namespace {

Tensor gather_recorded(const Tensor& self, const IndexGeometry& geo, const Tensor& linear);

// The gradient of a gather: g added up at the positions in zeros. `linear` counts in row-major order.
Tensor scatter_recorded(const Tensor& g, const IndexGeometry& geo, const Tensor& linear) {
  const Tensor out = fresh_zeros(geo.sizes, g.dtype(), g.device());
  if (!g.device().is_meta()) scatter_positions(out, g, geo, linear, true);
  if (recording(g))
    record("IndexPutBackward0", {g}, out, {save(linear)},
           [geo](Backward& b) { b.set(0, gather_recorded(b.g(), geo, b.saved(0))); });
  return out;
}

void record_gather(const Tensor& self, const Tensor& out, const IndexGeometry& geo, const Tensor& linear) {
  record("IndexBackward0", {self}, out, {save(linear)},
         [geo](Backward& b) { b.set(0, scatter_recorded(b.g(), geo, b.saved(0))); });
}

Tensor gather_recorded(const Tensor& self, const IndexGeometry& geo, const Tensor& linear) {
  const Tensor out = make_tensor(geo.shape, self.dtype(), self.device());
  if (!self.device().is_meta()) gather_positions(out, dense(self), geo, linear);
  if (recording(self)) record_gather(self, out, geo, linear);
  return out;
}

// A copy of t with zeros at the positions: the gradient of what was overwritten.
Tensor clear_recorded(const Tensor& t, const IndexGeometry& geo, const Tensor& linear) {
  const Tensor out = clone(detach(t), MemoryFormat::Contiguous);
  if (!t.device().is_meta()) scatter_positions(out, make_zeros({}, t.dtype()), geo, linear, false);
  if (recording(t))
    record("IndexPutBackward0", {t}, out, {save(linear)},
           [geo](Backward& b) { b.set(0, clear_recorded(b.g(), geo, b.saved(0))); });
  return out;
}

// The one mask that has exactly self's shape, the common case, or null.
const Tensor* whole_mask(const Tensor& self, Span<Tensor> indices) {
  const Tensor* mask = nullptr;
  for (const Tensor& t : indices) {
    if (!t.defined()) continue;
    if (mask) return nullptr;
    mask = &t;
  }
  return mask && mask == &indices[0] && mask->dtype() == DType::Bool && mask->dim() > 0 &&
                 mask->sizes() == self.sizes() && !mask->device().is_meta()
             ? mask
             : nullptr;
}

// Whether an assignment of one element means to fill behind a single mask, which converts it.
bool fills_mask(const Tensor& self, Span<Tensor> indices) {
  const Tensor* mask = nullptr;
  for (const Tensor& t : indices) {
    if (!t.defined()) continue;
    if (mask || (t.dtype() != DType::Bool && t.dtype() != DType::UInt8)) return false;
    mask = &t;
  }
  return mask && !self.device().is_meta();
}

Tensor expand_mask_recorded(const Tensor& g, const Tensor& mask);

Tensor compress_recorded(const Tensor& self, const Tensor& mask) {
  const Tensor out = compress(dense(self), mask);
  if (recording(self))
    record("IndexBackward0", {self}, out, {save(mask)},
           [](Backward& b) { b.set(0, expand_mask_recorded(b.g(), b.saved(0))); });
  return out;
}

Tensor expand_mask_recorded(const Tensor& g, const Tensor& mask) {
  const Tensor m = dense_mask(mask);
  const Tensor out = fresh_zeros(mask.sizes(), g.dtype(), g.device());
  uncompress(out, m, dense(g));
  if (recording(g))
    record("IndexPutBackward0", {g}, out, {save(m)},
           [](Backward& b) { b.set(0, compress_recorded(b.g(), b.saved(0))); });
  return out;
}

// g with zeros where the mask is set.
Tensor clear_mask_recorded(const Tensor& g, const Tensor& mask) {
  const Tensor m = dense_mask(mask), out = clone(detach(g), MemoryFormat::Contiguous);
  fill_masked(out, m, make_zeros({}, g.dtype()));
  if (recording(g))
    record("IndexPutBackward0", {g}, out, {save(m)},
           [](Backward& b) { b.set(0, clear_mask_recorded(b.g(), b.saved(0))); });
  return out;
}

// self[mask] = one value: no positions are needed.
Tensor fill_whole_mask(const Tensor& self, const Tensor& mask, const Tensor& given, bool inplace, bool recorded) {
  const Tensor value = inplace && recorded ? history_of(given) : given;
  const Tensor target = inplace ? self : clone(detach(self)), m = dense_mask(mask), work = dense(target);
  fill_masked(work, m, dense(value));
  if (work.impl() != target.impl()) copy_raw(target, work);
  if (inplace) self->bump_version();
  if (!recorded) return target;
  auto backward = [sizes = Dims(value.sizes())](Backward& b) {
    if (b.needs(0)) b.set(0, clear_mask_recorded(b.g(), b.saved(0)));
    if (b.needs(1)) b.set(1, reshape(sum_all(compress_recorded(b.g(), dense_mask(b.saved(0)))), sizes));
  };
  if (inplace) record_inplace("IndexPutBackward0", self, {self, value}, {save(mask)}, backward);
  else record("IndexPutBackward0", {self, value}, target, {save(mask)}, backward);
  return target;
}

void check_no_meta(const Tensor& self, Span<Tensor> indices) {
  for (const Tensor& t : indices)
    HWARO_CHECK(!t.defined() || t.device().is_meta() == self.device().is_meta() || t.device().is_cpu(),
                "indices should be either on cpu or on the same device as the indexed tensor (", self.device().str(),
                ")");
  for (const Tensor& t : indices) check_has_data(self, {t});
}

}  // namespace

// The same elements in the order of dimensions that the operands have: those of self, zero where it is indexed, and the
// index, which has the others.
static Tensor in_order_of(const Tensor& out, const Tensor& self, const IndexPlan& plan) {
  Dims of_self, of_index;
  auto stride_of = [&](int64_t d) { return self.sizes()[d] == 1 ? 0 : self.strides()[d]; };
  for (int64_t d : plan.outer) of_self.push_back(stride_of(d)), of_index.push_back(0);
  const std::size_t indexed = plan.shape.size() - plan.outer.size() - plan.inner.size();
  const Dims index_strides = contiguous_strides(IntSpan(plan.shape.data() + plan.outer.size(), indexed));
  for (int64_t s : index_strides) of_self.push_back(0), of_index.push_back(s);
  for (int64_t d : plan.inner) of_self.push_back(stride_of(d)), of_index.push_back(0);
  const Tensor a = alias(self, plan.shape, of_self, 0), b = alias(self, plan.shape, of_index, 0);
  const TensorImpl* operands[] = {a.impl(), b.impl()};
  const Dims strides = output_strides(plan.shape, {operands, 2});
  if (strides == Dims(out.strides())) return out;
  const Tensor ordered = make_strided(plan.shape, strides, out.dtype(), out.device());
  copy_raw(ordered, out);
  return ordered;
}

Tensor index_tensor(const Tensor& self, Span<Tensor> indices) {
  check_no_meta(self, indices);
  if (const Tensor* mask = whole_mask(self, indices); mask && !self.device().is_meta())
    return compress_recorded(self, dense_mask(*mask));
  const Tensor source = self.is_conj() ? dense(self) : self;
  const IndexPlan plan = plan_index(self, indices);
  const IndexGeometry geo(plan);
  Tensor out = make_tensor(plan.shape, self.dtype(), self.device());
  if (self.device().is_meta()) return out;
  const Tensor positions = index_positions(plan, source.strides());
  gather_positions(out, source, geo, positions);
  if (!self.is_contiguous()) out = in_order_of(out, self, plan);
  if (recording(self))
    record_gather(self, out, geo,
                  source.is_contiguous() ? positions : index_positions(plan, contiguous_strides(self.sizes())));
  return out;
}

Tensor index_put_tensor(const Tensor& self, Span<Tensor> indices, const Tensor& given, bool accumulate, bool inplace) {
  check_no_meta(self, indices);
  check_has_data(self, {given});
  const bool fills = !accumulate && given.numel() == 1 && fills_mask(self, indices);
  if (fills && given.dtype() != self.dtype()) check_fits(number_of(given), self.dtype());
  const Tensor values = fills ? to_dtype(given, self.dtype()) : given;
  const Tensor source = inplace ? history_of(values) : values;
  const bool recorded = recording(self, values) && is_differentiable(self.dtype());
  if (inplace) check_inplace(self, recorded);
  if (inplace && has_internal_overlap(*self.impl()))
    warn(
        "Use of index_put_ on expanded tensors is deprecated. Please clone() the tensor before performing this "
        "operation. This also "
        "applies to advanced indexing e.g. tensor[indices] = tensor");
  if (const Tensor* mask = whole_mask(self, indices); mask && values.numel() == 1 && values.dim() <= 1 &&
                                                      values.dtype() == self.dtype() && !accumulate &&
                                                      !self.device().is_meta())
    return fill_whole_mask(self, *mask, values, inplace, recorded);
  if (inplace && !fills) check_apart(self, values);
  const IndexPlan plan = plan_index(self, indices);
  const IndexGeometry geo(plan);
  Dims shape(values.sizes());
  bool fits = true;
  try {
    broadcast_into(shape, geo.shape);
    fits = shape == geo.shape;
  } catch (const Error&) {
    fits = false;
  }
  HWARO_CHECK(fits, "shape mismatch: value tensor of shape ", sizes_str(values.sizes()),
              " cannot be broadcast to indexing result of shape ", sizes_str(geo.shape));
  HWARO_CHECK(self.dtype() == values.dtype(), "Index put requires the source and destination dtypes match, got ",
              scalar_type_name(self.dtype()), " for the destination and ", scalar_type_name(values.dtype()),
              " for the source.");
  const Tensor target = inplace ? self : clone(detach(self));
  Tensor linear;
  if (!self.device().is_meta()) {
    const Tensor work = target.is_conj() ? dense(target) : target;
    const Tensor positions = index_positions(plan, work.strides());
    const bool shared = values->storage == work->storage;
    scatter_positions(work, shared ? clone(detach(values)) : values, geo, positions, accumulate);
    if (work.impl() != target.impl()) copy_raw(target, work);
    if (recorded) linear = work.is_contiguous() ? positions : index_positions(plan, contiguous_strides(self.sizes()));
  }
  if (inplace) self->bump_version();
  if (!recorded) return target;
  auto backward = [geo, accumulate, value_sizes = Dims(values.sizes())](Backward& b) {
    if (b.needs(0)) b.set(0, accumulate ? b.g() : clear_recorded(b.g(), geo, b.saved(0)));
    if (b.needs(1)) b.set(1, sum_to_size(gather_recorded(b.g(), geo, b.saved(0)), value_sizes));
  };
  if (inplace) record_inplace("IndexPutBackward0", self, {self, source}, {save(linear)}, backward);
  else record("IndexPutBackward0", {self, values}, target, {save(linear)}, backward);
  return target;
}

}  // namespace hwaro::engine
