"""Limited-memory BFGS (Nocedal & Wright, Numerical Optimization, 2006, algorithms 7.4, 3.5 and 3.6)."""
import hwaro as torch
from hwaro.optim.optimizer import Optimizer, _check_lr, _number

__all__ = ["LBFGS"]


def _cubic_minimum(x1, f1, g1, x2, f2, g2, bounds=None):
    """Minimum of the cubic through two points with slopes, kept in bounds (default: between the points)."""
    low, high = bounds if bounds is not None else ((x1, x2) if x1 <= x2 else (x2, x1))
    d1 = g1 + g2 - 3 * (f1 - f2) / (x1 - x2)
    square = d1**2 - g1 * g2
    if square < 0:
        return (low + high) / 2.0
    d2 = square.sqrt() if isinstance(square, torch.Tensor) else square**0.5
    if x1 <= x2:
        place = x2 - (x2 - x1) * ((g2 + d2 - d1) / (g2 - g1 + 2 * d2))
    else:
        place = x1 - (x1 - x2) * ((g1 + d2 - d1) / (g1 - g2 + 2 * d2))
    return min(max(place, low), high)


def _strong_wolfe(evaluate, x, t, d, f, g, slope, c1=1e-4, c2=0.9, tolerance_change=1e-9, max_steps=25):
    """A step length t along d at which f has fallen and its slope has flattened: (f, g, t, evaluations)."""
    longest = d.abs().max()
    g = g.clone(memory_format=torch.contiguous_format)
    f_new, g_new = evaluate(x, t, d)
    evaluations = 1
    slope_new = g_new.dot(d)
    # Bracket an interval that contains a good step.
    t_prev, f_prev, g_prev, slope_prev = 0, f, g, slope
    done = False
    steps = 0
    while steps < max_steps:
        if f_new > f + c1 * t * slope or (steps > 1 and f_new >= f_prev):
            points = [[t_prev, f_prev, g_prev, slope_prev], [t, f_new, g_new, slope_new]]
            break
        if abs(slope_new) <= -c2 * slope:
            points = [[t, f_new, g_new, slope_new]]
            done = True
            break
        if slope_new >= 0:
            points = [[t_prev, f_prev, g_prev, slope_prev], [t, f_new, g_new, slope_new]]
            break
        shortest, furthest = t + 0.01 * (t - t_prev), t * 10
        last = t
        t = _cubic_minimum(t_prev, f_prev, slope_prev, t, f_new, slope_new, (shortest, furthest))
        t_prev, f_prev, g_prev, slope_prev = last, f_new, g_new, slope_new
        g_prev = g_new.clone(memory_format=torch.contiguous_format)
        f_new, g_new = evaluate(x, t, d)
        evaluations += 1
        slope_new = g_new.dot(d)
        steps += 1
    if steps == max_steps:
        points = [[0, f, g, slope], [t, f_new, g_new, slope_new]]
    for point in points:
        point[2] = point[2].clone(memory_format=torch.contiguous_format)
    # Zoom: points[low] has the smaller value.
    stuck = False
    low, high = (0, 1) if points[0][1] <= points[-1][1] else (1, 0)
    while not done and steps < max_steps:
        if abs(points[1][0] - points[0][0]) * longest < tolerance_change:
            break
        t = _cubic_minimum(points[0][0], points[0][1], points[0][3], points[1][0], points[1][1], points[1][3])
        # Twice in a row near the border of the bracket: move a tenth of its width inwards.
        left, right = min(points[0][0], points[1][0]), max(points[0][0], points[1][0])
        margin = 0.1 * (right - left)
        if min(right - t, t - left) < margin:
            if stuck or t >= right or t <= left:
                t = right - margin if abs(t - right) < abs(t - left) else left + margin
                stuck = False
            else:
                stuck = True
        else:
            stuck = False
        f_new, g_new = evaluate(x, t, d)
        evaluations += 1
        slope_new = g_new.dot(d)
        steps += 1
        new = [t, f_new, g_new.clone(memory_format=torch.contiguous_format), slope_new]
        if f_new > f + c1 * t * slope or f_new >= points[low][1]:
            points[high] = new
            low, high = (0, 1) if points[0][1] <= points[1][1] else (1, 0)
        else:
            if abs(slope_new) <= -c2 * slope:
                done = True
            elif slope_new * (points[high][0] - points[low][0]) >= 0:
                points[high] = points[low]
            points[low] = new
    if len(points) == 1:
        low = 0
    t, f_new, g_new, _ = points[low]
    return f_new, g_new, t, evaluations


class LBFGS(Optimizer):
    """Quasi-Newton steps from the last history_size gradients; step needs a closure. One parameter group only."""

    def __init__(self, params, lr=1, max_iter=20, max_eval=None, tolerance_grad=1e-7, tolerance_change=1e-9,
                 history_size=100, line_search_fn=None):
        _check_lr(lr)
        if max_eval is None:
            max_eval = max_iter * 5 // 4
        super().__init__(params, dict(lr=lr, max_iter=max_iter, max_eval=max_eval, tolerance_grad=tolerance_grad,
                                      tolerance_change=tolerance_change, history_size=history_size,
                                      line_search_fn=line_search_fn))
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")
        self._params = self.param_groups[0]["params"]
        self._numel_cache = None

    def _real(self, tensor):
        return torch.view_as_real(tensor) if tensor.is_complex() else tensor

    def _flat_grad(self):
        return torch.cat([self._real(param.new_zeros(param.shape) if param.grad is None else param.grad).reshape(-1)
                          for param in self._params], 0)

    def _add_direction(self, step, direction):
        offset = 0
        for param in self._params:
            view = self._real(param)
            count = view.numel()
            view.add_(direction[offset:offset + count].view_as(view), alpha=_number(step))
            offset += count

    def _evaluate(self, closure, x, t, d):
        """Loss and gradient at x + t d; the parameters are put back to x."""
        self._add_direction(t, d)
        loss = float(closure())
        flat_grad = self._flat_grad()
        for param, value in zip(self._params, x):
            param.copy_(value)
        return loss, flat_grad

    @torch.no_grad()
    def step(self, closure):
        """One optimisation of at most max_iter iterations; returns the loss at its start."""
        if len(self.param_groups) != 1:
            raise AssertionError(f"Expected exactly one param_group, but got {len(self.param_groups)}")
        evaluate_loss = torch.enable_grad()(closure)
        group = self.param_groups[0]
        lr, max_iter, max_eval = _number(group["lr"]), group["max_iter"], group["max_eval"]
        tolerance_change, search = group["tolerance_change"], group["line_search_fn"]
        state = self.state[self._params[0]]
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first_loss = evaluate_loss()
        loss = float(first_loss)
        evaluations = 1
        state["func_evals"] += 1
        grad = self._flat_grad()
        if grad.abs().max() <= group["tolerance_grad"]:
            return first_loss
        direction, t = state.get("d"), state.get("t")
        old_dirs, old_steps, ro = state.get("old_dirs"), state.get("old_stps"), state.get("ro")
        diagonal, previous_grad = state.get("H_diag"), state.get("prev_flat_grad")
        previous_loss = state.get("prev_loss")
        iterations = 0
        while iterations < max_iter:
            iterations += 1
            state["n_iter"] += 1
            if state["n_iter"] == 1:
                direction, old_dirs, old_steps, ro, diagonal = grad.neg(), [], [], [], 1
            else:
                # Take the last step into the history, if it saw positive curvature.
                y, s = grad.sub(previous_grad), direction.mul(t)
                ys = y.dot(s)
                if ys > 1e-10:
                    if len(old_dirs) == group["history_size"]:
                        old_dirs.pop(0)
                        old_steps.pop(0)
                        ro.pop(0)
                    old_dirs.append(y)
                    old_steps.append(s)
                    ro.append(1.0 / ys)
                    diagonal = ys / y.dot(y)
                # Two loops: the product of the inverse Hessian's estimate with the gradient.
                count = len(old_dirs)
                weights = state.setdefault("al", [None] * group["history_size"])
                q = grad.neg()
                for i in range(count - 1, -1, -1):
                    weights[i] = old_steps[i].dot(q) * ro[i]
                    q.add_(old_dirs[i], alpha=-_number(weights[i]))
                direction = q.mul(diagonal)
                for i in range(count):
                    beta = old_dirs[i].dot(direction) * ro[i]
                    direction.add_(old_steps[i], alpha=_number(weights[i] - beta))
            if previous_grad is None:
                previous_grad = grad.clone(memory_format=torch.contiguous_format)
            else:
                previous_grad.copy_(grad)
            previous_loss = loss
            t = min(1.0, 1.0 / grad.abs().sum()) * lr if state["n_iter"] == 1 else lr
            slope = grad.dot(direction)
            if slope > -tolerance_change:
                break
            used = 0
            if search is not None:
                if search != "strong_wolfe":
                    raise RuntimeError("only 'strong_wolfe' is supported")
                start = [param.clone(memory_format=torch.contiguous_format) for param in self._params]
                loss, grad, t, used = _strong_wolfe(
                    lambda x, t, d: self._evaluate(evaluate_loss, x, t, d), start, t, direction, loss, grad, slope)
                self._add_direction(t, direction)
                flat = grad.abs().max() <= group["tolerance_grad"]
            else:
                self._add_direction(t, direction)
                flat = False
                if iterations != max_iter:
                    # No gradient is needed after the last iteration.
                    with torch.enable_grad():
                        loss = float(closure())
                    grad = self._flat_grad()
                    flat = grad.abs().max() <= group["tolerance_grad"]
                    used = 1
            evaluations += used
            state["func_evals"] += used
            if (iterations == max_iter or evaluations >= max_eval or flat
                    or direction.mul(t).abs().max() <= tolerance_change
                    or abs(loss - previous_loss) < tolerance_change):
                break
        state.update(d=direction, t=t, old_dirs=old_dirs, old_stps=old_steps, ro=ro, H_diag=diagonal,
                     prev_flat_grad=previous_grad, prev_loss=previous_loss)
        return first_loss
