// Distinct elements and distinct slices.
//
// Integers of a small range are counted in a table; everything else is sorted by radix (order.h), after which equal
// elements are neighbours. NaN differs from every element, itself included.
#include <algorithm>
#include <cstring>
#include <numeric>
#include <vector>

#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/sort/keys.h"
#include "hwaro/ops/sort/order.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

using Three = std::tuple<Tensor, Tensor, Tensor>;

Tensor no_indices(const Tensor& self) { return make_tensor({0}, DType::Int64, self.device()); }

void record_unique(const char* name, const char* node, const Tensor& self, const Tensor& out) {
  if (!recording(self)) return;
  record(node, {self}, out, {},
         [name](Backward&) { raise<NotImplementedError>("the derivative for '", name, "' is not implemented."); });
}

template <class T>
Tensor to_tensor(const std::vector<T>& v) {
  const Tensor out = make_tensor({int64_t(v.size())}, dtype_of<T>);
  if (!v.empty()) std::memcpy(out->write(), v.data(), v.size() * sizeof(T));
  return out;
}

// Distinct values in [low, low + range); false where the range is too wide for a table.
template <class T>
bool count_in_table(const T* x, int64_t n, bool want_inverse, bool want_counts, std::vector<T>& values,
                    int64_t* inverse, std::vector<int64_t>& counts) {
  T low = x[0], high = x[0];
  for (int64_t i = 1; i < n; ++i) {
    low = x[i] < low ? x[i] : low;
    high = x[i] > high ? x[i] : high;
  }
  const std::uint64_t range = std::uint64_t(int64_t(high)) - std::uint64_t(int64_t(low)) + 1;
  if (range == 0 || range > std::uint64_t(4 * n + 1024) || range > (1u << 24)) return false;
  auto slot = [low](T v) { return std::size_t(std::uint64_t(int64_t(v)) - std::uint64_t(int64_t(low))); };
  if (!want_inverse && !want_counts) {
    std::vector<std::uint8_t> seen(range);
    for (int64_t i = 0; i < n; ++i) seen[slot(x[i])] = 1;
    for (std::size_t s = 0; s < range; ++s)
      if (seen[s]) values.push_back(T(std::uint64_t(int64_t(low)) + s));
    return true;
  }
  std::vector<int64_t> table(range);
  for (int64_t i = 0; i < n; ++i) ++table[slot(x[i])];
  for (std::size_t s = 0; s < range; ++s) {
    if (!table[s]) continue;
    if (want_counts) counts.push_back(table[s]);
    table[s] = int64_t(values.size());
    values.push_back(T(std::uint64_t(int64_t(low)) + s));
  }
  if (want_inverse)
    for (int64_t i = 0; i < n; ++i) inverse[i] = table[slot(x[i])];
  return true;
}

template <class T>
bool differ(T a, T b) {
  if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, BFloat16>) return float(a) != float(b);
  else return a != b;
}

Three unique_elements(const Tensor& self, bool want_inverse, bool want_counts) {
  HWARO_CHECK_AS(NotImplementedError, !self.device().is_meta(),
                 "_unique2: the shape of the result depends on data that a meta tensor has not");
  const Tensor x = dense(self);
  const int64_t n = x.numel();
  const Tensor inverse = want_inverse ? make_tensor(self.sizes(), DType::Int64) : no_indices(self);
  Tensor out, counts = no_indices(self);
  visit<kSortSet>(self.dtype(), "unique", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* p = x->read_as<T>();
    int64_t* to = inverse->write_as<int64_t>();
    if constexpr (std::is_same_v<T, bool>) {
      bool seen[2] = {false, false};
      int64_t number[2] = {0, 0};
      for (int64_t i = 0; i < n; ++i) seen[p[i]] = true, ++number[p[i]];
      const int64_t kinds = int64_t(seen[0]) + seen[1];
      out = make_tensor({kinds}, DType::Bool);
      if (want_counts) counts = make_tensor({kinds}, DType::Int64);
      int64_t k = 0;
      for (int v = 0; v < 2; ++v) {
        if (!seen[v]) continue;
        out->write_as<bool>()[k] = v;
        if (want_counts) counts->write_as<int64_t>()[k] = number[v];
        ++k;
      }
      if (want_inverse)
        for (int64_t i = 0; i < n; ++i) to[i] = seen[0] ? int64_t(p[i]) : 0;
    } else {
      std::vector<T> values;
      std::vector<int64_t> number;
      bool done = n == 0;
      if constexpr (std::is_integral_v<T>)
        done = done || count_in_table(p, n, want_inverse, want_counts, values, to, number);
      if (!done) {
        RunSorter sorter(n);
        std::vector<int64_t> order(static_cast<std::size_t>(n));
        sorter.sort(p, self.dtype(), n, false, order.data());
        int64_t start = 0;
        for (int64_t i = 0; i < n; ++i) {
          const T v = p[order[i]];
          if (i == 0 || differ(v, values.back())) {
            if (want_counts && i > 0) number.push_back(i - start);
            start = i;
            values.push_back(v);
          }
          if (want_inverse) to[order[i]] = int64_t(values.size()) - 1;
        }
        if (want_counts) number.push_back(n - start);
      }
      out = to_tensor(values);
      if (want_counts) counts = to_tensor(number);
    }
  });
  return {out, inverse, counts};
}

// Slices along dim as rows of a dense tensor: (slices, elements).
struct Slices {
  Tensor dense_rows;
  Dims sizes;  // of dense_rows before flattening: dim first
  int64_t count = 0, length = 1;
  Slices(const Tensor& self, int64_t dim) {
    sizes.push_back(self.sizes()[dim]);
    Dims strides{self.strides()[dim]};
    for (int d = 0; d < self.dim(); ++d) {
      if (d == dim) continue;
      sizes.push_back(self.sizes()[d]);
      strides.push_back(self.strides()[d]);
      length *= self.sizes()[d];
    }
    count = sizes[0];
    dense_rows = dense(alias(self, sizes, strides, self->offset));
  }
};

template <class T>
bool slices_differ(const T* a, const T* b, int64_t n) {
  for (int64_t i = 0; i < n; ++i)
    if (differ(a[i], b[i])) return true;
  return false;
}

// Distinct slices; with `consecutive` only neighbours are compared and the order stays.
Three unique_slices(const Tensor& self, int64_t dim, bool consecutive, bool want_inverse, bool want_counts) {
  if (self.sizes()[dim] == 0) {
    int64_t others = 0;
    for (int d = 0; d < self.dim(); ++d) others += d != dim && self.sizes()[d] == 0;
    HWARO_CHECK(others == 0, "Number of zero sized dimensions is more than one, so unique cannot be applied ");
    return {make_tensor(self.sizes(), self.dtype()), no_indices(self), no_indices(self)};
  }
  for (int d = 0; d < self.dim(); ++d)
    HWARO_CHECK(self.sizes()[d] != 0,
                "There are 0 sized dimensions, and they aren't selected, so unique cannot be applied");
  const Slices s(self, dim);
  const Tensor inverse = want_inverse ? make_tensor({s.count}, DType::Int64) : no_indices(self);
  Tensor out, counts = no_indices(self);
  visit<kSortSet>(self.dtype(), "unique_dim", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* p = s.dense_rows->read_as<T>();
    std::vector<int64_t> order(static_cast<std::size_t>(s.count)), kept, number;
    std::iota(order.begin(), order.end(), 0);
    if (!consecutive)
      std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
        for (int64_t i = 0; i < s.length; ++i) {
          const T x = p[a * s.length + i], y = p[b * s.length + i];
          if (x < y) return true;
          if (x > y) return false;
        }
        return false;
      });
    for (int64_t i = 0; i < s.count; ++i) {
      if (i == 0 || slices_differ(p + order[i] * s.length, p + order[i - 1] * s.length, s.length)) {
        kept.push_back(order[i]);
        number.push_back(0);
      }
      ++number.back();
      if (want_inverse) inverse->write_as<int64_t>()[order[i]] = int64_t(kept.size()) - 1;
    }
    Dims sizes(s.sizes);
    sizes[0] = int64_t(kept.size());
    const Tensor rows = make_tensor(sizes, self.dtype());
    for (std::size_t k = 0; k < kept.size(); ++k)
      std::memcpy(rows->write_as<T>() + int64_t(k) * s.length, p + kept[k] * s.length,
                  std::size_t(s.length) * sizeof(T));
    // Dimension 0 goes back to where dim was.
    Dims back_sizes, back_strides;
    for (int d = 0; d < self.dim(); ++d) {
      const int from = d == dim ? 0 : d < dim ? d + 1 : d;
      back_sizes.push_back(rows.sizes()[from]);
      back_strides.push_back(rows.strides()[from]);
    }
    out = dense(alias(rows, back_sizes, back_strides, rows->offset));
    if (want_counts) counts = to_tensor(number);
  });
  return {out, inverse, counts};
}

Three consecutive_elements(const Tensor& self, bool want_inverse, bool want_counts) {
  const Tensor x = dense(self);
  const int64_t n = x.numel();
  const Tensor inverse = want_inverse ? make_tensor(self.sizes(), DType::Int64) : no_indices(self);
  Tensor out, counts = no_indices(self);
  visit<kAllSet>(self.dtype(), "unique", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* p = x->read_as<T>();
    std::vector<int64_t> kept, number;
    for (int64_t i = 0; i < n; ++i) {
      if constexpr (is_complex(dtype_of<T>)) {
        if (i == 0 || p[i].re != p[i - 1].re || p[i].im != p[i - 1].im) kept.push_back(i), number.push_back(0);
      } else {
        if (i == 0 || differ(p[i], p[i - 1])) kept.push_back(i), number.push_back(0);
      }
      ++number.back();
      if (want_inverse) inverse->write_as<int64_t>()[i] = int64_t(kept.size()) - 1;
    }
    out = make_tensor({int64_t(kept.size())}, self.dtype());
    for (std::size_t k = 0; k < kept.size(); ++k) out->write_as<T>()[k] = p[kept[k]];
    if (want_counts) counts = to_tensor(number);
  });
  return {out, inverse, counts};
}

}  // namespace

struct Unique2 {
  static constexpr Schema schema =
      "_unique2(Tensor self, bool sorted=True, bool return_inverse=False, bool return_counts=False) -> (Tensor, "
      "Tensor, Tensor)";
  static constexpr Doc doc = "The distinct elements in order, where each element went, and how often each occurs.";
  static constexpr unsigned expose = kFunction | kInternal;
  static Three call(const Tensor& self, bool, bool return_inverse, bool return_counts) {
    const Three out = unique_elements(self, return_inverse, return_counts);
    record_unique("_unique2", "Unique2Backward0", self, std::get<0>(out));
    return out;
  }
};

struct UniqueDim {
  static constexpr Schema schema =
      "_unique_dim(Tensor self, int dim, bool sorted=True, bool return_inverse=False, bool return_counts=False) -> "
      "(Tensor, Tensor, Tensor)";
  static constexpr Doc doc =
      "The distinct slices along dim in order, where each slice went, and how often each occurs.";
  static constexpr unsigned expose = kInternal;
  static Three call(const Tensor& self, int64_t dim, bool, bool return_inverse, bool return_counts) {
    dim = wrap_dim(dim, self.dim());
    const Three out = self.dim() == 0 ? unique_elements(self, return_inverse, return_counts)
                                      : unique_slices(self, dim, false, return_inverse, return_counts);
    record_unique("unique_dim", "UniqueDimBackward0", self, std::get<0>(out));
    return out;
  }
};

struct UniqueConsecutive {
  static constexpr Schema schema =
      "_unique_consecutive(Tensor self, bool return_inverse=False, bool return_counts=False, int? dim=None) -> "
      "(Tensor, "
      "Tensor, Tensor)";
  static constexpr Doc doc = "The first of each run of equal elements, or of equal slices along dim.";
  static constexpr unsigned expose = kInternal;
  static Three call(const Tensor& self, bool return_inverse, bool return_counts, std::optional<int64_t> dim) {
    Three out;
    if (dim && self.dim() > 0)
      out = unique_slices(self, wrap_dim(*dim, self.dim()), true, return_inverse, return_counts);
    else out = consecutive_elements(self, return_inverse, return_counts);
    record_unique("unique_consecutive", "UniqueConsecutiveBackward0", self, std::get<0>(out));
    return out;
  }
};

}  // namespace hwaro::engine

#include "families/unique.inc"
