r"""Rows of tables by tokens, which both networks read alike: Embedding, and maps over OneHot.

What is carried is the same in both. A row of a map's own coefficients is W_x in the target and P_x in the other, or
with a bias W_x + b and P_x + b̂: the largest error of any row, entry by entry and in norm; over T tokens √T of that.
"""

import math
from collections.abc import Iterator

import numpy as np

from slth.certificate.errors import CHUNK, MapErrors
from slth.certificate.reach import Reach, tightened, times
from slth.certificate.rules.rule import Facts
from slth.graph import Embedding
from slth.numerics import above, norm_bound, slack

_U = 2.0**-53
Rows = tuple[np.ndarray, np.ndarray]  # of some tokens: those of the target, and what the other's are off by at most


def through_embedding(op: Embedding, inputs: tuple[Reach, ...], facts: Facts) -> Reach | None:
    """Rows of what is carried, or of a map; None of a map with copies."""
    (x,) = inputs
    if not op.tied:
        table = facts.carried[op.table]
        if x.lower.shape == x.upper.shape and (x.lower == x.upper).all() and not x.error.any():
            return _known(table[x.lower.astype(np.int64)].astype(np.float64), x)
        first, last = int(x.lower.min()), int(x.upper.max())
        return _over(_carried_rows(table[max(first, 0) : last + 1]), x)
    errors = facts.errors[op.table]
    return None if errors.copies > 1 else _over(_tied_rows(errors), x)


def through_one_hot(errors: MapErrors, x: Reach) -> Reach | None:
    """Columns of a map, and its bias."""
    return None if errors.copies > 1 else _over(_columns(errors), x)


def _over(blocks: Iterator[Rows], x: Reach) -> Reach:
    """Any of the rows at every position."""
    lower, upper, error = np.array(np.inf), np.array(-np.inf), np.zeros(())
    norm = error_norm = 0.0
    for rows, off in blocks:
        lower, upper = np.minimum(lower, rows.min(axis=0)), np.maximum(upper, rows.max(axis=0))
        norm = max(norm, float(norm_bound(rows).max()))
        error, error_norm = np.maximum(error, off.max(axis=0)), max(error_norm, float(norm_bound(off).max()))
    shape = (*x.shape, lower.shape[0])
    if x.error.any():  # of tokens that differ nothing is known but that both are some
        error = above(error + (upper - lower), 2)
        error_norm = math.inf
    along = (*(1 for _ in x.shape), -1)
    root = math.sqrt(math.prod(x.shape))
    lower, upper, error = (part.reshape(along) for part in (lower, upper, error))
    return tightened(Reach(lower, upper, times(root, norm), error, times(root, error_norm), shape))


def _known(rows: np.ndarray, x: Reach) -> Reach:
    """Rows by tokens that are known."""
    shape = (*x.shape, rows.shape[-1])
    return tightened(Reach(rows, rows, math.inf, np.zeros((1,) * len(shape)), 0.0, shape))


def _carried_rows(table: np.ndarray) -> Iterator[Rows]:
    step = max(1, CHUNK // table.shape[1])
    none = np.zeros((1, table.shape[1]))
    for start in range(0, len(table), step):
        yield table[start : start + step].astype(np.float64), none


def _tied_rows(errors: MapErrors) -> Iterator[Rows]:
    for _, part in errors.chunks():
        yield part.weight[:, :, 0], _off(part, part.error)[:, :, 0]


def _columns(errors: MapErrors) -> Iterator[Rows]:
    rows, inputs, _ = errors.wanted.shape
    step = max(1, CHUNK // rows)
    for start in range(0, inputs, step):
        part = errors.part(slice(None), slice(start, start + step))
        weight, off = part.weight[:, :, 0].T, _off(part, part.error + part.bias_error[:, None, None])[:, :, 0].T
        room = slack(np.abs(weight) + np.abs(errors.bias), 1)
        lost = above(off + errors.bias_lost + slack(np.abs(part.error[:, :, 0].T) + np.abs(errors.bias_error), 1), 2)
        yield np.concatenate([weight + errors.bias - room, weight + errors.bias + room]), lost


def _off(part: MapErrors, error: np.ndarray) -> np.ndarray:
    """|E|, and what rounding P hides of it."""
    found = above(np.abs(error), 1)
    return above(found + _U * np.abs(part.positive), 1) if part.rounded else found
