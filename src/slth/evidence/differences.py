"""How far a network is from the one that a ticket was made for, as far as the ticket tells.

A ticket holds no coefficient of its target W, only how far its own ones P are off: e = max |P − W| of each map, rounded
up by 2⁻²⁰ e. Of another network W' that is another number, and |e' − e| ≤ max |W' − W|. So a map whose errors are other
ones is another map, and what they differ by says of which kind the difference is, not how large it can be.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from slth.certificate import MapClaim
from slth.graph import Affine, Target
from slth.numerics import at_most
from slth.ticket import Ticket

# An exporter that makes one map of a convolution and a normalisation in float32 rounds each coefficient a few times, by
# 2⁻²⁴ of itself: a sum under a root, the root, a quotient, a product; of a shift also a difference of larger numbers.
# 2⁻²⁰ is 16 roundings. A heuristic: what else moves a network as little is called rounding, too, and the check fails
# all the same.
ROUNDING = 2.0**-20
MOST_LISTED = 3  # maps that an exporter folded something into


@dataclass(slots=True)
class Differences:
    """The maps of a network whose errors are not those that a ticket states."""

    ticket: Ticket
    sizes: dict[str, float] = field(default_factory=dict[str, float])  # |e' − e|, in the map's largest coefficients
    rounded: set[str] = field(default_factory=set[str])  # maps of which every coefficient is a number of float32
    steps: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])  # `Target.folded`

    def find(self, target: Target, maps: Mapping[str, MapClaim]) -> None:
        """From what would be claimed of the maps of a target, under the ticket's names."""
        self.steps = target.folded
        for path, found in maps.items():
            stated = self.ticket.claims.maps[path] if self.ticket.claims is not None else found
            pairs = (found.weight_error, stated.weight_error), (found.bias_error, stated.bias_error)
            difference = max(abs(new - old) for new, old in pairs)
            if difference > 0:
                parts = _parts(target.coefficients[path])
                largest = max(float(np.abs(part).max()) for part in parts)
                self.sizes[path] = difference / largest if largest else np.inf
                self.rounded |= {path} if all(map(_is_float32, parts)) else set()

    @property
    def words(self) -> str:
        """The rest of a sentence; nothing where no difference was found."""
        if not self.sizes:
            return ""
        worst = max(self.sizes, key=self.sizes.__getitem__)
        size, count = self.sizes[worst], f"{len(self.sizes):,} of {len(self.ticket.maps):,} maps"
        steps, advice = self._exported()
        if steps is None or size > ROUNDING:
            return (
                f"; the errors of {count} are not those that the ticket states, most of all those of {worst}, by "
                f"{size:.2g} of its largest coefficient"
            )
        known = [f"{' and '.join(steps[path])} into {path}" for path in list(self.sizes)[:MOST_LISTED]]
        listed = ", ".join([*known, *["..."] * (len(self.sizes) > MOST_LISTED)])
        return (
            f"; the errors of {count} differ from those that the ticket states by at most {at_most(size, 2)} of the "
            "map's largest coefficient, as rounding to float32 does where an exporter has folded "
            f"{listed[:300]}: {advice}"
        )

    def _exported(self) -> tuple[Mapping[str, tuple[str, ...]] | None, str]:
        """What an exporter may have folded into all of these maps, and what to do then.

        The network is its file, if its numbers are of float32 where the ticket's target had steps; or the ticket's
        target was, where the network has steps and that had none.
        """
        steps = self.ticket.provenance.folded
        if all(path in steps and path in self.rounded for path in self.sizes):
            return steps, "make a ticket of this file"
        if all(path in self.steps and path not in steps for path in self.sizes):
            return self.steps, "give the file that the ticket was made of"
        return None, ""


def _parts(affine: Affine) -> list[np.ndarray]:
    return [affine.weight] if affine.bias is None else [affine.weight, affine.bias]


def _is_float32(array: np.ndarray) -> bool:
    with np.errstate(over="ignore"):
        return bool(np.array_equal(array.astype(np.float32).astype(np.float64), array))
