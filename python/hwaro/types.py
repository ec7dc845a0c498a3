"""Names for type annotations."""
from typing import Any, List, Sequence, Tuple, Union

from hwaro._C import Size, Tensor, device, dtype, layout  # noqa: F401
from hwaro.storage import TypedStorage as Storage  # noqa: F401

Number = Union[int, float, bool]
_int, _float, _bool, _complex = int, float, bool, complex
_dtype, _device, _layout = dtype, device, layout
_TensorOrTensors = Union[Tensor, Sequence[Tensor]]
_TensorOrTensorsOrGradEdge = Union[Tensor, Sequence[Tensor], Any]
_size = Union[Size, List[int], Tuple[int, ...]]
Device = Union[device, str, int, None]
FileLike = Any
