"""Version 2: what is claimed of the maps and of the network. Each kind of claim is a key of its own."""

from collections.abc import Mapping
from typing import Any

from slth.certificate import WHOLE, Certificate, Exact, ExactMap, MapClaim, Statistical
from slth.graph import Graph, Shape, Stored, spread
from slth.numerics import FORMATS, NORMS
from slth.ticket.carried import CARRIED
from slth.ticket.format.fields import TicketError, check_int, fail
from slth.ticket.format.schema import (
    FLAG,
    NAME,
    SIZE,
    Kind,
    Record,
    Table,
    array_shape,
    fixed,
    integer,
    mapping_of,
    name_of,
    number,
    optional,
    tuple_of,
    whole,
)

_MOST = 10_000  # maps
_MOST_TENSORS = 100_000  # of the target
_MOST_STATISTICAL = 100  # data sets
_ERROR = number(0.0)
COEFFICIENTS = Table(
    tolerance=_ERROR,
    weight_error=_ERROR,
    bias_error=_ERROR,
    misses=integer(0, 2**63),
    operator_error=_ERROR,
    norms=name_of(*NORMS),
)
REACH = Table(sup_error=optional(_ERROR), l2_error=optional(_ERROR))
BOUND = Table(
    maps=mapping_of(whole(REACH), _MOST),
    sup_error=optional(_ERROR),
    l2_error=optional(_ERROR),
    output_error=optional(tuple_of(_ERROR, SIZE)),
    stops=tuple_of(NAME, _MOST),
)
STATISTICAL = Record(
    Statistical,
    data=NAME,
    examples=integer(1, SIZE),
    changed=integer(0, SIZE),
    confidence=number(0.0, 1.0),
    at_most=number(0.0, 1.0),
)
_FORMAT = name_of(*FORMATS, *WHOLE)
_ARRAY = optional(NAME)
EXACT_MAP = Record(
    ExactMap,
    format=_FORMAT,
    bias=optional(name_of(*FORMATS)),
    differ=integer(0, 2**63),
    scale=_ARRAY,
    zero=_ARRAY,
    zeros=_ARRAY,
    rest=_ARRAY,
    places=_ARRAY,
)
STORED = Record(
    Stored,
    format=name_of(*CARRIED, "BF16"),
    shape=array_shape(0),
    part=name_of("weight", "bias", "carried"),
    of=NAME,
    transposed=FLAG,
    scale=_ARRAY,
    zero=_ARRAY,
)
EXACT = Record(Exact, maps=mapping_of(whole(EXACT_MAP), _MOST), tensors=mapping_of(whole(STORED), _MOST_TENSORS))
KINDS: Mapping[str, Kind] = {
    "coefficients": mapping_of(whole(COEFFICIENTS), _MOST),
    "bound": whole(BOUND),
    "exact": whole(EXACT),
    "statistical": tuple_of(whole(STATISTICAL), _MOST_STATISTICAL),
}
_KIND = name_of(*KINDS)
ASKED: Mapping[str, Kind] = {
    "tolerance": _ERROR,
    "relative_tolerance": _ERROR,
    "epsilon": _ERROR,
    "exact": fixed(True),
}  # where something is claimed, one of these was asked for


def _read(data: Any, where: str) -> dict[str, Any]:
    """Kinds that claim nothing have no key; those of later versions are refused by name."""
    if type(data) is not dict:
        fail(where, "an object", data)
    for key in data:
        _KIND.read(key, where)
    return {key: KINDS[key].read(value, f"{where}.{key}") for key, value in data.items()}


CLAIMS = Kind(_read, lambda claims: {key: KINDS[key].write(value) for key, value in claims.items()})


def claims_data(claims: Certificate) -> dict[str, Any]:
    """What a certificate claims, kind by kind."""
    found: dict[str, Any] = {
        "coefficients": {path: _members(claim, COEFFICIENTS) for path, claim in claims.maps.items()}
    }
    if claims.over_inputs or claims.stops:
        maps = {path: _members(claim, REACH) for path, claim in claims.maps.items()}
        found["bound"] = _members(claims, BOUND, maps=maps)
    if claims.exact is not None:
        found["exact"] = claims.exact
    if claims.statistical:
        found["statistical"] = claims.statistical
    return found


def _members(record: Any, table: Table, **more: Any) -> dict[str, Any]:
    return {key: getattr(record, key) for key in table.kinds if key not in more} | more


def claims_of(
    data: Mapping[str, Any], problems: Mapping[str, int], network: Graph, *, outputs: Shape, bounded: bool
) -> Certificate:
    """Claims about a network and its maps; whether they are true needs the target.

    Args:
        problems: subset sums of each map, at least as many as can miss.
        outputs: shape of the network's outputs; () if it is not known.
        bounded: whether the inputs have a range.

    Raises:
        TicketError: claims about other maps, nodes or outputs than there are, or over a range where there is none; a
            share of a population that its counts do not allow.
    """
    if "coefficients" not in data:
        raise TicketError("claims: expected `coefficients`, for what is claimed of the network rests on them")
    bound, exact = data.get("bound"), data.get("exact")
    for kind, maps in (
        ("coefficients", data["coefficients"]),
        ("bound", None if bound is None else bound["maps"]),
        ("exact", None if exact is None else exact.maps),
    ):
        if maps is not None and set(maps) != set(problems):
            name = min(set(maps) ^ set(problems))
            raise TicketError(f"claims.{kind}: expected one for each map of the network; {name[:200]!r} is off")
    nothing: dict[str, Any] = dict.fromkeys(REACH.kinds)
    reach: Mapping[str, Any] = dict.fromkeys(problems, nothing) if bound is None else bound["maps"]
    claims = Certificate(
        maps={path: MapClaim(**data["coefficients"][path], **reach[path]) for path in problems},
        sup_error=None if bound is None else bound["sup_error"],
        l2_error=None if bound is None else bound["l2_error"],
        output_error=None if bound is None else bound["output_error"],
        stops=() if bound is None else bound["stops"],
        statistical=_statistical(data),
        exact=None if exact is None else Exact({path: exact.maps[path] for path in problems}, exact.tensors),
    )
    for path, claim in claims.maps.items():
        check_int(claim.misses, f"claims.coefficients.{path[:100]}.misses", 0, problems[path])
        if exact is not None:
            check_int(exact.maps[path].differ, f"claims.exact.{path[:100]}.differ", 0, problems[path])
    if bound is not None and not bounded:
        raise TicketError("claims.bound: errors are bounded over the inputs' range, yet `inputs` states none")
    nowhere = set(claims.stops) - {node.name for node in network.nodes}
    if nowhere:
        raise TicketError(f"claims.bound.stops: {min(nowhere)[:200]!r} is no node of the network")
    counts = spread.counts(outputs) if outputs else set[int]()
    if claims.output_error is not None and len(claims.output_error) not in counts:
        expected = " or ".join(map(str, sorted(counts)))
        raise TicketError(
            f"claims.bound.output_error: expected {expected} numbers for outputs of shape {outputs}; got "
            f"{len(claims.output_error)}"
        )
    return claims


def _statistical(data: Mapping[str, Any]) -> tuple[Statistical, ...]:
    """A share of each population, as large as counts and confidence ask for."""
    found: tuple[Statistical, ...] = data.get("statistical", ())
    if "statistical" in data and not found:
        raise TicketError("claims.statistical: expected at least one claim; got an empty list")
    for i, claim in enumerate(found):
        if not claim.holds:
            raise TicketError(
                f"claims.statistical.{i}.at_most: {claim.at_most!r} is less than {claim.changed:,} of "
                f"{claim.examples:,} allow with confidence {claim.confidence!r}"
            )
    return found


def check_asked(asked: Mapping[str, Any]) -> None:
    """Where there are claims, exactly one question that they answer.

    Raises:
        TicketError: none, several, or one that is no question.
    """
    given = [key for key in ASKED if asked.get(key) is not None]
    if len(given) != 1:
        what = ", ".join(given) or "none"
        raise TicketError(f"provenance.asked: expected exactly one of {', '.join(ASKED)}; got {what}")
    value = ASKED[given[0]].read(asked[given[0]], f"provenance.asked.{given[0]}")
    exact = given[0] == "tolerance" and asked.get("gadget") == "grid"  # whose weights are hit exactly
    if not (value > 0 or (exact and value == 0)):
        fail(f"provenance.asked.{given[0]}", "a number > 0", value)
