"""What a solver answers: a subset, its error, and a sentence that says what this proves."""

from collections import Counter
from dataclasses import dataclass
from enum import Enum
from operator import index

import numpy as np

from slth._shapes import Codes, Errors, Kept, KeptBatch, PackedRows, Values


class Status(Enum):
    """How a search ended. Falling short is a result; misuse is an `InputError`."""

    WITHIN_TOL = "the error is at most tol"
    OPTIMAL = "no subset is closer"
    BEST_EFFORT = "the search finished; no subset is within tol"
    BUDGET_SPENT = "the search stopped early; a closer subset may exist"
    INFEASIBLE = "no subset sums to the target"
    COUNTED = "every subset within tol is counted"
    UNDECIDED = "some subsets at the edge of tol may or may not count"


def unpacked(mask: int, n: int) -> Kept:
    """Bits 0 to n - 1 of a mask."""
    return np.array([mask >> i & 1 for i in range(n)], np.bool_)


@dataclass(frozen=True, slots=True, eq=False)  # arrays do not compare to one bool
class SubsetSum:
    """The answer to one problem."""

    kept: Kept
    error: float  # |sum of the kept values in ascending order of index - target|, as float64 computes it; of a vector
    # the largest coordinate
    status: Status


@dataclass(frozen=True, slots=True, eq=False)
class SubsetSums:
    """The answers to a batch of problems; `answers[i]` is one of them as a `SubsetSum`."""

    packed: PackedRows  # bit i of a row is candidate i
    n: int  # candidates per problem
    error: Errors
    codes: Codes  # positions in tuple(Status)

    @property
    def kept(self) -> KeptBatch:
        """The masks, one byte per candidate."""
        shifts = np.arange(self.n, dtype=np.uint64)
        return ((self.packed[:, None] >> shifts) & np.uint64(1)).astype(np.bool_)

    def count(self, status: Status) -> int:
        """How many problems ended like this."""
        return int(np.count_nonzero(self.codes == tuple(Status).index(status)))

    def __len__(self) -> int:
        return len(self.packed)

    def __getitem__(self, row: int) -> SubsetSum:
        at = index(row)
        return SubsetSum(unpacked(int(self.packed[at]), self.n), float(self.error[at]), tuple(Status)[self.codes[at]])

    def __repr__(self) -> str:
        counts = Counter(tuple(Status)[code].name for code in self.codes)
        ends = ", ".join(f"{count} {name}" for name, count in counts.items())
        return f"<{len(self)} subset sums of {self.n} values: {ends or 'none'}>"


@dataclass(frozen=True, slots=True, eq=False)
class PerturbedSum:
    """The answer to one problem whose kept values may move: all by the same `move`."""

    kept: Kept
    move: float  # y, signed; 0 where nothing is kept
    error: float  # |sum of the kept values, each plus y, in ascending order of index - target|, as float64 computes it
    status: Status

    @property
    def moves(self) -> Values:
        """How far each value moves: y where kept, 0 elsewhere."""
        return self.kept * self.move


@dataclass(frozen=True, slots=True, eq=False)
class PerturbedSums:
    """The answers to a batch of problems; `answers[i]` is one of them as a `PerturbedSum`."""

    subsets: SubsetSums
    move: Errors  # y of each problem

    def __len__(self) -> int:
        return len(self.subsets)

    def __getitem__(self, row: int) -> PerturbedSum:
        answer = self.subsets[row]
        return PerturbedSum(answer.kept, float(self.move[row]), answer.error, answer.status)


@dataclass(frozen=True, slots=True, eq=False)
class IntegerSum:
    """The answer to one problem of integers."""

    kept: Kept
    error: int  # |sum of the kept values - target|, exact
    status: Status


@dataclass(frozen=True, slots=True)
class SubsetCount:
    """How many subsets are within tolerance: from `count` to `count + undecided`."""

    count: int
    undecided: int
    subsets: int  # all that were asked about
    status: Status
