"""Masks on the user's own model: any nesting, any tie; taken off again, nothing is left of them."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from slth import InputError
from slth.learning import Biprop, EdgePopup, Magnitude, Masks, PerturbedEdgePopup, Policy, Supermask, attach
from slth.learning.locations import locations

METHODS = [
    EdgePopup(0.5),
    EdgePopup(0.5, scope="global"),
    Biprop(0.3),
    Biprop(0.3, binary_activations=True),
    Supermask(initial=0.1),
    Magnitude(0.5),
    PerturbedEdgePopup(0.5, 0.1),
]


class Block(nn.Module):
    """Two linear layers deep inside lists, with norms, biases, a buffer and something that does not train."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4))
        self.act = nn.ReLU()
        parts = [nn.Sequential(nn.Linear(16, 8), nn.LayerNorm(8), self.act), nn.Sequential(nn.Linear(8, 3))]
        self.parts = nn.ModuleList(parts)
        self.parts[1][0].weight.requires_grad_(False)
        self.register_buffer("shift", torch.tensor(0.25))

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.conv(x)).flatten(1)
        for part in self.parts:
            x = part(x)
        return x + self.shift


class Tied(nn.Module):
    """b has the weight of a, and a bias of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 2)
        self.b.weight = self.a.weight

    def forward(self, x: Tensor) -> Tensor:
        return self.c(self.b(self.a(x).relu()).relu())


class Gpt(nn.Module):
    """A tiny GPT-2 from its configuration, offline; its head has the weight of its embedding."""

    def __init__(self) -> None:
        super().__init__()
        transformers = pytest.importorskip("transformers", reason="transformers is not installed")
        config = transformers.GPT2Config(vocab_size=20, n_positions=8, n_embd=8, n_layer=2, n_head=2)
        self.net = transformers.GPT2LMHeadModel(config)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x).logits


class Vit(nn.Module):
    """A tiny vision transformer from its configuration, offline."""

    def __init__(self) -> None:
        super().__init__()
        transformers = pytest.importorskip("transformers", reason="transformers is not installed")
        config = transformers.ViTConfig(
            hidden_size=8, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16, image_size=8, patch_size=4,
            num_channels=1, num_labels=3,
        )  # fmt: skip
        self.net = transformers.ViTForImageClassification(config)

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x).logits


IMAGES = torch.randn(5, 1, 4, 4, generator=torch.Generator().manual_seed(0))
MODELS = {
    "block": (Block, IMAGES),
    "tied": (Tied, torch.randn(5, 6, generator=torch.Generator().manual_seed(0))),
    "gpt-2": (Gpt, torch.arange(16).view(2, 8)),
    "vit": (Vit, torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))),
}


def made(name: str) -> tuple[nn.Module, Tensor]:
    torch.manual_seed(0)
    make, x = MODELS[name]
    return make().train(), x


def facts(model: nn.Module) -> dict[str, object]:
    """Everything that a user can see of a model."""
    return {
        "keys": list(model.state_dict()),
        "values": {name: value.clone() for name, value in model.state_dict().items()},
        "trains": [(name, p.requires_grad) for name, p in model.named_parameters()],
        "objects": [id(p) for p in model.parameters()],
        "types": [(name, type(module), module.training) for name, module in model.named_modules()],
    }


def assert_same(one: dict[str, object], two: dict[str, object]) -> None:
    assert all(torch.equal(two["values"][key], value) for key, value in one["values"].items())
    assert {key: value for key, value in one.items() if key != "values"} == {
        key: value for key, value in two.items() if key != "values"
    }


def shaken(masks: Masks, method: Any, x: Tensor) -> None:
    """Two steps of every stage of the method: scores, weights and statistics move as in a training."""
    for stage in method.stages(method.training):
        stage.begin(masks)
        optimizer = torch.optim.SGD(masks.move(stage.moving), lr=0.01)
        stage.schedule(masks, 0.0)
        for step in range(2):
            optimizer.zero_grad()
            masks.model(x).square().mean().backward()
            optimizer.step()
            stage.after_step(masks)
            stage.schedule(masks, (step + 1) / 2)
        stage.end(masks)
    masks.model.eval()


def takes(method: Any, name: str) -> bool:
    """Binary activations take the place of ReLU modules, and only one model has some."""
    return name == "block" or not (isinstance(method, Biprop) and method.binary_activations)


CASES = [(method, name) for method in METHODS for name in MODELS if takes(method, name)]


@pytest.mark.parametrize(("method", "name"), CASES)
def test_detach_with_restore_gives_back_the_model_that_was(method, name):
    model, x = made(name)
    before = facts(model)
    masks = attach(model, method, seed=3)
    shaken(masks, method, x)
    assert masks.detach(restore=True) is model
    assert_same(before, facts(model))


@pytest.mark.parametrize(("method", "name"), CASES)
def test_detach_leaves_the_masked_weights_in_a_plain_model(method, name):
    model, x = made(name)
    before, parameters = facts(model), dict(model.named_parameters())
    masks = attach(model, method, seed=3)
    shaken(masks, method, x)
    with torch.no_grad():
        out = model(x)
        masks.detach()
        assert torch.equal(model(x), out)
    after = facts(model)
    assert {key: before[key] for key in ("keys", "trains", "objects")} == {
        key: after[key] for key in ("keys", "trains", "objects")
    }
    assert all(dict(model.named_parameters())[name] is p for name, p in parameters.items())
    with pytest.raises(InputError, match="taken off before"):
        masks.detach()


@pytest.mark.parametrize("name", MODELS)
def test_layers_keep_exactly_their_counts_and_the_random_weights_are_their_streams(name):
    model, x = made(name)
    method = EdgePopup(0.3)
    masks = attach(model, method, seed=5)
    shaken(masks, method, x)
    for tensor in masks:
        assert int(tensor.mask.chosen().sum()) == tensor.kept == -(-3 * tensor.size // 10)
        assert torch.equal(tensor.original, tensor.values())
        assert tensor.original.grad is None


def test_a_tied_weight_has_one_mask_and_stays_tied():
    model, x = made("tied")
    masks = attach(model, EdgePopup(0.5))
    assert [tensor.path for tensor in masks] == ["a.weight", "c.weight"]
    assert [path for path, _, _ in masks.tensors[0].location.aliases] == ["b.weight"]
    assert torch.equal(model.a.weight, model.b.weight)
    assert len(masks.scores) == 2
    model(x).sum().backward()
    masks.detach()
    assert model.a.weight is model.b.weight
    assert int((model.b.weight != 0).sum()) == 18


def test_biases_of_tied_layers_follow_the_policy_too():
    for biases in ("zero", "carry", "train"):
        model, _ = made("tied")
        kept = model.b.bias.detach().clone()
        masks = attach(model, EdgePopup(0.5), policy=Policy(biases=biases))
        assert bool(model.b.bias.any()) == (biases != "zero")
        assert model.b.bias.requires_grad == (biases == "train")
        assert biases == "zero" or torch.equal(model.b.bias, kept)
        assert len(masks.move("scores")) == (5 if biases == "train" else 2)


def test_an_attribute_that_repeats_a_weight_within_its_layer_is_tied_as_well():
    model = nn.Sequential(nn.Linear(4, 4))
    model[0].register_parameter("again", model[0].weight)
    masks = attach(model, EdgePopup(0.5))
    assert torch.equal(model[0].again, model[0].weight)
    masks.detach()
    assert model[0].again is model[0].weight


def test_a_head_tied_to_an_embedding_is_carried():
    model, x = made("gpt-2")
    embedding = model.net.transformer.wte.weight
    values = embedding.detach().clone()
    masks = attach(model, EdgePopup(0.5))
    assert len(masks.tensors) == 8  # 2 blocks: attention in and out, two layers of the perceptron
    assert all("lm_head" not in tensor.path for tensor in masks)
    assert model.net.lm_head.weight is embedding
    assert torch.equal(embedding, values)
    model(x).sum().backward()
    assert embedding.grad is None
    masks.detach()
    assert model.net.lm_head.weight is model.net.transformer.wte.weight is embedding


def test_what_is_tied_to_a_skipped_layer_is_carried_with_it():
    model, _ = made("tied")
    weight = model.a.weight.detach().clone()
    masks = attach(model, EdgePopup(0.5), policy=Policy(skip=("b",)))
    assert [tensor.path for tensor in masks] == ["c.weight"]
    assert torch.equal(model.b.weight, weight)


@pytest.mark.parametrize("biases", ["zero", "carry", "train"])
@pytest.mark.parametrize("norms", ["plain", "carry", "train"])
def test_the_policy_decides_about_biases_and_norms(biases, norms):
    model, _ = made("block")
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.5)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    masks = attach(model, EdgePopup(0.5), policy=Policy(biases=biases, norms=norms))
    for name in ("conv.0.bias", "parts.0.0.bias", "parts.1.0.bias"):
        now = dict(model.named_parameters())[name]
        assert torch.equal(now, torch.zeros_like(now) if biases == "zero" else before[name])
        assert now.requires_grad == (biases == "train")
    for name, plain in (("conv.1.weight", 1), ("conv.1.bias", 0), ("parts.0.1.weight", 1), ("parts.0.1.bias", 0)):
        now = dict(model.named_parameters())[name]
        assert torch.equal(now, torch.full_like(now, plain) if norms == "plain" else before[name])
        assert now.requires_grad == (norms == "train")
    assert all(not tensor.original.requires_grad for tensor in masks)


def test_first_and_last_layer_may_have_a_density_of_their_own():
    model, _ = made("block")
    masks = attach(model, EdgePopup(0.25), policy=Policy(first=1.0, last=0.5))
    assert [(t.path, t.kept, t.size) for t in masks] == [
        ("conv.0.weight", 36, 36),
        ("parts.0.0.weight", 32, 128),
        ("parts.1.0.weight", 12, 24),
    ]


def test_skipped_layers_are_carried_as_they_are():
    model, _ = made("block")
    before = copy.deepcopy(model.parts[1][0])
    masks = attach(model, EdgePopup(0.5), policy=Policy(skip=("*parts.1*", "conv*")))
    assert [tensor.path for tensor in masks] == ["parts.0.0.weight"]
    assert torch.equal(model.parts[1][0].weight, before.weight)
    assert torch.equal(model.parts[1][0].bias, before.bias)


def test_a_pattern_that_matches_nothing_is_refused_with_the_layers():
    model, _ = made("block")
    before = facts(model)
    with pytest.raises(InputError, match=r"skip: no layer matches head\*; the layers are conv.0, parts.0.0, parts.1.0"):
        attach(model, EdgePopup(0.5), policy=Policy(skip=("head*", "conv*")))
    assert_same(before, facts(model))


@pytest.mark.parametrize(
    ("model", "method", "sentence"),
    [
        (nn.Sequential(nn.Linear(4, 2).double()), EdgePopup(0.5), r"0.weight is torch.float64.*model.float\(\)"),
        (nn.Sequential(nn.ReLU(), nn.LayerNorm(3)), EdgePopup(0.5), "no layer to mask"),
        (nn.Sequential(nn.Linear(10, 9), nn.Linear(9, 1)), EdgePopup(0.1), r"1.weight has 9 weights.*skip=\('1',\)"),
        (nn.Sequential(nn.LazyLinear(3)), EdgePopup(0.5), "LazyLinear does not know its shape yet"),
        (nn.Sequential(nn.Linear(4, 2), nn.Tanh()), Biprop(0.5, binary_activations=True), "the model has none"),
    ],
)
def test_models_that_cannot_be_masked_are_refused_and_left_alone(model, method, sentence):
    lazy = isinstance(model[0], nn.LazyLinear)
    before = None if lazy else facts(model)
    with pytest.raises(InputError, match=sentence):
        attach(model, method)
    assert lazy or assert_same(before, facts(model)) is None


def test_what_is_no_method_is_refused_and_nothing_is_changed():
    model, _ = made("block")
    before = facts(model)
    plain = getattr(attach, "__wrapped__", attach)  # below the shape checker, which refuses it by itself
    with pytest.raises(InputError, match=r"expected a method with density, policy, mask and prepare, got 'edge-popup'"):
        plain(model, "edge-popup")
    assert_same(before, facts(model))


def test_exactly_one_weight_is_enough():
    """0.1 · 10 is one weight, and so is the decimal 0.0125 · 80, whatever float products say."""
    for density, size in ((0.1, 10), (0.0125, 80), (0.01, 100), (0.07, 100)):
        (tensor,) = attach(nn.Sequential(nn.Linear(size, 1)), EdgePopup(density))
        assert tensor.kept == round(density * size)


def test_a_second_attach_is_refused_until_the_masks_are_off():
    model, _ = made("block")
    masks = attach(model, EdgePopup(0.5), policy=Policy(skip=("conv.0",)))
    with pytest.raises(InputError, match="masks already"):
        attach(model, EdgePopup(0.5))  # conv.0 is still free
    masks.detach()
    assert len(attach(model, Biprop(0.5)).tensors) == 3


@pytest.mark.parametrize("method", METHODS)
def test_masks_can_be_printed_before_and_after(method):
    model, _ = made("block")
    masks = attach(model, method)
    assert repr(masks).startswith("Masks(3 tensors, ")
    tiny = attach(nn.Sequential(nn.Linear(2, 2)), Supermask(final="threshold"))
    assert repr(tiny) == "Masks(1 tensors, 0 of 4 weights, 66.6% of all 6 parameters masked, seed 0)"


@pytest.mark.parametrize(
    ("layer", "fan_in", "fan_out"),
    [
        (nn.Linear(6, 4), 6, 4),
        (nn.Conv1d(6, 4, 5), 30, 20),
        (nn.Conv2d(6, 4, (3, 5)), 90, 60),
        (nn.Conv3d(2, 3, 2), 16, 24),
        (nn.Conv2d(6, 4, 3, groups=2), 27, 18),
        (nn.Conv2d(6, 12, 3, groups=6), 9, 18),
        (nn.ConvTranspose2d(6, 4, 3), 54, 36),
        (nn.ConvTranspose2d(6, 4, 3, groups=2), 27, 18),
        (nn.ConvTranspose1d(6, 12, 5, groups=6), 5, 10),
    ],
)
def test_fans_count_what_meets_in_an_output_and_leaves_an_input(layer, fan_in, fan_out):
    """Seen by the layer itself, at stride 1: ones in all weights, an impulse or ones in, in the middle of an image."""
    (location,) = locations(nn.Sequential(layer), Policy())
    assert (location.fan_in, location.fan_out) == (fan_in, fan_out)
    with torch.no_grad():
        layer.weight.fill_(1)
        layer.bias.zero_()
        dimensions = layer.weight.ndim - 2
        inp = getattr(layer, "in_channels", 6)
        ones = torch.ones(1, inp, *(21,) * dimensions)
        out = layer(ones)
        assert out[(0, 0, *(size // 2 for size in out.shape[2:]))] == fan_in
        impulse = torch.zeros_like(ones)
        impulse[(0, 0, *(10,) * dimensions)] = 1
        assert layer(impulse).sum() == fan_out


def test_gpt_2s_transposed_linear_layer_counts_its_rows_as_inputs():
    model, _ = made("gpt-2")
    location = next(p for p in locations(model, Policy()) if p.path.endswith("attn.c_attn.weight"))
    assert (location.fan_in, location.fan_out) == (8, 24)


def test_adding_a_layer_shifts_no_other():
    small = attach(nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2)), EdgePopup(0.5), seed=1)
    large = attach(nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2), nn.Linear(2, 2)), EdgePopup(0.5), seed=1)
    for one, two in zip(small, large, strict=False):
        assert torch.equal(one.values(), two.values())
        assert torch.equal(one.mask.scores, two.mask.scores)
    other = attach(nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2)), EdgePopup(0.5), seed=2)
    assert not torch.equal(other.tensors[0].values(), small.tensors[0].values())


def test_the_moves_say_all_and_stay_within_their_limit():
    model, _ = made("block")
    masks = attach(model, PerturbedEdgePopup(0.5, 0.1))
    assert all(masks.moves(tensor) is None for tensor in masks)
    with torch.no_grad():
        for tensor in masks:
            tensor.original.add_(0.2 * torch.randn(tensor.shape, generator=torch.Generator().manual_seed(1)))
    for tensor in masks:
        delta = masks.moves(tensor, limit=0.1)
        assert float(delta.double().abs().max()) <= 0.1
        assert torch.equal(tensor.original, tensor.values() + delta)
