"""Misses that the planner expects beside misses counted in networks that were drawn and solved.

    python benchmarks/planner.py [--seeds 20]

One row per layer, tolerance and number of candidates: expected misses, an upper estimate from the table of measured
chances; the same by the law in closed form; the mean and standard error over seeds. Each seed draws a fresh lift, whose
values the coefficients of an input share, and solves the whole layer: Gaussian weights of He's deviation, inputs in
[0, 1], no bias. The last number of candidates of a pair is the planned one, for at most 0.01 misses.
"""

import argparse
import statistics

import numpy as np

from slth.construction import Request, lay_out, plan_layout, solve
from slth.graph import Affine, chain
from slth.records import environment
from slth.ticket import Inputs

# Inputs, outputs, tolerance, candidates.
CASES = (
    (3000, 200, 0.03, (14, 20)),
    (3000, 200, 0.008, (16, 22)),
    (1000, 1000, 0.008, (16, 22)),
    (1000, 300, 1e-3, (18, 24)),
    (1000, 300, 1e-4, (22, 27)),
    (300, 400, 0.03, (12, 18)),
    (300, 400, 1e-4, (20, 26)),
    (100, 1000, 0.008, (14, 20)),
    (400, 100, 1e-5, (23, 28)),
    (300, 100, 1e-6, (26, 30)),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    options = parser.parse_args()
    where = environment(1)
    print(f"commit {where.commit}, {where.cpu}, {options.seeds} seeds\n")
    print("| layer | tolerance | in gains | candidates | expected | by the law | counted, mean | standard error |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for inputs, outputs, tolerance, counts in CASES:
        weight = np.random.default_rng(0).normal(scale=np.sqrt(2 / inputs), size=(outputs, inputs, 1))
        target, given = chain([Affine(weight, None)]), Inputs((inputs,), lower=(0.0,), upper=(1.0,))
        planned = plan_layout(target, Request(tolerance=tolerance), inputs=given).gadgets["layers/0"].candidates
        for count in (*counts, planned):
            missed: list[int] = []
            for seed in range(options.seeds):
                layout = lay_out(target, {"layers/0": tolerance}, inputs=given, seed=seed, candidates=count)
                missed.append(solve(target, layout, inputs=given, asked={"tolerance": tolerance}).misses)
            width = layout.widths["layers/0"]
            spread = statistics.stdev(missed) / np.sqrt(len(missed)) if len(missed) > 1 else float("nan")
            print(
                f"| {inputs} x {outputs} | {tolerance:g} | {tolerance / width.gain:.2g} | "
                f"{count}{' (planned)' if count == planned else ''} | {width.expected_misses:.3g} | "
                f"{width.law_misses:.3g} | {statistics.mean(missed):.3g} | {spread:.2g} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
