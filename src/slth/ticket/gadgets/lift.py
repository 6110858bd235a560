"""The lift: which neuron of the random first layer serves which input.

A map becomes two random layers. The *lift* makes scalar copies σ(u x_j) of the inputs (and σ(β) of the constant 1), the
*mixing* layer reads them. Which neuron copies which input is itself a masking choice, so nothing of the lift is wasted
and no mask bit is spent:

    slots      (j, +) for every input j, then (j, −) for every input that can be negative, then the constant, a slot for
               each group
    value      of slot at neuron h: u[h, j], −u[h, j], β[h]
    need       n, n, n_c
    the scan   for h = 0, 1, ...: from the slot after the last one served, cyclically, serve the first slot with need
               left and value ≥ ½; if there is none, h is dead; stop when all needs are met

A *linear* lift has no ReLU: its copies u x_j, with u of either sign, are one more linear layer, and need no sign split.
Its slots are (j) for every input, then the constant; its values u[h, j] and β[h], and whoever has |value| ≥ ½ serves.

The random network is fixed before any target is seen: u, β and v are neuron-major streams of the seed, and neither the
scan nor the needs look at a weight. The threshold counts in units of the law: of ±1 every right sign serves, of a
normal law 31 in 100 do, of a randomly pruned one a quarter of what survives.

Source: Pensia et al. (2020) for the two-layer gadget; the assignment is new here.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64, Int64

from slth._errors import InputError
from slth.numerics import Stream, source_law

THRESHOLD = 0.5  # a neuron serves a slot if its value there is at least this
MOST_CANDIDATES = 64  # of one slot: a float64 sum of up to 64 products is exact


@dataclass(frozen=True, slots=True)
class LiftSpec:
    """What a reader needs to repeat the scan of one map."""

    inputs: int  # d, coordinates of the map's input
    candidates: int  # n, neurons wanted per slot of an input
    constants: int  # n_c, neurons wanted for the constant slot; 0 for a map without bias
    signed: tuple[tuple[int, int], ...]  # half-open ranges of the inputs that can be negative
    groups: int = 1  # each with a constant slot of its own
    law: str = "uniform"  # of the lift's numbers
    linear: bool = False  # no ReLU: one slot for an input, which neurons of either sign serve

    @property
    def signed_inputs(self) -> Int64[np.ndarray, " signed"]:
        """Indices of the inputs that can be negative, ascending."""
        return np.concatenate([np.zeros(0, np.int64), *(np.arange(a, b, dtype=np.int64) for a, b in self.signed)])

    @property
    def split_inputs(self) -> Int64[np.ndarray, " split"]:
        """Indices of the inputs that have a slot of each sign, ascending: the signed ones; none of a linear lift."""
        return self.signed_inputs[:0] if self.linear else self.signed_inputs

    @property
    def signed_mask(self) -> Bool[np.ndarray, " inp"]:
        """True where an input can be negative."""
        mask = np.zeros(self.inputs, np.bool_)
        mask[self.signed_inputs] = True
        return mask

    @property
    def slots(self) -> int:
        """What the lift can serve: (j, +) for all inputs, (j, −) for those that are split, the constants."""
        return self.input_slots + self.constant_slots

    @property
    def input_slots(self) -> int:
        """Those of the inputs, of both signs."""
        return self.inputs + (0 if self.linear else sum(end - start for start, end in self.signed))

    @property
    def constant_slots(self) -> int:
        """Those of the constant: one for each group, none without a bias."""
        return self.groups if self.constants else 0

    @property
    def live(self) -> int:
        """Neurons that serve a slot."""
        return self.candidates * self.input_slots + self.constants * self.constant_slots


@dataclass(frozen=True, slots=True, eq=False)
class Lift:
    """The lift of one map after the scan. Axis `live`: the neurons that serve a slot, ascending."""

    spec: LiftSpec
    neurons: int  # H, neurons scanned: the width of the random layer
    neuron: Int64[np.ndarray, " live"]  # which neuron
    slot: Int64[np.ndarray, " live"]  # which slot it serves
    value: Float64[np.ndarray, " live"]  # there, at least ½; of a linear lift in size
    by_slot: Int64[np.ndarray, " live"]  # ranks 0 ... live − 1, grouped by slot, ascending within each

    def members(self, slots: slice) -> Int64[np.ndarray, "slot n"]:
        """Ranks in `live` of the candidates of each input slot: entry (s, k) is the k-th neuron that serves s."""
        return self.by_slot[: self.spec.candidates * self.spec.input_slots].reshape(-1, self.spec.candidates)[slots]

    @property
    def constant_members(self) -> Int64[np.ndarray, "group n_c"]:
        """Ranks in `live` of the neurons that serve the constant of each group."""
        return self.by_slot[self.spec.candidates * self.spec.input_slots :].reshape(-1, max(self.spec.constants, 1))


def signed_ranges(signed: Bool[np.ndarray, " inp"]) -> tuple[tuple[int, int], ...]:
    """The half-open ranges where a mask is true.

    >>> signed_ranges(np.array([True, True, False, True]))
    ((0, 2), (3, 4))
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[0], signed.astype(np.int8), [0]])))
    return tuple((int(a), int(b)) for a, b in edges.reshape(-1, 2))


def scan(spec: LiftSpec, seed: int, path: str, *, most: int = 2**62) -> Lift:
    """Repeat the scan of a map: O(live neurons), four random values looked at per neuron on average.

    Args:
        path: of the map; the streams are `{path}/lift` and `{path}/lift_bias`.
        most: neurons to scan at most.

    Raises:
        InputError: the needs are not met within `most` neurons.
    """
    from slth.ticket.gadgets import _kernels

    need = np.full(spec.slots, spec.candidates, np.int64)
    need[spec.input_slots :] = spec.constants
    law = source_law(spec.law)
    serving, coin = law.serving(THRESHOLD), np.uint32(round(256 * law.uniform) if len(law.parts) == 2 else 256)
    neuron, slot, word = np.empty(spec.live, np.int64), np.empty(spec.live, np.int64), np.empty(spec.live, np.uint32)
    lift_key, bias_key = (np.array(Stream(seed, f"{path}/{part}").key, np.uint32) for part in ("lift", "lift_bias"))
    live, neurons = _kernels.scan(
        spec.inputs, spec.split_inputs, spec.linear, need, most, lift_key, bias_key, serving, coin, neuron, slot, word
    )
    if live < spec.live:
        raise InputError(f"{path}: {most} lift neurons serve {live} of {spec.live} needs; the ticket's width is wrong")
    by_slot = np.argsort(slot, kind="stable")
    value = law.values(word).astype(np.float64)
    value = value if spec.linear else np.abs(value)
    return Lift(spec=spec, neurons=neurons, neuron=neuron, slot=slot, value=value, by_slot=by_slot)
