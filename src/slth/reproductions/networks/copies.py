r"""One layer more instead of twice as many: copies of every neuron (Burkholz, 2022).

L: layers of the target. Every neuron stands there ρ times, and a weight is a subset sum of the ρ numbers that read its
copies; only the first layer needs two. ρ candidates a weight, and ρ² numbers for each weight between two layers.
"""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from slth.api import construct, evaluate, plan
from slth.numerics import Stream, uniform
from slth.reproductions._figure import Figure, Panel, Series
from slth.reproductions._reproduction import (
    Conclusion,
    Means,
    Measured,
    Part,
    Reproduction,
    Row,
    Scale,
    Verdict,
)
from slth.reproductions.networks._targets import trained, trained_file
from slth.subsetsum import smallest_batch
from slth.theory import bound

_TOLERANCE, _COPIES, _MOST = 0.01, 15, 10
_COUNTS = (9, 12, 15, 20, 30)
_GADGETS = {"copies": "copies", "two-layer": "two layers for one"}
_REDRAWN, _CHANGED = 0.1, 0.005


def _hidden(data: str) -> tuple[int, ...]:
    return (50,) if data == "mnist" else (64,)


def _drawn(means: Means, *, data: str, n: int, seed: int) -> dict[str, Any]:
    """The authors' rule: ρ numbers a weight, the smallest subset of at most ten, new numbers where there is none.

    First layer: products u v, u uniform on [0, 2], the half of 2ρ with a positive sign. Weights up to τ are dropped.
    """
    target = trained(means, data, hidden=_hidden(data), epochs=10, seed=seed, bias=True)
    redrawn, missed, sizes, count = 0, 0, 0, 0
    for i, affine in enumerate(target.coefficients.values()):
        left = affine.weight.reshape(-1)
        left = left[np.abs(left) > _TOLERANCE]
        count += len(left)
        for attempt in range(50):
            v = uniform(Stream(seed, f"copies/{n}/{i}/{attempt}"), (len(left), n)).astype(np.float64)
            if i == 0:
                u = uniform(Stream(seed, f"copies/{n}/u/{attempt}"), (len(left), n)).astype(np.float64)
                v *= u + 1
            found = smallest_batch(v, left, tol=_TOLERANCE, threads=means.threads)
            kept = found.kept.sum(axis=1)
            out = (found.error > _TOLERANCE) | (kept > _MOST)
            sizes += int(kept[~out].sum())
            left = left[out]
            missed += len(left) if attempt == 0 else 0
            redrawn += len(left)
            if not len(left):
                break
    return {"count": count, "missed": missed / count, "redrawn": redrawn / count, "size": sizes / count}


def _ticket(means: Means, *, data: str, gadget: str, seed: int) -> dict[str, Any]:
    """A planned ticket, the fewest numbers for each weight."""
    target = trained_file(means, data, hidden=_hidden(data), epochs=10, seed=seed, bias=True)
    start = time.process_time()
    ticket: Any = construct(
        target,
        gadget=gadget,
        objective="fewest",
        tolerance=_TOLERANCE,
        seed=seed,
        threads=means.threads,
        data=data,
        data_dir=means.data_dir,
    )
    seconds = time.process_time() - start
    found = evaluate(ticket, data, data_dir=means.data_dir, target=target)
    assert found.accuracy is not None
    assert found.target_accuracy is not None
    weights = ticket.target_parameters
    return {
        "layers": sum(tensor.path.endswith(("/lift", "/mixing")) for tensor in ticket.tensors),
        "candidates": max(part.candidates for part in ticket.gadgets.values()),
        "source": ticket.size / weights,
        "bits": ticket.mask_bits / weights,
        "kept": ticket.candidates_kept / weights,
        "misses": ticket.misses,
        "certified": ticket.claims.sup_error,
        "measured": found.measured_error,
        "accuracy": found.accuracy.value,
        "target": found.target_accuracy.value,
        "seconds": seconds,
    }


def _sizes(means: Means, *, data: str, seed: int) -> dict[str, Any]:
    """Entries of the source for each weight, over ρ, by the plan."""
    target = trained_file(means, data, hidden=_hidden(data), epochs=10, seed=seed, bias=True)
    sizes: dict[str, list[float]] = {}
    for gadget in _GADGETS:
        found = [
            plan(target, gadget=gadget, candidates=n, tolerance=_TOLERANCE, input_range=(0, 1), threads=1)
            for n in _COUNTS
        ]
        sizes[gadget] = [one.source_parameters / one.weights for one in found]
    return sizes


def _parts(scale: Scale, seed: int) -> Sequence[Part]:
    if scale is Scale.PAPER:  # its convolutional networks and numbers are not recorded here
        return []
    options = {"data": "digits" if scale is Scale.SMOKE else "mnist", "seed": seed}
    return [
        *(Part(f"drawn, {n} copies", _drawn, {"n": n, **options}) for n in _COUNTS),
        *(Part(f"ticket, {name}", _ticket, {"gadget": gadget, **options}) for gadget, name in _GADGETS.items()),
        Part("sizes", _sizes, options),
    ]


def judge(ticket: dict[str, Any], layers: int, missed: float) -> tuple[Verdict, str]:
    """The verdict, of a ticket of copies, the target's layers, and the share of problems drawn again at ρ = 15."""
    changed = ticket["accuracy"] - ticket["target"]
    said = (
        f"The ticket has {ticket['layers']} random layers for {layers}, {ticket['misses']} misses and {changed:+.2%} "
        f"of accuracy; with {_COPIES} copies {missed:.2%} of the problems are drawn again."
    )
    if ticket["layers"] != layers + 1 or ticket["misses"] or abs(changed) > _CHANGED:
        return Verdict.NOT_REPRODUCED, said
    return (Verdict.REPRODUCED if missed <= _REDRAWN else Verdict.IN_SHAPE), said


def _conclude(measured: Sequence[Measured], scale: Scale) -> Conclusion:
    drawn = {part.options["n"]: part.outcome for part in measured if part.name.startswith("drawn")}
    tickets = {part.options["gadget"]: part.outcome for part in measured if part.name.startswith("ticket")}
    sizes = measured[-1].outcome
    verdict, because = judge(dict(tickets["copies"]), 2, drawn[_COPIES]["missed"])
    if scale is Scale.SMOKE:
        verdict, because = Verdict.TOO_SMALL, f"On the digits, 360 test images: {because[0].lower()}{because[1:]}"
    rows = [
        Row(
            what=f"{n} copies: problems drawn again, share",
            ours=outcome["missed"],
            note=f"{outcome['redrawn']:.2g} draws more a problem; {outcome['size']:.1f} numbers a weight",
        )
        for n, outcome in drawn.items()
    ]
    for gadget, one in tickets.items():
        name = _GADGETS[gadget]
        rows += [
            Row(what=f"{name}: random layers", ours=float(one["layers"]), published=3.0 if gadget == "copies" else 4.0),
            Row(
                what=f"{name}: source over target",
                ours=one["source"],
                note=f"{one['candidates']} candidates, {one['bits']:,.0f} mask bits and {one['kept']:.1f} kept a "
                f"weight, {one['misses']} misses, {one['seconds']:.1f} s of a processor",
            ),
            Row(
                what=f"{name}: accuracy",
                ours=one["accuracy"],
                note=f"target {one['target']:.4f}; error certified {one['certified']:.3g}, seen {one['measured']:.3g}",
            ),
        ]
    count = drawn[_COPIES]["count"]
    rows.append(
        Row(
            what="copies that suffice for every target at once, C fitted",
            ours=float(bound("burkholz", tolerance=_TOLERANCE, weights=count, delta=0.01).value),
            note=f"burkholz, {count:,} weights above {_TOLERANCE:g}, chance of failure 0.01",
        )
    )
    n = tuple(float(at) for at in drawn)
    shares = tuple(max(outcome["missed"], 0.5 / outcome["count"]) for outcome in drawn.values())
    share = Series(label="no subset of at most ten within 0.01", x=n, y=shares)
    panels = (
        Panel(
            title="at first, of all weights; none is drawn at half a weight",
            x="copies ρ",
            y="share of the weights",
            content=(share,),
            log_y=True,
        ),
        Panel(
            title="random network over target",
            x="copies or candidates ρ",
            y="parameters for each of the target",
            content=tuple(Series(label=name, x=n, y=tuple(sizes[gadget])) for gadget, name in _GADGETS.items()),
            log_y=True,
        ),
    )
    figure = Figure(title="Copies of neurons: problems without a subset, and the size of the source", panels=panels)
    return Conclusion(verdict=verdict, because=because, rows=tuple(rows), figures=(figure,))


REPRODUCTION = Reproduction(
    name="copies",
    title="tickets in random networks of one layer more",
    says="A target of L layers has tickets in random networks of L + 1 layers, whose neurons stand there in copies: "
    "15 of each, 30 in the first layer, at a tolerance of 0.01 for every weight, with new numbers where none fit.",
    sources=("burkholz2022dense", "pensia2020"),
    place="experiments",
    settings="numbers of the paper's experiments are not recorded here, only their settings: U[-1, 1], in the first "
    "layer u of U[-2, 2], of which half is positive: 15 of its 30; the smallest subset of at most ten, weights up to "
    "0.01 dropped, each with numbers of its own. Targets with biases trained for 10 epochs: smoke 64-64-10 on the "
    "digits, small 784-50-10 on MNIST. Beside the rule of the paper whole tickets with planned widths, by copies and "
    "by two layers for one. Reproduced where the ticket of copies has three random layers for two, no miss and an "
    f"accuracy within {_CHANGED:.1%}, and with {_COPIES} copies at most {_REDRAWN:.0%} of the problems are drawn "
    "again; in shape without the last.",
    parts=_parts,
    conclude=_conclude,
    data={Scale.SMALL: ("mnist",)},
)
