"""Where fixed-size subset sums exist: python benchmarks/phase_diagram.py [--against tolerance] [--threads 2]

A 20 x 20 diagram: n from 11 to 30 across; down either k from 1 to 20 at tolerance 1e-4 (k > n: 0), or the tolerance
from 2^-4 to 2^-23 with k = ⌊n/3⌋. A cell is the percentage of 1,000 instances, values and target from U[-1, 1], with a
subset of exactly k values within the tolerance. The seed of a cell is its place. Printed below: the time, wall clock
and processor.
"""

import argparse
import time

import numpy as np

from slth.records import environment
from slth.subsetsum import Status, first_batch

SIZES = range(11, 31)
TOL = 1e-4


def percent(n: int, k: int, tol: float, seed: list[int], instances: int, threads: int) -> float:
    rng = np.random.default_rng(seed)
    values, targets = rng.uniform(-1, 1, (instances, n)), rng.uniform(-1, 1, instances)
    found = first_batch(values, targets, tol=tol, size=k, threads=threads).count(Status.WITHIN_TOL)
    return 100 * found / instances


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", choices=("size", "tolerance"), default="size")
    parser.add_argument("--instances", type=int, default=1000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    percent(12, 3, 0.01, [0], 10, options.threads)  # compiles
    wall, busy = time.perf_counter(), time.process_time()
    print("|", "k" if options.against == "size" else "log2 tol", "|", " | ".join(f"n={n}" for n in SIZES), "|")
    print("|" + " --- |" * (len(SIZES) + 1))
    for row in range(20):
        cells = []
        for n in SIZES:
            k, tol = (row + 1, TOL) if options.against == "size" else (n // 3, 2.0 ** -(row + 4))
            cells.append(percent(n, k, tol, [n, row], options.instances, options.threads) if k <= n else 0.0)
        print(
            "|", row + 1 if options.against == "size" else -(row + 4), "|", " | ".join(f"{c:.1f}" for c in cells), "|"
        )
    wall, busy = time.perf_counter() - wall, time.process_time() - busy
    where = environment(options.threads)
    print(
        f"\n{options.instances} instances per cell: {wall:.1f} s, processor {busy:.1f} s, {where.threads} threads. "
        f"Commit {where.commit}, {where.cpu}, {where.versions}"
    )


if __name__ == "__main__":
    main()
