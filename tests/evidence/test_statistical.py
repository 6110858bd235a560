"""What changed predictions say of a population: counted, kept in a ticket, and checked as far as a file alone goes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from helpers.learned import mlp_ticket

import slth
from slth import InputError
from slth.certificate import Statistical
from slth.records import Verdict
from slth.ticket import encode

RNG = np.random.default_rng(3)
TARGET = {"weight": RNG.normal(size=(3, 4)).astype(np.float32)}
X, Y = RNG.random((200, 4)).astype(np.float32), RNG.integers(0, 3, 200)


@pytest.fixture(scope="module")
def ticket():
    """A coarse one, so that some predictions change."""
    return slth.construct(TARGET, input_range=(0, 1), tolerance=0.2, candidates=4)


@pytest.fixture(scope="module")
def found(ticket):
    return slth.evaluate(ticket, (X, Y), target=TARGET)


def test_the_claim_is_that_of_the_counted_changes(ticket, found):
    x = torch.from_numpy(X)
    ours, theirs = slth.realised(ticket)(x).argmax(1), (x @ torch.from_numpy(TARGET["weight"]).T).argmax(1)
    changed = int((ours != theirs).sum())
    assert 0 < changed < 50
    assert found.statistical == Statistical.from_counts("arrays", changed=changed, examples=200)
    sure = slth.evaluate(ticket, (X, Y), target=TARGET, confidence=0.999).statistical
    assert (sure.changed, sure.confidence) == (changed, 0.999)
    assert sure.at_most > found.statistical.at_most > changed / 200
    assert slth.evaluate(ticket, (X, Y)).statistical is None


def test_a_path_is_not_told(ticket, tmp_path):
    """The name of the data goes into files that are handed on."""
    np.savez(tmp_path / "private.npz", x=X, y=Y)
    assert slth.evaluate(ticket, tmp_path / "private.npz", target=TARGET).statistical.data == "private.npz"


@pytest.mark.parametrize("confidence", [0.0, 1.0, -0.5, 2.0, float("nan")])
def test_a_confidence_is_between_0_and_1(ticket, confidence):
    with pytest.raises(InputError, match=r"^confidence must be a number between 0 and 1 such as 0\.99, got"):
        slth.evaluate(ticket, (X, Y), target=TARGET, confidence=confidence)


def test_a_claim_goes_into_the_ticket_and_replaces_that_of_the_same_data(ticket, found, tmp_path):
    once = slth.with_claim(ticket, found)
    assert once.claims.statistical == (found.statistical,)
    assert ticket.claims.statistical == ()
    assert replace(once.claims, statistical=()) == ticket.claims
    other = replace(found, statistical=replace(found.statistical, data="other"))
    sure = slth.evaluate(ticket, (X, Y), target=TARGET, confidence=0.999)
    both = slth.with_claim(slth.with_claim(once, other), sure)
    assert both.claims.statistical == (other.statistical, sure.statistical)
    path = slth.save(both, tmp_path / "t.slth")
    assert slth.load(path).claims == both.claims
    assert encode(slth.with_claim(path, sure)) == path.read_bytes()


def test_a_claim_about_another_network_or_about_none_stays_out(ticket, found):
    with pytest.raises(InputError, match="evaluate with the target"):
        slth.with_claim(ticket, slth.evaluate(ticket, (X, Y)))
    other = slth.evaluate(ticket, (X, Y), target={"weight": np.nextafter(TARGET["weight"], np.float32(9))})
    assert other.statistical is not None
    with pytest.raises(InputError, match="another network than the ticket was made for"):
        slth.with_claim(ticket, other)
    again = slth.construct(TARGET, input_range=(0, 1), tolerance=0.001, seed=1)
    with pytest.raises(InputError, match="the evaluation is of another ticket: evaluate this one"):
        slth.with_claim(again, found)
    with pytest.raises(InputError, match="stands for no target network"):
        slth.with_claim(mlp_ticket(), found)


def test_the_checker_says_what_the_file_alone_can_show(ticket, found):
    claim = found.statistical
    for target in (None, TARGET):
        checked = slth.verify(slth.with_claim(ticket, found), target=target)
        (check,) = [check for check in checked.checks if check.name == "statistical"]
        assert check.verdict is Verdict.SAYS
        assert check.detail == (
            f"{claim.text}: follows from what the file says was counted, {claim.changed:,} of 200; only the data can "
            "show that"
        )
    assert not [c for c in slth.verify(ticket).checks if c.name == "statistical"]


@pytest.mark.parametrize("change", [{"changed": 1}, {"examples": -1}, {"at_most": -1e-5}, {"confidence": 1e-3}])
def test_the_checker_refuses_a_share_that_does_not_follow(ticket, found, change):
    """One example more, one less, a share a little smaller, a confidence a little higher; by the claim alone."""
    claim = found.statistical
    forged = replace(claim, **{name: getattr(claim, name) + by for name, by in change.items()})
    claims = replace(ticket.claims, statistical=(forged, replace(claim, data="honest")))
    result = slth.verify(replace(ticket, claims=claims), target=TARGET)
    assert not result.holds
    failed = [check for check in result.checks if check.verdict is Verdict.FAILS]
    assert [check.name for check in failed] == ["statistical"]
    assert "does not follow from" in failed[0].detail


def test_a_summary_marks_the_claim_as_said(ticket, found):
    rows = str(slth.show(slth.with_claim(ticket, found)))
    assert f"says {found.statistical.changed} of 200 changed: {found.statistical.text}" in rows
    assert "statistical" not in str(slth.show(ticket))


def test_arrays_may_be_given_a_name(ticket, found):
    """Two sets of arrays are two populations, and both claims are kept; a name that cannot be shown is refused."""
    named = slth.evaluate(ticket, (X, Y), target=TARGET, name="hospital B")
    assert replace(named, data="arrays", statistical=found.statistical) == found
    assert named.statistical == replace(found.statistical, data="hospital B")
    both = slth.with_claim(slth.with_claim(ticket, found), named)
    assert both.claims.statistical == (found.statistical, named.statistical)
    for name in ("", "a\nb"):
        with pytest.raises(InputError, match=r"^name must be a"):
            slth.evaluate(ticket, (X, Y), target=TARGET, name=name)


def test_proofs_tell_how_far_they_are(ticket):
    """Of inputs, up to all of them; without a target there is nothing to prove."""
    told = []
    slth.evaluate(ticket, (X, Y), target=TARGET, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (200, 200)
    assert told == sorted(told)
    told.clear()
    slth.evaluate(ticket, (X, Y), progress=lambda *counts: told.append(counts))
    assert told == []
