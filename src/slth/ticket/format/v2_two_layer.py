"""Version 2: the gadget `two-layer` as JSON."""

from collections.abc import Mapping
from typing import Any

from slth._errors import InputError
from slth.graph import Linear
from slth.numerics import LAWS, SOURCE_LAWS, source_law
from slth.ticket.format.fields import TicketError, fail
from slth.ticket.format.schema import (
    FLAG,
    POWER_OF_TWO,
    SIZE,
    Kind,
    Record,
    Table,
    fixed,
    integer,
    name_of,
    optional,
    row_of,
    tuple_of,
    whole,
)
from slth.ticket.gadgets import MOST_CANDIDATES, THRESHOLD, Stage, TwoLayer

MOST_STAGES = 16
SIGNED = tuple_of(row_of(integer(0, SIZE), integer(0, SIZE), expected="pairs [start, stop]"), SIZE)
STAGE = Record(
    Stage,
    candidates=integer(1, MOST_CANDIDATES),
    constants=integer(0, MOST_CANDIDATES),
    neurons=integer(1, 2**50),
    gain=POWER_OF_TWO,
    bias_gain=POWER_OF_TWO,
    kept=optional(row_of(integer(1, MOST_CANDIDATES), integer(0, MOST_CANDIDATES), expected="[weight, bias] or null")),
)


def _read_law(value: Any, where: str) -> str:
    if type(value) is not str:
        fail(where, f"one of {', '.join((*LAWS, *SOURCE_LAWS))}", value)
    if value not in LAWS:
        try:
            source_law(value)
        except InputError as error:
            raise TicketError(
                f"{where}: {ascii(value)[:80]} is not known to this slth: update slth ({error})"
            ) from error
    return value


LAW = Kind(_read_law)
TABLE = Table(
    signed=SIGNED,
    lift=name_of("relu", "linear"),
    threshold=fixed(THRESHOLD),
    stages=tuple_of(whole(STAGE), MOST_STAGES),
    law=LAW,
    centred=FLAG,
)


def data_of(gadget: TwoLayer) -> dict[str, Any]:
    """Plain data, before it is written by its table."""
    return {
        "signed": gadget.signed_ranges,
        "lift": "linear" if gadget.linear else "relu",
        "threshold": THRESHOLD,
        "stages": gadget.stages,
        "law": gadget.law,
        "centred": gadget.centred,
    }


def gadget_of(data: Mapping[str, Any], op: Linear, where: str) -> TwoLayer:
    """The gadget, if it is one for this map.

    Raises:
        TicketError: a bias without candidates, candidates without a bias, ranges that are no ranges, a lift too narrow
            for what it serves, or no stage.
    """
    check_signed(data["signed"], op, where)
    if data["law"] == "normal":
        fail(f"{where}.law", "a law of sources, such as normal/20", data["law"])
    gadget = TwoLayer(data["stages"], data["signed"], data["law"], data["centred"], data["lift"] == "linear")
    if not gadget.stages:
        raise TicketError(f"{where}.stages: expected at least one stage; got an empty list")
    for s, stage in enumerate(gadget.stages):
        own = f"{where}.stages.{s}"
        if (stage.constants > 0) != op.bias or (not op.bias and stage.bias_gain != 1.0):
            bias, none = f"constants from 1 to {MOST_CANDIDATES}", "no constants and bias_gain 1.0, without a bias"
            fail(own, bias if op.bias else none, f"{stage.constants} and {stage.bias_gain:g}")
        if stage.kept is not None:
            (weight, bias), most = stage.kept, (stage.candidates, stage.constants)
            if not (weight <= most[0] and bias <= most[1] and (bias > 0) == op.bias):
                fail(
                    f"{own}.kept",
                    f"from 1 to {most[0]} per weight, and {f'1 to {most[1]}' if op.bias else 0} per bias",
                    list(stage.kept),
                )
        live = gadget.live(op, stage=s)
        if stage.neurons < live:
            fail(f"{own}.neurons", f"an integer from {live} to {2**50}", stage.neurons)
    return gadget


def check_signed(signed: tuple[tuple[int, int], ...], op: Linear, where: str) -> None:
    """Ranges of the inputs of a map, ascending, not touching."""
    last = -1
    for start, stop in signed:
        if not last < start < stop <= op.basis.inputs:
            expected = f"ascending ranges, apart from each other, within {op.basis.inputs} inputs"
            fail(f"{where}.signed", expected, [start, stop])
        last = stop
