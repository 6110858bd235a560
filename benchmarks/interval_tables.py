"""Reference numbers of random subset sums, as Markdown tables.

    python benchmarks/interval_tables.py [--quick] [--only TABLE]

R(n): n values from U[-1, 1], R = max over z in [-1, 1] of the distance to the closest subset sum; median and 90 %
quantile, each between the order statistics that hold it with 95 % probability; and the share of one target, z from
U[-1, 1], within 0.01. Growth: v_t of the proof and what is truly reachable, tolerance 0.02.
Vectors: share of targets within 0.1 in the largest coordinate, z from U[-1, 1]^d or N(0, I), for vectors with
independent N(0, 1) or U[-1, 1] coordinates and for scaled normals (d numbers sharing a random factor), with one
standard deviation.
"""

import argparse
import json

import numpy as np
from scipy.stats import binom

from slth.records import environment
from slth.subsetsum import Status, first_batch, first_vector, reach, worst_error
from slth.subsetsum.laws import Normals, ScaledNormals, Uniform, candidates

SAMPLES = {8: 4000, 10: 4000, 12: 4000, 15: 4000, 18: 1500, 21: 500, 24: 100}
VECTORS = [(2, 10), (2, 14), (3, 16), (3, 20), (4, 18), (4, 24)]
ONE_TARGET, GROWTH, TRIES = 200_000, 2000, 2000


def quantile(numbers: np.ndarray, p: float) -> str:
    """A quantile, and the two order statistics between which it lies with 95 % probability."""
    ordered = np.sort(numbers)
    low, high = (int(k) for k in binom.ppf([0.025, 0.975], len(ordered), p))
    return f"{np.quantile(ordered, p):.2e} ({ordered[low]:.2e} to {ordered[min(high, len(ordered) - 1)]:.2e})"


def uniform_vectors(d: int):
    return lambda stream, shape: Uniform()(stream, (*shape, d))


def worst_errors(tenth: int) -> None:
    print("\n| n | samples | median R | 90 % R | one target within 0.01 |")
    print("|" + " --- |" * 5)
    for n, samples in SAMPLES.items():
        values = candidates(Uniform(), (samples // tenth, n), path=f"tables/{n}")
        errors = np.array([worst_error(row).error for row in values])
        many = candidates(Uniform(), (ONE_TARGET // tenth, n), path=f"tables/one/{n}")
        z = candidates(Uniform(), (len(many),), path=f"tables/one/{n}/target")
        share = first_batch(many, z, tol=0.01).count(Status.WITHIN_TOL) / len(z)
        print(f"| {n} | {len(values)} | {quantile(errors, 0.5)} | {quantile(errors, 0.9)} | {share:.4f} |", flush=True)


def growth(tenth: int) -> None:
    values = candidates(Uniform(), (GROWTH // tenth, 16), path="tables/growth")
    true, proof = (np.mean([reach(v, tol=0.02, clipped=c).covered for v in values], axis=0) for c in (False, True))
    print("\n| t | mean of v_t | truly reachable |\n| --- | --- | --- |")
    for t in (0, 2, 4, 6, 8, 10, 12, 16):
        print(f"| {t} | {proof[t]:.3f} | {true[t]:.3f} |")


def vectors(tenth: int) -> None:
    print("\n| d | n | vectors | z uniform on [-1, 1]^d | z normal |\n| --- | --- | --- | --- | --- |")
    tries = TRIES // tenth
    for d, n in VECTORS:
        for name, law in (("normal", Normals(d)), ("uniform", uniform_vectors(d)), ("scaled normal", ScaledNormals(d))):
            values = candidates(law, (tries, n), path=f"tables/{name}/{d}/{n}")
            cells = []
            for target in (uniform_vectors(d), Normals(d)):
                z = candidates(target, (tries,), path=f"tables/{name}/{d}/{n}/target")
                answers = [first_vector(v, t, tol=0.1).status for v, t in zip(values, z, strict=True)]
                p = answers.count(Status.WITHIN_TOL) / tries
                cells.append(f"{p:.3f} ± {np.sqrt(p * (1 - p) / tries):.3f}")
            print(f"| {d} | {n} | {name} |", " | ".join(cells), "|", flush=True)


TABLES = {"worst": worst_errors, "growth": growth, "vectors": vectors}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the samples")
    parser.add_argument("--only", choices=TABLES, help="one table")
    options = parser.parse_args()
    where = environment(1)
    print(f"commit {where.commit}, {where.cpu}, {json.dumps(where.versions)}, 1 thread")
    for name, table in TABLES.items():
        if options.only in (None, name):
            table(10 if options.quick else 1)


if __name__ == "__main__":
    main()
