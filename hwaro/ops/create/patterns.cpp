// Tensors with a fixed pattern: unit matrices, triangles of indices.
#include <algorithm>

#include "hwaro/core/availability.h"
#include "hwaro/ops/create/fill.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

Device target(const std::optional<Device>& device) {
  if (!device) return {};
  check_can_create_on(*device);
  return *device;
}

Tensor unit_matrix(int64_t n, int64_t m, OptDType dtype, const std::optional<Device>& device) {
  HWARO_CHECK(n >= 0, "n must be greater or equal to 0, got ", n);
  HWARO_CHECK(m >= 0, "m must be greater or equal to 0, got ", m);
  const Tensor out = fresh_zeros({n, m}, dtype ? *dtype : default_dtype(), target(device));
  const int64_t count = n < m ? n : m;
  if (out.device().is_meta() || count == 0) return out;
  fill_elements(*alias(out, {count}, {m + 1}, 0).impl(), 1);
  return out;
}

// Calls f(row, col) for the cells of a triangle in row-major order: those with col - row <= offset, or >= offset.
template <class F>
void triangle(bool lower, int64_t rows, int64_t cols, int64_t offset, F&& f) {
  offset = std::clamp(offset, -rows, cols);  // beyond, all diagonals are the same
  for (int64_t r = 0; r < rows; ++r) {
    int64_t begin = lower ? 0 : r + offset, end = lower ? r + offset + 1 : cols;
    if (begin < 0) begin = 0;
    if (end > cols) end = cols;
    for (int64_t c = begin; c < end; ++c) f(r, c);
  }
}

Tensor triangle_indices(const char* name, bool lower, int64_t rows, int64_t cols, int64_t offset, OptDType dtype,
                        const std::optional<Device>& device) {
  HWARO_CHECK(rows >= 0, "row must be non-negative, got", rows);
  HWARO_CHECK(cols >= 0, "col must be non-negative, got", cols);
  const DType type = dtype.value_or(DType::Int64);
  int64_t count = 0;
  triangle(lower, rows, cols, offset, [&](int64_t, int64_t) { ++count; });
  const Tensor out = make_tensor({2, count}, type, target(device));
  if (out.device().is_meta()) return out;
  visit<bit(DType::Int32) | bit(DType::Int64)>(type, name, [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* row = out->write_as<T>();
    T* col = row + count;
    triangle(lower, rows, cols, offset, [&](int64_t r, int64_t c) { *row++ = T(r), *col++ = T(c); });
  });
  return out;
}

}  // namespace

struct Eye {
  static constexpr Schema schema =
      "eye(int n, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> "
      "Tensor";
  static constexpr Doc doc = "A square unit matrix.";
  static Tensor call(int64_t n, OptDType dtype, OptDType, std::optional<Device> device, std::optional<bool>) {
    return unit_matrix(n, n, dtype, device);
  }
};

struct EyeM {
  static constexpr Schema schema =
      "eye.m(int n, int m, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) "
      "-> Tensor";
  static constexpr Doc doc = "A matrix of n rows and m columns with ones on its diagonal.";
  static Tensor call(int64_t n, int64_t m, OptDType dtype, OptDType, std::optional<Device> device,
                     std::optional<bool>) {
    return unit_matrix(n, m, dtype, device);
  }
};

struct TrilIndices {
  static constexpr Schema schema =
      "tril_indices(int row, int col, int offset=0, *, ScalarType? dtype=None, Layout? layout=None, Device? "
      "device=None, "
      "bool? pin_memory=None) -> Tensor";
  static constexpr Doc doc = "Rows and columns (2, n) of the cells on and below a diagonal of a row x col matrix.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(int64_t row, int64_t col, int64_t offset, OptDType dtype, OptDType, std::optional<Device> device,
                     std::optional<bool>) {
    return triangle_indices("tril_indices", true, row, col, offset, dtype, device);
  }
};

struct TriuIndices {
  static constexpr Schema schema =
      "triu_indices(int row, int col, int offset=0, *, ScalarType? dtype=None, Layout? layout=None, Device? "
      "device=None, "
      "bool? pin_memory=None) -> Tensor";
  static constexpr Doc doc = "Rows and columns (2, n) of the cells on and above a diagonal of a row x col matrix.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(int64_t row, int64_t col, int64_t offset, OptDType dtype, OptDType, std::optional<Device> device,
                     std::optional<bool>) {
    return triangle_indices("triu_indices", false, row, col, offset, dtype, device);
  }
};

}  // namespace hwaro::engine

#include "families/patterns.inc"
