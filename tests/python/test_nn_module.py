"""Module, Parameter, Buffer and the containers: registration, printing, state, hooks, conversion."""
import copy
import pickle

import pytest

from recorded import recorded_test

CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def attempt(action):
    """What an action gives, or the class and text of what it raises."""
    try:
        return action()
    except Exception as error:
        return [type(error).__name__, str(error)]


@case
def parameter(torch):
    p = torch.nn.Parameter(torch.arange(3.0))
    q = torch.nn.Parameter(torch.arange(2.0), requires_grad=False)
    return [repr(p), repr(q), p.requires_grad, p.is_leaf, isinstance(p, torch.Tensor),
            repr(torch.nn.Parameter()), type(p * 2).__name__, type(p.data).__name__, type(p.detach()).__name__,
            attempt(lambda: torch.nn.Parameter(torch.tensor([1, 2])))]


@case
def buffer(torch):
    m = torch.nn.Module()
    m.kept = torch.nn.Buffer(torch.ones(2))
    m.hidden = torch.nn.Buffer(torch.zeros(1), persistent=False)
    return [repr(m.kept), isinstance(m.kept, torch.nn.Buffer), isinstance(torch.ones(1), torch.nn.Buffer),
            list(m.state_dict()), [name for name, _ in m.named_buffers()]]


@case
def names_and_types_are_checked(torch):
    m = torch.nn.Linear(2, 2)
    m.register_buffer("b", torch.ones(1))
    m.sub = torch.nn.ReLU()
    P = torch.nn.Parameter
    actions = [
        lambda: setattr(m, "weight", torch.ones(2)), lambda: setattr(m, "weight", 3), lambda: setattr(m, "b", 3),
        lambda: setattr(m, "sub", 3), lambda: m.nothing,
        lambda: m.register_parameter("a.b", None), lambda: m.register_parameter("", None),
        lambda: m.register_parameter(3, None), lambda: m.register_parameter("forward", None),
        lambda: m.register_parameter("q", torch.ones(2)),
        lambda: m.register_buffer("a.b", None), lambda: m.register_buffer("", None),
        lambda: m.register_buffer(3, None), lambda: m.register_buffer("forward", None),
        lambda: m.register_buffer("r", 3),
        lambda: m.add_module("q", 3), lambda: m.add_module("", m), lambda: m.add_module(3, m),
        lambda: m.add_module("a.b", m), lambda: m.add_module("forward", m),
        lambda: m.get_submodule("a.b"), lambda: m.get_submodule("weight"), lambda: m.get_parameter("sub.x"),
        lambda: m.get_parameter("sub"), lambda: m.get_buffer("sub"), lambda: m.get_buffer("nope"),
        lambda: m.set_submodule("", m), lambda: m.set_submodule("sub.b", m, strict=True),
        lambda: m.set_submodule("sub", 3), lambda: m.train(3), lambda: m.to(torch.int32),
        lambda: torch.nn.Module()(3), lambda: torch.nn.Module(3), lambda: torch.nn.Module(a=3),
        lambda: m.get_extra_state(), lambda: m.set_extra_state(1),
    ]

    class Early(torch.nn.Module):
        def __init__(self, value):
            self.x = value

    actions += [lambda: Early(P(torch.ones(1))), lambda: Early(torch.nn.ReLU()),
                lambda: Early(torch.nn.Buffer(torch.ones(1)))]
    return [attempt(action) for action in actions]


@case
def attributes_move_between_tables(torch):
    m = torch.nn.Module()
    m.x = 3
    m.x = torch.nn.Parameter(torch.ones(1))
    out = [list(m._parameters), "x" in m.__dict__]
    m.x = torch.nn.ReLU()
    out += [list(m._parameters), list(m._modules)]
    m.x = torch.nn.Parameter(torch.ones(2))
    m.x = None
    out += [list(m._parameters), m.x]
    del m.x
    out += [hasattr(m, "x")]
    m.register_buffer("b", None)
    m.b = torch.ones(1)
    out += [list(m._buffers), m.b]
    return out


@case
def walking_the_tree(torch):
    nn = torch.nn
    shared = nn.ReLU()
    m = nn.Sequential()
    m.add_module("a", nn.ModuleDict({"x": shared, "y": nn.ModuleList([shared, nn.Linear(1, 1)])}))
    m.b = m.a.x
    m.c = nn.Tanh()
    m.c = None
    m.register_module("d", None)
    m.p = nn.Parameter(torch.ones(1))
    m.p2 = m.p
    return [[k for k, _ in m.named_modules()], [k for k, _ in m.named_modules(remove_duplicate=False)],
            [k for k, _ in m.named_children()], [k for k, _ in m.named_parameters()],
            [k for k, _ in m.named_parameters(remove_duplicate=False)],
            [k for k, _ in m.named_parameters(prefix="q", recurse=False)], repr(m), str(m.get_submodule("a.y.1")),
            "p2" in dir(m), len(list(m.modules())), list(m.state_dict()),
            attempt(lambda: m.get_parameter("a.y.1.bias"))]


@case
def state_dict(torch):
    nn = torch.nn
    m = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    m.register_buffer("hidden", torch.ones(1), persistent=False)
    state = m.state_dict()
    return [state, f"{type(state._metadata).__name__} {dict(state._metadata)}", state["0.weight"].requires_grad,
            m.state_dict(keep_vars=True)["0.weight"] is m[0].weight, list(m.state_dict(prefix="q.")),
            state["0.weight"].data_ptr() == m[0].weight.data_ptr()]


@case
def load_state_dict(torch):
    m = torch.nn.Linear(2, 2)
    ones = torch.ones(2, 2)
    out = [attempt(lambda: str(m.load_state_dict(state, strict=strict))) for strict in (True, False) for state in (
        {"weight": ones, "bias": torch.zeros(2)}, {"weight": ones}, {"weight": ones, "bias": torch.zeros(2), "x.y": 1},
        {"weight": torch.ones(3, 3), "zz": 1}, {"weight": 3, "bias": 4}, {"bias": torch.zeros(())}, 3)]
    weight = m.weight
    m.load_state_dict({"weight": ones * 3, "bias": torch.nn.Parameter(torch.zeros(2), False)}, assign=True)
    out += [m.weight is weight, m.weight, m.bias.requires_grad, type(m.weight).__name__]
    norm = torch.nn.BatchNorm1d(2)
    old = {key: value for key, value in norm.state_dict().items() if "num" not in key}
    out += [str(norm.load_state_dict(old))]
    return out


@case
def extra_state(torch):
    class Extra(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.v = 3
            self.a = torch.nn.Parameter(torch.zeros(1))

        def get_extra_state(self):
            return {"v": self.v}

        def set_extra_state(self, state):
            self.v = state["v"]

    m = Extra()
    state = m.state_dict()
    m.v = 5
    m.load_state_dict(state)
    return [state, m.v, attempt(lambda: m.load_state_dict({"a": torch.ones(1)})),
            attempt(lambda: m.load_state_dict({"a": torch.ones(1), "_extra_state": {"v": 1}, "b.c": 1})),
            attempt(lambda: torch.nn.ReLU().load_state_dict({"_extra_state": 1}))]


@case
def state_dict_hooks(torch):
    m, log = torch.nn.Linear(1, 1), []
    m.register_state_dict_pre_hook(lambda module, prefix, keep: log.append(["pre", prefix, keep]))
    m.register_state_dict_post_hook(lambda module, state, prefix, meta: state.update(more=1))
    m.register_load_state_dict_pre_hook(lambda module, state, prefix, *rest: log.append(sorted(state)))
    m.register_load_state_dict_post_hook(lambda module, keys: keys.unexpected_keys.clear())
    state = m.state_dict(prefix="p.")
    m.load_state_dict({"weight": torch.ones(1, 1), "bias": torch.ones(1), "zz": torch.ones(1)})
    return [state, log]


@case
def forward_hooks(torch):
    log = []
    m = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.ReLU())
    handle = m[0].register_forward_hook(lambda mod, args, out: log.append(["hook", list(args[0].shape)]))
    m[0].register_forward_pre_hook(lambda mod, args: (args[0] * 2,))
    m[0].register_forward_pre_hook(lambda mod, args: log.append("first"), prepend=True)
    m[1].register_forward_hook(lambda mod, args, kwargs, out: out + 1, with_kwargs=True)
    x = torch.ones(4, 2)
    first = m(x)
    handle.remove()
    second = m(x)
    with m[1].register_forward_hook(lambda mod, args, out: out * 0):
        third = m(x)
    return [log, first, second, third, m(x)]


@case
def forward_hooks_with_keywords(torch):
    class Add(torch.nn.Module):
        def forward(self, x, *, y=1):
            return x + y

    log, m = [], Add()
    m.register_forward_pre_hook(lambda mod, args, kwargs: (args, {"y": kwargs["y"] * 2}), with_kwargs=True)
    result = m(torch.ones(1), y=5)
    m.register_forward_pre_hook(lambda mod, args, kwargs: (args,), with_kwargs=True)
    return [result, attempt(lambda: m(torch.ones(1), y=5)), log]


@case
def a_hook_that_is_always_called(torch):
    class Fails(torch.nn.Module):
        def forward(self, x):
            raise ValueError("no")

    log, m = [], Fails()
    m.register_forward_hook(lambda mod, args, out: log.append(["always", out]), always_call=True)
    m.register_forward_hook(lambda mod, args, out: log.append("never"))
    return [attempt(lambda: m(1)), log]


@case
def full_backward_hooks(torch):
    nn, log = torch.nn, []
    m = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    m[0].register_full_backward_hook(lambda mod, gi, go: log.append(["inner", gi, go]))
    m[2].register_full_backward_hook(lambda mod, gi, go: (gi[0] * 10,))
    m[2].register_full_backward_pre_hook(lambda mod, go: (go[0] * 3,))
    m.register_full_backward_hook(lambda mod, gi, go: log.append(["outer", gi, go]))
    x = torch.arange(8.0).reshape(4, 2).requires_grad_()
    out = m(x)
    out.sum().backward()
    gradients = [x.grad.clone(), [p.grad.clone() for p in m.parameters()]]
    m(torch.ones(1, 2)).sum().backward()  # No input needs a gradient: the hooks see None.
    return [log, gradients, attempt(lambda: m[0].register_backward_hook(print))]


@case
def shared_hooks(torch):
    import importlib
    module = importlib.import_module(torch.nn.__name__ + ".modules.module")
    log = []
    handles = [module.register_module_forward_hook(lambda m, args, out: log.append(type(m).__name__)),
               module.register_module_forward_pre_hook(lambda m, args: log.append("pre")),
               module.register_module_full_backward_hook(lambda m, gi, go: log.append("backward"))]
    torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())(torch.ones(2)).sum().backward()
    for handle in handles:
        handle.remove()
    torch.nn.ReLU()(torch.ones(1))
    return log


@case
def conversions(torch):
    m = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    weight, out = m[0].weight, []
    m(torch.arange(6.0).reshape(3, 2)).sum().backward()
    for change in (lambda: m.double(), lambda: m.half(), lambda: m.to(torch.float64),
                   lambda: m.to("cpu", torch.float32), lambda: m.to(torch.ones(1).double()), lambda: m.bfloat16(),
                   lambda: m.float(), lambda: m.type(torch.float64), lambda: m.cpu()):
        out.append([change() is m, [str(value.dtype) for value in m.state_dict().values()], m[0].weight is weight,
                    str(m[0].weight.grad.dtype)])
    m.zero_grad()
    out += [m[0].weight.grad, [p.requires_grad for p in m.requires_grad_(False).parameters()],
            [x.training for x in m.eval().modules()], [x.training for x in m.train().modules()]]
    seen = []
    m.apply(lambda x: seen.append(type(x).__name__))
    return out + [seen]


@case
def copies(torch):
    m = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())
    m[0].register_forward_hook(lambda mod, args, out: out * 2)
    other = copy.deepcopy(m)
    other[0].weight.data.zero_()
    shallow = copy.copy(m)
    return [m(torch.ones(2)), other(torch.ones(2)), repr(other), shallow[0] is m[0],
            type(other[0].weight).__name__, other[0].weight.requires_grad]


@case
def sequential(torch):
    nn = torch.nn
    m = nn.Sequential(nn.ReLU(), nn.Tanh(), nn.GELU())
    out = [repr(m[1:]), repr(m[-1]), len(m), [type(x).__name__ for x in m]]
    del m[1]
    m.append(nn.ELU()).extend([nn.SiLU(), nn.Mish()]).insert(1, nn.CELU())
    m[0] = nn.Sigmoid()
    out += [repr(m), repr(m.pop(-1)), repr(m + nn.Sequential(nn.ReLU())), repr(m * 2)]
    m *= 2
    return out + [repr(m)] + [attempt(action) for action in (
        lambda: nn.Sequential(3), lambda: nn.Sequential()[1], lambda: m * 0, lambda: m * 1.5, lambda: m + 3,
        lambda: m.insert(50, nn.ReLU()), lambda: m.insert(0, 3))]


@case
def module_list_and_dict(torch):
    nn = torch.nn
    m = nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Tanh()])
    m.append(nn.GELU())
    m.insert(0, nn.ELU())
    m += [nn.SiLU()]
    out = [repr(m), repr(m[1:3]), repr(m[-1]), len(m), repr(m.pop(0)), repr(m + [nn.Mish()])]
    del m[0]
    d = nn.ModuleDict({"a": nn.ReLU(), "b": nn.Tanh()})
    d["c"] = nn.GELU()
    d.update([("d", nn.ELU())])
    out += [repr(m), repr(d), list(d), "a" in d, repr(d.pop("a")), list(d.keys()), len(d)]
    return out + [attempt(action) for action in (
        lambda: nn.ModuleList(3), lambda: nn.ModuleList([3]), lambda: nn.ModuleList()[0], lambda: nn.ModuleDict(3),
        lambda: nn.ModuleDict([3]), lambda: nn.ModuleDict([(3,)]), lambda: nn.ModuleDict({3: nn.ReLU()}), lambda: m(1))]


@case
def parameter_list_and_dict(torch):
    nn = torch.nn
    m = nn.ParameterList([torch.ones(2), nn.Parameter(torch.ones(2, 3)), 3, "a"])
    m.append(torch.zeros(1).double())
    out = [repr(m), list(m.state_dict()), len(m), repr(m[1:]), m[-1]]
    d = nn.ParameterDict({"b": torch.ones(2), "a": nn.Parameter(torch.ones(2, 3)), "z": 3})
    d["q"] = torch.zeros(1)
    out += [repr(d), list(d), list(d.state_dict()), d.get("x", 7), d.setdefault("n", torch.ones(1)), list(d.keys()),
            d.pop("b"), d.popitem(), repr(d | {"w": torch.ones(1)})]
    return out + [attempt(action) for action in (
        lambda: nn.ParameterList(3), lambda: nn.ParameterList()[0], lambda: nn.ParameterList(torch.ones(3)),
        lambda: nn.ParameterDict(3), lambda: nn.ParameterDict([3]), lambda: nn.ParameterDict([(3,)]), lambda: d[3],
        lambda: d(3), lambda: m(3))]


test_behaves_as_pytorch = recorded_test(__file__, CASES)


class Pickled:
    """Made at import, so that pickle finds the class."""


def make_pickled():
    import hwaro as torch

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(2, 2)
            self.register_buffer("scale", torch.full((1,), 2.0))

        def forward(self, x):
            return self.layer(x) * self.scale

    Net.__qualname__ = "Pickled"
    globals()["Pickled"] = Net
    return Net


def test_modules_survive_pickling():
    import hwaro as torch
    net = make_pickled()()
    again = pickle.loads(pickle.dumps(net))
    assert torch.equal(net(torch.ones(2)), again(torch.ones(2)))
    assert isinstance(again.layer.weight, torch.nn.Parameter) and again.layer.weight.requires_grad
    assert repr(again) == repr(net)


def test_hooks_that_are_put_into_the_dict_by_hand_are_called():
    import hwaro as torch
    layer = torch.nn.Identity()
    layer._forward_hooks[7] = lambda module, args, out: out + 1
    assert layer(1) == 2
    layer._forward_hooks.clear()
    assert layer(1) == 1


def test_a_module_is_freed_at_once_when_nothing_holds_it():
    import weakref
    import hwaro as torch
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())
    seen = weakref.ref(model)
    del model
    assert seen() is None


def test_deleting_what_is_not_there_fails_in_the_words_of_this_python():
    import hwaro as torch
    with pytest.raises(AttributeError) as plain:
        object.__delattr__(torch.nn.Linear(2, 2), "nothing")
    with pytest.raises(AttributeError) as ours:
        del torch.nn.Linear(2, 2).nothing
    assert str(ours.value) == str(plain.value) and "nothing" in str(ours.value)


def test_every_public_name_loads():
    import hwaro as torch
    for name in torch.nn.__all__:
        assert isinstance(getattr(torch.nn, name), type), name
    with pytest.raises(AttributeError):
        torch.nn.Nothing
