// Radix sort from the lowest digit, eight bits at a time.
//
// Elements become keys (keys.h). A 32-bit key and its index share a 64-bit word, so that one pass moves eight bytes per
// element and needs no look-up. 64-bit keys that differ only in their low halves are packed likewise; others move together
// with an index. Digits in which all keys agree are skipped: small integers take one or two passes. Runs of up to 48
// elements are sorted by insertion.
#include "hwaro/ops/sort/order.h"

#include <cstring>

#include "hwaro/base/parallel.h"
#include "hwaro/ops/sort/keys.h"

namespace hwaro::engine {

using std::int64_t;
using std::uint32_t;
using std::uint64_t;

namespace {

constexpr int64_t kInsertion = 48;

template <class E>
void insertion_sort(E* a, int64_t n) {
  for (int64_t i = 1; i < n; ++i) {
    const E x = a[i];
    int64_t j = i;
    for (; j > 0 && x < a[j - 1]; --j) a[j] = a[j - 1];
    a[j] = x;
  }
}

// Turns counts into first positions; false if all elements are in one bucket.
bool to_positions(uint32_t* counts, int64_t n) {
  uint32_t at = 0;
  for (int b = 0; b < 256; ++b) {
    const uint32_t c = counts[b];
    if (int64_t(c) == n) return false;
    counts[b] = at;
    at += c;
  }
  return true;
}

}  // namespace

RunSorter::RunSorter(int64_t capacity)
    : capacity_(capacity), keys_(new uint64_t[std::size_t(capacity)]), other_keys_(new uint64_t[std::size_t(capacity)]) {
  HWARO_CHECK(capacity < (int64_t(1) << 32), "sorting more than 2^32 elements along one dimension is not supported");
}

void RunSorter::sort_packed(int64_t n, int64_t* order) {
  uint64_t *a = keys_.get(), *b = other_keys_.get();
  if (n <= kInsertion) {
    insertion_sort(a, n);
  } else {
    uint32_t counts[4][256] = {};
    for (int64_t i = 0; i < n; ++i) {
      const uint64_t v = a[i];
      ++counts[0][v >> 32 & 255];
      ++counts[1][v >> 40 & 255];
      ++counts[2][v >> 48 & 255];
      ++counts[3][v >> 56];
    }
    for (int digit = 0; digit < 4; ++digit) {
      uint32_t* at = counts[digit];
      if (!to_positions(at, n)) continue;
      const int shift = 32 + 8 * digit;
      for (int64_t i = 0; i < n; ++i) {
        const uint64_t v = a[i];
        b[at[v >> shift & 255]++] = v;
      }
      std::swap(a, b);
    }
  }
  for (int64_t i = 0; i < n; ++i) order[i] = int64_t(a[i] & 0xffffffffu);
}

void RunSorter::sort_wide(int64_t n, uint64_t varying, int64_t* order) {
  if (!indices_) {
    indices_.reset(new uint32_t[std::size_t(capacity_)]);
    other_indices_.reset(new uint32_t[std::size_t(capacity_)]);
  }
  uint64_t *a = keys_.get(), *b = other_keys_.get();
  uint32_t *ai = indices_.get(), *bi = other_indices_.get();
  for (int64_t i = 0; i < n; ++i) ai[i] = uint32_t(i);
  for (int shift = 0; shift < 64; shift += 8) {
    if (!(varying >> shift & 255)) continue;
    uint32_t at[256] = {};
    for (int64_t i = 0; i < n; ++i) ++at[a[i] >> shift & 255];
    if (!to_positions(at, n)) continue;
    for (int64_t i = 0; i < n; ++i) {
      const uint32_t to = at[a[i] >> shift & 255]++;
      b[to] = a[i];
      bi[to] = ai[i];
    }
    std::swap(a, b);
    std::swap(ai, bi);
  }
  for (int64_t i = 0; i < n; ++i) order[i] = ai[i];
}

void RunSorter::sort(const void* x, DType type, int64_t n, bool descending, int64_t* order) {
  visit<kSortSet>(type, "sort", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* in = static_cast<const T*>(x);
    uint64_t* keys = keys_.get();
    if constexpr (sizeof(T) <= 4) {
      const uint32_t flip = descending ? ~uint32_t(0) : 0;
      for (int64_t i = 0; i < n; ++i) keys[i] = uint64_t(sort_key(in[i]) ^ flip) << 32 | uint64_t(i);
      sort_packed(n, order);
    } else {
      const uint64_t flip = descending ? ~uint64_t(0) : 0;
      uint64_t varying = 0;
      for (int64_t i = 0; i < n; ++i) {
        keys[i] = sort_key(in[i]) ^ flip;
        varying |= keys[i] ^ keys[0];
      }
      if (varying >> 32 == 0) {
        for (int64_t i = 0; i < n; ++i) keys[i] = keys[i] << 32 | uint64_t(i);
        sort_packed(n, order);
      } else {
        sort_wide(n, varying, order);
      }
    }
  });
}

Tensor rows_along(const Tensor& self, int64_t dim) {
  if (self.dim() == 0 || dim == self.dim() - 1) return dense(self);
  Dims sizes(self.sizes()), strides(self.strides());
  sizes.push_back(sizes[dim]);
  strides.push_back(strides[dim]);
  sizes.erase(dim);
  strides.erase(dim);
  return dense(alias(self, sizes, strides, self->offset));
}

Tensor rows_back(const Tensor& rows, int64_t dim, const Tensor& like) {
  const bool last = rows.dim() == 0 || dim == rows.dim() - 1;
  if (last && (!like.defined() || like.is_contiguous())) return rows;
  Dims sizes(rows.sizes()), strides(rows.strides());
  if (!last) {
    const int64_t size = sizes.back(), stride = strides.back();
    sizes.pop_back();
    strides.pop_back();
    sizes.insert(dim, size);
    strides.insert(dim, stride);
  }
  const Tensor moved = alias(rows, sizes, strides, rows->offset);
  if (!like.defined() && moved.is_contiguous()) return alias(rows, sizes, contiguous_strides(sizes), rows->offset);
  if (!like.defined()) return dense(moved);
  const Tensor out = make_like(like, rows.dtype());
  if (!rows.device().is_meta()) copy_raw(out, moved);
  return out;
}

void each_row(int64_t rows, int64_t n, FunctionRef<void(int64_t, int64_t)> body) {
  parallel_for(rows, kGrain / 4 / (n > 0 ? n : 1) + 1, body);
}

void pick_elements(void* out, const void* x, const int64_t* order, int64_t n, std::size_t element_size) {
  auto run = [&](auto tag) {
    using T = decltype(tag);
    for (int64_t i = 0; i < n; ++i) static_cast<T*>(out)[i] = static_cast<const T*>(x)[order[i]];
  };
  switch (element_size) {
    case 1: return run(std::uint8_t());
    case 2: return run(std::uint16_t());
    case 4: return run(uint32_t());
    case 8: return run(uint64_t());
    default: return run(Complex<double>());
  }
}

std::pair<Tensor, Tensor> sort_along(const Tensor& self, int64_t dim, bool descending) {
  if (self.device().is_meta()) return {make_like(self), make_like(self, DType::Int64)};
  const Tensor x = rows_along(self, dim);
  const int64_t n = self.dim() ? self.sizes()[dim] : 1, rows = n ? x.numel() / n : 0;
  const Tensor values = make_tensor(x.sizes(), x.dtype()), indices = make_tensor(x.sizes(), DType::Int64);
  const std::size_t size = x.element_size();
  const char* in = static_cast<const char*>(x->read());
  char* out = static_cast<char*>(values->write());
  int64_t* order = indices->write_as<int64_t>();
  each_row(rows, n, [&](int64_t begin, int64_t end) {
    RunSorter sorter(n);
    for (int64_t r = begin; r < end; ++r) {
      const std::size_t at = std::size_t(r * n) * size;
      sorter.sort(in + at, x.dtype(), n, descending, order + r * n);
      pick_elements(out + at, in + at, order + r * n, n, size);
    }
  });
  return {rows_back(values, dim, self), rows_back(indices, dim, self)};
}

}  // namespace hwaro::engine
