"""LearnedTicket <-> the plain data of its metadata, field by field, and the runs of its file (see FORMAT.md)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from slth._shapes import Bits
from slth.numerics import LAWS
from slth.ticket._fields import (
    Fields,
    TicketError,
    as_ticket_errors,
    check_float,
    check_int,
    check_list,
    check_text,
    fail,
    justified,
)
from slth.ticket._masks import restore_mask
from slth.ticket._metadata import FORMAT, STREAM, read_digest, read_seed
from slth.ticket.learned import CARRIED, LearnedTicket, dtype_name
from slth.ticket.learned_spec import MOST_SIZE, InputSpec, LearnedProvenance, MaskedTensor, NetworkSpec

KIND = "learned"
ENCODINGS = ("bits", "rans")
Encoding = tuple[str, int] | None  # of a mask: its name and its bytes
Run = tuple[str, str, list[int], int]  # name, dtype, shape, bytes
_TENSOR = ["path", "shape", "law", "scale", "kept", "binary", "gain", "moved", "stream", "aliases"]


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """A validated ticket without its arrays: what the file must hold, and in what order."""

    seed: int
    network: NetworkSpec
    inputs: InputSpec | None
    tensors: tuple[MaskedTensor, ...]
    encodings: tuple[Encoding, ...]
    epsilon: float | None
    carried: dict[str, tuple[str, tuple[int, ...]]]  # by name: dtype and shape
    heads: tuple[str, ...]
    digests: tuple[str, ...]
    provenance: LearnedProvenance

    @property
    def runs(self) -> list[Run]:
        return runs_of(self.tensors, self.encodings, self.carried)


def runs_of(
    tensors: Sequence[MaskedTensor], encodings: Sequence[Encoding], carried: dict[str, tuple[str, tuple[int, ...]]]
) -> list[Run]:
    """The parts of the file in order: of each tensor its mask, then its moves; then what is carried, by name."""
    runs: list[Run] = []
    for tensor, encoding in zip(tensors, encodings, strict=True):
        if encoding is not None:
            runs.append((f"{tensor.path}.mask", "U8", [encoding[1]], encoding[1]))
        if tensor.moved:
            runs.append((f"{tensor.path}.move", "F32", [tensor.kept], 4 * tensor.kept))
    for name, (dtype, shape) in sorted(carried.items()):
        runs.append((f"carried/{name}", dtype, list(shape), math.prod(shape) * np.dtype(CARRIED[dtype]).itemsize))
    return runs


def carried_types(ticket: LearnedTicket) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Type and shape of every carried array."""
    return {name: (dtype_name(values) or "", values.shape) for name, values in ticket.carried.items()}


def metadata_of(ticket: LearnedTicket, encodings: Sequence[Encoding], digest: str) -> dict[str, Any]:
    """Plain data of a learned ticket."""
    spec, inputs, origin = ticket.network, ticket.inputs, ticket.provenance
    builtin = {} if spec.name is None else {"name": spec.name, "arguments": spec.arguments}
    return {
        "format": FORMAT,
        "digest": digest,
        "kind": KIND,
        "stream": STREAM,
        "seed": str(ticket.seed),
        "network": {"kind": spec.kind, **builtin},
        "inputs": None
        if inputs is None
        else {"shape": list(inputs.shape), "mean": list(inputs.mean), "std": list(inputs.std)},
        "tensors": [
            {
                "path": tensor.path,
                "shape": list(tensor.shape),
                "law": tensor.law,
                "scale": tensor.scale,
                "kept": tensor.kept,
                "binary": tensor.binary,
                "gain": tensor.gain,
                "moved": tensor.moved,
                "stream": tensor.stream,
                "aliases": list(tensor.aliases),
                "mask": None if encoding is None else {"encoding": encoding[0], "bytes": encoding[1]},
                "head": head,
                "weights": weights,
            }
            for tensor, encoding, head, weights in zip(
                ticket.tensors, encodings, ticket.heads, ticket.digests, strict=True
            )
        ],
        "epsilon": ticket.epsilon,
        "carried": {
            name: {"dtype": dtype, "shape": list(shape)} for name, (dtype, shape) in carried_types(ticket).items()
        },
        "provenance": {
            "version": origin.version,
            "method": origin.method,
            "asked": origin.asked,
            "data": origin.data,
        },
    }


def ticket_of(layout: Layout, body: bytes) -> LearnedTicket:
    """The ticket of a layout and the bytes it describes.

    Raises:
        TicketError: masks, moves or carried numbers that are not valid, by name.
    """
    runs = iter(layout.runs)
    at = 0

    def take() -> tuple[bytes, str, list[int]]:
        nonlocal at
        _, dtype, shape, size = next(runs)
        at += size
        return body[at - size : at], CARRIED[dtype], shape

    masks: list[Bits | None] = []
    moves: list[np.ndarray | None] = []
    for tensor, encoding in zip(layout.tensors, layout.encodings, strict=True):
        masks.append(None if encoding is None else restore_mask(take()[0], encoding[0], tensor.size, tensor.path))
        moves.append(_array(*take()) if tensor.moved else None)
    with as_ticket_errors():
        return LearnedTicket(
            seed=layout.seed,
            network=layout.network,
            inputs=layout.inputs,
            tensors=layout.tensors,
            masks=tuple(masks),
            moves=tuple(moves),
            epsilon=layout.epsilon,
            carried={name: _carried_array(name, *take()) for name in sorted(layout.carried)},
            heads=layout.heads,
            digests=layout.digests,
            provenance=layout.provenance,
        )


def layout_of(data: Any, stored: int) -> Layout:
    """Validated metadata, before anything is allocated for it.

    Args:
        stored: bytes that the file holds after its header.

    Raises:
        TicketError: one sentence naming the field, what was expected and what stands there.
    """
    with as_ticket_errors():
        return _layout_of(data, stored)


def drawable(tensors: Sequence[MaskedTensor], stored: int) -> bool:
    """The random weights are no more than the bytes of the file justify."""
    return justified(sum(tensor.size for tensor in tensors), stored)


def _layout_of(data: Any, stored: int) -> Layout:
    keys = ["format", "digest", "kind", "stream", "seed", "network", "inputs", "tensors", "epsilon", "carried"]
    top = Fields(data, "ticket", [*keys, "provenance"])
    top.fixed("kind", KIND)
    top.fixed("stream", STREAM)
    read = [_tensor(entry, f"tensors.{i}") for i, entry in enumerate(top.items("tensors", 10_000))]
    layout = Layout(
        seed=read_seed(top),
        network=_network(top.get("network")),
        inputs=_inputs(top.get("inputs")),
        tensors=tuple(tensor for tensor, _, _, _ in read),
        encodings=tuple(encoding for _, encoding, _, _ in read),
        epsilon=None if top.get("epsilon") is None else top.number("epsilon", 0.0),
        carried=_carried(top.get("carried")),
        heads=tuple(head for _, _, head, _ in read),
        digests=tuple(weights for _, _, _, weights in read),
        provenance=_provenance(top.get("provenance")),
    )
    if sum(size for _, _, _, size in layout.runs) != stored:
        raise TicketError("the file's layout does not follow from its metadata: its parts have other lengths")
    if not drawable(layout.tensors, stored):
        raise TicketError(
            "the ticket names far more random weights than the file's size justifies; slth did not write it"
        )
    return layout


def _array(data: bytes, code: str, shape: list[int]) -> np.ndarray:
    return np.frombuffer(data, code).astype(np.dtype(code).newbyteorder("="), copy=False).reshape(shape)


def _carried_array(name: str, data: bytes, code: str, shape: list[int]) -> np.ndarray:
    if code == CARRIED["BOOL"] and data.strip(b"\0\1"):
        raise TicketError(f"{name[:200]} holds booleans other than 0 and 1")
    return _array(data, code, shape)


def _tensor(data: Any, where: str) -> tuple[MaskedTensor, Encoding, str, str]:
    fields = Fields(data, where, [*_TENSOR, "mask", "head", "weights"])
    law = fields.get("law")
    if law not in LAWS:
        fail(f"{where}.law", f"one of {', '.join(LAWS)}", law)
    tensor = MaskedTensor(
        path=fields.string("path"),
        shape=_shape(fields.get("shape"), f"{where}.shape", least=1),
        law=law,
        scale=fields.number("scale"),
        kept=fields.integer("kept", 0, MOST_SIZE),
        binary=_flag(fields, "binary", where),
        gain=fields.number("gain"),
        moved=_flag(fields, "moved", where),
        stream=fields.string("stream"),
        aliases=tuple(check_text(alias, f"{where}.aliases") for alias in fields.items("aliases", 10_000)),
    )
    head, weights = (read_digest(fields.get(key), f"{where}.{key}") for key in ("head", "weights"))
    return tensor, _encoding(fields.get("mask"), f"{where}.mask", tensor), head, weights


def _encoding(data: Any, where: str, tensor: MaskedTensor) -> Encoding:
    if not tensor.mask_bits:
        if data is not None:
            fail(where, "null, for every weight is kept", data)
        return None
    fields = Fields(data, where, ["encoding", "bytes"])
    encoding = fields.string("encoding")
    if encoding not in ENCODINGS:
        fail(f"{where}.encoding", f"one of {', '.join(ENCODINGS)}", encoding)
    size, plain = fields.integer("bytes", 1, MOST_SIZE), -(-tensor.size // 8)
    if encoding == "bits" and size != plain:
        raise TicketError(f"{where}: expected {plain:,} bytes, as its shape needs; got {size:,}")
    return encoding, size


def _network(data: Any) -> NetworkSpec:
    kind = data.get("kind") if isinstance(data, dict) else None
    if kind == "bound":
        Fields(data, "network", ["kind"])
        return NetworkSpec("bound", None, {})
    fields = Fields(data, "network", ["kind", "name", "arguments"])
    fields.fixed("kind", "builtin")
    arguments = fields.get("arguments")
    if not isinstance(arguments, dict):
        fail("network.arguments", "an object", arguments)
    return NetworkSpec("builtin", fields.string("name"), arguments)


def _inputs(data: Any) -> InputSpec | None:
    if data is None:
        return None
    fields = Fields(data, "inputs", ["shape", "mean", "std"])
    mean, std = (tuple(check_float(v, f"inputs.{key}") for v in fields.items(key, 10_000)) for key in ("mean", "std"))
    return InputSpec(_shape(fields.get("shape"), "inputs.shape", least=1), mean, std)


def _carried(data: Any) -> dict[str, tuple[str, tuple[int, ...]]]:
    if not isinstance(data, dict):
        fail("carried", "an object", data)
    found: dict[str, tuple[str, tuple[int, ...]]] = {}
    for i, (name, entry) in enumerate(data.items()):
        where = f"carried.{check_text(name, f'the name of carried array {i}')[:100]}"
        fields = Fields(entry, where, ["dtype", "shape"])
        dtype = fields.get("dtype")
        if type(dtype) is not str or dtype not in CARRIED:
            fail(f"{where}.dtype", f"one of {', '.join(CARRIED)}", dtype)
        found[name] = dtype, _shape(fields.get("shape"), f"{where}.shape", least=0)
    return found


def _provenance(data: Any) -> LearnedProvenance:
    fields = Fields(data, "provenance", ["version", "method", "asked", "data"])
    asked = fields.get("asked")
    if not isinstance(asked, dict):
        fail("provenance.asked", "an object", asked)
    return LearnedProvenance(
        version=fields.string("version", 100),
        method=fields.string("method", 200),
        asked=asked,
        data=None if fields.get("data") is None else fields.string("data"),
    )


def _shape(data: Any, where: str, *, least: int) -> tuple[int, ...]:
    shape = tuple(check_int(size, where, least, MOST_SIZE) for size in check_list(data, where, 8))
    if math.prod(max(size, 1) for size in shape) > MOST_SIZE:
        fail(where, f"at most {MOST_SIZE:,} numbers", data)
    return shape


def _flag(fields: Fields, key: str, where: str) -> bool:
    value = fields.get(key)
    if type(value) is not bool:
        fail(f"{where}.{key}", "true or false", value)
    return value
