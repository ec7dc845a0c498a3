"""torch.save and torch.load: PyTorch's files, written and read without running code from them.

A file is a zip archive of uncompressed records: data.pkl, a pickle whose tensors refer to storages by number, and
data/0, data/1, … with the bytes of each storage once. load() builds data only (see _pickle_reader) unless it is told
weights_only=False.
"""

import contextlib
import io
import os
import pickle
import sys
import types
import zlib

from hwaro import _C, _pickle_reader, _utils
from hwaro import storage as _storage
from hwaro._archive_reader import (  # noqa: F401 (some are names that PyTorch's module has, or that files mention)
    MAGIC_NUMBER,
    PROTOCOL_VERSION,
    _get_layout,
    _load,
    _safe_globals,
    _table,
)

DEFAULT_PROTOCOL = 2
_ALIGNMENT = 64


# ---- saving ----


class _Pickler(pickle._Pickler):
    """Writes tensors as references to storages, and Hwaro's own names as PyTorch's."""

    def __init__(self, file, protocol):
        super().__init__(file, protocol)
        self.storages = {}  # id of a storage -> (key, the storage)
        self.types = {}

    def persistent_id(self, obj):
        if not isinstance(obj, (_storage.TypedStorage, _storage.UntypedStorage)):
            return None
        typed = isinstance(obj, _storage.TypedStorage)
        untyped = obj._untyped_storage if typed else obj
        dtype = obj.dtype if typed else _C.uint8
        if self.types.setdefault(untyped._cdata, dtype) != dtype:
            raise RuntimeError("Cannot save multiple tensors or storages that view the same data as different types")
        key = self.storages.setdefault(untyped._cdata, (str(len(self.storages)), untyped))[0]
        cls = _storage._CLASSES[obj.pickle_storage_type()] if typed else _storage.UntypedStorage
        return "storage", cls, key, "cpu", untyped.nbytes() // dtype.itemsize

    def reducer_override(self, obj):
        if isinstance(obj, _C.Tensor) and type(obj).__reduce_ex__ in (_C.Tensor.__reduce_ex__, _parameter_reduce()):
            return _utils.reduce_tensor(obj)
        if obj is _C.Tensor:
            return "Tensor"
        if isinstance(obj, _C.device):
            return _C.device, (obj.type,) if obj.index is None else (obj.type, obj.index)
        if isinstance(obj, _C.Size):
            return _C.Size, (tuple(obj),)
        return NotImplemented

    def save_global(self, obj, name=None):
        name = name or getattr(obj, "__qualname__", None) or obj.__name__
        module = pickle.whichmodule(obj, name)
        if module.split(".")[0] not in ("hwaro", "torch"):
            return super().save_global(obj, name)
        if "." in name:
            raise pickle.PicklingError(f"Can't pickle {obj!r}: it is not at the top of its module")
        module = "torch._tensor" if name == "_rebuild_from_type_v2" else "torch" + module[5:]
        self.write(pickle.GLOBAL + f"{module}\n{name}\n".encode())
        self.memoize(obj)

    def save_type(self, obj):
        if obj in (type(None), type(NotImplemented), type(...)):
            return super().save_type(obj)
        return self.save_global(obj)

    dispatch = dict(pickle._Pickler.dispatch)
    dispatch[type] = save_type
    dispatch[types.FunctionType] = save_global


def _parameter_reduce():
    module = sys.modules.get("hwaro.nn.parameter")
    return module.Parameter.__reduce_ex__ if module else None


class _Archive:
    """Writes the records of a zip file, each aligned as PyTorch's memory maps want it."""

    def __init__(self, file, name):
        import zipfile

        self._info = zipfile.ZipInfo
        self.file, self.name = zipfile.ZipFile(file, "w", zipfile.ZIP_STORED), name
        self.checksum = 0

    def write(self, record, data):
        info = self._info(f"{self.name}/{record}")
        begin = self.file.fp.tell() + 30 + len(info.filename.encode()) + 4
        padding = -begin % _ALIGNMENT
        info.extra = b"FB" + padding.to_bytes(2, "little") + b"Z" * padding
        self.file.writestr(info, data)
        self.checksum = zlib.crc32(record.encode(), self.checksum) ^ info.CRC

    def close(self):
        self.file.close()


def save(
    obj,
    f,
    pickle_module=pickle,
    pickle_protocol=DEFAULT_PROTOCOL,
    _use_new_zipfile_serialization=True,
    _disable_byteorder_record=False,
):
    """Writes an object with its tensors to a file (a path or something with write()). PyTorch reads it, too."""
    if not _use_new_zipfile_serialization:
        raise NotImplementedError("the format of PyTorch before 1.6 is read but not written")
    if isinstance(f, (str, os.PathLike)):
        path = os.fspath(f)
        folder = os.path.dirname(path)
        if folder and not os.path.isdir(folder):
            raise RuntimeError(f"Parent directory {folder} does not exist.")
        name = os.path.splitext(os.path.basename(path))[0] or "archive"
        with open(path, "wb") as file:
            _write(obj, file, name, pickle_protocol)
        return
    if not hasattr(f, "write"):
        raise AttributeError("expected 'f' to be string, path, or a file-like object with a 'write' attribute")
    _write(obj, f, "archive", pickle_protocol)


def _write(obj, file, name, protocol):
    buffer = io.BytesIO()
    pickler = _Pickler(buffer, protocol)
    pickler.dump(obj)
    archive = _Archive(file, name)
    archive.write("data.pkl", buffer.getvalue())
    archive.write(".format_version", b"1")
    archive.write(".storage_alignment", str(_ALIGNMENT).encode())
    archive.write("byteorder", sys.byteorder.encode())
    for key, storage in pickler.storages.values():
        archive.write(f"data/{key}", memoryview(storage._all().contiguous()) if storage.nbytes() else b"")
    archive.write("version", b"3\n")
    archive.write(".data/serialization_id", f"{zlib.crc32(buffer.getvalue()):020d}{archive.checksum:020d}".encode())
    archive.close()


# ---- what may be loaded ----

def _full_name(obj):
    return f"{obj.__module__}.{getattr(obj, '__qualname__', obj.__name__)}"


def add_safe_globals(safe_globals):
    """Lets load(weights_only=True) use these classes and functions; an entry may be (object, "full.name")."""
    for entry in safe_globals:
        obj, name = entry if isinstance(entry, tuple) else (entry, _full_name(entry))
        _safe_globals[name] = obj


def get_safe_globals():
    return list(_safe_globals.values())


def clear_safe_globals():
    _safe_globals.clear()


class safe_globals(contextlib.ContextDecorator):
    """add_safe_globals() for the time of a with block."""

    def __init__(self, safe_globals):
        self.safe_globals = safe_globals

    def __enter__(self):
        self.before = dict(_safe_globals)
        add_safe_globals(self.safe_globals)

    def __exit__(self, *error):
        _safe_globals.clear()
        _safe_globals.update(self.before)


# ---- loading ----


def load(f, map_location=None, pickle_module=None, *, weights_only=None, mmap=None, **pickle_load_args):
    """Reads what save() (or PyTorch) wrote. map_location: where storages go, as a device, a dict or a function.

    Unless weights_only=False is said, only data can be loaded: tensors, containers, numbers, strings and classes named
    by add_safe_globals(). mmap=True leaves the bytes in the file until they are used.
    """
    weights_only = True if weights_only is None else bool(weights_only)
    if weights_only and pickle_module is not None:
        raise RuntimeError("Can not safely load weights when explicit pickle_module is specified")
    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as file:
            return _load(file, map_location, weights_only, mmap, pickle_load_args)
    if mmap:
        raise ValueError("f must be a file path in order to use the mmap argument")
    for name in ("seek", "tell", "read"):
        if not hasattr(f, name):
            raise AttributeError(
                f"'{type(f).__name__}' object has no attribute '{name}'. You can only torch.load from a file that is"
                " seekable. Please pre-load the data into a buffer like io.BytesIO and try to load from it instead."
            )
    return _load(f, map_location, weights_only, mmap, pickle_load_args)


def get_unsafe_globals_in_checkpoint(f):
    """Names in a file that load(weights_only=True) would refuse."""
    import zipfile

    with zipfile.ZipFile(f) as archive:
        root = archive.namelist()[0].split("/")[0]
        names = _pickle_reader.globals_in(archive.read(f"{root}/data.pkl"))
    table = _table()
    return [n for n in names if n not in table and n not in _safe_globals]


class skip_data:
    """PyTorch's way to write files without contents is not there."""

    def __init__(self, *args, **kwargs):
        raise NotImplementedError("Hwaro has no torch.serialization.skip_data")
