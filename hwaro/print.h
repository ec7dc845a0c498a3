// std::cout << tensor, and to_string(tensor): the text that Python's print shows. Types print as torch.float32, devices as
// cpu or cuda:0, sizes and strides as [2, 3].
#pragma once

#include <ostream>

#include "hwaro/autograd/print.h"

namespace hwaro {

inline std::ostream& operator<<(std::ostream& out, const engine::Tensor& t) { return out << to_string(t); }
inline std::ostream& operator<<(std::ostream& out, DType type) { return out << "torch." << name_of(type); }
inline std::ostream& operator<<(std::ostream& out, const Device& device) { return out << device.str(); }
inline std::ostream& operator<<(std::ostream& out, IntSpan sizes) { return out << sizes_str(sizes); }

}  // namespace hwaro
