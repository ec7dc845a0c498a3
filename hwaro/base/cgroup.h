// What the control groups of this process grant it: containers limit CPU and memory through them.
#pragma once

#include <cstdint>

namespace hwaro {

// CPUs granted by quota (quota / period, may be fractional); infinity where there is no quota. Cgroup v1 and v2.
double cgroup_cpu_limit();

// Bytes of memory granted; INT64_MAX where there is no limit.
std::int64_t cgroup_memory_limit();

}  // namespace hwaro
