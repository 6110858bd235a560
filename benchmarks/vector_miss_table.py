r"""Measure how often a vector misses its tolerance: writes `src/slth/construction/vector_miss_table.json`.

    python benchmarks/vector_miss_table.py [--samples 1500] [--threads 1]

As `miss_table.py`, in d coordinates: candidates u v, u uniform on [½, 1], one for all coordinates, v uniform on
[−1, 1]^d; the target is (z, ..., z), of signs that do not matter, since v has them at random; within t = 2⁻ᵇ in the
largest coordinate. A target with coordinates of several sizes misses about as often as the mean over them of the
chances here, which the last lines of the output check: so the table serves coefficient by coefficient.

Misses are rare and come from draws that have little *in one direction*: of the mean y of some of the coordinates, all
one or all d of them, nearly no candidate has much. With f the law of the candidates, S a set of coordinates, and

    f_Sλ(v) = f(v) exp(−λ max(y, 0)) / c_Sλ,      p = E_g[1{miss} f / g],      g = mean of f and of the f_Sλ.

Per cell: the chance and its standard error. A problem that the solver gives up is a miss.
"""

import argparse
import json
import time
from functools import cache
from itertools import combinations
from pathlib import Path

import numpy as np

from slth.numerics import Stream
from slth.numerics.streams import draw
from slth.records import environment
from slth.subsetsum import Status
from slth.subsetsum._first_vectors import solve_vectors

BITS = {2: [1, 2, 3, 4, 6, 8, 12], 3: [1, 2, 3, 4, 6, 8], 4: [1, 2, 3, 4]}
TARGETS = [2 / 12, 5 / 12, 8 / 12]
STEP, MOST = 4, 28  # candidates: from where misses are common, no more than these
TILTS = [2.0, 5.0, 12.0, 30.0, 80.0]  # λ
OUT = Path(__file__).parent.parent / "src/slth/construction/vector_miss_table.json"
MIXED = [(2, 16, 3), (2, 14, 5), (3, 20, 3)]  # d, n, b: mixed targets against the mean


def fewest(d: int, bits: int) -> int:
    """Candidates at which a miss is common: as many as subsets within tolerance need, and half of them again."""
    return max(4, 2 * round((d * (bits + 1.5) + 2) / 2))


def drawn(stream: Stream, shape: tuple[int, int, int], coordinates: np.ndarray, tilt: float) -> np.ndarray:
    """v of f_Sλ, (share, n, d): drawn of f until accepted with a chance of exp(−λ max(y, 0))."""
    found, left, at = np.empty((shape[0] * shape[1], shape[2])), np.arange(shape[0] * shape[1]), 0
    while len(left):
        count = len(left) * (shape[2] + 1)
        v = draw(stream, "uniform", (count,), start=at).astype(np.float64).reshape(len(left), -1)
        found[left] = v[:, :-1]
        y = np.maximum(v[:, coordinates].mean(axis=1), 0.0)
        left, at = left[(v[:, -1] + 1) / 2 >= np.exp(-tilt * y)], at + count
    return found.reshape(shape)


@cache
def normaliser(count: int, tilt: float) -> float:
    """c: E exp(−λ max(y, 0)), y the mean of so many uniform numbers; by convolution on a fine grid."""
    cell, density = 1 / 2000, np.full(4000, 1 / 4000)
    whole = density
    for _ in range(count - 1):
        whole = np.convolve(whole, density)
    y = (np.arange(len(whole)) - (len(whole) - 1) / 2) * cell / count
    return float(whole @ np.exp(-tilt * np.maximum(y, 0.0)))


def chance(bits: int, z: np.ndarray, n: int, *, samples: int, threads: int) -> tuple[float, float]:
    """p and its standard error."""
    d = len(z)
    if np.abs(z).max() <= 2.0**-bits:
        return 0.0, 0.0
    chosen = [np.array(part) for m in range(1, d + 1) for part in combinations(range(d), m)]
    parts = [(coordinates, tilt) for coordinates in chosen for tilt in TILTS]
    share = -(-samples // (len(parts) + 1))
    blocks = [drawn(Stream(0, f"vector_miss_table/{bits}/{z.tolist()}"), (share, n, d), np.arange(d), 0.0)]
    for at, (coordinates, tilt) in enumerate(parts):
        stream = Stream(at + 1, f"vector_miss_table/{bits}/{z.tolist()}")
        blocks.append(drawn(stream, (share, n, d), coordinates, tilt))
    values = np.concatenate(blocks)
    total = np.ones(len(values))
    for coordinates, tilt in parts:
        y = np.maximum(values[:, :, coordinates].mean(axis=2), 0.0)
        total += np.exp(-tilt * y.sum(axis=1) - n * np.log(normaliser(len(coordinates), tilt)))
    u = 0.75 + 0.25 * draw(Stream(0, "vector_miss_table/u"), "uniform", (len(values), n, 1)).astype(np.float64)
    weight = (len(parts) + 1) / total  # f / g
    answers = solve_vectors(u * values, np.tile(z, (len(values), 1)), 2.0**-bits, closest=False, threads=threads)
    missed = np.where(answers.codes == list(Status).index(Status.WITHIN_TOL), 0.0, weight)
    return float(missed.mean()), float(missed.std() / np.sqrt(len(missed)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=1500)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    cells, start = [], time.process_time()
    for d, all_bits in BITS.items():
        for bits in all_bits:
            candidates = list(range(fewest(d, bits), MOST + 1, STEP)) or [fewest(d, bits)]
            chances = [
                [chance(bits, np.full(d, z), n, samples=options.samples, threads=options.threads) for n in candidates]
                for z in TARGETS
            ]
            cells.append({"d": d, "bits": bits, "candidates": candidates, "chance": chances})
            shown = [f"{p:.2g}±{e:.1g}" for p, e in chances[-1]]
            print(d, bits, candidates, *shown, f"{time.process_time() - start:.0f} s", flush=True)
    rounded = [
        {**cell, "chance": [[[float(f"{x:.3g}") for x in pair] for pair in row] for row in cell["chance"]]}
        for cell in cells
    ]
    about = "chance[z][candidates]: of a miss, and its standard error; see benchmarks/vector_miss_table.py"
    where = environment(options.threads)
    header = {"about": about, "commit": where.commit, "samples": options.samples, "z": TARGETS}
    lines = ",\n".join(json.dumps(cell, separators=(",", ":")) for cell in rounded)
    OUT.write_text(json.dumps(header)[:-1] + ', "cells": [\n' + lines + "\n]}\n")
    for d, n, bits in MIXED:
        for sizes in ([8] * (d - 1) + [2], [8] + [4] * (d - 1), [6] + [2] * (d - 1)):
            p = [
                chance(bits, np.full(d, x / 12), n, samples=10 * options.samples, threads=options.threads)[0]
                for x in sizes
            ]
            mixed, error = chance(bits, np.array(sizes) / 12, n, samples=10 * options.samples, threads=options.threads)
            print(f"d = {d}, n = {n}, b = {bits}, {sizes}/12: {mixed:.3g} ± {error:.1g}, mean {np.mean(p):.3g}")


if __name__ == "__main__":
    main()
