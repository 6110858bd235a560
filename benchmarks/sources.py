r"""How many candidates a source of random numbers takes: least n for 1 % chance of any miss among 400,000 weights.

    python benchmarks/sources.py [--check]

By the planner's tables (`miss_table.py`): Gaussian weights of deviation 0.1 at a gain of ½, and tolerances of 0.01 (in
that unit) and of 10⁻³ gains. Bits a weight are those of the mask, one a candidate or a pair. The few weights of more
than 2/3 gains count as 2/3. `--check` draws 20,000 problems each with fewer candidates, and counts, so that the tables
are seen to be right where they can be.

Randomly pruned sources (survival P): of n candidates k survive, k binomial; beside it 1/P, what one would think,
1/ln(1/(1 − P)), the factor of Gadhikar, Mukherjee and Burkholz (2023) for one survivor, and 1/log₂(1/(1 − P/2)):
a miss is a draw of which nearly all values are dead or of the wrong sign."""

import argparse
import math

import numpy as np

from slth.construction.chances import CENTRED, chances
from slth.construction.sizes import gaussian
from slth.numerics import Stream, draw
from slth.subsetsum import first_batch

WEIGHTS, DEVIATION, GAIN, FAILURE = 400_000, 0.1, 0.5, 0.01
SOURCES = ("uniform", "normal/20", "hyperbolic/4", "hyperbolic/8", CENTRED)
SURVIVALS = (0.25, 0.5, 0.75, 0.875)
MOST = 400


def expected(source: str, n: int, tolerance: float) -> float:
    """Misses among all weights."""
    sizes = gaussian(WEIGHTS, DEVIATION)
    return float(sizes.by_row(GAIN, tolerance * GAIN, source) @ chances(n, tolerance, source))


def least(source: str, tolerance: float) -> int | None:
    """The fewest candidates, or pairs, for at most `FAILURE` expected misses; tolerance in gains."""
    most = MOST if source.startswith("pruned") else 64
    return next((n for n in range(1, most) if expected(source, n, tolerance) <= FAILURE), None)


def drawn(source: str, n: int, tolerance: float, count: int = 20_000) -> float:
    """Misses among all weights, from fresh problems."""
    rng = np.random.default_rng(n)
    z = np.clip(rng.normal(0, DEVIATION / GAIN, count), -1, 1)
    if source == CENTRED:
        u, v = (draw(Stream(1, f"sources/{part}/{n}"), "uniform", (count, n)).astype(float) for part in "uv")
        x = (0.75 + 0.25 * u) * v
        return float((first_batch(2 * x, z + x.sum(axis=1), tol=tolerance).error > tolerance).mean() * WEIGHTS)
    values = np.abs(draw(Stream(1, f"sources/u/{source}"), source, (1 << 22,)).astype(float))
    u = rng.choice(values[values >= 0.5], (count, n))
    v = draw(Stream(1, f"sources/v/{source}"), source, (count, n)).astype(float)
    answers = first_batch(u * v, z, tol=tolerance)
    return float(((answers.error > tolerance) & (np.abs(z) > tolerance)).mean() * WEIGHTS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    for tolerance in (0.02, 0.01, 1e-3, 2.0**-13):
        bits = -math.log2(2 * tolerance)
        print(f"tolerance {tolerance:.3g} gains, b = {bits:.2f}")
        for source in SOURCES:
            n = least(source, tolerance)
            print(f"  {source:<14} n {n}, n - b {'' if n is None else f'{n - bits:.1f}'}", end="")
            print("" if n is None else f", expected {expected(source, n, tolerance):.2g}")
    print("randomly pruned, tolerance 0.02 gains")
    whole = least("uniform", 0.02) or 0
    for share in SURVIVALS:
        n = least(f"pruned/{share}", 0.02) or 0
        factors = 1 / share, 1 / -math.log1p(-share), 1 / -math.log2(1 - share / 2)
        words = "1/P {:.2f}, 1/ln(1/(1-P)) {:.2f}, 1/log2(1/(1-P/2)) {:.2f}".format(*factors)
        print(f"  P {share}: n {n}, {n / whole:.2f} times; {words}")
    if check:
        for source, n in (("uniform", 13), ("normal/20", 13), ("hyperbolic/8", 24), (CENTRED, 8), ("pruned/0.5", 26)):
            print(f"  {source} n {n}: expected {expected(source, n, 0.02):.0f}, drawn {drawn(source, n, 0.02):.0f}")


if __name__ == "__main__":
    main()
