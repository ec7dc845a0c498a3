// DLPack: tensors shared with other libraries through the structures of the DLPack specification (version 0.8 and 1.0,
// https://dmlc.github.io/dlpack).
#include <cstring>

#include "hwaro/autograd/node.h"
#include "python/src/interop.h"
#include "python/src/members.h"

namespace hwaro::python {

namespace {

// The specification's structures, field by field.
struct DLDevice {
  std::int32_t device_type, device_id;
};
struct DLDataType {
  std::uint8_t code, bits;
  std::uint16_t lanes;
};
struct DLTensor {
  void* data;
  DLDevice device;
  std::int32_t ndim;
  DLDataType dtype;
  std::int64_t *shape, *strides;
  std::uint64_t byte_offset;
};
struct DLManagedTensor {
  DLTensor dl_tensor;
  void* manager_ctx;
  void (*deleter)(DLManagedTensor*);
};
struct DLManagedTensorVersioned {
  std::uint32_t major, minor;
  void* manager_ctx;
  void (*deleter)(DLManagedTensorVersioned*);
  std::uint64_t flags;
  DLTensor dl_tensor;
};
constexpr std::int32_t kDLCPU = 1;
constexpr std::uint8_t kInt = 0, kUInt = 1, kFloat = 2, kBfloat = 4, kComplexCode = 5, kBoolCode = 6;

DLDataType code_of(DType t) {
  const auto bits = std::uint8_t(8 * size_of(t));
  if (t == DType::Bool) return {kBoolCode, 8, 1};
  if (t == DType::UInt8) return {kUInt, 8, 1};
  if (t == DType::BFloat16) return {kBfloat, 16, 1};
  if (is_complex(t)) return {kComplexCode, bits, 1};
  return {is_floating(t) ? kFloat : kInt, bits, 1};
}

DType type_of(DLDataType d) {
  if (d.lanes == 1)
    for (int i = 0; i < kDTypes; ++i) {
      const DLDataType c = code_of(DType(i));
      if (c.code == d.code && c.bits == d.bits) return DType(i);
    }
  raise<RuntimeError>("Unsupported DLPack data type: code ", int(d.code), ", ", int(d.bits), " bits, ", d.lanes,
                      " lanes");
}

template <class Managed>
struct Exported {
  Managed managed{};
  Tensor tensor;
};

template <class Managed>
Managed* export_tensor(const Tensor& t) {
  auto* e = new Exported<Managed>();
  e->tensor = t;
  DLTensor& d = e->managed.dl_tensor;
  d.data = static_cast<char*>(t->storage->escape()) + t->offset * std::int64_t(size_of(t.dtype()));
  d.device = {kDLCPU, 0};
  d.ndim = t.dim();
  d.dtype = code_of(t.dtype());
  d.shape = e->tensor->sizes.data();
  d.strides = e->tensor->strides.data();
  e->managed.manager_ctx = e;
  e->managed.deleter = [](Managed* m) { delete static_cast<Exported<Managed>*>(m->manager_ctx); };
  return &e->managed;
}

template <class Managed>
void destroy_capsule(PyObject* capsule, const char* name) {
  if (!PyCapsule_IsValid(capsule, name)) return;  // somebody took it over and renamed it
  auto* m = static_cast<Managed*>(PyCapsule_GetPointer(capsule, name));
  if (m->deleter) m->deleter(m);
}

template <class Managed>
Tensor import_tensor(Managed* m) {
  const DLTensor& d = m->dl_tensor;
  HWARO_CHECK(d.device.device_type == kDLCPU, "Unsupported device_type: ", d.device.device_type);
  TensorImpl* t = TensorImpl::create();
  Tensor out(IntrusivePtr<TensorImpl>::adopt(t));
  t->dtype = type_of(d.dtype);
  t->sizes.assign({d.shape, std::size_t(d.ndim)});
  if (d.strides) t->strides.assign({d.strides, std::size_t(d.ndim)});
  else t->strides = contiguous_strides(t->sizes);
  t->refresh_geometry();
  std::int64_t last = 0;
  for (int i = 0; i < d.ndim; ++i) {
    HWARO_CHECK(t->strides[i] >= 0, "negative strides are not supported");
    last += (t->sizes[i] - 1) * t->strides[i];
  }
  t->storage = Storage::borrow(
      static_cast<char*>(d.data) + d.byte_offset, t->numel ? std::size_t(last + 1) * size_of(t->dtype) : 0,
      [](void* context) {
        auto* managed = static_cast<Managed*>(context);
        if (managed->deleter) {
          GilAcquire gil;
          managed->deleter(managed);
        }
      },
      m);
  t->storage->escape();
  return out;
}

PyObject* py_from_dlpack(PyObject*, PyObject* o) {
  HWARO_PY_TRY
  Ref capsule = Ref::share(o);
  if (!PyCapsule_CheckExact(o)) {
    const Ref method = Ref::adopt(PyObject_GetAttrString(o, "__dlpack__"));
    if (!method) return nullptr;
    capsule = Ref::adopt(PyObject_CallNoArgs(method.get()));
    if (!capsule) return nullptr;
  }
  if (PyCapsule_IsValid(capsule.get(), "dltensor_versioned")) {
    auto* m = static_cast<DLManagedTensorVersioned*>(PyCapsule_GetPointer(capsule.get(), "dltensor_versioned"));
    Tensor t = import_tensor(m);
    PyCapsule_SetName(capsule.get(), "used_dltensor_versioned");
    return wrap(std::move(t));
  }
  HWARO_CHECK(PyCapsule_IsValid(capsule.get(), "dltensor"),
              "from_dlpack received an invalid capsule. Note that DLTensor capsules can be consumed only once, so you "
              "might have already constructed a tensor "
              "from it once.");
  auto* m = static_cast<DLManagedTensor*>(PyCapsule_GetPointer(capsule.get(), "dltensor"));
  Tensor t = import_tensor(m);
  PyCapsule_SetName(capsule.get(), "used_dltensor");
  return wrap(std::move(t));
  HWARO_PY_CATCH(nullptr)
}

PyMethodDef interop_functions[] = {
    {"from_dlpack", py_from_dlpack, METH_O, "from_dlpack(ext_tensor) -> Tensor\n\nShares memory."}, {}};

}  // namespace

PyObject* tensor_dlpack(PyObject* self, PyObject* const* args, Py_ssize_t count, PyObject* kwnames) {
  HWARO_PY_TRY
  bool versioned = false;
  for (Py_ssize_t k = 0; kwnames && k < PyTuple_GET_SIZE(kwnames); ++k)
    if (PyUnicode_CompareWithASCIIString(PyTuple_GET_ITEM(kwnames, k), "max_version") == 0 &&
        PyTuple_Check(args[count + k]))
      versioned = PyLong_AsLong(PyTuple_GetItem(args[count + k], 0)) >= 1;
  const Tensor t = tensor_of(self);
  if (is_tracked(t)) {
    PyErr_SetString(PyExc_BufferError, "Can't export tensors that require gradient, use tensor.detach()");
    return nullptr;
  }
  if (t.is_conj()) {
    PyErr_SetString(PyExc_BufferError, "Can't export tensors with the conjugate bit set");
    return nullptr;
  }
  if (versioned) {
    auto* m = export_tensor<DLManagedTensorVersioned>(t);
    m->major = 1;
    m->minor = 0;
    return PyCapsule_New(m, "dltensor_versioned",
                         [](PyObject* c) { destroy_capsule<DLManagedTensorVersioned>(c, "dltensor_versioned"); });
  }
  return PyCapsule_New(export_tensor<DLManagedTensor>(t), "dltensor",
                       [](PyObject* c) { destroy_capsule<DLManagedTensor>(c, "dltensor"); });
  HWARO_PY_CATCH(nullptr)
}
PyObject* tensor_dlpack_device(PyObject*, PyObject*) { return Py_BuildValue("(ii)", int(kDLCPU), 0); }

bool add_interop(PyObject* module) { return PyModule_AddFunctions(module, interop_functions) == 0; }

}  // namespace hwaro::python
