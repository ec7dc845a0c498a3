// Elements picked by rank: topk, kthvalue, median, and mode.
//
// topk with a large k sorts; with a small one it keeps the best candidates in a buffer and passes over elements that
// are not better than the worst of them a vector at a time; single ranks are narrowed down digit by digit (order.h).
// Entries compare by key, then by index, so that results do not depend on how the partition goes.
#include <algorithm>
#include <limits>
#include <vector>

#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/reduce/plan.h"
#include "hwaro/ops/reduce/selection.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/sort/keys.h"
#include "hwaro/ops/sort/order.h"
#include "hwaro/ops/sort/sort_kernels.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

// Up to here candidates are inserted in order; from there on the buffer has room for more than k of them, few enough
// that the bound follows soon and enough that it is not computed for each.
constexpr int64_t kInserted = 32;
int64_t first_room(int64_t k) { return k <= kInserted ? k : k + k / 2; }

// The first k entries of a run in order, at the front of `entries`; k is small beside n.
template <class T>
void first_entries(const T* x, int64_t n, int64_t k, bool descending, std::vector<Entry<T>>& entries) {
  const int64_t room = first_room(k);
  entries.resize(std::size_t(room));
  int64_t count = 0;
  Entry<T> bound{};
  for (int64_t i = 0; i < n; ++i) {
    if constexpr (sizeof(T) <= 4) {
      // An element with the key of the bound comes after it.
      if (i >= room) i = sort_kernels().next_below[int(dtype_of<T>)](x, i, n, std::uint32_t(bound >> 32), descending);
      if (i == n) break;
    }
    const Entry<T> e = make_entry_for(x[i], i, descending);
    if (i >= room && !(e < bound)) continue;
    if (k <= kInserted) {
      int64_t at = count < k ? count++ : k - 1;
      for (; at > 0 && e < entries[at - 1]; --at) entries[at] = entries[at - 1];
      entries[at] = e;
      bound = entries[k - 1];
      continue;
    }
    entries[count++] = e;
    if (count < room) continue;
    std::nth_element(entries.begin(), entries.begin() + (k - 1), entries.begin() + count);
    bound = entries[k - 1];
    count = k;
  }
  if (k <= kInserted) return;
  std::nth_element(entries.begin(), entries.begin() + (k - 1), entries.begin() + count);
  std::sort(entries.begin(), entries.begin() + k);
}

struct Picked {
  Tensor values, indices;
};

// For every run along dim: choose(x, n, order, sorter) writes the k indices to pick. Results keep dim with size k.
template <class F>
Picked pick_along(const char* name, const Tensor& self, int64_t dim, int64_t k, DTypeSet supported, F choose) {
  if (!contains(supported, self.dtype()))
    raise<NotImplementedError>('"', name, "\" not implemented for '", scalar_type_name(self.dtype()), '\'');
  Dims sizes(self.sizes());
  const int64_t n = self.dim() ? sizes[dim] : 1;
  if (self.dim()) sizes[dim] = k;
  if (self.device().is_meta())
    return {make_tensor(sizes, self.dtype(), self.device()), make_tensor(sizes, DType::Int64, self.device())};
  const Tensor x = rows_along(self, dim);
  Dims row_sizes(x.sizes());
  if (self.dim()) row_sizes.back() = k;
  const Tensor values = make_tensor(row_sizes, self.dtype()), indices = make_tensor(row_sizes, DType::Int64);
  const int64_t rows = n ? x.numel() / n : 0;
  const std::size_t size = x.element_size();
  const char* in = static_cast<const char*>(x->read());
  char* out = static_cast<char*>(values->write());
  int64_t* order = indices->write_as<int64_t>();
  each_row(rows, n, [&](int64_t begin, int64_t end) {
    visit<kSortSet>(x.dtype(), name, [&](auto tag) {
      using T = typename decltype(tag)::type;
      RunSorter sorter(n);
      for (int64_t r = begin; r < end; ++r) {
        const T* run = reinterpret_cast<const T*>(in) + r * n;
        choose(run, n, order + r * k, sorter);
        pick_elements(out + std::size_t(r * k) * size, run, order + r * k, k, size);
      }
    });
  });
  return {rows_back(values, dim), rows_back(indices, dim)};
}

std::tuple<Tensor, Tensor> without_dim(const char* name, const Tensor& self, Picked picked, int64_t dim, bool keepdim) {
  if (!keepdim && self.dim()) {
    Dims sizes(picked.values.sizes());
    sizes.erase(dim);
    const Dims strides = contiguous_strides(sizes);
    picked.values = alias(picked.values, sizes, strides, picked.values->offset);
    picked.indices = alias(picked.indices, sizes, strides, picked.indices->offset);
  }
  if (recording(self)) record_selection(name, self, picked.values, picked.indices, dim, keepdim);
  return {picked.values, picked.indices};
}

template <class T>
bool is_nan(T x) {
  if constexpr (is_floating(dtype_of<T>)) return float(x) != float(x);
  else return x != x;
}

// The lower of the two middle elements; a NaN wins, or is left out with ignore_nan.
template <class T>
int64_t median_index(const T* x, int64_t n, bool ignore_nan, RunSorter& sorter) {
  int64_t valid = n;
  if constexpr (is_floating(dtype_of<T>)) {
    for (int64_t i = n; i-- > 0;) {
      if (!is_nan(x[i])) continue;
      --valid;
      if (!ignore_nan) {
        for (i = 0; !is_nan(x[i]);) ++i;
        return i;
      }
    }
    if (valid == 0) return 0;
  }
  return sorter.at_rank(x, dtype_of<T>, n, (valid - 1) / 2);
}

std::tuple<Tensor, Tensor> median_along(bool ignore_nan, const Tensor& self, int64_t dim, bool keepdim) {
  dim = wrap_dim(dim, self.dim());
  check_not_empty("median", self, dim);
  Picked picked = pick_along("median_out", self, dim, 1, kIntSet | kFloatSet,
                             [&](const auto* x, int64_t n, int64_t* order, RunSorter& sorter) {
                               order[0] = median_index(x, n, ignore_nan, sorter);
                             });
  return without_dim(ignore_nan ? "NanmedianBackward1" : "MedianBackward1", self, std::move(picked), dim, keepdim);
}

Tensor median_of_all(bool ignore_nan, const Tensor& self) {
  if (self.numel() > 0 && (self.dtype() == DType::Bool || is_complex(self.dtype())))
    raise<NotImplementedError>("\"median_cpu\" not implemented for '", scalar_type_name(self.dtype()), '\'');
  Tensor out;
  if (self.numel() == 0 || self.device().is_meta()) {
    out = dense_as(make_full({}, std::numeric_limits<double>::quiet_NaN(), DType::Double, self.device()), self.dtype());
  } else {
    const Tensor x = dense(self), flat = alias(x, {x.numel()}, {1}, x->offset);
    Picked picked = pick_along("median_cpu", flat, 0, 1, kIntSet | kFloatSet,
                               [&](const auto* p, int64_t n, int64_t* order, RunSorter& sorter) {
                                 order[0] = median_index(p, n, ignore_nan, sorter);
                               });
    out = alias(picked.values, {}, {}, picked.values->offset);
  }
  if (recording(self))
    record(ignore_nan ? "NanmedianBackward0" : "MedianBackward0", {self}, out, {save(self), save_output(out)},
           [](Backward& b) {
             const Tensor x = b.saved(0), y = b.saved(1);
             const Tensor mask = logical_or(eq(x, y), logical_and(isnan(x), isnan(y)));
             b.set(0, where(mask, div(b.g(), sum_all(mask)), make_zeros({}, b.g().dtype(), b.g().device())));
           });
  return out;
}

}  // namespace

struct Topk {
  static constexpr Schema schema =
      "topk(Tensor self, int k, int dim=-1, bool largest=True, bool sorted=True) -> (Tensor values, Tensor indices)";
  static constexpr Doc doc = "The k largest (or smallest) elements along dim in order, and their indices.";
  static constexpr unsigned expose = kFunction | kMethod | kOut;
  static constexpr auto out_rule = out_expected;
  static std::tuple<Tensor, Tensor> call(const Tensor& self, int64_t k, int64_t dim, bool largest, bool) {
    dim = wrap_dim(dim, self.dim());
    const int64_t n = self.dim() ? self.sizes()[dim] : 1;
    HWARO_CHECK(k >= 0 && k <= n, "selected index k out of range");
    HWARO_CHECK(!is_complex(self.dtype()) && self.dtype() != DType::Bool,
                is_complex(self.dtype()) ? " topk does not support complex" : "topk does not support bool",
                " dtypes on CPU");
    const Picked picked =
        pick_along("topk", self, dim, k, kSortSet, [&](const auto* x, int64_t m, int64_t* order, RunSorter& sorter) {
          using T = std::remove_cvref_t<decltype(*x)>;
          if (k == 0) return;
          if (m <= 6 * first_room(k)) {
            std::vector<int64_t> whole(static_cast<std::size_t>(m));
            sorter.sort(x, dtype_of<T>, m, largest, whole.data());
            std::copy(whole.begin(), whole.begin() + k, order);
            return;
          }
          std::vector<Entry<T>> entries;
          first_entries(x, m, k, largest, entries);
          for (int64_t i = 0; i < k; ++i) order[i] = index_of(entries[i]);
        });
    if (recording(self)) record_selection("TopkBackward0", self, picked.values, picked.indices, dim, true);
    return {picked.values, picked.indices};
  }
};

struct Kthvalue {
  static constexpr Schema schema =
      "kthvalue(Tensor self, int k, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)";
  static constexpr Doc doc = "The k-th smallest element along dim, counted from 1, and its index.";
  static constexpr unsigned expose = kFunction | kMethod | kOut;
  static constexpr auto out_rule =
      out_same("output values must be of same type as input", "output indices must be of scalar type Long");
  static std::tuple<Tensor, Tensor> call(const Tensor& self, int64_t k, int64_t dim, bool keepdim) {
    dim = wrap_dim(dim, self.dim());
    check_not_empty("kthvalue", self, dim);
    const int64_t n = self.dim() ? self.sizes()[dim] : 1;
    HWARO_CHECK(k >= 1 && k <= n, "kthvalue(): selected number k out of range for dimension ", dim);
    Picked picked = pick_along("kthvalue_cpu", self, dim, 1, kIntSet | kFloatSet,
                               [&](const auto* x, int64_t m, int64_t* order, RunSorter& sorter) {
                                 order[0] = sorter.at_rank(x, dtype_of<std::remove_cvref_t<decltype(*x)>>, m, k - 1);
                               });
    return without_dim("KthvalueBackward0", self, std::move(picked), dim, keepdim);
  }
};

struct Median {
  static constexpr Schema schema = "median(Tensor self) -> Tensor";
  static constexpr Doc doc = "The median of all elements, the lower one of two; NaN if there is a NaN.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self) { return median_of_all(false, self); }
};

struct MedianDim {
  static constexpr Schema schema =
      "median.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)";
  static constexpr Doc doc = "The median along dim, the lower one of two, and its index.";
  static std::tuple<Tensor, Tensor> call(const Tensor& self, int64_t dim, bool keepdim) {
    return median_along(false, self, dim, keepdim);
  }
};

struct Nanmedian {
  static constexpr Schema schema = "nanmedian(Tensor self) -> Tensor";
  static constexpr Doc doc = "The median of the elements that are not NaN.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self) { return median_of_all(true, self); }
};

struct NanmedianDim {
  static constexpr Schema schema =
      "nanmedian.dim(Tensor self, int dim, bool keepdim=False) -> (Tensor values, Tensor indices)";
  static constexpr Doc doc = "The median along dim of the elements that are not NaN, and its index.";
  static std::tuple<Tensor, Tensor> call(const Tensor& self, int64_t dim, bool keepdim) {
    return median_along(true, self, dim, keepdim);
  }
};

struct Mode {
  static constexpr Schema schema =
      "mode(Tensor self, int dim=-1, bool keepdim=False) -> (Tensor values, Tensor indices)";
  static constexpr Doc doc = "The most frequent element along dim, the smallest of several, and the last index of it.";
  static constexpr unsigned expose = kFunction | kMethod | kOut;
  static constexpr auto out_rule = out_same("expected scalar type '%R' but got '%O' for values output",
                                            "expected scalar type '%R' but got '%O' for indices output");
  static std::tuple<Tensor, Tensor> call(const Tensor& self, int64_t dim, bool keepdim) {
    dim = wrap_dim(dim, self.dim());
    check_not_empty("mode", self, dim);
    Picked picked =
        pick_along("mode_cpu", self, dim, 1, kSortSet, [](const auto* x, int64_t n, int64_t* order, RunSorter& sorter) {
          using T = std::remove_cvref_t<decltype(*x)>;
          std::vector<int64_t> at(static_cast<std::size_t>(n));
          sorter.sort(x, dtype_of<T>, n, false, at.data());
          int64_t best = 0, count = 0;
          for (int64_t i = 0; i < n; ++i) {
            count = i > 0 && x[at[i]] == x[at[i - 1]] ? count + 1 : 1;
            if (count > best) {
              best = count;
              order[0] = at[i];
            }
          }
        });
    return without_dim("ModeBackward0", self, std::move(picked), dim, keepdim);
  }
};

}  // namespace hwaro::engine

#include "families/select.inc"
