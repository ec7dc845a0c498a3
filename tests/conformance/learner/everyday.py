x = torch.arange(12.).reshape(3, 4)
x.sum(dim=0, keepdim=True).shape, x.sum(-1).shape, x.mean(dim=(0, 1)), x.max(dim=1).values, x.min(dim=0).indices
x.argmax(), x.argmax(dim=1), x.argmin(dim=0)
x.T, x.t().shape, x.mT.shape
x.numpy().shape, x.numpy().dtype
x.tolist()
x.new_ones(2, 2), x.new_zeros((2,)), x.new_full((2,), 3.)
x.fill_(3)
x.zero_()
x.random_(5).shape
x.uniform_().shape
x.normal_().shape
x.copy_(torch.ones(4))
x.copy_(torch.ones(3))
x.apply_(lambda v: v + 1)
x.map_(x, lambda a, b: a + b)
x.dot(x)
x.mv(torch.ones(4))
x.mm(x)
x @ x
x @ x.T
x.add(1, alpha=2)
x.sub(1), x.mul(2), x.div(2), x.pow(2), x.neg()
x.addmm(x, x)
x.eq(5), x.ne(5).sum(), x.gt(4).any(), x.le(5).all(), x.isclose(x)
x.equal(x), x.allclose(x)
x.floor_divide(2), x.remainder(3), x.fmod(3)
x.exp_().log_()
x.clamp_(min=0, max=1)
x.abs().sqrt().mean().item()
x.cumsum(0), x.cumprod(dim=1)
x.std(), x.var(dim=0), x.std(dim=1, unbiased=False), x.std(0, keepdim=True)
x.median(), x.mode(), x.quantile(0.5), x.sort(descending=True).values
x.unique(return_counts=True)
x.flip(0), x.roll(1, 0), x.rot90()
x.split(2, dim=0), x.chunk(2, dim=1), x.unbind(1)
x.repeat(1, 2).shape, x.expand(2, 3, 4).shape, x.tile((2,)).shape
x.gather(0, torch.tensor([[0, 1, 2, 0]]))
x.index_select(0, torch.tensor([0]))
x.masked_fill(x > 5, -1.)
x.masked_select(x > 100)
x.where(x > 0, torch.tensor(0.))
x.nonzero().shape
x.tril(), x.triu(1), x.diagonal(), x.trace()
x.sum, x.trace
x.is_cuda
x.requires_grad_().requires_grad
x.grad is None
torch.add
torch.nn.Linear
torch.optim.SGD
torch.Tensor.add
torch.float32 == torch.float
torch.float32 is torch.float
torch.tensor(1) == 1
torch.tensor(1).item() == 1
torch.tensor([1]).bool().item()
type(torch.tensor([1]).item()), type(torch.tensor([1.]).item()), type(torch.tensor([True]).item())
torch.tensor([1,2,3])[-1].item()
torch.tensor([1,2,3]).size(), list(torch.tensor([1,2,3]).size())
torch.Size([2,3])[0], torch.Size([2,3])[-1:], len(torch.Size([2,3])), torch.Size([2,3]) == (2,3), torch.Size((2,)) + torch.Size((3,))
torch.Size(2)
torch.Size()
torch.Size(['a'])
torch.numel(torch.ones(2,3))
torch.is_tensor([1])
torch.get_default_dtype()
torch.set_default_dtype(torch.float64)
torch.tensor([1.5]), torch.ones(1).dtype, torch.arange(1.).dtype, torch.rand(1).dtype
torch.set_default_dtype(torch.float32)
torch.set_default_dtype(torch.int32)
torch.set_default_tensor_type('torch.FloatTensor')
torch.set_printoptions(precision=2, sci_mode=False)
torch.tensor([1.23456, 1e-5])
torch.set_printoptions(threshold=5, edgeitems=1)
torch.arange(10)
torch.set_printoptions(profile='full')
torch.arange(5)
torch.set_printoptions(profile='default')
torch.set_printoptions(profile='x')
torch.tensor(float('nan')), torch.tensor(-0.0), torch.tensor(1e-45), torch.tensor(1e38), torch.tensor(-float('inf'))
torch.tensor([1+2j, 3-4j]), torch.tensor(1j)
torch.tensor([[1.5, 2], [3, 4]], dtype=torch.float16)
torch.tensor([True, False, True])
torch.zeros(0), torch.zeros(2, 0), torch.zeros(0, 3, dtype=torch.int32)
torch.ones(2, 2, 2, 2)
torch.ones(1, 1, 1)
print(torch.tensor([1.0, 2.0]), torch.tensor(3))
print('a', torch.ones(2), 'b')
str(torch.tensor([1.123456789]))
'{}'.format(torch.tensor(1.5)), '{:.2f}'.format(torch.tensor(1.555)), f'{torch.tensor(3):d}', f'{torch.tensor([1.]).item():5.1f}'
'%d %s' % (torch.tensor(3), torch.tensor(3))
torch.tensor([1., 2.]).__len__()
len(torch.tensor(1))
for v in torch.tensor(1): pass
for v in torch.tensor([1, 2]): print(v)
[v.item() for v in torch.tensor([1, 2])]
sum(torch.tensor([1, 2]))
max(torch.tensor([1, 2])), min(torch.tensor([3, 2]))
sorted(torch.tensor([3, 1, 2]))
list(zip(torch.tensor([1, 2]), torch.tensor([3, 4])))
dict(a=torch.ones(1))
{torch.ones(1): 1}[torch.ones(1)] if False else 'skip'
[torch.ones(1)] == [torch.ones(1)]
torch.ones(2) in [torch.ones(2)]
torch.ones(1) in [torch.ones(1)]
not torch.tensor(0)
torch.tensor([1]) and True
bool(torch.tensor([])), 
bool(torch.tensor([1, 2]))
int(torch.tensor([1, 2]))
int(torch.tensor(2.9)), float(torch.tensor(2)), complex(torch.tensor(1.))
range(torch.tensor(3))
[10, 20, 30][torch.tensor(1)]
'abc' * torch.tensor(2)
round(torch.tensor(2.567), 1)
abs(torch.tensor(-1)), -torch.tensor(1), +torch.tensor(1), divmod(torch.tensor(7), torch.tensor(3)) if hasattr(torch.Tensor, '__divmod__') else None
torch.tensor([1, 2]) + [1, 2]
[1, 2] + torch.tensor([1, 2])
torch.tensor([1, 2]) * '2'
torch.tensor([1, 2]) == [1, 2]
torch.tensor([1, 2]) < None
torch.tensor([1.5]) % 1, torch.tensor([-7]) // 2, torch.tensor([-7]) % 3, torch.tensor([7.]) // -2
torch.tensor([1]) / torch.tensor([0]), torch.tensor([0.]) / 0, torch.tensor([-1.]) / 0
torch.tensor([1], dtype=torch.uint8) - torch.tensor([2], dtype=torch.uint8)
torch.tensor([127], dtype=torch.int8) + 1
torch.tensor([2], dtype=torch.int32) + torch.tensor([2.5], dtype=torch.float16)
torch.tensor([1]) + torch.tensor([1.5]), torch.tensor(1) + 1.5, torch.tensor([1]) * True
torch.tensor([1., 2.]).add_(torch.tensor([1]))
torch.tensor([1, 2]).add_(1.5)
torch.tensor([1, 2]).div_(2)
torch.tensor([1, 2]).mul_(2.0)
torch.ones(2).add_(torch.ones(3))
torch.ones(2).add_(torch.ones(3, 2))
torch.ones(3).view(-1, 1) + torch.ones(3)
torch.ones(2, 3).sum((0, 1)).shape, torch.ones(2, 3).sum([0]).shape
import copy, pickle
copy.copy(torch.ones(2)), copy.deepcopy(torch.ones(2))
pickle.loads(pickle.dumps(torch.tensor([1, 2])))
pickle.loads(pickle.dumps(torch.ones(2, requires_grad=True)))
torch.ones(2).clone().data_ptr() != 0
a = np.ones(3); t = torch.from_numpy(a); np.add(a, 1, out=a); print(t)
t = torch.ones(3); n = t.numpy(); t.add_(1); print(n)
torch.from_numpy(np.ones((2, 2), dtype=np.float32)).dtype, torch.tensor(np.ones(2)).dtype, torch.tensor([1.]).numpy().dtype
torch.tensor(np.int64(5)), torch.tensor(np.bool_(True)), torch.as_tensor(np.float64(2))
np.sum(torch.ones(3).numpy()), np.mean(np.asarray(torch.ones(2)))
torch.ones(2).numpy() + torch.ones(2).numpy()
Dataset, DataLoader = torch.utils.data.Dataset, torch.utils.data.DataLoader
TensorDataset, random_split = torch.utils.data.TensorDataset, torch.utils.data.random_split
torch.manual_seed(0)
ds = TensorDataset(torch.arange(6.).reshape(6, 1), torch.arange(6))
len(ds), ds[0], ds[1:3]
for xb, yb in DataLoader(ds, batch_size=4): print(xb.shape, yb)
for xb, yb in DataLoader(ds, batch_size=4, shuffle=True, drop_last=True): print(yb)
next(iter(DataLoader(ds, batch_size=2)))
len(DataLoader(ds, batch_size=4))
random_split(ds, [4, 2])[0].indices
random_split(ds, [4, 3])
TensorDataset(torch.ones(2), torch.ones(3))
DataLoader(ds, batch_size=0)
class D(Dataset):
    def __len__(self): return 3
    def __getitem__(self, i): return {'x': torch.tensor(i), 'y': i * 2.0, 'n': 'a'}
for b in DataLoader(D(), batch_size=2): print(b)
model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Dropout(0.5), nn.Linear(3, 2), nn.Softmax(dim=1))
model
print(model)
model[0], model[-1], len(model), model[1].weight.shape, model[1].in_features
for name, p in model.named_parameters(): print(name, p.shape, p.requires_grad)
sum(p.numel() for p in model.parameters())
model.eval()(torch.ones(1, 4))
model.train().training
model.state_dict()['1.bias']
list(model.state_dict())
model(torch.ones(1, 5))
model.to('cpu') is model
model.double()[1].weight.dtype
model.float()
model(torch.ones(1, 4).long())
model.foo = 3
model.foo
del model[5]
model
nn.Linear(2, 3).extra_repr()
nn.Linear(2)
nn.Linear(0, 3).weight.shape
nn.Linear(-1, 3)
nn.Conv2d(1, 2, 3, padding='same'), nn.Conv2d(1, 2, 3, groups=2)
nn.Conv2d(2, 4, (3, 5), stride=(1, 2), padding=(1, 0), dilation=1, groups=2, bias=False, padding_mode='zeros')
nn.MaxPool2d(2), nn.AvgPool2d(2), nn.AdaptiveAvgPool2d((1, 1)), nn.BatchNorm2d(3), nn.LayerNorm(3), nn.Embedding(3, 2), nn.LSTM(2, 3), nn.GRU(2, 3, 2), nn.Identity(), nn.Tanh(), nn.Sigmoid(), nn.GELU(), nn.LeakyReLU(0.1), nn.ModuleList([nn.ReLU()]), nn.CrossEntropyLoss(), nn.MSELoss(reduction='sum')
nn.Embedding(3, 2)(torch.tensor([0, 2])).shape
nn.Embedding(3, 2)(torch.tensor([3]))
nn.Embedding(3, 2)(torch.tensor([0.5]))
nn.BatchNorm2d(3)(torch.ones(2, 4, 2, 2))
nn.BatchNorm1d(3)(torch.ones(1, 3))
nn.LayerNorm(3)(torch.ones(2, 4))
nn.Dropout(1.5)
nn.MaxPool2d(2)(torch.ones(2))
nn.MSELoss()(torch.ones(2), torch.ones(2).int())
nn.CrossEntropyLoss()(torch.ones(2, 3), torch.tensor([0]))
nn.CrossEntropyLoss()(torch.ones(2, 3), torch.ones(2, 3).softmax(1))
nn.NLLLoss()(torch.ones(2, 3), torch.tensor([0, 1]))
nn.BCELoss()(torch.tensor([0.5]), torch.tensor([1.]))
nn.BCELoss()(torch.tensor([1.5]), torch.tensor([1.]))
F.cross_entropy(torch.ones(2, 3), torch.tensor([0, 1]), reduction='none')
F.cross_entropy(torch.ones(2, 3), torch.tensor([0, 1]), reduction='foo')
F.one_hot(torch.tensor([0, 2])), F.one_hot(torch.tensor([0, 2]), 4)
F.one_hot(torch.tensor([0, 2]), 2)
F.one_hot(torch.tensor([0., 2.]))
F.softmax(torch.ones(2), dim=1)
F.relu('a')
F.linear(torch.ones(2, 3), torch.ones(4, 2))
F.mse_loss(torch.ones(2), torch.zeros(2)), F.l1_loss(torch.ones(2), torch.zeros(2))
F.pad(torch.ones(1, 2), (1, 1)), F.normalize(torch.tensor([3., 4.]), dim=0), F.dropout(torch.ones(2), 0.)
opt = torch.optim.SGD([torch.ones(2, requires_grad=True)], lr=0.1)
opt
opt.param_groups[0]['lr'], opt.state_dict()
torch.optim.SGD([torch.ones(2)], lr=0.1)
torch.optim.SGD([torch.ones(2, requires_grad=True) * 2], lr=0.1)
torch.optim.SGD([], lr=0.1)
torch.optim.SGD(torch.ones(2, requires_grad=True), lr=0.1)
torch.optim.SGD([torch.ones(2, requires_grad=True)], lr=-1)
torch.optim.Adam([torch.ones(2, requires_grad=True)])
torch.optim.Adam([torch.ones(2, requires_grad=True)], betas=(1.5, 0))
torch.optim.lr_scheduler.StepLR(opt, step_size=2).get_last_lr()
w = torch.tensor([1., 2.], requires_grad=True); o = torch.optim.SGD([w], lr=0.1); (w ** 2).sum().backward(); o.step(); print(w, w.grad); o.zero_grad(); print(w.grad)
w = torch.tensor([1., 2.], requires_grad=True); o = torch.optim.Adam([w], lr=0.1); [((w ** 2).sum().backward(), o.step(), o.zero_grad()) for _ in range(3)]; print(w)
w -= 0.1 * w
w = w - 0.1
w, w.is_leaf, w.grad
with torch.no_grad(): w = w * 2
w
