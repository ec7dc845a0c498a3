"""nn.init, nn.utils and the functions of nn.functional that no layer shows."""
import copy

from recorded import recorded_test
from test_nn_layers import ramp

CASES = {}


def case(function):
    CASES[function.__name__] = function
    return function


def attempt(action):
    """What an action gives, or the class and text of what it raises."""
    try:
        return action()
    except Exception as error:
        return [type(error).__name__, str(error)]


# ---- initial values --------------------------------------------------------------------------------------------------
@case
def initial_values(torch):
    init, out = torch.nn.init, []
    for shape in ((5, 3), (3, 5), (4, 4, 3)):
        for name in ("xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_", "trunc_normal_",
                     "uniform_", "normal_", "ones_", "zeros_"):
            out.append(getattr(init, name)(torch.empty(shape)))
    return out + [torch.get_rng_state()]


@case
def structured_initial_values(torch):
    init = torch.nn.init
    return [init.orthogonal_(torch.empty(5, 3)), init.orthogonal_(torch.empty(3, 5), gain=2.0),
            init.sparse_(torch.empty(6, 3), 0.4), init.eye_(torch.empty(3, 4)), init.dirac_(torch.empty(4, 2, 3)),
            init.dirac_(torch.empty(4, 2, 3, 3), 2), init.constant_(torch.empty(2), 4.0), torch.get_rng_state()]


@case
def initial_values_with_options(torch):
    init = torch.nn.init
    return [init.kaiming_uniform_(torch.empty(3, 4), mode="fan_out", nonlinearity="relu"),
            init.trunc_normal_(torch.empty(50), 1.0, 2.0, -0.5, 3.0), init.trunc_normal_(torch.empty(50), a=1.0, b=3.0),
            init.normal_(torch.empty(20), generator=torch.Generator().manual_seed(3)),
            [init.calculate_gain(name, 0.3) for name in ("linear", "tanh", "relu", "leaky_relu", "selu")],
            init.kaiming_uniform_(torch.empty(0, 3)), init.xavier_uniform(torch.empty(2, 2)), torch.get_rng_state()]


@case
def errors_of_initial_values(torch):
    init, row = torch.nn.init, torch.empty(3)
    return [attempt(action) for action in (
        lambda: init.kaiming_uniform_(row), lambda: init.kaiming_normal_(torch.empty(2, 2), mode="x"),
        lambda: init.kaiming_normal_(torch.empty(2, 2), nonlinearity="x"),
        lambda: init.calculate_gain("leaky_relu", "x"), lambda: init.eye_(row), lambda: init.dirac_(row),
        lambda: init.dirac_(torch.empty(3, 3, 3), 2), lambda: init.orthogonal_(row), lambda: init.sparse_(row, 0.1))]


# ---- gradients and parameters ----------------------------------------------------------------------------------------
def with_gradients(torch):
    layer = torch.nn.Linear(3, 2)
    layer(torch.full((4, 3), 3.0)).pow(2).sum().backward()
    return layer


@case
def clipping(torch):
    utils, out = torch.nn.utils, []
    for clip in (lambda p: utils.clip_grad_norm_(p, 1.0), lambda p: utils.clip_grad_norm_(p, 0.5, float("inf")),
                 lambda p: utils.clip_grad_norm_(p, 1e9, 1.0), lambda p: utils.clip_grad_value_(p, 0.5)):
        layer = with_gradients(torch)
        out.append([clip(layer.parameters()), [p.grad for p in layer.parameters()]])
    layer = with_gradients(torch)
    layer.bias.grad[0] = float("nan")
    return out + [utils.clip_grad_norm_([], 1.0),
                  attempt(lambda: utils.clip_grad_norm_(layer.parameters(), 1.0, error_if_nonfinite=True))]


@case
def parameters_as_a_vector(torch):
    utils, layer = torch.nn.utils, torch.nn.Linear(3, 2)
    before = utils.parameters_to_vector(layer.parameters())
    utils.vector_to_parameters(torch.arange(8.0), layer.parameters())
    return [before, list(layer.parameters()), attempt(lambda: utils.vector_to_parameters([1], []))]


# ---- sequences -------------------------------------------------------------------------------------------------------
def sequences(torch):
    return [torch.arange(3.0).view(3, 1), torch.arange(5.0).view(5, 1) + 10, torch.ones(2, 1)]


@case
def padding(torch):
    rnn = torch.nn.utils.rnn
    return [rnn.pad_sequence(sequences(torch)), rnn.pad_sequence(sequences(torch), True, -1.0, "left"),
            rnn.unpad_sequence(rnn.pad_sequence(sequences(torch)), torch.tensor([3, 5, 2])),
            attempt(lambda: rnn.pad_sequence([])), attempt(lambda: rnn.pad_sequence(3))]


@case
def packing(torch):
    rnn = torch.nn.utils.rnn
    packed = rnn.pack_sequence(sequences(torch), enforce_sorted=False)
    return [str(packed), list(packed), rnn.pad_packed_sequence(packed, True, -2.0, 7), rnn.unpack_sequence(packed),
            packed.double().data, packed.to(torch.float64).sorted_indices,
            rnn.pack_padded_sequence(ramp(torch, 2, 3, 1), [3, 1], batch_first=True).data] + [
        attempt(action) for action in (
            lambda: rnn.pack_sequence(sequences(torch)), lambda: rnn.pack_padded_sequence(torch.ones(3, 2), [3, 0]),
            lambda: rnn.pad_packed_sequence(packed, total_length=3))]


@case
def recurrent_layers_on_packed_sequences(torch):
    out, rnn = [], torch.nn.utils.rnn
    for name in ("RNN", "LSTM", "GRU"):
        for kw in ({}, {"bidirectional": True, "num_layers": 2}):
            layer = getattr(torch.nn, name)(2, 3, **kw)
            packed = rnn.pack_sequence([ramp(torch, n, 2) for n in (3, 5, 2, 5)], enforce_sorted=False)
            result, state = layer(packed)
            result.data.pow(2).sum().backward()
            out += [result.data, result.unsorted_indices, state, [p.grad for p in layer.parameters()]]
    return out


@case
def errors_of_recurrent_layers(torch):
    nn, out = torch.nn, []
    for name in ("RNN", "LSTM", "GRU"):
        layer, cell = getattr(nn, name), getattr(nn, name + "Cell")
        out += [attempt(action) for action in (
            lambda: layer(2, 3)(torch.ones(3, 2, 3)), lambda: layer(2, 3)(torch.ones(3)),
            lambda: layer(2, 3)(torch.ones(3, 2, 2).double()), lambda: layer(2, 0), lambda: layer(2, 3, 0),
            lambda: layer(2, 3, dropout=2), lambda: layer(2, 3, proj_size=4), lambda: cell(2, 3)(torch.ones(2, 3)),
            lambda: cell(2, 3)(torch.ones(2, 2, 3)))]
    return out


# ---- reparametrisation -----------------------------------------------------------------------------------------------
@case
def weight_norm(torch):
    nn, out = torch.nn, []
    for dim in (0, 1, None):
        old, new = nn.utils.weight_norm(nn.Conv1d(3, 4, 2), dim=dim), nn.Conv1d(3, 4, 2)
        nn.utils.parametrizations.weight_norm(new, dim=dim)
        for layer in (old, new):
            result = layer(ramp(torch, 1, 3, 4))
            result.sum().backward()
            out += [result, layer.weight, layer.state_dict(), repr(layer), [p.grad for p in layer.parameters()]]
        nn.utils.remove_weight_norm(old)
        nn.utils.parametrize.remove_parametrizations(new, "weight")
        out += [old.state_dict(), new.state_dict(), repr(new)]
    return out


@case
def spectral_norm(torch):
    nn, out = torch.nn, []
    for make, shape in ((lambda: nn.Linear(3, 4), (1, 3)), (lambda: nn.ConvTranspose2d(3, 4, 2), (1, 3, 4, 4))):
        for apply in (nn.utils.spectral_norm, nn.utils.parametrizations.spectral_norm):
            layer = apply(make())
            layer(ramp(torch, *shape))
            result = layer(ramp(torch, *shape))
            result.sum().backward()
            out += [result, layer.state_dict(), repr(layer), [p.grad for p in layer.parameters()],
                    layer.eval()(ramp(torch, *shape))]
    return out


@case
def parametrizations(torch):
    nn, P = torch.nn, torch.nn.utils.parametrize

    class Symmetric(nn.Module):
        def forward(self, x):
            return x.triu() + x.triu(1).transpose(-1, -2)

    class Exponential(nn.Module):
        def forward(self, x):
            return x.exp()

        def right_inverse(self, x):
            return x.log()

    class Shorter(nn.Module):
        def forward(self, x):
            return x[:1]

    layer = nn.Linear(3, 3)
    P.register_parametrization(layer, "weight", Symmetric())
    out = [layer.weight, P.is_parametrized(layer), P.is_parametrized(layer, "bias")]
    with torch.no_grad():
        layer.bias.fill_(2.0)
    P.register_parametrization(layer, "bias", Exponential())
    out += [layer.bias, layer.state_dict(), layer(ramp(torch, 3))]
    layer.bias = torch.full((3,), 5.0)
    other = copy.deepcopy(layer)
    out += [layer.bias, other.weight, repr(other)]
    with P.cached():
        out += [layer.weight is layer.weight]
    P.remove_parametrizations(layer, "weight", leave_parametrized=False)
    P.remove_parametrizations(layer, "bias")
    return out + [layer.state_dict(), repr(layer), attempt(
        lambda: P.register_parametrization(nn.Linear(3, 3), "weight", Shorter())), attempt(
        lambda: P.register_parametrization(nn.Linear(3, 3), "nope", Shorter()))]


# ---- functions -------------------------------------------------------------------------------------------------------
@case
def sampling_grids(torch):
    F, out = torch.nn.functional, []
    theta = ramp(torch, 2, 2, 3)
    for corners in (True, False):
        grid = F.affine_grid(theta, [2, 3, 4, 5], corners)
        out += [grid, F.affine_grid(ramp(torch, 2, 3, 4), [2, 3, 2, 3, 4], corners)]
        for mode in ("bilinear", "nearest", "bicubic"):
            for padding in ("zeros", "border", "reflection"):
                x = ramp(torch, 2, 3, 5, 6).requires_grad_()
                result = F.grid_sample(x, grid * 1.3, mode, padding, corners)
                result.pow(2).sum().backward()
                out += [result, x.grad]
        out += [F.grid_sample(ramp(torch, 1, 2, 3, 4, 5), ramp(torch, 1, 2, 2, 2, 3), align_corners=corners)]
    return out


@case
def random_functions(torch):
    F, x = torch.nn.functional, ramp(torch, 4, 5)
    return [F.gumbel_softmax(x), F.gumbel_softmax(x, tau=0.5, hard=True, dim=0), F.rrelu(x, 0.1, 0.3, True),
            F.dropout2d(ramp(torch, 2, 3, 4)), F.feature_alpha_dropout(ramp(torch, 2, 3, 4), 0.5, True),
            torch.get_rng_state()]


@case
def other_functions(torch):
    F, x = torch.nn.functional, ramp(torch, 4, 5)
    return [F.normalize(x), F.normalize(x, p=1.0, dim=0), F.softsign(x), F.softmin(x, 1), F.elu_(x.clone(), 0.5),
            F.leaky_relu_(x.clone()), F.hardtanh_(x.clone()), F.threshold_(x.clone(), 0.1, 7.0),
            F.rms_norm(x, (5,)), F.local_response_norm(ramp(torch, 2, 5, 3), 2),
            F.upsample(ramp(torch, 1, 1, 2, 2), None, 2),
            F.channel_shuffle(ramp(torch, 1, 6, 2), 3), F.lp_pool2d(ramp(torch, 1, 1, 4, 4), 2.0, 2),
            F.max_pool2d_with_indices(ramp(torch, 1, 1, 4, 4), 2), F.mse_loss(x, x * 0.5, size_average=False),
            F.poisson_nll_loss(x, x.abs(), reduce=False),
            attempt(lambda: F.dropout2d(x, 3)), attempt(lambda: F.triplet_margin_loss(x, x, x, margin=-1)),
            attempt(lambda: F.instance_norm(torch.ones(2, 3, 1))), attempt(lambda: F.rms_norm(x, (4,))),
            attempt(lambda: F.grid_sample(x, x, "cubic")), attempt(lambda: F.multi_margin_loss(x, x, p=3))]


@case
def attention_masks(torch):
    attention = torch.nn.MultiheadAttention(8, 2)
    x, y = ramp(torch, 5, 3, 8), ramp(torch, 4, 3, 8)
    causal = torch.nn.Transformer.generate_square_subsequent_mask(5)
    padding = torch.tensor([[False, False, True, True, True], [False] * 5, [False, True, False, True, False]])
    out = [causal, attention(x, x, x, attn_mask=causal), attention(x, x, x, attn_mask=causal, need_weights=False),
           attention(x, x, x, key_padding_mask=padding),
           attention(x, x, x, key_padding_mask=padding, need_weights=False),
           attention(x, x, x, attn_mask=causal, is_causal=True, need_weights=False),
           attention(x, y, y, average_attn_weights=False), attention(x[:, 0], y[:, 0], y[:, 0])]
    return out + [attempt(action) for action in (
        lambda: attention(x, x, x, attn_mask=causal[:4]), lambda: attention(x, x, x, attn_mask=causal.long()),
        lambda: attention(x[..., :4], x, x), lambda: attention(x, x, y), lambda: attention(x[0, 0], x, x),
        lambda: attention(x, x, x, is_causal=True), lambda: torch.nn.MultiheadAttention(8, 3),
        lambda: torch.nn.MultiheadAttention(0, 3))]


@case
def transformer_masks(torch):
    nn = torch.nn
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 2, nn.LayerNorm(8)).train()
    x, mask = ramp(torch, 3, 5, 8), nn.Transformer.generate_square_subsequent_mask(5)
    padding = torch.tensor([[False, False, True, True, True], [False] * 5, [False, True, False, True, False]])
    decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(8, 2, 16, batch_first=True), 1)
    return [encoder(x, mask=mask), encoder(x, src_key_padding_mask=padding), encoder(x, mask, padding.float() * -1e9),
            decoder(x, x, tgt_mask=mask), torch.get_rng_state()]


test_behaves_as_pytorch = recorded_test(__file__, CASES)
