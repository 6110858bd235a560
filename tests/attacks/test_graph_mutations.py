"""A mutant of a ticket of version 2 is refused, or every word of it is true; what is read is written back the same."""

from dataclasses import replace

import pytest
from attacks.graph_hunt import verdict
from attacks.graph_mutants import KINDS, mutant
from attacks.graph_oracle import lies
from attacks.graph_specimens import branches, proved, specimens
from attacks.hunting import hunted
from helpers.tickets import misses_of

from slth.certificate import certify
from slth.evidence.verify import verify
from slth.ticket import decode, encode


def test_six_hundred_mutants_are_refused_or_true():
    ends = hunted("graph_hunt.py", 0, 600, timeout=300)["ends"]
    assert {end.split(",")[0] for end in ends} == {*KINDS}
    assert ends["bytes, damaged"] > 3  # each net catches something: the digest,
    assert ends["tree, refused"] > 100  # the validation of a sealed file,
    assert ends["forged, fails"] > 10  # the checker;
    assert sum(n for end, n in ends.items() if ", true" in end) > 10  # and some mutants are honest


@pytest.mark.parametrize("count", [pytest.param(count, marks=pytest.mark.slow) for count in (40, 80)])
def test_what_the_checker_rejects_is_mostly_a_clear_lie(count):
    """Were the checker blind, the hunt would see it: an oracle that shares no code refutes the same forgeries.

    It refuted 56 of 70; the others were nudged below a bound that is not attained.
    """
    originals = specimens()
    files = [encode(ticket) for ticket, _ in originals]
    seen = rejected = 0
    for number in range(count):
        _, which, data = mutant(number, originals, files, kind="forged")
        target = originals[which][1]
        if data and target is not None and verdict(data, target, files[which]) == "fails":
            rejected += 1
            seen += bool(lies(data, decode(data), target))
    assert rejected > 15
    assert seen > 0.7 * rejected


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        ({"tolerance": 0.5}, True),
        ({"tolerance": 0.25}, False),
        ({"relative_tolerance": 0.25}, True),
        ({"relative_tolerance": 0.5}, False),
        ({"epsilon": 1e6}, True),
        ({"epsilon": 1e-6}, False),
        ({"exact": True}, False),
    ],
    ids=str,
)
def test_what_was_asked_for_is_what_is_claimed(asked, answered):
    """τ of every map, τ over its gain, the network's error; nobody claims to be the target itself, yet."""
    ticket, target = proved(branches())
    claims, misses = ticket.claims, ticket.provenance.misses
    if "relative_tolerance" in asked:
        tolerances = {path: 0.25 * gadget.gain for path, gadget in ticket.gadgets.items()}
        maps = {path: ticket.realised(path) for path in ticket.maps}
        claims = certify(target, maps.__getitem__, tolerances=tolerances, box=ticket.inputs.box)
        misses = misses_of(target, maps, tolerances)
    ticket = replace(ticket, claims=claims, provenance=replace(ticket.provenance, asked=asked, misses=misses))
    assert verify(ticket, target=target).holds == answered
    assert (lies(encode(ticket), ticket, target) == []) == answered


def test_a_ticket_may_claim_less_than_the_rules_can():
    """One number for all outputs; claims that stop where a later rule goes on; nothing."""
    ticket, target = proved(branches())
    whole = ticket.claims
    each = (max(whole.output_error),)
    nothing = {path: replace(claim, sup_error=None, l2_error=None) for path, claim in whole.maps.items()}
    for claims in (
        replace(whole, output_error=each),
        replace(whole, maps=nothing, sup_error=None, l2_error=None, output_error=None, stops=("n1",)),
        replace(whole, maps=nothing, sup_error=None, l2_error=None, output_error=None),
    ):
        weaker = decode(encode(replace(ticket, claims=claims)))
        assert verify(weaker, target=target).holds
    smaller = replace(whole, output_error=(min(whole.output_error) / 2,))
    assert not verify(replace(ticket, claims=smaller), target=target).holds
    odd = replace(ticket, claims=replace(whole, output_error=whole.output_error[:2]))
    assert "speaks of 2 outputs" in str(verify(odd, target=target).checks)


@pytest.mark.slow
def test_a_hundred_thousand_mutants_are_refused_or_true():
    """Measured on one core: about twelve minutes, no mutant above 0.1 s; the process grows by less than 200 MiB."""
    found = hunted("graph_hunt.py", 0, 100_000, timeout=14_400)
    print(f"\n{found['seconds']:.0f} s, slowest {found['slowest'][0]:.2f} s, {found['KiB'] / 1024:.0f} MiB")
    print("\n".join(f"{count:7,}  {end}" for end, count in sorted(found["ends"].items())))
    assert found["slowest"][0] < 10
    assert found["KiB"] < 300 * 1024
