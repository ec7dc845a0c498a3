// The way from a base to a view of it, which can be walked again from another tensor of the base's geometry.
#pragma once

#include "hwaro/autograd/meta.h"

namespace hwaro {

class ViewPath {
 public:
  explicit ViewPath(const engine::Tensor& view);
  // The same view of another tensor with the base's strides, whose storage offset is larger by `shift` elements.
  engine::Tensor from(const engine::Tensor& base, std::int64_t shift) const;
  // Whether geometry alone describes the view.
  bool strided() const { return steps_.size() == 1 && steps_[0].kind == ViewStep::Kind::Strided; }

 private:
  std::vector<ViewStep> steps_;
};

// Raises PyTorch's error for views that must not be written to while gradients are recorded. indirect: the write went to
// the base or to another view of it.
void check_view_written(const engine::Tensor& view, bool indirect);
// Gives a view its history anew: the path from the base, recorded.
void rebuild_history(const engine::Tensor& view);

}  // namespace hwaro
