// Which of the instruction sets that kernels are compiled for this process uses.
#pragma once

namespace hwaro {

// In the order of HWARO_EACH_ISA (base/isa.h): the index into every list of kernel tables.
#if defined(__x86_64__)
enum CpuCapability : int { kBase = 0, kAvx2 = 1, kAvx512 = 2 };
#elif defined(__aarch64__)
enum CpuCapability : int { kNeon = 0 };
#else
enum CpuCapability : int { kBase = 0 };
#endif

// The best set that the processor has, or the one that HWARO_CPU_CAPABILITY asks for: base, avx2 or avx512 on x86-64,
// neon on ARM; "default" is the first of them, as PyTorch calls it. Throws Error where the variable names no set of this
// architecture, or one that the processor lacks. Decided once; later calls are a load.
CpuCapability cpu_capability();

// The best set that the processor has, whatever the environment says.
CpuCapability detect_cpu_capability();

// "base", "avx2", "avx512" or "neon".
const char* cpu_capability_name(CpuCapability capability);

}  // namespace hwaro
