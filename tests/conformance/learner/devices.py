torch.cuda.is_available()
torch.cpu.is_available()
torch.backends.mps.is_available()
device = "cpu"
if torch.cuda.is_available():
    device = "cuda:0"
elif torch.backends.mps.is_available():
    device = "mps"
print(device)
device = 'cuda' if torch.cuda.is_available() else 'mps' if torch.backends.mps.is_available() else 'cpu'
device
torch.device('cuda')
torch.device('cuda:0')
torch.device('cuda', 0)
torch.device('cuda').index
torch.device('cpu')
torch.device('cpu') == torch.device('cpu:0')
torch.device('mps')
torch.device('mps:0')
torch.device('gpu')
torch.device('cuda:x')
torch.device('cuda:-1')
torch.device()
torch.device(device)
torch.device(torch.device('cpu'))
str(torch.device('cuda:1')), torch.device('cuda:1').type, torch.device('cuda:1').index
torch.device('')
torch.device('cpu', -5)
hash(torch.device('cpu')) == hash(torch.device('cpu'))
torch.cuda.device_count()
torch.cuda.current_device()
torch.cuda.get_device_name(0)
torch.cuda.memory_allocated()
torch.cuda.synchronize()
torch.cuda.empty_cache()
torch.cuda.manual_seed_all(0)
torch.mps.device_count()
torch.mps.synchronize()
torch.mps.manual_seed(1)
torch.mps.empty_cache()
torch.backends.mps.is_built()
torch.backends.cuda.is_built()
torch.backends.cudnn.is_available()
torch.backends.cudnn.enabled
torch.backends.cudnn.deterministic = True
torch.backends.cudnn.benchmark
torch.version.cuda
torch.accelerator.is_available()
torch.accelerator.current_accelerator()
torch.accelerator.device_count()
x = torch.Tensor([[1, 2], [3, 4]])
x
z = x.to(device)
print(x.device)
print(z.device)
z is x
x = x.to(device)
x.to(torch.float32)
x.to(torch.float32) is x
x.to(device, dtype=torch.float32)
x.to(device, torch.float64)
x.to(dtype=torch.int64)
x.to(device=device)
x.to(torch.int32, copy=True)
x.to(x.int())
x.to('cuda')
x.to('cuda:0')
x.to(torch.device('cuda'))
x.to('mps')
x.to(device='mps', dtype=torch.float16)
x.to('gpu')
x.to('meta')
x.to()
x.to(float)
x.to(int)
x.cuda()
x.cuda(0)
x.cpu()
x.cpu() is x
x.mps()
x.is_cuda, x.is_mps, x.is_cpu, x.is_meta
x.get_device()
a = torch.tensor([
[1.0, 1.],
[2., 2.]
]).to("mps")
a = torch.tensor([[1.0, 1.], [2., 2.]])
b = torch.tensor([[5., 6.], [7., 8.]])
print(torch.matmul(a, b))
a.to('meta') + b
torch.ones(2, device='cuda')
torch.tensor([1], device='mps')
torch.rand(2, device='cuda:0')
torch.empty(2, device='cuda')
torch.ones(2, device='cpu')
torch.ones(2, device='meta')
torch.rand(2,2,device=device)
torch.tensor([1.], device=device).device
torch.device('cpu').type
with torch.device('meta'):
    print(torch.ones(2))
torch.set_default_device('cpu')
torch.get_default_device()
torch.nn.Linear(2,2).to('cuda')
torch.nn.Linear(2,2).to('mps')
torch.nn.Linear(2,2).to(device)
torch.nn.Linear(2,2).cuda()
torch.manual_seed(0)
tensor = torch.rand(2, 2)
print(tensor)
print(f"shape: {tensor.shape}")
print(f"type: {tensor.dtype}")
print(f"device: {tensor.device}")
tensor.shape[0], tensor.size(), tensor.size(0), tensor.dim(), tensor.ndim, tensor.numel(), len(tensor)
tensor.size(2)
tensor.size(-3)
tensor.shape[5]
tensor.shape == (2,2)
tensor.shape + (1,)
tensor.shape.numel()
tuple(tensor.shape)
tensor.layout, tensor.requires_grad, tensor.grad, tensor.grad_fn, tensor.is_leaf
tensor.type()
tensor.element_size(), tensor.nbytes, tensor.itemsize
tensor.stride(), tensor.storage_offset(), tensor.is_contiguous()
tensor.device.type
tensor.dtype.is_floating_point, tensor.dtype.is_complex, tensor.dtype.itemsize
tensor.is_floating_point(), tensor.is_complex(), tensor.is_signed()
torch.is_tensor(tensor), torch.is_floating_point(tensor), torch.numel(tensor)
tensor.data
tensor.storage()
tensor.untyped_storage().nbytes()
tensor.names
tensor.foo
tensor.T
tensor.tolist()
tensor.numpy()
tensor.item()
tensor[0][0].item()
f"{tensor[0][0]:.3f}"
f"{tensor[0]:.3f}"
"%.2f" % tensor[0,0]
f"{tensor}"
str(tensor)
bool(tensor)
float(tensor)
int(tensor[0,0])
list(tensor)
for row in tensor: print(row)
2 in torch.tensor([1,2])
hash(tensor) == hash(tensor)
tensor == tensor
if tensor[0,0] > 0: print('positive')
if tensor > 0: print('x')
x.to("float32")
tensor.shape = (4,)
tensor.dtype = torch.int32
torch.xpu.is_available()
