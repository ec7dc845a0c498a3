"""`import torch` that gives Hwaro.

install() puts a finder in front of all others: the name torch, and every torch.x.y, becomes the very module object
hwaro, hwaro.x.y. A module that Hwaro lacks is imported as an empty stand-in, and what is taken from it raises at its
first use, in one line.
"""
import importlib
import importlib.abc
import importlib.machinery
import sys
import types

_ALIAS, _OWN = "torch", "hwaro"

# Modules that programs reach as attributes of their parents, without an import of their own, and that Hwaro lacks.
_ATTRIBUTES = {
    "": "onnx hub fx fft quantization ao export library ops classes sparse nested masked package monitor futures signal "
    "_dynamo _inductor contrib",
    ".nn": "quantized intrinsic qat quantizable",
    ".utils": "tensorboard cpp_extension model_zoo benchmark mobile_optimizer collect_env bottleneck",
    ".distributed": "rpc fsdp tensor optim elastic nn algorithms pipelining checkpoint launch run",
}
# What there is instead, for what similar names would not tell: the first prefix that fits counts.
_INSTEAD = {
    "torch.onnx": "torch.save(model.state_dict(), path)",
    "torch.jit": "the function or module itself, and torch.save(model.state_dict(), path)",
    "torch.hub": "torch.load(path) of a file that is here, and model.load_state_dict(…)",
    "torch.utils.model_zoo": "torch.load(path) of a file that is here, and model.load_state_dict(…)",
    "torch.utils.tensorboard": "torch.save of the numbers, or a picture by matplotlib",
    "torch.distributed": "training in one process (torch.utils.data.DataLoader has workers)",
    "torch.fx": "torch.nn.Module.named_modules() and forward hooks",
    "torch.quantization": "model.to(torch.bfloat16)",
    "torch.ao.quantization": "model.to(torch.bfloat16)",
    "torch.export": "torch.save(model.state_dict(), path)",
    "torch._dynamo": "torch.compile, which gives the function back",
    "torch.utils.cpp_extension": "find_package(hwaro) and #include <hwaro/hwaro.h>",
    "torch.utils.benchmark": "the module timeit of Python",
    "torch.sparse": "dense tensors",
    "torch.nested": "torch.nn.utils.rnn.pad_sequence",
    "torch.ops": "torch.nn.functional",
    "torch.fft": "numpy.fft of x.numpy()",
    "torch.stft": "numpy.fft of x.unfold(0, n, hop).numpy()",
    "torch.istft": "numpy.fft",
    "torch.profiler": "cProfile or time.perf_counter of Python",
}
# Names of modules that Hwaro has in small part.
_NAMES = {
    ".distributed": "init_process_group destroy_process_group new_group ReduceOp all_reduce all_gather reduce gather "
    "scatter reduce_scatter broadcast broadcast_object_list all_gather_object barrier send recv isend irecv "
    "get_backend ProcessGroup Work TCPStore FileStore init_device_mesh all_to_all monitored_barrier group",
}


class MissingName:
    """Something that a missing module would hold; every use of it raises."""

    def __init__(self, path):
        self.__dict__["_path"] = path

    def __getattr__(self, name):
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return MissingName(f"{self._path}.{name}")

    def _raise(self, *args, **kwargs):
        raise NotImplementedError(_explain(self._path))

    __call__ = __mro_entries__ = __getitem__ = __iter__ = __len__ = __enter__ = __bool__ = __setattr__ = _raise
    __eq__ = __ne__ = __lt__ = __gt__ = __add__ = __radd__ = __mul__ = _raise
    __hash__ = object.__hash__

    # Nothing is an instance of a class that does not exist.
    def __instancecheck__(self, instance):
        return False

    def __subclasscheck__(self, cls):
        return False

    def __repr__(self):
        return f"<{self._path}, which Hwaro does not have>"


class MissingModule(types.ModuleType):
    """A module of PyTorch that Hwaro lacks."""

    def __getattr__(self, name):
        if name.startswith("__") and name.endswith("__"):
            raise AttributeError(name)
        return MissingName(f"{self.__name__}.{name}")


def _known_names():
    """Dotted public names that exist, as the user writes them."""
    names = []
    for module in ("", ".nn", ".nn.functional", ".nn.init", ".nn.utils", ".optim", ".optim.lr_scheduler",
                   ".utils.data", ".autograd", ".linalg"):
        try:
            found = importlib.import_module(_OWN + module)
        except ImportError:
            continue
        names += [f"{_ALIAS}{module}.{name}" for name in dir(found) if not name.startswith("_")]
    return names


def _nearest(path):
    """The existing name that looks most like path: by its last part first, by the whole of it on a tie."""
    from difflib import SequenceMatcher
    last = path.rpartition(".")[2].lower()
    best, best_score = None, (0.0, 0.0)
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(last)
    for name in _known_names():
        matcher.set_seq1(name.rpartition(".")[2].lower())
        if matcher.quick_ratio() < max(best_score[0], 0.5):
            continue
        score = (matcher.ratio(), SequenceMatcher(None, name, path).ratio())
        if score > best_score:
            best, best_score = name, score
    return best if best_score[0] >= 0.75 else None


def _instead(path):
    """What to use in the place of something that is missing, or None."""
    near = next((text for prefix, text in _INSTEAD.items() if path == prefix or path.startswith(prefix + ".")), None)
    return near or _nearest(path)


def _explain(path):
    near = _instead(path)
    return f"Hwaro does not have {path}" + (f"; the nearest thing that it has is {near}" if near else "")


class _Loader(importlib.abc.Loader):
    """Hands out a module that exists already, and leaves its __spec__ as it was."""

    def __init__(self, module):
        self.module = module
        self.spec = getattr(module, "__spec__", None)

    def create_module(self, spec):
        return self.module

    def exec_module(self, module):
        module.__spec__ = self.spec


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, fullname, path=None, target=None):
        if fullname != _ALIAS and not fullname.startswith(_ALIAS + "."):
            return None
        module = _own_module(_OWN + fullname[len(_ALIAS):])
        if module is None:
            module = MissingModule(fullname)
            module.__path__ = []
        if not hasattr(module, "__path__"):
            module.__path__ = []  # what lies below it is looked for here, too
        is_package = True
        spec = importlib.machinery.ModuleSpec(fullname, _Loader(module), is_package=is_package,
                                              origin=getattr(module, "__file__", None))
        if isinstance(module, MissingModule):
            spec.loader.spec = spec
        return spec


def _own_module(name):
    """The module of this name, or None if there is none. Errors inside of existing modules are passed on."""
    if isinstance(sys.modules.get(name), types.ModuleType):
        return sys.modules[name]
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not (name == error.name or name.startswith(error.name + ".")):
            raise
    # Some modules exist as attributes only.
    parent, _, last = name.rpartition(".")
    parent = sys.modules.get(parent)
    value = parent.__dict__.get(last) if parent is not None else None
    return value if isinstance(value, types.ModuleType) else None


def _stand_ins(module, modules, names):
    """Lets a module give stand-ins for what PyTorch has there and Hwaro lacks."""
    own = getattr(module, "__getattr__", None)

    def __getattr__(name):
        if own is not None:
            try:
                return own(name)
            except AttributeError:
                if _finder is None or name not in modules and name not in names:
                    raise
        if _finder is not None and name in modules:
            return importlib.import_module(_ALIAS + module.__name__[len(_OWN) :] + "." + name)
        if _finder is not None and name in names:
            return MissingName(_ALIAS + module.__name__[len(_OWN) :] + "." + name)
        raise AttributeError(f"module '{_ALIAS}{module.__name__[len(_OWN):]}' has no attribute '{name}'")

    module.__getattr__ = __getattr__


_finder = None


def install():
    """From now on `import torch` gives Hwaro in this process."""
    global _finder
    if _finder is not None:
        return
    if _ALIAS in sys.modules:
        raise ImportError("PyTorch is already imported in this process, so `import torch` cannot give Hwaro any more")
    _finder = _Finder()
    sys.meta_path.insert(0, _finder)
    for path in {**_ATTRIBUTES, **_NAMES}:
        module = importlib.import_module(_OWN + path)
        if not getattr(module, "_has_stand_ins", False):
            _stand_ins(module, set(_ATTRIBUTES.get(path, "").split()), set(_NAMES.get(path, "").split()))
            module._has_stand_ins = True


def uninstall():
    """Let `import torch` mean PyTorch again; modules that were imported stay what they are."""
    global _finder
    if _finder is None:
        return
    sys.meta_path.remove(_finder)
    _finder = None
    for name in [name for name in sys.modules if name == _ALIAS or name.startswith(_ALIAS + ".")]:
        del sys.modules[name]
