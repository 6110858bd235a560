r"""Candidates against group size: python benchmarks/groups.py [--weights 400000]

How many neurons hit s numbers at once? Groups of s Gaussian weights (deviation 0.1 gains), n candidates u v each, u
uniform on [½, 1], v uniform on [−1, 1]^s; within τ/g in the largest of the s coordinates. n is the least number with
which *all* groups of one draw have a subset: for n = 1, 2, ... a fresh draw of all groups, until one has no miss. A
neuron serves its s weights at once, so n/s is what a weight costs; that it falls with s, and by how much, is what
structure buys. Time: processor, the solver alone, over all groups. Last column: the least n with at most 1 % misses.
"""

import argparse
import time

import numpy as np

from slth.numerics import Stream
from slth.numerics.streams import draw
from slth.records import environment
from slth.subsetsum import Status, SubsetSums, first_vector_batch
from slth.subsetsum._first_vectors import solve_vectors

SIZES, LARGE = [1, 2, 3, 4], [5, 6]  # of groups; the large ones of a tenth of the weights
TOLERANCES = [0.02, 0.1]
BLOCK = 4096


def groups(count: int, s: int, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Candidates (count, n, s) and targets (count, s)."""
    u = 0.75 + 0.25 * draw(Stream(seed, f"groups/{s}/{n}/u"), "uniform", (count, n, 1)).astype(np.float64)
    v = draw(Stream(seed, f"groups/{s}/{n}/v"), "uniform", (count, n, s)).astype(np.float64)
    return u * v, 0.1 * draw(Stream(seed, f"groups/{s}/z"), "normal", (count, s)).astype(np.float64)


def has_misses(count: int, s: int, n: int, tol: float) -> bool:
    for seed in range(-(-count // BLOCK)):
        values, targets = groups(min(BLOCK, count - seed * BLOCK), s, n, seed)
        answers = solve_vectors(values, targets, tol, closest=False, threads=1)
        if answers.count(Status.WITHIN_TOL) < len(answers):
            return True
    return False


def timed(s: int, n: int, tol: float, count: int) -> tuple[float, SubsetSums]:
    values, targets = groups(count, s, n, 10**6)
    start = time.process_time()
    answers = first_vector_batch(values, targets, tol=tol)
    return (time.process_time() - start) / count, answers


def least(count: int, s: int, tol: float) -> int | None:
    first = max(2, round(s * np.log2(1 / tol)))
    return next((n for n in range(first, 65) if not has_misses(count, s, n, tol)), None)


def one_group(s: int, tol: float, count: int = 4000) -> int:
    """The least n with at most 1 % misses."""
    for n in range(2, 65):
        values, targets = groups(count, s, n, 1)
        answers = solve_vectors(values, targets, tol, closest=False, threads=1)
        if answers.count(Status.WITHIN_TOL) >= 0.99 * count:
            return n
    return 65


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=int, default=400_000)
    options = parser.parse_args()
    where = environment(1)
    print(f"commit {where.commit}, {where.cpu}, 1 thread, {options.weights:,} weights\n")
    timed(2, 20, 0.1, 8)  # compile
    print("| τ/g | s | weights | n | neurons a weight, n/s | kept | microseconds a group | one group to 1 % |")
    print("|" + " --- |" * 8)
    for tol in TOLERANCES:
        for s in SIZES + (LARGE if tol == max(TOLERANCES) else []):
            weights = options.weights // (1 if s in SIZES else 10)
            n = least(weights // s, s, tol)
            if n is None:
                print(f"| {tol:g} | {s} | {weights:,} | over 64 | | | | |", flush=True)
                continue
            seconds, answers = timed(s, n, tol, 20_000 if s < 4 else 2_000)
            kept = np.bitwise_count(answers.packed).mean() / n
            row = (f"{tol:g}", s, f"{weights:,}", n, f"{n / s:.1f}", f"{kept:.2f}", f"{seconds * 1e6:.1f}")
            print("|", " | ".join(map(str, row)), f"| {one_group(s, tol)} |", flush=True)


if __name__ == "__main__":
    main()
