"""Blocks of problems solved by whoever is there: this thread, several, or the workers of a cluster."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np

from slth._threads import in_order
from slth.construction.moved import Moved
from slth.construction.objectives import Objective, Subsets
from slth.ticket import STEP, Packed, Problems


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """A block of problems with all that solving it needs, also on another machine."""

    block: Problems
    targets: np.ndarray  # (slot, w), before the gain
    tolerance: float
    objective: Objective
    several: bool  # stages


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What became of a block of problems."""

    packed: Packed  # masks of the subsets
    sums: np.ndarray  # what they realise, (slot, w)
    missed: np.ndarray  # numbers of the problems without a subset within the tolerance
    seconds: float  # that the solver took
    steps: np.ndarray | None  # moves of the kept candidates


def answers(tasks: Iterator[Task], *, threads: int, backend: str) -> Iterator[Answer]:
    """Of all tasks, in their order.

    Args:
        threads: workers.
        backend: "ray" if they are those of a cluster that is connected, see `slth._cluster`; else "local".
    """
    if backend == "local":
        return in_order(_answer, tasks, threads=threads)
    from joblib import Parallel, delayed

    from slth._cluster import RAY

    far = Parallel(threads, backend=RAY, return_as="generator")
    return cast(Iterator[Answer], far(delayed(_answer)(task) for task in tasks))


def _answer(task: Task) -> Answer:
    """Where the work is done."""
    block, candidates = task.block, task.block.candidates()
    rows = block.rows_of(candidates)
    start = time.perf_counter()
    targets = task.targets.reshape(rows.shape[:-1])
    found = _found(task.objective, block, rows, targets, tol=task.tolerance)
    seconds = time.perf_counter() - start
    packed, sums = found.packed, block.chosen(candidates, found.packed)
    if found.steps is not None:
        own = np.einsum("swn,sn->sw", found.steps.reshape(candidates.shape) * STEP, block.factors)
        sums = sums + block.gain * own  # exact, as the sums are
    if task.several:
        worse = np.abs(targets * block.gain - sums.reshape(targets.shape)) > np.abs(targets * block.gain)
        if worse.any():  # than keeping nothing: what is left would not be exact
            packed = np.where(worse.reshape(-1)[:, None], np.uint64(0), packed)
            sums = block.chosen(candidates, packed)
    return Answer(packed, sums, np.flatnonzero(~found.reached), seconds, found.steps)


def _found(objective: Objective, block: Problems, rows: np.ndarray, targets: np.ndarray, *, tol: float) -> Subsets:
    """Answers to a block; where numbers move, it matters what they are multiplied with."""
    if not isinstance(objective, Moved):
        return objective(rows, targets, tol=tol)
    factors = np.repeat(block.factors, len(block.pairs), axis=0)
    return objective.with_factors(factors, rows, targets, tol=tol)
