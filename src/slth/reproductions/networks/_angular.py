"""The angular velocities of Otsuka et al. (2026), regressed by an attention or a transformer.

Inputs: x_t = (cos(ωt + θ), sin(ωt + θ)), t < T, ω uniform on [−π, π], θ on [0, π], and a token of zeros behind them.
The output of every token regresses ω. Blocks have no normalisation: y = A(x) + x, F(y) + y. Projections are kept at
spectral norm 1, the largest that the theorem allows. Without positions an attention sees the set of its tokens alone,
which hardly tells ω from −ω: little is learned, and what is compared is how near a ticket comes to its target.
"""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from slth.graph import INPUT, Add, Affine, Attention, Dense, Graph, Linear, Node, Pointwise, Target

HEAD = 8  # of queries and keys, and of values
WIDTH, HIDDEN = 4, 16  # of a transformer's tokens, and of its feed-forward layer


def angular(count: int, length: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (count, length + 1, 2) and ω (count,)."""
    speed, start = rng.uniform(-math.pi, math.pi, (count, 1)), rng.uniform(0, math.pi, (count, 1))
    angle = speed * np.arange(length) + start
    x = np.zeros((count, length + 1, 2))
    x[:, :-1, 0], x[:, :-1, 1] = np.cos(angle), np.sin(angle)
    return x, speed[:, 0]


class Attend(nn.Module):
    """One head without biases."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(inputs, HEAD, bias=False) for _ in range(3))
        self.o = nn.Linear(HEAD, outputs, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.o(nn.functional.scaled_dot_product_attention(self.q(x), self.k(x), self.v(x)))


class Transformer(nn.Module):
    """Embedding, blocks, head; no block: the attention alone."""

    def __init__(self, blocks: int) -> None:
        super().__init__()
        if blocks == 0:
            self.attention = nn.ModuleList([Attend(2, 1)])
        else:
            self.embed, self.head = nn.Linear(2, WIDTH), nn.Linear(WIDTH, 1)
            self.attention = nn.ModuleList([Attend(WIDTH, WIDTH) for _ in range(blocks)])
            self.up = nn.ModuleList([nn.Linear(WIDTH, HIDDEN) for _ in range(blocks)])
            self.down = nn.ModuleList([nn.Linear(HIDDEN, WIDTH) for _ in range(blocks)])
        self.blocks = blocks

    def forward(self, x: Tensor) -> Tensor:
        if self.blocks == 0:
            return self.attention[0](x)
        x = self.embed(x)
        for attend, up, down in zip(self.attention, self.up, self.down, strict=True):
            x = attend(x) + x
            x = down(torch.relu(up(x))) + x
        return self.head(x)


def trained(blocks: int, *, steps: int = 150, seed: int = 0) -> Target:
    """AdamW on sequences of 4 to 64 tokens; weights as float32 holds them."""
    torch.manual_seed(seed)
    rng, model = np.random.default_rng(seed), Transformer(blocks)
    rate = 0.1 if blocks == 0 else 0.01
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)
    for _ in range(steps):
        x, speed = angular(128, int(2 ** rng.uniform(2, 6)), rng)
        found = model(torch.from_numpy(x).float())[..., 0]
        loss = nn.functional.mse_loss(found, torch.from_numpy(speed).float()[:, None].expand_as(found))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for attend in model.attention:
                for weight in attend.parameters():
                    weight /= torch.linalg.matrix_norm(weight, 2)
    return target_of(model)


def target_of(model: Transformer, length: int = 65) -> Target:
    """The same network as a graph."""
    nodes: list[Node] = []
    coefficients: dict[str, Affine] = {}

    def dense(name: str, layer: Any, read: str) -> str:
        bias = None if layer.bias is None else layer.bias.detach().numpy().astype(np.float64)
        weight = layer.weight.detach().numpy().astype(np.float64)
        coefficients[name] = Affine(weight[:, :, None], bias)
        nodes.append(Node(name, Linear(name, Dense(layer.in_features, layer.out_features), bias is not None), (read,)))
        return name

    def add(name: str, op: Any, *inputs: str) -> str:
        nodes.append(Node(name, op, inputs))
        return name

    def attend(i: int, read: str) -> str:
        part = model.attention[i]
        sides = [dense(f"{i}/{side}", getattr(part, side), read) for side in "qkv"]
        return dense(f"{i}/o", part.o, add(f"{i}/attention", Attention(HEAD**-0.5), *sides))

    end = INPUT if model.blocks == 0 else dense("embed", model.embed, INPUT)
    for i in range(max(model.blocks, 1)):
        read, end = end, attend(i, end)
        if model.blocks:
            end = add(f"{i}/sum", Add((1.0, 1.0)), end, read)
            up = add(f"{i}/relu", Pointwise("Relu"), dense(f"{i}/up", model.up[i], end))
            end = add(f"{i}/end", Add((1.0, 1.0)), dense(f"{i}/down", model.down[i], up), end)
    if model.blocks:
        dense("head", model.head, end)
    return Target(Graph(tuple(nodes)), coefficients, (length, 2))
