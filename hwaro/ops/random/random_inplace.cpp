// Random numbers written into existing tensors.
#include "hwaro/core/type_names.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/random/fill_random.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

// What was there before has no influence any more: its gradient is zero.
template <class Draw>
Tensor draw_into(const char* node, const Tensor& self, Draw draw) {
  const bool recorded = recording(self) && is_differentiable(self.dtype());
  check_inplace(self, recorded);
  check_internal_overlap(self);
  if (self.is_conj()) {  // what is drawn is what the tensor shows
    const Tensor drawn = make_strided(self.sizes(), self.strides(), self.dtype(), self.device());
    draw(drawn);
    if (!self.device().is_meta()) copy_raw(self, drawn);
  } else {
    draw(self);
  }
  self->bump_version();
  if (recorded)
    record_inplace(node, self, {self}, {},
                   [](Backward& b) { b.set(0, make_zeros(b.g().sizes(), b.g().dtype(), b.g().device())); });
  return self;
}

}  // namespace

struct Uniform {
  static constexpr Schema schema =
      "uniform_(Tensor(a!) self, float from=0.0, float to=1.0, *, Generator? generator=None) -> Tensor(a!)";
  static constexpr Doc doc = "Fills self with numbers evenly distributed in [from, to).";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, double from, double to, Generator* generator) {
    return draw_into("UniformBackward0", self, [&](const Tensor& target) { uniform_raw(target, from, to, generator); });
  }
};

struct NormalInplace {
  static constexpr Schema schema =
      "normal_(Tensor(a!) self, float mean=0.0, float std=1.0, *, Generator? generator=None) -> Tensor(a!)";
  static constexpr Doc doc = "Fills self with normally distributed numbers.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, double mean, double std, Generator* generator) {
    return draw_into("NormalBackward0", self, [&](const Tensor& target) { normal_raw(target, mean, std, generator); });
  }
};

struct Exponential {
  static constexpr Schema schema =
      "exponential_(Tensor(a!) self, float lambd=1.0, *, Generator? generator=None) -> Tensor(a!)";
  static constexpr Doc doc = "Fills self with exponentially distributed numbers of rate lambd.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, double lambd, Generator* generator) {
    return draw_into("ExponentialBackward0", self,
                     [&](const Tensor& target) { exponential_raw(target, lambd, generator); });
  }
};

struct Geometric {
  static constexpr Schema schema = "geometric_(Tensor(a!) self, float p, *, Generator? generator=None) -> Tensor(a!)";
  static constexpr Doc doc = "Fills self with the number of trials up to the first success of probability p.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, double p, Generator* generator) {
    HWARO_CHECK(p > 0 && p < 1, "geometric_ expects p to be in (0, 1), but got p=", p);
    return draw_into("GeometricBackward0", self, [&](const Tensor& target) {
      if (self.device().is_meta()) return;
      fill_in_order<kIntSet | kFloatSet>(target, "geometric_cpu", [&](auto* out, int64_t n) {
        fill_geometric(generator_or_default(generator), out, n, p);
      });
    });
  }
};

struct Cauchy {
  static constexpr Schema schema =
      "cauchy_(Tensor(a!) self, float median=0.0, float sigma=1.0, *, Generator? generator=None) -> Tensor(a!)";
  static constexpr Doc doc = "Fills self with numbers of a Cauchy distribution.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, double median, double sigma, Generator* generator) {
    HWARO_CHECK(sigma > 0, "cauchy_ expects sigma > 0.0, but found sigma=", sigma);
    HWARO_CHECK(is_floating(self.dtype()),
                "Cauchy distribution is a continuous probability distribution. dtype must be a floating point but you "
                "specified ",
                c_type_name(self.dtype()));
    return draw_into("CauchyBackward0", self, [&](const Tensor& target) {
      if (self.device().is_meta()) return;
      fill_in_order<kFloatSet>(target, "cauchy_cpu", [&](auto* out, int64_t n) {
        fill_cauchy(generator_or_default(generator), out, n, median, sigma);
      });
    });
  }
};

struct LogNormal {
  static constexpr Schema schema =
      "log_normal_(Tensor(a!) self, float mean=1.0, float std=2.0, *, Generator? generator=None) -> Tensor(a!)";
  static constexpr Doc doc = "Fills self with numbers whose logarithm is normally distributed.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, double mean, double std, Generator* generator) {
    HWARO_CHECK(std > 0, "log_normal_ expects std > 0.0, but found std=", std);
    return draw_into("LogNormalBackward0", self, [&](const Tensor& target) {
      if (self.device().is_meta()) return;
      fill_in_order<kFloatSet>(target, "log_normal_cpu", [&](auto* out, int64_t n) {
        fill_log_normal(generator_or_default(generator), out, n, mean, std);
      });
    });
  }
};

struct BernoulliTensorInplace {
  static constexpr Schema schema =
      "bernoulli_.Tensor(Tensor(a!) self, Tensor p, *, Generator? generator=None) -> Tensor(a!)";
  static constexpr Doc doc = "Fills self with ones and zeros, a one with the probability in p.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, const Tensor& p, Generator* generator) {
    const bool recorded = recording(self, p) && is_differentiable(self.dtype());
    check_inplace(self, recorded);
    check_internal_overlap(self);
    bernoulli_raw(self, p, generator);
    self->bump_version();
    if (recorded)
      record_inplace("BernoulliBackward1", self, {self, p}, {},
                     [sizes = Dims(p.sizes()), type = p.dtype()](Backward& b) {
                       if (b.needs(0)) b.set(0, make_zeros(b.g().sizes(), b.g().dtype(), b.g().device()));
                       if (b.needs(1)) b.set(1, make_zeros(sizes, type, b.g().device()));
                     });
    return self;
  }
};

struct BernoulliInplace {
  static constexpr Schema schema =
      "bernoulli_.float(Tensor(a!) self, float p=0.5, *, Generator? generator=None) -> Tensor(a!)";
  static constexpr Doc doc = "Fills self with ones and zeros, a one with probability p.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, double p, Generator* generator) {
    return draw_into("BernoulliBackward2", self, [&](const Tensor& target) { bernoulli_raw(target, p, generator); });
  }
};

struct RandomTo {
  static constexpr Schema schema = "random_.to(Tensor(a!) self, int to, *, Generator? generator=None) -> Tensor(a!)";
  static constexpr Doc doc = "Fills self with integers in [0, to).";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t to, Generator* generator) {
    return draw_into("RandomBackward1", self, [&](const Tensor& target) { random_raw(target, 0, to, generator); });
  }
};

struct RandomFrom {
  static constexpr Schema schema =
      "random_.from(Tensor(a!) self, int from, int? to, *, Generator? generator=None) -> Tensor(a!)";
  static constexpr Doc doc = "Fills self with integers in [from, to).";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, int64_t from, std::optional<int64_t> to, Generator* generator) {
    return draw_into("RandomBackward0", self, [&](const Tensor& target) { random_raw(target, from, to, generator); });
  }
};

struct Random {
  static constexpr Schema schema = "random_(Tensor(a!) self, *, Generator? generator=None) -> Tensor(a!)";
  static constexpr Doc doc = "Fills self with integers from 0 to the largest that its type holds exactly.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, Generator* generator) {
    return draw_into("RandomBackward2", self,
                     [&](const Tensor& target) { random_raw(target, std::nullopt, std::nullopt, generator); });
  }
};

}  // namespace hwaro::engine

#include "families/random_inplace.inc"
