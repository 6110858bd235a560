"""One number near the weight, or a sum of some: 1/epsilon against log(1/epsilon) random numbers.

First, numbers drawn one after another until one of them, or some subset of them, is within epsilon of a target. Then
what `slth.construct` takes for one dense map, 784 inputs that are never negative, Gaussian weights of deviation 0.05,
at most 1 % chance of a miss: single products (Malach et al., 2020), counts of signs (Diffenderfer and Kailkhura, 2021)
and subset sums. Rows of the map are left out where a mask would be too large.
"""

import math
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from slth.numerics import Stream, draw
from slth.reproductions._figure import Figure, Panel, Series
from slth.reproductions._reproduction import Conclusion, Means, Measured, Part, Reproduction, Row, Scale, Verdict
from slth.reproductions._shares import slope
from slth.subsetsum import Status, first_batch, laws, single_batch

_EPSILONS = (0.1, 0.03, 0.01, 0.003, 0.001)
_DRAWS = {Scale.SMOKE: 500, Scale.SMALL: 5_000}
_MOST = 40  # values of a sum
_GADGETS = ("two-layer", "plain", "counts", "single", "single-plain")
_TOLERANCES = {Scale.SMOKE: (0.05, 0.01), Scale.SMALL: (0.05, 0.02, 0.01, 0.005, 0.002, 0.001)}
_BITS = {Scale.SMOKE: 2e6, Scale.SMALL: 2e8}  # of a mask
_INPUTS, _ROWS, _DEVIATION = 784, 500, 0.05


def _numbers(means: Means, *, epsilon: float, draws: int, seed: int) -> dict[str, Any]:
    """Mean numbers drawn until one, or a sum of some, is within epsilon of a target uniform on [-1, 1]."""
    targets = laws.candidates(laws.Uniform(), (draws,), seed=seed, path=f"one/{epsilon}/target")
    single = _until_one(targets, epsilon, seed)
    rows = laws.candidates(laws.Uniform(), (draws, _MOST), seed=seed, path=f"one/{epsilon}/sums")
    taken, left = np.zeros(draws), np.arange(draws)
    for n in range(1, _MOST + 1):
        found = first_batch(rows[left, :n], targets[left], tol=epsilon, threads=means.threads)
        missed = found.codes != tuple(Status).index(Status.WITHIN_TOL)
        taken[left[~missed]] = n
        left = left[missed]
        if not len(left):
            break
    taken[left] = _MOST
    return {
        "single": float(single.mean()),
        "sum": float(taken.mean()),
        "single_deviation": float(single.std() / math.sqrt(draws)),
        "sum_deviation": float(taken.std() / math.sqrt(draws)),
    }


def _until_one(targets: np.ndarray, epsilon: float, seed: int) -> np.ndarray:
    """The place of the first number within epsilon of each target."""
    taken, left, round_of, width = np.zeros(len(targets)), np.arange(len(targets)), 0, math.ceil(2 / epsilon)
    while len(left):
        rows = laws.candidates(laws.Uniform(), (len(left), width), seed=seed, path=f"one/{epsilon}/{round_of}")
        # shifted by 2, so that keeping nothing is never near enough
        index = single_batch(rows + 2, targets[left] + 2, tol=epsilon).index
        error = np.abs(rows[np.arange(len(left)), index] - targets[left])
        hit = (index >= 0) & (error <= epsilon)
        taken[left[hit]] = round_of * width + index[hit] + 1
        left, round_of = left[~hit], round_of + 1
    return taken


def _gadget(means: Means, *, gadget: str, tolerance: float, bits: float, seed: int) -> dict[str, Any]:
    """Candidates of a weight, source entries, kept candidates, bits of the file, misses."""
    from torch import from_numpy, nn

    from slth import api

    def network(rows: np.ndarray) -> nn.Module:
        layer = nn.Linear(_INPUTS, len(rows), bias=False)
        layer.weight.data = from_numpy(rows)
        return layer

    weights = _DEVIATION * draw(Stream(seed, "one/weights"), "normal", (_ROWS, _INPUTS))
    whole = api.plan(network(weights), gadget=gadget, tolerance=tolerance, input_range=(0, 1)).maps[0]
    part = weights[: min(_ROWS, max(8, int(bits / _INPUTS / whole.candidates)))]
    ticket = api.construct(
        network(part),
        gadget=gadget,
        tolerance=tolerance,
        input_range=(0, 1),
        candidates=whole.candidates,
        threads=1,
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.slth"
        api.save(ticket, path)
        size = path.stat().st_size
    _, counts = np.unique(np.rint(part / (2 * tolerance)), return_counts=True)
    share = counts / counts.sum()
    return {
        "candidates": whole.candidates,
        "source": whole.source_parameters / weights.size,
        "kept": ticket.candidates_kept / part.size,
        "bits": 8 * size / part.size,
        "quantised": float(-(share * np.log2(share)).sum()),
        "misses": ticket.misses,
        "weights": part.size,
    }


def _parts(scale: Scale, seed: int) -> Sequence[Part]:
    if scale is Scale.PAPER:
        return []
    numbers = [
        Part(f"epsilon = {epsilon:g}", _numbers, {"epsilon": epsilon, "draws": _DRAWS[scale], "seed": seed})
        for epsilon in _EPSILONS
    ]
    return numbers + [
        Part(
            f"{gadget}, {tolerance:g}",
            _gadget,
            {"gadget": gadget, "tolerance": tolerance, "bits": _BITS[scale], "seed": seed},
        )
        for tolerance in _TOLERANCES[scale]
        for gadget in _GADGETS
    ]


def _conclude(measured: Sequence[Measured], scale: Scale) -> Conclusion:
    numbers = [part for part in measured if "epsilon" in part.options]
    epsilons = [part.options["epsilon"] for part in numbers]
    single, sums = ([part.outcome[key] for part in numbers] for key in ("single", "sum"))
    bits = [math.log2(1 / epsilon) for epsilon in epsilons]
    power, more = slope(bits, [math.log2(n) for n in single]), slope(bits, sums)
    late = slope(bits[2:], sums[2:]) / slope(bits[:3], sums[:3])
    fits = abs(power - 1) < 0.1 and 0.7 < late < 1.3
    verdict = Verdict.REPRODUCED if fits else Verdict.NOT_REPRODUCED
    rows = [
        Row(what="one number: power of 1/epsilon", published=1.0, ours=power),
        Row(what="sums: more numbers for half the error", ours=more, note="constant if n grows like log(1/epsilon)"),
        Row(what="the same, smaller half of the errors over the larger", ours=late),
    ]
    rows += [
        Row(
            what=f"epsilon = {part.options['epsilon']:g}: numbers until one is near",
            published=1 / part.options["epsilon"],
            ours=part.outcome["single"],
            note=f"± {part.outcome['single_deviation']:.2g}; of sums {part.outcome['sum']:.2f}",
        )
        for part in numbers
    ]
    gadgets = [part for part in measured if "gadget" in part.options]
    rows += [
        Row(
            what=f"{part.options['gadget']} at {part.options['tolerance']:g}: n",
            ours=float(part.outcome["candidates"]),
            note=f"source {part.outcome['source']:,.0f}, kept {part.outcome['kept']:.2f}, {part.outcome['bits']:.2f} "
            f"bits a weight (quantised {part.outcome['quantised']:.2f}), {part.outcome['misses']} of "
            f"{part.outcome['weights']:,} missed",
        )
        for part in gadgets
    ]
    inverse = [1 / epsilon for epsilon in epsilons]
    return Conclusion(
        verdict=verdict,
        because=f"One number near the target takes {single[0]:.0f} draws at epsilon = {epsilons[0]:g} and "
        f"{single[-1]:,.0f} at {epsilons[-1]:g} (power {power:.2f} of 1/epsilon); a sum takes {sums[0]:.1f} and "
        f"{sums[-1]:.1f}, {more:.2f} more for half the error.",
        rows=tuple(rows),
        figures=(
            Figure(
                title="Random numbers for one weight against the tolerance",
                panels=(
                    Panel(
                        title="numbers drawn until it is done, mean",
                        x="1 / epsilon",
                        y="numbers",
                        content=(
                            Series(label="one number near the target", x=tuple(inverse), y=tuple(single)),
                            Series(label="a sum of some of them", x=tuple(inverse), y=tuple(sums)),
                            Series(label="1 / epsilon", x=tuple(inverse), y=tuple(inverse), kind="estimate"),
                            Series(label="log2(1 / epsilon)", x=tuple(inverse), y=tuple(bits), kind="estimate"),
                        ),
                        log_x=True,
                        log_y=True,
                    ),
                    Panel(
                        title="one dense map, 1 % chance of a miss",
                        x="1 / epsilon",
                        y="candidates of a weight",
                        content=tuple(
                            Series(
                                label=gadget,
                                x=tuple(1 / p.options["tolerance"] for p in gadgets if p.options["gadget"] == gadget),
                                y=tuple(p.outcome["candidates"] for p in gadgets if p.options["gadget"] == gadget),
                            )
                            for gadget in _GADGETS
                        ),
                        log_x=True,
                        log_y=True,
                    ),
                ),
            ),
        ),
    )


REPRODUCTION = Reproduction(
    name="one-number",
    title="one number near the weight against a sum of some",
    says="To approximate an edge within epsilon, sampling weights until one of them is near takes roughly 1/epsilon "
    "samples; a random subset sum takes C log(1/epsilon).",
    sources=("pensia2020", "malach2020", "lueker1998", "diffenderfer2021"),
    settings="numbers and target uniform on [-1, 1]; means over draws. Reproduced where the numbers for one near the "
    "target grow like 1/epsilon to a power within 0.1 of 1, and those for a sum by a constant for half the error (the "
    "smaller half of the errors within 30 % of the larger). Then planned and constructed: one dense map of Gaussian "
    f"weights of deviation {_DEVIATION}, {_INPUTS} inputs in [0, 1], {_ROWS} outputs; fewer where masks grow too "
    "large. Quantised: a uniform quantiser of step 2 epsilon with an entropy coder. Bits are those of the file, which "
    "holds masks that would be more than 2,048 times as long as their code in plain bits.",
    parts=_parts,
    conclude=_conclude,
)
