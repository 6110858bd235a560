"""Two views of a ticket as modules: the function it computes, and the pruned random network itself.

`realised`: per layer P x⁺ + N x⁻ + b̂, the coefficients rounded once to float32. As many operations as the target,
twice in the first layer where inputs can be negative.

`source`: the random network with its masks. The lift keeps one weight per neuron, so it is stored as index and value
(a sparse matrix with one entry per row); the mixing matrix keeps about half of its weights and is stored dense, masked.
"""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from slth._errors import InputError
from slth.certificate import Affine, Realised
from slth.network.learned import source_of, state_of
from slth.numerics import Stream, uniform_rows
from slth.ticket import LayerSpec, LearnedTicket, Ticket, unpack

MOST_BYTES = 2 << 30  # of a source view


class RealisedLayer(nn.Module):
    """y = P x⁺ + N x⁻ + b̂, (batch, inp) -> (batch, out)."""

    def __init__(self, part: Realised) -> None:
        super().__init__()
        self.positive = _parameter(part.positive[:, :, 0])
        self.negative = None if part.negative is None else _parameter(part.negative[:, :, 0])
        self.bias = None if part.bias is None else _parameter(part.bias)

    def forward(self, x: Tensor) -> Tensor:
        if self.negative is None:
            return functional.linear(x, self.positive, self.bias)
        negative = functional.linear((-x).clamp_min(0), self.negative)
        return functional.linear(x.clamp_min(0), self.positive, self.bias) + negative


class SourceLayer(nn.Module):
    """y = g Σ_h m v_h σ(u_h x_j(h) + (g_b/g) β_h) over the live neurons h, (batch, inp) -> (batch, out).

    Neurons that copy an input keep one lift weight u and no bias; neurons that copy the constant keep only β.
    """

    def __init__(self, ticket: Ticket, index: int) -> None:
        super().__init__()
        spec, lift = ticket.layers[index], ticket.lift(index)
        inputs = np.concatenate([np.arange(spec.lift.inputs), spec.lift.signed_inputs, [0]])[lift.slot]
        constant = lift.slot == spec.lift.inputs + len(spec.lift.signed_inputs)
        sign = np.where(lift.slot < spec.lift.inputs, 1.0, -1.0)
        self.gain = spec.gain
        self.inputs = _buffer(inputs)
        self.weight = _buffer(np.where(constant, 0.0, sign * lift.value).astype(np.float32))
        self.bias = _buffer(np.where(constant, lift.value * (spec.bias_gain / spec.gain), 0.0).astype(np.float32))
        mixing = uniform_rows(Stream(ticket.seed, f"{spec.path}/mixing"), lift.neuron, spec.outputs * spec.taps)
        mixing *= unpack(spec, ticket.masks[index]).T
        self.mixing = _buffer(mixing)  # (live, out)

    def forward(self, x: Tensor) -> Tensor:
        return self.gain * (torch.relu(x[:, self.inputs] * self.weight + self.bias) @ self.mixing)


def realised(ticket: Ticket) -> nn.Sequential:
    """The function a ticket computes, float32, as an `nn.Sequential`; regenerates the random weights once."""
    return realised_from([ticket.realised(i) for i in range(len(ticket.layers))])


def realised_from(parts: Sequence[Realised]) -> nn.Sequential:
    """The same, where the coefficients are at hand."""
    return _with_relu([RealisedLayer(part) for part in parts])


def source(ticket: Ticket, *, most_bytes: int = MOST_BYTES) -> nn.Sequential:
    """The pruned random network, float32, as an `nn.Sequential`.

    Raises:
        InputError: it would take more than `most_bytes` of memory.
    """
    size = source_bytes(ticket.layers)
    if size > most_bytes:
        raise InputError(
            f"the source network needs {size / 2**30:.2f} GiB, more than the limit of {most_bytes / 2**30:.2f} GiB; "
            "the realised view computes the same function"
        )
    return _with_relu([SourceLayer(ticket, i) for i in range(len(ticket.layers))])


def source_bytes(layers: tuple[LayerSpec, ...]) -> int:
    """Memory of the source view: the live rows of the mixing matrices, and 16 bytes per live neuron."""
    return sum(4 * layer.mask_bits + 16 * layer.lift.live for layer in layers)


def dense(layers: tuple[Affine, ...]) -> nn.Sequential:
    """The target itself, float32, as an `nn.Sequential` of Linear and ReLU."""
    parts: list[nn.Module] = []
    for layer in layers:
        outputs, inputs, _ = layer.weight.shape
        linear = nn.utils.skip_init(nn.Linear, inputs, outputs, bias=layer.bias is not None)
        with torch.no_grad():
            cast(Tensor, linear.weight).copy_(torch.from_numpy(layer.weight[:, :, 0]))
            if layer.bias is not None:
                cast(Tensor, linear.bias).copy_(torch.from_numpy(layer.bias))
        parts.append(linear.requires_grad_(False))
    return _with_relu(parts)


def outputs(network: nn.Module, inputs: np.ndarray, *, batch: int = 512) -> np.ndarray:
    """Evaluate a network on float32 inputs (count, inp) in batches: (count, out) float32."""
    with torch.inference_mode():
        parts = [network(torch.from_numpy(inputs[i : i + batch])).numpy() for i in range(0, len(inputs), batch)]
    return np.concatenate(parts)


def state_dict(ticket: Ticket | LearnedTicket, view: str) -> dict[str, np.ndarray]:
    """Tensors of a ticket for export, float32.

    `realised`: a plain state dict of the target's shape and names; exists only where inputs are never negative.
    `source`: an MLP of twice the depth, `{i}.lift.weight`, `{i}.lift.bias` and `{i}.mixing.weight`, dead neurons left
    out and the gains multiplied in (powers of two: exact), to be read as Linear, ReLU, Linear, ReLU, ...

    Of a learned ticket: the network's own state, pruned, or with all of its random weights.

    Raises:
        InputError: a view that does not exist for this ticket, or does not fit.
    """
    if view not in ("realised", "source"):
        raise InputError(f"a view is realised or source, got {view!r}")
    if isinstance(ticket, LearnedTicket):
        return state_of(ticket) if view == "realised" else source_of(ticket)
    if view == "realised":
        parts = [ticket.realised(i) for i in range(len(ticket.layers))]
        if any(part.negative is not None for part in parts):
            raise InputError(
                "no plain state dict computes this ticket: its inputs can be negative, and it treats x⁺ and x⁻ by "
                "different weights; export --view source, or construct with an input range that starts at 0"
            )
        tensors: dict[str, np.ndarray] = {}
        for part, (weight, bias) in zip(parts, ticket.provenance.names, strict=True):
            tensors[weight] = part.positive[:, :, 0].astype(np.float32)
            if bias is not None and part.bias is not None:
                tensors[bias] = part.bias.astype(np.float32)
        return tensors
    dense_bytes = sum(4 * layer.lift.live * (layer.lift.inputs + layer.outputs + 1) for layer in ticket.layers)
    if dense_bytes > MOST_BYTES:
        raise InputError(f"the source as dense tensors needs {dense_bytes / 2**30:.2f} GiB, more than 2 GiB")
    tensors = {}
    for i, layer in enumerate(cast(Any, source(ticket))[::2]):
        live = len(layer.inputs)
        lift = np.zeros((live, ticket.layers[i].lift.inputs), np.float32)
        lift[np.arange(live), layer.inputs.numpy()] = layer.weight.numpy()
        tensors[f"{i}.lift.weight"] = lift
        if ticket.layers[i].lift.constants:
            tensors[f"{i}.lift.bias"] = layer.bias.numpy()
        tensors[f"{i}.mixing.weight"] = np.ascontiguousarray(layer.gain * layer.mixing.numpy().T)
    return tensors


def _with_relu(layers: list[Any]) -> nn.Sequential:
    parts: list[nn.Module] = []
    for layer in layers:
        parts += [layer, nn.ReLU()]
    return nn.Sequential(*parts[:-1])


def _parameter(values: np.ndarray) -> nn.Parameter:
    return nn.Parameter(torch.from_numpy(values.astype(np.float32)), requires_grad=False)


def _buffer(values: np.ndarray) -> nn.Buffer:
    return nn.Buffer(torch.from_numpy(np.ascontiguousarray(values)))
