r"""How a density of the whole is shared out among layers of different shapes.

| name | layer l of n_l weights, shape (a, b, ...) keeps |
| --- | --- |
| `uniform` | ⌈density · n_l⌉ |
| `erk` | min(n_l, ε · (a + b + ...)), with ε so that all layers together keep exactly ⌈density · Σ n_l⌉ |

ERK, Erdős-Rényi-Kernel: a layer's density is proportional to (sum of its sides) / (product of its sides) and at most 1
(Mocanu et al., 2018; with kernels, Evci et al., *Rigging the lottery*, ICML 2020). Counts are whole: rounded down, and
what is left over goes to the largest remainders, ties to the earlier layer.
"""

import math
from collections.abc import Sequence
from fractions import Fraction

from slth._errors import InputError
from slth.learning.selection import count_kept


def erk_counts(shapes: Sequence[tuple[int, ...]], density: float) -> list[int]:
    """How many weights each layer keeps.

    Raises:
        InputError: a layer would keep none.

    >>> erk_counts([(10, 100), (2, 10)], 0.1)
    [92, 10]
    """
    sizes = [math.prod(shape) for shape in shapes]
    total = count_kept(density, sum(sizes))
    full: set[int] = set()
    while True:  # layers that would keep more than all they have keep all, and the others share the rest
        free = [layer for layer in range(len(sizes)) if layer not in full]
        rest = total - sum(sizes[layer] for layer in full)
        sides = sum(sum(shapes[layer]) for layer in free)
        shares = {layer: Fraction(rest * sum(shapes[layer]), sides) for layer in free}
        over = {layer for layer in free if shares[layer] > sizes[layer]}
        if not over:
            break
        full |= over
    counts = [sizes[layer] if layer in full else int(shares[layer]) for layer in range(len(sizes))]
    for layer in sorted(free, key=lambda layer: counts[layer] - shares[layer])[: total - sum(counts)]:
        counts[layer] += 1
    if not all(counts):
        raise InputError(
            f"ERK shares out {total} weights among {len(sizes)} layers, and one of shape {shapes[counts.index(0)]} "
            "keeps none; use a higher density, or name that layer's own: Policy(densities={...})"
        )
    return counts
