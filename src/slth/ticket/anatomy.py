"""One weight taken apart: its random candidates, the kept ones, and how they add up."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from slth._errors import InputError
from slth.ticket.gadgets import Problems
from slth.ticket.gadgets.gadget import CONSTANT
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
    """A coefficient of a ticket: entry (output, input) of a map's weight at tap 0, or its bias (input None)."""

    map: str
    output: int
    input: int | None
    gain: float
    halves: tuple[Half, ...]


def take_apart(ticket: Ticket, path: str, *, output: int, input: int | None) -> Anatomy:
    """Regenerate the candidates of one coefficient. Cost: those of the block of problems it is in.

    Raises:
        InputError: no such map, output or input.
    """
    if path not in ticket.gadgets:
        raise InputError(f"the ticket has the maps {', '.join(ticket.gadgets)[:300] or '(none)'}; there is no {path}")
    op = ticket.maps[path]
    if not 0 <= output < op.basis.outputs:
        raise InputError(f"{path} has outputs 0 to {op.basis.outputs - 1}, there is no output {output}")
    if input is None and not op.bias:
        raise InputError(f"{path} has no bias; give an input from 0 to {op.basis.inputs - 1}")
    if input is not None and not 0 <= input < op.basis.inputs:
        raise InputError(f"{path} has inputs 0 to {op.basis.inputs - 1}, there is no input {input}")
    mask = ticket.map_mask(path)
    row = output * op.basis.taps
    halves: list[Half] = []
    gain = 1.0
    for block in ticket.gadgets[path].problems(path, op, ticket.seed):
        slots = np.flatnonzero(block.inputs == (CONSTANT if input is None else input))
        if len(slots):
            gain = block.gain
            halves.append(_half(block, int(slots[0]), row, mask))
    return Anatomy(path, output, input, gain, tuple(halves))


def _half(block: Problems, slot: int, row: int, mask: Bool[np.ndarray, "row column"]) -> Half:
    return Half(
        name=block.half,
        sign=block.sign,
        neuron=tuple(int(h) for h in block.neurons[slot]),
        candidates=block.gain * block.candidates()[slot, :, row],
        kept=mask[row, block.columns[slot]],
    )
