"""What the makers of steps choose from: the variables of the program so far, sizes, numbers, indices."""

import numpy as np
import torch

FLOATS = (torch.float32, torch.float64)
HALVES = (torch.float16, torch.bfloat16)
COMPLEX = (torch.complex64, torch.complex128)
INTS = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8)
CREATED = (
    (torch.float32, 40),
    (torch.float64, 22),
    (torch.int64, 12),
    (torch.int32, 3),
    (torch.int16, 1),
    (torch.int8, 2),
    (torch.uint8, 3),
    (torch.bool, 4),
    (torch.float16, 3),
    (torch.bfloat16, 3),
    (torch.complex64, 3),
    (torch.complex128, 2),
)


def suits(t, wanted):
    try:
        return wanted is None or wanted(t)
    except RuntimeError:  # a view that a forbidden write has spoilt: any question raises
        return False


def overlapping(t):
    """Whether elements share memory in a way that PyTorch does not see: a write to them has no defined result."""
    reach = 0
    for stride, size in sorted(zip(t.stride(), t.shape)):
        if size <= 1:
            continue
        if 0 < stride <= reach:
            return True
        reach += (size - 1) * stride
    return False


def geometry(t):
    return t.data_ptr(), tuple(t.shape), t.stride()


def tangled(a, b):
    """Whether a write to one while the other is read is undefined: they overlap where PyTorch does not see it."""
    if a is b or not a.numel() or not b.numel() or geometry(a) == geometry(b):
        return False
    begin, size = a.untyped_storage().data_ptr(), a.untyped_storage().nbytes()
    other, length = b.untyped_storage().data_ptr(), b.untyped_storage().nbytes()
    return begin < other + length and other < begin + size


class Picker:
    def __init__(self, rng, env, exact):
        self.rng, self.env, self.exact = rng, env, exact
        self.count = 0
        self.derived = False  # whether the program has made a graph of a derivative

    # ---- names ----

    def new(self):
        name = "abcdefghijkmopqrstuvwxyz"[self.count % 24] + (str(self.count // 24) if self.count >= 24 else "")
        self.count += 1
        return name

    def tensors(self, wanted=None):
        return [name for name, v in self.env.items() if isinstance(v, torch.Tensor) and suits(v, wanted)]

    def tensor(self, wanted=None):
        """A variable that holds a tensor, later ones more often; None where there is none."""
        names = self.tensors(wanted)
        if not names:
            return None
        return names[int(len(names) * self.rng.random() ** 0.6)]

    def target(self, wanted=None):
        """A tensor to write to; leaves that require grad, which refuse, seldom."""
        refuse = self.chance(0.06)
        return self.tensor(
            lambda t: (
                (refuse or not (t.is_leaf and t.requires_grad or t.is_inference()))
                and not overlapping(t)
                and suits(t, wanted)
            )
        )

    def float_tensor(self):
        return self.tensor(lambda t: t.dtype in FLOATS)

    def any_float(self):
        return self.tensor(lambda t: t.is_floating_point())

    def differentiable(self):
        return self.tensor(lambda t: t.is_floating_point() or t.is_complex())

    def arrays(self):
        return [name for name, v in self.env.items() if isinstance(v, np.ndarray)]

    def __getitem__(self, name):
        return self.env[name]

    # ---- numbers ----

    def chance(self, p):
        return self.rng.random() < p

    def choice(self, values):
        return self.rng.choice(values)

    def size(self):
        return self.rng.choice((1, 2, 2, 3, 3, 3, 4, 4, 5, 6, 7, 0) if self.chance(0.97) else (17, 33, 40))

    def shape(self):
        dims = self.rng.choice((0, 1, 1, 2, 2, 2, 2, 3, 3, 4))
        sizes = [self.size() for _ in range(dims)]
        while np.prod(sizes, dtype=int) > 150:
            sizes[sizes.index(max(sizes))] //= 2
        return tuple(sizes)

    def dtype(self):
        if self.exact:
            return self.rng.choice((torch.float32, torch.float64, torch.float32, torch.int64, torch.bool, torch.int32))
        return self.rng.choices([d for d, _ in CREATED], [w for _, w in CREATED])[0]

    def number(self, dtype=None):
        rng = self.rng
        if dtype is None:
            dtype = torch.float32
        if dtype == torch.bool:
            return rng.choice(("True", "False"))
        if self.exact or dtype in INTS:
            return str(rng.choice((-2, -1, 0, 1, 2, 3)))
        if dtype in COMPLEX and self.chance(0.5):
            return rng.choice(("1j", "(1 - 2j)", "0.5j"))
        return rng.choice(("-2", "-1", "0", "1", "2", "3", "0.5", "1.5", "-0.25", "0.1"))

    def dim(self, t):
        """A dimension of a tensor, rarely one that it does not have."""
        d = max(t.dim(), 1)
        return self.rng.randrange(-d, d) if self.chance(0.98) else self.rng.choice((d, -d - 1))

    def dims(self, t):
        d = t.dim()
        picked = self.rng.sample(range(d), self.rng.randrange(1, d + 1)) if d else []
        return tuple(p - d if self.chance(0.3) else p for p in picked)

    # ---- shapes that fit ----

    def fitting(self, t, wanted=None):
        """A tensor that broadcasts with another, mostly."""
        shape = tuple(t.shape)

        def fits(other):
            if wanted is not None and not wanted(other):
                return False
            return all(a == b or a == 1 or b == 1 for a, b in zip(shape[::-1], tuple(other.shape)[::-1]))

        return self.tensor(fits if self.chance(0.96) else wanted)

    def fitting_into(self, t, wanted=None):
        """A tensor that can be expanded to the shape of another."""
        shape = tuple(t.shape)

        def fits(other):
            if other.dim() > len(shape) or (wanted is not None and not wanted(other)) or tangled(t, other):
                return False
            return all(b == a or b == 1 for a, b in zip(shape[::-1], tuple(other.shape)[::-1]))

        return self.tensor(fits if self.chance(0.95) else lambda other: not tangled(t, other))

    def index(self, t, repeats=True, advanced=True):
        """An index expression for a tensor. repeats: whether lists may name a place twice."""
        rng, items, lengths = self.rng, [], None
        count = rng.randrange(0, t.dim() + 1)
        if t.dim() and count == 0 and self.chance(0.7):
            count = 1
        for n in tuple(t.shape)[:count]:
            kind = rng.choice(("int", "int", "slice", "slice", "slice", "step", "list", "tensor", "mask", "all"))
            if kind in ("list", "tensor", "mask") and (not advanced or n == 0):
                kind = "slice"
            if kind == "int":
                items.append(str(rng.randrange(-n, n) if n and self.chance(0.98) else n))
            elif kind == "all":
                items.append(":")
            elif kind == "slice":
                begin, end = rng.choice(("", 0, 1, -2)), rng.choice(("", n, -1, 2))
                items.append(f"{begin}:{end}")
            elif kind == "step":
                items.append(f"{rng.choice(('', 0, 1))}::{rng.choice((1, 2, 3))}")
            elif kind == "mask":
                items.append(f"torch.tensor({[rng.random() < 0.6 for _ in range(n)]})")
                lengths = -1 if lengths is None else lengths
            else:
                if lengths is None or lengths > n:
                    lengths = rng.randrange(1, n + 1)
                if lengths < 0:
                    items.append(":")
                    continue
                values = [rng.randrange(-n, n) for _ in range(lengths)] if repeats else rng.sample(range(n), lengths)
                items.append(str(values) if kind == "list" else f"torch.tensor({values})")
        if self.chance(0.15):
            items.insert(rng.randrange(len(items) + 1), "None")
        if self.chance(0.2) and len(items) <= t.dim():
            items.append("...")
        if not items:
            items.append(rng.choice((":", "...") if t.dim() else ("...", "()")))
        return ", ".join(items)
