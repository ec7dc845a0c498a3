// Elements of channels moved into space and back, and channels regrouped: copies in another order.
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/nn/layout.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

// The last three dimensions split into `parts`, reordered and joined to `out`.
Tensor rearranged(const Tensor& t, std::initializer_list<int64_t> parts, std::initializer_list<int64_t> order,
                  std::initializer_list<int64_t> out) {
  NoGradGuard guard;
  const std::size_t lead = std::size_t(t.dim() - 3);
  Dims split(IntSpan(t.sizes().data(), lead)), shape(split), dims;
  for (std::size_t d = 0; d < lead; ++d) dims.push_back(int64_t(d));
  for (int64_t p : parts) split.push_back(p);
  for (int64_t o : order) dims.push_back(int64_t(lead) + o);
  for (int64_t o : out) shape.push_back(o);
  return reshape(clone(permute(reshape(t, split), dims), MemoryFormat::Contiguous), shape);
}

Tensor unshuffle(const Tensor& t, int64_t r);

Tensor shuffle(const Tensor& t, int64_t r) {
  const int64_t c = t.size(-3) / (r * r), h = t.size(-2), w = t.size(-1);
  const Tensor out = in_layout_of(rearranged(t, {c, r, r, h, w}, {0, 3, 1, 4, 2}, {c, h * r, w * r}), t);
  if (recording(t)) record("PixelShuffleBackward0", {t}, out, {}, [r](Backward& b) { b.set(0, unshuffle(b.g(), r)); });
  return out;
}

Tensor unshuffle(const Tensor& t, int64_t r) {
  const int64_t c = t.size(-3), h = t.size(-2) / r, w = t.size(-1) / r;
  const Tensor out = in_layout_of(rearranged(t, {c, h, r, w, r}, {0, 2, 4, 1, 3}, {c * r * r, h, w}), t);
  if (recording(t)) record("PixelUnshuffleBackward0", {t}, out, {}, [r](Backward& b) { b.set(0, shuffle(b.g(), r)); });
  return out;
}

Tensor shuffled(const Tensor& t, int64_t groups) {
  Tensor out;
  {
    NoGradGuard guard;
    const int64_t n = t.sizes()[0], c = t.sizes()[1], rest = n * c == 0 ? 0 : t.numel() / (n * c);
    out =
        reshape(clone(transpose(reshape(t, {n, groups, c / groups, rest}), 1, 2), MemoryFormat::Contiguous), t.sizes());
    out = in_layout_of(out, t);
  }
  // Regrouping by the other factor puts the channels back.
  if (recording(t))
    record("ChannelShuffleBackward0", {t}, out, {},
           [back = t.sizes()[1] / groups](Backward& b) { b.set(0, shuffled(b.g(), back)); });
  return out;
}

}  // namespace

struct PixelShuffle {
  static constexpr Schema schema = "pixel_shuffle(Tensor self, int upscale_factor) -> Tensor";
  static constexpr Doc doc = "(*, C r r, H, W) to (*, C, H r, W r) (Shi et al., 2016).";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& self, int64_t r) {
    HWARO_CHECK(self.dim() >= 3, "pixel_shuffle expects input to have at least 3 dimensions, but got input with ",
                self.dim(), " dimension(s)");
    HWARO_CHECK(r > 0, "pixel_shuffle expects a positive upscale_factor, but got ", r);
    int64_t square = 0;
    HWARO_CHECK_AS(ValueError, !__builtin_mul_overflow(r, r, &square),
                   "upscale factor is too large, (upscale_factor)^2 overflowed: upscale_factor=", r);
    const int64_t c = self.size(-3);
    HWARO_CHECK(c % square == 0,
                "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of "
                "upscale_factor, but input.size(-3)=",
                c, " is not divisible by ", square);
    return shuffle(self, r);
  }
};

struct PixelUnshuffle {
  static constexpr Schema schema = "pixel_unshuffle(Tensor self, int downscale_factor) -> Tensor";
  static constexpr Doc doc = "(*, C, H r, W r) to (*, C r r, H, W): the inverse of pixel_shuffle.";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& self, int64_t r) {
    HWARO_CHECK(self.dim() >= 3, "pixel_unshuffle expects input to have at least 3 dimensions, but got input with ",
                self.dim(), " dimension(s)");
    HWARO_CHECK(r > 0, "pixel_unshuffle expects a positive downscale_factor, but got ", r);
    HWARO_CHECK(self.size(-2) % r == 0,
                "pixel_unshuffle expects height to be divisible by downscale_factor, but input.size(-2)=",
                self.size(-2), " is not divisible by ", r);
    HWARO_CHECK(self.size(-1) % r == 0,
                "pixel_unshuffle expects width to be divisible by downscale_factor, but input.size(-1)=", self.size(-1),
                " is not divisible by ", r);
    return unshuffle(self, r);
  }
};

struct ChannelShuffle {
  static constexpr Schema schema = "channel_shuffle(Tensor self, int groups) -> Tensor";
  static constexpr Doc doc = "Channels (N, g n, …) regrouped as (N, n g, …) (Zhang et al., ShuffleNet, 2018).";
  static constexpr unsigned expose = kFunction | kNnFunctional;
  static Tensor call(const Tensor& self, int64_t groups) {
    HWARO_CHECK(self.dim() > 2, "channel_shuffle expects input with > 2 dims, but got input with sizes ",
                sizes_str(self.sizes()));
    HWARO_CHECK(groups > 0, "Number of groups to divide channels in must be positive. Value of groups:", groups);
    const int64_t c = self.sizes()[1];
    HWARO_CHECK(c % groups == 0, "Number of channels must be divisible by groups. Got ", c, " channels and ", groups,
                " groups.");
    return shuffled(self, groups);
  }
};

}  // namespace hwaro::engine

#include "families/pixel_shuffle.inc"
