"""Steps that reach outside: NumPy in both directions, DLPack, copies and pickles, deleted names, threads, a fork."""

import numpy as np

NUMPY_TYPES = "float32 float64 int64 int32 uint8 bool int8 int16 complex64".split()


def export(p):
    a = p.tensor()
    if a is None:
        return None
    forms = (
        f"{a}.numpy()",
        f"{a}.detach().numpy()",
        f"{a}.detach().numpy()",
        f"np.asarray({a}.detach())",
        f"np.array({a}.detach())",
        f"{a}.numpy(force=True)",
        f"{a}.detach().__array__()",
        f"np.from_dlpack({a}.detach())",
        f"{a}.detach().t().numpy()" if p[a].dim() < 3 else f"{a}.detach().mT.numpy()",
        f"np.asarray({a})",
    )
    return f"{p.new()} = {p.choice(forms)}"


def array(p):
    names = p.arrays()
    return p.choice(names) if names else None


def made_array(p):
    shape = p.shape()
    kind = p.choice(NUMPY_TYPES)
    n = int(np.prod(shape, dtype=int))
    return f"{p.new()} = np.arange({n}).astype(np.{'bool_' if kind == 'bool' else kind}).reshape({shape})"


def imported(p):
    n = array(p)
    if n is None:
        return None
    forms = (
        f"torch.from_numpy({n})",
        f"torch.from_numpy({n})",
        f"torch.as_tensor({n})",
        f"torch.tensor({n})",
        f"torch.from_dlpack({n})",
        f"torch.asarray({n})",
        f"torch.as_tensor({n}, dtype={p.dtype()})",
        f"torch.from_numpy({n}[::2])" if p[n].ndim else f"torch.from_numpy({n})",
        f"torch.from_numpy({n}.T)",
        f"torch.from_numpy({n}[::-1])"
        if p[n].ndim and len(p[n]) > 1 and p.chance(0.2)
        else f"torch.as_tensor({n}.copy())",
    )
    return f"{p.new()} = {p.choice(forms)}"


def array_written(p):
    n = array(p)
    if n is None:
        return None
    forms = (
        [f"{n} += 1", f"{n}[...] = 0", f"{n} *= 2", f"{n}.fill(1)"]
        if p[n].dtype != bool
        else [f"{n}[...] = False", f"{n} |= True"]
    )
    if p[n].ndim and p[n].shape[0]:
        forms += [f"{n}[0] = 1", f"{n}[::2] = 0", f"{n}[-1:] = 3"]
    return p.choice(forms)


def shows(array, t):
    """Whether an array looks at a tensor's memory: a sum of both into the tensor is then undefined."""
    begin, size = t.untyped_storage().data_ptr(), t.untyped_storage().nbytes()
    return begin <= array.__array_interface__["data"][0] < begin + size


def mixed(p):
    """An array meets a tensor in arithmetic."""
    n, a = array(p), p.tensor(lambda t: not t.requires_grad)
    if n is None or a is None:
        return None
    if tuple(p[a].shape) != p[n].shape and p.chance(0.9):
        return f"{p.new()} = {a} * np.{p.choice(('float32(2)', 'float64(2)', 'int64(2)'))}"
    return p.choice(
        (
            f"{p.new()} = {a} + {n}",
            f"{a} += torch.as_tensor({n})" if not shows(p[n], p[a]) else f"{a} += 1",
            f"{p.new()} = {n} - {a}.numpy()",
            f"{p.new()} = np.add({n}, 1)",
        )
    )


def exchanged(p):
    a = p.tensor(lambda t: not t.requires_grad)
    forms = (
        "torch.from_dlpack({})",
        "torch.utils.dlpack.from_dlpack(torch.utils.dlpack.to_dlpack({}))",
        "torch.as_tensor({})",
        "torch.asarray({})",
    )
    return a and f"{p.new()} = {p.choice(forms).format(a)}"


def copied(p):
    names = p.tensors()
    if not names:
        return None
    a, b = p.tensor(), p.tensor()
    kind = p.choice(("deepcopy", "pickle", "pair", "save"))
    if kind == "pair":
        first, second = p.new(), p.new()
        return f"{first}, {second} = copy.deepcopy(({a}, {b}))"
    if kind == "save":
        return (
            f"import io\nfile = io.BytesIO()\ntorch.save([{a}, {b}], file)\nfile.seek(0)\n"
            f"{p.new()}, {p.new()} = torch.load(file)\ndel file, io"
        )
    return f"{p.new()} = " + (f"copy.deepcopy({a})" if kind == "deepcopy" else f"pickle.loads(pickle.dumps({a}))")


def deleted(p):
    names = p.tensors()
    return f"del {p.choice(names)}" if len(names) > 4 else None


def threads(p):
    a = p.tensor(lambda t: t.requires_grad and t.is_leaf) or p.tensor()
    if a is None:
        return None
    t = p[a]
    name = p.new()
    bodies = [
        f"({a} * (k + 1)).sum().tolist()",
        f"({a} + k).tolist()",
        "torch.is_grad_enabled()",
        f"{a}.t().contiguous().tolist()" if t.dim() < 3 else f"{a}.mT.tolist()",
        "torch.randn(9, generator=torch.Generator().manual_seed(k)).tolist()",
    ]
    if t.requires_grad and t.is_leaf and not t.is_complex():
        bodies += [f"({a} * (k + 1)).sum().backward()"] * 3 + [
            f"torch.autograd.grad(({a} * {a} * k).sum(), {a})[0].tolist()"
        ] * 2
    if p.chance(0.3):
        return (
            f"def work(k):\n    with torch.no_grad():\n        x = {a} * (k + 1)\n        x += k\n"
            f"    return x.tolist(), x.requires_grad\n\n"
            f"{name} = in_two_threads(work)"
        )
    return f"{name} = in_two_threads(lambda k: {p.choice(bodies)})"


def forked(p):
    a = p.tensor(lambda t: t.requires_grad and t.is_leaf) or p.tensor()
    if a is None:
        return None
    t = p[a]
    bodies = [
        f"({a} + 1).tolist()",
        f"{a}.add_(1).tolist()",
        "torch.randint(0, 99, (3,)).tolist()",
        f"{a}.detach().fill_(1).tolist()",
        "torch.is_grad_enabled()",
        "torch.arange(70).reshape(7, 10).t().contiguous().sum(0).tolist()",
    ]
    if t.requires_grad and t.is_leaf and not t.is_complex():
        bodies += [f"torch.autograd.grad(({a} * {a}).sum(), {a})[0].tolist()"] * 3
    return f"{p.new()} = in_child(lambda: {p.choice(bodies)})"


MAKERS = [
    (export, 6, True),
    (made_array, 2, True),
    (imported, 6, True),
    (array_written, 3, True),
    (mixed, 2, True),
    (exchanged, 1, True),
    (copied, 3, True),
    (deleted, 2, True),
    (threads, 1.2, True),
    (forked, 0.12, True),
]
