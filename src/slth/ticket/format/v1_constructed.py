"""Version 1, constructed tickets: chains of dense layers made by two-layer gadgets. Frozen; see FORMAT.md."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from slth.certificate import Certificate
from slth.graph import Graph, chain_of, dense_chain, signed_inputs
from slth.numerics import SPECTRAL
from slth.ticket.assemble import gadget_tensors
from slth.ticket.format.fields import TicketError, check_keys, fail, justified
from slth.ticket.format.masks import Stored
from slth.ticket.format.runs import Encodings, Layout, Parts, check_length, runs_of, store
from slth.ticket.format.schema import (
    ANY,
    DIGEST,
    FLAG,
    POWER_OF_TWO,
    SEED,
    SIZE,
    Kind,
    Table,
    fixed,
    integer,
    number,
    one_of,
    optional,
    row_of,
    tuple_of,
)
from slth.ticket.format.v1_claims import BOUNDS, MOST_LAYERS, claims_as_data, claims_of
from slth.ticket.format.v1_provenance import PROVENANCE, provenance_as_data, provenance_of, says_asked
from slth.ticket.gadgets import MOST_CANDIDATES, THRESHOLD, Gadget, Stage, TwoLayer, bits_of, exactly_kept
from slth.ticket.inputs import Inputs
from slth.ticket.tensors import RandomTensor
from slth.ticket.ticket import Ticket

FORMAT = 1
STREAM = "philox4x32-10/v1"
NETWORK = "relu_mlp"  # Linear, ReLU, Linear, ..., Linear
_NUMBERS = tuple_of(number(), SIZE)

NETWORK_TABLE = Table(kind=fixed("builtin"), name=one_of(NETWORK), arguments=ANY)
ARGUMENTS = Table(widths=tuple_of(integer(1, SIZE), MOST_LAYERS + 1), bias=tuple_of(FLAG, MOST_LAYERS))
DOMAIN = Table(
    range=optional(row_of(_NUMBERS, _NUMBERS, expected="[lower, upper]")),
    normalize=optional(row_of(number(), number(), expected="[mean, std]")),
)
LAYER = Table(lift=ANY, gain=POWER_OF_TWO, bias_gain=POWER_OF_TWO, mask=ANY, realised=DIGEST)
LIFT = Table(
    candidates=integer(1, MOST_CANDIDATES),
    constants=integer(0, MOST_CANDIDATES),
    neurons=integer(1, 2**50),
    signed=tuple_of(row_of(integer(0, SIZE), integer(0, SIZE), expected="pairs [start, stop]"), SIZE),
    threshold=fixed(THRESHOLD),
)
MASK = Table(encoding=one_of("bits", "rans", "deflate"), bytes=integer(1, SIZE))
TENSOR = Table(path=ANY, shape=ANY, law=ANY, scale=ANY, mask=ANY, head=DIGEST)
TICKET = Table(
    format=ANY,
    digest=ANY,
    stream=fixed(STREAM),
    seed=SEED,
    network=Kind(NETWORK_TABLE.read, NETWORK_TABLE.write),
    domain=Kind(DOMAIN.read, DOMAIN.write),
    layers=tuple_of(ANY, MOST_LAYERS),
    tensors=tuple_of(ANY, 3 * MOST_LAYERS),
    carried=fixed([]),
    bounds=Kind(BOUNDS.read, BOUNDS.write),
    provenance=Kind(PROVENANCE.read, PROVENANCE.write),
)


def says(ticket: Ticket) -> bool:
    """This version says the ticket whole."""
    origin, inputs = ticket.provenance, ticket.inputs
    return (
        isinstance(ticket.network, Graph)
        and chain_of(ticket.network) is not None
        and bool(ticket.gadgets)
        and all(_says_gadget(gadget) for gadget in ticket.gadgets.values())
        and not any(exactly_kept(gadget, path, ticket.maps[path]) for path, gadget in ticket.gadgets.items())
        and not ticket.moved
        and inputs is not None
        and len(inputs.shape) == 1
        and inputs.tokens is None
        and len(inputs.mean or (0.0,)) == len(inputs.std or (1.0,)) == 1
        and not ticket.carried
        and not ticket.assumed
        and ticket.move_bound is None
        and ticket.claims is not None
        and not ticket.claims.stops
        and not ticket.claims.statistical
        and ticket.claims.exact is None
        and all(claim.norms == SPECTRAL for claim in ticket.claims.maps.values())
        and _lists_outputs(ticket.claims, list(ticket.maps.values())[-1].basis.outputs)
        and origin.target is not None
        and origin.data is None
        and set(origin.names) == set(ticket.maps)
        and not origin.folded
        and says_asked(origin.asked)
    )


def _says_gadget(gadget: Gadget) -> bool:
    plain = isinstance(gadget, TwoLayer) and gadget.law == "uniform" and not (gadget.centred or gadget.linear)
    return plain and gadget.stage_count == 1


def _lists_outputs(claims: Certificate, outputs: int) -> bool:
    """One bound for each output, none for several."""
    return claims.output_error is None or len(claims.output_error) == outputs


def stored_masks(ticket: Ticket, *, threads: int = 1) -> dict[str, Stored]:
    """Encoding and bytes of the masks."""
    costs = {path: ticket.gadgets[path].cost(op) for path, op in ticket.maps.items()}
    bits = bits_of(ticket.gadgets, ticket.maps)
    work = sum(cost.memory for cost in costs.values())
    return store(ticket, bits, justified=partial(justified, work), threads=threads)


def metadata_of(ticket: Ticket, encodings: Encodings, digest: str) -> dict[str, Any]:
    """Plain data of a ticket."""
    inputs, claims = ticket.inputs, ticket.claims
    assert isinstance(ticket.network, Graph)
    assert inputs is not None
    assert claims is not None
    chained = chain_of(ticket.network)
    assert chained is not None
    widths, biases = chained
    gadgets = [(path, gadget) for path, gadget in ticket.gadgets.items() if isinstance(gadget, TwoLayer)]
    return TICKET.write(
        {
            "format": FORMAT,
            "digest": digest,
            "stream": STREAM,
            "seed": ticket.seed,
            "network": {
                "kind": "builtin",
                "name": NETWORK,
                "arguments": ARGUMENTS.write({"widths": widths, "bias": biases}),
            },
            "domain": {
                "range": _range(inputs),
                "normalize": None if inputs.mean is None or inputs.std is None else (inputs.mean[0], inputs.std[0]),
            },
            "layers": [
                LAYER.write_record(
                    gadget.stages[0],
                    lift=LIFT.write_record(gadget.stages[0], signed=gadget.signed_ranges, threshold=THRESHOLD),
                    mask=MASK.write(dict(zip(("encoding", "bytes"), encodings[f"{path}/mixing"], strict=True))),
                    realised=ticket.digests[path],
                )
                for path, gadget in gadgets
            ],
            "tensors": [_tensor(tensor, ticket.heads[tensor.path]) for tensor in ticket.tensors],
            "carried": [],
            "bounds": claims_as_data(claims),
            "provenance": provenance_as_data(ticket.provenance, list(ticket.maps)),
        }
    )


def _range(inputs: Inputs) -> tuple[tuple[float, ...], ...] | None:
    """Both ends with as many numbers: one beside several is repeated."""
    if inputs.lower is None or inputs.upper is None:
        return None
    most = max(len(inputs.lower), len(inputs.upper))
    return tuple(end * (most // len(end)) for end in (inputs.lower, inputs.upper))


def layout_of(data: Any, stored: int) -> Layout:
    """Validated metadata, before anything is allocated for it.

    Args:
        stored: bytes that the file holds after its header; nothing larger is allocated before the layers fit them.
    """
    top = TICKET.read(data, "ticket")
    graph = _graph(top["network"]["arguments"])
    if len(top["layers"]) != len(graph.maps):
        raise TicketError(
            f"ticket.layers: expected {len(graph.maps)} layers, as `network` says; got {len(top['layers'])}"
        )
    gadgets: dict[str, TwoLayer] = {}
    digests: dict[str, str] = {}
    encodings: dict[str, tuple[str, int]] = {}
    for (path, op), entry in zip(graph.maps.items(), top["layers"], strict=True):
        layer = LAYER.read(entry, path)
        gadgets[path] = _gadget(layer, path, op.basis.inputs, bias=op.bias)
        digests[path] = layer["realised"]
        mask, plain = MASK.read(layer["mask"], f"{path}.mask"), -(-gadgets[path].cost(op).mask_bits // 8)
        if mask["encoding"] == "bits" and mask["bytes"] != plain:
            raise TicketError(f"{path}.mask: expected {plain:,} bytes, as its layout needs; got {mask['bytes']:,}")
        encodings[f"{path}/mixing"] = mask["encoding"], mask["bytes"]
    costs = {path: gadgets[path].cost(op) for path, op in graph.maps.items()}
    tensors = gadget_tensors(graph, gadgets, {})
    check_length(runs_of(tensors, encodings, {}), stored)
    if not justified(sum(cost.memory for cost in costs.values()), stored):
        raise TicketError("the masks claim to inflate to far more than the file holds; it was not written by slth")
    heads = _heads(top["tensors"], tensors)
    inputs = _inputs(top["domain"], next(iter(graph.maps.values())).basis.inputs)
    _check_signs(graph, gadgets, inputs)
    claims = claims_of(top["bounds"], graph, inputs, {path: cost.problems for path, cost in costs.items()})
    provenance = provenance_of(top["provenance"], graph)

    def ticket(parts: Parts) -> Ticket:
        return Ticket(
            seed=top["seed"],
            network=graph,
            gadgets=gadgets,
            inputs=inputs,
            tensors=gadget_tensors(graph, gadgets, parts.masks),
            masks=parts.masks,
            heads=heads,
            digests=digests,
            claims=claims,
            provenance=provenance,
        )

    bits = bits_of(gadgets, graph.maps)
    return Layout(tensors=tensors, bits=bits, encodings=encodings, carried={}, ticket=ticket)


def _graph(data: Any) -> Graph:
    arguments = ARGUMENTS.read(data, "network.arguments")
    widths, biases = arguments["widths"], arguments["bias"]
    if not biases or len(widths) != len(biases) + 1:
        raise TicketError("network.arguments: expected one true or false in `bias` per layer and one width more")
    return dense_chain(widths, biases)


def _gadget(layer: Mapping[str, Any], path: str, inputs: int, *, bias: bool) -> TwoLayer:
    lift = LIFT.read(layer["lift"], f"{path}.lift")
    if (lift["constants"] > 0) != bias:
        wanted = f"an integer from 1 to {MOST_CANDIDATES}" if bias else "0, for the layer has no bias"
        fail(f"{path}.lift.constants", wanted, lift["constants"])
    last = -1
    for start, stop in lift["signed"]:
        if not last < start < stop <= inputs:
            fail(
                f"{path}.lift.signed", f"ascending ranges, apart from each other, within {inputs} inputs", [start, stop]
            )
        last = stop
    gadget = TwoLayer(
        stages=(
            Stage(
                candidates=lift["candidates"],
                constants=lift["constants"],
                neurons=lift["neurons"],
                gain=layer["gain"],
                bias_gain=layer["bias_gain"],
            ),
        ),
        signed_ranges=lift["signed"],
    )
    live = gadget.candidates * (inputs + sum(b - a for a, b in gadget.signed_ranges)) + gadget.constants
    if gadget.neurons < live:
        fail(f"{path}.lift.neurons", f"an integer from {live} to {2**50}", gadget.neurons)
    return gadget


def _inputs(domain: Mapping[str, Any], inputs: int) -> Inputs:
    ends, normalize = domain["range"], domain["normalize"]
    if ends is not None and len(ends[0]) != len(ends[1]):
        raise TicketError(
            f"domain.range: expected as many lower ends as upper ones, got {len(ends[0])} and {len(ends[1])}"
        )
    lower, upper = ends or (None, None)
    mean, std = ((value,) for value in normalize) if normalize else (None, None)
    return Inputs((inputs,), mean, std, lower, upper)


def _check_signs(graph: Graph, gadgets: Mapping[str, TwoLayer], inputs: Inputs) -> None:
    """A map has negative halves exactly where its inputs can be negative."""
    expected = signed_inputs(graph, inputs.shape, inputs.negative, {})
    for i, (path, op) in enumerate(graph.maps.items()):
        if i and gadgets[path].signed_ranges:
            raise TicketError(f"{path}: hidden activations are never negative, yet signed inputs are listed")
        if (gadgets[path].signed(op) != expected[path]).any():
            raise TicketError(f"{path}: the signed inputs are not those that can be negative in the domain")


def _tensor(tensor: RandomTensor, head: str) -> dict[str, Any]:
    """Of a tensor the file repeats what follows from the layers, and states the head."""
    mask = "bits" if tensor.path.endswith("/mixing") else "lift"
    return TENSOR.write_record(tensor, shape=list(tensor.shape), mask=mask, head=head)


def _heads(entries: Sequence[Any], tensors: Sequence[RandomTensor]) -> dict[str, str]:
    """Path, shape, law, scale and mask kind must be those of the layout; the heads are checked by `verify`."""
    if len(entries) != len(tensors):
        raise TicketError(f"ticket.tensors: expected {len(tensors)} tensors; got {len(entries)}")
    heads: dict[str, str] = {}
    for entry, tensor in zip(entries, tensors, strict=True):
        where = f"tensors.{tensor.path}"
        expected = _tensor(tensor, "")
        members = check_keys(entry, where, TENSOR.kinds)
        for key, value in expected.items():
            if key != "head":
                fixed(value).read(members[key], f"{where}.{key}")
        heads[tensor.path] = DIGEST.read(members["head"], f"{where}.head")
    return heads
