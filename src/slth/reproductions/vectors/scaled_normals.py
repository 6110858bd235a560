r"""The step from independent to scaled normals: X_S given a, and the concentration of the sum of a_i^2.

X_S = sum over i in S of a_i b_i, a_i ~ N(0, 1), b_i ~ N(0, I): given a, it is N(0, sigma^2 I), sigma^2 the sum of
a_i^2, which is chi-square with k = |S| degrees of freedom. Laurent and Massart (2000, Lemma 1):

    P(sigma^2 >= k + 2 sqrt(k x) + 2 x) <= exp(-x),   P(sigma^2 <= k - 2 sqrt(k x)) <= exp(-x).
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from slth.numerics import Stream, draw
from slth.records import Proportion
from slth.reproductions._figure import Figure, Panel, Series
from slth.reproductions._reproduction import Conclusion, Means, Measured, Part, Reproduction, Row, Scale, Verdict

_SIZES = (4, 16, 64, 256)
_D = 3
_DRAWS = {Scale.SMOKE: 20_000, Scale.SMALL: 400_000, Scale.PAPER: 4_000_000}
_AT_ONCE = 2**24  # numbers in memory
_X = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0)
_SHOWN = 4  # |S| of the densities
_BINS = np.linspace(-4, 4, 41)
_LEVEL = 0.001  # of the tests


def _measure(means: Means, *, k: int, draws: int, seed: int) -> dict[str, Any]:
    """Tests of X_S / sigma against N(0, I), tails of sigma^2 beyond the bounds, densities with and without sigma."""
    from scipy.stats import kstest

    scaled = np.empty((draws, _D))
    squares = np.empty(draws)
    block = max(1, _AT_ONCE // (k * (_D + 1)))
    for start in range(0, draws, block):
        count = min(block, draws - start)
        a = draw(Stream(seed, f"scaled/{k}/{start}/a"), "normal", (count, k)).astype(np.float64)
        b = draw(Stream(seed, f"scaled/{k}/{start}/b"), "normal", (count, k, _D)).astype(np.float64)
        scaled[start : start + count] = np.einsum("nk,nkd->nd", a, b)
        squares[start : start + count] = np.square(a).sum(axis=1)
    given = scaled / np.sqrt(squares)[:, None]
    upper = [int((squares >= k + 2 * math.sqrt(k * x) + 2 * x).sum()) for x in _X]
    lower = [int((squares <= k - 2 * math.sqrt(k * x)).sum()) for x in _X]
    return {
        "p_values": [float(kstest(column, "norm").pvalue) for column in given.T],
        "free_p_value": float(kstest(scaled[:, 0] / math.sqrt(k), "norm").pvalue),
        "correlation": _of_squares(given),
        "free_correlation": _of_squares(scaled),
        "upper": upper,
        "lower": lower,
        "given": np.histogram(given[:, 0], _BINS, density=True)[0].tolist(),
        "free": np.histogram(scaled[:, 0] / math.sqrt(k), _BINS, density=True)[0].tolist(),
    }


def _of_squares(x: np.ndarray) -> float:
    """Correlation of the squares of two coordinates: 0 if they are independent."""
    return float(np.corrcoef(np.square(x[:, 0]), np.square(x[:, 1]))[0, 1])


def _parts(scale: Scale, seed: int) -> Sequence[Part]:
    return [Part(f"|S| = {k}", _measure, {"k": k, "draws": _DRAWS[scale], "seed": seed}) for k in _SIZES]


def _conclude(measured: Sequence[Measured], scale: Scale) -> Conclusion:
    draws = measured[0].options["draws"]
    tests = [p for part in measured for p in part.outcome["p_values"]]
    level = _LEVEL / len(tests)
    noise = 4 / math.sqrt(draws)
    given = min(tests) > level and all(abs(part.outcome["correlation"]) < noise for part in measured)
    tails = [
        (part.options["k"], side, x, Proportion(hits, draws))
        for part in measured
        for side in ("upper", "lower")
        for x, hits in zip(_X, part.outcome[side], strict=True)
    ]
    over = [f"{side} tail of |S| = {k}, x = {x:g}" for k, side, x, one in tails if one.interval[0] > math.exp(-x)]
    rows = [
        Row(
            what=f"|S| = {part.options['k']}: correlation of squares given a",
            published=0.0,
            ours=part.outcome["correlation"],
            note=f"of X_S itself {part.outcome['free_correlation']:.3f}; 1/(|S| + 3) = "
            f"{1 / (part.options['k'] + 3):.3f} is expected. Kolmogorov-Smirnov given a: p = "
            f"{', '.join(f'{p:.2f}' for p in part.outcome['p_values'])}; of X_S/sqrt|S| p = "
            f"{part.outcome['free_p_value']:.2g}",
        )
        for part in measured
    ]
    rows += [
        Row(
            what=f"|S| = {k}: P({side} tail), x = {x:g}",
            published=math.exp(-x),
            ours=one.value,
            note="published: at most",
        )
        for k, side, x, one in tails
        if x in (1.0, 3.0)
    ]
    shown = next(part for part in measured if part.options["k"] == _SHOWN)
    middle = (_BINS[1:] + _BINS[:-1]) / 2
    normal = np.exp(-np.square(middle) / 2) / math.sqrt(2 * math.pi)
    rejected = [part.options["k"] for part in measured if part.outcome["free_p_value"] <= _LEVEL]
    free = (
        f"told from a normal law at |S| = {', '.join(map(str, rejected))}" if rejected else "not told from a normal law"
    )
    within = "stays within both chi-square bounds" if not over else f"exceeds a chi-square bound ({'; '.join(over)})"
    return Conclusion(
        verdict=Verdict.REPRODUCED if given and not over else Verdict.NOT_REPRODUCED,
        because=f"X_S over the root of the sum of a² {'cannot be told' if given else 'differs'} from N(0, I) in "
        f"{draws:,} draws, and the sum of a² {within}. X_S itself, over √|S|, is {free}; its squares are correlated by "
        f"{measured[0].outcome['free_correlation']:.3f} at |S| = {_SIZES[0]} and "
        f"{measured[-1].outcome['free_correlation']:.3f} at {_SIZES[-1]}.",
        rows=tuple(rows),
        figures=(
            Figure(
                title="Scaled normal vectors: given the factors, and the sum of their squares",
                panels=(
                    Panel(
                        title=f"one coordinate, |S| = {_SHOWN}",
                        x="x",
                        y="density",
                        content=(
                            Series(label="X_S / sigma", x=tuple(middle), y=tuple(shown.outcome["given"])),
                            Series(label="X_S / √|S|", x=tuple(middle), y=tuple(shown.outcome["free"])),
                            Series(label="N(0, 1)", x=tuple(middle), y=tuple(normal), kind="estimate"),
                        ),
                    ),
                    *(
                        Panel(
                            title=title,
                            x="x",
                            y="chance",
                            content=(*(_tail(part, side, draws) for part in measured), _bound()),
                            log_y=True,
                        )
                        for side, title in (
                            ("upper", "sum of a² ≥ k + 2√(kx) + 2x"),
                            ("lower", "sum of a² ≤ k − 2√(kx)"),
                        )
                    ),
                ),
            ),
        ),
    )


def _tail(part: Measured, side: str, draws: int) -> Series:
    points = [(x, hits / draws) for x, hits in zip(_X, part.outcome[side], strict=True) if hits]
    return Series(
        label=f"k = {part.options['k']}", x=tuple(x for x, _ in points), y=tuple(share for _, share in points)
    )


def _bound() -> Series:
    return Series(label="exp(-x)", x=_X, y=tuple(math.exp(-x) for x in _X), kind="bound")


REPRODUCTION = Reproduction(
    name="scaled-normals",
    title="sums of scaled normal vectors, given their factors",
    says="Given a_i, i in S, the sum of a_i b_i is N(0, (sum of a_i²) I); the sum of a_i² is chi-square and "
    "concentrates, so that things do not change too much.",
    sources=("mallmanntrenn2025", "dacunha2023structured", "laurent2000"),
    settings=f"a_i ~ N(0, 1), b_i ~ N(0, I) in R^{_D}. Concentration: the bounds of Laurent and Massart. Reproduced "
    f"where no Kolmogorov-Smirnov test of X_S / sigma rejects at {_LEVEL} over all tests, squares of its coordinates "
    "are uncorrelated within four standard errors, and no tail exceeds its bound with its whole 95 % interval. X_S "
    f"itself, without a given, decides nothing; it is told from a normal law where one test rejects at {_LEVEL}.",
    parts=_parts,
    conclude=_conclude,
)
