"""Every bound of the field as code: what it says, what it assumes, which way it points, where it stands.

slth.theory.bound("lueker", epsilon=0.01).value
print(slth.theory.bibtex(["lueker1998"]))

Registry: `THEOREMS` maps a name to a theorem.
"""

from typing import Any

from slth import _arguments
from slth.theory._reference import Reference
from slth.theory._references import REFERENCES, bibtex
from slth.theory._rests_on import GADGETS, LAWS, LIFTS, METHODS, OBJECTIVES, OTHERS, WEIGHT_LAWS, keys_of
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
from slth.theory.covering import COVERING
from slth.theory.deep_lower import DEEP_EXPECTED, DEEP_LOWER
from slth.theory.failure_lower import FAILURE_LOWER, INFEASIBLE_RANGE
from slth.theory.ferbach_lower import FERBACH_LOWER
from slth.theory.kumar_lower import KUMAR_LOWER
from slth.theory.lueker import LUEKER
from slth.theory.natale_lower import NATALE_DENSITY_LOWER, NATALE_LOWER
from slth.theory.nsn_lower import NSN_LOWER
from slth.theory.null_function import NULL_FUNCTION, NULL_FUNCTION_FIXED
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
from slth.theory.pensia_lower import PENSIA_LOWER
from slth.theory.random_masks import RANDOM_MASKS, RANDOM_MASKS_FACTOR, RANDOM_MASKS_LOWER
from slth.theory.rfss_lower import RFSS_FIRST_MOMENT, RFSS_LOWER
from slth.theory.sparse_lower import SPARSE_LOWER
from slth.theory.vectors_lower import VECTORS_EXPECTED, VECTORS_LOWER

_SUFFICIENT = (LUEKER,)
_SUFFICIENT_VECTORS = (BECCHETTI, BORST)
_SUFFICIENT_MASKS = (RANDOM_MASKS,)
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
_EXPECTED = ()
_EXPECTED_COUNTS = (DEEP_EXPECTED, RFSS_FIRST_MOMENT, VECTORS_EXPECTED, RANDOM_MASKS_FACTOR)
THEOREMS: dict[str, Theorem] = {
    theorem.name: theorem
    for theorem in (*_SUFFICIENT, *_SUFFICIENT_VECTORS, *_SUFFICIENT_MASKS, *_NECESSARY, *_EXPECTED, *_EXPECTED_COUNTS)
}

__all__ = [
    "GADGETS",
    "LAWS",
    "LIFTS",
    "METHODS",
    "OBJECTIVES",
    "OTHERS",
    "REFERENCES",
    "THEOREMS",
    "WEIGHT_LAWS",
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
    """The keys of the papers that a gadget, objective, law, method or bound rests on; of a paper its own.

    Raises:
        InputError: nothing has this name.

    >>> rests_on("biprop"), rests_on("lueker")
    (('diffenderfer2021',), ('lueker1998',))
    """
    return keys_of(name, {theorem.name: theorem.sources for theorem in THEOREMS.values()})
