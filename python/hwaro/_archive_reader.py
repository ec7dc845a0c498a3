"""What torch.load reads: zip archives and PyTorch's older files, and the names that their pickles may use."""

import collections
import io
import pickle
import sys
import zlib

from hwaro import _C, _pickle_reader, _utils
from hwaro import storage as _storage

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
PROTOCOL_VERSION = 1001
_HINT = "Weights only load failed. "
_OPTIONS = (
    "This file can still be loaded, to do so you have two options, \033[1mdo those steps only if you trust the source"
    " of the checkpoint\033[0m. \n\t(1) Call `torch.load` with `weights_only=False`: the file may then run any code. Do"
    " so only if you trust where it comes from.\n\t(2) Keep `weights_only=True` and follow the message"
    " below.\n\tWeightsUnpickler error: "
)

# ---- what may be loaded ----

_safe_globals = {}  # "module.name" -> object, added by the user


def _table():
    """ "module.name", as in PyTorch's files -> what stands for it here. Nothing else can be named by a file."""
    table = {
        "collections.OrderedDict": collections.OrderedDict,
        "collections.Counter": collections.Counter,
        "builtins.set": set,
        "builtins.bytearray": bytearray,
        "builtins.complex": complex,
        "_codecs.encode": _encode,
        "__builtin__.set": set,
        "__builtin__.bytearray": bytearray,
        "__builtin__.complex": complex,
        "torch.Size": _C.Size,
        "torch.device": _C.device,
        "torch.serialization._get_layout": _get_layout,
        "torch.nn.parameter.Parameter": _LazyParameter,
        "torch.Tensor": _C.Tensor,
        "torch._tensor.Tensor": _C.Tensor,
        "torch.storage.UntypedStorage": _storage.UntypedStorage,
        "torch.storage.TypedStorage": _storage.TypedStorage,
        "torch._tensor._rebuild_from_type_v2": _utils._rebuild_from_type_v2,
        "torch.nn.parameter._rebuild_parameter": _utils._rebuild_parameter,
    }
    for name in (
        "_rebuild_tensor",
        "_rebuild_tensor_v2",
        "_rebuild_tensor_v3",
        "_rebuild_parameter",
        "_rebuild_parameter_with_state",
        "_rebuild_meta_tensor_no_storage",
        "_rebuild_from_type_v2",
    ):
        table["torch._utils." + name] = getattr(_utils, name)
    for name, cls in _storage._CLASSES.items():
        table["torch." + name] = table["torch.storage." + name] = cls
    for dtype in set(_storage._DTYPES.values()):
        table[str(dtype)] = dtype
    return table


def _encode(text, encoding):
    """How pickles of protocol 2 write bytes."""
    if encoding not in ("latin1", "latin-1"):
        raise _pickle_reader.UnsafePickle(f"unexpected encoding {encoding!r}")
    return text.encode("latin1")


def _get_layout(name):
    if name != "torch.strided":
        raise _pickle_reader.UnsafePickle(f"unsupported layout {name}")
    return _C.strided


class _LazyParameter:
    """Stands for nn.Parameter in pickles, so that reading data does not load nn."""

    def __new__(cls, *args):
        from hwaro.nn import Parameter

        return Parameter(*args)


# ---- storages ----


class _MetaStorage:
    _meta = True

    def __init__(self, dtype):
        self.dtype = dtype


class _Loader:
    """Gives storages to a pickle as it names them."""

    def __init__(self, map_location, read):
        self.map_location, self.read = map_location, read
        self.loaded = {}

    def persistent_load(self, saved_id):
        if not isinstance(saved_id, tuple) or not saved_id or saved_id[0] not in ("storage", b"storage"):
            raise RuntimeError(
                "Unknown typename for persistent_load, expected 'storage' but got"
                f" '{saved_id[0] if saved_id else saved_id}'"
            )
        storage_type, key, location, numel = saved_id[1:5]
        if (
            not isinstance(storage_type, type)
            or not isinstance(key, str)
            or not isinstance(location, str)
            or not isinstance(numel, int)
        ):
            raise _pickle_reader.UnsafePickle("a storage is described in an unknown way")
        dtype = getattr(storage_type, "dtype", None) or _C.uint8
        if key not in self.loaded:
            self.loaded[key] = self.restore(key, location, numel * dtype.itemsize, dtype)
        untyped = self.loaded[key]
        if untyped is None:
            return _MetaStorage(dtype)
        return (
            untyped
            if storage_type is _storage.UntypedStorage
            else _storage.TypedStorage(wrap_storage=untyped, dtype=dtype)
        )

    def restore(self, key, location, nbytes, dtype):
        device = self.target(location, key, nbytes, dtype)
        if device == "meta":
            return None
        return _storage.UntypedStorage.__new__(_storage.UntypedStorage)._adopt(self.read(key, nbytes, dtype))

    def target(self, location, key, nbytes, dtype):
        wanted = self.map_location
        if wanted is None:
            wanted = location
        elif isinstance(wanted, dict):
            wanted = wanted.get(location, location)
        elif callable(wanted) and not isinstance(wanted, _C.device):
            made = wanted(_storage.UntypedStorage(0), location)
            wanted = location if made is None else made.device
        wanted = str(wanted)
        kind = wanted.split(":")[0]
        if kind in ("cpu", "meta"):
            return kind
        if kind == "cuda":
            raise RuntimeError(
                "Attempting to deserialize object on a CUDA device but torch.cuda.is_available() is False. If you are"
                " running on a CPU-only machine, please use torch.load with map_location=torch.device('cpu') to map"
                " your storages to the CPU."
            )
        raise RuntimeError(
            f"don't know how to restore data location of torch.storage.UntypedStorage (tagged with {wanted})"
        )


# ---- files ----


def _load(file, map_location, weights_only, mmap, arguments):
    begin = file.tell()
    head = file.read(4)
    file.seek(begin)
    if not head:
        raise EOFError("Ran out of input")
    if head[:2] == b"PK":
        return _load_zip(file, map_location, weights_only, mmap, arguments)
    if mmap:
        raise RuntimeError(
            "mmap can only be used with files saved with `torch.save(_use_new_zipfile_serialization=True), "
            "please torch.save your checkpoint with this option in order to use mmap."
        )
    return _load_legacy(file, map_location, weights_only, arguments)


def _load_zip(file, map_location, weights_only, mmap, arguments):
    import zipfile

    try:
        archive = zipfile.ZipFile(file)
    except zipfile.BadZipFile:
        raise RuntimeError("PytorchStreamReader failed reading zip archive: failed finding central directory") from None
    with archive:
        names = archive.namelist()
        root = names[0].split("/")[0] if names else ""
        if f"{root}/data.pkl" not in names:
            raise RuntimeError(
                "PytorchStreamReader failed locating file"
                f" {'constants.pkl' if f'{root}/code' in names else 'data.pkl'}: file not found"
            )
        swapped = _other_byteorder(archive, names, root)
        region = _map_file(file) if mmap else None

        def read(key, nbytes, dtype):
            name = f"{root}/data/{key}"
            if name not in names:
                raise RuntimeError(f"PytorchStreamReader failed locating file data/{key}: file not found")
            info = archive.getinfo(name)
            if info.file_size != nbytes:
                raise RuntimeError(f"the record data/{key} has {info.file_size} bytes where its tensors need {nbytes}")
            if nbytes and region is not None and info.compress_type == zipfile.ZIP_STORED and not swapped:
                return _C.frombuffer(region, dtype=_C.uint8, count=nbytes, offset=_begin_of(region, info))
            data = _C.functions["empty"](nbytes, dtype=_C.uint8)
            if nbytes:
                with archive.open(info) as record:
                    _fill(record, memoryview(data), key)
            return _swap(data, dtype) if swapped else data

        loader = _Loader(map_location, read)
        return _unpickle(io.BytesIO(_record(archive, f"{root}/data.pkl")), loader, weights_only, arguments)


def _record(archive, name):
    import zipfile

    try:
        return archive.read(name)
    except (zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise RuntimeError(f"PytorchStreamReader failed reading file {name.split('/', 1)[1]}: {error}") from None


def _fill(record, view, key):
    import zipfile

    done = 0
    try:
        while done < len(view):
            count = record.readinto(view[done : done + (1 << 24)])
            if not count:
                raise EOFError("the record ends early")
            done += count
        record.read(1)  # the checksum is compared at the end
    except (zipfile.BadZipFile, EOFError, zlib.error) as error:
        raise RuntimeError(f"PytorchStreamReader failed reading file data/{key}: {error}") from None


def _other_byteorder(archive, names, root):
    name = f"{root}/byteorder"
    if name not in names:
        return False
    order = archive.read(name)
    if order not in (b"little", b"big"):
        raise ValueError("Unknown endianness type: " + order.decode(errors="replace"))
    return order != sys.byteorder.encode()


def _swap(data, dtype):
    size = dtype.to_real().itemsize
    return data.view(-1, size).flip(1).reshape(-1) if size > 1 else data


def _map_file(file):
    import mmap

    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)


def _begin_of(region, info):
    header = info.header_offset
    name, extra = (int.from_bytes(region[header + i : header + i + 2], "little") for i in (26, 28))
    return header + 30 + name + extra


def _load_legacy(file, map_location, weights_only, arguments):
    """The format before PyTorch 1.6: pickles one after the other, then the bytes of all storages."""
    empty = _Loader(map_location, None)
    try:
        magic = _unpickle(file, empty, True, {}, many=True)
    except (pickle.UnpicklingError, EOFError, ValueError, KeyError, IndexError, RuntimeError) as error:
        raise pickle.UnpicklingError(
            _HINT + f"the file is neither a zip archive nor a pickle that torch.save wrote ({error})"
        ) from None
    if magic != MAGIC_NUMBER:
        raise RuntimeError("Invalid magic number; corrupt file?")
    version = _unpickle(file, empty, True, {}, many=True)
    if version != PROTOCOL_VERSION:
        raise RuntimeError(f"Invalid protocol version: {version}")
    system = _unpickle(file, empty, True, {}, many=True)
    if not system.get("little_endian", True):
        raise RuntimeError("files of this format from big-endian machines are not supported")
    waiting = {}

    def make(key, nbytes, dtype):
        waiting[key] = (_C.functions["empty"](nbytes, dtype=_C.uint8), dtype.itemsize)
        return waiting[key][0]

    result = _unpickle(file, _Loader(map_location, make), weights_only, arguments, many=True)
    for key in _unpickle(file, empty, True, {}, many=True):
        numel = int.from_bytes(file.read(8), "little")
        if key not in waiting:
            raise RuntimeError(f"the file holds a storage {key} that nothing refers to")
        data, itemsize = waiting[key]
        if numel * itemsize != data.numel():
            raise RuntimeError(f"the storage {key} has {numel * itemsize} bytes where its tensors need {data.numel()}")
        if data.numel() and file.readinto(memoryview(data)) != data.numel():
            raise EOFError(f"the bytes of the storage {key} end early")
    return result


def _unpickle(file, loader, weights_only, arguments, many=False):
    if not weights_only:
        return _FullUnpickler(file, loader, **arguments).load()
    table = _table()

    def resolve(module, name):
        full = f"{module}.{name}"
        if full.startswith("hwaro."):
            full = "torch." + full[6:]
        found = _safe_globals.get(f"{module}.{name}", table.get(full))
        if found is None:
            raise _pickle_reader.UnsafePickle(
                f"Unsupported global: GLOBAL {module}.{name} was not an allowed global by default. Please use"
                f" `torch.serialization.add_safe_globals([{name}])` or the `torch.serialization.safe_globals([{name}])`"
                " context manager to allowlist this global if you trust this class/function."
            )
        return found

    callables = {id(v) for v in table.values()} | {id(v) for v in _safe_globals.values()}
    classes = tuple(v for v in _safe_globals.values() if isinstance(v, type)) + (_C.Tensor,)
    reader = _pickle_reader.Reader(
        file,
        resolve,
        lambda f: id(f) in callables,
        lambda o: isinstance(o, classes),
        loader.persistent_load,
        arguments.get("encoding", "utf-8"),
    )
    try:
        return reader.load()
    except _pickle_reader.UnsafePickle as error:
        if many and loader.read is None:
            raise
        raise pickle.UnpicklingError(_HINT + _OPTIONS + str(error)) from None


class _FullUnpickler(pickle.Unpickler):
    """For weights_only=False: everything that Python's pickle can do, with PyTorch's names leading to ours."""

    def __init__(self, file, loader, **arguments):
        super().__init__(file, **arguments)
        self.loader, self.table = loader, _table()

    def persistent_load(self, saved_id):
        return self.loader.persistent_load(saved_id)

    def find_class(self, module, name):
        found = self.table.get(f"{module}.{name}")
        if found is not None and found is not _LazyParameter:
            return found
        if module.split(".")[0] == "torch":
            module = "hwaro" + module[5:]
        return super().find_class(module, name)
