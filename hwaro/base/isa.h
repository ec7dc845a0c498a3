// One source, several instruction sets: a file that is compiled once per instruction set puts everything it defines into
// `namespace hwaro { inline namespace HWARO_ISA { … } }`, so that no two variants ever share a symbol.
// The build defines HWARO_ISA (base, avx2 or avx512 on x86-64, neon on ARM) together with the matching flags.
#pragma once

// DO(isa, …) for each instruction set of this architecture, weakest first: the order of CpuCapability.
#if defined(__x86_64__)
#define HWARO_EACH_ISA(DO, ...) DO(base, __VA_ARGS__) DO(avx2, __VA_ARGS__) DO(avx512, __VA_ARGS__)
#define HWARO_FIRST_ISA base
#elif defined(__aarch64__)
#define HWARO_EACH_ISA(DO, ...) DO(neon, __VA_ARGS__)
#define HWARO_FIRST_ISA neon
#else
#define HWARO_EACH_ISA(DO, ...) DO(base, __VA_ARGS__)
#define HWARO_FIRST_ISA base
#endif

// Kernel files define `extern const Type name` once per instruction set. These declare all of them, and list them.
#define HWARO_DECLARE_TABLE_OF(isa, Type, name) \
  inline namespace isa {                        \
  extern const Type name;                       \
  }
#define HWARO_DECLARE_TABLES(Type, name) HWARO_EACH_ISA(HWARO_DECLARE_TABLE_OF, Type, name)
#define HWARO_ADDRESS_OF_TABLE(isa, name) &::hwaro::isa::name,
#define HWARO_TABLES(name) {HWARO_EACH_ISA(HWARO_ADDRESS_OF_TABLE, name)}

#if !defined(HWARO_ISA)
#define HWARO_ISA HWARO_FIRST_ISA
#endif

#if defined(__AVX512F__)
#define HWARO_VECTOR_BYTES 64
#elif defined(__AVX2__)
#define HWARO_VECTOR_BYTES 32
#else
#define HWARO_VECTOR_BYTES 16
#endif
