"""`slth construct`: construct and save; with no target train one before, verify and evaluate after."""

import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from slth import api
from slth._errors import InputError
from slth.cli import _print
from slth.records import verbs

_DATA = str(verbs.DEFAULT_TARGET["data"])


@dataclass(slots=True)
class _Clock:
    seconds: dict[str, float] = field(default_factory=dict[str, float])
    last: float = field(default_factory=time.perf_counter)

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.seconds[name] = now - self.last
        self.last = now


def run(asked: verbs.Construct) -> int:
    """Do the whole job; exit code 1 if the ticket is not what was asked for, see `promise_holds`, or a check failed."""
    out = asked.out or Path(f"{_stem(asked)}.slth")
    trained = None if asked.target or asked.model else out.with_suffix(".safetensors")
    parts = out.with_name(f"{out.name}.part")
    made = {"target": (trained, "own network")} if trained else {}
    verbs.check_places(replace(asked, out=out), made={**made, "the folder of finished maps": (parts, "folder")})
    clock = _Clock()
    if trained is None:
        target = api.read_target(
            asked.target,
            model=asked.model,
            input_shape=asked.input_shape,
            example=asked.example,
            embeddings=asked.embeddings,
            layers_only=asked.layers_only,
            order=asked.order,
            activation=asked.activation,
            from_node=asked.from_node,
            to_node=asked.to_node,
            exact=asked.exact,
        )
        clock.lap("read")
    else:
        asked = _train(asked, trained)
        target = api.read_target(trained, activation="relu", exact=asked.exact)
        clock.lap("train")
    with (
        _print.progress("constructing", asked.quiet, unit="problems", verbose=asked.verbose) as report,
        _print.only_results(),
    ):
        given: dict[str, Any] = {**verbs.keywords(asked), "target": target, "model": None}
        ticket = api.construct(**given, resume=parts, progress=report)
    del given
    target = None if trained is None else target  # it may be large, and is needed no more
    clock.lap("construct")
    _save(ticket, out, parts, asked)
    clock.lap("write")
    holds, found = True, None
    if trained is not None:
        holds = api.verify(out, target=target).holds
        clock.lap("verify")
        found = api.evaluate(ticket, _DATA, target=target)
        clock.lap("evaluate")
    if asked.records is not None or asked.as_json:
        _print.keep(api.record(asked, ticket, seconds=clock.seconds, evaluation=found), asked)
    if not asked.as_json:
        written = [path for path in (out, trained, asked.records) if path is not None]
        _summary(asked, ticket, found, holds, clock, written)
    return 0 if holds and api.promise_holds(ticket) else 1


def _save(ticket: Any, out: Path, parts: Path, asked: verbs.Construct) -> None:
    """Write the ticket; after that its finished maps are needed no more."""
    kept = f"all maps are kept in {parts}, and the same command goes on from there" if parts.exists() else ""
    try:
        api.save(ticket, out, threads=asked.threads if asked.backend == "local" else None)
    except KeyboardInterrupt as stop:
        stop.args = (kept,) if kept else stop.args
        raise
    except InputError as error:
        raise InputError(f"{error}; {kept}" if kept else str(error)) from error
    try:
        api.discard(parts)
    except InputError as error:  # another process has begun there, or somebody has put a file into it
        _print.note(f"{parts} is not removed: {error}", asked.quiet)


def _stem(asked: verbs.Construct) -> str:
    """What the ticket is called after: the file, the function of the model, or the data of the default target."""
    if asked.target is not None:
        return asked.target.stem
    return _DATA if asked.model is None else asked.model.rpartition(":")[2]


def _train(asked: verbs.Construct, trained: Path) -> verbs.Construct:
    """Train the default target, a 64-64-10 MLP on the embedded digits, which state the input range."""
    for name in verbs.group(asked, "target"):
        flag = verbs.flag_of(name, verbs.arguments(asked)[name])
        raise InputError(f"{flag} goes with a TARGET; the default target brings its own")
    api.use_threads(1)
    with _print.progress(f"training on {_DATA}", asked.quiet) as report:
        api.train(**verbs.DEFAULT_TARGET, out=trained, progress=report)
    return replace(asked, data=_DATA)


def _summary(asked: verbs.Construct, ticket: Any, found: Any, holds: bool, clock: _Clock, written: list[Path]) -> None:
    kind = "Strong lottery ticket" if ticket.strong else "Lottery ticket, whose random numbers moved: not strong"
    _print.table(kind, api.summary(ticket, certified=True))
    for sentence in api.missed(ticket):
        _print.note(f"missed: {sentence}", asked.quiet)
    if ticket.misses and api.promise_holds(ticket):
        _print.note("the certificate meets --epsilon all the same: it counts the misses in", asked.quiet)
    if found is not None:
        print()
        _print.table(f"On the test {_DATA}", api.data_rows(found))
        print()
        _print.table("Verified", [("every claim", "holds" if holds else "FAILS: see slth verify")])
    print()
    times = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in clock.seconds.items())
    _print.table("Done", [("time", times), *(("wrote", str(path)) for path in written)])
