"""One weight taken apart: its random candidates, the kept ones, and how they add up."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from slth._errors import InputError
from slth.ticket.realise import products, unpack
from slth.ticket.ticket import Ticket


@dataclass(frozen=True, slots=True, eq=False)
class Half:
    """One subset-sum problem of a coefficient, in the unit of the target's weights."""

    name: str  # "positive": on x⁺; "negative": on x⁻; "bias": on the constant 1
    sign: float  # the subset sums to sign · coefficient
    neuron: tuple[int, ...]  # hidden neuron of each candidate
    candidates: Float64[np.ndarray, " n"]  # g v u
    kept: Bool[np.ndarray, " n"]

    @property
    def realised(self) -> float:
        """The coefficient that the kept candidates realise."""
        return self.sign * float(self.candidates[self.kept].sum())


@dataclass(frozen=True, slots=True, eq=False)
class Anatomy:
    """A coefficient of a ticket: entry (output, input) of a layer's weight, or its bias (input None)."""

    layer: int
    output: int
    input: int | None
    gain: float
    halves: tuple[Half, ...]


def take_apart(ticket: Ticket, layer: int, output: int, input: int | None) -> Anatomy:
    """Regenerate the candidates of one coefficient. Cost: n rows of the mixing layer.

    Raises:
        InputError: no such layer, output or input.
    """
    if not 0 <= layer < len(ticket.layers):
        raise InputError(f"the ticket has layers 0 to {len(ticket.layers) - 1}, there is no layer {layer}")
    spec = ticket.layers[layer]
    if not 0 <= output < spec.outputs:
        raise InputError(f"layer {layer} has outputs 0 to {spec.outputs - 1}, there is no output {output}")
    if input is None and not spec.lift.constants:
        raise InputError(f"layer {layer} has no bias; give an input from 0 to {spec.lift.inputs - 1}")
    if input is not None and not 0 <= input < spec.lift.inputs:
        raise InputError(f"layer {layer} has inputs 0 to {spec.lift.inputs - 1}, there is no input {input}")
    lift = ticket.lift(layer)
    mask = unpack(spec, ticket.masks[layer])
    if input is None:
        parts = [("bias", 1.0, spec.bias_gain, lift.constant_members)]
    else:
        members = lift.members(slice(None))
        parts = [("positive", 1.0, spec.gain, members[input])]
        negative = np.flatnonzero(spec.lift.signed_inputs == input)
        if len(negative):
            parts.append(("negative", -1.0, spec.gain, members[spec.lift.inputs + int(negative[0])]))
    halves = tuple(
        Half(
            name=name,
            sign=sign,
            neuron=tuple(int(h) for h in lift.neuron[ranks]),
            candidates=gain * products(spec, lift, ticket.seed, ranks[None])[0, :, output * spec.taps],
            kept=mask[output * spec.taps, ranks],
        )
        for name, sign, gain, ranks in parts
    )
    return Anatomy(layer, output, input, parts[0][2], halves)
