// Devices that PyTorch knows and this build does not have.
#pragma once

#include "hwaro/core/device.h"

namespace hwaro {

// Raises what PyTorch raises where a new tensor is to be made on such a device. (check_device_available is for moving a
// tensor there: PyTorch's words differ.)
void check_can_create_on(const Device& device);

}  // namespace hwaro
