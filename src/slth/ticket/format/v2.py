"""Version 2: one schema for every ticket. See FORMAT.md.

A table for each object, both directions from one table; `layout_of` checks everything that integers can decide before
anything is allocated, the numbers come last.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from slth.certificate import Certificate
from slth.graph import Graph, Linear, Shape, signed_inputs
from slth.numerics import LAWS
from slth.ticket.assemble import gadget_tensors
from slth.ticket.carried import CARRIED
from slth.ticket.exact import carried_names, check_exact
from slth.ticket.format.fields import TicketError, as_ticket_errors, fail, justified
from slth.ticket.format.masks import Groups, Stored
from slth.ticket.format.runs import CarriedTypes, Encodings, Layout, Parts, carried_types, check_length, store
from slth.ticket.format.schema import (
    ANY,
    DIGEST,
    FLAG,
    NAME,
    OBJECT,
    SEED,
    SIZE,
    Choice,
    Kind,
    Record,
    Table,
    array_shape,
    fixed,
    integer,
    mapping_of,
    name_of,
    number,
    optional,
    text,
    tuple_of,
    whole,
)
from slth.ticket.format.v2_claims import CLAIMS, claims_data, claims_of
from slth.ticket.format.v2_gadgets import RANKED, gadget_data, gadget_of, gadgets_kind, says_gadget
from slth.ticket.format.v2_graph import GRAPH, LAYERS, MOST_NODES, check_network
from slth.ticket.format.v2_provenance import PROVENANCE, provenance_data, provenance_of
from slth.ticket.format.v2_two_layer import LAW
from slth.ticket.gadgets import BitGroups, Gadget, bit_groups, bits_of
from slth.ticket.inputs import MOST_TOKENS, Inputs
from slth.ticket.network import Bound, Builtin
from slth.ticket.stored_tensors import differ
from slth.ticket.tensors import RandomTensor
from slth.ticket.ticket import Ticket

FORMAT = 2
STREAM = "philox4x32-10/v1"
_MOST = 100_000  # names in a list or an object
_VALUES = optional(tuple_of(number(), SIZE))

NETWORKS = {Graph: "graph", Builtin: "builtin", Bound: "bound"}
NETWORK = Choice(
    "kind",
    {
        "graph": GRAPH,
        "layers": LAYERS,
        "builtin": Record(Builtin, name=NAME, arguments=OBJECT),
        "bound": Record(Bound),
    },
    kind_of=lambda network: "layers" if isinstance(network, Graph) and not network.joined else NETWORKS[type(network)],
)
NUMBERS = Record(Inputs, shape=array_shape(1), mean=_VALUES, std=_VALUES, lower=_VALUES, upper=_VALUES)
TOKENS = Record(Inputs, shape=array_shape(1), tokens=integer(1, MOST_TOKENS))
MASK = Table(encoding=name_of("bits", "rans", "rank"), bytes=integer(1, SIZE))
TENSOR = Table(
    path=NAME,
    shape=tuple_of(integer(1, 2**50), 8),
    law=LAW,
    scale=number(),
    kept=integer(0, 2**63),
    binary=FLAG,
    gain=number(),
    moved=FLAG,
    stream=text(),
    aliases=tuple_of(NAME, _MOST),
    mask=optional(whole(MASK)),
    head=DIGEST,
    weights=optional(DIGEST),
)
CARRIED_ARRAY = Table(dtype=name_of(*CARRIED), shape=array_shape(0))


def _read_inputs(data: Any, where: str) -> Inputs:
    return (TOKENS if isinstance(data, dict) and "tokens" in data else NUMBERS).read(data, where)


def _write_inputs(inputs: Inputs) -> dict[str, Any]:
    return (NUMBERS if inputs.tokens is None else TOKENS).write(inputs)


TICKET = Table(
    format=fixed(FORMAT),
    digest=ANY,
    stream=fixed(STREAM),
    seed=SEED,
    network=whole(NETWORK),
    inputs=optional(Kind(_read_inputs, _write_inputs)),
    gadgets=gadgets_kind(MOST_NODES),
    tensors=tuple_of(whole(TENSOR), _MOST),
    carried=mapping_of(whole(CARRIED_ARRAY), _MOST),
    move_bound=optional(number(0.0)),
    claims=optional(CLAIMS),
    assumed=tuple_of(NAME, 100),
    provenance=whole(PROVENANCE),
)
_OWN = tuple(field.name for field in fields(RandomTensor))


def says(ticket: Ticket) -> bool:
    """This version says the ticket whole."""
    spelled_out = isinstance(ticket.network, Graph)
    return spelled_out == bool(ticket.gadgets) and all(says_gadget(gadget) for gadget in ticket.gadgets.values())


def stored_masks(ticket: Ticket, *, threads: int = 1) -> dict[str, Stored]:
    """Encoding and bytes of the masks; where everything is kept, or it follows from the seed, there is none."""
    beside = sum(move.nbytes for move in ticket.moves.values())
    beside += sum(values.nbytes for values in ticket.carried.values())
    if ticket.gadgets:
        bits = bits_of(ticket.gadgets, ticket.maps)
        work = sum(ticket.gadgets[path].cost(op).memory for path, op in ticket.maps.items())
    else:
        bits, work = {tensor.path: tensor.size for tensor in ticket.tensors}, ticket.size
    groups = _groups(ticket.gadgets, ticket.maps, ticket.seed)
    return store(ticket, bits, justified=lambda size: justified(work, size + beside), groups=groups, threads=threads)


def _groups(gadgets: Mapping[str, Gadget], maps: Mapping[str, Linear], seed: int) -> dict[str, Groups]:
    """The subsets of every mask of a gadget, by tensor; those of the last map that was asked for are kept."""

    @lru_cache(maxsize=1)
    def of(path: str) -> Mapping[str, Sequence[BitGroups]]:
        return bit_groups(gadgets[path], path, maps[path], seed)

    return {
        tensor: lambda path=path, tensor=tensor: of(path)[tensor]
        for path, gadget in gadgets.items()
        if gadget.kind in RANKED
        for tensor in gadget.mask_bits(path, maps[path])
    }


def metadata_of(ticket: Ticket, encodings: Encodings, digest: str) -> dict[str, Any]:
    """Plain data of a ticket."""
    return TICKET.write(
        {
            **{key: getattr(ticket, key) for key in ("seed", "network", "inputs", "move_bound", "assumed")},
            "format": FORMAT,
            "digest": digest,
            "stream": STREAM,
            "gadgets": {
                path: gadget_data(gadget, ticket.maps[path], ticket.digests[path])
                for path, gadget in ticket.gadgets.items()
            },
            "tensors": [_tensor_data(ticket, tensor, encodings) for tensor in ticket.tensors],
            "carried": {
                name: {"dtype": dtype, "shape": shape} for name, (dtype, shape) in carried_types(ticket).items()
            },
            "claims": None if ticket.claims is None else claims_data(ticket.claims),
            "provenance": provenance_data(ticket.provenance),
        }
    )


def _tensor_data(ticket: Ticket, tensor: RandomTensor, encodings: Encodings) -> dict[str, Any]:
    encoding = encodings.get(tensor.path)
    return {
        **{key: getattr(tensor, key) for key in _OWN},
        "mask": None if encoding is None else dict(zip(("encoding", "bytes"), encoding, strict=True)),
        "head": ticket.heads[tensor.path],
        "weights": None if ticket.gadgets else ticket.digests[tensor.path],
    }


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    """What the two kinds of random tensors differ in: those of gadgets, and parameters."""

    gadgets: Mapping[str, Gadget]
    digests: Mapping[str, str]
    bits: Mapping[str, int]  # of the masks that are stored, by tensor
    work: int  # what a reader is asked for
    claims: Certificate | None


def layout_of(data: Any, stored: int) -> Layout:
    """Validated metadata, before anything is allocated for it.

    Args:
        stored: bytes that the file holds after its header.
    """
    top = TICKET.read(data, "ticket")
    network, inputs, entries = top["network"], top["inputs"], top["tensors"]
    tensors = tuple(RandomTensor(**{key: entry[key] for key in _OWN}) for entry in entries)
    carried = {name: (entry["dtype"], entry["shape"]) for name, entry in top["carried"].items()}
    graph = network if isinstance(network, Graph) else None
    parts = _parameters(tensors, top) if graph is None else _maps(graph, inputs, tensors, carried, top)
    maps = {} if graph is None else graph.maps
    provenance = provenance_of(top["provenance"], maps, claimed=parts.claims is not None)
    encodings = {
        tensor.path: _encoding(entry["mask"], parts.bits.get(tensor.path), f"tensors.{tensor.path[:100]}.mask")
        for tensor, entry in zip(tensors, entries, strict=True)
        if tensor.path in parts.bits or entry["mask"] is not None
    }

    def ticket(arrays: Parts) -> Ticket:
        made = Ticket(
            seed=top["seed"],
            network=network,
            gadgets=parts.gadgets,
            inputs=inputs,
            tensors=tensors,
            masks=arrays.masks,
            heads={tensor.path: entry["head"] for tensor, entry in zip(tensors, entries, strict=True)},
            digests=parts.digests,
            claims=parts.claims,
            provenance=provenance,
            moves=arrays.moves,
            move_bound=top["move_bound"],
            carried=arrays.carried,
            assumed=top["assumed"],
        )
        _check_signs(made)
        return made

    groups = _groups(parts.gadgets, maps, top["seed"])
    layout = Layout(
        tensors=tensors, bits=parts.bits, encodings=encodings, carried=carried, ticket=ticket, groups=groups
    )
    if not justified(parts.work, stored):
        raise TicketError("the ticket asks for far more work than the file's size justifies; slth did not write it")
    check_length(layout.runs, stored)
    return layout


def _maps(
    network: Graph,
    inputs: Inputs | None,
    tensors: Sequence[RandomTensor],
    carried: CarriedTypes,
    top: Mapping[str, Any],
) -> _Parts:
    """Gadgets against nodes, tensors against gadgets, claims against both."""
    exact = None if top["claims"] is None else top["claims"].get("exact")
    if not network.joined:
        outputs = _check_layers(inputs, top["claims"])
    elif inputs is None:
        raise TicketError("inputs: expected the shape of what the network takes; got null")
    else:
        outputs = check_network(network, inputs.shape, carried, carried_names(exact))
    if exact is not None:
        with as_ticket_errors():
            check_exact(exact, network.maps, carried)
    if set(top["gadgets"]) != set(network.maps):
        name = min(set(top["gadgets"]) ^ set(network.maps))
        raise TicketError(f"gadgets: expected one for each map of the network; {name[:200]!r} is off")
    gadgets = {path: gadget_of(top["gadgets"][path], path, op) for path, op in network.maps.items()}
    costs = {path: gadgets[path].cost(op) for path, op in network.maps.items()}
    bits = bits_of(gadgets, network.maps)
    wanted = gadget_tensors(network, gadgets, {})
    if len(tensors) != len(wanted):
        raise TicketError(f"tensors: expected {len(wanted)} tensors, as `gadgets` says; got {len(tensors)}")
    for given, tensor in zip(tensors, wanted, strict=True):
        if differ(given, tensor):
            raise TicketError(f"tensors.{given.path[:100]}: expected {tensor.path[:100]} as its gadget has it")
    if any(entry["weights"] is not None for entry in top["tensors"]):
        raise TicketError("tensors: `weights` is null for tensors of a gadget, whose coefficients are `realised`")
    claims = None
    if top["claims"] is not None:
        problems = {  # one of both signs of an input misses twice
            path: max(costs[path].problems, costs[path].coefficients + op.bias * op.basis.outputs)
            for path, op in network.maps.items()
        }
        bounded = inputs is not None and inputs.box is not None
        claims = claims_of(top["claims"], problems, network, outputs=outputs, bounded=bounded)
    digests = {path: top["gadgets"][path]["realised"] for path in gadgets}
    return _Parts(gadgets, digests, bits, sum(cost.memory for cost in costs.values()), claims)


def _check_layers(inputs: Inputs | None, claims: Mapping[str, Any] | None) -> Shape:
    """Of maps that are not joined nothing is known but their coefficients; the shape of outputs, which is none."""
    if inputs is not None:
        raise TicketError("inputs: expected null, for what layers by themselves take together is not known")
    if claims is None or set(claims) != {"coefficients"}:
        raise TicketError("claims: expected `coefficients` alone, for nothing else is known of layers by themselves")
    return ()


def _parameters(tensors: Sequence[RandomTensor], top: Mapping[str, Any]) -> _Parts:
    """Random tensors that are the parameters of a network themselves."""
    if top["gadgets"]:
        raise TicketError("gadgets: those of a network that is not spelled out are not known to this slth: update slth")
    if top["claims"] is not None:
        raise TicketError("claims: expected null, for there are no maps to claim something of")
    digests: dict[str, str] = {}
    for entry in top["tensors"]:
        if entry["law"] not in LAWS:
            fail(f"tensors.{entry['path'][:100]}.law", f"one of {', '.join(LAWS)}", entry["law"])
        if entry["weights"] is None:
            fail(f"tensors.{entry['path'][:100]}.weights", "64 hexadecimal digits", None)
        digests[entry["path"]] = entry["weights"]
    bits = {tensor.path: tensor.mask_bits for tensor in tensors if tensor.mask_bits}
    return _Parts({}, digests, bits, sum(tensor.size for tensor in tensors), None)


def _encoding(mask: Mapping[str, Any] | None, bits: int | None, where: str) -> tuple[str, int]:
    """How the mask of so many bits is stored."""
    if bits is None:
        fail(where, "null, for what is kept needs no mask", mask)
    if mask is None:
        fail(where, "an object", mask)
    plain = -(-bits // 8)
    if mask["encoding"] == "bits" and mask["bytes"] != plain:
        raise TicketError(f"{where}: expected {plain:,} bytes for {bits:,} bits; got {mask['bytes']:,}")
    return mask["encoding"], mask["bytes"]


def _check_signs(ticket: Ticket) -> None:
    """A map has negative halves exactly where its inputs can be negative, which carried numbers decide, too."""
    if not isinstance(ticket.network, Graph) or ticket.inputs is None:
        return
    signed = signed_inputs(ticket.network, ticket.inputs.shape, ticket.inputs.negative, ticket.carried)
    for path, op in ticket.maps.items():
        if (ticket.gadgets[path].signed(op) != signed[path]).any():
            raise TicketError(f"{path[:200]}: the signed inputs are not those that can be negative")
