// Filling a tensor of any layout from a generator, in the order that PyTorch visits its elements.
#pragma once

#include "hwaro/autograd/grad_mode.h"
#include "hwaro/core/random_streams.h"
#include "hwaro/ops/vocabulary.h"

namespace hwaro::engine {

inline Generator& generator_or_default(Generator* g) { return g ? *g : default_generator(); }

// self as a view whose row-major order is the order of its elements in memory.
Tensor in_memory_order(const Tensor& self);

// Calls fill(pointer, n) with room for all elements of self, contiguous, in the order that they are to be drawn.
template <DTypeSet Set, class F>
void fill_in_order(const Tensor& self, const char* kernel, F fill) {
  if (self.numel() == 0) return;
  const bool direct = self.is_contiguous();
  const Tensor target = direct ? self : in_memory_order(self);
  const Tensor buffer = direct ? self : make_tensor(target.sizes(), self.dtype());
  visit<Set>(self.dtype(), kernel, [&](auto tag) {
    using T = typename decltype(tag)::type;
    fill(buffer->template write_as<T>(), buffer.numel());
  });
  if (!direct) copy_raw(target, buffer);
}

// A complex tensor as a real one with a last dimension (2); not recorded.
Tensor real_parts(const Tensor& self);

// Fills without recording or version: for fresh tensors. Errors: RuntimeError in PyTorch's words for bad parameters.
void uniform_raw(const Tensor& self, double from, double to, Generator* generator);
void normal_raw(const Tensor& self, double mean, double std, Generator* generator);
void bernoulli_raw(const Tensor& self, double p, Generator* generator);
void bernoulli_raw(const Tensor& self, const Tensor& p, Generator* generator);
void exponential_raw(const Tensor& self, double lambda, Generator* generator);
// Integers in [from, to); without `to` up to the largest of self's type; without both [0, largest].
void random_raw(const Tensor& self, std::optional<std::int64_t> from, std::optional<std::int64_t> to,
                Generator* generator);

}  // namespace hwaro::engine
