// What the files of the Python extension share. Raw CPython where calls must be cheap; nanobind for cold functions.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <exception>
#include <string>

#include "hwaro/core/tensor.h"
#include "hwaro/ops/registry.h"

namespace hwaro::python {

using engine::Tensor;

// ---- the Tensor object ----

// While the object lives it owns one reference to `impl`, and impl->pyobj points back at it. Where the object dies first
// but carries state (attributes, a subclass), it is kept alive by the tensor instead: Note [Objects that outlive themselves]
// in tensor_object.cpp.
struct PyTensor {
  PyObject_HEAD TensorImpl* impl;
  PyObject* dict;
  PyObject* weakrefs;
};

extern PyTypeObject TensorType;      // torch.Tensor
extern PyTypeObject TensorMetaType;  // its metaclass
void tensor_dealloc(PyObject* self);
void subclass_dealloc(PyObject* self);

// One load and compare, also for Parameter and other subclasses: all of them deallocate through our functions.
inline bool is_tensor(PyObject* o) {
  const destructor d = Py_TYPE(o)->tp_dealloc;
  return d == &tensor_dealloc || d == &subclass_dealloc;
}
inline TensorImpl* impl_of(PyObject* o) { return reinterpret_cast<PyTensor*>(o)->impl; }
inline Tensor tensor_of(PyObject* o) { return Tensor(IntrusivePtr<TensorImpl>::share(impl_of(o))); }
// New reference to the object of a tensor: the one it has, or a fresh torch.Tensor. None for an undefined tensor.
PyObject* wrap(Tensor tensor);
// A fresh object of the given subclass around a tensor that has none yet.
PyObject* wrap_as(PyTypeObject* type, Tensor tensor);

// requires_grad=True of a function that makes a tensor.
void require_grad_of_new(const Tensor& t);

// ---- errors ----

// Sets the Python error for the C++ exception that is being handled.
void set_error_from_exception() noexcept;
PyObject* linalg_error();         // borrowed torch.linalg.LinAlgError
PyObject* out_of_memory_error();  // borrowed torch.OutOfMemoryError
// Thrown where a Python error is set already.
struct PythonError : std::exception {};
[[noreturn]] inline void throw_python_error() { throw PythonError(); }
template <class T>
T* check(T* object) {
  if (!object) throw_python_error();
  return object;
}

#define HWARO_PY_TRY try {
#define HWARO_PY_CATCH(failure)                  \
  }                                              \
  catch (...) {                                  \
    ::hwaro::python::set_error_from_exception(); \
    return failure;                              \
  }

// A counted reference to a Python object.
class Ref {
 public:
  Ref() = default;
  static Ref adopt(PyObject* o) {
    Ref r;
    r.o_ = o;
    return r;
  }
  static Ref share(PyObject* o) {
    Py_XINCREF(o);
    return adopt(o);
  }
  Ref(const Ref& other) : o_(other.o_) { Py_XINCREF(o_); }
  Ref(Ref&& other) noexcept : o_(std::exchange(other.o_, nullptr)) {}
  Ref& operator=(Ref other) noexcept {
    std::swap(o_, other.o_);
    return *this;
  }
  ~Ref() { Py_XDECREF(o_); }
  PyObject* get() const { return o_; }
  PyObject* release() { return std::exchange(o_, nullptr); }
  explicit operator bool() const { return o_ != nullptr; }

 private:
  PyObject* o_ = nullptr;
};

PyGILState_STATE acquire_interpreter();  // interpreter.cpp: for any thread, also while the interpreter ends
void restore_interpreter(PyThreadState* state);
struct GilAcquire {
  PyGILState_STATE state = acquire_interpreter();
  ~GilAcquire() { PyGILState_Release(state); }
};
struct GilRelease {
  PyThreadState* state = PyEval_SaveThread();
  ~GilRelease() { restore_interpreter(state); }
};

// ---- small objects (types.cpp) ----

extern PyTypeObject DTypeType, DeviceType_, SizeType, LayoutType, MemoryFormatType;
PyObject* dtype_object(DType t);  // borrowed
bool is_dtype(PyObject* o);
DType dtype_of_object(PyObject* o);
// A dtype, or the one that float, int, bool or complex stands for; none for anything else.
std::optional<DType> dtype_from(PyObject* o);
PyObject* device_object(Device d);  // new
bool is_device(PyObject* o);
Device device_of_object(PyObject* o);  // a device object, a string or an index; throws
// Where factory functions put tensors if they are not told: set_default_device(), `with torch.device(...)`.
struct DefaultDevice {
  Device device;
  bool given = false;
};
inline thread_local constinit DefaultDevice t_default_device;
PyObject* size_object(IntSpan sizes);            // new torch.Size
PyObject* layout_object();                       // borrowed torch.strided
PyObject* memory_format_object(MemoryFormat f);  // borrowed
bool is_memory_format(PyObject* o);
MemoryFormat memory_format_of(PyObject* o);
PyObject* int_tuple(IntSpan values);  // new tuple
bool add_types(PyObject* module);

// ---- numbers (convert.cpp) ----

// Python number (also NumPy's) -> Scalar; false without an error where it is none.
bool scalar_from(PyObject* o, Scalar& out);
PyObject* scalar_object(const Scalar& s);
// The element of a one-element tensor as a Python number.
PyObject* item_object(const Tensor& t);
// Anything with __index__ except bool; false without an error.
bool int_from(PyObject* o, std::int64_t& out);
bool is_index(PyObject* o);
Dims dims_from(PyObject* sequence);                                     // throws
PyObject* result_object(engine::Result& result, const Schema* schema);  // new

// Generators are nanobind-free thin objects, see random.cpp.
bool is_generator(PyObject* o);
Generator* generator_of(PyObject* o);
bool add_random(PyObject* module);

// ---- operators as Python objects (op_object.cpp) ----

bool add_operators(PyObject* module);
// Calls the operators of one name with Python arguments, as Python would (used by the number protocol's slow paths).
PyObject* call_function(const char* name, PyObject* const* args, Py_ssize_t count, PyObject* kwnames = nullptr);
// The deduplicated named tuple type of an operator's results: torch.return_types.sort.
PyTypeObject* return_type(const Schema& schema);

// ---- parts of the module ----

bool add_tensor_type(PyObject* module);
extern PyNumberMethods tensor_number_methods;
extern PyMappingMethods tensor_mapping_methods;
extern PyBufferProcs tensor_buffer_procs;
extern PyGetSetDef tensor_getset[];
extern PyMethodDef tensor_methods[];
PyObject* tensor_richcompare(PyObject* a, PyObject* b, int op);
PyObject* tensor_repr(PyObject* self);
PyObject* tensor_new(PyTypeObject* type, PyObject* args, PyObject* kwargs);
bool add_autograd(PyObject* module);
bool add_creation(PyObject* module);
bool add_interop(PyObject* module);
bool add_settings(PyObject* module);
bool add_display(PyObject* module);
bool add_storage(PyObject* module);
bool add_number_protocol();

}  // namespace hwaro::python
