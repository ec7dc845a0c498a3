// Statistics that are built from other operators: quantiles, counts, covariance.
#include <cmath>
#include <limits>

#include "hwaro/base/parallel.h"
#include "hwaro/ops/combination.h"
#include "hwaro/ops/diagonal.h"
#include "hwaro/ops/extrema.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/reduce/plan.h"
#include "hwaro/ops/reduce/selection.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/sort.h"
#include "hwaro/ops/view.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

constexpr DTypeSet kWide = bit(DType::Float) | bit(DType::Double);

// Quantiles of each row of sorted values: the elements around the rank q * (n - 1), and how far between them it lies.
struct Ranks {
  Tensor below, above, weight;
};
Ranks ranks_of(const Tensor& sorted, const Tensor& q, std::string_view interpolation, bool ignore_nan) {
  const int64_t n = sorted.sizes().back(), rows = sorted.numel() / n, count = q.numel();
  Dims sizes(sorted.sizes());
  sizes.back() = count;
  Ranks ranks{make_tensor(sizes, DType::Int64), make_tensor(sizes, DType::Int64), make_tensor(sizes, sorted.dtype())};
  sizes.back() = 1;
  const Tensor x = dense(detach(sorted)), p = dense(detach(q)), slope = make_tensor(sizes, sorted.dtype());
  visit<kWide>(sorted.dtype(), "quantile", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* values = x->read_as<T>();
    for (int64_t r = 0; r < rows; ++r) {
      int64_t valid = n;  // NaN is last
      while (valid > 0 && std::isnan(values[r * n + valid - 1])) --valid;
      const T most = T(ignore_nan ? (valid > 0 ? valid - 1 : 0) : n - 1);
      const bool spoiled = !ignore_nan && valid < n;
      slope->write_as<T>()[r] = spoiled ? 0 : most;
      for (int64_t j = 0; j < count; ++j) {
        T rank = spoiled ? most : p->read_as<T>()[j] * most;
        if (interpolation == "lower") rank = std::floor(rank);
        else if (interpolation == "higher") rank = std::ceil(rank);
        else if (interpolation == "nearest") rank = std::nearbyint(rank);
        const int64_t at = r * count + j;
        ranks.below->write_as<int64_t>()[at] = int64_t(rank);
        ranks.above->write_as<int64_t>()[at] = int64_t(std::ceil(rank));
        ranks.weight->write_as<T>()[at] = interpolation == "midpoint" ? T(0.5) : rank - std::floor(rank);
      }
    }
  });
  if (interpolation == "linear" && recording(q)) {  // a zero that carries the gradient of q
    const Tensor rank = mul(q, slope);
    ranks.weight = add(ranks.weight, sub(rank, detach(rank)));
  }
  return ranks;
}

// t without its last dimension of size 1, as PyTorch's in-place squeeze_(-1).
Tensor squeezed(const Tensor& t) {
  Dims sizes(t.sizes()), strides(t.strides());
  sizes.pop_back(), strides.pop_back();
  return record_view("SqueezeBackward4", t, sizes, strides, t->offset,
                     [](const Tensor& g) { return unsqueeze(g, -1); });
}
// unsqueeze_(0).transpose_(0, -1).squeeze_(-1): the last dimension comes to the front.
Tensor last_to_front(const Tensor& t) {
  Dims sizes(t.sizes()), strides(t.strides());
  sizes.insert(0, 1), strides.insert(0, sizes[1] * strides[0]);
  Tensor out =
      record_view("UnsqueezeBackward1", t, sizes, strides, t->offset, [](const Tensor& g) { return squeeze(g, 0); });
  std::swap(sizes[0], sizes.back()), std::swap(strides[0], strides.back());
  out = record_view("TransposeBackward1", out, sizes, strides, t->offset,
                    [](const Tensor& g) { return transpose(g, 0, -1); });
  return squeezed(out);
}

Tensor quantile_of(const Tensor& self, const Tensor& q, std::optional<int64_t> dim, bool keepdim,
                   std::string_view interpolation, bool ignore_nan) {
  HWARO_CHECK(self.numel() > 0, "quantile() input tensor must be non-empty");
  HWARO_CHECK(q.dim() <= 1, "quantile() q must be a scalar or 1D tensor");
  HWARO_CHECK(contains(kWide, self.dtype()), "quantile() input tensor must be either float or double dtype");
  HWARO_CHECK(self.dtype() == q.dtype(), "quantile() q tensor must be same dtype as the input tensor");
  if (dim) wrap_dim(*dim, self.dim());
  const bool linear = interpolation == "linear" || interpolation == "midpoint";
  HWARO_CHECK(linear || interpolation == "lower" || interpolation == "higher" || interpolation == "nearest",
              "quantile() interpolation must be one of linear, lower, higher, midpoint or nearest, but got ",
              interpolation);
  {
    NoGradGuard guard;
    const Tensor p = dense_as(q, DType::Double);
    for (int64_t j = 0; j < p.numel(); ++j)
      HWARO_CHECK(p->read_as<double>()[j] >= 0 && p->read_as<double>()[j] <= 1,
                  "quantile() q values must be in the range [0, 1]");
  }
  // Rows to take quantiles of along the last dimension; the shape of one quantile of all of them.
  Dims kept(self.sizes());
  Tensor rows = self;
  if (!dim) {
    rows = reshape(self, {self.numel()});
    for (int64_t& s : kept) s = 1;
    if (!keepdim) kept.clear();
  } else if (self.dim() > 0) {
    const int64_t d = wrap_dim(*dim, self.dim());
    if (d != self.dim() - 1) rows = transpose(unsqueeze(self, -1), d, -1);
    if (keepdim) kept[d] = 1;
    else kept.erase(d);
  }
  if (rows.dim() == 0) rows = reshape(rows, {1});
  kept.push_back(rows.sizes().back());
  const Tensor sorted = view(std::get<0>(sort(rows, -1, false)), kept);
  const Ranks ranks = ranks_of(sorted, q, interpolation, ignore_nan);
  const int64_t last = sorted.dim() - 1;
  Tensor out = pick(sorted, last, ranks.below);
  if (linear) out = lerp(out, pick(sorted, last, ranks.above), Operand(ranks.weight));
  return q.dim() == 0 ? squeezed(out) : last_to_front(out);
}

Tensor number_q(const Tensor& self, double q) {
  HWARO_CHECK(q >= 0 && q <= 1, "quantile() q must be in the range [0, 1] but got ", q);
  return make_full({}, q, self.dtype());
}

}  // namespace

struct QuantileNumber {
  static constexpr Schema schema =
      "quantile.scalar(Tensor self, float q, int? dim=None, bool keepdim=False, *, str interpolation='linear') -> "
      "Tensor";
  static constexpr Doc doc = "The q-th quantile along dim, or of all elements.";
  static constexpr auto out_rule = out_same("quantile() out tensor must be same dtype as the input tensor");
  static Tensor call(const Tensor& self, double q, std::optional<int64_t> dim, bool keepdim,
                     std::string_view interpolation) {
    return quantile_of(self, number_q(self, q), dim, keepdim, interpolation, false);
  }
};

struct Quantile {
  static constexpr Schema schema =
      "quantile(Tensor self, Tensor q, int? dim=None, bool keepdim=False, *, str interpolation='linear') -> Tensor";
  static constexpr Doc doc = "The quantiles of the levels in q along dim, or of all elements; one slice per level.";
  static constexpr auto out_rule = out_same("quantile() out tensor must be same dtype as the input tensor");
  static Tensor call(const Tensor& self, const Tensor& q, std::optional<int64_t> dim, bool keepdim,
                     std::string_view interpolation) {
    return quantile_of(self, q, dim, keepdim, interpolation, false);
  }
};

struct NanquantileNumber {
  static constexpr Schema schema =
      "nanquantile.scalar(Tensor self, float q, int? dim=None, bool keepdim=False, *, str interpolation='linear') -> "
      "Tensor";
  static constexpr Doc doc = "The q-th quantile of the elements that are not NaN.";
  static constexpr auto out_rule = out_same("quantile() out tensor must be same dtype as the input tensor");
  static Tensor call(const Tensor& self, double q, std::optional<int64_t> dim, bool keepdim,
                     std::string_view interpolation) {
    return quantile_of(self, number_q(self, q), dim, keepdim, interpolation, true);
  }
};

struct Nanquantile {
  static constexpr Schema schema =
      "nanquantile(Tensor self, Tensor q, int? dim=None, bool keepdim=False, *, str interpolation='linear') -> Tensor";
  static constexpr Doc doc = "The quantiles of the levels in q of the elements that are not NaN.";
  static constexpr auto out_rule = out_same("quantile() out tensor must be same dtype as the input tensor");
  static Tensor call(const Tensor& self, const Tensor& q, std::optional<int64_t> dim, bool keepdim,
                     std::string_view interpolation) {
    return quantile_of(self, q, dim, keepdim, interpolation, true);
  }
};

struct Bincount {
  static constexpr Schema schema = "bincount(Tensor self, Tensor? weights=None, int minlength=0) -> Tensor";
  static constexpr Doc doc =
      "How often each non-negative integer occurs, or the sum of the weights of its occurrences.";
  static Tensor call(const Tensor& self, const Tensor& weights, int64_t minlength) {
    if (!is_integral(self.dtype()))
      raise<NotImplementedError>("\"bincount_cpu\" not implemented for '", scalar_type_name(self.dtype()), '\'');
    HWARO_CHECK(minlength >= 0, "minlength should be >= 0");
    const Tensor x = dense_as(self, DType::Int64);
    const int64_t* at = x->read_as<int64_t>();
    int64_t high = -1, low = 0;
    for (int64_t i = 0; i < x.numel(); ++i) {
      low = at[i] < low ? at[i] : low;
      high = at[i] > high ? at[i] : high;
    }
    HWARO_CHECK(self.numel() == 0 || (self.dim() == 1 && low >= 0),
                "bincount only supports 1-d non-negative integral inputs.");
    if (self.dim() == 1 && self.numel() == 0) return make_zeros({minlength}, DType::Int64);  // whatever the weights are
    HWARO_CHECK(!weights.defined() || (weights.dim() == 1 && weights.numel() == self.numel()),
                "weights should be 1-d and have the same length as input");
    const int64_t size = high + 1 > minlength ? high + 1 : minlength;
    if (!weights.defined()) {
      const Tensor out = make_zeros({size}, DType::Int64);
      for (int64_t i = 0; i < x.numel(); ++i) ++out->write_as<int64_t>()[at[i]];
      return out;
    }
    const DType type = weights.dtype() == DType::Float ? DType::Float : DType::Double;
    const Tensor out = make_zeros({size}, type), w = dense_as(weights, type);
    visit<kWide>(type, "bincount_cpu", [&](auto tag) {
      using T = typename decltype(tag)::type;
      for (int64_t i = 0; i < x.numel(); ++i) out->write_as<T>()[at[i]] += w->read_as<T>()[i];
    });
    return out;
  }
};

struct Histc {
  static constexpr Schema schema = "histc(Tensor self, int bins=100, Scalar min=0, Scalar max=0) -> Tensor";
  static constexpr Doc doc = "How many elements fall into each of `bins` equal intervals from min to max.";
  static Tensor call(const Tensor& self, int64_t bins, const Scalar& min, const Scalar& max) {
    if (is_reduced_float(self.dtype())) return dense_as(call(dense_as(self, kFloat32), bins, min, max), self.dtype());
    if (!contains(kWide, self.dtype()))
      raise<NotImplementedError>("\"histogram_cpu\" not implemented for '", scalar_type_name(self.dtype()), '\'');
    HWARO_CHECK(bins > 0, "torch.histogram(): bins must be > 0, but got ", bins, " for dimension 0");
    double low = min.to_double(), high = max.to_double();
    HWARO_CHECK(low <= high, "torch.histc: max must be larger than min");
    if (low == high && self.numel() > 0) {
      const Tensor least = reduce(ReduceOp::Min, self, all_dims(self.dim()), false),
                   most = reduce(ReduceOp::Max, self, all_dims(self.dim()), false);
      low = dense_as(least, DType::Double)->read_as<double>()[0];
      high = dense_as(most, DType::Double)->read_as<double>()[0];
    }
    HWARO_CHECK(std::isfinite(low) && std::isfinite(high), "torch.histc: range of [", low, ", ", high,
                "] is not finite");
    if (low == high) low -= 1, high += 1;
    const Tensor out = make_zeros({bins}, self.dtype()), x = dense(self);
    visit<kWide>(self.dtype(), "histogram_cpu", [&](auto tag) {
      using T = typename decltype(tag)::type;
      const T first = T(low), last = T(high);
      for (int64_t i = 0; i < x.numel(); ++i) {
        const T v = x->read_as<T>()[i];
        if (!(v >= first && v <= last)) continue;
        const int64_t at = int64_t((v - first) * T(bins) / (last - first));
        out->write_as<T>()[at < bins ? at : bins - 1] += 1;
      }
    });
    return out;
  }
};

static void check_not_negative(const char* name, const Tensor& weights) {
  if (weights.numel() == 0 || weights.device().is_meta()) return;
  const Tensor least = dense_as(reduce(ReduceOp::Min, weights, all_dims(weights.dim()), false), DType::Double);
  HWARO_CHECK(least->read_as<double>()[0] >= 0, "cov(): ", name, " cannot be negative");
}

struct Cov {
  static constexpr Schema schema =
      "cov(Tensor self, *, int correction=1, Tensor? fweights=None, Tensor? aweights=None) -> Tensor";
  static constexpr Doc doc =
      "The covariances of variables (rows) over observations (columns); weights repeat or weigh observations.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, int64_t correction, const Tensor& fweights, const Tensor& aweights) {
    HWARO_CHECK(self.dim() <= 2, "cov(): expected input to have two or fewer dimensions but got an input with ",
                self.dim(), " dimensions");
    HWARO_CHECK(self.dtype() != DType::Bool, "cov(): bool dtype is not supported for input");
    Tensor x = self.dim() < 2 ? reshape(self, {1, self.numel()}) : self;
    if (is_integral(x.dtype())) x = to_dtype(x, default_dtype());
    const int64_t count = x.sizes()[1];
    Tensor weights;
    if (fweights.defined()) {
      HWARO_CHECK(fweights.dim() <= 1,
                  "cov(): expected fweights to have one or fewer dimensions but got fweights with ", fweights.dim(),
                  " dimensions");
      HWARO_CHECK(is_integral(fweights.dtype()),
                  "cov(): expected fweights to have integral dtype but got fweights with ",
                  scalar_type_name(fweights.dtype()), " dtype");
      HWARO_CHECK(fweights.numel() == count,
                  "cov(): expected fweights to have the same numel as there are observations in the input but got ",
                  fweights.numel(), " != ", count);
      check_not_negative("fweights", fweights);
      weights = fweights;
    }
    if (aweights.defined()) {
      HWARO_CHECK(aweights.dim() <= 1,
                  "cov(): expected aweights to have one or fewer dimensions but got aweights with ", aweights.dim(),
                  " dimensions");
      HWARO_CHECK(is_floating(aweights.dtype()),
                  "cov(): expected aweights to have floating point dtype but got aweights with ",
                  scalar_type_name(aweights.dtype()), " dtype");
      HWARO_CHECK(aweights.numel() == count,
                  "cov(): expected aweights to have the same numel as there are observations in the input but got ",
                  aweights.numel(), " != ", count);
      check_not_negative("aweights", aweights);
      weights = weights.defined() ? mul(weights, aweights) : aweights;
    }
    const Dims along{1};
    Tensor average, total;
    if (weights.defined()) {
      total = sum_all(weights);
      HWARO_CHECK(total.device().is_meta() || dense_as(total, DType::Double)->read_as<double>()[0] != 0,
                  "cov(): weights sum to zero, can't be normalized");
      average = div(sum(mul(x, weights), IntSpan(along)), total);
    } else {
      total = make_full({}, count, DType::Int64);
      average = mean(x, IntSpan(along));
    }
    Tensor factor = weights.defined() && aweights.defined() && correction != 0
                        ? sub(total, div(mul(sum_all(mul(weights, aweights)), correction), total))
                        : sub(total, correction);
    if (!factor.device().is_meta() && dense_as(factor, DType::Double)->read_as<double>()[0] <= 0) {
      warn("cov(): degrees of freedom is <= 0. Correction should be strictly less than the number of observations.");
      factor = make_zeros({}, factor.dtype());
    }
    const Tensor centered = sub(x, unsqueeze(average, 1));
    const Tensor other = weights.defined() ? to_dtype(mul(centered, weights), centered.dtype()) : centered;
    const Tensor out = div(mm(centered, conj(t(other))), factor);
    return squeeze(out);
  }
};

struct Corrcoef {
  static constexpr Schema schema = "corrcoef(Tensor self) -> Tensor";
  static constexpr Doc doc = "The correlation coefficients of variables (rows) over observations (columns).";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self) {
    HWARO_CHECK(self.dim() <= 2, "corrcoef(): expected input to have two or fewer dimensions but got an input with ",
                self.dim(), " dimensions");
    const Tensor c = Cov::call(self, 1, {}, {});
    if (c.dim() == 0) return div(c, c);
    const Tensor variances = diagonal(c, 0, 0, 1);
    const Tensor deviation = sqrt(is_complex(c.dtype()) ? real(variances) : variances);
    const Tensor out = div(div(c, unsqueeze(deviation, 1)), unsqueeze(deviation, 0));
    return is_complex(out.dtype()) ? out : clamp(Operand(out), Scalar(-1), Scalar(1));
  }
};

}  // namespace hwaro::engine

#include "families/statistics.inc"
