"""`slth search`: learn a mask, write the ticket, say what it is worth."""

import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from slth._errors import InputError
from slth._files import check_writable
from slth.cli import _print
from slth.cli._record import keep
from slth.records import Record, cores, environment


@dataclass(frozen=True, slots=True)
class Request:
    """What the command line asked for; None: not said."""

    data: str | None
    model: str | None
    method: str | None
    out: Path | None
    preset: str | None
    options: dict[str, Any]  # of the method
    arguments: dict[str, Any]  # of the architecture
    training: dict[str, Any]
    policy: dict[str, Any]
    seed: int
    seeds: int
    controls: bool
    augment: bool | None
    data_dir: Path | None
    checkpoint: Path | None
    logs: Path | None
    devices: int
    accelerator: str
    threads: int
    records: Path | None
    as_json: bool
    quiet: bool


def run(asked: Request) -> int:
    """Search with every seed; the ticket of the first one is written."""
    from slth.learning.devices import first_process, use_threads

    use_threads(asked.threads)
    out = Path("ticket.slth") if asked.out is None else asked.out
    for path in (out, asked.checkpoint, asked.records):
        if path is not None:
            check_writable(path)
    results = [_one(asked, asked.seed + number, out if number == 0 else None) for number in range(asked.seeds)]
    if not first_process():
        return 0
    if asked.as_json:
        for _, record in results:
            print(record.as_json())
        return 0
    _print.table(f"{out}", _rows([found for found, _ in results], out))
    return 0


def _one(asked: Request, seed: int, out: Path | None) -> tuple[Any, Record]:
    from slth.learning import RunFiles, preset
    from slth.learning.ask import method_of, search
    from slth.learning.devices import first_process

    known = None if asked.preset is None else preset(asked.preset)
    settings = asked.options if known is None else {**known.options, **asked.options}
    name, method = method_of(asked.method or (known.method if known else "edge-popup"), settings)
    training = _replaced(known.training if known else method.training, asked.training)
    policy = _replaced(known.policy if known else method.policy, asked.policy)
    checkpoint, logs = (_of_seed(path, seed) if asked.seeds > 1 else path for path in (asked.checkpoint, asked.logs))
    with _print.progress(f"{name}, seed {seed}", asked.quiet) as report:
        found = search(
            asked.model or (known.model if known else None),
            asked.data or (known.data if known else "digits"),
            method,
            arguments=asked.arguments,
            seed=seed,
            training=training,
            policy=policy,
            augment=asked.augment,
            data_dir=asked.data_dir,
            controls=asked.controls,
            devices=asked.devices,
            accelerator=asked.accelerator,
            files=RunFiles(checkpoint=checkpoint, logs=logs, progress=report),
        )
    if out is not None and first_process():
        found.ticket.save(out)
    record = Record("search", dict(found.ticket.provenance.asked), found.outcome(), {"search": found.seconds},
                    environment(cores()))  # fmt: skip
    if first_process():
        keep(record, asked.records)
    return found, record


def _of_seed(path: Path | None, seed: int) -> Path | None:
    """A place of its own for every seed: run-0.ckpt, run-1.ckpt, ..."""
    return None if path is None else path.with_name(f"{path.stem}-{seed}{path.suffix}")


def _replaced(settings: Any, given: dict[str, Any]) -> Any:
    """Settings with those that were said put in; the numbers a schedule depends on stay consistent."""
    return replace(settings, **{name: value for name, value in given.items() if value is not None})


def _rows(results: list[Any], out: Path) -> Iterator[tuple[str, str]]:
    found = results[0]
    ticket = found.ticket
    yield from ticket.summary()
    yield "accuracy", _mean([result.accuracy for result in results], found.count)
    for name in found.controls:
        yield f"control {name.replace('_', ' ')}", _mean([result.controls[name] for result in results], found.count)
    yield "time", f"{sum(result.seconds for result in results):.1f} s"
    yield "ticket", f"{out}, {out.stat().st_size:,} bytes"


def _mean(values: list[float | None], count: int) -> str:
    """One value with Wilson's interval, or the mean of several with Student's: over seeds, 95 %."""
    known = [value for value in values if value is not None]
    if not known:
        return "not measured"
    if len(known) == 1:
        from slth.evidence import Proportion

        return _print.percent(Proportion(round(known[0] * count), count))
    from scipy.stats import t

    half = float(t.ppf(0.975, len(known) - 1)) * statistics.stdev(known) / math.sqrt(len(known))
    each = ", ".join(f"{value:.2%}" for value in known)
    return f"{statistics.mean(known):.2%} ± {half:.2%} (95 %, {len(known)} seeds: {each})"


def settings(texts: list[str]) -> dict[str, Any]:
    """KEY=VALUE texts as settings: whole numbers, numbers, true, false, or text."""
    found: dict[str, Any] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals or not key:
            raise InputError(f"--set takes KEY=VALUE, such as rate=0.2; got {text!r}")
        found[key.replace("-", "_")] = _value(value)
    return found


def _value(text: str) -> Any:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
