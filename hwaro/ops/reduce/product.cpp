// Products.
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/reduce/plan.h"
#include "hwaro/ops/reduce/scan.h"
#include "hwaro/ops/registry.h"

namespace hwaro::engine {

using std::int64_t;

namespace {

DType product_type(const Tensor& self, OptDType dtype) {
  return dtype ? *dtype : is_integral(self.dtype(), true) ? DType::Int64 : self.dtype();
}

Tensor raw_product(const Tensor& self, DimMask mask, bool keepdim, DType type) {
  check_differentiable(self, type);
  return dense_as(reduce(ReduceOp::Prod, type != self.dtype() ? dense_as(self, type) : self, mask, keepdim), type);
}

// The gradient along dim where zeros may occur: the product of all other elements, from both sides.
Tensor product_gradient(const Tensor& g, const Tensor& x, int64_t dim) {
  const int64_t n = x.sizes()[dim];
  if (n == 0) return make_zeros(x.sizes(), x.dtype(), x.device());
  Dims one(x.sizes());
  one[dim] = 1;
  const Tensor ones = make_full(one, 1, x.dtype(), x.device());
  const Tensor before[] = {ones, narrow(x, dim, 0, n - 1)}, after[] = {narrow(x, dim, 1, n - 1), ones};
  const Tensor left = running_product(cat(TensorSpan(before, 2), dim), dim);
  const Tensor right = running_product(cat(TensorSpan(after, 2), dim), dim, true);
  return mul(g, conj(mul(left, right)));
}

bool has_zero(const Tensor& x) {
  if (x.device().is_meta()) return false;
  NoGradGuard guard;
  return reduce(ReduceOp::Max, eq(x, 0), all_dims(x.dim()), false)->read_as<bool>()[0] && x.numel() > 0;
}

}  // namespace

struct Prod {
  static constexpr Schema schema = "prod(Tensor self, *, ScalarType? dtype=None) -> Tensor";
  static constexpr Doc doc = "The product of all elements.";
  static constexpr unsigned expose = kFunction | kMethod;
  static Tensor call(const Tensor& self, OptDType dtype) {
    const Tensor out = raw_product(self, all_dims(self.dim()), false, product_type(self, dtype));
    if (recording(self))
      record("ProdBackward0", {self}, out, {save(self), save_output(out)}, [](Backward& b) {
        const Tensor x = b.saved(0), g = to_dtype(b.g(), x.dtype());
        if (x.dim() == 0) b.set(0, g);
        else if (has_zero(x)) b.set(0, reshape(product_gradient(g, reshape(x, {x.numel()}), 0), x.sizes()));
        else b.set(0, mul(g, conj(div(to_dtype(b.saved(1), x.dtype()), x))));
      });
    return out;
  }
};

struct ProdDim {
  static constexpr Schema schema =
      "prod.dim_int(Tensor self, int dim, bool keepdim=False, *, ScalarType? dtype=None) -> Tensor";
  static constexpr Doc doc = "The product along dim.";
  static constexpr auto out_rule = out_decides;
  static Tensor call(const Tensor& self, int64_t dim, bool keepdim, OptDType dtype) {
    dim = wrap_dim(dim, self.dim());
    const DimMask mask = self.dim() ? DimMask(1) << dim : 0;
    const Tensor out = raw_product(self, mask, keepdim, product_type(self, dtype));
    if (recording(self))
      record("ProdBackward1", {self}, out, {save(self), save_output(out)}, [dim, mask, keepdim](Backward& b) {
        const Tensor x = b.saved(0), g = restore_dims(to_dtype(b.g(), x.dtype()), x.dim(), mask, keepdim);
        if (x.dim() == 0) b.set(0, g);
        else if (has_zero(x)) b.set(0, product_gradient(g, x, dim));
        else b.set(0, mul(g, conj(div(restore_dims(to_dtype(b.saved(1), x.dtype()), x.dim(), mask, keepdim), x))));
      });
    return out;
  }
};

}  // namespace hwaro::engine

#include "families/product.inc"
