"""What the moves of projected SGD are worth to a mask that is trained afterwards, and whether their places matter.

    python benchmarks/perturbation.py --data-dir DATA [--seeds 3]

784-100-10 on MNIST, Kaiming normal x 4, weights moved by at most ε, then edge-popup at density 0.5. The moves: those of
projected SGD; the same moves shuffled among the weights of a layer; none. (Whether SGD moves as a good set of
perturbations would is asked by `slth reproduce perturbations`.)
"""

import argparse
import statistics
from dataclasses import replace

import torch
from torch import Tensor, nn

from slth.data import load
from slth.learning import EdgePopup, PerturbedEdgePopup, Policy, attach
from slth.learning.batches import Batches
from slth.learning.devices import fabric_for
from slth.learning.predictions import accuracy
from slth.learning.trainer import train
from slth.records import environment

EPSILONS = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1)
HIDDEN, CLASSES = 100, 10


def network() -> nn.Sequential:
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, HIDDEN, bias=False), nn.ReLU(), nn.Linear(HIDDEN, CLASSES, bias=False)
    )


def shuffled(moves: list[Tensor], seed: int) -> list[Tensor]:
    """The same numbers, elsewhere in the same layer."""
    draws = torch.Generator().manual_seed(seed)
    return [move.flatten()[torch.randperm(move.numel(), generator=draws)].view_as(move) for move in moves]


def popup(moves: list[Tensor] | None, batches: Batches, test: Batches, seed: int) -> float:
    """Accuracy of edge-popup at density 0.5 on random weights that have moved."""
    model = network()
    masks = attach(model, EdgePopup(0.5), seed=seed, policy=Policy(law="kaiming_normal", gain=4.0))
    with torch.no_grad():
        for tensor, move in zip(masks, moves or [], strict=False):
            tensor.original.add_(move)
    training = PerturbedEdgePopup().training
    train(masks, EdgePopup(0.5).stages(training), batches, None, asked={}, fabric=fabric_for(training))
    return accuracy(model, test) / len(test.x)


def projected(epsilon: float, batches: Batches, seed: int) -> list[Tensor]:
    """How projected SGD moves the weights of the unpruned network."""
    method = PerturbedEdgePopup(0.5, epsilon, lr_weights=0.02, momentum_weights=0.9)
    masks = attach(network(), method, seed=seed, policy=Policy(law="kaiming_normal", gain=4.0))
    start = [tensor.original.detach().clone() for tensor in masks]
    stage = method.stages(method.training)[0]
    train(masks, [stage], batches, None, asked={}, fabric=fabric_for(stage.training))
    return [tensor.original.detach() - begin for tensor, begin in zip(masks, start, strict=True)]


def accuracies(batches: Batches, test: Batches, seeds: int) -> None:
    print("| ε | moves of projected SGD | the same, shuffled | none |")
    print("| --- | --- | --- | --- |")
    none = [popup(None, batches, test, seed) for seed in range(seeds)]
    for epsilon in EPSILONS[1:]:
        rows = []
        for seed in range(seeds):
            moves = projected(epsilon, batches, seed)
            rows.append(
                [popup(moves, batches, test, seed), popup(shuffled(moves, seed), batches, test, seed), none[seed]]
            )
        print(f"| {epsilon} |", " | ".join(_mean(column) for column in zip(*rows, strict=True)), "|", flush=True)


def _mean(values: tuple[float, ...]) -> str:
    spread = f" ± {statistics.stdev(values):.2%}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.2%}{spread}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir")
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    torch.set_num_threads(1)
    where = environment(1)
    print(f"commit {where.commit}, {where.cpu}, one thread, {options.seeds} seeds\n")
    data = load("mnist", data_dir=options.data_dir)
    batches = Batches(data.train_x, data.train_y, (0.0,), (1.0,), 128, 0)
    test = replace(batches, x=data.test_x, y=data.test_y, size=1000)
    accuracies(batches, test, options.seeds)


if __name__ == "__main__":
    main()
