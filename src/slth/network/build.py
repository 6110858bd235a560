"""Graphs as modules: one module for each map, and `fold` over tensors."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from slth.graph import Graph, Node, Op, Pointwise, fold

BUILD: Mapping[type, Callable[[Any, tuple[Tensor, ...]], Tensor]] = {
    Pointwise: lambda _op, inputs: torch.relu(inputs[0]),
}  # what every op but a linear map computes


class Network(nn.Module):
    """A network that runs its graph; `maps` hold the numbers, in the order of first use."""

    def __init__(self, graph: Graph, maps: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.graph = graph
        self.paths = list(graph.maps)
        self.maps = nn.ModuleList([maps[path] for path in self.paths])

    def forward(self, x: Tensor) -> Tensor:
        """The outputs of a batch."""
        maps = dict(zip(self.paths, self.maps, strict=True))

        def step(node: Node, inputs: tuple[Tensor, ...]) -> Tensor:
            op: Op = node.op
            return BUILD[type(op)](op, inputs) if type(op) in BUILD else maps[op.map](*inputs)  # pyright: ignore

        return fold(self.graph, x, step)
