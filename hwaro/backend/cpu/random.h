// Random number kernels per instruction set.
#pragma once

#include "hwaro/backend/cpu/capability.h"
#include "hwaro/core/random_kernels.h"

namespace hwaro {

const RandomKernels* random_kernels_for(CpuCapability capability);

// Makes the generator use the kernels for cpu_capability(); called once when the backend starts.
void install_random_kernels();

}  // namespace hwaro
