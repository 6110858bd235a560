r"""How far a network is from commuting with a group: the largest |f(g · x) − g · f(x)|, measured for each element g.

A measurement in the network's own floating-point type, not a claim. What it finds of a ticket is rounding alone, for
its coefficients commute with the group whatever they are; group convolutions, pointwise functions, batch norms and
largest values give 0 exactly, means over the grid or the group add up in another order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import permutations

import torch
from torch import Tensor

from slth._errors import InputError
from slth.graph import group_order, group_product, inverse_element
from slth.layers.group_conv import turned

WHOLE = 5  # members up to which every permutation is tried: 120
SOME = 120  # else so many random ones
Act = Callable[[Tensor], Tensor]  # x ↦ g · x


@dataclass(frozen=True, slots=True)
class Equivariance:
    """What was measured.

    errors: by element of the group, the largest |f(g · x) − g · f(x)| over all inputs and outputs.
    """

    errors: tuple[float, ...]
    whole: bool  # every element of the group was tried
    size: float  # the largest |f(x)|, to compare with

    @property
    def largest(self) -> float:
        """Over all elements."""
        return max(self.errors)

    @property
    def exact(self) -> bool:
        """To the bit, for every element that was tried."""
        return self.largest == 0.0


def equivariance(network: Callable[[Tensor], Tensor], x: Tensor, *, group: str) -> Equivariance:
    """Measure a module, such as `slth.realised(ticket)`, on a batch of inputs.

    Args:
        network: is given batches, in evaluation mode.
        x: images (batch, channels, L, L); for permutations sets (batch, n, channels) or pairs (batch, n, n, channels).
        group: C4 or D4, or S for all permutations of the members, or 120 random ones where n > 5. Outputs that have
            the axes of values, (batch, channels, |G|, L, L), images, sets or pairs, should move with the input; others
            (batch, ...) should stay.

    Raises:
        InputError: another group, or inputs that it does not act on.

    >>> images = torch.rand(2, 1, 4, 4)
    >>> equivariance(lambda x: x.amax((1, 2, 3)), images, group="D4").exact
    True
    >>> equivariance(lambda x: x[:, :, :2].amax((1, 2, 3)), images, group="C4").exact
    False
    """
    if group == "S":
        acts, whole = _permutations(x)
    elif group in ("C4", "D4"):
        if x.ndim != 4 or x.shape[2] != x.shape[3]:
            raise InputError(
                f"{group} does not act on inputs of shape {tuple(x.shape)}; expected square images "
                "(batch, channels, L, L)"
            )
        acts, whole = [_turn(a, group) for a in range(group_order(group))], True
    else:
        raise InputError(f"expected a group, C4, D4 or S; got {group!r}")
    with torch.no_grad():
        y = network(x)
        errors = tuple(float((network(act(x)) - act(y)).abs().max()) for act in acts)
    return Equivariance(errors, whole, float(y.abs().max()))


def _turn(a: int, group: str) -> Act:
    """g · of images, of values with an axis of the group, and of what has no grid."""
    order = [group_product(inverse_element(a), h) for h in range(group_order(group))]

    def act(values: Tensor) -> Tensor:
        if values.ndim < 4 or values.shape[-1] != values.shape[-2]:
            return values
        there = values[:, :, order] if values.ndim == 5 and values.shape[2] == len(order) else values
        return turned(there, a)

    return act


def _permutations(x: Tensor) -> tuple[list[Act], bool]:
    members = x.shape[1] if x.ndim in (3, 4) else 0
    if members == 0 or (x.ndim == 4 and x.shape[2] != members):
        raise InputError(
            f"permutations do not act on inputs of shape {tuple(x.shape)}; expected (batch, n, channels) or "
            "(batch, n, n, channels)"
        )
    if members <= WHOLE:
        return [_permute(order) for order in permutations(range(members))], True
    draws = torch.Generator().manual_seed(0)
    return [_permute(torch.randperm(members, generator=draws).tolist()) for _ in range(SOME)], False


def _permute(order: Sequence[int]) -> Act:
    def act(values: Tensor) -> Tensor:
        if values.ndim < 3 or values.shape[1] != len(order):
            return values
        moved = values[:, order]
        return moved[:, :, order] if values.ndim == 4 else moved

    return act
