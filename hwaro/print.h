// std::cout << tensor, and to_string(tensor): the text that Python's print shows.
#pragma once

#include <ostream>

#include "hwaro/autograd/print.h"

namespace hwaro {

inline std::ostream& operator<<(std::ostream& out, const engine::Tensor& t) { return out << to_string(t); }

}  // namespace hwaro
