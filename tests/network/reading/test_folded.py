"""A map says which steps' numbers are in its own: exactly those that its own numbers depend on."""

import copy

import numpy as np
import pytest
import torch
from references.zoo import Does, trained
from torch import nn

from slth.network import read_target


def norms(**sizes):
    return {name: nn.BatchNorm2d(size) for name, size in sizes.items()}


def convs(**channels):
    return {name: nn.Conv2d(*pair, 1, bias=bool(i % 2)) for i, (name, pair) in enumerate(channels.items())}


def both_sides(s, x):
    """One before a map, two in a row behind another, one that must stay."""
    y = torch.relu(s.b(s.a(s.before(x))))
    return torch.tanh(s.stays(torch.relu(s.last(s.first(s.c(y))))))


def branches(s, x):
    """Parts side by side, a sum, a mean, a view; a norm of a part meets one of the whole."""
    y = s.whole(torch.cat([s.part(s.a(x)), s.b(x)], 1))
    z = s.total(s.c(y) + 0.5 * s.d(y))
    return torch.tanh(s.flat(z.mean(3, keepdim=True).flatten(1).unsqueeze(-1).unsqueeze(-1)))


def readers(s, x):
    """All who read a norm take it, and one of them another behind."""
    y = s.shared(x)
    return torch.tanh(s.a(y)) + torch.tanh(s.own(s.b(y)))


def tied(s, x):
    """One weight, two maps."""
    return s.two(s.a(torch.relu(s.one(s.a(x)))))


NETWORKS = {
    "both sides": lambda: Does(
        both_sides,
        **convs(a=(3, 4), b=(4, 4), c=(4, 2)),
        **norms(before=3, first=2, last=2, stays=2),
    ),
    "branches": lambda: Does(
        branches,
        **convs(a=(3, 2), b=(3, 3), c=(5, 2), d=(5, 2)),
        **norms(part=2, whole=5, total=2, flat=8),
    ),
    "readers": lambda: Does(readers, **convs(a=(3, 2), b=(3, 2)), **norms(shared=3, own=2)),
    "tied": lambda: Does(tied, **convs(a=(3, 3)), **norms(one=3, two=3)),
}


def changed(old, new):
    """Maps with other numbers."""
    pairs = {path: (affine, new.coefficients[path]) for path, affine in old.coefficients.items()}
    return {
        path
        for path, (a, b) in pairs.items()
        if not (np.array_equal(a.weight, b.weight) and (a.bias is None or np.array_equal(a.bias, b.bias)))
    }


@pytest.mark.parametrize("name", NETWORKS)
def test_a_map_lists_a_norm_exactly_if_its_numbers_depend_on_it(name):
    torch.manual_seed(0)
    model = trained(NETWORKS[name]()).double()
    target = read_target(model, input_shape=(3, 4, 4))
    listed = {step for steps in target.folded.values() for step in steps}
    known = {path for path, part in model.named_modules() if isinstance(part, nn.BatchNorm2d)}
    assert listed <= known
    for norm in known:
        other = copy.deepcopy(model)
        other.get_submodule(norm).weight.data *= 1.5
        found = changed(target, read_target(other, input_shape=(3, 4, 4)))
        assert found == {path for path, steps in target.folded.items() if norm in steps}, norm
    assert listed >= known - {"stays", "flat"}


def test_steps_stand_in_the_order_of_the_network_each_once():
    """Though `before` goes forwards, after `behind` went backwards; a module that computes two steps stands once."""

    class Standardise(nn.Module):
        def forward(self, x):
            return (x - 0.25) / 0.5

    model = trained(nn.Sequential(nn.BatchNorm2d(3), Standardise(), nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2)))
    target = read_target(model.double(), input_shape=(3, 4, 4))
    assert target.folded == {"2": ("0", "1", "3")}


def test_a_step_that_took_another_brings_it_along():
    """−2 passes no ReLU, and behind the parts −3 does not either; together they do."""

    class Times(nn.Module):
        def __init__(self, factor):
            super().__init__()
            self.factor = factor

        def forward(self, x):
            return self.factor * x

    model = Does(
        lambda s, x: torch.tanh(s.whole(torch.cat([s.part(torch.relu(s.a(x))), s.b(x)], 1))),
        **convs(a=(3, 2), b=(3, 2)),
        part=Times(-2.0),
        whole=Times(-3.0),
    )
    assert read_target(model.double(), input_shape=(3, 4, 4)).folded == {"a": ("part", "whole"), "b": ("whole",)}


def test_arithmetic_between_modules_is_named_by_where_it_stands():
    block = Does(lambda s, x: s.conv(2.0 * x), conv=nn.Conv2d(3, 3, 1))
    scaled = Does(lambda s, x: 3.0 * nn.functional.conv2d(x, s.w), w=nn.Parameter(torch.randn(2, 3, 1, 1)))
    model = Does(lambda s, x: 0.5 * s.last(torch.relu(s.block(x))) + 1.0, block=block, last=scaled)
    target = read_target(model.double(), input_shape=(3, 4, 4))
    assert target.folded == {"block.conv": ("block/scale",), "last.w": ("last/scale", "scale")}


def test_what_changes_no_number_is_not_listed():
    """A factor 1 and a shift 0; a factor of a term, which goes into the sum; a norm that stays a Scale."""
    one = nn.BatchNorm2d(2, eps=0.0)
    model = Does(
        lambda s, x: s.b(s.norm(torch.relu(s.one(s.a(x)) + 0.5 * x))),
        a=nn.Conv2d(2, 2, 1),
        one=one,
        norm=nn.BatchNorm2d(2),
        b=nn.Conv2d(2, 2, 3, padding=1),
    )
    model.norm.running_mean.normal_()
    assert read_target(model.double().eval(), input_shape=(2, 4, 4)).folded == {}


def test_a_chain_keeps_what_was_folded_under_its_own_names():
    model = trained(nn.Sequential(nn.Linear(3, 4, bias=False), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2)))
    assert read_target(model).folded == {"layers/0": ("1",)}
    assert read_target(nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))).folded == {}
