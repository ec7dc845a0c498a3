optim = torch.optim
import string
torch.manual_seed(1)
all_letters = string.ascii_letters + " .,;'"
n_letters = len(all_letters)
def letterToTensor(letter):
    tensor = torch.zeros(1, n_letters)
    tensor[0][all_letters.find(letter)] = 1
    return tensor
def lineToTensor(line):
    tensor = torch.zeros(len(line), 1, n_letters)
    for li, letter in enumerate(line):
        tensor[li][0][all_letters.find(letter)] = 1
    return tensor
print(letterToTensor('J'))
print(lineToTensor('Jones').size())
class RNN(nn.Module):
    def __init__(self, input_size, hidden_size, output_size):
        super(RNN, self).__init__()
        self.hidden_size = hidden_size
        self.i2h = nn.Linear(input_size, hidden_size)
        self.h2h = nn.Linear(hidden_size, hidden_size)
        self.h2o = nn.Linear(hidden_size, output_size)
        self.softmax = nn.LogSoftmax(dim=1)
    def forward(self, input, hidden):
        hidden = F.tanh(self.i2h(input) + self.h2h(hidden))
        output = self.h2o(hidden)
        output = self.softmax(output)
        return output, hidden
    def initHidden(self):
        return torch.zeros(1, self.hidden_size)
rnn = RNN(n_letters, 128, 3)
rnn
output, next_hidden = rnn(lineToTensor('Albert')[0], torch.zeros(1, 128))
print(output)
top_n, top_i = output.topk(1)
top_n, top_i, top_i[0].item()
criterion = nn.NLLLoss()
def train(category_tensor, line_tensor):
    hidden = rnn.initHidden()
    rnn.zero_grad()
    for i in range(line_tensor.size()[0]):
        output, hidden = rnn(line_tensor[i], hidden)
    loss = criterion(output, category_tensor)
    loss.backward()
    for p in rnn.parameters():
        p.data.add_(p.grad.data, alpha=-0.005)
    return output, loss.item()
for w, c in [("Kim", 0), ("Satoshi", 1), ("Jones", 2)] * 3:
    output, loss = train(torch.tensor([c], dtype=torch.long), lineToTensor(w))
print(output, f"{loss:.4f}")
p = rnn.h2o.weight
p.data.add_(-0.005, p.grad.data)
nn.utils.clip_grad_norm_(rnn.parameters(), 1.0)
nn.utils.clip_grad_value_(rnn.parameters(), 0.1)
class CharRNN(nn.Module):
    def __init__(self, i, h, o):
        super().__init__()
        self.rnn = nn.RNN(i, h)
        self.h2o = nn.Linear(h, o)
        self.softmax = nn.LogSoftmax(dim=1)
    def forward(self, x):
        out, hidden = self.rnn(x)
        return self.softmax(self.h2o(hidden[0]))
m = CharRNN(n_letters, 32, 5)
print(m)
m(lineToTensor('Albert'))
optimizer = torch.optim.SGD(m.parameters(), lr=0.1)
for i in range(3):
    loss = nn.NLLLoss()(m(lineToTensor('Albert')), torch.tensor([2])); loss.backward(); nn.utils.clip_grad_norm_(m.parameters(), 3); optimizer.step(); optimizer.zero_grad(); print(f"{loss.item():.5f}")
word_to_ix = {"hello": 0, "world": 1}
embeds = nn.Embedding(2, 5)
lookup_tensor = torch.tensor([word_to_ix["hello"]], dtype=torch.long)
print(embeds(lookup_tensor))
embeds(torch.tensor([2]))
embeds(torch.tensor([0.5]))
embeds(torch.tensor([[0, 1], [1, 0]], dtype=torch.int32)).shape
embeds.weight
class NGram(nn.Module):
    def __init__(self, vocab_size, embedding_dim, context_size):
        super().__init__()
        self.embeddings = nn.Embedding(vocab_size, embedding_dim)
        self.linear1 = nn.Linear(context_size * embedding_dim, 128)
        self.linear2 = nn.Linear(128, vocab_size)
    def forward(self, inputs):
        embeds = self.embeddings(inputs).view((1, -1))
        out = F.relu(self.linear1(embeds))
        return F.log_softmax(self.linear2(out), dim=1)
model = NGram(20, 10, 2)
optimizer = optim.SGD(model.parameters(), lr=0.001)
losses = []
for epoch in range(3):
    total_loss = 0
    for i in range(18):
        context_idxs = torch.tensor([i, i + 1], dtype=torch.long)
        model.zero_grad()
        log_probs = model(context_idxs)
        loss = nn.NLLLoss()(log_probs, torch.tensor([i + 2], dtype=torch.long))
        loss.backward()
        optimizer.step()
        total_loss += loss.item()
    losses.append(round(total_loss, 2))
print(losses)
print(model.embeddings.weight[0])
lstm = nn.LSTM(3, 3)
inputs = [torch.randn(1, 3) for _ in range(5)]
hidden = (torch.randn(1, 1, 3), torch.randn(1, 1, 3))
for i in inputs:
    out, hidden = lstm(i.view(1, 1, -1), hidden)
inputs = torch.cat(inputs).view(len(inputs), 1, -1)
hidden = (torch.randn(1, 1, 3), torch.randn(1, 1, 3))
out, hidden = lstm(inputs, hidden)
print(hidden)
class LSTMTagger(nn.Module):
    def __init__(self, embedding_dim, hidden_dim, vocab_size, tagset_size):
        super(LSTMTagger, self).__init__()
        self.hidden_dim = hidden_dim
        self.word_embeddings = nn.Embedding(vocab_size, embedding_dim)
        self.lstm = nn.LSTM(embedding_dim, hidden_dim)
        self.hidden2tag = nn.Linear(hidden_dim, tagset_size)
    def forward(self, sentence):
        embeds = self.word_embeddings(sentence)
        lstm_out, _ = self.lstm(embeds.view(len(sentence), 1, -1))
        tag_space = self.hidden2tag(lstm_out.view(len(sentence), -1))
        return F.log_softmax(tag_space, dim=1)
model = LSTMTagger(6, 6, 9, 3)
model
optimizer = optim.SGD(model.parameters(), lr=0.1)
sent = torch.tensor([0, 1, 2, 3, 4])
tags = torch.tensor([0, 1, 2, 0, 1])
with torch.no_grad():
    print(model(sent))
for epoch in range(20):
    model.zero_grad()
    loss = nn.NLLLoss()(model(sent), tags)
    loss.backward()
    optimizer.step()
with torch.no_grad():
    print(model(sent))
def argmax(vec):
    _, idx = torch.max(vec, 1)
    return idx.item()
def log_sum_exp(vec):
    max_score = vec[0, argmax(vec)]
    max_score_broadcast = max_score.view(1, -1).expand(1, vec.size()[1])
    return max_score + torch.log(torch.sum(torch.exp(vec - max_score_broadcast)))
log_sum_exp(torch.randn(1, 5))
from torch.nn.utils.rnn import pad_sequence, pack_padded_sequence, pad_packed_sequence, pack_sequence
a, b, c = torch.ones(3, 2), torch.ones(5, 2), torch.ones(2, 2)
pad_sequence([a, b, c]).shape, pad_sequence([a, b, c], batch_first=True, padding_value=-1)[2]
pk = pack_padded_sequence(pad_sequence([a, b, c]), [3, 5, 2], enforce_sorted=False)
pk
o, h = nn.GRU(2, 4)(pk)
o, h
pad_packed_sequence(o)
pack_padded_sequence(pad_sequence([a, b, c]), [3, 5, 2])
nn.LSTM(3, 4, num_layers=2, bidirectional=True, dropout=0.2, batch_first=True)
nn.LSTM(3, 4, num_layers=1, dropout=0.2)
lstm(torch.randn(2, 2, 4))
lstm(torch.randn(5, 3))
nn.GRU(3, 4, 2)(torch.randn(5, 2, 3), torch.randn(1, 2, 4))
nn.LSTMCell(3, 4)(torch.randn(2, 3))
nn.RNN(3, 4, nonlinearity='relu')
nn.RNN(3, 4, nonlinearity='gelu')
lstm._all_weights, [n for n, _ in lstm.named_parameters()], lstm.all_weights[0][0].shape
lstm.flatten_parameters()
class EncoderRNN(nn.Module):
    def __init__(self, input_size, hidden_size, dropout_p=0.1):
        super().__init__()
        self.embedding = nn.Embedding(input_size, hidden_size)
        self.gru = nn.GRU(hidden_size, hidden_size, batch_first=True)
        self.dropout = nn.Dropout(dropout_p)
    def forward(self, input):
        return self.gru(self.dropout(self.embedding(input)))
class BahdanauAttention(nn.Module):
    def __init__(self, hidden_size):
        super().__init__()
        self.Wa = nn.Linear(hidden_size, hidden_size); self.Ua = nn.Linear(hidden_size, hidden_size); self.Va = nn.Linear(hidden_size, 1)
    def forward(self, query, keys):
        scores = self.Va(torch.tanh(self.Wa(query) + self.Ua(keys)))
        scores = scores.squeeze(2).unsqueeze(1)
        weights = F.softmax(scores, dim=-1)
        return torch.bmm(weights, keys), weights
enc = EncoderRNN(12, 8)
att = BahdanauAttention(8)
eo, eh = enc(torch.randint(0, 12, (2, 5)))
eo.shape, eh.shape
import math, random
from collections import namedtuple, deque, OrderedDict
from torch.optim import lr_scheduler
def weights_init(m):
    classname = m.__class__.__name__
    if classname.find('Conv') != -1:
        nn.init.normal_(m.weight.data, 0.0, 0.02)
    elif classname.find('BatchNorm') != -1:
        nn.init.normal_(m.weight.data, 1.0, 0.02); nn.init.constant_(m.bias.data, 0)
nz, ngf, ndf, nc = 10, 8, 8, 3
class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(nz, ngf * 4, 4, 1, 0, bias=False), nn.BatchNorm2d(ngf * 4), nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 4, ngf * 2, 4, 2, 1, bias=False), nn.BatchNorm2d(ngf * 2), nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 2, nc, 4, 2, 1, bias=False), nn.Tanh())
    def forward(self, input): return self.main(input)
class Discriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.main = nn.Sequential(nn.Conv2d(nc, ndf, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, inplace=True), nn.Conv2d(ndf, ndf * 2, 4, 2, 1, bias=False), nn.BatchNorm2d(ndf * 2), nn.LeakyReLU(0.2, inplace=True), nn.Conv2d(ndf * 2, 1, 4, 1, 0, bias=False), nn.Sigmoid())
    def forward(self, input): return self.main(input)
netG = Generator()
netG.apply(weights_init)
netD = Discriminator()
netD.apply(weights_init)
criterion = nn.BCELoss()
optD = optim.Adam(netD.parameters(), lr=2e-4, betas=(0.5, 0.999))
optG = optim.Adam(netG.parameters(), lr=2e-4, betas=(0.5, 0.999))
for it in range(3):
    netD.zero_grad()
    real = torch.randn(4, 3, 16, 16)
    label = torch.full((4,), 1., dtype=torch.float)
    output = netD(real).view(-1)
    errD_real = criterion(output, label); errD_real.backward()
    noise = torch.randn(4, nz, 1, 1)
    fake = netG(noise)
    label.fill_(0.)
    output = netD(fake.detach()).view(-1)
    errD_fake = criterion(output, label); errD_fake.backward(); optD.step()
    netG.zero_grad(); label.fill_(1.)
    errG = criterion(netD(fake).view(-1), label); errG.backward(); optG.step()
    print('Loss_D: %.3f Loss_G: %.3f' % ((errD_real + errD_fake).item(), errG.item()))
criterion(torch.tensor([1.5]), torch.tensor([1.]))
criterion(torch.tensor([0.5]), torch.tensor([1]))
criterion(torch.tensor([0.5]), torch.tensor([[1.]]))
Transition = namedtuple('Transition', ('state', 'action', 'next_state', 'reward'))
class ReplayMemory(object):
    def __init__(self, capacity): self.memory = deque([], maxlen=capacity)
    def push(self, *args): self.memory.append(Transition(*args))
    def sample(self, batch_size): return random.Random(7).sample(self.memory, batch_size)
    def __len__(self): return len(self.memory)
class DQN(nn.Module):
    def __init__(self, n_observations, n_actions):
        super().__init__()
        self.layer1 = nn.Linear(n_observations, 32); self.layer2 = nn.Linear(32, 32); self.layer3 = nn.Linear(32, n_actions)
    def forward(self, x): return self.layer3(F.relu(self.layer2(F.relu(self.layer1(x)))))
policy_net = DQN(4, 2)
target_net = DQN(4, 2)
target_net.load_state_dict(policy_net.state_dict())
optimizer = optim.AdamW(policy_net.parameters(), lr=1e-3, amsgrad=True)
memory = ReplayMemory(100)
for i in range(50):
    s = torch.randn(1, 4); ns = None if i % 7 == 0 else torch.randn(1, 4)
    with torch.no_grad():
        a = policy_net(s).max(1).indices.view(1, 1)
    memory.push(s, a, ns, torch.tensor([float(i % 3)]))
for step in range(3):
    transitions = memory.sample(16)
    batch = Transition(*zip(*transitions))
    non_final_mask = torch.tensor(tuple(map(lambda s: s is not None, batch.next_state)), dtype=torch.bool)
    non_final_next_states = torch.cat([s for s in batch.next_state if s is not None])
    state_action_values = policy_net(torch.cat(batch.state)).gather(1, torch.cat(batch.action))
    next_state_values = torch.zeros(16)
    with torch.no_grad():
        next_state_values[non_final_mask] = target_net(non_final_next_states).max(1).values
    expected = (next_state_values * 0.99) + torch.cat(batch.reward)
    loss = nn.SmoothL1Loss()(state_action_values, expected.unsqueeze(1))
    optimizer.zero_grad(); loss.backward()
    torch.nn.utils.clip_grad_value_(policy_net.parameters(), 100)
    optimizer.step()
    sd = target_net.state_dict(); pd = policy_net.state_dict()
    for key in pd: sd[key] = pd[key] * 0.005 + sd[key] * 0.995
    target_net.load_state_dict(sd)
    print(f"{loss.item():.5f}")
from torch.distributions import Categorical, Normal, Bernoulli, kl_divergence
class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.affine1 = nn.Linear(4, 16); self.dropout = nn.Dropout(p=0.6); self.affine2 = nn.Linear(16, 2)
    def forward(self, x): return F.softmax(self.affine2(F.relu(self.dropout(self.affine1(x)))), dim=1)
policy = Policy()
probs = policy(torch.randn(1, 4))
m = Categorical(probs)
action = m.sample()
m, action, m.log_prob(action), m.entropy()
(-m.log_prob(action) * 2.0).backward()
Categorical(torch.tensor([0.5, -0.1]))
Categorical(logits=torch.zeros(3)).probs
Normal(0., 1.).sample((3,)), Normal(torch.zeros(2), torch.ones(2)).rsample(), Normal(0, -1)
Normal(torch.zeros(2), 1).log_prob(torch.ones(2)), Normal(0., 1.), Bernoulli(0.3).sample((4,))
kl_divergence(Normal(0., 1.), Normal(1., 2.))
class PositionalEncoding(nn.Module):
    def __init__(self, d_model, dropout=0.1, max_len=50):
        super().__init__()
        self.dropout = nn.Dropout(p=dropout)
        position = torch.arange(max_len).unsqueeze(1)
        div_term = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
        pe = torch.zeros(max_len, 1, d_model)
        pe[:, 0, 0::2] = torch.sin(position * div_term)
        pe[:, 0, 1::2] = torch.cos(position * div_term)
        self.register_buffer('pe', pe)
    def forward(self, x):
        x = x + self.pe[:x.size(0)]
        return self.dropout(x)
class TransformerModel(nn.Module):
    def __init__(self, ntoken, d_model, nhead, d_hid, nlayers, dropout=0.1):
        super().__init__()
        self.pos_encoder = PositionalEncoding(d_model, dropout)
        self.transformer_encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(d_model, nhead, d_hid, dropout), nlayers)
        self.embedding = nn.Embedding(ntoken, d_model)
        self.d_model = d_model
        self.linear = nn.Linear(d_model, ntoken)
        self.embedding.weight.data.uniform_(-0.1, 0.1)
    def forward(self, src, src_mask=None):
        src = self.pos_encoder(self.embedding(src) * math.sqrt(self.d_model))
        if src_mask is None: src_mask = nn.Transformer.generate_square_subsequent_mask(len(src))
        return self.linear(self.transformer_encoder(src, src_mask))
model = TransformerModel(20, 8, 2, 16, 2)
model
nn.Transformer.generate_square_subsequent_mask(3)
optimizer = torch.optim.SGD(model.parameters(), lr=5.0)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1.0, gamma=0.95)
data = torch.randint(0, 20, (10, 4))
targets = torch.randint(0, 20, (40,))
for i in range(4):
    model.train()
    loss = nn.CrossEntropyLoss()(model(data).view(-1, 20), targets)
    optimizer.zero_grad(); loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
    optimizer.step(); scheduler.step()
    print(f"{loss.item():.3f}", scheduler.get_last_lr())
model.eval()
model(data)[0, 0]
mha = nn.MultiheadAttention(8, 2, batch_first=True)
mha(torch.randn(2, 3, 8), torch.randn(2, 5, 8), torch.randn(2, 5, 8), average_attn_weights=False)[1].shape
nn.MultiheadAttention(7, 2)
tr = nn.Transformer(8, 2, 1, 1, 16)
tr(torch.randn(5, 2, 8), torch.randn(4, 2, 8)).shape
tr(torch.randn(5, 2, 8), torch.randn(4, 3, 8))
F.scaled_dot_product_attention(torch.randn(1, 2, 3, 4), torch.randn(1, 2, 3, 4), torch.randn(1, 2, 3, 4), is_causal=True)
class BasicBlock(nn.Module):
    def __init__(self, i, o, s=1):
        super().__init__()
        self.conv1 = nn.Conv2d(i, o, 3, s, 1, bias=False); self.bn1 = nn.BatchNorm2d(o); self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(o, o, 3, 1, 1, bias=False); self.bn2 = nn.BatchNorm2d(o)
        self.downsample = nn.Sequential(nn.Conv2d(i, o, 1, s, bias=False), nn.BatchNorm2d(o)) if s != 1 else None
    def forward(self, x):
        identity = x if self.downsample is None else self.downsample(x)
        out = self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x)))))
        out += identity
        return self.relu(out)
resnet = nn.Sequential(OrderedDict([("stem", nn.Conv2d(3, 8, 3, 1, 1)), ("l1", BasicBlock(8, 8)), ("l2", BasicBlock(8, 16, 2)), ("pool", nn.AdaptiveAvgPool2d((1, 1))), ("flat", nn.Flatten()), ("fc", nn.Linear(16, 1000))]))
for param in resnet.parameters():
    param.requires_grad = False
num_ftrs = resnet.fc.in_features
resnet.fc = nn.Linear(num_ftrs, 2)
resnet
optimizer_ft = optim.SGD(resnet.fc.parameters(), lr=0.001, momentum=0.9)
exp_lr_scheduler = lr_scheduler.StepLR(optimizer_ft, step_size=7, gamma=0.1)
for phase in ["train", "val", "train"]:
    resnet.train(phase == "train")
    inputs = torch.randn(4, 3, 16, 16); labels = torch.tensor([0, 1, 1, 0])
    optimizer_ft.zero_grad()
    with torch.set_grad_enabled(phase == 'train'):
        outputs = resnet(inputs)
        _, preds = torch.max(outputs, 1)
        loss = nn.CrossEntropyLoss()(outputs, labels)
        if phase == 'train':
            loss.backward(); optimizer_ft.step()
    exp_lr_scheduler.step()
    print(f"{loss.item() * inputs.size(0):.4f}", torch.sum(preds == labels.data), (torch.sum(preds == labels.data).double() / 4))
[n for n, p in resnet.named_parameters() if p.requires_grad], resnet.l1.bn1.running_mean, resnet.l1.bn1.num_batches_tracked
sum(p.numel() for p in resnet.parameters()), sum(p.numel() for p in resnet.parameters() if p.requires_grad)
def gram_matrix(input):
    a, b, c, d = input.size()
    features = input.view(a * b, c * d)
    G = torch.mm(features, features.t())
    return G.div(a * b * c * d)
class StyleLoss(nn.Module):
    def __init__(self, target): super().__init__(); self.target = gram_matrix(target).detach()
    def forward(self, input): self.loss = F.mse_loss(gram_matrix(input), self.target); return input
img = torch.rand(1, 3, 8, 8).requires_grad_(True)
sl = StyleLoss(torch.rand(1, 3, 8, 8))
opt = optim.LBFGS([img])
run = [0]
def closure():
    with torch.no_grad(): img.clamp_(0, 1)
    opt.zero_grad(); sl(img); loss = sl.loss * 1000; loss.backward(); run[0] += 1; return loss
for _ in range(2): print(f"{opt.step(closure).item():.3f}")
def fgsm_attack(image, epsilon, data_grad):
    return torch.clamp(image + epsilon * data_grad.sign(), 0, 1)
data = torch.rand(1, 1, 4, 4, requires_grad=True)
F.nll_loss(F.log_softmax(nn.Linear(16, 3)(data.view(1, -1)), 1), torch.tensor([1])).backward()
fgsm_attack(data, 0.1, data.grad)
class STN(nn.Module):
    def __init__(self):
        super().__init__()
        self.loc = nn.Sequential(nn.Flatten(), nn.Linear(64, 6)); self.loc[1].weight.data.zero_(); self.loc[1].bias.data.copy_(torch.tensor([1, 0, 0, 0, 1, 0], dtype=torch.float))
    def forward(self, x):
        theta = self.loc(x).view(-1, 2, 3)
        return F.grid_sample(x, F.affine_grid(theta, x.size()))
STN()(torch.rand(1, 1, 8, 8)).sum()
class SuperRes(nn.Module):
    def __init__(self): super().__init__(); self.c = nn.Conv2d(1, 4, 3, 1, 1); self.ps = nn.PixelShuffle(2)
    def forward(self, x): return self.ps(self.c(x))
SuperRes()(torch.rand(1, 1, 4, 4)).shape
class VAE(nn.Module):
    def __init__(self): super().__init__(); self.fc1 = nn.Linear(16, 8); self.mu = nn.Linear(8, 2); self.lv = nn.Linear(8, 2); self.fc3 = nn.Linear(2, 16)
    def forward(self, x):
        h = F.relu(self.fc1(x)); mu, lv = self.mu(h), self.lv(h); std = torch.exp(0.5 * lv); eps = torch.randn_like(std); z = mu + eps * std
        return torch.sigmoid(self.fc3(z)), mu, lv
r, mu, lv = VAE()(torch.rand(3, 16))
(F.binary_cross_entropy(r, torch.rand(3, 16), reduction='sum') - 0.5 * torch.sum(1 + lv - mu.pow(2) - lv.exp())).backward()
r.shape
mm = nn.Linear(4, 3)
torch.nn.utils.weight_norm(nn.Linear(3, 2))
torch.nn.utils.parametrizations.weight_norm(nn.Linear(3, 2))
torch.nn.utils.spectral_norm(nn.Linear(3, 2))
torch.nn.utils.parameters_to_vector(mm.parameters()).shape
