"""Signatures of what is compiled but not an operator. Names begin with an underscore where a member of the same name
would hide the type (Tensor.dtype, torch.float)."""

# Attributes of Tensor; the first letter says whether they may be set.
ATTRIBUTES = {
    name: kind
    for kind, names in {
        "_bool": "is_cpu is_cuda is_leaf is_meta is_mkldnn is_mps is_nested is_quantized is_sparse is_sparse_csr "
        "is_xpu retains_grad",
        "_int": "itemsize nbytes ndim output_nr",
        "Tensor": "H T mH mT",
        "_dtype": "dtype",
        "_device": "device",
        "_layout": "layout",
        "Size": "shape",
        "Node | None": "grad_fn",
    }.items()
    for name in names.split()
}
SETTABLE = {"data": "Tensor", "real": "Tensor", "imag": "Tensor", "requires_grad": "_bool", "grad": "Tensor | None"}

# Methods of Tensor and of no operator: everything after the name.
METHODS = {
    "backward": "(self, gradient: Tensor | None = None, retain_graph: _bool | None = None, "
    "create_graph: _bool = False, inputs: Sequence[Tensor] | Tensor | None = None) -> None",
    "data_ptr": "(self) -> _int",
    "detach_": "(self) -> Tensor",
    "dim": "(self) -> _int",
    "element_size": "(self) -> _int",
    "get_device": "(self) -> _int",
    "is_complex": "(self) -> _bool",
    "is_conj": "(self) -> _bool",
    "is_contiguous": "(self, memory_format: _memory_format = ...) -> _bool",
    "is_floating_point": "(self) -> _bool",
    "is_inference": "(self) -> _bool",
    "is_neg": "(self) -> _bool",
    "is_pinned": "(self, device: _Device | None = None) -> _bool",
    "is_set_to": "(self, tensor: Tensor) -> _bool",
    "is_signed": "(self) -> _bool",
    "item": "(self) -> Any",
    "ndimension": "(self) -> _int",
    "nelement": "(self) -> _int",
    "numel": "(self) -> _int",
    "numpy": "(self, *, force: _bool = False) -> Any",
    "register_hook": "(self, hook: Callable[[Tensor], Any]) -> HookHandle",
    "register_post_accumulate_grad_hook": "(self, hook: Callable[[Tensor], None]) -> HookHandle",
    "requires_grad_": "(self, requires_grad: _bool = True) -> Tensor",
    "retain_grad": "(self) -> None",
    "storage_offset": "(self) -> _int",
    "tolist": "(self) -> Any",
}
_TO = "non_blocking: _bool = False, copy: _bool = False, *, memory_format: _memory_format | None = None"
OVERLOADED = {
    "size": ["(self, dim: None = None) -> Size", "(self, dim: _int) -> _int"],
    "stride": ["(self, dim: None = None) -> tuple[_int, ...]", "(self, dim: _int) -> _int"],
    "to": [
        f"(self, dtype: _dtype, {_TO}) -> Tensor",
        f"(self, device: _Device | None = None, dtype: _dtype | None = None, {_TO}) -> Tensor",
        f"(self, other: Tensor, {_TO}) -> Tensor",
    ],
    "type": [
        "(self, dtype: None = None, non_blocking: _bool = False) -> _str",
        "(self, dtype: _dtype | _str, non_blocking: _bool = False) -> Tensor",
    ],
}

# What Python's operators call.
OPERATORS = (
    [
        "def __init__(self, *args: Any, device: _Device | None = None) -> None",
        "def __getitem__(self, indices: Any) -> Tensor",
        "def __setitem__(self, indices: Any, value: Tensor | _Number) -> None",
        "def __len__(self) -> _int",
        "def __iter__(self) -> Iterator[Tensor]",
        "def __contains__(self, element: Any) -> _bool",
        "def __bool__(self) -> _bool",
        "def __int__(self) -> _int",
        "def __float__(self) -> _float",
        "def __complex__(self) -> _complex",
        "def __index__(self) -> _int",
        "def __hash__(self) -> _int",
    ]
    + [f"def __{name}__(self) -> Tensor" for name in "neg pos abs invert".split()]
    + [
        f"def __{name}__(self, other: Tensor | _Number) -> Tensor"
        for base in "add sub mul truediv floordiv mod pow and or xor lshift rshift".split()
        for name in (base, "r" + base, "i" + base)
    ]
    + [f"def __{name}__(self, other: Tensor) -> Tensor" for name in ("matmul", "rmatmul", "imatmul")]
    + [f"def __{name}__(self, other: Any) -> Tensor" for name in "eq ne lt le gt ge".split()]
)

# Functions of the compiled module and of the package.
_FACTORY = "*, dtype: _dtype | None = None, device: _Device | None = None, requires_grad: _bool = False"
FUNCTIONS = {
    "tensor": f"(data: Any, {_FACTORY}, pin_memory: _bool = False) -> Tensor",
    "as_tensor": "(data: Any, dtype: _dtype | None = None, device: _Device | None = None) -> Tensor",
    "asarray": "(obj: Any, *, dtype: _dtype | None = None, device: _Device | None = None, copy: _bool | None = None, "
    "requires_grad: _bool = False) -> Tensor",
    "from_numpy": "(ndarray: Any) -> Tensor",
    "from_dlpack": "(ext_tensor: Any) -> Tensor",
    "frombuffer": "(buffer: Any, *, dtype: _dtype, count: _int = -1, offset: _int = 0, "
    "requires_grad: _bool = False) -> Tensor",
    "can_cast": "(from_: _dtype, to: _dtype) -> _bool",
    "promote_types": "(type1: _dtype, type2: _dtype) -> _dtype",
    "get_default_dtype": "() -> _dtype",
    "set_default_dtype": "(d: _dtype) -> None",
    "get_num_threads": "() -> _int",
    "set_num_threads": "(int: _int) -> None",
    "is_grad_enabled": "() -> _bool",
    "is_inference_mode_enabled": "() -> _bool",
    "manual_seed": "(seed: _int) -> Generator",
    "seed": "() -> _int",
    "initial_seed": "() -> _int",
    "get_rng_state": "() -> Tensor",
    "set_rng_state": "(new_state: Tensor) -> None",
    "memory_stats": "() -> dict[_str, _int]",
    "memory_allocated": "() -> _int",
    "max_memory_allocated": "() -> _int",
    "memory_reserved": "() -> _int",
    "max_memory_reserved": "() -> _int",
    "reset_peak_memory_stats": "() -> None",
    "empty_cache": "() -> None",
}

# Classes of the compiled module. A name that is not here is declared without members.
CLASSES = {
    "dtype": [
        "is_floating_point: _bool",
        "is_complex: _bool",
        "is_signed: _bool",
        "itemsize: _int",
        "def to_real(self) -> dtype",
        "def to_complex(self) -> dtype",
    ],
    "device": [
        "type: _str",
        "index: _int | None",
        "def __init__(self, type: _str | device | _int, index: _int = ...) -> None",
        "def __enter__(self) -> device",
        "def __exit__(self, *args: Any) -> None",
    ],
    "Size": ["def numel(self) -> _int"],
    "Generator": [
        "device: _device",
        "def __init__(self, device: _Device = ...) -> None",
        "def manual_seed(self, seed: _int) -> Generator",
        "def seed(self) -> _int",
        "def initial_seed(self) -> _int",
        "def get_state(self) -> Tensor",
        "def set_state(self, new_state: Tensor) -> Generator",
        "def clone_state(self) -> Generator",
    ],
    "HookHandle": [
        "def remove(self) -> None",
        "def __enter__(self) -> HookHandle",
        "def __exit__(self, *args: Any) -> None",
    ],
    "Node": [
        "next_functions: tuple[tuple[Node | None, _int], ...]",
        "metadata: dict[Any, Any]",
        "def name(self) -> _str",
        "def register_hook(self, fn: Callable[..., Any]) -> HookHandle",
        "def register_prehook(self, fn: Callable[..., Any]) -> HookHandle",
    ],
}
BASES = {"Size": "tuple[_int, ...]", "OutOfMemoryError": "RuntimeError", "_LinAlgError": "RuntimeError"}
