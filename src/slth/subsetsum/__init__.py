"""Subset sums: numbers in, subset out.

`first` finds some subset within a tolerance, as cheaply as it can; `closest` finds the best of all, of a given size if
asked; `smallest` keeps the fewest values, `trade_off` shows what fewer would cost, `perturbed` lets the kept ones move,
and `count` counts. `closest_integer` works on integers without rounding. The batch forms take many problems, and
`enumerate_closest` is the slow oracle. Every answer says by its `Status` what it proves.
"""

from slth.subsetsum._closest import closest, closest_batch
from slth.subsetsum._count import count
from slth.subsetsum._enumerate import enumerate_closest
from slth.subsetsum._first import first, first_batch
from slth.subsetsum._integers import closest_integer
from slth.subsetsum._perturbed import perturbed, perturbed_batch
from slth.subsetsum._records import (
    IntegerSum,
    PerturbedSum,
    PerturbedSums,
    Status,
    SubsetCount,
    SubsetSum,
    SubsetSums,
)
from slth.subsetsum._smallest import smallest, smallest_batch, trade_off

__all__ = [
    "IntegerSum",
    "PerturbedSum",
    "PerturbedSums",
    "Status",
    "SubsetCount",
    "SubsetSum",
    "SubsetSums",
    "WorstError",
    "closest",
    "closest_batch",
    "closest_integer",
    "count",
    "enumerate_closest",
    "first",
    "first_batch",
    "perturbed",
    "perturbed_batch",
    "smallest",
    "smallest_batch",
    "trade_off",
]
