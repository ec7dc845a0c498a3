#include "hwaro/ops/reduce/selection.h"

#include "hwaro/base/parallel.h"
#include "hwaro/ops/reduce/plan.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

// Calls f(offset in a dense tensor of `sizes` along dim without the index, offset in index) for every element of index.
template <class F>
void for_each_index(IntSpan sizes, const Tensor& index, int64_t dim, F f) {
  const AlongDim whole(sizes, dim), part(index.sizes(), dim);
  const int64_t* at = index->read_as<int64_t>();
  const int64_t row = part.size * part.inner;
  parallel_for(part.outer, kGrain / (row > 0 ? row : 1) + 1, [&](int64_t begin, int64_t end) {
    for (int64_t o = begin; o < end; ++o)
      for (int64_t i = 0; i < part.size; ++i)
        for (int64_t k = 0; k < part.inner; ++k) {
          const int64_t from = (o * part.size + i) * part.inner + k;
          f((o * whole.size + at[from]) * whole.inner + k, from);
        }
  });
}

}  // namespace

Tensor pick(const Tensor& x, int64_t dim, const Tensor& index) {
  const Tensor out = make_tensor(index.sizes(), x.dtype(), x.device());
  if (!x.device().is_meta() && index.numel() > 0) {
    const Tensor from = dense(x), at = dense(index);
    visit<kAllSet>(x.dtype(), "pick", [&](auto tag) {
      using T = typename decltype(tag)::type;
      const T* src = from->read_as<T>();
      T* dst = out->write_as<T>();
      for_each_index(x.sizes(), at, dim, [&](int64_t i, int64_t k) { dst[k] = src[i]; });
    });
  }
  if (recording(x))
    record("GatherBackward0", {x}, out, {save(index)},
           [dim, sizes = Dims(x.sizes())](Backward& b) { b.set(0, put_back(b.g(), dim, b.saved(0), sizes)); });
  return out;
}

Tensor put_back(const Tensor& g, int64_t dim, const Tensor& index, IntSpan sizes) {
  const DType acc = compute_type(g.dtype());
  Tensor out = make_zeros(sizes, acc, g.device());
  if (!g.device().is_meta() && index.numel() > 0) {
    const Tensor from = dense_as(g, acc), at = dense(index);
    visit<kFloatSet | kComplexSet>(acc, "put_back", [&](auto tag) {
      using T = typename decltype(tag)::type;
      if constexpr (!std::is_same_v<T, Half> && !std::is_same_v<T, BFloat16>) {
        const T* src = from->read_as<T>();
        T* dst = out->write_as<T>();
        for_each_index(sizes, at, dim, [&](int64_t i, int64_t k) { dst[i] = dst[i] + src[k]; });
      }
    });
  }
  out = dense_as(out, g.dtype());
  if (recording(g))
    record("ScatterAddBackward0", {g}, out, {save(index)},
           [dim](Backward& b) { b.set(0, pick(b.g(), dim, b.saved(0))); });
  return out;
}

void record_selection(const char* name, const Tensor& self, const Tensor& values, const Tensor& indices, int64_t dim,
                      bool keepdim) {
  record(name, {self}, {values, indices}, {save(indices)}, [sizes = Dims(self.sizes()), dim, keepdim](Backward& b) {
    const Tensor& g = b.g(0);
    if (!g.defined()) return;
    const Tensor index = b.saved(0);
    if (sizes.empty()) b.set(0, g);
    else if (keepdim) b.set(0, put_back(g, dim, index, sizes));
    else b.set(0, put_back(unsqueeze(g, dim), dim, unsqueeze(index, dim), sizes));
  });
}

}  // namespace hwaro::engine
