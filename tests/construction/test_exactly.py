"""Tickets of a prescribed density (Natale et al., 2024): each coefficient keeps exactly k = ⌊γ n⌋ of n candidates."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.networks import inputs_of, random_target

from slth import InputError
from slth.construction import Request, construct, plan_layout
from slth.construction.objective_chances import exactly_chances, kept_of
from slth.evidence import verify
from slth.graph import Affine, chain
from slth.records import Verdict
from slth.ticket import TicketError, decode, encode, summary


def asked(**changed):
    return Request(**{"objective": "exactly", "density": 0.2, "tolerance": 0.02, "candidates": 30, **changed})


@pytest.fixture(scope="module")
def made():
    """A network with biases, signed inputs and exact zeros."""
    target = random_target((4, 6, 3))
    for affine in target.coefficients.values():
        affine.weight[0, :2] = 0.0
    inputs = inputs_of(target, -1.0, 1.0)
    return construct(target, asked(), inputs=inputs), target


def counts_of(ticket):
    for path, op in ticket.maps.items():
        for block in ticket.gadgets[path].problems(path, op, ticket.seed):
            yield block.kept(ticket.masks).sum(axis=2)


def test_every_coefficient_keeps_exactly_k_zeros_and_biases_too(made):
    ticket, _ = made
    assert all((counts == 6).all() for counts in counts_of(ticket))
    assert [gadget.stages[0].kept for gadget in ticket.gadgets.values()] == [(6, 6)] * 2
    assert ticket.candidates_kept / ticket.mask_bits == 0.2
    assert ticket.misses == 0


def test_a_file_says_k_and_a_reader_and_verify_check_it(made):
    ticket, target = made
    again = decode(encode(ticket))
    assert again.gadgets == ticket.gadgets
    found = {check.name: check for check in verify(again, target=target).checks}
    assert all(check.verdict in (Verdict.HOLDS, Verdict.SAYS) for check in found.values())
    assert "6 of 30 per weight, 6 of 30 per bias" in found["density"].detail
    rows = dict(summary(ticket))
    assert "density 0.2 of the candidates asked" in rows["kept of each"]
    assert f"{ticket.density:.4f} of all entries" in rows["kept of each"]


def test_one_bit_that_goes_to_another_coefficient_is_found(made):
    """The whole mask keeps as many as before: only counting by coefficient sees it."""
    ticket, target = made
    path = next(iter(ticket.maps))
    mask = ticket.masks[f"{path}/mixing"].copy()
    block = next(iter(ticket.gadgets[path].problems(path, ticket.maps[path], ticket.seed)))
    kept = block.kept(ticket.masks)
    one, other = int(np.flatnonzero(kept[0, 0])[0]), int(np.flatnonzero(~kept[1, 0])[0])
    for slot, k in ((0, one), (1, other)):
        at = block.columns[slot, k]
        mask[at // 8] ^= 1 << at % 8
    wrong = replace(ticket, masks={**ticket.masks, f"{path}/mixing": mask})
    with pytest.raises(InputError, match=r"row 0, tap 0, .*: 5 candidates are kept, .* exactly 6"):
        wrong.realised(path)
    failed = [check for check in verify(wrong, target=target).checks if check.verdict is Verdict.FAILS]
    assert {check.name for check in failed} == {"density", "claims"}


def test_a_bit_more_is_refused_before_anything_is_regenerated(made):
    ticket, _ = made
    path = next(iter(ticket.maps))
    tensors = [replace(t, kept=t.kept + 1) if t.path == f"{path}/mixing" else t for t in ticket.tensors]
    mask = ticket.masks[f"{path}/mixing"].copy()
    at = int(np.flatnonzero(~np.unpackbits(mask, bitorder="little").astype(bool))[0])
    mask[at // 8] |= 1 << at % 8
    with pytest.raises(InputError, match="every coefficient keeps as many candidates as the ticket says"):
        replace(ticket, tensors=tuple(tensors), masks={**ticket.masks, f"{path}/mixing": mask})


def test_a_stated_k_beyond_n_is_refused(made):
    ticket, _ = made
    text = encode(ticket)
    assert text.count(rb"\"kept\":[6,6]") == 2
    with pytest.raises(TicketError):
        decode(text.replace(rb"\"kept\":[6,6]", rb"\"kept\":[0,6]"))


@pytest.mark.parametrize(
    ("density", "n", "k"), [(0.29, 100, 29), (0.1, 30, 3), (0.3, 10, 3), (0.7, 10, 7), (1 / 3, 9, 2)]
)
def test_the_density_is_the_decimal_that_was_written(density, n, k):
    """0.29 as a float64 is below 29/100, and 100 of its candidates are 29 all the same; ⅓ written out is below ⅓."""
    assert kept_of(density, n) == k


def test_a_planned_width_is_the_least_that_expects_few_misses():
    """n* = min over k of max(n*(k), k/γ): one candidate fewer, and the misses expected are too many."""
    target = random_target((40, 30), bias=False)
    inputs = inputs_of(target, 0.0, 1.0)
    plans = {}
    for density in (0.1, 0.2, 0.5):
        request = asked(density=density, candidates=None, tolerance=0.01)
        plans[density] = plan_layout(target, request, inputs=inputs)
        n = plans[density].gadgets["layers/0"].candidates
        assert plans[density].expected_misses <= 0.01
        fewer = plan_layout(target, replace(request, candidates=n - 1), inputs=inputs)
        assert fewer.expected_misses > 0.01
    widths = {density: layout.gadgets["layers/0"].candidates for density, layout in plans.items()}
    assert widths[0.5] > widths[0.2]
    ticket = construct(target, asked(density=0.1, candidates=None, tolerance=0.01), inputs=inputs)
    assert ticket.misses == 0


def test_chances_fall_with_candidates_and_rise_with_precision():
    for k in (3, 6, 9):
        found = np.array([[exactly_chances(n, k, 2.0**-bits) for n in range(k, 65)] for bits in (4, 7, 9, 12, 20)])
        assert ((found >= 0) & (found <= 1)).all()
        assert (np.diff(found, axis=1) <= 1e-12).all()
        assert (np.diff(found, axis=0) >= -1e-12).all()
        assert (np.diff(found, axis=2) >= -1e-12).all()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"density": None}, "a density goes with the objective exactly"),
        ({"objective": "within"}, "a density goes with the objective exactly"),
        ({"density": 0.01}, "keeps none of 64 candidates"),
        ({"density": 0.02}, "keeps none of 30 candidates; give more candidates, at least 50"),
        ({"density": 0.95, "candidates": None}, "ask for a larger tolerance|reach no tolerance at all"),
    ],
)
def test_what_no_density_allows_is_refused_in_a_sentence(changed, words):
    target = random_target((3, 2))
    with pytest.raises(InputError, match=words):
        construct(target, asked(**changed), inputs=inputs_of(target, 0.0, 1.0))


def test_the_network_of_another_ticket_serves_a_density(made):
    """The source says n, the request k."""
    ticket, target = made
    plain = construct(target, Request(tolerance=0.02, candidates=30), inputs=ticket.inputs)
    again = construct(
        target, Request(tolerance=0.02, objective="exactly", density=0.2, source=plain), inputs=ticket.inputs
    )
    assert again.gadgets == ticket.gadgets
    assert encode(again) != encode(plain)
    within = construct(target, Request(tolerance=0.02, source=ticket), inputs=ticket.inputs)
    assert within.gadgets == plain.gadgets


def test_the_closest_of_many_is_refused_before_the_search():
    target = random_target((3, 2))
    with pytest.raises(InputError, match="the closest subset is found of up to 40 candidates, and this takes 41"):
        construct(target, Request(objective="closest", candidates=41), inputs=inputs_of(target, 0.0, 1.0))


def test_a_zero_layer_keeps_k_all_the_same():
    """Keeping nothing would be the ticket of no density."""
    target = chain([Affine(np.zeros((3, 4, 1)), None)])
    ticket = construct(target, asked(), inputs=inputs_of(target, 0.0, 1.0))
    assert all((counts == 6).all() for counts in counts_of(ticket))
    assert ticket.misses == 0
