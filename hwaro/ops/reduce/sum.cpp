// Sums and means.
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/reduce/plan.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

static DType sum_type(const Tensor& self, OptDType dtype) {
  return dtype ? *dtype : is_integral(self.dtype(), true) ? DType::Int64 : self.dtype();
}

// The sum over mask as a tensor of `type`; not recorded.
static Tensor raw_sum(ReduceOp op, const Tensor& self, DimMask mask, bool keepdim, DType type) {
  check_differentiable(self, type);
  // Integers are summed as integers even where the result is wider; a type that was asked for is converted to first.
  const bool convert = type != self.dtype() && !(type == DType::Int64 && is_integral(self.dtype(), true));
  return dense_as(reduce(op, convert ? dense_as(self, type) : self, mask, keepdim), type);
}

static void record_sum(const char* name, const Tensor& self, const Tensor& out, DimMask mask, bool keepdim) {
  record(name, {self}, out, {}, [sizes = Dims(self.sizes()), mask, keepdim](Backward& b) {
    b.set(0, expand_reduced(b.g(), sizes, mask, keepdim));
  });
}

struct Sum {
  static constexpr Schema schema = "sum(Tensor self, *, ScalarType? dtype=None) -> Tensor";
  static constexpr Doc doc = "The sum of all elements.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, OptDType dtype) {
    const Tensor out = raw_sum(ReduceOp::Sum, self, all_dims(self.dim()), false, sum_type(self, dtype));
    if (recording(self)) record_sum("SumBackward0", self, out, all_dims(self.dim()), false);
    return out;
  }
};

struct SumDims {
  static constexpr Schema schema =
      "sum.dim_IntList(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor";
  static constexpr Doc doc = "The sum over the given dimensions.";
  static constexpr auto out_rule = out_decides;
  static Tensor call(const Tensor& self, OptIntSpan dim, bool keepdim, OptDType dtype) {
    const DimMask mask = dim_mask(dim, self.dim());
    const Tensor out = raw_sum(ReduceOp::Sum, self, mask, keepdim, sum_type(self, dtype));
    if (recording(self)) record_sum("SumBackward1", self, out, mask, keepdim);
    return out;
  }
};

struct SumAll {
  static constexpr Schema schema = "sum_all(Tensor self) -> Tensor";
  static constexpr Doc doc = "The sum of all elements, for the engine's own code.";
  static constexpr unsigned expose = kInternal;
  static Tensor call(const Tensor& self) { return Sum::call(self, std::nullopt); }
};

struct SumToSize {
  static constexpr Schema schema = "sum_to_size(Tensor self, int[] size) -> Tensor";
  static constexpr Doc doc =
      "Sums over leading dimensions and over those of size 1 in `size`, so that the result has that size.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, IntSpan size) {
    // A sum even where there is a single element already, as in PyTorch: a copy, and integers become int64.
    if (size.empty()) return sum_all(self);
    if (self.sizes() == size) return self;
    const int64_t lead = self.dim() - int64_t(size.size());
    bool fits = lead >= 0;
    for (std::size_t d = 0; fits && d < size.size(); ++d) fits = size[d] == 1 || size[d] == self.sizes()[d + lead];
    HWARO_CHECK(fits, "size {", sizes_str(size), "} is not expandable to size {", sizes_str(self.sizes()), "}.");
    Dims dims;
    for (int64_t d = 0; d < lead; ++d) dims.push_back(d);
    for (std::size_t d = 0; d < size.size(); ++d)
      if (size[d] == 1 && self.sizes()[d + lead] != 1) dims.push_back(int64_t(d) + lead);
    Tensor out = self;
    if (!dims.empty()) out = SumDims::call(self, dims, true, std::nullopt);
    return lead > 0 ? view(out, size) : out;
  }
};

static void check_mean(const Tensor& self, OptDType dtype, const char* name = "mean") {
  const DType type = dtype.value_or(self.dtype());
  HWARO_CHECK(is_differentiable(type), name, "(): could not infer output dtype. ", dtype ? "Optional" : "Input",
              " dtype must be either a floating point or complex dtype. Got: ", scalar_type_name(type));
}

// Divides a fresh tensor by a count.
static void divide_by(const Tensor& t, int64_t count) {
  if (t.device().is_meta()) return;
  visit_if<bit(DType::Float) | bit(DType::Double) | kComplexSet>(t.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (is_complex(dtype_of<T>)) {
      auto* p = t->write_as<decltype(T{}.re)>();
      for (int64_t i = 0; i < 2 * t.numel(); ++i) p[i] /= decltype(T{}.re)(count);
    } else {
      T* p = t->write_as<T>();
      for (int64_t i = 0; i < t.numel(); ++i) p[i] /= T(count);
    }
  });
}

static Tensor raw_mean(const Tensor& self, DimMask mask, bool keepdim, OptDType dtype) {
  check_mean(self, dtype);
  const DType type = dtype.value_or(self.dtype());
  const Tensor out = reduce(ReduceOp::Sum, type != self.dtype() ? dense_as(self, type) : self, mask, keepdim);
  divide_by(out, reduced_numel(self.sizes(), mask));
  return dense_as(out, type);
}

static void record_mean(const char* name, const Tensor& self, const Tensor& out, DimMask mask, bool keepdim) {
  record(name, {self}, out, {}, [sizes = Dims(self.sizes()), mask, keepdim](Backward& b) {
    b.set(0, div(expand_reduced(b.g(), sizes, mask, keepdim), reduced_numel(sizes, mask)));
  });
}

struct Mean {
  static constexpr Schema schema = "mean(Tensor self, *, ScalarType? dtype=None) -> Tensor";
  static constexpr Doc doc = "The mean of all elements.";
  static constexpr auto out_rule =
      out_castable("mean.dtype_out(): input types can't be cast to the desired output type %O");
  static Tensor call(const Tensor& self, OptDType dtype) {
    const Tensor out = raw_mean(self, all_dims(self.dim()), false, dtype);
    if (recording(self)) record_mean("MeanBackward0", self, out, all_dims(self.dim()), false);
    return out;
  }
};

struct MeanDims {
  static constexpr Schema schema =
      "mean.dim(Tensor self, int[1]? dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor";
  static constexpr Doc doc = "The mean over the given dimensions.";
  static Tensor call(const Tensor& self, OptIntSpan dim, bool keepdim, OptDType dtype) {
    check_mean(self, dtype);
    const DimMask mask = dim_mask(dim, self.dim());
    const Tensor out = raw_mean(self, mask, keepdim, dtype);
    if (recording(self)) record_mean("MeanBackward1", self, out, mask, keepdim);
    return out;
  }
};

struct NanSum {
  static constexpr Schema schema =
      "nansum(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor";
  static constexpr Doc doc = "The sum over the given dimensions with NaN counted as zero.";
  static Tensor call(const Tensor& self, OptIntSpan dim, bool keepdim, OptDType dtype) {
    const DimMask mask = dim_mask(dim, self.dim());
    HWARO_CHECK(!is_complex(self.dtype()), "nansum on CPU does not support complex inputs");
    const DType type = sum_type(self, dtype);
    const ReduceOp op = is_floating(self.dtype()) ? ReduceOp::NanSum : ReduceOp::Sum;
    const Tensor out = raw_sum(is_floating(type) ? op : ReduceOp::Sum, self, mask, keepdim, type);
    if (recording(self))
      record("NansumBackward0", {self}, out, {save(self)}, [mask, keepdim](Backward& b) {
        const Tensor x = b.saved(0);
        const Tensor g = expand_reduced(to_dtype(b.g(), x.dtype()), x.sizes(), mask, keepdim);
        b.set(0, mul(g, logical_not(isnan(x))));
      });
    return out;
  }
  static void call_out(const Tensor& out, const Tensor& self, OptIntSpan dim, bool keepdim, OptDType dtype) {
    store_out(out, call(self, dim, keepdim, type_for(out, self, dtype)), out_expected);
  }
  // The type that out asks for; a number type without NaN only by name.
  static DType type_for(const Tensor& out, const Tensor& self, OptDType dtype) {
    if (!dtype && is_floating(self.dtype()) && !is_floating(out.dtype()))
      raise<NotImplementedError>("\"nansum_cpu\" not implemented for '", scalar_type_name(out.dtype()), '\'');
    return dtype.value_or(out.dtype());
  }
};

struct NanMean {
  static constexpr Schema schema =
      "nanmean(Tensor self, int[1]? dim=None, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor";
  static constexpr Doc doc = "The mean over the given dimensions of the elements that are not NaN.";
  static Tensor call(const Tensor& self, OptIntSpan dim, bool keepdim, OptDType dtype) {
    HWARO_CHECK(is_differentiable(self.dtype()),
                "nanmean(): expected input to have floating point or complex dtype but got ",
                scalar_type_name(self.dtype()));
    if (dtype) check_mean(self, dtype, "nanmean");
    const Tensor count = SumDims::call(logical_not(isnan(detach(self))), dim, keepdim, std::nullopt);
    return div(NanSum::call(self, dim, keepdim, dtype), count);
  }
  static void call_out(const Tensor& out, const Tensor& self, OptIntSpan dim, bool keepdim, OptDType dtype) {
    store_out(out, call(self, dim, keepdim, NanSum::type_for(out, self, dtype)), out_expected);
  }
};

}  // namespace hwaro::engine

#include "families/sum.inc"
