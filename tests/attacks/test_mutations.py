"""A mutant of a ticket is refused, or every word of it is true; and what is read is written back the same."""

import pytest
from attacks.forging import specimens
from attacks.hunt import verdict
from attacks.hunting import hunted
from attacks.mutants import KINDS, mutant
from attacks.oracle import lies

from slth.ticket import decode, encode


def test_two_thousand_mutants_are_refused_or_true():
    ends = hunted("hunt.py", 0, 2000, timeout=120)["ends"]
    assert {end.split(",")[0] for end in ends} == {*KINDS}
    assert ends["bytes, damaged"] > 20  # each net catches something: the digest,
    assert ends["tree, refused"] > 300  # the validation of a sealed file,
    assert ends["forged, fails"] > 50  # the checker;
    assert sum(n for end, n in ends.items() if end.endswith("true")) > 50  # and some mutants are honest


@pytest.mark.parametrize("count", [60, pytest.param(120, marks=pytest.mark.slow)])
def test_what_the_checker_rejects_is_mostly_a_clear_lie(count):
    """Were the checker blind, the hunt would see it: an oracle that shares no code refutes the same forgeries."""
    originals = specimens()
    files = [encode(ticket) for ticket, _ in originals]
    seen = rejected = 0
    for number in range(count):
        _, which, data = mutant(number, originals, files, kind="forged")
        if data and verdict(data, originals[which][1]) == "fails":
            rejected += 1
            seen += bool(lies(decode(data), originals[which][1]))
    assert seen > 0.8 * rejected > 20


@pytest.mark.slow
def test_a_hundred_thousand_mutants_are_refused_or_true():
    """Measured on one core: about five minutes; the process grows by less than 100 MiB."""
    found = hunted("hunt.py", 2000, 100_000, timeout=3600)
    print(f"\n{found['seconds']:.0f} s, {found['KiB'] / 1024:.0f} MiB")
    print("\n".join(f"{count:7,}  {end}" for end, count in sorted(found["ends"].items())))
    assert found["KiB"] < 300 * 1024
