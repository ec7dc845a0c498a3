#include "hwaro/backend/cpu/capability.h"

#include <cstdlib>
#include <cstring>

#include "hwaro/base/error.h"

namespace hwaro {
namespace {

CpuCapability choose() {
  const CpuCapability best = detect_cpu_capability();
  const char* wanted = std::getenv("HWARO_CPU_CAPABILITY");
  if (wanted == nullptr || *wanted == '\0') return best;
  for (int level = 0; level <= static_cast<int>(CpuCapability::kAvx512); ++level) {
    const auto capability = static_cast<CpuCapability>(level);
    if (std::strcmp(wanted, cpu_capability_name(capability)) != 0) continue;
    HWARO_CHECK(capability <= best, "HWARO_CPU_CAPABILITY=", wanted,
                " asks for instructions that this processor lacks; the best it has is ", cpu_capability_name(best));
    return capability;
  }
  raise("HWARO_CPU_CAPABILITY must be base, avx2 or avx512, but is '", wanted, "'");
}

}  // namespace

CpuCapability detect_cpu_capability() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                    __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("f16c");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  return avx512 ? CpuCapability::kAvx512 : avx2 ? CpuCapability::kAvx2 : CpuCapability::kBase;
#else
  return CpuCapability::kBase;
#endif
}

CpuCapability cpu_capability() {
  static const CpuCapability capability = choose();
  return capability;
}

const char* cpu_capability_name(CpuCapability capability) {
  switch (capability) {
    case CpuCapability::kBase: return "base";
    case CpuCapability::kAvx2: return "avx2";
    case CpuCapability::kAvx512: return "avx512";
  }
  return "unknown";
}

}  // namespace hwaro
