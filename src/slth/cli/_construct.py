"""`slth construct`: read or train the target, construct, save; with no target also verify and evaluate."""

import time
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, cast

from slth import api
from slth._errors import InputError
from slth._files import check_writable, write_atomically
from slth.cli import _print
from slth.cli._options import single_torch_thread
from slth.cli._record import construction_outcome, evaluation_outcome, keep
from slth.construction import Plan, construct, promise_holds
from slth.data import load as load_data
from slth.evidence import Evaluation
from slth.network import Mlp, read_target
from slth.records import Record, cores, environment
from slth.ticket import Ticket, load_constructed

_EMBEDDED = "digits"


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asked for."""

    target: Path | None
    out: Path | None
    plan: Plan  # without its source, which is a file here
    source: Path | None
    input_range: tuple[float, float] | None
    data: str | None
    data_dir: Path | None
    normalize: tuple[float, float] | None
    order: list[str] | None
    activation: str | None
    threads: int | None
    records: Path | None
    as_json: bool
    quiet: bool


@dataclass(slots=True)
class _Clock:
    seconds: dict[str, float] = field(default_factory=dict)
    last: float = field(default_factory=time.perf_counter)

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] = now - self.last
        self.last = now


def run(asked: Request) -> int:
    """Do the whole job; exit code 1 if the ticket is not what was asked for, see `promise_holds`, or a check failed."""
    out = asked.out or Path(f"{asked.target.stem if asked.target else _EMBEDDED}.slth")
    written = [out]
    clock = _Clock()
    source = None if asked.source is None else load_constructed(asked.source)
    plan = replace(asked.plan, source=source)  # refuses now, not after training
    api.domain(asked.input_range, asked.normalize)
    trained = None if asked.target else out.with_suffix(".safetensors")
    _check_distinct(target=asked.target, source=asked.source, out=out, records=asked.records, trained=trained)
    check_writable(out)
    if asked.records is not None:
        check_writable(asked.records)
    if trained is not None:
        check_writable(trained)
        target = _train(asked, trained)
        written.append(trained)
        clock.lap("train")
    else:
        target = read_target(asked.target, order=asked.order, activation=asked.activation)
        clock.lap("read")
    for sentence in target.assumed:
        _print.note(f"assumed: {sentence}", asked.quiet)
    input_range = (
        known_range(_EMBEDDED, None, None, asked.quiet)
        if asked.target is None
        else input_range_of(asked.input_range, asked.data, asked.data_dir, asked.normalize, asked.quiet)
    )
    with _print.progress("constructing", asked.quiet) as report:
        ticket = construct(
            target.layers,
            plan,
            domain=api.domain(input_range, asked.normalize),
            names=target.names,
            threads=asked.threads or cores(),
            progress=report,
        )
    clock.lap("construct")
    ticket.save(out)
    clock.lap("write")
    holds, found = True, None
    if asked.target is None:
        holds = api.verify(out, target=target).holds
        clock.lap("verify")
        found = cast(Evaluation, api.evaluate(ticket, _EMBEDDED, target=target))
        clock.lap("evaluate")
    record = _record(asked, ticket, found, clock)
    keep(record, asked.records)
    if asked.as_json:
        print(record.as_json())
    else:
        _summary(asked, ticket, found, holds, clock, written + ([asked.records] if asked.records else []))
    return 0 if holds and promise_holds(ticket) else 1


def _check_distinct(**places: Path | None) -> None:
    """No output may replace an input or another output."""
    seen: dict[Path, str] = {}
    for name, path in places.items():
        if path is not None:
            other = seen.setdefault(path.resolve(), name)
            if other != name:
                raise InputError(f"{path} would be both {other} and {name}; choose another name with --out")


def _train(asked: Request, trained: Path) -> Mlp:
    """The default target: a 64-64-10 MLP on the embedded digits, written beside the ticket."""
    from safetensors.numpy import save

    for name in ("data", "input_range", "normalize", "order", "activation", "source"):
        if getattr(asked, name) is not None:
            raise InputError(f"--{name.replace('_', '-')} goes with a TARGET; the default target brings its own")
    single_torch_thread()
    with _print.progress("training on digits", asked.quiet) as report:
        tensors = api.train(_EMBEDDED, epochs=30, progress=report)
    write_atomically(trained, save(tensors))
    return read_target(tensors, activation="relu")


def input_range_of(
    given: tuple[float, float] | None,
    data: str | None,
    data_dir: Path | None,
    normalize: tuple[float, float] | None,
    quiet: bool,
) -> tuple[float, float] | None:
    """The range of the inputs, as given or as a data set states it; says what is assumed or missing."""
    if given is not None and data is not None:
        raise InputError("--input-range and --data both state the inputs; give one of them")
    if given is None and data is None:
        _print.note(
            "no input range: inputs may be negative, and no bound on the output is certified; "
            "give --input-range lo,hi or --data NAME",
            quiet,
        )
    return given if data is None else known_range(data, data_dir, normalize, quiet)


def known_range(
    name: str, data_dir: Path | None, normalize: tuple[float, float] | None, quiet: bool
) -> tuple[float, float]:
    """The range that a data set states, after normalisation."""
    data = load_data(name, data_dir=data_dir, train=False)
    data = data if normalize is None else data.normalised(*normalize)
    if data.range_observed:
        _print.note(f"assumed: inputs stay in the range seen in {name}", quiet)
    return data.input_range


def _record(asked: Request, ticket: Ticket, found: Evaluation | None, clock: _Clock) -> Record:
    question: dict[str, Any] = {
        "target": ticket.provenance.target,
        **{option.name: getattr(asked.plan, option.name) for option in fields(Plan)},
        "source": None if asked.source is None else str(asked.source),
        "domain": [ticket.domain.lower, ticket.domain.upper, ticket.domain.normalize],
    }
    outcome = construction_outcome(ticket)
    if found is not None:
        outcome["evaluation"] = evaluation_outcome(found)
    return Record("construct", question, outcome, clock.seconds, environment(asked.threads or cores()))


def _summary(
    asked: Request, ticket: Ticket, found: Evaluation | None, holds: bool, clock: _Clock, written: list[Path]
) -> None:
    _print.table("Strong lottery ticket", ticket.summary())
    for miss in ticket.provenance.misses[:10]:
        where = "bias" if miss.input < 0 else f"weight from input {miss.input}, {miss.half} half"
        _print.note(f"missed: layer {miss.layer}, output {miss.output}, {where}: off by {miss.error:.3g}", asked.quiet)
    if ticket.misses > 10:
        _print.note(f"missed: {ticket.misses:,} in all; --retries or more --candidates may reach them", asked.quiet)
    if ticket.misses and promise_holds(ticket):
        _print.note("the certificate meets --epsilon all the same: it counts the misses in", asked.quiet)
    if found is not None:
        print()
        _print.table("On the test digits", list(_print.evaluation_rows(found))[:8])
        print()
        _print.table("Verified", [("every claim", "holds" if holds else "FAILS: see slth verify")])
    print()
    times = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in clock.seconds.items())
    _print.table("Done", [("time", times), *(("wrote", str(path)) for path in written)])
