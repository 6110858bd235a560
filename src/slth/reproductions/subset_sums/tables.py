"""Reference numbers of random subset sums: chances, worst errors, fixed sizes, moved values, each measured again.

The numbers stand in the notes that this library was built from; planners and tests lean on them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from slth.reproductions._figure import Figure, Panel, Series
from slth.reproductions._reproduction import Conclusion, Means, Measured, Part, Reproduction, Row, Scale, Verdict
from slth.subsetsum import Status, first_batch, laws, perturbed_batch, smallest_batch, worst_error

_TOL, _ETA = 0.01, 1e-4
_DRAWS = {Scale.SMOKE: 1_000, Scale.SMALL: 20_000, Scale.PAPER: 200_000}
_SETS = {Scale.SMOKE: 1e7, Scale.SMALL: 1e9, Scale.PAPER: 1e10}  # sums listed for one worst error's row
_MOST_SETS, _LEAST_SETS = 4_000, 200  # as many as were behind the stated numbers; a quantile needs some
_BAND = 4.0  # standard errors, of ours and of theirs, which had 20,000 draws
_THEIRS = 20_000

_LAWS = {  # name: law of the values, half-width of the targets
    "U[-1, 1]": (laws.Uniform(), 1.0),
    "live products u v": (laws.LiveProducts(), 1.0),
    "raw pairs max(u, 0) v": (laws.RawProducts(), 0.5),
}
_ANY: dict[str, dict[int, str]] = {
    "U[-1, 1]": {8: "0.71", 10: "0.92", 12: "0.978", 15: "0.9963", 18: "0.9992", 21: "0.9999"},
    "live products u v": {8: "0.66", 12: "0.91", 16: "0.977", 20: "0.994"},
    "raw pairs max(u, 0) v": {16: "0.725", 20: "0.874", 24: "0.947", 32: "0.992"},
}
_WORST = {  # n: median and 90 % of R
    8: ("5.8e-2", "4.2e-1"),
    10: ("1.8e-2", "1.4e-1"),
    12: ("5.6e-3", "3.3e-2"),
    15: ("9.2e-4", "5.4e-3"),
    18: ("1.5e-4", "7.2e-4"),
    21: ("2.2e-5", "9.9e-5"),
}
_SIZED = {  # (n, k): z uniform on [-1, 1], on [-sqrt k, sqrt k]
    (16, 4): ("0.991", "0.935"),
    (16, 8): ("0.977", "0.899"),
    (20, 2): ("0.735", "0.664"),
    (20, 3): ("0.992", "0.947"),
    (20, 5): ("0.999", "0.989"),
    (40, 2): ("0.991", "0.968"),
    (40, 3): ("1.000", None),
}
_MOVES = (0.0, 1e-3, 1e-2, 5e-2, 0.1, 0.3)
_MOVED = {  # n: one for each move
    2: (".001", ".004", ".04", ".18", ".34", ".72"),
    4: (".001", ".03", ".22", ".68", ".83", ".95"),
    6: (".005", ".12", ".67", ".93", ".96", ".99"),
    8: (".02", ".47", ".92", ".98", ".99", "1.0"),
    10: (".05", ".85", ".99", ".99", "1.0", "1.0"),
    12: (".20", ".97", ".995", "1.0", "1.0", "1.0"),
}
_SMALLEST = (15, "2.3")  # n, mean size of the smallest subset


@dataclass(frozen=True, slots=True)
class _Cell:
    """A number stated and measured, and how far apart they may be."""

    what: str
    stated: str
    ours: float
    error: float  # standard error of the difference

    @property
    def off(self) -> float:
        """Standard errors between the two, beyond the rounding of what is stated."""
        digits, _, power = self.stated.partition("e")
        half = 0.5 * 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))
        return max(abs(self.ours - float(self.stated)) - half, 0.0) / self.error


def _any(means: Means, *, law: str, draws: int, seed: int) -> dict[str, Any]:
    sampler, half = _LAWS[law]
    hits: list[int] = []
    for n in _ANY[law]:
        rows = laws.candidates(sampler, (draws, n), seed=seed, path=f"tables/{law}/{n}")
        targets = half * laws.candidates(laws.Uniform(), (draws,), seed=seed, path=f"tables/{law}/{n}/target")
        hits.append(first_batch(rows, targets, tol=_TOL, threads=means.threads).count(Status.WITHIN_TOL))
    return {"hits": hits}


def _worst(means: Means, *, n: int, sets: int, seed: int) -> dict[str, Any]:
    """Quantiles of R, and a standard error of each from the order statistics one deviation away."""
    rows = laws.candidates(laws.Uniform(), (sets, n), seed=seed, path=f"tables/worst/{n}")
    errors = np.sort([worst_error(row).error for row in rows])
    found = {}
    for name, share in (("median", 0.5), ("nine of ten", 0.9)):
        spread = math.sqrt(share * (1 - share) / sets)
        low, high = np.quantile(errors, [max(share - spread, 0), min(share + spread, 1)])
        found[name] = [float(np.quantile(errors, share)), float(high - low) / 2]
    return found


def _sized(means: Means, *, n: int, k: int, draws: int, seed: int) -> dict[str, Any]:
    rows = laws.candidates(laws.Uniform(), (draws, n), seed=seed, path=f"tables/sized/{n}/{k}")
    targets = laws.candidates(laws.Uniform(), (draws,), seed=seed, path=f"tables/sized/{n}/{k}/target")
    found = (first_batch(rows, z, tol=_TOL, size=k, threads=means.threads) for z in (targets, math.sqrt(k) * targets))
    return {"hits": [one.count(Status.WITHIN_TOL) for one in found]}


def _moved(means: Means, *, n: int, draws: int, seed: int) -> dict[str, Any]:
    rows = laws.candidates(laws.Uniform(), (draws, n), seed=seed, path=f"tables/moved/{n}")
    targets = laws.candidates(laws.Uniform(-0.5, 0.5), (draws,), seed=seed, path=f"tables/moved/{n}/target")
    found = (perturbed_batch(rows, targets, tol=_ETA, most_move=move, threads=means.threads) for move in _MOVES)
    return {"hits": [one.subsets.count(Status.WITHIN_TOL) for one in found]}


def _smallest(means: Means, *, draws: int, seed: int) -> dict[str, Any]:
    n = _SMALLEST[0]
    rows = laws.candidates(laws.Uniform(), (draws, n), seed=seed, path="tables/smallest")
    targets = laws.candidates(laws.Uniform(), (draws,), seed=seed, path="tables/smallest/target")
    sizes = smallest_batch(rows, targets, tol=_TOL, threads=means.threads).kept.sum(axis=1)
    return {"mean": float(sizes.mean()), "error": float(sizes.std() / math.sqrt(draws))}


def _parts(scale: Scale, seed: int) -> Sequence[Part]:
    shared = {"draws": _DRAWS[scale], "seed": seed}
    return [
        *(Part(law, _any, {"law": law} | shared) for law in _LAWS),
        *(
            Part(f"R({n})", _worst, {"n": n, "sets": int(min(_MOST_SETS, _SETS[scale] / 2**n)), "seed": seed})
            for n in _WORST
            if _SETS[scale] / 2**n >= _LEAST_SETS
        ),
        *(Part(f"{k} of {n}", _sized, {"n": n, "k": k} | shared) for n, k in _SIZED),
        *(Part(f"moved, {n}", _moved, {"n": n} | shared) for n in _MOVED),
        Part("smallest", _smallest, shared),
    ]


def _cells(part: Measured) -> list[_Cell]:
    """What a part has measured, beside what is stated."""
    asked, found = part.options, part.outcome
    if part.name.startswith("R("):
        stated = dict(zip(("median", "nine of ten"), _WORST[asked["n"]], strict=True))
        return [_Cell(f"{part.name}, {name}", stated[name], *_doubled(*found[name])) for name in stated]
    if part.name == "smallest":
        what = f"mean size of the smallest subset of {_SMALLEST[0]} within {_TOL:g}"
        return [_Cell(what, _SMALLEST[1], *_doubled(found["mean"], found["error"]))]
    if "law" in asked:
        names = [f"{asked['law']}, n = {n}" for n in _ANY[asked["law"]]]
        stated = list(_ANY[asked["law"]].values())
    elif "k" in asked:
        names = [f"exactly {part.name}, z in {where}" for where in ("[-1, 1]", "[-√k, √k]")]
        stated = list(_SIZED[asked["n"], asked["k"]])
    else:
        names = [f"n = {asked['n']}, moves of {move:g}" for move in _MOVES]
        stated = list(_MOVED[asked["n"]])
    return [
        _Cell(name, number, hits / asked["draws"], _error(hits, asked["draws"]))
        for name, number, hits in zip(names, stated, found["hits"], strict=True)
        if number is not None
    ]


def _doubled(value: float, error: float) -> tuple[float, float]:
    """The stated number has noise of its own, as much as ours."""
    return value, math.sqrt(2) * error


def _error(hits: int, draws: int) -> float:
    p = (hits + 1) / (draws + 2)
    return math.sqrt(p * (1 - p) * (1 / draws + 1 / _THEIRS))


def _conclude(measured: Sequence[Measured], scale: Scale) -> Conclusion:
    cells = [cell for part in measured for cell in _cells(part)]
    far = [cell for cell in cells if cell.off > _BAND]
    worst = [(part.options["n"], part.outcome) for part in measured if part.name.startswith("R(")]
    n = tuple(count for count, _ in worst)
    curves = [part for part in measured if "law" in part.options]
    return Conclusion(
        verdict=Verdict.NOT_REPRODUCED if far else Verdict.REPRODUCED,
        because=f"Of {len(cells)} numbers {len(cells) - len(far)} agree within {_BAND:g} standard errors"
        + (f"; not {', '.join(cell.what for cell in far)}." if far else "."),
        rows=tuple(
            Row(
                what=cell.what,
                ours=cell.ours,
                published=float(cell.stated),
                note=f"{cell.off:.1f} standard errors beyond rounding" if cell.off > 1 else "",
            )
            for cell in cells
        ),
        figures=(
            Figure(
                title="Reference numbers of random subset sums",
                panels=(
                    Panel(
                        title=f"one target within {_TOL:g}",
                        x="n",
                        y="P(success)",
                        content=tuple(
                            series
                            for part in curves
                            for series in _beside(
                                part.options["law"],
                                tuple(_ANY[part.options["law"]]),
                                [hits / part.options["draws"] for hits in part.outcome["hits"]],
                                list(_ANY[part.options["law"]].values()),
                            )
                        ),
                    ),
                    Panel(
                        title="the worst target of [-1, 1]",
                        x="n",
                        y="R(n)",
                        content=tuple(
                            series
                            for i, name in enumerate(("median", "nine of ten"))
                            for series in _beside(
                                name, n, [found[name][0] for _, found in worst], [_WORST[m][i] for m in n]
                            )
                        ),
                        log_y=True,
                    ),
                ),
            ),
        ),
    )


def _beside(label: str, x: tuple[float, ...], ours: Sequence[float], stated: Sequence[str]) -> tuple[Series, Series]:
    return (
        Series(label=label, x=x, y=tuple(ours)),
        Series(label=f"{label}, stated", x=x, y=tuple(map(float, stated)), kind="published"),
    )


REPRODUCTION = Reproduction(
    name="subset-sum-tables",
    title="reference numbers of random subset sums",
    says="Chances of one target, worst errors of [-1, 1], chances of exactly k values and of values that may move, as "
    "they stand in the notes that planners and tests of this library lean on. They were measured for it; the papers "
    "named here have the theorems beside them, and none of these numbers.",
    sources=("lueker1998", "pensia2020", "natale2024", "xiong2023"),
    settings=f"'published' are the numbers of the notes. Tolerance {_TOL}; for values that may move z uniform on "
    f"[-1/2, 1/2] and eta = {_ETA:g}. Reproduced where every number is within {_BAND:g} standard errors and half a "
    f"unit of its last decimal: of chances by our draws and {_THEIRS:,} of the notes, of quantiles and means by twice "
    "our variance.",
    parts=_parts,
    conclude=_conclude,
)
