"""A trained ReLU network becomes a pruned random network: two random layers for each target layer.

Pensia, Rajput, Nagle, Vishwakarma and Papailiopoulos (2020), with biases and signed inputs. A lift makes n positive
copies u x⁺ of every input (and n copies |u| x⁻ where it can be negative), a mixing layer v reads them, and pruning
keeps

    P = g Σ m v u ≈ W     on x⁺        N = g Σ m v |u| ≈ −W     on x⁻        b̂ = g_b Σ m v β ≈ b,

one random subset-sum problem per coefficient, all independent. Written x = x⁺ − x⁻, the layer then computes
P x⁺ + N x⁻ + b̂ ≈ W x + b.

The seed fixes an infinite random network before any weight is looked at; its width and the gains are chosen from the
target, unless a source is given. A coefficient that no subset of its candidates
reaches is a miss: it is listed with its error, never redrawn.
"""

import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from jaxtyping import Bool, Float64, Int64

from slth._errors import InputError
from slth._version import __version__
from slth.certificate import Affine, certify
from slth.construction.width import gain, plan_widths
from slth.numerics import check_seed
from slth.subsetsum import Status, SubsetSums, first_batch
from slth.ticket import (
    MOST_MISSES,
    Asked,
    Domain,
    LayerSpec,
    Lift,
    LiftSpec,
    Miss,
    Provenance,
    Ticket,
    head_digest,
    pack,
    products,
    realise,
    realised_digest,
    scan,
    signed_ranges,
    slot_blocks,
    target_digest,
)

METHOD = "two random layers per target layer (Pensia et al., 2020)"
_log = logging.getLogger(__name__)
Progress = Callable[[int, int], None]  # problems solved, problems in all


@dataclass(frozen=True, slots=True)
class Layout:
    """The width of the random network for one target, before any weight is solved."""

    seed: int
    layers: tuple[LayerSpec, ...]
    tolerances: tuple[float, ...]
    expected_misses: float


def lay_out(
    target: Sequence[Affine],
    tolerances: Sequence[float],
    *,
    domain: Domain,
    seed: int = 0,
    candidates: int | None = None,
    failure_probability: float = 0.01,
    extra: int = 0,
) -> Layout:
    """How wide the random network must be so that P(any miss) ≤ `failure_probability`, see `width`.

    Args:
        tolerances: τ of each layer.
        candidates: n, if given rather than planned.
        extra: candidates on top of that, for a further attempt; `expected_misses` counts them in.

    Raises:
        InputError: a target that is no ReLU network, or more than 64 candidates needed.
    """
    check_target(target)
    check_seed(seed)
    signed = domain.signed(target[0].weight.shape[1])
    widths = plan_widths(
        target,
        tolerances,
        signed=signed,
        failure_probability=failure_probability,
        candidates=candidates,
        extra=extra,
    )
    layers: list[LayerSpec] = []
    for i, (layer, width) in enumerate(zip(target, widths, strict=True)):
        outputs, inputs, taps = layer.weight.shape
        lift = LiftSpec(inputs, width.candidates, width.constants, signed_ranges(signed) if i == 0 else ())
        layers.append(LayerSpec(f"layers/{i}", outputs, taps, lift, lift.live, width.gain, width.bias_gain))
    return Layout(seed, tuple(layers), tuple(tolerances), sum(width.expected_misses for width in widths))


def lay_out_in(source: Ticket, target: Sequence[Affine], tolerances: Sequence[float], *, domain: Domain) -> Layout:
    """The random network of another ticket, for a new target: only the gains, which are carried, are new.

    Raises:
        InputError: the target has another shape, or its inputs other signs, than the source was made for.
    """
    check_target(target)
    signed = signed_ranges(domain.signed(target[0].weight.shape[1]))
    layers: list[LayerSpec] = []
    for i, layer in enumerate(target):
        gains = gain(layer.weight), 1.0 if layer.bias is None else gain(layer.bias)
        theirs = source.layers[min(i, len(source.layers) - 1)]
        fits = (
            len(target) == len(source.layers)
            and (theirs.outputs, theirs.lift.inputs, theirs.taps) == layer.weight.shape
            and (theirs.lift.constants > 0) == (layer.bias is not None)
            and theirs.lift.signed == (signed if i == 0 else ())
        )
        if not fits:
            raise InputError(
                f"the source network is for widths {source.widths} and its own signs of inputs; this target does not "
                "fit it: give a target of the same widths, biases and input range"
            )
        layers.append(replace(theirs, gain=gains[0], bias_gain=gains[1]))
    return Layout(source.seed, tuple(layers), tuple(tolerances), math.nan)


def solve(
    target: Sequence[Affine],
    layout: Layout,
    *,
    domain: Domain,
    asked: Asked,
    attempts: int = 1,
    names: Sequence[tuple[str, str | None]] | None = None,
    threads: int = 1,
    progress: Progress | None = None,
) -> Ticket:
    """Prune the random network of a layout until it computes the target; the ticket with its certificate.

    Args:
        target: the layers of f(x) = W_L σ(... σ(W_1 x + b_1) ...) + b_L, σ = ReLU, taps = 1, finite.
        domain: the inputs the ticket is for; they decide which halves exist and what the certificate bounds.
        asked, attempts: for the record of where the ticket came from.
        names: the target's tensor names per layer, (weight, bias or None); default "0.weight", "0.bias", ...
        threads: workers; the ticket has the same bytes for any number of them.

    Cost: one subset-sum problem per coefficient and half, about a microsecond each; memory of one layer.
    """
    solved = _Counter(progress, sum(spec.outputs * spec.taps * spec.lift.slots for spec in layout.layers))
    layers, masks, realised, misses = [], [], [], []
    for i, (layer, spec, tolerance) in enumerate(zip(target, layout.layers, layout.tolerances, strict=True)):
        lift = scan(spec.lift, layout.seed, spec.path)
        spec = replace(spec, neurons=lift.neurons)
        mask, missed = _solve_layer(i, layer, _Task(spec, lift, layout.seed, tolerance), threads, solved)
        layers.append(spec)
        masks.append(pack(mask))
        realised.append(realise(spec, lift, layout.seed, mask))
        misses += missed
    _log.info("solved %s subset-sum problems in %.2f s on %s threads", f"{solved.done:,}", solved.seconds, threads)
    box = domain.box(layers[0].lift.inputs)
    if names is None:
        names = [(f"{2 * i}.weight", None if layer.bias is None else f"{2 * i}.bias") for i, layer in enumerate(target)]
    return Ticket(
        seed=layout.seed,
        network="relu_mlp",
        domain=domain,
        layers=tuple(layers),
        masks=tuple(masks),
        heads=tuple(head_digest(tensor, layout.seed) for layer in layers for tensor in layer.tensors),
        digests=tuple(realised_digest(part) for part in realised),
        certificate=certify(target, realised, tolerances=layout.tolerances, box=box),
        provenance=Provenance(
            version=__version__,
            method=METHOD,
            asked=asked,
            attempts=attempts,
            target=target_digest(target),
            names=tuple(names),
            misses=tuple(misses[:MOST_MISSES]),
        ),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Task:
    """One layer to solve."""

    spec: LayerSpec
    lift: Lift
    seed: int
    tolerance: float


def _solve_layer(
    index: int, layer: Affine, task: _Task, threads: int, solved: "_Counter"
) -> tuple[Bool[np.ndarray, "outtap live"], list[Miss]]:
    """One subset-sum problem per coefficient: the mask of the mixing layer, and the coefficients out of reach."""
    spec = task.spec
    mask = np.zeros((spec.outputs * spec.taps, spec.lift.live), np.bool_)
    misses: list[Miss] = []
    blocks = _blocks(layer, spec, task.lift)
    for block, found, seconds in _in_order(lambda block: _solve_block(block, task), blocks, threads):
        kept = found.kept.reshape(*block.targets.shape, -1)  # (slot, outtap, n)
        mask[:, block.members.reshape(-1)] = kept.transpose(1, 0, 2).reshape(len(mask), -1)
        for at in np.flatnonzero(found.codes != _WITHIN):
            row, output = divmod(int(at), len(mask))
            error = float(found.error[at]) * block.gain
            misses.append(Miss(index, output // spec.taps, int(block.inputs[row]), block.half, error))
        solved.add(len(found), seconds)
    return mask, misses


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """The coefficients of some slots of one kind."""

    half: str  # "positive", "negative", "bias"
    inputs: Int64[np.ndarray, " slot"]  # −1 for the constant
    members: Int64[np.ndarray, "slot n"]
    targets: Float64[np.ndarray, "slot outtap"]  # what each subset must sum to, before the gain
    gain: float


def _blocks(layer: Affine, spec: LayerSpec, lift: Lift) -> Iterator[_Block]:
    """All coefficients of a layer: positive halves, negative halves, bias."""
    signed = spec.lift.signed_inputs
    slot_input = np.concatenate([np.arange(spec.lift.inputs), signed])
    flat = np.moveaxis(layer.weight, 1, 0).reshape(spec.lift.inputs, -1)
    for slots, members in slot_blocks(spec, lift):
        inputs = slot_input[slots]
        negative = np.arange(slots.start, slots.start + len(inputs)) >= spec.lift.inputs
        for half, chosen, sign in (("positive", ~negative, 1.0), ("negative", negative, -1.0)):
            if chosen.any():
                yield _Block(half, inputs[chosen], members[chosen], sign * flat[inputs[chosen]], spec.gain)
    if layer.bias is not None:
        bias = np.zeros((spec.outputs, spec.taps))
        bias[:, 0] = layer.bias
        yield _Block("bias", np.array([-1]), lift.constant_members[None], bias.reshape(1, -1), spec.bias_gain)


def _solve_block(block: _Block, task: _Task) -> tuple[_Block, SubsetSums, float]:
    """Answers for the rows (slot, outtap) of a block, and the seconds the solver took."""
    candidates = products(task.spec, task.lift, task.seed, block.members)  # (slot, n, outtap)
    rows = np.ascontiguousarray(candidates.transpose(0, 2, 1)).reshape(-1, block.members.shape[1])
    start = time.perf_counter()
    found = first_batch(rows, block.targets.reshape(-1) / block.gain, tol=task.tolerance / block.gain)
    return block, found, time.perf_counter() - start


_Answer = tuple[_Block, SubsetSums, float]


def _in_order(work: Callable[[_Block], _Answer], blocks: Iterator[_Block], threads: int) -> Iterator[_Answer]:
    """Answers in the order of the blocks, whatever the number of threads."""
    if threads == 1:
        return map(work, blocks)
    from joblib import Parallel, delayed

    pool = Parallel(threads, backend="threading", return_as="generator")
    return cast(Iterator[_Answer], pool(delayed(work)(block) for block in blocks))


_WITHIN = list(Status).index(Status.WITHIN_TOL)


class _Counter:
    """How many of all problems are solved, and the time that took; tells `progress`."""

    def __init__(self, progress: Progress | None, problems: int) -> None:
        self.progress, self.problems, self.done, self.seconds = progress, problems, 0, 0.0

    def add(self, count: int, seconds: float) -> None:
        self.done += count
        self.seconds += seconds
        if self.progress is not None:
            self.progress(self.done, self.problems)


def check_target(target: Sequence[Affine]) -> None:
    """Refuse what is no ReLU network of finite weights whose shapes chain."""
    if not target:
        raise InputError("the target has no layers; expected at least one weight matrix")
    before = target[0].weight.shape[1]
    for i, layer in enumerate(target):
        outputs, inputs, _ = layer.weight.shape
        if inputs != before:
            raise InputError(f"the layers do not chain: layer {i} takes {inputs} inputs, the one before gives {before}")
        if layer.bias is not None and layer.bias.shape != (outputs,):
            raise InputError(f"layer {i} has {outputs} outputs, but a bias of shape {layer.bias.shape}")
        if not outputs or not inputs:
            raise InputError(f"layer {i} is empty: {outputs} outputs, {inputs} inputs")
        parts = [layer.weight] if layer.bias is None else [layer.weight, layer.bias]
        for part in parts:
            if not np.isfinite(part).all():
                raise InputError(f"layer {i} holds NaN or infinite weights; train the target again, or clean it")
            if not 2.0**-100 < np.abs(part).max(initial=0.0) < 2.0**100 and part.any():
                raise InputError(f"layer {i} holds no weight between 2**-100 and 2**100, or larger ones; rescale it")
        before = outputs
