r"""Measure how often a coefficient misses its tolerance: writes `src/slth/construction/miss_tables/LAW.json`.

    python benchmarks/miss_table.py [--law uniform] [--samples 40000] [--threads 2]

For each tolerance t = 2⁻ᵏ, target z and number of candidates n: fresh candidates u·v of a law, u given that it is at
least ½ (else a lift neuron serves no slot), everything in units of the gain. How large is the chance p that no subset
of them is within t of z? The objectives within, closest and fewest reach the same sums and share a table.

Misses are rare, down to 10⁻¹⁰ here.

**Importance sampling** (independent candidates). Misses come from draws of which nearly all values have the wrong sign.
So such draws are drawn more often than they happen, and count for less: with f the law of the candidates and f_c one in
which a value is positive with chance q and there |v| is at a power of a uniform quantile,

    p = E_g[1{miss} f / g],      g = mean of the f_c,

which is unbiased. One f_c is f itself, so no draw counts for more than the number of the f_c: what the mixture
overlooks is seen as rarely as in plain sampling, and is not exaggerated. Written are p and its standard error; 0 where
z ≤ t.

**Splitting** (mirrored pairs ±u·v, exactly one of each taken: `centred`). Which draws miss is not known beforehand. Let
R = min |Σ ±x − z|; of some draws the fifth with the largest R is kept, copied, moved by Metropolis steps that stay
where R is as large, and again: P(R > t) is a product of shares, for every t at once (Kahn and Harris, 1951; Au and
Beck, 2001). Eight independent runs give the standard error."""

import argparse
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.special import ndtr, ndtri

from slth.numerics import Stream
from slth.numerics.streams import draw
from slth.records import cores, environment
from slth.subsetsum import Status, closest_batch, first_batch

MIXTURE = [(0.5, 1), (0.4, 1), (0.3, 1), (0.2, 1), (0.1, 1), (0.3, 2), (0.15, 3), (0.06, 3), (0.7, 1), (0.85, 1)]
OUT = Path(__file__).parent.parent / "src/slth/construction/miss_tables"
LEAST = 1e-11  # rarer misses are not looked for


@dataclass(frozen=True, slots=True)
class Law:
    """What is measured of a law: quantiles of u given u ≥ ½ and of |v|, and the cells."""

    factor: Callable[[np.ndarray], np.ndarray]
    size: Callable[[np.ndarray], np.ndarray]
    bits: list[int]  # tolerance 2^-bits
    twelfths: list[int]  # of the targets
    candidates: list[int]  # measured from `bits` on; fewer rarely reach anything
    centred: bool = False


def hyperbolic(octaves: int) -> Law:
    """Density 1/|x| between 2^-octaves and 1."""
    return Law(
        lambda r: 2.0 ** (r - 1),
        lambda s: 2.0 ** (-octaves * (1 - s)),
        [2, 4, 6, 8, 10, 12, 16],
        [2, 4, 6, 8],
        list(range(4, 33, 4)),
    )


def uniform(bits: list[int], twelfths: list[int], candidates: list[int], centred: bool = False) -> Law:
    """U[−1, 1)."""
    return Law(lambda r: 0.5 + 0.5 * r, lambda s: s, bits, twelfths, candidates, centred)


HALF = float(ndtr(0.5))
LAWS = {
    "uniform": uniform([1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 17, 20], list(range(1, 9)), list(range(2, 36, 2))),
    "normal/20": Law(
        lambda r: ndtri(HALF + (1 - HALF) * r),
        lambda s: ndtri((1 + s) / 2),
        [1, 2, 4, 6, 8, 10, 12, 14, 17, 20],
        [2, 4, 6, 8],
        list(range(2, 34, 2)),
    ),
    "hyperbolic/4": hyperbolic(4),
    "hyperbolic/8": hyperbolic(8),
    "centred": uniform([2, 3, 4, 5, 6, 8, 10, 12], [0, 4, 8], list(range(2, 21)), centred=True),
}


def chance(name: str, bits: int, z: float, n: int, samples: int, threads: int) -> tuple[float, float]:
    """p and its standard error, by importance sampling."""
    if z <= 2.0**-bits:
        return 0.0, 0.0
    law, path = LAWS[name], "miss_table" if name == "uniform" else f"miss_table/{name}"
    values, likelihoods = [], []
    for part, (positive, power) in enumerate(MIXTURE):
        stream = Stream(part, f"{path}/{bits}/{n}/{z}")
        sign, size, factor = (draw(stream, "uniform", (3, samples // len(MIXTURE), n)).astype(np.float64) + 1) / 2
        up = sign < positive
        s = np.maximum(size, 2.0**-25) ** np.where(up, power, 1)
        v = law.size(s)
        values.append(law.factor(factor) * np.where(up, v, -v))
        likelihoods.append((up.sum(axis=1), np.sum(np.log(s) * up, axis=1)))
    rows = np.concatenate(values)
    ups, logs = (np.concatenate(part) for part in zip(*likelihoods, strict=True))
    ratios = [
        ups * np.log(2 * q / power) + (n - ups) * np.log(2 * (1 - q)) + (1 / power - 1) * logs for q, power in MIXTURE
    ]
    weight = 1 / np.exp(ratios).mean(axis=0)  # f / g
    answers = first_batch(rows, np.full(len(rows), z), tol=2.0**-bits, threads=threads)
    missed = np.where(answers.codes == list(Status).index(Status.WITHIN_TOL), 0.0, weight)
    return float(missed.mean()), float(missed.std() / np.sqrt(len(missed)))


def tail(z: float, n: int, draws: int, rng: np.random.Generator, threads: int) -> Callable[[float], float]:
    """t ↦ P(R > t) for n pairs, one run of splitting."""

    def distance(where: np.ndarray) -> np.ndarray:
        x = (0.5 + 0.5 * where[0]) * where[1]
        return closest_batch(2 * x, z + x.sum(axis=1), threads=threads).error

    where, share = rng.random((2, draws, n)), 1.0
    found, levels = distance(where), list[tuple[float, np.ndarray, float]]()
    while share > LEAST:
        level = min(float(np.sort(found)[int(0.8 * draws)]), 0.5)
        levels.append((share, found.copy(), level))
        far = np.flatnonzero(found > level)
        share *= len(far) / draws
        if level == 0.5 or not len(far):
            break
        chosen = rng.choice(far, draws)
        where, found = where[:, chosen], found[chosen]
        for sweep in range(12):  # a few coordinates anew, or all of them moved a little on the torus
            if sweep % 2:
                moved = (where + 10.0 ** -rng.uniform(0.5, 4, (draws, 1)) * rng.standard_normal(where.shape)) % 1.0
            else:
                moved = np.where(rng.random((draws, n)) < 2 / n, rng.random(where.shape), where)
            there = distance(moved)
            stays = there > level
            where, found = np.where(stays[:, None], moved, where), np.where(stays, there, found)

    def beyond(t: float) -> float:
        return next((share * float((found > t).mean()) for share, found, level in levels if t <= level), 0.0)

    return beyond


def by_splitting(law: Law, z: float, n: int, samples: int, threads: int) -> list[tuple[float, float]]:
    """p and its standard error for every tolerance of the table."""
    runs = [tail(z, n, max(samples // 32, 50), np.random.default_rng([seed, n]), threads) for seed in range(8)]
    seen = np.array([[run(2.0**-bits) for run in runs] for bits in law.bits])
    return [(float(row.mean()), float(row.std(ddof=1) / np.sqrt(len(row)))) for row in seen]


def measure(name: str, samples: int, threads: int) -> dict[tuple[int, int, int], tuple[float, float]]:
    """Every cell (bits, twelfths, n). Once a miss is rarer than `LEAST`, more candidates are not tried."""
    law, cells = LAWS[name], dict[tuple[int, int, int], tuple[float, float]]()
    for twelfths in law.twelfths:
        if law.centred:
            for n in law.candidates:
                row = by_splitting(law, twelfths / 12, n, samples, threads)
                cells |= {(bits, twelfths, n): cell for bits, cell in zip(law.bits, row, strict=True)}
            continue
        for bits in law.bits:
            rare = False
            for n in law.candidates:
                cell = (1.0, 0.0) if n < bits else (0.0, 0.0)
                if n >= bits and not rare:
                    cell = chance(name, bits, twelfths / 12, n, samples, threads)
                    rare = cell[0] < LEAST
                cells[bits, twelfths, n] = cell
    return cells


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--law", choices=LAWS, default="uniform")
    parser.add_argument("--samples", type=int, default=40_000)
    parser.add_argument("--threads", type=int, default=cores())
    options = parser.parse_args()
    law, began = LAWS[options.law], time.process_time()
    cells = measure(options.law, options.samples, options.threads)
    where = environment(options.threads)

    def table(at: int) -> list[list[list[float]]]:
        return [
            [[float(f"{cells[bits, z, n][at]:.4g}") for n in law.candidates] for z in law.twelfths] for bits in law.bits
        ]

    found = {
        "about": "chance[tolerance][z][n] of a miss, and its standard error; see benchmarks/miss_table.py",
        "law": options.law,
        "commit": where.commit,
        "samples": options.samples,
        "bits": law.bits,
        "z": [twelfths / 12 for twelfths in law.twelfths],
        "candidates": law.candidates,
        "chance": table(0),
        "error": table(1),
    }
    (OUT / f"{options.law.replace('/', '-')}.json").write_text(json.dumps(found) + "\n")
    print(f"{options.law}: {time.process_time() - began:.0f} s of processor time")


if __name__ == "__main__":
    main()
