"""Every bound of the field as code: what it says, what it assumes, which way it points, where it stands.

slth.theory.bound("lueker", epsilon=0.01).value
slth.theory.grid(slth.theory.THEOREMS["lueker"], "epsilon", "1e-1..1e-6")
print(slth.theory.bibtex(["lueker1998"]))

Registry: `THEOREMS` maps a name to a theorem.
"""

from typing import Any

from slth import _arguments
from slth.theory._grid import MOST_POINTS, Grid, grid, is_grid
from slth.theory._reference import Reference
from slth.theory._references import REFERENCES, bibtex
from slth.theory._rests_on import GADGETS, LAWS, LIFTS, METHODS, OBJECTIVES, OTHERS, REPRODUCTIONS, WEIGHT_LAWS, keys_of
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
from slth.theory.becchetti import BECCHETTI
from slth.theory.borst import BORST
from slth.theory.burkholz import BURKHOLZ
from slth.theory.covering import COVERING
from slth.theory.dacunha_cnn import DACUNHA_CNN
from slth.theory.dacunha_rss import DACUNHA_RSS, DACUNHA_RSS_CHANCE
from slth.theory.deep_lower import DEEP_EXPECTED, DEEP_LOWER
from slth.theory.diffenderfer import COUNTS, DIFFENDERFER
from slth.theory.failure_lower import FAILURE_LOWER, INFEASIBLE_RANGE
from slth.theory.ferbach import FERBACH
from slth.theory.ferbach_lower import FERBACH_LOWER
from slth.theory.first_moment import FIRST_MOMENT, FIRST_MOMENT_PRODUCTS, SUBSETS, SUBSETS_OF_SIZE, SUBSETS_PRODUCTS
from slth.theory.iterand import ITERAND
from slth.theory.kumar import DISCRETE, KUMAR, KUMAR_SHALLOW, TRANSITION, UNIFIED
from slth.theory.kumar_lower import KUMAR_LOWER
from slth.theory.lueker import LUEKER
from slth.theory.malach import MALACH, SINGLE
from slth.theory.mixtures import MIXTURE, PRODUCT
from slth.theory.natale import NATALE, NATALE_EQUIVARIANT, NATALE_LARGE
from slth.theory.natale_lower import NATALE_DENSITY_LOWER, NATALE_LOWER
from slth.theory.nsn_lower import NSN_LOWER
from slth.theory.null_function import NULL_FUNCTION, NULL_FUNCTION_FIXED
from slth.theory.orseau import ORSEAU
from slth.theory.otsuka import OTSUKA, OTSUKA_BLOCK, OTSUKA_BLOCK_DENSE, OTSUKA_VALUES
from slth.theory.packing_layer import (
    PACKING_LAYER,
    PACKING_LAYER_BOX,
    PACKING_LAYER_BOX_FIXED,
    PACKING_LAYER_FIXED,
)
from slth.theory.packing_neuron import (
    PACKING_NEURON,
    PACKING_NEURON_BOX,
    PACKING_NEURON_BOX_FIXED,
    PACKING_NEURON_FIXED,
)
from slth.theory.pensia import PENSIA
from slth.theory.pensia_lower import PENSIA_LOWER
from slth.theory.perturbed import PERTURBED, XIONG, XIONG_SUMS
from slth.theory.planted import PLANTED
from slth.theory.practice import PRACTICE, PRACTICE_MISSES
from slth.theory.random_masks import RANDOM_MASKS, RANDOM_MASKS_FACTOR, RANDOM_MASKS_LOWER
from slth.theory.recursion import RECURSION
from slth.theory.rfss import RFSS, RFSS_ALL, RFSS_LARGE
from slth.theory.rfss_lower import RFSS_LOWER
from slth.theory.sparse_lower import SPARSE_LOWER
from slth.theory.sreenivasan import DOUBLING, SREENIVASAN, SREENIVASAN_DEPTH
from slth.theory.structured import STRUCTURED, STRUCTURED_SUMS
from slth.theory.vectors_lower import VECTORS_EXPECTED, VECTORS_LOWER

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
    BECCHETTI,
    BORST,
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
    RANDOM_MASKS,
    PLANTED,
    ITERAND,
)
_NECESSARY = (
    PENSIA_LOWER,
    PACKING_NEURON,
    PACKING_NEURON_FIXED,
    PACKING_NEURON_BOX,
    PACKING_NEURON_BOX_FIXED,
    PACKING_LAYER,
    PACKING_LAYER_FIXED,
    PACKING_LAYER_BOX,
    PACKING_LAYER_BOX_FIXED,
    DEEP_LOWER,
    SPARSE_LOWER,
    NATALE_LOWER,
    NATALE_DENSITY_LOWER,
    FERBACH_LOWER,
    KUMAR_LOWER,
    COVERING,
    FAILURE_LOWER,
    INFEASIBLE_RANGE,
    RFSS_LOWER,
    NULL_FUNCTION,
    NULL_FUNCTION_FIXED,
    VECTORS_LOWER,
    NSN_LOWER,
    RANDOM_MASKS_LOWER,
)
_ESTIMATES = (
    PRACTICE,
    PRACTICE_MISSES,
    SUBSETS,
    SUBSETS_PRODUCTS,
    SUBSETS_OF_SIZE,
    FIRST_MOMENT,
    FIRST_MOMENT_PRODUCTS,
    VECTORS_EXPECTED,
    DEEP_EXPECTED,
    RANDOM_MASKS_FACTOR,
)
THEOREMS: dict[str, Theorem] = {theorem.name: theorem for theorem in (*_SUMS, *_NETWORKS, *_NECESSARY, *_ESTIMATES)}

__all__ = [
    "GADGETS",
    "LAWS",
    "LIFTS",
    "METHODS",
    "MOST_POINTS",
    "OBJECTIVES",
    "OTHERS",
    "REFERENCES",
    "REPRODUCTIONS",
    "THEOREMS",
    "WEIGHT_LAWS",
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
    "rests_on",
]


def bound(name: str, **values: Any) -> Bound:
    """What the theorem of this name says at these values.

    Raises:
        InputError: no such theorem, a value is missing or out of its limits, an assumption is violated.

    >>> bound("lueker", epsilon=0.01).theorem.direction.name
    'SUFFICIENT'
    """
    return THEOREMS[_arguments.one_of(name, THEOREMS, "bound")](**values)


def rests_on(name: str) -> tuple[str, ...]:
    """The keys of the papers that a gadget, objective, law, method, bound or reproduction rests on; of a paper its own.

    Raises:
        InputError: nothing has this name.

    >>> rests_on("biprop"), rests_on("rfss-lower")
    (('diffenderfer2021',), ('natale2024',))
    """
    return keys_of(name, {theorem.name: theorem.sources for theorem in THEOREMS.values()})
