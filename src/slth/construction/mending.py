r"""Other subsets of the stages before, for coefficients that a stage misses: nothing is redrawn, nothing grows wider.

A stage that has hit its target within τ has done so with one of many subsets. For a coefficient that the next stage
misses, the interval [−τ, τ] is cut into R parts, and the stage solves for one part after another at a tolerance of
τ / R: each answer leaves another rest for the next stage, whose candidates stay as they are. A stage that misses one
rest in 2⁸ hits one of a few others, unless its candidates are of one sign, nearly; then R grows.

Rests are exact: an answer whose rest float64 cannot hold (a tiny target, a much larger sum) is passed over.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from slth.construction.objectives import Objective
from slth.numerics import two_sum
from slth.ticket import Packed

PASSES = ((2, 16), (2, 256), (3, 16), (3, 256), (2, 4096))  # steps and R, for what is left
_BATCH = 2048  # problems solved together


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """One stage of some coefficients: what it may add up is gain · Σ of a row's candidates."""

    rows: Float64[np.ndarray, "problem n"]
    gain: float
    tolerance: float  # τ, in the unit of the coefficients

    def of(self, problems: np.ndarray) -> "Step":
        """The same of some of them."""
        return Step(self.rows[problems], self.gain, self.tolerance)


@dataclass(frozen=True, slots=True, eq=False)
class Mended:
    """What came of it, problem by problem."""

    reached: Bool[np.ndarray, " problem"]
    masks: tuple[Packed, ...]  # of each step
    rest: Float64[np.ndarray, " problem"]  # behind the last step, exact


def mend(
    steps: Sequence[Step],
    targets: Sequence[Float64[np.ndarray, " problem"]],
    kept: Sequence[Packed],
    *,
    objective: Objective,
    most: int,
) -> Mended:
    """Subsets of some steps that together come within the last tolerance, each but the last within its own.

    Args:
        steps: the stage that missed, last, behind one or two that came before it.
        targets: of each of them, in the unit of the coefficients.
        kept: the masks of each of them so far.
        most: solves that one pass may take at worst; one that could take more is left out, so that a stage which is far
            too narrow costs no more than so much.

    Returns:
        New masks where all steps are reached; elsewhere those that were kept, and a rest that means nothing.

    Cost: nearly every problem is mended by one or two solves of each step; one without an answer takes some ten
    thousand.
    """
    found = Mended(
        np.zeros(len(targets[0]), np.bool_), tuple(masks.copy() for masks in kept), np.zeros(len(targets[0]))
    )
    for depth, parts in PASSES:
        left = np.flatnonzero(~found.reached)
        if 0 < len(left) * parts ** (depth - 1) <= most and depth <= len(steps):
            some = [step.of(left) for step in steps[-depth:]]
            _put(found, left, _search(some, targets[-depth][left], objective, parts))
    return found


def _search(steps: Sequence[Step], targets: np.ndarray, objective: Objective, parts: int) -> Mended:
    """Parts in their order, each problem until one of its parts leads to the end."""
    if len(steps) == 1:
        return _last(steps[0], targets, objective)
    step, words = steps[0], [-(-each.rows.shape[1] // 64) for each in steps]
    masks = tuple(np.zeros((len(targets), count), np.uint64) for count in words)
    found = Mended(np.zeros(len(targets), np.bool_), masks, np.zeros(len(targets)))
    pending, part = np.arange(len(targets)), 0
    while len(pending) and part < parts:
        together = min(max(1, _BATCH // len(pending)), parts - part)
        problems = np.repeat(pending, together)
        centre = (2.0 * (part + np.tile(np.arange(together), len(pending))) + 1.0 - parts) / parts
        rows, wanted = step.rows[problems], targets[problems]
        answers = objective(
            rows,
            (wanted + centre * step.tolerance) / step.gain,
            tol=step.tolerance / (parts * step.gain),
        )
        rest, lost = two_sum(wanted, -step.gain * sums_of(rows, answers.packed))
        good = np.flatnonzero(answers.reached & (lost == 0.0))
        if not len(good):
            part += together
            continue
        inner = _search([later.of(problems[good]) for later in steps[1:]], rest[good], objective, parts)
        ends = np.flatnonzero(inner.reached)
        done, first = np.unique(problems[good][ends], return_index=True)
        ends = ends[first]
        found.reached[done], found.rest[done] = True, inner.rest[ends]
        for into, masks in zip(found.masks, (answers.packed[good], *inner.masks), strict=True):
            into[done] = masks[ends]
        pending, part = pending[~found.reached[pending]], part + together
    return found


def _last(step: Step, targets: np.ndarray, objective: Objective) -> Mended:
    answers = objective(step.rows, targets / step.gain, tol=step.tolerance / step.gain)
    rest, lost = two_sum(targets, -step.gain * sums_of(step.rows, answers.packed))
    return Mended(answers.reached & (lost == 0.0), (answers.packed,), rest)


def _put(into: Mended, at: np.ndarray, found: Mended) -> None:
    """Answers to the last steps of some problems."""
    done = np.flatnonzero(found.reached)
    into.reached[at[done]], into.rest[at[done]] = True, found.rest[done]
    for left, right in zip(into.masks[-len(found.masks) :], found.masks, strict=True):
        left[at[done]] = right[done]


def kept_of(packed: Packed, n: int) -> Bool[np.ndarray, "problem n"]:
    """Packed masks as they are read by people."""
    flat = np.unpackbits(packed.astype("<u8").view(np.uint8), axis=1, count=n, bitorder="little")
    return flat.view(np.bool_)


def packed_of(kept: Bool[np.ndarray, "problem n"]) -> Packed:
    """The inverse."""
    flat = np.zeros((len(kept), -(-kept.shape[1] // 64) * 64), np.bool_)
    flat[:, : kept.shape[1]] = kept
    return np.packbits(flat, axis=1, bitorder="little").view("<u8").astype(np.uint64)


def sums_of(rows: Float64[np.ndarray, "problem n"], packed: Packed) -> Float64[np.ndarray, " problem"]:
    """Of the candidates that packed masks keep: exact, as sums of products are."""
    return np.einsum("ij,ij->i", rows, kept_of(packed, rows.shape[1]).astype(np.float64))
