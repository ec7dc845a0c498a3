// Copies and fills: contiguous ones in one go, transposes in blocks, short rows across, the rest row by row.
#include <cstring>

#include "hwaro/base/parallel.h"
#include "hwaro/loops/copy_kernels.h"
#include "hwaro/loops/walk.h"

namespace hwaro {

namespace {

constexpr int log2_size(std::size_t bytes) {
  return bytes == 1 ? 0 : bytes == 2 ? 1 : bytes == 4 ? 2 : bytes == 8 ? 3 : 4;
}

// The offset of row-major index i over the first `dims` dimensions of a plan, for one side, in bytes.
std::int64_t outer_offset(const Plan& plan, const Side& side, std::size_t dims, std::int64_t i) {
  std::int64_t offset = 0;
  for (std::size_t d = dims; d-- > 0;) {
    offset += i % plan.shape[d] * side.strides[d];
    i /= plan.shape[d];
  }
  return offset * side.size;
}

// The last two dimensions, one side contiguous along each: a blocked transpose instead of a strided walk.
bool try_transpose(const Plan& plan) {
  const Side &dst = plan.sides[0], &src = plan.sides[1];
  const std::size_t nd = plan.shape.size();
  if (nd < 2 || dst.dtype != src.dtype || src.conj) return false;
  const std::int64_t cols = plan.shape[nd - 1],
                     rows = plan.shape[nd - 2];  // of dst: rows x cols; src holds it column by column
  if (dst.strides[nd - 1] != 1 || src.strides[nd - 2] != 1 || src.strides[nd - 1] < rows) return false;
  if (rows < 8 || cols < 8) return false;
  constexpr std::int64_t kBand = 64;
  const std::int64_t bands = (rows + kBand - 1) / kBand, outer = plan.numel / (rows * cols);
  const auto transpose = copy_kernels().transpose;
  parallel_for(outer * bands, (kGrain + kBand * cols - 1) / (kBand * cols), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end;) {
      // As many bands of one matrix as the chunk holds.
      const std::int64_t o = i / bands, first = i % bands, last = bands - first < end - i ? bands : first + (end - i);
      const std::int64_t r0 = first * kBand, r1 = last * kBand < rows ? last * kBand : rows;
      transpose(dst.data + outer_offset(plan, dst, nd - 2, o) + r0 * dst.strides[nd - 2] * dst.size,
                dst.strides[nd - 2], src.data + outer_offset(plan, src, nd - 2, o) + r0 * src.size, src.strides[nd - 1],
                cols, r1 - r0, log2_size(std::size_t(dst.size)));
      i += last - first;
    }
  });
  return true;
}

// A few bytes, in steps of the machine's words.
inline void copy_small(char* to, const char* from, std::int64_t bytes) {
  for (; bytes >= 16; bytes -= 16, to += 16, from += 16) std::memcpy(to, from, 16);
  if (bytes & 8) std::memcpy(to, from, 8), to += 8, from += 8;
  if (bytes & 4) std::memcpy(to, from, 4), to += 4, from += 4;
  if (bytes & 2) std::memcpy(to, from, 2), to += 2, from += 2;
  if (bytes & 1) *to = *from;
}

// Rows of a few elements: walked across, so that the inner loop is long (a row of two took 4 ns per element otherwise).
bool try_short_rows(const Plan& plan, CopyKernel cast) {
  const Side &dst = plan.sides[0], &src = plan.sides[1];
  const std::size_t nd = plan.shape.size();
  if (nd < 2 || src.conj || plan.shape[nd - 1] >= 16 || plan.shape[nd - 2] < 32) return false;
  const std::int64_t width = plan.shape[nd - 1], rows = plan.shape[nd - 2];
  constexpr std::int64_t kRows = 256;  // one block stays in the first-level cache for all its columns
  const std::int64_t blocks = (rows + kRows - 1) / kRows, outer = plan.numel / (rows * width);
  const std::int64_t row_bytes = width * dst.size;
  const bool whole = dst.dtype == src.dtype && dst.strides[nd - 1] == 1 && src.strides[nd - 1] == 1 && row_bytes >= 16;
  parallel_for(
      outer * blocks, (kGrain + kRows * width - 1) / (kRows * width), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
          const std::int64_t r = i % blocks * kRows, n = rows - r < kRows ? rows - r : kRows;
          char* to = dst.data + outer_offset(plan, dst, nd - 2, i / blocks) + r * dst.strides[nd - 2] * dst.size;
          const char* from =
              src.data + outer_offset(plan, src, nd - 2, i / blocks) + r * src.strides[nd - 2] * src.size;
          if (whole) {
            for (std::int64_t k = 0; k < n;
                 ++k, to += dst.strides[nd - 2] * dst.size, from += src.strides[nd - 2] * src.size)
              copy_small(to, from, row_bytes);
            continue;
          }
          for (std::int64_t k = 0; k < width; ++k)
            cast(to + k * dst.strides[nd - 1] * dst.size, dst.strides[nd - 2],
                 from + k * src.strides[nd - 1] * src.size, src.strides[nd - 2], n);
        }
      });
  return true;
}

Side written(TensorImpl& dst) {
  Side side;
  side.data = static_cast<char*>(dst.write());
  side.strides = dst.strides;
  side.dtype = dst.dtype;
  side.size = std::int64_t(size_of(dst.dtype));
  return side;
}

}  // namespace

void copy_elements(TensorImpl& dst, const TensorImpl& src) {
  if (dst.numel == 0) return;
  const CopyKernels& copy = copy_kernels();
  const CopyKernel cast = copy.cast[int(src.dtype)][int(dst.dtype)];
  const bool conj = src.is(kConj) != dst.is(kConj) && is_complex(dst.dtype);
  if (dst.is(kContiguous) && src.is(kContiguous) && dst.numel == src.numel) {
    char* to = static_cast<char*>(dst.write());
    const char* from = static_cast<const char*>(src.read());
    const std::int64_t to_size = std::int64_t(size_of(dst.dtype)), from_size = std::int64_t(size_of(src.dtype));
    parallel_for(dst.numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
      cast(to + begin * to_size, 1, from + begin * from_size, 1, end - begin);
      if (conj) conjugate(to + begin * to_size, dst.dtype, end - begin);
    });
    return;
  }
  Plan plan;
  plan.shape = dst.sizes;
  plan.numel = dst.numel;
  plan.count = 2;
  plan.sides[0] = written(dst);
  plan.sides[1].data = static_cast<char*>(const_cast<void*>(src.read()));
  plan.sides[1].strides = strides_over(dst.sizes, src);
  plan.sides[1].dtype = src.dtype;
  plan.sides[1].size = std::int64_t(size_of(src.dtype));
  plan.sides[1].conj = conj;
  plan.simplify();
  if (try_transpose(plan) || try_short_rows(plan, cast)) return;
  const Side &to = plan.sides[0], &from = plan.sides[1];
  parallel_for(dst.numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
    Walker walker(plan, begin);
    for (std::int64_t i = begin; i < end;) {
      std::int64_t n = end - i;
      if (n > walker.left_in_row()) n = walker.left_in_row();
      cast(walker.at(to), to.strides.back(), walker.at(from), from.strides.back(), n);
      if (conj) {
        char* p = walker.at(to);
        for (std::int64_t k = 0; k < n; ++k) conjugate(p + k * to.strides.back() * to.size, to.dtype, 1);
      }
      i += n;
      if (i < end) walker.advance(n);
    }
  });
}

void fill_elements(TensorImpl& dst, const Scalar& value) {
  if (dst.numel == 0) return;
  Complex<double> element;
  store_number(&element, dst.dtype, value);
  const CopyKernel cast = copy_kernels().cast[int(dst.dtype)][int(dst.dtype)];
  if (is_dense_non_overlapping(dst.sizes, dst.strides)) {
    char* to = static_cast<char*>(dst.write());
    const std::int64_t size = std::int64_t(size_of(dst.dtype));
    bool zero = true;
    for (std::int64_t b = 0; b < size; ++b) zero = zero && reinterpret_cast<char*>(&element)[b] == 0;
    parallel_for(dst.numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
      if (zero) std::memset(to + begin * size, 0, std::size_t((end - begin) * size));
      else cast(to + begin * size, 1, &element, 0, end - begin);
    });
    return;
  }
  Plan plan;
  plan.shape = dst.sizes;
  plan.numel = dst.numel;
  plan.count = 1;
  plan.sides[0] = written(dst);
  plan.simplify();
  parallel_for(dst.numel, kGrain, [&](std::int64_t begin, std::int64_t end) {
    Walker walker(plan, begin);
    for (std::int64_t i = begin; i < end;) {
      std::int64_t n = end - i < walker.left_in_row() ? end - i : walker.left_in_row();
      cast(walker.at(plan.sides[0]), plan.sides[0].strides.back(), &element, 0, n);
      i += n;
      if (i < end) walker.advance(n);
    }
  });
}

}  // namespace hwaro
