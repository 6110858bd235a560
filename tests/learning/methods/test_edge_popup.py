"""Edge-popup: exactly k of a layer or of the network, and a ramp that keeps every layer alive."""

from itertools import pairwise

import pytest
import torch
from helpers.digits import mlp, percent, trained

from slth import InputError
from slth.learning import EdgePopup, Policy
from slth.learning.selection import count_kept, top


@pytest.mark.parametrize("density", [0.1, 0.3, 0.7, 0.05])
@pytest.mark.parametrize("ramp", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("epochs", [0.01, 0.2])
def test_global_edge_popup_ends_with_exactly_k_of_the_network(density, ramp, epochs):
    """Even after a single step, and however the ramp ends; 1 − (1 − 0.3) is not 0.3 in floating point."""
    masks = trained(EdgePopup(density, scope="global", ramp=ramp), epochs=epochs)
    assert masks.kept == count_kept(density, masks.size)
    scores = torch.cat([s.detach().flatten() for s in masks.scores])
    assert torch.equal(torch.cat([t.mask.chosen().flatten() for t in masks]), top(scores, masks.kept))


def test_the_ramp_keeps_every_layer_alive():
    """Thresholded at once at 5 %, the network loses its last layers: they never see a gradient again."""
    at_once = trained(EdgePopup(0.05, scope="global", ramp=0.0), model=mlp(100, 100), epochs=5.0)
    assert [bool(t.mask.chosen().any()) for t in at_once] == [True, False, False]
    slowly = trained(EdgePopup(0.05, scope="global", ramp=0.9), model=mlp(100, 100), epochs=5.0)
    assert all(int(t.mask.chosen().sum()) > 50 for t in slowly)
    assert percent(slowly) > percent(at_once) + 15


def test_the_density_of_the_ramp_falls_from_1_to_its_value():
    seen: list[int] = []
    method = EdgePopup(0.2, scope="global")
    masks = trained(method, epochs=1.0, watch=lambda m, what, _: seen.append(m.kept) if what == "step" else None)
    assert all(one >= two for one, two in pairwise(seen))
    steps, last = len(seen), count_kept(0.2, masks.size)
    for step, kept in enumerate(seen):  # ⌈(1 - 0.8 · 2 step / steps) N⌉, until half of the steps are done
        assert abs(kept - max(last, masks.size * (1 - 1.6 * step / steps))) <= 1
    assert seen[0] == masks.size > seen[steps // 2] > last == seen[steps // 2 + 1] == seen[-1] == masks.kept


def test_a_layer_with_a_density_of_its_own_stays_out_of_the_pool():
    masks = trained(EdgePopup(0.2, scope="global"), epochs=0.2, model=mlp(30, 20), policy=Policy(first=0.5, last=1.0))
    one, two, three = (int(t.mask.chosen().sum()) for t in masks)
    assert (one, two, three) == (32 * 30, 120, 200)


@pytest.mark.parametrize("ramp", [-0.1, 1.5, float("nan")])
def test_a_ramp_is_a_fraction(ramp):
    with pytest.raises(InputError, match="ramp"):
        EdgePopup(scope="global", ramp=ramp)
