"""Optimizers and schedules: trajectories, state, printing, saving and loading, errors, warnings."""
import copy

from recorded import recorded_test
from test_nn_layers import ramp

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


RULES = [
    ("SGD", {}), ("SGD", {"lr": 0.1, "momentum": 0.9}), ("SGD", {"momentum": 0.9, "dampening": 0.2, "maximize": True}),
    ("SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    ("Adam", {}), ("Adam", {"lr": 0.1, "amsgrad": True}), ("Adam", {"weight_decay": 0.1, "maximize": True}),
    ("Adam", {"lr": 0.05, "betas": (0.5, 0.6), "eps": 1e-3, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("AdamW", {}), ("AdamW", {"lr": 0.1, "weight_decay": 0.5, "amsgrad": True}),
    ("RMSprop", {}), ("RMSprop", {"momentum": 0.9, "centered": True, "weight_decay": 0.1}),
    ("Adagrad", {}), ("Adagrad", {"lr_decay": 0.1, "initial_accumulator_value": 0.3, "weight_decay": 0.1}),
    ("Adadelta", {}), ("Adadelta", {"rho": 0.5, "weight_decay": 0.1}), ("Adamax", {}),
    ("Adamax", {"weight_decay": 0.1}),
    ("NAdam", {}), ("NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RAdam", {"lr": 0.1}), ("RAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("ASGD", {}), ("ASGD", {"t0": 3, "lambd": 0.1, "weight_decay": 0.1}), ("Rprop", {}), ("Rprop", {"maximize": True}),
    ("LBFGS", {"max_iter": 3}), ("LBFGS", {"line_search_fn": "strong_wolfe", "max_iter": 3}),
    ("LBFGS", {"lr": 0.5, "history_size": 2, "max_iter": 4}),
]


def trajectory(torch, name, options, complex_numbers=False):
    """Twelve steps on a small problem; one parameter pauses for a step, and the state is saved and loaded on the way."""
    dtype = torch.complex64 if complex_numbers else torch.float32
    params = [torch.nn.Parameter(ramp(torch, *shape).to(dtype)) for shape in ((3, 4), (5,), ())]
    groups = params if name == "LBFGS" else [{"params": params[:2]}, {"params": params[2:]}]
    make = getattr(torch.optim, name)
    optimizer = make(groups, **options)
    target = ramp(torch, 4, 3).t().to(dtype)

    def closure():
        optimizer.zero_grad()
        a, b, c = params[0] - target * params[1].mean(), params[1] - 1, params[2] * 2 + params[1].sum()
        loss = sum((x * x.conj()).sum().abs() for x in (a, b, c)) + (a * a.conj()).sum().abs() ** 2 * 0.01
        loss.backward()
        return loss

    out = []
    # A quasi-Newton method is soon so close to the minimum that only rounding is left to compare.
    for step in range(2 if name == "LBFGS" else 12):
        params[1].requires_grad_(step != 5)
        if step == 5:
            params[1].grad = None
        if step == 7:
            saved = copy.deepcopy(optimizer.state_dict())
            optimizer = make(groups if name == "LBFGS" else [{"params": params[:2]}, {"params": params[2:]}], **options)
            optimizer.load_state_dict(saved)
        loss = optimizer.step(closure)
        out.append([loss, *(p.detach().clone() for p in params)])
    state = optimizer.state_dict()
    keys = [[number, list(values)] for number, values in state["state"].items()]
    return [out, repr(optimizer), keys, [list(group) for group in state["param_groups"]]]


for rule, settings in RULES:
    title = f"{rule}({', '.join(f'{k}={v!r}' for k, v in settings.items())})"
    CASES[title] = lambda torch, rule=rule, settings=settings: trajectory(torch, rule, settings)
for rule, settings in (("SGD", {"momentum": 0.9}), ("Adam", {"lr": 0.05}), ("RMSprop", {}), ("NAdam", {})):
    CASES[f"{rule} of complex numbers"] = lambda torch, rule=rule, settings=settings: trajectory(
        torch, rule, settings, True)
for rule in ("SGD", "Adam"):
    CASES[f"{rule} with a tensor as rate"] = lambda torch, rule=rule: trajectory(
        torch, rule, {"lr": torch.tensor(0.03)})


@case
def errors(torch):
    O, p = torch.optim, torch.nn.Parameter(torch.ones(2))
    q = [torch.nn.Parameter(torch.ones(2)) for _ in range(2)]
    used = O.SGD([p], lr=0.1, momentum=0.9)
    return [attempt(action) for action in (
        lambda: O.SGD(p), lambda: O.SGD([]), lambda: O.SGD([3]), lambda: O.SGD([p * 2]), lambda: O.SGD([p, p]) and None,
        lambda: O.SGD([{"params": [p]}, {"params": [p]}]), lambda: O.SGD([{"params": {p}}]), lambda: O.SGD([{"lr": 3}]),
        lambda: O.SGD([p], lr=-1), lambda: O.SGD([p], momentum=-1), lambda: O.SGD([p], weight_decay=-1),
        lambda: O.SGD([p], nesterov=True), lambda: O.SGD([p], lr=torch.tensor([1.0, 2])),
        lambda: O.SGD([p], fused=True, foreach=True), lambda: O.Adam([p], lr=-1), lambda: O.Adam([p], betas=(1, 1)),
        lambda: O.Adam([p], betas=(0.9, 1)), lambda: O.Adam([p], eps=-1), lambda: O.Adam([p], weight_decay=-1),
        lambda: O.Adam([p], lr=torch.tensor(0.1), foreach=True), lambda: O.Rprop([p], etas=(2, 3)),
        lambda: O.Adadelta([p], rho=2), lambda: O.LBFGS([{"params": [p]}, {"params": [q[0]]}]),
        lambda: O.SGD([("w", p), q[0]]), lambda: used.add_param_group(3),
        lambda: O.SGD(q).load_state_dict(used.state_dict()),
        lambda: O.SGD([{"params": [q[0]]}, {"params": [q[1]]}]).load_state_dict(used.state_dict()),
        lambda: O.Optimizer([p], {}).step())]


@case
def groups_and_names(torch):
    p = [torch.nn.Parameter(torch.ones(1)) for _ in range(4)]
    o = torch.optim.SGD([{"params": p[0]}, {"params": [p[1]], "lr": 0.5, "extra": 1}], lr=0.1, momentum=0.9)
    o.add_param_group({"params": [p[2]], "momentum": 0})
    named = torch.optim.Adam([("w", p[0]), ("b", p[1])])
    return [repr(o), [len(group["params"]) for group in o.param_groups], repr(named), named.state_dict(),
            attempt(lambda: named.add_param_group({"params": [p[3]]}))]


@case
def gradients_are_dropped_or_zeroed(torch):
    p = torch.nn.Parameter(torch.ones(2))
    o = torch.optim.SGD([p])
    (p * 3).sum().backward()
    grad = p.grad
    o.zero_grad(set_to_none=False)
    out = [p.grad, p.grad is grad]
    o.zero_grad()
    return out + [p.grad]


@case
def hooks(torch):
    log, p = [], torch.nn.Parameter(torch.ones(1))
    p.grad = torch.ones(1)
    o = torch.optim.SGD([p], lr=0.1)
    handles = [o.register_step_pre_hook(lambda opt, args, kwargs: log.append("pre")),
               o.register_step_post_hook(lambda opt, args, kwargs: log.append("post")),
               o.register_state_dict_post_hook(lambda opt, state: log.append(sorted(state))),
               o.register_load_state_dict_pre_hook(lambda opt, state: log.append("load"))]
    o.step()
    o.load_state_dict(o.state_dict())
    for handle in handles:
        handle.remove()
    o.step()
    o.register_step_pre_hook(lambda opt, args, kwargs: 3)
    return [log, p, attempt(o.step)[0]]


@case
def an_optimizer_of_the_user(torch):
    class Simple(torch.optim.Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})

        @torch.no_grad()
        def step(self, closure=None):
            for group in self.param_groups:
                for param in group["params"]:
                    self.state[param]["count"] = self.state[param].get("count", 0) + 1
                    param -= group["lr"] * param.grad

    p = torch.nn.Parameter(torch.ones(2))
    o = Simple([p], 0.5)
    schedule = torch.optim.lr_scheduler.StepLR(o, 1, 0.1)
    for _ in range(3):
        o.zero_grad()
        (p * p).sum().backward()
        o.step()
        schedule.step()
    return [p, repr(o), o.state_dict()]


# ---- schedules -------------------------------------------------------------------------------------------------------
SCHEDULES = [
    ("StepLR", (3,), {}), ("MultiStepLR", ([2, 2, 5],), {"gamma": 0.5}), ("ExponentialLR", (0.9,), {}),
    ("CosineAnnealingLR", (5,), {}), ("CosineAnnealingLR", (7, 0.01), {}), ("CosineAnnealingWarmRestarts", (3,), {}),
    ("CosineAnnealingWarmRestarts", (2, 2, 0.01), {}), ("LinearLR", (), {}), ("LinearLR", (0.1, 0.5, 4), {}),
    ("ConstantLR", (0.2, 3), {}), ("PolynomialLR", (8, 2.0), {}), ("OneCycleLR", (0.3, 20), {}),
    ("OneCycleLR", ([0.3, 0.5],), {"epochs": 4, "steps_per_epoch": 5, "anneal_strategy": "linear",
                                   "three_phase": True, "cycle_momentum": False}),
    ("CyclicLR", (0.01, 0.3, 3), {}), ("CyclicLR", (0.01, 0.3, 3, 2, "triangular2"), {}),
    ("CyclicLR", (0.01, 0.3, 3, 2, "exp_range", 0.9), {}),
    ("LambdaLR", "lambda epoch: 0.9 ** epoch", {}), ("MultiplicativeLR", "lambda epoch: 0.9", {}),
]


def two_groups(torch, rule):
    p = [torch.nn.Parameter(torch.ones(1)) for _ in range(2)]
    return getattr(torch.optim, rule)([{"params": [p[0]], "lr": 0.1}, {"params": [p[1]], "lr": 0.5}],
                                      **({"momentum": 0.9} if rule == "SGD" else {}))


def schedule_values(torch, rule, name, args, kwargs):
    if isinstance(args, str):
        args = (eval(args),)
    make, out = getattr(torch.optim.lr_scheduler, name), []
    optimizer = two_groups(torch, rule)
    schedule = make(optimizer, *args, **kwargs)
    for step in range(18):
        optimizer.step()
        out.append([[group["lr"], group.get("momentum"), group.get("betas")] for group in optimizer.param_groups])
        out.append(schedule.get_last_lr())
        schedule.step()
        if step == 9:
            saved, own = copy.deepcopy(schedule.state_dict()), copy.deepcopy(optimizer.state_dict())
            optimizer = two_groups(torch, rule)
            schedule = make(optimizer, *args, **kwargs)
            schedule.load_state_dict(saved)
            optimizer.load_state_dict(own)
    optimizer = two_groups(torch, rule)
    schedule = make(optimizer, *args, **kwargs)
    for epoch in (4, 2, 7):
        schedule.step(epoch)
        out.append(schedule.get_last_lr())
    return [out, {k: v for k, v in saved.items() if "lambda" not in k and "scale_fn" not in k}]


for name, args, kwargs in SCHEDULES:
    for rule in ("SGD", "Adam") if name in ("OneCycleLR", "CyclicLR") else ("SGD",):
        title = f"{name}{args} {kwargs} on {rule}"
        CASES[title] = lambda torch, rule=rule, spec=(name, args, kwargs): schedule_values(torch, rule, *spec)


@case
def combined_schedules(torch):
    L, out = torch.optim.lr_scheduler, []
    p = torch.nn.Parameter(torch.ones(1))
    o = torch.optim.SGD([p], lr=0.1)
    parts = [L.LinearLR(o, 0.1, total_iters=3), L.CosineAnnealingLR(o, 6), L.ExponentialLR(o, 0.5)]
    s = L.SequentialLR(o, parts, [3, 8])
    for _ in range(15):
        o.step()
        out.append(s.get_last_lr())
        s.step()
    o = torch.optim.SGD([p], lr=0.1)
    s = L.ChainedScheduler([L.ConstantLR(o, 0.1, 4), L.ExponentialLR(o, 0.9)])
    for _ in range(8):
        o.step()
        out.append(s.get_last_lr())
        s.step()
    return out


@case
def reducing_on_a_plateau(torch):
    L, out = torch.optim.lr_scheduler, []
    for options in ({"patience": 1}, {"mode": "max", "patience": 2, "factor": 0.5, "cooldown": 1, "min_lr": 0.01,
                                      "threshold_mode": "abs"}):
        o = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1)
        s = L.ReduceLROnPlateau(o, **options)
        for metric in [3, 2, 2, 2, 2, 1.9999, 1, 1, 1, 1, 5, 5, 4, 4, 4, 4, 0.1]:
            s.step(metric)
            out.append([s.get_last_lr(), s.num_bad_epochs, s.best])
    return out


@case
def errors_of_schedules(torch):
    L, p = torch.optim.lr_scheduler, torch.nn.Parameter(torch.ones(1))

    def o(**kwargs):
        return torch.optim.SGD([p], **kwargs)

    used = o(momentum=0.9)
    cycle = L.OneCycleLR(used, 1, total_steps=2)
    return [attempt(action) for action in (
        lambda: L.StepLR(3, 1), lambda: L.StepLR(o(), 1, last_epoch=3), lambda: L.LambdaLR(o(), [1, 2]),
        lambda: L.OneCycleLR(o(), 1), lambda: L.OneCycleLR(o(), 1, total_steps=-1),
        lambda: L.OneCycleLR(o(), 1, epochs=-1, steps_per_epoch=1),
        lambda: L.OneCycleLR(o(), 1, total_steps=3, pct_start=3),
        lambda: L.OneCycleLR(o(), 1, total_steps=3, anneal_strategy="x"), lambda: [cycle.step() for _ in range(4)],
        lambda: L.CosineAnnealingWarmRestarts(o(), -1), lambda: L.CosineAnnealingWarmRestarts(o(), 1, 0.5),
        lambda: L.ConstantLR(o(), 3.0), lambda: L.LinearLR(o(), 3.0), lambda: L.LinearLR(o(), 1.0, -1),
        lambda: L.CyclicLR(3, 0.1, 1), lambda: L.CyclicLR(used, 0.1, 1, mode="q"),
        lambda: L.CyclicLR(used, [0.1, 1], 1), lambda: L.ReduceLROnPlateau(used, mode="q"),
        lambda: L.ReduceLROnPlateau(used, factor=1.0), lambda: L.ReduceLROnPlateau(used, min_lr=[1, 2]),
        lambda: L.SequentialLR(used, [cycle], [1]), lambda: L.SequentialLR(o(), [cycle], []),
        lambda: L.ChainedScheduler([]), lambda: L.ChainedScheduler([cycle, 3]))]


@case
def a_schedule_before_the_first_step_warns(torch):
    o = torch.optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=0.1)
    s = torch.optim.lr_scheduler.StepLR(o, 1)
    s.step()
    return [s.get_last_lr(), s.get_lr()]


test_agrees_with_pytorch = recorded_test(__file__, CASES)
