// The error of linear algebra: a matrix without inverse, factors or solution (torch.linalg.LinAlgError).
#pragma once

#include "hwaro/base/error.h"

namespace hwaro {

class LinAlgError : public Error {
 public:
  using Error::Error;
};

}  // namespace hwaro
