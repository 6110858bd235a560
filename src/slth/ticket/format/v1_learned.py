"""Version 1, learned tickets: the random tensors are parameters of a network. Frozen; see FORMAT.md."""

from collections.abc import Mapping
from typing import Any

from slth.numerics import LAWS
from slth.ticket.carried import CARRIED
from slth.ticket.format.fields import TicketError, check_text, fail, justified
from slth.ticket.format.masks import Stored
from slth.ticket.format.runs import CarriedTypes, Encodings, Layout, Parts, carried_types, check_length, store
from slth.ticket.format.schema import (
    ANY,
    DIGEST,
    FLAG,
    OBJECT,
    SEED,
    Kind,
    Table,
    array_shape,
    fixed,
    integer,
    number,
    one_of,
    optional,
    text,
    tuple_of,
)
from slth.ticket.format.v1_constructed import FORMAT, STREAM
from slth.ticket.inputs import MOST_SIZE, Inputs
from slth.ticket.network import Bound, Builtin
from slth.ticket.provenance import Provenance
from slth.ticket.tensors import RandomTensor
from slth.ticket.ticket import Ticket

KIND = "learned"
_MOST = 10_000

BUILTIN = Table(kind=fixed("builtin"), name=text(), arguments=OBJECT)
BOUND_TO_A_MODEL = Table(kind=fixed("bound"))
INPUTS = Table(shape=array_shape(1), mean=tuple_of(number(), _MOST), std=tuple_of(number(), _MOST))
MASK = Table(encoding=one_of("bits", "rans"), bytes=integer(1, MOST_SIZE))
TENSOR = Table(
    path=text(),
    shape=array_shape(1),
    law=one_of(*LAWS),
    scale=number(),
    kept=integer(0, MOST_SIZE),
    binary=FLAG,
    gain=number(),
    moved=FLAG,
    stream=text(),
    aliases=tuple_of(text(), _MOST),
    mask=optional(Kind(MASK.read, MASK.write)),
    head=DIGEST,
    weights=DIGEST,
)
CARRIED_ARRAY = Table(dtype=one_of(*CARRIED), shape=array_shape(0))
PROVENANCE = Table(version=text(100, least=1), method=text(200, least=1), asked=OBJECT, data=optional(text(least=1)))
TICKET = Table(
    format=ANY,
    digest=ANY,
    kind=fixed(KIND),
    stream=fixed(STREAM),
    seed=SEED,
    network=ANY,
    inputs=optional(Kind(INPUTS.read, INPUTS.write)),
    tensors=tuple_of(Kind(TENSOR.read, TENSOR.write), _MOST),
    epsilon=optional(number(0.0)),
    carried=OBJECT,
    provenance=Kind(PROVENANCE.read, PROVENANCE.write),
)


def says(ticket: Ticket) -> bool:
    """This version says the ticket whole."""
    origin = ticket.provenance
    return (
        isinstance(ticket.network, Builtin | Bound)
        and not ticket.gadgets
        and ticket.claims is None
        and not ticket.assumed
        and (ticket.inputs is None or _says_inputs(ticket.inputs))
        and (origin.attempts, origin.target, dict(origin.names), origin.misses) == (1, None, {}, ())
    )


def _says_inputs(inputs: Inputs) -> bool:
    """A normalisation by one number per channel, or by one for all; no range."""
    if inputs.mean is None or inputs.std is None or inputs.lower is not None:
        return False
    return {len(inputs.mean), len(inputs.std)} <= {1, _channels(inputs.shape)}


def _channels(shape: tuple[int, ...]) -> int:
    """Flat features have one."""
    return shape[0] if len(shape) > 1 else 1


def stored_masks(ticket: Ticket, *, threads: int = 1) -> dict[str, Stored]:
    """Encoding and bytes of the masks; where everything is kept, there is none."""
    beside = sum(move.nbytes for move in ticket.moves.values())
    beside += sum(values.nbytes for values in ticket.carried.values())
    bits = {tensor.path: tensor.size for tensor in ticket.tensors}
    return store(ticket, bits, justified=lambda size: justified(ticket.size, size + beside), threads=threads)


def metadata_of(ticket: Ticket, encodings: Encodings, digest: str) -> dict[str, Any]:
    """Plain data of a ticket."""
    network, inputs, origin = ticket.network, ticket.inputs, ticket.provenance
    return TICKET.write(
        {
            "format": FORMAT,
            "digest": digest,
            "kind": KIND,
            "stream": STREAM,
            "seed": ticket.seed,
            "network": BUILTIN.write_record(network, kind="builtin")
            if isinstance(network, Builtin)
            else BOUND_TO_A_MODEL.write({"kind": "bound"}),
            "inputs": None if inputs is None else _inputs_data(inputs),
            "tensors": [_tensor(ticket, tensor, encodings) for tensor in ticket.tensors],
            "epsilon": ticket.move_bound,
            "carried": {
                name: CARRIED_ARRAY.write({"dtype": dtype, "shape": shape})
                for name, (dtype, shape) in carried_types(ticket).items()
            },
            "provenance": {key: getattr(origin, key) for key in PROVENANCE.kinds},
        }
    )


def _inputs_data(inputs: Inputs) -> dict[str, Any]:
    """One number for all is written once per channel."""
    channels, (mean, std) = _channels(inputs.shape), (inputs.mean or (), inputs.std or ())
    repeated = (values * (channels if len(values) == 1 else 1) for values in (mean, std))
    return dict(zip(INPUTS.kinds, (inputs.shape, *repeated), strict=True))


def _tensor(ticket: Ticket, tensor: RandomTensor, encodings: Encodings) -> dict[str, Any]:
    encoding = encodings.get(tensor.path)
    own = {key: getattr(tensor, key) for key in TENSOR.kinds if key not in ("mask", "head", "weights")}
    return {
        **own,
        "mask": None if encoding is None else dict(zip(("encoding", "bytes"), encoding, strict=True)),
        "head": ticket.heads[tensor.path],
        "weights": ticket.digests[tensor.path],
    }


def layout_of(data: Any, stored: int) -> Layout:
    """Validated metadata, before anything is allocated for it.

    Args:
        stored: bytes that the file holds after its header.
    """
    top = TICKET.read(data, "ticket")
    tensors: list[RandomTensor] = []
    encodings: dict[str, tuple[str, int]] = {}
    for i, entry in enumerate(top["tensors"]):
        own = {key: value for key, value in entry.items() if key not in ("mask", "head", "weights")}
        tensors.append(RandomTensor(**own))
        if _has_mask(tensors[-1], entry["mask"], f"tensors.{i}.mask"):
            encodings[tensors[-1].path] = entry["mask"]["encoding"], entry["mask"]["bytes"]
    network = _network(top["network"])
    inputs = None if top["inputs"] is None else _inputs(top["inputs"])
    carried = _carried(top["carried"])
    provenance = Provenance(**top["provenance"])
    paths = [tensor.path for tensor in tensors]

    def ticket(parts: Parts) -> Ticket:
        return Ticket(
            seed=top["seed"],
            network=network,
            gadgets={},
            inputs=inputs,
            tensors=tuple(tensors),
            masks=parts.masks,
            heads=dict(zip(paths, (entry["head"] for entry in top["tensors"]), strict=True)),
            digests=dict(zip(paths, (entry["weights"] for entry in top["tensors"]), strict=True)),
            claims=None,
            provenance=provenance,
            moves=parts.moves,
            move_bound=top["epsilon"],
            carried=parts.carried,
        )

    bits = {tensor.path: tensor.size for tensor in tensors}
    layout = Layout(tensors=tensors, bits=bits, encodings=encodings, carried=carried, ticket=ticket)
    check_length(layout.runs, stored)
    if not justified(sum(tensor.size for tensor in tensors), stored):
        raise TicketError(
            "the ticket names far more random weights than the file's size justifies; slth did not write it"
        )
    return layout


def _has_mask(tensor: RandomTensor, mask: Mapping[str, Any] | None, where: str) -> bool:
    if not tensor.mask_bits:
        if mask is not None:
            fail(where, "null, for every weight is kept", dict(mask))
        return False
    if mask is None:
        fail(where, "an object", mask)
    plain = -(-tensor.size // 8)
    if mask["encoding"] == "bits" and mask["bytes"] != plain:
        raise TicketError(f"{where}: expected {plain:,} bytes, as its shape needs; got {mask['bytes']:,}")
    return True


def _network(data: Any) -> Builtin | Bound:
    if isinstance(data, dict) and data.get("kind") == "bound":
        BOUND_TO_A_MODEL.read(data, "network")
        return Bound()
    read = BUILTIN.read(data, "network")
    return Builtin(read["name"], read["arguments"])


def _inputs(data: Mapping[str, Any]) -> Inputs:
    shape, mean, std = data["shape"], data["mean"], data["std"]
    channels = _channels(shape)
    if not len(mean) == len(std) == channels:
        raise TicketError(f"inputs: expected mean and std of {channels} channels, got {len(mean)} and {len(std)}")
    return Inputs(shape, mean, std)


def _carried(data: Mapping[str, Any]) -> CarriedTypes:
    found: dict[str, tuple[str, tuple[int, ...]]] = {}
    for i, (name, entry) in enumerate(data.items()):
        where = f"carried.{check_text(name, f'the name of carried array {i}')[:100]}"
        array = CARRIED_ARRAY.read(entry, where)
        found[name] = array["dtype"], array["shape"]
    return found
