// Which types `out=` may have. Most operators take every type that their result can be cast to; the others say so by an
// OutRule of their own or are listed here, by name, with PyTorch's words for a type that they refuse.
#pragma once

#include <string>

#include "hwaro/base/function_ref.h"
#include "hwaro/core/schema.h"
#include "hwaro/ops/kinds/rules.h"
#include "hwaro/ops/vocabulary.h"

namespace hwaro::engine {

struct Value;

// PyTorch's words for a type that is refused: %r and %o become the C++ types of result and out, %R and %O their names,
// and `more` gives what any other letter stands for.
std::string out_type_text(const char* words, DType result, DType out, FunctionRef<std::string(char)> more);

// Stores result number `index` of the operator in its out= tensor: store_out with the operator's own rule for types.
void store_result(const Schema& op, int index, const Tensor& out, const Tensor& result, const OutRule& own = {});

// Raises where the operator must not write over what it reads: out= that shares memory with one of those arguments.
// `result`: what will be written, whose shape out takes.
void check_out_apart(const Schema& op, const Value* args, const Tensor& out, const Tensor& result);

}  // namespace hwaro::engine
