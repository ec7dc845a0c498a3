"""The reduction argument of the losses, and the two older arguments that it replaced."""
import warnings


def legacy_get_string(size_average, reduce, emit_warning=True):
    """The reduction that size_average and reduce stood for."""
    if size_average is None:
        size_average = True
    if reduce is None:
        reduce = True
    name = "none" if not reduce else "mean" if size_average else "sum"
    if emit_warning:
        warnings.warn("size_average and reduce args will be deprecated, "
                      f"please use reduction='{name}' instead.", stacklevel=2)
    return name


def legacy_get_enum(size_average, reduce, emit_warning=True):
    """The same as a number."""
    return get_enum(legacy_get_string(size_average, reduce, emit_warning))


def get_enum(reduction):
    """0, 1, 2 for none, mean, sum."""
    if reduction == "elementwise_mean":
        warnings.warn("reduction='elementwise_mean' is deprecated. Please use reduction='mean' instead.", stacklevel=2)
        return 1
    for number, name in enumerate(("none", "mean", "sum")):
        if reduction == name:
            return number
    raise ValueError(f"{reduction} is not a valid value for reduction")


def reduced(loss, reduction):
    """loss as it is, its mean or its sum."""
    return (lambda x: x, lambda x: x.mean(), lambda x: x.sum())[get_enum(reduction)](loss)


def chosen(reduction, size_average, reduce):
    """The reduction that counts, after the older arguments have had their say."""
    if size_average is not None or reduce is not None:
        return legacy_get_string(size_average, reduce)
    return reduction
