"""What a network gives for inputs, and what kind of numbers those are."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from slth._errors import InputError
from slth.graph import Graph, Permute, Pointwise, Reshape, Slice
from slth.network.build import Network
from slth.network.reading.calling import EMBEDDINGS
from slth.network.reading.words import first_line
from slth.network.views import MOST_ENTRIES


def outputs(network: nn.Module, inputs: np.ndarray, *, batch: int = 512) -> np.ndarray:
    """Evaluate a network on float32 inputs (count, ...) in batches, on its own device: (count, ...) float32.

    Tokens are given as int64.

    Batches are smaller where the values of a graph are large: about 2²⁷ numbers at once. One number for each input
    becomes (count, 1).

    Raises:
        InputError: no tensor with an entry for each input; a module of the user's that cannot run on them.
    """
    device = next((value.device for value in network.parameters()), torch.device("cpu"))
    parts: list[np.ndarray] = []
    kind = np.int64 if inputs.dtype == np.int64 else np.float32
    if isinstance(network, Network):
        batch = max(1, min(batch, MOST_ENTRIES // 4 // network.most_entries(inputs.shape[1:])))
    with torch.inference_mode():
        for start in range(0, len(inputs), batch):
            x = torch.from_numpy(np.array(inputs[start : start + batch], kind)).to(device)
            found = _called(network, x)
            values = getattr(found, "logits", found)
            if not isinstance(values, Tensor) or values.ndim < 1 or len(values) != len(x):
                given = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
                raise InputError(
                    f"expected a network that gives one tensor with an entry for each of {len(x)} inputs; this one "
                    f"gives {given}"
                )
            parts.append(values.float().cpu().numpy())
    values = np.concatenate(parts)
    return values[:, None] if values.ndim == 1 else values


def _called(network: nn.Module, x: Tensor) -> Any:
    """What a network gives; what a module of the user's raises is said in a sentence."""
    if isinstance(network, Network):
        return network(x)
    try:
        return network(x)
    except Exception as error:  # whatever code of others raises
        shape = tuple(x.shape[1:])
        kind = "numbers" if x.is_floating_point() else f"tokens from {int(x.min())} to {int(x.max())}"
        raise InputError(
            f"the model cannot run on {kind} of shape {shape} (without the batch): {first_line(error)}; is it the "
            "right data?"
        ) from error


def as_taken(network: nn.Module, inputs: np.ndarray) -> np.ndarray:
    """The inputs of a module of the user's: as they are, or whole numbers as tokens, where it takes those alone."""
    if isinstance(network, Network) or inputs.dtype == np.int64 or not (inputs == np.rint(inputs)).all():
        return inputs
    if not any(isinstance(part, EMBEDDINGS) for part in network.modules()):
        return inputs
    try:
        outputs(network, inputs[:1])
    except InputError:
        return inputs.astype(np.int64)
    return inputs


def ends_in_sigmoid(network: nn.Module) -> bool:
    """Whether outputs are those of a sigmoid: of a graph its last op, of a module the last of an `nn.Sequential`."""
    if isinstance(network, Network):
        return _is_sigmoid(network.graph)
    while isinstance(network, nn.Sequential) and len(network):
        network = network[-1]
    return isinstance(network, nn.Sigmoid | nn.Hardsigmoid)


def _is_sigmoid(graph: Graph) -> bool:
    """Behind what moves entries and leaves them as they are."""
    nodes = {node.name: node for node in graph.nodes}
    node = nodes[graph.output]
    while isinstance(node.op, Reshape | Permute | Slice) and node.inputs[0] in nodes:
        node = nodes[node.inputs[0]]
    return isinstance(node.op, Pointwise) and node.op.function in ("Sigmoid", "HardSigmoid")
