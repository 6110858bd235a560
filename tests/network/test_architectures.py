"""Named networks are the ones of the literature, rebuilt alike from plain JSON for ever."""

import hashlib
import json

import pytest
import torch
from helpers.networks import widths_of
from torch import nn

from slth import InputError
from slth.network import ARCHITECTURES, build_architecture, read_target

MNIST, CIFAR, DIGITS = [1, 28, 28], [3, 32, 32], [1, 8, 8]
FITTING = [
    (name, inputs)
    for name in ARCHITECTURES
    for inputs in (MNIST, CIFAR, DIGITS)
    if (name, inputs) != ("lenet_5", DIGITS)
]


def built(name, inputs, *, device="meta", **arguments):
    return build_architecture(name, {"inputs": inputs, "classes": 10} | arguments, device=device)


def count(network, *, weights_only=False):
    return sum(tensor.numel() for tensor in network.parameters() if tensor.ndim > 1 or not weights_only)


@pytest.mark.parametrize(
    ("name", "inputs", "parameters", "weights"),
    [
        ("lenet_300_100", MNIST, 266_610, 266_200),  # LeCun et al. (1998); 266K in Frankle and Carbin (2019)
        ("lenet_5", MNIST, 61_706, 61_470),  # LeCun et al. (1998), with a full second convolution
        ("lenet_5", CIFAR, 83_126, 82_890),
        ("conv_2", CIFAR, 4_301_642, 4_300_992),  # 4.3M in Frankle and Carbin (2019)
        ("conv_4", CIFAR, 2_425_930, 2_425_024),  # 2.4M
        ("conv_6", CIFAR, 2_262_602, 2_261_184),  # said to be 1.7M, which its layers are not; by hand below
        ("resnet_20", CIFAR, 269_722, 268_336),  # 0.27M in He et al. (2016)
        ("resnet_18", CIFAR, 11_173_962, 11_164_352),  # 11.17M
    ],
)
def test_parameter_counts_are_those_of_the_literature(name, inputs, parameters, weights):
    network = built(name, inputs)
    assert (count(network), count(network, weights_only=True)) == (parameters, weights)


def test_the_counts_of_the_convolutional_networks_by_hand():
    convolutions = [64 * 27, 64 * 576, 128 * 576, 128 * 1152, 256 * 1152, 256 * 2304]
    for name, pairs, flat in (("conv_2", 1, 64 * 256), ("conv_4", 2, 128 * 64), ("conv_6", 3, 256 * 16)):
        expected = sum(convolutions[: 2 * pairs]) + 256 * flat + 256 * 256 + 10 * 256
        assert count(built(name, CIFAR), weights_only=True) == count(built(name, CIFAR, bias=False)) == expected


@pytest.mark.parametrize(
    ("name", "inputs", "digest"),
    [
        ("conv_2", CIFAR, "4159e733ace6d04c"),
        ("conv_4", CIFAR, "08bf5a9ad9a49017"),
        ("conv_6", CIFAR, "a1fc715dda0ca679"),
        ("lenet_300_100", MNIST, "149235704baaa4b6"),
        ("lenet_5", MNIST, "3de2c2a9816c950a"),
        ("mlp", DIGITS, "f7897b2eaa2b68d2"),
        ("resnet_18", CIFAR, "8ba4910c143d2246"),
        ("resnet_20", CIFAR, "0ece794a3fd93527"),
    ],
)
def test_names_and_shapes_never_change(name, inputs, digest):
    """Tickets are rebuilt by them. A new layout needs a new name of the network."""
    lines = "".join(f"{path} {list(tensor.shape)}\n" for path, tensor in built(name, inputs).state_dict().items())
    assert hashlib.sha256(lines.encode()).hexdigest()[:16] == digest, lines


def test_every_network_is_pinned():
    pinned = test_names_and_shapes_never_change.pytestmark[0].args[1]
    assert {name for name, _, _ in pinned} == set(ARCHITECTURES)


@pytest.mark.parametrize(("name", "inputs"), FITTING)
def test_a_batch_of_images_gives_finite_logits_and_reaches_every_parameter(name, inputs):
    network = built(name, inputs, device="cpu", width=0.25)
    logits = network(torch.randn(3, *inputs, generator=torch.Generator().manual_seed(0)))
    assert logits.shape == (3, 10)
    logits.logsumexp(1).sum().backward()
    assert torch.isfinite(logits).all()
    assert all(tensor.grad is not None and torch.isfinite(tensor.grad).all() for tensor in network.parameters())


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_seed_decides_every_number_and_the_global_state_none(name):
    first = built(name, CIFAR, device="cpu", width=0.1).state_dict()
    before = torch.get_rng_state()
    again = built(name, CIFAR, device="cpu", width=0.1).state_dict()
    assert (torch.get_rng_state() == before).all()
    torch.manual_seed(123)
    third = built(name, CIFAR, device="cpu", width=0.1).state_dict()
    assert all(torch.equal(first[path], again[path]) and torch.equal(first[path], third[path]) for path in first)
    arguments = {"inputs": CIFAR, "classes": 10, "width": 0.1}
    other = build_architecture(name, arguments, seed=1).state_dict()
    for path, tensor in first.items():
        assert torch.equal(tensor, other[path]) == (tensor.ndim < 2), path


def test_weights_start_normal_with_variance_two_over_fan_in_and_the_rest_as_nothing():
    for path, tensor in built("resnet_18", CIFAR, device="cpu", width=0.5).state_dict().items():
        if tensor.ndim > 1:
            fan_in = tensor[0].numel()
            assert tensor.std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=5 / (2 * tensor.numel()) ** 0.5), path
        else:
            kind = path.rpartition(".")[2]
            one = kind == "running_var" or (kind == "weight")
            assert (tensor == float(one)).all(), path


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_arguments_survive_json(name):
    arguments = {"inputs": (3, 32, 32), "classes": 7, "width": 0.3}
    there = build_architecture(name, arguments, device="meta").state_dict()
    back = build_architecture(name, json.loads(json.dumps(arguments)), device="meta").state_dict()
    assert {path: tensor.shape for path, tensor in there.items()} == {path: t.shape for path, t in back.items()}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_width_scales_what_is_hidden_and_neither_inputs_nor_classes(name):
    """Widths 1 and 2: every axis doubles, except those of inputs and outputs. Width 0.001: one of each is left."""
    single, double, least = ([*built(name, CIFAR, width=width).parameters()] for width in (1, 2.0, 0.001))
    matrices = [(a, b) for a, b in zip(single, double, strict=True) if a.ndim > 1]
    for place, (a, b) in enumerate(matrices):
        assert b.shape[0] == a.shape[0] * (1 if place == len(matrices) - 1 else 2)
        assert b.shape[1] == a.shape[1] * (1 if place == 0 else 2)
        assert b.shape[2:] == a.shape[2:]
    assert all(
        tensor.shape[0] == (10 if place == len(least) - 1 or tensor is least[-2] else 1)
        for place, tensor in enumerate(least)
    )


def test_an_mlp_is_what_the_construction_reads():
    network = built("mlp", DIGITS, device="cpu", hidden=[12, 5], width=2)
    assert widths_of(read_target(network)) == (64, 24, 10, 10)
    assert widths_of(read_target(built("lenet_300_100", MNIST, device="cpu", width=0.1))) == (784, 30, 10, 10)
    assert widths_of(read_target(built("mlp", [7], device="cpu", hidden=[]))) == (7, 10)


def test_the_parameter_free_shortcut_subsamples_and_appends_zeros():
    """With a residual of 0, a block of a new stage is relu of option A of He et al. (2016)."""
    block = built("resnet_20", CIFAR, device="cpu")[4][0]
    for part in block.residual:
        if isinstance(part, nn.BatchNorm2d):
            part.weight.data.zero_()
    x = torch.arange(2 * 16 * 6 * 5, dtype=torch.float32).reshape(2, 16, 6, 5)
    y = block(x)
    assert y.shape == (2, 32, 3, 3)
    assert (y[:, :16] == x[:, :, ::2, ::2]).all()
    assert not y[:, 16:].any()


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        (
            "ResNet-50",
            {},
            "unknown network 'ResNet-50'; did you mean 'resnet_20'.*Expected one of conv_2, .*, resnet_20",
        ),
        ("conv-4", {}, r"did you mean 'conv_4'\?"),
        ("", {}, "unknown network ''; expected one of conv_2, .*, resnet_20"),
        ("mlp", {"inputs": [4]}, "needs classes; it takes inputs, classes, width, hidden, bias"),
        ("mlp", {}, "needs inputs and classes"),
        ("mlp", {"inputs": [4], "classes": 2, "depth": 3}, "no argument 'depth'; it takes inputs"),
        ("conv_2", {"inputs": CIFAR, "classes": 2, "hidden": [3]}, "no argument 'hidden'"),
        ("mlp", {"inputs": 4, "classes": 2}, "inputs as a list of whole numbers of at least 1, got 4"),
        ("mlp", {"inputs": [0], "classes": 2}, r"at least 1, got \[0\]"),
        ("mlp", {"inputs": [True], "classes": 2}, r"got \[True\]"),
        ("mlp", {"inputs": [2, 3], "classes": 2}, r"inputs \(C, H, W\) or \(features,\) of .* got \[2, 3\]"),
        ("mlp", {"inputs": [], "classes": 2}, r"got \[\]"),
        ("mlp", {"inputs": [4], "classes": 0}, "classes as a whole number of at least 1, got 0"),
        ("mlp", {"inputs": [4], "classes": 2.0}, "got 2.0"),
        ("mlp", {"inputs": [4], "classes": 2, "width": 0}, "width as a number > 0 and at most 1048576, got 0"),
        ("mlp", {"inputs": [4], "classes": 2, "width": float("nan")}, "got nan"),
        ("mlp", {"inputs": [4], "classes": 2, "width": float("inf")}, "got inf"),
        ("mlp", {"inputs": [4], "classes": 2, "width": "1"}, "got '1'"),
        ("mlp", {"inputs": [4], "classes": 2, "hidden": [3, -1]}, r"hidden as a list .* got \[3, -1\]"),
        ("mlp", {"inputs": [4], "classes": 2, "hidden": "64"}, "got '64'"),
        ("mlp", {"inputs": [4], "classes": 2, "bias": 0}, "bias as true or false, got 0"),
        ("conv_2", {"inputs": [784], "classes": 2}, r"conv_2 takes images \(C, H, W\), got inputs \[784\]; use mlp"),
        ("lenet_5", {"inputs": DIGITS, "classes": 10}, "at least 12 x 12 pixels, got 8 x 8"),
        ("conv_6", {"inputs": [1, 8, 7], "classes": 10}, "at least 8 x 8 pixels, got 8 x 7"),
        ("mlp", {"inputs": [2**31 - 1] * 3, "classes": 2}, "at most 2147483647 numbers"),
        ("conv_6", {"inputs": [1, 2**15, 2**15], "classes": 2, "width": 2**20}, "cannot be built .*use smaller sizes"),
        ("mlp", {"inputs": [2**31 - 1], "classes": 2, "hidden": [2**31 - 1]}, "cannot be built"),
    ],
)
def test_what_cannot_be_built_is_refused_in_one_sentence(name, arguments, sentence):
    with pytest.raises(InputError, match=sentence) as caught:
        build_architecture(name, arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_a_seed_out_of_range_is_refused(seed):
    with pytest.raises(InputError, match="a seed from 0"):
        build_architecture("mlp", {"inputs": [4], "classes": 2}, seed=seed)


@pytest.mark.parametrize(
    ("name", "side"), [("lenet_5", 12), ("conv_2", 2), ("conv_4", 4), ("conv_6", 8), ("resnet_20", 1), ("resnet_18", 1)]
)
def test_the_smallest_image_allowed_still_passes(name, side):
    assert built(name, [1, side, side], device="cpu", width=0.1).eval()(torch.zeros(1, 1, side, side)).shape == (1, 10)
