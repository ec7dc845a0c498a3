"""Subclasses of Tensor and __torch_function__: what they are shown, what comes back."""

import copy
import pickle
import subprocess
import sys

import pytest

import hwaro as torch
from hwaro.overrides import TorchFunctionMode

LOG = []


class Logged(torch.Tensor):
    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        LOG.append((func.__name__, [t.__name__ for t in types], [type(a).__name__ for a in args], sorted(kwargs or {})))
        return super().__torch_function__(func, types, args, kwargs)


class Plain(torch.Tensor):
    pass


class Child(Plain):
    pass


def logged(function):
    LOG.clear()
    result = function()
    return type(result).__name__, [entry[0] for entry in LOG]


@pytest.fixture
def x():
    return torch.tensor([1.0, 2.0]).as_subclass(Logged)


@pytest.fixture
def plain():
    return torch.tensor([3.0, 4.0])


def test_operators_show_the_names_of_pytorch(x, plain):
    i = torch.tensor([1, 2]).as_subclass(Logged)
    assert logged(lambda: x + plain) == ("Logged", ["add"]) == logged(lambda: plain + x) == logged(lambda: 2 + x)
    assert logged(lambda: x - 1) == ("Logged", ["sub"])
    assert logged(lambda: 1 - x) == ("Logged", ["__rsub__"])
    assert logged(lambda: x / 2) == ("Logged", ["div"])
    assert logged(lambda: x @ plain) == ("Logged", ["matmul"])
    assert logged(lambda: -x) == ("Logged", ["neg"])
    assert logged(lambda: x < 2) == ("Logged", ["lt"]) and logged(lambda: 2 < x) == ("Logged", ["gt"])
    assert logged(lambda: x == plain) == ("Logged", ["__eq__"])
    assert logged(lambda: i & 1) == ("Logged", ["__and__"])
    assert logged(lambda: x[0]) == ("Logged", ["__getitem__"])
    assert logged(lambda: len(x)) == ("int", ["__len__"])
    assert logged(lambda: bool(x[0] > 0)) == ("bool", ["__getitem__", "gt", "__bool__"])


def test_in_place_operators_and_assignment(x):
    LOG.clear()
    y = x
    y += 1
    y[0] = 5.0
    assert y is x and [entry[0] for entry in LOG] == ["add_", "__setitem__"]
    assert x.tolist() == [5.0, 3.0]


def test_functions_methods_and_attributes(x, plain):
    assert logged(lambda: torch.add(plain, x)) == ("Logged", ["add"])
    assert logged(lambda: torch.cat([plain, x])) == ("Logged", ["cat"])
    assert logged(lambda: torch.stack((x, x))) == ("Logged", ["stack"])
    assert logged(lambda: x.sum()) == ("Logged", ["sum"]) and logged(lambda: x.to(torch.float64)) == ("Logged", ["to"])
    assert logged(lambda: x.shape) == ("Size", ["__get__"]) and logged(lambda: x.dim()) == ("int", ["dim"])
    assert logged(lambda: x.T) == ("Logged", ["__get__"]) and logged(lambda: x.data) == ("Logged", ["__get__"])
    assert logged(lambda: x.tolist()) == ("list", ["tolist"])
    LOG.clear()
    x.requires_grad = True
    assert LOG == [("__set__", ["Logged"], ["Logged", "bool"], [])]


def test_results_in_tuples_and_named_types(x):
    values, indices = torch.max(x, 0)
    assert type(values) is type(indices) is Logged
    assert type(torch.sort(x)).__name__ == "sort" and type(torch.sort(x).values) is Logged
    assert [type(part) for part in x.split(1)] == [Logged, Logged]


def test_plain_subclasses_propagate():
    a = Plain([1.0, 2.0])
    assert type(a) is Plain and repr(a) == "Plain([1., 2.])"
    for result in (a + 1, 1 - a, a.sum(), torch.relu(a), a[0], a.clone(), a.new_tensor([1]), a.float()):
        assert type(result) is Plain
    assert type(a.as_subclass(torch.Tensor)) is torch.Tensor
    assert type(torch.tensor(a)) is torch.Tensor


def test_the_more_derived_class_wins():
    a, b = Plain([1.0]), Child([2.0])
    assert type(a + b) is type(b + a) is Child


def test_unrelated_classes_refuse_each_other():
    a, b = Plain([1.0]), Logged([2.0])
    with pytest.raises(TypeError) as caught:
        a + b
    assert str(caught.value).startswith(
        "Multiple dispatch failed for 'hwaro.add'; all __torch_function__ handlers returned NotImplemented:"
    ) or "Multiple dispatch failed for" in str(caught.value)


def test_gradients_flow_through_subclasses():
    leaf = torch.ones(2, requires_grad=True)
    a = leaf.as_subclass(Plain)
    assert type(a.grad_fn).__name__ == "AliasBackward0"
    loss = (a * 3).sum()
    assert type(loss) is Plain
    loss.backward()
    assert leaf.grad.tolist() == [3.0, 3.0]
    own = Plain([1.0, 2.0]).requires_grad_()
    (own * own).sum().backward()
    assert own.grad.tolist() == [2.0, 4.0] and type(own.grad) is torch.Tensor


def test_parameters_give_plain_tensors():
    p = torch.nn.Parameter(torch.ones(2))
    assert type(p + 1) is torch.Tensor and type(p.data) is torch.Tensor and type(p.clone()) is torch.Tensor

    class Special(torch.nn.Parameter):
        pass

    assert type(Special(torch.ones(2)) * 2) is torch.Tensor


def test_objects_that_are_no_tensors_take_part():
    class Duck:
        def __torch_function__(self, func, types, args=(), kwargs=None):
            return func.__name__, len(args)

    duck = Duck()
    assert torch.add(torch.ones(1), duck) == ("add", 2) == torch.ones(1) + duck
    assert torch.cat([torch.ones(1), duck]) == ("cat", 1)
    assert torch.relu(duck) == ("relu", 1)


def test_not_implemented_from_all_is_a_type_error():
    class Refusing:
        def __torch_function__(self, func, types, args=(), kwargs=None):
            return NotImplemented

    with pytest.raises(TypeError, match="all __torch_function__ handlers returned NotImplemented"):
        torch.add(torch.ones(1), Refusing())


def test_operands_that_do_not_fit_are_left_to_python():
    with pytest.raises(TypeError, match=r"unsupported operand type\(s\) for \+: 'Plain' and 'str'"):
        Plain([1.0]) + "a"

    class Right:
        def __radd__(self, other):
            return "mine"

    assert Plain([1.0]) + Right() == "mine" == torch.ones(1) + Right()


def test_numbers_too_large_are_errors():
    for call in (lambda a: a + 10**30, lambda a: 10**30 - a, lambda a: 10**30 / a, lambda a: a.__iadd__(10**30)):
        with pytest.raises(OverflowError, match="int too big to convert"):
            call(Plain([1.0]))


def test_disabling():
    a = Plain([1.0])
    with torch._C.DisableTorchFunctionSubclass():
        assert type(a + 1) is torch.Tensor
        assert not torch.overrides.has_torch_function((a,))
    assert type(a + 1) is Plain and torch.overrides.has_torch_function((a,))


def test_modes_see_every_call():
    names = []

    class Mode(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            names.append(func.__name__)
            return func(*args, **(kwargs or {}))

    with Mode():
        with Mode():
            torch.ones(2) + 1
    assert names == ["ones", "ones", "add", "add"]
    torch.ones(2)
    assert len(names) == 4


def test_modes_may_change_results():
    class Twice(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            out = func(*args, **(kwargs or {}))
            return out * 2 if func is torch.ones else out

    with Twice():
        assert torch.ones(2).tolist() == [2.0, 2.0]


def test_wrapped_functions_of_users():
    @torch.overrides.wrap_torch_function(lambda value: (value,))
    def double(value):
        return value * 2

    assert double(3) == 6
    LOG.clear()
    assert type(double(torch.ones(1).as_subclass(Logged))) is Logged and LOG[0][0] == "double"


def test_copies_and_pickles_keep_the_class():
    a = Plain([1.0, 2.0])
    a.note = "kept"
    for made in (copy.deepcopy(a), copy.copy(a)):
        assert type(made) is Plain and made.note == "kept" and made.tolist() == [1.0, 2.0]


def test_errors_inside_handlers_are_passed_on():
    class Failing(torch.Tensor):
        @classmethod
        def __torch_function__(cls, func, types, args=(), kwargs=None):
            raise KeyError(func.__name__)

    a = torch.ones(2).as_subclass(Failing)
    for call, name in ((lambda: a + 1, "add"), (lambda: a.shape, "__get__"), (lambda: a.size(), "size"),
                       (lambda: a[0], "__getitem__"), (lambda: len(a), "__len__"), (lambda: torch.sum(a), "sum")):
        with pytest.raises(KeyError, match=name):
            call()


def test_layers_leave_calls_unwatched():
    """A class with __torch_function__ makes every call ask for it: only those who use lazy layers have one."""
    code = (
        "import hwaro.nn, sys; hwaro.nn.Linear(1, 1)(hwaro.ones(1)); dir(hwaro.nn);"
        "print('hwaro.nn._uninitialized' in sys.modules, hwaro.nn.UninitializedParameter.__module__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "hwaro.nn.parameter"]
