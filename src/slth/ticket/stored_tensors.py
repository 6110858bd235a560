"""What is stored of a random tensor agrees with what is said of it: masks, moves, and how much is kept."""

from dataclasses import replace

import numpy as np

from slth._errors import InputError
from slth._shapes import Bits
from slth.ticket.buffers import ones
from slth.ticket.tensors import MOST, RandomTensor


def check_mask(tensor: RandomTensor, mask: Bits | None) -> None:
    """The mask of a parameter has its bits, and as many ones as the tensor says."""
    if mask is not None and not tensor.mask_bits:
        raise InputError(f"{tensor.path}: every weight is kept, so there is no mask to be stored")
    check_packed(tensor, tensor.mask_bits or None, mask)
    if mask is not None:
        check_kept(tensor, ones(mask))


def check_packed(tensor: RandomTensor, bits: int | None, mask: Bits | None) -> None:
    """A mask is stored exactly where some are wanted, with so many bits."""
    if mask is None and bits is None:
        return
    if mask is None:
        raise InputError(f"{tensor.path}: {tensor.kept} of {tensor.size} weights are kept, yet there is no mask")
    if bits is None:
        raise InputError(f"{tensor.path}: what is kept follows from the seed, so there is no mask to be stored")
    if len(mask) != -(-bits // 8) or (bits % 8 and mask[-1] >> (bits % 8)):
        raise InputError(f"{tensor.path}: expected a mask of {bits} bits, padded with zeros to whole bytes")


def differ(given: RandomTensor, wanted: RandomTensor) -> bool:
    """Not the tensor that a gadget wants, whatever is kept where that depends on masks: there it says 0."""
    return (given if wanted.kept else replace(given, kept=0, moved=False)) != wanted


def check_kept(tensor: RandomTensor, found: int) -> None:
    """A mask keeps as many weights as the tensor says."""
    if found != tensor.kept:
        raise InputError(f"{tensor.path}: the mask keeps {found} weights, the ticket says {tensor.kept}")


def check_move(tensor: RandomTensor, move: np.ndarray | None) -> None:
    """Moves are finite, one per kept weight, and stored exactly where the tensor says so."""
    if (move is not None) != tensor.moved:
        raise InputError(f"{tensor.path}: moves are stored exactly where the ticket says that weights moved")
    if move is None:
        return
    if move.shape != (tensor.kept,):
        raise InputError(f"{tensor.path}: expected {tensor.kept} moves, one per kept weight; got shape {move.shape}")
    if not bool((np.abs(move) <= MOST).all()):  # NaN fails, too
        raise InputError(f"{tensor.path}: expected finite moves of size at most {MOST:g}")
    if not move.any():
        raise InputError(f"{tensor.path}: every move is 0; say that nothing moved")
