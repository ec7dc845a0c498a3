// Other libraries' arrays: the buffer protocol (NumPy, array, memoryview) and DLPack.
#pragma once

#include "python/src/binding.h"

namespace hwaro::python {

bool is_ndarray(PyObject* o);
// Whether o exports elements with a type: NumPy arrays and everything with __array_interface__, buffers with a format.
bool has_elements(PyObject* o);
// A tensor that shares o's memory. `for_copy`: only read at once, so no warning about read-only memory.
// Errors: TypeError for element types without a counterpart, ValueError for negative strides.
Tensor tensor_from_elements(PyObject* o, bool for_copy);
// Elements of a type read from the bytes of a buffer (torch.frombuffer).
Tensor tensor_from_buffer(PyObject* o, DType type, long long count, long long offset);
// The type of a NumPy scalar such as numpy.float32(1).
bool numpy_scalar_type(PyObject* o, DType& type);

}  // namespace hwaro::python
