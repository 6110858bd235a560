"""What no subset can reach is refused before a single one is looked for, with what to ask for instead."""

import numpy as np
import pytest

import slth
from slth._errors import InputError

RNG = np.random.default_rng(0)
NET = {
    "a.weight": RNG.normal(size=(6, 5)) / 3,
    "a.bias": RNG.normal(size=6) / 8,
    "b.weight": RNG.normal(size=(2, 6)) / 3,
}
RANGE = {"input_range": (0, 1)}


def refused(monkeypatch, match, *, numbers=np.float64, **asked):
    """Nothing is solved."""

    def solve(*_, **__):
        raise AssertionError("it was solved")

    monkeypatch.setattr("slth.construction.plan.solve", solve)
    net = {name: values.astype(numbers) for name, values in NET.items()}
    with pytest.raises(InputError, match=match):
        slth.construct(net, **RANGE, **asked)


@pytest.mark.parametrize(
    "objective", [{"objective": "exactly", "density": 0.3}, {"objective": "moved", "most_move": 0.01}]
)
def test_a_source_of_several_stages_for_a_theorem_of_one(monkeypatch, objective):
    source = slth.construct(NET, tolerance=1e-9, **RANGE)
    refused(monkeypatch, "has 2 stages, and the objective", source=source, tolerance=0.01, **objective)


def test_a_source_too_wide_for_the_closest_subset(monkeypatch):
    source = slth.construct(NET, tolerance=0.01, candidates=60, **RANGE)
    refused(monkeypatch, "up to 40 candidates, and this takes 60", source=source, tolerance=0.01, objective="closest")


@pytest.mark.parametrize("gadget", ["two-layer", "plain", "copies"])
def test_too_many_candidates_for_the_closest_subset(monkeypatch, gadget):
    asked = {"gadget": gadget, "objective": "closest", "candidates": 60, "tolerance": 0.01}
    refused(monkeypatch, "up to 40 candidates, and this takes 60", **asked)


@pytest.mark.parametrize("gadget", ["neurons", "single", "counts", "plain"])
def test_a_source_of_another_gadget(monkeypatch, gadget):
    source = slth.construct(NET, tolerance=0.2, gadget=gadget, **RANGE)
    refused(monkeypatch, f"serves the gadget two-layer alone, not {gadget}", source=source, tolerance=0.2)


FINER = {  # asked, the finest power of two that is met, what is said of a finer one
    "plain": ({"gadget": "plain"}, 24, "multiples of 2.-23 gains"),
    "exactly": ({"objective": "exactly", "density": 0.3}, 25, "finer than subsets of this objective are found at"),
    "moved": ({"objective": "moved", "most_move": 0.01}, 24, "finer than subsets of this objective are found at"),
}


@pytest.mark.parametrize("name", FINER)
def test_a_tolerance_finer_than_sums_of_one_stage_meet(monkeypatch, name):
    """At the finest every weight is met; at half of it most missed, after a long search, before it was refused."""
    asked, bits, match = FINER[name]
    assert slth.construct(NET, relative_tolerance=2.0**-bits, **RANGE, **asked).misses == 0
    refused(monkeypatch, match, relative_tolerance=2.0 ** -(bits + 1), **asked)


@pytest.mark.parametrize("law", ["pruned/0.5", "grid/8", "grid/20", "mixture/0.5/sign", "mixture/0.5/grid/4"])
def test_an_exact_ticket_of_a_source_that_comes_near_none(monkeypatch, law):
    refused(monkeypatch, f"sums of the law {law}, of one stage", numbers=np.float32, exact=True, law=law)


@pytest.mark.parametrize("name", FINER)
def test_an_exact_ticket_of_one_stage(monkeypatch, name):
    refused(monkeypatch, FINER[name][2], numbers=np.float32, exact=True, **FINER[name][0])


def test_an_exact_ticket_of_a_source_that_nearly_reaches_is_made_and_lists_the_rest():
    half = {name: values.astype(np.float16) for name, values in NET.items()}
    ticket = slth.construct(half, exact=True, law="grid/20", **RANGE)
    assert ticket.misses < 5
