"""Group convolutions: equivariant whatever their coefficients, to the bit; a ticket of them, too."""

from fractions import Fraction
from functools import cache

import numpy as np
import pytest
import torch
from torch import nn

import slth
from slth import InputError
from slth.graph import Steerable, group_order, group_product, inverse_element
from slth.graph.bases.turns import moved, turned
from slth.layers import GroupConv2d, equivariance

GROUPS = ("C4", "D4")
SAMPLED = ("D4", pytest.param("C4", marks=pytest.mark.slow))


def network(group, *, last="max"):
    """Lifting, stride, batch norms, a head: invariant."""
    order = group_order(group)
    pool = nn.MaxPool3d((order, 5, 5)) if last == "max" else nn.AvgPool3d((order, 5, 5))
    torch.manual_seed(0)
    model = nn.Sequential(
        GroupConv2d(1, 3, 3, group=group, lifting=True, padding=1), nn.BatchNorm3d(3), nn.ReLU(),
        GroupConv2d(3, 4, 3, group=group, stride=2, padding=1, bias=False), nn.BatchNorm3d(4), nn.ReLU(),
        GroupConv2d(4, 4, 3, group=group, padding=1), nn.ReLU(), pool, nn.Flatten(), nn.Linear(4, 3),
    )  # fmt: skip
    model.train()(torch.rand(8, 1, 9, 9))  # running statistics
    return model.eval().requires_grad_(False)


@cache
def made(group):
    """A network and its ticket."""
    model = network(group)
    return model, slth.construct(model, input_shape=(1, 9, 9), input_range=(0, 1), relative_tolerance=1e-2)


@pytest.mark.parametrize("group", GROUPS)
def test_the_elements_are_a_group_that_acts(group):
    x = np.arange(9).reshape(3, 3)
    every = range(group_order(group))
    for a in every:
        assert sorted(group_product(a, b) for b in every) == list(every)
        assert group_product(a, inverse_element(a)) == 0
        for b in every:
            assert (turned(turned(x, b), a) == turned(x, group_product(a, b))).all()
    assert len({turned(x, a).tobytes() for a in every}) == len(every)


@pytest.mark.parametrize("lifting", [True, False])
@pytest.mark.parametrize("group", GROUPS)
def test_a_layer_commutes_with_the_group_exactly(group, lifting):
    """In integers, and in float64 to the bit; stride 2 on an odd grid, an even kernel where it fits."""
    order, rng = group_order(group), np.random.default_rng(0)
    for kernel, stride, padding, length in ((3, 1, 1, 4), (3, 2, 1, 5), (2, 2, 0, 4)):
        basis = Steerable(2, 3, group, kernel, stride, padding, lifting)
        shape = (4, 2, length, length) if lifting else (4, 2, order, length, length)
        for whole in (True, False):
            x = rng.integers(-9, 10, shape).astype(float) if whole else rng.normal(size=shape)
            c = rng.integers(-9, 10, (3, 2, basis.taps)).astype(float) if whole else rng.normal(size=(3, 2, basis.taps))
            y = basis.apply(c, x)
            for g in range(order):
                seen = turned(x, g) if lifting else moved(x, g, group)
                assert (basis.apply(c, seen) == moved(y, g, group)).all()


@pytest.mark.parametrize("group", SAMPLED)
def test_every_ticket_commutes_with_the_group_to_the_bit(group):
    """The realised network in float32, over the whole group; its values inside move with the input."""
    model, ticket = made(group)
    images = torch.rand(6, 1, 9, 9, generator=torch.Generator().manual_seed(1))
    for network_ in (model, slth.realised(ticket)):
        found = equivariance(network_, images, group=group)
        assert found.exact
        assert found.whole
        assert len(found.errors) == group_order(group)
    inner = nn.Sequential(*list(model)[:7])
    assert inner(images).shape[1:] == (4, group_order(group), 5, 5)
    assert equivariance(inner, images, group=group).exact


def test_means_are_equal_up_to_rounding_alone():
    """A mean over the grid and the group adds the same numbers up in another order."""
    model = network("D4", last="mean")
    images = torch.rand(6, 1, 9, 9, generator=torch.Generator().manual_seed(1))
    found = equivariance(model, images, group="D4")
    assert 0 < found.largest < 1e-6 * found.size
    assert equivariance(model.double(), images.double(), group="D4").largest < 1e-15 * found.size


def test_an_ordinary_convolution_is_noticed():
    """And a network of C4 that is asked for D4."""
    images = torch.rand(2, 1, 9, 9, generator=torch.Generator().manual_seed(1))
    plain = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.AdaptiveMaxPool2d(1), nn.Flatten())
    assert equivariance(plain, images, group="C4").largest > 1e-3
    found = equivariance(network("C4"), images, group="D4")
    assert found.errors[:4] == (0.0,) * 4
    assert min(found.errors[4:]) > 1e-3


@pytest.mark.parametrize("group", SAMPLED)
def test_a_ticket_is_proved_saved_and_read_back(group, tmp_path):
    model, ticket = made(group)
    path = tmp_path / "ticket.slth"
    slth.save(ticket, path)
    report = slth.verify(path, target=model)
    assert report.holds
    assert report.complete
    images = torch.rand(6, 1, 9, 9, generator=torch.Generator().manual_seed(1))
    realised, source = slth.realised(slth.load(path)), slth.source(ticket)
    assert float((model(images) - realised(images)).abs().max()) < ticket.claims.sup_error
    assert torch.allclose(source(images), realised(images), atol=1e-5)
    order = group_order(group)
    assert ticket.maps["3"].weights == 4 * 3 * 9 * order + 4  # with the bias of its batch norm, one for each orbit
    assert ticket.maps["3"].basis.unconstrained == 4 * order * 3 * order * 9


def test_coefficients_are_within_the_tolerance_in_rational_numbers():
    model = nn.Sequential(GroupConv2d(1, 2, 3, lifting=True))
    ticket = slth.construct(model, input_shape=(1, 3, 3), input_range=(0, 1), tolerance=0.01)
    part = ticket.realised("0")
    wanted = model[0].weight.detach().double().numpy().reshape(2, 1, 9)
    errors = [abs(Fraction(p) - Fraction(w)) for p, w in zip(part.positive.flat, wanted.flat, strict=True)]
    assert max(errors) <= Fraction(0.01)


def test_a_state_dict_loads_back_into_the_model(tmp_path):
    layers = [GroupConv2d(1, 2, 3, lifting=True), nn.ReLU(), GroupConv2d(2, 2, 3), nn.ReLU()]
    model = nn.Sequential(*layers, nn.Flatten(), nn.Linear(8, 2)).requires_grad_(False)
    ticket = slth.construct(model, input_shape=(1, 5, 5), input_range=(0, 1), tolerance=0.01)
    slth.export(ticket, out=tmp_path / "weights.safetensors")
    from safetensors.torch import load_file

    images = torch.rand(3, 1, 5, 5)
    model.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    assert torch.equal(model(images), slth.realised(ticket)(images))


def test_training_goes_through_the_layer():
    layer = GroupConv2d(1, 2, 3, group="D4", lifting=True).double()
    x = torch.rand(1, 1, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(layer, (x,))


@pytest.mark.parametrize(
    ("make", "shape", "words"),
    [
        (lambda: GroupConv2d(1, 2, 3, group="C8"), None, "a group that acts on the grid, one of C4, D4; got 'C8'"),
        (lambda: GroupConv2d(1, 2, 0), None, "sizes of at least 1"),
        (lambda: GroupConv2d(1, 2, 3, lifting=True), (1, 5, 6), "C4 does not act on a grid of 5 x 6"),
        (lambda: GroupConv2d(1, 2, 3, lifting=True, stride=2, padding=1), (1, 6, 6), "C4 does not act on the grid of"),
        (lambda: GroupConv2d(1, 2, 3, lifting=True), (2, 5, 5), "was given values of shape"),
        (lambda: GroupConv2d(1, 2, 3, lifting=True), (1, 2, 2), "does not fit"),
        (lambda: GroupConv2d(1, 2, 3), (1, 8, 5, 5), "was given values of shape"),
    ],
)
def test_what_the_group_does_not_act_on_is_refused_in_one_sentence(make, shape, words):
    with pytest.raises(InputError, match=words) as caught:
        make()(torch.zeros(2, *shape))
    assert "\n" not in str(caught.value)
    if shape is not None:
        with pytest.raises(InputError, match=words):
            slth.construct(make(), input_shape=shape, input_range=(0, 1), tolerance=0.1)
