// The inner loops behind random numbers, one table per instruction set. A base table is always there; the CPU backend
// replaces it at load with the one that fits the machine. All give the same bits: multiply-adds round once, as PyTorch's
// do on CPUs with AVX2.
#pragma once

#include <cstdint>

namespace hwaro {

struct RandomKernels {
  // The next 624 words of the Mersenne Twister's state, in place.
  void (*twist)(std::uint32_t* state);
  // Output words from state words.
  void (*temper)(const std::uint32_t* state, std::uint32_t* out, std::int64_t n);
  // Low 24 bits of each word as a fraction, times (to - from), plus from; where that rounds up to `to`, from.
  void (*uniform_float)(const std::uint32_t* words, float* out, std::int64_t n, float from, float to);
  // The same from the low 53 bits of each pair of words, high half first.
  void (*uniform_double)(const std::uint32_t* words, double* out, std::int64_t n, double from, double to);
  // Blocks of 16 uniforms in [0, 1) become 16 normals, in place.
  void (*normal_blocks)(float* data, std::int64_t blocks, float mean, float std);
};

const RandomKernels& random_kernels();
void set_random_kernels(const RandomKernels* kernels);  // must live as long as the program

}  // namespace hwaro
