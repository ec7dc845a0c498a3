// Checks and small helpers that operators of every kind share.
#pragma once

#include <string>
#include <string_view>

#include "hwaro/loops/elementwise.h"
#include "hwaro/ops/kinds/rules.h"
#include "hwaro/ops/vocabulary.h"

namespace hwaro::engine {

// The device of a call. A 0-dim CPU tensor may meet a tensor elsewhere. Errors: RuntimeError in PyTorch's words.
Device common_device(const Operand* operands, int count);
// Raises where out's own elements overlap, or where an operand shares part of out's memory without being the same view.
void check_no_overlap(const Tensor& out, const Operand* operands, int count);
void check_internal_overlap(const Tensor& out);
// Raises where out shares any memory with another tensor, itself included: for what cannot be computed in place.
void check_apart(const Tensor& out, const Tensor& other);
// Gives `out=` the result's shape, with PyTorch's warning where a non-empty tensor changes its shape.
void resize_out(const Tensor& out, IntSpan shape);
// Changes sizes, keeping storage where it is large enough (Tensor.resize_).
void resize_tensor(const Tensor& t, IntSpan shape);
// The bytes of storage up to the last element of a geometry, 0 where it has none. Errors: RuntimeError where that
// is more than 2^63.
std::size_t span_bytes(IntSpan sizes, IntSpan strides, std::int64_t offset, DType dtype);
// Raises where `out=` must not have this type. `position`: which of several results it is for.
void check_out_type(const OutRule& rule, DType result, DType out, std::size_t position = 0);
// Stores a computed result in `out=` (resized, type checked): for operators without an out variant of their own.
void store_out(const Tensor& out, const Tensor& result, const OutRule& rule = {}, std::size_t position = 0);

// "max_pool2d" -> "MaxPool2D": how PyTorch spells node names.
std::string camel_case(std::string_view name);

// Where warnings go: the binding turns them into Python's. `category`: "UserWarning" and so on.
void warn(const std::string& text, const char* category = "UserWarning");
void set_warning_handler(void (*handler)(const std::string&, const char*));

}  // namespace hwaro::engine
