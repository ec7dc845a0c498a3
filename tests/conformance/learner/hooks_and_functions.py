optim = torch.optim
from torch.autograd import Variable, Function, grad, gradcheck, gradgradcheck, forward_ad
import copy, pickle, io
AF = torch.autograd.functional
x = torch.tensor([1., 2., 3.], requires_grad=True)
h = x.register_hook(lambda g: g * 2)
h
x.sum().backward()
x.grad
h.remove()
x.register_hook(lambda g: print("hook", g))
y = (x * 2)
y.retain_grad()
y.register_hook(lambda g: g + 1)
y.sum().backward()
x.grad, y.grad, y.retains_grad, x.retains_grad, x.is_leaf, y.is_leaf
y.grad
(x + 1).grad
x.register_post_accumulate_grad_hook(lambda t: print("acc", t.grad))
(x * 1).register_post_accumulate_grad_hook(lambda t: None)
(x * 3).sum().backward()
z = (x * 2).exp()
z.grad_fn.register_hook(lambda gi, go: print("node", gi, go))
z.grad_fn.register_prehook(lambda go: print("pre", go))
z.sum().backward()
z.grad_fn.name(), z.grad_fn.metadata, z.grad_fn.next_functions, z.grad_fn.next_functions[0][0].next_functions[0][0].variable is x
z.grad_fn.metadata["a"] = 1
z.grad_fn.metadata, z.grad_fn._saved_result.shape, z.grad_fn._raw_saved_result
z.grad_fn.topological_nr if hasattr(z.grad_fn, "topological_nr") else None
z.grad_fn._sequence_nr() >= 0
with torch.autograd.graph.saved_tensors_hooks(lambda t: (print("pack", t.shape), t)[1], lambda t: (print("unpack"), t)[1]):
    w = (x * x).sum()
w.backward()
with torch.autograd.graph.save_on_cpu():
    w = (x * x).sum()
w.backward()
with torch.autograd.graph.disable_saved_tensors_hooks("no hooks"):
    with torch.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        (x * x)
with torch.autograd.graph.allow_mutation_on_saved_tensors():
    a = x.clone(); b = (a ** 2).sum(); a.mul_(2); b.backward()
x.grad
torch.autograd.graph.get_gradient_edge(x)
torch.autograd.graph.get_gradient_edge(z)
x.sum().backward()
torch.autograd.graph.increment_version(x)
x._version
a = torch.ones(2, requires_grad=True)
a.add_(1)
a[0] = 1
a.view(2).add_(1)
a[:1].zero_()
a.data.add_(1)
a.expand(2, 2).add_(1)
b = a * 1
b[0] = 5
b
c = b[1:]
c.mul_(3)
b, c, b.grad_fn, c.grad_fn
b.sum().backward()
a.grad
b = a.exp()
b.add_(1)
b.sum().backward()
with torch.no_grad():
    v = a[:1]
v.add_(1)
b1, b2 = (a * 1).unbind(0)
b1.add_(1)
s1, s2 = (torch.ones(4, requires_grad=True) * 1).split(2)
s1.mul_(2)
c1 = (torch.ones(4, requires_grad=True) * 1).chunk(2)[0]
c1.mul_(2)
with torch.autograd.detect_anomaly():
    q = torch.tensor(-1., requires_grad=True); r = q.sqrt(); r.backward()
with torch.autograd.set_detect_anomaly(True, check_nan=False):
    q = torch.tensor(-1., requires_grad=True); r = q.sqrt(); r.backward()
torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()
class Bad(Function):
    @staticmethod
    def forward(ctx, x): return x * 2
    @staticmethod
    def backward(ctx, g): raise RuntimeError("some error")
Bad.apply(x).sum().backward()
class F1(Function):
    @staticmethod
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y); ctx.mark_non_differentiable; ctx.k = 3; return x * y
    @staticmethod
    def backward(ctx, g):
        x, y = ctx.saved_tensors
        print(ctx.needs_input_grad, ctx.k)
        return g * y, None
F1.apply(x, torch.ones(3)).sum().backward()
F1.apply(x, torch.ones(3)), F1.apply(x, torch.ones(3)).grad_fn, F1.apply(x, torch.ones(3)).grad_fn.name()
F1()
F1.forward
F1.apply(x)
class F2(Function):
    @staticmethod
    def forward(x): return x.clone()
    @staticmethod
    def setup_context(ctx, inputs, output): ctx.x = inputs[0]
    @staticmethod
    def backward(ctx, g): return g, g
F2.apply(x).sum().backward()
class F3(Function):
    @staticmethod
    def forward(ctx, x): ctx.mark_dirty(x); return x.add_(1)
    @staticmethod
    def backward(ctx, g): return g
t = x * 1
F3.apply(t), t.grad_fn
F3.apply(x)
class F4(Function):
    @staticmethod
    def forward(ctx, x): return x, x.argmax()
    @staticmethod
    def backward(ctx, g, g2): print(g, g2); return g
F4.apply(x)[0].sum().backward()
class F5(Function):
    @staticmethod
    def forward(ctx, x): ctx.set_materialize_grads(False); return x * 1, x * 2
    @staticmethod
    def backward(ctx, g, g2): print(g, g2); return g
F5.apply(x)[0].sum().backward()
class F6(Function):
    @staticmethod
    def forward(ctx, x): return x * 1
    @staticmethod
    def backward(ctx, g): return torch.ones(7)
F6.apply(x).sum().backward()
class F7(Function):
    @staticmethod
    def forward(ctx, x): return x * 1
F7.apply(x).sum().backward()
from torch.autograd.function import once_differentiable
class F8(Function):
    @staticmethod
    def forward(ctx, x): return x * 1
    @staticmethod
    @once_differentiable
    def backward(ctx, g): return g * 2
gx, = grad(F8.apply(x).sum(), x, create_graph=True)
gx.sum().backward()
gradcheck(torch.sin, (torch.rand(3, dtype=torch.double, requires_grad=True),)), gradgradcheck(torch.sin, (torch.rand(3, dtype=torch.double, requires_grad=True),))
gradcheck(torch.sin, (torch.rand(3, requires_grad=True),))
gradcheck(lambda x: F6.apply(x), (torch.rand(3, dtype=torch.double, requires_grad=True),))
class F9(Function):
    @staticmethod
    def forward(ctx, x): return x * 2
    @staticmethod
    def backward(ctx, g): return g * 3
gradcheck(F9.apply, (torch.ones(2, dtype=torch.double, requires_grad=True),))
gradcheck(F9.apply, (torch.ones(2, dtype=torch.double, requires_grad=True),), raise_exception=False)
gradcheck(torch.abs, (torch.ones(2, dtype=torch.double),))
f = lambda x: (x ** 3).sum()
AF.jacobian(lambda x: x ** 2, torch.arange(3.)), AF.hessian(f, torch.arange(3.)), AF.vjp(f, torch.arange(3.)), AF.jvp(lambda x: x ** 2, torch.arange(3.), torch.ones(3)), AF.vhp(f, torch.arange(3.), torch.ones(3)), AF.hvp(f, torch.arange(3.), torch.ones(3))
AF.jacobian(lambda x, y: x * y.sum(), (torch.arange(2.), torch.ones(2)), vectorize=True)
AF.jacobian(lambda x: x ** 2, torch.arange(3.), create_graph=True)
AF.jacobian(lambda x: torch.ones(1), torch.arange(3.), strict=True)
AF.hessian(lambda x: x, torch.arange(3.))
AF.jvp(lambda x: x ** 2, torch.arange(3.))
AF.vjp(lambda x: x ** 2, torch.arange(3.), torch.ones(2))
grad(x.sum(), torch.ones(1, requires_grad=True))
grad(x.sum(), torch.ones(1, requires_grad=True), allow_unused=True), grad(x.sum(), torch.ones(1, requires_grad=True), materialize_grads=True)
grad(x, x)
grad([x.sum(), (x * 2).sum()], x)
grad(torch.ones(1), x)
grad(x.sum(), torch.ones(1))
torch.autograd.backward([x.sum(), (x * x).sum()]), x.grad
torch.autograd.backward([x * 2], [torch.ones(3)], inputs=[x])
l = x.sum()
l.backward()
l.backward()
l = (x * x).sum()
l.backward()
l.backward()
torch.ones(1).backward()
x.backward()
xc = torch.tensor([1 + 2j], requires_grad=True)
(xc * xc.conj()).sum().backward()
(xc * xc.conj()).real.sum().backward()
xc.grad
xc.abs().backward()
xc.grad
copy.deepcopy(x), copy.deepcopy(x).grad, copy.copy(x) is x
copy.deepcopy(x * 2)
copy.deepcopy(torch.nn.Parameter(x.detach())), pickle.loads(pickle.dumps(x)), pickle.loads(pickle.dumps(torch.nn.Linear(2, 1)))
pickle.loads(pickle.dumps(x)).requires_grad, pickle.loads(pickle.dumps(torch.float32)) is torch.float32, pickle.loads(pickle.dumps(torch.device("cpu"))), pickle.loads(pickle.dumps(torch.Size([2])))
pickle.dumps(x * 2) is not None
pickle.loads(pickle.dumps((torch.arange(6)[2:4]))), pickle.loads(pickle.dumps(torch.ones(2, 3).t())).stride()
d = {"a": x.detach(), "b": x.detach()[1:]}
e = copy.deepcopy(d)
e["a"][1] = 100
e["b"]
x.requires_grad = False
(x * 1).requires_grad_()
k = torch.ones(2, requires_grad=True) * 2
k.requires_grad = False
k.requires_grad_(False)
k.detach_(), k.requires_grad
torch.ones(2, dtype=torch.int64, requires_grad=True)
torch.ones(2, dtype=torch.int64).requires_grad_()
k.grad = torch.ones(3)
k.grad = torch.ones(2, dtype=torch.double)
k.grad = 3
k.grad = torch.ones(2)
k.grad
del k.grad
k.grad
with torch.inference_mode():
    im = torch.ones(2); im.is_inference(), im.add_(1)
im.requires_grad_()
im * torch.ones(2, requires_grad=True)
im.add_(1)
im._version
def ng(x): return x * 2
ng(torch.ones(1, requires_grad=True)).requires_grad
def inf(x): return x * 2
inf(torch.ones(1)).is_inference()
with torch.set_grad_enabled(False): print(torch.is_grad_enabled())
torch.set_grad_enabled(True)
torch.is_grad_enabled(), torch.is_inference_mode_enabled()
from torch.utils.checkpoint import checkpoint, checkpoint_sequential
m = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Dropout(0.5), torch.nn.Linear(4, 1))
i = torch.randn(2, 3, requires_grad=True)
checkpoint(m, i, use_reentrant=False).sum().backward()
checkpoint(m, i, use_reentrant=True).sum().backward()
checkpoint_sequential(m, 2, i, use_reentrant=False).sum().backward()
p = torch.nn.Linear(2, 2)
p.register_forward_hook(lambda m, i, o: print("fw", i, o))
p.register_forward_pre_hook(lambda m, i: print("pre", i))
p.register_full_backward_hook(lambda m, gi, go: print("bw", gi, go))
p.register_full_backward_pre_hook(lambda m, go: print("bwp", go))
p.register_backward_hook(lambda *a: None)
p.register_forward_hook(lambda m, a, kw, o: print(kw), with_kwargs=True, prepend=True, always_call=True)
torch.nn.modules.module.register_module_forward_hook(lambda m, i, o: print("global", type(m).__name__)).remove()
p.register_state_dict_post_hook(lambda *a: print("sd"))
p.register_load_state_dict_post_hook(lambda m, k: print(k))
p.register_state_dict_pre_hook(lambda *a: print("sdpre"))
p.load_state_dict(p.state_dict())
fw = forward_ad
torch.autograd.profiler.profile
torch.autograd.set_multithreading_enabled(True)
with torch.autograd.grad_mode.set_grad_enabled(False): pass
torch.autograd.grad_mode.no_grad, torch.autograd.no_grad is torch.no_grad
