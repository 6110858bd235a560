"""The source of every map as a module: the pruned random layers in its place, by the gadget that made them."""

from collections.abc import Callable, Mapping
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from slth._errors import InputError
from slth.graph import Dense, OneHot, stored_weight
from slth.network.applied import apply_map, buffer, channels, spread_along
from slth.network.attention import ByTokens
from slth.network.two_layers import (
    grouped_weight,
    lift_numbers,
    lifted_layers,
    of_vectors,
    two_layers,
    unit_of,
    whole_neurons,
)
from slth.numerics import Stream, draw_rows, values_at
from slth.ticket import (
    Copies,
    Counts,
    Doubling,
    Edges,
    Grid,
    Merged,
    Neurons,
    Plain,
    Single,
    SinglePlain,
    Ticket,
    TwoLayer,
    matrix,
)

_MOST_ENTRIES = 1 << 28  # of the matrices of a source that are held


class EdgesMap(nn.Module):
    """Parallel edges in place of one map: every input n times beside each other, and one pruned random matrix."""

    def __init__(self, ticket: Ticket, path: str) -> None:
        super().__init__()
        op, gadget = of_vectors(ticket, path), cast(Edges, ticket.gadgets[path])
        rows, inputs, taps = op.coefficients
        groups = op.basis.groups
        copies, slot = gadget.copies(op)
        mixing = values_at(Stream(ticket.seed, f"{path}/mixing"), "uniform", copies * (rows * taps), rows * taps)
        mixing = (mixing * ticket.map_mask(path).T).reshape(-1, rows, taps)
        plain = np.flatnonzero(slot < inputs)
        members = plain[np.argsort(slot[plain] * groups // inputs, kind="stable")].reshape(groups, -1)
        bias = np.zeros((groups, rows), np.float32)
        constant = slot >= inputs
        np.add.at(bias, slot[constant] - inputs, mixing[constant, :, 0])
        self.basis, self.gain = op.basis, gadget.gain
        self.inputs = buffer(slot[members].reshape(-1))
        weight = grouped_weight(op.basis, mixing[members])
        self.weight = buffer(weight.T if isinstance(op.basis, Dense) else weight)
        self.bias = buffer((bias.reshape(-1) * np.float64(gadget.bias_gain)).astype(np.float32)) if op.bias else None

    def forward(self, x: Tensor) -> Tensor:
        """The outputs of a batch."""
        copied = x.index_select(channels(self.basis), self.inputs)
        y = self.gain * apply_map(self.basis, copied, self.weight, None)
        return y if self.bias is None else y + spread_along(self.bias, y, channels(self.basis))


class DoublingMap(nn.Module):
    """The deep pruned ±1 network in place of one dense map: a lift, p − 1 matrices that double, a last one."""

    def __init__(self, ticket: Ticket, path: str) -> None:
        super().__init__()
        op, gadget = of_vectors(ticket, path), cast(Doubling, ticket.gadgets[path])
        entries = sum(tensor.size for tensor in gadget.tensors(path, op))
        if entries > _MOST_ENTRIES:
            raise InputError(
                f"{path}: the matrices of its source have {entries:,} entries, more than {_MOST_ENTRIES:,}; the "
                "realised view computes the same function"
            )
        lift, layers = gadget.lift(path, op, ticket.seed), gadget.layers(path, op, ticket.seed)
        unit = unit_of(op, gadget)
        inputs, weight, bias = lift_numbers(op, gadget, lift, unit)
        first = [np.zeros(lift.neurons, kind) for kind in (np.int64, np.float32, np.float32)]
        for whole, part in zip(first, (inputs, weight, bias), strict=True):
            whole[lift.neuron] = part
        self.inputs, self.weight, self.bias = (buffer(part) for part in first)
        streams = [Stream(ticket.seed, f"{path}/levels/{t}") for t in range(1, gadget.digits)]
        self.levels = len(streams)
        for t, stream in enumerate(streams):
            self.register_buffer(f"level_{t}", torch.from_numpy(matrix(layers[t + 1], layers[t], stream)))
        rows = op.coefficients[0]
        served = layers[-1].neuron.reshape(-1)
        mixing = np.zeros((layers[-1].neurons, rows), np.float32)
        drawn = values_at(Stream(ticket.seed, f"{path}/mixing"), "sign", served * rows, rows)
        mixing[served] = drawn * ticket.map_mask(path).T
        self.gain, self.mixing = unit * 2.0**-gadget.digits, buffer(mixing)

    def forward(self, x: Tensor) -> Tensor:
        """The outputs of a batch."""
        hidden = torch.relu(x[..., self.inputs] * self.weight + self.bias)
        for t in range(self.levels):
            hidden = torch.relu(hidden @ self.get_buffer(f"level_{t}").T)
        return self.gain * (hidden @ self.mixing)


class CopiesMap(nn.Module):
    """Plain random weights that read copies: y = g (m v) x + g_b Σ_h m v_h σ(β_h), see `slth.ticket.gadgets.copies`."""

    def __init__(self, ticket: Ticket, path: str, gadget: Copies) -> None:
        super().__init__()
        op = of_vectors(ticket, path)
        rows, inputs, taps = op.coefficients
        stream, mask = Stream(ticket.seed, f"{path}/mixing"), ticket.map_mask(path).T
        kept = draw_rows(stream, np.arange(inputs), rows * taps, law="uniform") * mask[:inputs]
        weight = kept.reshape(inputs, rows, taps).transpose(1, 0, 2)
        self.basis, self.gain, self.bias_gain = op.basis, gadget.gain, gadget.bias_gain
        self.weight = buffer(stored_weight(op.basis, weight))
        lift = gadget.lift(path, op, ticket.seed)
        drawn = draw_rows(stream, inputs + lift.neuron, rows * taps, law="uniform") * mask[inputs:]
        own = lift.constant_members.reshape(op.basis.groups, -1)  # without a bias there are none
        self.constants = buffer(lift.value[own].astype(np.float32))
        self.mixing = buffer(drawn.reshape(-1, rows, taps)[own, :, 0])

    def forward(self, x: Tensor) -> Tensor:
        """The outputs of a batch."""
        y = self.gain * apply_map(self.basis, x, self.weight, None)
        bias = self.bias_gain * (torch.relu(self.constants)[:, :, None] * self.mixing).sum(1).reshape(-1)
        return y + spread_along(bias, y, channels(self.basis))


def source_map(ticket: Ticket, path: str) -> nn.Module:
    """The pruned random network in place of one map.

    Raises:
        InputError: no such view of the map's gadget is known.
    """
    kind = ticket.gadgets[path].kind
    if kind not in SOURCES:
        raise InputError(f"{path}: no source view of the gadget {kind}; the realised view computes the same function")
    made = SOURCES[kind](ticket, path)
    basis = ticket.maps[path].basis
    return ByTokens(made, basis.inputs) if isinstance(basis, OneHot) else made


SOURCES: Mapping[str, Callable[[Ticket, str], nn.Module]] = {
    TwoLayer.kind: two_layers,
    Merged.kind: two_layers,
    Copies.kind: lambda ticket, path: CopiesMap(ticket, path, cast(Copies, ticket.gadgets[path])),
    Neurons.kind: whole_neurons,
    Single.kind: lifted_layers,
    Counts.kind: lifted_layers,
    Grid.kind: lifted_layers,
    Plain.kind: EdgesMap,
    SinglePlain.kind: EdgesMap,
    Doubling.kind: DoublingMap,
}


def source_neurons(ticket: Ticket, path: str) -> int:
    """Hidden neurons in place of a map, in its source view."""
    op, gadget = ticket.maps[path], ticket.gadgets[path]
    if isinstance(gadget, Neurons):
        return len(gadget.kept(op, ticket.masks[f"{path}/mixing"]))
    return gadget.cost(op).live


def source_bytes(ticket: Ticket, path: str) -> int:
    """Memory of that view."""
    (rows, _, taps), live = ticket.maps[path].coefficients, source_neurons(ticket, path)
    if path in ticket.merged:  # both of its projections are dense matrices, in float64 on their way
        live = live * (2 if cast(Merged, ticket.gadgets[path]).centred else 1)
        return 12 * live * (ticket.maps[path].basis.inputs + rows + 1)
    mixing = rows * taps * live if isinstance(ticket.gadgets[path], Neurons) else ticket.map_candidates(path)
    return 4 * mixing + 16 * live
