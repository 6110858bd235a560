"""A tolerance in gains of each map: asked, kept, written, checked."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.networks import inputs_of, random_target

import slth
from slth import InputError
from slth.certificate import certify
from slth.construction import Request, construct, gain, plan_layout
from slth.evidence import verify
from slth.records import verbs
from slth.ticket import decode, encode

SIGNED = -1.0, 1.0
RELATIVE = 2.0**-7


@pytest.fixture(scope="module")
def made():
    """Two maps whose gains differ by 2³."""
    target = random_target((6, 9, 3))
    target.coefficients["layers/1"].weight[:] *= 8.0
    return target, construct(target, Request(relative_tolerance=RELATIVE), inputs=inputs_of(target, *SIGNED))


def test_the_tolerance_of_each_map_is_so_many_of_its_gains_and_is_met(made):
    target, ticket = made
    assert ticket.provenance.asked["relative_tolerance"] == RELATIVE
    assert ticket.provenance.asked["tolerance"] is None
    gains = {path: gain(affine.weight) for path, affine in target.coefficients.items()}
    assert gains["layers/1"] >= 4 * gains["layers/0"]
    assert ticket.claims.tolerances == {path: RELATIVE * g for path, g in gains.items()}
    assert ticket.misses == 0
    for path, affine in target.coefficients.items():
        error = np.abs(ticket.realised(path).positive - affine.weight).max()
        assert error <= RELATIVE * gains[path]
    planned = plan_layout(target, Request(relative_tolerance=RELATIVE), inputs=inputs_of(target, *SIGNED))
    assert [g.candidates for g in planned.gadgets.values()] == [g.candidates for g in ticket.gadgets.values()]


def test_scaling_a_network_by_a_power_of_two_scales_the_ticket_and_changes_no_bit_of_its_masks(made):
    target, ticket = made
    for affine in target.coefficients.values():
        affine.weight[:] *= 4.0
        affine.bias[:] *= 4.0
    scaled = construct(target, Request(relative_tolerance=RELATIVE), inputs=inputs_of(target, *SIGNED))
    for affine in target.coefficients.values():
        affine.weight[:] /= 4.0
        affine.bias[:] /= 4.0
    for path, gadget in ticket.gadgets.items():
        assert scaled.gadgets[path].gain == 4 * gadget.gain
        assert scaled.gadgets[path].candidates == gadget.candidates
        assert (ticket.realised(path).positive * 4 == scaled.realised(path).positive).all()


def test_the_file_is_version_2_and_comes_back_as_it_was(made):
    target, ticket = made
    data = encode(ticket)
    assert b"2-draft" in data[:4096]
    back = decode(data)
    assert back.provenance.asked == ticket.provenance.asked
    assert verify(back, target=target).holds
    absolute = construct(target, Request(tolerance=0.01, lift="relu"), inputs=inputs_of(target, *SIGNED))
    assert b"2-draft" not in encode(absolute)[:4096]


@pytest.mark.parametrize("asked", [RELATIVE / 2, RELATIVE * 2, np.nextafter(RELATIVE, 1.0)])
def test_another_relative_tolerance_than_was_asked_for_is_found_out(made, asked):
    target, ticket = made
    told = {**ticket.provenance.asked, "relative_tolerance": float(asked)}
    forged = decode(encode(replace(ticket, provenance=replace(ticket.provenance, asked=told))))
    found = verify(forged, target=target)
    assert not found.holds
    assert any("relative to its gain" in check.detail for check in found.checks)


def test_one_map_that_counts_against_a_larger_tolerance_is_found_out(made):
    target, ticket = made
    parts = {path: ticket.realised(path) for path in ticket.maps}
    tolerances = {**ticket.claims.tolerances, "layers/1": 2 * ticket.claims.tolerances["layers/1"]}
    claims = certify(target, parts.__getitem__, tolerances=tolerances, box=ticket.inputs.box)
    assert not verify(decode(encode(replace(ticket, claims=claims))), target=target).holds


def test_show_and_the_command_of_a_report_say_it(made):
    _, ticket = made
    assert "relative tolerance" in str(slth.show(ticket))
    from slth.reporting.accounts import _asked

    assert ("relative-tolerance", "0.0078125") in _asked(ticket)


def test_it_lies_between_0_and_1_and_excludes_other_promises():
    """A whole gain prunes every weight: nothing would be asked."""
    for bad in (0.0, -0.1, 1.0, 2.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match="between 0 and 1"):
            Request(relative_tolerance=bad)
    for other in ({"tolerance": 0.1}, {"epsilon": 0.1}):
        with pytest.raises(InputError, match="give one of them"):
            Request(relative_tolerance=0.1, **other)
    target = random_target((5, 3))
    with pytest.raises(InputError, match="is in reach here"):
        plan_layout(target, Request(relative_tolerance=2.0**-53), inputs=inputs_of(target, *SIGNED))


def test_a_sweep_can_vary_it():
    assert "relative_tolerance" in verbs.swept(verbs.Construct)


def test_a_tolerance_that_is_refused_says_one_that_is_not():
    target, inputs = random_target((5, 3)), inputs_of(random_target((5, 3)), *SIGNED)
    with pytest.raises(InputError) as caught:
        plan_layout(target, Request(tolerance=1e-17), inputs=inputs)
    gains, absolute = (
        str(caught.value).partition("larger tolerance (")[2].partition(" is in reach")[0].split(" gains, ")
    )
    plan_layout(target, Request(tolerance=1.01 * float(absolute.rstrip(","))), inputs=inputs)
    plan_layout(target, Request(relative_tolerance=1.01 * float(gains)), inputs=inputs)
