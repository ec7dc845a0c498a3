#include "hwaro/base/cgroup.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <string>

namespace hwaro {
namespace {

constexpr double kUnlimited = std::numeric_limits<double>::infinity();

std::string read_small_file(const std::string& path) {
  std::string text;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return text;
  char buffer[4096];
  for (ssize_t got; (got = read(fd, buffer, sizeof buffer)) > 0;) text.append(buffer, static_cast<std::size_t>(got));
  close(fd);
  return text;
}

using Reader = double (*)(const std::string& directory);

double cpu_v2(const std::string& directory) {
  const std::string text = read_small_file(directory + "/cpu.max");  // "max 100000" or "150000 100000"
  double quota = 0, period = 0;
  if (std::sscanf(text.c_str(), "%lf %lf", &quota, &period) == 2 && quota > 0 && period > 0) return quota / period;
  return kUnlimited;
}
double cpu_v1(const std::string& directory) {
  const double quota = std::atof(read_small_file(directory + "/cpu.cfs_quota_us").c_str());  // -1: none
  const double period = std::atof(read_small_file(directory + "/cpu.cfs_period_us").c_str());
  return quota > 0 && period > 0 ? quota / period : kUnlimited;
}
double memory_v2(const std::string& directory) {
  const double bytes = std::atof(read_small_file(directory + "/memory.max").c_str());  // "max" reads as 0
  return bytes > 0 ? bytes : kUnlimited;
}
double memory_v1(const std::string& directory) {
  const double bytes = std::atof(read_small_file(directory + "/memory.limit_in_bytes").c_str());
  return bytes > 0 ? bytes : kUnlimited;
}

// The tightest limit on the way from the process's group up to the root. Inside a container the group's path is often
// not visible below the mount point; the walk then still finds the container's own group at the top.
double tightest(const std::string& mount, std::string path, Reader read) {
  double limit = kUnlimited;
  for (;;) {
    limit = std::min(limit, read(mount + path));
    if (path.empty()) return limit;
    const std::size_t slash = path.rfind('/');
    path.resize(slash == std::string::npos ? 0 : slash);
  }
}

double limit_of(const std::string& root, const std::string& controller, Reader read_v1, Reader read_v2) {
  double limit = kUnlimited;
  const std::string groups = read_small_file(root + "/proc/self/cgroup");  // lines "id:controllers:/path"
  for (std::size_t at = 0; at < groups.size();) {
    const std::size_t end = std::min(groups.find('\n', at), groups.size());
    const std::string line = groups.substr(at, end - at);
    at = end + 1;
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string path = line.substr(second + 1) == "/" ? "" : line.substr(second + 1);
    if (controllers == ",,") {
      limit = std::min(limit, tightest(root + "/sys/fs/cgroup", path, read_v2));
    } else if (controllers.find("," + controller + ",") != std::string::npos) {
      limit = std::min(limit, tightest(root + "/sys/fs/cgroup/" + controller, path, read_v1));
    }
  }
  return limit;
}

}  // namespace

double cgroup_cpu_limit(const std::string& root) { return limit_of(root, "cpu", cpu_v1, cpu_v2); }

std::int64_t cgroup_memory_limit(const std::string& root) {
  const double limit = limit_of(root, "memory", memory_v1, memory_v2);
  constexpr double kLargest = 9.0e18;  // v1 says "no limit" with a number near 2^63
  return limit < kLargest ? static_cast<std::int64_t>(limit) : std::numeric_limits<std::int64_t>::max();
}

}  // namespace hwaro
