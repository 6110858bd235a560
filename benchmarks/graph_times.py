"""How long reading, constructing, certifying and verifying take: VGG-, ResNet-20- and MobileNet-like, random weights.

    python benchmarks/graph_times.py [--repeats 3] [--tolerance 1e-4]

Images 3 x 32 x 32 in [0, 1], one thread. Each network in a fresh process: the first reading also loads what exports
modules. Seconds by the clock and, in brackets, of processor; medians of the repeats, after one of everything. "Solving"
is the solver alone; the rest of `construct` is random numbers, masks and the certificate.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

import slth
from slth.certificate import certify
from slth.construction import Request, plan_layout, solve, within
from slth.network import build_architecture, read_target
from slth.records import environment
from slth.subsetsum import SubsetSums

SHAPE = (3, 32, 32)


def conv(inp: int, out: int, side: int, *, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    layer = nn.Conv2d(inp, out, side, stride, side // 2, groups=groups, bias=False)
    return [layer, nn.BatchNorm2d(out), nn.ReLU()]


def vgg() -> nn.Module:
    layers: list[nn.Module] = []
    inp = 3
    for out in (32, 32, "pool", 64, 64, "pool", 128, 128, "pool"):
        if out == "pool":
            layers.append(nn.MaxPool2d(2))
        else:
            layers += conv(inp, out, 3)
            inp = out
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(2048, 128), nn.ReLU(), nn.Linear(128, 10))


def resnet_20() -> nn.Module:
    return build_architecture("resnet_20", {"inputs": list(SHAPE), "classes": 10})


def mobilenet() -> nn.Module:
    layers, inp = conv(3, 32, 3), 32
    for out, stride in ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)):
        layers += conv(inp, inp, 3, stride=stride, groups=inp) + conv(inp, out, 1)
        inp = out
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inp, 10))


NETWORKS: dict[str, Callable[[], nn.Module]] = {"vgg": vgg, "resnet_20": resnet_20, "mobilenet": mobilenet}


class Solver:
    """`within`, and the processor seconds spent in it."""

    def __init__(self) -> None:
        self.seconds, self.problems = 0.0, 0

    def __call__(self, values: np.ndarray, targets: np.ndarray, *, tol: float) -> SubsetSums:
        start = time.process_time()
        found = within(values, targets, tol=tol)
        self.seconds += time.process_time() - start
        self.problems += len(targets)
        return found


def timed(work: Callable[[], Any], repeats: int) -> tuple[Any, str, float]:
    """The last result; the medians of both clocks as text; that of the processor."""
    clock, processor = [], []
    for _ in range(repeats):
        start, spent = time.perf_counter(), time.process_time()
        result = work()
        clock.append(time.perf_counter() - start)
        processor.append(time.process_time() - spent)
    return result, f"{statistics.median(clock):.2f} ({statistics.median(processor):.2f})", statistics.median(processor)


def measured(name: str, repeats: int, tolerance: float) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = NETWORKS[name]().eval()
    target, first, _ = timed(lambda: read_target(model, input_shape=SHAPE), 1)
    _, later, _ = timed(lambda: read_target(model, input_shape=SHAPE), repeats)
    asked = {"input_range": (0, 1), "tolerance": tolerance, "threads": 1}
    slth.construct(target, **asked)  # loads and compiles
    ticket, constructing, _ = timed(lambda: slth.construct(target, **asked), repeats)
    solvers = [Solver() for _ in range(repeats)]
    for solver in solvers:
        layout = plan_layout(target, Request(tolerance=tolerance), inputs=ticket.inputs)
        solve(target, layout, inputs=ticket.inputs, asked={}, objective=solver)
    solving = statistics.median(solver.seconds for solver in solvers)
    parts = {path: ticket.realised(path) for path in ticket.maps}
    tolerances = dict.fromkeys(parts, tolerance)
    box = ticket.inputs.box
    _, certifying, certified = timed(
        lambda: certify(target, parts.__getitem__, tolerances=tolerances, box=box), repeats
    )
    verification, verifying, _ = timed(lambda: slth.verify(ticket, target=target), repeats)
    assert verification.holds
    print(
        f"| {name} | {len(target.graph.maps)} | {ticket.target_parameters:,} | {solvers[0].problems:,} | {first} | "
        f"{later} | {constructing} | ({solving:.2f}) | {certifying} | {certified / solving:.2f} | "
        f"{verifying} | {ticket.misses} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    parser.add_argument("--network", choices=NETWORKS)
    options = parser.parse_args()
    if options.network:
        return measured(options.network, options.repeats, options.tolerance)
    where = environment(1)
    print(f"commit {where.commit}, {where.cpu}, 1 thread, tolerance {options.tolerance:g}\n")
    print(
        "| network | maps | parameters | problems | first reading s | later | constructing | solving | certifying | "
        "certifying / solving | verifying | misses |"
    )
    print("| " + "--- | " * 12, flush=True)
    for name in NETWORKS:
        subprocess.run([sys.executable, __file__, "--network", name, *sys.argv[1:]], check=True)
    return None


if __name__ == "__main__":
    main()
