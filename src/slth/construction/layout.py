"""The random network for a target, before any weight is solved: one gadget for each map, wide enough."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from slth._errors import InputError
from slth.construction.copied import Wanted, plan_copies
from slth.construction.halves import split_inputs
from slth.construction.makers import MAKERS, Maker, as_merged, check_closest, check_grids, kept_exactly
from slth.construction.needs import Needs
from slth.construction.recipe import USUAL, Recipe
from slth.construction.width import StageWidth, Width, affine_sizes, gain
from slth.graph import Graph, Linear, OneHot, Target, shapes, signed_inputs
from slth.numerics import check_seed
from slth.ticket import Copies, Gadget, Inputs, Ticket, TwoLayer, signed_ranges

WITHOUT_LIFT = {
    "two-layer": "plain",
    "plain": "plain",
    "single": "single-plain",
    "single-plain": "single-plain",
}  # by gadget: of tables, whose inputs are tokens


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Gadgets and tolerances by map; `expected_misses` of the whole network."""

    seed: int
    graph: Graph
    gadgets: Mapping[str, Gadget]
    tolerances: Mapping[str, float]
    expected_misses: float
    widths: Mapping[str, Width]  # in a source's network no misses are planned: they are NaN
    recipe: Recipe = USUAL

    @property
    def maker(self) -> Maker:
        """Of its gadgets."""
        return MAKERS[self.recipe.gadget]

    @property
    def mask_bits(self) -> int:
        """Of all maps."""
        return sum(self.gadgets[path].cost(op).mask_bits for path, op in self.graph.maps.items())

    @property
    def source_parameters(self) -> int:
        """Every entry of the random network."""
        return sum(t.size for path, op in self.graph.maps.items() for t in self.gadgets[path].tensors(path, op))


def lay_out(
    target: Target,
    tolerances: Mapping[str, float],
    *,
    inputs: Inputs,
    recipe: Recipe = USUAL,
    seed: int = 0,
    candidates: int | None = None,
    failure_probability: float = 0.01,
    extra: int = 0,
) -> Layout:
    """How wide the random network must be so that P(any miss) ≤ `failure_probability`, see `width`.

    Args:
        tolerances: τ of each map.
        recipe: gadget and objective.
        candidates: n, if given rather than planned.
        extra: candidates on top of that, for a further attempt; `expected_misses` counts them in.

    Raises:
        InputError: weights too large or too small, tolerances out of reach, or what the gadget does not cover.
    """
    check_target(target, inputs)
    seed = check_seed(seed)
    makers = {path: maker_of(op, recipe) for path, op in target.graph.maps.items()}
    for path, op in target.graph.maps.items():
        makers[path].check(replace(recipe, gadget=makers[path].kind), op)
    if recipe.gadget == "grid":
        check_grids(target)
    if recipe.gadget == Copies.kind:
        wanted = Wanted(tolerances, failure_probability, candidates, extra)
        made = plan_copies(target, wanted, inputs=inputs)
        for width in made.widths.values():
            check_closest(recipe, width)
        missed = sum(width.expected_misses for width in made.widths.values())
        return Layout(seed, made.target.graph, made.gadgets, dict(tolerances), missed, made.widths, recipe)
    signed = signed_inputs(target.graph, inputs.shape, inputs.negative, target.carried)
    halves = split_inputs(target, inputs, recipe)
    shares = {path: op.weights / target.graph.weights for path, op in target.graph.maps.items()}
    widths = {
        path: makers[path].width(
            Needs(
                target.graph.maps[path],
                *affine_sizes(affine, halves[path]),
                tolerances[path],
                failure_probability * shares[path],
                candidates,
                extra,
            ),
            recipe,
        )
        for path, affine in target.coefficients.items()
    }
    gadgets = {
        path: makers[path].gadget(op, widths[path], signed_ranges(signed[path]), recipe=recipe)
        for path, op in target.graph.maps.items()
    }
    gadgets |= {path: as_merged(gadgets[path], product) for path, product in target.merged.items()}
    missed = sum(width.expected_misses for width in widths.values())
    return Layout(seed, target.graph, gadgets, dict(tolerances), missed, widths, recipe)


def maker_of(op: Linear, recipe: Recipe) -> Maker:
    """Of one map: a table of tokens has no lift, for that of V one-hot inputs would be scanned for each of them.

    Raises:
        InputError: a gadget that has no kin without a lift.
    """
    if not isinstance(op.basis, OneHot):
        return MAKERS[recipe.gadget]
    if recipe.gadget not in WITHOUT_LIFT:
        raise InputError(
            f"{op.map}: a table of tokens is made of plain random numbers, beside the gadgets "
            f"{', '.join(WITHOUT_LIFT)}, not {recipe.gadget}; take one of these, or carry it: --embeddings carried"
        )
    return MAKERS[WITHOUT_LIFT[recipe.gadget]]


def lay_out_in(
    source: Ticket, target: Target, tolerances: Mapping[str, float], *, inputs: Inputs, recipe: Recipe = USUAL
) -> Layout:
    """The random network of another ticket, for a new target: only the gains, which are carried, are new.

    Those of its stages keep their ratios.

    Raises:
        InputError: the target has another shape, or its inputs other signs, than the source was made for.
    """
    check_target(target, inputs)
    kinds = {gadget.kind for gadget in source.gadgets.values()} | {recipe.gadget}
    for kind in sorted(kinds - {TwoLayer.kind}):
        raise InputError(
            f"the random network of another ticket serves the gadget two-layer alone, not {kind}; leave the source out"
        )
    most = max(gadget.stage_count for gadget in source.gadgets.values())
    if recipe.objective in ("exactly", "moved") and most > 1:
        raise InputError(
            f"the source network has {most} stages, and the objective {recipe.objective} is a theorem of one; take "
            "the objective within, fewest or closest, or a source made for a coarser tolerance"
        )
    signed = signed_inputs(target.graph, inputs.shape, inputs.negative, target.carried)
    gadgets: dict[str, Gadget] = {}
    widths: dict[str, Width] = {}
    for path, op in target.graph.maps.items():
        theirs, affine = source.gadgets.get(path), target.coefficients[path]
        if (
            source.network != target.graph
            or not isinstance(theirs, TwoLayer)
            or (theirs.signed(op) != signed[path]).any()
        ):
            raise InputError(
                "the source network is for other widths or other signs of inputs; this target does not fit it: give a "
                "target of the same widths, biases and input range"
            )
        gains = gain(affine.weight), 1.0 if affine.bias is None else gain(affine.bias)
        first = theirs.stages[0]
        kept = kept_exactly(recipe, first.candidates, first.constants)
        stages = tuple(
            replace(
                stage,
                gain=gains[0] * (stage.gain / first.gain),
                bias_gain=gains[1] * (stage.bias_gain / first.bias_gain),
                kept=kept,
            )
            for stage in theirs.stages
        )
        gadgets[path] = replace(theirs, stages=stages)
        own = [StageWidth(s.gain, s.bias_gain, s.candidates, s.constants) for s in stages]
        widths[path] = Width(
            tolerances[path],
            *gains,
            first.candidates,
            first.constants,
            expected_misses=math.nan,
            law_misses=math.nan,
            later=tuple(own[1:]),
        )
        check_closest(recipe, widths[path])
    recipe = _in_source(recipe, source)
    for op in target.graph.maps.values():
        MAKERS[recipe.gadget].check(recipe, op)
    return Layout(source.seed, target.graph, gadgets, dict(tolerances), math.nan, widths, recipe)


def _in_source(recipe: Recipe, source: Ticket) -> Recipe:
    """What is asked of the random numbers of another ticket, which are as they are."""
    theirs = next((gadget for gadget in source.gadgets.values() if isinstance(gadget, TwoLayer)), None)
    return recipe if theirs is None else replace(recipe, law=theirs.law, centred=theirs.centred)


def check_target(target: Target, inputs: Inputs) -> None:
    """Refuse inputs of another shape, values that nothing reads, weights whose squares would leave float64's range."""
    if target.graph.joined:
        shapes(target.graph, inputs.shape, target.carried)
        _check_read(target)
    for path, affine in target.coefficients.items():
        for largest in (affine.largest, 0.0 if affine.bias is None else np.abs(affine.bias).max(initial=0.0)):
            if largest and not 2.0**-100 < largest < 2.0**100:
                raise InputError(f"{path} holds no weight between 2**-100 and 2**100, or larger ones; rescale it")


def _check_read(target: Target) -> None:
    """Every value is read."""
    read = {name for node in target.graph.nodes for name in node.inputs} | {target.graph.output}
    unread = next((node.name for node in target.graph.nodes if node.name not in read), None)
    if unread is not None:
        raise InputError(f"node {unread!r} of the target is read by no later node; leave it out")
