"""A theorem beside the truth: how many random numbers does it take, and how many does the theorem ask for?"""

import numpy as np

from slth.subsetsum import Status, first_batch
from slth.theory import THEOREMS, bound

rng = np.random.default_rng(0)
TRIALS, DELTA = 400, 0.05


def measured(epsilon: float) -> int:
    """The fewest numbers with which at most a share DELTA of random targets in [-1, 1] is missed."""
    for n in range(2, 60):
        values, targets = rng.uniform(-1, 1, (TRIALS, n)), rng.uniform(-1, 1, TRIALS)
        if first_batch(values, targets, tol=epsilon).count(Status.WITHIN_TOL) >= (1 - DELTA) * TRIALS:
            return n
    raise RuntimeError("no n below 60 will do")


theorem = THEOREMS["lueker"]
print(theorem.says)
print(f"It is {theorem.direction.value}. Measured is less: one target at a time, not all at once.\n")
print(f"{'epsilon':>8}  {'measured n':>10}  {'theorem n':>9}  {'times':>5}")
for epsilon in (0.1, 0.03, 0.01, 0.003, 0.001):
    n, asked = measured(epsilon), bound("lueker", epsilon=epsilon, delta=DELTA).value
    print(f"{epsilon:8g}  {n:10}  {asked:9}  {asked / n:5.1f}")
for name, constant in theorem.constants.items():
    print(f"\n{name} = {constant.value:g}: {constant.standing.value}. Another one: bound('lueker', ..., {name}=2).")
