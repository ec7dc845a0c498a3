// The words in which an operator says which element types it takes and gives:
//   static constexpr auto dtypes = int_to_float(floating | complex);
#pragma once

#include "hwaro/core/dtype.h"

namespace hwaro::engine {

inline constexpr DTypeSet boolean = kBoolSet, integers = kIntSet, floating = kFloatSet, complex = kComplexSet,
                          numbers = kIntSet | kFloatSet | kComplexSet, every = kAllSet;

struct DTypeRule {
  enum class Out : std::uint8_t { Same, Bool, Real };
  DTypeSet set = 0;           // types the formula is computed in
  bool int_to_float = false;  // integers and bool are computed in the default floating type
  Out out = Out::Same;
  bool bool_to_int = false;  // bool is computed in int64
};

// Result of the promoted type, which must be in `set`.
constexpr DTypeRule same(DTypeSet set) { return {set, false, DTypeRule::Out::Same}; }
// As same(), with integers and bool promoted to the default floating type.
constexpr DTypeRule int_to_float(DTypeSet set) { return {set, true, DTypeRule::Out::Same}; }
// As same(), with bool promoted to int64.
constexpr DTypeRule bool_to_int(DTypeSet set) { return {set, false, DTypeRule::Out::Same, true}; }
// Computed in the promoted type, result bool.
constexpr DTypeRule to_bool(DTypeSet set) { return {set, false, DTypeRule::Out::Bool}; }
// Complex operands give their real counterpart (abs, angle).
constexpr DTypeRule to_real_result(DTypeSet set) { return {set, false, DTypeRule::Out::Real}; }
constexpr DTypeRule int_to_float_real(DTypeSet set) { return {set, true, DTypeRule::Out::Real}; }

// What types `out=` may have, and in which words others are refused: %r and %o stand for the result's and out's type as
// C++ names them ("long int"), %R and %O as PyTorch does ("Long"); %i is "True" where the result is Int.
struct OutRule {
  enum class Fits : std::uint8_t { Castable, Same, Any } fits = Fits::Castable;
  bool decides = false;          // a dtype argument that is left out is out's
  const char* words = nullptr;   // null: the usual ones
  const char* second = nullptr;  // for the second result, where they differ
  constexpr bool given() const { return fits != Fits::Castable || words; }
};
constexpr OutRule out_castable(const char* words) { return {OutRule::Fits::Castable, false, words}; }
constexpr OutRule out_same(const char* words, const char* second = nullptr) {
  return {OutRule::Fits::Same, false, words, second};
}
inline constexpr OutRule out_any{OutRule::Fits::Any},
    out_expected = out_same("Expected out tensor to have dtype %r, but got %o instead"),
    out_decides{OutRule::Fits::Same, true, out_expected.words}, out_found = out_same("Found dtype %O but expected %R");

// One line of documentation, shown by help(), stubs and the reference.
using Doc = const char*;

// Where an operator appears. Names with a module prefix (linalg_norm, special_erf, fft_fft) go to that module instead.
enum Expose : unsigned {
  kFunction = 1,      // torch.name
  kMethod = 2,        // Tensor.name
  kNnFunctional = 4,  // torch.nn.functional.name
  kInplace = 8,       // Tensor.name_ (and torch.name_): pointwise operators only
  kOut = 16,          // takes out=
  kInternal = 32,     // torch._C.name: for our own Python code
  kDefaultExpose = kFunction | kMethod | kOut,
};

// Bits that name operands: which arguments may be plain numbers (`static constexpr auto numbers_for = kOther;`), and
// which ones a derivative reads.
enum OperandBits : unsigned {
  kSelf = 1,
  kOther = 2,
  kThird = 4,
  kResult = 8,
  kPassThrough = 0x80,
  kRaises = 0xFE,
  kNoGradient = 0xFF
};

// A derivative of one: the gradient is passed on as it is, without a kernel.
struct One {};
// There is no derivative: the operator is recorded, and its backward raises.
struct Missing {};

}  // namespace hwaro::engine
