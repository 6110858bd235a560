"""A phase transition: with too few random numbers hardly any target is reached, with a few more every one is.

Of the 2^n sums of n numbers about 2^n 2 tol / sqrt(pi n / 3) lie within tol of a target near 0. The step stands where
that is 1, and is a few numbers wide whatever the tolerance.
"""

import math

import numpy as np

from slth.subsetsum import Status, first_batch

rng = np.random.default_rng(0)
TRIALS = 400

print("share of 400 random targets in [-1, 1] that n random numbers reach\n")
print("  tol    " + "".join(f"{f'n={n}':>6}" for n in range(4, 25, 2)) + "   one expected at")
for tol in (1e-1, 1e-2, 1e-3, 1e-4):
    shares = []
    for n in range(4, 25, 2):
        values, targets = rng.uniform(-1, 1, (TRIALS, n)), rng.uniform(-1, 1, TRIALS)
        shares.append(first_batch(values, targets, tol=tol).count(Status.WITHIN_TOL) / TRIALS)
    step = next(n for n in range(1, 60) if 2**n * 2 * tol / math.sqrt(math.pi * n / 3) >= 1)
    print(f"  {tol:<6g} " + "".join(f"{share:6.0%}" for share in shares) + f"   n = {step}")
print("\nTen times as exact takes log2(10) = 3.3 numbers more: that is the theorem of Lueker (1998) in one table.")
