// Fills contiguous buffers with random numbers: PyTorch's streams, number for number, from the same generator state.
// Each function holds the generator's lock for the whole fill. Arguments are checked by the operators above.
// T is any of bool, uint8, int8, int16, int32, int64, Half, BFloat16, float, double unless said otherwise; where only
// floating types make sense the others are not instantiated.
#pragma once

#include <cstdint>

#include "hwaro/base/function_ref.h"
#include "hwaro/core/generator.h"

namespace hwaro {

// Uniform in [from, to); floating T. One word per element, double two.
template <class T>
void fill_uniform(Generator& generator, T* out, std::int64_t n, double from = 0, double to = 1);

// Normal, for contiguous targets; floating T. From 16 elements on in blocks of 16, below serially.
template <class T>
void fill_normal(Generator& generator, T* out, std::int64_t n, double mean = 0, double std = 1);

// Normal for targets that are not contiguous: calls put(i, value) for i = 0 … n - 1 in order.
void normal_serial(Generator& generator, std::int64_t n, double mean, double std,
                   FunctionRef<void(std::int64_t, double)> put);

// base + word % range; range 0 stands for 2^64. For `randint(low, high)`: range = high - low, base = low.
template <class T>
void fill_random_from_to(Generator& generator, T* out, std::int64_t n, std::uint64_t range, std::int64_t base);

// random_() without bounds: [0, max] for integers, [0, 2^digits] for floating T, 0 or 1 for bool.
template <class T>
void fill_random(Generator& generator, T* out, std::int64_t n);

// All 64 bits; T is int64, double, float or BFloat16.
template <class T>
void fill_random_full_range(Generator& generator, T* out, std::int64_t n);

// 1 with probability p, else 0. A double p is compared with 53 random bits.
template <class T>
void fill_bernoulli(Generator& generator, T* out, std::int64_t n, double p);

// One probability per element; floating P. A double is compared with 53 bits, the others with 24.
template <class T, class P>
void fill_bernoulli(Generator& generator, T* out, const P* p, std::int64_t n);

// -log1p(-u) / lambda; floating T.
template <class T>
void fill_exponential(Generator& generator, T* out, std::int64_t n, double lambda = 1);

// median + sigma * tan(pi * (u - 1/2)); floating T.
template <class T>
void fill_cauchy(Generator& generator, T* out, std::int64_t n, double median = 0, double sigma = 1);

// exp of a serial normal; floating T.
template <class T>
void fill_log_normal(Generator& generator, T* out, std::int64_t n, double mean = 1, double std = 2);

// ceil(log(u) / log1p(-p)); any T but bool.
template <class T>
void fill_geometric(Generator& generator, T* out, std::int64_t n, double p);

// A random permutation of 0 … n - 1; any T but bool.
template <class T>
void fill_permutation(Generator& generator, T* out, std::int64_t n);

}  // namespace hwaro
