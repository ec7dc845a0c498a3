#include "hwaro/ops/shape/geometry.h"

#include "hwaro/ops/kinds/record.h"

namespace hwaro::engine {

using std::int64_t;

Dims infer_size(IntSpan shape, int64_t numel) {
  Dims out(shape);
  int64_t known = 1;
  int at = -1;
  bool overflow = false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == -1) {
      HWARO_CHECK(at < 0, "only one dimension can be inferred");
      at = int(i);
    } else {
      HWARO_CHECK(shape[i] >= 0, "invalid shape dimension ", shape[i], " at index ", i, " of shape ", sizes_str(shape));
      overflow = __builtin_mul_overflow(known, shape[i], &known) || overflow;
    }
  }
  HWARO_CHECK(!overflow, "numel: integer multiplication overflow");
  if (at >= 0 && known > 0 && numel % known == 0) out[at] = numel / known;
  else if (at >= 0)
    HWARO_CHECK(known != 0 || numel != 0, "cannot reshape tensor of 0 elements into shape ", sizes_str(shape),
                " because the unspecified dimension size -1 can be any value and is ambiguous");
  HWARO_CHECK((at < 0 && known == numel) || (at >= 0 && known > 0 && numel % known == 0), "shape '", sizes_str(shape),
              "' is invalid for input of size ", numel);
  return out;
}

bool view_strides(IntSpan sizes, IntSpan strides, IntSpan new_sizes, Dims& out) {
  out = Dims(new_sizes.size());
  if (product(sizes) == 0) {
    if (IntSpan(sizes) == new_sizes) {
      out = Dims(strides);
      return true;
    }
    out = contiguous_strides(new_sizes);
    return true;
  }
  if (sizes.empty()) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = 1;
    return true;
  }
  // Walk both shapes from the innermost dimension; each run of old dimensions that lies evenly in memory must be covered
  // exactly by a run of new ones.
  int64_t at = int64_t(new_sizes.size()) - 1;
  int64_t run = 1, covered = 1, base = strides.back();
  for (int64_t d = int64_t(sizes.size()) - 1; d >= 0; --d) {
    run *= sizes[d];
    if (d == 0 || (sizes[d - 1] != 1 && strides[d - 1] != run * base)) {
      while (at >= 0 && (covered < run || new_sizes[at] == 1)) {
        out[at] = covered * base;
        covered *= new_sizes[at];
        --at;
      }
      if (covered != run) return false;
      if (d > 0) {
        base = strides[d - 1];
        run = covered = 1;
      }
    }
  }
  return at == -1;
}

Tensor as_strided_backward(const Tensor& grad, IntSpan base_sizes, IntSpan base_strides, int64_t base_offset,
                           IntSpan sizes, IntSpan strides, int64_t offset) {
  // A buffer laid out like the storage behind both geometries; elements are added one by one because a view may show an
  // element several times, and the base may too (then each of its copies gets the whole sum, as PyTorch defines it).
  if (product(base_sizes) == 0 || product(sizes) == 0) return make_zeros(base_sizes, grad.dtype(), grad.device());
  int64_t low = base_offset < offset ? base_offset : offset, high = low;
  auto reach = [&](IntSpan s, IntSpan st, int64_t from) {
    int64_t last = from;
    for (std::size_t i = 0; i < s.size(); ++i) {
      if (s[i] == 0) return;
      last += (s[i] - 1) * st[i];
    }
    if (last + 1 > high) high = last + 1;
  };
  reach(base_sizes, base_strides, base_offset);
  reach(sizes, strides, offset);
  const Tensor buffer = make_zeros({high - low}, grad.dtype(), grad.device());
  if (!grad.device().is_meta()) {
    const Tensor g = dense(grad);
    visit_if<kFloatSet | kComplexSet>(g.dtype(), [&](auto tag) {
      using E = typename decltype(tag)::type;
      E* to = buffer->write_as<E>();
      const E* from = g->read_as<E>();
      Dims index(sizes.size());
      for (int64_t i = 0; i < g.numel(); ++i) {
        int64_t p = offset - low;
        for (std::size_t d = 0; d < sizes.size(); ++d) p += index[d] * strides[d];
        if constexpr (std::is_same_v<E, Half> || std::is_same_v<E, BFloat16>) to[p] = E(float(to[p]) + float(from[i]));
        else if constexpr (std::is_floating_point_v<E>) to[p] += from[i];
        else to[p].re += from[i].re, to[p].im += from[i].im;
        for (std::size_t d = sizes.size(); d-- > 0;) {
          if (++index[d] < sizes[d]) break;
          index[d] = 0;
        }
      }
    });
  }
  const Tensor view = alias(buffer, base_sizes, base_strides, base_offset - low);
  const Tensor out = make_strided(base_sizes, preserved_strides(base_sizes, base_strides), grad.dtype(), grad.device());
  if (!grad.device().is_meta()) copy_raw(out, view);
  if (recording(grad))
    record("AsStridedBackwardBackward0", {grad}, out, {},
           [base_sizes = Dims(base_sizes), base_strides = Dims(base_strides), base_offset, sizes = Dims(sizes),
            strides = Dims(strides), offset](Backward& b) {
             // The adjoint: lay the gradient out like the base and look at it through the view.
             const Tensor laid = to_geometry(b.g(), base_sizes, base_strides);
             b.set(0, as_strided(laid, sizes, strides, laid->offset + offset - base_offset));
           });
  return out;
}

Tensor to_geometry(const Tensor& t, IntSpan sizes, IntSpan strides) {
  const Tensor out = make_strided(sizes, strides, t.dtype(), t.device());
  if (!t.device().is_meta()) copy_raw(out, t);
  if (recording(t)) record("CloneBackward0", {t}, out, {}, [](Backward& b) { b.set(0, b.g()); });
  return out;
}

}  // namespace hwaro::engine
