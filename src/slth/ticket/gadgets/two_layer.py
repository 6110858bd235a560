r"""Two random layers for one map: a *lift* makes positive copies of the inputs, a *mixing* layer reads them.

Pensia, Rajput, Nagle, Vishwakarma and Papailiopoulos (2020), with biases and signed inputs. With u ≥ ½ the lift's value
of a neuron (see `lift`), v, m its mixing weight and mask bit, sums over the neurons of one slot:

    P[r, j, t] = g Σ m v u        N[r, j, t] = g Σ m v u        b[γ · rows + r] = g_b Σ m v β

Written x = x⁺ − x⁻, the two layers compute P x⁺ + N x⁻ + b. All entries are U[−1, 1), gains are powers of two.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from jaxtyping import Bool

from slth._errors import InputError
from slth._shapes import Bits
from slth.graph import Linear
from slth.numerics import Stream
from slth.ticket.gadgets.gadget import Cost
from slth.ticket.gadgets.lift import Lift, LiftSpec, scan
from slth.ticket.gadgets.problems import Half, Places, Problems
from slth.ticket.tensors import RandomTensor

_BLOCK = 1 << 18  # products formed at a time
_PAIRS = 32  # (row, tap) pairs of a block, about: so many rows of the mask stay in a fast cache, whatever their length


@dataclass(frozen=True, slots=True)
class TwoLayer:
    """The random network of one map."""

    candidates: int  # n, neurons wanted for each half of an input
    constants: int  # n_c, neurons wanted for the bias; 0 without one
    neurons: int  # H, width of the random lift
    signed_ranges: tuple[tuple[int, int], ...]  # half-open ranges of the inputs that can be negative
    gain: float  # g
    bias_gain: float  # g_b

    def lift_spec(self, op: Linear) -> LiftSpec:
        """What the scan needs to know."""
        return LiftSpec(op.basis.inputs, self.candidates, self.constants, self.signed_ranges, op.basis.groups)

    def lift(self, path: str, op: Linear, seed: int) -> Lift:
        """The lift, scanned again from the seed."""
        return scan(self.lift_spec(op), seed, path, most=self.neurons)

    def fitted(self, path: str, op: Linear, seed: int) -> "TwoLayer":
        """The same with the width at which the scan of this seed ends."""
        return replace(self, neurons=scan(self.lift_spec(op), seed, path).neurons)

    def live(self, op: Linear) -> int:
        """Neurons that serve an input or the constant."""
        return self.lift_spec(op).live

    def signed(self, op: Linear) -> Bool[np.ndarray, " inp"]:
        """Inputs that can be negative."""
        return self.lift_spec(op).signed_mask

    def tensors(self, path: str, op: Linear) -> tuple[RandomTensor, ...]:
        """The random tensors, all neuron-major: a wider source never changes a value.

        Of the lift each live neuron keeps the one number it serves with; what the mixing layer keeps says the mask.
        """
        spec = self.lift_spec(op)
        rows, inputs, taps = op.coefficients
        constants = self.constants * spec.constant_slots
        lift = RandomTensor(f"{path}/lift", (self.neurons, inputs), "uniform", kept=spec.live - constants)
        bias = RandomTensor(f"{path}/lift_bias", (self.neurons,), "uniform", kept=constants)
        mixing = RandomTensor(f"{path}/mixing", (self.neurons, rows, taps), "uniform", kept=0)
        return (lift, bias, mixing) if self.constants else (lift, mixing)

    def check_layout(self, path: str, op: Linear, seed: int) -> None:
        """The scan must end exactly at the stated width."""
        found = self.lift(path, op, seed).neurons
        if found != self.neurons:
            raise InputError(f"{path}: the scan ends after {found} neurons, the ticket says {self.neurons}")

    def cost(self, op: Linear) -> Cost:
        """Bits: one per (row, tap, live neuron); of neurons that serve a constant at tap 0 only."""
        spec, (rows, _, taps) = self.lift_spec(op), op.coefficients
        inputs, constants = self.candidates * spec.input_slots, self.constants * spec.constant_slots
        bits = rows * (taps * inputs + constants)
        problems = rows * (taps * spec.input_slots + spec.constant_slots)
        slot = rows * max(taps * self.candidates, self.constants)
        return Cost(bits, problems, 2 * bits + 64 * spec.live + 64 * problems + 32 * slot)

    def problems(self, path: str, op: Linear, seed: int) -> Iterator[Problems]:
        """Positive halves, negative halves, bias; in each some rows after others, and of them some inputs."""
        lift = self.lift(path, op, seed)
        rows, inputs, taps = op.coefficients
        mixing, places = Stream(seed, f"{path}/mixing"), _places(lift, rows, taps)
        served = np.concatenate([np.arange(inputs), lift.spec.signed_inputs])  # input of each slot
        members = lift.members(slice(None))
        constant = np.arange(op.basis.groups if self.constants else 0)
        halves: tuple[tuple[Half, np.ndarray, np.ndarray, float], ...] = (
            ("positive", served[:inputs], members[:inputs], self.gain),
            ("negative", served[inputs:], members[inputs:], self.gain),
            ("bias", constant, lift.constant_members, self.bias_gain),
        )
        for half, slots, columns, gain in halves:
            high = min(rows, max(1, _PAIRS // taps))
            wide = max(1, _BLOCK // (high * taps * columns.shape[1]))
            for first, start in product(range(0, rows, high), range(0, len(slots), wide)):
                own = columns[start : start + wide]
                yield Problems(
                    half,
                    slots[start : start + wide],
                    range(first, min(first + high, rows)),
                    own,
                    lift.neuron[own],
                    lift.value[own],
                    mixing,
                    gain,
                    places,
                )

    def mask(self, path: str, op: Linear, *, seed: int, bits: Bits) -> Bool[np.ndarray, "w live"]:
        """One row per (row, tap), one column per live neuron; neurons of a constant keep nothing beyond tap 0."""
        rows, _, taps = op.coefficients
        flat = np.unpackbits(bits, count=self.cost(op).mask_bits, bitorder="little").view(np.bool_)
        if taps == 1 or not self.constants:
            return flat.reshape(rows * taps, -1)
        stored = self._stored(path, op, seed)
        stored[stored] = flat
        return stored

    def pack(self, path: str, op: Linear, *, seed: int, mask: Bool[np.ndarray, "w live"]) -> Bits:
        """Row outermost, then tap, then live neurons ascending; least significant bit first, zero padding."""
        every = op.basis.taps == 1 or not self.constants
        return np.packbits(mask.reshape(-1) if every else mask[self._stored(path, op, seed)], bitorder="little")

    def _stored(self, path: str, op: Linear, seed: int) -> Bool[np.ndarray, "w live"]:
        """Which bits of a mask are stored, where not all are."""
        rows, _, taps = op.coefficients
        stored = np.ones((rows, taps, self.lift_spec(op).live), np.bool_)
        stored[:, 1:, self.lift(path, op, seed).constant_members.reshape(-1)] = False
        return stored.reshape(rows * taps, -1)


def _places(lift: Lift, rows: int, taps: int) -> Places:
    """Of the bits of a map's mask."""
    constant = lift.slot >= lift.spec.input_slots
    return Places(rows, taps, np.cumsum(constant) - constant, int(constant.sum()))
