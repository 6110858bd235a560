r"""Two random layers for one map: a *lift* makes positive copies of the inputs, a *mixing* layer reads them.

Pensia, Rajput, Nagle, Vishwakarma and Papailiopoulos (2020), with biases, signed inputs and stages. With u ≥ ½ the
lift's value of a neuron (see `lift`), v, m its mixing weight and mask bit, sums over the neurons of one slot:

    P[r, j, t] = g Σ m v u        N[r, j, t] = g Σ m v u        b[γ · rows + r] = g_b Σ m v β

Written x = x⁺ − x⁻, the two layers compute P x⁺ + N x⁻ + b. Gains are powers of two. Each stage has neurons and gains
of its own, and what they give is added up. All entries are of one law (`numerics.source_law`): U[−1, 1), or another
that has a theorem.

A *centred* source consists of mirrored pairs: beside each neuron stands its mirror, with the same lift and −v in place
of v. Of each edge and its mirror exactly one is kept, which one says the mask: candidates ±v u, number partitioning
(Borgs, Chayes and Pittel, 2001). Its entries are not independent, so it is not the source of the theorem above.

A *linear* lift has no ReLU: the pruned network is two linear layers behind each other, and one subset serves both signs
of an input. The two layers compute P x + b, with u of either sign, |u| ≥ ½, and there is no N. Where inputs have signs
that halves the mask and the random network. Source: Otsuka et al. (2025), Lemma 7.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from typing import ClassVar

import numpy as np
from jaxtyping import Bool

from slth._errors import InputError
from slth._shapes import Bits
from slth.graph import Linear
from slth.numerics import Stream
from slth.ticket.buffers import ones
from slth.ticket.gadgets.gadget import Cost, Gadget
from slth.ticket.gadgets.lift import Lift, LiftSpec, scan
from slth.ticket.gadgets.problems import Half, Places, Problems
from slth.ticket.tensors import RandomTensor

_BLOCK = 1 << 18  # products formed at a time
_PAIRS = 32  # (row, tap) pairs of a block, about: so many rows of the mask stay in a fast cache, whatever their length


@dataclass(frozen=True, slots=True)
class Stage:
    """The random neurons of one stage."""

    candidates: int  # n, neurons wanted for each half of an input
    constants: int  # n_c, neurons wanted for the bias; 0 without one
    neurons: int  # H, width of the random lift
    gain: float  # g
    bias_gain: float  # g_b
    kept: tuple[int, int] | None = None  # if every weight keeps exactly so many candidates, and every bias

    def keeps(self, half: Half) -> int | None:
        """How many candidates a coefficient keeps exactly; None if that is free."""
        return None if self.kept is None else self.kept[half == "bias"]


@dataclass(frozen=True, slots=True)
class TwoLayer:
    """The random network of one map."""

    stages: tuple[Stage, ...]
    signed_ranges: tuple[tuple[int, int], ...]  # half-open ranges of the inputs that can be negative
    law: str = "uniform"  # of every random number
    centred: bool = False  # mirrored pairs; `neurons` counts pairs, `candidates` too
    linear: bool = False  # the lift has no ReLU, and weights of signed inputs no second half

    kind: ClassVar[str] = "two-layer"

    @property
    def stage_count(self) -> int:
        """How many there are."""
        return len(self.stages)

    @property
    def candidates(self) -> int:
        """n of all stages."""
        return sum(stage.candidates for stage in self.stages)

    @property
    def constants(self) -> int:
        """n_c of all stages."""
        return sum(stage.constants for stage in self.stages)

    @property
    def neurons(self) -> int:
        """H of all stages."""
        return sum(stage.neurons for stage in self.stages)

    @property
    def gain(self) -> float:
        """g of the first stage."""
        return self.stages[0].gain

    @property
    def bias_gain(self) -> float:
        """g_b of the first stage."""
        return self.stages[0].bias_gain

    def lift_spec(self, op: Linear, *, stage: int = 0) -> LiftSpec:
        """What the scan of a stage needs to know."""
        wanted = self.stages[stage]
        served = wanted.candidates, wanted.constants, self.signed_ranges
        return LiftSpec(op.basis.inputs, *served, op.basis.groups, self.law, self.linear)

    def lift(self, path: str, op: Linear, seed: int, *, stage: int = 0) -> Lift:
        """The lift of a stage, scanned again from the seed."""
        return scan(self.lift_spec(op, stage=stage), seed, stage_path(path, stage), most=self.stages[stage].neurons)

    def fitted(self, path: str, op: Linear, seed: int) -> "TwoLayer":
        """The same with the widths at which the scans of this seed end."""
        found = [scan(self.lift_spec(op, stage=s), seed, stage_path(path, s)) for s in range(self.stage_count)]
        stages = zip(self.stages, found, strict=True)
        return replace(self, stages=tuple(replace(stage, neurons=lift.neurons) for stage, lift in stages))

    def narrowest(self, op: Linear) -> "TwoLayer":
        """The same as narrow as it can be: dead neurons, which depend on the seed, are not counted."""
        lives = (self.live(op, stage=s) for s in range(self.stage_count))
        stages = zip(self.stages, lives, strict=True)
        return replace(self, stages=tuple(replace(stage, neurons=live) for stage, live in stages))

    def live(self, op: Linear, *, stage: int = 0) -> int:
        """Neurons that serve an input or the constant."""
        return self.lift_spec(op, stage=stage).live

    def signed(self, op: Linear) -> Bool[np.ndarray, " inp"]:
        """Inputs that can be negative."""
        return self.lift_spec(op).signed_mask

    def tensors(self, path: str, op: Linear) -> tuple[RandomTensor, ...]:
        """The random tensors, all neuron-major: a wider source never changes a value.

        Of the lift each live neuron keeps the one number it serves with; what the mixing layer keeps says the mask.
        """
        found: list[RandomTensor] = []
        for s in range(self.stage_count):
            own = list(self._tensors(path, op, s))
            found += own + ([_mirror(tensor) for tensor in own] if self.centred else [])
        return tuple(found)

    def _tensors(self, path: str, op: Linear, stage: int) -> Iterator[RandomTensor]:
        spec, own = self.lift_spec(op, stage=stage), stage_path(path, stage)
        neurons, (rows, inputs, taps) = self.stages[stage].neurons, op.coefficients
        constants = spec.constants * spec.constant_slots
        yield RandomTensor(f"{own}/lift", (neurons, inputs), self.law, kept=spec.live - constants)
        if constants:
            yield RandomTensor(f"{own}/lift_bias", (neurons,), self.law, kept=constants)
        yield RandomTensor(f"{own}/mixing", (neurons, rows, taps), self.law, kept=0)

    def check_layout(self, path: str, op: Linear, seed: int) -> None:
        """The scan of each stage must end exactly at the stated width."""
        for s, stage in enumerate(self.stages):
            found = self.lift(path, op, seed, stage=s).neurons
            if found != stage.neurons:
                own = stage_path(path, s)
                raise InputError(f"{own}: the scan ends after {found} neurons, the ticket says {stage.neurons}")

    def mask_bits(self, path: str, op: Linear) -> dict[str, int]:
        """Of each stage one per (row, tap, live neuron); of neurons that serve a constant at tap 0 only."""
        return {f"{stage_path(path, s)}/mixing": self._bits(op, s) for s in range(self.stage_count)}

    def _bits(self, op: Linear, stage: int) -> int:
        spec, (rows, _, taps) = self.lift_spec(op, stage=stage), op.coefficients
        return rows * (taps * spec.candidates * spec.input_slots + spec.constants * spec.constant_slots)

    def entries(self, path: str, op: Linear, masks: Mapping[str, Bits]) -> dict[str, int]:
        """Of the mixing layers one for each set bit; of their mirrors one for each other."""
        found = dict[str, int]()
        for tensor, bits in self.mask_bits(path, op).items():
            found[tensor] = ones(masks[tensor])
            if self.centred:
                found[mirror_of(tensor)] = bits - found[tensor]
        return found

    def exactly_kept(self, path: str, op: Linear) -> dict[str, int]:
        """Of each stage whose coefficients keep exactly so many candidates, how many bits are 1, by tensor."""
        found = dict[str, int]()
        rows, _, taps = op.coefficients
        for s, stage in enumerate(self.stages):
            if stage.kept is not None:
                spec, (weight, bias) = self.lift_spec(op, stage=s), stage.kept
                found[f"{stage_path(path, s)}/mixing"] = rows * (
                    weight * taps * spec.input_slots + bias * spec.constant_slots
                )
        return found

    def cost(self, op: Linear) -> Cost:
        """Of all stages together."""
        rows, _, taps = op.coefficients
        bits = problems = live = memory = 0
        for s in range(self.stage_count):
            spec, own = self.lift_spec(op, stage=s), self._bits(op, s)
            sums = rows * (taps * spec.input_slots + spec.constant_slots)
            slot = rows * max(taps * spec.candidates, spec.constants)
            bits, problems, live = bits + own, problems + sums, live + spec.live
            memory += 2 * own + 64 * spec.live + 64 * sums + 32 * slot
        return Cost(bits, rows * taps * self.lift_spec(op).input_slots, problems, live, memory)

    def problems(self, path: str, op: Linear, seed: int, *, stage: int | None = None) -> Iterator[Problems]:
        """Positive halves, negative ones (or whole weights), bias; in each some rows after others, in those inputs."""
        for s in range(self.stage_count) if stage is None else (stage,):
            yield from self._problems(path, op, seed, s)

    def _problems(self, path: str, op: Linear, seed: int, stage: int) -> Iterator[Problems]:
        lift, wanted, tensor = (
            self.lift(path, op, seed, stage=stage),
            self.stages[stage],
            f"{stage_path(path, stage)}/mixing",
        )
        rows, inputs, taps = op.coefficients
        mixing, places = Stream(seed, tensor), _places(lift, rows, taps)
        served = np.concatenate([np.arange(inputs), lift.spec.split_inputs])  # input of each slot
        members = lift.members(slice(None))
        constant = np.arange(lift.spec.constant_slots)
        halves: tuple[tuple[Half, np.ndarray, np.ndarray, float], ...] = (
            ("whole" if self.linear else "positive", served[:inputs], members[:inputs], wanted.gain),
            ("negative", served[inputs:], members[inputs:], wanted.gain),
            ("bias", constant, lift.constant_members, wanted.bias_gain),
        )
        for half, slots, columns, gain in halves:
            high = min(rows, max(1, _PAIRS // taps))
            wide = max(1, _BLOCK // (high * taps * columns.shape[1]))
            for first, start in product(range(0, rows, high), range(0, len(slots), wide)):
                own = columns[start : start + wide]
                yield Problems(
                    half,
                    stage,
                    tensor,
                    slots[start : start + wide],
                    range(first, min(first + high, rows)),
                    own,
                    lift.neuron[own],
                    lift.value[own],
                    mixing,
                    gain,
                    places,
                    wanted.keeps(half),
                    self.law,
                    self.centred,
                )

    def mask(self, path: str, op: Linear, *, seed: int, bits: Bits, stage: int = 0) -> Bool[np.ndarray, "w live"]:
        """One row per (row, tap), one column per live neuron; neurons of a constant keep nothing beyond tap 0."""
        rows, _, taps = op.coefficients
        flat = np.unpackbits(bits, count=self._bits(op, stage), bitorder="little").view(np.bool_)
        if taps == 1 or not self.stages[stage].constants:
            return flat.reshape(rows * taps, -1)
        stored = self._stored(path, op, seed, stage)
        stored[stored] = flat
        return stored

    def pack(self, path: str, op: Linear, *, seed: int, mask: Bool[np.ndarray, "w live"], stage: int = 0) -> Bits:
        """Row outermost, then tap, then live neurons ascending; least significant bit first, zero padding."""
        every = op.basis.taps == 1 or not self.stages[stage].constants
        return np.packbits(mask.reshape(-1) if every else mask[self._stored(path, op, seed, stage)], bitorder="little")

    def _stored(self, path: str, op: Linear, seed: int, stage: int) -> Bool[np.ndarray, "w live"]:
        """Which bits of a mask are stored, where not all are."""
        rows, _, taps = op.coefficients
        stored = np.ones((rows, taps, self.live(op, stage=stage)), np.bool_)
        stored[:, 1:, self.lift(path, op, seed, stage=stage).constant_members.reshape(-1)] = False
        return stored.reshape(rows * taps, -1)


def exactly_kept(gadget: Gadget, path: str, op: Linear) -> dict[str, int]:
    """How many bits are 1 of masks whose coefficients keep exactly so many candidates, by tensor."""
    return gadget.exactly_kept(path, op) if isinstance(gadget, TwoLayer) else {}


def exactly_words(gadget: Gadget) -> str:
    """How many candidates its coefficients keep exactly, in words; nothing if that is free.

    >>> exactly_words(TwoLayer((Stage(30, 25, 80, 0.5, 1.0, (6, 5)),), ()))
    '6 of 30 per weight, 5 of 25 per bias'
    """
    stages = gadget.stages if isinstance(gadget, TwoLayer) else ()
    found = [
        f"{stage.kept[0]} of {stage.candidates} per weight"
        + (f", {stage.kept[1]} of {stage.constants} per bias" if stage.constants else "")
        for stage in stages
        if stage.kept is not None
    ]
    return "; then ".join(found)


def stage_path(path: str, stage: int) -> str:
    """What the streams of a stage's tensors are called after: those of the first after the map itself.

    >>> stage_path("fc", 0), stage_path("fc", 2)
    ('fc', 'fc/2')
    """
    return f"{path}/{stage}" if stage else path


def mirror_of(tensor: str) -> str:
    """The path of the mirror of a tensor of mirrored pairs.

    >>> mirror_of("fc/mixing")
    'fc/mirror/mixing'
    """
    stage, _, part = tensor.rpartition("/")
    return f"{stage}/mirror/{part}"


def _mirror(tensor: RandomTensor) -> RandomTensor:
    """The same numbers again; those of the mixing layer negated."""
    gain = -1.0 if tensor.path.endswith("/mixing") else 1.0
    return replace(tensor, path=mirror_of(tensor.path), gain=gain, stream=tensor.path)


def _places(lift: Lift, rows: int, taps: int) -> Places:
    """Of the bits of a map's mask."""
    constant = lift.slot >= lift.spec.input_slots
    return Places(rows, taps, np.cumsum(constant) - constant, int(constant.sum()))
