"""What is inside a ticket, or one weight taken apart, as rows for people."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slth._errors import InputError
from slth._files import check_writable
from slth.api._construct import Reading
from slth.api._evidence import target_of
from slth.api._views import ticket_of
from slth.graph import Target
from slth.numerics import SPECTRAL, at_most
from slth.records import verbs
from slth.ticket import (
    Account,
    Anatomy,
    Copies,
    Edges,
    FileSizes,
    Gadget,
    Half,
    Neurons,
    Ticket,
    TwoLayer,
    file_sizes,
    map_accounts,
    map_words,
    stored_sizes,
    summary,
    take_apart,
    ticket_account,
    with_copies_of,
    with_steps,
)

__all__ = ["Row", "Section", "Shown", "map_of", "show", "summary"]

_MOST_LISTED = 128  # candidates of a coefficient
_MOST_REGENERATED = 1 << 22  # weights, for their bits otherwise
_BAR = 24  # characters of the largest bar
_MOST_NAMES = 300  # characters of paths in a sentence


@dataclass(frozen=True, slots=True)
class Row:
    """A name and a text; `kept` of a candidate: whether it is."""

    name: str
    text: str
    kept: bool | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """Rows under a title."""

    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """What `show` found; `print` it."""

    sections: tuple[Section, ...]
    picture: Path | None  # written
    counts: Mapping[str, Any] | None = None  # of the ticket and of each of its maps, as plain data; of one weight none

    def __str__(self) -> str:
        lines: list[str] = []
        for section in self.sections:
            width = max((len(row.name) for row in section.rows), default=0)
            lines += [section.title] if section.title else []
            lines += [f"{row.name:<{width}}  {row.text}" for row in section.rows]
        return "\n".join(lines)


def show(
    ticket: Ticket | str | Path,
    *,
    weight: Sequence[int | str | None] | str | None = None,
    target: Any = None,
    model: str | None = None,
    order: Sequence[str] | None = None,
    activation: str | None = None,
    from_node: str | None = None,
    to_node: str | None = None,
    picture: str | Path | None = None,
) -> Shown:
    """What is inside a ticket, and what it takes; with `weight` one weight, its candidates and their sum.

    Up to four million weights, those of a constructed ticket are regenerated, for what they would take otherwise.

    Args:
        weight: (map, output, input), counted from 0, or a text such as "0:3,17"; input None or `bias`: the bias. A map
            may be named by its path, which goes before its number; the tap of a kernel, its position in C order, may
            follow: "layer1.0.conv1:3,17,4".
        target: the network the ticket stands for, to compare with; `model` (code, which is run), `order`,
            `activation`: see `construct`.
        picture: also draw the weight into this `.svg`, `.png` or `.pdf`.

    >>> import numpy as np, slth
    >>> ticket = slth.construct({"weight": np.array([[0.5, -0.25]])}, input_range=(0, 1), tolerance=0.01)
    >>> print(show(ticket, weight=(0, 0, 1)).sections[0].title)
    map layers/0, output 0, input 1: positive half
    """
    at: verbs.WeightAt | None = verbs.read(verbs.Show, "weight", weight)
    drawn: Path | None = verbs.read(verbs.Show, "picture", picture)
    verbs.check_apart(verbs.Show, ticket=ticket, target=target, model=model, picture=drawn)
    if drawn is not None:
        from slth.reporting import check_picture_name

        check_picture_name(drawn)
        check_writable(drawn)
    found = ticket_of(ticket)
    name = str(ticket) if isinstance(ticket, str | Path) else repr(ticket)
    compared = target is not None or model is not None
    if not found.gadgets:
        if at is not None or picture is not None or compared:
            raise InputError("--weight, --target and --picture take constructed tickets apart; this one was learned")
        return Shown((_section(name, [*summary(found), *_tensors(found)]),), None, _learned_counts(found, ticket))
    if at is None:
        if picture is not None or compared:
            raise InputError("--picture, --target and --model go with --weight MAP:OUT,IN")
        return _shown(found, ticket, name)
    path, output, source, tap = map_of(found, at)
    anatomy = take_apart(found, path, output=output, input=source, tap=tap)
    wanted = None
    if compared:
        network = target_of(found, target, model, Reading(order, activation, from_node, to_node))
        network = with_copies_of(found, network)
        wanted = _wanted(network, target or model, anatomy, fits=_fits(network, found, path))
    sections = tuple(_half(anatomy, half, wanted) for half in anatomy.halves)
    if drawn is not None:
        from slth.reporting import draw_anatomy

        draw_anatomy(anatomy, drawn, target=wanted)
    return Shown(sections, drawn)


def _shown(found: Ticket, given: Any, name: str) -> Shown:
    """A constructed ticket, and what it takes."""
    few = found.target_parameters <= _MOST_REGENERATED
    realised = {path: found.realised(path) for path in found.maps} if few else {}
    sizes = _sizes(found, given)
    accounts = map_accounts(found, sizes, realised)
    whole = ticket_account(found, sizes, accounts)
    weights = whole.weights
    rows = [*summary(found), ("file", f"{sizes.total:,} bytes, {whole.bits / weights:.2f} bits per target parameter")]
    if whole.rivals is not None:
        rows.append(("at this error", whole.rivals.words(weights)))
    maps = [{"path": path, **_gadget(found, path), **account.as_data()} for path, account in accounts.items()]
    counts = {"kind": "constructed", **whole.as_data(), "bytes": sizes.total, "maps": maps}
    return Shown((_section(name, rows), _section("", _maps(found, accounts))), None, counts)


def _gadget(ticket: Ticket, path: str) -> dict[str, Any]:
    """What a map is made of."""
    gadget, claims = ticket.gadgets[path], ticket.claims
    return {
        "gadget": gadget.kind,
        "stages": gadget.stage_count,
        "candidates_per_sum": gadget.candidates,
        "gain": gadget.gain,
        "tolerance": None if claims is None else claims.maps[path].tolerance,
    }


def _learned_counts(ticket: Ticket, given: Any) -> dict[str, Any]:
    """The same of a ticket whose random tensors are parameters; its maps are the masked ones."""
    sizes = _sizes(ticket, given)

    def counts(size: int, kept: int, stored: int) -> dict[str, Any]:
        density = kept / size
        numbers = {"weights": size, "candidates": size, "kept": kept, "kept_per_candidate": density}
        return {**numbers, "density": density, "bits_per_weight": 8 * stored / size}

    maps = [
        {"path": tensor.path, **counts(tensor.size, tensor.kept, sizes.masks.get(tensor.path, 0))}
        for tensor in ticket.tensors
    ]
    whole = counts(ticket.size, ticket.kept, sizes.total)
    return {"kind": "learned", **whole, "bytes": sizes.total, "maps": maps}


def _sizes(ticket: Ticket, given: Any) -> FileSizes:
    """Of its file, or of the one that would be written."""
    return stored_sizes(ticket, given) if isinstance(given, str | Path) else file_sizes(ticket)


def _section(title: str, rows: Sequence[tuple[str, str]]) -> Section:
    return Section(title, tuple(Row(name, text) for name, text in rows))


def map_of(ticket: Ticket, weight: verbs.WeightAt) -> tuple[str, int, int | None, int]:
    """The same with the path of the map.

    Raises:
        InputError: no such map.
    """
    place, output, source, tap = weight
    paths = list(ticket.maps)
    if place in paths:
        return str(place), output, source, tap
    number = int(place) if isinstance(place, int) or (place.isascii() and place.isdecimal()) else len(paths)
    if number >= len(paths):
        names = ", ".join(paths)
        known = names if len(names) <= _MOST_NAMES else f"{names[:_MOST_NAMES]} ..."
        raise InputError(f"the ticket has maps 0 to {len(paths) - 1} ({known}); there is no map {str(place)[:100]}")
    return paths[number], output, source, tap


def _maps(ticket: Ticket, accounts: Mapping[str, Account]) -> list[tuple[str, str]]:
    """One row per map: number, path, what was folded into it, what it is, what is kept, how far it can be off."""
    rows: list[list[str]] = []
    kinds = {gadget.kind for gadget in ticket.gadgets.values()}
    for i, (path, op) in enumerate(ticket.maps.items()):
        gadget, claims = ticket.gadgets[path], ticket.claims
        kept = accounts[path].kept / accounts[path].candidates
        signed = int(gadget.signed(op).sum())
        row = [str(i), with_steps(path, ticket.provenance.folded.get(path, ())), map_words(op)]
        row += [gadget.kind] if kinds != {TwoLayer.kind} else []
        row += [f"gain {gadget.gain:g}", _candidates(gadget), _neurons(gadget)]
        if isinstance(gadget, Neurons):
            words = f"{accounts[path].kept:,} of {accounts[path].candidates:,} neurons kept"
            row += [f"{words}, in {gadget.group_count(op):,} groups of {gadget.group_size}"]
        row += [f"{kept:.3f} kept", f"{accounts[path].bits / accounts[path].weights:.2f} bits per weight"]
        row += [f"{signed:,} of {op.basis.inputs:,} inputs signed"]
        if claims is not None:
            claim = claims.maps[path]
            bound = "no bound" if claim.sup_error is None else f"output error <= {at_most(claim.sup_error, 3)}"
            norms = "" if claim.norms == SPECTRAL else f", norms {claim.norms}"
            row += [f"says weight error <= {at_most(claim.weight_error, 3)}", bound, f"{claim.misses:,} misses{norms}"]
        rows.append(row)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    texts = ("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows)
    return [("map" if i == 0 else "", text) for i, text in enumerate(texts)]


def _candidates(gadget: Gadget) -> str:
    what = "mirrored pairs" if isinstance(gadget, TwoLayer) and gadget.centred else "candidates"
    return f"{gadget.candidates} {what}" + (f" in {gadget.stage_count} stages" if gadget.stage_count > 1 else "")


def _tensors(ticket: Ticket) -> Iterator[tuple[str, str]]:
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


def _neurons(gadget: Gadget) -> str:
    """How wide the random layer is, beside what the map reads."""
    if isinstance(gadget, Edges):
        return "no lift"
    return f"{gadget.neurons:,} biases" if isinstance(gadget, Copies) else f"lift {gadget.neurons:,} neurons"


def _fits(target: Target, ticket: Ticket, path: str) -> bool:
    """Whether the target has a map of this name and of the same shape."""
    given = target.graph.maps.get(path)
    return given is not None and given.coefficients == ticket.maps[path].coefficients


def _wanted(target: Target, given: Any, anatomy: Anatomy, *, fits: bool) -> float:
    """The target's own coefficient."""
    affine = target.coefficients.get(anatomy.map) if fits else None
    try:
        if affine is not None and anatomy.input is not None:
            return float(affine.weight[anatomy.output % affine.shape[0], anatomy.input, anatomy.tap])
        if affine is not None and affine.bias is not None:
            return float(affine.bias[anatomy.output])
    except IndexError:
        pass
    name = given if isinstance(given, str | Path) else "the target"
    raise InputError(f"{name} has no such coefficient; is it the network the ticket was made for?")


def _half(anatomy: Anatomy, half: Half, wanted: float | None) -> Section:
    """The candidates of one half, of many only those that are kept, and the running sum of these."""
    largest = max(abs(half.candidates).max(), 1e-300)
    rows = [Row("neuron", "candidate  kept, running sum")]
    total, width = 0.0, ".6f" if half.gain > 2.0**-10 else ".3e"
    for neuron, value, kept, move in zip(half.neuron, half.candidates, half.kept, half.moves, strict=True):
        if len(half.candidates) > _MOST_LISTED and not kept:
            continue
        total += value if kept else 0.0
        state = f"keep {total:+{width}}" if kept else "prune"
        bar = "█" * round(_BAR * abs(value) / largest)
        moved = f"  its v moved by {move:+.6f}" if move else ""
        rows.append(Row(f"{neuron:,}", f"{value:+{width}}  {state:<16}{bar}{moved}", bool(kept)))
    rows.append(Row("", f"{int(half.kept.sum())} of {len(half.kept)} kept, gain {half.gain:g}"))
    digits = 9 if anatomy.stages == 1 else 17
    together = f", with the {_stages(half.stage)} before" if half.stage else ""
    rows.append(Row("realised", f"{half.realised:+.{digits}f}{together}"))
    if wanted is not None:
        rows.append(Row("target", f"{wanted:+.{digits}f}, off by {abs(half.realised - wanted):.3g}"))
    return Section(anatomy.title(half), tuple(rows))


def _stages(count: int) -> str:
    return "stage" if count == 1 else f"{count} stages"
