"""What old and real scripts say: names that PyTorch keeps for them, with its warnings."""

import io
import warnings

import pytest

import hwaro as torch
import hwaro.nn.functional as F


def warned(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call()
    return result, [(w.category, str(w.message)) for w in caught]


def test_variables():
    from hwaro.autograd import Variable

    x = Variable(torch.ones(2), requires_grad=True)
    assert isinstance(x, Variable) and isinstance(x, torch.Tensor) and type(x) is torch.Tensor and x.requires_grad
    (x * 2).sum().backward()
    assert x.grad.data.tolist() == [2.0, 2.0]
    assert Variable(torch.ones(1)).data[0].item() == 1.0
    _, found = warned(lambda: Variable(torch.ones(1), volatile=True))
    assert found == [
        (UserWarning, "volatile was removed and now has no effect. Use `with torch.no_grad():` instead.")
    ]


def test_data_shares_memory_and_has_no_history():
    w = torch.nn.Parameter(torch.zeros(2))
    w.data.add_(torch.ones(2))
    assert w.tolist() == [1.0, 1.0] and not w.data.requires_grad
    w.data = torch.full((2,), 7.0)
    assert w.tolist() == [7.0, 7.0] and w.requires_grad and w.is_leaf


@pytest.mark.parametrize(
    "call, result",
    [
        (lambda x: torch.add(x, 2, x), [3.0, 6.0]),
        (lambda x: x.add(2, x), [3.0, 6.0]),
        (lambda x: x.clone().add_(-0.5, x), [0.5, 1.0]),
        (lambda x: torch.sub(x, 2, x), [-1.0, -2.0]),
        (lambda x: x.clone().addcmul_(2, x, x), [3.0, 10.0]),
        (lambda x: torch.addcmul(x, 2, x, x), [3.0, 10.0]),
        (lambda x: x.clone().addcdiv_(-1, x, x), [0.0, 1.0]),
        (lambda x: torch.addmm(1, x.view(1, 2), 2, x.view(1, 2), torch.eye(2)).view(-1), [3.0, 6.0]),
        (lambda x: torch.addmm(2, x.view(1, 2), x.view(1, 2), torch.eye(2)).view(-1), [3.0, 6.0]),
        (lambda x: x.view(1, 2).addmm(0, 2, x.view(1, 2), torch.eye(2)).view(-1), [2.0, 4.0]),
        (lambda x: x.clone().addmv_(1, 2, torch.eye(2), x), [3.0, 6.0]),
        (lambda x: torch.zeros(2, 2).addr_(1, 3, x, x).view(-1), [3.0, 6.0, 6.0, 12.0]),
        (lambda x: torch.baddbmm(1, torch.zeros(1, 1, 1), 2, x.view(1, 1, 2), x.view(1, 2, 1)).view(-1), [10.0]),
    ],
)
def test_numbers_before_tensors(call, result):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert call(torch.tensor([1.0, 2.0])).tolist() == result


def test_numbers_before_tensors_take_out_and_keep_errors():
    x, out = torch.tensor([1.0, 2.0]), torch.empty(2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert torch.add(x, 2, x, out=out) is out and out.tolist() == [3.0, 6.0]
    with pytest.raises(TypeError):
        torch.add(x, "a", x)
    with pytest.raises(TypeError, match="add_"):
        x.add_(1, 2, 3)


@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_activations_of_nn_functional(name):
    result, found = warned(lambda: getattr(F, name)(torch.zeros(1)))
    assert result.item() == (0.5 if name == "sigmoid" else 0.0)
    assert found == [] or all(f"nn.functional.{name} is deprecated" in text for _, text in found)


def test_size_average_and_reduce():
    text = "size_average and reduce args will be deprecated, please use reduction='{}' instead."
    for arguments, reduction in (
        ({"size_average": False}, "sum"),
        ({"size_average": True}, "mean"),
        ({"reduce": False}, "none"),
        ({"size_average": False, "reduce": True}, "sum"),
    ):
        loss, found = warned(lambda arguments=arguments: torch.nn.MSELoss(**arguments))
        assert loss.reduction == reduction and found == [(UserWarning, text.format(reduction))]
    value, found = warned(lambda: F.mse_loss(torch.ones(2), torch.zeros(2), size_average=False))
    assert value.item() == 2.0 and found == [(UserWarning, text.format("sum"))]


TYPED = {
    "FloatTensor": torch.float32,
    "DoubleTensor": torch.float64,
    "HalfTensor": torch.float16,
    "BFloat16Tensor": torch.bfloat16,
    "ByteTensor": torch.uint8,
    "CharTensor": torch.int8,
    "ShortTensor": torch.int16,
    "IntTensor": torch.int32,
    "LongTensor": torch.int64,
    "BoolTensor": torch.bool,
}


@pytest.mark.parametrize("name", TYPED)
def test_typed_constructors(name):
    cls, dtype = getattr(torch, name), TYPED[name]
    assert cls(2, 3).shape == (2, 3) and cls(2, 3).dtype == dtype and cls().shape == (0,)
    assert cls([1, 0]).tolist() == [1, 0] and cls(torch.Size([4])).shape == (4,)
    assert isinstance(cls(1), cls) and isinstance(cls(1), torch.Tensor)
    assert not isinstance(torch.empty(1, dtype=torch.complex64), cls)
    assert cls(1).type() == f"torch.{name}" and torch.ones(1).type(cls).dtype == dtype
    assert torch.ones(1).type(f"torch.{name}").dtype == dtype and repr(cls) == f"<class 'torch.{name}'>"
    same = cls([1, 1])
    assert cls(same).data_ptr() == same.data_ptr()


def test_new():
    x = torch.ones(2, dtype=torch.float64)
    assert x.new(3).shape == (3,) and x.new([1, 2]).dtype == torch.float64
    assert x.new_zeros(2, 3).dtype == torch.float64 and x.new_ones((2,), dtype=torch.int32).dtype == torch.int32
    assert x.new_full((2,), 5).tolist() == [5.0, 5.0] and x.new_empty(4).shape == (4,)
    assert x.new_tensor([1]).dtype == torch.float64


def test_resize_without_underscore():
    result, found = warned(lambda: torch.ones(4).resize(2, 2))
    assert result.shape == (2, 2) and found == [(UserWarning, "non-inplace resize is deprecated")]
    result, found = warned(lambda: torch.ones(4).resize_as(torch.ones(2, 2)))
    assert result.shape == (2, 2) and found == [(UserWarning, "non-inplace resize_as is deprecated")]
    with pytest.raises(RuntimeError, match="requested resize to 3 \\(3 elements in total\\), but the given tensor has"):
        torch.ones(4).resize(3)
    with pytest.raises(RuntimeError, match=r"reinforce\(\) was removed."):
        torch.ones(1).reinforce(1)


@pytest.mark.parametrize("name", ["solve", "eig", "lstsq", "symeig", "matrix_rank"])
def test_removed_functions_say_so(name):
    with pytest.raises(RuntimeError, match="This function was deprecated since version 1.9 and is now removed"):
        getattr(torch, name)(torch.ones(2, 2))


def test_flags_of_backends_and_versions():
    assert torch.version.cuda is None and torch.version.hip is None and torch.version.debug is False
    assert torch.backends.cudnn.is_available() is False and torch.backends.cudnn.version() is None
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = True
    assert torch.backends.cudnn.benchmark is True
    torch.backends.cudnn.benchmark = before
    torch.backends.cudnn.deterministic = True
    assert torch.backends.cudnn.deterministic is True
    torch.backends.cudnn.deterministic = False
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cuda.matmul.allow_tf32 = False
    assert torch.backends.mps.is_available() is False and torch.backends.mps.is_built() is False
    assert torch.accelerator.is_available() is False and torch.accelerator.current_accelerator() is None
    assert torch.xpu.is_available() is False and torch.mtia.is_available() is False
    major, minor = torch.__version__.split(".")[:2]
    assert (int(major), int(minor)) >= (2, 0)


def test_defaults():
    try:
        torch.set_default_dtype(torch.float64)
        assert torch.ones(1).dtype == torch.float64 == torch.get_default_dtype() == torch.tensor(1.5).dtype
    finally:
        torch.set_default_dtype(torch.float32)
    try:
        torch.set_default_device("meta")
        assert torch.ones(1).is_meta and torch.get_default_device() == torch.device("meta")
    finally:
        torch.set_default_device(None)
    assert torch.ones(1).is_cpu
    with torch.device("meta"):
        assert torch.nn.Linear(2, 3).weight.is_meta


def test_limits_of_types():
    f, i = torch.finfo(torch.float32), torch.iinfo(torch.int8)
    assert (f.bits, f.eps, f.tiny, f.dtype) == (32, 2.0**-23, 2.0**-126, "float32") and f.max > 3.4e38
    assert (i.bits, i.min, i.max, i.dtype) == (8, -128, 127, "int8")
    assert torch.finfo().dtype == "float32" and torch.finfo(torch.bfloat16).eps == 2.0**-7


def test_generators_and_states():
    state = torch.get_rng_state()
    a = torch.rand(3)
    torch.set_rng_state(state)
    assert torch.equal(a, torch.rand(3))
    g = torch.Generator(device="cpu")
    g.manual_seed(5)
    saved = g.get_state()
    b = torch.rand(2, generator=g)
    g.set_state(saved)
    assert torch.equal(b, torch.rand(2, generator=g)) and g.initial_seed() == 5 and g.device == torch.device("cpu")
    assert torch.Generator().seed() != torch.Generator().seed()


def test_state_dicts_are_saved_and_loaded():
    model, other = torch.nn.Linear(2, 3), torch.nn.Linear(2, 3)
    file = io.BytesIO()
    torch.save({"model": model.state_dict(), "epoch": 3, "best": torch.tensor(0.5)}, file)
    file.seek(0)
    found = torch.load(file, map_location=lambda storage, location: storage)
    other.load_state_dict(found["model"])
    assert torch.equal(model.weight, other.weight) and found["epoch"] == 3 and found["best"].item() == 0.5


def test_assert_close_says_what_differs():
    torch.testing.assert_close(torch.ones(2), torch.ones(2) + 1e-7)
    with pytest.raises(AssertionError) as caught:
        torch.testing.assert_close(torch.ones(2), torch.tensor([1.0, 2.0]))
    assert str(caught.value).splitlines()[:3] == ["Tensor-likes are not close!", "", "Mismatched elements: 1 / 2 (50.0%)"]
    with pytest.raises(AssertionError, match="The values for attribute 'dtype' do not match"):
        torch.testing.assert_close(torch.ones(2), torch.ones(2, dtype=torch.float64))
