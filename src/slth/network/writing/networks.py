"""Which network is written: the realised or the source view of a ticket, or target minus ticket."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from slth._errors import InputError
from slth._version import __version__
from slth.graph import Graph, Target
from slth.network.build import Network
from slth.network.reading import TAKES, Stated
from slth.network.states import module_of, source_of
from slth.network.stating import without_range
from slth.network.views import realised, source, target_module
from slth.network.writing.program import check_size, model_proto
from slth.network.writing.rounding import check_file
from slth.ticket import Builtin, Inputs, Ticket, encode, network_name


@dataclass(frozen=True, slots=True, eq=False)
class OnnxFile:
    """An ONNX file that was checked: its bytes, its numbers by name, and how far it is from its module."""

    data: bytes
    tensors: Mapping[str, np.ndarray]
    input: tuple[int, ...]  # shape of one input
    output: tuple[int, ...]  # of one output
    difference: float  # largest |onnxruntime − PyTorch| on the random inputs of the check
    allowed: float  # what rounding allows there


class Difference(nn.Module):
    """x -> f(x) − f̂(x)."""

    def __init__(self, target: nn.Module, ticket: nn.Module) -> None:
        super().__init__()
        self.target, self.ticket = target, ticket

    def forward(self, x: Tensor) -> Tensor:
        """The differences for a batch."""
        return self.target(x) - self.ticket(x)


def ticket_onnx(ticket: Ticket, view: str) -> OnnxFile:
    """The realised or source view of a ticket as an ONNX file.

    Raises:
        InputError: a view that this ticket does not have, or that no file holds; a file that does not compute it.
    """
    return _file(_view(ticket, view), ticket, {"slth.view": view})


def difference_onnx(ticket: Ticket, target: Target, view: str) -> OnnxFile:
    """f − f̂ as one network; the target under the ticket's names. Raises as `ticket_onnx`."""
    module = Difference(target_module(target), _view(ticket, view))
    return _file(module, ticket, {"slth.view": view, "slth.difference": "target - ticket"})


def _view(ticket: Ticket, view: str) -> nn.Module:
    if view not in ("realised", "source"):
        raise InputError(f"a view is realised or source, got {view!r}")
    if isinstance(ticket.network, Graph):
        check_size(4 * ticket.target_parameters)
        return realised(ticket) if view == "realised" else source(ticket)
    network = module_of(ticket)
    if view == "source":
        network.load_state_dict({name: torch.from_numpy(np.array(part)) for name, part in source_of(ticket).items()})
    return network


def _file(module: nn.Module, ticket: Ticket, said: Mapping[str, str]) -> OnnxFile:
    from onnx.numpy_helper import to_array

    shape = _input_shape(ticket)
    takes = Stated("unknown", inputs=without_range(ticket.inputs)).text
    inputs = {} if ticket.inputs is None else {"slth.inputs": ticket.inputs.words, TAKES: takes}
    about = {
        "slth.version": __version__,
        "slth.network": network_name(ticket.network),
        "slth.seed": str(ticket.seed),
        "slth.ticket": f"sha256:{hashlib.sha256(encode(ticket)).hexdigest()}",  # of its file
        **inputs,
        **said,
    }
    tokens = ticket.inputs is not None and ticket.inputs.tokens is not None
    proto = model_proto(module.eval(), shape, names=_names(module), said=about, tokens=tokens)
    data = proto.SerializeToString(deterministic=True)
    agreement = check_file(data, module, ticket.inputs or Inputs(shape))
    tensors = {tensor.name: to_array(tensor) for tensor in proto.graph.initializer}
    output = tuple(length.dim_value for length in proto.graph.output[0].type.tensor_type.shape.dim[1:])
    return OnnxFile(data, tensors, shape, output, agreement.difference, agreement.allowed)


def _input_shape(ticket: Ticket) -> tuple[int, ...]:
    """As the ticket says; where it says nothing of its inputs, as its network does."""
    if ticket.inputs is not None:
        return ticket.inputs.shape
    if isinstance(ticket.network, Graph):
        return (next(iter(ticket.maps.values())).basis.inputs,)
    return tuple(cast(Builtin, ticket.network).arguments["inputs"])


def _names(module: nn.Module) -> dict[str, str]:
    """What parameters and buffers are called in a file: by path of their map, or name of what is carried."""
    found: dict[str, str] = {}
    for prefix, part in module.named_modules():
        if isinstance(part, Network):
            start = f"{prefix}." if prefix else ""
            for i, (path, own) in enumerate(zip(part.paths, part.maps, strict=True)):
                for name, _ in (*own.named_parameters(), *own.named_buffers()):
                    found[f"{start}maps.{i}.{name}"] = f"{start}{path}.{name}"
            found |= {f"{start}carried_{i}": f"{start}{name}" for i, name in enumerate(part.names)}
    return found
