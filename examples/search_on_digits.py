"""The other road: train a mask, and nothing else. The random weights of the network never move.

Edge-popup (Ramanujan et al., 2020) keeps the half of the weights with the highest scores; only scores are trained.
"""

import slth
from slth.learning import EdgePopup

found = slth.search(
    "mlp",
    "digits",
    EdgePopup(density=0.5),
    arguments={"hidden": [64, 64]},
    training={"epochs": 10, "lr": 0.1},
    seed=0,
)
ticket = found.ticket
slth.save(ticket, "found.slth")

print(f"accuracy on the test digits: {slth.evaluate(ticket, 'digits').accuracy.value:.1%}, by weights nobody trained")
print(
    f"{sum(tensor.kept for tensor in ticket.tensors):,} of {sum(tensor.size for tensor in ticket.tensors):,} are kept"
)
for check in slth.verify("found.slth").checks:
    print(f"  {check.name:<10} {check.verdict.name:<8} {check.detail[:90]}")
