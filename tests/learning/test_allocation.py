"""Densities by pattern, and shared out by shape: each count is exact, and so is their sum."""

import math
from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

import slth
from slth import InputError
from slth.learning import Biprop, EdgePopup, Magnitude, PerturbedEdgePopup, Policy, attach
from slth.learning.allocation import erk_counts
from slth.learning.selection import count_kept

SHAPES = st.lists(st.lists(st.integers(1, 40), min_size=1, max_size=4).map(tuple), min_size=1, max_size=6)


def by_definition(shapes, density):
    """ERK as its paper has it: density_l = min(1, ε · Σ sides / Π sides), ε found by bisection in floating point."""
    sizes = np.array([math.prod(shape) for shape in shapes], float)
    raw = np.array([sum(shape) for shape in shapes]) / sizes
    low, high = 0.0, 1.0
    while (np.minimum(1, high * raw) * sizes).sum() < density * sizes.sum() * (1 - 1e-12):
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (
            (middle, high) if (np.minimum(1, middle * raw) * sizes).sum() < density * sizes.sum() else (low, middle)
        )
    return np.minimum(1, high * raw) * sizes


@settings(deadline=None)
@given(SHAPES, st.integers(1, 1000))
def test_erk_is_its_definition_and_the_total_is_exact(shapes, thousandths):
    density = thousandths / 1000
    sizes = [math.prod(shape) for shape in shapes]
    try:
        counts = erk_counts(shapes, density)
    except InputError:
        assert min(by_definition(shapes, density)) < 1
        return
    assert sum(counts) == count_kept(density, sum(sizes)) == math.ceil(Fraction(str(density)) * sum(sizes))
    assert all(1 <= kept <= size for kept, size in zip(counts, sizes, strict=True))
    ideal = by_definition(shapes, sum(counts) / sum(sizes))
    assert np.abs(np.array(counts) - ideal).max() < 1 + 1e-6 * sum(sizes)


def test_erk_of_a_small_network_by_hand():
    """(20 · 784, 10 · 20) at 5 %: 794 of 15,880 weights; ε = 794/834; a small layer keeps fourteen times the share."""
    assert erk_counts([(20, 784), (10, 20)], 0.05) == [765, 29]
    assert (round(804 * 794 / 834), round(30 * 794 / 834)) == (765, 29)
    assert erk_counts([(1000, 1000), (2, 2)], 0.1) == [100_000 - 3, 4]  # the small one is full, not more
    assert erk_counts([(10, 10), (10, 10)], 1.0) == [100, 100]


def test_a_layer_that_would_keep_nothing_is_refused():
    with pytest.raises(
        InputError, match=r"ERK shares out 1 weights among 2 layers, and one of shape \(2, 2\) keeps none"
    ):
        erk_counts([(3, 3), (2, 2)], 0.05)


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 20), nn.ReLU(), nn.Linear(20, 10)
    )


@pytest.mark.parametrize("method", [EdgePopup(0.1), Biprop(0.1), PerturbedEdgePopup(0.1), Magnitude(0.1)], ids=repr)
def test_attach_keeps_the_counts_of_erk(method):
    masks = attach(network(), method, policy=Policy(allocation="erk"))
    shapes = [tensor.shape for tensor in masks]
    assert [tensor.kept for tensor in masks] == erk_counts(shapes, 0.1)
    assert sum(tensor.kept for tensor in masks) == count_kept(0.1, masks.size)
    assert all(count_kept(tensor.wanted, tensor.size) == tensor.kept for tensor in masks)


def test_a_searched_ticket_has_the_counts_that_were_asked_for():
    policy = {"allocation": "erk"}
    found = slth.search(
        "mlp", "digits", "edge-popup", options={"density": 0.1}, training={"epochs": 0.2}, policy=policy
    )
    shapes = [tensor.shape for tensor in found.ticket.tensors]
    assert [tensor.kept for tensor in found.ticket.tensors] == erk_counts(shapes, 0.1)
    weak = slth.search(
        "mlp", "digits", "magnitude", options={"density": 0.1, "rate": 0.7}, training={"epochs": 0.1}, policy=policy
    )
    assert [tensor.kept for tensor in weak.ticket.tensors] == erk_counts(shapes, 0.1)


def test_layers_with_a_density_of_their_own_are_not_part_of_the_sharing():
    policy = Policy(allocation="erk", densities={"5": 0.5}, first=1.0)
    masks = attach(network(), EdgePopup(0.1), policy=policy)
    assert [tensor.kept for tensor in masks] == [72, count_kept(0.1, 5760), 100]
    assert [tensor.pooled for tensor in masks] == [False, True, False]


def test_the_first_pattern_that_fits_a_layer_or_a_parameter_counts():
    policy = Policy(densities={"3.weight": 0.25, "[35]": 0.5, "*": 0.75})
    masks = attach(network(), EdgePopup(0.1), policy=policy)
    assert [tensor.kept for tensor in masks] == [54, 1440, 100]
    same = attach(network(), EdgePopup(0.1), policy=Policy(densities=(("3.weight", 0.25), ("[35]", 0.5), ("*", 0.75))))
    assert [tensor.kept for tensor in same] == [54, 1440, 100]
    assert same.policy == masks.policy


def test_a_global_selection_leaves_named_layers_alone():
    masks = attach(network(), EdgePopup(0.2, scope="global"), policy=Policy(densities={"5": 0.5}))
    assert [tensor.path for tensor in masks.pooled] == ["0.weight", "3.weight"]


@pytest.mark.parametrize("method", [EdgePopup(0.1, scope="global"), Magnitude(0.1, scope="global")], ids=repr)
def test_a_global_selection_and_an_allocation_exclude_each_other(method):
    """Before anything is changed or trained."""
    model = network()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with pytest.raises(InputError, match=r"a global selection chooses the density of every layer, and so does .*'erk'"):
        attach(model, method, policy=Policy(allocation="erk"))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_a_pattern_of_no_masked_layer_is_refused_with_those_there_are():
    with pytest.raises(
        InputError, match=r"densities: no masked layer matches fc\*; what is masked is 0\.weight, 3\.weight"
    ):
        attach(network(), EdgePopup(0.5), policy=Policy(densities={"fc*": 0.1, "*": 0.5}))


@pytest.mark.parametrize("method", [EdgePopup, Biprop, Magnitude, PerturbedEdgePopup])
def test_a_method_says_where_densities_by_name_belong(method):
    with pytest.raises(
        InputError, match=r"a method has one density; .*Policy\(densities=\{'fc\*': 0\.1, '\*': 0\.5\}\)"
    ):
        method(density={"fc*": 0.1, "*": 0.5})


@pytest.mark.parametrize(
    ("densities", "sentence"),
    [
        ({"fc": 0.0}, "kept fraction"),
        ({"fc": 1.5}, "kept fraction"),
        ({"fc": "half"}, "densities: fc must be a number"),
        ({3: 0.5}, "densities must map names to numbers"),
        (0.5, "densities must map names to numbers"),
        ("fc=0.5", "densities must map names to numbers"),
    ],
)
def test_no_densities(densities, sentence):
    with pytest.raises(InputError, match=sentence):
        Policy(densities=densities)


def test_numbers_of_numpy_are_densities():
    assert EdgePopup(np.float32(0.5)).density == 0.5
    assert count_kept(np.float32(0.1), 100) == count_kept(np.float64(0.1), 100) == 10
    assert Policy(densities={"a": np.float64(0.5)}).patterns == (("a", 0.5),)


def test_what_the_command_line_says_reaches_the_ticket(tmp_path):
    from slth.cli.app import run

    out = tmp_path / "t.slth"
    said = ["--densities", "1=0.1,*=0.5", "--allocation", "erk", "--include", "1.bias", "--epochs", "0.1"]
    assert run(["search", "--method", "edge-popup", "--out", str(out), "--quiet", *said]) == 0
    ticket = slth.load(out)
    assert {tensor.path: tensor.kept for tensor in ticket.tensors} == {"1.weight": 410, "1.bias": 7, "3.weight": 320}
    policy = ticket.provenance.asked["policy"]
    assert policy["densities"] == [["1", 0.1], ["*", 0.5]]
    assert (policy["allocation"], policy["include"]) == ("erk", ["1.bias"])
