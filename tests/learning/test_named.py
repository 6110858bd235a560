"""Any parameter is masked by its name, in layers of any kind; what is not masked is listed, with the reason."""

import copy
import re
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from slth import InputError
from slth.learning import Biprop, EdgePopup, Magnitude, PerturbedEdgePopup, Policy, Supermask, attach


class Recurrent(nn.Module):
    """A recurrent network of two layers and directions, and a head on its mean output."""

    def __init__(self, kind: type[nn.RNNBase]) -> None:
        super().__init__()
        self.rnn = kind(5, 4, num_layers=2, batch_first=True, bidirectional=True)
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rnn(x)[0].mean(1))


class Transformer(nn.Module):
    """Two layers of attention, which have a fast path in evaluation."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.encoder(x)[:, 0])


class Attention(nn.Module):
    """Attention whose keys and values have widths of their own: three matrices in place of one."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(8, 2, kdim=8, vdim=4, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.attention(x, x, x[..., :4])[0]


class Experts(nn.Module):
    """A mixture of experts: matrices in one tensor, a list and a dictionary of bare parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.Parameter(torch.randn(3, 8, 6))
        self.inner_bias = nn.Parameter(torch.randn(3, 1, 6))
        self.outer = nn.ParameterList([torch.randn(6, 4) for _ in range(3)])
        self.gate = nn.ParameterDict({"way": nn.Parameter(torch.randn(8, 3))})

    def forward(self, x: Tensor) -> Tensor:
        hidden = torch.relu(torch.einsum("bi,eio->ebo", x, self.inner) + self.inner_bias)
        out = torch.stack([one @ outer for one, outer in zip(hidden, self.outer, strict=True)], dim=1)
        return (torch.softmax(x @ self.gate["way"], dim=1).unsqueeze(2) * out).sum(1)


class Pair(nn.Module):
    """A bilinear layer over two bags of rows."""

    def __init__(self) -> None:
        super().__init__()
        self.bag = nn.EmbeddingBag(7, 5)
        self.pair = nn.Bilinear(5, 5, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.pair(self.bag(x), self.bag(x.flip(1) // 2))


class Graph(nn.Module):
    """A graph layer, as its libraries write them: no `nn.Linear`, a bare matrix and a bare vector of attention."""

    def __init__(self) -> None:
        super().__init__()
        self.lin = nn.Module()
        self.lin.weight = nn.Parameter(torch.randn(6, 8))
        self.att = nn.Parameter(torch.randn(1, 6))
        self.bias = nn.Parameter(torch.randn(6))

    def forward(self, x: Tensor) -> Tensor:
        h = nn.functional.linear(x, self.lin.weight)
        return torch.softmax((h * self.att).sum(-1, keepdim=True), dim=0) * h + self.bias


GENERATOR = torch.Generator().manual_seed(0)
SEQUENCE, FLAT = (torch.randn(shape, generator=GENERATOR) for shape in ((3, 6, 8), (6, 8)))
MODELS = {
    "lstm": (lambda: Recurrent(nn.LSTM), SEQUENCE[..., :5], ("rnn.weight*",)),
    "gru": (lambda: Recurrent(nn.GRU), SEQUENCE[..., :5], ("rnn.weight_?h_*",)),
    "rnn": (lambda: Recurrent(nn.RNN), SEQUENCE[..., :5], ("rnn.weight_ih_l0", "*_l1*")),
    "transformer": (Transformer, SEQUENCE, ("*.in_proj_weight",)),
    "attention": (Attention, SEQUENCE, ("*_proj_weight",)),
    "experts": (Experts, FLAT, ("inner", "outer.*", "gate.way")),
    "pair": (Pair, torch.arange(12).view(3, 4) % 7, ("*.weight",)),
    "graph": (Graph, FLAT, ("lin.weight", "att")),
}
METHODS = [EdgePopup(0.5), Biprop(0.4), Supermask(initial=0.1), Magnitude(0.5), PerturbedEdgePopup(0.5, 0.1)]


def made(name):
    torch.manual_seed(0)
    make, x, include = MODELS[name]
    return make(), x, Policy(law="kaiming_normal", include=include)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: type(method).__name__)
@pytest.mark.parametrize("name", MODELS)
def test_every_kind_of_layer_computes_with_its_masked_weights(name, method):
    """In training and evaluation, with gradients and without: recurrent layers keep a list of their weights, attention
    has a fast path. The plain network has W₀ times the mask, times the gain, of the signs if these count."""
    model, x, policy = made(name)
    same = copy.deepcopy(model)
    masks = attach(model, method, policy=policy, seed=2)
    with torch.no_grad():
        there = dict(same.named_parameters())
        for key, reason in masks.left_out.items():
            if "set to" in reason:
                there[key].fill_(float(reason[-1]))
        for tensor in masks:
            weight = torch.where(tensor.original >= 0, 1.0, -1.0) if tensor.mask.binary else tensor.original
            there[tensor.path].copy_(weight * tensor.mask.chosen() * tensor.mask.gain())
    for training in (True, False):
        model.train(training and not isinstance(method, Supermask))  # whose masks are drawn in training
        same.train(training)
        for gradients in (True, False):
            with torch.set_grad_enabled(gradients):
                assert torch.allclose(model(x), same(x), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", MODELS)
def test_scores_of_every_masked_parameter_learn_and_nothing_else_does(name):
    model, x, policy = made(name)
    masks = attach(model, EdgePopup(0.5), policy=policy)
    model(x).square().sum().backward()
    assert all(tensor.mask.scores.grad.any() for tensor in masks)
    assert all(p.grad is None for p in model.parameters() if not any(p is s for s in masks.scores))


@pytest.mark.parametrize("name", MODELS)
def test_every_parameter_is_masked_or_listed(name):
    model, x, policy = made(name)
    before = dict(model.named_parameters())
    masks = attach(model, EdgePopup(0.5), policy=policy)
    assert {*masks.left_out, *(tensor.path for tensor in masks)} == set(before)
    assert not set(masks.left_out) & {tensor.path for tensor in masks}
    everything = sum(p.numel() for p in before.values())
    assert f"{1000 * masks.size // everything / 10:g}% of all {everything:,} parameters masked" in repr(masks)
    biases = [key for key in masks.left_out if "bias" in key and "norm" not in key]
    assert {masks.left_out[key] for key in biases} <= {"bias of a masked layer: set to 0"}
    model(x)  # a recurrent layer remembers the weights that it was given
    masks.detach()
    for layer in (module for module in model.modules() if isinstance(module, nn.RNNBase)):
        assert all(w is getattr(layer, n) for w, n in zip(layer._flat_weights, layer._flat_weights_names, strict=True))
    copy.deepcopy(model)(x)


@pytest.mark.parametrize("name", MODELS)
def test_restoring_gives_the_model_back(name):
    model, x, policy = made(name)
    out, state = model.eval()(x), copy.deepcopy(model.state_dict())
    masks = attach(model, EdgePopup(0.5), policy=policy)
    model(x).sum().backward()
    masks.detach(restore=True)
    assert torch.equal(model(x), out)
    assert all(torch.equal(value, state[key]) for key, value in model.state_dict().items())
    assert list(state) == list(model.state_dict())


def test_reasons():
    model = nn.ModuleDict(
        {
            "embed": nn.Embedding(5, 4),
            "mid": nn.Linear(4, 4),
            "skipped": nn.Linear(4, 4),
            "twin": nn.Linear(4, 4),
            "norm": nn.LayerNorm(4),
            "other": nn.utils.parametrizations.weight_norm(nn.Linear(4, 4)),
            "act": nn.PReLU(),
            "head": nn.Linear(4, 5, bias=False),
        }
    )
    model["head"].weight = model["embed"].weight
    model["twin"].weight = model["skipped"].weight
    masks = attach(model, EdgePopup(0.5), policy=Policy(skip=("twin",), biases="train", norms="train"))
    carried = "carried as it is"
    assert masks.left_out == {
        "embed.weight": f"of Embedding, masked only by name, include=('embed.weight',): {carried}",
        "mid.bias": "bias of a masked layer: trains",
        "skipped.weight": f"tied to twin.weight, which skip names: {carried}",
        "skipped.bias": f"bias of a layer that is not masked: {carried}",
        "twin.bias": f"named by skip: {carried}",
        "norm.weight": "of a normalisation layer: trains",
        "norm.bias": "of a normalisation layer: trains",
        "other.bias": f"bias of a layer that is not masked: {carried}",
        "other.parametrizations.weight.original0": f"part of a parametrization that was there before: {carried}",
        "other.parametrizations.weight.original1": f"part of a parametrization that was there before: {carried}",
        "act.weight": f"of PReLU, masked only by name, include=('act.weight',): {carried}",
    }


def test_what_is_left_out_is_as_the_reason_says():
    model = Recurrent(nn.LSTM)
    before = copy.deepcopy(model)
    masks = attach(model, EdgePopup(0.5), policy=Policy(biases="carry"))
    assert repr(masks) == "Masks(1 tensors, 12 of 24 weights, 2.9% of all 827 parameters masked, seed 0)"
    for key, reason in masks.left_out.items():
        assert "carried" in reason
        assert torch.equal(model.get_parameter(key), before.get_parameter(key))


def test_a_tied_embedding_is_masked_if_it_is_named_and_stays_tied():
    model = nn.ModuleDict({"embed": nn.Embedding(6, 4), "head": nn.Linear(4, 6, bias=False)})
    model["head"].weight = model["embed"].weight
    masks = attach(model, EdgePopup(0.5), policy=Policy(include=("head.weight",)))
    assert [(t.path, [path for path, _, _ in t.location.aliases]) for t in masks] == [("embed.weight", ["head.weight"])]
    assert torch.equal(model["head"].weight, model["embed"].weight)
    masks.detach()
    assert model["head"].weight is model["embed"].weight


def test_a_bias_and_a_scale_can_be_masked_too():
    model = nn.Sequential(nn.Linear(4, 6), nn.LayerNorm(6))
    masks = attach(model, EdgePopup(0.5), policy=Policy(include=("*",)))
    assert [tensor.path for tensor in masks] == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert (masks.left_out, masks.size) == ({}, 42)
    assert "100% of all 42 parameters" in repr(masks)
    assert all(int(tensor.mask.chosen().sum()) * 2 == tensor.size for tensor in masks)


@pytest.mark.parametrize(
    ("model", "name", "fans"),
    [
        (nn.LSTM(5, 4), "weight_ih_l0", (5, 16)),
        (nn.MultiheadAttention(8, 2), "in_proj_weight", (8, 24)),
        (nn.Bilinear(5, 6, 3), "weight", (30, 18)),
        (nn.EmbeddingBag(7, 5), "weight", (1, 5)),
        (Experts(), "inner", (6, 8)),
        (nn.PReLU(9), "weight", (9, 1)),
        (nn.ParameterList([torch.zeros(4, 3, 5, 2)]), "0", (30, 40)),
    ],
)
def test_fans_of_any_shape(model, name, fans):
    policy = Policy(include=(name,), law="kaiming_normal")
    tensor = next(t for t in attach(model, EdgePopup(1.0), policy=policy) if t.path == name)
    assert (tensor.location.fan_in, tensor.location.fan_out) == fans
    assert tensor.scale == pytest.approx((2 / fans[0]) ** 0.5)


def test_a_model_without_a_layer_to_mask_lists_what_there_is():
    sentence = (
        r"no layer to mask.*Policy\(include=\('weight_ih_l0',\)\): weight_ih_l0 \(16, 5\), weight_hh_l0 \(16, 4\)$"
    )
    with pytest.raises(InputError, match=sentence):
        attach(nn.LSTM(5, 4), EdgePopup(0.5))
    with pytest.raises(InputError, match=r"no layer to mask, and no parameters"):
        attach(nn.ReLU(), EdgePopup(0.5))
    (tensor, _) = attach(nn.LSTM(5, 4), EdgePopup(0.5), policy=Policy(include=("weight*",)))
    assert tensor.path == "weight_ih_l0"


def test_a_pattern_that_matches_no_parameter_is_refused_with_those_there_are():
    with pytest.raises(
        InputError, match=r"include: no parameter matches rnn\.w\?; the parameters are rnn\.weight_ih_l0,"
    ):
        attach(Recurrent(nn.GRU), EdgePopup(0.5), policy=Policy(include=("rnn.weight*", "rnn.w?")))


@pytest.mark.parametrize("name", ["include", "skip"])
def test_one_pattern_alone_is_not_read_letter_by_letter(name):
    with pytest.raises(InputError, match=rf"{name} must be names such as \('fc1', 'fc2'\), got '\*\.weight'"):
        Policy(**{name: "*.weight"})


def test_skip_names_parameters_too_and_wins_over_include():
    policy = Policy(include=("rnn.weight*",), skip=("*_hh_*", "head"))
    masks = attach(Recurrent(nn.GRU), EdgePopup(0.5), policy=policy)
    assert all("_ih_" in tensor.path for tensor in masks)
    assert masks.left_out["rnn.weight_hh_l0"] == "named by skip: carried as it is"


def test_what_the_page_shows_is_what_one_sees(capsys):
    page = (Path(__file__).parents[2] / "docs/methods.md").read_text("utf-8")
    (block,) = re.findall(r"## What is masked\n.*?```python\n(.*?)```", page, re.DOTALL)
    exec(block, {})
    shown = re.findall(r"# (?:\.\.\. )?(.*?) ?\.\.\.$", block, re.MULTILINE)
    said = capsys.readouterr().out.splitlines()
    assert len(shown) == 3
    assert all(part in line for part, line in zip(shown, said, strict=True))


def test_the_fast_paths_are_taken_with_masks_on(monkeypatch):
    """Else the comparison above would say nothing of them."""
    taken = []
    for name in ("_transformer_encoder_layer_fwd", "_native_multi_head_attention"):
        own = getattr(torch, name)
        monkeypatch.setattr(torch, name, lambda *args, own=own, name=name: taken.append(name) or own(*args))
    for name in ("transformer", "attention"):
        model, x, policy = made(name)
        attach(model, EdgePopup(0.5), policy=policy)
        with torch.no_grad():
            model.eval()(x)
    model = nn.MultiheadAttention(8, 2, batch_first=True).eval()
    attach(model, EdgePopup(0.5), policy=Policy(include=("in_proj_weight",)))
    with torch.no_grad():
        model(SEQUENCE, SEQUENCE, SEQUENCE, need_weights=False)
    assert taken == ["_transformer_encoder_layer_fwd"] * 2 + ["_native_multi_head_attention"]
