"""Tickets of other sources: written, read by an independent reader, verified, run as the real pruned network."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.version2_files import changed, parts, sealed
from references import version2

import slth
from slth import InputError
from slth.ticket import decode, encode

RECIPES = [
    *({"law": law} for law in ("normal/20", "grid/8", "hyperbolic/5", "pruned/0.5", "mixture/0.75/sign")),
    {"centred": True},
]
every_source = pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.get("law", "centred"))


def state():
    """Weights and biases of 6-4-3; one weight is 0, one row is tiny."""
    rng = np.random.default_rng(0)
    found = {f"{name}.weight": rng.normal(0, 0.2, shape) for name, shape in (("a", (4, 6)), ("b", (3, 4)))}
    found |= {"a.bias": rng.normal(0, 0.1, 4), "b.bias": rng.normal(0, 0.1, 3)}
    found["a.weight"][1, 2] = 0.0
    found["b.weight"][2] *= 1e-9
    return found


def constructed(recipe, **more):
    candidates = 14 if recipe.get("centred") else 36
    asked = {"relative_tolerance": 0.02, "candidates": candidates, "threads": 1, "input_range": (-1, 1)}
    return slth.construct(state(), **asked, **recipe, **more)


@every_source
def test_a_ticket_is_verified_and_read_alike_by_an_independent_reader(recipe):
    ticket = constructed(recipe)
    assert ticket.misses == 0
    data = encode(ticket)
    assert encode(decode(data)) == data
    assert slth.verify(decode(data), target=state()).holds
    for path, found in version2.read(data).items():
        ours = ticket.realised(path)
        assert (found.positive == ours.positive).all()
        assert ours.negative is None or (found.negative == ours.negative).all()
        assert (found.bias == ours.bias).all()
        assert found.digest(ours.negative is not None) == ticket.digests[path]
        assert set(found.heads) == {name for name in ticket.heads if name.startswith(f"{path}/")}
        assert all(ticket.heads[name] == head for name, head in found.heads.items())


@every_source
@pytest.mark.parametrize("objective", ["within", "closest", "fewest"])
def test_every_weight_is_within_its_tolerance_by_every_objective(recipe, objective):
    if recipe.get("centred") and objective == "fewest":
        with pytest.raises(InputError, match="exactly one is kept"):
            constructed(recipe, objective=objective)
        return
    ticket = constructed(recipe, objective=objective)
    claims = ticket.claims
    assert ticket.misses == 0
    assert all(claim.weight_error <= 0.02 * ticket.gadgets[path].gain for path, claim in claims.maps.items())


@every_source
def test_the_pruned_random_network_computes_what_the_ticket_realises(recipe):
    ticket = constructed(recipe)
    x = torch.rand(40, 6, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.inference_mode():
        assert (slth.source(ticket)(x) - slth.realised(ticket)(x)).abs().max() < 1e-5


def test_the_network_of_mirrored_pairs_keeps_exactly_one_of_each():
    """Each mixing weight of a pair stands in one of the two neurons, with its sign, and is 0 in the other."""
    ticket = constructed({"centred": True})
    for module in slth.source(ticket).maps:
        mixing = module.mixing.numpy()
        half = len(mixing) // 2
        assert ((mixing[:half] != 0) ^ (mixing[half : 2 * half] != 0)).all()
    assert ticket.candidates_kept * 2 == ticket.candidate_count == 2 * ticket.mask_bits
    whole = {tensor.path: tensor.kept for tensor in ticket.tensors}
    for path, op in ticket.maps.items():
        assert whole[f"{path}/mixing"] + whole[f"{path}/mirror/mixing"] == ticket.gadgets[path].cost(op).mask_bits


def test_a_ticket_of_pairs_that_keeps_both_or_neither_is_refused():
    ticket = constructed({"centred": True})
    wrong = [
        replace(tensor, kept=tensor.kept + 1) if tensor.path.endswith("mirror/mixing") else tensor
        for tensor in ticket.tensors
    ]
    with pytest.raises(InputError, match="exactly one is kept"):
        replace(ticket, tensors=tuple(wrong))


def test_a_number_that_was_pruned_from_the_start_cannot_be_kept():
    """Of a randomly pruned source half of the bits must be 0: one of them set, and the ticket does not verify."""
    ticket = constructed({"law": "pruned/0.5"})
    path, op = next(iter(ticket.maps.items()))
    block = next(ticket.gadgets[path].problems(path, op, ticket.seed))
    gone = block.candidates() == 0
    assert 0.4 < gone.mean() < 0.6
    assert not (block.kept(ticket.masks) & gone).any()
    packed = np.zeros((gone[..., 0].size, 1), np.uint64)
    first = np.argwhere(gone)[0]
    packed[np.ravel_multi_index(tuple(first[:2]), gone.shape[:2]), 0] = np.uint64(1) << np.uint64(first[2])
    masks = {name: bits.copy() for name, bits in ticket.masks.items()}
    block.keep(packed, masks)
    tensors = [
        replace(tensor, kept=tensor.kept + 1) if tensor.path == f"{path}/mixing" else tensor
        for tensor in ticket.tensors
    ]
    forged = replace(ticket, masks=masks, tensors=tuple(tensors))
    with pytest.raises(InputError, match="pruned from the start"):
        forged.realised(path)
    found = slth.verify(forged, target=state())
    assert not found.holds
    assert any("pruned from the start" in check.detail for check in found.checks)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("normal", "a law of sources"),
        ("gaussian", "update slth"),
        ("pruned/0.3", "update slth"),
        ("grid/8", "as its gadget has it"),
        (7, "one of uniform"),
    ],
)
def test_a_file_with_another_law_is_refused(value, words):
    meta, entries, body = parts(encode(constructed({"law": "normal/20"})))
    path = next(iter(meta["gadgets"]))
    with pytest.raises(InputError, match=words):
        decode(sealed(changed(meta, ("gadgets", path, "law"), value), entries, body))


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        ({"law": "sign"}, "whole gains"),
        ({"law": "gauss"}, "expected a law of random numbers"),
        ({"law": "normal"}, "normal/20"),
        ({"law": "pruned/0.3"}, "the nearest is 0.30078125"),
        ({"law": "normal/20", "centred": True}, "of the law uniform"),
        ({"centred": True, "objective": "fewest"}, "exactly one is kept"),
    ],
)
def test_what_no_theorem_covers_is_refused_with_a_reason(recipe, words):
    with pytest.raises(InputError, match=words):
        slth.construct(state(), input_range=(-1, 1), **recipe)


@pytest.mark.parametrize(
    ("recipe", "words"),
    [({"law": "hyperbolic/5"}, "give candidates"), ({"law": "grid/3"}, r"2\*\*-3 gains and more")],
)
def test_where_no_chances_are_known_the_candidates_must_be_given(recipe, words):
    with pytest.raises(InputError, match=words):
        slth.construct(state(), input_range=(-1, 1), relative_tolerance=0.02, **recipe)
