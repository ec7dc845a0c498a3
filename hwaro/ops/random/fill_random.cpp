#include "hwaro/ops/random/fill_random.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "hwaro/core/type_names.h"
#include "hwaro/math/convert.h"
#include "hwaro/ops/index/has_data.h"
#include "hwaro/ops/kinds/support.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

constexpr DTypeSet kDrawable = kBoolSet | kIntSet | kFloatSet;

struct Limits {
  double max;  // the largest finite value
  int digits;  // every integer up to 2^digits is exact
};
Limits float_limits(DType t) {
  switch (t) {
    case DType::Half: return {65504.0, 11};
    case DType::BFloat16: return {0x1.FEp127, 8};
    case DType::Float: return {double(std::numeric_limits<float>::max()), 24};
    default: return {std::numeric_limits<double>::max(), 53};
  }
}

int64_t through(DType t, int64_t v) {
  int64_t out = v;
  visit_if<kFloatSet>(t, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_same_v<T, double>) out = cast_scalar<int64_t>(double(v));
    else out = cast_scalar<int64_t>(T(float(v)));
  });
  return out;
}

int highest_bit(int64_t v) {
  int n = 0;
  while (v >>= 1) ++n;
  return n;
}

// Bounds that the element type rounds are moved inwards to the next number that it has.
int64_t update_from(DType t, int64_t from) {
  const int64_t next = through(t, from + 1);
  if (next >= from) return from;
  return next + (int64_t(1) << (highest_bit(std::llabs(from + 1)) - float_limits(t).digits + 1));
}
int64_t update_to(DType t, int64_t to) {
  const int64_t last = through(t, to - 1);
  if (last < to) return to;
  return last - (int64_t(1) << (highest_bit(std::llabs(std::max(to - 1, -INT64_MAX))) - float_limits(t).digits + 1));
}

int64_t largest(DType t) {
  int64_t out = 1;
  visit_if<kIntSet>(t, [&](auto tag) { out = std::numeric_limits<typename decltype(tag)::type>::max(); });
  if (is_floating(t)) out = int64_t(1) << float_limits(t).digits;
  return out;
}
int64_t smallest(DType t) {
  int64_t out = 0;
  visit_if<kIntSet>(t, [&](auto tag) { out = std::numeric_limits<typename decltype(tag)::type>::min(); });
  return out;
}

void check_bound(DType t, int64_t v, const char* name) {
  if (is_floating(t)) {
    const Limits limits = float_limits(t);
    HWARO_CHECK(std::fabs(double(v)) <= limits.max, name, " is out of bounds for ", c_type_name(t));
    const int64_t exact = int64_t(1) << limits.digits;
    if (v < -exact || v > exact)
      warn(concat(name, " is out of bounds [-(2^", limits.digits, "), 2^", limits.digits,
                  "]. Due to precision limitations ", c_type_name(t),
                  " can support discrete uniform distribution only within this range. This warning will become an "
                  "error in version 1.7 "
                  "release, please fix the code in advance"));
    return;
  }
  HWARO_CHECK(v >= smallest(t) && v <= largest(t), name, " is out of bounds for ", c_type_name(t));
}

void fill_range(const Tensor& self, int64_t from, std::uint64_t range, Generator* generator) {
  fill_in_order<kDrawable>(self, "random_from_to_kernel_cpu", [&](auto* out, int64_t n) {
    fill_random_from_to(generator_or_default(generator), out, n, range, from);
  });
}

void check_uniform(DType t, double from, double to) {
  const double max = float_limits(t).max;
  HWARO_CHECK(from >= -max && from <= max, "from is out of bounds for ", c_type_name(t));
  HWARO_CHECK(to >= -max && to <= max, "to is out of bounds for ", c_type_name(t));
  HWARO_CHECK(from <= to, "uniform_ expects to return a [from, to) range, but found from=", from, " > to=", to);
  HWARO_CHECK(to - from <= max, "uniform_ expects to-from <= std::numeric_limits<", scalar_type_name(t),
              ">::max(), but found to=", to, " and from=", from, " which result in to-from to exceed the limit");
}

}  // namespace

// Dimensions from the outermost in memory to the innermost.
static Dims memory_order(const Tensor& t) {
  Dims order(t.sizes().size());
  for (std::size_t d = 0; d < order.size(); ++d) order[d] = int64_t(d);
  for (std::size_t i = 1; i < order.size(); ++i)
    for (std::size_t k = i; k > 0 && t.strides()[order[k - 1]] < t.strides()[order[k]]; --k)
      std::swap(order[k - 1], order[k]);
  return order;
}

Tensor in_memory_order(const Tensor& self) {
  Dims sizes, strides;
  for (int64_t d : memory_order(self)) sizes.push_back(self.sizes()[d]), strides.push_back(self.strides()[d]);
  return alias(self, sizes, strides, self->offset);
}

Tensor real_parts(const Tensor& self) {
  Dims sizes(self.sizes()), strides(self.strides());
  for (int64_t& s : strides) s *= 2;
  sizes.push_back(2);
  strides.push_back(1);
  Tensor out = alias(self, sizes, strides, 2 * self->offset);
  out->dtype = to_real(self.dtype());
  out->set(kConj, false);
  return out;
}

void uniform_raw(const Tensor& self, double from, double to, Generator* generator) {
  if (is_complex(self.dtype())) return uniform_raw(real_parts(self), from, to, generator);
  HWARO_CHECK_AS(NotImplementedError, is_floating(self.dtype()), "\"check_uniform_bounds\" not implemented for '",
                 scalar_type_name(self.dtype()), "'");
  check_uniform(self.dtype(), from, to);
  if (self.device().is_meta()) return;
  fill_in_order<kFloatSet>(
      self, "uniform", [&](auto* out, int64_t n) { fill_uniform(generator_or_default(generator), out, n, from, to); });
}

void normal_raw(const Tensor& self, double mean, double std, Generator* generator) {
  HWARO_CHECK(std >= 0, "normal expects std >= 0.0, but found std ", std);
  if (self.device().is_meta() || self.numel() == 0) return;
  if (is_complex(self.dtype())) return normal_raw(real_parts(self), mean, std / std::sqrt(2.0), generator);
  Generator& g = generator_or_default(generator);
  if (self.is_contiguous()) {
    visit<kFloatSet>(self.dtype(), "normal_kernel_cpu", [&](auto tag) {
      fill_normal(g, self->write_as<typename decltype(tag)::type>(), self.numel(), mean, std);
    });
    return;
  }
  fill_in_order<kFloatSet>(self, "normal_kernel_cpu", [&]<class T>(T* out, int64_t n) {
    normal_serial(g, n, mean, std, [out](int64_t i, double x) {
      if constexpr (std::is_floating_point_v<T>) out[i] = T(x);
      else out[i] = T(float(x));
    });
  });
}

void bernoulli_raw(const Tensor& self, double p, Generator* generator) {
  HWARO_CHECK(p >= 0 && p <= 1, "bernoulli_ expects p to be in [0, 1], but got p=", p);
  if (self.device().is_meta()) return;
  fill_in_order<kDrawable>(self, "bernoulli_scalar_cpu_",
                           [&](auto* out, int64_t n) { fill_bernoulli(generator_or_default(generator), out, n, p); });
}

void bernoulli_raw(const Tensor& self, const Tensor& p, Generator* generator) {
  check_has_data(self, {p});
  HWARO_CHECK_AS(NotImplementedError, is_floating(p.dtype()), "\"bernoulli_tensor_cpu_p_\" not implemented for '",
                 scalar_type_name(p.dtype()), "'");
  NoGradGuard guard;
  const Tensor each = p.sizes() == self.sizes() ? p : expand(p, self.sizes());
  if (self.device().is_meta()) return;
  // The probabilities in the order in which self is visited.
  const Tensor line = dense(self.is_contiguous() ? each : permute(detach(each), memory_order(self)));
  visit_if<kFloatSet>(p.dtype(), [&](auto tag) {
    using P = typename decltype(tag)::type;
    const P* probability = line->read_as<P>();
    for (int64_t i = 0; i < line.numel(); ++i)
      HWARO_CHECK(double(float(probability[i])) >= 0 && double(float(probability[i])) <= 1,
                  "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be improved?  "
                  "If so, please report an "
                  "enhancement request to PyTorch.)");
    fill_in_order<kDrawable>(self, "bernoulli_tensor_cpu_self_", [&](auto* out, int64_t n) {
      fill_bernoulli(generator_or_default(generator), out, probability, n);
    });
  });
}

void exponential_raw(const Tensor& self, double lambda, Generator* generator) {
  HWARO_CHECK(lambda > 0, "exponential_ expects lambda > 0.0, but found lambda=", lambda);
  HWARO_CHECK(is_floating(self.dtype()) || self.numel() == 0,
              "Exponential distribution is a continuous probability distribution. dtype must be a floating point but "
              "you specified ",
              scalar_type_name(self.dtype()));
  if (self.device().is_meta()) return;
  fill_in_order<kFloatSet>(self, "exponential_cpu", [&](auto* out, int64_t n) {
    fill_exponential(generator_or_default(generator), out, n, lambda);
  });
}

void random_raw(const Tensor& self, std::optional<int64_t> first, std::optional<int64_t> last, Generator* generator) {
  const DType t = self.dtype();
  if (!first && !last) {
    if (self.device().is_meta()) return;
    fill_in_order<kDrawable>(self, "random_kernel_cpu",
                             [&](auto* out, int64_t n) { fill_random(generator_or_default(generator), out, n); });
    return;
  }
  int64_t from = first.value_or(0);
  HWARO_CHECK(!last || from < *last, "random_ expects 'from' to be less than 'to', but got from=", from,
              " >= to=", last.value_or(0));
  HWARO_CHECK(!is_complex(t), "check_random_bounds handles only integral, floating-point and boolean types");
  if (!last && from == std::numeric_limits<int64_t>::min()) {
    HWARO_CHECK(!is_integral(t) || t == DType::Int64,
                "random_full_64_bits_range_kernel_cpu handles only int64, double, float and bfloat16");
    if (self.device().is_meta()) return;
    constexpr DTypeSet kWide = bit(DType::Int64) | bit(DType::Double) | bit(DType::Float) | bit(DType::BFloat16);
    fill_in_order<kWide>(self, "random_full_64_bits_range_kernel_cpu", [&](auto* out, int64_t n) {
      fill_random_full_range(generator_or_default(generator), out, n);
    });
    return;
  }
  std::uint64_t range;
  if (last) {
    int64_t to = *last;
    if (is_floating(t)) {
      from = update_from(t, from);
      to = update_to(t, to);
      HWARO_CHECK(from < to,
                  "random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, but got from=", from,
                  " >= to=", to);
    }
    check_bound(t, from, "from");
    check_bound(t, to - 1, "to - 1");
    range = std::uint64_t(to) - std::uint64_t(from);
  } else {
    if (is_floating(t)) {
      from = update_from(t, from);
      HWARO_CHECK(
          from < largest(t),
          "random_ expects 'from' casted to dtype to be less than or equal to 'to_inc' casted to dtype, but got from=",
          from, " > to_inc=", largest(t));
    }
    check_bound(t, from, "from");
    range = std::uint64_t(largest(t)) - std::uint64_t(from) + 1;
  }
  if (!self.device().is_meta()) fill_range(self, from, range, generator);
}

}  // namespace hwaro::engine
