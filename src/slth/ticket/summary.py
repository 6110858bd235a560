"""A ticket in rows for people: what is there is shown, whatever road it came by."""

import json
from collections.abc import Iterator, Sequence

from slth.certificate import Exact
from slth.graph import Graph, chain_of, shapes
from slth.numerics import at_most
from slth.ticket.choice import choice_in, choice_rows
from slth.ticket.exact import rest_count
from slth.ticket.format import stored_mask_bits
from slth.ticket.gadgets import Grid, Neurons, TwoLayer, exactly_words, split_count
from slth.ticket.inputs import Inputs
from slth.ticket.network import Bound, Builtin, network_name
from slth.ticket.tensors import RandomTensor
from slth.ticket.ticket import Ticket
from slth.ticket.words import carried_words, ops_words, with_steps

Row = tuple[str, str]
_SEARCHED = 40  # candidates of which a search looks at all subsets
MOST_LISTED = 8  # maps whose candidates stand one by one
MOST_STEPS = 3  # maps that are named with what was folded into them


def summary(ticket: Ticket, *, certified: bool = False) -> tuple[Row, ...]:
    """What is inside, as (name, value). Masks are coded to count their bits; no weight is drawn.

    `certified`: what is claimed was just computed, or rechecked; else it is what the ticket says.
    """
    middle = _gadget_rows(ticket, "" if certified else "the ticket says ") if ticket.gadgets else _tensor_rows(ticket)
    return (
        ("network", _network(ticket)),
        *_graph_rows(ticket),
        *_cut_row(ticket),
        *_folded_row(ticket),
        ("seed", str(ticket.seed)),
        ("inputs", "not stated" if ticket.inputs is None else _inputs(ticket.inputs)),
        *middle,
        *(("assumed" if i == 0 else "", sentence) for i, sentence in enumerate(ticket.assumed)),
    )


def several(numbers: Sequence[int]) -> str:
    """One number for each map; of many maps the smallest and the largest.

    >>> several([30, 31]), several(range(20, 40)), several([7] * 12)
    ('30, 31', '20 to 39', '7')
    """
    if len(numbers) <= MOST_LISTED:
        return ", ".join(f"{number:,}" for number in numbers)
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def moved(ticket: Ticket) -> str:
    """What moved away from its random value, and how far; rounded up."""
    claim = "" if ticket.move_bound is None else f" (claimed: at most {ticket.move_bound!r})"
    if not ticket.moved:
        return f"{unmoved(ticket)}{claim}"
    weights = sum(tensor.kept for tensor in ticket.tensors if tensor.moved)
    return f"{weights:,} weights, by at most {at_most(ticket.largest_move, 4)}{claim}"


def unmoved(ticket: Ticket) -> str:
    """That nothing moved, and whether the ticket is strong."""
    if ticket.strong:
        return "nothing: a strong ticket"
    return f"nothing, but not a strong ticket: it carries {ticket.unseeded_numbers:,} numbers that no stream made"


def _network(ticket: Ticket) -> str:
    network, name = ticket.network, network_name(ticket.network)
    if isinstance(network, Graph) and chain_of(network) is None:
        return f"{name} in {len(network.nodes):,} nodes" if network.joined else name
    if isinstance(network, Builtin):
        arguments = (f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in network.arguments.items())
        return f"{name}({', '.join(arguments)})"
    return f"{name} to a model of your own: slth.apply(ticket, model)" if isinstance(network, Bound) else name


def _graph_rows(ticket: Ticket) -> Iterator[Row]:
    """What a network that is no chain is made of."""
    network = ticket.network
    if not isinstance(network, Graph) or chain_of(network) is not None:
        return
    yield "nodes" if network.joined else "layers", ops_words(network)
    if ticket.inputs is not None:
        yield "outputs", _lengths(shapes(network, ticket.inputs.shape, ticket.carried)[network.output])
    signed, channels = ticket.signed_channels
    split = sum(split_count(ticket.gadgets[path], op) for path, op in ticket.maps.items())
    paid = "two halves for each of their weights" if split else "one subset for each weight"
    paid += f", but for {signed - split:,} of maps with one subset for both signs" if 0 < split < signed else ""
    yield "signs", f"{signed:,} of {channels:,} input channels of maps can be negative: {paid}"


def _cut_row(ticket: Ticket) -> Iterator[Row]:
    """Which part of an ONNX graph was read."""
    words = [f"{end.removesuffix('_node')} {node}" for end, node in ticket.provenance.cut.items()]
    if words:
        yield "part of a graph", ", ".join(words)


def _folded_row(ticket: Ticket) -> Iterator[Row]:
    """Maps whose numbers are not a tensor's."""
    names, steps = ticket.provenance.names, ticket.provenance.folded
    folded = sum(path not in names or path in steps for path in ticket.maps if path not in ticket.merged)
    if folded:
        known = [with_steps(path, steps[path]) for path in ticket.maps if path in steps]
        which = f": {', '.join(known[:MOST_STEPS])}" + ", ..." * (len(known) > MOST_STEPS) if known else ""
        yield (
            "folded",
            f"{folded:,} of {_maps(len(ticket.maps))} are no tensors of the target as they are: it has them "
            f"transposed, or a normalisation or constants beside them are folded in{which}",
        )


def _exact(ticket: Ticket, exact: Exact) -> str:
    """Which tensors of the target come back, and what random numbers do not say of them."""
    formats = ", ".join(sorted({stored.format for stored in exact.tensors.values() if stored.part != "carried"}))
    rest = rest_count(exact, ticket.carried)
    signs = sum(ticket.carried[claim.zeros].size for claim in exact.maps.values() if claim.zeros is not None)
    words = [
        f"the target itself, {len(exact.tensors):,} tensors ({formats})"
        + (f", but for {exact.differ:,} numbers" if exact.differ else ""),
        *([f"{rest:,} numbers of maps are carried beside the masks"] if rest else []),
        *([f"signs of zeros take {signs:,} bytes"] if signs else []),
    ]
    return "; ".join(words)


def _gadget_rows(ticket: Ticket, says: str) -> Iterator[Row]:
    """Maps made of random tensors, and what is claimed of them."""
    parameters, claims, kept = ticket.target_parameters, ticket.claims, ticket.candidates_kept
    candidates = [gadget.candidates for gadget in ticket.gadgets.values()]
    yield "tolerance per weight", "" if claims is None else claims.tolerance_text
    if claims is not None and claims.exact is not None:
        yield "exact", f"{says}{_exact(ticket, claims.exact)}"
    relative = ticket.provenance.asked.get("relative_tolerance")
    if isinstance(relative, float):
        yield "relative tolerance", f"{relative:.4g} gains of each map"
    yield "candidates per weight", several(candidates) + (" mirrored pairs" if _centred(ticket) else "")
    linear = [path for path in ticket.linear_maps if path not in ticket.merged]
    if linear:
        which = f"{len(linear):,} of {_maps(len(ticket.maps))}"
        yield (
            "linear lift",
            f"{which}: no ReLU, so one more linear layer, and one subset for a weight whatever the sign",
        )
    laws = sorted({tensor.law for tensor in ticket.tensors} - {"uniform"})
    yield from [("law of the random numbers", ", ".join(laws))] if laws else []
    if ticket.copies:
        yield (
            "copies",
            f"{several(list(ticket.copies.values()))} of every channel between two maps, as `network` counts",
        )
    if ticket.merged:
        weights = sum(ticket.maps[path].weights for path in ticket.merged)
        stands = sum(product.weights for product in ticket.merged.values())
        yield (
            "merged",
            f"{len(ticket.merged):,} maps of {weights:,} coefficients for {stands:,} parameters of projections, "
            f"{weights / stands:.3g} times as many; linear lifts, which are projections themselves: no layer more",
        )
    stages = [gadget.stage_count for gadget in ticket.gadgets.values()]
    if max(stages) > 1:
        count = f"{min(stages)} to {max(stages)}" if min(stages) < max(stages) else f"{max(stages)}"
        yield (
            "stages",
            f"{count} of each map, all fixed before the target was seen; a later one hits what those before left, with "
            "smaller gains: over stages the random weights are not identically distributed",
        )
    yield "target parameters", f"{parameters:,}"
    yield "source parameters", f"{ticket.size:,} ({ticket.size / parameters:,.0f} x target)"
    yield "mask bits", f"{ticket.mask_bits:,} ({ticket.mask_bits / parameters:.1f} per target parameter)"
    yield (
        "kept",
        f"{kept:,}, {kept / ticket.candidate_count:.4f} per candidate; density {ticket.density:.4f} of all entries",
    )
    yield from _neuron_row(ticket)
    words = ", then ".join(dict.fromkeys(words for g in ticket.gadgets.values() if (words := exactly_words(g))))
    if words:
        asked = ticket.provenance.asked.get("density")
        gamma = f"density {asked:g} of the candidates asked: " if isinstance(asked, float) else ""
        yield "kept of each", f"{gamma}exactly {words}, zeros too; {ticket.density:.4f} of all entries"
    if ticket.moved:
        yield "moved", f"{moved(ticket)}; mixing weights alone, so this bounds the least move from above: not strong"
    network = ticket.network
    known = ticket.carried if isinstance(network, Graph) else {}
    arrays = f"; {carried_words(network, known, parameters)}" if isinstance(network, Graph) and known else ""
    yield "carried", f"{2 * sum(stages):,} gains (two per {'map' if max(stages) == 1 else 'stage'}){arrays}"
    if claims is None:
        return
    grids = [gadget for gadget in ticket.gadgets.values() if isinstance(gadget, Grid)]
    proved = ticket.misses and grids and max(max(g.candidates, g.constants) for g in grids) <= _SEARCHED
    why = ", each proved: the search was complete, and no subset of its candidates is the weight" if proved else ""
    yield "misses", f"{says}{ticket.misses:,}{why}"
    yield "largest weight error", f"{says}{at_most(claims.weight_error, 3)}"
    bound, name = claims.sup_error, "bound on |f - ticket|" if says else "certified |f - ticket|"
    if bound is not None and ticket.inputs is not None:
        yield name, f"{says}{at_most(bound, 4)} on every output and input, {ticket.inputs.words}"
    else:
        nothing = "no input range, no bound" if ticket.joined else "none: how the layers are joined is not known"
        yield name, f"none: claims stop at {', '.join(claims.stops)[:200]}" if claims.stops else nothing
    for claim in claims.statistical:
        yield "statistical", f"says {claim.changed:,} of {claim.examples:,} changed: {claim.text}"


def _neuron_row(ticket: Ticket) -> Iterator[Row]:
    """Neurons removed whole, where a bit is one."""
    own = {path: gadget for path, gadget in ticket.gadgets.items() if isinstance(gadget, Neurons)}
    if own:
        sizes = several([gadget.group_size for gadget in own.values()])
        grouped = any(gadget.group_count(ticket.maps[path]) > 1 for path, gadget in own.items())
        words = f"; grouped, each serves {sizes} outputs" if grouped else ""
        kept, every = (sum(map(count, own)) for count in (ticket.map_candidates_kept, ticket.map_candidates))
        yield "neurons", f"{kept:,} of {every:,} kept, the others removed whole{words}"


def _centred(ticket: Ticket) -> bool:
    return any(isinstance(gadget, TwoLayer) and gadget.centred for gadget in ticket.gadgets.values())


def _tensor_rows(ticket: Ticket) -> Iterator[Row]:
    """Random tensors that are parameters, and what came with them."""
    kept, size, stored = ticket.kept, ticket.size, stored_mask_bits(ticket)
    gains = sum(tensor.gain != 1.0 for tensor in ticket.tensors)
    for i, law in enumerate(_laws(ticket.tensors)):
        yield ("law" if i == 0 else ""), law
    yield "masked weights", f"{size:,} in {_tensors(len(ticket.tensors))}"
    yield "kept", f"{kept:,}"
    yield "density", f"{kept}/{size} = {ticket.density:.6g}"
    yield "mask bits", f"{ticket.mask_bits:,}, stored in {stored:,} ({stored / size:.3g} per masked weight)"
    yield "carried", f"{ticket.carried_numbers:,} numbers" + (f", {gains} of them gains" if gains else "")
    yield "moved", moved(ticket)
    yield "method", ticket.provenance.method + (", trained by hand" if ticket.provenance.by_hand else "")
    yield "data", "not stated" if ticket.provenance.data is None else ticket.provenance.data
    choice = choice_in(ticket.provenance.asked)
    if choice is not None:
        yield from choice_rows(choice)


def _inputs(inputs: Inputs) -> str:
    """Shape of an image, range and normalisation."""
    shaped = len(inputs.shape) > 1 and inputs.lower is not None
    return f"{_lengths(inputs.shape)}, {inputs.words}" if shaped else inputs.words


def _laws(tensors: tuple[RandomTensor, ...]) -> Iterator[str]:
    """Tensors of one law, in one row, in the order of their first."""
    for law in dict.fromkeys((tensor.law, tensor.binary) for tensor in tensors):
        group = [tensor for tensor in tensors if (tensor.law, tensor.binary) == law]
        scales = sorted(tensor.scale for tensor in group)
        around = f"{scales[0]:.4g}" if scales[0] == scales[-1] else f"{scales[0]:.4g} to {scales[-1]:.4g}"
        signs = ", as signs" if law[1] else ""
        yield f"{law[0]} x {around}{signs}: {_tensors(len(group))}, {sum(tensor.size for tensor in group):,} weights"


def _tensors(count: int) -> str:
    return "1 tensor" if count == 1 else f"{count:,} tensors"


def _maps(count: int) -> str:
    return "1 map" if count == 1 else f"{count:,} maps"


def _lengths(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
