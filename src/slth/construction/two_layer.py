"""A trained ReLU network becomes a pruned random network: two random layers for each target layer.

Pensia, Rajput, Nagle, Vishwakarma and Papailiopoulos (2020), with biases and signed inputs. A lift makes n positive
copies u x⁺ of every input (and n copies |u| x⁻ where it can be negative), a mixing layer v reads them, and pruning
keeps

    P = g Σ m v u ≈ W     on x⁺        N = g Σ m v |u| ≈ −W     on x⁻        b̂ = g_b Σ m v β ≈ b,

one random subset-sum problem per coefficient, all independent. Written x = x⁺ − x⁻, the layer then computes
P x⁺ + N x⁻ + b̂ ≈ W x + b.

The random network is fixed by the seed before any weight is looked at. A coefficient that no subset of its candidates
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
from slth.numerics import check_seed
from slth.subsetsum import Status, SubsetSums, first_batch
from slth.ticket import (
    MOST_CANDIDATES,
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
class Plan:
    """What is asked of a construction; everything that fixes the random network, and nothing else."""

    tolerance: float = 1e-4  # τ, largest error of one coefficient, in the unit of the target's weights
    candidates: int | None = None  # n per coefficient and half; None: `default_candidates`
    seed: int = 0

    def __post_init__(self) -> None:
        check_seed(self.seed)
        _ = self.asked

    @property
    def asked(self) -> Asked:
        """The same for the ticket's provenance; refuses what cannot be."""
        return Asked(tolerance=self.tolerance, candidates=self.candidates)


def gain(coefficients: Float64[np.ndarray, "..."]) -> float:
    """g, the smallest power of two that is at least 1.5 max|w|; 1 for zeros.

    >>> gain(np.array([0.32, -0.1])), gain(np.array([0.0]))
    (0.5, 1.0)
    """
    largest = 1.5 * float(np.max(np.abs(coefficients), initial=0.0))
    if largest == 0.0:
        return 1.0
    mantissa, exponent = math.frexp(largest)
    return math.ldexp(1.0, exponent - 1 if mantissa == 0.5 else exponent)


def default_candidates(tolerance: float, gain: float) -> int:
    """n from measurements on a trained 784-500-10 network: about 1 % chance of any miss, plus three.

    29 candidates at tolerance 0.01 and gain 1; one more per halving of the tolerance, one per doubling of the gain.
    """
    return min(max(math.ceil(32 + math.log2(0.01 * gain / tolerance)), 16), MOST_CANDIDATES)


def construct(
    target: Sequence[Affine],
    plan: Plan,
    *,
    domain: Domain,
    names: Sequence[tuple[str, str | None]] | None = None,
    threads: int = 1,
    progress: Progress | None = None,
) -> Ticket:
    """Prune the random network of `plan.seed` until it computes the target; the ticket with its certificate.

    Args:
        target: the layers of f(x) = W_L σ(... σ(W_1 x + b_1) ...) + b_L, σ = ReLU, taps = 1, finite.
        domain: the inputs the ticket is for; they decide which halves exist and what the certificate bounds.
        names: the target's tensor names per layer, (weight, bias or None); default "0.weight", "0.bias", ...
        threads: workers; the ticket has the same bytes for any number of them.

    Cost: one subset-sum problem per coefficient and half, a few microseconds each; memory of one layer.

    Raises:
        InputError: shapes that do not chain, weights that are not finite, an impossible plan.
    """
    _check(target)
    specs = [_layer_spec(i, layer, plan, domain) for i, layer in enumerate(target)]
    solved = _Counter(progress, sum(spec.outputs * spec.taps * spec.lift.slots for spec in specs))
    layers, masks, realised, misses = [], [], [], []
    for i, (layer, spec) in enumerate(zip(target, specs, strict=True)):
        lift = scan(spec.lift, plan.seed, spec.path)
        spec = replace(spec, neurons=lift.neurons)
        mask, missed = _solve_layer(i, layer, spec, lift, plan, threads, solved)
        layers.append(spec)
        masks.append(pack(mask))
        realised.append(realise(spec, lift, plan.seed, mask))
        misses += missed
    _log.info("solved %s subset-sum problems in %.2f s on %s threads", f"{solved.done:,}", solved.seconds, threads)
    tolerances = [plan.tolerance] * len(layers)
    certificate = certify(target, realised, tolerances=tolerances, box=domain.box(layers[0].lift.inputs))
    if names is None:
        names = [(f"{2 * i}.weight", None if layer.bias is None else f"{2 * i}.bias") for i, layer in enumerate(target)]
    return Ticket(
        seed=plan.seed,
        network="relu_mlp",
        domain=domain,
        layers=tuple(layers),
        masks=tuple(masks),
        heads=tuple(head_digest(tensor, plan.seed) for layer in layers for tensor in layer.tensors),
        digests=tuple(realised_digest(part) for part in realised),
        certificate=certificate,
        provenance=Provenance(
            version=__version__,
            method=METHOD,
            asked=plan.asked,
            attempts=1,
            target=target_digest(target),
            names=tuple(names),
            misses=tuple(misses[:MOST_MISSES]),
        ),
    )


def _layer_spec(index: int, layer: Affine, plan: Plan, domain: Domain) -> LayerSpec:
    """The layout of a layer's source; `neurons` is known after the scan."""
    outputs, inputs, taps = layer.weight.shape
    signed = domain.signed(inputs) if index == 0 else np.zeros(inputs, np.bool_)
    gains = gain(layer.weight), 1.0 if layer.bias is None else gain(layer.bias)
    wanted = [plan.candidates or default_candidates(plan.tolerance, g) for g in gains]
    lift = LiftSpec(
        inputs=inputs,
        candidates=wanted[0],
        constants=0 if layer.bias is None else wanted[1],
        signed=signed_ranges(signed),
    )
    return LayerSpec(f"layers/{index}", outputs, taps, lift, lift.live, *gains)


def _solve_layer(
    index: int, layer: Affine, spec: LayerSpec, lift: Lift, plan: Plan, threads: int, solved: "_Counter"
) -> tuple[Bool[np.ndarray, "outtap live"], list[Miss]]:
    """One subset-sum problem per coefficient: the mask of the mixing layer, and the coefficients out of reach."""
    mask = np.zeros((spec.outputs * spec.taps, spec.lift.live), np.bool_)
    misses: list[Miss] = []
    for block, found, seconds in _in_order(
        lambda block: _solve_block(block, spec, lift, plan), _blocks(layer, spec, lift), threads
    ):
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


def _solve_block(block: _Block, spec: LayerSpec, lift: Lift, plan: Plan) -> tuple[_Block, SubsetSums, float]:
    """Answers for the rows (slot, outtap) of a block, and the seconds the solver took."""
    candidates = products(spec, lift, plan.seed, block.members)  # (slot, n, outtap)
    rows = np.ascontiguousarray(candidates.transpose(0, 2, 1)).reshape(-1, block.members.shape[1])
    start = time.perf_counter()
    found = first_batch(rows, block.targets.reshape(-1) / block.gain, tol=plan.tolerance / block.gain)
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


def _check(target: Sequence[Affine]) -> None:
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
            if np.abs(part).max(initial=0.0) > 2.0**100:
                raise InputError(f"layer {i} holds weights above 2**100; rescale the target")
        before = outputs
