"""A published result as data: what it says, which parts measure it, how a verdict is drawn from them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from slth.reproductions._figure import Figure


class Scale(Enum):
    """How much work it may be."""

    SMOKE = "smoke"  # generated or embedded data, at most 30 s
    SMALL = "small"  # real data sets, at most 10 minutes on two cores
    PAPER = "paper"  # the size of the source


class Verdict(Enum):
    """How a measurement stands to what was published."""

    REPRODUCED = "reproduced"
    IN_SHAPE = "in shape"
    NOT_REPRODUCED = "not reproduced"
    TOO_SMALL = "too small to say"
    NOT_ATTEMPTED = "not attempted at this scale"


@dataclass(frozen=True, slots=True)
class Means:
    """What a part may use: the folder of the data sets, a folder for work that parts share, threads."""

    shared: Path
    data_dir: Path | None = None
    threads: int = 1


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of the measurement, of at most a few minutes: after an interrupt, finished ones are not done again.

    `measure(means, **options)` answers with plain JSON data. The options, seed among them, are all that decides it.
    Parts run side by side in processes, so `measure` is a function of a module.
    """

    name: str
    measure: Callable[..., dict[str, Any]]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Measured:
    """A part that is done: its name, its options, what came out, and its seconds."""

    name: str
    options: Mapping[str, Any]
    outcome: Mapping[str, Any]
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table. `published` None: the source gives no number."""

    what: str
    ours: float | str
    published: float | str | None = None
    note: str = ""

    @property
    def difference(self) -> float | None:
        """Ours less published, where both are numbers."""
        if isinstance(self.ours, str) or self.published is None or isinstance(self.published, str):
            return None
        return self.ours - self.published


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """What the parts show: the table, the verdict and the sentence that justifies it, the figures."""

    verdict: Verdict
    because: str
    rows: tuple[Row, ...] = ()
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reproduction:
    """One published result, or one question of the field, and how it is measured.

    Attributes:
        name: as `slth reproduce NAME` knows it.
        title: a few words for a list.
        says: what the source says, in a sentence or two, with its numbers.
        sources: keys of `slth.theory.REFERENCES`.
        place: where in the first source: "Figure 1".
        settings: what was chosen here where the source is silent, and by which rule the verdict is drawn.
        parts: of a scale and a seed; none: not attempted at this scale.
        conclude: of the finished parts, in their order, and the scale.
        data: named data sets that a scale needs.
    """

    name: str
    title: str
    says: str
    sources: tuple[str, ...]
    settings: str
    parts: Callable[[Scale, int], Sequence[Part]]
    conclude: Callable[[Sequence[Measured], Scale], Conclusion]
    place: str = ""
    data: Mapping[Scale, tuple[str, ...]] = field(default_factory=dict)
