"""The checker accepts honest tickets and rejects every forgery; each forgery below is resealed with a right digest."""

import re
import weakref
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from attacks.forging import forged
from helpers.gadgets import staged
from helpers.networks import random_target
from helpers.tickets import any_ticket

from slth.construction import Request, construct
from slth.evidence import CHECKS, verify
from slth.graph import Affine, Graph, Node, Realised, Target, chain
from slth.records import Verdict
from slth.ticket import Inputs, Ticket, TicketError, encode, load, pack, realise, save

SIGNED = Inputs((3,), lower=(-1.0,), upper=(1.0,))


@pytest.fixture(scope="module")
def target():
    return random_target((3, 4, 2))


@pytest.fixture(scope="module")
def ticket(target):
    return construct(target, Request(tolerance=1e-3, candidates=24, lift="relu"), inputs=SIGNED)


def failures(result):
    return {check.name for check in result.checks if check.verdict is Verdict.FAILS}


def claims_of(result):
    """The last check of the claims."""
    *_, check = (check for check in result.checks if check.name == "claims")
    return check


def resealed(ticket, tmp_path):
    """Through the file, so that digest and layout are right again."""
    return load(save(ticket, tmp_path / "forged.slth"))


def test_an_honest_ticket_holds(ticket, target, tmp_path):
    path = save(ticket, tmp_path / "t.slth")
    with_target = verify(path, target=target)
    assert with_target.holds
    said = {check.name for check in with_target.checks if check.verdict is Verdict.SAYS}
    assert said == {"inputs", "origin"}
    assert {check.verdict for check in with_target.checks} == {Verdict.HOLDS, Verdict.SAYS}
    alone = verify(path)
    assert alone.holds
    assert {check.name for check in alone.checks if check.verdict is Verdict.NOT_CHECKED} == {"target", "claims"}


def test_every_single_bit_flip_of_the_file_is_rejected(ticket, target, tmp_path):
    """By the file digest, as a failed check or as a file that is no ticket; never accepted."""
    data = encode(ticket)
    path = tmp_path / "flipped.slth"
    rng = np.random.default_rng(0)
    for at in np.concatenate([np.arange(0, 200), rng.integers(200, len(data), 400)]):
        for bit in range(8):
            flipped = bytearray(data)
            flipped[at] ^= 1 << bit
            path.write_bytes(bytes(flipped))
            with suppress(TicketError):
                assert not verify(path).holds


@pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.slow)])
def test_every_flipped_live_mask_bit_is_rejected(step, ticket, target, tmp_path):
    """Every seventh, and every one where there is time."""
    for path in ticket.maps:
        mask = ticket.map_mask(path)
        for at in range(0, mask.size, step):
            flipped = mask.copy()
            flipped.reshape(-1)[at] ^= True
            lie = forged(ticket, masks={f"{path}/mixing": pack(flipped)})
            assert failures(verify(lie)) == {"coefficients"}
            if at % 50 == 0:
                assert "coefficients" in failures(verify(resealed(lie, tmp_path), target=target))


def test_another_seed_is_rejected(ticket, target, tmp_path):
    lie = resealed(replace(ticket, seed=ticket.seed + 1), tmp_path)
    assert {"streams"} <= failures(verify(lie, target=target))
    assert not verify(lie).holds


def test_another_head_width_or_digest_is_rejected(ticket, target, tmp_path):
    heads = {**ticket.heads, "layers/0/lift": "0" * 64}
    assert failures(verify(resealed(replace(ticket, heads=heads), tmp_path))) == {"streams"}
    gadget = ticket.gadgets["layers/0"]
    for wrong in (1, -1):
        other = forged(ticket, gadgets={"layers/0": staged(gadget, neurons=gadget.neurons + wrong)})
        assert "layout" in failures(verify(resealed(other, tmp_path), target=target))
    digests = {**ticket.digests, "layers/0": "0" * 64}
    assert failures(verify(resealed(replace(ticket, digests=digests), tmp_path))) == {"coefficients"}


def test_every_shrunken_claim_is_rejected(ticket, target, tmp_path):
    """Each number of the certificate is a claim of its own."""
    honest = ticket.claims
    shrunken = [replace(honest, **{name: getattr(honest, name) * (1 - 1e-5)}) for name in ("sup_error", "l2_error")]
    for o, value in enumerate(honest.output_error):
        outputs = tuple(value * (1 - 1e-5) if k == o else v for k, v in enumerate(honest.output_error))
        shrunken.append(replace(honest, output_error=outputs))
    for path, claim in honest.maps.items():
        for name in ("weight_error", "bias_error", "operator_error", "sup_error", "l2_error"):
            smaller = replace(claim, **{name: getattr(claim, name) * (1 - 1e-5)})
            shrunken.append(replace(honest, maps={**honest.maps, path: smaller}))
        other = replace(claim, tolerance=claim.tolerance * 2)
        shrunken.append(replace(honest, maps={**honest.maps, path: other}))
    assert len(shrunken) == 2 + 2 + 2 * 6
    for claims in shrunken:
        lie = resealed(replace(ticket, claims=claims), tmp_path)
        assert failures(verify(lie, target=target)) == {"claims"}
        apart = claims.sup_error < max(claims.output_error) or claims.tolerances != honest.tolerances
        assert verify(lie).holds != apart  # where claims agree, nobody can know without the target


def test_a_tighter_tolerance_than_was_reached_is_rejected(ticket, target):
    maps = {path: replace(claim, tolerance=1e-5) for path, claim in ticket.claims.maps.items()}
    lie = replace(
        ticket,
        claims=replace(ticket.claims, maps=maps),
        provenance=replace(ticket.provenance, asked={**ticket.provenance.asked, "tolerance": 1e-5}),
    )
    assert "claims" in failures(verify(lie, target=target))


def test_a_changed_target_is_rejected(ticket, target):
    """One weight moved by one unit in the last place; another shape; a missing bias."""
    first, last = target.coefficients.values()
    weight = first.weight.copy()
    weight[1, 2, 0] = np.nextafter(weight[1, 2, 0], 9)
    assert "target" in failures(verify(ticket, target=chain([Affine(weight, first.bias), last])))
    assert failures(verify(ticket, target=random_target((3, 5, 2)))) == {"target"}
    assert failures(verify(ticket, target=random_target((3, 4, 2), bias=False))) == {"target"}
    far = chain([Affine(first.weight + 0.1, first.bias), last])
    assert failures(verify(ticket, target=far)) == {"target", "claims"}


def test_the_same_layers_put_together_in_another_way_are_another_target(ticket, target):
    """One ReLU more at the end: every map fits, the network is another one, and no claim is compared."""
    nodes = target.graph.nodes
    other = Graph((*nodes, Node("relu/1", nodes[1].op, (nodes[-1].name,))))
    found = verify(ticket, target=Target(other, target.coefficients))
    assert failures(found) == {"target"}
    assert [check.name for check in found.checks] == ["streams", "layout", "coefficients", "target", "inputs", "origin"]
    assert found.checks[3].detail == "the target has 4 nodes, the ticket 3"


def test_the_first_layer_of_another_shape_is_named():
    ticket, _ = any_ticket((3, 4, 5, 2))

    def detail(widths, bias=True):
        found = verify(ticket, target=any_ticket(widths, bias=bias)[1])
        (check,) = (check for check in found.checks if check.verdict is Verdict.FAILS)
        return check.detail

    first = "map 1 of 3 differs: the target's is 4 -> 6 with a bias, the ticket's 4 -> 5 with a bias"
    assert detail((3, 4, 6, 2)) == first
    assert detail((3, 4, 5, 2), bias=False).startswith("map 0 of 3 differs: the target's is 3 -> 4 without bias")
    assert detail((3, 4, 2)) == "the target has 2 maps, the ticket 3"


def test_the_checker_prints_no_bound_below_the_one_that_holds(ticket, target):
    """Any larger claim holds, too: so each of these does, and its sentence must state it rounded up."""
    for i in range(30):
        bound = ticket.claims.sup_error * (1 + i / 79)
        outputs = tuple(error * (1 + i / 79) for error in ticket.claims.output_error)
        larger = replace(ticket.claims, sup_error=bound, output_error=outputs)
        check = claims_of(verify(replace(ticket, claims=larger), target=target))
        assert check.verdict is Verdict.HOLDS
        assert bound <= float(re.search(r"<= (\S+) on every input", check.detail)[1]) < bound * 1.001


def test_a_claim_that_fails_by_a_hair_is_told_from_the_truth(ticket, target):
    def told(claim):
        claims = replace(ticket.claims, sup_error=claim)
        found = verify(replace(ticket, claims=claims), target=target)
        check = next(check for check in found.checks if check.name == "claims")
        assert check.verdict is Verdict.FAILS
        return map(float, re.search(r"sup error is (\S+), the ticket claims at most (\S+)", check.detail).groups())

    truth, _ = told(ticket.claims.sup_error / 2)
    hair = float(np.nextafter(truth, 0))
    assert tuple(told(hair)) == (truth, hair)


def test_hidden_and_invented_misses_are_rejected(target):
    ticket = construct(target, Request(tolerance=1e-3, candidates=8), inputs=SIGNED)
    assert ticket.misses > 3
    assert verify(ticket, target=target).holds
    claims = ticket.claims
    fewer = replace(claims.maps["layers/0"], misses=claims.maps["layers/0"].misses - 1)
    hidden = replace(ticket, claims=replace(claims, maps={**claims.maps, "layers/0": fewer}))
    assert failures(verify(hidden, target=target)) == {"claims"}
    first = ticket.provenance.misses[0]
    for lie in (
        replace(first, error=first.error / 2),
        replace(first, half="bias"),
        replace(first, half="positive", input=-1),
        replace(first, map="layers/1", half="negative"),
    ):
        provenance = replace(ticket.provenance, misses=(lie,))
        assert failures(verify(replace(ticket, provenance=provenance), target=target)) == {"claims"}


def test_an_error_of_the_network_that_was_asked_for_is_compared_with_the_claim(ticket, target):
    """The ticket may claim less than was asked; it may not claim more, and not nothing."""
    bound = ticket.claims.sup_error
    for epsilon, found in ((bound, set()), (float(np.nextafter(bound, 0)), {"claims"})):
        asked = {**ticket.provenance.asked, "tolerance": None, "epsilon": epsilon}
        lie = replace(ticket, provenance=replace(ticket.provenance, asked=asked))
        assert failures(verify(lie, target=target)) == found


def test_a_map_that_cannot_be_regenerated_holds_no_claim(ticket, target):
    gadget = ticket.gadgets["layers/1"]
    lie = forged(ticket, gadgets={"layers/1": staged(gadget, neurons=gadget.neurons + 1)})
    found = {check.name: check.detail for check in verify(lie, target=target).checks}
    assert "layers/1: the scan ends after" in found["layout"]
    assert found["claims"] == "a map cannot be regenerated, so no claim holds"


def test_every_check_looks_at_what_is_there(ticket):
    """The list is one for all tickets: of a constructed one nothing is said about masks, moves and weights as given."""
    made = ["streams", "layout", "coefficients", "target", "claims", "inputs", "origin"]
    assert [check.name for check in verify(ticket).checks] == made
    assert len(CHECKS) == 8  # layout, coefficients, target and claims are one pass over the maps


@pytest.mark.parametrize("beside", [False, True])
def test_each_map_is_regenerated_once_and_one_at_a_time(ticket, target, beside, monkeypatch):
    alive, asked, told = weakref.WeakSet(), [], []

    class Once(Realised):
        """A realisation that can be watched."""

        __slots__ = ("__weakref__",)

    def regenerate(self, path, *, threads):
        assert not alive
        asked.append(path)
        found = realise(self.gadgets[path], path, self.maps[path], seed=self.seed, masks=self.masks, threads=threads)
        watched = Once(found.positive, found.negative, found.bias, found.signed)
        alive.add(watched)
        return watched

    monkeypatch.setattr(Ticket, "realised", regenerate)
    assert verify(ticket, target=target if beside else None, progress=lambda *counts: told.append(counts)).holds
    assert asked == list(ticket.maps)
    sizes = np.cumsum([op.weights for op in ticket.maps.values()]).tolist()
    assert told == [(size, sizes[-1]) for size in sizes]


def test_the_checker_never_calls_a_solver(ticket, target, monkeypatch):
    import slth.subsetsum

    for name in ("first", "closest", "first_batch", "closest_batch"):
        monkeypatch.setattr(slth.subsetsum, name, None)
    assert verify(ticket, target=target).holds
