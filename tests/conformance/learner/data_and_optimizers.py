optim = torch.optim
from torch.optim import lr_scheduler as S
from torch.utils.data import *
from torch.utils import data as D
P = lambda: [nn.Parameter(torch.tensor([1., 2.])), nn.Parameter(torch.tensor([[3.]]))]
def run(cls, n=3, **kw):
    torch.manual_seed(0); p = P(); o = cls(p, **kw)
    for i in range(n):
        o.zero_grad(); (p[0].pow(2).sum() + p[1].exp().sum() * 0.01).backward(); o.step()
    return [x.tolist() for x in p], sorted(map(str, o.state_dict()["state"].get(0, {}).keys()))
optim.Adam(P(), lr=-1)
optim.Adam(P(), betas=(1, 2))
optim.Adam(P(), eps=-1)
optim.SGD(P(), lr=.1, nesterov=True)
optim.SGD(P(), lr=.1, momentum=-1)
optim.Adam([torch.ones(1)])
optim.Adam([1])
optim.Adam("a")
optim.Adam({})
optim.Adam(P()[0])
optim.Adam([{"lr": 1}])
p = P()
o = optim.SGD(p, lr=.1)
o.add_param_group({"params": p[0]})
o.add_param_group({"params": nn.Parameter(torch.ones(1)), "lr": .5})
o
o.param_groups[1]["lr"], o.state, o.defaults
o.step(lambda: torch.tensor(1.))
o.zero_grad(set_to_none=False)
o.load_state_dict({})
o.load_state_dict(optim.SGD(P(), lr=.1).state_dict())
o.register_step_pre_hook(lambda *a: print("pre")), o.register_step_post_hook(lambda *a: print("post"))
o.step()
def sched(f, n=8):
    o = optim.SGD(P(), lr=1.); s = f(o); out = []
    for i in range(n): o.step(); s.step(); out.append(round(o.param_groups[0]["lr"], 6))
    return out
for f in [lambda o: S.StepLR(o, 2), lambda o: S.MultiStepLR(o, [2, 4]), lambda o: S.ExponentialLR(o, .9), lambda o: S.CosineAnnealingLR(o, 5, .1), lambda o: S.LambdaLR(o, lambda e: .5 ** e), lambda o: S.MultiplicativeLR(o, lambda e: .5), lambda o: S.LinearLR(o), lambda o: S.ConstantLR(o), lambda o: S.PolynomialLR(o), lambda o: S.CyclicLR(o, .1, 1., 3, cycle_momentum=False), lambda o: S.OneCycleLR(o, 1., 10), lambda o: S.CosineAnnealingWarmRestarts(o, 3), lambda o: S.SequentialLR(o, [S.ConstantLR(o, .1, 2), S.ExponentialLR(o, .9)], [2]), lambda o: S.ChainedScheduler([S.ConstantLR(o, .1, 2), S.ExponentialLR(o, .9)], o)]:
    try: print(sched(f))
    except Exception as e: print(type(e).__name__, e)
o = optim.SGD(P(), lr=1.)
s = S.ReduceLROnPlateau(o, patience=1)
[s.step(1.) for _ in range(5)]
o.param_groups[0]["lr"], s.num_bad_epochs
s.state_dict()
o = optim.SGD(P(), lr=1.)
s = S.StepLR(o, 1)
s.step()
s.get_last_lr(), s.state_dict()
s.step(5)
s.get_lr()
S.StepLR(3, 1)
S.StepLR(o, 1, verbose=True)
S.OneCycleLR(o, 1.)
m = nn.Linear(2, 1)
m(torch.ones(1, 2)).sum().backward()
nn.utils.clip_grad_norm_(m.parameters(), .5), m.weight.grad
nn.utils.clip_grad_norm_(m.parameters(), .5, norm_type=float("inf")), nn.utils.clip_grad_norm_(m.parameters(), .5, error_if_nonfinite=True)
ds = TensorDataset(torch.arange(10), torch.arange(10) * 2)
torch.manual_seed(0)
list(DataLoader(ds, batch_size=4, shuffle=True))
list(DataLoader(ds, batch_size=4, shuffle=True, drop_last=True))[1]
[x.tolist() for x, y in DataLoader(ds, batch_size=3, sampler=RandomSampler(ds, replacement=True, num_samples=5))]
[x.tolist() for x, y in DataLoader(ds, batch_size=3, sampler=WeightedRandomSampler([1., 2., 3.], 6))]
[x.tolist() for x, y in DataLoader(ds, batch_sampler=BatchSampler(SequentialSampler(ds), 4, False))]
[x.tolist() for x, y in DataLoader(ds, batch_size=None)][:2], len(DataLoader(ds, batch_size=3)), len(DataLoader(ds, batch_size=3, drop_last=True))
[x.tolist() for x, y in DataLoader(ds, 4, shuffle=True, num_workers=2)]
[x.tolist() for x, y in DataLoader(ds, 4, shuffle=True, num_workers=2, persistent_workers=True, prefetch_factor=3)]
[x.tolist() for x, y in DataLoader(ds, 4, shuffle=True, generator=torch.Generator().manual_seed(3))]
next(iter(DataLoader([1, 2.5, 3], 3))), next(iter(DataLoader(["a", "b"], 2))), next(iter(DataLoader([{"a": 1, "b": (2, 3)}] * 2, 2))), next(iter(DataLoader([np.ones(2), np.zeros(2)], 2))), next(iter(DataLoader([(1, "x"), (2, "y")], 2)))
next(iter(DataLoader([torch.ones(2), torch.ones(3)], 2)))
next(iter(DataLoader([None, 1], 2)))
next(iter(DataLoader([object()], 1)))
next(iter(DataLoader([[1, 2], [3]], 2)))
DataLoader(ds, batch_size=0)
DataLoader(ds, shuffle=True, sampler=[1])
DataLoader(ds, num_workers=-1)
DataLoader(ds, prefetch_factor=2)
DataLoader(ds, batch_sampler=[[1]], batch_size=2)
DataLoader(ds, persistent_workers=True)
DataLoader(3)
next(iter(DataLoader(3)))
DataLoader([])
list(DataLoader([], 2)), len(DataLoader([], 2))
DataLoader([], shuffle=True)
DataLoader(ds, timeout=-1)
random_split(ds, [3, 7]), [d.indices for d in random_split(ds, [.5, .5], generator=torch.Generator().manual_seed(1))]
random_split(ds, [3, 8])
random_split(ds, [.5, .6])
Subset(ds, [1, 2])[0], len(Subset(ds, [1, 2])), ConcatDataset([ds, ds])[15], len(ds + ds), StackDataset(a=ds, b=ds)[0], ds[2:4], ds[[1, 2]], ds[-1]
ds[20]
ConcatDataset([])
TensorDataset(torch.ones(2), torch.ones(3))
class It(IterableDataset):
    def __iter__(self): return iter(range(5))
list(DataLoader(It(), 2)), list(DataLoader(It(), 2, num_workers=2))
DataLoader(It(), shuffle=True)
len(DataLoader(It()))
class Bad(Dataset):
    def __len__(self): return 3
    def __getitem__(self, i): raise KeyError("no")
list(DataLoader(Bad()))
list(DataLoader(Bad(), num_workers=1))
Dataset()[0]
class Wk(Dataset):
    def __len__(self): return 4
    def __getitem__(self, i): return get_worker_info().id if get_worker_info() else -1
list(DataLoader(Wk(), 2, num_workers=2)), list(DataLoader(Wk(), 2)), get_worker_info()
list(DataLoader(Wk(), 2, num_workers=1, worker_init_fn=lambda i: None, collate_fn=lambda b: sum(b)))
default_collate([1, 2]), default_convert(np.ones(2)), D.default_collate([torch.ones(1), torch.zeros(1)])
default_collate([])
class R(Dataset):
    def __len__(self): return 4
    def __getitem__(self, i): return torch.rand(1)
torch.manual_seed(1)
list(DataLoader(R(), 2)), list(DataLoader(R(), 2, num_workers=2))
torch.initial_seed()
x = torch.arange(6.).reshape(2, 3)
np.asarray(x) is not None, x.numpy().base is not None, x.t().numpy().strides, x[:, 1].numpy().strides, x.__array__().dtype, x.__array__(np.float64).dtype
n = x.numpy()
n[0, 0] = 100
x
torch.from_numpy(np.arange(6)[::2]).stride(), torch.from_numpy(np.ones((2, 3), order="F")).stride(), torch.from_numpy(np.float32(3))
torch.as_tensor(n) .data_ptr() == x.data_ptr(), torch.as_tensor(n, dtype=torch.float64).dtype, torch.tensor(n).data_ptr() == x.data_ptr(), torch.asarray(n).data_ptr() == x.data_ptr(), torch.asarray(n, copy=True).data_ptr() == x.data_ptr()
for dt in "bool uint8 int8 int16 int32 int64 float16 float32 float64 complex64 complex128".split():
    a = np.ones(3, dtype=dt); t = torch.from_numpy(a); print(t, t.numpy().dtype, np.from_dlpack(t).dtype, torch.from_dlpack(a).dtype, torch.utils.dlpack.from_dlpack(torch.utils.dlpack.to_dlpack(t)))
torch.ones(2, requires_grad=True).__dlpack__()
np.from_dlpack(torch.ones(2, dtype=torch.bfloat16))
torch.from_dlpack(torch.ones(2, dtype=torch.bfloat16))
torch.frombuffer(bytearray(8), dtype=torch.int32), torch.frombuffer(bytearray(8), dtype=torch.uint8, count=2, offset=1)
torch.frombuffer(b"1234", dtype=torch.int32)
torch.frombuffer(bytearray(3), dtype=torch.int32)
bytes(torch.ones(2).numpy()), torch.ones(2).tolist(), list(torch.ones(2)), torch.tensor(range(3)), torch.tensor((x for x in [1]))
torch.tensor([torch.tensor(1), torch.tensor(2)]), torch.tensor([torch.ones(2), torch.ones(2)])
torch.tensor([[1, 2], 3])
torch.tensor(np.array([1, "a"], dtype=object))
torch.tensor("abc")
torch.tensor([[]]), torch.tensor([[], []]).shape, torch.tensor(()), torch.tensor([[[1]]]), torch.tensor(np.array([])), torch.tensor(1, dtype=torch.bool, requires_grad=False)
x.numpy() @ x.t().numpy(), x.sum().numpy(), x.sum().numpy().shape, float(np.float64(x.sum())), np.mean(x), np.exp(x), np.where(x > 2, x, 0), np.concatenate([x, x])
x + np.ones(3), np.ones(3) + x, x * np.float32(2), np.float32(2) * x, np.int64(2) ** x, x == np.ones(3), np.ones(3) < x
from torch.optim.swa_utils import AveragedModel, SWALR, update_bn, get_ema_multi_avg_fn, get_ema_avg_fn, get_swa_avg_fn
from torch.utils.data import DataLoader, TensorDataset
torch.manual_seed(0)
m = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
sets = {"swa": AveragedModel(m), "ema": AveragedModel(m, multi_avg_fn=get_ema_multi_avg_fn(.9)), "buf": AveragedModel(m, use_buffers=True, avg_fn=get_ema_avg_fn(.5)), "avg": AveragedModel(m, avg_fn=lambda a, p, n: .1 * a + .9 * p)}
opt = torch.optim.SGD(m.parameters(), lr=.1)
s = SWALR(opt, swa_lr=.05, anneal_epochs=3)
loader = DataLoader(TensorDataset(torch.randn(12, 3), torch.randn(12, 1)), 4)
for e in range(5):
    for x, y in loader:
        opt.zero_grad(); nn.functional.mse_loss(m(x), y).backward(); opt.step()
    for a in sets.values(): a.update_parameters(m)
    s.step(); print(round(opt.param_groups[0]["lr"], 7))
for k, a in sets.items(): print(k, a.n_averaged, a.module[0].weight, a.module[1].running_mean, a.module[1].num_batches_tracked)
update_bn(loader, sets["swa"])
sets["swa"].module[1].running_mean, sets["swa"].module[1].running_var, sets["swa"].module[1].momentum, sets["swa"].training
sets["swa"]
list(sets["swa"].state_dict())
sets["swa"].load_state_dict(sets["ema"].state_dict())
AveragedModel(m, avg_fn=1, multi_avg_fn=2)
get_ema_avg_fn(2)
SWALR(opt, [.1, .2])
SWALR(opt, .1, anneal_strategy="x")
SWALR(opt, .1, anneal_epochs=-1)
o = torch.optim.SGD(m.parameters(), lr=1.)
s = SWALR(o, .5, anneal_epochs=4, anneal_strategy="linear")
r = []
for i in range(6): o.step(); s.step(); r.append(round(o.param_groups[0]["lr"], 6))
r
o = torch.optim.SGD(m.parameters(), lr=1.)
s = SWALR(o, .5, anneal_epochs=0)
o.step()
s.step()
s.get_last_lr()
get_swa_avg_fn()(torch.ones(1), torch.zeros(1), 3)
from torch.distributions import Beta, Chi2, Dirichlet, Gamma, MultivariateNormal, StudentT, Normal, kl_divergence, Independent
t = torch.tensor
torch.manual_seed(0)
Gamma(2., 3.), Beta(1., 2.), Dirichlet(t([1., 2.])), Chi2(3.), StudentT(3.), MultivariateNormal(torch.zeros(2), torch.eye(2)), MultivariateNormal(torch.zeros(2), scale_tril=torch.eye(2)), Gamma(t([1., 2.]), 1.)
Gamma(2., 3.).sample((5,)), Gamma(t([.3, 1., 20.]), 2.).sample((2,))
Gamma(t([.3, 1., 20.], dtype=torch.double), 2.).sample()
Beta(t([.5, 2.]), t([1., 3.])).sample((3,))
Dirichlet(t([1., 2., .5])).sample((2,))
Chi2(t([1., 4.])).sample()
StudentT(3., 1., 2.).sample((3,))
MultivariateNormal(t([1., 2.]), t([[2., .5], [.5, 1.]])).sample((2,))
MultivariateNormal(t([1., 2.]), precision_matrix=t([[2., .5], [.5, 1.]])).rsample()
torch.rand(1)
for d in [Gamma(t([.5, 3.]), 2.), Chi2(t([1., 5.])), Beta(t([.5, 3.]), t([2., 2.])), StudentT(t([1., 2.5, 5.]), 1., 2.), Dirichlet(t([[1., 2., 3.], [.5, .5, 2.]])), MultivariateNormal(torch.zeros(2, 2), t([[2., .5], [.5, 1.]]))]: print(type(d).__name__, d.mean, d.variance, d.entropy(), d.mode, d.batch_shape, d.event_shape, d.stddev, d.expand((3,) + tuple(d.batch_shape)).batch_shape)
Gamma(t([.5, 3.]), 2.).log_prob(t([.1, 4.])), Beta(.5, 2.).log_prob(t(.3)), Dirichlet(t([1., 2.])).log_prob(t([.4, .6])), StudentT(3.).log_prob(t([0., 2.])), Chi2(3.).log_prob(t(2.)), Gamma(2., 1.).cdf(t(1.5))
m = MultivariateNormal(t([1., 2.]), t([[2., .5], [.5, 1.]]))
m.log_prob(t([[0., 0.], [1., 2.]])), m.precision_matrix, m.scale_tril, m.covariance_matrix
MultivariateNormal(t([1., 2.]), precision_matrix=t([[2., .5], [.5, 1.]])).covariance_matrix
kl_divergence(Gamma(1., 2.), Gamma(2., 1.)), kl_divergence(Beta(1., 2.), Beta(2., 3.)), kl_divergence(Dirichlet(t([1., 2.])), Dirichlet(t([2., 2.]))), kl_divergence(m, MultivariateNormal(torch.zeros(2), torch.eye(2)))
a = t([.4, 1.5, 30., 2000.], requires_grad=True)
torch.manual_seed(1)
g = Gamma(a, 2.).rsample()
g
g.sum().backward()
a.grad
l = torch.zeros(2, requires_grad=True)
MultivariateNormal(l, torch.eye(2)).rsample().sum().backward()
l.grad
Gamma(-1., 1.)
Beta(1., -1.)
Dirichlet(t(1.))
MultivariateNormal(t(1.), torch.eye(2))
MultivariateNormal(torch.zeros(2))
MultivariateNormal(torch.zeros(2), t([[1., 2.], [2., 1.]]))
MultivariateNormal(torch.zeros(2), torch.eye(2), scale_tril=torch.eye(2))
Beta(1., 2.).log_prob(t(1.5))
Gamma(1., 2.).log_prob(t(-1.5))
Dirichlet(t([1., 2.])).log_prob(t([.4, .7]))
torch._standard_gamma(t([1, 2]))
Beta(t(2.), t(3.)).expand((2,)).sample().shape, Independent(Gamma(torch.ones(2, 3), 1.), 1).log_prob(torch.ones(2, 3)).shape
