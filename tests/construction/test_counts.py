"""A plan counts the subset sums that a construction solves: of every gadget, weights and biases, inputs of any sign."""

import numpy as np
import pytest

from slth.construction import Request, construct, plan_outline
from slth.construction.halves import split_inputs
from slth.construction.outline import outline
from slth.construction.width import affine_sizes
from slth.graph import Affine, chain
from slth.ticket import Inputs

ONCE = ("plain", "single-plain", "two-layer linear")  # a weight is one subset sum whatever the sign
TWICE = ("single", "counts", "doubling", "two-layer relu")
SIGNED = Inputs((3,), lower=(-1.0, 0.0, -2.0), upper=(1.0, 1.0, 0.0))


def request(gadget):
    kind, _, lift = gadget.partition(" ")
    return Request(tolerance=0.05, gadget=kind, lift=lift or None)


def network():
    rng = np.random.default_rng(0)
    weights = [rng.uniform(-0.6, 0.6, size) for size in ((4, 3, 1), (2, 4, 1))]
    return chain([Affine(weight, rng.uniform(-0.5, 0.5, len(weight))) for weight in weights])


@pytest.mark.parametrize("gadget", [*ONCE, *TWICE])
def test_a_plan_counts_the_problems_that_are_solved(gadget):
    """In a network whose first inputs have signs: 12 weights there, 8 of them of inputs that can be negative."""
    target, asked = network(), request(gadget)
    halves = split_inputs(target, SIGNED, asked.recipe)
    planned = {
        path: sum(part.up_to(np.array([np.inf]))[0] for part in affine_sizes(affine, halves[path]))
        for path, affine in target.coefficients.items()
    }
    made = construct(target, asked, inputs=SIGNED)
    gadgets = made.gadgets
    solved = {
        path: sum(block.count for block in gadgets[path].problems(path, op, made.seed, stage=0))
        for path, op in made.maps.items()
    }
    assert planned == solved
    assert planned["layers/0"] == 4 + 12 + (0 if gadget in ONCE else 8)


@pytest.mark.parametrize("gadget", ["plain", "single-plain"])
def test_the_plan_of_a_shape_and_of_its_network_count_alike(gadget):
    """Weights of any sign in both: as many candidates as for inputs that are not negative."""
    asked = request(gadget)
    signed, positive = (plan_outline(outline((6, 5), lower=lower), asked)[0].width for lower in (None, 0.0))
    assert signed == positive
