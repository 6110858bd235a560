"""Convolutional networks as tickets: LeNet-5 on MNIST and Fashion-MNIST, ResNet-20 on CIFAR-10, trained here.

    python benchmarks/convolutional.py --data-dir DIR --data mnist --epochs 10
    python benchmarks/convolutional.py --data-dir DIR --data cifar10 --network resnet_20 --weights resnet_20.pt
        --tolerances 1e-4 1e-8 --proved 500

The network at each tolerance, and at each error of the whole network that is asked for: accuracy of target and
ticket, claims, the worst found by attack (`network_attack`, on inputs in [0, 1]), predictions proved, bits per weight,
seconds by the clock and, in brackets, of processor.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from network_attack import attack
from torch import nn
from torch.nn import functional

import slth
from slth.data import Examples, load
from slth.graph import Target
from slth.network import build_architecture, outputs, read_target
from slth.records import environment


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


def timed(work: Callable[[], Any], repeats: int = 3) -> tuple[Any, str]:
    """The last result, and the medians of both clocks; one run is enough where it takes long."""
    clock, processor = [], []
    while len(clock) < repeats and sum(clock) < 60:
        start, spent = time.perf_counter(), time.process_time()
        result = work()
        clock.append(time.perf_counter() - start)
        processor.append(time.process_time() - spent)
    return result, f"{statistics.median(clock):.1f} s ({statistics.median(processor):.1f} s)"


def correct(model: nn.Module, data: Examples) -> str:
    x = data.test_x.astype(np.float32) / 255
    return f"{(outputs(model, x).argmax(1) == data.test_y).mean():.2%} of {len(x):,}"


def measured(target: Target, data: Examples, options: argparse.Namespace, asked: Mapping[str, float]) -> None:
    """One tolerance, or one error of the whole network."""
    x, y = data.test_x[: options.proved].astype(np.float32) / 255, data.test_y[: options.proved]
    print("\n" + ", ".join(f"{name} {value:g}" for name, value in asked.items()), flush=True)
    threads = torch.get_num_threads()
    ticket, constructing = timed(lambda: slth.construct(target, input_range=(0, 1), threads=threads, **asked))
    verification, verifying = timed(lambda: slth.verify(ticket, target=target))
    print(f"{ticket.misses} misses, constructed in {constructing}, verified {verification.holds} in {verifying}")
    size = slth.evaluate(ticket, (x[:1], y[:1])).sizes
    print(
        f"{size.target_parameters:,} parameters, {min(size.candidates)} to {max(size.candidates)} candidates, mask "
        f"bits per weight {size.bits_per_weight:.1f} ({size.stored_mask_bits / size.target_parameters:.1f} stored), "
        f"source {size.source_parameters:,} = {size.source_parameters / size.target_parameters:.0f} x target, "
        f"{size.carried} numbers carried",
        flush=True,
    )
    print(f"accuracy {correct(slth.realised(ticket), data)}", flush=True)
    found, evaluating = timed(lambda: slth.evaluate(ticket, (x, y), target=target), 1)
    print(
        f"of {len(x):,}: {found.changed} changed, {found.unchanged_on_box.value:.2%} proved unchanged by the "
        f"claim over the domain, {found.unchanged_per_input.value:.2%} input by input, in {evaluating}",
        flush=True,
    )
    parts = {path: ticket.realised(path) for path in ticket.maps}
    worst, attacking = timed(
        lambda: attack(target, parts, ticket.inputs.box, data=x, points=options.points, steps=options.steps), 1
    )
    ways = ", ".join(f"{way} {value:.3g}" for way, value in worst.by.items())
    bound = ticket.claims.sup_error
    print(
        f"claimed {bound:.4g}; worst found {worst.worst:.4g} ({ways}) in {attacking}; ratio {bound / worst.worst:.3g}"
    )
    assert verification.holds
    assert worst.worst <= bound


def trained_network(options: argparse.Namespace, data: Examples) -> nn.Module:
    """Read from a file of `convolutional_training`, or trained here."""
    model = build_architecture(options.network, {"inputs": list(data.shape), "classes": data.classes})
    if options.weights:
        held = torch.load(options.weights)
        model.load_state_dict(held["state_dict"])
        print(f"{options.network} on {options.data}: {held['epochs']:.2f} epochs in {held['seconds']:.0f} s")
        return model.eval()
    x = data.train_x.astype(np.float32) / 255
    _, took = timed(lambda: trained(model, x, data.train_y, epochs=options.epochs, lr=1e-3), 1)
    print(f"{options.network} on {options.data}: {options.epochs} epochs in {took}", flush=True)
    return model.eval()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", required=True)
    parser.add_argument("--data", default="mnist")
    parser.add_argument("--network", default="lenet_5")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--weights", help="a file of benchmarks/convolutional_training.py")
    parser.add_argument("--tolerances", type=float, nargs="*", default=[1e-4])
    parser.add_argument("--epsilons", type=float, nargs="*", default=[], help="errors of the whole network")
    parser.add_argument("--proved", type=int, default=10_000, help="test images for proofs and attack")
    parser.add_argument("--points", type=int, default=500, help="random inputs, and corners, of the attack")
    parser.add_argument("--steps", type=int, default=100, help="of gradient ascent")
    options = parser.parse_args()
    where = environment(torch.get_num_threads())
    print(f"commit {where.commit}, {where.cpu}, {where.threads} threads, {json.dumps(where.versions)}\n")
    data = load(options.data, data_dir=options.data_dir)
    model = trained_network(options, data)
    target, reading = timed(lambda: read_target(model, input_shape=data.shape))
    print(f"\nread in {reading}: {len(target.graph.maps)} maps, {len(target.carried)} arrays carried", flush=True)
    print(f"accuracy of the target {correct(model, data)}", flush=True)
    for tolerance in options.tolerances:
        measured(target, data, options, {"tolerance": tolerance})
    for epsilon in options.epsilons:
        measured(target, data, options, {"epsilon": epsilon})


if __name__ == "__main__":
    main()
