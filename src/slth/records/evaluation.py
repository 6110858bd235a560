"""An evaluation: a ticket measured on labelled data, as a frozen row, and as the plain data of a record."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

from slth._errors import InputError
from slth.certificate import Statistical


@dataclass(frozen=True, slots=True)
class Proportion:
    """A count out of a count, with Wilson's 95 % confidence interval."""

    hits: int
    count: int

    @property
    def value(self) -> float:
        """hits / count."""
        return self.hits / self.count

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson (1927), z = 1.96: (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n)."""
        z, n, p = 1.959964, self.count, self.value
        middle, spread = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, (middle - spread) / (1 + z * z / n)), min(1.0, (middle + spread) / (1 + z * z / n))


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the random network is, and what is kept of it. Fields about maps are empty where there are none."""

    source_parameters: int  # every entry of the random tensors
    kept: int  # entries that are not pruned
    density: float  # kept ÷ source parameters
    mask_bits: int  # before they are coded
    stored_mask_bits: int
    ideal_bits: float  # Σ N H₂(ones / N) over the masks: no coder that knows only the counts needs less
    carried: int  # numbers stored beside
    strong: bool  # nothing moved
    largest_move: float  # max |Δ|
    target_parameters: int | None = None
    kept_parameters: int | None = None  # surviving edges of lift and mixing, neurons without a kept edge removed
    candidates: tuple[int, ...] = ()  # of one half, per map
    widths: tuple[int, ...] = ()  # neurons of each random lift, dead ones included

    @property
    def bits_per_weight(self) -> float | None:
        """Mask bits per target parameter."""
        return None if self.target_parameters is None else self.mask_bits / self.target_parameters


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A ticket measured on labelled data; fields about the target are None without one."""

    data: str
    accuracy: Proportion
    sizes: Sizes
    realised: str | None = None  # digest of the ticket's coefficients, as they were regenerated
    target: str | None = None  # its digest
    target_accuracy: Proportion | None = None
    changed: int | None = None  # predictions that differ from the target's
    measured_error: float | None = None  # largest |f − f̂| of one output seen, both in float32
    certified_error: float | None = None  # bound on it over the whole input domain, in real arithmetic
    unchanged_on_box: Proportion | None = None  # predictions that provably cannot change, by the bound over the domain
    unchanged_per_input: Proportion | None = None  # the same by evaluating both networks at each input
    statistical: Statistical | None = None  # what `changed` says of the population that the data was drawn from

    def as_data(self) -> dict[str, Any]:
        """The outcome of a record: proportions with their value and interval."""
        outcome = asdict(self)
        for name in _PROPORTIONS:
            part = getattr(self, name)
            if part is not None:
                outcome[name] |= {"value": part.value, "interval": list(part.interval)}
        outcome["sizes"]["bits_per_weight"] = self.sizes.bits_per_weight
        return outcome


_PROPORTIONS = ("accuracy", "target_accuracy", "unchanged_on_box", "unchanged_per_input")


def read_evaluation(outcome: Mapping[str, Any]) -> Evaluation:
    """The inverse of `as_data`; what follows from other entries (value, interval) is not read.

    Raises:
        InputError: naming the entry that is missing or is no such number.
    """
    accuracy = _proportion(outcome, "accuracy")
    if accuracy is None:
        raise InputError("an evaluation states an accuracy; this record lacks it: make it again with slth evaluate")
    realised, target = (outcome.get(name) for name in ("realised", "target"))
    return Evaluation(
        data=str(outcome.get("data")),
        accuracy=accuracy,
        sizes=_sizes(outcome),
        realised=None if realised is None else str(realised),
        target=None if target is None else str(target),
        target_accuracy=_proportion(outcome, "target_accuracy"),
        changed=_count_or_none(outcome, "changed"),
        measured_error=_number(outcome, "measured_error"),
        certified_error=_number(outcome, "certified_error"),
        unchanged_on_box=_proportion(outcome, "unchanged_on_box"),
        unchanged_per_input=_proportion(outcome, "unchanged_per_input"),
        statistical=_statistical(outcome),
    )


def _sizes(outcome: Mapping[str, Any]) -> Sizes:
    part = outcome.get("sizes")
    if not isinstance(part, Mapping):
        raise InputError("an evaluation has an entry 'sizes'; this record lacks it: make it again with slth evaluate")
    entries = cast("Mapping[str, Any]", part)
    if type(entries.get("strong")) is not bool:
        raise _unfit("strong", "true or false")
    return Sizes(
        source_parameters=_whole(entries, "source_parameters"),
        kept=_whole(entries, "kept"),
        density=_number(entries, "density") or 0.0,
        mask_bits=_whole(entries, "mask_bits"),
        stored_mask_bits=_whole(entries, "stored_mask_bits"),
        ideal_bits=_number(entries, "ideal_bits") or 0.0,
        carried=_whole(entries, "carried"),
        strong=entries["strong"],
        largest_move=_number(entries, "largest_move") or 0.0,
        target_parameters=_count_or_none(entries, "target_parameters"),
        kept_parameters=_count_or_none(entries, "kept_parameters"),
        candidates=_counts(entries, "candidates"),
        widths=_counts(entries, "widths"),
    )


def _proportion(outcome: Mapping[str, Any], name: str) -> Proportion | None:
    part = outcome.get(name)
    if part is None:
        return None
    if not isinstance(part, Mapping):
        raise _unfit(name, "hits and count")
    entries = cast("Mapping[str, Any]", part)
    hits, count = _whole(entries, "hits"), _whole(entries, "count")
    if not 0 <= hits <= count or not count:
        raise _unfit(name, "hits and count")
    return Proportion(hits, count)


def _statistical(outcome: Mapping[str, Any]) -> Statistical | None:
    """As its counts and confidence have it; records of earlier versions have none."""
    part = outcome.get("statistical")
    if part is None:
        return None
    expected = "data, examples, changed, confidence and a share that they allow"
    if not isinstance(part, Mapping):
        raise _unfit("statistical", expected)
    entries = cast("Mapping[str, Any]", part)
    data, confidence, share = entries.get("data"), _number(entries, "confidence"), _number(entries, "at_most")
    if not isinstance(data, str) or confidence is None or share is None:
        raise _unfit("statistical", expected)
    counts = _whole(entries, "examples"), _whole(entries, "changed")
    try:
        found = Statistical(data, *counts, confidence, share)
    except InputError as error:
        raise _unfit("statistical", expected) from error
    if not found.holds:
        raise _unfit("statistical", expected)
    return found


def _whole(outcome: Mapping[str, Any], name: str) -> int:
    value = outcome.get(name)
    if type(value) is not int or value < 0:
        raise _unfit(name, "a count")
    return value


def _counts(outcome: Mapping[str, Any], name: str) -> tuple[int, ...]:
    values = outcome.get(name, ())
    if not isinstance(values, (list, tuple)):
        raise _unfit(name, "a list of counts")
    return tuple(_whole({name: value}, name) for value in cast("list[Any]", values))


def _count_or_none(outcome: Mapping[str, Any], name: str) -> int | None:
    return None if outcome.get(name) is None else _whole(outcome, name)


def _number(outcome: Mapping[str, Any], name: str) -> float | None:
    value = outcome.get(name)
    if value is None:
        return None
    if type(value) not in (int, float) or not math.isfinite(value):
        raise _unfit(name, "a finite number")
    return float(value)


def _unfit(name: str, expected: str) -> InputError:
    return InputError(f"the entry {name!r} of an evaluation must be {expected}; make the record again")
