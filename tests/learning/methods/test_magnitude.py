"""Magnitude pruning: exact densities in every round, rewinds to step k, and what becomes of kept and pruned weights."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from helpers.digits import mlp, percent, trained
from torch import Tensor, nn

from slth import InputError
from slth.learning import Magnitude, Masks, Policy
from slth.learning.methods.fixed_mask import fixed_mask_of
from slth.learning.selection import count_kept, top


def rounds_of(method: Magnitude, **options: Any) -> tuple[Masks, dict[str, list[Tensor]], dict[str, list[Tensor]]]:
    """(masks, weights at the begin of every stage, masks at its end)."""
    weights: dict[str, list[Tensor]] = {}
    kept: dict[str, list[Tensor]] = {}

    def watch(masks: Masks, what: str, stage: str) -> None:
        if what == "begin":
            weights[stage] = [t.original.detach().clone() for t in masks]
        if what == "end":
            kept[stage] = [fixed_mask_of(t).kept.clone() for t in masks]

    masks = trained(method, watch=watch, **{"epochs": 0.3, **options})
    return masks, weights, kept


def test_the_densities_of_all_rounds_are_exact_and_the_masks_nested():
    """0.8⁴ = 0.4096 in four rounds of 20 %; ⌈0.8 N⌉, ⌈0.64 N⌉, ⌈0.512 N⌉, ⌈0.4096 N⌉ of every tensor."""
    method = Magnitude(0.4096, rate=0.2)
    masks, weights, kept = rounds_of(method)
    assert list(kept) == ["round 0", "round 1", "round 2", "round 3", "last"]
    for number, (stage, tensors) in enumerate(list(kept.items())[:-1], 1):
        exact = Fraction(8, 10) ** number
        for tensor, mask in zip(masks, tensors, strict=True):
            assert int(mask.sum()) == -(-exact.numerator * tensor.size // exact.denominator), stage
    for one, two in pairwise(kept.values()):
        assert all(bool((a >= b).all()) for a, b in zip(one, two, strict=True))
    for start in weights.values():
        assert all(torch.equal(w, t.values()) for w, t in zip(start, masks, strict=True))


@pytest.mark.parametrize(
    ("density", "rate", "rounds"),
    [(0.1, 0.2, 11), (0.64, 0.2, 2), (0.5, 0.5, 1), (0.25, 0.5, 2), (0.1, 1.0, 1), (1.0, 0.2, 0)],
)
def test_the_fewest_rounds_that_reach_the_density(density, rate, rounds):
    assert Magnitude(density, rate=rate).rounds == rounds


def test_what_is_kept_had_the_largest_trained_weights_of_its_layer():
    ends: list[Tensor] = []
    masks = trained(
        Magnitude(0.2, rate=1.0),
        epochs=1.0,
        watch=lambda m, what, stage: ends.append(m.tensors[0].original.detach().clone()) if what == "step" else None,
    )
    final = ends[len(ends) // 2 - 1]  # after the last step of the first of two stages
    assert torch.equal(fixed_mask_of(masks.tensors[0]).kept, top(final, masks.tensors[0].kept))


def test_the_global_scope_keeps_the_highest_scores_of_the_network():
    masks, _, kept = rounds_of(Magnitude(0.1, rate=0.6, scope="global"), model=mlp(40, 30), epochs=1.0)
    for stage, density in (("round 0", (0.1 ** (1 / 3))), ("round 1", 0.1 ** (2 / 3)), ("round 2", 0.1)):
        assert sum(int(part.sum()) for part in kept[stage]) == count_kept(float(f"{density:.12g}"), masks.size)
    shares = [int(part.sum()) / part.numel() for part in kept["round 2"]]
    assert max(shares) > 1.2 * min(shares)  # layers differ: it is not the scope "layer"


def test_layers_with_a_density_or_rate_of_their_own_are_pruned_by_themselves():
    for scope in ("layer", "global"):
        _, _, kept = rounds_of(Magnitude(0.25, rate=0.5, scope=scope, last_rate=0.1), policy=Policy(biases="train"))
        assert [int(k[-1].sum()) for k in kept.values()] == [900, 810, 810]
        _, _, kept = rounds_of(
            Magnitude(0.25, rate=0.5, scope=scope), model=mlp(20, 20), policy=Policy(first=1.0, last=0.81)
        )
        sizes = [[int(part.sum()) for part in parts] for parts in kept.values()]
        assert sizes[0] == [1280, 200, 180]
        assert sizes[-1] == [1280, 100, 162]
    with pytest.raises(InputError, match="last_rate"):
        Magnitude(last_rate=1.0)


def norm_net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 30), nn.BatchNorm1d(30), nn.ReLU(), nn.Linear(30, 10))


@pytest.mark.parametrize("rewind", [0, 5])
def test_every_round_starts_where_step_k_ended(rewind):
    """Weights, biases and norm parameters: all of θ, as Frankle et al. rewind it."""
    at: dict[str, list[Tensor]] = {}
    steps: list[int] = []

    def state(masks: Masks) -> list[Tensor]:
        pruned = [torch.where(fixed_mask_of(t).kept, t.original.detach(), 0) for t in masks]
        return [*pruned, *(p.detach().clone() for p in masks.biases_and_norms)]

    def whole(masks: Masks) -> list[Tensor]:
        return [t.original.detach().clone() for t in masks] + [p.detach().clone() for p in masks.biases_and_norms]

    def watch(masks: Masks, what: str, stage: str) -> None:
        if what == "begin":
            at[stage] = state(masks) if stage != "round 0" else whole(masks)
            steps.append(0)
        if what == "step" and stage == "round 0":
            steps[-1] += 1
            if steps[-1] == rewind:
                at["k"] = whole(masks)

    masks = trained(Magnitude(0.3, rate=0.5, rewind=rewind), model=norm_net(), epochs=0.5, watch=watch)
    anchor = at["k"] if rewind else at["round 0"]
    assert len(at) == (4 if rewind else 3)
    assert len(anchor) == 6
    for stage in ("round 1", "last"):
        for now, then in zip(at[stage], anchor, strict=True):
            assert torch.equal(now, torch.where(now != 0, then, 0) if now.ndim == 2 else then)
    moved = [not torch.equal(p.detach(), then) for p, then in zip(masks.biases_and_norms, anchor[2:], strict=True)]
    assert all(moved)  # they do train


def test_a_rewind_beyond_the_round_is_refused_at_once():
    with pytest.raises(InputError, match=r"rewind=500, but a round has 12 steps"):
        trained(Magnitude(0.5, rewind=500), epochs=0.5)


def test_reinitialised_weights_come_from_the_first_redraw():
    masks, weights, _ = rounds_of(Magnitude(0.5, rate=0.5, kept_weights="reinitialise"))
    for tensor, start in zip(masks, weights["last"], strict=True):
        assert tensor.stream == f"{tensor.path}@1"
        assert torch.equal(start, tensor.values())
        assert not torch.equal(start, replace(tensor, redraw=0).values())


def test_a_reshuffle_permutes_what_is_kept_and_nothing_else():
    masks, weights, kept = rounds_of(Magnitude(0.5, rate=0.5, kept_weights="reshuffle"))
    for tensor, start, mask in zip(masks, weights["last"], kept["round 0"], strict=True):
        assert torch.equal(start[~mask], tensor.values()[~mask])
        assert torch.equal(start[mask].sort().values, tensor.values()[mask].sort().values)
        assert float((start[mask] != tensor.values()[mask]).float().mean()) > 0.9


def test_a_constant_is_the_sign_times_the_standard_deviation_of_the_layer():
    masks, weights, kept = rounds_of(Magnitude(0.5, rate=0.5, kept_weights="constant"))
    for tensor, start, mask in zip(masks, weights["last"], kept["round 0"], strict=True):
        std = float(tensor.values().double().std())
        assert torch.allclose(start[mask], tensor.values()[mask].sign() * std, rtol=1e-5)
    masks = trained(Magnitude(0.5, rate=0.5, kept_weights="constant", retrain=False), epochs=0.3)
    for tensor in masks:
        mask, c = fixed_mask_of(tensor).kept, float(np.float32(tensor.mask.gain()))
        assert tensor.mask.binary
        assert c == pytest.approx(float(tensor.values().double().std()), rel=1e-5)
        wanted = torch.where(mask, torch.where(tensor.values() >= 0, c, -c), 0.0)
        assert torch.equal(tensor.location.module.weight.detach(), wanted)


@pytest.mark.parametrize("weight_decay", [0.0, 0.01])
@pytest.mark.parametrize("rewind", [0, 3])
@pytest.mark.parametrize("action", ["rewind", "reinitialise", "reshuffle", "constant"])
@pytest.mark.parametrize("pruned", ["freeze", "freeze_away"])
def test_frozen_weights_stay_at_their_random_values(pruned, action, rewind, weight_decay):
    """All that was pruned, or what had grown in size when it was pruned; and that in every round, not only the last."""
    grown: list[Tensor] = []
    before: list[Tensor] = []

    def watch(masks: Masks, what: str, stage: str) -> None:
        tensor = masks.tensors[0]
        if what == "begin":
            before[:] = [fixed_mask_of(tensor).kept.clone()]
        if what == "step":
            before[1:] = [tensor.original.detach().abs() > fixed_mask_of(tensor).start.abs()]
        if what == "end" and stage != "last":
            grown.append(before[0] & ~fixed_mask_of(tensor).kept & before[1])

    method = Magnitude(0.2, rate=0.5, pruned_weights=pruned, kept_weights=action, rewind=rewind)
    masks = trained(method, epochs=0.5, watch=watch, weight_decay=weight_decay)
    assert len(grown) == method.rounds == 3
    tensor = masks.tensors[0]
    mask = fixed_mask_of(tensor)
    wanted = ~mask.kept if pruned == "freeze" else torch.stack(grown).any(0)
    assert torch.equal(mask.held, wanted)
    assert int(wanted.sum()) > 0
    delta = masks.moves(tensor)  # from here on W is W₀ + Δ
    effective = tensor.location.module.weight.detach()
    assert torch.equal(effective[wanted], tensor.values()[wanted])
    assert not bool(effective[~wanted & ~mask.kept].any())
    # A ticket says W₀ + Δ where the mask is 1: Δ is 0 at what is frozen.
    assert torch.equal(mask.chosen(), mask.kept | wanted)
    assert not bool(delta[~mask.kept].any())
    assert torch.equal(torch.where(mask.chosen(), tensor.values() + delta, torch.zeros(())), effective)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"density": 1.0}, "density 1 needs none"),
        ({"kept_weights": "reinitialise"}, "fresh weights"),
        ({"pruned_weights": "freeze"}, "pruned_weights='freeze'"),
        ({"pruned_weights": "freeze_away", "kept_weights": "constant"}, "kept_weights='constant'"),
    ],
)
def test_an_untrained_mask_that_says_nothing_is_refused(settings, sentence):
    with pytest.raises(InputError, match=sentence):
        Magnitude(**settings, retrain=False)


def test_large_final_beats_random_and_small_final():
    """One shot to 10 %. Seen: 72 to 84 % against 20 to 50 %."""
    found = {
        criterion: percent(trained(Magnitude(0.1, rate=1.0, criterion=criterion), epochs=4.0))
        for criterion in ("large_final", "random", "small_final")
    }
    assert found["large_final"] > found["random"] + 15
    assert found["large_final"] > found["small_final"] + 15


def test_an_untrained_supermask_beats_one_at_random():
    """Zhou et al.: large final weights of the same sign, at their random values, without any training."""
    kinds = ("large_final_same_sign", "random")
    scores = [
        percent(trained(Magnitude(0.3, rate=1.0, criterion=kind, kept_weights="constant", retrain=False), epochs=6.0))
        for kind in kinds
    ]
    assert scores[0] > scores[1] + 15


def test_a_method_that_moves_weights_says_so():
    assert not any(method.strong for method in (Magnitude(), Magnitude(rewind=3, retrain=False)))
    assert not Magnitude(kept_weights="reshuffle", retrain=False).strong
