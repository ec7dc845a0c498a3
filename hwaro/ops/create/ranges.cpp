// Evenly spaced numbers: arange, linspace, logspace.
#include <cmath>

#include "hwaro/core/availability.h"
#include "hwaro/base/parallel.h"
#include "hwaro/math/convert.h"
#include "hwaro/ops/create/fill.h"
#include "hwaro/ops/index/has_data.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

Device target(const std::optional<Device>& device) {
  if (!device) return {};
  check_can_create_on(*device);
  return *device;
}

// As Python prints an integer, and as a stream prints a double.
std::string text_of(const Scalar& s) { return s.is_integral(true) ? std::to_string(s.to_int()) : concat(s.re()); }

int64_t range_length(const Scalar& start, const Scalar& end, const Scalar& step, DType dtype) {
  HWARO_CHECK(step.to_double() > 0 || step.to_double() < 0, "step must be nonzero");
  if (dtype == DType::Int64) HWARO_CHECK_AS(ValueError, step.to_int() != 0, "step must be nonzero");
  HWARO_CHECK(std::isfinite(start.to_double()) && std::isfinite(end.to_double()), "unsupported range: ", text_of(start),
              " -> ", text_of(end));
  const bool up = step.to_double() > 0;
  HWARO_CHECK(up ? end.to_double() >= start.to_double() : end.to_double() <= start.to_double(),
              "upper bound and lower bound inconsistent with step sign");
  if (dtype == DType::Int64) {  // counted in integers, to which fractions are cut; as PyTorch's, the sums wrap around
    const int64_t s = step.to_int();
    const std::uint64_t distance = std::uint64_t(end.to_int()) - std::uint64_t(start.to_int());
    const auto room = int64_t(distance + std::uint64_t(s) - (s > 0 ? 1 : std::uint64_t(-1)));
    const int64_t count = s == -1 ? int64_t(0 - std::uint64_t(room)) : room / s;
    HWARO_CHECK(count >= 0, "invalid size, possible overflow?");
    return count;
  }
  const double size = std::ceil((end.to_double() - start.to_double()) / step.to_double());
  HWARO_CHECK(size >= 0 && size <= 9.2e18, "invalid size, possible overflow?");
  return int64_t(size);
}

Tensor arange(const Scalar& start, const Scalar& end, const Scalar& step, OptDType dtype,
              const std::optional<Device>& device) {
  for (const Scalar* s : {&start, &end, &step})
    HWARO_CHECK(!s->is_complex(), "value cannot be converted to type double without overflow");
  DType type = dtype.value_or(DType::Int64);
  if (!dtype)
    for (const Scalar* s : {&start, &end, &step})
      if (!s->is_integral(true)) type = default_dtype();
  HWARO_CHECK_AS(NotImplementedError, type != DType::Bool && !is_complex(type), "\"arange_cpu\" not implemented for '",
                 scalar_type_name(type), "'");
  const int64_t n = range_length(start, end, step, type);
  const Tensor out = make_tensor({n}, type, target(device));
  if (out.device().is_meta()) return out;
  visit_if<kIntSet | kFloatSet>(type, [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* data = out->write_as<T>();
    parallel_for(n, kGrain, [&](int64_t begin, int64_t stop) {
      if constexpr (std::is_integral_v<T>) {
        const auto first = std::uint64_t(start.to_int()), by = std::uint64_t(step.to_int());
        for (int64_t i = begin; i < stop; ++i) data[i] = T(first + by * std::uint64_t(i));
      } else {
        const double first = start.to_double(), by = step.to_double();
        for (int64_t i = begin; i < stop; ++i) {
          if constexpr (std::is_same_v<T, double>) data[i] = std::fma(by, double(i), first);
          else data[i] = T(float(first + by * double(i)));
        }
      }
    });
  });
  return out;
}

// x * y + z in one rounding: products of floats are exact in double, so only double itself needs the function.
inline double fused(double x, double y, double z) { return std::fma(x, y, z); }
inline float fused(float x, float y, float z) { return float(double(x) * double(y) + double(z)); }

// Counts from the nearer end, so that both ends are exact.
template <class Step, class Put>
void spaced(Step start, Step end, int64_t steps, Put put) {
  const Step step = steps > 1 ? (end - start) / Step(steps - 1) : Step(0);
  parallel_for(steps, kGrain, [&](int64_t begin, int64_t stop) {
    const int64_t half = steps / 2, middle = half < begin ? begin : half < stop ? half : stop;
    for (int64_t i = begin; i < middle; ++i) put(i, fused(step, Step(i), start));
    for (int64_t i = middle; i < stop; ++i) put(i, fused(-step, Step(steps - i - 1), end));
  });
}

// The same for the two half types, whose every step is rounded.
template <class T, class Put>
void spaced_reduced(T start, T end, int64_t steps, Put put) {
  const T step = T(float(T(float(end) - float(start))) / float(T(float(steps - 1))));
  for (int64_t i = 0; i < steps; ++i) {
    const bool first_half = i < steps / 2;
    const float way = float(T(float(step) * float(T(float(first_half ? i : steps - i - 1)))));
    put(i, float(T(first_half ? float(start) + way : float(end) - way)));
  }
}

enum class Spacing { Linear, Logarithmic };

Tensor space(Spacing spacing, const Scalar& start, const Scalar& end, int64_t steps, double base, OptDType dtype,
             const std::optional<Device>& device) {
  HWARO_CHECK(steps >= 0, "number of steps must be non-negative");
  DType type = default_dtype();
  if (dtype) type = *dtype;
  else if (start.is_complex() || end.is_complex()) type = to_complex(type);
  const char* const name = spacing == Spacing::Linear ? "linspace_cpu" : "logspace_cpu";
  const Tensor out = make_tensor({steps}, type, target(device));
  if (steps == 0) return out;
  check_fits(start, type);
  check_fits(end, type);
  if (out.device().is_meta()) return out;
  if (steps == 1) {
    Scalar only = start;
    if (spacing == Spacing::Logarithmic) {
      const double size = std::pow(base, start.re()), angle = start.im() * std::log(base);
      only =
          start.is_complex() ? Scalar(Complex<double>{size * std::cos(angle), size * std::sin(angle)}) : Scalar(size);
    }
    check_fits(only, type);
    fill_elements(*out.impl(), is_integral(type) ? Scalar(only.to_int()) : only);
    return out;
  }
  visit<kIntSet | kFloatSet | kComplexSet>(type, name, [&](auto tag) {
    using T = typename decltype(tag)::type;
    T* data = out->write_as<T>();
    if constexpr (contains(kComplexSet, dtype_of<T>)) {
      using R = decltype(T::re);
      spaced<R>(R(start.re()), R(end.re()), steps, [=](int64_t i, R x) { data[i].re = x; });
      spaced<R>(R(start.im()), R(end.im()), steps, [=](int64_t i, R x) { data[i].im = x; });
      for (int64_t i = 0; spacing == Spacing::Logarithmic && i < steps; ++i) {
        const double size = std::pow(base, double(data[i].re)), angle = double(data[i].im) * std::log(base);
        data[i] = T{R(size * std::cos(angle)), R(angle == 0 ? 0 : size * std::sin(angle))};
      }
    } else {
      // Integers are spaced in double and cut off; both ends are taken as elements of the type.
      using Step = std::conditional_t<std::is_integral_v<T> || std::is_same_v<T, double>, double, float>;
      const auto first = Step(start.to<T>()), last = Step(end.to<T>());
      auto put = [=](int64_t i, Step x) {
        if (spacing == Spacing::Logarithmic) x = Step(std::pow(base, double(x)));
        if constexpr (std::is_integral_v<T>) data[i] = cast_scalar<T>(x);
        else data[i] = T(x);
      };
      if constexpr (contains(kHalfSet, dtype_of<T>)) spaced_reduced<T>(start.to<T>(), end.to<T>(), steps, put);
      else spaced<Step>(first, last, steps, put);
    }
  });
  return out;
}

Scalar number_in(const Tensor& t) {
  Scalar out;
  check_countable("linspace", t);
  const Tensor d = dense(t);
  visit_if<kAllSet>(t.dtype(), [&](auto tag) { out = Scalar(*d->read_as<typename decltype(tag)::type>()); });
  return out;
}

void check_bound_dim(const char* name, const char* which, int dim) {
  HWARO_CHECK(dim == 0, name, " only supports 0-dimensional start and end tensors, but got ", which, " with ", dim,
              " dimension(s).");
}
void check_bounds_dim(const char* name, int start, int end) {
  HWARO_CHECK(start == 0 && end == 0, name, " only supports 0-dimensional start and end tensors, but got start with ",
              start, " dimension(s) and end with ", end, " dimension(s).");
}

}  // namespace

struct Arange {
  static constexpr Schema schema =
      "arange(Scalar end, *, ScalarType? dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) "
      "-> Tensor";
  static constexpr Doc doc = "The numbers 0, 1, … below end.";
  static Tensor call(const Scalar& end, OptDType dtype, OptDType, std::optional<Device> device, std::optional<bool>) {
    return arange(0, end, 1, dtype, device);
  }
};

struct ArangeStep {
  static constexpr Schema schema =
      "arange.start_step(Scalar start, Scalar end, Scalar step=1, *, ScalarType? dtype=None, Layout? layout=None, "
      "Device? device=None, "
      "bool? pin_memory=None) -> Tensor";
  static constexpr Doc doc = "The numbers start, start + step, … before end.";
  static Tensor call(const Scalar& start, const Scalar& end, const Scalar& step, OptDType dtype, OptDType,
                     std::optional<Device> device, std::optional<bool>) {
    return arange(start, end, step, dtype, device);
  }
};

struct Range {
  static constexpr Schema schema =
      "range(Scalar start, Scalar end, Scalar step=1, *, ScalarType? dtype=None, Layout? layout=None, Device? "
      "device=None, "
      "bool? pin_memory=None) -> Tensor";
  static constexpr Doc doc = "As arange, with end included; kept for old programs.";
  static Tensor call(const Scalar& start, const Scalar& end, const Scalar& step, OptDType dtype, OptDType,
                     std::optional<Device> device, std::optional<bool>) {
    warn(
        "torch.range is deprecated and will be removed in a future release because its behavior is inconsistent with "
        "Python's range "
        "builtin. Instead, use torch.arange, which produces values in [start, end).");
    HWARO_CHECK(step.to_double() != 0, "step must be nonzero");
    const DType type = dtype ? *dtype : default_dtype();
    const double count = std::floor((end.to_double() - start.to_double()) / step.to_double()) + 1;
    HWARO_CHECK(count >= 1, "upper bound and lower bound inconsistent with step sign");
    const double last = start.to_double() + (count - 0.5) * step.to_double();
    return arange(start, last, step, type, device);
  }
};

struct LinspaceTensorTensor {
  static constexpr Schema schema =
      "linspace.Tensor_Tensor(Tensor start, Tensor end, int steps, *, ScalarType? dtype=None, Layout? "
      "layout=None, Device? device=None, bool? pin_memory=None) -> Tensor";
  static constexpr Doc doc = "steps numbers in equal distances between two 0-dimensional tensors.";
  static Tensor call(const Tensor& start, const Tensor& end, int64_t steps, OptDType dtype, OptDType,
                     std::optional<Device> device, std::optional<bool>) {
    check_bounds_dim("linspace", start.dim(), end.dim());
    return space(Spacing::Linear, number_in(start), number_in(end), steps, 10, dtype, device);
  }
};

struct LinspaceToTensor {
  static constexpr Schema schema =
      "linspace.Scalar_Tensor(Scalar start, Tensor end, int steps, *, ScalarType? dtype=None, Layout? "
      "layout=None, Device? device=None, bool? pin_memory=None) -> Tensor";
  static constexpr Doc doc = "steps numbers in equal distances from a number to a 0-dimensional tensor.";
  static Tensor call(const Scalar& start, const Tensor& end, int64_t steps, OptDType dtype, OptDType,
                     std::optional<Device> device, std::optional<bool>) {
    check_bound_dim("linspace", "end", end.dim());
    return space(Spacing::Linear, start, number_in(end), steps, 10, dtype, device);
  }
};

struct LinspaceFromTensor {
  static constexpr Schema schema =
      "linspace.Tensor_Scalar(Tensor start, Scalar end, int steps, *, ScalarType? dtype=None, Layout? "
      "layout=None, Device? device=None, bool? pin_memory=None) -> Tensor";
  static constexpr Doc doc = "steps numbers in equal distances from a 0-dimensional tensor to a number.";
  static Tensor call(const Tensor& start, const Scalar& end, int64_t steps, OptDType dtype, OptDType,
                     std::optional<Device> device, std::optional<bool>) {
    check_bound_dim("linspace", "start", start.dim());
    return space(Spacing::Linear, number_in(start), end, steps, 10, dtype, device);
  }
};

struct Linspace {
  static constexpr Schema schema =
      "linspace(Scalar start, Scalar end, int steps, *, ScalarType? dtype=None, Layout? layout=None, "
      "Device? device=None, bool? pin_memory=None) -> Tensor";
  static constexpr Doc doc = "steps numbers in equal distances from start to end, both included.";
  static Tensor call(const Scalar& start, const Scalar& end, int64_t steps, OptDType dtype, OptDType,
                     std::optional<Device> device, std::optional<bool>) {
    return space(Spacing::Linear, start, end, steps, 10, dtype, device);
  }
};

struct LogspaceTensorTensor {
  static constexpr Schema schema =
      "logspace.Tensor_Tensor(Tensor start, Tensor end, int steps, float base=10.0, *, ScalarType? "
      "dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor";
  static constexpr Doc doc = "base to the power of steps numbers in equal distances between two 0-dimensional tensors.";
  static Tensor call(const Tensor& start, const Tensor& end, int64_t steps, double base, OptDType dtype, OptDType,
                     std::optional<Device> device, std::optional<bool>) {
    check_bounds_dim("logspace", start.dim(), end.dim());
    return space(Spacing::Logarithmic, number_in(start), number_in(end), steps, base, dtype, device);
  }
};

struct LogspaceToTensor {
  static constexpr Schema schema =
      "logspace.Scalar_Tensor(Scalar start, Tensor end, int steps, float base=10.0, *, ScalarType? "
      "dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor";
  static constexpr Doc doc =
      "base to the power of steps numbers in equal distances from a number to a 0-dimensional tensor.";
  static Tensor call(const Scalar& start, const Tensor& end, int64_t steps, double base, OptDType dtype, OptDType,
                     std::optional<Device> device, std::optional<bool>) {
    check_bound_dim("logspace", "end", end.dim());
    return space(Spacing::Logarithmic, start, number_in(end), steps, base, dtype, device);
  }
};

struct LogspaceFromTensor {
  static constexpr Schema schema =
      "logspace.Tensor_Scalar(Tensor start, Scalar end, int steps, float base=10.0, *, ScalarType? "
      "dtype=None, Layout? layout=None, Device? device=None, bool? pin_memory=None) -> Tensor";
  static constexpr Doc doc =
      "base to the power of steps numbers in equal distances from a 0-dimensional tensor to a number.";
  static Tensor call(const Tensor& start, const Scalar& end, int64_t steps, double base, OptDType dtype, OptDType,
                     std::optional<Device> device, std::optional<bool>) {
    check_bound_dim("logspace", "start", start.dim());
    return space(Spacing::Logarithmic, number_in(start), end, steps, base, dtype, device);
  }
};

struct Logspace {
  static constexpr Schema schema =
      "logspace(Scalar start, Scalar end, int steps, float base=10.0, *, ScalarType? dtype=None, Layout? "
      "layout=None, Device? device=None, bool? pin_memory=None) -> Tensor";
  static constexpr Doc doc = "base to the power of steps numbers in equal distances from start to end, both included.";
  static Tensor call(const Scalar& start, const Scalar& end, int64_t steps, double base, OptDType dtype, OptDType,
                     std::optional<Device> device, std::optional<bool>) {
    return space(Spacing::Logarithmic, start, end, steps, base, dtype, device);
  }
};

}  // namespace hwaro::engine

#include "families/ranges.inc"
