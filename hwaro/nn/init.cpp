#include "hwaro/ops/vocabulary.h"

#include "hwaro/nn/init.h"

#include <cmath>

#include "hwaro/core/generator.h"
#include "hwaro/core/random_streams.h"

namespace hwaro::nn::init {

namespace {

// Draws for t in row-major order, also where it lies otherwise in memory.
template <class F>
Tensor drawn(const Tensor& t, const char* name, Generator* generator, F&& fill) {
  const engine::Tensor values = t.is_contiguous() ? engine::Tensor(t) : engine::make_tensor(t.sizes(), t.dtype());
  visit<kFloatSet>(t.dtype(), name, [&](auto tag) {
    fill(generator ? *generator : default_generator(), values->write_as<typename decltype(tag)::type>(),
         values.numel());
  });
  if (!values.is_same(t)) engine::copy_raw(t, values);
  t->bump_version();
  return t;
}

}  // namespace

Tensor uniform_(const Tensor& t, double from, double to, Generator* generator) {
  HWARO_CHECK(from <= to, "uniform_ expects to return a [from, to) range, but found from=", from, " > to=", to);
  return drawn(t, "check_uniform_bounds", generator,
               [&](Generator& g, auto* out, std::int64_t n) { fill_uniform(g, out, n, from, to); });
}
Tensor normal_(const Tensor& t, double mean, double std, Generator* generator) {
  HWARO_CHECK(std >= 0, "normal expects std >= 0.0, but found std ", std);
  return drawn(t, "normal_kernel_cpu", generator,
               [&](Generator& g, auto* out, std::int64_t n) { fill_normal(g, out, n, mean, std); });
}
Tensor constant_(const Tensor& t, const Scalar& value) {
  fill_elements(*t.impl(), value);
  t->bump_version();
  return t;
}

Fans fans_of(const Tensor& t) {
  HWARO_CHECK_AS(ValueError, t.dim() >= 2,
                 "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions");
  const std::int64_t field = product(IntSpan(t.sizes().data() + 2, std::size_t(t.dim() - 2)));
  return {t.size(1) * field, t.size(0) * field};
}

static double kaiming_std(const Tensor& t, double a, Fan fan) {
  const Fans fans = fans_of(t);
  return std::sqrt(2.0 / (1 + a * a)) / std::sqrt(double(fan == Fan::In ? fans.in : fans.out));
}
Tensor kaiming_uniform_(const Tensor& t, double a, Fan fan) {
  const double bound = std::sqrt(3.0) * kaiming_std(t, a, fan);
  return init::uniform_(t, -bound, bound);
}
Tensor kaiming_normal_(const Tensor& t, double a, Fan fan) { return init::normal_(t, 0, kaiming_std(t, a, fan)); }
Tensor xavier_uniform_(const Tensor& t, double gain) {
  const Fans fans = fans_of(t);
  const double std = gain * std::sqrt(2.0 / double(fans.in + fans.out)), bound = std::sqrt(3.0) * std;
  return init::uniform_(t, -bound, bound);
}
Tensor xavier_normal_(const Tensor& t, double gain) {
  const Fans fans = fans_of(t);
  return init::normal_(t, 0, gain * std::sqrt(2.0 / double(fans.in + fans.out)));
}

}  // namespace hwaro::nn::init
