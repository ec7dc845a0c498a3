// The parts of complex tensors as views, lazy conjugation, and the same bytes as another type.
#include "hwaro/autograd/meta.h"
#include "hwaro/ops/index/has_data.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/registry.h"
#include "hwaro/ops/shape/geometry.h"

namespace hwaro::engine {

using std::int64_t;

// A view of the same bytes with another element type; geometry in elements of that type.
static Tensor retyped_view(const Tensor& self, DType dtype, ViewStep::Kind kind, IntSpan sizes, IntSpan strides,
                           int64_t offset) {
  Tensor out = make_view(self, sizes, strides, offset);
  out->dtype = dtype;
  out->set(kConj, false);
  add_view_step(self, out, kind);
  return out;
}

struct Conj {
  static constexpr Schema schema = "conj(Tensor(a) self) -> Tensor(a)";
  static constexpr Doc doc = "The complex conjugate as a lazy view; real tensors as they are.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self) {
    if (!is_complex(self.dtype())) return self;
    const Tensor out = record_view("ConjBackward0", self, self.sizes(), self.strides(), self->offset,
                                   [](const Tensor& g) { return call(g); });
    out->flags ^= kConj;
    add_view_step(self, out, ViewStep::Kind::Conj);
    return out;
  }
};

struct ResolveConj {
  static constexpr Schema schema = "resolve_conj(Tensor(a) self) -> Tensor(a)";
  static constexpr Doc doc = "self, or a copy with the conjugation carried out where it is a lazy conjugate.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self) { return self.is_conj() ? clone(self) : self; }
};

struct ResolveNeg {
  static constexpr Schema schema = "resolve_neg(Tensor(a) self) -> Tensor(a)";
  static constexpr Doc doc = "self: negation is never lazy here.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self) { return self; }
};

Tensor view_as_complex(const Tensor& self);

struct ViewAsReal {
  static constexpr Schema schema = "view_as_real(Tensor(a) self) -> Tensor(a)";
  static constexpr Doc doc = "A complex tensor as a real view with a last dimension (2): real and imaginary parts.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& self) {
    HWARO_CHECK(is_complex(self.dtype()), "view_as_real is only supported for complex tensors");
    HWARO_CHECK(!self.is_conj(),
                "view_as_real doesn't work on unresolved conjugated tensors.  To resolve the conjugate tensor so you "
                "can view it as real, "
                "use self.resolve_conj(); however, be warned that the resulting tensor will NOT alias the original.");
    Dims sizes(self.sizes()), strides(self.strides());
    for (int64_t& s : strides) s *= 2;
    sizes.push_back(2);
    strides.push_back(1);
    const Tensor out =
        retyped_view(self, to_real(self.dtype()), ViewStep::Kind::AsReal, sizes, strides, 2 * self->offset);
    if (recording(self))
      record("ViewAsRealBackward0", {self}, out, {}, [](Backward& b) { b.set(0, view_as_complex(contiguous(b.g()))); });
    return out;
  }
};

struct ViewAsComplex {
  static constexpr Schema schema = "view_as_complex(Tensor(a) self) -> Tensor(a)";
  static constexpr Doc doc = "A real tensor whose last dimension is (2) as a complex view.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& self) {
    HWARO_CHECK(
        self.dtype() == DType::Float || self.dtype() == DType::Double,
        "view_as_complex is only supported for half, float and double tensors, but got a tensor of scalar type: ",
        scalar_type_name(self.dtype()));
    HWARO_CHECK(self.dim() > 0, "Input tensor must have one or more dimensions");
    HWARO_CHECK(self.size(-1) == 2, "Tensor must have a last dimension of size 2");
    HWARO_CHECK(self.stride(-1) == 1, "Tensor must have a last dimension with stride 1");
    Dims sizes(self.sizes()), strides(self.strides());
    sizes.pop_back();
    strides.pop_back();
    for (int64_t& s : strides) {
      HWARO_CHECK(s % 2 == 0, "Tensor must have a stride divisible by 2 for all but last dimension");
      s /= 2;
    }
    HWARO_CHECK(self->offset % 2 == 0, "Tensor must have a storage_offset divisible by 2");
    const Tensor out =
        retyped_view(self, to_complex(self.dtype()), ViewStep::Kind::AsComplex, sizes, strides, self->offset / 2);
    if (recording(self))
      record("ViewAsComplexBackward0", {self}, out, {},
             [](Backward& b) { b.set(0, ViewAsReal::call(ResolveConj::call(contiguous(b.g())))); });
    return out;
  }
};

struct Real {
  static constexpr Schema schema = "real(Tensor(a) self) -> Tensor(a)";
  static constexpr Doc doc = "The real parts as a view; real tensors as they are.";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& self) {
    if (!is_complex(self.dtype())) return self;
    return select(ViewAsReal::call(self.is_conj() ? Conj::call(self) : self), -1, 0);
  }
};

struct Imag {
  static constexpr Schema schema = "imag(Tensor(a) self) -> Tensor(a)";
  static constexpr Doc doc = "The imaginary parts as a view (a negated copy for a lazy conjugate).";
  static constexpr unsigned expose = kFunction;
  static Tensor call(const Tensor& self) {
    HWARO_CHECK(is_complex(self.dtype()), "imag is not implemented for tensors with non-complex dtypes.");
    const Tensor part = select(ViewAsReal::call(self.is_conj() ? Conj::call(self) : self), -1, 1);
    return self.is_conj() ? neg(part) : part;
  }
};

struct ViewDtype {
  static constexpr Schema schema = "view.dtype(Tensor(a) self, ScalarType dtype) -> Tensor(a)";
  static constexpr Doc doc =
      "The same bytes as elements of another type; the last dimension changes with the element's size.";
  static constexpr unsigned expose = kMethod;
  static Tensor call(const Tensor& self, DType dtype) {
    HWARO_CHECK(!self.is_conj() || dtype == self.dtype(),
                "torch.Tensor.view is not supported for conjugate view tensors when converting to a different dtype.");
    const int64_t from = int64_t(size_of(self.dtype())), to = int64_t(size_of(dtype));
    Dims sizes(self.sizes()), strides(self.strides());
    int64_t offset = self->offset;
    const std::string change = concat(" to view ", scalar_type_name(self.dtype()), " as ", scalar_type_name(dtype),
                                      " (different element sizes)");
    HWARO_CHECK(from == to || self.dim() != 0, "self.dim() cannot be 0", change);
    auto check_last_stride = [&] {
      HWARO_CHECK(self.stride(-1) == 1, "self.stride(-1) must be 1", change, ", but got ", self.stride(-1));
    };
    if (from > to) {
      check_last_stride();
      const int64_t ratio = from / to;
      for (std::size_t d = 0; d + 1 < strides.size(); ++d) strides[d] *= ratio;
      sizes.back() *= ratio;
      offset *= ratio;
    } else if (from < to) {
      const int64_t ratio = to / from;
      HWARO_CHECK(sizes.back() % ratio == 0, "self.size(-1) must be divisible by ", ratio, change, ", but got ",
                  sizes.back());
      HWARO_CHECK(offset % ratio == 0, "self.storage_offset() must be divisible by ", ratio, change, ", but got ",
                  offset);
      check_last_stride();
      for (std::size_t d = 0; d + 1 < strides.size(); ++d) {
        HWARO_CHECK(strides[d] % ratio == 0, "self.stride(", d, ") must be divisible by ", ratio, change, ", but got ",
                    strides[d]);
        strides[d] /= ratio;
      }
      sizes.back() /= ratio;
      offset /= ratio;
    }
    // Gradients do not follow, so this is not a view in the eyes of autograd.
    Tensor out = alias(self, sizes, strides, offset);
    out->dtype = dtype;
    return out;
  }
};

// ---- complex tensors from parts ----

static Tensor part_of(const Tensor& z, int64_t part) {
  Dims strides(z.strides());
  for (int64_t& s : strides) s *= 2;
  Tensor out = alias(z, z.sizes(), strides, 2 * z->offset + part);
  out->dtype = to_real(z.dtype());
  return out;
}

static void check_parts(const Tensor& a, const Tensor& b) {
  check_has_data(a, {b});
  auto good = [](DType t) { return t == DType::Half || t == DType::Float || t == DType::Double; };
  HWARO_CHECK(good(a.dtype()) && good(b.dtype()), "Expected both inputs to be Half, Float or Double tensors but got ",
              scalar_type_name(a.dtype()), " and ", scalar_type_name(b.dtype()));
  HWARO_CHECK(a.dtype() == b.dtype(), "Expected object of scalar type ", scalar_type_name(a.dtype()),
              " but got scalar type ", scalar_type_name(b.dtype()), " for second argument");
  HWARO_CHECK_AS(NotImplementedError, a.dtype() != DType::Half, "complex numbers of two halves are not supported");
}

static Tensor from_parts(const Tensor& re, const Tensor& im) {
  Dims shape(re.sizes());
  broadcast_into(shape, im.sizes());
  const TensorImpl* parts[] = {re.impl(), im.impl()};
  const Tensor out = make_strided(shape, output_strides(shape, {parts, 2}), to_complex(re.dtype()), re.device());
  if (!re.device().is_meta()) copy_raw(part_of(out, 0), re), copy_raw(part_of(out, 1), im);
  return out;
}

struct MakeComplex {
  static constexpr Schema schema = "complex(Tensor real, Tensor imag) -> Tensor";
  static constexpr Doc doc = "A complex tensor from its real and imaginary parts.";
  static constexpr auto out_rule =
      out_same("Expected object of scalar type %R but got scalar type %O for argument 'out'");
  static Tensor call(const Tensor& re, const Tensor& im) {
    check_parts(re, im);
    const Tensor out = from_parts(re, im);
    if (recording(re, im))
      // PyTorch saves the input, so a second backward raises; an empty place does so without the memory.
      record("ComplexBackward0", {re, im}, out, {Save{}},
             [re_sizes = Dims(re.sizes()), im_sizes = Dims(im.sizes())](Backward& b) {
               b.saved(0);
               if (b.needs(0)) b.set(0, sum_to_size(Real::call(b.g()), re_sizes));
               if (b.needs(1)) b.set(1, sum_to_size(Imag::call(b.g()), im_sizes));
             });
    return out;
  }
};

struct Polar {
  static constexpr Schema schema = "polar(Tensor abs, Tensor angle) -> Tensor";
  static constexpr Doc doc = "A complex tensor from absolute values and angles.";
  static constexpr auto out_rule =
      out_same("Expected object of scalar type %R but got scalar type %O for argument 'out'");
  static Tensor call(const Tensor& abs, const Tensor& angle) {
    check_parts(abs, angle);
    Tensor out;
    {
      NoGradGuard guard;
      out = from_parts(abs * cos(angle), abs * sin(angle));
    }
    if (recording(abs, angle))
      record("PolarBackward0", {abs, angle}, out, {save_output(out)},
             [abs_sizes = Dims(abs.sizes()), angle_sizes = Dims(angle.sizes())](Backward& b) {
               const Tensor g = conj(b.g()), y = b.saved(0);
               if (b.needs(0)) b.set(0, sum_to_size(Real::call(g * sgn(y)), abs_sizes));
               if (b.needs(1)) b.set(1, sum_to_size(Real::call(g * (y * Scalar(Complex<double>{0, 1}))), angle_sizes));
             });
    return out;
  }
};

}  // namespace hwaro::engine

#include "families/complex_view.inc"
