// New tensors of random numbers.
#include <limits>

#include "hwaro/core/availability.h"
#include "hwaro/ops/create/fill.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/random/fill_random.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/shape/geometry.h"

#include "hwaro/ops/arithmetic.h"
#include "hwaro/ops/pointwise/arithmetic.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

Device target(const std::optional<Device>& device) {
  if (!device) return {};
  check_can_create_on(*device);
  return *device;
}

Tensor fresh(IntSpan size, OptDType dtype, const std::optional<Device>& device) {
  return make_tensor(size, dtype ? *dtype : default_dtype(), target(device));
}

Tensor fresh_like(const Tensor& self, OptDType dtype, const std::optional<Device>& device,
                  std::optional<MemoryFormat> format) {
  if (device) check_can_create_on(*device);
  return make_in_format(self, format.value_or(MemoryFormat::Preserve), dtype.value_or(self.dtype()),
                        device.value_or(self.device()));
}

// out= is drawn into as it lies: the order of the numbers depends on its strides.
template <class Draw>
void drawn_into(const Tensor& out, IntSpan size, Draw draw) {
  resize_out(out, size);
  check_internal_overlap(out);
  draw();
  out->bump_version();
}

}  // namespace

struct Rand {
  static constexpr Schema schema =
      "rand(int[] size, *, Generator? generator=None, ScalarType? dtype=None, Layout? layout=None, Device? "
      "device=None, "
      "bool? pin_memory=None) -> Tensor";
  static constexpr Doc doc = "Numbers evenly distributed in [0, 1).";
  static Tensor call(IntSpan size, Generator* generator, OptDType dtype, OptDType, std::optional<Device> device,
                     std::optional<bool>) {
    const Tensor out = fresh(size, dtype, device);
    uniform_raw(out, 0, 1, generator);
    return out;
  }
  static void call_out(const Tensor& out, IntSpan size, Generator* generator, OptDType, OptDType, std::optional<Device>,
                       std::optional<bool>) {
    drawn_into(out, size, [&] { uniform_raw(out, 0, 1, generator); });
  }
};

struct RandLike {
  static constexpr Schema schema =
      "rand_like(Tensor self, *, Generator? generator=None, ScalarType? dtype=None, Layout? layout=None, Device? "
      "device=None, "
      "bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor";
  static constexpr Doc doc = "Numbers evenly distributed in [0, 1) with the shape and type of self.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, Generator* generator, OptDType dtype, OptDType, std::optional<Device> device,
                     std::optional<bool>, std::optional<MemoryFormat> format) {
    const Tensor out = fresh_like(self, dtype, device, format);
    uniform_raw(out, 0, 1, generator);
    return out;
  }
};

struct Randn {
  static constexpr Schema schema =
      "randn(int[] size, *, Generator? generator=None, ScalarType? dtype=None, Layout? layout=None, Device? "
      "device=None, "
      "bool? pin_memory=None) -> Tensor";
  static constexpr Doc doc = "Normally distributed numbers with mean 0 and variance 1.";
  static Tensor call(IntSpan size, Generator* generator, OptDType dtype, OptDType, std::optional<Device> device,
                     std::optional<bool>) {
    const Tensor out = fresh(size, dtype, device);
    check(out.dtype());
    normal_raw(out, 0, 1, generator);
    return out;
  }
  static void call_out(const Tensor& out, IntSpan size, Generator* generator, OptDType, OptDType, std::optional<Device>,
                       std::optional<bool>) {
    check(out.dtype());
    drawn_into(out, size, [&] { normal_raw(out, 0, 1, generator); });
  }
  static void check(DType t) {
    HWARO_CHECK_AS(NotImplementedError, is_differentiable(t), "\"normal_kernel_cpu\" not implemented for '",
                   scalar_type_name(t), "'");
  }
};

struct RandnLike {
  static constexpr Schema schema =
      "randn_like(Tensor self, *, Generator? generator=None, ScalarType? dtype=None, Layout? layout=None, Device? "
      "device=None, "
      "bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor";
  static constexpr Doc doc = "Normally distributed numbers with the shape and type of self.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, Generator* generator, OptDType dtype, OptDType, std::optional<Device> device,
                     std::optional<bool>, std::optional<MemoryFormat> format) {
    const Tensor out = fresh_like(self, dtype, device, format);
    Randn::check(out.dtype());
    normal_raw(out, 0, 1, generator);
    return out;
  }
};

// ---- integers ----

struct RandintLow {
  static constexpr Schema schema =
      "randint.low(int low, int high, int[] size, *, Generator? generator=None, ScalarType? dtype=None, Layout? "
      "layout=None, "
      "Device? device=None, bool? pin_memory=None) -> Tensor";
  static constexpr Doc doc = "Integers in [low, high).";
  static Tensor call(int64_t low, int64_t high, IntSpan size, Generator* generator, OptDType dtype, OptDType,
                     std::optional<Device> device, std::optional<bool>) {
    const Tensor out = make_tensor(size, dtype.value_or(DType::Int64), target(device));
    random_raw(out, low, high, generator);
    return out;
  }
};

struct Randint {
  static constexpr Schema schema =
      "randint(int high, int[] size, *, Generator? generator=None, ScalarType? dtype=None, Layout? layout=None, "
      "Device? device=None, "
      "bool? pin_memory=None) -> Tensor";
  static constexpr Doc doc = "Integers in [0, high).";
  static Tensor call(int64_t high, IntSpan size, Generator* generator, OptDType dtype, OptDType,
                     std::optional<Device> device, std::optional<bool>) {
    return RandintLow::call(0, high, size, generator, dtype, {}, device, {});
  }
};

struct RandintLikeLow {
  static constexpr Schema schema =
      "randint_like.low_dtype(Tensor self, int low, int high, *, Generator? generator=None, ScalarType? dtype=None, "
      "Layout? layout=None, "
      "Device? device=None, bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor";
  static constexpr Doc doc = "Integers in [low, high) with the shape and type of self.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, int64_t low, int64_t high, Generator* generator, OptDType dtype, OptDType,
                     std::optional<Device> device, std::optional<bool>, std::optional<MemoryFormat> format) {
    const Tensor out = fresh_like(self, dtype, device, format);
    random_raw(out, low, high, generator);
    return out;
  }
};

struct RandintLike {
  static constexpr Schema schema =
      "randint_like(Tensor self, int high, *, Generator? generator=None, ScalarType? dtype=None, Layout? layout=None, "
      "Device? device=None, "
      "bool? pin_memory=None, MemoryFormat? memory_format=None) -> Tensor";
  static constexpr Doc doc = "Integers in [0, high) with the shape and type of self.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, int64_t high, Generator* generator, OptDType dtype, OptDType,
                     std::optional<Device> device, std::optional<bool>, std::optional<MemoryFormat> format) {
    return RandintLikeLow::call(self, 0, high, generator, dtype, {}, device, {}, format);
  }
};

struct Randperm {
  static constexpr Schema schema =
      "randperm(int n, *, Generator? generator=None, ScalarType? dtype=None, Layout? layout=None, Device? device=None, "
      "bool? pin_memory=None) -> Tensor";
  static constexpr Doc doc = "The numbers 0 … n - 1 in random order.";
  static Tensor call(int64_t n, Generator* generator, OptDType dtype, OptDType, std::optional<Device> device,
                     std::optional<bool>) {
    const DType type = dtype.value_or(DType::Int64);
    const Tensor out = make_tensor({n}, type, target(device));
    if (is_integral(type)) check_fits(n, type);
    const int64_t limit = type == DType::Half       ? 2049
                          : type == DType::BFloat16 ? 257
                          : type == DType::Float    ? (1 << 24) + 1
                                                    : n;
    HWARO_CHECK(n <= limit, "n cannot be greater than ", limit, " for ", scalar_type_name(type), " type.");
    HWARO_CHECK_AS(NotImplementedError, type != DType::Bool && !is_complex(type), "\"randperm\" not implemented for '",
                   scalar_type_name(type), "'");
    if (out.device().is_meta()) return out;
    visit<kIntSet | kFloatSet>(type, "randperm", [&](auto tag) {
      fill_permutation(generator_or_default(generator), out->write_as<typename decltype(tag)::type>(), n);
    });
    return out;
  }
};

// ---- normal with given means and deviations ----

static void check_std(const Tensor& std) {
  HWARO_CHECK(!is_complex(std.dtype()), "normal expects standard deviation to be non-complex");
  if (std.device().is_meta() || std.numel() == 0) return;
  const Tensor values = dense_as(std, DType::Double);
  const double* v = values->read_as<double>();
  for (int64_t i = 0; i < values.numel(); ++i) HWARO_CHECK(v[i] >= 0, "normal expects all elements of std >= 0.0");
}

// mean + std * z for a fresh z of the given shape and type.
static Tensor draw_normal(IntSpan shape, DType type, Device device, const Operand& mean, const Operand& std,
                          Generator* generator) {
  Randn::check(type);
  const Tensor z = make_tensor(shape, type, device);
  normal_raw(z, 0, 1, generator);
  NoGradGuard guard;
  return to_dtype(add(to_dtype(mul(z, std), type), mean), type);
}

// Draws into out with a deviation of `std`, then times `scale` where it is defined, plus mean: out= in PyTorch's steps.
static void normal_into(const Tensor& out, const Tensor& mean, double std, const Tensor& scale, Generator* generator) {
  Randn::check(out.dtype());
  NoGradGuard guard;
  normal_raw(out, 0, std, generator);
  if (scale.defined()) {
    const Operand factors[] = {out, scale};
    pointwise_inplace(pointwise_info<Mul>, factors, nullptr);
  }
  const Operand terms[] = {out, mean};
  const Scalar alpha(1);
  pointwise_inplace(pointwise_info<Add>, terms, &alpha);
}

// With one tensor argument PyTorch does not resize out.
static void check_broadcast(const Tensor& argument, const Tensor& out) {
  Dims shape(argument.sizes());
  broadcast_into(shape, out.sizes());
}

struct NormalTensorTensor {
  static constexpr Schema schema =
      "normal.Tensor_Tensor(Tensor mean, Tensor std, *, Generator? generator=None) -> Tensor";
  static constexpr Doc doc = "Normally distributed numbers with a mean and a standard deviation for each.";
  static Tensor call(const Tensor& mean, const Tensor& std, Generator* generator) {
    check_std(std);
    Dims shape(mean.sizes());
    broadcast_into(shape, std.sizes());
    const Tensor out = draw_normal(shape, mean.dtype(), mean.device(), mean, std, generator);
    if (recording(mean, std))
      record("NormalBackward3", {mean, std}, out, {},
             [mean_sizes = Dims(mean.sizes()), std_sizes = Dims(std.sizes()), std_type = std.dtype()](Backward& b) {
               if (b.needs(0)) b.set(0, make_zeros(mean_sizes, b.g().dtype(), b.g().device()));
               if (b.needs(1)) b.set(1, make_zeros(std_sizes, std_type, b.g().device()));
             });
    return out;
  }
  static void call_out(const Tensor& out, const Tensor& mean, const Tensor& std, Generator* generator) {
    check_std(std);
    Dims shape(mean.sizes());
    broadcast_into(shape, std.sizes());
    drawn_into(out, shape, [&] { normal_into(out, mean, 1, std, generator); });
  }
};

struct NormalTensorFloat {
  static constexpr Schema schema =
      "normal.Tensor_float(Tensor mean, float std=1.0, *, Generator? generator=None) -> Tensor";
  static constexpr Doc doc = "Normally distributed numbers with a mean for each.";
  static Tensor call(const Tensor& mean, double std, Generator* generator) {
    Randn::check(mean.dtype());
    const Tensor z = make_tensor(mean.sizes(), mean.dtype(), mean.device());
    normal_raw(z, 0, std, generator);
    Tensor out;
    {
      NoGradGuard guard;
      out = add(z, mean);
    }
    if (recording(mean))
      record("NormalBackward1", {mean}, out, {},
             [](Backward& b) { b.set(0, make_zeros(b.g().sizes(), b.g().dtype(), b.g().device())); });
    return out;
  }
  static void call_out(const Tensor& out, const Tensor& mean, double std, Generator* generator) {
    check_broadcast(mean, out);
    drawn_into(out, out.sizes(), [&] { normal_into(out, mean, std, {}, generator); });
  }
};

struct NormalFloatTensor {
  static constexpr Schema schema =
      "normal.float_Tensor(float mean, Tensor std, *, Generator? generator=None) -> Tensor";
  static constexpr Doc doc = "Normally distributed numbers with a standard deviation for each.";
  static Tensor call(double mean, const Tensor& std, Generator* generator) {
    check_std(std);
    const Tensor out = draw_normal(std.sizes(), std.dtype(), std.device(), mean, std, generator);
    if (recording(std))
      record("NormalBackward2", {std}, out, {},
             [](Backward& b) { b.set(0, make_zeros(b.g().sizes(), b.g().dtype(), b.g().device())); });
    return out;
  }
  static void call_out(const Tensor& out, double mean, const Tensor& std, Generator* generator) {
    check_std(std);
    check_broadcast(std, out);
    drawn_into(out, out.sizes(), [&] { normal_into(out, wrap_number(mean), 1, std, generator); });
  }
};

struct NormalFloatFloat {
  static constexpr Schema schema =
      "normal.float_float(float mean, float std, int[] size, *, Generator? generator=None, ScalarType? dtype=None, "
      "Layout? layout=None, "
      "Device? device=None, bool? pin_memory=None) -> Tensor";
  static constexpr Doc doc = "Normally distributed numbers of one mean and standard deviation.";
  static Tensor call(double mean, double std, IntSpan size, Generator* generator, OptDType dtype, OptDType,
                     std::optional<Device> device, std::optional<bool>) {
    const Tensor out = fresh(size, dtype, device);
    Randn::check(out.dtype());
    normal_raw(out, mean, std, generator);
    return out;
  }
  static void call_out(const Tensor& out, double mean, double std, IntSpan size, Generator* generator, OptDType,
                       OptDType, std::optional<Device>, std::optional<bool>) {
    Randn::check(out.dtype());
    drawn_into(out, size, [&] { normal_raw(out, mean, std, generator); });
  }
};

// ---- bernoulli ----

struct BernoulliP {
  static constexpr Schema schema = "bernoulli.p(Tensor self, float p, *, Generator? generator=None) -> Tensor";
  static constexpr Doc doc = "Ones with probability p, and zeros, in the shape and type of self.";
  static constexpr auto out_rule = out_any;
  static Tensor call(const Tensor& self, double p, Generator* generator) {
    const Tensor out = make_tensor(self.sizes(), self.dtype(), self.device());
    bernoulli_raw(out, p, generator);
    if (recording(self) && is_differentiable(self.dtype()))
      record("NotImplemented", {self}, out, {},
             [](Backward&) { raise<RuntimeError>("derivative for aten::bernoulli is not implemented"); });
    return out;
  }
};

struct Bernoulli {
  static constexpr Schema schema = "bernoulli(Tensor self, *, Generator? generator=None) -> Tensor";
  static constexpr Doc doc = "Ones, with the probability in self, and zeros.";
  static constexpr auto out_rule = out_any;
  static Tensor call(const Tensor& self, Generator* generator) {
    const Tensor out = make_tensor(self.sizes(), self.dtype(), self.device());
    bernoulli_raw(out, self, generator);
    if (recording(self))
      record("BernoulliBackward0", {self}, out, {},
             [](Backward& b) { b.set(0, make_zeros(b.g().sizes(), b.g().dtype(), b.g().device())); });
    return out;
  }
};

}  // namespace hwaro::engine

#include "families/random_create.inc"
