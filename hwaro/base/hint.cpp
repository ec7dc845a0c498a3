#include "hwaro/base/hint.h"

#include "hwaro/base/error.h"

#include <cstdlib>
#include <vector>

namespace hwaro {

namespace {

// A part of an error's text, in which {} stands for anything, and the advice in both languages, in which {0}, {1}, …
// stand for what {} was. The first row that fits counts, so special texts come before general ones.
struct Row {
  const char *text, *en, *ko;
};

constexpr Row kRows[] = {
    // ---- shapes ----
    {"The size of tensor a ({}) must match the size of tensor b ({}) at non-singleton dimension {}",
     "in dimension {2} the sizes {0} and {1} differ and neither is 1: reshape an operand, or give it a dimension of "
     "size 1 with b.unsqueeze(dim)",
     "{2}번 차원의 크기 {0}과 {1}이 서로 다르고 1도 아닙니다: 한쪽을 reshape하거나 b.unsqueeze(dim)으로 크기 1인 "
     "차원을 "
     "넣으세요"},
    {"doesn't match the broadcast shape {}",
     "an in-place operation cannot change a's shape: write a = a + b, or start from a.expand{0}.clone()",
     "제자리 연산은 a의 모양을 바꿀 수 없습니다: a = a + b처럼 쓰거나 a.expand{0}.clone()에서 시작하세요"},
    {"mat1 and mat2 shapes cannot be multiplied ({}x{} and {}x{})",
     "the inner sizes {1} and {2} must be equal: transpose an operand (b.t()), or give the layer in_features={1}",
     "안쪽 크기가 같아야 합니다({1}, {2}): 한쪽을 전치(b.t())하거나 층을 in_features={1}(으)로 만드세요"},
    {"Expected size for first two dimensions of batch2 tensor to be: [{}] but got: [{}]",
     "batches must be equally many, and the inner sizes equal: transpose with b.mT, or use matmul(), which broadcasts",
     "배치 수와 안쪽 크기가 같아야 합니다: b.mT로 전치하거나, 브로드캐스트하는 matmul()을 쓰세요"},
    {"size mismatch, got input ({}), mat ({}x{}), vec ({})",
     "the matrix has {2} columns and the vector {3} elements: transpose the matrix (a.t()) or shorten the vector",
     "행렬의 열은 {2}개인데 벡터의 원소는 {3}개입니다: 행렬을 전치(a.t())하거나 벡터의 길이를 맞추세요"},
    {"inconsistent tensor size, expected tensor [{}] and src [{}] to have the same number of elements",
     "a dot product needs vectors of one length; for other shapes use matmul(), or (a * b).sum()",
     "내적은 길이가 같은 벡터끼리만 됩니다. 다른 모양이면 matmul()이나 (a * b).sum()을 쓰세요"},
    {"1D tensors expected, but got {}D and {}D tensors", "flatten the operands with ravel(), or use matmul()",
     "ravel()로 1차원으로 펴거나 matmul()을 쓰세요"},
    {"self must be a matrix", "mm() takes matrices only: use matmul(), which takes any number of dimensions",
     "mm()은 행렬만 받습니다. 차원 수에 상관없는 matmul()을 쓰세요"},
    {"mat2 must be a matrix", "mm() takes matrices only: use matmul(), which takes any number of dimensions",
     "mm()은 행렬만 받습니다. 차원 수에 상관없는 matmul()을 쓰세요"},
    {"must be a 3D tensor",
     "bmm() takes batches (N, rows, columns): add a dimension with unsqueeze(0), or use matmul()",
     "bmm()은 (N, 행, 열) 모양의 배치를 받습니다: unsqueeze(0)으로 차원을 더하거나 matmul()을 쓰세요"},
    {"both arguments to matmul need to be at least 1D", "a 0-dim tensor is a number: multiply with *",
     "0차원 텐서는 수입니다: *로 곱하세요"},
    {"Sizes of tensors must match except in dimension {}. Expected size {} but got size {} for tensor number {} in the "
     "list",
     "tensor {3} has size {2} where the others have {1}: cut or reshape it, or join along another dim than {0}",
     "{3}번 텐서의 크기가 {2}인데 나머지는 {1}입니다: 자르거나 reshape하거나, {0}이 아닌 다른 dim으로 이으세요"},
    {"Tensors must have same number of dimensions: got {} and {}",
     "give both the same number of dimensions with unsqueeze(), or use stack() for a new dimension",
     "unsqueeze()로 차원 수를 같게 하거나, 새 차원을 만드는 stack()을 쓰세요"},
    {"stack expects each tensor to be equal size, but got {} at entry {} and {} at entry",
     "stack() needs equal shapes: cat() joins along a dimension that exists, and may differ in it",
     "stack()은 모양이 모두 같아야 합니다. 이미 있는 차원으로 잇는 cat()은 그 차원의 크기가 달라도 됩니다"},
    {"expects a non-empty", "the list of tensors is empty: check the loop that fills it",
     "텐서 목록이 비어 있습니다. 목록을 채우는 반복문을 확인하세요"},
    {"expected a non-empty list of Tensors", "the list of tensors is empty: check the loop that fills it",
     "텐서 목록이 비어 있습니다. 목록을 채우는 반복문을 확인하세요"},
    {"shape '{}' is invalid for input of size {}",
     "the sizes in {0} must multiply to {1}; a -1 stands for the one that is to be computed",
     "{0}의 크기들을 곱하면 {1}이 되어야 합니다. 계산에 맡길 크기 하나는 -1로 쓰세요"},
    {"view size is not compatible with input tensor's size and stride",
     "the elements are not in order in memory: x.reshape(…), or x.contiguous().view(…)",
     "원소가 메모리에 차례로 놓여 있지 않습니다: x.reshape(…) 또는 x.contiguous().view(…)를 쓰세요"},
    {"only one dimension can be inferred", "keep one -1 and write the other sizes out",
     "-1은 하나만 남기고 나머지 크기는 직접 쓰세요"},
    {"split_with_sizes expects split_sizes to sum exactly to {} ",
     "the parts must add up to {0}; split(x, n) cuts into equal parts of n",
     "나눈 크기의 합이 {0}이어야 합니다. split(x, n)은 n씩 같은 크기로 나눕니다"},
    {"the number of sizes provided ({}) must be greater or equal to the number of dimensions",
     "expand() adds dimensions in front only: name every dimension, -1 for those that stay",
     "expand()는 앞쪽에만 차원을 더합니다: 모든 차원을 쓰고, 그대로 둘 차원은 -1로 쓰세요"},
    {"must match the existing size ({}) at non-singleton dimension {}",
     "only dimensions of size 1 can be expanded, and dimension {1} has size {0}: use repeat() to copy elements",
     "크기가 1인 차원만 늘일 수 있는데 {1}번 차원의 크기는 {0}입니다: 원소를 복사하려면 repeat()를 쓰세요"},
    {"permute(sparse_coo): number of dimensions", "name every dimension once", "모든 차원을 한 번씩 쓰세요"},
    {"expected input[{}] to have {} channels, but got {} channels instead",
     "the layer takes {1} channels and the input has {2}: the channels are dimension 1 of (N, C, H, W)",
     "층은 채널 {1}개를 받는데 입력은 {2}개입니다. (N, C, H, W)에서 채널은 1번 차원입니다"},
    {"Kernel size can't be greater than actual input size",
     "the input is smaller than the kernel: add padding, use a smaller kernel, or pool less before it",
     "입력이 커널보다 작습니다: padding을 더하거나, 커널을 줄이거나, 앞의 풀링을 줄이세요"},
    {"Expected more than 1 value per channel when training",
     "batch norm needs several values per channel: use a larger batch, drop_last=True, or model.eval()",
     "배치 정규화에는 채널마다 값이 여럿 필요합니다: 배치를 키우거나 drop_last=True 또는 model.eval()을 쓰세요"},
    {"Expected {}D (unbatched) or {}D (batched) input to {}, but got input of size: {}",
     "{2} takes (N, C, …) or (C, …): add dimensions with x.unsqueeze(0), or reorder them with x.permute(…)",
     "{2}의 입력은 (N, C, …) 또는 (C, …) 모양입니다: x.unsqueeze(0)으로 차원을 더하거나 x.permute(…)로 순서를 "
     "바꾸세요"},
    {"running_mean should contain {} elements not {}",
     "the layer was made for {1} channels, and dimension 1 of its input has {0}: BatchNorm…({0})",
     "채널 {1}개로 만든 층인데 입력의 1번 차원은 {0}입니다: BatchNorm…({0})으로 만드세요"},
    {"expected input with shape {}, but got input of size{}",
     "the last sizes of {1} must be those of {0}: LayerNorm(x.shape[-1]) fits any x",
     "{1}의 마지막 크기들이 {0}과 같아야 합니다: LayerNorm(x.shape[-1])이면 맞습니다"},
    {"Target size (torch.Size({})) must be the same as input size (torch.Size({}))",
     "input and target need one shape: target.view_as(input), or target.unsqueeze(1) beside an output (N, 1)",
     "입력과 정답의 모양이 같아야 합니다: target.view_as(input), 출력이 (N, 1)이면 target.unsqueeze(1)을 쓰세요"},
    {"that is different to the input size",
     "input and target need one shape: target.view_as(input), or target.unsqueeze(1) beside an output (N, 1)",
     "입력과 정답의 모양이 같아야 합니다: target.view_as(input), 출력이 (N, 1)이면 target.unsqueeze(1)을 쓰세요"},
    {"Expected input batch_size ({}) to match target batch_size ({})",
     "one target for each row: {0} rows and {1} targets do not fit; look for a reshape that mixes up the batch",
     "행마다 정답이 하나여야 하는데 행은 {0}개, 정답은 {1}개입니다: 배치를 뒤섞은 reshape이 없는지 보세요"},
    {"0D or 1D target tensor expected",
     "class numbers are a vector (N): target.squeeze(1), or target.argmax(1) of one-hot rows",
     "클래스 번호는 벡터(N)입니다: target.squeeze(1), 원-핫이면 target.argmax(1)을 쓰세요"},
    {"Output size is too small", "the image has become smaller than the window: fewer pools or strides, or padding",
     "그림이 창보다 작아졌습니다: 풀링이나 stride를 줄이거나 padding을 주세요"},
    {"negative dimension", "sizes are 0 or more; a -1 has a meaning in view, reshape and expand only",
     "크기는 0 이상입니다. -1은 view, reshape, expand에서만 뜻이 있습니다"},
    // ---- types ----
    {"expected m1 and m2 to have the same dtype, but got: {} != {}", "convert one of them: b = b.to(a.dtype)",
     "한쪽의 자료형을 바꾸세요: b = b.to(a.dtype)"},
    {"to have the same dtype", "convert one of them: b = b.to(a.dtype)", "한쪽의 자료형을 바꾸세요: b = b.to(a.dtype)"},
    {"must have the same dtype, but got {} and {}",
     "the operands are {0} and {1}: x = x.to(weight.dtype), or x.float()",
     "자료형이 {0}, {1}로 다릅니다: x = x.to(weight.dtype) 또는 x.float()로 맞추세요"},
    {"have the same dtype", "convert one of them: b = b.to(a.dtype)", "한쪽의 자료형을 바꾸세요: b = b.to(a.dtype)"},
    {"have same dtype, but found {} and {}", "convert one of them: b = b.to(a.dtype)",
     "한쪽의 자료형을 바꾸세요: b = b.to(a.dtype)"},
    {"all inputs must share same datatype", "the layer and its input differ in type: x.float(), or layer.to(x.dtype)",
     "층과 입력의 자료형이 다릅니다: x.float() 또는 layer.to(x.dtype)을 쓰세요"},
    {"Found dtype {} but expected {}", "convert the target: target.to(input.dtype)",
     "정답의 자료형을 바꾸세요: target.to(input.dtype)"},
    {"expected target dtype to be Long or Byte, but got {}",
     "class numbers are whole: target.long(); probabilities have the shape of the input",
     "클래스 번호는 정수입니다: target.long(). 확률이라면 입력과 모양이 같아야 합니다"},
    {"scalar types: Long, Int; but got", "indices are whole numbers: i = i.long()", "색인은 정수입니다: i = i.long()"},
    {"one_hot is only applicable to index tensor", "class numbers are whole: i.long()",
     "클래스 번호는 정수입니다: i.long()"},
    {"only supports boolean masks", "a mask is a bool tensor: x > 0, or mask.bool()",
     "마스크는 bool 텐서입니다: x > 0 또는 mask.bool()"},
    {"expected scalar type {} but found {}", "convert the tensor of type {1}: b = b.to(a.dtype)",
     "{1} 텐서의 자료형을 바꾸세요: b = b.to(a.dtype)"},
    {"should be the same", "convert one of them: x = x.to(weight.dtype)",
     "한쪽의 자료형을 바꾸세요: x = x.to(weight.dtype)"},
    {"result type {} can't be cast to the desired output type {}",
     "a {1} tensor cannot hold {0} results in place: write a = a / b, or start from a.float()",
     "{1} 텐서에는 {0} 결과를 담을 수 없습니다: a = a / b처럼 쓰거나 a.float()에서 시작하세요"},
    {"could not infer output dtype", "convert first, x.float().mean(), or pass dtype=torch.float32",
     "먼저 x.float().mean()처럼 바꾸거나 dtype=torch.float32를 주세요"},
    {"require gradients", "gradients need floating point numbers: x.float(), or write the numbers as 1. instead of 1",
     "기울기에는 실수형이 필요합니다: x.float()를 쓰거나 1 대신 1.처럼 쓰세요"},
    {"tensors used as indices must be long, int, byte or bool tensors", "convert the index: i = i.long()",
     "색인의 자료형을 바꾸세요: i = i.long()"},
    {"Expected dtype int64 for index", "convert the index: index = index.long()",
     "색인의 자료형을 바꾸세요: index = index.long()"},
    {"Expected dtype int32/int64 for index", "convert the index: index = index.long()",
     "색인의 자료형을 바꾸세요: index = index.long()"},
    {"\"{}\" not implemented for '{}'", "{0} has no {1} version: convert first, for example x.float()",
     "{0}에는 {1} 판이 없습니다. x.float()처럼 먼저 바꾸세요"},
    // ---- devices ----
    {"Tensor on device {} is not on the expected device {}!", "move b to the same device: b = b.to(a.device)",
     "b를 같은 디바이스로 옮기세요: b = b.to(a.device)"},
    {"Expected all tensors to be on the same device", "move b to the same device: b = b.to(a.device)",
     "b를 같은 디바이스로 옮기세요: b = b.to(a.device)"},
    {"but expected it to be on GPU", "move b to the same device: b = b.to(a.device)",
     "b를 같은 디바이스로 옮기세요: b = b.to(a.device)"},
    {"Cannot copy out of meta tensor", "a meta tensor has a shape but no values: make the tensor on the CPU",
     "meta 텐서에는 모양만 있고 값이 없습니다. CPU에 텐서를 만드세요"},
    {"cannot be called on meta tensors", "a meta tensor has a shape but no values: make the tensor on the CPU",
     "meta 텐서에는 모양만 있고 값이 없습니다. CPU에 텐서를 만드세요"},
    {"compiled with CUDA", "device = 'cuda' if torch.cuda.is_available() else 'cpu'",
     "device = 'cuda' if torch.cuda.is_available() else 'cpu'"},
    {"support for mps devices", "device = 'mps' if torch.backends.mps.is_available() else 'cpu'",
     "device = 'mps' if torch.backends.mps.is_available() else 'cpu'"},
    // ---- indices ----
    {"index {} is out of bounds for dimension {} with size {}",
     "dimension {1} has size {2}: an index i must satisfy -{2} <= i < {2}",
     "{1}번 차원의 크기는 {2}입니다: 색인 i는 -{2} <= i < {2}이어야 합니다"},
    {"Dimension out of range (expected to be in range of [{}, {}], but got {})",
     "use a dim from {0} to {1}; negative ones count from the last dimension",
     "dim은 {0} 이상 {1} 이하로 쓰세요. 음수는 마지막 차원부터 셉니다"},
    {"too many indices for tensor of dimension {}", "the tensor has {0} dimensions: at most as many indices",
     "텐서는 {0}차원이므로 색인도 {0}개까지 쓸 수 있습니다"},
    {"index out of range in self", "an index is not below the number of rows (num_embeddings) of the table",
     "색인이 표의 행 수(num_embeddings)보다 작아야 합니다"},
    {"The shape of the mask {} at index {} does not match the shape of the indexed tensor {} at index {}",
     "a mask {0} must have the shape of what it selects from, {2}: build it from that tensor (x[x > 0])",
     "마스크 {0}의 모양이 고를 텐서 {2}와 같아야 합니다: 그 텐서로 만드세요 (x[x > 0])"},
    {"invalid index of a 0-dim tensor", "a 0-dim tensor is a number already: x.item() gives it",
     "0차원 텐서는 이미 수입니다: x.item()으로 꺼내세요"},
    {"Target {} is out of bounds", "class numbers go from 0 to the number of columns - 1",
     "클래스 번호는 0부터 (열 수 - 1)까지입니다"},
    {"Class values must be smaller than num_classes", "num_classes is at least the largest number + 1",
     "num_classes는 가장 큰 번호 + 1 이상이어야 합니다"},
    {"without replacement", "draw with replacement=True, or fewer samples",
     "replacement=True로 뽑거나 더 적게 뽑으세요"},
    // ---- autograd ----
    {"grad can be implicitly created only for scalar outputs",
     "backward() starts from one number: loss.sum().backward(), or y.backward(torch.ones_like(y))",
     "backward()는 수 하나에서 시작합니다: loss.sum().backward() 또는 y.backward(torch.ones_like(y))"},
    {"Trying to backward through the graph a second time",
     "compute the loss again before each backward(), or pass retain_graph=True to the first",
     "backward() 전에 손실을 다시 계산하거나, 첫 번째에 retain_graph=True를 주세요"},
    {"does not require grad and does not have a grad_fn",
     "nothing in it depends on a tensor with requires_grad=True: check no_grad(), detach() and .data on the way",
     "requires_grad=True인 텐서에서 계산된 것이 아닙니다: 중간의 no_grad(), detach(), .data를 확인하세요"},
    {"a view of a leaf Variable that requires grad is being used in an in-place operation",
     "change parameters under `with torch.no_grad():`, or work on a copy, x.clone()",
     "파라미터는 `with torch.no_grad():` 안에서 바꾸거나, 사본 x.clone()으로 계산하세요"},
    {"a leaf Variable that requires grad is being used in an in-place operation",
     "change parameters under `with torch.no_grad():`, or write x = x + 1 for a new tensor",
     "파라미터는 `with torch.no_grad():` 안에서 바꾸거나, x = x + 1처럼 새 텐서로 만드세요"},
    {"has been modified by an inplace operation",
     "an in-place write (x += …, x[…] = …, x.relu_()) changed a value that the gradient needs: write a new tensor "
     "instead",
     "기울기에 필요한 값이 제자리 연산(x += …, x[…] = …, x.relu_())으로 바뀌었습니다: 새 텐서로 만드세요"},
    {"Can't call numpy() on Tensor that requires grad", "leave the graph first: x.detach().numpy()",
     "먼저 그래프에서 떼어 내세요: x.detach().numpy()"},
    {"One of the differentiated Tensors does not require grad", "give it requires_grad=True before computing with it",
     "계산하기 전에 requires_grad=True를 주세요"},
    {"can't retain_grad on Tensor that has requires_grad=False",
     "only tensors of a graph get gradients: x.requires_grad_() first",
     "기울기는 그래프에 있는 텐서에만 생깁니다: 먼저 x.requires_grad_()를 부르세요"},
    {"cannot register a hook on a tensor that doesn't require gradient",
     "only tensors of a graph get gradients: x.requires_grad_() first",
     "기울기는 그래프에 있는 텐서에만 생깁니다: 먼저 x.requires_grad_()를 부르세요"},
    {"A view was created in no_grad mode and is being modified inplace",
     "make the view outside of no_grad(), or write to x.clone()", "no_grad() 밖에서 뷰를 만들거나 x.clone()에 쓰세요"},
    {"is a view and is being modified inplace", "write to a copy, t.clone(), or replace the write by t = t * 2",
     "사본 t.clone()에 쓰거나 t = t * 2처럼 새 텐서로 만드세요"},
    {"Inplace update to inference tensor outside InferenceMode",
     "x.clone() outside of inference_mode() is an ordinary tensor",
     "inference_mode() 밖에서 x.clone()을 쓰면 보통 텐서가 됩니다"},
    {"requires_grad=True on inference tensor outside InferenceMode",
     "x.clone() outside of inference_mode() is an ordinary tensor",
     "inference_mode() 밖에서 x.clone()을 쓰면 보통 텐서가 됩니다"},
    {"attempting to assign a gradient", "x.grad has the shape, type and device of x",
     "x.grad는 x와 모양, 자료형, 디바이스가 같아야 합니다"},
    {"appears to not have been used in the graph",
     "the output does not depend on that input: pass allow_unused=True for None in its place",
     "출력이 그 입력과 무관합니다: allow_unused=True를 주면 그 자리에 None이 옵니다"},
    {"Mismatch in shape: grad_output", "the gradient passed to backward() has the shape of the output",
     "backward()에 주는 기울기는 출력과 모양이 같아야 합니다"},
    {"Inference tensors cannot be saved for backward",
     "use no_grad() instead of inference_mode(), or clone() it outside",
     "inference_mode() 대신 no_grad()를 쓰거나, 바깥에서 clone()하세요"},
    {"you can only change requires_grad flags of leaf variables", "x.detach() gives a tensor without history",
     "x.detach()로 기록이 없는 텐서를 얻으세요"},
    {"out=... arguments don't support automatic differentiation", "drop out=, or compute under `with torch.no_grad():`",
     "out=을 빼거나 `with torch.no_grad():` 안에서 계산하세요"},
    // ---- numbers ----
    {"elements cannot be converted to Scalar",
     "item() is for one element: x.tolist() gives all, x.sum().item() the sum",
     "item()은 원소가 하나일 때 씁니다: 전부는 x.tolist(), 합은 x.sum().item()"},
    {"Boolean value of Tensor with", "say what is meant: (x > 0).any(), (x > 0).all(), or x.numel() > 0",
     "뜻을 분명히 쓰세요: (x > 0).any(), (x > 0).all(), 또는 x.numel() > 0"},
    {"expected sequence of length {} at dim {} (got {})",
     "all rows must be equally long: torch.nn.utils.rnn.pad_sequence() fills short ones",
     "모든 행의 길이가 같아야 합니다: 짧은 행은 torch.nn.utils.rnn.pad_sequence()로 채우세요"},
    {"all elements of input should be between 0 and 1",
     "apply sigmoid() first, or use binary_cross_entropy_with_logits, which takes any numbers",
     "먼저 sigmoid()를 거치거나, 아무 수나 받는 binary_cross_entropy_with_logits를 쓰세요"},
    {"strides in the given numpy array", "copy the array first: torch.from_numpy(a.copy())",
     "배열을 먼저 복사하세요: torch.from_numpy(a.copy())"},
    {"stride in the given numpy array is negative", "copy the array first: torch.from_numpy(a.copy())",
     "배열을 먼저 복사하세요: torch.from_numpy(a.copy())"},
    {"too many dimensions 'str'", "tensors hold numbers: turn texts into numbers first",
     "텐서에는 수만 담깁니다: 글자를 먼저 수로 바꾸세요"},
    {"Could not infer dtype of NoneType", "tensors hold numbers: None has no place in them, float('nan') has",
     "텐서에는 수만 담깁니다: None 대신 float('nan')을 쓰세요"},
    {"step must be nonzero", "arange(start, end, step) needs a step other than 0",
     "arange(start, end, step)의 step은 0이 아니어야 합니다"},
    {"upper bound and lower bound inconsistent with step sign",
     "from a larger to a smaller number the step is negative", "큰 수에서 작은 수로 가려면 step이 음수여야 합니다"},
    {"expects 'from' to be less than 'to'", "randint(low, high) draws from low to high - 1: low must be below high",
     "randint(low, high)는 low부터 high - 1까지 뽑습니다: low가 high보다 작아야 합니다"},
    {"without overflow", "the number does not fit the type: use a wider dtype",
     "수가 자료형에 맞지 않습니다: 더 넓은 dtype을 쓰세요"},
};

// Whether the text has the pattern in it; captures get what stands for each {}.
bool fits(std::string_view text, std::string_view pattern, std::vector<std::string_view>& captures) {
  captures.clear();
  std::size_t at = 0;
  bool first = true;
  while (true) {
    const std::size_t hole = pattern.find("{}");
    const std::string_view literal = pattern.substr(0, hole);
    std::size_t found = text.find(literal, at);
    if (found == std::string_view::npos) return false;
    if (!first) {
      if (literal.empty()) {  // the last {}: up to the end of the line or of the number
        found = text.find_first_of("\n.,;", at);
        if (found == std::string_view::npos) found = text.size();
      }
      captures.push_back(text.substr(at, found - at));
      if (captures.back().size() > 80) return false;
    }
    if (hole == std::string_view::npos) return true;
    first = false;
    at = found + literal.size();
    pattern.remove_prefix(hole + 2);
  }
}

std::string filled(std::string_view advice, const std::vector<std::string_view>& captures) {
  std::string out;
  for (std::size_t i = 0; i < advice.size(); ++i) {
    const std::size_t which = i + 2 < advice.size() && advice[i] == '{' ? std::size_t(advice[i + 1] - '0') : 99;
    if (which < captures.size() && advice[i + 2] == '}') {
      out += captures[which];
      i += 2;
    } else {
      out += advice[i];
    }
  }
  return out;
}

bool in_korean() {
  for (const char* name : {"HWARO_LANG", "LC_ALL", "LC_MESSAGES", "LANG"})
    if (const char* value = std::getenv(name); value && *value) return std::string_view(value).substr(0, 2) == "ko";
  return false;
}

}  // namespace

std::string hint_for(std::string_view what, std::string_view call) {
  const bool korean = in_korean();
  std::string out;
  std::vector<std::string_view> captures;
  for (const Row& row : kRows)
    if (fits(what, row.text, captures)) {
      out = (korean ? "도움말: " : "hint: ") + filled(korean ? row.ko : row.en, captures);
      break;
    }
  if (call.empty()) return out;
  if (out.empty()) return (korean ? "호출: " : "called as ") + std::string(call);
  return out + (korean ? "; 호출: " : "; called as ") + std::string(call);
}

std::string Error::hint() const { return hint_for(what()); }

}  // namespace hwaro
