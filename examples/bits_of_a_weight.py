"""What does a ticket cost? Bits for each weight, beside quantisers that are as exact, and a bound below everything."""

import numpy as np

import slth

rng = np.random.default_rng(0)
target = {"0.weight": rng.normal(0, 0.1, (64, 64)), "2.weight": rng.normal(0, 0.1, (10, 64))}

names = []
for tolerance in (0.03, 0.01, 0.003):
    ticket = slth.construct(target, input_range=(0, 1), relative_tolerance=tolerance, objective="fewest")
    names.append(slth.save(ticket, f"tolerance-{tolerance}.slth"))
found = slth.compare(names, target=target, out="bits.svg")

print(f"{found.parameters:,} parameters\n")
print(f"{'':<58} {'bits/weight':>11} {'weight error':>13}")
for row in found.rows:
    error = "" if row.weight_error is None else f"{row.weight_error:.2g}"
    print(f"{row.name:<58} {row.bits:11.2f} {error:>13}")
print()
print(*found.verdicts, sep="\n")
print("\nbits.svg has the picture.")
