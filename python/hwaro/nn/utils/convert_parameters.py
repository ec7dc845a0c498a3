"""All parameters as one vector."""
import hwaro as torch

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def _check_device(param, previous):
    """Raises unless all parameters are on one device."""
    index = param.device.index if param.device.type != "cpu" else -1
    if previous is not None and index != previous:
        raise TypeError("Found two parameters on different devices, this is currently not supported.")
    return index


def parameters_to_vector(parameters):
    """The elements of all parameters, one after the other."""
    parts, device = [], None
    for param in parameters:
        device = _check_device(param, device)
        parts.append(param.view(-1))
    return torch.cat(parts)


def vector_to_parameters(vec, parameters):
    """Lets the parameters' data be slices of vec."""
    if not isinstance(vec, torch.Tensor):
        raise TypeError(f"expected torch.Tensor, but got: {torch.typename(vec)}")
    start, device = 0, None
    for param in parameters:
        device = _check_device(param, device)
        count = param.numel()
        param.data = vec[start:start + count].view_as(param).data
        start += count
