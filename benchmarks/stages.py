"""Precision at linear cost: time and bits against bits of precision, and errors of deep networks that stages reach.

    python benchmarks/stages.py bits [--weights 400000] [--bits 12 24 36 48]
    python benchmarks/stages.py resnet-20 | resnet-50 [--epsilon 0.1] [--width 1.0]

`bits`: a Gaussian map of deviation 0.1 (float32 weights), unsigned inputs, no bias; a tolerance of 2^(-bits - 1) gains.
The networks have random weights (He), inputs in [0, 1]; where an epsilon is out of reach, the best that is provable is
asked for instead. Seconds are those of a processor, one thread.
"""

import argparse
import re
import resource
import time

import numpy as np
import torch
from torch import nn

import slth
from slth import InputError
from slth.construction import Request, construct, plan_layout, solve
from slth.graph import Affine, chain
from slth.network import build_architecture, read_target
from slth.records import environment
from slth.ticket import Inputs, Ticket, TwoLayer


def stages_of(gadget: object) -> str:
    """Candidates of each stage, and the bits between their gains."""
    assert isinstance(gadget, TwoLayer)
    return " + ".join(f"{stage.candidates}" for stage in gadget.stages)


def bits(weights: int, asked: list[float]) -> None:
    """One row for each number of bits."""
    inputs = 1000
    rng = np.random.default_rng(0)
    weight = rng.normal(0, 0.1, (weights // inputs, inputs, 1)).astype(np.float32).astype(np.float64)
    target, box = chain([Affine(weight, None)]), Inputs((inputs,), lower=(0.0,), upper=(1.0,))
    construct(chain([Affine(weight[:2], None)]), Request(relative_tolerance=2.0**-40), inputs=box)  # compiles
    print("| bits | candidates | mask bits a weight | largest error in gains | same float32 | misses | us a weight |")
    print("| " + "--- | " * 7, flush=True)
    for each in asked:
        request = Request(relative_tolerance=2.0 ** (-each - 1))
        start = time.process_time()
        ticket = construct(target, request, inputs=box)
        spent = (time.process_time() - start) / weight.size * 1e6
        part, gadget = ticket.realised("layers/0"), ticket.gadgets["layers/0"]
        error = np.abs(part.positive - weight).max() / gadget.gain
        same = int((part.positive.astype(np.float32) == weight.astype(np.float32)).sum())
        print(
            f"| {each:g} | {stages_of(gadget)} | {ticket.mask_bits / weight.size:.0f} | {error:.1e} | "
            f"{same:,} of {weight.size:,} | {ticket.misses} | {spent:.2f} |",
            flush=True,
        )


class Bottleneck(nn.Module):
    """Of a ResNet-50."""

    def __init__(self, entering: int, middle: int, leaving: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(entering, middle, 1, bias=False), nn.BatchNorm2d(middle)
        self.conv2, self.bn2 = nn.Conv2d(middle, middle, 3, stride, 1, bias=False), nn.BatchNorm2d(middle)
        self.conv3, self.bn3 = nn.Conv2d(middle, leaving, 1, bias=False), nn.BatchNorm2d(leaving)
        changes = entering != leaving or stride > 1
        shortcut = [nn.Conv2d(entering, leaving, 1, stride, bias=False), nn.BatchNorm2d(leaving)]
        self.down = nn.Sequential(*shortcut) if changes else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(torch.relu(self.bn2(self.conv2(y)))))
        return torch.relu(y + self.down(x))


def resnet_50(width: float) -> nn.Module:
    """25.6 million weights at width 1."""
    first = int(64 * width)
    layers: list[nn.Module] = [nn.Conv2d(3, first, 7, 2, 3, bias=False), nn.BatchNorm2d(first), nn.ReLU()]
    layers.append(nn.MaxPool2d(3, 2, 1))
    entering = first
    for middle, blocks, stride in ((64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)):
        own, leaving = int(middle * width), int(4 * middle * width)
        for block in range(blocks):
            layers.append(Bottleneck(entering, own, leaving, stride if block == 0 else 1))
            entering = leaving
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(entering, 1000))


def network(name: str, epsilon: float, width: float) -> None:
    """An error of the whole network: stages, candidates, time."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    small = name == "resnet-20"
    shape = (3, 32, 32) if small else (3, 224, 224)
    module = build_architecture("resnet_20", {"inputs": list(shape), "classes": 10}) if small else resnet_50(width)
    target = read_target(module.eval(), input_shape=shape)
    inputs = Inputs(shape, None, None, (0.0,), (1.0,))
    print(f"{name}: {target.graph.weights:,} weights in {len(target.graph.maps)} maps", flush=True)
    start = time.process_time()
    try:
        layout = plan_layout(target, Request(epsilon=epsilon), inputs=inputs)
    except InputError as error:
        print(error)
        found = re.search(r"best in reach is about ([^:]+):", str(error))
        assert found is not None
        epsilon = 1.01 * float(found[1])
        layout = plan_layout(target, Request(epsilon=epsilon), inputs=inputs)
    print(f"epsilon {epsilon:.3g}: planned in {time.process_time() - start:.1f} s", flush=True)
    for path, gadget in layout.gadgets.items():
        print(f"  {path}: {stages_of(gadget)} candidates, tolerance {layout.tolerances[path]:.2g}")
    start = time.process_time()
    ticket: Ticket = solve(target, layout, inputs=inputs, asked={"epsilon": epsilon})
    spent = time.process_time() - start
    assert ticket.claims is not None
    print(
        f"constructed in {spent:.1f} s of processor, {spent / target.graph.weights * 1e6:.1f} us a weight; claimed "
        f"{ticket.claims.sup_error:.3g}, {ticket.misses} misses, {ticket.mask_bits / target.graph.weights:.1f} bits a "
        f"weight, peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB",
        flush=True,
    )
    if small:
        start = time.process_time()
        print(f"verified: {slth.verify(ticket, target=target).holds}, {time.process_time() - start:.1f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("bits", "resnet-20", "resnet-50"))
    parser.add_argument("--weights", type=int, default=400_000)
    parser.add_argument("--bits", type=float, nargs="+", default=[12, 24, 36, 48])
    parser.add_argument("--epsilon", type=float, default=0.1)
    parser.add_argument("--width", type=float, default=1.0)
    options = parser.parse_args()
    where = environment(1)
    print(f"commit {where.commit}, {where.cpu}, 1 thread\n")
    if options.what == "bits":
        bits(options.weights, options.bits)
    else:
        network(options.what, options.epsilon, options.width)


if __name__ == "__main__":
    main()
