"""A stranger sends a ticket. What can be checked without trusting them, and what happens if somebody flips one bit?

`python verify_a_ticket.py T.slth TARGET` checks yours; without arguments an honest ticket is made, and a forged copy.
"""

import sys
from pathlib import Path

import numpy as np

import slth
from slth import InputError


def checked(ticket: Path, target) -> None:
    """Print every check, with its verdict."""
    try:
        found = slth.verify(ticket, target=target)
    except InputError as error:
        print(f"{ticket}: refused\n  {error}")
        return
    print(f"{ticket}: {'holds' if found.holds else 'FAILS'}")
    for i, check in enumerate(found.checks):
        if check.name == "claims" and i and found.checks[i - 1].name == "claims":
            continue  # one claim that fails says enough
        print(f"  {check.name:<14} {check.verdict.name:<12} {check.detail[:80]}")


if len(sys.argv) == 3:
    checked(Path(sys.argv[1]), sys.argv[2])
    sys.exit()

rng = np.random.default_rng(1)
target = {"0.weight": rng.normal(0, 0.2, (16, 8)), "2.weight": rng.normal(0, 0.2, (4, 16))}
honest = Path(slth.save(slth.construct(target, input_range=(0, 1), tolerance=1e-3), "honest.slth"))
checked(honest, None)  # the file alone
print()
checked(honest, target)  # with the network it stands for
print()

forged = bytearray(honest.read_bytes())
forged[-5] ^= 1  # one bit of one mask
Path("forged.slth").write_bytes(forged)
checked(Path("forged.slth"), target)
print()

other = {name: weight + 0.01 for name, weight in target.items()}
checked(honest, other)  # a network that it was not made for
