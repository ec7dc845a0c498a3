// Poisson numbers: products of uniforms for small rates, for large ones the transformed rejection of Hoermann (1993,
// "The transformed rejection method for generating Poisson random variables", algorithm PTRS).
#include <cmath>
#include <mutex>

#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/random/fill_random.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

double uniform(Generator& g) { return double(g.random64() & ((std::uint64_t(1) << 53) - 1)) * 0x1p-53; }

double small_rate(double rate, Generator& g) {
  const double limit = std::exp(-rate);
  double product = uniform(g);
  int64_t count = 0;
  for (; product > limit; ++count) product *= uniform(g);
  return double(count);
}

double large_rate(double rate, Generator& g) {
  const double log_rate = std::log(rate);
  const double b = 0.931 + 2.53 * std::sqrt(rate), a = -0.059 + 0.02483 * b;
  const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4), v_limit = 0.9277 - 3.6224 / (b - 2);
  for (;;) {
    const double u = uniform(g) - 0.5, v = uniform(g);
    const double us = 0.5 - std::fabs(u);
    const double k = std::floor((2 * a / us + b) * u + rate + 0.43);
    if (us >= 0.07 && v <= v_limit) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    if (std::log(v) + std::log(inverse_alpha) - std::log(a / (us * us) + b) <=
        -rate + k * log_rate - std::lgamma(k + 1))
      return k;
  }
}

}  // namespace

struct Poisson {
  static constexpr Schema schema = "poisson(Tensor self, Generator? generator=None) -> Tensor";
  static constexpr Doc doc = "Numbers of a Poisson distribution whose rates are the elements of self.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& self, Generator* generator) {
    HWARO_CHECK_AS(NotImplementedError, is_floating(self.dtype()), "\"poisson_cpu\" not implemented for '",
                   scalar_type_name(self.dtype()), "'");
    const Tensor out = make_tensor(self.sizes(), self.dtype(), self.device());
    if (!self.device().is_meta()) draw(out, self, generator_or_default(generator));
    if (recording(self))
      record("PoissonBackward0", {self}, out, {},
             [](Backward& b) { b.set(0, make_zeros(b.g().sizes(), b.g().dtype(), b.g().device())); });
    return out;
  }
  static void draw(const Tensor& out, const Tensor& self, Generator& g) {
    const Tensor rates = dense(self);
    visit_if<kFloatSet>(self.dtype(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      const T* rate = rates->read_as<T>();
      T* to = out->write_as<T>();
      for (int64_t i = 0; i < rates.numel(); ++i)
        HWARO_CHECK(double(rate[i]) >= 0, "invalid Poisson rate, expected rate to be non-negative");
      std::lock_guard lock(g.mutex());
      for (int64_t i = 0; i < rates.numel(); ++i) {
        const double r = double(rate[i]);
        const double x = r >= 10 ? large_rate(r, g) : r == 0 ? 0 : small_rate(r, g);
        if constexpr (std::is_same_v<T, double>) to[i] = x;
        else to[i] = T(float(x));
      }
    });
  }
};

}  // namespace hwaro::engine

#include "families/poisson.inc"
