"""Comparing tensors in tests."""

from hwaro.testing._comparison import assert_allclose, assert_close  # noqa: F401


def make_tensor(
    *shape,
    dtype,
    device="cpu",
    low=None,
    high=None,
    requires_grad=False,
    noncontiguous=False,
    exclude_zero=False,
    memory_format=None,
):
    """A tensor of random elements between low and high (by default -9 to 9, for unsigned types and bool from 0)."""
    import hwaro as torch

    shape = tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else shape
    if noncontiguous and memory_format is not None:
        raise ValueError(
            "The parameters `noncontiguous` and `memory_format` are mutually exclusive, but got noncontiguous=True and"
            f" memory_format={memory_format}"
        )
    unsigned = dtype in (torch.uint8, torch.bool)
    low = (0 if unsigned else -9) if low is None else low
    high = (
        (2 if dtype == torch.bool else 10 if not dtype.is_floating_point and not dtype.is_complex else 9)
        if high is None
        else high
    )
    if low > high:
        raise ValueError(f"make_tensor: `low` must be less or equal `high`, but got {low} > {high}")
    full = shape[:-1] + (2 * shape[-1],) if noncontiguous and shape else shape
    if dtype.is_floating_point:
        out = torch.empty(full, dtype=dtype, device=device).uniform_(low, high)
    elif dtype.is_complex:
        out = torch.complex(
            torch.empty(full, dtype=dtype.to_real()).uniform_(low, high),
            torch.empty(full, dtype=dtype.to_real()).uniform_(low, high),
        )
    else:
        out = torch.randint(int(low), int(high), full, dtype=dtype, device=device)
    if exclude_zero:
        out[out == 0] = torch.finfo(dtype).tiny if dtype.is_floating_point or dtype.is_complex else 1
    if noncontiguous and shape:
        out = out[..., ::2]
    if memory_format is not None:
        out = out.clone(memory_format=memory_format)
    return out.requires_grad_() if requires_grad else out
