// What the control groups of this process grant it: containers limit CPU and memory through them.
#pragma once

#include <cstdint>
#include <string>

namespace hwaro {

// CPUs granted by quota (quota / period, may be fractional); infinity where there is no quota. Cgroup v1 and v2.
// `root` is put before /proc and /sys, for tests.
double cgroup_cpu_limit(const std::string& root = "");

// Bytes of memory granted; INT64_MAX where there is no limit.
std::int64_t cgroup_memory_limit(const std::string& root = "");

}  // namespace hwaro
