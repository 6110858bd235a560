"""The maps of a certificate, one after the other: from the first node that uses a map to the last one.

What is left of a map then is its claim, a few numbers. No two maps are held at once, unless one of them is used again
behind the other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from slth._errors import InputError
from slth.certificate.claims import MapClaim
from slth.certificate.errors import MapErrors, Norms, map_errors
from slth.certificate.reach import Reach
from slth.certificate.signs import Signs
from slth.graph import Realised, Target

LARGEST = 1e300  # a larger bound counts as overflow


@dataclass(frozen=True, slots=True, eq=False)
class Maps:
    """Those that are held, and what is claimed of all that came so far."""

    target: Target
    realised: Callable[[str], Realised]
    tolerances: Mapping[str, float] = field(kw_only=True)
    signs: Signs | None = field(kw_only=True)  # None: nothing is claimed over inputs
    norms: Norms | None = field(kw_only=True)
    rules: Mapping[str, str] = field(kw_only=True)  # of norms, where they are not the maps' own
    errors: dict[str, MapErrors] = field(default_factory=dict[str, MapErrors], init=False)
    claims: dict[str, MapClaim] = field(default_factory=dict[str, MapClaim], init=False)
    reached: dict[str, list[tuple[float, float] | None]] = field(default_factory=dict, init=False)  # by each node

    def enter(self, path: str) -> None:
        """Ask for a map, unless it is held already."""
        if path in self.errors:
            return
        op, wanted = self.target.graph.maps[path], self.target.coefficients[path]
        part, copies = self.realised(path), self.target.copies.get(path, 1)
        found = map_errors(path, op, wanted, part, norms=self.norms, by=self.rules.get(path), copies=copies)
        if self.signs is not None:
            self.signs.check(path, part.signed)
        check_size(path, found.eta)
        sizes = found.sizes(self.tolerances[path])
        self.errors[path], self.reached[path] = found, []
        self.claims[path] = MapClaim(
            tolerance=float(self.tolerances[path]),
            weight_error=sizes.weight_error,
            bias_error=sizes.bias_error,
            misses=sizes.misses,
            operator_error=found.eta,
            sup_error=None,
            l2_error=None,
            norms=found.norms,
        )

    def bounded(self, path: str, z: Reach | None) -> None:
        """What is known of a node of the map; None: nothing."""
        self.reached[path].append(None if z is None else (float(z.error.max()), z.error_norm))

    def leave(self, path: str) -> None:
        """After the last node that reads it a map is dropped; its claim needs what all of its own nodes bound."""
        del self.errors[path]
        nodes = self.reached[path]
        bounds = [bound for bound in nodes if bound is not None]
        if bounds and len(bounds) == len(nodes):
            sup_error, l2_error = (max(each) for each in zip(*bounds, strict=True))
            self.claims[path] = replace(self.claims[path], sup_error=sup_error, l2_error=l2_error)


def check_size(name: str, *bounds: float) -> None:
    """Refuse a bound of a node or map that float64 cannot hold."""
    if not np.max(bounds) < LARGEST:  # NaN is not smaller, either
        raise InputError(f"{name}: the bound overflows float64; rescale the weights or the input range")
