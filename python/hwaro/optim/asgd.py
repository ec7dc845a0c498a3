"""Averaged stochastic gradient descent (Polyak & Juditsky, 1992)."""
import hwaro as torch
from hwaro.optim.optimizer import (ParameterRule, _check_lr, _check_not_negative, _new_step, _number, _step_dtype,
                                   _zeros_like)

__all__ = ["ASGD"]


class ASGD(ParameterRule):
    """Gradient descent with a decaying rate; state['ax'] is the average of the parameter from step t0 on."""

    def __init__(self, params, lr=1e-2, lambd=1e-4, alpha=0.75, t0=1e6, weight_decay=0, foreach=None, maximize=False,
                 differentiable=False, capturable=False):
        _check_lr(lr)
        _check_not_negative(weight_decay, "weight_decay value")
        super().__init__(params, dict(lr=lr, lambd=lambd, alpha=alpha, t0=t0, weight_decay=weight_decay,
                                      foreach=foreach, maximize=maximize, differentiable=differentiable,
                                      capturable=capturable))

    def _start(self, group, param, state):
        state["step"] = _new_step()
        state["eta"] = torch.tensor(_number(group["lr"]), dtype=_step_dtype())
        state["mu"] = torch.ones((), dtype=_step_dtype())
        state["ax"] = _zeros_like(param)

    def _update(self, group, param, grad, state):
        lr, lambd = _number(group["lr"]), group["lambd"]
        counter, eta, mu, average = state["step"], state["eta"], state["mu"], state["ax"]
        counter += 1
        step = counter.item()
        if group["weight_decay"] != 0:
            grad = grad.add(param, alpha=group["weight_decay"])
        rate = eta.item()
        param.mul_(1 - lambd * rate)
        param.add_(grad, alpha=-rate)
        if mu.item() != 1:
            average.add_(param.sub(average).mul_(mu))
        else:
            average.copy_(param)
        eta.copy_(torch.as_tensor(lr / ((1 + lambd * lr * step) ** group["alpha"])))
        mu.copy_(torch.as_tensor(1 / max(1, step - group["t0"])))
