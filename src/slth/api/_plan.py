"""How wide must the random network be, and what does it cost? Nothing is solved."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from slth import _arguments
from slth._errors import InputError
from slth.api._construct import read_target
from slth.api._inputs import InputRange, Numbers, inputs_for, inputs_of
from slth.construction import (
    Outline,
    Planning,
    Request,
    Seconds,
    coordinates_of,
    costs_of,
    first_moment,
    gain_of,
    outline,
    plan_maps,
    plan_outline,
    theorem,
)
from slth.graph import Affine
from slth.records import cores, verbs
from slth.ticket import Edges, Merged, Neurons, Rivals, map_words, rivals_of, split_count


@dataclass(frozen=True, slots=True)
class PlannedMap:
    """A linear map of the target in the random network, or several equal ones; all numbers are those of one.

    Attributes:
        path: its name, as in the ticket; of several, that of the first. kind: what it is, in words.
        times: how many there are.
        weights: target parameters, biases included.
        signed: input channels that can be negative. split: those of which each weight is two subset sums.
        linear_lift: the lift has no ReLU: one more linear layer.
        tolerance: of one weight.
        gain: a power of two.
        candidates, constants: random candidates per weight and half, and per bias (0 without biases), of all stages.
        stages: candidates of each.
        neurons: of the lift, dead ones not counted; 0 if there is none. source_parameters: entries of its random
            tensors, likewise.
        mask_bits: before they are coded.
        expected_misses: an upper estimate, by measured chances. law_misses: by the law in closed form; None
            where none is known, for neurons that give several numbers at once.
        first_moment: candidates at which one subset is expected to reach the largest weight.
        theorem: n / C of Lueker and Pensia et al.: so many candidates suffice, times a constant that is not known; None
            for neurons.
        seconds: of a processor, to construct and write it. file_bytes: of its part of the ticket.
        memory: bytes at the peak if it were the only map.
    """

    path: str
    kind: str
    times: int
    outputs: int
    inputs: int
    weights: int
    signed: int
    split: int
    linear_lift: bool
    tolerance: float
    gain: float
    candidates: int
    stages: tuple[int, ...]
    constants: int
    neurons: int
    source_parameters: int
    mask_bits: int
    expected_misses: float
    law_misses: float | None
    first_moment: int
    theorem: float | None
    seconds: float
    file_bytes: int
    memory: int


@dataclass(frozen=True, slots=True)
class Planned:
    """The random network that `construct` would try first, and what can be expected of it.

    Seconds, bytes of memory and of the file come from a model whose constants were measured once; a factor of two.
    """

    maps: tuple[PlannedMap, ...]
    weights: int  # of the target, biases included
    expected_misses: float  # an upper estimate
    law_misses: float | None  # by the law in closed form; None: there is none for this objective or gadget
    source_parameters: int  # dead neurons not counted
    mask_bits: int
    file_bytes: int
    quantiser_bits: float | None  # what all weights take within the same errors, quantised and coded; of a shape none
    packing_bits: float | None  # below which no code of all weights of this size can go
    memory: int  # bytes at the peak of construct
    threads: int
    seconds: Seconds  # `wall` with these threads
    merging: float | None  # of merged projections: their coefficients for each parameter that they stand for
    carried: int  # parameters that a shape has beside its maps
    assumed: tuple[str, ...]  # of a shape
    cannot: str | None  # why no ticket can be made of a shape yet

    def as_data(self) -> dict[str, Any]:
        """The same as plain data."""
        return asdict(self)


def plan(
    target: Any = None,
    *,
    shape: str | Sequence[int] | None = None,
    model: str | None = None,
    input_shape: Sequence[int] | None = None,
    example: Any = None,
    embeddings: str = "carried",
    layers_only: bool = False,
    tolerance: float | None = None,
    relative_tolerance: float | None = None,
    epsilon: float | None = None,
    exact: bool = False,
    gadget: str = "two-layer",
    objective: str | None = None,
    density: float | None = None,
    most_move: float | None = None,
    law: str = "uniform",
    centred: bool = False,
    group_size: int | None = None,
    lift: str | None = None,
    failure_probability: float = 0.01,
    candidates: int | None = None,
    input_range: InputRange | None = None,
    raw_range: InputRange | None = None,
    data: str | Path | None = None,
    data_dir: str | Path | None = None,
    mean: Numbers | None = None,
    std: Numbers | None = None,
    order: Sequence[str] | None = None,
    activation: str | None = None,
    from_node: str | None = None,
    to_node: str | None = None,
    threads: int | None = None,
) -> Planned:
    """The width that `construct` would choose, and its costs: misses, file, time and memory, without solving anything.

    With `candidates`, the misses to expect at that width. Other arguments as for `construct`.

    Args:
        shape: instead of a target: widths of a dense ReLU network such as (784, 500, 10), or "resnet-50", "bert-base",
            "bert-large", "gpt-3". What is assumed of its numbers is in `assumed`; none of them is drawn.

    >>> import numpy as np
    >>> model = {"weight": np.array([[0.5, -0.25]])}
    >>> few, many = (plan(model, candidates=n, input_range=(0, 1)).expected_misses for n in (10, 30))
    >>> few > 1 > 0.01 > many
    True
    >>> found = plan(shape=(784, 500, 10), relative_tolerance=2**-9, input_range=(0, 1))
    >>> [part.candidates for part in found.maps], found.assumed[0]
    ([34, 34], 'weights and biases are Gaussian with deviation sqrt(2 / fan-in)')
    """
    given = dict(locals())
    verbs.check_layers_only(given)
    asked = verbs.Plan(
        layers_only=layers_only,
        shape=shape,  # pyright: ignore[reportArgumentType]  # the record reads any sequence
        embeddings=embeddings,
        tolerance=tolerance,
        relative_tolerance=relative_tolerance,
        epsilon=epsilon,
        exact=exact,
        gadget=gadget,
        objective=objective,
        density=density,
        most_move=most_move,
        law=law,
        centred=centred,
        group_size=group_size,
        lift=lift,
        failure_probability=failure_probability,
        candidates=candidates,
        threads=threads,
    )
    request = Request(**verbs.group(asked, "plan"))
    if asked.shape is not None:
        for name in (*verbs.NOT_WITH_A_SHAPE, "std"):
            _arguments.apart("both describe the network", shape=asked.shape, **{name: given[name]})
        lower = None if input_range is None else min(inputs_of((1,), input_range).lower or (0.0,))
        network = outline(asked.shape, lower=lower)
        return _planned(plan_outline(network, request), asked, network)
    if target is None and model is None:
        raise InputError("a network is needed: a target, a model that gives it, or a shape such as 784,500,10")
    read = read_target(
        target,
        model=model,
        input_shape=input_shape,
        example=example,
        embeddings=asked.embeddings,
        order=order,
        activation=activation,
        from_node=from_node,
        to_node=to_node,
        exact=asked.exact,
        layers_only=asked.layers_only,
    )
    inputs = inputs_for(
        read,
        target,
        cut=from_node is not None,
        input_range=input_range,
        raw_range=raw_range,
        data=data,
        data_dir=data_dir,
        mean=mean,
        std=std,
    )
    parts = plan_maps(read, request, inputs=inputs)
    products = request.gadget == "merged"  # quantisers store the projections, not these
    rivals = [] if products else [_rivals(read.coefficients[part.path], part.width.tolerance) for part in parts]
    return _planned(parts, asked, None, rivals)


def _rivals(affine: Affine, tolerance: float) -> Rivals:
    return rivals_of(affine.weight, affine.bias, tolerance)


def _planned(
    parts: Sequence[Planning], asked: verbs.Plan, network: Outline | None, rivals: Sequence[Rivals] = ()
) -> Planned:
    weights = sum(part.weights * part.times for part in parts)
    threads = asked.threads or cores()
    maps = tuple(_map(part, asked.failure_probability / weights, threads) for part in parts)
    costs = costs_of(parts, threads=threads)
    return Planned(
        maps=maps,
        weights=weights,
        expected_misses=sum(part.expected_misses * part.times for part in maps),
        law_misses=_all(None if part.law_misses is None else part.law_misses * part.times for part in maps),
        source_parameters=sum(part.source_parameters * part.times for part in maps),
        mask_bits=sum(part.mask_bits * part.times for part in maps),
        file_bytes=costs.file_bytes,
        quantiser_bits=sum(one.quantiser for one in rivals) if rivals else None,
        packing_bits=sum(one.packing for one in rivals) if rivals else None,
        memory=costs.memory,
        threads=threads,
        seconds=costs.seconds,
        merging=_merging(parts),
        carried=0 if network is None else network.carried,
        assumed=() if network is None else network.assumed,
        cannot=None if network is None else network.cannot,
    )


def _merging(parts: Sequence[Planning]) -> float | None:
    """d / (2 d_head) of equal heads."""
    merged = [part for part in parts if isinstance(part.gadget, Merged)]
    return sum(part.op.weights for part in merged) / sum(part.weights for part in merged) if merged else None


def _map(part: Planning, failure: float, threads: int) -> PlannedMap:
    """First moment at the largest weight; the theorem's δ is shared by all coefficients, `failure` for each."""
    op, gadget, width = part.op, part.gadget, part.width
    cost, alone = gadget.cost(op), costs_of([replace(part, times=1)], threads=threads)
    unit = gain_of(part.largest)
    t = width.half_step / unit
    return PlannedMap(
        path=part.path,
        kind=map_words(op),
        times=part.times,
        outputs=op.basis.outputs,
        inputs=op.basis.inputs,
        weights=part.weights,
        signed=int(gadget.signed(op).sum()),
        split=split_count(gadget, op),
        linear_lift=gadget.linear,
        tolerance=width.tolerance,
        gain=gadget.gain,
        candidates=gadget.candidates,
        stages=tuple(stage.candidates for stage in width.stages),
        constants=sum(stage.constants for stage in width.stages),
        neurons=0 if isinstance(gadget, Edges) else gadget.neurons,
        source_parameters=sum(tensor.size for tensor in gadget.tensors(part.path, op)),
        mask_bits=cost.mask_bits,
        expected_misses=width.expected_misses,
        law_misses=width.law_misses,
        first_moment=first_moment(part.largest / unit, t, coordinates=coordinates_of(part)),
        theorem=None if isinstance(gadget, Neurons) else theorem(t, failure * part.weights / cost.problems),
        seconds=alone.seconds.construct,
        file_bytes=alone.file_bytes,
        memory=alone.memory,
    )


def _all(numbers: Iterable[float | None]) -> float | None:
    """Their sum; None if one is not known."""
    found = list(numbers)
    return None if None in found else sum(number for number in found if number is not None)
