// Other shapes and orders of dimensions, made of view, reshape, permute and transpose.
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/kinds/warn_once.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/shape/geometry.h"

namespace hwaro::engine {

using std::int64_t;

struct Flatten {
  static constexpr Schema schema = "flatten.using_ints(Tensor(a) self, int start_dim=0, int end_dim=-1) -> Tensor(a)";
  static constexpr Doc doc = "Dimensions start_dim to end_dim made into one.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, int64_t start_dim, int64_t end_dim) {
    const int64_t start = wrap_dim(start_dim, self.dim()), end = wrap_dim(end_dim, self.dim());
    HWARO_CHECK(start <= end, "flatten() has invalid args: start_dim cannot come after end_dim");
    if (self.dim() == 0) return reshape(self, {1});
    if (start == end) return self;
    Dims shape;
    int64_t run = 1;
    for (int64_t d = 0; d < self.dim(); ++d) {
      if (d >= start && d <= end) run *= self.sizes()[d];
      if (d == end) shape.push_back(run);
      else if (d < start || d > end) shape.push_back(self.sizes()[d]);
    }
    return reshape(self, shape);
  }
};

struct Unflatten {
  static constexpr Schema schema = "unflatten.int(Tensor(a) self, int dim, int[] sizes) -> Tensor(a)";
  static constexpr Doc doc = "Dimension dim split into several; one of the sizes may be -1.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, int64_t dim, IntSpan sizes) {
    dim = wrap_dim(dim, self.dim());
    HWARO_CHECK(!sizes.empty(), "unflatten: sizes must be non-empty");
    const int64_t whole = self.dim() ? self.sizes()[dim] : 1;
    Dims parts(sizes);
    int64_t known = 1;
    int inferred = -1;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (parts[i] != -1) {
        known *= parts[i];
        continue;
      }
      HWARO_CHECK(inferred < 0, "unflatten got an unexpected error:\nonly one dimension can be inferred");
      inferred = int(i);
    }
    const bool fits = inferred < 0 ? known == whole : known > 0 && whole % known == 0;
    HWARO_CHECK(fits, "unflatten: Provided sizes ", sizes_str(sizes), " don't multiply up to the size of dim ", dim,
                " (", whole, ") in the input tensor");
    if (inferred >= 0) parts[inferred] = whole / known;
    Dims shape;
    for (int64_t d = 0; d < self.dim(); ++d) {
      if (d == dim)
        for (int64_t p : parts) shape.push_back(p);
      else shape.push_back(self.sizes()[d]);
    }
    if (self.dim() == 0) shape = parts;
    return view(self, shape);
  }
};

struct Ravel {
  static constexpr Schema schema = "ravel(Tensor(a) self) -> Tensor(a)";
  static constexpr Doc doc = "All elements in one row-major dimension.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self) { return view(contiguous(self), {-1}); }
};

static Tensor move_dims(const Tensor& self, IntSpan source, IntSpan destination) {
  HWARO_CHECK(source.size() == destination.size(), "movedim: Invalid source or destination dims: source (",
              sizes_str(source), " dims) should contain the same number of dims as destination (",
              sizes_str(destination), " dims)");
  const int64_t n = self.dim();
  Dims from, to;
  for (std::size_t i = 0; i < source.size(); ++i) {
    from.push_back(wrap_dim(source[i], n));
    to.push_back(wrap_dim(destination[i], n));
  }
  auto repeated = [](const Dims& dims) {
    for (std::size_t i = 0; i < dims.size(); ++i)
      for (std::size_t k = 0; k < i; ++k)
        if (dims[i] == dims[k]) return true;
    return false;
  };
  HWARO_CHECK(!repeated(from), "movedim: repeated dim in `source` (", sizes_str(source), ")");
  HWARO_CHECK(!repeated(to), "movedim: repeated dim in `destination` (", sizes_str(destination), ")");
  Dims order(std::size_t(n), -1), taken(std::size_t(n), 0);
  if (n > 0)
    for (std::size_t i = 0; i < from.size(); ++i) order[to[i]] = from[i], taken[from[i]] = 1;
  int64_t next = 0;
  for (int64_t d = 0; d < n; ++d) {
    if (order[d] >= 0) continue;
    while (taken[next]) ++next;
    order[d] = next++;
  }
  return permute(self, order);
}

struct MovedimInt {
  static constexpr Schema schema = "movedim.int(Tensor(a) self, int source, int destination) -> Tensor(a)";
  static constexpr Doc doc = "A view with one dimension moved to another place.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, int64_t source, int64_t destination) {
    return move_dims(self, {source}, {destination});
  }
};

struct Movedim {
  static constexpr Schema schema = "movedim.intlist(Tensor(a) self, int[] source, int[] destination) -> Tensor(a)";
  static constexpr Doc doc = "A view with several dimensions moved to other places.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, IntSpan source, IntSpan destination) {
    return move_dims(self, source, destination);
  }
};

struct MoveaxisInt {
  static constexpr Schema schema = "moveaxis.int(Tensor(a) self, int source, int destination) -> Tensor(a)";
  static constexpr Doc doc = "Another name for movedim.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, int64_t source, int64_t destination) {
    return move_dims(self, {source}, {destination});
  }
};

struct Moveaxis {
  static constexpr Schema schema = "moveaxis.intlist(Tensor(a) self, int[] source, int[] destination) -> Tensor(a)";
  static constexpr Doc doc = "Another name for movedim.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, IntSpan source, IntSpan destination) {
    return move_dims(self, source, destination);
  }
};

struct Swapaxes {
  static constexpr Schema schema = "swapaxes(Tensor(a) self, int axis0, int axis1) -> Tensor(a)";
  static constexpr Doc doc = "Another name for transpose.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, int64_t axis0, int64_t axis1) { return transpose(self, axis0, axis1); }
};

struct Swapdims {
  static constexpr Schema schema = "swapdims(Tensor(a) self, int dim0, int dim1) -> Tensor(a)";
  static constexpr Doc doc = "Another name for transpose.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, int64_t dim0, int64_t dim1) { return transpose(self, dim0, dim1); }
};

// ---- transposes as attributes ----

struct NumpyT {
  static constexpr Schema schema = "numpy_T(Tensor(a) self) -> Tensor(a)";
  static constexpr Doc doc = "The attribute T: all dimensions in reverse order.";
  static constexpr unsigned expose = kInternal;
  static Tensor call(const Tensor& self) {
    const int64_t n = self.dim();
    if (n == 0) warn("Tensor.T is deprecated on 0-D tensors. This function is the identity in these cases.");
    else if (n != 2)
      warn_once(
          "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated and it will "
          "throw an error in a "
          "future release. Consider `x.mT` to transpose batches of matrices or `x.permute(*torch.arange(x.ndim - 1, "
          "-1, -1))` to "
          "reverse the dimensions of a tensor.");
    Dims order;
    for (int64_t d = n; d-- > 0;) order.push_back(d);
    return permute(self, order);
  }
};

static Tensor transpose_matrices(const Tensor& self, const char* name, const char* zero_dim_advice) {
  HWARO_CHECK(self.dim() >= 2 || self.dim() == 0, "tensor.", name,
              " is only supported on matrices or batches of matrices. Got 1-D tensor.");
  if (self.dim() == 0) {
    warn(concat(zero_dim_advice));
    return self;
  }
  return transpose(self, -2, -1);
}

struct MT {
  static constexpr Schema schema = "mT(Tensor(a) self) -> Tensor(a)";
  static constexpr Doc doc = "The attribute mT: the last two dimensions exchanged.";
  static constexpr unsigned expose = kInternal;
  static Tensor call(const Tensor& self) {
    return transpose_matrices(self, "mT",
                              "Tensor.mT is deprecated on 0-D tensors. This function is the identity in these cases.");
  }
};

struct MH {
  static constexpr Schema schema = "mH(Tensor(a) self) -> Tensor(a)";
  static constexpr Doc doc = "The attribute mH: the last two dimensions exchanged and conjugated.";
  static constexpr unsigned expose = kInternal;
  static Tensor call(const Tensor& self) {
    return conj(transpose_matrices(self, "mH", "Tensor.mH is deprecated on 0-D tensors. Consider using x.conj()."));
  }
};

struct Adjoint {
  static constexpr Schema schema = "adjoint(Tensor(a) self) -> Tensor(a)";
  static constexpr Doc doc = "A view with the last two dimensions exchanged and the elements conjugated.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self) {
    return conj(
        transpose_matrices(self, "adjoint()", "adjoint() is deprecated on 0-D tensors. Consider using x.conj()."));
  }
};

struct MatrixH {
  static constexpr Schema schema = "matrix_H(Tensor(a) self) -> Tensor(a)";
  static constexpr Doc doc = "The attribute H: a matrix transposed and conjugated.";
  static constexpr unsigned expose = kInternal;
  static Tensor call(const Tensor& self) {
    const int64_t n = self.dim();
    if (n == 0) {
      warn("Tensor.H is deprecated on 0-D tensors. Consider using x.conj().");
      return conj(self);
    }
    HWARO_CHECK(n == 2, "tensor.H is only supported on matrices (2-D tensors). Got ", n, "-D tensor.",
                n > 2 ? " For batches of matrices, consider using tensor.mH" : "");
    return conj(transpose(self, 0, 1));
  }
};

// ---- as another tensor ----

struct ViewAs {
  static constexpr Schema schema = "view_as(Tensor(a) self, Tensor other) -> Tensor(a)";
  static constexpr Doc doc = "A view with the shape of other.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, const Tensor& other) { return view(self, other.sizes()); }
};

struct ReshapeAs {
  static constexpr Schema schema = "reshape_as(Tensor(a) self, Tensor other) -> Tensor(a)";
  static constexpr Doc doc = "self in the shape of other.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, const Tensor& other) { return reshape(self, other.sizes()); }
};

struct ExpandAs {
  static constexpr Schema schema = "expand_as(Tensor(a) self, Tensor other) -> Tensor(a)";
  static constexpr Doc doc = "self expanded to the shape of other.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, const Tensor& other) { return expand(self, other.sizes()); }
};

struct BroadcastTo {
  static constexpr Schema schema = "broadcast_to(Tensor(a) self, int[] size) -> Tensor(a)";
  static constexpr Doc doc = "self expanded to a shape.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, IntSpan size) { return expand(self, size); }
};

struct BroadcastTensors {
  static constexpr Schema schema = "broadcast_tensors(Tensor[] tensors) -> Tensor[]";
  static constexpr Doc doc = "All tensors expanded to the shape that they broadcast to.";
  static constexpr unsigned expose = kFunction;
  static std::vector<Tensor> call(TensorSpan tensors) {
    Dims shape;
    for (const Tensor& t : tensors) broadcast_into(shape, t.sizes());
    std::vector<Tensor> out;
    for (const Tensor& t : tensors) out.push_back(t.sizes() == IntSpan(shape) ? t : expand(t, shape));
    return out;
  }
};

struct IsSameSize {
  static constexpr Schema schema = "is_same_size(Tensor self, Tensor other) -> bool";
  static constexpr Doc doc = "Whether two tensors have the same shape.";
  static constexpr unsigned expose = kFunction | kMethod;
  static bool call(const Tensor& self, const Tensor& other) { return self.sizes() == other.sizes(); }
};

// ---- at least so many dimensions ----

static Tensor at_least(const Tensor& t, int dims) {
  switch (t.dim()) {
    case 0: return reshape(t, Dims(std::size_t(dims), 1));
    case 1: return dims == 1 ? t : dims == 2 ? unsqueeze(t, 0) : unsqueeze(unsqueeze(t, 0), -1);
    case 2: return dims == 3 ? unsqueeze(t, -1) : t;
    default: return t;
  }
}
static std::vector<Tensor> at_least(TensorSpan tensors, int dims) {
  std::vector<Tensor> out;
  for (const Tensor& t : tensors) out.push_back(at_least(t, dims));
  return out;
}

struct Atleast1d {
  static constexpr Schema schema = "atleast_1d(Tensor self) -> Tensor";
  static constexpr Doc doc = "self, with one dimension if it had none.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& self) { return at_least(self, 1); }
};
struct Atleast1dSequence {
  static constexpr Schema schema = "atleast_1d.Sequence(Tensor[] tensors) -> Tensor[]";
  static constexpr Doc doc = "Each tensor, with one dimension if it had none.";
  static constexpr unsigned expose = kFunction;
  static std::vector<Tensor> call(TensorSpan tensors) { return at_least(tensors, 1); }
};
struct Atleast2d {
  static constexpr Schema schema = "atleast_2d(Tensor self) -> Tensor";
  static constexpr Doc doc = "self with at least two dimensions.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& self) { return at_least(self, 2); }
};
struct Atleast2dSequence {
  static constexpr Schema schema = "atleast_2d.Sequence(Tensor[] tensors) -> Tensor[]";
  static constexpr Doc doc = "Each tensor with at least two dimensions.";
  static constexpr unsigned expose = kFunction;
  static std::vector<Tensor> call(TensorSpan tensors) { return at_least(tensors, 2); }
};
struct Atleast3d {
  static constexpr Schema schema = "atleast_3d(Tensor self) -> Tensor";
  static constexpr Doc doc = "self with at least three dimensions.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& self) { return at_least(self, 3); }
};
struct Atleast3dSequence {
  static constexpr Schema schema = "atleast_3d.Sequence(Tensor[] tensors) -> Tensor[]";
  static constexpr Doc doc = "Each tensor with at least three dimensions.";
  static constexpr unsigned expose = kFunction;
  static std::vector<Tensor> call(TensorSpan tensors) { return at_least(tensors, 3); }
};

}  // namespace hwaro::engine

#include "families/rearrange.inc"
