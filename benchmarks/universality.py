"""One random network, many targets: "with high probability, simultaneously for every f", measured.

    python benchmarks/universality.py [--targets 60]

Trains networks of one shape on the embedded digits from different seeds, fixes the random network at the width
planned for the first of them, and constructs every target inside it. The theorem (Pensia et al., 2020) says that one
draw serves all; the planner only promised at most δ = 1 % expected misses for one.
"""

import argparse
import statistics

import slth
from slth.network import read_target
from slth.records import environment


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--targets", type=int, default=60)
    count = parser.parse_args().targets
    where = environment(1)
    targets = [read_target(slth.train(epochs=10, seed=seed), activation="relu") for seed in range(count)]
    print(f"commit {where.commit}, {where.cpu}, {count} networks 64-64-10 trained on the digits\n")
    print("| tolerance | candidates | targets within tolerance | misses in all | largest certified error | median |")
    print("| --- | --- | --- | --- | --- | --- |")
    for tolerance in (1e-2, 1e-3, 1e-4):
        source = slth.construct(targets[0], tolerance=tolerance, input_range=(0, 1))
        tickets = [slth.construct(t, tolerance=tolerance, input_range=(0, 1), source=source) for t in targets]
        assert all(ticket.heads == source.heads for ticket in tickets)
        within = sum(ticket.misses == 0 for ticket in tickets)
        errors = [ticket.claims.sup_error or 0.0 for ticket in tickets]
        width = "/".join(f"{gadget.candidates}+{gadget.constants}" for gadget in source.gadgets.values())
        misses = sum(ticket.misses for ticket in tickets)
        median = statistics.median(errors)
        print(f"| {tolerance:g} | {width} | {within} of {count} | {misses} | {max(errors):.3g} | {median:.3g} |")


if __name__ == "__main__":
    main()
