#include "hwaro/core/tensor.h"

#include <algorithm>
#include <new>

#include "hwaro/core/allocator.h"

namespace hwaro {

TensorHooks g_tensor_hooks;

TensorImpl* TensorImpl::create() { return new (allocate_node(sizeof(TensorImpl))) TensorImpl(); }

void TensorImpl::destroy(TensorImpl* t) noexcept {
  if (t->pyobj) g_tensor_hooks.destroy_pyobj(t);
  if (t->autograd) g_tensor_hooks.destroy_autograd(t->autograd);
  t->~TensorImpl();
  deallocate_node(t, sizeof(TensorImpl));
}

IntrusivePtr<VersionCounter> VersionCounter::create(std::uint32_t version) {
  return IntrusivePtr<VersionCounter>::adopt(new (allocate_node(sizeof(VersionCounter))) VersionCounter(version));
}

void VersionCounter::destroy(VersionCounter* counter) noexcept { deallocate_node(counter, sizeof(VersionCounter)); }

void TensorImpl::refresh_geometry() {
  std::int64_t n = 1;
  bool contiguous = true, overflow = false, empty = false;
  for (std::size_t i = sizes.size(); i-- > 0;) {
    if (sizes[i] != 1) {
      if (strides[i] != n) contiguous = false;
      empty = empty || sizes[i] == 0;
      overflow = __builtin_mul_overflow(n, sizes[i], &n) || overflow;
    }
  }
  HWARO_CHECK(!overflow || empty, "numel: integer multiplication overflow");
  if (empty) n = 0;
  numel = n;
  set(kContiguous, contiguous || n == 0);
}

std::int64_t engine::Tensor::size(std::int64_t dim) const { return impl_->sizes[wrap_dim(dim, this->dim(), false)]; }
std::int64_t engine::Tensor::stride(std::int64_t dim) const {
  return impl_->strides[wrap_dim(dim, this->dim(), false)];
}

bool engine::Tensor::is_contiguous(MemoryFormat format) const {
  if (format == MemoryFormat::ChannelsLast || format == MemoryFormat::ChannelsLast3d) {
    if (dim() != (format == MemoryFormat::ChannelsLast ? 4 : 5)) return false;
    const Dims want = channels_last_strides(sizes());
    if (numel() == 0) return true;
    for (int i = 0; i < dim(); ++i)
      if (impl_->sizes[i] != 1 && impl_->strides[i] != want[i]) return false;
    return true;
  }
  return is_contiguous();
}

std::int64_t wrap_dim(std::int64_t dim, std::int64_t ndim, bool wrap_scalar) {
  if (ndim == 0) {
    HWARO_CHECK_AS(IndexError, wrap_scalar, "Dimension specified as ", dim, " but tensor has no dimensions");
    ndim = 1;
  }
  HWARO_CHECK_AS(IndexError, dim >= -ndim && dim < ndim, "Dimension out of range (expected to be in range of [", -ndim,
                 ", ", ndim - 1, "], but got ", dim, ")");
  return dim < 0 ? dim + ndim : dim;
}

// A stride over `size` steps. Wraps around for absurd sizes beside a zero; whoever needs the memory checks.
static std::int64_t stride_over(std::int64_t stride, std::int64_t size) {
  return std::int64_t(std::uint64_t(stride) * std::uint64_t(size > 1 ? size : 1));
}

Dims contiguous_strides(IntSpan sizes) {
  Dims strides(sizes.size());
  std::int64_t n = 1;
  for (std::size_t i = sizes.size(); i-- > 0;) {
    strides[i] = n;
    n = stride_over(n, sizes[i]);
  }
  return strides;
}

Dims channels_last_strides(IntSpan sizes) {
  Dims strides(sizes.size());
  std::int64_t n = 1;
  strides[1] = n;
  n = stride_over(n, sizes[1]);
  for (std::size_t i = sizes.size(); i-- > 0;) {
    if (i == 1) continue;
    strides[i] = n;
    n = stride_over(n, sizes[i]);
  }
  return strides;
}

std::int64_t product(IntSpan sizes) {
  std::int64_t n = 1;
  bool overflow = false;
  for (std::int64_t s : sizes) {
    if (s == 0) return 0;
    overflow = __builtin_mul_overflow(n, s, &n) || overflow;
  }
  HWARO_CHECK(!overflow, "numel: integer multiplication overflow");
  return n;
}

bool is_contiguous_geometry(IntSpan sizes, IntSpan strides) {
  std::int64_t n = 1;
  bool good = true;
  for (std::size_t i = sizes.size(); i-- > 0;) {
    if (sizes[i] == 0) return true;
    if (sizes[i] == 1) continue;
    if (strides[i] != n) good = false;
    n = stride_over(n, sizes[i]);
  }
  return good;
}

// Dimensions from outermost to innermost stride; equal strides keep their order.
static Dims stride_order(IntSpan sizes, IntSpan strides) {
  Dims order(sizes.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = std::int64_t(i);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    if (strides[a] != strides[b]) return strides[a] > strides[b];
    return sizes[a] > sizes[b] && strides[a] == strides[b] ? true : false;
  });
  return order;
}

bool is_dense_non_overlapping(IntSpan sizes, IntSpan strides) {
  const Dims order = stride_order(sizes, strides);
  std::int64_t n = 1;
  for (std::size_t k = order.size(); k-- > 0;) {
    const std::int64_t d = order[k];
    if (sizes[d] == 0) return true;
    if (sizes[d] == 1) continue;
    if (strides[d] != n) return false;
    n = stride_over(n, sizes[d]);
  }
  return true;
}

Dims preserved_strides(IntSpan sizes, IntSpan strides) {
  if (is_dense_non_overlapping(sizes, strides)) return Dims(strides);
  // Insertion sort from the innermost dimension out, as PyTorch infers it: a dimension of stride 0 stays where it is.
  const int ndim = int(sizes.size());
  Dims perm(sizes.size());
  for (int i = 0; i < ndim; ++i) perm[i] = ndim - 1 - i;
  auto should_swap = [&](std::int64_t a, std::int64_t b) {
    const std::int64_t sa = strides[a], sb = strides[b];
    if (sa == 0 || sb == 0) return 0;
    if (sa < sb) return -1;
    if (sa > sb) return 1;
    return sizes[a] > sizes[b] ? 1 : 0;
  };
  for (int i = 1; i < ndim; ++i) {
    int at = i;
    for (int j = i - 1; j >= 0; --j) {
      const int c = should_swap(perm[j], perm[at]);
      if (c > 0) {
        std::swap(perm[j], perm[at]);
        at = j;
      } else if (c < 0) {
        break;
      }
    }
  }
  Dims out(sizes.size());
  std::int64_t n = 1;
  for (int i = 0; i < ndim; ++i) {
    out[perm[i]] = n;
    n *= sizes[perm[i]] > 1 ? sizes[perm[i]] : 1;
  }
  return out;
}

bool has_internal_overlap(const TensorImpl& t) {
  if (t.numel == 0) return false;
  for (int i = 0; i < t.dim(); ++i)
    if (t.strides[i] == 0 && t.sizes[i] > 1) return true;
  return false;
}

std::string sizes_str(IntSpan sizes) {
  std::string out = "[";
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (i) out += ", ";
    out += std::to_string(sizes[i]);
  }
  return out + "]";
}

}  // namespace hwaro
