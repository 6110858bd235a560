"""Every bound of the field as code: what it says, what it assumes, which way it points, where it stands.

slth.theory.bound("lueker", epsilon=0.01).value
print(slth.theory.bibtex(["lueker1998"]))

Registry: `THEOREMS` maps a name to a theorem.
"""

from typing import Any

from slth import _arguments
from slth.theory._references import REFERENCES, Reference, bibtex
from slth.theory._theorem import (
    Assumption,
    Bound,
    Constant,
    Direction,
    Letter,
    Standing,
    Theorem,
    Unit,
    Variant,
)
from slth.theory.lueker import LUEKER

_SUFFICIENT = (LUEKER,)
_NECESSARY = ()
_EXPECTED = ()
THEOREMS: dict[str, Theorem] = {theorem.name: theorem for theorem in (*_SUFFICIENT, *_NECESSARY, *_EXPECTED)}

__all__ = [
    "REFERENCES",
    "THEOREMS",
    "Assumption",
    "Bound",
    "Constant",
    "Direction",
    "Letter",
    "Reference",
    "Standing",
    "Theorem",
    "Unit",
    "Variant",
    "bibtex",
    "bound",
]


def bound(name: str, **values: Any) -> Bound:
    """What the theorem of this name says at these values.

    Raises:
        InputError: no such theorem, a value is missing or out of its limits, an assumption is violated.

    >>> bound("lueker", epsilon=0.01).theorem.direction.name
    'SUFFICIENT'
    """
    return THEOREMS[_arguments.one_of(name, THEOREMS, "bound")](**values)
