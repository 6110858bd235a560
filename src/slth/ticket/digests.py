"""Digests that name a target: one number for one network, whatever its nodes, maps and arrays are called."""

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from slth._shapes import Bias
from slth.certificate import exact_numbers
from slth.graph import (
    INPUT,
    Affine,
    Dense,
    Embedding,
    Graph,
    Linear,
    Node,
    Pointwise,
    Shape,
    Stored,
    Target,
    carried_names,
    map_of_op,
)
from slth.numerics import FORMATS
from slth.ticket.buffers import buffer_of, hash_numbers
from slth.ticket.exact import kinds_of, own_bytes
from slth.ticket.format.fields import canonical
from slth.ticket.format.v2_graph import OP
from slth.ticket.realise import target_digest

_NAMES = (
    "map",
    "scale",
    "shift",
    "slope",
    "value",
    "mean",
    "variance",
    "table",
    "visible",
    "bias",
)  # members of an op that name a map or a carried array


def network_digest(target: Target, shape: Shape) -> str:
    """SHA-256 that names a target for inputs of a shape: of a chain that of version 1, else `graph_digest`.

    With copies, or merged, it is the network that it was before. One that was read unfolded has that of its numbers in
    their own formats, −0.0 as it is.
    """
    target = target if target.original is None else target.original
    if not target.graph.joined:
        return _unjoined_digest(target)
    chained = len(shape) == 1 and _is_chain(target.graph) and not target.tensors
    ordered = {path: target.coefficients[path] for path in target.graph.maps}
    return target_digest(ordered) if chained else graph_digest(target, shape)


def graph_digest(target: Target, shape: Shape) -> str:
    """SHA-256 of the input's shape and the nodes as JSON, then of all numbers, little-endian float64.

    Names do not matter: nodes, maps and carried arrays are numbered in the order in which `walk` meets them.
    """
    nodes = walk(target.graph)
    node_number = {INPUT: -1} | {node.name: i for i, node in enumerate(nodes)}
    maps = _numbered(path for node in nodes if (path := map_of_op(node.op)) is not None)
    carried = _numbered(name for node in nodes for name in carried_names(node.op))
    text = [
        {
            "inputs": [node_number[name] for name in node.inputs],
            "op": _renamed(OP.write(node.op), maps if map_of_op(node.op) else carried),
        }
        for node in nodes
    ]
    if target.tensors:
        return _exact_digest(target, [list(shape), text], maps, carried)
    digest = hashlib.sha256(canonical([list(shape), text]).encode())
    for path in maps:
        for part in _parts(target, path):
            hash_numbers(digest, part)
    for name in carried:
        hash_numbers(digest, target.carried[name])
    return digest.hexdigest()


def _unjoined_digest(target: Target) -> str:
    """Of maps that are not joined: their names and ops as JSON, their numbers, then whatever else the target holds."""
    graph = target.graph
    digest = hashlib.sha256(canonical([list(graph.transposed), *(OP.write(op) for op in graph.maps.values())]).encode())
    for path in graph.maps:
        for part in _parts(target, path):
            hash_numbers(digest, part)
    for name, values in sorted(target.carried.items()):
        digest.update(canonical([name, list(values.shape)]).encode())
        hash_numbers(digest, values.astype(np.float64))
    return digest.hexdigest()


def _exact_digest(target: Target, text: list[Any], maps: Mapping[str, int], carried: Mapping[str, int]) -> str:
    """The same of an exact ticket's target: its formats in the text, and the numbers of maps in them."""
    kinds = kinds_of(target)
    formats = [[kinds[path].format, kinds[path].bias] for path in maps]
    digest = hashlib.sha256(canonical([*text, formats]).encode())
    for path in maps:
        affine, claim = target.coefficients[path], kinds[path]
        op = target.graph.maps[path]
        weight = affine.weight
        if claim.format not in FORMATS:
            weight, _ = exact_numbers(op, weight, None, claim=claim, carried=target.carried)
        digest.update(buffer_of(own_bytes(weight, claim.format)))
        if affine.bias is not None and claim.bias is not None:
            digest.update(buffer_of(own_bytes(affine.bias, claim.bias)))
    for name in carried:
        hash_numbers(digest, target.carried[name], one_zero=False)
    return digest.hexdigest()


def as_in(target: Target, network: Graph) -> Target | str:
    """A target under the names of a network that is the same but for names; else the first node that differs.

    Maps that are not joined have nothing but their names to be known by.
    """
    if not (network.joined and target.graph.joined):
        return target if target.graph == network else "the target has maps of other names or shapes, or joins them"
    theirs, ours = walk(target.graph), walk(network)
    names, maps, carried = {INPUT: INPUT}, dict[str, str](), dict[str, str]()
    for i, (given, wanted) in enumerate(zip(theirs, ours, strict=False)):
        paths = {path: path for part in (given, wanted) if (path := map_of_op(part.op)) is not None}
        if isinstance(given.op, Linear) and isinstance(wanted.op, Linear):
            paths = {given.op.map: maps.setdefault(given.op.map, wanted.op.map)}
        if isinstance(given.op, Embedding) and isinstance(wanted.op, Embedding) and given.op.tied and wanted.op.tied:
            paths = {given.op.table: maps.setdefault(given.op.table, wanted.op.table)}
        arrays = zip(carried_names(given.op), carried_names(wanted.op), strict=False)
        paths |= {mine: carried.setdefault(mine, other) for mine, other in arrays}
        written, said = _renamed(OP.write(given.op), paths), OP.write(wanted.op)
        if written != said or [names.get(name) for name in given.inputs] != list(wanted.inputs):
            shown = _shown(given, written, said), _shown(wanted, said, written)
            return f"node {i} differs: the target has {shown[0]}, the ticket {shown[1]}"
        names[given.name] = wanted.name
    if len(theirs) != len(ours):
        return f"the target has {len(theirs)} nodes, the ticket {len(ours)}"
    if len(set(maps.values())) != len(maps) or len(set(carried.values())) != len(carried):
        return "the target has two maps where the ticket has one that is used twice"
    unfolded = bool(target.tensors)
    return replace(
        target,
        graph=network,
        coefficients={path: target.coefficients[mine] for mine, path in maps.items()},
        carried={
            carried.get(name, name): array for name, array in target.carried.items() if name in carried or unfolded
        },
        tensors={name: _under(stored, maps, carried) for name, stored in target.tensors.items()},
        names={path: target.names[mine] for mine, path in maps.items() if mine in target.names},
        folded={path: target.folded[mine] for mine, path in maps.items() if mine in target.folded},
        merged={path: target.merged[mine] for mine, path in maps.items() if mine in target.merged},
    )


def _under(stored: Stored, maps: Mapping[str, str], carried: Mapping[str, str]) -> Stored:
    """A tensor under other names of maps and carried arrays."""
    names = carried if stored.part == "carried" else maps
    beside = {None: None} | dict(carried)
    scale, zero = (beside.get(name, name) for name in (stored.scale, stored.zero))
    return replace(stored, of=names.get(stored.of, stored.of), scale=scale, zero=zero)


def with_biases(target: Target, network: Graph, *, digest: str | None, shape: Shape) -> Target:
    """The same function, with a bias where the map of a network has one, as far as that is a matter of words.

    A bias of zeros is none, and exporters drop it, or write one where a normalisation was folded whose shifts are 0. So
    a bias of zeros is none where the network has none. None is one of zeros where the network has one and something was
    folded in, or where that makes the target the very network that a digest names, on inputs of a shape.
    """
    if not (network.joined and target.graph.joined):
        return target
    whole = _with_biases(target, network, list(target.graph.maps))
    if whole is not target and network_digest(whole, shape) == digest:
        return whole
    return _with_biases(target, network, list(target.folded))


def _with_biases(target: Target, network: Graph, added: list[str]) -> Target:
    """Biases of zeros as the network has them; one is added only to some maps."""
    wanted = dict(zip(target.graph.maps, (op.bias for op in network.maps.values()), strict=False))
    changed = dict[str, Bias | None]()
    for path, bias in wanted.items():
        own = target.coefficients[path].bias
        if own is not None and not bias and not own.any():
            changed[path] = None
        if own is None and bias and path in added:
            changed[path] = np.zeros(target.graph.maps[path].basis.outputs)
    if not changed:
        return target
    nodes = [
        replace(node, op=replace(node.op, bias=wanted[node.op.map]))
        if isinstance(node.op, Linear) and node.op.map in changed
        else node
        for node in target.graph.nodes
    ]
    affine = {path: Affine(target.coefficients[path].weight, bias) for path, bias in changed.items()}
    names = {path: pair for path, pair in target.names.items() if path not in changed}
    return replace(target, graph=Graph(tuple(nodes)), coefficients={**target.coefficients, **affine}, names=names)


def _is_chain(graph: Graph) -> bool:
    """Dense maps, each its own, with a ReLU between two; whatever they are called."""
    before = INPUT
    for i, node in enumerate(graph.nodes):
        dense = isinstance(node.op, Linear) and isinstance(node.op.basis, Dense)
        if node.inputs != (before,) or not (node.op == Pointwise("Relu") if i % 2 else dense):
            return False
        before = node.name
    return len(graph.nodes) == 2 * len(graph.maps) - 1


def _shown(node: Node, said: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """A node for people: its op; of two ops of one kind what they say otherwise; of two equal ones what they read."""
    own = ", ".join(f"{key} {said[key]}" for key in said if said[key] != other.get(key))
    if said["kind"] != other["kind"]:
        own = ""
    elif not own:
        own = f"inputs {', '.join(node.inputs)}"
    return f"{type(node.op).__name__} ({node.name[:60]})" + (f" with {own[:200]}" if own else "")


def _renamed(data: Any, names: Mapping[str, Any]) -> Any:
    """The JSON of an op under other names, or with numbers for them; −0.0 as 0.0."""
    if isinstance(data, float):
        return data + 0.0
    if isinstance(data, list):
        return [_renamed(item, names) for item in data]
    if not isinstance(data, dict):
        return data
    return {
        key: names[item] if key in _NAMES and isinstance(item, str) else _renamed(item, names)
        for key, item in data.items()
    }


def walk(graph: Graph) -> list[Node]:
    """The nodes that the output needs, in one order for one network: the inputs of a node, in order, then the node."""
    by_name = {node.name: node for node in graph.nodes}
    found: dict[str, Node] = {}
    waiting = [graph.output]
    while waiting:
        node = by_name[waiting[-1]]
        if node.name in found:
            waiting.pop()
            continue
        missing = [name for name in node.inputs if name != INPUT and name not in found]
        waiting += reversed(missing)
        if not missing:
            found[node.name] = node
    return list(found.values())


def _numbered(names: Any) -> dict[str, int]:
    """Each name by its place among the different ones."""
    return {name: i for i, name in enumerate(dict.fromkeys(names))}


def _parts(target: Target, path: str) -> list[np.ndarray]:
    affine = target.coefficients[path]
    return [affine.kept] if affine.bias is None else [affine.kept, affine.bias]
