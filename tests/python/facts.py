"""Facts of PyTorch's behaviour that are easy to get wrong: one small program each, one line printed.

`python tests/python/facts.py [hwaro | torch]` prints them all. test_gotchas.py compares Hwaro's lines with those in
facts.json, which `python tests/python/facts.py --record` writes with PyTorch; tests/conformance/test_live_facts.py
compares both libraries. A line ends with the warnings, "once" where a second run of the program gives none.
"""

import contextlib
import importlib
import io
import json
import pathlib
import re
import subprocess
import sys
import warnings

RECORD = pathlib.Path(__file__).with_suffix(".json")

# title: program. The value of the last expression is shown; statements before it are separated by lines or "; ".
FACTS = {}


def facts(section, text):
    for line in text.strip().splitlines():
        title, _, program = line.strip().partition(" | ")
        assert program and title not in FACTS, line
        FACTS[f"{section}: {title}"] = program


facts(
    "devices",
    """
cuda without an index | d = torch.device('cuda'); (str(d), repr(d), d.index, d.type)
cuda with an index | d = torch.device('cuda:1'); (str(d), repr(d), d.index, torch.device('cuda', 1) == d)
mps | (str(torch.device('mps')), torch.device('mps').index, torch.device('mps:0') == torch.device('mps'))
cpu | (str(torch.ones(1).device), torch.device('cpu').index, torch.device('cpu') == 'cpu')
there is no Tensor.mps | hasattr(torch.ones(1), 'cpu'), hasattr(torch.ones(1), 'cuda'), hasattr(torch.ones(1), 'mps')
to() returns self when nothing changes | x = torch.ones(2); (x.to('cpu') is x, x.to(torch.float32) is x, x.to(x) is x, x.to('cpu', torch.float32) is x)
to() copies otherwise | x = torch.ones(2); (x.to(torch.float64) is x, x.to('cpu', copy=True) is x, x.to(torch.float32, copy=True).data_ptr() == x.data_ptr())
to(dtype) | torch.ones(2).to(torch.int64), torch.ones(2).to(dtype=torch.float16).dtype
to(device, dtype) | torch.ones(2).to('cpu', torch.float64), torch.ones(2).to(torch.device('cpu'), dtype=torch.int8).dtype
to(other) | torch.ones(2).to(torch.ones(1, dtype=torch.float64)).dtype
to(non_blocking) | x = torch.ones(2); x.to('cpu', non_blocking=True) is x, x.to(torch.float32, True) is x
to(memory_format) | torch.ones(1, 2, 3, 4).to(memory_format=torch.channels_last).stride()
meta meets cpu in + | torch.ones(2) + torch.ones(2, device='meta')
meta meets a number on the cpu | torch.ones(2, device='meta') + torch.tensor(1.0)
a number on meta meets cpu | torch.ones(2) + torch.ones((), device='meta')
cat of cpu and meta | torch.cat([torch.ones(2), torch.ones(2, device='meta')])
where with meta | torch.where(torch.ones(2) > 0, torch.ones(2, device='meta'), torch.ones(2))
no cards | torch.cuda.is_available(), torch.backends.mps.is_available(), torch.accelerator.is_available(), torch.cuda.device_count()
cpu is there | torch.cpu.is_available(), torch.cpu.device_count()
a wrong device | torch.device('gpu')
a wrong index | torch.device('cuda:x')
a negative index | torch.device('cuda', -1)
meta has no values | torch.ones(2, device='meta').tolist()
meta prints | torch.ones(2, 3, device='meta')
meta to cpu | torch.ones(2, device='meta').to('cpu')
meta item | torch.ones(1, device='meta').item()
""",
)
facts(
    "random",
    """
the state | torch.get_rng_state().shape, torch.get_rng_state().dtype
manual_seed returns the generator | torch.manual_seed(3) is torch.default_generator, torch.initial_seed()
rand | torch.rand(5)
rand in double | torch.rand(5, dtype=torch.float64)
rand in half | torch.rand(5, dtype=torch.float16), torch.rand(3, dtype=torch.bfloat16)
randn below 16 | torch.randn(15)
randn of 16 and more | torch.randn(16), torch.randn(17), torch.randn(31)
randn of many | torch.randn(1000)[-3:], torch.randn(1)
randn not contiguous | torch.empty(4, 8).t().normal_().sum()
randint | torch.randint(10, (8,)), torch.randint(-5, 2**40, (3,)), torch.randint(0, 2**28, (2,)), torch.randint(0, 2**28 - 1, (2,))
random_ | torch.empty(4).random_(), torch.empty(4, dtype=torch.uint8).random_(), torch.empty(3, dtype=torch.int64).random_()
randperm | torch.randperm(10), torch.randperm(1), torch.randperm(0)
bernoulli | torch.empty(8).bernoulli_(0.3), torch.bernoulli(torch.full((8,), 0.3))
exponential | torch.empty(4).exponential_(2.0)
dropout | torch.nn.functional.dropout(torch.ones(8), 0.5)
a generator | g = torch.Generator().manual_seed(7); torch.rand(3, generator=g), g.initial_seed()
the state comes back | s = torch.get_rng_state(); a = torch.rand(3); torch.set_rng_state(s); torch.equal(a, torch.rand(3))
fork_rng | a = torch.get_rng_state(); c = torch.random.fork_rng(); c.__enter__(); torch.rand(5); c.__exit__(None, None, None); torch.equal(a, torch.get_rng_state())
a loader draws its seed, then the sampler's | d = torch.utils.data.DataLoader(torch.arange(6), shuffle=True); [int(v) for v in d], torch.rand(1)
multinomial | torch.multinomial(torch.tensor([1.0, 2.0, 3.0]), 5, replacement=True), torch.multinomial(torch.tensor([1.0, 2.0, 3.0]), 2)
""",
)
facts(
    "nodes",
    """
sum | x.sum().grad_fn, x.sum(0).grad_fn
max | x.max().grad_fn, x.max(0)[0].grad_fn
clamp | x.clamp(0, 1).grad_fn
powers | (x**2).grad_fn, (2**x).grad_fn, (x**x).grad_fn
products | (v @ v).grad_fn, (x @ v).grad_fn, (x @ x).grad_fn, (x.expand(2, 2, 2) @ x.expand(2, 2, 2)).grad_fn
linear | F.linear(x, x, v).grad_fn, F.linear(x, x).grad_fn
cross_entropy | F.cross_entropy(x, torch.tensor([0, 1])).grad_fn
reshape that views | x.reshape(4).grad_fn, x.t().reshape(4).grad_fn
to(dtype) | x.to(torch.float64).grad_fn
norm | x.norm().grad_fn
chunk | x.chunk(2)[0].grad_fn, x.split(1)[0].grad_fn, x.unbind()[0].grad_fn
two over x | (2 / x).grad_fn, [type(n[0]).__name__ for n in (2 / x).grad_fn.next_functions], (2 / x)
two minus x | (2 - x).grad_fn, [type(n[0]).__name__ for n in (2 - x).grad_fn.next_functions]
x over two | (x / 2).grad_fn, [type(n[0]).__name__ for n in (x / 2).grad_fn.next_functions]
names | (x * 2).sum().grad_fn.name(), (x * 2).sum().grad_fn.next_functions[0][0].name()
the leaf's node | (x * 2).grad_fn.next_functions[0][0].variable is x
""",
)
facts(
    "autograd",
    """
grad is grad | (x * x).sum().backward(); x.grad is x.grad
attributes stay | y = x * 2; y.mark = 5; z = y + 1; z.grad_fn.next_functions[0][0], y.mark
gradients never share memory | a = v.clone().detach().requires_grad_(); (a + v).sum().backward(); a.grad.data_ptr() == v.grad.data_ptr(), a.grad.stride(), v.grad.stride()
the caller's gradient is not kept | g = torch.ones(2); y = v + 0; y.backward(g); v.grad.data_ptr() == g.data_ptr(), v.grad
modified in place | y = v.exp(); y.add_(1); y.sum().backward()
modified in place, by index | w = v * 1; y = w * w; w[0] = 5.0; y.sum().backward()
in place on a leaf | v.add_(1)
in place on a view of a leaf | v[0].add_(1)
in place on an expanded tensor | torch.ones(1).expand(3).add_(1)
assignment to a leaf | v[0] = 1.0
under no_grad the leaf may be written | c = torch.no_grad(); c.__enter__(); v.add_(1); c.__exit__(None, None, None); v, v._version
create_graph | g, = torch.autograd.grad((v**3).sum(), v, create_graph=True); torch.autograd.grad(g.sum(), v)
complex gradients are conjugate | z = torch.tensor([1 + 2j], requires_grad=True); (z * z.conj()).real.sum().backward(); z.grad
complex outputs need a gradient | z = torch.tensor([1 + 2j], requires_grad=True); z.sum().backward()
a deep graph | y = v.sum(); y = deep(y); y.backward(); v.grad
backward of many | (v * 2).backward()
backward twice | y = (v * v).sum(); y.backward(); y.backward()
backward without a graph | torch.ones(1).sum().backward()
numpy() of a tracked tensor | v.numpy()
deepcopy of a result | copy.deepcopy(v * 2)
requires_grad of an int | torch.ones(2, dtype=torch.int64, requires_grad=True)
requires_grad_ of an int | torch.ones(2, dtype=torch.int64).requires_grad_()
requires_grad of a result | y = v * 2; y.requires_grad = False
grad of a result | (v * 2).grad
unused input | torch.autograd.grad((v * 2).sum(), [v, x])
unused input allowed | torch.autograd.grad((v * 2).sum(), [v, x], allow_unused=True)[1]
detach shares memory | d = v.detach(); d.data_ptr() == v.data_ptr(), d.requires_grad, d._version
data hides writes from the version | y = v * v; v.data.mul_(2); y.sum().backward(); v.grad, v._version
retain_grad | y = v * 2; y.retain_grad(); y.sum().backward(); y.grad
a leaf keeps the first gradient's layout | w = torch.ones(2, 3, requires_grad=True); w.t().sum().backward(); w.grad.stride()
hooks change gradients | v.register_hook(lambda g: g * 10); (v * 2).sum().backward(); v.grad
out= with a graph | torch.add(v, 1, out=torch.empty(2))
item of a tracked tensor | v.sum().item(), float(v.sum())
to a number by int() | int(torch.tensor(2.5, requires_grad=True))
a tracked tensor prints its node | v * 2, v, v.sum()
""",
)
facts(
    "values",
    """
categories | (torch.ones(2, dtype=torch.int32) + 1.5).dtype, (torch.ones(2) + torch.tensor(1, dtype=torch.float64)).dtype, (torch.ones(2, dtype=torch.int8) + torch.tensor(1)).dtype, (torch.ones(2, dtype=torch.float16) + torch.ones((), dtype=torch.float64)).dtype
bools | (torch.tensor([True]) + torch.tensor([True])), torch.tensor([True]) + 1, (torch.tensor([True]) + 1.0).dtype
bool minus bool | torch.tensor([True]) - torch.tensor([True])
uint8 wraps | torch.tensor([1], dtype=torch.uint8) + 300
int.div_ | torch.ones(2, dtype=torch.int64).div_(2)
int add_ float | torch.ones(2, dtype=torch.int64).add_(1.5)
float add_ complex | torch.ones(2).add_(1j)
division by zero | torch.tensor([1]) // 0
remainder by zero | torch.tensor([1]) % torch.tensor([0])
float division by zero | torch.tensor([1.0]) // 0, torch.tensor([1.0]) % 0, torch.tensor([1]) / 0
casts out of range | torch.tensor([float('nan'), float('inf'), -1.0, 300.0]).to(torch.uint8), torch.tensor([float('nan'), 1e20, -1e20]).to(torch.int64)
shifts too far | torch.tensor([1, -1]) << 64, torch.tensor([1, -8]) >> 64, torch.tensor([1], dtype=torch.int32) << 40
nan spreads | nan = float('nan'); t = torch.tensor([1.0, nan, 2.0]); t.max(), t.min(), t.amax(), t.clamp(0, 1), torch.maximum(t, t * 0), t.argmax()
nan sorts last | torch.tensor([float('nan'), 1.0, float('inf')]).sort()
nan is unique each time | torch.tensor([float('nan'), 1.0, float('nan')]).unique()
nan in fmax | torch.fmax(torch.tensor([float('nan'), 1.0]), torch.tensor([2.0, float('nan')]))
ties: sort keeps the first | torch.tensor([1.0, 0.0, 1.0, 0.0]).sort(stable=True), torch.tensor([1, 1, 0, 0]).argmax(), torch.tensor([2, 2]).max(0)
topk by value | torch.tensor([1.0, 3.0, 3.0, 2.0]).topk(2).values
minus zero | torch.tensor([-0.0, 0.0]).sign(), torch.tensor(-0.0), torch.tensor([-0.0]) == 0, torch.tensor([-0.0]).signbit()
strides follow the inputs | t = torch.ones(2, 3, 4).permute(2, 0, 1); (t + 1).stride(), (t + t.contiguous()).stride(), torch.zeros_like(t).stride()
strides with channels_last | t = torch.ones(2, 3, 4, 5).contiguous(memory_format=torch.channels_last); (t * 2).stride(), torch.relu(t).stride(), torch.empty_like(t).stride(), t.clone().stride()
strides of out= | o = torch.empty(3, 2).t(); torch.add(torch.ones(2, 3), 1, out=o).stride(), o.stride()
out= is resized | o = torch.empty(3); torch.add(torch.ones(2, 2), 1, out=o).shape
out= of another type | torch.add(torch.ones(2), 1, out=torch.empty(2, dtype=torch.int64))
mixed indices | torch.zeros(2, 3, 4)[0, :, [0, 1]].shape, torch.zeros(2, 3, 4)[:, [0, 1], [0, 1]].shape, torch.zeros(2, 3, 4)[[0, 1], :, [0, 1]].shape
cat takes an old empty tensor | torch.cat([torch.tensor([]), torch.ones(2, 3)]).shape, torch.cat([torch.ones(2, 3), torch.empty(0)], 1).shape
None is not equal | (torch.ones(2) == None), (torch.ones(2) != None)
a NumPy number on the left | np.float64(2) * torch.ones(2), np.float32(2) + torch.ones(2), np.int64(2) - torch.ones(2, dtype=torch.int64), type(np.float64(2) * torch.ones(2)).__name__
an array on the left | type(np.ones(2) * torch.ones(2)).__name__, type(torch.ones(2) * np.ones(2)).__name__
conj is lazy | z = torch.tensor([1 + 2j]); c = z.conj(); c.is_conj(), c.data_ptr() == z.data_ptr(), c.resolve_conj().is_conj(), c
named results | t = torch.tensor([[2.0, 1.0]]); r = t.sort(); type(r), r, r.values, r[0], len(r), [v.shape for v in r]
named results of max and topk | torch.tensor([[2.0, 1.0]]).max(1), torch.tensor([[2.0, 1.0]]).topk(1), torch.tensor([3.0, 1.0]).median(0)
names of the types | torch.return_types.sort, torch.return_types.max, torch.return_types.topk.__name__
Size is a tuple | s = torch.ones(2, 3).shape; isinstance(s, tuple), s, s == (2, 3), s[1:], s + (1,), (1,) + s, s * 2, s.numel(), hash(s) == hash((2, 3)), torch.Size([4])
typed classes | isinstance(torch.ones(1), torch.FloatTensor), isinstance(torch.ones(1), torch.LongTensor), torch.FloatTensor, type(torch.ones(1)), torch.ones(1).type()
torch.tensor of a tensor | torch.tensor(torch.ones(2))
torch.tensor of a tensor, tracked | torch.tensor(torch.ones(2, requires_grad=True), requires_grad=True)
as_tensor shares | a = np.ones(2); t = torch.as_tensor(a); a[0] = 5; t, torch.as_tensor(t) is t, torch.tensor(a).data_ptr() == t.data_ptr()
deepcopy keeps sharing | t = torch.ones(4); a, b = copy.deepcopy([t, t[1:]]); a[1] = 7; b
save keeps sharing | t = torch.ones(4); f = io.BytesIO(); torch.save([t, t[1:]], f); n = f.seek(0); a, b = torch.load(f); a[1] = 7; b
a copy of a slice saves its storage | f = io.BytesIO(); torch.save(torch.ones(1000)[:1], f); f.tell() > 4000
empty reductions | torch.ones(0).sum(), torch.ones(0).prod(), torch.ones(0).mean(), torch.ones(2, 0).sum(1)
max of nothing | torch.ones(0).max()
argmax of nothing | torch.ones(0).argmax()
mean of ints | torch.arange(3).mean()
integer sums are int64 | torch.ones(2, dtype=torch.int8).sum().dtype, torch.ones(2, dtype=torch.bool).sum(), torch.ones(2, dtype=torch.uint8).cumsum(0).dtype
rounding half to even | torch.tensor([0.5, 1.5, 2.5, -0.5]).round(), torch.tensor(2.675).round(decimals=2)
true division of ints | torch.tensor([7]) / 2, torch.tensor([-7]) // 2, torch.tensor([-7]) % 2, torch.fmod(torch.tensor([-7]), 2)
powers of ints | torch.tensor([2]) ** 3, torch.tensor([2.0]) ** -1, torch.tensor(2) ** 0.5
ints to negative powers | torch.tensor([2]) ** -1
numbers that fit in no type | torch.tensor([300], dtype=torch.uint8)
numbers that fit in no type, filled | torch.full((2,), 300, dtype=torch.int8)
truth of many | bool(torch.ones(2))
truth of none | bool(torch.ones(0))
truth of one | bool(torch.zeros(1, 1)), not torch.zeros(1)
item of many | torch.ones(2).item()
index of a float | [1, 2, 3][torch.tensor(1.0)]
index of an int | [1, 2, 3][torch.tensor(1)], range(3)[torch.tensor([2])]
formats | f'{torch.tensor(1.2345):.2f}', f'{torch.tensor([1.5])}', f'{torch.tensor(3):5d}|', str(torch.tensor(True))
formats of many | f'{torch.ones(2):.2f}'
in | 1 in torch.tensor([1, 2]), torch.tensor(3) in torch.tensor([1, 2])
in, for other things | 'a' in torch.tensor([1, 2])
iteration of a number | list(torch.tensor(1))
len of a number | len(torch.tensor(1))
hash is identity | x = torch.ones(1); hash(x) == hash(x.clone()), len({x, x}), {x: 1}[x]
comparison chains | torch.ones(2) == torch.ones(3)
""",
)
facts(
    "assignment",
    """
a list | t = torch.ones(3); t[0] = [1]
an array | t = torch.ones(3); t[0:2] = np.ones(2)
a complex number | t = torch.ones(3); t[0] = 1j
a string as index | t = torch.ones(3); t['a']
a float as index | t = torch.ones(3); t[1.5]
a number too large | t = torch.ones(3, dtype=torch.int8); t[0] = 300
nan into ints | t = torch.ones(3, dtype=torch.int64); t[0] = float('nan')
a tensor of another shape | t = torch.ones(2, 3); t[0] = torch.zeros(2)
a mask of another shape | torch.ones(3)[torch.tensor([True, False])]
copy_ of a number | torch.ones(3).copy_(3)
copy_ of a list | torch.ones(3).copy_([1, 2, 3])
copy_ of another shape | torch.ones(3).copy_(torch.ones(2))
in-place comparison | t = torch.tensor([1.0, 2.0]); t.eq_(1), t.lt_(1), t.ge_(0), t.dtype
index too large | torch.ones(3)[3]
too many indices | torch.ones(3)[0, 0]
deletion | t = torch.ones(3); del t[0]
assignment through a mask | t = torch.arange(4.0); t[t > 1] = 0.0; t
assignment through a list | t = torch.zeros(4); t[[0, 2]] = torch.tensor([1.0, 2.0]); t
assignment converts | t = torch.zeros(2, dtype=torch.int64); t[0] = 1.9; t[1] = True; t
uint8 masks | torch.arange(3)[torch.tensor([1, 0, 1], dtype=torch.uint8)]
""",
)
facts(
    "warnings",
    """
T of three dimensions | torch.ones(2, 3, 4).T.shape
meshgrid without indexing | torch.meshgrid(torch.arange(2), torch.arange(2))[0].shape
softmax without dim | F.softmax(torch.ones(2), dtype=None)
log_softmax without dim | F.log_softmax(torch.ones(2, 2))
F.sigmoid | F.sigmoid(torch.zeros(1))
F.tanh | F.tanh(torch.zeros(1))
size_average | nn.MSELoss(size_average=False).reduction
reduce | nn.L1Loss(reduce=False).reduction
size_average in a function | F.mse_loss(torch.ones(2), torch.zeros(2), size_average=True)
other target size | F.mse_loss(torch.ones(2), torch.zeros(3, 2))
kl_div with mean | F.kl_div(torch.zeros(2), torch.ones(2))
std of one | torch.std(torch.ones(1))
volatile | torch.autograd.Variable(torch.ones(1), volatile=True)
old order of arguments | torch.add(torch.ones(1), 2, torch.ones(1))
range | torch.range(1, 3)
cross without dim | torch.cross(torch.ones(2, 3), torch.ones(2, 3)).shape
complex into real | torch.tensor([1 + 2j]).to(torch.float32)
a list of arrays | torch.tensor([np.ones(2), np.ones(2)]).shape
an array that is not writable | a = np.ones(2); a.flags.writeable = False; torch.from_numpy(a)
create_graph in backward | (v * v).sum().backward(create_graph=True); v.grad is not None
scheduler before optimizer | o = torch.optim.SGD([v], lr=0.1); s = torch.optim.lr_scheduler.StepLR(o, 1); s.step()
a zero-element initialisation | nn.init.ones_(torch.empty(0)), nn.init.xavier_uniform_(torch.empty(0, 2)).shape
old initialisation | nn.init.uniform(torch.zeros(1)) is not None
old clipping | v.grad = torch.ones(2); nn.utils.clip_grad_norm(v, 1.0)
dropout in a one-layer LSTM | nn.LSTM(2, 2, dropout=0.5).num_layers
storage | torch.ones(2).storage().dtype
upsample | F.upsample(torch.ones(1, 1, 2), scale_factor=2).shape
where with uint8 | torch.where(torch.tensor([1, 0], dtype=torch.uint8), 1, 2)
requires_grad to a float | float(torch.tensor(1.0, requires_grad=True))
""",
)


def names(torch):
    import copy

    import numpy

    def deep(y):
        for _ in range(100000):
            y = y + 0
        return y

    out = {"torch": torch, "np": numpy, "copy": copy, "io": io, "F": torch.nn.functional, "nn": torch.nn, "deep": deep}
    out["x"] = torch.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    out["v"] = torch.tensor([1.0, 2.0], requires_grad=True)
    return out


def shown(value):
    text = re.sub(r"0x[0-9a-f]+", "0x…", repr(value))
    return " ".join(text.split())


def run(program, torch):
    """(what the program shows, [(class, text) of its warnings])."""
    scope = names(torch)
    torch.manual_seed(0)
    with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("always")
        try:
            *before, last = program.split("; ")
            for statement in before:
                exec(statement, scope)
            try:
                code = compile(last, "fact", "eval")
            except SyntaxError:
                exec(last, scope)
                result = "done"
            else:
                result = shown(eval(code, scope))
        except Exception as error:
            result = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
    where = re.compile(r" \(Triggered internally at [^)]*\)")
    found = [(w.category.__name__, where.sub("", " ".join(str(w.message).split()))) for w in caught]
    return result, found


def line(program, torch):
    """The line of a fact."""
    result, first = run(program, torch)
    second = [text for _, text in run(program, torch)[1]] if first else []
    out = result.replace("hwaro", "torch")
    for category, text in dict.fromkeys(first):
        out += f" !! {category}{'' if text in second else ' once'}: {text}"
    return out


def lines(torch):
    return {title: line(program, torch) for title, program in FACTS.items()}


def lines_of(library):
    """The lines of a library in a fresh process: some warnings come once in each."""
    done = subprocess.run([sys.executable, __file__, library, "--json"], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def main():
    name = next((a for a in sys.argv[1:] if not a.startswith("-")), "hwaro")
    if "--record" in sys.argv:
        RECORD.write_text(json.dumps(lines_of("torch"), indent=0, ensure_ascii=False) + "\n")
        return
    found = lines(importlib.import_module(name))
    if "--json" in sys.argv:
        print(json.dumps(found))
        return
    for title, text in found.items():
        print(f"{title}: {FACTS[title]} -> {text}")


if __name__ == "__main__":
    main()
