"""Choices between values: by a constant mask they are products with zeros and ones; by values they jump.

What compares values, or rounds or orders them, has no Lipschitz constant: nothing could be claimed behind it. Where a
chain of such steps is a continuous function after all, `recognise` has found it before this table is asked.
"""

from typing import Any, NoReturn

import numpy as np

from slth.network.reading.here import Here, Known, Operator, Value
from slth.network.reading.hidden import hide

JUMP = (
    "compares, orders or rounds values: a function that jumps has no Lipschitz constant, so that nothing could be "
    "claimed behind it; continuous functions are read, such as relu, clamp and where with a constant mask"
)


def where(here: Here, a: Any) -> Value:
    """m x + (1 − m) y, with a constant mask m of zeros and ones."""
    mask = getattr(a, "condition", None)
    if not isinstance(mask, Known):
        jumps(here, a)
    return _chosen(here, mask, a.self, a.other)


def masked_fill(here: Here, a: Any) -> Value:
    """(1 − m) x + m c, with a constant mask m of zeros and ones."""
    if not isinstance(a.mask, Known):
        jumps(here, a)
    return _chosen(here, a.mask, a.value, a.self)


def jumps(here: Here, _: Any) -> NoReturn:
    """A function that jumps."""
    here.refuse(JUMP)


def _chosen(here: Here, mask: Known, x: Any, y: Any) -> Value:
    first = mask.numbers != 0
    for seen, value, other in ((~first, x, y), (first, y, x)):
        if isinstance(other, Value) and not isinstance(value, Value) and _hides(value):
            return hide(here, other, seen)
    terms = [(1.0, _part(here, first, x)), (1.0, _part(here, ~first, y))]
    return here.sum([(c, term) for c, term in terms if isinstance(term, Value) or np.any(term)])


def _hides(value: Any) -> bool:
    """−∞: what it is filled in for is hidden from a softmax."""
    numbers = value.numbers if isinstance(value, Known) else np.asarray(float(value))
    return bool((numbers == -np.inf).all())


def _part(here: Here, mask: np.ndarray, x: Any) -> Any:
    """x where the mask is, 0 elsewhere."""
    if not mask.any():
        return np.zeros(())
    if isinstance(x, Value):
        return here.product(x, mask.astype(np.float64))
    numbers = np.where(mask, x.numbers if isinstance(x, Known) else float(x), 0.0)
    if not np.isfinite(numbers).all():
        here.refuse("fills in infinity or NaN; a finite number, such as -1e9 before a softmax, is read")
    return numbers


JUMPS = (
    "gt ge lt le eq ne isfinite isnan sign sgn heaviside floor ceil round trunc frac fmod remainder floor_divide "
    "argmax argmin sort argsort topk kthvalue median mode searchsorted bucketize logical_and logical_or logical_not "
    "logical_xor masked_select nonzero"
)

TABLE: dict[str, Operator] = {
    **{
        f"{name}.{kind}": jumps
        for name in JUMPS.split()
        for kind in ("default", "Scalar", "Tensor", "stable", "decimals", "dim", "bitwise_and", "bitwise_or")
    },
    "where.self": where,
    "where.ScalarSelf": where,
    "where.ScalarOther": where,
    "where.Scalar": where,
    "masked_fill.Scalar": masked_fill,
    "masked_fill.Tensor": masked_fill,
}
