"""Time of one training step: dense, edge-popup as here, and edge-popup with a full sort in every forward pass.

    python benchmarks/search_steps.py [--threads 1] [--steps 40] [--device cpu]

Forward, backward and optimiser (SGD, momentum 0.9) on random data. The variants take turns within one loop, so that
what else runs on the machine meets them alike; medians, and ratios to dense. "sort": |s| is sorted, the k-th value
compared; "topk": `torch.topk` in place of the sort. All three keep exactly k.
"""

import argparse
import copy
import statistics
import time

import torch
from torch import Tensor, nn

from slth.learning import EdgePopup, Policy, attach
from slth.learning.selection import product, top
from slth.network import build_architecture
from slth.records import environment

CASES = {
    "lenet_300_100, batch 128": ("lenet_300_100", [1, 28, 28], 128),
    "conv_4, batch 128": ("conv_4", [3, 32, 32], 128),
    "resnet_20, batch 128": ("resnet_20", [3, 32, 32], 128),
}
GPU = {"resnet_18, batch 512, bf16": ("resnet_18", [3, 32, 32], 512)}


class Sorted(nn.Module):
    """What released scripts do: sort all scores in every forward pass."""

    binary = False

    def __init__(self, scores: Tensor, kept: int, how: str):
        super().__init__()
        self.scores, self.kept, self.how = nn.Parameter(scores), kept, how

    def forward(self, weight: Tensor) -> Tensor:
        if self.how == "topk":
            return product(weight, self.scores, top(self.scores, self.kept))
        size = self.scores.detach().abs().flatten()
        _, order = size.sort()
        mask = torch.ones_like(size)
        mask[order[: size.numel() - self.kept]] = 0
        return product(weight, self.scores, mask.view_as(self.scores))


class Other(EdgePopup):
    """Edge-popup with another selection."""

    how = "sort"

    def mask(self, weight):
        return Sorted(weight.uniform("scores"), weight.kept, self.how)


class TopK(Other):
    how = "topk"


def variant(name: str, model: nn.Module):
    """A step function of one variant."""
    model = copy.deepcopy(model)
    if name != "dense":
        method = {"slth": EdgePopup, "sort": Other, "topk": TopK}[name](0.5)
        attach(model, method, policy=Policy())
    moving = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(moving, lr=0.01, momentum=0.9, weight_decay=1e-4)

    def step(x: Tensor, y: Tensor, bf16: bool) -> None:
        with torch.autocast(x.device.type, torch.bfloat16, enabled=bf16):
            loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    where = environment(options.threads)
    gpu = options.device != "cpu"
    device = torch.cuda.get_device_name() if gpu else where.cpu
    print(f"commit {where.commit}, {device}, {options.threads} thread(s), torch {torch.__version__}, density 0.5\n")
    print("| network | weights | dense, ms | slth | sort | topk | slth / dense | sort / dense | topk / dense |")
    print("|" + " --- |" * 9)
    for name, (model, inputs, batch) in (GPU if gpu else CASES).items():
        network = build_architecture(model, {"inputs": inputs, "classes": 10}).to(options.device)
        x, y = torch.randn(batch, *inputs, device=options.device), torch.randint(10, (batch,), device=options.device)
        steps = {kind: variant(kind, network) for kind in ("dense", "slth", "sort", "topk")}
        taken: dict[str, list[float]] = {kind: [] for kind in steps}
        for number in range(options.steps + 3):
            for kind, step in steps.items():
                start = time.perf_counter()
                step(x, y, gpu)
                if gpu:
                    torch.cuda.synchronize()
                if number >= 3:
                    taken[kind].append((time.perf_counter() - start) * 1e3)
        ms = {kind: statistics.median(values) for kind, values in taken.items()}
        ratios = [statistics.median(a / b for a, b in zip(taken[k], taken["dense"], strict=True)) for k in ms]
        count = sum(p.numel() for p in network.parameters())
        cells = [name, f"{count:,}", *(f"{value:.2f}" for value in ms.values()), *(f"{r:.2f}" for r in ratios[1:])]
        print("|", " | ".join(cells), "|", flush=True)


if __name__ == "__main__":
    main()
