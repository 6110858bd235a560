"""Does the move that SGD makes coincide with a good set of perturbations? (Xiong, Liao and Kyrillidis, 2023)

    python benchmarks/perturbation.py --data-dir DATA [--seeds 3]

First, accuracy. 784-100-10 on MNIST, Kaiming normal x 4, weights moved by at most ε, then edge-popup at density 0.5.
The moves: those of projected SGD; the same moves shuffled among the weights of a layer; none.

Second, subset sums. The target is a trained 784-100-10; the source has eight live candidates u v per weight,
u ~ U[0, 1), v ~ U[-g, g), as in the two-layer construction. The v move by at most ε g: by projected SGD on the whole
source network, by the same moves shuffled, or, per target weight, by the best choice of subset and moves together,
found by going through all 2^8 subsets: |z - sum| <= η + ε g Σ|u| of the kept. Then: which fraction of the weights is
within η = 1e-4 g of a subset sum, the median error over g, and how often SGD moves a kept candidate (if it moves it)
the way the optimum does (a coin: 50 %).
"""

import argparse
import copy
import statistics
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from slth.data import load
from slth.learning import EdgePopup, PerturbedEdgePopup, Policy, attach
from slth.learning.batches import Batches
from slth.learning.devices import fabric_for
from slth.learning.predictions import accuracy
from slth.learning.trainer import train
from slth.numerics import Stream, uniform
from slth.records import environment

EPSILONS = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1)
COUNT, ETA = 8, 1e-4
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


class Source(nn.Module):
    """Eight live candidates for every weight: lifts u are fixed, mixing weights v may move."""

    def __init__(self, target: nn.Sequential, seed: int):
        super().__init__()
        self.gains, self.lifts, self.mixing = [], [], nn.ParameterList()
        for layer, wanted in enumerate([target[1].weight, target[3].weight]):
            out, inp = wanted.shape
            gain = 2.0 ** np.ceil(np.log2(1.5 * float(wanted.detach().abs().max())))
            u = np.abs(uniform(Stream(seed, f"lift{layer}"), (inp, COUNT)))
            v = uniform(Stream(seed, f"mixing{layer}"), (out, inp, COUNT)) * np.float32(gain)
            self.gains.append(gain)
            self.lifts.append(torch.from_numpy(u))
            self.mixing.append(nn.Parameter(torch.from_numpy(v)))
        self.start = [v.detach().clone() for v in self.mixing]

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        for layer, (u, v) in enumerate(zip(self.lifts, self.mixing, strict=True)):
            x = nn.functional.linear(
                x, (v * u).sum(2)
            )  # the ReLU of the lift does nothing: inputs and u are not negative
            x = x if layer else x.relu()
        return x / 8  # the unpruned source is loud; a constant changes no prediction

    def moved(self, epsilon: float, batches: Batches, seed: int) -> list[Tensor]:
        """Projected SGD in the box of ε g around the random mixing weights, one epoch."""
        model, rows = copy.deepcopy(self), np.random.default_rng(seed)
        optimizer = torch.optim.SGD(model.mixing, lr=0.02, momentum=0.9)
        order = rows.permutation(len(batches.x))
        for start in range(0, len(order), 128):
            x, y = batches.take(order[start : start + 128])
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
            with torch.no_grad():
                for v, begin, gain in zip(model.mixing, self.start, self.gains, strict=True):
                    v.copy_(begin + (v - begin).clamp(-epsilon * gain, epsilon * gain))
        return [(v - begin).detach() for v, begin in zip(model.mixing, self.start, strict=True)]


def subset_sums(wanted: np.ndarray, u: np.ndarray, v: np.ndarray, slack: float) -> tuple[np.ndarray, ...]:
    """(error, kept (weights, COUNT), signed residual) of the best subset, each kept v free to move by `slack`."""
    subsets = (np.arange(1 << COUNT)[:, None] >> np.arange(COUNT) & 1).astype(np.float64)
    found = []
    for z, lifts, values in zip(wanted.T, u, v.transpose(1, 0, 2), strict=True):  # input by input
        residual = z[:, None] - (values.astype(np.float64) * lifts) @ subsets.T  # (out, subsets)
        error = np.maximum(np.abs(residual) - slack * (subsets @ lifts), 0)
        best = error.argmin(1)
        at = np.arange(len(z))
        found.append((error[at, best], subsets[best] > 0, residual[at, best]))
    return tuple(np.stack(parts, 1) for parts in zip(*found, strict=True))  # (out, inp, ...)


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


def coincidence(batches: Batches, seeds: int) -> None:
    print(
        "\n| ε | within η: none | SGD | shuffled | best | median error / g: none | SGD | shuffled | best | same sign |"
    )
    print("|" + " --- |" * 10)
    target = trained(batches)
    for epsilon in EPSILONS[1:]:
        rows = []
        for seed in range(seeds):
            source = Source(target, seed)
            moves = source.moved(epsilon, batches, seed)
            errors: dict[str, list[np.ndarray]] = {"none": [], "sgd": [], "shuffled": [], "best": []}
            agree = []
            others = shuffled(moves, seed)
            for layer, wanted in enumerate([target[1].weight, target[3].weight]):
                z, u, gain = wanted.detach().double().numpy(), source.lifts[layer].double().numpy(), source.gains[layer]
                begin = source.start[layer].numpy()
                for name, v in (
                    ("none", begin),
                    ("sgd", begin + moves[layer].numpy()),
                    ("shuffled", begin + others[layer].numpy()),
                ):
                    errors[name].append(subset_sums(z, u, v, 0.0)[0].ravel() / gain)
                error, kept, residual = subset_sums(z, u, begin, epsilon * gain)
                errors["best"].append(error.ravel() / gain)
                signs = np.sign(moves[layer].numpy())
                agree.append((signs == np.sign(residual)[:, :, None])[kept & (signs != 0)])
            whole = [np.concatenate(parts) for parts in errors.values()]
            row = [float((error <= ETA).mean()) for error in whole]
            rows.append([*row, *(float(np.median(error)) for error in whole), float(np.concatenate(agree).mean())])
        columns = [statistics.mean(column) for column in zip(*rows, strict=True)]
        cells = [f"{c:.1%}" for c in columns[:4]] + [f"{c:.2e}" for c in columns[4:8]] + [f"{columns[8]:.1%}"]
        print(f"| {epsilon} |", " | ".join(cells), "|", flush=True)


def trained(batches: Batches) -> nn.Sequential:
    torch.manual_seed(0)
    model, rows = network(), np.random.default_rng(0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(3):
        order = rows.permutation(len(batches.x))
        for start in range(0, len(order), 128):
            x, y = batches.take(order[start : start + 128])
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
    return model


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
    coincidence(batches, options.seeds)


if __name__ == "__main__":
    main()
