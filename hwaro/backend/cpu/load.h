// Choosing the instruction set: done once, before any operator runs.
#pragma once

namespace hwaro::engine {

// Points the pointwise families at the inner loops for a capability (generated).
void load_pointwise_kernels(int capability);

}  // namespace hwaro::engine
