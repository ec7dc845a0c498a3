// Orthogonal polynomials of torch.special; without gradients, as in PyTorch.
#pragma once

#include "hwaro/ops/kinds/pointwise.h"
#include "hwaro/ops/pointwise/special_lanes.h"

namespace hwaro::engine {

struct SpecialChebyshevPolynomialT {
  static constexpr Schema schema = "special_chebyshev_polynomial_t(Tensor x, Tensor n) -> Tensor";
  static constexpr Doc doc = "The Chebyshev polynomial of the first kind of order n at x.";
  static constexpr unsigned expose = kFunction | kOut, numbers_for = kSelf | kOther;
  static constexpr auto dtypes = int_to_float(bit(DType::Float) | bit(DType::Double));
  static constexpr auto kernel_name = "chebyshev_polynomial_t_cpu";
  static constexpr auto forward(auto x, auto n) {
    return polynomial_of<special_lanes::Family::ChebyshevT, false>(x, n);
  }
};

struct SpecialChebyshevPolynomialU {
  static constexpr Schema schema = "special_chebyshev_polynomial_u(Tensor x, Tensor n) -> Tensor";
  static constexpr Doc doc = "The Chebyshev polynomial of the second kind of order n at x.";
  static constexpr unsigned expose = kFunction | kOut, numbers_for = kSelf | kOther;
  static constexpr auto dtypes = int_to_float(bit(DType::Float) | bit(DType::Double));
  static constexpr auto kernel_name = "chebyshev_polynomial_u_cpu";
  static constexpr auto forward(auto x, auto n) {
    return polynomial_of<special_lanes::Family::ChebyshevU, false>(x, n);
  }
};

struct SpecialChebyshevPolynomialV {
  static constexpr Schema schema = "special_chebyshev_polynomial_v(Tensor x, Tensor n) -> Tensor";
  static constexpr Doc doc = "The Chebyshev polynomial of the third kind of order n at x.";
  static constexpr unsigned expose = kFunction | kOut, numbers_for = kSelf | kOther;
  static constexpr auto dtypes = int_to_float(bit(DType::Float) | bit(DType::Double));
  static constexpr auto kernel_name = "chebyshev_polynomial_v_cpu";
  static constexpr auto forward(auto x, auto n) {
    return polynomial_of<special_lanes::Family::ChebyshevV, false>(x, n);
  }
};

struct SpecialChebyshevPolynomialW {
  static constexpr Schema schema = "special_chebyshev_polynomial_w(Tensor x, Tensor n) -> Tensor";
  static constexpr Doc doc = "The Chebyshev polynomial of the fourth kind of order n at x.";
  static constexpr unsigned expose = kFunction | kOut, numbers_for = kSelf | kOther;
  static constexpr auto dtypes = int_to_float(bit(DType::Float) | bit(DType::Double));
  static constexpr auto kernel_name = "chebyshev_polynomial_w_cpu";
  static constexpr auto forward(auto x, auto n) {
    return polynomial_of<special_lanes::Family::ChebyshevW, false>(x, n);
  }
};

struct SpecialHermitePolynomialH {
  static constexpr Schema schema = "special_hermite_polynomial_h(Tensor x, Tensor n) -> Tensor";
  static constexpr Doc doc = "The physicists' Hermite polynomial of order n at x.";
  static constexpr unsigned expose = kFunction | kOut, numbers_for = kSelf | kOther;
  static constexpr auto dtypes = int_to_float(bit(DType::Float) | bit(DType::Double));
  static constexpr auto kernel_name = "hermite_polynomial_h_cpu";
  static constexpr auto forward(auto x, auto n) { return polynomial_of<special_lanes::Family::HermiteH, false>(x, n); }
};

struct SpecialHermitePolynomialHe {
  static constexpr Schema schema = "special_hermite_polynomial_he(Tensor x, Tensor n) -> Tensor";
  static constexpr Doc doc = "The probabilists' Hermite polynomial of order n at x.";
  static constexpr unsigned expose = kFunction | kOut, numbers_for = kSelf | kOther;
  static constexpr auto dtypes = int_to_float(bit(DType::Float) | bit(DType::Double));
  static constexpr auto kernel_name = "hermite_polynomial_he_cpu";
  static constexpr auto forward(auto x, auto n) { return polynomial_of<special_lanes::Family::HermiteHe, false>(x, n); }
};

struct SpecialLaguerrePolynomialL {
  static constexpr Schema schema = "special_laguerre_polynomial_l(Tensor x, Tensor n) -> Tensor";
  static constexpr Doc doc = "The Laguerre polynomial of order n at x.";
  static constexpr unsigned expose = kFunction | kOut, numbers_for = kSelf | kOther;
  static constexpr auto dtypes = int_to_float(bit(DType::Float) | bit(DType::Double));
  static constexpr auto kernel_name = "laguerre_polynomial_l_cpu";
  static constexpr auto forward(auto x, auto n) { return polynomial_of<special_lanes::Family::Laguerre, false>(x, n); }
};

struct SpecialLegendrePolynomialP {
  static constexpr Schema schema = "special_legendre_polynomial_p(Tensor x, Tensor n) -> Tensor";
  static constexpr Doc doc = "The Legendre polynomial of order n at x.";
  static constexpr unsigned expose = kFunction | kOut, numbers_for = kSelf | kOther;
  static constexpr auto dtypes = int_to_float(bit(DType::Float) | bit(DType::Double));
  static constexpr auto kernel_name = "legendre_polynomial_p_cpu";
  static constexpr auto forward(auto x, auto n) { return polynomial_of<special_lanes::Family::Legendre, false>(x, n); }
};

struct SpecialShiftedChebyshevPolynomialT {
  static constexpr Schema schema = "special_shifted_chebyshev_polynomial_t(Tensor x, Tensor n) -> Tensor";
  static constexpr Doc doc = "The shifted Chebyshev polynomial of the first kind of order n at x.";
  static constexpr unsigned expose = kFunction | kOut, numbers_for = kSelf | kOther;
  static constexpr auto dtypes = int_to_float(bit(DType::Float) | bit(DType::Double));
  static constexpr auto kernel_name = "shifted_chebyshev_polynomial_t_cpu";
  static constexpr auto forward(auto x, auto n) { return polynomial_of<special_lanes::Family::ChebyshevT, true>(x, n); }
};

struct SpecialShiftedChebyshevPolynomialU {
  static constexpr Schema schema = "special_shifted_chebyshev_polynomial_u(Tensor x, Tensor n) -> Tensor";
  static constexpr Doc doc = "The shifted Chebyshev polynomial of the second kind of order n at x.";
  static constexpr unsigned expose = kFunction | kOut, numbers_for = kSelf | kOther;
  static constexpr auto dtypes = int_to_float(bit(DType::Float) | bit(DType::Double));
  static constexpr auto kernel_name = "shifted_chebyshev_polynomial_u_cpu";
  static constexpr auto forward(auto x, auto n) { return polynomial_of<special_lanes::Family::ChebyshevU, true>(x, n); }
};

struct SpecialShiftedChebyshevPolynomialV {
  static constexpr Schema schema = "special_shifted_chebyshev_polynomial_v(Tensor x, Tensor n) -> Tensor";
  static constexpr Doc doc = "The shifted Chebyshev polynomial of the third kind of order n at x.";
  static constexpr unsigned expose = kFunction | kOut, numbers_for = kSelf | kOther;
  static constexpr auto dtypes = int_to_float(bit(DType::Float) | bit(DType::Double));
  static constexpr auto kernel_name = "shifted_chebyshev_polynomial_v_cpu";
  static constexpr auto forward(auto x, auto n) { return polynomial_of<special_lanes::Family::ChebyshevV, true>(x, n); }
};

struct SpecialShiftedChebyshevPolynomialW {
  static constexpr Schema schema = "special_shifted_chebyshev_polynomial_w(Tensor x, Tensor n) -> Tensor";
  static constexpr Doc doc = "The shifted Chebyshev polynomial of the fourth kind of order n at x.";
  static constexpr unsigned expose = kFunction | kOut, numbers_for = kSelf | kOther;
  static constexpr auto dtypes = int_to_float(bit(DType::Float) | bit(DType::Double));
  static constexpr auto kernel_name = "shifted_chebyshev_polynomial_w_cpu";
  static constexpr auto forward(auto x, auto n) { return polynomial_of<special_lanes::Family::ChebyshevW, true>(x, n); }
};

}  // namespace hwaro::engine
