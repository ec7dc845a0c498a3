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
};

// Result of the promoted type, which must be in `set`.
constexpr DTypeRule same(DTypeSet set) { return {set, false, DTypeRule::Out::Same}; }
// As same(), with integers and bool promoted to the default floating type.
constexpr DTypeRule int_to_float(DTypeSet set) { return {set, true, DTypeRule::Out::Same}; }
// Computed in the promoted type, result bool.
constexpr DTypeRule to_bool(DTypeSet set) { return {set, false, DTypeRule::Out::Bool}; }
// Complex operands give their real counterpart (abs, angle).
constexpr DTypeRule to_real_result(DTypeSet set) { return {set, false, DTypeRule::Out::Real}; }

// One line of documentation, shown by help(), stubs and the reference.
using Doc = const char*;

// Bits that name operands: which arguments may be plain numbers (`static constexpr auto numbers_for = kOther;`), and
// which ones a derivative reads.
enum OperandBits : unsigned { kSelf = 1, kOther = 2, kThird = 4, kResult = 8, kPassThrough = 0x80, kNoGradient = 0xFF };

// A derivative of one: the gradient is passed on as it is, without a kernel.
struct One {};

}  // namespace hwaro::engine
