// +, -, *, … on tensors: straight from the interpreter's slot to the pointwise kind, without parsing.
#include "hwaro/autograd/node.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "hwaro/ops/kinds/warn_once.h"
#include "python/src/binding.h"
#include "python/src/hints.h"
#include "python/src/torch_function.h"

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
      *bitwise_xor, *bitwise_not, *lshift, *rshift, *compare[6], *reciprocal, *rsub;
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

// What a slot is called in torch.Tensor, for __torch_function__: with the tensor on the left, with it on the right only,
// in place.
struct SlotNames {
  const char *plain, *reflected, *inplace;
};

// Shows a slot's call to who wants to see it. The tensor comes first, as in Tensor.__rsub__(x, 2).
[[gnu::cold, gnu::noinline]] bool shown(const char* name, PyObject* a, PyObject* b, PyObject*& result) {
  PyObject* args[] = {a, b};
  return dispatched_method(name, args, b ? 2 : 1, nullptr, result);
}
[[gnu::cold, gnu::noinline]] bool shown(const SlotNames& names, PyObject* a, PyObject* b, PyObject*& result) {
  return is_tensor(a) ? shown(names.plain, a, b, result) : shown(names.reflected, b, a, result);
}

// Where an operand is no number: objects with __torch_function__ are asked, for others Python asks the other side.
[[gnu::cold, gnu::noinline]] PyObject* not_implemented(const SlotNames& names, PyObject* a, PyObject* b) {
  if (PyObject* result; has_protocol(is_tensor(a) ? b : a) && shown(names, a, b, result)) return result;
  Py_RETURN_NOTIMPLEMENTED;
}
// Whether both are what an operator takes.
bool fit(PyObject* a, PyObject* b) {
  Scalar s;
  return (is_tensor(a) || scalar_from(a, s)) && (is_tensor(b) || scalar_from(b, s));
}
// Before the call, where classes with __torch_function__ exist at all.
[[gnu::cold, gnu::noinline]] bool shown_first(const SlotNames& names, PyObject* a, PyObject* b, PyObject*& result) {
  return fit(a, b) && shown(names, a, b, result);
}

#define HWARO_SLOT_CATCH(name, a, b) \
  }                                  \
  catch (...) {                      \
    set_error_from_slot(name, a, b); \
    return nullptr;                  \
  }

PyObject* binary(const PointwiseInfo* info, PyObject* a, PyObject* b, const SlotNames& names) {
  HWARO_PY_TRY
  if (g_torch_function) [[unlikely]]
    if (PyObject* result; shown_first(names, a, b, result)) return result;
  Operand operands[2];
  Scalar x, y;
  if (!operand_from(a, operands[0], x) || !operand_from(b, operands[1], y)) return not_implemented(names, a, b);
  if (!info) raise<NotImplementedError>("this operator is missing");
  return wrap(engine::pointwise(*info, operands, kOne));
  HWARO_SLOT_CATCH(names.plain, a, b)
}

PyObject* inplace(const PointwiseInfo* info, PyObject* a, PyObject* b, const SlotNames& names) {
  HWARO_PY_TRY
  if (g_torch_function) [[unlikely]]
    if (PyObject* result; fit(a, b) && shown(names.inplace, a, b, result)) return result;
  Operand operands[2];
  Scalar y;
  if (!is_tensor(a) || !operand_from(b, operands[1], y)) return not_implemented(names, a, b);
  operands[0] = impl_of(a);
  if (!info) raise<NotImplementedError>("this operator is missing");
  engine::pointwise_inplace(*info, operands, kOne);
  return Py_NewRef(a);
  HWARO_SLOT_CATCH(names.inplace, a, b)
}

PyObject* unary(const PointwiseInfo* info, PyObject* a, const char* name) {
  if (g_torch_function) [[unlikely]]
    if (PyObject* result; shown(name, a, nullptr, result)) return result;
  HWARO_PY_TRY
  const Operand operands[] = {Operand(impl_of(a))};
  if (!info) raise<NotImplementedError>("this operator is missing");
  return wrap(engine::pointwise(*info, operands, kOne));
  HWARO_SLOT_CATCH(name, a, nullptr)
}

constexpr SlotNames kAdd = {"add", "add", "add_"}, kSub = {"sub", "__rsub__", "sub_"}, kMul = {"mul", "mul", "mul_"},
                    kDiv = {"div", "__rdiv__", "div_"},
                    kFloorDivide = {"__floordiv__", "__rfloordiv__", "floor_divide_"},
                    kRemainder = {"remainder", "__rmod__", "remainder_"}, kPow = {"pow", "__rpow__", "pow_"},
                    kAnd = {"__and__", "bitwise_and", "__iand__"}, kOr = {"__or__", "bitwise_or", "__ior__"},
                    kXor = {"__xor__", "bitwise_xor", "__ixor__"},
                    kLshift = {"__lshift__", "__rlshift__", "__ilshift__"},
                    kRshift = {"__rshift__", "__rrshift__", "__irshift__"},
                    kMatmul = {"matmul", "__rmatmul__", "matmul"};

#define HWARO_SLOT(name, info, names)                                                     \
  PyObject* slot_##name(PyObject* a, PyObject* b) { return binary(g.info, a, b, names); } \
  PyObject* slot_inplace_##name(PyObject* a, PyObject* b) { return inplace(g.info, a, b, names); }
HWARO_SLOT(add, add, kAdd)
HWARO_SLOT(mul, mul, kMul)
HWARO_SLOT(floor_divide, floor_divide, kFloorDivide)
HWARO_SLOT(remainder, remainder, kRemainder)
HWARO_SLOT(and, bitwise_and, kAnd)
HWARO_SLOT(or, bitwise_or, kOr)
HWARO_SLOT(xor, bitwise_xor, kXor)
HWARO_SLOT(lshift, lshift, kLshift)
HWARO_SLOT(rshift, rshift, kRshift)

// A number on the left of - and /, as PyTorch computes it: rsub, and the number times the reciprocal (which rounds
// otherwise than a division, and has other nodes in the graph).
template <class Compute>
PyObject* from_number(const SlotNames& names, PyObject* a, PyObject* b, Compute compute) {
  HWARO_PY_TRY
  if (g_torch_function) [[unlikely]]
    if (PyObject* result; shown_first(names, a, b, result)) return result;
  Scalar number;
  if (!is_tensor(b) || !scalar_from(a, number)) return not_implemented(names, a, b);
  return wrap(compute(Operand(impl_of(b)), Operand(number)));
  HWARO_SLOT_CATCH(names.plain, a, b)
}
PyObject* slot_sub(PyObject* a, PyObject* b) {
  if (is_tensor(a)) return binary(g.sub, a, b, kSub);
  return from_number(kSub, a, b, [](const Operand& x, const Operand& number) {
    const Operand operands[] = {x, number};
    return engine::pointwise(*g.rsub, operands, kOne);
  });
}
PyObject* slot_div(PyObject* a, PyObject* b) {
  if (is_tensor(a)) return binary(g.div, a, b, kDiv);
  return from_number(kDiv, a, b, [](const Operand& x, const Operand& number) {
    const Tensor inverse = engine::pointwise(*g.reciprocal, &x, kOne);
    const Operand factors[] = {Operand(inverse.impl()), number};
    return engine::pointwise(*g.mul, factors, kOne);
  });
}
PyObject* slot_inplace_sub(PyObject* a, PyObject* b) { return inplace(g.sub, a, b, kSub); }
PyObject* slot_inplace_div(PyObject* a, PyObject* b) { return inplace(g.div, a, b, kDiv); }

PyObject* slot_pow(PyObject* a, PyObject* b, PyObject* modulus) {
  if (modulus != Py_None) Py_RETURN_NOTIMPLEMENTED;
  return binary(g.pow, a, b, kPow);
}
PyObject* slot_inplace_pow(PyObject* a, PyObject* b, PyObject*) { return inplace(g.pow, a, b, kPow); }
PyObject* slot_neg(PyObject* a) { return unary(g.neg, a, "neg"); }
PyObject* slot_abs(PyObject* a) { return unary(g.abs, a, "abs"); }
PyObject* slot_invert(PyObject* a) {
  HWARO_PY_TRY
  if (!is_integral(impl_of(a)->dtype, true))
    raise<TypeError>("~ (operator.invert) is only implemented on integer and Boolean-type tensors");
  HWARO_PY_CATCH(nullptr)
  return unary(g.bitwise_not, a, "__invert__");
}
PyObject* slot_positive(PyObject* a) {
  if (g_torch_function) [[unlikely]]
    if (PyObject* result; shown("positive", a, nullptr, result)) return result;
  HWARO_PY_TRY
  HWARO_CHECK(impl_of(a)->dtype != DType::Bool, "The `+` operator, on a bool tensor is not supported.");
  return Py_NewRef(a);
  HWARO_PY_CATCH(nullptr)
}

PyObject* matmul_slot(PyObject* a, PyObject* b) {
  if (g_torch_function) [[unlikely]]
    if (PyObject* result; is_tensor(a) && is_tensor(b) && shown(kMatmul, a, b, result)) return result;
  if (!is_tensor(a) || !is_tensor(b)) return not_implemented(kMatmul, a, b);
  HWARO_PY_TRY
  return wrap(engine::matmul(tensor_of(a), tensor_of(b)));
  HWARO_SLOT_CATCH("matmul", a, b)
}

int slot_bool(PyObject* a) {
  if (wants_dispatch(a)) [[unlikely]]
    if (PyObject* result; shown("__bool__", a, nullptr, result)) {
      const Ref truth = Ref::adopt(result);
      return truth ? PyObject_IsTrue(truth.get()) : -1;
    }
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
  if (wants_dispatch(a)) [[unlikely]]
    if (PyObject* result; shown("__int__", a, nullptr, result)) return result;
  HWARO_PY_TRY
  const Ref item = Ref::adopt(check(number_of(a)));
  HWARO_CHECK(!PyComplex_Check(item.get()), "value cannot be converted to type int64_t without overflow");
  return PyNumber_Long(item.get());
  HWARO_PY_CATCH(nullptr)
}
PyObject* slot_float(PyObject* a) {
  if (wants_dispatch(a)) [[unlikely]]
    if (PyObject* result; shown("__float__", a, nullptr, result)) return result;
  HWARO_PY_TRY
  const Ref item = Ref::adopt(check(number_of(a)));
  HWARO_CHECK(!PyComplex_Check(item.get()), "value cannot be converted to type double without overflow");
  if (is_tracked(tensor_of(a)))
    engine::warn_once(
        "Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior.\nConsider using "
        "tensor.detach() first.");
  if (PyErr_Occurred()) throw_python_error();
  return PyNumber_Float(item.get());
  HWARO_PY_CATCH(nullptr)
}
PyObject* slot_index(PyObject* a) {
  if (wants_dispatch(a)) [[unlikely]]
    if (PyObject* result; shown("__index__", a, nullptr, result)) return result;
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
  static constexpr SlotNames kCompare[] = {{"lt", "gt", ""}, {"le", "ge", ""}, {"__eq__", "__eq__", ""},
                                           {"ne", "ne", ""}, {"gt", "lt", ""}, {"ge", "le", ""}};
  if (!is_tensor(b) && !PyLong_Check(b) && !PyFloat_Check(b)) {
    Scalar s;
    if (!scalar_from(b, s)) return not_implemented(kCompare[op], a, b);
  }
  return binary(g.compare[op], a, b, kCompare[op]);
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
       {find("lt"), find("le"), find("eq"), find("ne"), find("gt"), find("ge")},
       find("reciprocal"),
       find("rsub")};
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
