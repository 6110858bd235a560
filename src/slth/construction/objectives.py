"""Objectives: which subset of the candidates is taken. Functions of rows and targets; they know no gadget, no map."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float64, Int32

from slth._shapes import Errors, Targets, ValuesBatch
from slth.construction.objective_chances import kept_of
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
    steps: Int32[np.ndarray, "problem n"] | None = None  # by how many steps of 2⁻²³ kept numbers move


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


@dataclass(frozen=True, slots=True)
class Exactly:
    """Some subset of exactly k = ⌊γ n⌋ of the n candidates within the tolerance (Natale et al., 2024).

    Nothing is spared: a target of 0 keeps k, too, and what is out of reach keeps the closest k that were found.
    """

    density: float  # γ, the decimal that was written

    def __call__(self, rows: ValuesBatch, targets: Targets, *, tol: float) -> Subsets:
        """Answer one problem per row."""
        return _subsets(first_batch(rows, targets, tol=tol, size=kept_of(self.density, rows.shape[1])))


OBJECTIVES: Mapping[str, Objective] = {"within": within, "fewest": fewest, "closest": closest}


def _subsets(found: SubsetSums) -> Subsets:
    return Subsets(found.packed[:, None], found.codes == _WITHIN, found.error)
