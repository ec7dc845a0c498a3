#include "hwaro/core/type_names.h"

namespace hwaro {

const char* c_type_name(DType t) {
  static const char* const kNames[kDTypes] = {"bool",  "unsigned char", "signed char",         "short int",
                                              "int",   "long int",      "c10::Half",           "c10::BFloat16",
                                              "float", "double",        "c10::complex<float>", "c10::complex<double>"};
  return kNames[int(t)];
}

}  // namespace hwaro
