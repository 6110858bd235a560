"""How many copies every channel needs: as many as the maps that read them want candidates (Burkholz, 2022).

A map makes its outputs in as many copies as are read, so it has so many times its weights to solve, and misses so many
times more: n(ρ) with ρ = n of the map behind. Found from ρ = 1 upwards, until no number grows: a few rounds, for n
grows with log ρ. Maps that read copies of one map read the same number, see `slth.graph.read_together`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from slth._errors import InputError
from slth._shapes import Signed
from slth.construction.width import Width, affine_sizes, plan_sizes
from slth.graph import Target, copies_made, read_together, signed_inputs, with_copies
from slth.ticket import MOST_CANDIDATES, Copies, Gadget, Inputs, Stage, TwoLayer, signed_ranges


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of the widths; see `slth.construction.layout.lay_out`."""

    tolerances: Mapping[str, float]
    failure_probability: float
    candidates: int | None
    extra: int


@dataclass(frozen=True, slots=True, eq=False)
class Copied:
    """A target with copies, and by map its gadget and its width; misses count every copy."""

    target: Target
    gadgets: Mapping[str, Gadget]
    widths: Mapping[str, Width]


def in_copies(target: Target, gadgets: Mapping[str, Gadget], inputs: Inputs) -> Target:
    """The target with the copies that the gadgets read; itself if none of them reads any."""
    reads = {path: gadget.copies for path, gadget in gadgets.items() if isinstance(gadget, Copies)}
    return with_copies(target, reads, shape=inputs.shape) if reads else target


def plan_copies(target: Target, wanted: Wanted, *, inputs: Inputs) -> Copied:
    """Copies, gadgets and widths of all maps.

    Raises:
        InputError: more than 64 copies or more than one stage needed, a network of one map, or one that copies do not
            cover.
    """
    together = read_together(target.graph)
    if not together:
        raise InputError(
            "copies are of channels between two maps, and no map of this network reads another one; take the gadget "
            "two-layer"
        )
    reads = {path: 1 for group in together for path in group}
    with_copies(target, dict.fromkeys(reads, 2), shape=inputs.shape)  # refuses what is not covered before it is planned
    signed = signed_inputs(target.graph, inputs.shape, inputs.negative, target.carried)
    while True:
        made = copies_made(target.graph, reads)
        widths = {path: _width(target, wanted, path, made[path], signed, path in reads) for path in target.graph.maps}
        grown = {path: max(widths[other].candidates for other in group) for group in together for path in group}
        if all(grown[path] <= reads[path] for path in reads):
            break
        reads = {path: max(grown[path], reads[path]) for path in reads}
    wide = with_copies(target, reads, shape=inputs.shape)
    negative = signed_inputs(wide.graph, inputs.shape, inputs.negative, wide.carried)
    exactly = {path: replace(wanted, candidates=copies, extra=0) for path, copies in reads.items()}
    for path, own in exactly.items():
        widths[path] = _width(target, own, path, made[path], signed, True)
    gadgets: dict[str, Gadget] = {}
    for path, op in wide.graph.maps.items():
        width, ranges = widths[path], signed_ranges(negative[path])
        if path in reads:
            copies = Copies(reads[path], width.constants, 0, ranges, width.gain, width.bias_gain)
            gadgets[path] = copies.narrowest(op)
        else:
            stages = tuple(Stage(s.candidates, s.constants, 0, s.gain, s.bias_gain) for s in width.stages)
            gadgets[path] = TwoLayer(stages, ranges).narrowest(op)
    return Copied(wide, gadgets, widths)


def _width(target: Target, wanted: Wanted, path: str, made: int, signed: Mapping[str, Signed], plain: bool) -> Width:
    """Of one map, each of whose rows is made so many times. A plain weight is one problem, whatever the signs."""
    negative = signed[path] & (not plain)
    share = target.graph.maps[path].weights / target.graph.weights
    width = plan_sizes(
        *affine_sizes(target.coefficients[path], negative),
        wanted.tolerances[path],
        failure=wanted.failure_probability * share / made,
        candidates=wanted.candidates,
        extra=wanted.extra,
    )
    if plain and width.later:
        raise InputError(
            f"{path}: a tolerance of {wanted.tolerances[path] / width.gain:.2g} gains takes {len(width.stages)} stages "
            f"and copies have one, of at most {MOST_CANDIDATES} candidates; ask for a larger tolerance"
        )
    law = None if width.law_misses is None else made * width.law_misses
    return replace(width, expected_misses=made * width.expected_misses, law_misses=law)
