x = torch.ones(5)
y = torch.zeros(3)
torch.manual_seed(0)
w = torch.randn(5, 3, requires_grad=True)
b = torch.randn(3, requires_grad=True)
z = torch.matmul(x, w)+b
loss = torch.nn.functional.binary_cross_entropy_with_logits(z, y)
print(f"Gradient function for z = {z.grad_fn}")
print(f"Gradient function for loss = {loss.grad_fn}")
w, b, z, loss
loss.backward()
print(w.grad)
print(b.grad)
loss.backward()
z.grad
z.requires_grad, w.is_leaf, z.is_leaf
z = torch.matmul(x, w)+b
print(z.requires_grad)
with torch.no_grad():
    z = torch.matmul(x, w)+b
print(z.requires_grad)
z = torch.matmul(x, w)+b
z_det = z.detach()
print(z_det.requires_grad)
inp = torch.eye(4, 5, requires_grad=True)
out = (inp+1).pow(2).t()
out.backward(torch.ones_like(out), retain_graph=True)
print(f"First call\n{inp.grad}")
out.backward(torch.ones_like(out), retain_graph=True)
print(f"\nSecond call\n{inp.grad}")
inp.grad.zero_()
out.backward(torch.ones_like(out), retain_graph=True)
print(f"\nCall after zeroing gradients\n{inp.grad}")
out
out.backward()
out.backward(torch.ones(3))
out.backward([1,2])
out.backward(1.0)
inp.sum().backward(torch.tensor(2.))
inp.grad
inp.backward(gradient=torch.ones(4,5))
a = torch.tensor([2., 3.], requires_grad=True)
b = torch.tensor([6., 4.], requires_grad=True)
Q = 3*a**3 - b**2
Q
external_grad = torch.tensor([1., 1.])
Q.backward(gradient=external_grad)
print(9*a**2 == a.grad)
print(-2*b == b.grad)
a.grad, b.grad
Q.backward(gradient=external_grad)
x = torch.rand(5, 5)
y = torch.rand(5, 5)
z = torch.rand((5, 5), requires_grad=True)
a = x + y
print(f"Does `a` require gradients? : {a.requires_grad}")
b = x + z
print(f"Does `b` require gradients?: {b.requires_grad}")
b
x = torch.tensor([1., 2.], requires_grad=True)
x + 1
x * 2
x / 2
x - 1
x ** 2
2 ** x
x @ x
x.exp(), x.log(), x.sqrt(), x.sin(), x.tanh(), x.sigmoid(), x.relu(), x.abs()
x.sum(), x.mean(), x.prod(), x.max(), x.min(), x.std(), x.var(), x.norm()
x.max(0), x.sort(), x.topk(1), x.cumsum(0)
x[0], x[0:1], x[[0]], x[x > 1], x.view(2,1), x.reshape(1,2), x.t(), x.unsqueeze(0), x.expand(2,2), x.clone(), x.flip(0)
torch.cat([x, x]), torch.stack([x, x]), torch.split(x, 1), torch.where(x > 1, x, 0), x.clamp(0, 1)
-x, abs(x), 1 / x, 1 - x
x.float(), x.double(), x.half()
x.to(torch.int32)
x == 1, x > 0
x.softmax(0), x.log_softmax(0), F.softmax(x, 0)
x.add_(1)
x += 1
x[0] = 5
x.zero_()
y = x.clone()
y.add_(1)
y[0] = 5
y
with torch.no_grad():
    x.add_(1)
x
x.data.add_(1)
x
x.data = torch.ones(3)
x
x.grad
x.grad = torch.ones(3)
x.grad
x.grad = torch.ones(2)
x.grad = 'a'
x.grad = None
x.numpy()
x.detach().numpy()
x.tolist()
x[0].item()
float(x[0])
x.requires_grad = False
x.requires_grad = True
(x*2).requires_grad = False
(x*2).requires_grad_(False)
(x*2).grad
(x*2).detach_()
x = torch.ones(3, requires_grad=True)
x.retain_grad()
torch.ones(2).retain_grad()
torch.ones(2).backward()
torch.ones(1).sum().backward()
(x*2).backward()
x.sum().backward()
x.grad
x.sum().backward()
x.grad
y = x * 2
y.retain_grad()
y.sum().backward()
y.grad
y.grad_fn
y.grad_fn.next_functions
y.grad_fn.next_functions[0][0].variable is x
y.grad_fn.name()
x.grad_fn
x.grad.zero_()
h = x.register_hook(lambda g: g * 10)
(x*3).sum().backward()
x.grad
h.remove()
h
torch.ones(2).register_hook(print)
x.register_hook(lambda g: print('hook', g))
(x*3).sum().backward()
y = x * x
y += 1
y.sum().backward()
y = x.exp()
y += 1
y.sum().backward()
y = x.sigmoid()
y.mul_(2)
y.sum().backward()
torch.autograd.grad(x.pow(2).sum(), x)
torch.autograd.grad(x.pow(2), x)
torch.autograd.grad(x.pow(2), x, torch.ones(3))
torch.autograd.grad(x.pow(2).sum(), torch.ones(2, requires_grad=True))
torch.autograd.grad(x.pow(2).sum(), torch.ones(2, requires_grad=True), allow_unused=True)
torch.autograd.grad(x.pow(2).sum(), torch.ones(2))
torch.autograd.grad(torch.ones(2).sum(), x)
torch.autograd.grad(x.pow(3).sum(), x, create_graph=True)
g, = torch.autograd.grad(x.pow(3).sum(), x, create_graph=True)
torch.autograd.grad(g.sum(), x)
torch.autograd.backward([x.sum()])
torch.is_grad_enabled()
with torch.no_grad(): print(torch.is_grad_enabled(), (x*2).requires_grad)
with torch.enable_grad(): print(torch.is_grad_enabled())
torch.set_grad_enabled(False)
torch.is_grad_enabled()
torch.set_grad_enabled(True)
@torch.no_grad()
def f(v): return v * 2
f(x)
with torch.inference_mode(): q = x * 2
q, q.is_inference()
q.add_(1)
q * x
class Exp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, i):
        result = i.exp()
        ctx.save_for_backward(result)
        return result
    @staticmethod
    def backward(ctx, grad_output):
        result, = ctx.saved_tensors
        return grad_output * result
Exp.apply(x)
Exp.apply(x).sum().backward()
x.grad
Exp()(x)
Exp.forward
torch.autograd.Variable(torch.ones(2), requires_grad=True)
torch.autograd.gradcheck(lambda v: v.pow(2), torch.rand(3, dtype=torch.float64, requires_grad=True))
torch.autograd.functional.jacobian(lambda v: v.pow(2), torch.tensor([1.,2.]))
torch.autograd.functional.hessian(lambda v: v.pow(3).sum(), torch.tensor([1.,2.]))
torch.autograd.functional.vjp(lambda v: v.pow(2), torch.tensor([1.,2.]), torch.ones(2))
torch.tensor([1,2]).float().requires_grad_()
torch.tensor([1,2]).requires_grad_()
torch.zeros(2, dtype=torch.complex64, requires_grad=True)
torch.zeros(0, requires_grad=True)
torch.zeros(2,2, requires_grad=True, dtype=torch.float64)
torch.zeros(2,2, dtype=torch.float64, requires_grad=True) * 2
model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2))
model
data = torch.rand(3, 4)
prediction = model(data)
prediction
loss = (prediction - torch.ones(3,2)).sum()
loss
loss.backward()
model[0].weight.grad.shape
optim = torch.optim.SGD(model.parameters(), lr=1e-2, momentum=0.9)
optim
optim.step()
optim.zero_grad()
model[0].weight.grad
model(torch.rand(3,5))
model(torch.rand(4))
model(torch.ones(3,4, dtype=torch.int64))
model(torch.ones(3,4).double())
model(1)
for p in model.parameters():
    p.requires_grad = False
model[2] = nn.Linear(8, 10)
[n for n, p in model.named_parameters() if p.requires_grad]
model(data)
model.state_dict().keys()
list(model.children())
nn.Linear(2, 3).weight
nn.Linear(2,3, bias=False).bias
nn.Conv2d(3, 8, 3, padding=1)
nn.Conv2d(3, 8, 3)(torch.rand(1,3,8,8)).shape
nn.Conv2d(3, 8, 3)(torch.rand(1,4,8,8))
nn.Conv2d(3, 8, 3)(torch.rand(3,8))
nn.CrossEntropyLoss()(torch.rand(2,3), torch.tensor([0,2]))
nn.CrossEntropyLoss()(torch.rand(2,3), torch.tensor([0,3]))
nn.CrossEntropyLoss()(torch.rand(2,3), torch.tensor([0.,1.]))
nn.MSELoss()(torch.rand(2), torch.rand(2,1))
nn.MSELoss()(torch.rand(2), torch.rand(3))
nn.BCEWithLogitsLoss()(torch.tensor([0.5]), torch.tensor([1.]))
F.binary_cross_entropy_with_logits(torch.zeros(2), torch.zeros(3))
F.binary_cross_entropy(torch.tensor([2.]), torch.tensor([1.]))
F.relu(torch.tensor([-1.,1.]))
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 1)
    def forward(self, x):
        return self.fc(x)
net = Net()
net
net(torch.ones(2,2))
net.fc.weight.shape
net.foo
class Bad(nn.Module):
    def __init__(self): self.fc = nn.Linear(1,1)
Bad()
import io
file = io.BytesIO()
torch.save(net.state_dict(), file)
file.seek(0)
state = torch.load(file)
state
net.load_state_dict(state)
nn.Linear(3,1).load_state_dict(net.state_dict())
net.train(), net.eval(), net.training
net.zero_grad()
copy = __import__('copy').deepcopy(net)
copy.fc.weight == net.fc.weight
__import__('copy').deepcopy(x*2)
