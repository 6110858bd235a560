"""Attack certified tickets: how far below its bound does the worst input found stay?

    python benchmarks/attack.py TARGET TICKET --data D --data-dir DIR

Inputs tried: all test inputs, 10,000 random and 10,000 corner inputs of the box, and projected gradient ascent on each
output from the 64 worst of them, 500 steps. Target and ticket are compared in float64, from the exact coefficients.
"""

import argparse
import time

import numpy as np
import torch

from slth.data import load as load_data
from slth.network import read_target
from slth.ticket import load

STEPS, STARTS, POINTS = 500, 64, 10_000


def evaluator(target, parts):
    """x -> f(x) − f̂(x), float64."""
    wanted = [
        (torch.from_numpy(a.weight[:, :, 0]), None if a.bias is None else torch.from_numpy(a.bias))
        for a in target.coefficients.values()
    ]
    got = [
        (
            torch.from_numpy(p.positive[:, :, 0]),
            None if p.negative is None else torch.from_numpy(p.negative[:, :, 0]),
            None if p.bias is None else torch.from_numpy(p.bias),
        )
        for p in parts.values()
    ]

    def gap(x):
        y = z = x
        for i, ((w, b), (p, n, c)) in enumerate(zip(wanted, got, strict=True)):
            y, z = (torch.relu(y), torch.relu(z)) if i else (y, z)
            below = 0 if n is None else (-z).clamp(min=0) @ n.T
            y, z = torch.nn.functional.linear(y, w, b), torch.nn.functional.linear(z.clamp(min=0), p, c) + below
        return y - z

    return gap


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target")
    parser.add_argument("ticket")
    parser.add_argument("--data", required=True)
    parser.add_argument("--data-dir")
    options = parser.parse_args()
    start = time.perf_counter()
    ticket, target = load(options.ticket), read_target(options.target)
    gap = evaluator(target, {path: ticket.realised(path) for path in ticket.maps})
    data = load_data(options.data, data_dir=options.data_dir, train=False, shape=ticket.inputs.shape)
    box, inputs = ticket.inputs.box, ticket.inputs.size
    low, high = torch.from_numpy(box.lower), torch.from_numpy(box.upper)
    rng = np.random.default_rng(0)
    tried = {
        "test inputs": torch.from_numpy(ticket.inputs.normalised(data.test_x).astype(np.float64)),
        "random": low + torch.from_numpy(rng.random((POINTS, inputs))) * (high - low),
        "corners": low + torch.from_numpy(rng.integers(0, 2, (POINTS, inputs)).astype(np.float64)) * (high - low),
    }
    worst = {}
    with torch.no_grad():
        gaps = {name: gap(x).abs() for name, x in tried.items()}
    for name, found in gaps.items():
        worst[name] = float(found.max())
    pool, errors = torch.cat(list(tried.values())), torch.cat(list(gaps.values()))
    worst["gradient"] = 0.0
    for output in range(errors.shape[1]):
        x = pool[errors[:, output].argsort()[-STARTS:]].clone()
        for step in range(STEPS):
            x.requires_grad_()
            found = gap(x)[:, output].abs()
            worst["gradient"] = max(worst["gradient"], float(found.detach().max()))
            (slope,) = torch.autograd.grad(found.sum(), x)
            x = torch.clamp(x.detach() + 0.2 * (1 - step / STEPS) * (high - low) * slope.sign(), low, high)
    bound = ticket.claims.sup_error
    print(f"{ticket}\nbound {bound:.6g}")
    for name, value in worst.items():
        print(f"{name:12} worst {value:.6g}  bound / worst {bound / value:.2f}")
    print(f"{time.perf_counter() - start:.1f} s")
    assert max(worst.values()) <= bound


if __name__ == "__main__":
    main()
