r"""What a later stage costs, and how often nothing mends it: the two heuristics of `construction/stages.py`, measured.

    python benchmarks/mending.py [--bits 12 14 16 18 20] [--rows 400] [--seed 0]

A stage of b bits hits rests z, uniform in ±½ gains, within 2^(-b-1), by sums of products v u, u ≥ ½.

Time: processor microseconds for a problem of n candidates, n as `later_stage` plans it, beside 1 + 2^((b - 14) / 2).

Failure: what is missed is mended by trying up to 4,096 other rests, so it fails where a row of n = b + 8 candidates
reaches none of them, which is a matter of rows nearly of one sign. Of rows with k = 0, 1, 2, 3 candidates of the rarer
sign the share s_k that reaches none of 4,096 rests is counted; a row has k of them with the chance 2 C(n, k) 2^-n, so
the chance to fail is A 2^-n with A = Σ_k 2 C(n, k) s_k, beside the heuristic log2 A = max(2b - 36, -8). Where no row
failed, A is below the sum of which every s_k is 1 / rows.
"""

import argparse
import math
import time

import numpy as np

from slth.construction.stages import later_stage
from slth.records import environment
from slth.subsetsum import Status, first_batch

RESTS = 4096
WITHIN = list(Status).index(Status.WITHIN_TOL)


def rows_of(rng: np.random.Generator, rows: int, n: int, rarer: int | None = None) -> np.ndarray:
    """Products v u; with so many of the rarer sign, if that is given."""
    found = rng.uniform(-1, 1, (rows, n)) * rng.uniform(0.5, 1, (rows, n))
    if rarer is None:
        return found
    signs = np.ones(n)
    signs[:rarer] = -1
    return np.abs(found) * rng.permuted(np.tile(signs, (rows, 1)), axis=1) * rng.choice([-1.0, 1.0], (rows, 1))


def seconds(rng: np.random.Generator, bits: int, n: int, problems: int) -> tuple[float, float]:
    """Of one problem, and the share that is missed."""
    rows, rests = rows_of(rng, problems, n), rng.uniform(-0.5, 0.5, problems)
    start = time.process_time()
    found = first_batch(rows, rests, tol=2.0 ** (-bits - 1))
    spent = time.process_time() - start
    return spent / problems, float((found.codes != WITHIN).mean())


def share_without(rng: np.random.Generator, bits: int, n: int, *, rarer: int, rows: int) -> float:
    """Of rows with so many of the rarer sign, those that reach no rest: looked for batch by batch, until one is hit."""
    made, tolerance = rows_of(rng, rows, n, rarer), 2.0 ** (-bits - 1)
    left, tried, batch = np.arange(rows), 0, 4
    while len(left) and tried < RESTS:
        rests = rng.uniform(-0.5, 0.5, (len(left), batch))
        found = first_batch(np.repeat(made[left], batch, axis=0), rests.reshape(-1), tol=tolerance)
        left = left[~(found.codes.reshape(len(left), batch) == WITHIN).any(axis=1)]
        tried, batch = tried + batch, min(2 * batch, RESTS - tried - batch)
    return len(left) / rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bits", type=int, nargs="+", default=[12, 14, 16, 18, 20])
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    rng = np.random.default_rng(asked.seed)
    seconds(rng, 12, 24, 100)  # compiles
    print(f"{environment()}\n")
    columns = ("bits", "candidates", "us a problem", "1 + 2^((b-14)/2)", "missed", "s_0 ... s_3", "log2 A", "heuristic")
    print(f"| {' | '.join(columns)} |")
    print("| " + "--- | " * 8, flush=True)
    for bits in asked.bits:
        plan = later_stage(1e6, float(bits), failure=0.01)
        assert plan is not None
        each, missed = seconds(rng, bits, plan.candidates, 2000)
        n = bits + 8
        shares = [share_without(rng, bits, n, rarer=k, rows=asked.rows) for k in range(4)]
        none = not any(shares)
        a = sum(2 * math.comb(n, k) * (1 / asked.rows if none else share) for k, share in enumerate(shares))
        print(
            f"| {bits} | {plan.candidates} | {each * 1e6:.2f} | {1 + 2 ** ((bits - 14) / 2):.2f} | {missed:.4f} | "
            f"{', '.join(f'{share:.3f}' for share in shares)} | {'below ' if none else ''}{math.log2(a):.1f} | "
            f"{max(2 * bits - 36, -8)} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
