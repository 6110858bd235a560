"""Misses that the planner expects beside misses counted in constructed networks.

    python benchmarks/planner.py [--target FILE.safetensors] [--seeds 20]

Without a target: 64-64-10, trained on the embedded digits. One row per tolerance and number of candidates: the
planner's expected misses of the whole network, and the mean and standard error over seeds. What is expected is meant as
an upper estimate.
"""

import argparse
import statistics

import numpy as np

import slth
from slth.records import environment

CASES = ((0.01, (14, 16, 18, 20, 22)), (1e-4, (20, 22, 24, 26, 28)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target")
    parser.add_argument("--seeds", type=int, default=20)
    options = parser.parse_args()
    target = slth.train("digits") if options.target is None else options.target
    where = environment(1)
    print(f"commit {where.commit}, {where.cpu}, {options.seeds} seeds\n")
    print("| tolerance | candidates | misses expected | misses counted, mean | standard error |")
    print("| --- | --- | --- | --- | --- |")
    for tolerance, counts in CASES:
        for count in counts:
            asked = {"tolerance": tolerance, "candidates": count, "input_range": (0, 1)}
            expected = slth.plan(target, **asked).expected_misses
            tickets = [slth.construct(target, seed=seed, threads=1, **asked) for seed in range(options.seeds)]
            counted = [ticket.misses for ticket in tickets]
            spread = statistics.stdev(counted) / np.sqrt(len(counted)) if len(counted) > 1 else float("nan")
            print(
                f"| {tolerance:g} | {count} | {expected:.3g} | {statistics.mean(counted):.3g} | {spread:.2g} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
