// Storages for Python: hwaro.storage and hwaro.serialization see the bytes behind a tensor as a tensor of uint8.
#include "hwaro/ops/kinds/support.h"
#include "python/src/binding.h"

namespace hwaro::python {

namespace {

Tensor on_storage(const StoragePtr& storage, Device device, DType dtype, std::int64_t offset, Dims sizes,
                  Dims strides) {
  TensorImpl* t = TensorImpl::create();
  Tensor out(IntrusivePtr<TensorImpl>::adopt(t));
  t->storage = storage;
  t->device = device;
  t->dtype = dtype;
  t->offset = offset;
  t->sizes = std::move(sizes);
  t->strides = std::move(strides);
  t->refresh_geometry();
  return out;
}

// _storage_bytes(tensor) -> all bytes of its storage
PyObject* storage_bytes(PyObject*, PyObject* o) {
  HWARO_PY_TRY
  if (!is_tensor(o)) raise<TypeError>("expected a Tensor, not ", Py_TYPE(o)->tp_name);
  const Tensor t = tensor_of(o);
  HWARO_CHECK_AS(NotImplementedError, t->storage && !t.device().is_meta(), "Cannot copy out of meta tensor; no data!");
  return wrap(on_storage(t->storage, t.device(), DType::UInt8, 0, {std::int64_t(t->storage->nbytes())}, {1}));
  HWARO_PY_CATCH(nullptr)
}

// _tensor_on_storage(tensor, dtype, offset, size, stride) -> a tensor of that geometry on the storage of the given one.
// The geometry may come from a file: nothing outside the storage can be reached.
PyObject* tensor_on_storage(PyObject*, PyObject* args) {
  HWARO_PY_TRY
  PyObject *source, *dtype, *size, *stride;
  long long offset;
  if (!PyArg_ParseTuple(args, "OOLOO", &source, &dtype, &offset, &size, &stride)) return nullptr;
  if (!is_tensor(source) || !is_dtype(dtype)) raise<TypeError>("expected a Tensor and a torch.dtype");
  const Tensor t = tensor_of(source);
  const DType type = dtype_of_object(dtype);
  Dims sizes = dims_from(size), strides = dims_from(stride);
  HWARO_CHECK(sizes.size() == strides.size(), "mismatch in length of strides and shape");
  HWARO_CHECK(offset >= 0, "Tensor: invalid storage offset ", offset);
  std::int64_t last = offset, bytes = 0;
  bool empty = false, overflow = false;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    HWARO_CHECK(sizes[i] >= 0, "Trying to create tensor with negative dimension ", sizes[i], ": ", sizes_str(sizes));
    HWARO_CHECK(strides[i] >= 0,
                "as_strided: Negative strides are not supported at the moment, got strides: ", sizes_str(strides));
    std::int64_t span = 0;
    empty = empty || sizes[i] == 0;
    if (sizes[i] > 0)
      overflow = overflow || __builtin_mul_overflow(sizes[i] - 1, strides[i], &span) ||
                 __builtin_add_overflow(last, span, &last);
  }
  if (!empty)
    overflow = overflow || __builtin_add_overflow(last, 1, &last) ||
               __builtin_mul_overflow(last, std::int64_t(size_of(type)), &bytes);
  const std::size_t have = t->storage ? t->storage->nbytes() : 0;
  HWARO_CHECK(!overflow && std::uint64_t(bytes) <= have, "setStorage: sizes ", sizes_str(sizes), ", strides ",
              sizes_str(strides), ", storage offset ", offset, ", and itemsize ", size_of(type),
              " requiring a storage size of ", bytes, " are out of bounds for storage of size ", have);
  Tensor out = on_storage(t->storage, t.device(), type, offset, std::move(sizes), std::move(strides));
  out->counter = VersionCounter::create(0);
  return wrap(std::move(out));
  HWARO_PY_CATCH(nullptr)
}

PyMethodDef functions[] = {{"_storage_bytes", storage_bytes, METH_O, nullptr},
                           {"_tensor_on_storage", tensor_on_storage, METH_VARARGS, nullptr},
                           {}};

}  // namespace

bool add_storage(PyObject* module) {
  return PyModule_AddFunctions(module, functions) == 0 &&
         PyModule_AddObject(module, "_LinAlgError", Py_XNewRef(linalg_error())) == 0 &&
         PyModule_AddObject(module, "OutOfMemoryError", Py_XNewRef(out_of_memory_error())) == 0;
}

}  // namespace hwaro::python
