"""Objectives: which subset of the candidates is taken. Functions of rows and targets; they know no gadget, no map."""

from typing import Protocol, runtime_checkable

from slth._shapes import Targets, ValuesBatch
from slth.subsetsum import SubsetSums, first_batch


@runtime_checkable
class Objective(Protocol):
    """Answers one subset-sum problem per row."""

    def __call__(self, rows: ValuesBatch, targets: Targets, *, tol: float) -> SubsetSums: ...


def within(rows: ValuesBatch, targets: Targets, *, tol: float) -> SubsetSums:
    """The first subset found within the tolerance."""
    return first_batch(rows, targets, tol=tol)
