// Positions in sorted sequences, and membership.
#include <vector>

#include "hwaro/base/parallel.h"
#include "hwaro/core/promotion.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/sort/keys.h"
#include "hwaro/ops/sort/order.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

DType common_type(const Tensor& a, const Tensor& b) {
  ResultType type;
  type.add(*a.impl());
  type.add(*b.impl());
  return type.get();
}

// The number of elements before `value` in a sorted run (with `right`: not after it). NaN goes to the end.
template <class T>
int64_t position(const T* run, const int64_t* order, int64_t n, T value, bool right) {
  auto before = [&](int64_t i) {
    const T x = run[order ? order[i] : i];
    return right ? !(x > value) : !(x >= value);
  };
  if (n == 0) return 0;
  // Halves without a branch on the comparison, which no processor could foretell.
  int64_t low = 0;
  for (int64_t size = n; size > 1;) {
    const int64_t half = size / 2;
    low += before(low + half - 1) ? half : 0;
    size -= half;
  }
  return low + before(low);
}

Tensor search_sorted(const Tensor& sequence, const Tensor& input, bool out_int32, bool right,
                     std::optional<std::string_view> side, const Tensor& sorter) {
  if (side) {
    HWARO_CHECK(*side == "left" || *side == "right",
                "torch.searchsorted(): side can only be 'left' or 'right' but got ", *side);
    HWARO_CHECK(!right || *side == "right",
                "torch.searchsorted(): side and right can't be set to opposites, got side of ", *side,
                " while right was True");
    right = *side == "right";
  }
  HWARO_CHECK(sequence.dim() > 0,
              "torch.searchsorted(): boundaries tensor should have positive dimension, but got 0 dimension");
  HWARO_CHECK(sequence.dim() == 1 || input.dim() > 0,
              "torch.searchsorted(): input value can be a scalar only when boundaries tensor "
              "dimension is 1, but we got boundaries tensor dim(",
              sequence.dim(), ") and input value's dim(", input.dim(), ") numel(", input.numel(), ")");
  if (sequence.dim() > 1) {
    bool match = sequence.dim() == input.dim();
    for (int d = 0; match && d + 1 < input.dim(); ++d) match = sequence.sizes()[d] == input.sizes()[d];
    HWARO_CHECK(match,
                "torch.searchsorted(): boundaries tensor should be 1 dimension or the first N-1 dimensions of "
                "boundaries tensor "
                "and input value tensor must match, but we got boundaries tensor ",
                sizes_str(sequence.sizes()), " and input value tensor ", sizes_str(input.sizes()));
  }
  const Tensor out = make_tensor(input.sizes(), out_int32 ? DType::Int32 : DType::Int64, input.device());
  const DType type = common_type(sequence, input);
  Tensor order;
  const int64_t n = sequence.sizes().back();
  if (sorter.defined()) {
    HWARO_CHECK(sorter.sizes() == sequence.sizes(),
                "torch.searchsorted(): boundary and sorter must have the same size, but got "
                "boundary tensor ",
                sizes_str(sequence.sizes()), "and got sorter tensor ", sizes_str(sorter.sizes()));
    HWARO_CHECK(sorter.dtype() == DType::Int64,
                "torch.searchsorted(): sorter must be a tensor of long dtype but got dtype ",
                scalar_type_name(sorter.dtype()));
    order = dense(sorter);
    const int64_t* p = order->read_as<int64_t>();
    for (int64_t i = 0; i < order.numel(); ++i)
      HWARO_CHECK(p[i] >= 0 && p[i] < n, "torch.searchsorted(): sorter index out of range");
  }
  if (!contains(kIntSet | kFloatSet, type))
    raise<NotImplementedError>("\"searchsorted_out_cpu\" not implemented for '", scalar_type_name(type), '\'');
  if (out.device().is_meta() || out.numel() == 0) return out;
  const Tensor runs = dense_as(sequence, type), values = dense_as(input, type);
  const int64_t per_run = sequence.dim() == 1 ? values.numel() : values.sizes().back();
  visit<kIntSet | kFloatSet>(type, "searchsorted_out_cpu", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* run = runs->read_as<T>();
    const T* value = values->read_as<T>();
    const int64_t* sorted = order.defined() ? order->read_as<int64_t>() : nullptr;
    parallel_for(values.numel(), 4096, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t start = i / per_run * n;
        const int64_t at = position(run + start, sorted ? sorted + start : nullptr, n, value[i], right);
        if (out_int32) out->write_as<std::int32_t>()[i] = std::int32_t(at);
        else out->write_as<int64_t>()[i] = at;
      }
    });
  });
  return out;
}

// A number as the tensor that it is compared as.
Tensor number_like(const Tensor& sequence, const Scalar& value) {
  const DType type = value.is_floating() && !is_floating(sequence.dtype()) ? default_dtype()
                     : value.is_complex()                                  ? value.dtype()
                                                                           : sequence.dtype();
  return make_full({}, value, type, sequence.device());
}

Tensor bucket(const Tensor& input, const Tensor& boundaries, bool out_int32, bool right) {
  HWARO_CHECK(boundaries.dim() == 1, "boundaries tensor must be 1 dimension, but got dim(", boundaries.dim(), ")");
  return search_sorted(boundaries, input, out_int32, right, std::nullopt, {});
}

Tensor is_in(const Tensor& elements, const Tensor& tests, bool invert) {
  const DType type = common_type(elements, tests);
  for (const Tensor* t : {&elements, &tests})
    HWARO_CHECK(t->dtype() != DType::Bool && !is_complex(t->dtype()),
                "Unsupported input type encountered for isin(): ", scalar_type_name(t->dtype()));
  const Tensor out = make_tensor(elements.sizes(), DType::Bool, elements.device());
  if (out.device().is_meta() || out.numel() == 0) return out;
  const Tensor x = dense_as(elements, type), set = dense_as(tests, type);
  visit<kIntSet | kFloatSet>(type, "isin", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const int64_t n = set.numel();
    std::vector<int64_t> order(static_cast<std::size_t>(n));
    if (n > 0) RunSorter(n).sort(set->read(), type, n, false, order.data());
    const T* s = set->read_as<T>();
    std::vector<Key<T>> keys;
    for (int64_t i : order)
      if (s[i] == s[i]) keys.push_back(sort_key(s[i]));
    const T* p = x->read_as<T>();
    bool* to = out->write_as<bool>();
    parallel_for(x.numel(), 4096, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const Key<T> key = sort_key(p[i]);
        const int64_t at = position(keys.data(), nullptr, int64_t(keys.size()), key, false);
        to[i] = (at < int64_t(keys.size()) && keys[at] == key && p[i] == p[i]) != invert;
      }
    });
  });
  return out;
}

}  // namespace

static constexpr OutRule kSearchOut = out_same(
    "torch.searchsorted(): output tensor's dtype is wrong, it can only be Int(int32) or Long(int64) depending on "
    "whether "
    "out_int32 flag is True, but we got output tensor's dtype %O and out_int32 flag is %i");

struct SearchSorted {
  static constexpr Schema schema =
      "searchsorted.Tensor(Tensor sorted_sequence, Tensor self, *, bool out_int32=False, bool right=False, str? "
      "side=None, Tensor? sorter=None) -> Tensor";
  static constexpr Doc doc =
      "Where each element of self would be inserted in the innermost dimension of sorted_sequence.";
  static constexpr auto out_rule = kSearchOut;
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& sequence, const Tensor& self, bool out_int32, bool right,
                     std::optional<std::string_view> side, const Tensor& sorter) {
    return search_sorted(sequence, self, out_int32, right, side, sorter);
  }
};

struct SearchSortedNumber {
  static constexpr Schema schema =
      "searchsorted.Scalar(Tensor sorted_sequence, Scalar self, *, bool out_int32=False, bool right=False, str? "
      "side=None, Tensor? sorter=None) -> Tensor";
  static constexpr Doc doc = "Where a number would be inserted in sorted_sequence.";
  static constexpr auto out_rule = kSearchOut;
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& sequence, const Scalar& self, bool out_int32, bool right,
                     std::optional<std::string_view> side, const Tensor& sorter) {
    return search_sorted(sequence, number_like(sequence, self), out_int32, right, side, sorter);
  }
};

struct Bucketize {
  static constexpr Schema schema =
      "bucketize.Tensor(Tensor self, Tensor boundaries, *, bool out_int32=False, bool right=False) -> Tensor";
  static constexpr Doc doc = "The index of the interval between boundaries that each element lies in.";
  static constexpr auto out_rule = kSearchOut;
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, const Tensor& boundaries, bool out_int32, bool right) {
    return bucket(self, boundaries, out_int32, right);
  }
};

struct BucketizeNumber {
  static constexpr Schema schema =
      "bucketize.Scalar(Scalar self, Tensor boundaries, *, bool out_int32=False, bool right=False) -> Tensor";
  static constexpr Doc doc = "The index of the interval between boundaries that a number lies in.";
  static constexpr auto out_rule = kSearchOut;
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Scalar& self, const Tensor& boundaries, bool out_int32, bool right) {
    return bucket(number_like(boundaries, self), boundaries, out_int32, right);
  }
};

struct Isin {
  static constexpr Schema schema =
      "isin.Tensor_Tensor(Tensor elements, Tensor test_elements, *, bool assume_unique=False, bool invert=False) -> "
      "Tensor";
  static constexpr Doc doc = "Whether each element is among test_elements.";
  static constexpr auto out_rule = out_expected;
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& elements, const Tensor& tests, bool, bool invert) {
    return is_in(elements, tests, invert);
  }
};

struct IsinNumber {
  static constexpr Schema schema =
      "isin.Tensor_Scalar(Tensor elements, Scalar test_element, *, bool assume_unique=False, bool invert=False) -> "
      "Tensor";
  static constexpr Doc doc = "Whether each element equals a number.";
  static constexpr auto out_rule = out_expected;
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& elements, const Scalar& test, bool, bool invert) {
    return is_in(elements, wrap_number(test), invert);
  }
};

struct IsinOfNumber {
  static constexpr Schema schema =
      "isin.Scalar_Tensor(Scalar element, Tensor test_elements, *, bool assume_unique=False, bool invert=False) -> "
      "Tensor";
  static constexpr Doc doc = "Whether a number is among test_elements.";
  static constexpr auto out_rule = out_expected;
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Scalar& element, const Tensor& tests, bool, bool invert) {
    return is_in(wrap_number(element), tests, invert);
  }
};

}  // namespace hwaro::engine

#include "families/search.inc"
