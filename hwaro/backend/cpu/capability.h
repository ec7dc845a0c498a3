// Which of the instruction sets that kernels are compiled for this process uses.
#pragma once

namespace hwaro {

enum CpuCapability : int { kBase = 0, kAvx2 = 1, kAvx512 = 2 };

// The best set that the processor has, or the one that HWARO_CPU_CAPABILITY (base, avx2, avx512) asks for. Throws Error
// where the variable names no set, or one that the processor lacks. Decided once; later calls are a load.
CpuCapability cpu_capability();

// The best set that the processor has, whatever the environment says.
CpuCapability detect_cpu_capability();

// "base", "avx2" or "avx512".
const char* cpu_capability_name(CpuCapability capability);

}  // namespace hwaro
