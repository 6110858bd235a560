"""Where a ticket came from: what was asked, of which target, by which version. No times; no measurements but those by
which a search says that it chose its mask.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from slth._errors import InputError
from slth.ticket.choice import FOUND
from slth.ticket.plain import plain
from slth.ticket.tensors import check_text

MOST_MISSES = 256  # listed; the claims count all
BY_HAND = "by hand"  # the training that was asked for, where a user's own loop was the trainer


@dataclass(frozen=True, slots=True)
class Miss:
    """A coefficient that no subset of its candidates reaches within the tolerance."""

    map: str
    output: int
    input: int  # −1 for a bias
    half: str  # "positive", "negative" or "bias"
    error: float
    tap: int = 0


@dataclass(frozen=True, slots=True)
class Provenance:
    """The origin of a ticket; what does not apply is empty."""

    version: str
    method: str  # its name, such as "edge-popup"
    asked: dict[str, Any]  # plain JSON: everything that was asked; of a search that chose its mask also `found`
    data: str | None = None  # name of the data that masks were trained on
    attempts: int = 1
    target: str | None = None  # SHA-256 of the target
    names: Mapping[str, tuple[str, str | None]] = field(
        default_factory=dict[str, tuple[str, str | None]]
    )  # by map: the target's tensors of weight and bias
    misses: tuple[Miss, ...] = ()  # the first of them
    folded: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict[str, tuple[str, ...]]
    )  # by map: steps of the target whose numbers are in the map's own, in order; of maps with any

    @property
    def by_hand(self) -> bool:
        """Masks were trained in a loop of the user's own, whose settings nobody knows."""
        return self.asked.get("training") == BY_HAND

    @property
    def question(self) -> dict[str, Any]:
        """What was asked, without what a search says it found."""
        return {name: value for name, value in self.asked.items() if name != FOUND}

    @property
    def cut(self) -> dict[str, str]:
        """Where the graph of an ONNX file was cut: the ends that were named, `from_node` and `to_node`."""
        asked = ((name, self.asked.get(name)) for name in ("from_node", "to_node"))
        return {name: node for name, node in asked if isinstance(node, str)}

    def __post_init__(self) -> None:
        for what, text, most in (("version", self.version, 100), ("method", self.method, 200)):
            if text:  # a constructed ticket of version 1 may leave either out
                check_text(text, f"provenance.{what}", most)
        if self.data is not None:
            check_text(self.data, "provenance.data", 1000)
        if type(self.attempts) is not int or self.attempts < 1:
            raise InputError(f"provenance.attempts: expected a count from 1, got {self.attempts!r}")
        for path, steps in self.folded.items():
            if not steps or len(set(steps)) != len(steps):
                what = ", ".join(steps)[:200] or "nothing"
                raise InputError(f"provenance.folded: expected steps of {path[:200]!r}, each once; got {what}")
            for step in steps:
                check_text(step, "provenance.folded", 1000)
        object.__setattr__(self, "asked", plain(self.asked, "provenance.asked"))
