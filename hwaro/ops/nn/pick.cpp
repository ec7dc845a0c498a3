#include "hwaro/ops/nn/pick.h"

#include "hwaro/base/parallel.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/nn/layout.h"
#include "hwaro/ops/nn/pool_kernels.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

// The name of the node that a node's gradient has: "…BackwardBackward0" for "…Backward0".
std::string backward_name(const char* node) {
  std::string name(node);
  return name.insert(name.size() - 1, "Backward");
}

int64_t plane(IntSpan sizes, int dims) {
  int64_t n = 1;
  for (int d = 0; d < dims; ++d) n *= sizes[sizes.size() - 1 - std::size_t(d)];
  return n;
}

Tensor put_back(const Tensor& g, const Tensor& index, IntSpan sizes, int dims, bool channels_last, const char* node);

// out[i] = x[index[i]] plane by plane.
Tensor take_out(const Tensor& x, const Tensor& index, int dims, const char* node) {
  const Tensor out = make_tensor(index.sizes(), x.dtype(), x.device());
  if (!x.device().is_meta() && out.numel() > 0) {
    const Tensor source = dense(x), at = dense(index);
    const int64_t in_plane = plane(x.sizes(), dims), out_plane = plane(index.sizes(), dims);
    visit<kFloatSet>(x.dtype(), "max_pool", [&](auto tag) {
      using T = typename decltype(tag)::type;
      const T* from = source->read_as<T>();
      const std::int32_t* i = at->read_as<std::int32_t>();
      T* to = out->write_as<T>();
      parallel_for(out.numel() / out_plane, 1 + 16384 / out_plane, [&](int64_t begin, int64_t end) {
        for (int64_t p = begin; p < end; ++p)
          for (int64_t k = 0; k < out_plane; ++k) to[p * out_plane + k] = from[p * in_plane + i[p * out_plane + k]];
      });
    });
  }
  if (recording(x))
    record(node, {x}, out, {save(index)},
           [dims, sizes = Dims(x.sizes()), last = is_channels_last(x), node](Backward& b) {
             b.set(0, put_back(b.g(), b.saved(0), sizes, dims, last, node));
           });
  return out;
}

Tensor put_back(const Tensor& g, const Tensor& index, IntSpan sizes, int dims, bool channels_last, const char* node) {
  const DType type = compute_type(g.dtype());
  Tensor out = make_tensor(sizes, type, g.device());
  if (!g.device().is_meta() && out.numel() > 0) {
    const Tensor grad = dense_as(g, type), at = dense(index);
    const int64_t in_plane = plane(sizes, dims), out_plane = plane(index.sizes(), dims), size = int64_t(size_of(type));
    const auto kernel = pool_kernels().max_backward[int(type)];
    PoolGeometry geo;
    geo.in[2] = in_plane;
    geo.out[2] = out_plane;
    const char* from = static_cast<const char*>(grad->read());
    const std::int32_t* i = at->read_as<std::int32_t>();
    char* to = static_cast<char*>(out->write());
    parallel_for(out.numel() / in_plane, 1 + 16384 / in_plane, [&](int64_t begin, int64_t end) {
      kernel(geo, end - begin, from + begin * out_plane * size, i + begin * out_plane, to + begin * in_plane * size);
    });
  }
  out = in_layout(dense_as(out, g.dtype()), channels_last);
  if (recording(g))
    record(backward_name(node), {g}, out, {save(index)},
           [dims, node](Backward& b) { b.set(0, take_out(b.g(), b.saved(0), dims, node)); });
  return out;
}

}  // namespace

Tensor picked_backward(const char* node, const Tensor& g, const Tensor& index, IntSpan sizes, int dims,
                       bool channels_last) {
  return put_back(g, index, sizes, dims, channels_last, node);
}

void record_pick(const char* node, const Tensor& input, const Tensor& out, const Tensor& index, int dims,
                 const Tensor& more) {
  const auto f = [dims, sizes = Dims(input.sizes()), last = is_channels_last(input), node](Backward& b) {
    if (!b.g(0).defined()) return;
    b.set(0, put_back(b.g(0), b.saved(0), sizes, dims, last, node));
  };
  if (more.defined()) record(node, {input}, {out, more}, {save(index)}, f);
  else record(node, {input}, out, {save(index)}, f);
}

}  // namespace hwaro::engine
