x = torch.ones(size=(2, 2))
y = torch.zeros(size=(2, 2))
torch.cat(tensors=(x, y), dim=0)
torch.cat(tensors=(x, y), dim=1)
torch.cat((x,y))
torch.cat([x,y], 1)
torch.cat([x,y], axis=1)
torch.cat([x,y], dim=-1)
torch.cat([x,y], dim=2)
torch.cat([x,y], dim=-3)
torch.cat(x)
torch.cat([])
torch.cat([x])
torch.cat(x, y)
torch.cat([x, 1])
torch.cat([x, y.int()])
torch.cat([x.int(), y.bool()])
torch.cat([x, torch.zeros(0)])
torch.cat([x, torch.zeros(2)])
torch.cat([x, torch.zeros(2,3)])
torch.cat([x, torch.zeros(3,3)], dim=1)
torch.cat([torch.tensor(1), torch.tensor(2)])
torch.cat([x, y], out=torch.empty(0))
torch.concat([x,y])
torch.concatenate([x,y], axis=0)
x = torch.ones(size=(2, 3))
y = torch.zeros(size=(2, 4))
torch.cat(tensors=(x, y), dim=1)
torch.cat(tensors=(x, y), dim=0)
a = torch.ones((3, 4))
torch.stack([a, a, a, a, a], dim=0).shape
torch.stack([a, a, a, a, a], dim=1).shape
torch.stack([a, a, a, a, a], dim=2).shape
torch.stack([a, a], dim=3).shape
torch.stack([a, a], dim=-1).shape
torch.stack([a, a.T])
torch.stack([])
torch.stack(a).shape
torch.stack([torch.tensor(1), torch.tensor(2)])
torch.stack([a, a.int()]).dtype
torch.stack(tensors=[a,a]).shape
torch.vstack([torch.ones(2,3), torch.zeros(3,3)]).shape
torch.hstack([torch.ones(1,2,3), torch.zeros(1,5,3)]).shape
torch.dstack([torch.ones(1,2), torch.zeros(1,2)]).shape
torch.vstack([torch.ones(3), torch.zeros(3)])
torch.hstack([torch.ones(3), torch.zeros(2)])
torch.dstack([torch.ones(3), torch.zeros(3)])
torch.vstack([torch.ones(2), torch.zeros(3)])
torch.hstack([torch.ones(2,3), torch.zeros(3,3)])
torch.dstack([torch.ones(2,3), torch.zeros(3,3)])
torch.vstack((torch.tensor(1), torch.tensor(2)))
torch.hstack((torch.tensor(1), torch.tensor(2)))
torch.dstack((torch.tensor(1), torch.tensor(2)))
torch.row_stack((torch.ones(2), torch.ones(2)))
torch.column_stack((torch.ones(2), torch.zeros(2)))
torch.vstack([])
x = torch.randn(5, 16)
y = torch.split(x, 3, dim=1)
type(y), len(y)
for batch in y:
    print(batch.shape)
z = torch.split(x, [1, 3, 5, 7], dim=1)
for batch in z:
    print(batch.shape)
torch.split(x, [1, 5, 10], dim=1)[2].shape
torch.split(x, [1, 5, 11], dim=1)
torch.split(x, [1, 5, 11])
torch.split(x, 3)[1].shape
torch.split(x, 0, dim=1)
torch.split(x, -1, dim=1)
torch.split(x, 3, dim=2)
torch.split(x, [-1, 17], dim=1)
torch.split(x, split_size_or_sections=4, dim=1)[0].shape
torch.split(tensor=x, split_size_or_sections=4, dim=-1)[0].shape
x.split(4, 1)[0].shape
x.split([8,8], 1)[0].shape
x.split((8,8), dim=1)[0].shape
torch.split(torch.tensor(3), 1)
torch.split(torch.arange(5), 2)
torch.split(torch.arange(5), 10)
torch.split(torch.zeros(0), 2)
torch.split(torch.zeros(0), 0)
torch.chunk(torch.arange(7), 3)
torch.chunk(torch.arange(7), 0)
torch.chunk(torch.arange(2), 5)
torch.arange(7).chunk(chunks=2)
torch.tensor_split(torch.arange(7), 3)
torch.tensor_split(torch.arange(7), (1,3))
torch.tensor_split(torch.arange(7), 0)
torch.vsplit(torch.arange(16.).reshape(4,4), 2)
torch.vsplit(torch.arange(16.).reshape(4,4), [3,6])
torch.hsplit(torch.arange(16.).reshape(4,4), 2)
torch.hsplit(torch.arange(16.).reshape(4,4), 3)
torch.vsplit(torch.arange(16.).reshape(4,4), 3)
torch.vsplit(torch.arange(4), 2)
torch.hsplit(torch.arange(4), 2)
torch.hsplit(torch.tensor(4), 2)
torch.dsplit(torch.arange(8.).reshape(2,2,2), 2)
torch.dsplit(torch.arange(8.).reshape(2,4), 2)
torch.dsplit(torch.arange(8.).reshape(2,2,2), 3)
torch.unbind(torch.arange(4).reshape(2,2))
torch.unbind(torch.tensor(1))
a0, b0 = torch.arange(4).reshape(2,2)
b0
x = torch.ones(2, 3)
print(x.dtype)
x_int = x.type(torch.int32)
print(x.dtype)
print(x_int.dtype)
x_float = x.float()
print(x_float.dtype)
x_float is x
x.type(torch.float32) is x
x.type('torch.IntTensor')
x.type(torch.IntTensor)
x.type('int')
x.type(float)
x.type(dtype=torch.int64)
x.type_as(x_int).dtype
x.int(), x.long(), x.short(), x.char(), x.byte(), x.bool(), x.half(), x.double(), x.bfloat16()
x.cfloat()
x.cdouble()
torch.tensor([1.9, -1.9]).int()
torch.tensor([300.]).byte()
torch.tensor([-1.]).byte()
torch.tensor([float('nan')]).bool()
torch.tensor([1+2j]).float()
torch.tensor([0.1]).half()
torch.tensor([0.1]).bfloat16()
torch.tensor([70000.]).half()
torch.tensor([1,2]).float() / 3
x.to(int).dtype, x.to(bool).dtype, x.to(float).dtype, x.to(complex).dtype
x.int().float().dtype
torch.can_cast(torch.float, torch.int)
torch.result_type(x, 1)
torch.promote_types(torch.int32, torch.float16)
x.is_floating_point()
torch.finfo(torch.float32)
torch.iinfo(torch.int32)
torch.finfo(torch.float16).max, torch.iinfo(torch.uint8).max
torch.float, torch.double, torch.half, torch.int, torch.long, torch.short, torch.cfloat
torch.get_default_dtype()
torch.int32.is_signed
repr(torch.float32), str(torch.float32)
x = torch.IntTensor([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12]])
indices = torch.tensor([0, 2])
y0 = torch.index_select(x, dim=0, index=indices)
y1 = torch.index_select(x, dim=1, index=indices)
print(x.shape, x)
print(y0.shape, y0)
print(y1.shape, y1)
torch.index_select(x, 0, indices.int())
torch.index_select(x, 0, indices.float())
torch.index_select(x, 0, indices.short())
torch.index_select(x, 0, [0,2])
torch.index_select(x, 0, torch.tensor([[0,2]]))
torch.index_select(x, 0, torch.tensor(1))
torch.index_select(x, 0, torch.tensor([3]))
torch.index_select(x, 0, torch.tensor([-1]))
torch.index_select(x, 2, indices)
torch.index_select(x, -1, indices)
torch.index_select(x, 0, torch.tensor([True,False,True]))
torch.index_select(x, 0, torch.tensor([], dtype=torch.long)).shape
torch.index_select(x, 0, torch.tensor([0,0,0,1])).shape
torch.index_select(torch.tensor(5), 0, torch.tensor([0]))
x.index_select(1, indices)
torch.index_select(input=x, dim=0, index=indices).shape
x.index_select(index=indices, dim=0).shape
torch.gather(x, 1, torch.tensor([[0],[1],[2]]))
torch.gather(x, 1, torch.tensor([[4],[1],[2]]))
torch.gather(x, 1, torch.tensor([0,1]))
torch.take(x, torch.tensor([0, 11]))
torch.take(x, torch.tensor([0, 12]))
torch.masked_select(x, x > 6)
torch.masked_select(x, torch.ones(3,4))
x.masked_fill(x > 6, 0)
x.masked_fill(x > 6, 1.5)
torch.nonzero(x > 10)
torch.nonzero(x > 10, as_tuple=True)
torch.take_along_dim(x, torch.tensor([[0,1]]), 1)
torch.zeros(2,3).scatter_(1, torch.tensor([[0],[2]]), 1.)
torch.zeros(2,3).scatter(1, torch.tensor([[0,1],[2,0]]), torch.tensor([[1.,2.],[3.,4.]]))
torch.zeros(3).index_fill_(0, torch.tensor([0,2]), 7)
torch.zeros(3).index_add(0, torch.tensor([0,0]), torch.tensor([1.,2.]))
torch.zeros(3).index_copy_(0, torch.tensor([2,0]), torch.tensor([1.,2.]))
x[0], x[0,1], x[-1], x[1:], x[:,1], x[:, 1:3], x[::2], x[..., -1]
x[3]
x[0,4]
x[0,0,0]
x[-4]
x[[0,2]]
x[[0,2],[1,3]]
x[[0,2],[1,3,0]]
x[x>5]
x[:, [0,1]]
x[None].shape, x[:,None].shape, x[..., None].shape
x[torch.tensor([True,False,True])]
x[torch.tensor([True,False])]
x[1.5]
x['a']
x[::-1]
x[5:]
x[2:1].shape
x[True].shape
x[torch.tensor(1)]
x[torch.tensor([0.5])]
x[np.array([0,1])]
x[(0,1)]
x[0:2, 0:2] = 0
x
x[0] = torch.tensor([9,8,7,6])
x
x[x==0] = -1
x
x[1] = 2.7
x
x[0] = torch.ones(3)
x[5] = 1
x[:, 0] = torch.tensor([1,2,3])
x
x[0] = [1,2,3,4]
x
x[0,0] += 10
x
del x[0]
x = torch.arange(8.)
y = torch.reshape(x, (1, 8))
z = torch.reshape(y, (-1, 4))
print(x.shape, y.shape, z.shape)
z[0,0] = 100
x
y.data_ptr() == x.data_ptr(), z._base is x, z._is_view()
x.reshape(2,4), x.reshape((2,4)).shape, x.reshape([2,4]).shape, x.reshape(shape=(2,4)).shape
x.reshape(3,-1)
x.reshape(3,3)
x.reshape(-1,-1)
x.reshape(-2,4)
x.reshape(2,4.0)
x.reshape()
x.reshape(0,-1)
torch.zeros(0).reshape(0,-1)
torch.zeros(0).reshape(-1)
x.reshape(torch.Size([4,2])).shape
torch.reshape(x, 8)
torch.reshape(x, (8,)).shape
x.view(2,4)
x.view(-1)
x.view(-1,2).shape
x.view(3,3)
x.view((2,4)).shape
x.view([2,4]).shape
x.view(torch.int32)
x.view(dtype=torch.int32).shape
x.view(torch.float64)
x.view(torch.uint8).shape
x.view(size=(2,4)).shape
x.view()
t = x.view(2,4).t()
t.is_contiguous(), t.stride()
t.view(8)
t.view(-1)
t.reshape(-1)
t.contiguous().view(8)
t.contiguous().is_contiguous()
x.contiguous() is x
t.view(4,2).shape
t.view(4,2,1).shape
t.view(2,2,2).shape
t.flatten()
t.ravel()
torch.flatten(torch.zeros(2,3,4), 1).shape
torch.flatten(torch.zeros(2,3,4), start_dim=0, end_dim=1).shape
torch.flatten(torch.zeros(2,3,4), 2, 1)
torch.flatten(torch.tensor(1))
x.unflatten(0, (2,4)).shape
x.unflatten(0, (3,-1))
x.unflatten(0, (3,3))
x.view_as(z).shape, x.reshape_as(z).shape
x.resize_(2,2)
x.resize_(3,4).shape
x = torch.randn(2, 3, 4)
y = torch.transpose(x, 0, 2)
y.shape
y.is_contiguous()
y.stride()
torch.transpose(x, 0, 3)
torch.transpose(x, dim0=-1, dim1=0).shape
torch.transpose(x, 0)
x.T.shape
x.mT.shape
x.H
x.t()
x[0].t().shape
torch.tensor([1,2]).t()
torch.tensor([1,2]).T
x.permute(2,0,1).shape
x.permute((2,0,1)).shape
torch.permute(x, (2,0,1)).shape
x.permute(0,1)
x.permute(0,0,1)
x.permute(0,1,3)
x.swapaxes(0,1).shape, x.swapdims(0,1).shape, x.movedim(0,2).shape, x.moveaxis(0,2).shape
x.movedim((0,1),(1,0)).shape
x.transpose_(0,1).shape
x = torch.randn(2, 1, 4)
y0 = torch.squeeze(x, dim=0)
y1 = torch.squeeze(x, dim=1)
y2 = torch.squeeze(x, dim=2)
y0.shape, y1.shape, y2.shape
torch.squeeze(x).shape
torch.squeeze(x, 3)
torch.squeeze(x, (0,1)).shape
torch.squeeze(x, dim=-2).shape
torch.squeeze(torch.tensor(1), 0)
y0 = torch.unsqueeze(x, dim=0)
y1 = torch.unsqueeze(x, dim=1)
y2 = torch.unsqueeze(x, dim=2)
y3 = torch.unsqueeze(x, dim=3)
y0.shape
y1.shape
y2.shape
y3.shape
torch.unsqueeze(x, 4)
torch.unsqueeze(x, -1).shape
torch.unsqueeze(x, -5)
torch.unsqueeze(x)
torch.unsqueeze(x, dim=(0,1))
x.unsqueeze_(0).shape
x.squeeze_().shape
torch.arange(3).expand(2,3)
torch.arange(3).expand(2,-1)
torch.arange(3).expand(2,4)
torch.arange(3).expand(3,1)
torch.arange(3).expand(-1,3)
torch.broadcast_to(torch.arange(3), (2,3))
torch.arange(3).repeat(2)
torch.arange(3).repeat(2,2)
torch.ones(2,2).repeat(2)
torch.arange(3).tile(2)
torch.repeat_interleave(torch.arange(3), 2)
torch.arange(6).reshape(2,3).flip(0)
torch.arange(6).reshape(2,3).flip([0,1])
torch.arange(6).reshape(2,3).rot90()
torch.roll(torch.arange(5), 2)
torch.broadcast_tensors(torch.ones(2,1), torch.ones(3))
torch.broadcast_shapes((2,1),(3,))
torch.broadcast_shapes((2,1),(3,4))
torch.meshgrid(torch.arange(2), torch.arange(3))
torch.meshgrid(torch.arange(2), torch.arange(3), indexing='ij')
torch.atleast_2d(torch.tensor(1))
torch.tril(torch.ones(3,3)), torch.triu(torch.ones(3,3), 1)
torch.diag(torch.tensor([1,2]))
torch.diagonal(torch.arange(9).reshape(3,3))
torch.arange(10).unfold(0, 3, 2)
torch.arange(10).narrow(0, 2, 3)
torch.arange(10).narrow(0, 8, 3)
torch.arange(10).select(0, 3)
