"""Tickets found by training masks, on any network: a seed, one mask bit per random weight, and what is carried beside.

A weight is *masked* if its value comes from a stream; everything else of the network's state (statistics and parameters
of normalisations, biases, embeddings) is *carried*: stored as it is. A ticket is *strong* if no masked weight moved.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32

from slth._errors import InputError
from slth._files import write_atomically
from slth._shapes import Bits, Draws
from slth.numerics import check_seed
from slth.ticket.effective import effective_blocks, effective_digest
from slth.ticket.learned_spec import (
    MOST,
    MOST_SIZE,
    InputSpec,
    LearnedProvenance,
    MaskedTensor,
    NetworkSpec,
    check_text,
)
from slth.ticket.realise import head_digest

Moves = Float32[np.ndarray, "_"]
CARRIED = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "I8": "|i1", "I16": "<i2", "I32": "<i4", "I64": "<i8"} | {
    "U8": "|u1",
    "BOOL": "|b1",
}


@dataclass(frozen=True, slots=True, eq=False)
class LearnedTicket:
    """A pruned random network whose masks were learned. `FORMAT.md` describes the file. Checked when made.

    Raises:
        InputError: masks, moves and carried arrays that contradict `tensors`, or hold NaN or infinity; a name twice.
    """

    seed: int
    network: NetworkSpec
    inputs: InputSpec | None
    tensors: tuple[MaskedTensor, ...]
    masks: tuple[Bits | None, ...]  # packed, least significant bit first; None where everything is kept
    moves: tuple[Moves | None, ...]  # Δ of the kept weights in C order; None where nothing moved
    epsilon: float | None  # claim: every |Δ| ≤ ε; None: no claim
    carried: dict[str, np.ndarray]  # by name: the rest of the network's state
    heads: tuple[str, ...]  # SHA-256 of the first 4,096 values draw · scale
    digests: tuple[str, ...]  # SHA-256 of the effective weights
    provenance: LearnedProvenance

    def __post_init__(self) -> None:
        check_seed(self.seed)
        count = len(self.tensors)
        if not count or any(len(part) != count for part in (self.masks, self.moves, self.heads, self.digests)):
            raise InputError("a learned ticket needs at least one masked tensor, and for each a mask and digests")
        if self.epsilon is not None and not (math.isfinite(self.epsilon) and self.epsilon > 0):
            raise InputError(f"the bound on moves must be a positive number, or None for no claim; got {self.epsilon}")
        for tensor, mask, move in zip(self.tensors, self.masks, self.moves, strict=True):
            _check_mask(tensor, mask)
            _check_move(tensor, move)
        for name, values in self.carried.items():
            check_carried(name, values)
        self._check_names()

    def _check_names(self) -> None:
        names = [path for tensor in self.tensors for path in (tensor.path, *tensor.aliases)] + [*self.carried]
        sources = [tensor.source for tensor in self.tensors]
        runs = [f"{tensor.path}.{kind}" for tensor in self.tensors for kind in ("mask", "move")]
        runs += [f"carried/{name}" for name in self.carried]
        for what, listed in (("parameters", names), ("streams", sources), ("parts of the file", runs)):
            if len(set(listed)) != len(listed):
                twice, _ = Counter(listed).most_common(1)[0]
                raise InputError(f"two {what} are called {twice[:200]!r}; every name stands once")

    @property
    def size(self) -> int:
        """Masked weights, pruned ones included."""
        return sum(tensor.size for tensor in self.tensors)

    @property
    def kept(self) -> int:
        return sum(tensor.kept for tensor in self.tensors)

    @property
    def density(self) -> float:
        return self.kept / self.size

    @property
    def mask_bits(self) -> int:
        """One per weight of every tensor that is pruned at all."""
        return sum(tensor.mask_bits for tensor in self.tensors)

    @property
    def carried_numbers(self) -> int:
        """Numbers stored beside the masks: the carried arrays, and gains other than 1. Moves do not count."""
        return sum(values.size for values in self.carried.values()) + sum(t.gain != 1.0 for t in self.tensors)

    @property
    def strong(self) -> bool:
        """No masked weight moved."""
        return not any(tensor.moved for tensor in self.tensors)

    @property
    def largest_move(self) -> float:
        """max |Δ|, exact; 0 if nothing moved."""
        return max((float(np.abs(move).max()) for move in self.moves if move is not None), default=0.0)

    def mask(self, index: int) -> Bool[np.ndarray, "..."]:
        """The mask of a tensor, bool of its shape."""
        tensor, bits = self.tensors[index], self.masks[index]
        if bits is None:
            return np.ones(tensor.shape, np.bool_)
        return np.unpackbits(bits, count=tensor.size, bitorder="little").view(np.bool_).reshape(tensor.shape)

    def weights(self, index: int) -> Draws:
        """The effective weights of a tensor, regenerated: float32 of its shape. O(size)."""
        tensor = self.tensors[index]
        blocks = effective_blocks(tensor, self.seed, self.masks[index], self.moves[index])
        return np.concatenate(list(blocks)).reshape(tensor.shape)

    def weight(self, path: str) -> Draws:
        """The effective weights of the tensor at a path, or at one of its aliases."""
        for i, tensor in enumerate(self.tensors):
            if path in (tensor.path, *tensor.aliases):
                return self.weights(i)
        known = ", ".join(tensor.path for tensor in self.tensors)
        raise InputError(f"no masked tensor is called {path!r}; the ticket has {known[:300]}")

    def save(self, path: str | Path) -> Path:
        """Write the ticket atomically; the same bytes everywhere."""
        from slth.ticket.format import encode

        return write_atomically(path, encode(self))

    @property
    def stored_mask_bits(self) -> int:
        """Bits that the masks take in the file, coded where that is shorter."""
        from slth.ticket.format import stored_masks

        return 8 * sum(len(data) for stored in stored_masks(self) if stored is not None for data in stored[1:])

    def __repr__(self) -> str:
        return (
            f"LearnedTicket({self.network.name or 'bound'}, seed {self.seed}, {self.provenance.method}, "
            f"{self.kept:,} of {self.size:,} weights kept, {'strong' if self.strong else 'moved'})"
        )

    def summary(self) -> tuple[tuple[str, str], ...]:
        """What is inside, as (name, value) rows for people."""
        from slth.ticket._rows import rows

        return rows(self)

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in self.summary())
        return f"<table><caption>Learned lottery ticket</caption>{rows}</table>"


def learned_ticket(
    *,
    seed: int,
    network: NetworkSpec,
    inputs: InputSpec | None,
    tensors: tuple[MaskedTensor, ...],
    kept: Sequence[np.ndarray],
    moves: Sequence[np.ndarray | None],
    epsilon: float | None,
    carried: dict[str, np.ndarray],
    provenance: LearnedProvenance,
) -> LearnedTicket:
    """A ticket from boolean masks: packs them, and fills in heads and digests. O(size).

    Args:
        kept: per tensor, the mask, bool of its shape.
        moves: per tensor, Δ of the kept weights in C order, float32 (kept,); None where nothing moved.
        carried: arrays of any byte order and layout; copied.

    Raises:
        InputError: what contradicts what, by name; see `LearnedTicket`.
    """
    for tensor, keep in zip(tensors, kept, strict=True):
        if keep.dtype != np.bool_ or keep.shape != tensor.shape:
            raise InputError(
                f"{tensor.path}: expected a bool mask of shape {tensor.shape}, got {keep.dtype} {keep.shape}"
            )
    masks = tuple(
        None if tensor.kept == tensor.size and keep.all() else np.packbits(keep.reshape(-1), bitorder="little")
        for tensor, keep in zip(tensors, kept, strict=True)
    )
    flat = tuple(None if move is None else np.array(move, np.float32).reshape(-1) for move in moves)
    for tensor, mask, move in zip(tensors, masks, flat, strict=True):
        _check_mask(tensor, mask)
        _check_move(tensor, move)
    parts = list(zip(tensors, masks, flat, strict=True))
    return LearnedTicket(
        seed=seed,
        network=network,
        inputs=inputs,
        tensors=tensors,
        masks=masks,
        moves=flat,
        epsilon=epsilon,
        carried={name: _native(name, values) for name, values in sorted(carried.items())},
        heads=tuple(head_digest(tensor.spec, seed) for tensor in tensors),
        digests=tuple(effective_digest(tensor, seed, mask, move) for tensor, mask, move in parts),
        provenance=provenance,
    )


def dtype_name(values: np.ndarray) -> str | None:
    """The type of a carried array as safetensors names it; None if a ticket cannot carry it."""
    wanted = values.dtype.newbyteorder("<").str
    return next((name for name, code in CARRIED.items() if code == wanted), None)


def check_carried(name: str, values: np.ndarray) -> None:
    """A carried array has a printable name, a known type, and only finite numbers."""
    check_text(name, "the name of a carried array", 1000)
    if dtype_name(values) is None:
        raise InputError(f"{name} is {values.dtype}; a ticket carries {', '.join(CARRIED)}")
    if values.ndim > 8 or math.prod(max(size, 1) for size in values.shape) > MOST_SIZE:
        raise InputError(f"{name}: expected a shape of at most 8 axes, got {values.shape}")
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise InputError(f"{name} holds NaN or infinity; a ticket carries finite numbers")


def _native(name: str, values: np.ndarray) -> np.ndarray:
    if dtype_name(values) is None:
        raise InputError(f"{name} is {values.dtype}; a ticket carries {', '.join(CARRIED)}")
    return np.array(values, values.dtype.newbyteorder("="), order="C")


def _check_mask(tensor: MaskedTensor, mask: Bits | None) -> None:
    if mask is None:
        if tensor.mask_bits:
            raise InputError(f"{tensor.path}: {tensor.kept} of {tensor.size} weights are kept, yet there is no mask")
        return
    if not tensor.mask_bits:
        raise InputError(f"{tensor.path}: every weight is kept, so there is no mask to be stored")
    if len(mask) != -(-tensor.size // 8) or (tensor.size % 8 and mask[-1] >> (tensor.size % 8)):
        raise InputError(f"{tensor.path}: expected a mask of {tensor.size} bits, padded with zeros to whole bytes")
    ones = int(np.bitwise_count(mask).sum(dtype=np.int64))
    if ones != tensor.kept:
        raise InputError(f"{tensor.path}: the mask keeps {ones} weights, the ticket says {tensor.kept}")


def _check_move(tensor: MaskedTensor, move: np.ndarray | None) -> None:
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
