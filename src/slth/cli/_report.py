"""`slth report`: read tickets and records, verify and evaluate what can be, hand plain data to the page."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from slth._errors import InputError
from slth._files import check_writable
from slth.cli import _options as opt
from slth.cli import _print
from slth.cli._record import evaluation_outcome
from slth.cli._show import parse_weight
from slth.data import Dataset
from slth.data import load as load_data
from slth.evidence import Verdict, evaluate, verify
from slth.network import Mlp, read_target
from slth.records import Record, read
from slth.report import Check, Exhibit, check_page_name, evaluations_of, read_evaluation, write_page
from slth.ticket import Ticket, load_constructed, target_digest

_VERDICTS = {Verdict.HOLDS: "holds", Verdict.FAILS: "fails", Verdict.NOT_CHECKED: "not checked"}


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asked for."""

    files: Sequence[Path]
    out: Path
    target: Path | None
    order: list[str] | None
    data: str | None
    data_dir: Path | None
    normalize: tuple[float, float] | None
    weight: str | None
    quiet: bool


def run(asked: Request) -> int:
    """Write the page; exit code 1 if a check of a ticket fails (the page says which)."""
    check_page_name(asked.out)
    check_writable(asked.out)
    tickets = [path for path in asked.files if _is_ticket(path)]
    records = [record for path in asked.files if path not in tickets for record in _read_records(path)]
    if not tickets:
        for option, value in (("--target", asked.target), ("--data", asked.data), ("--weight", asked.weight)):
            if value is not None:
                raise InputError(f"{option} goes with tickets; only records were given")
    target = None if asked.target is None else read_target(asked.target, order=asked.order)
    data = None if asked.data is None else load_data(asked.data, data_dir=asked.data_dir, train=False)
    if data is not None:
        opt.single_torch_thread()  # so that the page has the same bytes again
    loaded = [(path, load_constructed(path)) for path in tickets]
    if target is not None:
        _check_target(asked, target, loaded)
    exhibits = [_exhibit(asked, path, ticket, target, data, records) for path, ticket in loaded]
    size = write_page(asked.out, exhibits, records).stat().st_size
    _print.note(f"wrote {asked.out}: {size:,} bytes", asked.quiet)
    failed = [exhibit.name for exhibit in exhibits if exhibit.standing == "refuted"]
    if failed:
        _print.note(f"a claim does not hold: {', '.join(failed)}; slth verify says which")
    return 1 if failed else 0


def _exhibit(
    asked: Request, path: Path, ticket: Ticket, target: Mlp | None, data: Dataset | None, records: Sequence[Record]
) -> Exhibit:
    """Verify, evaluate, and find the records of a ticket."""
    layers = target.layers if target is not None and _is_target_of(target, ticket) else None
    checks = tuple(Check(c.name, _VERDICTS[c.verdict], c.detail) for c in verify(path, target=layers).checks)
    broken = [check.detail for check in checks if check.name == "layout" and check.verdict == "fails"]
    if broken:
        raise InputError(f"{path}: {broken[0]}; there is nothing to draw: get a fresh copy of the ticket")
    found = evaluations_of(ticket, records)
    inputs = name = None
    if data is not None:
        scale = asked.normalize or ticket.domain.normalize
        test = data if scale is None else data.normalised(*scale)
        inputs, name = test.test_x, Path(data.name).name
        outcome = evaluation_outcome(evaluate(ticket, inputs, test.test_y, data=name, target=layers))
        found = (read_evaluation(outcome), *(one for one in found if one.data != name))
    content = path.read_bytes()
    return Exhibit(
        name=path.name,
        ticket=ticket,
        size=len(content),
        digest=hashlib.sha256(content).hexdigest(),
        checks=checks,
        target=layers,
        target_name=None if layers is None or asked.target is None else asked.target.name,
        inputs=inputs,
        data=name,
        evaluations=found,
        weight=None if asked.weight is None else parse_weight(asked.weight),
    )


def _check_target(asked: Request, target: Mlp, loaded: Sequence[tuple[Path, Ticket]]) -> None:
    """It must be the target of a ticket: errors against another network say nothing about a ticket's claims."""
    if not any(_is_target_of(target, ticket) for _, ticket in loaded):
        names = ", ".join(path.name for path, _ in loaded)
        raise InputError(f"{asked.target} is not the network that {names} was made for (its digest differs)")


def _is_target_of(target: Mlp, ticket: Ticket) -> bool:
    return target_digest(target.layers) == ticket.provenance.target


def _is_ticket(path: Path) -> bool:
    """Told by the content: a ticket begins with the length of its header, whose high bytes are 0; JSON holds no 0."""
    if not path.is_file():
        what = "it is a folder; give its files" if path.is_dir() else "no such file"
        raise InputError(f"cannot read {path}: {what}")
    try:
        with open(path, "rb") as file:
            start = file.read(8)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    return path.suffix == ".slth" or 0 in start


def _read_records(path: Path) -> list[Record]:
    found = list(read(path))
    if not found:
        raise InputError(f"{path} holds no records; slth construct and slth evaluate write them with --records")
    for number, record in enumerate(found, 1):
        if not _has_types(record.kind, record.asked, record.outcome, record.seconds):
            raise InputError(f"{path}, line {number} is not a record of slth; remove the line")
    return found


def _has_types(kind: object, *parts: object) -> bool:
    """JSON may put anything anywhere."""
    return isinstance(kind, str) and all(isinstance(part, dict) for part in parts)
