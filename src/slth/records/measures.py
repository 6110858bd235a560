"""What examples and repetitions show: a share, errors of outputs, a mean over runs; with intervals of 95 %."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from slth.records.entries import number, number_or_none, part_or_none, unfit, whole

Z_95 = 1.959964  # |x| <= z has 95 % of a normal distribution


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
        """Wilson (1927), z = 1.96: (p + z²/2n ± z √(p(1−p)/n + z²/4n²)) / (1 + z²/n).

        For hits that are independent draws: of several predictions for one input it says nothing.
        """
        z, n, p = Z_95, self.count, self.value
        middle, spread = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        return max(0.0, (middle - spread) / (1 + z * z / n)), min(1.0, (middle + spread) / (1 + z * z / n))


@dataclass(frozen=True, slots=True)
class Errors:
    r"""How far the m outputs of a network f are from numbers y, for n inputs; f as float32 computes it.

    $q_i = \frac1m \sum_j (f_j(x_i) - y_{ij})^2$ is the mean square of input i.
    """

    count: int  # n
    rms: float  # √(Σ q_i / n)
    deviation: float  # s, of q: √(Σ (q_i − q̄)² / (n − 1)); 0 for one input
    largest: float  # max |f_j(x_i) − y_ij|
    explained: float | None  # R² = 1 − Σ (f_j(x_i) − y_ij)² / Σ (y_ij − ȳ_j)²; None where no y_j varies

    @property
    def interval(self) -> tuple[float, float] | None:
        r"""Student's, of the mean of q, and of that the roots: $\sqrt{\bar q \pm t s / \sqrt n}$, n − 1 degrees.

        Approximate, as the mean of many independent draws is nearly normal. None for one input.

        >>> low, high = Errors(100, rms=1.0, deviation=0.5, largest=3.0, explained=None).interval
        >>> round(low * low, 3), round(high * high, 3)
        (0.901, 1.099)
        """
        if self.count < 2:
            return None
        mean, half = self.rms * self.rms, _half(self.deviation, self.count)
        return math.sqrt(max(mean - half, 0.0)), math.sqrt(mean + half)

    def as_data(self) -> dict[str, Any]:
        """For a record, with the interval."""
        return asdict(self) | {"interval": None if self.interval is None else list(self.interval)}


INTERVAL = "95 % interval of the mean, Student's"  # what stands behind every ±


@dataclass(frozen=True, slots=True)
class Average:
    r"""The mean of k runs that differ in something random, such as the seed: $\bar v \pm t s / \sqrt k$, k − 1 degrees.

    >>> found = Average.of([0.91, 0.93, 0.92])
    >>> f"{found.mean:.3f} ± {found.half:.3f}"
    '0.920 ± 0.025'
    """

    count: int  # k
    mean: float
    deviation: float | None  # s, of the sample; None for one run

    @classmethod
    def of(cls, values: Sequence[float]) -> "Average":
        """Of at least one value."""
        mean = math.fsum(values) / len(values)
        squares = math.fsum((value - mean) ** 2 for value in values)
        return cls(len(values), mean, math.sqrt(squares / (len(values) - 1)) if len(values) > 1 else None)

    @property
    def half(self) -> float | None:
        """Half of the 95 % interval of the mean: what stands behind ±. None for one run."""
        return None if self.deviation is None else _half(self.deviation, self.count)


def duration(seconds: float) -> str:
    """A time for people.

    >>> duration(1.234), duration(45.6), duration(600), duration(9000)
    ('1.2 s', '46 s', '10 min', '2.5 h')
    """
    if seconds < 120:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _half(deviation: float, count: int) -> float:
    """Of Student's interval of 95 %: t s / √n, n − 1 degrees of freedom."""
    from scipy.stats import t

    return float(t.ppf(0.975, count - 1)) * deviation / math.sqrt(count)


def proportion_in(outcome: Mapping[str, Any], name: str) -> Proportion | None:
    """An entry of a record; what follows from others is not read.

    Raises:
        InputError: naming the entry.
    """
    part = part_or_none(outcome, name, "hits and count")
    if part is None:
        return None
    hits, count = whole(part, "hits"), whole(part, "count")
    if not hits <= count or not count:
        raise unfit(name, "hits and count")
    return Proportion(hits, count)


def errors_in(outcome: Mapping[str, Any], name: str) -> Errors | None:
    """An entry of a record, as above."""
    expected = "count, rms, deviation and largest, at least 0, and explained"
    part = part_or_none(outcome, name, expected)
    if part is None:
        return None
    count, explained = whole(part, "count"), number_or_none(part, "explained")
    rms, deviation, largest = (number(part, entry) for entry in ("rms", "deviation", "largest"))
    if not count or min(rms, deviation, largest) < 0:
        raise unfit(name, expected)
    return Errors(count, rms, deviation, largest, explained)
