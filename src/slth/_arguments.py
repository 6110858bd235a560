"""The one reader of what people give. Every refusal says what was expected, what arrived, what to try.

From Python: `number`, `whole`, `pair`, ... take a name and a value. NumPy's integers and floats are numbers, arrays
without axes too; True, False, texts, NaN and infinity are none. From the command line: `numbers_in`, `wholes_in`, ...
take a flag and its text. `one_of` refuses an unknown name and says which one was meant.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from numbers import Integral, Real
from os import PathLike, fsencode, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard, TypeVar, cast

from slth._errors import InputError, option

if TYPE_CHECKING:
    import numpy as np

_T = TypeVar("_T")
_MOST_BYTES, _MOST_PATH = 255, 4095  # of a file's name, and with its folders, which no system reads beyond
Limit = float | int | None


def number(
    name: str,
    value: Any,
    *,
    example: str | None = None,
    above: Limit = None,
    least: Limit = None,
    below: Limit = None,
    most: Limit = None,
) -> float:
    """A finite number x with above < x < below and least <= x <= most.

    >>> number("density", 1, above=0, most=1)
    1.0
    """
    x, words = _float(value), _limits("number", above, least, below, most)
    if x is None or (words is None and not math.isfinite(x)):
        raise InputError(f"{name} must be a number{_such_as(example)}, got {shown(value)}")
    inside = (above is None or x > above) and (least is None or x >= least)
    if not (math.isfinite(x) and inside and (below is None or x < below) and (most is None or x <= most)):
        raise InputError(f"{name} must be {words}{_such_as(example)}, got {_plain(value)}")
    return x


def whole(
    name: str, value: Any, *, example: str | None = None, least: int | None = None, most: int | None = None
) -> int:
    """A whole number n with least <= n <= most; 30.0 is one.

    >>> whole("candidates", 30.0, least=1, most=64)
    30
    """
    found = _plain(value)
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    if isinstance(found, bool) or not isinstance(found, Integral):
        raise InputError(f"{name} must be a whole number{_such_as(example)}, got {shown(value)}")
    n = int(found)
    if (least is not None and n < least) or (most is not None and n > most):
        words = _limits("whole number", None, least, None, most)
        raise InputError(f"{name} must be {words}, got {_repr(n)}")
    return n


def is_whole(value: object) -> bool:
    """An integer, NumPy's too; True and False are none."""
    return not isinstance(value, bool) and isinstance(value, Integral)


def is_real(value: object) -> bool:
    """A number, NumPy's too; True and False are none."""
    return not isinstance(value, bool) and isinstance(value, Real)


def is_finite(value: object) -> TypeGuard[float]:
    """A number that is neither NaN nor infinite."""
    return is_real(value) and math.isfinite(cast(float, value))


def truth(name: str, value: Any) -> bool:
    """True or false; numbers are neither."""
    found = _plain(value)
    if not isinstance(found, bool):
        raise InputError(f"{name} must be true or false, got {shown(value)}")
    return found


def text(name: str, value: Any) -> str:
    """A text."""
    if not isinstance(value, str):
        raise InputError(f"{name} must be a text, got {shown(value)}")
    return value


def path(name: str, value: Any) -> Path:
    """The name of a file."""
    if not isinstance(value, str | PathLike) or not isinstance(fspath(value), str):
        raise InputError(f"{name} must be the name of a file, got {shown(value)}")
    if "\0" in fspath(value):
        raise InputError(f"{name}: expected the name of a file, which no zero is in, got {shown(value)}")
    found = Path(fspath(value))
    try:
        fits = len(fsencode(found)) <= _MOST_PATH and all(len(fsencode(part)) <= _MOST_BYTES for part in found.parts)
    except UnicodeError as error:
        raise InputError(
            f"{name}: expected the name of a file, which half a character is not, got {shown(fspath(value))}"
        ) from error
    if not fits:
        raise InputError(f"{name}: expected the name of a file, got one that is too long, {shown(fspath(value))}")
    return found


def pair(name: str, value: Any, example: str) -> tuple[Any, Any]:
    """Two things of any kind."""
    try:
        first, second = [] if isinstance(value, str | bytes) else value
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{name} must be a pair such as {example}, got {shown(value)}") from error
    return first, second


def numbers(name: str, value: Any, *, example: str = "0.5 or (0.4, 0.5)") -> tuple[float, ...]:
    """One finite number, or several.

    >>> numbers("mean", 0.5), numbers("mean", [0, 1])
    ((0.5,), (0.0, 1.0))
    """
    expected = f"a number or several, such as {example}"
    found = _several(name, value, expected, lambda part: number(name, part))
    if not found:
        raise InputError(f"{name} must be {expected}, got {shown(value)}")
    return found


def wholes(name: str, value: Any, *, least: int | None = None, example: str = "(300, 100)") -> tuple[int, ...]:
    """Whole numbers, perhaps none."""
    return _several(name, value, f"whole numbers such as {example}", lambda part: whole(name, part, least=least))


def names(name: str, value: Any, *, example: str = "('fc1', 'fc2')") -> tuple[str, ...]:
    """Texts; one text alone would be read letter by letter, and is refused."""
    if isinstance(value, str):
        raise InputError(f"{name} must be names such as {example}, got {shown(value)}")
    return _several(name, value, f"names such as {example}", lambda part: text(name, part))


def array(name: str, value: Any) -> "np.ndarray":
    """Numbers of any shape; NaN is not looked for."""
    import numpy as np

    try:
        found = np.asarray(value)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{name} must be an array of numbers, got {shown(value)}") from error
    if found.dtype.kind not in "biuf":
        raise InputError(f"{name} must be an array of numbers, got {shown(value)}")
    return found


def ends(name: str, value: Any) -> tuple[float, ...]:
    """One end of a range: one number for all coordinates, or one for each."""
    found = array(name, value)
    if found.dtype.kind == "b":
        raise InputError(f"{name} must be an array of numbers, got {shown(value)}")
    return tuple(float(x) for x in found.reshape(-1))


def one_of(name: str, known: Iterable[str], what: str, *, loosely: bool = False, instead: str | None = None) -> str:
    """The name, if it is known; otherwise the nearest one is named.

    `loosely`: case, -, _ and spaces do not count. `instead`: what else could have been given.

    >>> one_of("dept", ["density", "depth"], "option")
    Traceback (most recent call last):
    slth._errors.InputError: unknown option 'dept'; did you mean 'depth'? Expected one of density, depth
    >>> one_of("Res-Net", ["resnet", "mlp"], "network", loosely=True)
    'resnet'
    """
    listed = sorted(known)
    if name in listed:
        return name
    text(what, name)
    spelled = {_letters(one): one for one in listed}
    if loosely and _letters(name) in spelled:
        return spelled[_letters(name)]
    expected = f"xpected one of {', '.join(listed)}{'' if instead is None else f', or {instead}'}"
    close = near(name, listed)
    hint = f"did you mean {close!r}? E{expected}" if close else f"e{expected}"
    raise InputError(f"unknown {what} {name!r}; {hint}")


def near(name: str, known: Iterable[str]) -> str | None:
    """The known name that is spelled most like this one; case, -, _ and spaces do not count. None: none is like it.

    >>> near("dept", ["density", "depth"])
    'depth'
    """
    spelled = {_letters(one): one for one in known}
    close = get_close_matches(_letters(name), spelled, 1)
    return spelled[close[0]] if close else None


def together(**given: Any) -> None:
    """All of some arguments are said, or none of them."""
    said = [name for name, value in given.items() if value is not None]
    if 0 < len(said) < len(given):
        raise InputError(f"{' and '.join(given)} go together, got only {said[0]}; give both or neither")


def apart(why: str, **given: Any) -> None:
    """At most one of some arguments is said."""
    said = [option(name) for name, value in given.items() if value is not None]
    if len(said) > 1:
        raise InputError(f"{' and '.join(said)} {why}; give one of them")


def shown(value: Any) -> str:
    """A value in one line of a sentence, with its type.

    >>> shown([1, 2])
    '[1, 2] (list)'
    """
    return f"{' '.join(_repr(value).split())[:60]} ({type(value).__name__})"


def numbers_in(flag: str, written: str, *, count: int | None = None, example: str = "0.4,0.5") -> tuple[float, ...]:
    """The numbers in a text such as 0.4,0.5; exactly `count` of them, if that is given.

    >>> numbers_in("--input-range", "0,1", count=2)
    (0.0, 1.0)
    """
    what = "two numbers separated by a comma" if count == 2 else "numbers separated by commas"
    found = _parts(flag, written, float, f"{what}; got {written!r}, try {example}")
    if not found or (count is not None and len(found) != count):
        raise InputError(f"{flag} takes {what}; got {written!r}, try {example}")
    return found


def wholes_in(flag: str, written: str, *, example: str = "300,100") -> tuple[int, ...]:
    """The whole numbers in a text such as 300,100; none in an empty one."""
    return _parts(flag, written, int, f"whole numbers separated by commas; got {written!r}, try {example}")


def names_in(written: str) -> tuple[str, ...]:
    """The names in a text such as fc1,fc2."""
    return tuple(part.strip() for part in written.split(","))


def pairs(name: str, value: Any, *, example: str = "{'fc*': 0.1, '*': 0.5}") -> tuple[tuple[str, float], ...]:
    """Names with numbers, from a mapping or from pairs, in their order.

    >>> pairs("densities", {"fc*": 0.1})
    (('fc*', 0.1),)
    """
    expected = f"{name} must map names to numbers, such as {example}, got {shown(value)}"
    try:
        given = [(key, of) for key, of in (value.items() if isinstance(value, Mapping) else value)]
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(expected) from error
    if not all(isinstance(key, str) for key, _ in given):
        raise InputError(expected)
    return tuple((key, number(f"{name}: {key}", of)) for key, of in given)


def pairs_in(flag: str, written: str) -> tuple[tuple[str, float], ...]:
    """The pairs in a text such as fc*=0.1,*=0.5.

    >>> pairs_in("--densities", "fc*=0.1,*=0.5")
    (('fc*', 0.1), ('*', 0.5))
    """
    try:
        split = [part.rpartition("=") for part in written.strip().removesuffix(",").split(",")]
        found = tuple((name.strip(), float(of)) for name, _, of in split)
    except ValueError as error:
        raise InputError(f"{flag} takes NAME=NUMBER,..., such as fc*=0.1,*=0.5; got {written!r}") from error
    if not all(name for name, _ in found):
        raise InputError(f"{flag} takes NAME=NUMBER,..., such as fc*=0.1,*=0.5; got {written!r}")
    return found


def setting_in(flag: str, written: str) -> tuple[str, Any]:
    """KEY=VALUE as a name and a whole number, a number, true, false, or a text.

    >>> setting_in("--set", "last-rate=0.2"), setting_in("--set", "retrain=no")
    (('last_rate', 0.2), ('retrain', 'no'))
    """
    key, equals, value = written.partition("=")
    if not equals or not key:
        raise InputError(f"{flag} takes KEY=VALUE, such as rate=0.2; got {written!r}")
    name = key.replace("-", "_")
    if value.lower() in ("true", "false"):
        return name, value.lower() == "true"
    for kind in (int, float):
        try:
            return name, kind(value)
        except ValueError:
            continue
    return name, value


def settings_in(flag: str, written: Iterable[str], *, beside: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The settings in texts such as rate=0.2, after others `beside` them; each name once.

    >>> settings_in("--set", ["d=10", "epsilon=0.01"])
    {'d': 10, 'epsilon': 0.01}
    """
    found = dict(beside or {})
    for one in written:
        name, value = setting_in(flag, one)
        if name in found:
            raise InputError(f"{flag} gives {name} twice, {found[name]} and {value}; give it once")
        found[name] = value
    return found


def _repr(value: object) -> str:
    """A value as Python writes it; a whole number of thousands of digits, which Python does not write, by its type."""
    try:
        return repr(value)
    except ValueError:
        return "a number too long to print"


def _letters(name: str) -> str:
    """How names are compared: in lower case, without what people put between words."""
    return name.lower().translate(str.maketrans("", "", "-_ "))


def _plain(value: Any) -> Any:
    """A number of NumPy's or PyTorch's as Python's own; anything else as it is."""
    if not isinstance(value, type) and getattr(value, "ndim", None) == 0 and callable(getattr(value, "item", None)):
        try:
            return value.item()
        except (TypeError, ValueError, RuntimeError):
            return value
    return value


def _float(value: Any) -> float | None:
    """The nearest float64; None if it is no number or beyond the range."""
    found = _plain(value)
    if isinstance(found, bool):
        return None
    try:
        return float(found) if isinstance(found, Real | Decimal) else None
    except (OverflowError, ValueError):
        return None


def _several(name: str, value: Any, expected: str, read: Callable[[Any], _T]) -> tuple[_T, ...]:
    given = _plain(value)
    if isinstance(given, Real):
        return (read(given),)
    try:
        listed = None if isinstance(given, str | bytes | dict) else [*given]
    except (TypeError, RuntimeError):
        listed = None
    if listed is None:
        raise InputError(f"{name} must be {expected}, got {shown(value)}")
    return tuple(read(part) for part in listed)


def _parts(flag: str, written: str, kind: Callable[[str], _T], expected: str) -> tuple[_T, ...]:
    try:
        return tuple(kind(part) for part in written.strip().removesuffix(",").split(",")) if written.strip() else ()
    except ValueError as error:
        raise InputError(f"{flag} takes {expected}") from error


def _such_as(example: str | None) -> str:
    return "" if example is None else f" such as {example}"


def _limits(noun: str, above: Limit, least: Limit, below: Limit, most: Limit) -> str | None:
    """What a value must be, in words; None if it may be any.

    >>> _limits("number", 0, None, None, None), _limits("whole number", None, 1, None, 64)
    ('a positive number', 'a whole number from 1 to 64')
    """
    if below is None and most is None:
        if above is not None:
            return f"a positive {noun}" if above == 0 else f"a {noun} above {above}"
        if least is not None:
            return f"a non-negative {noun}" if least == 0 else f"a {noun}, at least {least}"
        return None
    if above is not None and below is not None:
        return f"a {noun} between {above} and {below}"
    if least is not None and most is not None:
        return f"a {noun} from {least} to {most}"
    lower = f" above {above} and" if above is not None else f" of at least {least} and" if least is not None else ""
    return f"a {noun}{lower} {f'below {below}' if most is None else f'at most {most}'}"
