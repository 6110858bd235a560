"""One page about tickets and records: read them, verify and evaluate what can be, hand plain data to the page."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slth._errors import InputError
from slth._files import check_writable
from slth.api._construct import Reading
from slth.api._evidence import target_of
from slth.api._inputs import Numbers, examples_of
from slth.api._show import map_of
from slth.evidence import evaluate, verify
from slth.graph import Target
from slth.records import Record, Verdict, is_grid, read_grid, verbs
from slth.records import read as read_records
from slth.reporting import Exhibit, check_page_name, evaluations_of, searches_of, write_page
from slth.ticket import Bound, Ticket, load, network_digest, rewritten_for

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class Page:
    """A page that was written."""

    path: Path
    size: int  # bytes
    refuted: tuple[str, ...]  # names of the tickets of which a claim does not hold


@dataclass(frozen=True, slots=True)
class _Material:
    """What is at hand beside the tickets."""

    target: Target | None
    target_name: str | None
    model: str | None
    data: str | Path | None
    data_dir: str | Path | None
    mean: Numbers | None
    std: Numbers | None
    records: Sequence[Record]
    weight: verbs.WeightAt | None
    confidence: float


def report(
    files: str | Path | Sequence[str | Path],
    out: str | Path,
    *,
    target: Any = None,
    model: str | None = None,
    order: Sequence[str] | None = None,
    activation: str | None = None,
    from_node: str | None = None,
    to_node: str | None = None,
    data: str | Path | None = None,
    data_dir: str | Path | None = None,
    mean: Numbers | None = None,
    std: Numbers | None = None,
    weight: Sequence[int | str | None] | str | None = None,
    confidence: float = 0.99,
) -> Page:
    """Write one self-contained page about tickets, records and sweeps; with `target`, `data` it compares and measures.

    Args:
        files: tickets, records in JSON lines, and the folders of sweeps. Of a learned ticket the record of its search
            gives the curve of its training.
        out: the page, `.html`.
        target: the network that tickets stand for; `model` (code, which is run), `order`, `activation`: see
            `construct`. Of tickets that are bound to a model, that model.
        data: a name or an `.npz`, to evaluate tickets on; `data_dir`: the folder of image sets.
        mean, std: data becomes (x − mean) / std; one number, one per channel, or an array of one input's shape.
            None: as each ticket says.
        weight: the one to take apart, as for `show`.
        confidence: of the share of all predictions that change, as for `evaluate`.

    Raises:
        InputError: a file that is neither ticket nor records, a folder that is no sweep's; a target that no
            ticket stands for.
    """
    given = (("files", files), ("out", out), ("weight", weight), ("confidence", confidence))
    paths, out, at, confidence = (verbs.read(verbs.Report, name, value) for name, value in given)
    check_page_name(out)
    verbs.check_apart(verbs.Report, files=paths, target=target, model=model, data=data, out=out)
    check_writable(out)
    grids = [read_grid(path) for path in paths if path.is_dir() and is_grid(path)]
    paths = [path for path in paths if not (path.is_dir() and is_grid(path))]
    tickets = [path for path in paths if _is_ticket(path)]
    records = [record for path in paths if path not in tickets for record in _read_records(path)]
    if not tickets:
        for option, value in (("--target", target), ("--model", model), ("--data", data), ("--weight", at)):
            if value is not None:
                raise InputError(f"{option} goes with tickets; only {'records' if records else 'sweeps'} were given")
    loaded = [(path, _reportable(path)) for path in tickets]
    made = [(path, ticket) for path, ticket in loaded if ticket.gadgets]
    if tickets and not made:
        for option, value in (("--target", target), ("--weight", at)):
            if value is not None:
                raise InputError(f"{option} goes with constructed tickets; {tickets[0].name} was learned")
    compared = bool(made) and (target is not None or model is not None)
    named = isinstance(target, str | Path)
    network = target_of(made[0][1], target, model, Reading(order, activation, from_node, to_node)) if compared else None
    if network is not None and not any(_is_target_of(network, ticket) for _, ticket in made):
        names = ", ".join(path.name for path, _ in made)
        what = target if named else model or "the target"
        raise InputError(f"{what} is not the network that {names} was made for (its digest differs)")
    material = _Material(
        target=network,
        target_name=Path(target).name if named else None,
        model=model,
        data=data,
        data_dir=data_dir,
        mean=mean,
        std=std,
        records=records,
        weight=at,
        confidence=confidence,
    )
    exhibits = [_exhibit(path, ticket, material) for path, ticket in loaded]
    path = write_page(out, exhibits, records, grids)
    refuted = tuple(exhibit.name for exhibit in exhibits if exhibit.status == "refuted")
    return Page(path, path.stat().st_size, refuted)


def _exhibit(path: Path, ticket: Ticket, material: _Material) -> Exhibit:
    """Verify, evaluate, and find the records of a ticket."""
    target = material.target
    if target is not None and not (ticket.gadgets and _is_target_of(target, ticket)):
        target = None
    checks = verify(path, target=target).checks
    broken = [check.detail for check in checks if check.name == "layout" and check.verdict is Verdict.FAILS]
    if broken:
        raise InputError(f"{path}: {broken[0]}; there is nothing to draw: get a fresh copy of the ticket")
    found = evaluations_of(ticket, material.records)
    inputs = name = None
    if material.data is not None:
        inputs, y, name = examples_of(ticket.inputs, material.data, material.data_dir, material.mean, material.std)
        name = Path(name).name
        theirs = _own_model(ticket, material.model)
        measured = evaluate(ticket, inputs, y, data=name, target=target, model=theirs, confidence=material.confidence)
        found = (measured, *(one for one in found if one.data != name))
    content = path.read_bytes()
    return Exhibit(
        name=path.name,
        ticket=ticket,
        size=len(content),
        digest=hashlib.sha256(content).hexdigest(),
        checks=checks,
        target=None if target is None else rewritten_for(ticket, target),
        target_name=None if target is None else material.target_name,
        model=None if target is None else material.model,
        inputs=inputs,
        data=name,
        evaluations=found,
        searches=searches_of(ticket, material.records),
        weight=map_of(ticket, material.weight) if material.weight is not None and ticket.gadgets else None,
    )


def _reportable(path: Path) -> Ticket:
    """A ticket that was learned, or that claims something."""
    ticket = load(path)
    if ticket.gadgets and ticket.claims is None:
        raise InputError(f"{path} claims nothing about a target, so there is nothing to report; see slth show {path}")
    return ticket


def _own_model(ticket: Ticket, model: str | None) -> "nn.Module | None":
    """The module that a ticket is bound to."""
    if model is None or not isinstance(ticket.network, Bound):
        return None
    from slth.network import load_model

    return load_model(model)


def _is_target_of(target: Target, ticket: Ticket) -> bool:
    """Errors against another network say nothing about a ticket's claims."""
    shape = target.input_shape if ticket.inputs is None else ticket.inputs.shape
    if shape != target.input_shape:
        return False
    return network_digest(target, shape) == ticket.provenance.target


def _is_ticket(path: Path) -> bool:
    """Told by the content: a ticket begins with the length of its header, whose high bytes are 0; JSON holds no 0."""
    if not path.is_file():
        what = "it is a folder, and no sweep's; give its files" if path.is_dir() else "no such file"
        raise InputError(f"cannot read {path}: {what}")
    try:
        with open(path, "rb") as file:
            start = file.read(8)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    return path.suffix == ".slth" or 0 in start


def _read_records(path: Path) -> list[Record]:
    found = list(read_records(path))
    if not found:
        raise InputError(f"{path} holds no records; slth construct and slth evaluate write them with --records")
    return found
