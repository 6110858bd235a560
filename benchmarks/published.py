"""The published experiment by its own way of counting, then as a real random network.

    python benchmarks/published.py TARGET.safetensors [--seed 0]

Pensia et al. (2020, experiment 1): 784-500-10 on MNIST, 21 plain candidates U[min w, max w] per weight, tolerance 0.01,
one candidate set for all inputs of an output row: 77,266 s on 36 cores, every weight within tolerance. Here the same
rule with numbers from a stream; then the planned width of a network that really exists, and the smallest that succeeds.
"""

import argparse
import time

import numpy as np

from slth.construction import Request, construct
from slth.network import read_target
from slth.numerics import Stream, uniform
from slth.records import environment
from slth.subsetsum import Status, first_batch
from slth.ticket import Inputs

TOLERANCE = 0.01


def plain(layers, candidates: int, seed: int) -> tuple[float, int]:
    """Seconds of solving and misses with plain candidates, one set per output row."""
    seconds, misses = 0.0, 0
    for i, layer in enumerate(layers):
        weight = layer.weight[:, :, 0]
        low, high = weight.min(), weight.max()
        raw = uniform(Stream(seed, f"published/{i}"), (len(weight), candidates)).astype(np.float64)
        rows = np.repeat(low + (raw + 1) / 2 * (high - low), weight.shape[1], axis=0)
        start = time.perf_counter()
        found = first_batch(rows, weight.reshape(-1), tol=TOLERANCE)
        seconds += time.perf_counter() - start
        misses += len(found) - found.count(Status.WITHIN_TOL)
    return seconds, misses


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    target = read_target(options.target)
    layers = list(target.coefficients.values())
    where = environment(1)
    print(f"commit {where.commit}, {where.cpu}, 1 thread\n")
    plain(layers, 5, options.seed)  # loads the kernels
    runs = [plain(layers, 21, seed) for seed in range(options.seed, options.seed + 5)]
    seconds, misses = np.median([run[0] for run in runs]), [run[1] for run in runs]
    print(f"plain, 21 candidates: solved in {seconds:.3f} s; misses {misses}")
    inputs = Inputs((layers[0].weight.shape[1],), lower=(0.0,), upper=(1.0,))
    planned = construct(target, Request(tolerance=TOLERANCE, seed=options.seed), inputs=inputs)
    print(f"planned: {planned}, source {planned.size / planned.target_parameters:.0f} x target")
    for n in range(16, 40):
        ticket = construct(target, Request(tolerance=TOLERANCE, candidates=n, seed=options.seed), inputs=inputs)
        if ticket.misses == 0:
            print(f"smallest without a miss: {ticket}, source {ticket.size / ticket.target_parameters:.0f} x target")
            break


if __name__ == "__main__":
    main()
