// Special functions made of others.
#include <cmath>
#include <limits>
#include <vector>

#include "hwaro/core/promotion.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/kinds/with_number.h"
#include "hwaro/ops/pointwise/error_functions.h"
#include "hwaro/ops/pointwise/exponential.h"
#include "hwaro/ops/pointwise/special_functions.h"
#include "hwaro/ops/registry.h"

#include "hwaro/ops/copy.h"
#include "hwaro/ops/error_functions.h"
#include "hwaro/ops/special_functions.h"

namespace hwaro::engine {

Tensor trigamma(const Tensor& x) { return _polygamma(x, 1); }
Tensor polygamma_of(const Tensor& x, const Tensor& n) {
  return _polygamma(x, std::int64_t(*dense_as(n, DType::Int64)->read_as<std::int64_t>()));
}
Tensor i1(const Tensor& x) { return special_i1(x); }
Tensor i0e(const Tensor& x) { return special_i0e(x); }
Tensor i1e(const Tensor& x) { return special_i1e(x); }
Tensor erfcx(const Tensor& x) { return special_erfcx(x); }
Tensor zeta(const Tensor& s, const Tensor& q) { return special_zeta(s, q); }

static Tensor polygamma_call(std::int64_t n, const Tensor& x) {
  HWARO_CHECK(n >= 0, "polygamma(n, x) does not support negative n.");
  return n == 0 ? digamma(x) : _polygamma(x, n);
}

struct PolygammaCall {
  static constexpr Schema schema = "polygamma(int n, Tensor self) -> Tensor";
  static constexpr Doc doc = "The derivative of digamma of order n.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(std::int64_t n, const Tensor& self) { return polygamma_call(n, self); }
};
struct PolygammaMethod {
  static constexpr Schema schema = "polygamma(Tensor self, int n) -> Tensor";
  static constexpr Doc doc = "The derivative of digamma of order n.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, std::int64_t n) { return polygamma_call(n, self); }
};
struct PolygammaInplace {
  static constexpr Schema schema = "polygamma_(Tensor(a!) self, int n) -> Tensor(a!)";
  static constexpr Doc doc = "In-place form of polygamma.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, std::int64_t n) {
    HWARO_CHECK(n >= 0, "polygamma(n, x) does not support negative n.");
    const Operand operands[] = {self};
    const Scalar scalars[] = {n};
    pointwise_inplace(n == 0 ? pointwise_info<Digamma> : pointwise_info<Polygamma>, operands, scalars);
    return self;
  }
};
struct SpecialPolygamma {
  static constexpr Schema schema = "special_polygamma(int n, Tensor self) -> Tensor";
  static constexpr Doc doc = "Alias of torch.polygamma.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(std::int64_t n, const Tensor& self) { return polygamma_call(n, self); }
};

struct Ndtr {
  static constexpr Schema schema = "special_ndtr(Tensor self) -> Tensor";
  static constexpr Doc doc = "The normal distribution function.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self) {
    return times_number(plus_number(erf(times_number(self, std::sqrt(0.5))), 1), 0.5);
  }
};

static auto mvlgamma_gradient(std::int64_t p) {
  return [p](Backward& b) {
    const Tensor x = b.saved(0);
    Tensor sum = digamma(x);
    for (std::int64_t j = 1; j < p; ++j) sum = sum + digamma(x - 0.5 * double(j));
    b.set(0, b.g() * sum);
  };
}

// log of the multivariate gamma function: a constant and lgamma at p points half a step apart.
static Tensor mvlgamma_of(const Tensor& self, std::int64_t p) {
  HWARO_CHECK(self.dtype() != DType::Bool, "The input tensor may not be a boolean tensor.");
  HWARO_CHECK(p >= 1, "p has to be greater than or equal to 1");
  HWARO_CHECK_AS(NotImplementedError, !is_complex(self.dtype()), "\"arange_cpu\" not implemented for '",
                 scalar_type_name(self.dtype()), '\'');
  Tensor out;
  {
    const NoGradGuard no_grad;
    const Tensor x = is_integral(self.dtype(), true) ? to_dtype(self, default_dtype()) : self;
    for (std::int64_t j = 0; j < p; ++j) {
      const Tensor part = lgamma(x - 0.5 * double(j));
      out = out.defined() ? out + part : part;
    }
    out = clone(out + double(p * (p - 1)) * std::log(3.14159265358979323846) / 4, MemoryFormat::Contiguous);
  }
  if (recording(self)) record("MvlgammaBackward0", {self}, out, {save(self)}, mvlgamma_gradient(p));
  return out;
}
struct Mvlgamma {
  static constexpr Schema schema = "mvlgamma(Tensor self, int p) -> Tensor";
  static constexpr Doc doc = "The logarithm of the multivariate gamma function of dimension p.";
  static constexpr auto out_rule =
      out_castable("mvlgamma: result type %R can't be cast to the desired output type Float");
  static Tensor call(const Tensor& self, std::int64_t p) { return mvlgamma_of(self, p); }
};
struct MvlgammaInplace {
  static constexpr Schema schema = "mvlgamma_(Tensor(a!) self, int p) -> Tensor(a!)";
  static constexpr Doc doc = "In-place form of mvlgamma.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, std::int64_t p) {
    const bool recorded = recording(self);
    check_inplace(self, recorded);
    check_internal_overlap(self);
    const Tensor result = mvlgamma_of(detach(self), p);
    HWARO_CHECK(can_cast(result.dtype(), self.dtype()), "mvlgamma: result type ", scalar_type_name(self.dtype()),
                " can't be cast to the desired output type ", scalar_type_name(result.dtype()));
    const Tensor before = recorded ? clone(self) : Tensor();
    if (!self.device().is_meta()) copy_raw(self, result);
    self->bump_version();
    if (recorded) record_inplace("MvlgammaBackward0", self, {self}, {save(before)}, mvlgamma_gradient(p));
    return self;
  }
};
struct SpecialMultigammaln {
  static constexpr Schema schema = "special_multigammaln(Tensor self, int p) -> Tensor";
  static constexpr Doc doc = "Alias of torch.mvlgamma.";
  static constexpr unsigned expose = kFunction | kOut;
  static Tensor call(const Tensor& self, std::int64_t p) { return mvlgamma_of(self, p); }
};

// The power of two is dense in PyTorch whatever the exponent's layout, which decides the layout of the result.
struct Ldexp {
  static constexpr Schema schema = "ldexp.Tensor(Tensor self, Tensor other) -> Tensor";
  static constexpr Doc doc = "self times two to the power of other.";
  static constexpr auto out_rule = LdexpLoop::out_rule;
  static Tensor call(const Tensor& self, const Tensor& other) {
    const Tensor power = contiguous(other);
    const Operand operands[] = {self, power};
    return pointwise(pointwise_info<LdexpLoop>, operands, nullptr);
  }
};
struct LdexpInplace {
  static constexpr Schema schema = "ldexp_(Tensor(a!) self, Tensor other) -> Tensor(a!)";
  static constexpr Doc doc = "In-place form of ldexp.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, const Tensor& other) {
    const Operand operands[] = {self, other};
    ResultType type;
    type.add(*self.impl()), type.add(*other.impl());
    const DType result = is_integral(type.get(), true) ? default_dtype() : type.get();
    check_out_type(LdexpLoop::out_rule, result, self.dtype());  // before the shapes
    pointwise_inplace(pointwise_info<LdexpLoop>, operands, nullptr);
    return self;
  }
};

}  // namespace hwaro::engine

#include "families/special_calls.inc"
