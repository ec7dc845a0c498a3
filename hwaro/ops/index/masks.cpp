#include "hwaro/ops/index/masks.h"

#include <cstring>
#include <vector>

#include "hwaro/base/parallel.h"
#include "hwaro/ops/index/has_data.h"
#include "hwaro/ops/index/index_kernels.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

constexpr int64_t kChunk = kGrain;

const std::uint8_t* bytes_of(const Tensor& mask) { return static_cast<const std::uint8_t*>(mask->read()); }

// How many are set before each chunk of the mask; the last entry is the total.
std::vector<int64_t> chunk_starts(const Tensor& mask) {
  const int64_t n = mask.numel(), chunks = (n + kChunk - 1) / kChunk;
  std::vector<int64_t> starts(static_cast<std::size_t>(chunks + 1), 0);
  const std::uint8_t* bytes = bytes_of(mask);
  const auto count = index_kernels().count;
  parallel_for(chunks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c)
      starts[c + 1] = count(bytes + c * kChunk, n - c * kChunk < kChunk ? n - c * kChunk : kChunk);
  });
  for (int64_t c = 0; c < chunks; ++c) starts[c + 1] += starts[c];
  return starts;
}

// Calls f(first element, elements, set before it, set in it) for each chunk, in parallel.
template <class F>
void each_chunk(const Tensor& mask, const std::vector<int64_t>& starts, F f) {
  const int64_t n = mask.numel();
  parallel_for(int64_t(starts.size()) - 1, 1, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c)
      f(c * kChunk, n - c * kChunk < kChunk ? n - c * kChunk : kChunk, starts[c], starts[c + 1] - starts[c]);
  });
}

template <class T>
void put_at(T* out, const T* in, const std::uint8_t* mask, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    if (mask[i]) out[i] = *in++;
}

}  // namespace

Tensor dense_mask(const Tensor& t) {
  check_countable("nonzero", t);
  return t.dtype() == DType::UInt8 ? dense(t) : dense_as(t, DType::Bool);
}

int64_t count_set(const Tensor& mask) { return chunk_starts(mask).back(); }

Tensor set_positions(const Tensor& mask) {
  const std::vector<int64_t> starts = chunk_starts(mask);
  const Tensor out = make_tensor({starts.back()}, DType::Int64);
  int64_t* to = out->write_as<int64_t>();
  const auto positions = index_kernels().positions;
  each_chunk(mask, starts, [&](int64_t at, int64_t n, int64_t before, int64_t room) {
    positions(to + before, bytes_of(mask) + at, n, at, room);
  });
  return out;
}

Tensor set_coordinates(const Tensor& mask) {
  const Tensor flat = set_positions(mask);
  const int64_t n = flat.numel(), dims = mask.dim();
  if (dims == 1) return alias(flat, {n, 1}, {1, n}, 0);
  const Tensor out = make_strided({n, dims}, {1, n}, DType::Int64);  // column by column, as PyTorch lays it out
  const int64_t* from = flat->read_as<int64_t>();
  int64_t* to = out->write_as<int64_t>();
  const IntSpan sizes = mask.sizes();
  const int64_t width = dims ? sizes[dims - 1] : 1;
  parallel_for(n, kChunk, [&](int64_t begin, int64_t end) {
    // Positions rise, so the leading coordinates stay as they are until the row is left.
    int64_t row_end = -1, row_start = 0;
    for (int64_t i = begin; i < end; ++i) {
      int64_t* at = to + i;
      if (from[i] >= row_end) {
        int64_t row = from[i] / width;
        row_start = row * width;
        row_end = row_start + width;
        for (int64_t d = dims - 1; d-- > 0;) {
          at[d * n] = row % sizes[d];
          row /= sizes[d];
        }
      } else {
        for (int64_t d = 0; d + 1 < dims; ++d) at[d * n] = at[d * n - 1];
      }
      if (dims > 0) at[(dims - 1) * n] = from[i] - row_start;
    }
  });
  return out;
}

Tensor compress(const Tensor& self, const Tensor& mask) {
  const std::vector<int64_t> starts = chunk_starts(mask);
  const Tensor out = make_tensor({starts.back()}, self.dtype(), self.device());
  const int64_t size = int64_t(self.element_size());
  const auto pack = index_kernels().compress[log2_size(std::size_t(size))];
  char* to = static_cast<char*>(out->write());
  const char* from = static_cast<const char*>(self->read());
  each_chunk(mask, starts, [&](int64_t at, int64_t n, int64_t before, int64_t room) {
    pack(to + before * size, from + at * size, bytes_of(mask) + at, n, room);
  });
  return out;
}

void fill_masked(const Tensor& self, const Tensor& mask, const Tensor& value) {
  const int64_t size = int64_t(self.element_size());
  const auto fill = index_kernels().fill_masked[log2_size(std::size_t(size))];
  char* to = static_cast<char*>(self->write());
  parallel_for(self.numel(), kChunk, [&](int64_t begin, int64_t end) {
    fill(to + begin * size, value->read(), bytes_of(mask) + begin, end - begin);
  });
}

void uncompress(const Tensor& self, const Tensor& mask, const Tensor& values) {
  const std::vector<int64_t> starts = chunk_starts(mask);
  visit_if<kAllSet>(self.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* to = self->write_as<T>();
    const T* from = values->read_as<T>();
    each_chunk(mask, starts, [&](int64_t at, int64_t n, int64_t before, int64_t) {
      put_at(to + at, from + before, bytes_of(mask) + at, n);
    });
  });
}

}  // namespace hwaro::engine
