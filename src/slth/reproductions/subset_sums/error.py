"""How the error falls with n: of one target, and of the worst target of [-1, 1] (Lueker, 1998)."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from slth.numerics import Stream, uniform
from slth.reproductions._figure import Figure, Panel, Series
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
from slth.subsetsum import closest_batch, worst_error

_COUNTS = tuple(range(6, 22, 3))
_DRAWS = {Scale.SMOKE: 200, Scale.SMALL: 2_000, Scale.PAPER: 20_000}
_BAND = 0.15  # of the slope


def _measure(means: Means, *, n: int, draws: int, seed: int) -> dict[str, Any]:
    """Medians over draws of the error at one target and of the worst error, x_i and z uniform on [-1, 1]."""
    values = uniform(Stream(seed, f"error/{n}/values"), (draws, n)).astype(np.float64)
    targets = uniform(Stream(seed, f"error/{n}/targets"), (draws,)).astype(np.float64)
    one = closest_batch(values, targets).error
    worst = np.array([worst_error(row).error for row in values])
    return {"one": float(np.median(one)), "worst": float(np.median(worst)), "worst_90": float(np.quantile(worst, 0.9))}


def _parts(scale: Scale, seed: int) -> Sequence[Part]:
    draws = _DRAWS[scale]
    return [Part(f"n = {n}", _measure, {"n": n, "draws": draws, "seed": seed}) for n in _COUNTS]


def _conclude(measured: Sequence[Measured], scale: Scale) -> Conclusion:
    n = np.array([part.options["n"] for part in measured], float)
    one, worst, high = (np.array([part.outcome[key] for part in measured]) for key in ("one", "worst", "worst_90"))
    slopes = {name: _slope(n, errors) for name, errors in (("one target", one), ("the worst target", worst))}
    halves = all(abs(slope + 1) < _BAND for slope in slopes.values())
    said = " and ".join(f"{2**slope:.2f} of it for {name}" for name, slope in slopes.items())
    series = (
        Series(label="one target", x=tuple(n), y=tuple(one)),
        Series(label="the worst target R(n)", x=tuple(n), y=tuple(worst), low=tuple(worst), high=tuple(high)),
    )
    rows = [
        Row(what=f"one more value, {name}: log2 of error / sqrt(n)", published="a constant", ours=slope)
        for name, slope in slopes.items()
    ]
    rows += [Row(what=f"R({part.options['n']}), median", ours=part.outcome["worst"]) for part in measured]
    return Conclusion(
        verdict=Verdict.REPRODUCED if halves else Verdict.NOT_REPRODUCED,
        because=f"One more value leaves {said}: n "
        + ("grows like log2(1 / error), as the theorem says." if halves else "does not grow like log2(1 / error)."),
        rows=tuple(rows),
        figures=(
            Figure(
                title="Error of a random subset sum against the number of values",
                panels=(Panel(title="x_i uniform on [-1, 1]", x="n", y="error, median", content=series, log_y=True),),
            ),
        ),
    )


def _slope(n: np.ndarray, errors: np.ndarray) -> float:
    """log2(error / sqrt n) for one more value; the sums lie 2^n / sqrt(n) dense."""
    return float(np.polyfit(n, np.log2(errors / np.sqrt(n)), 1)[0])


REPRODUCTION = Reproduction(
    name="error",
    title="the error of a random subset sum against n",
    says="Of n values drawn from U[-1, 1], n >= C log(1/epsilon), some subset comes within 2 epsilon of "
    "every z in [-1, 1].",
    sources=("lueker1998",),
    settings="values uniform on [-1, 1], targets uniform on [-1, 1] or the worst of them, closest subsets. Reproduced "
    f"where one more value halves the error: the slope of log2(error / sqrt n) is within {_BAND} of -1.",
    parts=_parts,
    conclude=_conclude,
)
