"""One weight as a subset sum: which of twenty random numbers add up to 0.3141592653?

The heart of the strong lottery ticket hypothesis. A weight of a trained network is not stored, it is *found*: among the
sums of all subsets of a few random numbers, one comes as close as you like.
"""

import numpy as np

from slth.subsetsum import closest, count, first

values = np.random.default_rng(0).uniform(-1, 1, 20)
weight = 0.3141592653

best = closest(values, weight)
print(f"closest of all 2^20 subsets: error {best.error:.1e}, {best.status.value}")
running = 0.0
for value, kept in zip(values, best.kept, strict=True):
    running += value * kept
    bar = "#" * round(20 * abs(value))
    print(f"  {value:+.4f}  {bar:<20}  {f'kept, sum {running:+.7f}' if kept else '.'}")

found = first(values, weight, tol=1e-3)
print(f"\nthe first within 0.001 that a search meets: {found.kept.sum()} numbers, error {found.error:.1e}")

print("\nhow many subsets are within 0.001, for more and more numbers:")
for n in (8, 12, 16, 20):
    print(f"  {n} numbers: {count(values[:n], weight, tol=1e-3).count:>5} of {2**n:,}")
