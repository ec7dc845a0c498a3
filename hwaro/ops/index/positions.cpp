// Moving elements between a tensor and the places that an index plan names.
// Writes run in the order of the index tensors, so that the last of several writes to one place wins and sums are
// added up in one order; they are only split over places that cannot coincide.
#include <cstring>

#include "hwaro/base/parallel.h"
#include "hwaro/ops/index/advanced.h"
#include "hwaro/ops/index/index_kernels.h"
#include "hwaro/ops/kinds/support.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

// Dimensions merged as far as the strides allow; the innermost comes last. Never empty.
struct Walk {
  Dims sizes, strides;
  int64_t run() const { return sizes.back(); }
  bool flat() const { return sizes.size() == 1 && (strides[0] == 1 || sizes[0] == 1); }
  int64_t rows() const {
    int64_t n = 1;
    for (std::size_t d = 0; d + 1 < sizes.size(); ++d) n *= sizes[d];
    return n;
  }
};

Walk merged(const Dims& which, const Dims& sizes, IntSpan strides) {
  Walk w;
  for (int64_t d : which) {
    if (sizes[d] == 1) continue;
    if (!w.sizes.empty() && w.strides.back() == strides[d] * sizes[d]) {
      w.sizes.back() *= sizes[d];
      w.strides.back() = strides[d];
    } else {
      w.sizes.push_back(sizes[d]);
      w.strides.push_back(strides[d]);
    }
  }
  if (w.sizes.empty()) w.sizes.push_back(1), w.strides.push_back(1);
  return w;
}

// The offset of the i-th element of a walk in row-major order.
int64_t offset_at(const Walk& w, int64_t i) {
  int64_t offset = 0;
  for (std::size_t d = w.sizes.size(); d-- > 0;) {
    offset += i % w.sizes[d] * w.strides[d];
    i /= w.sizes[d];
  }
  return offset;
}

// Calls f(offset of the row in the walk, row number) for each row of a walk.
template <class F>
void each_row(const Walk& w, F&& f) {
  if (w.sizes.size() == 1) {
    f(int64_t(0), int64_t(0));
    return;
  }
  Dims index(w.sizes.size() - 1, 0);
  int64_t offset = 0;
  for (int64_t row = 0, rows = w.rows(); row < rows; ++row) {
    f(offset, row);
    for (std::size_t d = index.size(); d-- > 0;) {
      offset += w.strides[d];
      if (++index[d] < w.sizes[d]) break;
      offset -= index[d] * w.strides[d];
      index[d] = 0;
    }
  }
}

// Runs f<T>() with an unsigned type of the given size: indexing moves bytes and does not look at them.
struct Sixteen {
  std::uint64_t a, b;
};
template <class F>
void by_size(std::size_t bytes, F&& f) {
  switch (bytes) {
    case 1: return f(TypeTag<std::uint8_t>{});
    case 2: return f(TypeTag<std::uint16_t>{});
    case 4: return f(TypeTag<std::uint32_t>{});
    case 8: return f(TypeTag<std::uint64_t>{});
    default: return f(TypeTag<Sixteen>{});
  }
}

template <class T>
void add_to(T& to, T value) {
  if constexpr (std::is_same_v<T, bool>) to = to || value;
  else if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) to = T(float(to) + float(value));
  else if constexpr (contains(kComplexSet, dtype_of<T>)) to.re += value.re, to.im += value.im;
  else to = T(to + value);
}

constexpr int64_t kMoveGrain = 16384;  // elements per chunk

}  // namespace

void gather_positions(const Tensor& out, const Tensor& self, const IndexGeometry& geo, const Tensor& positions) {
  if (out.numel() == 0) return;
  const Walk outer = merged(geo.outer, geo.sizes, self.strides()), inner = merged(geo.inner, geo.sizes, self.strides());
  const int64_t* offsets = positions->read_as<int64_t>();
  const int64_t width = geo.inner_count;
  by_size(self.element_size(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* from = static_cast<const T*>(self->read());
    T* to = static_cast<T*>(out->write());
    const int64_t grain = width >= kMoveGrain ? 1 : kMoveGrain / width;
    parallel_for(geo.outer_count * geo.index_count, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end;) {
        const int64_t o = i / geo.index_count, j0 = i % geo.index_count;
        const int64_t j1 = geo.index_count - j0 < end - i ? geo.index_count : j0 + (end - i);
        const T* base = from + offset_at(outer, o);
        T* row = to + i * width;
        if (width == 1) {
          for (int64_t j = j0; j < j1; ++j) *row++ = base[offsets[j]];
        } else if (inner.flat()) {
          for (int64_t j = j0; j < j1; ++j, row += width)
            std::memcpy(row, base + offsets[j], std::size_t(width) * sizeof(T));
        } else {
          const int64_t run = inner.run(), stride = inner.strides.back();
          for (int64_t j = j0; j < j1; ++j)
            each_row(inner, [&](int64_t offset, int64_t) {
              const T* p = base + offsets[j] + offset;
              for (int64_t k = 0; k < run; ++k) *row++ = p[k * stride];
            });
        }
        i += j1 - j0;
      }
    });
  });
}

namespace {

// Writes rows of `values` (dense, or one element for all) to the positions. `put` writes one element, `put_row` a
// contiguous run of them.
template <class T, class Put, class PutRow>
void scatter_loop(T* to, const T* values, bool single, const Walk& outer, const Walk& inner, const IndexGeometry& geo,
                  const int64_t* offsets, Put put, PutRow put_row) {
  const int64_t width = geo.inner_count, n = geo.index_count;
  const int64_t step = single ? 0 : 1;
  auto rows = [&](int64_t o, int64_t begin, int64_t end) {  // a range of the inner walk's flat run, or all of it
    T* base = to + offset_at(outer, o);
    const T* from = values + step * o * n * width;
    if (inner.flat() && (width == 1 || single)) {
      for (int64_t j = 0; j < n; ++j)
        for (int64_t k = begin; k < end; ++k) put(base[offsets[j] + k], from[step * j]);
    } else if (inner.flat()) {
      for (int64_t j = 0; j < n; ++j) put_row(base + offsets[j] + begin, from + j * width + begin, end - begin);
    } else {
      const int64_t run = inner.run(), stride = inner.strides.back();
      for (int64_t j = 0; j < n; ++j) {
        const T* v = from + step * j * width;
        each_row(inner, [&](int64_t offset, int64_t row) {
          T* p = base + offsets[j] + offset;
          for (int64_t k = 0; k < run; ++k) put(p[k * stride], v[step * (row * run + k)]);
        });
      }
    }
  };
  if (geo.outer_count > 1) {
    const int64_t per_outer = n * width;
    parallel_for(geo.outer_count, per_outer >= kMoveGrain ? 1 : kMoveGrain / (per_outer ? per_outer : 1),
                 [&](int64_t begin, int64_t end) {
                   for (int64_t o = begin; o < end; ++o) rows(o, 0, width);
                 });
  } else if (inner.flat() && width >= 256 && n * width > 4 * kMoveGrain) {
    parallel_for(width, 128, [&](int64_t begin, int64_t end) { rows(0, begin, end); });
  } else {
    rows(0, 0, width);
  }
}

}  // namespace

void scatter_positions(const Tensor& self, const Tensor& values, const IndexGeometry& geo, const Tensor& positions,
                       bool accumulate) {
  if (geo.outer_count * geo.index_count * geo.inner_count == 0) return;
  const Walk outer = merged(geo.outer, geo.sizes, self.strides()), inner = merged(geo.inner, geo.sizes, self.strides());
  const bool single = values.numel() == 1;
  Tensor source = values;
  if (!single && values.sizes() != IntSpan(geo.shape)) source = expand(detach(values), geo.shape);
  source = dense(source);
  const int64_t* offsets = positions->read_as<int64_t>();
  if (!accumulate) {
    by_size(self.element_size(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      scatter_loop(
          static_cast<T*>(self->write()), static_cast<const T*>(source->read()), single, outer, inner, geo, offsets,
          [](T& to, const T& v) { to = v; },
          [](T* row, const T* v, int64_t count) { std::memcpy(row, v, std::size_t(count) * sizeof(T)); });
    });
    return;
  }
  const auto add = index_kernels().add[int(self.dtype())];
  visit_if<kAllSet>(self.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    scatter_loop(
        self->write_as<T>(), source->read_as<T>(), single, outer, inner, geo, offsets,
        [](T& to, const T& v) { add_to(to, v); }, [add](T* row, const T* v, int64_t count) { add(row, v, count); });
  });
}

}  // namespace hwaro::engine
