"""The bytes behind the header: of every tensor its mask, then its moves; then what is carried, by name."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from slth._shapes import Bits
from slth.ticket.buffers import Buffer, are_equal, buffer_of
from slth.ticket.carried import CARRIED, dtype_name
from slth.ticket.format.fields import TicketError
from slth.ticket.format.masks import Groups, Stored, restore_mask, store_masks
from slth.ticket.tensors import RandomTensor
from slth.ticket.ticket import Ticket

Run = tuple[str, str, list[int], int]  # name, dtype, shape, bytes
Encodings = Mapping[str, tuple[str, int]]  # by tensor with a mask: its encoding and its bytes
CarriedTypes = Mapping[str, tuple[str, tuple[int, ...]]]  # by name: dtype and shape


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """The arrays of a ticket."""

    masks: dict[str, Bits]
    moves: dict[str, np.ndarray]
    carried: dict[str, np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Validated metadata: what the file must hold, in what order, and the ticket that comes of it."""

    tensors: Sequence[RandomTensor]
    bits: Mapping[str, int]  # mask bits, by tensor with a mask
    encodings: Encodings
    carried: CarriedTypes
    ticket: Callable[[Parts], Ticket]
    groups: Mapping[str, Groups] = field(default_factory=dict)  # of the masks that can be stored as ranks

    @property
    def runs(self) -> list[Run]:
        """The parts of the file."""
        return runs_of(self.tensors, self.encodings, self.carried)

    def read(
        self, taken: Callable[[int], Buffer], *, known: Mapping[str, Bits] | None = None, threads: int = 1
    ) -> Ticket:
        """The ticket of the bytes behind the header, of which `taken(size)` gives the next run; masks stay there.

        Args:
            known: the masks that are written there, by tensor: each is taken in place of the one that was read, which
                must be the same, so that of these there is one at a time.

        Raises:
            TicketError: masks, moves or carried numbers that are not valid, by name.
        """
        runs = iter(self.runs)

        def take() -> tuple[Buffer, str, list[int]]:
            _, dtype, shape, size = next(runs)
            return taken(size), CARRIED[dtype], shape

        parts = Parts({}, {}, {})
        for tensor in self.tensors:
            if tensor.path in self.encodings:
                encoding, _ = self.encodings[tensor.path]
                found = restore_mask(
                    take()[0],
                    encoding,
                    self.bits[tensor.path],
                    owner=tensor.path,
                    groups=self.groups.get(tensor.path),
                    threads=threads,
                )
                if known is not None and not are_equal(found, known[tensor.path]):
                    raise TicketError(f"the mask of {tensor.path[:200]} would be read as another one")
                parts.masks[tensor.path] = found if known is None else known[tensor.path]
                del found
            if tensor.moved:
                parts.moves[tensor.path] = _array(*take())
        for name in sorted(self.carried):
            parts.carried[name] = _carried_array(name, *take())
        return self.ticket(parts)


def runs_of(tensors: Sequence[RandomTensor], encodings: Encodings, carried: CarriedTypes) -> list[Run]:
    """The parts of the file in order."""
    runs: list[Run] = []
    for tensor in tensors:
        if tensor.path in encodings:
            size = encodings[tensor.path][1]
            runs.append((f"{tensor.path}.mask", "U8", [size], size))
        if tensor.moved:
            runs.append((f"{tensor.path}.move", "F32", [tensor.kept], 4 * tensor.kept))
    for name, (dtype, shape) in sorted(carried.items()):
        runs.append((f"carried/{name}", dtype, list(shape), math.prod(shape) * np.dtype(CARRIED[dtype]).itemsize))
    return runs


def check_length(runs: Sequence[Run], stored: int) -> None:
    """The file holds exactly so many bytes behind its header."""
    if sum(size for _, _, _, size in runs) != stored:
        raise TicketError("the file's layout does not follow from its metadata: its parts have other lengths")


def carried_types(ticket: Ticket) -> CarriedTypes:
    """Type and shape of every carried array."""
    return {name: (dtype_name(values) or "", values.shape) for name, values in ticket.carried.items()}


def store(
    ticket: Ticket,
    bits: Mapping[str, int],
    *,
    justified: Callable[[int], bool],
    groups: Mapping[str, Groups] | None = None,
    threads: int = 1,
) -> dict[str, Stored]:
    """Encoding and bytes of every mask.

    Args:
        bits: mask bits, by tensor.
        justified: whether a reader accepts the file if its masks take so many bytes.
        groups: of the masks that may be stored as ranks.
    """
    paths = [tensor.path for tensor in ticket.tensors if tensor.path in ticket.masks]
    masks = [(ticket.masks[path], bits[path], (groups or {}).get(path)) for path in paths]
    stored = store_masks(masks, justified=justified, threads=threads)
    return dict(zip(paths, stored, strict=True))


def body_of(ticket: Ticket, stored: Mapping[str, Stored]) -> list[Buffer]:
    """The bytes of the runs, where they lie."""
    parts: list[Buffer] = []
    for tensor in ticket.tensors:
        parts += [stored[tensor.path][1]] if tensor.path in stored else []
        parts += [buffer_of(ticket.moves[tensor.path].astype("<f4", copy=False))] if tensor.moved else []
    for _, values in sorted(ticket.carried.items()):
        parts.append(buffer_of(values.astype(values.dtype.newbyteorder("<"), copy=False)))
    return parts


def encodings_of(stored: Mapping[str, Stored]) -> Encodings:
    """What the metadata says of them."""
    return {path: (encoding, len(data)) for path, (encoding, data) in stored.items()}


def _array(data: Buffer, code: str, shape: list[int]) -> np.ndarray:
    """A copy, for masks of any length may stand before it: compiled code reads aligned numbers."""
    return np.frombuffer(data, code).astype(np.dtype(code).newbyteorder("=")).reshape(shape)


def _carried_array(name: str, data: Buffer, code: str, shape: list[int]) -> np.ndarray:
    if code == CARRIED["BOOL"] and np.frombuffer(data, np.uint8).max(initial=0) > 1:
        raise TicketError(f"{name[:200]} holds booleans other than 0 and 1")
    return _array(data, code, shape)
