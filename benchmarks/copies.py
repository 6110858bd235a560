"""Copies (Burkholz, 2022) beside two layers (Pensia et al., 2020): the same trained network, ℓ + 1 against 2ℓ layers.

    python benchmarks/copies.py                                     64-64-10 on the embedded digits
    python benchmarks/copies.py --data mnist --data-dir DIR --hidden 500 --objectives fewest --plan-only

For each gadget and objective: random layers, copies or candidates, entries of the source and mask bits for each weight
of the target, bits in the file, misses, the certified and the largest measured error of an output on test data,
accuracy, processor seconds of construction. With --plan-only what `plan` says.
"""

import argparse
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import slth
from slth.records import environment


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default="digits")
    parser.add_argument("--data-dir")
    parser.add_argument("--hidden", type=int, nargs="+", default=[64])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--tolerance", type=float, default=0.01)
    parser.add_argument("--objectives", nargs="+", default=["fewest", "closest"])
    parser.add_argument("--plan-only", action="store_true")
    asked = parser.parse_args()
    print(environment())
    target = slth.train(asked.data, data_dir=asked.data_dir, hidden=asked.hidden, epochs=asked.epochs)
    where = {"data": asked.data, "data_dir": asked.data_dir}
    common = {"tolerance": asked.tolerance, "activation": "relu", "threads": 1, **where}
    for gadget in ("two-layer", "copies"):
        for objective in asked.objectives:
            if asked.plan_only:
                planned(target, gadget, objective, common)
            else:
                constructed(target, gadget, objective, common, where)


def planned(target, gadget, objective, common):
    found = slth.plan(target, gadget=gadget, objective=objective, **common)
    print(
        f"{gadget} {objective}: candidates {[part.candidates for part in found.maps]}, source "
        f"{found.source_parameters / found.weights:,.0f} x target, {found.mask_bits / found.weights:,.0f} mask bits a "
        f"weight, {found.expected_misses:.2g} misses expected, file {found.file_bytes / 2**20:,.1f} MiB, "
        f"{found.memory / 2**30:.1f} GiB"
    )


def constructed(target, gadget, objective, common, where):
    start = time.process_time()
    ticket = slth.construct(target, gadget=gadget, objective=objective, **common)
    seconds = time.process_time() - start
    with TemporaryDirectory() as folder:
        path = Path(folder) / "t.slth"
        slth.save(ticket, path)
        size = path.stat().st_size
    found = slth.evaluate(ticket, where["data"], data_dir=where["data_dir"], target=target, activation="relu")
    weights = ticket.target_parameters
    layers = sum(tensor.path.endswith(("/lift", "/mixing")) for tensor in ticket.tensors)
    candidates = sorted({part.candidates for part in ticket.gadgets.values()})
    print(
        f"{gadget} {objective}: {layers} layers, candidates {candidates}, source {ticket.size / weights:,.0f} x "
        f"target, kept {ticket.candidates_kept / weights:.1f} a weight, {ticket.mask_bits / weights:,.0f} mask bits "
        f"a weight, file {8 * size / weights:,.1f} bits a weight, {ticket.misses} misses, "
        f"certified {ticket.claims.sup_error:.3g}, "
        f"measured {found.measured_error:.3g}, accuracy {found.accuracy.value:.4f} (target "
        f"{found.target_accuracy.value:.4f}), {seconds:.1f} s"
    )


if __name__ == "__main__":
    main()
