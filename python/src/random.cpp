// torch.Generator and the default generator's functions.
#include "hwaro/core/generator.h"

#include "python/src/binding.h"

namespace hwaro::python {

namespace {

struct PyGenerator {
  PyObject_HEAD Generator* generator;
  bool owned;
};
PyTypeObject GeneratorType = {PyVarObject_HEAD_INIT(nullptr, 0)};
PyObject* g_default = nullptr;

PyObject* generator_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  HWARO_PY_TRY
  static const char* names[] = {"device", nullptr};
  PyObject* device = nullptr;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "|O:Generator", const_cast<char**>(names), &device)) return nullptr;
  if (device && device != Py_None) {
    if (!is_device(device) && !PyUnicode_Check(device) && (!PyLong_Check(device) || PyBool_Check(device)))
      raise<TypeError>("Generator(): argument 'device' ", kwargs && PyDict_Size(kwargs) ? "" : "(position 1) ",
                       "must be torch.device, not ", Py_TYPE(device)->tp_name);
    const Device d = device_of_object(device);
    check_device_available(d);
    HWARO_CHECK(d.is_cpu(), "Device type ", name_of(d.type), " is not supported for torch.Generator() api.");
  }
  auto* self = reinterpret_cast<PyGenerator*>(type->tp_alloc(type, 0));
  if (!self) return nullptr;
  self->generator = new Generator();
  self->owned = true;
  return reinterpret_cast<PyObject*>(self);
  HWARO_PY_CATCH(nullptr)
}
void generator_dealloc(PyObject* self) {
  auto* g = reinterpret_cast<PyGenerator*>(self);
  if (g->owned) delete g->generator;
  Py_TYPE(self)->tp_free(self);
}

// Any Python int as 64 bits: negative seeds wrap, as PyTorch takes them.
std::uint64_t seed_of(PyObject* o) {
  const Ref number = Ref::adopt(PyNumber_Index(o));
  if (!number) {
    PyErr_Clear();
    const Ref integer = Ref::adopt(check(PyNumber_Long(o)));
    return PyLong_AsUnsignedLongLongMask(integer.get());
  }
  int overflow = 0;
  const long long small = PyLong_AsLongLongAndOverflow(number.get(), &overflow);
  if (!overflow) return static_cast<std::uint64_t>(small);
  const unsigned long long big = PyLong_AsUnsignedLongLong(number.get());
  if (PyErr_Occurred()) {
    PyErr_Clear();
    raise<RuntimeError>("Overflow when unpacking long long");
  }
  return big;
}

PyObject* seed_generator(Generator& g, PyObject* seed, PyObject* result) {
  HWARO_PY_TRY
  g.manual_seed(seed_of(seed));
  return Py_NewRef(result);
  HWARO_PY_CATCH(nullptr)
}
PyObject* state_of(Generator& g) {
  HWARO_PY_TRY
  const Generator::State state = g.get_state();
  const Tensor out = engine::make_tensor({Generator::kStateBytes}, DType::UInt8);
  std::copy(state.begin(), state.end(), out->write_as<std::uint8_t>());
  return wrap(out);
  HWARO_PY_CATCH(nullptr)
}
PyObject* set_state_of(Generator& g, PyObject* state, PyObject* result) {
  HWARO_PY_TRY
  if (!is_tensor(state)) raise<TypeError>("expected a torch.ByteTensor, but got ", Py_TYPE(state)->tp_name);
  const Tensor t = tensor_of(state);
  if (t.dtype() != DType::UInt8) raise<TypeError>("RNG state must be a torch.ByteTensor");
  const Tensor dense = engine::dense(t);
  g.set_state(dense->read(), dense.numel());
  return Py_NewRef(result);
  HWARO_PY_CATCH(nullptr)
}

Generator& self_of(PyObject* o) { return *reinterpret_cast<PyGenerator*>(o)->generator; }
PyObject* m_manual_seed(PyObject* o, PyObject* seed) { return seed_generator(self_of(o), seed, o); }
PyObject* m_seed(PyObject* o, PyObject*) { return PyLong_FromUnsignedLongLong(self_of(o).seed()); }
PyObject* m_initial_seed(PyObject* o, PyObject*) { return PyLong_FromUnsignedLongLong(self_of(o).initial_seed()); }
PyObject* m_get_state(PyObject* o, PyObject*) { return state_of(self_of(o)); }
PyObject* m_set_state(PyObject* o, PyObject* state) { return set_state_of(self_of(o), state, o); }
PyObject* m_device(PyObject*, void*) { return device_object(DeviceType::CPU); }
PyObject* m_clone_state(PyObject* o, PyObject*) {
  HWARO_PY_TRY
  const Ref fresh = Ref::adopt(check(PyObject_CallNoArgs(reinterpret_cast<PyObject*>(&GeneratorType))));
  const Generator::State state = self_of(o).get_state();
  self_of(fresh.get()).set_state(state.data(), Generator::kStateBytes);
  return Py_NewRef(fresh.get());
  HWARO_PY_CATCH(nullptr)
}
PyMethodDef generator_methods[] = {
    {"manual_seed", m_manual_seed, METH_O, "Sets the seed; returns the generator."},
    {"seed", m_seed, METH_NOARGS, "Seeds from the operating system; returns the seed."},
    {"initial_seed", m_initial_seed, METH_NOARGS, "The seed it started from."},
    {"get_state", m_get_state, METH_NOARGS, "The state as a ByteTensor of 5,056 elements."},
    {"set_state", m_set_state, METH_O, "Restores a state."},
    {"clone_state", m_clone_state, METH_NOARGS, "A generator in the same state."},
    {}};
PyGetSetDef generator_getset[] = {{"device", m_device, nullptr, nullptr, nullptr}, {}};

PyObject* f_manual_seed(PyObject*, PyObject* seed) { return seed_generator(default_generator(), seed, g_default); }
PyObject* f_seed(PyObject*, PyObject*) { return PyLong_FromUnsignedLongLong(default_generator().seed()); }
PyObject* f_initial_seed(PyObject*, PyObject*) {
  return PyLong_FromUnsignedLongLong(default_generator().initial_seed());
}
PyObject* f_get_state(PyObject*, PyObject*) { return state_of(default_generator()); }
PyObject* f_set_state(PyObject*, PyObject* state) { return set_state_of(default_generator(), state, Py_None); }
PyMethodDef random_functions[] = {
    {"manual_seed", f_manual_seed, METH_O, "Seeds the default generator and returns it."},
    {"seed", f_seed, METH_NOARGS, "Seeds the default generator from the operating system."},
    {"initial_seed", f_initial_seed, METH_NOARGS, "The default generator's seed."},
    {"get_rng_state", f_get_state, METH_NOARGS, "The default generator's state."},
    {"set_rng_state", f_set_state, METH_O, "Restores the default generator's state."},
    {}};

}  // namespace

bool is_generator(PyObject* o) { return Py_TYPE(o) == &GeneratorType; }
Generator* generator_of(PyObject* o) { return reinterpret_cast<PyGenerator*>(o)->generator; }

bool add_random(PyObject* module) {
  GeneratorType.tp_name = "torch._C.Generator";
  GeneratorType.tp_basicsize = sizeof(PyGenerator);
  GeneratorType.tp_flags = Py_TPFLAGS_DEFAULT;
  GeneratorType.tp_new = &generator_new;
  GeneratorType.tp_dealloc = &generator_dealloc;
  GeneratorType.tp_methods = generator_methods;
  GeneratorType.tp_getset = generator_getset;
  if (PyType_Ready(&GeneratorType) < 0) return false;
  auto* d = PyObject_New(PyGenerator, &GeneratorType);
  if (!d) return false;
  d->generator = &default_generator();
  d->owned = false;
  g_default = reinterpret_cast<PyObject*>(d);
  return PyModule_AddFunctions(module, random_functions) == 0 &&
         PyModule_AddObject(module, "Generator", Py_NewRef(reinterpret_cast<PyObject*>(&GeneratorType))) == 0 &&
         PyModule_AddObject(module, "default_generator", Py_NewRef(g_default)) == 0;
}

}  // namespace hwaro::python
