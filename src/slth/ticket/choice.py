"""What a search chose among: final masks that it could have kept, as it measured them.

Nobody can recheck these numbers from a ticket: the search says so. They stand in `provenance.asked` under `found`, as
columns: {"mask": ["density 1", "density 0.9"], "training_loss": [0.41, 0.32], "accuracy": [0.9, 0.91], "chosen":
"density 0.9"}; accuracy is null where none was measured, numbers have six digits.
"""

import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slth._arguments import is_finite

FOUND = "found"  # the key of what a search says of the masks that it chose among
_MOST = 1000  # candidates that a ticket may list


@dataclass(frozen=True, slots=True)
class Candidate:
    """A final mask.

    Attributes:
        mask: what it is, its kind first: "density 0.9", "draw 3", "threshold".
        training_loss: mean over all training examples, in evaluation mode.
        accuracy: on the test examples; None: not measured. Nothing is chosen by it.
    """

    mask: str
    training_loss: float
    accuracy: float | None

    @property
    def kind(self) -> str:
        return self.mask.partition(" ")[0]


@dataclass(frozen=True, slots=True)
class Choice:
    """The candidates of a search, and the mask among them that is kept."""

    candidates: tuple[Candidate, ...]
    chosen: str

    def of(self, kind: str) -> tuple[Candidate, ...]:
        """The candidates of one kind."""
        return tuple(candidate for candidate in self.candidates if candidate.kind == kind)

    @property
    def best(self) -> Candidate:
        """The one that is kept."""
        return next(candidate for candidate in self.candidates if candidate.mask == self.chosen)

    def as_data(self) -> dict[str, Any]:
        """Columns, as they stand in a ticket: six digits, which is what threads leave of a sum in float32."""
        columns: dict[str, Any] = {"mask": [candidate.mask for candidate in self.candidates]}
        for name in ("training_loss", "accuracy"):
            values = [getattr(candidate, name) for candidate in self.candidates]
            columns[name] = [None if value is None else float(f"{value:.6g}") for value in values]
        return {**columns, "chosen": self.chosen}


def choice_in(asked: Mapping[str, Any]) -> Choice | None:
    """What the provenance of a ticket says was chosen; None: nothing, or nothing of this form.

    >>> said = Choice((Candidate("draw 0", 0.5, None),), "draw 0")
    >>> choice_in({FOUND: said.as_data()}) == said, choice_in({FOUND: {"mask": "draw 0"}})
    (True, None)
    """
    found = asked.get(FOUND)
    columns: Mapping[str, Any] = found if isinstance(found, dict) else {}
    masks, losses, accuracies = (_column(columns.get(name)) for name in ("mask", "training_loss", "accuracy"))
    if not (len(masks) == len(losses) == len(accuracies) <= _MOST and columns.get("chosen") in masks):
        return None
    rows = list(zip(masks, losses, accuracies, strict=True))
    if not all(isinstance(m, str) and is_finite(v) and (a is None or is_finite(a)) for m, v, a in rows):
        return None
    return Choice(tuple(Candidate(*row) for row in rows), columns["chosen"])


def choice_rows(choice: Choice) -> Iterator[tuple[str, str]]:
    """What was chosen, and among what, as (name, text): draws by mean and standard deviation, others one by one."""
    yield "the search says", f"kept {choice.chosen}: {_numbers(choice.best)}"
    for kind in dict.fromkeys(candidate.kind for candidate in choice.candidates):
        group = choice.of(kind)
        if kind == "draw" and len(group) > 1:
            parts = [f"training loss {_spread([c.training_loss for c in group], '{:.4g}'.format)}"]
            known = [c.accuracy for c in group if c.accuracy is not None]
            if len(known) == len(group):
                parts.insert(0, f"accuracy {_spread(known, '{:.2%}'.format)}")
            yield "", f"{len(group)} draws: {', '.join(parts)} (mean ± standard deviation)"
        else:
            yield from (("", f"{candidate.mask}: {_numbers(candidate)}") for candidate in group)


def _numbers(candidate: Candidate) -> str:
    reached = "" if candidate.accuracy is None else f", accuracy {candidate.accuracy:.2%}"
    return f"training loss {candidate.training_loss:.4g}{reached}"


def _spread(values: Sequence[float], text: Callable[[float], str]) -> str:
    return f"{text(statistics.mean(values))} ± {text(statistics.stdev(values))}"


def _column(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
