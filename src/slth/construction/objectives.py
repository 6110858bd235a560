"""Objectives: which subset of the candidates is taken. Functions of rows and targets; they know no gadget, no map."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float64

from slth._shapes import Errors, Targets, ValuesBatch
from slth.subsetsum import Status, SubsetSums, closest_batch, fewest_batch, first_batch, first_vector_batch
from slth.ticket import Packed

VectorRows = Float64[np.ndarray, "problem w n"]
TargetVectors = Float64[np.ndarray, "problem w"]
_WITHIN = list(Status).index(Status.WITHIN_TOL)


@dataclass(frozen=True, slots=True, eq=False)
class Subsets:
    """What is kept of the candidates of each problem."""

    packed: Packed  # bit k of word l keeps candidate 64 l + k
    reached: Bool[np.ndarray, " problem"]  # within the tolerance
    error: Errors  # |sum − target|


@runtime_checkable
class Objective(Protocol):
    """Answers one subset-sum problem per row: (problem, n) and (problem,); of vectors (problem, w, n), (problem, w)."""

    def __call__(self, rows: np.ndarray, targets: np.ndarray, *, tol: float) -> Subsets: ...


def within(rows: ValuesBatch, targets: Targets, *, tol: float) -> Subsets:
    """The first subset found within the tolerance."""
    return _subsets(first_batch(rows, targets, tol=tol))


def fewest(rows: ValuesBatch, targets: Targets, *, tol: float) -> Subsets:
    """Of the subsets within the tolerance the first, by how many they keep: up to eight, of more any will do."""
    return _subsets(fewest_batch(rows, targets, tol=tol))


def closest(rows: ValuesBatch, targets: Targets, *, tol: float) -> Subsets:
    """The subset whose sum is closest."""
    found = closest_batch(rows, targets)
    return Subsets(found.packed[:, None], found.error <= tol, found.error)


def within_vectors(rows: VectorRows, targets: TargetVectors, *, tol: float) -> Subsets:
    """The same of candidates that bits share for all w: the first subset found within the tolerance at every one."""
    values = np.ascontiguousarray(rows.transpose(0, 2, 1))
    return _subsets(first_vector_batch(values, targets, tol=tol))


OBJECTIVES: Mapping[str, Objective] = {"within": within, "fewest": fewest, "closest": closest}


def _subsets(found: SubsetSums) -> Subsets:
    return Subsets(found.packed[:, None], found.codes == _WITHIN, found.error)
