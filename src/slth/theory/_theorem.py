"""A theorem as data: what it says, over which numbers, what it assumes, which way it points, how its number is made.

A theorem is called with the values of its letters, and answers with a record, never with a bare number:

    lueker = Theorem(name="lueker", ..., value=lambda *, epsilon, delta, C: C * math.log(2 / min(epsilon, delta)))
    lueker(epsilon=0.01).value
"""

import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

from slth import _arguments
from slth._errors import InputError

Number = float | int
SMALLEST = 1e-250  # of what is above 0: reciprocals of smaller numbers, times those of a network, leave the floats


class Direction(Enum):
    """Which way a bound points."""

    NECESSARY = "necessary: with less it cannot be done"
    SUFFICIENT = "sufficient: with this much it is done"
    EXPECTED = "expected: an estimate, which proves nothing either way"


class Standing(Enum):
    """What is known about a constant of a theorem."""

    GIVEN = "given by the source"
    DERIVED = "derived here, and tested"
    FITTED = "unknown in the source; fitted to simulations"
    UNKNOWN = "unknown in the source; set it to see the form"


class Unit(Enum):
    """What a number counts. Bounds of one unit can stand in one picture."""

    CANDIDATES = "random numbers for one target"
    NEURONS = "hidden neurons of the source for one layer of the target"
    PARAMETERS = "source parameters for one target parameter"
    ALL_PARAMETERS = "source parameters"
    CHANCE = "probability"
    SUBSETS = "subsets"
    OTHER = "a number of its own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A number that a theorem speaks about, with its limits.

    `default` None: it has to be given; a text: as the letter of this name, which stands before it.
    What is above 0 is at least `SMALLEST`. `power_of_two`: ..., 1/4, 1/2, 1, 2, ... alone.
    `trend` says how the theorem's number changes where this letter alone grows; "" promises nothing.

    >>> Letter(meaning="a step", power_of_two=True).read("step", 0.25)
    0.25
    """

    meaning: str
    default: Number | str | None = None
    whole: bool = False
    power_of_two: bool = False
    above: Number | None = None
    least: Number | None = None
    below: Number | None = None
    most: Number | None = None
    trend: Literal["rises", "falls", ""] = ""

    def read(self, name: str, value: Any) -> Number:
        """The value as this letter takes it; a whole number may be written 1e6."""
        if self.whole:
            least = self.least if self.above is None else math.floor(self.above) + 1
            most = self.most if self.below is None else math.ceil(self.below) - 1
            found = _arguments.whole(name, value, least=_whole(least), most=_whole(most))
            if found > sys.float_info.max:
                raise InputError(f"{name} must be a whole number below 1e308, got one of {found.bit_length():,} bits")
            return found
        number = _arguments.number(name, value, above=self.above, least=self.least, below=self.below, most=self.most)
        if self.above == 0 and number < SMALLEST:
            raise InputError(f"{name} must be at least {SMALLEST:g}, got {number:g}")
        if self.power_of_two and math.frexp(number)[0] != 0.5:
            raise InputError(f"{name} must be a power of two, got {number:g}; try {2.0 ** round(math.log2(number)):g}")
        return number


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """A constant of a theorem: its value here, and what is known about it. It can be set like a letter."""

    meaning: str
    value: Number
    standing: Standing
    note: str = ""  # where it comes from: of a fit, over what


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """What a theorem asks for. `holds` decides over letters and constants; None: of laws or networks, only said."""

    says: str
    holds: Callable[[Mapping[str, Number]], bool] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Another form of the same bound, as a source prints it, and why it is not the one used."""

    name: str
    why: str
    value: Callable[..., Number]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Theorem:
    """One bound of the field.

    Attributes:
        name: as `slth bounds NAME` knows it.
        title: a few words for a list.
        says: the statement, with its formula, in the letters below.
        gives: what the number is, with its unit: "n, candidates for one weight".
        unit: what it counts, so that bounds can be compared.
        direction: necessary, sufficient or expected.
        letters: what has to be given, in order.
        constants: what can be set beside them.
        assumes: every assumption.
        sources: keys of `slth.theory.REFERENCES`, the first one is where it stands.
        place: where in the first source: "Theorem 2"; empty if derived here.
        value: the number, from letters and constants by name. Of a least whole number: rounded up if sufficient; if
            necessary never above the truth. Infinity: it is too
            large to count, or there is none.
        variants: forms printed elsewhere.
        also: what follows from it, in other units.
        note: what a reader should know: where the theorem is loose, which part of it is unverified.
        measured: what experiments say at which values, and how far from it they are.
        against: the letter that a curve is drawn over if none is said.
    """

    name: str
    title: str
    says: str
    gives: str
    direction: Direction
    letters: Mapping[str, Letter]
    sources: tuple[str, ...]
    value: Callable[..., Number]
    against: str
    unit: Unit = Unit.OTHER
    constants: Mapping[str, Constant] = field(default_factory=dict)
    assumes: tuple[Assumption, ...] = ()
    place: str = ""
    variants: tuple[Variant, ...] = ()
    also: Mapping[Unit, Callable[..., Number]] = field(default_factory=dict)
    note: str = ""
    measured: str = ""

    def __repr__(self) -> str:
        return f"<theorem {self.name}>"

    @property
    def unknown(self) -> tuple[str, ...]:
        """The constants that nobody knows; if there are some, the number shows the form alone."""
        return tuple(name for name, known in self.constants.items() if known.standing is Standing.UNKNOWN)

    @property
    def points(self) -> str:
        """The direction in words, and whether the number can be taken at its word."""
        form = f"; {' and '.join(self.unknown)} unknown: the number shows the form alone" if self.unknown else ""
        return f"{self.direction.value}{form}"

    def __call__(self, **values: Any) -> "Bound":
        """The bound at these values.

        Raises:
            InputError: a letter is missing, unknown or out of its limits, or an assumption is violated.
        """
        at = self._read(values)
        try:
            for assumption in self.assumes:
                if assumption.holds is not None and not assumption.holds(at):
                    shown = ", ".join(f"{name} = {value:g}" for name, value in at.items())
                    raise InputError(
                        f"{self.name} assumes that {assumption.says}; got {shown}: try other values, or another bound"
                    )
            value = self.value(**at)
            others = {variant.name: variant.value(**at) for variant in self.variants}
            also = {unit: number(**at) for unit, number in self.also.items()}
            for number in (value, *others.values(), *also.values()):
                float(number)  # whole numbers beyond these cannot be printed or drawn
        except InputError:
            raise
        except (ArithmeticError, ValueError) as error:  # too large, or so small that its logarithm is that of zero
            raise InputError(f"{self.name} is beyond the range of numbers at these values; try milder ones") from error
        return Bound(self, at, value, others, also)

    def _read(self, values: Mapping[str, Any]) -> dict[str, Number]:
        """Every letter and constant, given or by default."""
        known = (*self.letters, *self.constants)
        for name in values:
            _arguments.one_of(name, known, f"letter of {self.name}")
        at: dict[str, Number] = {}
        for name, letter in self.letters.items():
            same = at[letter.default] if isinstance(letter.default, str) else letter.default
            given = same if values.get(name) is None else values[name]
            if given is None:
                raise InputError(f"{self.name} needs {name}, {letter.meaning}; give {name}=VALUE")
            at[name] = letter.read(name, given)
        for name, constant in self.constants.items():
            at[name] = _arguments.number(name, values.get(name, constant.value), above=0, most=1e9)
        return at


@dataclass(frozen=True, slots=True)
class Bound:
    """What a theorem says at some values.

    Attributes:
        theorem: whose bound it is.
        at: every letter and constant with its value.
        value: the number of the theorem; infinity where it is too large to count.
        others: the numbers of its variants.
        also: what follows from it, in other units.
    """

    theorem: Theorem
    at: Mapping[str, Number]
    value: Number
    others: Mapping[str, Number]
    also: Mapping[Unit, Number]

    def measured_in(self, unit: Unit) -> Number | None:
        """The number in this unit; None where the theorem has none."""
        return self.value if unit is self.theorem.unit else self.also.get(unit)

    def as_data(self) -> dict[str, Any]:
        """Plain data for JSON; infinity is null."""
        theorem = self.theorem
        return {
            "bound": theorem.name,
            "direction": theorem.direction.name.lower(),
            "gives": theorem.gives,
            "unit": theorem.unit.value,
            "at": dict(self.at),
            "value": _finite(self.value),
            "variants": {name: _finite(value) for name, value in self.others.items()},
            "also": {unit.value: _finite(value) for unit, value in self.also.items()},
            "constants": {name: constant.standing.name.lower() for name, constant in theorem.constants.items()},
            "assumes": [assumption.says for assumption in theorem.assumes],
            "sources": list(theorem.sources),
            "place": theorem.place,
        }


def _finite(value: Number) -> Number | None:
    return value if math.isfinite(value) else None


def _whole(limit: Number | None) -> int | None:
    return None if limit is None else int(limit)
