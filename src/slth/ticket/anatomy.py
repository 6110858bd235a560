"""One weight taken apart: its random candidates, the kept ones, and how they add up."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64

from slth._errors import InputError
from slth._shapes import Bits
from slth.numerics import rounded_sum
from slth.ticket.gadgets import Problems, moves_of_bits, moves_of_block
from slth.ticket.ticket import Ticket
from slth.ticket.words import kernel_of, map_words


@dataclass(frozen=True, slots=True, eq=False)
class Half:
    """One subset-sum problem of a coefficient, in the unit of the target's weights: of one half, in one stage."""

    name: str  # "positive": on x⁺; "negative": on x⁻; "whole": on x; "bias": on the constant 1
    sign: float  # the subset sums to sign · coefficient
    neuron: tuple[int, ...]  # hidden neuron of each candidate; of mirrored pairs, twice
    candidates: Float64[np.ndarray, " n"]  # g v u; of those that moved g (v + Δ) u
    kept: Bool[np.ndarray, " n"]
    moves: Float64[np.ndarray, " n"]  # Δ, 0 where nothing moved
    gain: float
    stage: int = 0
    before: float = 0.0  # the coefficient that the stages before realise together, rounded once
    realised: float = 0.0  # the same with this one

    @property
    def label(self) -> str:
        """Which one it is."""
        return self.part + (f", stage {self.stage + 1}" if self.stage else "")

    @property
    def part(self) -> str:
        """The same, of any stage."""
        return "whole weight" if self.name == "whole" else f"{self.name} half"

    @property
    def sum(self) -> float:
        """Of the kept candidates: exact."""
        return float(self.candidates[self.kept].sum())


@dataclass(frozen=True, slots=True, eq=False)
class Anatomy:
    """A coefficient of a ticket: entry (output, input, tap) of a map's weight, or its bias (input None)."""

    map: str
    output: int
    input: int | None
    tap: int
    halves: tuple[Half, ...]  # stage after stage
    kernel: tuple[int, ...] = ()  # of a convolution
    copies: int = 1  # of one channel, from `input` on, whose weights are added up

    @property
    def stages(self) -> int:
        """How many there are of each half."""
        return max(half.stage for half in self.halves) + 1

    def title(self, half: Half) -> str:
        """What a half is called.

        >>> half = Half("positive", 1.0, (3,), np.zeros(1), np.zeros(1, bool), np.zeros(1), 1.0, stage=1)
        >>> Anatomy("fc", 0, 2, 0, (half,)).title(half)
        'map fc, output 0, input 2: positive half, stage 2 of 2'
        """
        of = f", stage {half.stage + 1} of {self.stages}" if self.stages > 1 else ""
        return f"{self.name}: {half.part}{of}"

    @property
    def name(self) -> str:
        """Where the coefficient stands; of a convolution the tap also as a position, (row, column) of its kernel."""
        where = "bias" if self.input is None else f"input {self.input}"
        if self.input is not None and self.copies > 1:
            where = f"inputs {self.input} to {self.input + self.copies - 1}, the copies of a channel"
        if self.kernel and self.input is not None:
            position = ", ".join(str(int(at)) for at in np.unravel_index(self.tap, self.kernel))
            where += f", tap {self.tap} at ({position}) of the {' x '.join(map(str, self.kernel))} kernel"
        elif self.tap:
            where += f", tap {self.tap}"
        return f"map {self.map}, output {self.output}, {where}"


def take_apart(ticket: Ticket, path: str, *, output: int, input: int | None, tap: int = 0) -> Anatomy:
    """Regenerate the candidates of one coefficient. Cost: those of the blocks of problems it is in.

    Raises:
        InputError: no such map, output, input or tap.
    """
    if path not in ticket.gadgets:
        raise InputError(f"the ticket has the maps {', '.join(ticket.gadgets)[:300] or '(none)'}; there is no {path}")
    op = ticket.maps[path]
    rows, inputs, taps = op.coefficients
    group, row = divmod(output, rows)
    for name, value, count in (("output", output, op.basis.outputs), ("input", input, inputs), ("tap", tap, taps)):
        if value is not None and not 0 <= value < count:
            known = f"{name}s 0 to {count - 1}" if count > 1 else f"one {name}, 0"
            raise InputError(f"{path} ({map_words(op)}) has {known}; there is no {name} {value}")
    if input is None and not op.bias:
        raise InputError(f"{path} ({map_words(op)}) has no bias; give an input from 0 to {inputs - 1}")
    if input is None and tap:
        raise InputError(f"a bias of {path} has no taps; leave the tap {tap} out")
    if input is not None and input * op.basis.groups // inputs != group:
        first, size = group * inputs // op.basis.groups, inputs // op.basis.groups
        known = f"input {first}" if size == 1 else f"inputs {first} to {first + size - 1}"
        raise InputError(f"output {output} of {path} reads {known} of its group, not input {input}")
    copies = ticket.copies.get(path, 1)
    input = None if input is None else input - input % copies  # the first copy names the channel
    halves, sums = list[Half](), dict[str, list[np.ndarray]]()
    masks = {tensor: ticket.masks[tensor] for tensor in ticket.gadgets[path].mask_bits(path, op)}
    moves = moves_of_bits(masks, ticket.moves)
    for block in ticket.gadgets[path].problems(path, op, ticket.seed):
        wanted = group if block.half == "bias" else input
        if (block.half == "bias") != (input is None) or row not in block.rows or wanted not in block.inputs:
            continue
        slot = int(np.flatnonzero(block.inputs == wanted)[0])
        before = sums.setdefault(block.half, [])
        place = slot, block.pairs.index(row * taps + tap)
        own = np.zeros(block.columns.shape[1])
        if block.tensor in moves:
            own = moves_of_block(block, masks, moves[block.tensor])[place]
        halves.append(_half(block, *place, masks, before, own))
    return Anatomy(path, output, input, tap, tuple(halves), kernel_of(op), copies)


def _half(
    block: Problems, slot: int, w: int, masks: Mapping[str, Bits], sums: list[np.ndarray], moves: np.ndarray
) -> Half:
    """`sums`: of the stages before; this one's is added to them."""
    sign = -1.0 if block.half == "negative" else 1.0
    candidates = block.gain * (block.candidates()[slot, w] + moves * block.factors[slot])
    neuron, kept = block.neurons[slot], block.kept(masks)[slot, w]
    if block.centred:  # each neuron, and then its mirror
        neuron, moves = np.repeat(neuron, 2), np.repeat(moves, 2)
        candidates, kept = (np.stack(pair, axis=1).reshape(-1) for pair in ((candidates, -candidates), (kept, ~kept)))
    before = sign * float(rounded_sum(sums)[0]) if sums else 0.0
    sums.append(np.array([candidates[kept].sum()]))
    return Half(
        name=block.half,
        sign=sign,
        neuron=tuple(int(h) for h in neuron),
        candidates=candidates,
        kept=kept,
        moves=moves,
        gain=block.gain,
        stage=block.stage,
        before=before,
        realised=sign * float(rounded_sum(sums)[0]),
    )
