#pragma once

#include "hwaro/core/dtype.h"

namespace hwaro {

// The C++ type of an element as PyTorch's messages write it, which is in three ways.
const char* c_type_name(DType t);      // as typeid does: "long int", "unsigned char"
const char* meta_type_name(DType t);   // as its own type registry does: "long", "unsigned char"
const char* fixed_type_name(DType t);  // as its source does: "int64_t", "uint8_t"

}  // namespace hwaro
