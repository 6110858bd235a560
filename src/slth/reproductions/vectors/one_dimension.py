r"""The one-dimensional argument in d dimensions against a search in all of them: exponential n beside MRSS.

Batches of m vectors: in each a subset is chosen for the first coordinate alone, as the one-dimensional theorem offers
it, and the batch succeeds if the other d - 1 coordinates happen to be right, too, with a chance q. Nine successes of
ten take ln(10) / q batches, and q falls by a factor for each coordinate. A search over all coordinates at once takes a
few vectors more for each.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from slth.reproductions._figure import Figure, Panel, Series
from slth.reproductions._reproduction import Conclusion, Means, Measured, Part, Reproduction, Row, Scale, Verdict
from slth.reproductions._shares import crossing, slope
from slth.subsetsum import Status, first_batch, first_vector_batch, laws

_EPSILON = 0.1
_BATCH = 8  # vectors: nine of ten batches hit the first coordinate
_DIMENSIONS = (1, 2, 3, 4)
_BATCHES = {Scale.SMOKE: 200_000, Scale.SMALL: 8_000_000, Scale.PAPER: 80_000_000}
_AT_ONCE = 200_000
_DRAWS = {Scale.SMOKE: 200, Scale.SMALL: 4_000, Scale.PAPER: 20_000}
_LEVEL = 0.9
_FACTOR, _GROWTH = 4.0, 2.0
_HITS = 10  # that a chance needs to be known


def _by_the_first(means: Means, *, batches: int, seed: int) -> dict[str, Any]:
    """How many batches are right in the first 1, 2, ... coordinates, chosen for the first alone."""
    most = max(_DIMENSIONS)
    hits = np.zeros(most, np.int64)
    for start in range(0, batches, _AT_ONCE):
        count = min(_AT_ONCE, batches - start)
        rows = laws.candidates(laws.Normals(most), (count, _BATCH), seed=seed, path=f"one-dimension/{start}")
        targets = laws.candidates(laws.Uniform(), (count, most), seed=seed, path=f"one-dimension/{start}/target")
        kept = first_batch(rows[:, :, 0], targets[:, 0], tol=_EPSILON, threads=means.threads).kept
        near = np.abs(np.einsum("bn,bnd->bd", kept, rows) - targets) <= _EPSILON
        hits += np.logical_and.accumulate(near, axis=1).sum(axis=0)
    return {"hits": hits.tolist()}


def _together(means: Means, *, d: int, draws: int, seed: int) -> dict[str, Any]:
    """Successes of a search over all coordinates, n = 2, 3, ... up to enough."""
    hits: list[int] = []
    for n in range(2, 41):
        rows = laws.candidates(laws.Normals(d), (draws, n), seed=seed, path=f"one-dimension/{d}/{n}")
        targets = laws.candidates(laws.Uniform(), (draws, d), seed=seed, path=f"one-dimension/{d}/{n}/target")
        hits.append(first_vector_batch(rows, targets, tol=_EPSILON, threads=means.threads).count(Status.WITHIN_TOL))
        if hits[-1] >= 0.93 * draws:
            break
    return {"hits": hits}


def _parts(scale: Scale, seed: int) -> Sequence[Part]:
    return [
        Part("by the first coordinate", _by_the_first, {"batches": _BATCHES[scale], "seed": seed}),
        *(Part(f"d = {d}", _together, {"d": d, "draws": _DRAWS[scale], "seed": seed}) for d in _DIMENSIONS),
    ]


def _conclude(measured: Sequence[Measured], scale: Scale) -> Conclusion:
    first, *together = measured
    chances = [hits / first.options["batches"] for hits in first.outcome["hits"]]
    # ln(1 - level) / ln(1 - q) batches; a chance of a few successes is not known
    alone = [
        _BATCH * math.ceil(math.log(1 - _LEVEL) / math.log(1 - q)) if hits >= _HITS and q < 1 else math.nan
        for hits, q in zip(first.outcome["hits"], chances, strict=True)
    ]
    both = [
        crossing(
            range(2, 2 + len(part.outcome["hits"])), [h / part.options["draws"] for h in part.outcome["hits"]], _LEVEL
        )
        for part in together
    ]
    known = [d for d, n in zip(_DIMENSIONS, alone, strict=True) if math.isfinite(n)]
    factors = [alone[d] / alone[d - 1] for d in known[:-1]]
    growth = [later / sooner for sooner, later in pairwise(both[1:])]
    few = len(known) < 3
    holds = not few and min(factors) >= _FACTOR and max(growth) <= _GROWTH
    verdict = Verdict.TOO_SMALL if few else Verdict.REPRODUCED if holds else Verdict.NOT_REPRODUCED
    more = slope(_DIMENSIONS, both)
    rows = [
        Row(
            what=f"d = {d}: vectors by the first coordinate alone",
            ours=n if math.isfinite(n) else f"fewer than {_HITS} batches succeeded",
            note=f"a batch of {_BATCH} succeeds with {q:.2g}; all coordinates together take {together_n:.1f}",
        )
        for d, n, q, together_n in zip(_DIMENSIONS, alone, chances, both, strict=True)
    ]
    single = [math.log(10) / _one_vector(d) for d in _DIMENSIONS]
    return Conclusion(
        verdict=verdict,
        because=f"Chosen by the first coordinate alone, each further one multiplies the vectors by "
        f"{min(factors, default=math.nan):.0f} to {max(factors, default=math.nan):.0f} ({alone[known[-1] - 1]:,.0f} at "
        f"d = {known[-1]}); chosen for all together, it adds {more:.1f} ({both[-1]:.1f} at d = {_DIMENSIONS[-1]}).",
        rows=tuple(rows),
        figures=(
            Figure(
                title="Vectors that one target takes, by one coordinate and by all",
                panels=(
                    Panel(
                        title=f"within {_EPSILON:g} in all coordinates, nine times of ten",
                        x="d",
                        y="vectors",
                        content=(
                            Series(
                                label="subset by the first coordinate",
                                x=tuple(known),
                                y=tuple(alone[d - 1] for d in known),
                            ),
                            Series(label="subset by all coordinates", x=_DIMENSIONS, y=tuple(both)),
                            Series(label="one vector near the target", x=_DIMENSIONS, y=tuple(single), kind="estimate"),
                        ),
                        log_y=True,
                    ),
                ),
            ),
        ),
    )


def _one_vector(d: int) -> float:
    """P(one normal vector is within eps of a target uniform on the cube): (2 eps) times the mean density, to the d."""
    return (2 * _EPSILON * math.erf(1 / math.sqrt(2)) / 2) ** d


REPRODUCTION = Reproduction(
    name="one-dimension",
    title="the one-dimensional argument for vectors",
    says="Removing whole neurons needs subset sums of vectors: the one-dimensional result does not work, it leads to "
    "exponential bounds.",
    sources=("mallmanntrenn2025", "dacunha2023structured", "becchetti2022"),
    settings=f"N(0, I), targets uniform on [-1, 1]^d, within {_EPSILON} in every coordinate; vectors are those that "
    "succeed nine times of ten. By one coordinate: "
    f"batches of {_BATCH}, in each a subset for the first coordinate, until the others are right as well. Reproduced "
    f"where each further coordinate multiplies those vectors by at least {_FACTOR:g}, and the vectors of a search over "
    f"all coordinates by at most {_GROWTH:g} from d = 2 on; too small to say where fewer than three d had {_HITS} "
    "successes.",
    parts=_parts,
    conclude=_conclude,
)
