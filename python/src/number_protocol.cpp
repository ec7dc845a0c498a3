// +, -, *, … on tensors: straight from the interpreter's slot to the pointwise kind, without parsing.
#include <atomic>

#include "hwaro/autograd/node.h"
#include "hwaro/ops/kinds/support.h"
#include "python/src/binding.h"

namespace hwaro::python {

PyNumberMethods tensor_number_methods;

namespace {

using engine::PointwiseInfo;

// The pointwise operators behind the slots, found once by schema name.
const PointwiseInfo* find(std::string_view name) {
  for (const engine::OpFamily& family : engine::op_families())
    for (std::size_t i = 0; i < family.count; ++i) {
      const engine::OpEntry& e = family.entries[i];
      if (e.pointwise && e.schema->name_str() == name && e.pointwise->operands >= 1) return e.pointwise;
    }
  return nullptr;
}

struct Infos {
  const PointwiseInfo *add, *sub, *mul, *div, *pow, *neg, *abs, *floor_divide, *remainder, *bitwise_and, *bitwise_or,
      *bitwise_xor, *bitwise_not, *lshift, *rshift, *rsub, *reciprocal, *compare[6];
} g;

// A tensor or a Python number; false where the other side must be asked (NotImplemented).
inline bool operand_from(PyObject* o, Operand& out, Scalar& number) {
  if (is_tensor(o)) {
    out = impl_of(o);
    return true;
  }
  if (!scalar_from(o, number)) return false;
  out = Operand(number);
  return true;
}

const Scalar kOne[] = {1, 1, 1, 1};

PyObject* binary(const PointwiseInfo* info, PyObject* a, PyObject* b) {
  HWARO_PY_TRY
  Operand operands[2];
  Scalar x, y;
  if (!operand_from(a, operands[0], x) || !operand_from(b, operands[1], y)) Py_RETURN_NOTIMPLEMENTED;
  if (!info) raise<NotImplementedError>("this operator is missing");
  return wrap(engine::pointwise(*info, operands, kOne));
  HWARO_PY_CATCH(nullptr)
}

// number - tensor and number / tensor: PyTorch subtracts by rsub and multiplies by the reciprocal, which has other bits
// and another grad_fn than a division.
PyObject* number_minus(PyObject* number, PyObject* t) {
  HWARO_PY_TRY
  Operand operands[] = {Operand(impl_of(t)), {}};
  Scalar x;
  if (!operand_from(number, operands[1], x)) Py_RETURN_NOTIMPLEMENTED;
  return wrap(engine::pointwise(*g.rsub, operands, kOne));
  HWARO_PY_CATCH(nullptr)
}
PyObject* number_over(PyObject* number, PyObject* t) {
  HWARO_PY_TRY
  const Operand self(impl_of(t));
  Operand operands[2];
  Scalar x;
  if (!operand_from(number, operands[1], x)) Py_RETURN_NOTIMPLEMENTED;
  const engine::Tensor inverse = engine::pointwise(*g.reciprocal, &self, kOne);
  operands[0] = Operand(inverse);
  return wrap(engine::pointwise(*g.mul, operands, kOne));
  HWARO_PY_CATCH(nullptr)
}

PyObject* inplace(const PointwiseInfo* info, PyObject* a, PyObject* b) {
  HWARO_PY_TRY
  Operand operands[2];
  Scalar x, y;
  if (!is_tensor(a) || !operand_from(b, operands[1], y)) Py_RETURN_NOTIMPLEMENTED;
  operands[0] = impl_of(a);
  if (!info) raise<NotImplementedError>("this operator is missing");
  engine::pointwise_inplace(*info, operands, kOne);
  return Py_NewRef(a);
  HWARO_PY_CATCH(nullptr)
}

PyObject* unary(const PointwiseInfo* info, PyObject* a) {
  HWARO_PY_TRY
  const Operand operands[] = {Operand(impl_of(a))};
  if (!info) raise<NotImplementedError>("this operator is missing");
  return wrap(engine::pointwise(*info, operands, kOne));
  HWARO_PY_CATCH(nullptr)
}

#define HWARO_SLOT(name, info)                                                     \
  PyObject* slot_##name(PyObject* a, PyObject* b) { return binary(g.info, a, b); } \
  PyObject* slot_inplace_##name(PyObject* a, PyObject* b) { return inplace(g.info, a, b); }
HWARO_SLOT(add, add)
HWARO_SLOT(mul, mul)
HWARO_SLOT(floor_divide, floor_divide)
HWARO_SLOT(remainder, remainder)
HWARO_SLOT(and, bitwise_and)
HWARO_SLOT(or, bitwise_or)
HWARO_SLOT(xor, bitwise_xor)
HWARO_SLOT(lshift, lshift)
HWARO_SLOT(rshift, rshift)

PyObject* slot_sub(PyObject* a, PyObject* b) { return is_tensor(a) ? binary(g.sub, a, b) : number_minus(a, b); }
PyObject* slot_inplace_sub(PyObject* a, PyObject* b) { return inplace(g.sub, a, b); }
PyObject* slot_div(PyObject* a, PyObject* b) { return is_tensor(a) ? binary(g.div, a, b) : number_over(a, b); }
PyObject* slot_inplace_div(PyObject* a, PyObject* b) { return inplace(g.div, a, b); }

PyObject* slot_pow(PyObject* a, PyObject* b, PyObject* modulus) {
  if (modulus != Py_None) Py_RETURN_NOTIMPLEMENTED;
  return binary(g.pow, a, b);
}
PyObject* slot_inplace_pow(PyObject* a, PyObject* b, PyObject*) { return inplace(g.pow, a, b); }
PyObject* slot_neg(PyObject* a) { return unary(g.neg, a); }
PyObject* slot_abs(PyObject* a) { return unary(g.abs, a); }
PyObject* slot_invert(PyObject* a) {
  HWARO_PY_TRY
  if (!is_integral(impl_of(a)->dtype, true))
    raise<TypeError>("~ (operator.invert) is only implemented on integer and Boolean-type tensors");
  HWARO_PY_CATCH(nullptr)
  return unary(g.bitwise_not, a);
}
PyObject* slot_positive(PyObject* a) {
  HWARO_PY_TRY
  HWARO_CHECK(impl_of(a)->dtype != DType::Bool, "The `+` operator, on a bool tensor is not supported.");
  return Py_NewRef(a);
  HWARO_PY_CATCH(nullptr)
}

PyObject* matmul_slot(PyObject* a, PyObject* b) {
  if (!is_tensor(a) || !is_tensor(b)) Py_RETURN_NOTIMPLEMENTED;
  HWARO_PY_TRY
  return wrap(engine::matmul(tensor_of(a), tensor_of(b)));
  HWARO_PY_CATCH(nullptr)
}

int slot_bool(PyObject* a) {
  HWARO_PY_TRY
  const Tensor t = tensor_of(a);
  HWARO_CHECK(t.numel() != 0, "Boolean value of Tensor with no values is ambiguous");
  HWARO_CHECK(t.numel() == 1, "Boolean value of Tensor with more than one value is ambiguous");
  const Ref item = Ref::adopt(check(item_object(t)));
  return PyObject_IsTrue(item.get());
  HWARO_PY_CATCH(-1)
}
PyObject* number_of(PyObject* a) {
  const Tensor t = tensor_of(a);
  HWARO_CHECK_AS(ValueError, t.numel() == 1, "only one element tensors can be converted to Python scalars");
  return item_object(t);
}
PyObject* slot_int(PyObject* a) {
  HWARO_PY_TRY
  const Ref item = Ref::adopt(check(number_of(a)));
  HWARO_CHECK(!PyComplex_Check(item.get()), "value cannot be converted to type int64_t without overflow");
  return PyNumber_Long(item.get());
  HWARO_PY_CATCH(nullptr)
}
PyObject* slot_float(PyObject* a) {
  HWARO_PY_TRY
  const Ref item = Ref::adopt(check(number_of(a)));
  static std::atomic<bool> warned{false};  // PyTorch warns once in a process
  if (requires_grad(tensor_of(a)) && !warned.exchange(true))
    engine::warn(
        "Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior.\n"
        "Consider using tensor.detach() first.");
  HWARO_CHECK(!PyComplex_Check(item.get()), "value cannot be converted to type double without overflow");
  return PyNumber_Float(item.get());
  HWARO_PY_CATCH(nullptr)
}
PyObject* slot_index(PyObject* a) {
  HWARO_PY_TRY
  const Tensor t = tensor_of(a);
  HWARO_CHECK_AS(TypeError, is_integral(t.dtype(), true) && t.numel() == 1,
                 "only integer tensors of a single element can be converted to an index");
  const Ref item = Ref::adopt(check(item_object(t)));
  return PyNumber_Long(item.get());
  HWARO_PY_CATCH(nullptr)
}

}  // namespace

PyObject* tensor_richcompare(PyObject* a, PyObject* b, int op) {
  if (!is_tensor(b) && !PyLong_Check(b) && !PyFloat_Check(b)) {
    Scalar s;
    if (!scalar_from(b, s)) Py_RETURN_NOTIMPLEMENTED;
  }
  return binary(g.compare[op], a, b);
}

bool add_number_protocol() {
  g = {find("add"),
       find("sub"),
       find("mul"),
       find("div"),
       find("pow"),
       find("neg"),
       find("abs"),
       find("floor_divide"),
       find("remainder"),
       find("bitwise_and"),
       find("bitwise_or"),
       find("bitwise_xor"),
       find("bitwise_not"),
       find("bitwise_left_shift"),
       find("bitwise_right_shift"),
       find("rsub"),
       find("reciprocal"),
       {find("lt"), find("le"), find("eq"), find("ne"), find("gt"), find("ge")}};
  PyNumberMethods& n = tensor_number_methods;
  n.nb_add = &slot_add;
  n.nb_subtract = &slot_sub;
  n.nb_multiply = &slot_mul;
  n.nb_true_divide = &slot_div;
  n.nb_floor_divide = &slot_floor_divide;
  n.nb_remainder = &slot_remainder;
  n.nb_power = &slot_pow;
  n.nb_negative = &slot_neg;
  n.nb_positive = &slot_positive;
  n.nb_absolute = &slot_abs;
  n.nb_invert = &slot_invert;
  n.nb_and = &slot_and;
  n.nb_or = &slot_or;
  n.nb_xor = &slot_xor;
  n.nb_lshift = &slot_lshift;
  n.nb_rshift = &slot_rshift;
  n.nb_matrix_multiply = &matmul_slot;
  n.nb_inplace_add = &slot_inplace_add;
  n.nb_inplace_subtract = &slot_inplace_sub;
  n.nb_inplace_multiply = &slot_inplace_mul;
  n.nb_inplace_true_divide = &slot_inplace_div;
  n.nb_inplace_floor_divide = &slot_inplace_floor_divide;
  n.nb_inplace_remainder = &slot_inplace_remainder;
  n.nb_inplace_power = &slot_inplace_pow;
  n.nb_inplace_and = &slot_inplace_and;
  n.nb_inplace_or = &slot_inplace_or;
  n.nb_inplace_xor = &slot_inplace_xor;
  n.nb_inplace_lshift = &slot_inplace_lshift;
  n.nb_inplace_rshift = &slot_inplace_rshift;
  n.nb_bool = &slot_bool;
  n.nb_int = &slot_int;
  n.nb_float = &slot_float;
  n.nb_index = &slot_index;
  return true;
}

}  // namespace hwaro::python
