// One source, three instruction sets: a file that is compiled once per instruction set puts everything it defines into
// `namespace hwaro { inline namespace HWARO_ISA { … } }`, so that no two variants ever share a symbol.
// The build defines HWARO_ISA to base, avx2 or avx512 together with the matching flags.
#pragma once

#if !defined(HWARO_ISA)
#define HWARO_ISA base
#endif

#if defined(__AVX512F__)
#define HWARO_VECTOR_BYTES 64
#elif defined(__AVX2__)
#define HWARO_VECTOR_BYTES 32
#else
#define HWARO_VECTOR_BYTES 16
#endif
