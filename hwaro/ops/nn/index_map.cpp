#include "hwaro/ops/nn/index_map.h"

#include <cstring>

#include "hwaro/base/parallel.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

struct Planes {
  int64_t count = 1;  // product of the dimensions before the mapped ones
  int64_t in[3] = {1, 1, 1}, out[3] = {1, 1, 1};
  const int64_t* map[3] = {};
  int64_t in_size() const { return in[0] * in[1] * in[2]; }
  int64_t out_size() const { return out[0] * out[1] * out[2]; }
};

const int64_t kZero = 0;

Planes planes_of(IntSpan in_sizes, const IndexMaps& maps) {
  Planes p;
  const std::size_t first = in_sizes.size() - maps.size();
  for (std::size_t d = 0; d < first; ++d) p.count *= in_sizes[d];
  for (int64_t const*& m : p.map) m = &kZero;
  for (std::size_t d = 0; d < maps.size(); ++d) {
    const std::size_t to = 3 - maps.size() + d;
    p.in[to] = in_sizes[first + d];
    p.out[to] = int64_t(maps[d].size());
    p.map[to] = maps[d].data();
  }
  return p;
}

int64_t grain_for(int64_t plane) { return 1 + kGrain / (plane + 1); }

template <class T>
void gather(const Planes& p, const T* in, T* out) {
  parallel_for(p.count, grain_for(p.out_size()), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      T* to = out + i * p.out_size();
      for (int64_t a = 0; a < p.out[0]; ++a)
        for (int64_t b = 0; b < p.out[1]; ++b) {
          const int64_t ia = p.map[0][a], ib = p.map[1][b];
          if (ia < 0 || ib < 0) {
            std::memset(static_cast<void*>(to), 0, std::size_t(p.out[2]) * sizeof(T));
            to += p.out[2];
            continue;
          }
          const T* row = in + i * p.in_size() + (ia * p.in[1] + ib) * p.in[2];
          for (int64_t c = 0; c < p.out[2]; ++c) *to++ = p.map[2][c] < 0 ? T{} : row[p.map[2][c]];
        }
    }
  });
}

template <class T>
void scatter(const Planes& p, const T* grad, T* out) {
  parallel_for(p.count, grain_for(p.out_size()), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const T* from = grad + i * p.out_size();
      T* plane = out + i * p.in_size();
      for (int64_t k = 0; k < p.in_size(); ++k) plane[k] = T{};
      for (int64_t a = 0; a < p.out[0]; ++a)
        for (int64_t b = 0; b < p.out[1]; ++b, from += p.out[2]) {
          const int64_t ia = p.map[0][a], ib = p.map[1][b];
          if (ia < 0 || ib < 0) continue;
          T* row = plane + (ia * p.in[1] + ib) * p.in[2];
          for (int64_t c = 0; c < p.out[2]; ++c)
            if (p.map[2][c] >= 0) row[p.map[2][c]] = T(row[p.map[2][c]] + from[c]);
        }
    }
  });
}

struct SixteenBytes {
  std::uint64_t a, b;
};

Dims mapped_sizes(IntSpan in_sizes, const IndexMaps& maps) {
  Dims sizes(in_sizes);
  for (std::size_t d = 0; d < maps.size(); ++d) sizes[sizes.size() - maps.size() + d] = int64_t(maps[d].size());
  return sizes;
}

// (outer, in, inner) -> (outer, out, inner), or back.
template <class T>
void tap_pass(const Taps& taps, bool transposed, int64_t outer, int64_t inner, const T* from, T* to) {
  const int64_t n_from = transposed ? taps.out : taps.in, n_to = transposed ? taps.in : taps.out;
  parallel_for(outer, grain_for(n_to * inner * taps.count), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const T* source = from + i * n_from * inner;
      T* target = to + i * n_to * inner;
      for (int64_t k = 0; k < n_to * inner; ++k) target[k] = T(0);
      for (int64_t o = 0; o < taps.out; ++o)
        for (int64_t t = 0; t < taps.count; ++t) {
          const T w = T(taps.weight[std::size_t(o * taps.count + t)]);
          const int64_t j = taps.index[std::size_t(o * taps.count + t)];
          if (w == T(0)) continue;
          const T* s = source + (transposed ? o : j) * inner;
          T* d = target + (transposed ? j : o) * inner;
          for (int64_t k = 0; k < inner; ++k) d[k] += w * s[k];
        }
    }
  });
}

Tensor run_taps(const Tensor& in, const std::vector<Taps>& taps, bool transposed) {
  const DType type = compute_type(in.dtype());
  Tensor now = dense_as(in, type);
  const int first = in.dim() - int(taps.size());
  // The rows before the columns, so that the inner loop runs along memory for all but the last dimension.
  for (std::size_t d = 0; d < taps.size(); ++d) {
    const int dim = first + int(d);
    Dims sizes(now.sizes());
    int64_t outer = 1, inner = 1;
    for (int i = 0; i < dim; ++i) outer *= sizes[i];
    for (int i = dim + 1; i < in.dim(); ++i) inner *= sizes[i];
    sizes[dim] = transposed ? taps[d].in : taps[d].out;
    const Tensor next = make_tensor(sizes, type, in.device());
    visit<bit(DType::Float) | bit(DType::Double)>(type, "upsample", [&](auto tag) {
      using T = typename decltype(tag)::type;
      tap_pass<T>(taps[d], transposed, outer, inner, now->read_as<T>(), next->write_as<T>());
    });
    now = next;
  }
  return dense_as(now, in.dtype());
}

}  // namespace

Tensor gather_map(const Tensor& in, const IndexMaps& maps) {
  const Tensor out = make_tensor(mapped_sizes(in.sizes(), maps), in.dtype(), in.device());
  if (in.device().is_meta() || out.numel() == 0) return out;
  const Tensor x = dense(in);
  const Planes p = planes_of(in.sizes(), maps);
  const void* from = x->read();
  void* to = out->write();
  switch (size_of(in.dtype())) {
    case 1: gather(p, static_cast<const std::uint8_t*>(from), static_cast<std::uint8_t*>(to)); break;
    case 2: gather(p, static_cast<const std::uint16_t*>(from), static_cast<std::uint16_t*>(to)); break;
    case 4: gather(p, static_cast<const std::uint32_t*>(from), static_cast<std::uint32_t*>(to)); break;
    case 8: gather(p, static_cast<const std::uint64_t*>(from), static_cast<std::uint64_t*>(to)); break;
    default: gather(p, static_cast<const SixteenBytes*>(from), static_cast<SixteenBytes*>(to)); break;
  }
  return out;
}

Tensor scatter_map(const Tensor& grad, IntSpan in_sizes, const IndexMaps& maps) {
  const DType type = compute_type(grad.dtype());
  const Tensor out = make_tensor(in_sizes, type, grad.device());
  if (grad.device().is_meta()) return make_tensor(in_sizes, grad.dtype(), grad.device());
  const Tensor g = dense_as(grad, type);
  visit<bit(DType::Float) | bit(DType::Double) | kComplexSet>(type, "scatter_map", [&](auto tag) {
    using T = typename decltype(tag)::type;
    scatter<T>(planes_of(in_sizes, maps), g->read_as<T>(), out->write_as<T>());
  });
  return dense_as(out, grad.dtype());
}

Tensor apply_taps(const Tensor& in, const std::vector<Taps>& taps) { return run_taps(in, taps, false); }
Tensor apply_taps_transposed(const Tensor& grad, const std::vector<Taps>& taps) { return run_taps(grad, taps, true); }

}  // namespace hwaro::engine
