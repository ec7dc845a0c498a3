// The leaky rectifier with a random slope (Xu et al. 2015).
#include <mutex>

#include "hwaro/core/generator.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/pointwise/activations.h"
#include "hwaro/ops/registry.h"

#include "hwaro/ops/activations.h"

namespace hwaro::engine {

namespace {

// The slope of each element: one above zero, else drawn from [lower, upper); only those are drawn.
Tensor random_slopes(const Tensor& x, double lower, double upper, Generator& generator) {
  const Tensor in = dense(x), slopes = make_tensor(x.sizes(), x.dtype(), x.device());
  visit<kFloatSet>(x.dtype(), "rrelu_with_noise_out_cpu", [&](auto tag) {
    using T = typename decltype(tag)::type;
    const std::lock_guard lock(generator.mutex());
    const T* from = in->read_as<T>();
    T* to = slopes->write_as<T>();
    for (std::int64_t i = 0; i < in.numel(); ++i) {
      double slope = 1;
      if (float(from[i]) <= 0)
        slope = double(generator.random64() & ((std::uint64_t(1) << 53) - 1)) * 0x1p-53 * (upper - lower) + lower;
      if constexpr (std::is_same_v<T, double>) to[i] = slope;
      else to[i] = T(float(slope));
    }
  });
  return slopes;
}

}  // namespace

static Tensor rrelu_of(const Tensor& x, const Scalar& lower, const Scalar& upper, bool training, Generator* generator,
                       bool inplace) {
  HWARO_CHECK(lower.to_double() <= upper.to_double(), "Lower bound should be less than or equal to the upper bound");
  Tensor slopes;
  if (training && !x.device().is_meta()) {
    slopes = random_slopes(x, lower.to_double(), upper.to_double(), generator ? *generator : default_generator());
  } else {
    if (!is_floating(x.dtype()))
      raise<NotImplementedError>("\"leaky_relu_cpu\" not implemented for '", scalar_type_name(x.dtype()), '\'');
    slopes = make_full({}, (lower.to_double() + upper.to_double()) / 2, x.dtype(), x.device());
  }
  const bool recorded = recording(x);
  const auto gradient = [](Backward& b) {
    b.set(0, bent(b.saved(0), where(b.saved(0) > 0, b.g(), b.g() * b.saved(1))));
  };
  const auto compute = [&] {
    const NoGradGuard no_grad;
    return where(x > 0, x, x * slopes);
  };
  if (!inplace) {
    const Tensor out = compute();
    if (recorded) record("RreluWithNoiseBackward0", {x}, out, {save(x), save(slopes)}, gradient);
    return out;
  }
  check_inplace(x, recorded);
  check_internal_overlap(x);
  const Tensor before = recorded ? clone(x) : Tensor();
  copy_raw(x, compute());
  x->bump_version();
  if (recorded) record_inplace("RreluWithNoiseBackward1", x, {x}, {save(before), save(slopes)}, gradient);
  return x;
}

struct Rrelu {
  static constexpr Schema schema =
      "rrelu(Tensor self, Scalar lower=0.125, Scalar upper=0.3333333333333333, bool training=False, Generator? "
      "generator=None) -> Tensor";
  static constexpr Doc doc =
      "x above zero, a * x below, with a from [lower, upper): random in training, else the middle.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& self, const Scalar& lower, const Scalar& upper, bool training,
                     Generator* generator) {
    return rrelu_of(self, lower, upper, training, generator, false);
  }
};
struct RreluInplace {
  static constexpr Schema schema =
      "rrelu_(Tensor(a!) self, Scalar lower=0.125, Scalar upper=0.3333333333333333, bool training=False, Generator? "
      "generator=None) "
      "-> Tensor(a!)";
  static constexpr Doc doc = "In-place form of rrelu.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& self, const Scalar& lower, const Scalar& upper, bool training,
                     Generator* generator) {
    return rrelu_of(self, lower, upper, training, generator, true);
  }
};
struct FunctionalRrelu {
  static constexpr Schema schema =
      "rrelu(Tensor input, Scalar lower=0.125, Scalar upper=0.3333333333333333, bool training=False, bool "
      "inplace=False) -> Tensor";
  static constexpr Doc doc =
      "x above zero, a * x below, with a from [lower, upper): random in training, else the middle.";
  static constexpr unsigned expose = kNnFunctional;
  static constexpr bool python_only = true;
  static Tensor call(const Tensor& x, const Scalar& lower, const Scalar& upper, bool training, bool inplace) {
    return rrelu_of(x, lower, upper, training, nullptr, inplace);
  }
};

}  // namespace hwaro::engine

#include "families/rrelu.inc"
