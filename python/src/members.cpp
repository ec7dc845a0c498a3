// Attributes and the methods of Tensor that are not operators.
#include "hwaro/autograd/grad_mode.h"
#include "hwaro/autograd/meta.h"
#include "hwaro/autograd/node.h"
#include "hwaro/autograd/tensor_hooks.h"
#include "hwaro/core/type_names.h"
#include "hwaro/ops/kinds/record.h"
#include "hwaro/ops/kinds/support.h"
#include "python/src/autograd_objects.h"
#include "python/src/binding.h"
#include "python/src/members.h"
#include "python/src/op_arguments.h"
#include "python/src/torch_function.h"

namespace hwaro::python {

namespace {

// The dict of attributes; from the moment that it exists, it may hold something that leads back to the tensor.
PyObject* get_dict(PyObject* self, void* context) {
  PyObject* dict = PyObject_GenericGetDict(self, context);
  if (dict && !PyObject_GC_IsTracked(self)) PyObject_GC_Track(self);
  return dict;
}

#define HWARO_GETTER(name, expression)          \
  PyObject* get_##name(PyObject* self, void*) { \
    HWARO_PY_TRY                                \
    const Tensor t = tensor_of(self);           \
    return expression;                          \
    HWARO_PY_CATCH(nullptr)                     \
  }
PyObject* get_shape(PyObject* self, void*) { return size_object(impl_of(self)->sizes); }
PyObject* get_dtype(PyObject* self, void*) { return Py_NewRef(dtype_object(impl_of(self)->dtype)); }
PyObject* get_device(PyObject* self, void*) { return device_object(impl_of(self)->device); }
PyObject* get_layout(PyObject*, void*) { return Py_NewRef(layout_object()); }
PyObject* get_ndim(PyObject* self, void*) { return PyLong_FromLong(impl_of(self)->dim()); }
PyObject* get_itemsize(PyObject* self, void*) { return PyLong_FromSize_t(size_of(impl_of(self)->dtype)); }
PyObject* get_false(PyObject*, void*) { Py_RETURN_FALSE; }
HWARO_GETTER(nbytes, PyLong_FromSize_t(t.nbytes()))
HWARO_GETTER(is_cpu, PyBool_FromLong(t.device().is_cpu()))
HWARO_GETTER(is_cuda, PyBool_FromLong(t.device().type == DeviceType::CUDA))
HWARO_GETTER(is_mps, PyBool_FromLong(t.device().type == DeviceType::MPS))
HWARO_GETTER(is_meta, PyBool_FromLong(t.device().is_meta()))
HWARO_GETTER(requires_grad, PyBool_FromLong(is_tracked(t)))
HWARO_GETTER(is_leaf, PyBool_FromLong(!is_tracked(t) || !grad_fn(t)))
PyObject* get_version(PyObject* self, void*) {
  HWARO_PY_TRY
  HWARO_CHECK(!impl_of(self)->is(kInference), "Inference tensors do not track version counter.");
  return PyLong_FromLong(long(impl_of(self)->version()));
  HWARO_PY_CATCH(nullptr)
}
HWARO_GETTER(grad_fn, node_object(grad_fn(t)))
HWARO_GETTER(output_nr, PyLong_FromLong(long(t->output_nr)))
HWARO_GETTER(base, t->is(kIsView) ? wrap(Tensor(t->view_base)) : Py_NewRef(Py_None))
HWARO_GETTER(retains_grad, PyBool_FromLong(retains_grad(t) && t->grad_fn))

int set_requires_grad_attr(PyObject* self, PyObject* value, void*) {
  HWARO_PY_TRY
  if (!value || !PyBool_Check(value)) raise("requires_grad must be a bool");
  const Tensor t = tensor_of(self);
  const bool on = value == Py_True;
  HWARO_CHECK(!on || !t->grad_fn, "you can only change requires_grad flags of leaf variables.");
  set_requires_grad(t, on);
  return 0;
  HWARO_PY_CATCH(-1)
}

PyObject* get_grad(PyObject* self, void*) {
  HWARO_PY_TRY
  const TensorImpl* t = impl_of(self);
  if (t->autograd && t->autograd->grad.defined()) return wrap(t->autograd->grad);
  if (t->grad_fn && !(t->autograd && t->autograd->retained))
    engine::warn(
        "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't be "
        "populated during "
        "autograd.backward(). If you indeed want the .grad field to be populated for a non-leaf Tensor, use "
        ".retain_grad() on the "
        "non-leaf Tensor. If you access the non-leaf Tensor by mistake, make sure you access the leaf Tensor instead. "
        "See "
        "github.com/pytorch/pytorch/pull/30531 for more information.");
  if (PyErr_Occurred()) return nullptr;
  Py_RETURN_NONE;
  HWARO_PY_CATCH(nullptr)
}
int set_grad(PyObject* self, PyObject* value, void*) {
  HWARO_PY_TRY
  const Tensor t = tensor_of(self);
  if (!value || value == Py_None) {
    if (t->autograd) t->autograd->grad = {};
    return 0;
  }
  if (!is_tensor(value))
    raise<TypeError>("assigned grad expected to be a Tensor or None but got grad of type ", Py_TYPE(value)->tp_name);
  const Tensor g = tensor_of(value);
  HWARO_CHECK(g.impl() != t.impl(), "can't assign Variable as its own grad");
  HWARO_CHECK(
      g.dtype() == t.dtype(), "attempting to assign a gradient with dtype '", c_type_name(g.dtype()),
      "' to a tensor with grad_dtype '", scalar_type_name(t.dtype()),
      "'. The gradient must match the tensor's grad_dtype (defaults to the tensor's dtype). You can set the tensor's "
      "grad_dtype attribute with a specific dtype, or None to allow any dtype. Set grad_dtype with caution. Diverging "
      "the dtypes of a tensor and its gradient may break downstream systems that assume they match.");
  HWARO_CHECK(g.device().type == t.device().type, "attempting to assign a gradient with device type '",
              name_of(g.device().type), "' to a tensor with device type '", name_of(t.device().type),
              "'. Please ensure that the gradient and the tensor are on the same device");
  HWARO_CHECK(g.sizes() == t.sizes(), "attempting to assign a gradient of size '", sizes_str(g.sizes()),
              "' to a tensor of size '", sizes_str(t.sizes()),
              "'. Please ensure that the gradient and the tensor are the same size");
  autograd_meta(*t.impl()).grad = g;
  return 0;
  HWARO_PY_CATCH(-1)
}

// .data: the same bytes without history and with a version counter of its own.
PyObject* get_data(PyObject* self, void*) {
  HWARO_PY_TRY
  const Tensor t = tensor_of(self);
  Tensor out = engine::alias(t, t.sizes(), t.strides(), t->offset);
  out->counter = VersionCounter::create(0);
  return wrap(std::move(out));
  HWARO_PY_CATCH(nullptr)
}
int set_data(PyObject* self, PyObject* value, void*) {
  HWARO_PY_TRY
  if (!value || !is_tensor(value))
    raise<TypeError>("Variable data has to be a tensor, but got ", value ? Py_TYPE(value)->tp_name : "NULL");
  TensorImpl& t = *impl_of(self);
  const TensorImpl& from = *impl_of(value);
  HWARO_CHECK(!(t.flags & kTracked) || is_differentiable(from.dtype),
              "data set to a tensor that requires gradients must be floating point or complex dtype");
  t.count_apart();
  t.storage = from.storage;
  t.offset = from.offset;
  t.sizes = from.sizes;
  t.strides = from.strides;
  t.dtype = from.dtype;
  t.device = from.device;
  t.set(kConj, from.is(kConj));
  t.refresh_geometry();
  return 0;
  HWARO_PY_CATCH(-1)
}

PyObject* via_internal(PyObject* self, const char* name) {
  const Ref module = Ref::adopt(PyImport_ImportModule("hwaro._C"));
  if (!module) return nullptr;
  const Ref f = Ref::adopt(PyObject_GetAttrString(module.get(), name));
  if (!f) return nullptr;
  return PyObject_CallOneArg(f.get(), self);
}
HWARO_GETTER(T, t.dim() == 2 ? wrap(engine::permute(t, {1, 0})) : via_internal(self, "numpy_T"))
HWARO_GETTER(mT, via_internal(self, "mT"))
HWARO_GETTER(H, via_internal(self, "matrix_H"))
HWARO_GETTER(mH, via_internal(self, "mH"))
PyObject* get_real(PyObject* self, void*) { return call_function("real", &self, 1); }
PyObject* get_imag(PyObject* self, void*) { return call_function("imag", &self, 1); }
int set_part(PyObject* self, PyObject* value, const char* part) {
  const Ref view = Ref::adopt(call_function(part, &self, 1));
  if (!view) return -1;
  const Ref done = Ref::adopt(is_tensor(value) ? PyObject_CallMethod(view.get(), "copy_", "O", value)
                                               : PyObject_CallMethod(view.get(), "fill_", "O", value));
  return done ? 0 : -1;
}
int set_real(PyObject* self, PyObject* value, void*) { return set_part(self, value, "real"); }
int set_imag(PyObject* self, PyObject* value, void*) { return set_part(self, value, "imag"); }

// ---- methods ----

PyObject* m_size(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
  HWARO_PY_TRY
  PyObject* dim = only_argument("size", "dim", args, count, kwnames);
  if (!dim || dim == Py_None) return size_object(impl_of(self)->sizes);
  std::int64_t d;
  if (!int_from(dim, d))
    raise<TypeError>("size(): argument 'dim' ", count ? "(position 1) " : "", "must be int, not ", shown_type(dim));
  return PyLong_FromLongLong(tensor_of(self).size(d));
  HWARO_PY_CATCH(nullptr)
}
PyObject* m_stride(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
  HWARO_PY_TRY
  PyObject* dim = only_argument("stride", "dim", args, count, kwnames);
  if (!dim || dim == Py_None) return int_tuple(impl_of(self)->strides);
  std::int64_t d;
  if (!int_from(dim, d))
    raise<TypeError>("stride(): argument 'dim' ", count ? "(position 1) " : "", "must be int, not ", shown_type(dim));
  return PyLong_FromLongLong(tensor_of(self).stride(d));
  HWARO_PY_CATCH(nullptr)
}
PyObject* m_dim(PyObject* self, PyObject*) { return PyLong_FromLong(impl_of(self)->dim()); }
PyObject* m_numel(PyObject* self, PyObject*) { return PyLong_FromLongLong(impl_of(self)->numel); }
PyObject* m_storage_offset(PyObject* self, PyObject*) { return PyLong_FromLongLong(impl_of(self)->offset); }
PyObject* m_element_size(PyObject* self, PyObject*) { return PyLong_FromSize_t(size_of(impl_of(self)->dtype)); }
PyObject* m_is_floating_point(PyObject* self, PyObject*) { return PyBool_FromLong(is_floating(impl_of(self)->dtype)); }
PyObject* m_is_complex(PyObject* self, PyObject*) { return PyBool_FromLong(is_complex(impl_of(self)->dtype)); }
PyObject* m_is_signed(PyObject* self, PyObject*) {
  return PyBool_FromLong(impl_of(self)->dtype != DType::Bool && impl_of(self)->dtype != DType::UInt8);
}
PyObject* m_is_conj(PyObject* self, PyObject*) { return PyBool_FromLong(impl_of(self)->is(kConj)); }
PyObject* m_is_neg(PyObject*, PyObject*) { Py_RETURN_FALSE; }
PyObject* m_is_inference(PyObject* self, PyObject*) { return PyBool_FromLong(impl_of(self)->is(kInference)); }
PyObject* m_is_pinned(PyObject*, PyObject* const*, Py_ssize_t, PyObject*) { Py_RETURN_FALSE; }
PyObject* m_get_device(PyObject* self, PyObject*) {
  return PyLong_FromLong(impl_of(self)->device.is_cpu() ? -1 : impl_of(self)->device.index);
}
PyObject* m_is_contiguous(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
  HWARO_PY_TRY
  MemoryFormat format = MemoryFormat::Contiguous;
  if (count > 0)
    raise<TypeError>("is_contiguous() takes 0 positional arguments but ", count, count == 1 ? " was" : " were",
                     " given");
  if (PyObject* given = only_argument("is_contiguous", "memory_format", args, count, kwnames)) {
    if (!is_memory_format(given))
      raise<TypeError>("is_contiguous(): argument 'memory_format' must be torch.memory_format, not ",
                       shown_type(given));
    format = memory_format_of(given);
  }
  return PyBool_FromLong(tensor_of(self).is_contiguous(format));
  HWARO_PY_CATCH(nullptr)
}
PyObject* m_data_ptr(PyObject* self, PyObject*) {
  TensorImpl* t = impl_of(self);
  if (t->numel == 0 || t->device.is_meta()) return PyLong_FromLong(0);
  return PyLong_FromVoidPtr(static_cast<char*>(t->storage->escape()) + t->offset * std::int64_t(size_of(t->dtype)));
}
PyObject* m_item(PyObject* self, PyObject*) {
  HWARO_PY_TRY
  return item_object(tensor_of(self));
  HWARO_PY_CATCH(nullptr)
}
PyObject* list_of(const Tensor& t, int dim, const char* p) {
  TensorImpl& impl = *t.impl();
  if (dim == impl.dim()) {
    const Tensor element = engine::alias(
        t, {}, {}, (p - static_cast<const char*>(impl.storage->read())) / std::int64_t(size_of(impl.dtype)));
    return item_object(element);
  }
  const std::int64_t n = impl.sizes[dim], step = impl.strides[dim] * std::int64_t(size_of(impl.dtype));
  PyObject* list = check(PyList_New(n));
  const Ref guard = Ref::adopt(list);
  const bool last = dim + 1 == impl.dim();
  for (std::int64_t i = 0; i < n; ++i) {
    const char* q = p + i * step;
    PyObject* item;
    if (last && impl.dtype == DType::Float) item = PyFloat_FromDouble(double(*reinterpret_cast<const float*>(q)));
    else if (last && impl.dtype == DType::Double) item = PyFloat_FromDouble(*reinterpret_cast<const double*>(q));
    else if (last && impl.dtype == DType::Int64) item = PyLong_FromLongLong(*reinterpret_cast<const std::int64_t*>(q));
    else item = list_of(t, dim + 1, q);
    PyList_SET_ITEM(list, i, check(item));
  }
  return Py_NewRef(list);
}
PyObject* m_tolist(PyObject* self, PyObject*) {
  HWARO_PY_TRY
  const Tensor t = tensor_of(self);
  HWARO_CHECK_AS(NotImplementedError, !t.device().is_meta(), "Cannot copy out of meta tensor; no data!");
  return list_of(t, 0, static_cast<const char*>(t->read()));
  HWARO_PY_CATCH(nullptr)
}
PyObject* m_requires_grad(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
  HWARO_PY_TRY
  PyObject* given = only_argument("requires_grad_", "requires_grad", args, count, kwnames);
  if (given && !PyBool_Check(given))
    raise<TypeError>("requires_grad_(): argument 'requires_grad' ", count ? "(position 1) " : "", "must be bool, not ",
                     shown_type(given));
  const bool on = !given || given == Py_True;
  HWARO_CHECK(!on || is_differentiable(impl_of(self)->dtype),
              "only Tensors of floating point dtype can require gradients");
  set_requires_grad(tensor_of(self), on);
  return Py_NewRef(self);
  HWARO_PY_CATCH(nullptr)
}
PyObject* m_detach_(PyObject* self, PyObject*) {
  HWARO_PY_TRY
  TensorImpl& t = *impl_of(self);
  HWARO_CHECK(!t.is(kIsView),
              "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for "
              "training, and "
              "gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence detach_() cannot "
              "be called on these "
              "gradients. To fix this error, please refer to the Optimizer.zero_grad() function in "
              "torch/optim/optimizer.py as the solution.");
  t.grad_fn = nullptr;
  t.output_nr = 0;
  t.requires_grad = false;
  t.set(kTracked, false);
  return Py_NewRef(self);
  HWARO_PY_CATCH(nullptr)
}
PyObject* m_is_same(PyObject* self, PyObject* other) {
  return PyBool_FromLong(is_tensor(other) && impl_of(self) == impl_of(other));
}
PyObject* m_is_set_to(PyObject* self, PyObject* other) {
  if (!is_tensor(other)) Py_RETURN_FALSE;
  TensorImpl &a = *impl_of(self), &b = *impl_of(other);
  return PyBool_FromLong(a.storage == b.storage && a.offset == b.offset && a.sizes == b.sizes &&
                         a.strides == b.strides);
}
// The storage's identity, for tests and for save(): two tensors share bytes if these are equal.
PyObject* m_storage_id(PyObject* self, PyObject*) { return PyLong_FromVoidPtr(impl_of(self)->storage.get()); }
PyObject* m_storage_nbytes(PyObject* self, PyObject*) { return PyLong_FromSize_t(impl_of(self)->storage->nbytes()); }
PyObject* m_make_subclass(PyObject*, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
  HWARO_PY_TRY
  const Py_ssize_t total = count + (kwnames ? PyTuple_GET_SIZE(kwnames) : 0);
  if (total < 2 || !PyType_Check(args[0]) || !is_tensor(args[1]))
    raise<TypeError>("_make_subclass(): expected a class and a Tensor");
  const Tensor data = tensor_of(args[1]);
  Tensor out = engine::alias(data, data.sizes(), data.strides(), data->offset);
  out->counter = VersionCounter::create(0);
  const bool on = total > 2 && PyObject_IsTrue(args[2]) == 1;
  if (on) require_grad_of_new(out);
  return wrap_as(reinterpret_cast<PyTypeObject*>(args[0]), std::move(out));
  HWARO_PY_CATCH(nullptr)
}

}  // namespace

void require_grad_of_new(const Tensor& t) {
  HWARO_CHECK(is_differentiable(t.dtype()), "Only Tensors of floating point and complex dtype can require gradients");
  set_requires_grad(t, true);
}

template <Name name, auto get, auto set>
constexpr Attribute attribute = {name.text, get, set};
// As PyTorch says it of the class that has the attributes there.
int refuse_attribute(PyObject*, PyObject*, void* closure) {
  PyErr_Format(PyExc_AttributeError, "attribute '%s' of 'torch._C.TensorBase' objects is not writable",
               static_cast<Attribute*>(closure)->name);
  return -1;
}
#define HWARO_ATTRIBUTE(name, get, doc) \
  {name, get_attribute, refuse_attribute, doc, const_cast<Attribute*>(&attribute<name, get, nullptr>)}
#define HWARO_ATTRIBUTE_SET(name, get, set, doc) \
  {name, get_attribute, set_attribute, doc, const_cast<Attribute*>(&attribute<name, get, set>)}
PyGetSetDef tensor_getset[] = {
    {"__dict__", get_dict, PyObject_GenericSetDict, nullptr, nullptr},
    HWARO_ATTRIBUTE("shape", get_shape, "The sizes of all dimensions."),
    HWARO_ATTRIBUTE("dtype", get_dtype, "The element type."),
    HWARO_ATTRIBUTE("device", get_device, "Where the elements live."),
    HWARO_ATTRIBUTE("layout", get_layout, "torch.strided."),
    HWARO_ATTRIBUTE("ndim", get_ndim, "The number of dimensions."),
    HWARO_ATTRIBUTE("itemsize", get_itemsize, "Bytes per element."),
    HWARO_ATTRIBUTE("nbytes", get_nbytes, "Bytes of all elements."),
    HWARO_ATTRIBUTE("is_cpu", get_is_cpu, nullptr),
    HWARO_ATTRIBUTE("is_cuda", get_is_cuda, nullptr),
    HWARO_ATTRIBUTE("is_mps", get_is_mps, nullptr),
    HWARO_ATTRIBUTE("is_meta", get_is_meta, nullptr),
    HWARO_ATTRIBUTE("is_xpu", get_false, nullptr),
    HWARO_ATTRIBUTE("is_sparse", get_false, nullptr),
    HWARO_ATTRIBUTE("is_sparse_csr", get_false, nullptr),
    HWARO_ATTRIBUTE("is_quantized", get_false, nullptr),
    HWARO_ATTRIBUTE("is_nested", get_false, nullptr),
    HWARO_ATTRIBUTE("is_mkldnn", get_false, nullptr),
    HWARO_ATTRIBUTE_SET("requires_grad", get_requires_grad, set_requires_grad_attr,
                        "Whether operations on it are recorded."),
    HWARO_ATTRIBUTE("is_leaf", get_is_leaf, "Whether it was made by the user rather than by a recorded operation."),
    HWARO_ATTRIBUTE_SET("grad", get_grad, set_grad, "The accumulated gradient, or None."),
    HWARO_ATTRIBUTE("grad_fn", get_grad_fn, "The node of the graph that made it, or None."),
    HWARO_ATTRIBUTE("retains_grad", get_retains_grad, nullptr),
    HWARO_ATTRIBUTE("output_nr", get_output_nr, nullptr),
    HWARO_ATTRIBUTE_SET("data", get_data, set_data, "The same elements without history."),
    HWARO_ATTRIBUTE("_version", get_version, nullptr),
    HWARO_ATTRIBUTE("_base", get_base, nullptr),
    HWARO_ATTRIBUTE("T", get_T, "All dimensions reversed."),
    HWARO_ATTRIBUTE("mT", get_mT, "The last two dimensions exchanged."),
    HWARO_ATTRIBUTE("H", get_H, "The conjugate transpose of a matrix."),
    HWARO_ATTRIBUTE("mH", get_mH, "The last two dimensions exchanged, conjugated."),
    HWARO_ATTRIBUTE_SET("real", get_real, set_real, "The real part."),
    HWARO_ATTRIBUTE_SET("imag", get_imag, set_imag, "The imaginary part of a complex tensor."),
    {}};

#define HWARO_FAST_PLAIN(f) \
  reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(f)), METH_FASTCALL | METH_KEYWORDS
#define HWARO_FAST(name, f) HWARO_FAST_PLAIN((fast_method<name, f>))
#define HWARO_PLAIN(name, f) (plain_method<name, f>)
PyMethodDef tensor_methods[] = {
    {"size", HWARO_FAST("size", m_size), "size(dim=None) -> torch.Size or int"},
    {"stride", HWARO_FAST("stride", m_stride), "stride(dim=None) -> tuple or int"},
    {"dim", HWARO_PLAIN("dim", m_dim), METH_NOARGS, "The number of dimensions."},
    {"ndimension", HWARO_PLAIN("ndimension", m_dim), METH_NOARGS, "The number of dimensions."},
    {"numel", HWARO_PLAIN("numel", m_numel), METH_NOARGS, "The number of elements."},
    {"nelement", HWARO_PLAIN("nelement", m_numel), METH_NOARGS, "The number of elements."},
    {"storage_offset", HWARO_PLAIN("storage_offset", m_storage_offset), METH_NOARGS,
     "Offset of the first element in its storage, in elements."},
    {"element_size", HWARO_PLAIN("element_size", m_element_size), METH_NOARGS, "Bytes per element."},
    {"is_floating_point", HWARO_PLAIN("is_floating_point", m_is_floating_point), METH_NOARGS, nullptr},
    {"is_complex", HWARO_PLAIN("is_complex", m_is_complex), METH_NOARGS, nullptr},
    {"is_signed", HWARO_PLAIN("is_signed", m_is_signed), METH_NOARGS, nullptr},
    {"is_conj", HWARO_PLAIN("is_conj", m_is_conj), METH_NOARGS, nullptr},
    {"is_neg", HWARO_PLAIN("is_neg", m_is_neg), METH_NOARGS, nullptr},
    {"is_inference", HWARO_PLAIN("is_inference", m_is_inference), METH_NOARGS, nullptr},
    {"is_pinned", HWARO_FAST("is_pinned", m_is_pinned), nullptr},
    {"get_device", HWARO_PLAIN("get_device", m_get_device), METH_NOARGS, nullptr},
    {"is_contiguous", HWARO_FAST("is_contiguous", m_is_contiguous),
     "Whether the elements lie in row-major order (or in memory_format)."},
    {"data_ptr", HWARO_PLAIN("data_ptr", m_data_ptr), METH_NOARGS, "Address of the first element."},
    {"item", HWARO_PLAIN("item", m_item), METH_NOARGS, "The only element as a Python number."},
    {"tolist", HWARO_PLAIN("tolist", m_tolist), METH_NOARGS, "Nested lists of Python numbers."},
    {"requires_grad_", HWARO_FAST("requires_grad_", m_requires_grad), "requires_grad_(requires_grad=True) -> Tensor"},
    {"detach_", HWARO_PLAIN("detach_", m_detach_), METH_NOARGS, "Drops the history in place."},
    {"is_set_to", HWARO_PLAIN("is_set_to", m_is_set_to), METH_O, nullptr},
    {"_is_same", m_is_same, METH_O, nullptr},
    {"_storage_id", m_storage_id, METH_NOARGS, nullptr},
    {"_storage_nbytes", m_storage_nbytes, METH_NOARGS, nullptr},
    {"_make_subclass", HWARO_FAST_PLAIN(m_make_subclass) | METH_STATIC, nullptr},
    {"to", HWARO_FAST("to", tensor_to), "to(dtype | device | other, …) -> Tensor"},
    {"type", HWARO_FAST("type", tensor_type), "type(dtype=None) -> str or Tensor"},
    {"backward", HWARO_FAST("backward", tensor_backward),
     "backward(gradient=None, retain_graph=None, create_graph=False, inputs=None)"},
    {"register_hook", HWARO_PLAIN("register_hook", tensor_register_hook), METH_O,
     "Runs a function on the gradient of this tensor."},
    {"register_post_accumulate_grad_hook", HWARO_PLAIN("register_post_accumulate_grad_hook", tensor_register_post_hook),
     METH_O, nullptr},
    {"retain_grad", HWARO_PLAIN("retain_grad", tensor_retain_grad), METH_NOARGS,
     "Keeps the gradient of a non-leaf tensor in .grad."},
    {"numpy", HWARO_FAST("numpy", tensor_numpy), "numpy(*, force=False) -> numpy.ndarray sharing memory"},
    {"__array__", HWARO_FAST("__array__", tensor_array), nullptr},
    {"__dlpack__", HWARO_FAST("__dlpack__", tensor_dlpack), nullptr},
    {"__dlpack_device__", tensor_dlpack_device, METH_NOARGS, nullptr},
    {}};

}  // namespace hwaro::python
