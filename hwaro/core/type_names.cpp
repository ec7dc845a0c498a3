#include "hwaro/core/type_names.h"

namespace hwaro {

const char* c_type_name(DType t) {
  if (t == DType::Int16) return "short int";
  return t == DType::Int64 ? "long int" : meta_type_name(t);
}

const char* meta_type_name(DType t) {
  static const char* const kNames[kDTypes] = {"bool",  "unsigned char", "signed char",         "short",
                                              "int",   "long",          "c10::Half",           "c10::BFloat16",
                                              "float", "double",        "c10::complex<float>", "c10::complex<double>"};
  return kNames[int(t)];
}

const char* fixed_type_name(DType t) {
  switch (t) {
    case DType::UInt8: return "uint8_t";
    case DType::Int8: return "int8_t";
    case DType::Int16: return "int16_t";
    case DType::Int64: return "int64_t";
    default: return meta_type_name(t);
  }
}

}  // namespace hwaro
