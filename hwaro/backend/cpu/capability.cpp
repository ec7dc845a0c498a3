#include "hwaro/backend/cpu/capability.h"

#include <cstdlib>
#include <cstring>
#include <string>

#include "hwaro/base/error.h"
#include "hwaro/base/isa.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace hwaro {
namespace {

#define HWARO_NAME_OF(isa, unused) #isa,
constexpr const char* kNames[] = {HWARO_EACH_ISA(HWARO_NAME_OF, )};
constexpr int kCount = sizeof kNames / sizeof kNames[0];

CpuCapability choose() {
  const CpuCapability best = detect_cpu_capability();
  const char* wanted = std::getenv("HWARO_CPU_CAPABILITY");
  if (wanted == nullptr || *wanted == '\0') return best;
  if (std::strcmp(wanted, "default") == 0) return static_cast<CpuCapability>(0);
  std::string known;
  for (int level = 0; level < kCount; ++level) {
    if (std::strcmp(wanted, kNames[level]) == 0) {
      HWARO_CHECK(level <= static_cast<int>(best), "HWARO_CPU_CAPABILITY=", wanted,
                  " asks for instructions that this processor lacks; the best it has is ", cpu_capability_name(best));
      return static_cast<CpuCapability>(level);
    }
    known += std::string(kNames[level]) + (level + 1 < kCount ? ", " : " or default");
  }
  raise("HWARO_CPU_CAPABILITY must be ", known, ", but is '", wanted, "'");
}

#if defined(__x86_64__)
// __builtin_cpu_supports has no such name in clang 16. Whether the system saves the registers, "avx2" has answered.
bool has_f16c() {
  unsigned eax, ebx, ecx, edx;
  return __get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0 && (ecx & bit_F16C) != 0;
}
#endif

}  // namespace

CpuCapability detect_cpu_capability() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                    __builtin_cpu_supports("bmi2") && has_f16c();
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  return avx512 ? CpuCapability::kAvx512 : avx2 ? CpuCapability::kAvx2 : CpuCapability::kBase;
#else
  return static_cast<CpuCapability>(kCount - 1);  // what every processor of the architecture has
#endif
}

CpuCapability cpu_capability() {
  static const CpuCapability capability = choose();
  return capability;
}

const char* cpu_capability_name(CpuCapability capability) { return kNames[static_cast<int>(capability)]; }

}  // namespace hwaro
