"""`slth show`: what is inside a ticket, or one weight taken apart."""

import re
from collections.abc import Iterator
from pathlib import Path

from rich.text import Text

from slth._errors import InputError
from slth.cli import _print
from slth.network import read_target
from slth.numerics import at_most
from slth.ticket import Anatomy, Half, LearnedTicket, load, take_apart

_BAR = 24  # characters of the largest bar


def run(path: Path, *, weight: str | None, target: Path | None, order: list[str] | None, picture: Path | None) -> None:
    """Print the summary of a ticket, or one coefficient."""
    ticket = load(path)
    if isinstance(ticket, LearnedTicket):
        if weight is not None or picture is not None or target is not None:
            raise InputError("--weight, --target and --picture take constructed tickets apart; this one was learned")
        _print.table(str(path), [*ticket.summary(), *_tensors(ticket)])
        return
    if weight is None:
        if picture is not None or target is not None:
            raise InputError("--picture and --target go with --weight LAYER:OUT,IN")
        _print.table(str(path), ticket.summary())
        rows = [
            f"{i}  {layer.outputs} x {layer.lift.inputs}{' + bias' if layer.lift.constants else ''}, "
            f"gain {layer.gain:g}, lift {layer.neurons:,} neurons, weight error <= {at_most(claim.weight_error, 3)}, "
            f"{claim.misses} misses"
            for i, (layer, claim) in enumerate(zip(ticket.layers, ticket.certificate.layers, strict=True))
        ]
        _print.table("", [("layer" if i == 0 else "", row) for i, row in enumerate(rows)])
        return
    layer, output, input = parse_weight(weight)
    anatomy = take_apart(ticket, layer, output, input)
    wanted = None if target is None else _wanted(target, order, anatomy)
    for half in anatomy.halves:
        _half(anatomy, half, wanted)
    if picture is not None:
        from slth.report import draw_anatomy

        _print.note(f"wrote {draw_anatomy(anatomy, picture, target=wanted)}")


def parse_weight(text: str) -> tuple[int, int, int | None]:
    """LAYER:OUT,IN as numbers; IN may be `bias`."""
    match = re.fullmatch(r"(\d{1,9}):(\d{1,9}),(\d{1,9}|bias)", text)
    if match is None:
        raise InputError(f"--weight takes LAYER:OUT,IN counted from 0, such as 0:3,17 or 0:3,bias; got {text!r}")
    layer, output, input = match.groups()
    return int(layer), int(output), None if input == "bias" else int(input)


def _tensors(ticket: LearnedTicket) -> Iterator[tuple[str, str]]:
    """One row per masked tensor."""
    for i, tensor in enumerate(ticket.tensors):
        parts = [
            f"{tensor.path}  {' x '.join(map(str, tensor.shape))}",
            f"{tensor.law} x {tensor.scale:.4g}",
            f"{tensor.kept:,} of {tensor.size:,} kept",
            *(["as signs"] if tensor.binary else []),
            *([f"gain {tensor.gain:.4g}"] if tensor.gain != 1.0 else []),
            *(["moved"] if tensor.moved else []),
            *([f"stream {tensor.stream}"] if tensor.stream else []),
            *([f"tied to {', '.join(tensor.aliases)}"] if tensor.aliases else []),
        ]
        yield "tensor" if i == 0 else "", ", ".join(parts)


def _wanted(path: Path, order: list[str] | None, anatomy: Anatomy) -> float:
    layers = read_target(path, order=order).layers
    try:
        layer = layers[anatomy.layer]
        if anatomy.input is not None:
            return float(layer.weight[anatomy.output, anatomy.input, 0])
        if layer.bias is not None:
            return float(layer.bias[anatomy.output])
    except IndexError:
        pass
    raise InputError(f"{path} has no such coefficient; is it the network the ticket was made for?")


def _half(anatomy: Anatomy, half: Half, wanted: float | None) -> None:
    where = "bias" if anatomy.input is None else f"input {anatomy.input}"
    title = f"layer {anatomy.layer}, output {anatomy.output}, {where}: {half.name} half"
    largest = max(abs(half.candidates).max(), 1e-300)
    rows: list[tuple[str, str | Text]] = [("neuron", "candidate  kept, running sum")]
    total = 0.0
    for neuron, value, kept in zip(half.neuron, half.candidates, half.kept, strict=True):
        total += value if kept else 0.0
        state = f"keep {total:+.6f}" if kept else "prune"
        bar = "█" * round(_BAR * abs(value) / largest)
        rows.append((f"{neuron:,}", Text(f"{value:+.6f}  {state:<16}{bar}", style="blue" if kept else "dim")))
    rows.append(("", f"{int(half.kept.sum())} of {len(half.kept)} kept, gain {anatomy.gain:g}"))
    rows.append(("realised", f"{half.realised:+.9f}"))
    if wanted is not None:
        rows.append(("target", f"{wanted:+.9f}, off by {abs(half.realised - wanted):.3g}"))
    _print.table(title, rows)
