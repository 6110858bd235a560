"""Two random layers in place of one map, as a module: a lift, and a pruned mixing layer behind it; several stages."""

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from slth.graph import Basis, Conv, ConvTranspose, Dense, Linear, OneHot, Permutation, Steerable, stored_weight
from slth.layers import equivariant, group_conv
from slth.network.applied import CONV, apply_map, buffer, channels, spread_along
from slth.network.build import torch_padding
from slth.numerics import Stream, draw_rows
from slth.ticket import Doubling, Lift, Lifted, Neurons, Stage, Ticket, TwoLayer, stage_path

_MOST_BITS = 64  # by which biases of a source may exceed its weights in float32, whose numbers end at 2¹²⁸


class SourceMap(nn.Module):
    """The pruned random network in place of one map: y = s Σ_h m v_h σ((g/s) u_h x_j(h) + (g_b/s) β_h), over live h.

    s = g; where biases are so much larger that float32 would not hold them in that unit, s = 2⁻⁶⁴ g_b. Neurons that
    copy an input keep one lift weight u and no bias; neurons that copy the constant keep only β. Those of one group
    stand together, filled up with neurons that are 0, so that the mixing layer is a grouped map. The input is padded
    before the lift: the constant is the same in the padding, a copy of 0 stays 0. Of a transposed convolution, whose
    outputs tap 0 does not reach everywhere, the constant is lifted at the positions of the outputs. Of mirrored pairs
    both neurons are there, each with the edges that it keeps. In a linear lift there is no σ.
    """

    def __init__(
        self,
        op: Linear,
        unit: float,
        lifted: tuple[np.ndarray, np.ndarray, np.ndarray],
        mixing: np.ndarray,
        *,
        linear: bool = False,
    ) -> None:
        """Of s, of what each neuron reads (input, weight, bias) and of its mixing weights (group, member, row, tap)."""
        super().__init__()
        inputs, weight, bias = lifted
        self.basis, self.gain, self.groups, self.biased = op.basis, unit, op.basis.groups, op.bias
        self.inputs = buffer(inputs.astype(np.int64))
        self.weight = buffer(weight.astype(np.float32))
        self.bias = buffer(bias.astype(np.float32))
        self.mixing = buffer(grouped_weight(op.basis, mixing))
        self.linear = linear

    def forward(self, x: Tensor) -> Tensor:
        """The outputs of a batch."""
        basis, axis = self.basis, channels(self.basis)
        if isinstance(basis, ConvTranspose):
            return self.gain * self._transposed(basis, x)
        if isinstance(basis, Conv):
            x = functional.pad(x, torch_padding(basis.padding))
        elif isinstance(basis, Steerable):
            x = functional.pad(x, (basis.padding,) * 4)
        weight, bias = (spread_along(part, x, axis) for part in (self.weight, self.bias))
        lifted = self._lifted(x.index_select(axis, self.inputs) * weight + bias)
        if isinstance(basis, Dense):
            y = lifted @ self.mixing
        elif isinstance(basis, Permutation):
            y = equivariant(lifted, self.mixing, None, basis)
        elif isinstance(basis, Steerable):
            y = group_conv(lifted, self.mixing, None, replace(basis, padding=0))
        else:
            conv = cast(Conv, basis)
            y = CONV[x.ndim - 3](lifted, self.mixing, None, conv.stride, 0, conv.dilation, conv.groups)
        return self.gain * y

    def _transposed(self, basis: ConvTranspose, x: Tensor) -> Tensor:
        y = apply_map(basis, self._lifted(x[:, self.inputs] * spread_along(self.weight, x, 1)), self.mixing, None)
        first = self.mixing[(slice(None), slice(None)) + (0,) * (x.ndim - 2)]  # (neuron, row) at tap 0
        constant = (self._lifted(self.bias)[:, None] * first).view(self.groups, -1, first.shape[1]).sum(1)
        return y + spread_along(constant.reshape(-1), y, 1)

    def _lifted(self, values: Tensor) -> Tensor:
        """σ, if there is one."""
        return values if self.linear else torch.relu(values)


class SumMap(nn.Module):
    """What several maps of the same inputs give, added up: the stages of one."""

    def __init__(self, parts: Sequence[nn.Module]) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)

    def forward(self, x: Tensor) -> Tensor:
        """The outputs of a batch."""
        first, *others = self.parts
        y = first(x)
        for part in others:
            y = y + part(x)
        return y


def two_layers(ticket: Ticket, path: str) -> nn.Module:
    """Those of the gadget `two-layer`, of all stages."""
    gadget = cast(TwoLayer, ticket.gadgets[path])
    parts = [_stage(ticket, path, gadget, s) for s in range(gadget.stage_count)]
    return parts[0] if len(parts) == 1 else SumMap(parts)


def whole_neurons(ticket: Ticket, path: str) -> nn.Module:
    """A smaller pair of layers: the neurons that were not removed, those of one group of outputs together."""
    op, gadget = of_vectors(ticket, path), cast(Neurons, ticket.gadgets[path])
    lift, (rows, _, taps) = gadget.lift(path, op, ticket.seed), op.coefficients
    kept = gadget.kept(op, ticket.masks[f"{path}/mixing"])
    ranks = gadget.ranks(op, lift)[kept]
    mixing = draw_rows(Stream(ticket.seed, f"{path}/mixing"), lift.neuron[ranks], rows * taps, law="uniform")
    mixing *= gadget.stored(op, kept).T
    unit = unit_of(op, gadget)
    inputs, weight, bias = (part[ranks] for part in lift_numbers(op, gadget, lift, unit))
    return SourceMap(op, unit, (inputs, weight, bias), mixing.reshape(1, len(kept), rows, taps))


def lifted_layers(ticket: Ticket, path: str) -> nn.Module:
    """Those of one stage of another gadget with a lift."""
    return _stage(ticket, path, cast(Lifted, ticket.gadgets[path]).two_layer, 0)


def of_vectors(ticket: Ticket, path: str) -> Linear:
    """A map, of vectors where it is one of tokens: see `ByTokens`."""
    op = ticket.maps[path]
    return replace(op, basis=Dense(op.basis.inputs, op.basis.outputs)) if isinstance(op.basis, OneHot) else op


def unit_of(op: Linear, gadget: Stage | Neurons | Doubling) -> float:
    """s, see `SourceMap`."""
    return max(gadget.gain, gadget.bias_gain * 2.0**-_MOST_BITS) if op.bias else gadget.gain


def lift_numbers(
    op: Linear, gadget: Stage | Neurons | Doubling, lift: Lift, unit: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each live neuron the input it reads, its weight and its bias in this unit, a power of two."""
    spec = lift.spec
    served = np.concatenate([np.arange(spec.inputs), spec.split_inputs, np.zeros(spec.constant_slots, np.int64)])
    constant = lift.slot >= spec.input_slots
    sign = np.where(lift.slot < spec.inputs, 1.0, -1.0)
    weight = np.where(constant, 0.0, sign * lift.value * (gadget.gain / unit))
    return served[lift.slot], weight, np.where(constant, lift.value * (gadget.bias_gain / unit), 0.0)


def grouped_weight(basis: Basis, mixing: np.ndarray) -> np.ndarray:
    """Mixing weights (group, member, row, tap) as the weight of a grouped map; of a dense one (live, out)."""
    if isinstance(basis, Dense):
        return mixing[0, :, :, 0]
    groups, members, rows, _ = mixing.shape
    if isinstance(basis, Steerable | Permutation):
        return stored_weight(basis, mixing[0].swapaxes(0, 1))
    kernel = cast("Conv | ConvTranspose", basis).kernel
    if isinstance(basis, ConvTranspose):
        return mixing.reshape(groups * members, rows, *kernel)
    return mixing.transpose(0, 2, 1, 3).reshape(groups * rows, members, *kernel)


def _stage(ticket: Ticket, path: str, gadget: TwoLayer, stage: int) -> nn.Module:
    op, wanted = of_vectors(ticket, path), gadget.stages[stage]
    rows, _, taps = op.coefficients
    lift = gadget.lift(path, op, ticket.seed, stage=stage)
    stream, mask = Stream(ticket.seed, f"{stage_path(path, stage)}/mixing"), ticket.map_mask(path, stage=stage).T
    drawn = draw_rows(stream, lift.neuron, rows * taps, law=gadget.law)
    if ticket.moved:
        drawn = drawn + ticket.map_moves(path, stage=stage).T  # exact: multiples of 2⁻²³ of size at most 2
    mixing = np.vstack([drawn * mask, *([-drawn * _mirrored(op, lift, mask)] if gadget.centred else [])])
    mixing = np.vstack([mixing, np.zeros((1, rows * taps), np.float32)])
    copies = 2 if gadget.centred else 1
    members = _by_group(op, lift, copies)  # (group, member), −1 where filled up
    flat, unit = members.reshape(-1), unit_of(op, wanted)
    inputs, weight, bias = (np.append(np.tile(part, copies), 0)[flat] for part in lift_numbers(op, wanted, lift, unit))
    mixed = mixing[members].reshape(*members.shape, rows, taps)
    return SourceMap(op, unit, (inputs, weight, bias), mixed, linear=gadget.linear)


def _mirrored(op: Linear, lift: Lift, mask: np.ndarray) -> np.ndarray:
    """The mask of the mirrors, (live, pair): each edge whose mirror is pruned; neurons of a constant at tap 0 alone."""
    taps = np.arange(mask.shape[1]) % op.basis.taps
    return ~mask & ((lift.slot < lift.spec.input_slots)[:, None] | (taps == 0))


def _by_group(op: Linear, lift: Lift, copies: int) -> np.ndarray:
    """Ranks of the live neurons of each group, (group, member), ascending; −1 fills up. Mirrors stand behind all."""
    spec, groups = lift.spec, op.basis.groups
    of_input = np.concatenate([np.arange(spec.inputs), spec.split_inputs]) * groups // spec.inputs
    group = np.tile(np.concatenate([of_input, np.arange(spec.constant_slots)])[lift.slot], copies)
    ranks = [np.flatnonzero(group == g) for g in range(groups)]
    members = np.full((groups, max(map(len, ranks))), -1)
    for row, own in zip(members, ranks, strict=True):
        row[: len(own)] = own
    return members
