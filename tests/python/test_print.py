"""Printing: PyTorch's text, character by character (test_print.json was recorded from PyTorch)."""

import base64
import json
import pathlib

import pytest

import hwaro as torch

CASES = json.loads(pathlib.Path(__file__).with_suffix(".json").read_text())


@pytest.fixture(autouse=True)
def default_options():
    yield
    torch.set_printoptions(profile="default")


def build(dtype, shape, data, flags):
    dtype = getattr(torch, dtype)
    tensor = (
        torch.frombuffer(bytearray(base64.b64decode(data)), dtype=dtype).view(shape)
        if data
        else torch.empty(shape, dtype=dtype)
    )
    if "t" in flags:
        tensor = tensor.transpose(0, 1)
    if "c" in flags:
        tensor = tensor.conj()
    return tensor.detach().requires_grad_() if "g" in flags else tensor


@pytest.mark.parametrize("index", range(len(CASES)))
def test_text_is_pytorchs(index):
    dtype, shape, data, flags, options, expected = CASES[index]
    torch.set_printoptions(**options)
    assert repr(build(dtype, shape, data, flags)) == expected


def test_large_tensors_show_their_edges():
    assert repr(torch.arange(2000)) == "tensor([   0,    1,    2,  ..., 1997, 1998, 1999])"
    assert (
        repr(torch.zeros(1001, 1001))
        == "tensor([[0., 0., 0.,  ..., 0., 0., 0.],\n        [0., 0., 0.,  ..., 0., 0., 0.],\n        [0., 0., 0., "
        " ..., 0., 0., 0.],\n        ...,\n        [0., 0., 0.,  ..., 0., 0., 0.],\n        [0., 0., 0.,  ..., 0.,"
        " 0., 0.],\n        [0., 0., 0.,  ..., 0., 0., 0.]])"
    )


def test_history_and_long_suffixes():
    x = torch.ones(2, requires_grad=True)
    assert repr(x) == "tensor([1., 1.], requires_grad=True)"
    assert repr(x + 1) == "tensor([2., 2.], grad_fn=<AddBackward0>)"
    assert repr(x.expand(9, 2).reshape(18).exp()[:11]).endswith("2.7183], grad_fn=<SliceBackward0>)")
    assert repr(x.expand(8, 2).reshape(16).exp()[:8]).endswith("2.7183],\n       grad_fn=<SliceBackward0>)")


def test_empty_and_meta():
    assert repr(torch.empty(0)) == "tensor([])"
    assert repr(torch.empty(0, 3)) == "tensor([], size=(0, 3))"
    assert repr(torch.empty(0, dtype=torch.int64)) == "tensor([], dtype=torch.int64)"
    assert repr(torch.empty(2, 3, device="meta")) == "tensor(..., device='meta', size=(2, 3))"


def test_default_dtype_is_not_mentioned():
    torch.set_default_dtype(torch.float64)
    try:
        assert repr(torch.ones(1)) == "tensor([1.])"
        assert repr(torch.ones(1, dtype=torch.float32)) == "tensor([1.], dtype=torch.float32)"
    finally:
        torch.set_default_dtype(torch.float32)


def test_parameters_and_subclasses():
    class Mine(torch.Tensor):
        pass

    assert repr(torch.nn.Parameter(torch.ones(1))) == "Parameter containing:\ntensor([1.], requires_grad=True)"
    assert repr(Mine([1.0])) == "Mine([1.])"


def test_format_of_one_element_is_the_numbers():
    assert f"{torch.tensor(3.14159):.2f} {torch.tensor(7):3d}" == "3.14   7"
    assert f"{torch.ones(2)}" == "tensor([1., 1.])"
    with pytest.raises(TypeError, match="unsupported format string passed to Tensor.__format__"):
        f"{torch.ones(2):.2f}"


def test_options_are_remembered_and_restored():
    with torch._tensor_str.printoptions(precision=1, sci_mode=True):
        assert repr(torch.tensor([1.25])) == "tensor([1.2e+00])"
    assert torch._tensor_str.get_printoptions() == dict(
        precision=4, threshold=1000, edgeitems=3, linewidth=80, sci_mode=None
    )
    torch._tensor_str.PRINT_OPTS.precision = 2
    assert repr(torch.tensor([1.239])) == "tensor([1.24])"
