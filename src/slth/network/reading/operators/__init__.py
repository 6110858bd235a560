"""What PyTorch's operators are in the vocabulary of `slth.graph`: one table, by name and overload.

An operator takes the place where it stands and its arguments by name; it gives a `Value`, or a tuple of them.
"""

from slth.network.reading.here import Operator
from slth.network.reading.operators import (
    arithmetic,
    attention,
    axes,
    choices,
    maps,
    normalisations,
    parts,
    pointwise,
    pools,
    products,
    windows,
)
from slth.network.reading.operators.pointwise import shrunk

OPERATORS: dict[str, Operator] = {
    **maps.TABLE,
    **products.TABLE,
    **pointwise.TABLE,
    **arithmetic.TABLE,
    **pools.TABLE,
    **axes.TABLE,
    **parts.TABLE,
    **windows.TABLE,
    **choices.TABLE,
    **normalisations.TABLE,
    **attention.TABLE,
}

__all__ = ["OPERATORS", "shrunk"]
