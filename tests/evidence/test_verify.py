"""The checker accepts honest tickets and rejects every forgery; each forgery below is resealed with a right digest."""

import re
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from helpers.networks import random_target
from helpers.tickets import any_ticket

from slth.certificate import Affine
from slth.construction import Plan, construct
from slth.evidence import Verdict, verify
from slth.ticket import Asked, Domain, TicketError, encode, load, pack, unpack

SIGNED = Domain((-1.0,), (1.0,))


@pytest.fixture(scope="module")
def target():
    return random_target((3, 4, 2))


@pytest.fixture(scope="module")
def ticket(target):
    return construct(target, Plan(tolerance=1e-3, candidates=24), domain=SIGNED)


def failures(result):
    return {check.name for check in result.checks if check.verdict is Verdict.FAILS}


def resealed(ticket, tmp_path):
    """Through the file, so that digest and layout are right again."""
    return load(ticket.save(tmp_path / "forged.slth"))


def test_an_honest_ticket_holds(ticket, target, tmp_path):
    path = ticket.save(tmp_path / "t.slth")
    with_target = verify(path, target=target)
    assert with_target.holds
    assert {check.verdict for check in with_target.checks} == {Verdict.HOLDS}
    alone = verify(path)
    assert alone.holds
    assert {check.name for check in alone.checks if check.verdict is Verdict.NOT_CHECKED} == {"target", "certificate"}


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


def test_every_flipped_live_mask_bit_is_rejected(ticket, target, tmp_path):
    for i, layer in enumerate(ticket.layers):
        mask = unpack(layer, ticket.masks[i])
        for at in range(mask.size):
            flipped = mask.copy()
            flipped.reshape(-1)[at] ^= True
            masks = tuple(pack(flipped) if k == i else m for k, m in enumerate(ticket.masks))
            forged = replace(ticket, masks=masks)
            if at % 50 == 0:
                forged = resealed(forged, tmp_path)
            assert "coefficients" in failures(verify(forged, target=target))


def test_another_seed_is_rejected(ticket, target, tmp_path):
    forged = resealed(replace(ticket, seed=ticket.seed + 1), tmp_path)
    assert {"streams"} <= failures(verify(forged, target=target))
    assert not verify(forged).holds


def test_another_head_width_or_digest_is_rejected(ticket, target, tmp_path):
    heads = ("0" * 64, *ticket.heads[1:])
    assert failures(verify(resealed(replace(ticket, heads=heads), tmp_path))) == {"streams"}
    wider = replace(ticket, layers=(replace(ticket.layers[0], neurons=ticket.layers[0].neurons + 1), ticket.layers[1]))
    assert "layout" in failures(verify(resealed(wider, tmp_path), target=target))
    narrower = replace(
        ticket, layers=(replace(ticket.layers[0], neurons=ticket.layers[0].neurons - 1), ticket.layers[1])
    )
    assert "layout" in failures(verify(resealed(narrower, tmp_path), target=target))
    digests = ("0" * 64, ticket.digests[1])
    assert failures(verify(resealed(replace(ticket, digests=digests), tmp_path))) == {"coefficients"}


def test_every_shrunken_claim_is_rejected(ticket, target, tmp_path):
    """Each number of the certificate is a claim of its own."""
    honest = ticket.certificate
    shrunken = [replace(honest, **{name: getattr(honest, name) * (1 - 1e-5)}) for name in ("sup_error", "l2_error")]
    for o, value in enumerate(honest.output_error):
        outputs = tuple(value * (1 - 1e-5) if k == o else v for k, v in enumerate(honest.output_error))
        shrunken.append(replace(honest, output_error=outputs))
    for i, layer in enumerate(honest.layers):
        for name in ("weight_error", "bias_error", "operator_error", "sup_error", "l2_error"):
            smaller = replace(layer, **{name: getattr(layer, name) * (1 - 1e-5)})
            shrunken.append(
                replace(honest, layers=tuple(smaller if k == i else c for k, c in enumerate(honest.layers)))
            )
        other = replace(layer, tolerance=layer.tolerance * 2)
        shrunken.append(replace(honest, layers=tuple(other if k == i else c for k, c in enumerate(honest.layers))))
    assert len(shrunken) == 2 + 2 + 2 * 6
    for certificate in shrunken:
        forged = resealed(replace(ticket, certificate=certificate), tmp_path)
        assert failures(verify(forged, target=target)) == {"certificate"}
        assert verify(forged).holds  # without the target nobody can know


def test_a_tighter_tolerance_than_was_reached_is_rejected(ticket, target):
    layers = tuple(replace(claim, tolerance=1e-5) for claim in ticket.certificate.layers)
    forged = replace(
        ticket,
        certificate=replace(ticket.certificate, layers=layers),
        provenance=replace(ticket.provenance, asked=Asked(tolerance=1e-5)),
    )
    assert "certificate" in failures(verify(forged, target=target))


def test_a_changed_target_is_rejected(ticket, target):
    """One weight moved by one unit in the last place; another shape; a missing bias."""
    weight = target[0].weight.copy()
    weight[1, 2, 0] = np.nextafter(weight[1, 2, 0], 9)
    assert "target" in failures(verify(ticket, target=[Affine(weight, target[0].bias), target[1]]))
    assert failures(verify(ticket, target=random_target((3, 5, 2)))) == {"target"}
    assert failures(verify(ticket, target=random_target((3, 4, 2), bias=False))) == {"target"}
    far = [Affine(target[0].weight + 0.1, target[0].bias), target[1]]
    assert failures(verify(ticket, target=far)) == {"target", "certificate"}


def test_the_first_layer_of_another_shape_is_named():
    ticket, _ = any_ticket((3, 4, 5, 2))

    def detail(widths, bias=True):
        found = verify(ticket, target=any_ticket(widths, bias=bias)[1])
        (check,) = (check for check in found.checks if check.verdict is Verdict.FAILS)
        return check.detail

    first = "layer 1 of 3 differs: the target's is 4 -> 6 with a bias, the ticket's 4 -> 5 with a bias"
    assert detail((3, 4, 6, 2)) == first
    assert detail((3, 4, 5, 2), bias=False).startswith("layer 0 of 3 differs: the target's is 3 -> 4 without bias")
    assert detail((3, 4, 2)) == "the target has 2 layers, the ticket 3"


def test_the_checker_prints_no_bound_below_the_one_that_holds(ticket, target):
    """Any larger claim holds, too: so each of these does, and its sentence must state it rounded up."""
    for i in range(30):
        bound = ticket.certificate.sup_error * (1 + i / 79)
        outputs = tuple(error * (1 + i / 79) for error in ticket.certificate.output_error)
        larger = replace(ticket.certificate, sup_error=bound, output_error=outputs)
        *_, check = verify(replace(ticket, certificate=larger), target=target).checks
        assert check.verdict is Verdict.HOLDS
        assert bound <= float(re.search(r"<= (\S+) on every input", check.detail)[1]) < bound * 1.001


def test_a_claim_that_fails_by_a_hair_is_told_from_the_truth(ticket, target):
    def told(claim):
        claims = replace(ticket.certificate, sup_error=claim)
        *_, check = verify(replace(ticket, certificate=claims), target=target).checks
        assert check.verdict is Verdict.FAILS
        return map(float, re.search(r"sup error is (\S+), the ticket claims at most (\S+)", check.detail).groups())

    truth, _ = told(ticket.certificate.sup_error / 2)
    hair = float(np.nextafter(truth, 0))
    assert tuple(told(hair)) == (truth, hair)


def test_hidden_and_invented_misses_are_rejected(target):
    ticket = construct(target, Plan(tolerance=1e-3, candidates=8), domain=SIGNED)
    assert ticket.misses > 3
    assert verify(ticket, target=target).holds
    claims = ticket.certificate
    fewer = replace(claims.layers[0], misses=claims.layers[0].misses - 1)
    hidden = replace(ticket, certificate=replace(claims, layers=(fewer, *claims.layers[1:])))
    assert failures(verify(hidden, target=target)) == {"certificate"}
    first = ticket.provenance.misses[0]
    for lie in (
        replace(first, error=first.error / 2),
        replace(first, half="bias"),
        replace(first, half="positive", input=-1),
        replace(first, layer=1, half="negative"),
    ):
        provenance = replace(ticket.provenance, misses=(lie,))
        assert failures(verify(replace(ticket, provenance=provenance), target=target)) == {"certificate"}


def test_the_checker_never_calls_a_solver(ticket, target, monkeypatch):
    import slth.subsetsum

    for name in ("first", "closest", "first_batch", "closest_batch"):
        monkeypatch.setattr(slth.subsetsum, name, None)
    assert verify(ticket, target=target).holds
