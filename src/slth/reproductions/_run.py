"""Measure what is missing of a reproduction, conclude, write page and figures."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from slth._errors import InputError
from slth._files import write_atomically
from slth.reproductions._figure import draw
from slth.reproductions._page import page
from slth.reproductions._reproduction import Conclusion, Means, Measured, Part, Reproduction, Scale, Verdict
from slth.reproductions._results import Results

Progress = Callable[[str, int, int], None]  # the part that begins ("" at the end), parts done, parts in all


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
    """Do the parts that are missing, one after another, and write what they show.

    Raises:
        InputError: data are missing, the folder cannot be written or holds results of another version.
    """
    parts = list(reproduction.parts(scale, seed))
    if not parts:
        conclusion = Conclusion(verdict=Verdict.NOT_ATTEMPTED, because=f"nothing is measured at scale {scale.value}")
        return Reproduced(reproduction, scale, conclusion, (), ())
    _check_data(reproduction, scale, data_dir)
    results = Results(folder, reproduction, again=again)
    means = Means(folder / "shared", data_dir, threads)
    measured: list[Measured] = []
    for i, part in enumerate(parts):
        done = results.find(part)
        if done is None and progress:
            progress(part.name, i, len(parts))
        measured.append(done or _measure(part, results, means))
    if progress:
        progress("", len(parts), len(parts))
    conclusion = reproduction.conclude(measured, scale)
    return Reproduced(
        reproduction, scale, conclusion, tuple(measured), _write(reproduction, scale, conclusion, parts, results)
    )


def _measure(part: Part, results: Results, means: Means) -> Measured:
    start = time.perf_counter()
    outcome = part.measure(means, **part.options)
    return results.keep(part, outcome, seconds=time.perf_counter() - start, threads=means.threads)


def _check_data(reproduction: Reproduction, scale: Scale, data_dir: Path | None) -> None:
    from slth.data import load, load_cora

    for name in reproduction.data.get(scale, ()):
        try:
            load_cora(data_dir=data_dir) if name == "cora" else load(name, data_dir=data_dir, train=False)
        except InputError as error:
            raise InputError(f"{error}. Without data runs --scale smoke") from error


def _write(
    reproduction: Reproduction, scale: Scale, conclusion: Conclusion, parts: Sequence[Part], results: Results
) -> tuple[Path, ...]:
    files: list[Path] = []
    for figure in conclusion.figures:
        ending = f"-{figure.name}.svg" if figure.name else ".svg"
        files.append(write_atomically(results.file(scale, ending), draw(figure)))
    seconds = sum(record.seconds for part in parts if (record := results.find(part)))
    text = page(reproduction, scale, conclusion, where=results.where(list(parts)), seconds=seconds, pictures=files)
    return (write_atomically(results.file(scale, ".md"), text.encode()), *files)
