"""Adam (Kingma & Ba, 2014)."""
import hwaro as torch
from hwaro.optim.optimizer import (ParameterRule, _check_betas, _check_lr, _check_not_negative, _new_step, _number,
                                   _zeros_like)

__all__ = ["Adam"]

_fused_step = torch._C.adam_step_


class Adam(ParameterRule):
    """p -= lr * m / (sqrt(v) + eps) with bias-corrected running means m of the gradient and v of its square."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, amsgrad=False, *, foreach=None,
                 maximize=False, capturable=False, differentiable=False, fused=None, decoupled_weight_decay=False):
        if isinstance(lr, torch.Tensor):
            if foreach and not capturable:
                raise ValueError("lr as a Tensor is not supported for capturable=False and foreach=True")
            if lr.numel() != 1:
                raise ValueError("Tensor lr must be 1-element")
        _check_lr(lr)
        _check_not_negative(eps, "epsilon value")
        _check_betas(betas)
        _check_not_negative(weight_decay, "weight_decay value")
        if isinstance(betas[0], torch.Tensor) != isinstance(betas[1], torch.Tensor):
            raise ValueError("betas must be either both floats or both Tensors")
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, amsgrad=amsgrad,
                                      maximize=maximize, foreach=foreach, capturable=capturable,
                                      differentiable=differentiable, fused=fused,
                                      decoupled_weight_decay=decoupled_weight_decay))
        if fused:
            if differentiable:
                raise RuntimeError("`fused` does not support `differentiable`")
            if foreach:
                raise RuntimeError("`fused` and `foreach` cannot be `True` together.")

    def _start(self, group, param, state):
        state["step"] = _new_step()
        state["exp_avg"] = _zeros_like(param)
        state["exp_avg_sq"] = _zeros_like(param)
        if group["amsgrad"]:
            state["max_exp_avg_sq"] = _zeros_like(param)

    def _step_group(self, group):
        lr, (beta1, beta2) = group["lr"], group["betas"]
        if group["differentiable"] or isinstance(lr, torch.Tensor) or isinstance(beta1, torch.Tensor):
            return super()._step_group(group)
        amsgrad = group["amsgrad"]
        # Parameters that are at the same step go through the fused loop together.
        batches = {}
        for param in group["params"]:
            grad = param.grad
            if grad is None:
                continue
            state = self.state[param]
            if not state:
                self._start(group, param, state)
            if param.is_complex():
                self._update_one(group, param, grad, state)
                continue
            step = state["step"]
            step += 1
            count = step.item()
            batch = batches.get(count)
            if batch is None:
                batch = batches[count] = ([], [], [], [], [])
            batch[0].append(param)
            batch[1].append(grad)
            batch[2].append(state["exp_avg"])
            batch[3].append(state["exp_avg_sq"])
            if amsgrad:
                batch[4].append(state["max_exp_avg_sq"])
        for count, batch in batches.items():
            _fused_step(*batch, count, lr, beta1, beta2, group["weight_decay"], group["eps"], amsgrad,
                        group["maximize"], group["decoupled_weight_decay"])
        return None

    def _update(self, group, param, grad, state):
        lr, (beta1, beta2), eps, decay = group["lr"], group["betas"], group["eps"], group["weight_decay"]
        if not group["differentiable"]:
            lr, beta1, beta2 = _number(lr), _number(beta1), _number(beta2)
        mean, square, counter = state["exp_avg"], state["exp_avg_sq"], state["step"]
        counter += 1
        if decay != 0:
            if group["decoupled_weight_decay"]:
                param.mul_(1 - lr * decay)
            else:
                grad = grad.add(param, alpha=decay)
        mean.lerp_(grad, 1 - beta1)
        if isinstance(beta2, torch.Tensor):
            square.mul_(beta2).add_(grad * grad * (1 - beta2))
        else:
            square.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
        step = counter if group["differentiable"] else counter.item()
        correction1 = 1 - beta1**step
        root2 = (1 - beta2**step) ** 0.5
        if group["amsgrad"]:
            largest = state["max_exp_avg_sq"]
            largest.copy_(torch.maximum(largest, square))
            square = largest
        scale = (square.sqrt() / root2).add_(eps)
        size = lr / correction1
        if isinstance(size, torch.Tensor):
            param.add_(-size * mean / scale)
        else:
            param.addcdiv_(mean, scale, value=-size)
