r"""Mixing weights that moved a little, as ε-perturbed tickets have them (Xiong, Liao and Kyrillidis, 2023).

A kept candidate (v + Δ) u differs from v u by Δ u. Moves Δ are multiples of 2⁻²³ of size at most 1, and so is u: the
products are multiples of 2⁻⁴⁶, of size at most 2, and the sum of up to 64 of them is exact in float64 in any order.
Only v moves, u does not; so max |Δ| bounds from above the largest move that the paper's η needs.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int64

from slth._errors import InputError
from slth._shapes import Bits
from slth.ticket.gadgets.problems import Problems

STEP = 2.0**-23  # of the grid of moves
MOST_MOVE = 1.0  # beyond it sums of 64 candidates would need more bits than a float64 has

Moves = Float32[np.ndarray, "_"]  # Δ of the kept numbers, in the order of the bits that are 1


@dataclass(frozen=True, slots=True, eq=False)
class MovesOfBits:
    """The moves of one mask, to be found by the place of a bit."""

    values: Moves  # Δ, in the order of the bits that are 1
    before: Int64[np.ndarray, " byte"]  # how many ones stand before each byte of the mask


def moves_of_bits(masks: Mapping[str, Bits], moves: Mapping[str, Moves]) -> dict[str, MovesOfBits]:
    """Those of some masks, by tensor; nothing for masks without moves."""
    return {tensor: MovesOfBits(moves[tensor], ones_before(masks[tensor])) for tensor in masks if tensor in moves}


def ones_before(bits: Bits) -> Int64[np.ndarray, " byte"]:
    """How many bits are 1 before each byte."""
    counts = np.bitwise_count(bits).astype(np.int64)
    return np.cumsum(counts) - counts


def moves_of_block(block: Problems, masks: Mapping[str, Bits], moves: MovesOfBits) -> Float64[np.ndarray, "slot w n"]:
    """Δ of every candidate of a block, 0 of those that are not kept."""
    from slth.ticket.gadgets import _kernels

    found = np.empty((len(block.inputs), len(block.pairs), block.columns.shape[1]))
    _kernels.read_moves(masks[block.tensor], *block.bit_places, moves.before, moves.values, found)
    return found


def moved_sums(
    block: Problems, masks: Mapping[str, Bits], moves: Mapping[str, MovesOfBits]
) -> Float64[np.ndarray, "slot w"]:
    """gain · Σ kept · (v + Δ) u, exact; the same as the block's own sums where nothing moved."""
    sums = block.sums(masks)
    if block.tensor not in moves:
        return sums
    return sums + block.gain * np.einsum("swn,sn->sw", moves_of_block(block, masks, moves[block.tensor]), block.factors)


def check_grid(path: str, moves: Moves, most: float | None) -> None:
    """Moves of a gadget lie on their grid, and none is larger than is claimed.

    Raises:
        InputError: one is not, or is.
    """
    if (moves.astype(np.float64) / STEP % 1.0 != 0.0).any():
        raise InputError(f"{path}: the moves of a gadget are multiples of 2**-23, and one is not")
    largest = float(np.abs(moves).max(initial=0.0))
    if largest > MOST_MOVE:
        raise InputError(f"{path}: a random number moved by {largest:g}; sums are exact for moves of at most 1")
    if most is not None and largest > most:
        raise InputError(f"{path}: a random number moved by {largest!r}, more than the claimed {most!r}")


class CollectedMoves:
    """The moves of a map while blocks come in; in the order of bits once all masks are known."""

    def __init__(self) -> None:
        self._blocks: list[tuple[Problems, np.ndarray]] = []

    def add(self, block: Problems, steps: np.ndarray) -> None:
        """Those of a block, (problem, n) in steps of the grid; 0 where nothing is kept."""
        at = np.flatnonzero(steps)
        self._blocks.append((block, np.stack([at, steps.reshape(-1)[at]])))

    def of(self, masks: Mapping[str, Bits]) -> dict[str, Moves]:
        """By tensor; nothing for tensors of which nothing moved."""
        from slth.ticket.gadgets import _kernels

        found: dict[str, Moves] = {}
        before = {tensor: ones_before(masks[tensor]) for tensor in {block.tensor for block, _ in self._blocks}}
        for block, steps in self._blocks:
            bits = masks[block.tensor]
            if block.tensor not in found:
                found[block.tensor] = np.zeros(int(np.bitwise_count(bits).sum(dtype=np.int64)), np.float32)
            dense = np.zeros((len(block.inputs), len(block.pairs), block.columns.shape[1]))
            dense.reshape(-1)[steps[0]] = steps[1] * STEP
            _kernels.write_moves(bits, *block.bit_places, before[block.tensor], dense, found[block.tensor])
        return {tensor: moves for tensor, moves in found.items() if moves.any()}
