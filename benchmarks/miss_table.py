"""Measure how often a coefficient misses its tolerance: writes `src/slth/construction/miss_table.json`.

    python benchmarks/miss_table.py [--samples 300000] [--threads 2]

For each tolerance 2⁻ᵏ, target z and number of candidates n: problems with fresh candidates u·v, u uniform on [½, 1] (a
lift neuron serves a slot if its value is at least ½), v uniform on [−1, 1]; how many have no subset within the
tolerance? Everything in units of the gain. Takes some minutes.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from slth.numerics import Stream
from slth.numerics.streams import draw
from slth.records import cores, environment
from slth.subsetsum import Status, first_batch

BITS = [2, 4, 6, 8, 10, 12, 14]  # tolerance 2^-bits
TARGETS = [1 / 12, 2 / 12, 3 / 12, 4 / 12, 5 / 12, 6 / 12, 7 / 12, 8 / 12]
EXTRA = [2, 4, 6, 8, 10, 12, 14, 16, 18]  # n - bits
BLOCK = 50_000
OUT = Path(__file__).parent.parent / "src/slth/construction/miss_table.json"


def misses(bits: int, z: float, n: int, samples: int, threads: int) -> int:
    """Problems without a subset within 2^-bits."""
    found = 0
    for block in range(samples // BLOCK):
        stream = Stream(block, f"miss_table/{bits}/{n}")
        pair = draw(stream, "uniform", (2, BLOCK, n)).astype(np.float64)
        answers = first_batch((0.75 + 0.25 * pair[0]) * pair[1], np.full(BLOCK, z), tol=2.0**-bits, threads=threads)
        found += BLOCK - answers.count(Status.WITHIN_TOL)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=300_000)
    parser.add_argument("--threads", type=int, default=cores())
    options = parser.parse_args()
    samples = max(BLOCK, options.samples // BLOCK * BLOCK)
    table = [
        [[misses(bits, z, bits + extra, samples, options.threads) for extra in EXTRA] for z in TARGETS] for bits in BITS
    ]
    where = environment(options.threads)
    OUT.write_text(
        json.dumps(
            {
                "about": "misses[tolerance][z][n] of `samples` problems; see benchmarks/miss_table.py",
                "commit": where.commit,
                "samples": samples,
                "bits": BITS,
                "z": TARGETS,
                "extra": EXTRA,
                "misses": table,
            }
        )
        + "\n"
    )


if __name__ == "__main__":
    main()
