r"""Measure how often a coefficient misses its tolerance: writes `src/slth/construction/miss_table.json`.

    python benchmarks/miss_table.py [--samples 40000] [--threads 2]

For each tolerance t = 2⁻ᵏ, target z and number of candidates n: fresh candidates u·v, u uniform on [½, 1] (a lift
neuron serves a slot if its value is at least ½), v uniform on [−1, 1], everything in units of the gain. How large is
the chance p that no subset of them is within t of z?

Misses are rare, down to 10⁻¹⁰ here, and come from draws of which nearly all values have the wrong sign. So such draws
are drawn more often than they happen, and count for less (importance sampling from a mixture): with f the law of the
candidates and f_c one in which a value is positive with chance q and |v| is a power of a uniform number there,

    p = E_g[1{miss} f / g],      g = mean of the f_c,

which is unbiased. One f_c is f itself, so no draw counts for more than the number of the f_c: what the mixture
overlooks is seen as rarely as in plain sampling, and is not exaggerated. Written are p and its standard error; 0 where
z ≤ t."""

import argparse
import json
from pathlib import Path

import numpy as np

from slth.numerics import Stream
from slth.numerics.streams import draw
from slth.records import cores, environment
from slth.subsetsum import Status, first_batch

BITS = [1, 2, 3, 4, 5, 6, 8, 10, 12, 14, 17, 20]  # tolerance 2^-bits
TARGETS = [1 / 12, 2 / 12, 3 / 12, 4 / 12, 5 / 12, 6 / 12, 7 / 12, 8 / 12]
CANDIDATES = list(range(2, 36, 2))  # measured from `bits` on; fewer rarely reach anything
MIXTURE = [(0.5, 1), (0.4, 1), (0.3, 1), (0.2, 1), (0.1, 1), (0.3, 2), (0.15, 3), (0.06, 3), (0.7, 1), (0.85, 1)]
OUT = Path(__file__).parent.parent / "src/slth/construction/miss_table.json"


def chance(bits: int, z: float, n: int, samples: int, threads: int) -> tuple[float, float]:
    """p and its standard error."""
    if z <= 2.0**-bits:
        return 0.0, 0.0
    values, likelihoods = [], []
    for part, (positive, power) in enumerate(MIXTURE):
        stream = Stream(part, f"miss_table/{bits}/{n}/{z}")
        sign, size, factor = (draw(stream, "uniform", (3, samples // len(MIXTURE), n)).astype(np.float64) + 1) / 2
        up = sign < positive
        v = np.maximum(size, 2.0**-25) ** np.where(up, power, 1)
        values.append((0.5 + 0.5 * factor) * np.where(up, v, -v))
        likelihoods.append((up.sum(axis=1), np.sum(np.log(v) * up, axis=1)))
    rows = np.concatenate(values)
    ups, logs = (np.concatenate(part) for part in zip(*likelihoods, strict=True))
    ratios = [
        ups * np.log(2 * q / power) + (n - ups) * np.log(2 * (1 - q)) + (1 / power - 1) * logs for q, power in MIXTURE
    ]
    weight = 1 / np.exp(ratios).mean(axis=0)  # f / g
    answers = first_batch(rows, np.full(len(rows), z), tol=2.0**-bits, threads=threads)
    missed = np.where(answers.codes == list(Status).index(Status.WITHIN_TOL), 0.0, weight)
    return float(missed.mean()), float(missed.std() / np.sqrt(len(missed)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=40_000)
    parser.add_argument("--threads", type=int, default=cores())
    options = parser.parse_args()
    cells = {
        (bits, z, n): chance(bits, z, n, options.samples, options.threads) if n >= bits else (1.0, 0.0)
        for bits in BITS
        for z in TARGETS
        for n in CANDIDATES
    }
    where = environment(options.threads)

    def table(at: int) -> list[list[list[float]]]:
        return [[[float(f"{cells[bits, z, n][at]:.4g}") for n in CANDIDATES] for z in TARGETS] for bits in BITS]

    OUT.write_text(
        json.dumps(
            {
                "about": "chance[tolerance][z][n] of a miss, and its standard error; see benchmarks/miss_table.py",
                "commit": where.commit,
                "samples": options.samples,
                "bits": BITS,
                "z": TARGETS,
                "candidates": CANDIDATES,
                "chance": table(0),
                "error": table(1),
            }
        )
        + "\n"
    )


if __name__ == "__main__":
    main()
