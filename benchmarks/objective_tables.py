r"""Measure how often a coefficient misses under `exactly` and `moved`: writes `src/slth/construction/chances_*.json`.

    python benchmarks/objective_tables.py [--samples 3000] [--threads 1]

As `miss_table.py`: fresh candidates u·v, u uniform on [½, 1], v on [−1, 1], rare draws drawn more often than they
happen, each counted with the weight f/g of importance sampling. Here the draws of one n serve all other settings.

- `chances_exactly.json`: no subset of exactly k of the n candidates has a sum within 2^-bits of z. Zero is a target
  like any other: keeping nothing is not allowed.
- `chances_moved.json`: none has one whose v, moved by at most ε = 2^-bits, reach z within 2⁻²², the grid of moves. As p
  falls in the tolerance, that is an upper estimate for every tolerance.

Written is log₂(p + 2 standard errors), rounded up to a hundredth; null where the error is above a quarter of p, or
where no miss was seen; 0 where hardly a subset can be near. A row ends where p is below 10⁻¹¹."""

import argparse
import json
import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from slth.numerics import Stream
from slth.numerics.streams import draw
from slth.records import environment
from slth.subsetsum import Status
from slth.subsetsum._exactly import solve_exactly
from slth.subsetsum._moved import solve_moved

MIXTURE = [(0.5, 1), (0.4, 1), (0.3, 1), (0.2, 1), (0.1, 1), (0.3, 2), (0.15, 3), (0.06, 3), (0.7, 1), (0.85, 1)]
CANDIDATES = [*range(1, 13), *range(14, 41, 2), *range(44, 65, 4)]
SIZES = [1, 2, 3, 4, 5, 6, 8, 11, 15, 20, 28, 38]  # k
BITS = [4, 7, 10, 14, 18]  # tolerance 2^-bits, `exactly`
TARGETS = [0.0, 1 / 6, 1 / 3, 2 / 3]
MOVES = [0, 1, 2, 3, 4, 5, 6, 8, 10, 13]  # ε = 2^-bits, `moved`
MOVED_TARGETS = [1 / 24, 1 / 12, 1 / 6, 1 / 3, 1 / 2, 2 / 3]
MOVED_MOST = 40  # candidates under `moved`: of more the solver does not look at all subsets
GRID = 2.0**-22
LEAST = 1e-11
OUT = Path(__file__).parent.parent / "src/slth/construction"


def drawn(n: int, samples: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Candidates (samples, n), their u, and the weight of each draw: f / g of the mixture, see `miss_table`."""
    values, factors, likelihoods = [], [], []
    for part, (positive, power) in enumerate(MIXTURE):
        stream = Stream(part, f"objective_tables/{n}")
        sign, size, factor = (draw(stream, "uniform", (3, samples // len(MIXTURE), n)).astype(np.float64) + 1) / 2
        up = sign < positive
        v = np.maximum(size, 2.0**-25) ** np.where(up, power, 1)
        factors.append(0.5 + 0.5 * factor)
        values.append(factors[-1] * np.where(up, v, -v))
        likelihoods.append((up.sum(axis=1), np.sum(np.log(v) * up, axis=1)))
    ups, logs = (np.concatenate(part) for part in zip(*likelihoods, strict=True))
    ratios = [
        ups * np.log(2 * q / power) + (n - ups) * np.log(2 * (1 - q)) + (1 / power - 1) * logs for q, power in MIXTURE
    ]
    return np.concatenate(values), np.concatenate(factors), 1 / np.exp(ratios).mean(axis=0)


def missed_exactly(rows: np.ndarray, z: float, size: int, bits: int, threads: int) -> np.ndarray:
    answers = solve_exactly(
        rows, np.full(len(rows), z), size=size, tol=2.0**-bits, threads=threads, most_sums=1 << 11, walk=1 << 15
    )
    return answers.codes != list(Status).index(Status.WITHIN_TOL)


def missed_moved(rows: np.ndarray, factors: np.ndarray, z: float, bits: int) -> np.ndarray:
    return ~solve_moved(rows, 2.0**-bits * factors, np.full(len(rows), z), tol=GRID, thorough=False).reached


def row(
    least: int,
    most: int,
    likely: Callable[[int], float],
    missed: Callable[[int], np.ndarray],
    weights: dict[int, np.ndarray],
):
    """One row of a table: log₂ of an upper estimate for each n, as far as p is above `LEAST`."""
    found: list[float | None] = []
    seen = 1.0
    for n in (n for n in CANDIDATES if n <= most):
        if n < least or likely(n) < 3:
            found.append(0.0)
            continue
        if seen < LEAST:
            break
        weight = np.where(missed(n), weights[n], 0.0)
        p, error = float(weight.mean()), float(weight.std() / np.sqrt(len(weight)))
        sure = p > 0 and error <= p / 4
        found.append(min(math.ceil(100 * math.log2(p + 2 * error)) / 100, 0.0) if sure else None)
        if not sure and len(found) > 1 and found[-2] is None:
            break
        seen = p if sure else seen
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=3_000)
    parser.add_argument("--only", choices=("moved", "exactly"))
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    draws = {n: drawn(n, options.samples) for n in CANDIDATES}
    rows, factors, weights = ({n: part[at] for n, part in draws.items()} for at in range(3))
    commit = environment(options.threads).commit

    def written(name: str, **table: object) -> None:
        about = "log2 of an upper estimate of a chance of a miss; see benchmarks/objective_tables.py"
        content = {"about": about, "commit": commit, "samples": options.samples, "candidates": CANDIDATES, **table}
        (OUT / name).write_text(json.dumps(content, separators=(",", ":")) + "\n")

    if options.only != "exactly":
        moved = [
            [
                row(
                    1,
                    MOVED_MOST,
                    lambda n: 3.0,
                    lambda n, z=z, bits=bits: missed_moved(rows[n], factors[n], z, bits),
                    weights,
                )
                for z in MOVED_TARGETS
            ]
            for bits in MOVES
        ]
        print(f"moved: {time.process_time():.0f} s", flush=True)
        written("chances_moved.json", bits=MOVES, z=MOVED_TARGETS, log2_p=moved)
    if options.only != "moved":
        exactly = [
            [
                [
                    row(
                        k,
                        CANDIDATES[-1],
                        lambda n, k=k, bits=bits: math.comb(n, k) * 2.0**-bits,
                        lambda n, k=k, z=z, bits=bits: missed_exactly(rows[n], z, k, bits, options.threads),
                        weights,
                    )
                    for z in TARGETS
                ]
                for k in SIZES
            ]
            for bits in BITS
        ]
        print(f"exactly: {time.process_time():.0f} s", flush=True)
        written("chances_exactly.json", bits=BITS, sizes=SIZES, z=TARGETS, log2_p=exactly)


if __name__ == "__main__":
    main()
