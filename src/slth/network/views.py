"""Two views of a ticket as modules: the function it computes, and the pruned random network itself.

`realised`: for each map P x⁺ + N x⁻ + b̂, the coefficients rounded once to float32. As many operations as the target,
twice where inputs can be negative.

`source`: the random network with its masks. The lift keeps one weight per neuron, so it is stored as index and value
(a sparse matrix with one entry per row); the mixing matrix keeps about half of its weights and is stored dense, masked.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from slth._errors import InputError
from slth.graph import Graph, Realised, Target
from slth.network.build import Network
from slth.network.states import module_of
from slth.numerics import Stream, uniform_rows
from slth.ticket import Ticket, TwoLayer

MOST_BYTES = 2 << 30  # of a source view


class RealisedMap(nn.Module):
    """y = P x⁺ + N x⁻ + b̂, (batch, inp) -> (batch, out)."""

    def __init__(self, part: Realised) -> None:
        super().__init__()
        self.positive = _parameter(part.positive[:, :, 0])
        self.negative = None if part.negative is None else _parameter(part.negative[:, :, 0])
        self.bias = None if part.bias is None else _parameter(part.bias)

    def forward(self, x: Tensor) -> Tensor:
        """The outputs of a batch."""
        if self.negative is None:
            return functional.linear(x, self.positive, self.bias)
        negative = functional.linear((-x).clamp_min(0), self.negative)
        return functional.linear(x.clamp_min(0), self.positive, self.bias) + negative


class SourceMap(nn.Module):
    """y = g Σ_h m v_h σ(u_h x_j(h) + (g_b/g) β_h) over the live neurons h, (batch, inp) -> (batch, out).

    Neurons that copy an input keep one lift weight u and no bias; neurons that copy the constant keep only β.
    """

    def __init__(self, ticket: Ticket, path: str) -> None:
        super().__init__()
        gadget, op = _two_layer(ticket, path), ticket.maps[path]
        lift = gadget.lift(path, op, ticket.seed)
        inputs = np.concatenate([np.arange(op.basis.inputs), lift.spec.signed_inputs, [0]])[lift.slot]
        constant = lift.slot == op.basis.inputs + len(lift.spec.signed_inputs)
        sign = np.where(lift.slot < op.basis.inputs, 1.0, -1.0)
        self.gain = gadget.gain
        self.inputs = _buffer(inputs)
        self.weight = _buffer(np.where(constant, 0.0, sign * lift.value).astype(np.float32))
        self.bias = _buffer(np.where(constant, lift.value * (gadget.bias_gain / gadget.gain), 0.0).astype(np.float32))
        mixing = uniform_rows(Stream(ticket.seed, f"{path}/mixing"), lift.neuron, op.basis.outputs * op.basis.taps)
        mixing *= ticket.map_mask(path).T
        self.mixing = _buffer(mixing)  # (live, out)

    def forward(self, x: Tensor) -> Tensor:
        """The outputs of a batch."""
        return self.gain * (torch.relu(x[:, self.inputs] * self.weight + self.bias) @ self.mixing)


def realised(ticket: Ticket) -> nn.Module:
    """The function a ticket computes, float32, in evaluation mode; regenerates the random weights once.

    Raises:
        InputError: a ticket that is bound to a model of the user's.
    """
    if not isinstance(ticket.network, Graph):
        return module_of(ticket)
    return realised_from(ticket.network, {path: ticket.realised(path) for path in ticket.maps})


def realised_from(graph: Graph, parts: Mapping[str, Realised]) -> Network:
    """The same, where the coefficients are at hand."""
    return Network(graph, {path: RealisedMap(part) for path, part in parts.items()})


def source(ticket: Ticket, *, most_bytes: int = MOST_BYTES) -> Network:
    """The pruned random network, float32.

    Raises:
        InputError: it would take more than `most_bytes` of memory, or the ticket has no maps.
    """
    if not isinstance(ticket.network, Graph):
        raise InputError("the random tensors of this ticket are the parameters themselves: slth.realised(ticket)")
    size = sum(4 * ticket.gadgets[path].cost(op).mask_bits for path, op in ticket.maps.items())
    size += sum(16 * _two_layer(ticket, path).lift_spec(op).live for path, op in ticket.maps.items())
    if size > most_bytes:
        raise InputError(
            f"the source network needs {size / 2**30:.2f} GiB, more than the limit of {most_bytes / 2**30:.2f} GiB; "
            "the realised view computes the same function"
        )
    return Network(ticket.network, {path: SourceMap(ticket, path) for path in ticket.maps})


def dense(target: Target) -> Network:
    """The target itself, float32."""
    maps: dict[str, nn.Module] = {}
    for path, affine in target.coefficients.items():
        outputs, inputs, _ = affine.weight.shape
        linear = nn.utils.skip_init(nn.Linear, inputs, outputs, bias=affine.bias is not None)
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(affine.weight[:, :, 0]))  # pyright: ignore
            if affine.bias is not None:
                linear.bias.copy_(torch.from_numpy(affine.bias))  # pyright: ignore
        maps[path] = linear.requires_grad_(False)
    return Network(target.graph, maps)


def outputs(network: nn.Module, inputs: np.ndarray, *, batch: int = 512) -> np.ndarray:
    """Evaluate a network on float32 inputs (count, ...) in batches, on its own device: (count, out) float32.

    Raises:
        InputError: outputs that are no logits (count, classes).
    """
    device = next((value.device for value in network.parameters()), torch.device("cpu"))
    parts: list[np.ndarray] = []
    with torch.inference_mode():
        for start in range(0, len(inputs), batch):
            x = torch.from_numpy(np.array(inputs[start : start + batch], np.float32)).to(device)
            found = network(x)
            logits = getattr(found, "logits", found)
            if not isinstance(logits, Tensor) or logits.ndim != 2 or len(logits) != len(x):
                raise InputError("expected a network that gives logits (count, classes); this one gives something else")
            parts.append(logits.float().cpu().numpy())
    return np.concatenate(parts)


def _two_layer(ticket: Ticket, path: str) -> TwoLayer:
    gadget = ticket.gadgets[path]
    if not isinstance(gadget, TwoLayer):
        raise InputError(f"{path}: no source view of a {type(gadget).__name__} gadget")
    return gadget


def _parameter(values: np.ndarray) -> nn.Parameter:
    return nn.Parameter(torch.from_numpy(values.astype(np.float32)), requires_grad=False)


def _buffer(values: np.ndarray) -> nn.Buffer:
    return nn.Buffer(torch.from_numpy(np.ascontiguousarray(values)))
