// Equality of whole tensors, exact and within a tolerance.
#include <cstring>

#include "hwaro/autograd/grad_mode.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

// Whether a bool tensor holds true everywhere.
static bool all_true(const Tensor& t) {
  const Tensor flags = dense(t);
  return flags.numel() == 0 || std::memchr(flags->read(), 0, std::size_t(flags.numel())) == nullptr;
}
static void check_tolerance(const char* name, double value) {
  HWARO_CHECK(value >= 0, name, " must be greater than or equal to zero, but got ", value);
}

struct IsClose {
  static constexpr Schema schema =
      "isclose(Tensor self, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False) -> Tensor";
  static constexpr Doc doc = "Whether |self - other| <= atol + rtol * |other|, element by element.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, const Tensor& other, double rtol, double atol, bool equal_nan) {
    HWARO_CHECK(self.dtype() == other.dtype(), scalar_type_name(self.dtype()), " did not match ",
                scalar_type_name(other.dtype()));
    check_tolerance("rtol", rtol);
    check_tolerance("atol", atol);
    Tensor close = eq(self, other);
    const bool numeric = is_floating(self.dtype()) || is_complex(self.dtype());
    if (equal_nan && numeric) close = logical_or(close, logical_and(isnan(self), isnan(other)));
    if (rtol == 0 && atol == 0) return close;
    // In integers the difference could wrap; PyTorch computes the allowed error in the default type.
    const Tensor a = numeric ? self : to_dtype(self, default_dtype()),
                 b = numeric ? other : to_dtype(other, default_dtype());
    const Tensor error = abs(numeric ? sub(a, b) : sub(to_dtype(self, DType::Double), to_dtype(other, DType::Double)));
    const Tensor allowed = add(abs(mul(b, rtol)), atol);
    // An infinite error is never close: equal infinities were found by eq.
    const Tensor finite = logical_and(ne(error, std::numeric_limits<double>::infinity()), logical_not(isnan(error)));
    return logical_or(close, logical_and(finite, le(error, allowed)));
  }
};

struct AllClose {
  static constexpr Schema schema =
      "allclose(Tensor self, Tensor other, float rtol=1e-05, float atol=1e-08, bool equal_nan=False) -> bool";
  static constexpr Doc doc = "Whether all elements are close in the sense of isclose.";
  static constexpr unsigned expose = kFunction | kMethod;
  static bool call(const Tensor& self, const Tensor& other, double rtol, double atol, bool equal_nan) {
    const NoGradGuard no_grad;
    return all_true(IsClose::call(self, other, rtol, atol, equal_nan));
  }
};

struct Equal {
  static constexpr Schema schema = "equal(Tensor self, Tensor other) -> bool";
  static constexpr Doc doc = "Whether two tensors have the same shape and equal elements.";
  static constexpr unsigned expose = kFunction | kMethod;
  static bool call(const Tensor& self, const Tensor& other) {
    HWARO_CHECK(self.device() == other.device(),
                "Cannot compare two tensors on different devices. Got: ", self.device().str(), " and ",
                other.device().str());
    if (self.sizes() != other.sizes()) return false;
    return all_true(eq(self, other));
  }
};

}  // namespace hwaro::engine

#include "families/closeness.inc"
