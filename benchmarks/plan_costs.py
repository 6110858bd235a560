"""Fit what a construction costs: writes `src/slth/construction/plan_costs.json`, and checks it.

    python benchmarks/plan_costs.py            # refit, then the table
    python benchmarks/plan_costs.py --check    # the table only

Processor seconds of one thread on some networks of random weights, and the peak of memory of the same in processes of
their own. Generation is what solving a network takes beyond its certificate and `first`. The table says what is planned
for other networks beside what they take. A minute or two.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.optimize import nnls

import slth
from slth.certificate import certify
from slth.construction import Request, construct, costs, costs_of, plan_layout, plan_maps, solve
from slth.graph import INPUT, Affine, Conv, Dense, Graph, Linear, Node, Pointwise, Target
from slth.records import environment
from slth.subsetsum import first_batch
from slth.ticket import Inputs

OUT = Path(costs.__file__).with_name("plan_costs.json")
BITS = (1, 2, 4, 6, 9, 12, 16, 20, 24, 28)
# Widths (a convolution of kernel k: "k:outputs", on 14 x 14), relative tolerance, smallest input.
FITTED = (
    ("784,400,300,10", 2.0**-9, 0),
    ("300,1200,300", 2.0**-6, 0),
    ("600,600,600", 2.0**-14, -1),
    ("32,3:64,3:64,1:128", 2.0**-9, 0),
    ("64,1:256,1:64,3:64", 2.0**-12, 0),
    ("100,100,100", 2.0**-9, 0),
    ("16,3:48,3:48", 2.0**-6, 0),
    ("256,3:256", 2.0**-9, 0),
    ("1024,1:512,3:512", 2.0**-9, 0),
    ("2000,2500", 2.0**-9, 0),
)
LARGE = (  # for memory
    ("2000,2000", 2.0**-9, 0),
    ("4000,3500", 2.0**-3, 0),
    ("4000,3500", 2.0**-9, 0),
    ("1024,3:1024", 2.0**-9, 0),
    ("1500,1500,1500,1500,1500", 2.0**-9, 0),
    ("2500,2000", 2.0**-6, -1),
)
CHECKED = (
    ("784,500,10", 1e-3, 0),
    ("784,1250,1050,10", 2.0**-9, 0),
    ("500,500,500,500,500", 2.0**-4, -1),
    ("48,3:96,3:96,3:128", 2.0**-10, 0),
    ("400,2000", 2.0**-16, -1),
    ("256,1:1024,1:256,3:256,1:1024", 2.0**-9, 0),
    ("3000,2600", 2.0**-9, 0),
)


def network(widths: str, least: int) -> tuple[Target, Inputs]:
    """A chain with ReLU between its maps, Gaussian weights of He's deviation."""
    rng = np.random.default_rng(0)
    first, *rest = widths.split(",")
    nodes: list[Node] = []
    coefficients: dict[str, Affine] = {}
    before, inputs = INPUT, int(first)
    for i, layer in enumerate(rest):
        *kernel, outputs = map(int, layer.split(":"))
        sides = (kernel[0], kernel[0]) if kernel else ()
        basis = Conv(inputs, outputs, sides, (1, 1), (sides[0] // 2,) * 4, (1, 1)) if kernel else Dense(inputs, outputs)
        if i:
            nodes.append(Node(f"relu{i}", Pointwise("Relu"), (before,)))
            before = nodes[-1].name
        nodes.append(Node(f"map{i}", Linear(f"map{i}", basis, True), (before,)))
        before = nodes[-1].name
        deviation = np.sqrt(2 / (inputs * basis.taps))
        weight = rng.normal(scale=deviation, size=(outputs, inputs, basis.taps))
        coefficients[f"map{i}"] = Affine(weight, rng.normal(scale=deviation, size=outputs))
        inputs = outputs
    shape = (int(first), 14, 14) if ":" in widths else (int(first),)
    names = {path: (f"{path}.weight", f"{path}.bias") for path in coefficients}
    target = Target(graph=Graph(tuple(nodes)), coefficients=coefficients, names=names)
    return target, Inputs(shape, lower=(float(least),), upper=(1.0,))


def taken(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def measured(widths: str, tolerance: float, least: int) -> dict[str, float]:
    """Processor seconds of the steps, bytes of the file."""
    target, inputs = network(widths, least)
    request = Request(relative_tolerance=tolerance)
    layout = plan_layout(target, request, inputs=inputs)
    found: list[slth.Ticket] = []
    solved = taken(lambda: found.append(solve(target, layout, inputs=inputs, asked=request.asked)))
    ticket = found[0]
    parts = {path: ticket.realised(path) for path in ticket.maps}
    proved = taken(lambda: certify(target, parts.__getitem__, tolerances=layout.tolerances, box=inputs.box))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.slth"
        written = taken(lambda: slth.save(ticket, path))
        checked = taken(lambda: slth.verify(path))
        return {
            "solve": max(solved - proved, 0.0),
            "certificate": proved,
            "writing": written,
            "verify": checked,
            "bytes": path.stat().st_size,
        }


def peak(widths: str, tolerance: float, least: int, threads: int) -> int:
    """Bytes that a process takes which constructs and saves."""
    asked = [sys.executable, __file__, "--peak", widths, str(tolerance), str(least), str(threads)]
    return int(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()[-1])


def construct_and_say_peak(widths: str, tolerance: str, least: str, threads: str) -> None:
    target, inputs = network(widths, int(least))
    ticket = construct(target, Request(relative_tolerance=float(tolerance)), inputs=inputs, threads=int(threads))
    with tempfile.TemporaryDirectory() as folder:
        slth.save(ticket, Path(folder) / "t.slth")
    status = Path("/proc/self/status").read_text()  # getrusage begins with what the process was forked from
    print(1024 * int(status.partition("VmHWM:")[2].split()[0]))


def planned(widths: str, tolerance: float, least: int) -> tuple[costs.Planning, ...]:
    target, inputs = network(widths, least)
    return plan_maps(target, Request(relative_tolerance=tolerance), inputs=inputs)


def first_microseconds(bits: int) -> float:
    rng = np.random.default_rng(bits)
    n, count = min(bits + 24, 52), max(100, int(40_000 / 2 ** max(0, (bits - 8) / 2)))
    u, v = rng.uniform(0.5, 1, (count, n)), rng.uniform(-1, 1, (count, n))
    targets = rng.normal(scale=0.13, size=count)
    return 1e6 * min(taken(lambda: first_batch(u * v, targets, tol=2.0**-bits)) for _ in range(3)) / count


def fitted() -> dict[str, object]:
    rng = np.random.default_rng(0)
    first_batch(rng.uniform(-1, 1, (9, 30)), np.zeros(9), tol=0.01)
    measured("40,40,40", 0.01, 0)  # compiles, loads
    rows = rng.uniform(-1, 1, (100, 28))
    step = 1e6 * taken(lambda: first_batch(rows, np.full(100, 0.1), tol=1e-16)) / 100 / 2**14
    known: dict[str, object] = {
        "calibration": costs.calibration(),
        "first": {"bits": BITS, "microseconds": [round(first_microseconds(bits), 4) for bits in BITS]},
        "step_microseconds": step,
    }
    base = json.loads(OUT.read_text())
    OUT.write_text(json.dumps({**base, **known}))  # `solving` is planned with the new constants
    costs.reread()
    seen = [measured(*case) for case in FITTED]
    plans = [planned(*case) for case in FITTED]
    bits = np.array([sum(part.gadget.cost(part.op).mask_bits for part in plan) for plan in plans], float)
    weights = np.array([sum(map(costs.weights_of, plan)) for plan in plans], float)
    operations = np.array([sum(map(costs.norm_operations, plan)) for plan in plans], float)

    def fit(name: str, *columns: np.ndarray) -> list[float]:
        """Smallest relative errors."""
        y = np.array([row[name] for row in seen])
        found, _ = nnls(np.stack(columns, axis=1) / y[:, None], np.ones(len(y)))
        return [1e9 * float(x) for x in found]

    for row, plan in zip(seen, plans, strict=True):
        first = costs_of(plan, threads=1).seconds.solving
        row["generation"] = max(row["solve"] - first, 0.1 * first)
    certify_weight, certify_operation = fit("certificate", weights, operations)
    verify_bit, verify_weight = fit("verify", bits, weights)
    known["nanoseconds"] = {
        "generate_bit": fit("generation", bits)[0],
        "certify_weight": certify_weight,
        "certify_operation": certify_operation,
        "write_bit": fit("writing", bits)[0],
        "verify_bit": verify_bit,
        "verify_weight": verify_weight,
    }
    total = np.array([row["bytes"] for row in seen], float)
    maps = np.array([len(plan) for plan in plans], float)
    (file_bit, file_map), _ = nnls(np.stack([bits, maps], axis=1) / total[:, None], np.ones(len(total)))
    known["bytes"] = {**fitted_memory(), "file_bit": float(file_bit), "file_map": float(file_map)}
    where = environment(1)
    about = {"about": "costs of a construction; see benchmarks/plan_costs.py", "commit": where.commit, "cpu": where.cpu}
    return {**about, **known}


def fitted_memory() -> dict[str, float]:
    """The process, and what grows: beyond the target in float64 and the masks, packed."""
    process = min(peak("4,4", 0.1, 0, 1) for _ in range(2))  # the first may compile
    cases = [*((case, 1) for case in LARGE), (LARGE[0], 2), (LARGE[4], 2)]
    grown, columns = [], []
    for case, threads in cases:
        plan = planned(*case)
        largest = max(plan, key=costs.weights_of)
        own = [part.gadget.cost(part.op).mask_bits for part in plan]
        given = sum(part.op.weights for part in plan)
        grown.append(peak(*case, threads) - process - 8 * given - sum(own) / 8)
        columns.append([threads, sum(map(costs.weights_of, plan)), costs.weights_of(largest), max(own)])
    scale = np.maximum(np.array(grown, float), 1e6)
    (thread, weight, map_weight, map_bit), _ = nnls(np.array(columns) / scale[:, None], np.array(grown) / scale)
    return {
        "process": float(process),
        "thread": max(float(thread), 2e7),  # a block of products, what is searched in it
        "weight": float(weight),
        "map_weight": max(float(map_weight), 16.0),  # what it realises, and a Gram matrix
        "map_bit": float(map_bit),
    }


def rounded(data: object) -> object:
    """Floats to three digits."""
    if isinstance(data, dict):
        return {key: rounded(value) for key, value in data.items()}
    return float(f"{data:.3g}") if isinstance(data, float) else data


def table() -> None:
    where = environment(1)
    print(f"commit {where.commit}, {where.cpu}, one thread; processor seconds and MiB, planned / measured\n")
    print("| network | relative tolerance | solving | certificate | writing | verify | all | memory | file |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    measured("20,20,10", 0.01, 0)
    for case in CHECKED:
        plan, seen = costs_of(planned(*case), threads=1), measured(*case)
        cost = plan.seconds
        pairs = [
            (cost.generation + cost.solving, seen["solve"]),
            (cost.certificate, seen["certificate"]),
            (cost.writing, seen["writing"]),
            (cost.verify, seen["verify"]),
            (cost.construct, seen["solve"] + seen["certificate"] + seen["writing"]),
        ]
        times = " | ".join(f"{a:.2f} / {b:.2f}" for a, b in pairs)
        memory, file = plan.memory / 2**20, plan.file_bytes / 2**20
        sizes = f"{memory:.0f} / {peak(*case, 1) / 2**20:.0f} | {file:.2f} / {seen['bytes'] / 2**20:.2f}"
        print(f"| {case[0]} | {case[1]:.3g} | {times} | {sizes} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--peak", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peak:
        construct_and_say_peak(*options.peak)
        return
    if not options.check:
        OUT.write_text(json.dumps(rounded(fitted()), indent=1) + "\n")
        costs.reread()
    table()


if __name__ == "__main__":
    main()
