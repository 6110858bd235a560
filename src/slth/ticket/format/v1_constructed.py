"""Version 1, constructed tickets: chains of dense layers made by two-layer gadgets. Frozen; see FORMAT.md."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from slth.certificate import Certificate, MapClaim
from slth.graph import Graph, chain_of, dense_chain, signed_inputs
from slth.ticket.assemble import gadget_tensors
from slth.ticket.format.fields import TicketError, check_keys, fail, justified
from slth.ticket.format.masks import Stored
from slth.ticket.format.runs import Encodings, Layout, Parts, check_length, runs_of, store
from slth.ticket.format.schema import (
    ANY,
    BOUND,
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
    text,
    tuple_of,
)
from slth.ticket.gadgets import MOST_CANDIDATES, THRESHOLD, TwoLayer
from slth.ticket.inputs import Inputs
from slth.ticket.provenance import MOST_MISSES, Miss, Provenance
from slth.ticket.tensors import RandomTensor
from slth.ticket.ticket import Ticket

FORMAT = 1
STREAM = "philox4x32-10/v1"
NETWORK = "relu_mlp"  # Linear, ReLU, Linear, ..., Linear
_MOST_LAYERS = 10_000
_NUMBERS = tuple_of(number(), SIZE)

NETWORK_TABLE = Table(kind=fixed("builtin"), name=one_of(NETWORK), arguments=ANY)
ARGUMENTS = Table(widths=tuple_of(integer(1, SIZE), _MOST_LAYERS + 1), bias=tuple_of(FLAG, _MOST_LAYERS))
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
CLAIM = Table(
    tolerance=BOUND,
    weight_error=BOUND,
    bias_error=BOUND,
    misses=integer(0, 2**63),
    operator_error=BOUND,
    sup_error=optional(BOUND),
    l2_error=optional(BOUND),
)
BOUNDS = Table(
    layers=tuple_of(Kind(CLAIM.read, CLAIM.write_record), _MOST_LAYERS),
    sup_error=optional(BOUND),
    l2_error=optional(BOUND),
    output_error=optional(tuple_of(BOUND, SIZE)),
)
ASKED = Table(
    tolerance=optional(number(0.0)),
    epsilon=optional(number(0.0)),
    failure_probability=optional(number(0.0)),
    candidates=optional(integer(1, MOST_CANDIDATES)),
)
_MISS = row_of(
    integer(0, SIZE),
    integer(0, SIZE),
    integer(-1, SIZE),
    one_of("positive", "negative", "bias"),
    number(0.0),
    expected="[layer, output, input, half, error]",
)
PROVENANCE = Table(
    version=text(100),
    method=text(200),
    asked=Kind(ASKED.read, ASKED.write),
    attempts=integer(1, 10**6),
    target=DIGEST,
    names=tuple_of(
        row_of(text(), optional(text()), expected="the names of weight and bias of every layer"), _MOST_LAYERS
    ),
    misses=tuple_of(_MISS, MOST_MISSES),
)
TICKET = Table(
    format=ANY,
    digest=ANY,
    stream=fixed(STREAM),
    seed=SEED,
    network=Kind(NETWORK_TABLE.read, NETWORK_TABLE.write),
    domain=Kind(DOMAIN.read, DOMAIN.write),
    layers=tuple_of(ANY, _MOST_LAYERS),
    tensors=tuple_of(ANY, 3 * _MOST_LAYERS),
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
        and all(isinstance(gadget, TwoLayer) for gadget in ticket.gadgets.values())
        and inputs is not None
        and len(inputs.shape) == 1
        and len(inputs.mean or (0.0,)) == len(inputs.std or (1.0,)) == 1
        and not ticket.carried
        and not ticket.assumed
        and ticket.move_bound is None
        and ticket.claims is not None
        and not ticket.claims.stops
        and not ticket.claims.statistical
        and _lists_outputs(ticket.claims, list(ticket.maps.values())[-1].basis.outputs)
        and origin.target is not None
        and origin.data is None
        and set(origin.names) == set(ticket.maps)
        and _says_asked(origin.asked)
    )


def _lists_outputs(claims: Certificate, outputs: int) -> bool:
    """One bound for each output, none for several."""
    return claims.output_error is None or len(claims.output_error) == outputs


def _says_asked(asked: Mapping[str, Any]) -> bool:
    """A tolerance or an error of the network, and nothing that only a later version knows."""
    given = {key for key, value in asked.items() if value is not None}
    return given <= set(ASKED.kinds) and len(given & {"tolerance", "epsilon"}) == 1


def stored_masks(ticket: Ticket) -> dict[str, Stored]:
    """Encoding and bytes of the masks."""
    costs = {path: ticket.gadgets[path].cost(op) for path, op in ticket.maps.items()}
    bits = {f"{path}/mixing": cost.mask_bits for path, cost in costs.items()}
    return store(ticket, bits, justified=partial(justified, sum(cost.memory for cost in costs.values())))


def metadata_of(ticket: Ticket, encodings: Encodings, digest: str) -> dict[str, Any]:
    """Plain data of a ticket."""
    inputs, claims, origin = ticket.inputs, ticket.claims, ticket.provenance
    assert isinstance(ticket.network, Graph)
    assert inputs is not None
    assert claims is not None
    chained = chain_of(ticket.network)
    assert chained is not None
    widths, biases = chained
    index = {path: i for i, path in enumerate(ticket.maps)}
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
                    gadget,
                    lift=LIFT.write_record(gadget, signed=gadget.signed_ranges, threshold=THRESHOLD),
                    mask=MASK.write(dict(zip(("encoding", "bytes"), encodings[f"{path}/mixing"], strict=True))),
                    realised=ticket.digests[path],
                )
                for path, gadget in gadgets
            ],
            "tensors": [_tensor(tensor, ticket.heads[tensor.path]) for tensor in ticket.tensors],
            "carried": [],
            "bounds": {
                "layers": claims.maps.values(),
                "sup_error": claims.sup_error,
                "l2_error": claims.l2_error,
                "output_error": claims.output_error,
            },
            "provenance": {
                **{key: getattr(origin, key) for key in ("version", "method", "attempts", "target")},
                "asked": {key: origin.asked.get(key) for key in ASKED.kinds},
                "names": [origin.names[path] for path in ticket.maps],
                "misses": [(index[m.map], m.output, m.input, m.half, m.error) for m in origin.misses],
            },
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
    claims = _claims(top["bounds"], graph, inputs, {path: cost.problems for path, cost in costs.items()})
    provenance = _provenance(top["provenance"], graph)

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

    bits = {f"{path}/mixing": cost.mask_bits for path, cost in costs.items()}
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
        candidates=lift["candidates"],
        constants=lift["constants"],
        neurons=lift["neurons"],
        signed_ranges=lift["signed"],
        gain=layer["gain"],
        bias_gain=layer["bias_gain"],
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


def _claims(bounds: Mapping[str, Any], graph: Graph, inputs: Inputs, problems: Mapping[str, int]) -> Certificate:
    """Claims about these layers and this domain; whether they are true needs the target."""
    if len(bounds["layers"]) != len(graph.maps):
        raise TicketError(f"ticket.bounds: expected {len(graph.maps)} layers; got {len(bounds['layers'])}")
    claims = Certificate(
        maps={path: MapClaim(**claim) for path, claim in zip(graph.maps, bounds["layers"], strict=True)},
        sup_error=bounds["sup_error"],
        l2_error=bounds["l2_error"],
        output_error=bounds["output_error"],
    )
    for path, claim in claims.maps.items():
        integer(0, problems[path]).read(claim.misses, f"bounds.{path}.misses")
    if claims.output_error is not None:
        if inputs.lower is None:
            raise TicketError("ticket.bounds: errors are bounded over a domain, yet `domain` states no range")
        outputs = list(graph.maps.values())[-1].basis.outputs
        if len(claims.output_error) != outputs:
            raise TicketError(f"ticket.bounds: expected {outputs} values in `output_error`, one per output")
    return claims


def _provenance(data: Mapping[str, Any], graph: Graph) -> Provenance:
    maps = list(graph.maps.items())
    if len(data["names"]) != len(maps):
        raise TicketError(f"provenance.names: expected {len(maps)} pairs; got {len(data['names'])}")
    for (_, op), pair in zip(maps, data["names"], strict=True):
        if (pair[1] is None) == op.bias:
            fail("provenance.names", "the names of weight and bias of every layer", list(pair))
    used = [name for pair in data["names"] for name in pair if name is not None]
    if len(set(used)) != len(used) or "__metadata__" in used:
        raise TicketError("provenance.names: two tensors have one name, or one is called __metadata__")
    misses: list[Miss] = []
    for layer, output, input, half, error in data["misses"]:
        integer(0, len(maps) - 1).read(layer, "provenance.misses")
        path, op = maps[layer]
        integer(0, op.basis.outputs - 1).read(output, "provenance.misses")
        integer(-1, op.basis.inputs - 1).read(input, "provenance.misses")
        misses.append(Miss(path, output, input, half, error))
    if len({(miss.map, miss.output, miss.input, miss.half) for miss in misses}) != len(misses):
        raise TicketError("provenance.misses: one coefficient is listed twice")
    _check_asked(data["asked"])
    return Provenance(
        version=data["version"],
        method=data["method"],
        asked=data["asked"],
        attempts=data["attempts"],
        target=data["target"],
        names=dict(zip(graph.maps, data["names"], strict=True)),
        misses=tuple(misses),
    )


def _check_asked(asked: Mapping[str, Any]) -> None:
    """A tolerance of every weight or an error of the network, and a chance that is one."""
    if (asked["tolerance"] is None) == (asked["epsilon"] is None):
        raise TicketError("ask for a tolerance of every weight or for an error of the network, one of the two")
    for name, key in (("tolerance", "tolerance"), ("error of the network", "epsilon")):
        if asked[key] is not None and asked[key] <= 0:
            raise TicketError(f"the {name} must be a positive number such as 1e-4, got {asked[key]:g}")
    chance = asked["failure_probability"]
    if chance is not None and not 0 < chance < 1:
        raise TicketError(f"a failure probability lies between 0 and 1, got {chance:g}")
