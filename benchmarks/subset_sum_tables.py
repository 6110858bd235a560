"""Success probabilities of random subset sums, measured: python benchmarks/subset_sum_tables.py [--instances 20000]

One Markdown table per form: any size, fixed size, and kept values that may move. "Stated" are the numbers of an earlier
Monte Carlo; "off" is the difference in standard errors of the present measurement (two decimals stated: half a unit of
the last decimal is allowed for). Seeds are fixed: instance numbers decide everything.
"""

import argparse
import math

import numpy as np

from slth.records import environment
from slth.subsetsum import Status, first_batch, perturbed_batch, smallest_batch

# n: stated P(one z ~ U[-1, 1] has a subset within 0.01), values U[-1, 1]
CLASSICAL = {8: "0.70", 10: "0.92", 12: "0.978", 15: "0.998", 18: "0.9999", 21: "1.000"}
PRODUCTS = {8: "0.66", 12: "0.91", 16: "0.977", 20: "0.994"}  # U[0, 1] · U[-1, 1], z ~ U[-1, 1]
RAW_PAIRS = {16: "0.74", 20: "0.90", 24: "0.956", 32: "0.987"}  # (u, v) ~ U[-1, 1]^2, kept if u > 0; z ~ U[-1/2, 1/2]
FIXED = {  # (n, k): stated P, tolerance 0.01, law of z not stated
    (16, 4): "0.991",
    (16, 8): "0.970",
    (20, 2): "0.73",
    (20, 3): "0.994",
    (20, 5): "0.999",
    (40, 2): "0.990",
    (40, 3): "1.000",
}
EPSILONS = (0.0, 1e-3, 1e-2, 5e-2, 0.1, 0.3)
PERTURBED = {  # n: stated P for each epsilon, z ~ U[-1/2, 1/2], eta = 1e-4
    2: (".001", ".001", ".04", ".18", ".34", ".72"),
    4: (".005", ".03", ".22", ".68", ".83", ".95"),
    6: (".005", ".12", ".67", ".93", ".96", ".99"),
    8: (".02", ".47", ".92", ".98", ".99", "1.0"),
    10: (".05", ".85", ".99", ".99", "1.0", "1.0"),
    12: (".19", ".97", ".995", "1.0", "1.0", "1.0"),
}


def off(measured: float, stated: str, instances: int) -> float:
    """Standard errors between the two, beyond the rounding of what is stated."""
    p = min(max(measured, 1 / instances), 1 - 1 / instances)
    half_a_unit = 0.5 * 10.0 ** -len(stated.partition(".")[2])
    return max(abs(measured - float(stated)) - half_a_unit, 0.0) / math.sqrt(p * (1 - p) / instances)


def line(*cells: object) -> None:
    print("|", " | ".join(f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in cells), "|", flush=True)


def head(title: str, *cells: str) -> None:
    print(f"\n{title}\n")
    line(*cells)
    print("|" + " --- |" * len(cells))


def success(values: np.ndarray, targets: np.ndarray, size: int | None = None) -> float:
    return first_batch(values, targets, tol=0.01, size=size).count(Status.WITHIN_TOL) / len(targets)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--instances", type=int, default=20_000)
    batch = parser.parse_args().instances
    where = environment()
    print(f"commit {where.commit}, {where.cpu}, {where.threads} thread, {batch} instances per cell")

    head("Any size, tolerance 0.01.", "values", "z", "n", "P", "stated", "off")
    for n, stated in CLASSICAL.items():
        rng = np.random.default_rng([1, n])
        p = success(rng.uniform(-1, 1, (batch, n)), rng.uniform(-1, 1, batch))
        line("U[-1, 1]", "U[-1, 1]", n, p, stated, round(off(p, stated, batch), 1))
    for n, stated in PRODUCTS.items():
        rng = np.random.default_rng([2, n])
        values = rng.uniform(0, 1, (batch, n)) * rng.uniform(-1, 1, (batch, n))
        for reach in (1.0, 0.5):
            p = success(values, rng.uniform(-reach, reach, batch))
            line("U[0, 1] · U[-1, 1]", f"U[-{reach:g}, {reach:g}]", n, p, stated, round(off(p, stated, batch), 1))
    for n, stated in RAW_PAIRS.items():
        rng = np.random.default_rng([3, n])
        values = np.maximum(rng.uniform(-1, 1, (batch, n)), 0) * rng.uniform(-1, 1, (batch, n))
        p = success(values, rng.uniform(-0.5, 0.5, batch))
        line("max(u, 0) v", "U[-0.5, 0.5]", n, p, stated, round(off(p, stated, batch), 1))
    rng = np.random.default_rng([4, 15])
    sizes = smallest_batch(rng.uniform(-1, 1, (batch, 15)), rng.uniform(-1, 1, batch), tol=0.01).kept.sum(axis=1)
    print(f"\nSmallest subset within 0.01, n = 15: {sizes.mean():.3f} values on average, stated 2.3.")

    head("Exactly k of n, values U[-1, 1], tolerance 0.01.", "n", "k", "z", "P", "stated", "off")
    for (n, k), stated in FIXED.items():
        for name, reach in (("U[-1, 1]", 1.0), ("U[-√k, √k]", math.sqrt(k)), ("U[-1/2, 1/2]", 0.5), ("0", 0.0)):
            rng = np.random.default_rng([5, n, k])
            p = success(rng.uniform(-1, 1, (batch, n)), rng.uniform(-reach, reach, batch), k)
            line(n, k, name, p, stated, round(off(p, stated, batch), 1))

    head("Kept values may move by ε, values U[-1, 1], z U[-1/2, 1/2], η = 1e-4.", "n", "ε", "P", "stated", "off")
    for n, row in PERTURBED.items():
        rng = np.random.default_rng([6, n])
        values, targets = rng.uniform(-1, 1, (batch, n)), rng.uniform(-0.5, 0.5, batch)
        for epsilon, stated in zip(EPSILONS, row, strict=True):
            answers = perturbed_batch(values, targets, tol=1e-4, most_move=epsilon)
            p = answers.subsets.count(Status.WITHIN_TOL) / batch
            line(n, f"{epsilon:g}", p, stated, round(off(p, stated, batch), 1))


if __name__ == "__main__":
    main()
