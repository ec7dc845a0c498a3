"""Every optimizer and schedule: thirty steps from the same start, parameters and state compared along the way."""

import pytest

from both import assert_same

OPTIMIZERS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.5}),
    ("SGD", {"lr": 0.1, "maximize": True}),
    ("Adam", {"lr": 0.05}),
    ("Adam", {"lr": 0.05, "amsgrad": True, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.05, "betas": (0.8, 0.95), "eps": 1e-3}),
    ("AdamW", {"lr": 0.05}),
    ("AdamW", {"lr": 0.05, "weight_decay": 0.2, "amsgrad": True}),
    ("Adamax", {"lr": 0.05}),
    ("NAdam", {"lr": 0.05}),
    ("NAdam", {"lr": 0.05, "decoupled_weight_decay": True, "weight_decay": 0.1}),
    ("RAdam", {"lr": 0.05}),
    ("RAdam", {"lr": 0.05, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.02}),
    ("RMSprop", {"lr": 0.02, "centered": True, "momentum": 0.9}),
    ("Adagrad", {"lr": 0.1}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1}),
    ("Adadelta", {}),
    ("ASGD", {"lr": 0.1, "t0": 5}),
    ("Rprop", {"lr": 0.05}),
    ("LBFGS", {"lr": 0.5, "max_iter": 4}),
    ("LBFGS", {"lr": 1.0, "max_iter": 5, "line_search_fn": "strong_wolfe"}),
]


def model_and_data(lib):
    lib.manual_seed(21)
    model = lib.nn.Sequential(lib.nn.Linear(5, 8), lib.nn.Tanh(), lib.nn.Linear(8, 2)).double()
    return model, lib.randn(16, 5, dtype=lib.float64), lib.randn(16, 2, dtype=lib.float64)


def train(lib, optimizer, model, x, y, steps, every=10):
    seen = []
    for step in range(steps):

        def closure():
            optimizer.zero_grad()
            loss = lib.nn.functional.mse_loss(model(x), y)
            loss.backward()
            return loss

        loss = optimizer.step(closure)
        if step % every == every - 1:
            seen.append([loss.detach(), [p.detach().clone() for p in model.parameters()]])
    return seen


def plain_state(state):
    """A state dict as lists, so that values compare one by one."""
    if isinstance(state, dict):
        return [[str(k), plain_state(v)] for k, v in state.items()]
    return [plain_state(v) for v in state] if isinstance(state, (list, tuple)) else state


@pytest.mark.parametrize("name,kwargs", OPTIMIZERS, ids=str)
def test_trajectory(name, kwargs):
    def program(lib):
        model, x, y = model_and_data(lib)
        optimizer = getattr(lib.optim, name)(model.parameters(), **kwargs)
        seen = train(lib, optimizer, model, x, y, 30)
        return [repr(optimizer), seen, plain_state(optimizer.state_dict()["state"])]

    assert_same(program, scale=100)  # thirty steps carry a last bit on


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop"])
def test_state_goes_into_another_optimizer(name):
    def program(lib):
        model, x, y = model_and_data(lib)
        first = getattr(lib.optim, name)(model.parameters(), lr=0.03)
        train(lib, first, model, x, y, 4)
        second = getattr(lib.optim, name)(model.parameters(), lr=0.5)
        second.load_state_dict(first.state_dict())
        return [train(lib, second, model, x, y, 6, every=3), second.param_groups[0]["lr"]]

    assert_same(program, scale=100)


def test_groups_of_parameters():
    def program(lib):
        model, x, y = model_and_data(lib)
        optimizer = lib.optim.SGD(
            [{"params": model[0].parameters(), "lr": 0.2}, {"params": model[2].parameters()}], lr=0.01, momentum=0.5
        )
        seen = train(lib, optimizer, model, x, y, 6, every=2)
        optimizer.add_param_group({"params": [lib.nn.Parameter(lib.ones(2))]})
        return [seen, repr(optimizer), sorted(optimizer.param_groups[2])]

    assert_same(program, scale=100)


SCHEDULES = [
    ("StepLR", {"step_size": 3, "gamma": 0.5}),
    ("MultiStepLR", {"milestones": [2, 5], "gamma": 0.3}),
    ("ConstantLR", {"factor": 0.25, "total_iters": 4}),
    ("LinearLR", {"start_factor": 0.2, "total_iters": 6}),
    ("ExponentialLR", {"gamma": 0.9}),
    ("PolynomialLR", {"total_iters": 8, "power": 2.0}),
    ("CosineAnnealingLR", {"T_max": 5, "eta_min": 0.01}),
    ("CosineAnnealingWarmRestarts", {"T_0": 3, "T_mult": 2}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 3}),
    ("CyclicLR", {"base_lr": 0.01, "max_lr": 0.2, "step_size_up": 3, "mode": "exp_range", "gamma": 0.9}),
    ("OneCycleLR", {"max_lr": 0.3, "total_steps": 12}),
    ("OneCycleLR", {"max_lr": 0.3, "total_steps": 12, "anneal_strategy": "linear", "three_phase": True}),
]


@pytest.mark.parametrize("name,kwargs", SCHEDULES, ids=str)
def test_schedule(name, kwargs):
    def program(lib):
        optimizer = lib.optim.SGD([lib.nn.Parameter(lib.ones(2))], lr=0.1, momentum=0.9)
        schedule = getattr(lib.optim.lr_scheduler, name)(optimizer, **kwargs)
        rates = [[optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["momentum"], schedule.get_last_lr()[0]]]
        for _ in range(11):
            optimizer.step()
            schedule.step()
            rates.append(
                [optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["momentum"], schedule.get_last_lr()[0]]
            )
        return rates

    assert_same(program)


def test_schedules_of_functions_plateaus_and_chains():
    def program(lib):
        rates = []
        schedulers = lib.optim.lr_scheduler
        for make in (
            lambda o: schedulers.LambdaLR(o, lambda e: 0.9**e),
            lambda o: schedulers.MultiplicativeLR(o, lambda e: 0.8),
            lambda o: schedulers.SequentialLR(
                o, [schedulers.ConstantLR(o, 0.1, 2), schedulers.ExponentialLR(o, 0.9)], [3]
            ),
            lambda o: schedulers.ChainedScheduler([schedulers.ConstantLR(o, 0.1, 2), schedulers.ExponentialLR(o, 0.9)]),
        ):
            optimizer = lib.optim.SGD([lib.nn.Parameter(lib.ones(2))], lr=0.1)
            schedule = make(optimizer)
            for _ in range(7):
                optimizer.step()
                schedule.step()
                rates.append(optimizer.param_groups[0]["lr"])
        optimizer = lib.optim.SGD([lib.nn.Parameter(lib.ones(2))], lr=0.1)
        plateau = schedulers.ReduceLROnPlateau(optimizer, patience=1, factor=0.5, cooldown=1)
        for loss in (1.0, 0.9, 0.9, 0.95, 0.9, 0.9, 0.9, 0.2, 0.3, 0.3, 0.3):
            plateau.step(loss)
            rates.append(optimizer.param_groups[0]["lr"])
        return rates

    assert_same(program)


@pytest.mark.parametrize("norm_type", [1.0, 2.0, float("inf")])
def test_clipping(norm_type):
    def program(lib):
        model, x, y = model_and_data(lib)
        lib.nn.functional.mse_loss(model(x), y).backward()
        total = lib.nn.utils.clip_grad_norm_(model.parameters(), 0.05, norm_type=norm_type)
        grads = [p.grad.clone() for p in model.parameters()]
        lib.nn.utils.clip_grad_value_(model.parameters(), 0.005)
        return [total, grads, [p.grad for p in model.parameters()]]

    assert_same(program)


@pytest.mark.parametrize(
    "program",
    [
        lambda lib: lib.optim.SGD([]),
        lambda lib: lib.optim.SGD(lib.ones(2)),
        lambda lib: lib.optim.SGD([lib.nn.Parameter(lib.ones(1))], lr=-1.0),
        lambda lib: lib.optim.Adam([lib.nn.Parameter(lib.ones(1))], betas=(1.0, 0.9)),
        lambda lib: lib.optim.SGD([lib.ones(2).requires_grad_() * 2]),
        lambda lib: lib.optim.SGD([lib.nn.Parameter(lib.ones(1))], lr=0.1, nesterov=True),
        lambda lib: lib.optim.SGD([1, 2]),
        lambda lib: lib.optim.Adam([lib.nn.Parameter(lib.ones(1))], eps=-1),
        lambda lib: lib.optim.lr_scheduler.StepLR(None, 2),
    ],
)
def test_errors(program):
    assert_same(lambda lib: type(program(lib)).__name__)
