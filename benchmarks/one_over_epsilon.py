"""Width against tolerance: 1/ε for single numbers, products and counts, log 1/ε for subset sums.

    python benchmarks/one_over_epsilon.py            # the table of docs/benchmarks.md

One dense map of 784 inputs that are never negative, Gaussian weights of deviation 0.05 in float32, no bias, at most 1 %
chance of a miss; seed 0, one thread. Rows of the map are left out where a mask would exceed 300 million bits: the width
is then planned for 500 rows all the same. Bits: of the whole file, and of a uniform quantiser of step 2 ε with an
entropy coder, at the same largest error.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

import slth

INPUTS, ROWS, DEVIATION, MOST_BITS = 784, 500, 0.05, 3e8
GADGETS = ("two-layer", "plain", "counts", "single", "single-plain")
TOLERANCES = (0.05, 0.02, 0.01, 0.005, 0.002, 0.001)


def quantised(weights: np.ndarray, step: float) -> float:
    """Bits a weight of the nearest multiples of a step, by their own frequencies."""
    _, counts = np.unique(np.rint(weights / step), return_counts=True)
    share = counts / counts.sum()
    return float(-(share * np.log2(share)).sum())


def row(weights: np.ndarray, gadget: str, tolerance: float) -> str:
    """One cell after the other."""
    whole = slth.plan({"weight": weights}, gadget=gadget, tolerance=tolerance, input_range=(0, 1)).maps[0]
    rows = min(ROWS, max(8, int(MOST_BITS / INPUTS / whole.candidates)))
    part = weights[:rows]
    start = time.process_time()
    ticket = slth.construct(
        {"weight": part}, gadget=gadget, tolerance=tolerance, input_range=(0, 1), candidates=whole.candidates
    )
    seconds = time.process_time() - start
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.slth"
        slth.save(ticket, path)
        bits = 8 * path.stat().st_size / part.size
    cells = (
        f"{tolerance:g}",
        gadget,
        f"{whole.candidates:,}",
        f"{whole.source_parameters / weights.size:,.0f}",
        f"{ticket.candidates_kept / part.size:.2f}",
        f"{bits:.2f}",
        f"{quantised(part, 2 * tolerance):.2f}",
        f"{1e6 * seconds / part.size:.2f}",
        f"{ticket.misses:,} of {part.size:,}",
    )
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    rng = np.random.default_rng(0)
    weights = rng.normal(0, DEVIATION, (ROWS, INPUTS)).astype(np.float32)
    print("| ε | gadget | n | source a weight | kept | bits in the file | quantised | µs | missed |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for tolerance in TOLERANCES:
        for gadget in GADGETS:
            print(row(weights, gadget, tolerance), flush=True)


if __name__ == "__main__":
    main()
