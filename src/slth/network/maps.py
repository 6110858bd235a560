"""Linear maps as modules: the target's own, the realised ones, and the two random layers in place of one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from slth._errors import InputError
from slth.graph import Affine, Basis, Conv, ConvTranspose, Dense, Linear, OneHot, Realised, stored_weight
from slth.network.attention import ByTokens, looked_up
from slth.network.build import torch_padding
from slth.numerics import Stream, draw_rows, values_at
from slth.ticket import (
    Copies,
    Counts,
    Doubling,
    Edges,
    Grid,
    Lift,
    Lifted,
    Merged,
    Neurons,
    Plain,
    Single,
    SinglePlain,
    Stage,
    Ticket,
    TwoLayer,
    matrix,
    stage_path,
)

_CONV = (functional.conv1d, functional.conv2d, functional.conv3d)
_MOST_ENTRIES = 1 << 28  # of the matrices of a source that are held
_MOST_BITS = 64  # by which biases of a source may exceed its weights in float32, whose numbers end at 2¹²⁸
_TRANSPOSED = (functional.conv_transpose1d, functional.conv_transpose2d, functional.conv_transpose3d)


class TargetMap(nn.Module):
    """y = W x + b."""

    def __init__(self, basis: Basis, affine: Affine, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.basis = basis
        self.weight = _parameter(stored_weight(basis, affine.weight), dtype)
        self.bias = None if affine.bias is None else _parameter(affine.bias, dtype)

    @property
    def table(self) -> Tensor:
        """W, of a dense map."""
        return self.weight

    def forward(self, x: Tensor) -> Tensor:
        """The outputs of a batch."""
        return apply_map(self.basis, x, self.weight, self.bias)


class RealisedMap(nn.Module):
    """y = P x⁺ + N x⁻ + b̂; P x + b̂ where no input can be negative, or the map is linear."""

    def __init__(self, basis: Basis, part: Realised, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.basis = basis
        self.positive = _parameter(stored_weight(basis, part.positive), dtype)
        self.negative = None if part.negative is None else _parameter(stored_weight(basis, part.negative), dtype)
        self.bias = None if part.bias is None else _parameter(part.bias, dtype)

    @property
    def table(self) -> Tensor:
        """P, of a dense map."""
        return self.positive

    def forward(self, x: Tensor) -> Tensor:
        """The outputs of a batch."""
        if self.negative is None:
            return apply_map(self.basis, x, self.positive, self.bias)
        negative = apply_map(self.basis, torch.relu(-x), self.negative, None)
        return apply_map(self.basis, torch.relu(x), self.positive, self.bias) + negative


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
        self.inputs = _buffer(inputs.astype(np.int64))
        self.weight = _buffer(weight.astype(np.float32))
        self.bias = _buffer(bias.astype(np.float32))
        self.mixing = _buffer(_grouped_weight(op.basis, mixing))
        self.linear = linear

    def forward(self, x: Tensor) -> Tensor:
        """The outputs of a batch."""
        if isinstance(self.basis, Dense):
            return self.gain * (self._lifted(x[..., self.inputs] * self.weight + self.bias) @ self.mixing)
        axes = x.ndim - 2
        weight, bias = (part.view(-1, *(1,) * axes) for part in (self.weight, self.bias))
        if isinstance(self.basis, Conv):
            padded = functional.pad(x, torch_padding(self.basis.padding))
            lifted = self._lifted(padded[:, self.inputs] * weight + bias)
            b = self.basis
            y = _CONV[axes - 1](lifted, self.mixing, None, b.stride, 0, b.dilation, b.groups)
            return self.gain * y
        basis = cast(ConvTranspose, self.basis)
        y = apply_map(basis, self._lifted(x[:, self.inputs] * weight), self.mixing, None)
        first = self.mixing[(slice(None), slice(None)) + (0,) * axes]  # (neuron, row) at tap 0
        constant = (self._lifted(self.bias)[:, None] * first).view(self.groups, -1, first.shape[1]).sum(1)
        return self.gain * (y + constant.reshape(-1, *(1,) * axes))

    def _lifted(self, values: Tensor) -> Tensor:
        return values if self.linear else torch.relu(values)


def apply_map(basis: Basis, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """A linear map of a batch, with its weight as PyTorch stores it."""
    if isinstance(basis, Dense):
        return functional.linear(x, weight, bias)
    if isinstance(basis, OneHot):
        y = looked_up(weight, x)
        return y if bias is None else y + bias
    if isinstance(basis, Conv):
        axes = len(basis.kernel)
        before, behind = basis.padding[:axes], basis.padding[axes:]
        if before != behind:
            x, before = functional.pad(x, torch_padding(basis.padding)), (0,) * axes
        return _CONV[axes - 1](x, weight, bias, basis.stride, before, basis.dilation, basis.groups)
    if isinstance(basis, ConvTranspose):
        axes = len(basis.kernel)
        before, behind = basis.padding[:axes], basis.padding[axes:]
        full = _TRANSPOSED[axes - 1](
            x, weight, None, basis.stride, 0, basis.output_padding, basis.groups, basis.dilation
        )
        for axis, (a, e) in enumerate(zip(before, behind, strict=True), 2):
            full = full.narrow(axis, a, full.shape[axis] - a - e)
        return full if bias is None else full + bias.view(-1, *(1,) * axes)
    raise InputError(f"no module is known for a {type(basis).__name__} map")


class EdgesMap(nn.Module):
    """Parallel edges in place of one map: every input n times beside each other, and one pruned random matrix."""

    def __init__(self, ticket: Ticket, path: str) -> None:
        super().__init__()
        op, gadget = _dense(ticket, path), cast(Edges, ticket.gadgets[path])
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
        self.inputs = _buffer(slot[members].reshape(-1))
        weight = _grouped_weight(op.basis, mixing[members])
        self.weight = _buffer(weight.T if isinstance(op.basis, Dense) else weight)
        self.bias = _buffer((bias.reshape(-1) * np.float64(gadget.bias_gain)).astype(np.float32)) if op.bias else None

    def forward(self, x: Tensor) -> Tensor:
        """The outputs of a batch."""
        copied = x[..., self.inputs] if isinstance(self.basis, Dense) else x[:, self.inputs]
        y = self.gain * apply_map(self.basis, copied, self.weight, None)
        return (
            y
            if self.bias is None
            else y + self.bias.view(-1, *(1,) * (0 if isinstance(self.basis, Dense) else x.ndim - 2))
        )


class DoublingMap(nn.Module):
    """The deep pruned ±1 network in place of one dense map: a lift, p − 1 matrices that double, a last one."""

    def __init__(self, ticket: Ticket, path: str) -> None:
        super().__init__()
        op, gadget = _dense(ticket, path), cast(Doubling, ticket.gadgets[path])
        entries = sum(tensor.size for tensor in gadget.tensors(path, op))
        if entries > _MOST_ENTRIES:
            raise InputError(
                f"{path}: the matrices of its source have {entries:,} entries, more than {_MOST_ENTRIES:,}; the "
                "realised view computes the same function"
            )
        lift, layers = gadget.lift(path, op, ticket.seed), gadget.layers(path, op, ticket.seed)
        unit = _unit(op, gadget)
        inputs, weight, bias = _lift_numbers(op, gadget, lift, unit)
        first = [np.zeros(lift.neurons, kind) for kind in (np.int64, np.float32, np.float32)]
        for whole, part in zip(first, (inputs, weight, bias), strict=True):
            whole[lift.neuron] = part
        self.inputs, self.weight, self.bias = (_buffer(part) for part in first)
        streams = [Stream(ticket.seed, f"{path}/levels/{t}") for t in range(1, gadget.digits)]
        self.levels = len(streams)
        for t, stream in enumerate(streams):
            self.register_buffer(f"level_{t}", torch.from_numpy(matrix(layers[t + 1], layers[t], stream)))
        rows = op.coefficients[0]
        served = layers[-1].neuron.reshape(-1)
        mixing = np.zeros((layers[-1].neurons, rows), np.float32)
        drawn = values_at(Stream(ticket.seed, f"{path}/mixing"), "sign", served * rows, rows)
        mixing[served] = drawn * ticket.map_mask(path).T
        self.gain, self.mixing = unit * 2.0**-gadget.digits, _buffer(mixing)

    def forward(self, x: Tensor) -> Tensor:
        """The outputs of a batch."""
        hidden = torch.relu(x[..., self.inputs] * self.weight + self.bias)
        for t in range(self.levels):
            hidden = torch.relu(hidden @ self.get_buffer(f"level_{t}").T)
        return self.gain * (hidden @ self.mixing)


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


class CopiesMap(nn.Module):
    """Plain random weights that read copies: y = g (m v) x + g_b Σ_h m v_h σ(β_h), see `slth.ticket.gadgets.copies`."""

    def __init__(self, ticket: Ticket, path: str, gadget: Copies) -> None:
        super().__init__()
        op = _dense(ticket, path)
        rows, inputs, taps = op.coefficients
        stream, mask = Stream(ticket.seed, f"{path}/mixing"), ticket.map_mask(path).T
        kept = draw_rows(stream, np.arange(inputs), rows * taps, law="uniform") * mask[:inputs]
        weight = kept.reshape(inputs, rows, taps).transpose(1, 0, 2)
        self.basis, self.gain, self.bias_gain = op.basis, gadget.gain, gadget.bias_gain
        self.weight = _buffer(stored_weight(op.basis, weight))
        lift = gadget.lift(path, op, ticket.seed)
        drawn = draw_rows(stream, inputs + lift.neuron, rows * taps, law="uniform") * mask[inputs:]
        own = lift.constant_members.reshape(op.basis.groups, -1)  # without a bias there are none
        self.constants = _buffer(lift.value[own].astype(np.float32))
        self.mixing = _buffer(drawn.reshape(-1, rows, taps)[own, :, 0])

    def forward(self, x: Tensor) -> Tensor:
        """The outputs of a batch."""
        y = self.gain * apply_map(self.basis, x, self.weight, None)
        bias = self.bias_gain * (torch.relu(self.constants)[:, :, None] * self.mixing).sum(1).reshape(-1)
        return y + (bias if isinstance(self.basis, Dense) else bias.view(-1, *(1,) * (x.ndim - 2)))


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


def _dense(ticket: Ticket, path: str) -> Linear:
    """A map, of vectors where it is one of tokens: see `ByTokens`."""
    op = ticket.maps[path]
    return replace(op, basis=Dense(op.basis.inputs, op.basis.outputs)) if isinstance(op.basis, OneHot) else op


def _two_layer(ticket: Ticket, path: str) -> nn.Module:
    gadget = cast(TwoLayer, ticket.gadgets[path])
    parts = [_stage(ticket, path, gadget, s) for s in range(gadget.stage_count)]
    return parts[0] if len(parts) == 1 else SumMap(parts)


def _stage(ticket: Ticket, path: str, gadget: TwoLayer, stage: int) -> nn.Module:
    op, wanted = _dense(ticket, path), gadget.stages[stage]
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
    flat, unit = members.reshape(-1), _unit(op, wanted)
    inputs, weight, bias = (np.append(np.tile(part, copies), 0)[flat] for part in _lift_numbers(op, wanted, lift, unit))
    mixed = mixing[members].reshape(*members.shape, rows, taps)
    return SourceMap(op, unit, (inputs, weight, bias), mixed, linear=gadget.linear)


def _neurons(ticket: Ticket, path: str) -> nn.Module:
    """A smaller pair of layers: the neurons that were not removed, those of one group of outputs together."""
    op, gadget = _dense(ticket, path), cast(Neurons, ticket.gadgets[path])
    lift, (rows, _, taps) = gadget.lift(path, op, ticket.seed), op.coefficients
    kept = gadget.kept(op, ticket.masks[f"{path}/mixing"])
    ranks = gadget.ranks(op, lift)[kept]
    mixing = draw_rows(Stream(ticket.seed, f"{path}/mixing"), lift.neuron[ranks], rows * taps, law="uniform")
    mixing *= gadget.stored(op, kept).T
    unit = _unit(op, gadget)
    inputs, weight, bias = (part[ranks] for part in _lift_numbers(op, gadget, lift, unit))
    return SourceMap(op, unit, (inputs, weight, bias), mixing.reshape(1, len(kept), rows, taps))


def _lifted(ticket: Ticket, path: str) -> nn.Module:
    return _stage(ticket, path, cast(Lifted, ticket.gadgets[path]).two_layer, 0)


SOURCES: Mapping[str, Callable[[Ticket, str], nn.Module]] = {
    TwoLayer.kind: _two_layer,
    Merged.kind: _two_layer,
    Copies.kind: lambda ticket, path: CopiesMap(ticket, path, cast(Copies, ticket.gadgets[path])),
    Neurons.kind: _neurons,
    Single.kind: _lifted,
    Counts.kind: _lifted,
    Grid.kind: _lifted,
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


def _unit(op: Linear, gadget: Stage | Neurons | Doubling) -> float:
    return max(gadget.gain, gadget.bias_gain * 2.0**-_MOST_BITS) if op.bias else gadget.gain


def _lift_numbers(
    op: Linear, gadget: Stage | Neurons | Doubling, lift: Lift, unit: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each live neuron the input it reads, its weight and its bias in this unit, a power of two."""
    spec = lift.spec
    served = np.concatenate([np.arange(spec.inputs), spec.split_inputs, np.zeros(spec.constant_slots, np.int64)])
    constant = lift.slot >= spec.input_slots
    sign = np.where(lift.slot < spec.inputs, 1.0, -1.0)
    weight = np.where(constant, 0.0, sign * lift.value * (gadget.gain / unit))
    return served[lift.slot], weight, np.where(constant, lift.value * (gadget.bias_gain / unit), 0.0)


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


def _grouped_weight(basis: Basis, mixing: np.ndarray) -> np.ndarray:
    """Mixing weights (group, member, row, tap) as the weight of a grouped map; of a dense one (live, out)."""
    if isinstance(basis, Dense):
        return mixing[0, :, :, 0]
    groups, members, rows, _ = mixing.shape
    kernel = cast("Conv | ConvTranspose", basis).kernel
    if isinstance(basis, ConvTranspose):
        return mixing.reshape(groups * members, rows, *kernel)
    return mixing.transpose(0, 2, 1, 3).reshape(groups * rows, members, *kernel)


def _parameter(values: np.ndarray, dtype: torch.dtype) -> nn.Parameter:
    return nn.Parameter(torch.tensor(values, dtype=dtype), requires_grad=False)  # a copy, also of the same type


def _buffer(values: np.ndarray) -> nn.Buffer:
    return nn.Buffer(torch.from_numpy(np.ascontiguousarray(values)))
