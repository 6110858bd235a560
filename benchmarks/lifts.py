"""ReLU lifts against linear ones, for the same networks, whose inputs can be negative.

    python benchmarks/lifts.py [--relative-tolerance 0.002] [--rows NAME,NAME]

Targets: one dense Gaussian layer, 784-500-10 with ReLU and with tanh, and a small convolutional network with GELU;
random weights of deviation √(2 / fan-in) (one layer and tanh: √(1 / fan-in)), inputs in [−1, 1]. A row has the random
candidates of a weight, in each half, neurons of all lifts, those among them that are dead, parameters of the source
over those of the target, bits of the mask and of the file for each weight, the certified largest and Euclidean error of
the outputs, the largest error found on 500 random inputs and as many corners, and the processor time of `construct` and
of `verify`; the best of three.
"""

import argparse
import math
import time
from collections.abc import Callable, Mapping

import torch
from torch import nn

import slth
from slth.records import environment

Make = Callable[[], tuple[nn.Module, tuple[int, ...]]]


def scaled(model: nn.Module, factor: float) -> nn.Module:
    """Weights Gaussian of variance factor / fan-in, biases of deviation 0.1."""
    torch.manual_seed(0)
    for name, value in model.named_parameters():
        deviation = 0.1 if name.endswith("bias") else math.sqrt(factor / value[0].numel())
        value.data.normal_(0, deviation)
    return model.eval()


def mlp(function: type[nn.Module], factor: float) -> tuple[nn.Module, tuple[int, ...]]:
    return scaled(nn.Sequential(nn.Linear(784, 500), function(), nn.Linear(500, 10)), factor), (784,)


def convolutional() -> tuple[nn.Module, tuple[int, ...]]:
    first = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.GELU(), nn.Conv2d(16, 32, 3, padding=1, stride=2), nn.GELU()
    )
    return scaled(nn.Sequential(first, nn.Flatten(), nn.Linear(32 * 64, 10)), 2.0), (3, 16, 16)


TARGETS: Mapping[str, Make] = {
    "dense 256 x 256": lambda: (scaled(nn.Sequential(nn.Linear(256, 256)), 1.0), (256,)),
    "784-500-10 ReLU": lambda: mlp(nn.ReLU, 2.0),
    "784-500-10 tanh": lambda: mlp(nn.Tanh, 1.0),
    "convolutions, GELU": convolutional,
}
COLUMNS = (
    *("lift", "candidates", "neurons", "dead", "source", "mask bits", "file bits", "claim", "claim, l2", "measured"),
    *("construct", "verify"),
)


def row(model: nn.Module, shape: tuple[int, ...], lift: str, tolerance: float) -> str:
    weights = sum(value.numel() for value in model.parameters())
    best = [math.inf, math.inf]
    for _ in range(3):
        start = time.process_time()
        ticket = slth.construct(
            model, input_shape=shape, input_range=(-1, 1), relative_tolerance=tolerance, lift=lift, threads=1
        )
        middle = time.process_time()
        assert slth.verify(ticket, target=model).holds
        best = [min(best[0], middle - start), min(best[1], time.process_time() - middle)]
    gadgets = [(gadget, ticket.maps[path]) for path, gadget in ticket.gadgets.items()]
    neurons = sum(gadget.neurons for gadget, _ in gadgets)
    dead = neurons - sum(gadget.live(op) for gadget, op in gadgets)
    bits = sum(gadget.cost(op).mask_bits for gadget, op in gadgets)
    x = torch.rand(500, *shape, generator=torch.Generator().manual_seed(1)) * 2 - 1
    x = torch.cat([x, x.sign()])
    with torch.inference_mode():
        found = (slth.realised(ticket)(x) - model(x)).abs().max().item()
    claims = ticket.claims
    assert claims is not None
    assert not ticket.misses
    cells = [
        lift,
        ", ".join(str(gadget.candidates) for gadget, _ in gadgets),
        f"{neurons:,}",
        f"{dead:,}",
        f"{ticket.size / weights:,.0f} x",
        f"{bits / weights:.1f}",
        f"{8 * len(slth.ticket.encode(ticket)) / weights:.1f}",
        f"{claims.sup_error:.3g}",
        f"{claims.l2_error:.3g}",
        f"{found:.2g}",
        *(f"{seconds:.2f} s" for seconds in best),
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--relative-tolerance", type=float, default=2.0**-9)
    parser.add_argument("--rows", default=",".join(TARGETS).replace(", ", "; "))
    options = parser.parse_args()
    where = environment(1)
    print(f"commit {where.commit}, {where.cpu}, 1 thread, tolerance {options.relative_tolerance:g} gains\n")
    print(f"| network | {' | '.join(COLUMNS)} |")
    print("|---" * (len(COLUMNS) + 1) + "|")
    for name in (name.replace("; ", ", ") for name in options.rows.split(",")):
        model, shape = TARGETS[name]()
        for lift in ("relu", "linear"):
            print(f"| {name} {row(model, shape, lift, options.relative_tolerance)}", flush=True)


if __name__ == "__main__":
    main()
