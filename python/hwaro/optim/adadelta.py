"""Adadelta (Zeiler, 2012)."""
from hwaro.optim.optimizer import ParameterRule, _check_lr, _check_not_negative, _new_step, _number, _zeros_like

__all__ = ["Adadelta"]


class Adadelta(ParameterRule):
    """p -= lr * grad * rms(past changes) / rms(gradients)."""

    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0, foreach=None, *, capturable=False,
                 maximize=False, differentiable=False):
        _check_lr(lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        _check_not_negative(eps, "epsilon value")
        _check_not_negative(weight_decay, "weight_decay value")
        super().__init__(params, dict(lr=lr, rho=rho, eps=eps, weight_decay=weight_decay, maximize=maximize,
                                      capturable=capturable, foreach=foreach, differentiable=differentiable))

    def _start(self, group, param, state):
        state["step"] = _new_step()
        state["square_avg"] = _zeros_like(param)
        state["acc_delta"] = _zeros_like(param)

    def _update(self, group, param, grad, state):
        rho, eps, square, changes = group["rho"], group["eps"], state["square_avg"], state["acc_delta"]
        counter = state["step"]
        counter += 1
        if group["weight_decay"] != 0:
            grad = grad.add(param, alpha=group["weight_decay"])
        square.mul_(rho).addcmul_(grad, grad, value=1 - rho)
        scale = square.add(eps).sqrt_()
        change = changes.add(eps).sqrt_()
        if group["differentiable"]:
            change = change.clone()
        change.div_(scale).mul_(grad)
        changes.mul_(rho).addcmul_(change, change, value=1 - rho)
        param.add_(change, alpha=-_number(group["lr"]))
