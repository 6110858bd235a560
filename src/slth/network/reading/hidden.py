"""Masks of attention: entries of a softmax that are hidden, by −∞ or by a number that leaves nothing of them.

e^(x − 10⁴) is 0 in float64 unless x is 9,255 above all others, so an entry that a mask moves by −10⁴ or more, as masks
of half precision do, is taken as hidden; that is noted as assumed.
"""

from dataclasses import dataclass

import numpy as np

from slth.graph import Shape
from slth.network.reading.here import Here, Value

FAR = -1e4
SAID = f"entries of attention that a mask moves by {FAR:,.0f} or more are hidden: no other is so far below"


@dataclass(frozen=True, slots=True)
class Hidden:
    """x, −∞ where the array "visible" of its step is 0: only the softmax of an attention reads it."""


def hide(here: Here, x: Value, visible: np.ndarray) -> Value:
    """x, −∞ elsewhere."""
    seen = here.against(visible.astype(np.float64), x)
    shape = np.broadcast_shapes(seen.shape, x.shape)
    return here.add(Hidden(), x, arrays={"visible": seen}, shape=shape)


def split_mask(here: Here, mask: np.ndarray, heads: int, logits: Shape) -> dict[str, np.ndarray]:
    """A mask that is added to logits as 0/1 "visible" and finite "bias", either only if there is any."""
    if np.isnan(mask).any() or (mask == np.inf).any():
        here.refuse("has a mask that holds infinity or NaN; -inf hides, and finite numbers are added")
    visible, bias = mask > FAR, np.where(mask > FAR, mask, 0.0)
    found: dict[str, np.ndarray] = {}
    if not visible.all():
        found["visible"] = of_logits(here, visible.astype(np.float64), heads, logits)
    if bias.any():
        found["bias"] = of_logits(here, bias, heads, logits)
    return found


def fills_in(mask: np.ndarray) -> bool:
    """A mask hides by a finite number."""
    return bool((np.isfinite(mask) & (mask <= FAR)).any())


def of_logits(here: Here, array: np.ndarray, heads: int, logits: Shape) -> np.ndarray:
    """As (T, S), or (H, T, S) where heads have masks of their own."""
    while array.ndim > 2 and array.shape[0] == 1:
        array = array[0]
    shape = logits if array.ndim <= 2 else (heads, *logits)
    if array.ndim > 3 or np.broadcast_shapes(array.shape, shape) != shape:
        here.refuse(f"has a mask of shape {array.shape}, which does not fit logits of shape {shape}")
    return np.array(np.broadcast_to(array, shape))


def heads_of(query: Shape) -> int:
    """Heads of queries (..., H, T, d); one where there are no others axes."""
    return query[-3] if len(query) > 2 else 1
