// Linear maps on the last dimensions of a tensor that work on each dimension by itself: gathers (padding, nearest
// neighbours) and weighted sums of a few neighbours (linear and cubic interpolation), each with its transpose.
#pragma once

#include <vector>

#include "hwaro/ops/vocabulary.h"

namespace hwaro::engine {

// maps[d][o]: the input index that output index o reads, in dimension dim() - maps.size() + d; -1 gives zero.
using IndexMaps = std::vector<std::vector<std::int64_t>>;
// out[…, o…] = in[…, maps(o)…]. Any type; not recorded.
Tensor gather_map(const Tensor& in, const IndexMaps& maps);
// The transpose: the gradient of an input with the given sizes. Not recorded.
Tensor scatter_map(const Tensor& grad, IntSpan in_sizes, const IndexMaps& maps);

// Output o is the sum over t of weight[o * count + t] * input[index[o * count + t]].
struct Taps {
  std::int64_t in = 0, out = 0, count = 0;
  std::vector<std::int64_t> index;
  std::vector<double> weight;
};
// One Taps per trailing dimension; floating types. Not recorded.
Tensor apply_taps(const Tensor& in, const std::vector<Taps>& taps);
Tensor apply_taps_transposed(const Tensor& grad, const std::vector<Taps>& taps);

}  // namespace hwaro::engine
