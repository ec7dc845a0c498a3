"""From a list of samples to a batch."""
import copy
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence

import hwaro as torch

_UNKNOWN = "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found {}"


def _is_numpy(value):
    return type(value).__module__ == "numpy"


def default_convert(data):
    """NumPy arrays in data, however deep, as tensors."""
    kind = type(data)
    if isinstance(data, torch.Tensor):
        return data
    if _is_numpy(data):
        if kind.__name__ in ("str_", "string_", "bytes_") or (
                kind.__name__ == "ndarray" and data.dtype.kind in "SaUO"):
            return data
        return torch.as_tensor(data)
    if isinstance(data, Mapping):
        converted = {key: default_convert(data[key]) for key in data}
        try:
            if isinstance(data, MutableMapping):
                clone = copy.copy(data)
                clone.update(converted)
                return clone
            return kind(converted)
        except TypeError:
            return converted
    if isinstance(data, tuple) and hasattr(data, "_fields"):
        return kind(*(default_convert(item) for item in data))
    if isinstance(data, tuple):
        return [default_convert(item) for item in data]
    if isinstance(data, Sequence) and not isinstance(data, (str, bytes)):
        try:
            if isinstance(data, MutableSequence):
                clone = copy.copy(data)
                for index, item in enumerate(data):
                    clone[index] = default_convert(item)
                return clone
            return kind([default_convert(item) for item in data])
        except TypeError:
            return [default_convert(item) for item in data]
    return data


def _collate_tensors(batch, *, collate_fn_map=None):
    return torch.stack(batch, 0)


def _collate_arrays(batch, *, collate_fn_map=None):
    if batch[0].dtype.kind in "SaUO":
        raise TypeError(_UNKNOWN.format(batch[0].dtype))
    return collate([torch.as_tensor(item) for item in batch], collate_fn_map=collate_fn_map)


def _collate_numpy_scalars(batch, *, collate_fn_map=None):
    return torch.as_tensor(batch)


def _collate_floats(batch, *, collate_fn_map=None):
    return torch.tensor(batch, dtype=torch.float64)


def _collate_ints(batch, *, collate_fn_map=None):
    return torch.tensor(batch)


def _collate_texts(batch, *, collate_fn_map=None):
    return batch


default_collate_fn_map = {
    torch.Tensor: _collate_tensors,
    float: _collate_floats,
    int: _collate_ints,
    str: _collate_texts,
    bytes: _collate_texts,
}


def collate(batch, *, collate_fn_map=None):
    """Samples to a batch: by the functions for their types, and otherwise element by element."""
    elem = batch[0]
    kind = type(elem)
    if collate_fn_map is not None:
        function = collate_fn_map.get(kind)
        if function is not None:
            return function(batch, collate_fn_map=collate_fn_map)
        for known, function in collate_fn_map.items():
            if isinstance(elem, known):
                return function(batch, collate_fn_map=collate_fn_map)
        if _is_numpy(elem) and collate_fn_map is default_collate_fn_map:
            if hasattr(elem, "__array__") and kind.__name__ in ("ndarray", "memmap"):
                return _collate_arrays(batch, collate_fn_map=collate_fn_map)
            if kind.__name__ not in ("str_", "bytes_", "object_"):
                return _collate_numpy_scalars(batch, collate_fn_map=collate_fn_map)
    if isinstance(elem, Mapping):
        merged = {key: collate([sample[key] for sample in batch], collate_fn_map=collate_fn_map) for key in elem}
        try:
            if isinstance(elem, MutableMapping):
                clone = copy.copy(elem)
                clone.update(merged)
                return clone
            return kind(merged)
        except TypeError:  # The type cannot be made from a dict.
            return merged
    if isinstance(elem, tuple) and hasattr(elem, "_fields"):
        return kind(*(collate(samples, collate_fn_map=collate_fn_map) for samples in zip(*batch)))
    if isinstance(elem, Sequence):
        if not all(len(item) == len(elem) for item in batch):
            raise RuntimeError("each element in list of batch should be of equal size")
        columns = [collate(samples, collate_fn_map=collate_fn_map) for samples in zip(*batch)]
        if isinstance(elem, tuple):
            return columns
        try:
            if isinstance(elem, MutableSequence):
                clone = copy.copy(elem)
                for index, column in enumerate(columns):
                    clone[index] = column
                return clone
            return kind(columns)
        except TypeError:
            return columns
    raise TypeError(_UNKNOWN.format(kind))


def default_collate(batch):
    """Tensors are stacked, numbers become tensors, containers are kept; strings stay lists."""
    return collate(batch, collate_fn_map=default_collate_fn_map)
