"""Convolutional networks as tickets: LeNet-5 on MNIST and Fashion-MNIST, ResNet-20 on CIFAR-10, trained here.

    python benchmarks/convolutional.py --data-dir DIR [--network lenet_5] [--data mnist] [--epochs 5]

1. Largest relative error of a weight of the two convolutions, max |w − ŵ| / max |w|, against the number n of candidates
   per weight: the published curve of da Cunha, Natale and Viennot (2022), whose candidates are plain numbers U[−1, 1],
   fresh for every weight, and whose solver is exact; beside it plain candidates solved by `closest`, and a real random
   network, whose candidates are products that the weights of one input share.
2. The network at a tolerance: accuracy of target and ticket, claims, the worst found by attack, bits per weight, time.
"""

import argparse
import json
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional

import slth
from slth.construction import gain
from slth.data import load
from slth.network import build_architecture, read_target
from slth.numerics import Stream, uniform
from slth.records import environment
from slth.subsetsum import closest_batch
from slth.ticket import TwoLayer

WIDTHS = (5, 10, 15, 20, 25, 30)
PUBLISHED = {
    "mnist": (0.89, 0.57, 1.8e-2, 7.3e-4, 7.7e-5, 7.7e-6),
    "fashion_mnist": (0.79, 0.77, 0.51, 2.6e-3, 1.5e-5, 2.2e-5),
}


def trained(model: nn.Module, x: np.ndarray, y: np.ndarray, *, epochs: int, lr: float) -> nn.Module:
    """Adam, batch 128, cosine rate; inputs as the network takes them."""
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    steps = epochs * (len(x) // 128)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    rng = np.random.default_rng(0)
    model.train()
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x) - 127, 128):
            rows = order[start : start + 128]
            loss = functional.cross_entropy(model(torch.from_numpy(x[rows])), torch.from_numpy(y[rows]))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return model.eval()


def plain_curve(weights: np.ndarray, n: int) -> float:
    """Fresh plain candidates for every weight, the closest subset: max |w − ŵ| / max |w|."""
    rows = uniform(Stream(0, f"plain/{n}"), (weights.size, n)).astype(np.float64)
    found = closest_batch(rows, weights.ravel())
    return float(found.error.max() / np.abs(weights).max())


def random_network_curve(model: nn.Module, shape: tuple[int, ...], n: int) -> float:
    """The same in a random network of n candidates, the tolerance as fine as nothing misses."""
    convolutions = ("0", "3")
    target = read_target(model, input_shape=shape)
    worst = 0.0
    for path, affine in target.coefficients.items():
        if path not in convolutions:
            continue
        op = target.graph.maps[path]
        weight = affine.weight
        gadget = TwoLayer(n, 0, 0, (), gain(weight), 1.0)
        gadget = gadget.fitted(path, type(op)(op.map, op.basis, False), 0)
        bare = type(op)(op.map, op.basis, False)
        for block in gadget.problems(path, bare, 0):
            rows = np.ascontiguousarray(block.candidates().transpose(0, 2, 1)).reshape(-1, n)
            found = closest_batch(rows, block.targets(affine).ravel())
            worst = max(worst, float(found.error.max()) * block.gain / float(np.abs(weight).max()))
    return worst


def attack(model: nn.Module, other: nn.Module, x: np.ndarray, steps: int = 100) -> float:
    """The largest difference of an output found by gradient ascent in [0, 1] from data and from random images."""
    start = np.concatenate([x[:64], np.random.default_rng(0).random((64, *x.shape[1:]), np.float32)])
    point = torch.from_numpy(start).requires_grad_(True)
    worst = 0.0
    for _ in range(steps):
        difference = (model(point) - other(point)).abs().amax(1)
        worst = max(worst, float(difference.max()))
        (gradient,) = torch.autograd.grad(difference.sum(), point)
        with torch.no_grad():
            point = (point + 0.05 * gradient.sign()).clamp(0, 1)
        point.requires_grad_(True)
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--network", default="lenet_5")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--tolerance", type=float, default=1e-4)
    options = parser.parse_args()
    where = environment(torch.get_num_threads())
    print(f"commit {where.commit}, {where.cpu}, {where.threads} threads, {json.dumps(where.versions)}\n")
    data = load(options.data, data_dir=options.data_dir)
    train_x, test_x = (x.astype(np.float32) / 255 for x in (data.train_x, data.test_x))
    torch.manual_seed(0)
    arguments = {"inputs": list(data.shape), "classes": data.classes}
    model = build_architecture(options.network, arguments)
    start = time.perf_counter()
    trained(model, train_x, data.train_y, epochs=options.epochs, lr=1e-3)
    print(
        f"{options.network} on {options.data}, {options.epochs} epochs: trained in {time.perf_counter() - start:.0f} s"
    )
    if options.data in PUBLISHED and options.network == "lenet_5":
        weights = np.concatenate([part.weight.detach().double().numpy().ravel() for part in (model[0], model[3])])
        print("\n| n | published | plain candidates, exact | random network, closest |\n| --- | --- | --- | --- |")
        for n, published in zip(WIDTHS, PUBLISHED[options.data], strict=True):
            plain, network = plain_curve(weights, n), random_network_curve(model, data.shape, n)
            print(f"| {n} | {published:.2g} | {plain:.2g} | {network:.2g} |", flush=True)
    start = time.perf_counter()
    ticket = slth.construct(model, input_shape=data.shape, input_range=(0, 1), tolerance=options.tolerance)
    seconds = time.perf_counter() - start
    start = time.perf_counter()
    holds = slth.verify(ticket, target=model).holds
    checked = time.perf_counter() - start
    found = slth.evaluate(ticket, (test_x, data.test_y), target=model)
    worst = attack(model, slth.realised(ticket), test_x)
    size = found.sizes
    accuracies = f"target {found.target_accuracy.value:.4%}, ticket {found.accuracy.value:.4%}"
    source = size.source_parameters / size.target_parameters
    print(f"\ntolerance {options.tolerance:g}: {ticket.misses} misses, constructed in {seconds:.1f} s")
    print(f"verified {holds} in {checked:.1f} s")
    print(f"{size.target_parameters:,} parameters, {size.bits_per_weight:.1f} mask bits per weight")
    print(f"source {source:.0f} x target, {size.carried} numbers carried")
    print(f"accuracy: {accuracies}, {found.changed} changed")
    print(f"{found.unchanged_per_input.value:.2%} proved unchanged input by input")
    print(f"claimed {ticket.claims.sup_error:.4g}, measured {found.measured_error:.4g}, attacked {worst:.4g}")
    print(f"ratio of claim and attack {ticket.claims.sup_error / worst:.1f}")


if __name__ == "__main__":
    main()
