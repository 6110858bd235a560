"""Vectors of a fixed size, an open problem, measured: python benchmarks/fixed_size_vectors.py [--tries 200]

The share of problems in which some subset of exactly k of n vectors from N(0, I) in R^d is within 0.1 of z in every
coordinate, z uniform on [-1, 1]^d, beside the same for any size. First moment: C(n, k) (0.2)^d (2 pi k)^(-d/2).
"""

import argparse
import math

import numpy as np

from slth.records import environment
from slth.subsetsum import Status, first_vector
from slth.subsetsum.laws import Normals, Uniform, candidates

TOL = 0.1
CASES = ((2, 14, (2, 4, 7, 10)), (2, 20, (3, 6, 10, 14)), (3, 20, (4, 7, 10, 13)), (4, 22, (5, 8, 11, 14)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tries", type=int, default=200)
    tries = parser.parse_args().tries
    where = environment(1)
    print(f"commit {where.commit}, {where.cpu}, {tries} problems each\n")
    print("| d | n | k | exactly k | any size | expected subsets of k |")
    print("| --- | --- | --- | --- | --- | --- |")
    for d, n, sizes in CASES:
        rows = candidates(Normals(d), (tries, n), path=f"fixed/{d}/{n}")
        targets = candidates(Uniform(), (tries, d), path=f"fixed/{d}/{n}/z")

        def share(size: int | None, rows: np.ndarray = rows, targets: np.ndarray = targets) -> float:
            found = (first_vector(v, z, tol=TOL, size=size).status for v, z in zip(rows, targets, strict=True))
            return sum(status is Status.WITHIN_TOL for status in found) / tries

        every = share(None)
        for k in sizes:
            moment = math.comb(n, k) * (2 * TOL) ** d * (2 * math.pi * k) ** (-d / 2)
            print(f"| {d} | {n} | {k} | {share(k):.3f} | {every:.3f} | {moment:.3g} |", flush=True)


if __name__ == "__main__":
    main()
