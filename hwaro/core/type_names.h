#pragma once

#include "hwaro/core/dtype.h"

namespace hwaro {

// The C++ type of an element as PyTorch's messages write it: "long int", "c10::Half".
const char* c_type_name(DType t);

}  // namespace hwaro
