// Gamma numbers: the rejection method of Marsaglia & Tsang (2000, "A simple method for generating gamma variables"), and
// the derivative of a number drawn with respect to its shape (Figurnov et al., 2018, "Implicit reparameterization
// gradients"): dz/da = -(dP/da) / p, where P is the distribution function at z and p the density.
#include <cmath>
#include <limits>
#include <mutex>

#include "hwaro/ops/index/has_data.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/random/fill_random.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

// These two take the generator's lock, one number at a time.
double uniform(Generator& g) {
  std::lock_guard lock(g.mutex());
  return double(g.random64() & ((std::uint64_t(1) << 53) - 1)) * 0x1p-53;
}

double normal(Generator& g) {
  double z = 0;
  normal_serial(g, 1, 0, 1, [&z](int64_t, double x) { z = x; });
  return z;
}

double draw(double shape, Generator& g) {
  double scale = 1;
  if (shape < 1) {  // a number of shape + 1 times a power of a uniform one
    if (shape == 0) return 0;
    scale = std::pow(1 - uniform(g), 1 / shape);
    shape += 1;
  }
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    double x, y;
    do {
      x = normal(g);
      y = 1 + c * x;
    } while (y <= 0);
    const double v = y * y * y, u = 1 - uniform(g), xx = x * x;
    if (u < 1 - 0.0331 * xx * xx || std::log(u) < 0.5 * xx + d * (1 - v + std::log(v))) return scale * d * v;
  }
}

// The logarithmic derivative of the gamma function for x > 0: the recurrence up to 10, then Stirling's series.
double digamma_of(double x) {
  double sum = 0;
  for (; x < 10; x += 1) sum -= 1 / x;
  const double r = 1 / (x * x);
  return sum + std::log(x) - 0.5 / x - r * (1.0 / 12 - r * (1.0 / 120 - r * (1.0 / 252 - r / 240)));
}

// dz/da of a number z of shape a.
double slope(double a, double z) {
  if (z <= 0) return 0;
  if (a > 1000) {  // Wilson & Hilferty (1931): the cube root of z / a is nearly normal
    const double w = std::cbrt(z / a), x = (w - 1 + 1 / (9 * a)) * 3 * std::sqrt(a);
    return w * w * w + 3 * a * w * w * (1 / (9 * a * a) - x / (6 * a * std::sqrt(a)));
  }
  // P is the sum of z^(a+n) e^-z / Gamma(a+n+1); divided by the density the first term is z / a.
  const double log_z = std::log(z);
  double term = z / a, psi = digamma_of(a + 1), sum = 0;
  for (int n = 1; n < 100000; ++n) {
    sum += term * (log_z - psi);
    psi += 1 / (a + n);
    term *= z / (a + n);
    if (a + n > z && term * (psi - log_z) < 1e-17 * std::fabs(sum)) break;
  }
  return -sum;
}

template <class T>
T narrowed(double x) {
  if constexpr (std::is_same_v<T, double>) return x;
  else return T(float(x));
}

}  // namespace

Tensor _standard_gamma_grad(const Tensor& self, const Tensor& output);

struct StandardGamma {
  static constexpr Schema schema = "_standard_gamma(Tensor self, Generator? generator=None) -> Tensor";
  static constexpr Doc doc = "Numbers of gamma distributions of scale 1 whose shapes are the elements of self.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& self, Generator* generator) {
    HWARO_CHECK_AS(NotImplementedError, is_floating(self.dtype()), "\"gamma_cpu\" not implemented for '",
                   scalar_type_name(self.dtype()), "'");
    const Tensor out = make_tensor(self.sizes(), self.dtype(), self.device());
    if (!self.device().is_meta()) fill(out, dense(self), generator_or_default(generator));
    if (recording(self))
      record("StandardGammaBackward0", {self}, out, {save(self), save_output(out)},
             [](Backward& b) { b.set(0, mul(b.g(), _standard_gamma_grad(b.saved(0), b.saved(1)))); });
    return out;
  }
  static void fill(const Tensor& out, const Tensor& shapes, Generator& g) {
    visit_if<kFloatSet>(out.dtype(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      const double least = std::is_same_v<T, double> ? std::numeric_limits<double>::min()
                           : std::is_same_v<T, Half> ? 0x1p-14
                                                     : double(std::numeric_limits<float>::min());
      for (int64_t i = 0; i < shapes.numel(); ++i) {
        const double x = draw(double(shapes->read_as<T>()[i]), g);
        out->write_as<T>()[i] = narrowed<T>(x > least ? x : least);
      }
    });
  }
};

struct StandardGammaGrad {
  static constexpr Schema schema = "_standard_gamma_grad(Tensor self, Tensor output) -> Tensor";
  static constexpr Doc doc = "How gamma numbers change with their shapes, self.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& self, const Tensor& output) {
    HWARO_CHECK_AS(NotImplementedError, is_floating(self.dtype()), "\"_standard_gamma_grad_cpu\" not implemented for '",
                   scalar_type_name(self.dtype()), "'");
    check_has_data(self, {output});
    const Tensor out = make_tensor(self.sizes(), self.dtype(), self.device());
    if (self.device().is_meta()) return out;
    NoGradGuard guard;
    const Tensor a = dense(self), z = dense_as(expand(output, self.sizes()), self.dtype());
    visit_if<kFloatSet>(self.dtype(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      for (int64_t i = 0; i < a.numel(); ++i)
        out->write_as<T>()[i] = narrowed<T>(slope(double(a->read_as<T>()[i]), double(z->read_as<T>()[i])));
    });
    return out;
  }
};

}  // namespace hwaro::engine

#include "families/gamma.inc"
