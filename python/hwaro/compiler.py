"""torch.compile's companions. Nothing is compiled: functions run as Python calls them."""


def is_compiling():
    return False


def is_dynamo_compiling():
    return False


def is_exporting():
    return False


def disable(fn=None, recursive=True, **kwargs):
    return fn if fn is not None else (lambda f: f)


def allow_in_graph(fn):
    return fn


def assume_constant_result(fn):
    return fn


def set_stance(*args, **kwargs):
    import contextlib
    return contextlib.nullcontext()


def cudagraph_mark_step_begin():
    pass


def reset():
    pass


def list_backends(exclude_tags=()):
    return ["eager"]
