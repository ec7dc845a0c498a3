"""Adagrad (Duchi et al., 2011)."""
import hwaro as torch
from hwaro.optim.optimizer import ParameterRule, _check_lr, _check_not_negative, _new_step, _number

__all__ = ["Adagrad"]


class Adagrad(ParameterRule):
    """p -= lr / (1 + (step - 1) * lr_decay) * grad / (sqrt(sum of squares) + eps)."""

    def __init__(self, params, lr=1e-2, lr_decay=0, weight_decay=0, initial_accumulator_value=0, eps=1e-10,
                 foreach=None, *, maximize=False, differentiable=False, fused=None):
        _check_lr(lr)
        _check_not_negative(lr_decay, "lr_decay value")
        _check_not_negative(weight_decay, "weight_decay value")
        _check_not_negative(initial_accumulator_value, "initial_accumulator_value value")
        _check_not_negative(eps, "epsilon value")
        super().__init__(params, dict(lr=lr, lr_decay=lr_decay, eps=eps, weight_decay=weight_decay,
                                      initial_accumulator_value=initial_accumulator_value, foreach=foreach,
                                      maximize=maximize, differentiable=differentiable, fused=fused))
        if fused:
            if differentiable:
                raise RuntimeError("`fused` does not support `differentiable`")
            if foreach:
                raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
        # The sums exist from the start, so that they can be shared before the first step.
        for group in self.param_groups:
            for param in group["params"]:
                self._start(group, param, self.state[param])

    def _start(self, group, param, state):
        first = group["initial_accumulator_value"]
        state["step"] = _new_step()
        state["sum"] = torch.full_like(param, complex(first, first) if param.is_complex() else first,
                                       memory_format=torch.preserve_format)

    def share_memory(self):
        """Move the sums to memory that other processes can share."""
        for group in self.param_groups:
            for param in group["params"]:
                self.state[param]["sum"].share_memory_()

    def _update(self, group, param, grad, state):
        counter, total = state["step"], state["sum"]
        counter += 1
        if group["weight_decay"] != 0:
            grad = grad.add(param, alpha=group["weight_decay"])
        rate = _number(group["lr"]) / (1 + (counter.item() - 1) * group["lr_decay"])
        total.addcmul_(grad, grad, value=1)
        scale = total.sqrt() + group["eps"] if group["differentiable"] else total.sqrt().add_(group["eps"])
        param.addcdiv_(grad, scale, value=-rate)
