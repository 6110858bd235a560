"""A certificate is data: what is claimed about a realised network, as numbers that anyone can recompute.

All claims are about real arithmetic: the two networks as functions with the given float64 coefficients, not what a
float32 evaluation of either prints. Letters as in `errors`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from slth._errors import InputError
from slth.certificate.exact import Exact
from slth.certificate.statistical import Statistical
from slth.numerics import NORMS, SPECTRAL, at_most

_MOST_LISTED = 8  # tolerances, one by one


@dataclass(frozen=True, slots=True)
class MapClaim:
    """Claims about one linear map; every number is an upper bound.

    tolerance: τ, what a coefficient was allowed to be off by.
    weight_error: max |P - W|, |N + W| over the halves that exist.
    bias_error: max |b̂ - b|.
    misses: how many half-weights and biases are off by more than `tolerance`.
    operator_error: η, a bound on ‖[E⁺ E⁻]‖₂.
    sup_error, l2_error: bounds on the largest |ẑ - z| over the map's outputs and on ‖ẑ - z‖₂, for all inputs of the
        network in the box, at each of its nodes; errors of earlier maps included. None if no box was stated, or if
        claims stop before one of its nodes.
    norms: the rule by which operator norms of this map are bounded, in all of these numbers: one of
        `slth.numerics.NORMS`. Looser rules are for maps that are too large for the tightest one.
    """

    tolerance: float
    weight_error: float
    bias_error: float
    misses: int
    operator_error: float
    sup_error: float | None
    l2_error: float | None
    norms: str = SPECTRAL

    def __post_init__(self) -> None:
        if self.norms not in NORMS:
            raise InputError(f"norms must be one of {', '.join(NORMS)}; got {self.norms!r}")
        for name in ("tolerance", "weight_error", "bias_error", "operator_error"):
            _check_bound(getattr(self, name), name)
        for name in ("sup_error", "l2_error"):
            if getattr(self, name) is not None:
                _check_bound(getattr(self, name), name)
        if not isinstance(self.misses, int) or isinstance(self.misses, bool) or self.misses < 0:  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InputError(f"misses must be a count, an integer of at least 0, got {self.misses!r}")
        if (self.sup_error is None) != (self.l2_error is None):
            raise InputError("sup_error and l2_error of a map stand or fall together: state both or neither")


@dataclass(frozen=True, slots=True)
class Certificate:
    """Claims about a network; every number is an upper bound.

    maps: one `MapClaim` for each linear map, by path, in the order of first use. sup_error, l2_error: the largest
    |f̂ - f| over the outputs and ‖f̂ - f‖₂, for all inputs in the box; output_error: |f̂ - f| of each output: one number
    for all, one for each index of the first axis, or one for each output, in C order. None if no box was stated.
    stops: nodes whose op has no rule; nothing is claimed behind.
    exact: that the ticket is its target, number by number.
    statistical: what examples say about a population, one claim for each data set; it rests on none of the others.
    """

    maps: Mapping[str, MapClaim]
    sup_error: float | None
    l2_error: float | None
    output_error: tuple[float, ...] | None
    stops: tuple[str, ...] = ()
    statistical: tuple[Statistical, ...] = ()
    exact: Exact | None = None

    def __post_init__(self) -> None:
        if not self.maps:
            raise InputError("a certificate speaks of at least one map, got none")
        if self.output_error is not None and not self.output_error:
            raise InputError("output_error lists one bound per output, got none")
        for name, value in (("sup_error", self.sup_error), ("l2_error", self.l2_error)):
            if value is not None:
                _check_bound(value, name)
        for value in self.output_error or ():
            _check_bound(value, "output_error")
        whole = (self.sup_error, self.l2_error, self.output_error)
        bounds = whole if self.stops else (*whole, *(claim.sup_error for claim in self.maps.values()))
        if len({bound is None for bound in bounds}) != 1:
            raise InputError("bounds over the inputs stand or fall together: state all of them or none")
        if self.stops and self.sup_error is not None:
            raise InputError(f"claims stop at {', '.join(self.stops)}: nothing can be claimed of the outputs behind")
        if self.exact is not None and list(self.exact.maps) != list(self.maps):
            raise InputError("an exact certificate speaks of every map of the network")
        named = [claim.data for claim in self.statistical]
        for data in named:
            if named.count(data) > 1:
                raise InputError(f"two statistical claims speak of {data[:200]!r}; expected one for each data set")

    @property
    def over_inputs(self) -> bool:
        """Whether something is claimed about inputs in a box."""
        return any(claim.sup_error is not None for claim in self.maps.values()) or self.sup_error is not None

    @property
    def misses(self) -> int:
        """Coefficients off by more than their tolerance."""
        return sum(claim.misses for claim in self.maps.values())

    @property
    def weight_error(self) -> float:
        """The largest error of a weight."""
        return max(claim.weight_error for claim in self.maps.values())

    @property
    def tolerances(self) -> dict[str, float]:
        """τ of every map."""
        return {path: claim.tolerance for path, claim in self.maps.items()}

    @property
    def tolerance_text(self) -> str:
        """For people: one number, or one per map, of many maps the smallest and the largest; rounded up."""
        values = self.tolerances.values()
        found = [at_most(tolerance, 3) for tolerance in values]
        if len(found) > _MOST_LISTED and len(set(found)) > 1:
            return f"{at_most(min(values), 3)} to {at_most(max(values), 3)}"
        return found[0] if len(set(found)) == 1 else ", ".join(found)


def _check_bound(value: object, name: str) -> None:
    if not isinstance(value, float) or not (math.isfinite(value) and value >= 0):
        raise InputError(f"{name} must be a finite number, at least 0, got {value!r}")
