"""Every bound of the field as code: what it says, what it assumes, which way it points, where it stands.

slth.theory.bound("lueker", epsilon=0.01).value
slth.theory.grid(slth.theory.THEOREMS["lueker"], "epsilon", "1e-1..1e-6")
print(slth.theory.bibtex(["lueker1998"]))

Registry: `THEOREMS` maps a name to a theorem.
"""

from typing import Any

from slth import _arguments
from slth.theory._grid import MOST_POINTS, Grid, grid, is_grid
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
from slth.theory.burkholz import BURKHOLZ
from slth.theory.dacunha_cnn import DACUNHA_CNN
from slth.theory.dacunha_rss import DACUNHA_RSS, DACUNHA_RSS_CHANCE
from slth.theory.diffenderfer import COUNTS, DIFFENDERFER
from slth.theory.ferbach import FERBACH
from slth.theory.first_moment import FIRST_MOMENT, FIRST_MOMENT_PRODUCTS, SUBSETS, SUBSETS_OF_SIZE, SUBSETS_PRODUCTS
from slth.theory.kumar import DISCRETE, KUMAR, KUMAR_SHALLOW, TRANSITION, UNIFIED
from slth.theory.lueker import LUEKER
from slth.theory.malach import MALACH, SINGLE
from slth.theory.mixtures import MIXTURE, PRODUCT
from slth.theory.natale import NATALE, NATALE_EQUIVARIANT, NATALE_LARGE
from slth.theory.orseau import ORSEAU
from slth.theory.otsuka import OTSUKA, OTSUKA_BLOCK, OTSUKA_BLOCK_DENSE, OTSUKA_VALUES
from slth.theory.pensia import PENSIA
from slth.theory.perturbed import PERTURBED, XIONG, XIONG_SUMS
from slth.theory.practice import PRACTICE, PRACTICE_MISSES
from slth.theory.recursion import RECURSION
from slth.theory.rfss import RFSS, RFSS_ALL, RFSS_LARGE
from slth.theory.sreenivasan import DOUBLING, SREENIVASAN, SREENIVASAN_DEPTH
from slth.theory.structured import STRUCTURED, STRUCTURED_SUMS

_SUMS = (
    LUEKER,
    DACUNHA_RSS,
    DACUNHA_RSS_CHANCE,
    MIXTURE,
    PRODUCT,
    RECURSION,
    RFSS,
    RFSS_ALL,
    RFSS_LARGE,
    XIONG_SUMS,
    PERTURBED,
    UNIFIED,
    DISCRETE,
    TRANSITION,
    SINGLE,
    COUNTS,
    DOUBLING,
    STRUCTURED_SUMS,
)
_NETWORKS = (
    MALACH,
    PENSIA,
    ORSEAU,
    BURKHOLZ,
    DACUNHA_CNN,
    FERBACH,
    NATALE,
    NATALE_LARGE,
    NATALE_EQUIVARIANT,
    XIONG,
    DIFFENDERFER,
    SREENIVASAN,
    SREENIVASAN_DEPTH,
    KUMAR,
    KUMAR_SHALLOW,
    STRUCTURED,
    OTSUKA,
    OTSUKA_VALUES,
    OTSUKA_BLOCK,
    OTSUKA_BLOCK_DENSE,
)
_ESTIMATES = (
    PRACTICE,
    PRACTICE_MISSES,
    SUBSETS,
    SUBSETS_PRODUCTS,
    SUBSETS_OF_SIZE,
    FIRST_MOMENT,
    FIRST_MOMENT_PRODUCTS,
)
THEOREMS: dict[str, Theorem] = {theorem.name: theorem for theorem in (*_SUMS, *_NETWORKS, *_ESTIMATES)}

__all__ = [
    "MOST_POINTS",
    "REFERENCES",
    "THEOREMS",
    "Assumption",
    "Bound",
    "Constant",
    "Direction",
    "Grid",
    "Letter",
    "Reference",
    "Standing",
    "Theorem",
    "Unit",
    "Variant",
    "bibtex",
    "bound",
    "grid",
    "is_grid",
]


def bound(name: str, **values: Any) -> Bound:
    """What the theorem of this name says at these values.

    Raises:
        InputError: no such theorem, a value is missing or out of its limits, an assumption is violated.

    >>> bound("lueker", epsilon=0.01).theorem.direction.name
    'SUFFICIENT'
    """
    return THEOREMS[_arguments.one_of(name, THEOREMS, "bound")](**values)
