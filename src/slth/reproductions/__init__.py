"""Published results, measured again: recipe, table published / ours / difference, figure, verdict in words.

found = slth.reproduce("error", scale="smoke", out="results")
print(found.conclusion.verdict.value, found.conclusion.because)

Registry: `MODULES` maps a name to the module whose `REPRODUCTION` it is, or to module:CONSTANT; loaded when asked for,
since some need PyTorch.
"""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from slth import _arguments
from slth.reproductions._figure import Figure, Frame, Panel, Series, Table
from slth.reproductions._page import HEAD, cells
from slth.reproductions._reproduction import (
    Conclusion,
    Means,
    Measured,
    Part,
    Reproduction,
    Row,
    Scale,
    Verdict,
)
from slth.reproductions._run import Progress, Reproduced, run, write_overview

MODULES: dict[str, str] = {
    "error": "subset_sums.error",
    "drift": "subset_sums.drift",
    "failure": "subset_sums.failure",
    "one-number": "subset_sums.one_number",
    "mixtures": "subset_sums.mixtures",
    "products": "subset_sums.products",
    "fixed-size": "subset_sums.fixed_size",
    "null-function": "subset_sums.null_function",
    "integers": "subset_sums.integers",
    "subset-sum-tables": "subset_sums.tables",
    "moved-numbers": "subset_sums.moved",
    "vectors": "vectors.success",
    "scaled-normals": "vectors.scaled_normals",
    "second-moment": "vectors.second_moment",
    "cube": "vectors.cube",
    "one-dimension": "vectors.one_dimension",
    "density": "networks.density",
    "moves": "networks.moves",
    "depth": "networks.depth",
    "replacement": "networks.replacement",
    "structure": "networks.structure",
    "convolutions": "networks.convolutions",
    "copies": "networks.copies",
    "equivariant": "networks.equivariant",
    "attention": "networks.attention",
    "xiong": "learning.xiong",
    "perturbations": "learning.perturbations",
    "rewinding": "learning.rewinding",
    "flipped-masks": "learning.flipped_masks",
    "widths": "learning.widths:WIDTHS",
    "biprop": "learning.widths:BIPROP",
    "fastest": "learning.fastest",
}

_FOLDER = Path("reproductions")

__all__ = [
    "HEAD",
    "MODULES",
    "Conclusion",
    "Figure",
    "Frame",
    "Means",
    "Measured",
    "Panel",
    "Part",
    "Progress",
    "Reproduced",
    "Reproduction",
    "Row",
    "Scale",
    "Series",
    "Table",
    "Verdict",
    "cells",
    "find",
    "reproduce",
    "reproductions",
    "write_overview",
]


def find(name: str) -> Reproduction:
    """The reproduction of this name.

    Raises:
        InputError: there is none; the nearest is named.
    """
    module, _, constant = MODULES[_arguments.one_of(name, MODULES, "reproduction")].partition(":")
    return getattr(import_module(f"slth.reproductions.{module}"), constant or "REPRODUCTION")


def reproductions() -> Iterator[Reproduction]:
    """All of them, in the order of the registry."""
    return map(find, MODULES)


def reproduce(
    name: str,
    *,
    scale: str = "smoke",
    out: str | Path = _FOLDER,
    seed: int = 0,
    data_dir: str | Path | None = None,
    threads: int | None = None,
    again: bool = False,
    progress: Progress | None = None,
) -> Reproduced:
    """Measure a published result again. Finished parts are kept: after an interrupt, the same call goes on from there.

    Args:
        name: one of `MODULES`.
        scale: smoke (generated or embedded data, at most 30 s), small (real data, at most 10 minutes on two cores),
            paper.
        out: the folder of the results: NAME.jsonl, NAME-SCALE.md, figures.
        seed: of everything random.
        data_dir: folder of the image data sets; by default the environment variable SLTH_DATA.
        threads: so many parts at a time; by default as many as this process may use processors.
        again: forget what is finished of this scale and seed.
        progress: is called with the part that is done, parts done, parts in all.

    Raises:
        InputError: unknown name or scale, data that are not there, a folder that cannot be written or that holds
            results of another version of slth.
    """
    from slth.records import cores

    count = cores() if threads is None else _arguments.whole("threads", threads, least=1)
    place = None if data_dir is None else _arguments.path("data_dir", data_dir)
    chosen = Scale(_arguments.one_of(scale, [one.value for one in Scale], "scale"))
    folder = _arguments.path("out", out)
    again = _arguments.truth("again", again)
    seed = _arguments.whole("seed", seed, least=0)
    return run(find(name), chosen, folder, seed=seed, data_dir=place, threads=count, again=again, progress=progress)
