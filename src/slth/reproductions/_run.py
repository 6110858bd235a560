"""Measure what is missing of a reproduction, conclude, write page and figures."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from slth._errors import InputError
from slth._files import check_writable, write_atomically
from slth.reproductions._figure import draw
from slth.reproductions._page import overview, page
from slth.reproductions._reproduction import Conclusion, Means, Measured, Part, Reproduction, Scale, Verdict
from slth.reproductions._results import Results, alone_in, file_of
from slth.sweeps import on_this_machine, unordered

Progress = Callable[[str, int, int], None]  # the part that is done, parts done, parts in all


@dataclass(frozen=True, slots=True)
class Reproduced:
    """A reproduction that was run: its conclusion, what was measured, the files that were written."""

    reproduction: Reproduction
    scale: Scale
    conclusion: Conclusion
    measured: tuple[Measured, ...]
    files: tuple[Path, ...]

    @property
    def seconds(self) -> float:
        """Of all parts, those of earlier runs too."""
        return sum(part.seconds for part in self.measured)


def run(
    reproduction: Reproduction,
    scale: Scale,
    folder: Path,
    *,
    seed: int = 0,
    data_dir: Path | None = None,
    threads: int = 1,
    again: bool = False,
    progress: Progress | None = None,
) -> Reproduced:
    """Do the parts that are missing, `threads` at a time, and write what they show.

    Raises:
        InputError: data are missing, the folder cannot be written or holds results of another version, or another
            process measures there.
    """
    parts = list(reproduction.parts(scale, seed))
    if not parts:
        conclusion = Conclusion(verdict=Verdict.NOT_ATTEMPTED, because=f"nothing is measured at scale {scale.value}")
        return Reproduced(reproduction, scale, conclusion, (), ())
    _check_data(reproduction, scale, data_dir)
    with alone_in(folder, reproduction.name):
        check_writable(file_of(folder, reproduction.name, scale, ".md"))
        results = Results(folder, reproduction.name, parts, again=again)
        return _finished(reproduction, scale, parts, results, Means(folder / "shared", data_dir, threads), progress)


def write_overview(found: Sequence[Reproduced], folder: Path) -> Path | None:
    """Write all-SCALE.md, the verdicts of several reproductions of one scale; where none was attempted nothing.

    Raises:
        InputError: it cannot be written.
    """
    if all(one.conclusion.verdict is Verdict.NOT_ATTEMPTED for one in found):
        return None
    scale = found[0].scale
    text = overview([(one.reproduction, one.conclusion) for one in found], scale)
    return write_atomically(file_of(folder, "all", scale, ".md"), text.encode())


def _finished(
    reproduction: Reproduction,
    scale: Scale,
    parts: Sequence[Part],
    results: Results,
    means: Means,
    progress: Progress | None,
) -> Reproduced:
    """Measure what is open, conclude, write."""
    open_parts = [part for part in parts if results.find(part) is None]
    done = len(parts) - len(open_parts)
    for part, outcome, seconds in _measured(open_parts, means):
        results.keep(part, outcome, seconds=seconds, threads=1 if len(open_parts) > 1 else means.threads)
        done += 1
        if progress:
            progress(part.name, done, len(parts))
    measured = [found for part in parts if (found := results.find(part))]
    try:
        conclusion = reproduction.conclude(measured, scale)
        contents = _contents(reproduction, scale, conclusion, measured, results)
    except Exception as error:
        if len(open_parts) == len(parts):
            raise
        why = " ".join(f"{type(error).__name__}: {error}".split())[:100]
        raise InputError(
            f"{results.path}: expected parts as this slth measures them, got others ({why}); --again measures them anew"
        ) from error
    files = tuple(write_atomically(path, content) for path, content in contents.items())
    return Reproduced(reproduction, scale, conclusion, tuple(measured), files)


def _measured(parts: Sequence[Part], means: Means) -> Iterator[tuple[Part, dict[str, Any], float]]:
    """The parts, as they are done: several at a time where there are threads for it, each in a process of its own."""
    workers = min(means.threads, len(parts))
    if workers < 2:
        yield from ((part, *_measure(part, means)) for part in parts)
        return
    alone = replace(means, threads=1)
    try:
        with on_this_machine(workers):
            for i, outcome, seconds in unordered(_in_worker, [(i, part, alone) for i, part in enumerate(parts)]):
                yield parts[i], outcome, seconds
    except BrokenProcessPool as error:
        raise InputError(
            "a process died, killed or out of memory; finished parts are kept: again with --threads 1"
        ) from error


def _measure(part: Part, means: Means) -> tuple[dict[str, Any], float]:
    start = time.perf_counter()
    return part.measure(means, **part.options), time.perf_counter() - start


def _in_worker(number: int, part: Part, means: Means) -> tuple[int, dict[str, Any], float]:
    return number, *_measure(part, means)


def _check_data(reproduction: Reproduction, scale: Scale, data_dir: Path | None) -> None:
    from slth.data import load, load_cora

    for name in reproduction.data.get(scale, ()):
        try:
            load_cora(data_dir=data_dir) if name == "cora" else load(name, data_dir=data_dir)
        except InputError as error:
            raise InputError(f"{error}. Without data runs --scale smoke") from error


def _contents(
    reproduction: Reproduction, scale: Scale, conclusion: Conclusion, measured: Sequence[Measured], results: Results
) -> dict[Path, bytes]:
    """The page and the figures."""
    name = reproduction.name
    figures = {
        file_of(results.folder, name, scale, f"-{figure.name}.svg" if figure.name else ".svg"): draw(figure)
        for figure in conclusion.figures
    }
    text = page(
        reproduction,
        scale,
        conclusion,
        measured=measured,
        where=results.where(measured),
        seconds=sum(part.seconds for part in measured),
        pictures=[*figures],
    )
    return {file_of(results.folder, name, scale, ".md"): text.encode(), **figures}
