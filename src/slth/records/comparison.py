"""A comparison: tickets of one target beside other ways to store its weights."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Compared:
    """One way to store the weights of a target; what is not known of it is None."""

    name: str
    kind: str  # "ticket", "masks", "quantiser" or "bound"
    bits: float  # per parameter of the maps, everything stored included
    weight_error: float | None = None  # largest, of a weight or bias
    rms_error: float | None = None  # root of: mean square of the weights' errors ÷ mean square of the weights
    measured_error: float | None = None  # largest difference of an output on the data
    accuracy: float | None = None  # on the data
    claimed_error: float | None = None  # bound on the difference of any output on the input range, recomputed


@dataclass(frozen=True, slots=True)
class Comparison:
    """All of them, and in sentences how far the tickets are from the rest."""

    target: str  # digest
    parameters: int  # of its maps
    data: str | None
    rows: tuple[Compared, ...]
    verdicts: tuple[str, ...]

    def as_plain(self) -> Mapping[str, Any]:
        """Plain data."""
        return asdict(self)
