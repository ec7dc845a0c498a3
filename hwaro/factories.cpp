#include "hwaro/factories.h"

#include <cstring>

#include "hwaro/autograd/node.h"
#include "hwaro/core/generator.h"
#include "hwaro/core/random_streams.h"
#include "hwaro/ops/vocabulary.h"

#include "hwaro/ops/creation.h"
#include "hwaro/ops/patterns.h"
#include "hwaro/ops/ranges.h"

namespace hwaro {

namespace {

Tensor finished(engine::Tensor t, bool requires_grad) {
  if (requires_grad) set_requires_grad(t, true);
  return t;
}
DType type_of(const Options& options) { return options.dtype.value_or(default_dtype()); }
Generator& generator_of(const Options& options) { return options.generator ? *options.generator : default_generator(); }

// A fresh tensor whose elements `fill(data, n)` writes.
template <DTypeSet Set, class F>
Tensor filled(IntSpan size, const Options& options, DType type, const char* name, F&& fill) {
  const engine::Tensor t = engine::make_tensor(size, type, options.device);
  if (!options.device.is_meta())
    visit<Set>(type, name, [&](auto tag) { fill(t->template write_as<typename decltype(tag)::type>(), t.numel()); });
  return finished(t, options.requires_grad);
}

Options options_like(const Tensor& t, const LikeOptions& options) {
  return {.dtype = options.dtype.value_or(t.dtype()),
          .device = options.device.value_or(t.device()),
          .requires_grad = options.requires_grad};
}

}  // namespace

Tensor zeros(IntSpan size, Options o) {
  return finished(engine::zeros(size, o.dtype, std::nullopt, o.device), o.requires_grad);
}
Tensor ones(IntSpan size, Options o) {
  return finished(engine::ones(size, o.dtype, std::nullopt, o.device), o.requires_grad);
}
Tensor empty(IntSpan size, Options o) {
  return finished(engine::make_tensor(size, type_of(o), o.device), o.requires_grad);
}
Tensor full(IntSpan size, const Scalar& value, Options o) {
  return finished(engine::full(size, value, o.dtype, std::nullopt, o.device), o.requires_grad);
}

Tensor scalar_tensor(const Scalar& value, Options o) {
  return finished(engine::full({}, value, type_of(o), std::nullopt, o.device), o.requires_grad);
}

Tensor rand(IntSpan size, Options o) {
  return filled<kFloatSet>(size, o, type_of(o), "uniform",
                           [&](auto* out, std::int64_t n) { fill_uniform(generator_of(o), out, n); });
}
Tensor randn(IntSpan size, Options o) {
  return filled<kFloatSet>(size, o, type_of(o), "normal_kernel_cpu",
                           [&](auto* out, std::int64_t n) { fill_normal(generator_of(o), out, n); });
}
Tensor randint(std::int64_t low, std::int64_t high, IntSpan size, Options o) {
  HWARO_CHECK(low < high, "random_ expects 'from' to be less than 'to', but got from=", low, " >= to=", high);
  return filled<kIntSet | kFloatSet>(
      size, o, o.dtype.value_or(DType::Int64), "random_from_to", [&](auto* out, std::int64_t n) {
        fill_random_from_to(generator_of(o), out, n, std::uint64_t(high) - std::uint64_t(low), low);
      });
}
Tensor randint(std::int64_t high, IntSpan size, Options o) { return randint(0, high, size, o); }
Tensor randperm(std::int64_t n, Options o) {
  HWARO_CHECK(n >= 0, "n must be non-negative, got", n);
  return filled<kIntSet | kFloatSet>(
      {n}, o, o.dtype.value_or(DType::Int64), "randperm",
      [&](auto* out, std::int64_t count) { fill_permutation(generator_of(o), out, count); });
}

Tensor arange(const Scalar& end, Options o) {
  return finished(engine::arange(end, o.dtype, std::nullopt, o.device), o.requires_grad);
}
Tensor arange(const Scalar& start, const Scalar& end, Options o) { return arange(start, end, 1, o); }
Tensor arange(const Scalar& start, const Scalar& end, const Scalar& step, Options o) {
  return finished(engine::arange(start, end, step, o.dtype, std::nullopt, o.device), o.requires_grad);
}
Tensor linspace(const Scalar& start, const Scalar& end, std::int64_t steps, Options o) {
  return finished(engine::linspace(start, end, steps, o.dtype, std::nullopt, o.device), o.requires_grad);
}
Tensor logspace(const Scalar& start, const Scalar& end, std::int64_t steps, double base, Options o) {
  return finished(engine::logspace(start, end, steps, base, o.dtype, std::nullopt, o.device), o.requires_grad);
}
Tensor eye(std::int64_t n, Options o) {
  return finished(engine::eye(n, o.dtype, std::nullopt, o.device), o.requires_grad);
}
Tensor eye(std::int64_t n, std::int64_t m, Options o) {
  return finished(engine::eye(n, m, o.dtype, std::nullopt, o.device), o.requires_grad);
}

Tensor zeros_like(const Tensor& t, LikeOptions o) {
  return finished(engine::zeros_like(t, o.dtype, std::nullopt, o.device), o.requires_grad);
}
Tensor ones_like(const Tensor& t, LikeOptions o) {
  return finished(engine::ones_like(t, o.dtype, std::nullopt, o.device), o.requires_grad);
}
Tensor empty_like(const Tensor& t, LikeOptions o) {
  return finished(engine::empty_like(t, o.dtype, std::nullopt, o.device), o.requires_grad);
}
Tensor full_like(const Tensor& t, const Scalar& value, LikeOptions o) {
  return finished(engine::full_like(t, value, o.dtype, std::nullopt, o.device), o.requires_grad);
}
Tensor rand_like(const Tensor& t, LikeOptions o) { return rand(t.sizes(), options_like(t, o)); }
Tensor randn_like(const Tensor& t, LikeOptions o) { return randn(t.sizes(), options_like(t, o)); }

// ---- values written out ----

namespace {

struct Reading {
  Dims sizes;
  Scalar::Kind kind = Scalar::Kind::Bool;
  std::vector<Scalar> numbers;
};

// Depth first; the first list at each depth says how long the others must be.
void read_values(const Values& v, std::size_t depth, Reading& out) {
  if (!v.is_list) {
    HWARO_CHECK_AS(ValueError, depth == out.sizes.size(), "expected sequence of length ",
                   depth < out.sizes.size() ? out.sizes[depth] : 0, " at dim ", depth, " (got a number)");
    out.kind = v.number.kind() > out.kind ? v.number.kind() : out.kind;
    out.numbers.push_back(v.number);
    return;
  }
  const bool first = depth == out.sizes.size() && out.numbers.empty();
  if (first) out.sizes.push_back(std::int64_t(v.count));
  HWARO_CHECK_AS(ValueError, depth < out.sizes.size() && out.sizes[depth] == std::int64_t(v.count),
                 "expected sequence of length ", depth < out.sizes.size() ? out.sizes[depth] : 0, " at dim ", depth,
                 " (got ", v.count, ")");
  for (std::size_t i = 0; i < v.count; ++i) read_values(v.list[i], depth + 1, out);
}

}  // namespace

Tensor tensor(const Values& values, Options o) {
  Reading r;
  read_values(values, 0, r);
  DType type = DType::Bool;
  if (r.numbers.empty() || r.kind == Scalar::Kind::Float) type = default_dtype();
  else if (r.kind == Scalar::Kind::Complex) type = to_complex(default_dtype());
  else if (r.kind == Scalar::Kind::Int) type = DType::Int64;
  return filled<kAllSet>(r.sizes, o, o.dtype.value_or(type), "tensor", [&](auto* out, std::int64_t n) {
    using T = std::remove_pointer_t<decltype(out)>;
    for (std::int64_t i = 0; i < n; ++i) out[i] = r.numbers[std::size_t(i)].template to<T>();
  });
}
Tensor tensor(std::initializer_list<Values> values, Options options) { return tensor(Values(values), options); }

Tensor detail::copy_values(const void* data, std::size_t count, DType type, const Options& options) {
  const engine::Tensor values = engine::make_tensor({std::int64_t(count)}, type);
  if (count) std::memcpy(values->write(), data, count * size_of(type));
  const DType wanted = options.dtype.value_or(type == DType::Double ? default_dtype() : type);
  return finished(Tensor(values).to(options.device, wanted), options.requires_grad);
}

Tensor from_blob(void* data, IntSpan size, Options o) {
  const DType type = type_of(o);
  engine::Tensor t = engine::make_tensor({0}, type);
  const std::int64_t n = product(size);
  t->storage = Storage::borrow(data, std::size_t(n) * size_of(type), [](void*) {}, nullptr);
  t->sizes = Dims(size);
  t->strides = contiguous_strides(size);
  t->refresh_geometry();
  return finished(t, o.requires_grad);
}

void manual_seed(std::uint64_t seed) { default_generator().manual_seed(seed); }
std::uint64_t initial_seed() { return default_generator().initial_seed(); }
Tensor get_rng_state() {
  const Generator::State state = default_generator().get_state();
  return detail::copy_values(state.data(), state.size(), DType::UInt8, {});
}
void set_rng_state(const Tensor& state) {
  HWARO_CHECK_AS(TypeError, state.dtype() == DType::UInt8, "RNG state must be a torch.ByteTensor");
  const engine::Tensor bytes = engine::contiguous(state);
  default_generator().set_state(bytes->read(), bytes.numel());
}

}  // namespace hwaro
