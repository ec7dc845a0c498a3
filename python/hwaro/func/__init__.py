"""Functions of functions: grad, vjp, jvp, Jacobians, Hessians, and vmap."""
from hwaro.func._derivatives import grad, grad_and_value, hessian, jacfwd, jacrev, jvp, linearize, vjp  # noqa: F401
from hwaro.func._state import functional_call, stack_module_state  # noqa: F401
from hwaro.func._vmap import vmap  # noqa: F401


def functionalize(func, *, remove="mutations"):
    """func itself: nothing here needs functions without in-place operations."""
    return func
