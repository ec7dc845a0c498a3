// What control groups grant, read from made-up trees in the forms of v1 and v2.
#include <doctest/doctest.h>

#include <stdlib.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include "hwaro/base/cgroup.h"

using namespace hwaro;

namespace {

class Tree {
 public:
  Tree() {
    char name[] = "/tmp/hwaro_cgroup_XXXXXX";
    REQUIRE(mkdtemp(name) != nullptr);
    root_ = name;
  }
  ~Tree() { std::filesystem::remove_all(root_); }
  Tree& file(const std::string& path, const std::string& text) {
    const std::filesystem::path full = root_ + path;
    std::filesystem::create_directories(full.parent_path());
    std::ofstream(full) << text;
    return *this;
  }
  double cpus() const { return cgroup_cpu_limit(root_); }
  std::int64_t memory() const { return cgroup_memory_limit(root_); }

 private:
  std::string root_;
};

}  // namespace

TEST_CASE("control groups: nothing there means no limit") {
  Tree tree;
  CHECK(std::isinf(tree.cpus()));
  CHECK(tree.memory() == std::numeric_limits<std::int64_t>::max());
}

TEST_CASE("control groups, version 2: the tightest limit on the way to the root counts") {
  Tree tree;
  tree.file("/proc/self/cgroup", "0::/outer/inner\n")
      .file("/sys/fs/cgroup/outer/inner/cpu.max", "max 100000\n")
      .file("/sys/fs/cgroup/outer/cpu.max", "150000 100000\n")
      .file("/sys/fs/cgroup/outer/inner/memory.max", "1073741824\n")
      .file("/sys/fs/cgroup/outer/memory.max", "max\n");
  CHECK(tree.cpus() == 1.5);
  CHECK(tree.memory() == 1073741824);
  tree.file("/sys/fs/cgroup/cpu.max", "50000 100000\n");  // as seen from inside a container
  CHECK(tree.cpus() == 0.5);
}

TEST_CASE("control groups, version 2: the path of the group is not visible inside a container") {
  Tree tree;
  tree.file("/proc/self/cgroup", "0::/../../docker/0123\n")
      .file("/sys/fs/cgroup/cpu.max", "200000 100000\n")
      .file("/sys/fs/cgroup/memory.max", "536870912\n");
  CHECK(tree.cpus() == 2);
  CHECK(tree.memory() == 536870912);
}

TEST_CASE("control groups, version 1: quota by period, -1 for none") {
  Tree tree;
  tree.file("/proc/self/cgroup", "4:memory:/job\n1:cpu,cpuacct:/job\n0::/\n")
      .file("/sys/fs/cgroup/cpu/job/cpu.cfs_quota_us", "300000\n")
      .file("/sys/fs/cgroup/cpu/job/cpu.cfs_period_us", "100000\n")
      .file("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n")
      .file("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n")
      .file("/sys/fs/cgroup/memory/job/memory.limit_in_bytes", "9223372036854771712\n");
  CHECK(tree.cpus() == 3);
  CHECK(tree.memory() == std::numeric_limits<std::int64_t>::max());
  tree.file("/sys/fs/cgroup/memory/memory.limit_in_bytes", "4096000\n");
  CHECK(tree.memory() == 4096000);
}
