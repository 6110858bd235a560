"""Projected SGD, then edge-popup: no weight moves farther than ε, in exact arithmetic."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from helpers.digits import largest_move, percent, trained
from torch import Tensor

from slth import InputError
from slth.learning import EdgePopup, Masks, PerturbedEdgePopup, Policy
from slth.learning.masks import bound32
from slth.learning.methods.pgd import box
from slth.learning.selection import count_kept


@pytest.mark.parametrize("epsilon", [0.001, 0.05, 0.1, 0.3])
def test_no_weight_ever_moves_farther_than_it_may(epsilon):
    """In exact arithmetic: the difference of two float32 numbers, in float64, after every step, against ε itself."""
    farthest: list[float] = []

    def watch(masks: Masks, what: str, stage: str) -> None:
        farthest.append(largest_move(masks))

    masks = trained(PerturbedEdgePopup(0.5, epsilon, epochs_weights=1.0, lr_weights=0.5), epochs=0.2, watch=watch)
    assert len(farthest) > 20
    assert max(farthest) <= epsilon
    assert max(farthest) > 0.99 * epsilon  # the bound is reached
    assert not PerturbedEdgePopup(0.5, epsilon).strong
    assert PerturbedEdgePopup(0.5, epsilon).move_bound == bound32(epsilon)
    for tensor in masks:  # and what a ticket stores is within its claim, rounded down to a float32
        assert float(masks.moves(tensor, limit=bound32(epsilon)).abs().max()) <= bound32(epsilon) <= epsilon


def test_the_box_is_the_largest_that_float32_has():
    generator = torch.Generator().manual_seed(5)
    start = torch.cat(
        [
            torch.randn(300, generator=generator) * 10.0 ** torch.randint(-30, 8, (300,), generator=generator),
            torch.tensor([0.0, 1e-45, -1e-30, 0.05, -0.05]),
        ]
    )
    for epsilon in (0.05, 0.1, 1e-12, 3.0, 0.5):
        low, high = box(start, epsilon)
        for w, one, two in zip(start.tolist(), low.tolist(), high.tolist(), strict=True):
            beyond = [float(np.nextafter(np.float32(v), np.float32(s))) for v, s in ((one, -np.inf), (two, np.inf))]
            assert Fraction(w) - Fraction(one) <= Fraction(epsilon) < Fraction(w) - Fraction(beyond[0])
            assert Fraction(two) - Fraction(w) <= Fraction(epsilon) < Fraction(beyond[1]) - Fraction(w)


def test_a_largest_move_of_0_is_edge_popup():
    policy = Policy(law="kaiming_normal")
    settings = {"lr": 0.07, "weight_decay": 0.0}
    one = trained(PerturbedEdgePopup(0.4, 0.0), epochs=1.0)
    two = trained(EdgePopup(0.4), epochs=1.0, policy=policy, **settings)
    for a, b in zip(one, two, strict=True):
        assert torch.equal(a.mask.scores, b.mask.scores)
        assert torch.equal(a.mask.chosen(), b.mask.chosen())
        assert torch.equal(a.original, b.original)


def test_density_1_is_projected_sgd_without_pruning():
    masks = trained(PerturbedEdgePopup(1.0, 0.3), epochs=0.5)
    assert masks.kept == masks.size
    for tensor in masks:
        assert torch.equal(tensor.location.module.weight, tensor.original)
        assert torch.equal(tensor.mask.scores, tensor.uniform("scores"))
    assert percent(masks) > 80


def test_the_projected_run_does_not_depend_on_the_density():
    ends: list[list[Tensor]] = []

    def watch(masks: Masks, what: str, stage: str) -> None:
        if what == "end" and stage == "projected-sgd":
            ends.append([t.original.detach().clone() for t in masks])

    stages = []
    for density in (0.3, 0.7):
        method = PerturbedEdgePopup(density, 0.1, epochs_weights=0.5)
        stages.append(method.stages(method.training)[0].shared)
        masks = trained(method, epochs=0.2, watch=watch)
        assert all(int(t.mask.chosen().sum()) == count_kept(density, t.size) for t in masks)
        assert all(torch.equal(t.original, w) for t, w in zip(masks, ends[-1], strict=True))
    assert all(torch.equal(a, b) for a, b in zip(*ends, strict=True))
    assert stages[0] == stages[1]


@pytest.mark.parametrize("epsilon", [-0.1, float("nan"), float("inf")])
def test_the_largest_move_is_a_number_of_at_least_0(epsilon):
    with pytest.raises(InputError, match="most_move"):
        PerturbedEdgePopup(0.5, epsilon)
