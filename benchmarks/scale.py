"""Networks of real size: what each part of a construction costs, in time, memory and beside the solver alone.

    python benchmarks/scale.py [--networks resnet-50 dense] [--threads 2] [--repeats 1]

A ResNet-50-shaped network (25.6 M weights, He's initialisation, BatchNorm folded) and 784-5000-4200-10, each also with
twice the weights; tolerance 2⁻⁹, inputs in [0, 1]. First the commands `slth construct`, `verify` and `verify --target`,
each in a fresh process with a warm compile cache: seconds by the clock, of processor, peak memory. Then inside one
process, on one thread: `first` alone on the candidates, solving with generation, certificate.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import torch
from graph_times import Solver
from safetensors.torch import save_file
from torch import Tensor, nn

from slth.certificate import certify
from slth.construction import Request, plan_layout, solve
from slth.graph import Realised
from slth.network import read_target
from slth.records import environment
from slth.ticket import Inputs

TOLERANCE = 2.0**-9
TWICE = 2.0**0.5  # of all widths


class Bottleneck(nn.Module):
    """1 x 1, 3 x 3, 1 x 1, and the shortcut around them."""

    def __init__(self, inp: int, middle: int, out: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inp, middle, 1, bias=False), nn.BatchNorm2d(middle)
        self.conv2, self.bn2 = nn.Conv2d(middle, middle, 3, stride, 1, bias=False), nn.BatchNorm2d(middle)
        self.conv3, self.bn3 = nn.Conv2d(middle, out, 1, bias=False), nn.BatchNorm2d(out)
        self.downsample = (
            nn.Identity()
            if inp == out and stride == 1
            else nn.Sequential(nn.Conv2d(inp, out, 1, stride, bias=False), nn.BatchNorm2d(out))
        )
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        return self.relu(self.bn3(self.conv3(y)) + self.downsample(x))


def resnet_50(width: float = 1.0) -> nn.Module:
    def wide(size: int) -> int:
        return round(size * width)

    torch.manual_seed(0)
    layers = [nn.Conv2d(3, wide(64), 7, 2, 3, bias=False), nn.BatchNorm2d(wide(64)), nn.ReLU(), nn.MaxPool2d(3, 2, 1)]
    inp = wide(64)
    for middle, blocks, first in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        for block in range(blocks):
            layers.append(Bottleneck(inp, wide(middle), wide(4 * middle), first if block == 0 else 1))
            inp = wide(4 * middle)
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inp, 1000)).eval()


def dense(width: float = 1.0) -> nn.Module:
    torch.manual_seed(0)
    sizes = [784, round(5000 * width), round(4200 * width), 10]
    layers: list[nn.Module] = []
    for inp, out in pairwise(sizes):
        layers += [nn.Linear(inp, out), nn.ReLU()]
    return nn.Sequential(*layers[:-1]).eval()


def twice_resnet_50() -> nn.Module:
    return resnet_50(TWICE)


def twice_dense() -> nn.Module:
    return dense(TWICE)


NETWORKS = {"resnet-50": (resnet_50, twice_resnet_50, "3,224,224"), "dense": (dense, twice_dense, "784")}


def command(arguments: Sequence[str]) -> tuple[float, float, float]:
    """Seconds by the clock and of processor, and the peak memory in GiB, of `slth` in a process of its own."""
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "slth", *arguments], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"slth {' '.join(arguments)} ended with {os.waitstatus_to_exitcode(status)}")
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20


def medians(arguments: Sequence[str], repeats: int) -> tuple[float, float, float]:
    found = [command(arguments) for _ in range(repeats)]
    return tuple(statistics.median(column) for column in zip(*found, strict=True))  # pyright: ignore


def commands(name: str, threads: int, repeats: int, folder: Path) -> None:
    """The three commands, for the network and for one of twice the weights."""
    once: dict[str, float] = {}
    for make in NETWORKS[name][:2]:
        model, ticket = folder / f"{make.__name__}.safetensors", folder / f"{make.__name__}.slth"
        module = make()
        weights = sum(part.numel() for part in module.parameters())
        save_file(module.state_dict(), model)
        del module
        target = [str(model), "--model", f"{__file__}:{make.__name__}", "--input-shape", NETWORKS[name][2]]
        asked = ["--tolerance", str(TOLERANCE), "--input-range", "0,1", "--threads", str(threads)]
        for verb, arguments in {
            "construct": ["construct", *target, *asked, "--out", str(ticket), "-q"],
            "verify": ["verify", str(ticket), "-q"],
            "verify --target": ["verify", str(ticket), "--target", *target[:3], "-q"],
        }.items():
            seconds, processor, memory = medians(arguments, repeats)
            ratio = f"{seconds / once[verb]:.2f}" if verb in once else ""
            once.setdefault(verb, seconds)
            size = f"{ticket.stat().st_size / 1e6:.0f}"
            numbers = [f"{seconds:.1f}", f"{processor:.1f}", f"{memory:.2f}", size, ratio]
            print("| " + " | ".join([make.__name__, f"{weights:,}", verb, *numbers]) + " |", flush=True)


def parts(name: str) -> None:
    """`first` alone, solving with generation, certificate: processor seconds on one thread."""
    make, _, shape = NETWORKS[name]
    target = read_target(make(), input_shape=tuple(map(int, shape.split(","))))
    inputs = Inputs(target.input_shape, lower=(0.0,), upper=(1.0,))
    request = Request(tolerance=TOLERANCE)
    layout = plan_layout(target, request, inputs=inputs)
    solver = Solver()
    start = time.process_time()
    ticket = solve(target, layout, inputs=inputs, asked=request.asked, objective=solver)
    whole = time.process_time() - start
    regenerating = 0.0

    def realised(path: str) -> Realised:
        nonlocal regenerating
        start = time.process_time()
        found = ticket.realised(path)
        regenerating += time.process_time() - start
        return found

    start = time.process_time()
    certify(target, realised, tolerances=layout.tolerances, box=inputs.box)
    certificate = time.process_time() - start - regenerating
    solving = whole - certificate
    row = [name, f"{solver.problems:,}", f"{ticket.misses}", f"{layout.expected_misses:.2g}"]
    row += [f"{solver.seconds:.1f}", f"{solving:.1f}", f"{solving / solver.seconds:.2f}"]
    row += [f"{certificate:.1f}", f"{certificate / solving:.2f}", f"{regenerating:.1f}"]
    print("| " + " | ".join(row) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=1)
    options = parser.parse_args()
    where = environment(options.threads)
    print(f"commit {where.commit}, {where.cpu}, {options.threads} threads, {where.versions}\n")
    print("| network | parameters | command | s | processor s | GiB | ticket MB | time / half the weights |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        for name in options.networks:
            commands(name, options.threads, options.repeats, Path(folder))
    print("\n| network | problems | misses | planned | first | solving with generation | / first ", end="")
    print("| certificate | / solving | generation for a check |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    torch.set_num_threads(1)
    for name in options.networks:
        parts(name)
    print(f"\npeak of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
