r"""Pruned random attentions: error against head size, tokens and blocks (Otsuka et al., 2026, angular velocities).

n: head size of the source, n_K = n_V; d = 2 inputs, so n / d products of two numbers U[-1, 1] for each entry of the
merged projections M = W_Kᵀ W_Q and U = W_O W_V, as in the proof of Lemma 7; and tickets, whose n counts neurons that
serve nothing, too. Subsets are the closest that exist. Errors: the largest difference of any output.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from slth.api import use_threads
from slth.construction import Request, construct
from slth.graph import Target, evaluate, with_merged
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
from slth.reproductions._shares import slope
from slth.subsetsum import closest_batch
from slth.theory import bound
from slth.ticket import Inputs

_WIDTHS = (10, 14, 18, 22, 26, 30, 36, 42, 50, 60, 70, 80)
_LENGTHS = tuple(2**k for k in range(3, 14))
_QUERIES = 64  # of a long sequence that are looked at
_FACTOR, _RATE, _SLACK = 0.8, 0.06, 1.5  # the published fit; a band around it
_RATES = (0.04, 0.09)


def single_head(target: Target) -> tuple[np.ndarray, np.ndarray]:
    """M with the scale of the logits in it, and U."""
    from slth.reproductions.networks._angular import HEAD

    merged = with_merged(target)
    first, second = (merged.coefficients[path].weight[:, :, 0] for path in merged.graph.maps)
    return first * HEAD**-0.5, second


def attend(m: np.ndarray, u: np.ndarray, x: np.ndarray, queries: int | None = None) -> np.ndarray:
    """softmax(x Mᵀ xᵀ) x Uᵀ of sequences (count, T, d), at the first queries, and at the last."""
    asked = x if queries is None or queries >= x.shape[1] else np.concatenate([x[:, : queries - 1], x[:, -1:]], axis=1)
    logits = asked @ m.T @ x.swapaxes(1, 2)
    weights = np.exp(logits - logits.max(axis=2, keepdims=True))
    return (weights / weights.sum(axis=2, keepdims=True)) @ x @ u.T


def lemma_7(matrix: np.ndarray, n: int, sources: int, rng: np.random.Generator) -> np.ndarray:
    """Closest subsets of block-structured products, (source, row, column): n // d candidates of an entry."""
    rows, inputs = matrix.shape
    own = n // inputs
    u, v = rng.uniform(-1, 1, (sources, 1, inputs, own)), rng.uniform(-1, 1, (sources, rows, inputs, own))
    gain = 2.0 ** math.ceil(math.log2(np.abs(matrix).max()))
    products = np.ldexp(np.rint(np.ldexp(gain * u * v, 46)), -46)
    wanted = np.broadcast_to(np.ldexp(np.rint(np.ldexp(matrix, 46)), -46), (sources, rows, inputs))
    found = closest_batch(products.reshape(-1, own), wanted.reshape(-1))
    return (products.reshape(-1, own) * found.kept).sum(axis=1).reshape(sources, rows, inputs)


def _head(means: Means, *, widths: Sequence[int], sources: int, seed: int) -> dict[str, Any]:
    """One attention, the blocks of Lemma 7: mean, median and largest error over sources."""
    use_threads(means.threads)
    from slth.reproductions.networks._angular import angular, trained

    m, u = single_head(trained(0, seed=seed))
    rng = np.random.default_rng(seed)
    x, _ = angular(64, 64, np.random.default_rng(seed + 1))
    wanted, rows = attend(m, u, x), []
    for n in widths:
        pairs = zip(lemma_7(m, n, sources, rng), lemma_7(u, n, sources, rng), strict=True)
        errors = [np.abs(attend(a, b, x) - wanted).max() for a, b in pairs]
        rows.append({"n": n, **_summary(errors)})
    return {"rows": rows}


def _tickets(means: Means, *, blocks: int, candidates: Sequence[int], seeds: int, seed: int) -> dict[str, Any]:
    """Tickets of an attention, or of a transformer of blocks; n is that of the widest head."""
    use_threads(means.threads)
    from slth.reproductions.networks._angular import angular, trained

    target = trained(blocks, seed=seed)
    x, _ = angular(64, 64, np.random.default_rng(seed + 1))
    theirs, rows = evaluate(target.graph, target.coefficients, x, {}), []
    inputs = Inputs(target.input_shape, lower=(-1.0,), upper=(1.0,))
    for count in candidates:
        widths, errors = [], []
        for draw in range(seeds):
            asked = Request(gadget="merged", objective="closest", candidates=count, seed=seed * seeds + draw)
            ticket: Any = construct(target, asked, inputs=inputs, threads=means.threads)
            parts = {path: ticket.realised(path) for path in ticket.maps}
            errors.append(np.abs(evaluate(ticket.network, parts, x, ticket.carried) - theirs).max())
            widths.append(max(ticket.gadgets[path].neurons for path in ticket.merged))
        rows.append({"n": float(np.mean(widths)), **_summary(errors)})
    return {"rows": rows}


def _lengths(means: Means, *, n: int, sources: int, lengths: Sequence[int], seed: int) -> dict[str, Any]:
    """Mean error for every length, and the mean of bounds in which no length stands; how many sources exceed theirs.

    Tokens lie in the unit ball, so logits move apart by at most osc = 2 ‖ΔM‖ and values are 2 ‖U‖ apart:
    ‖Δ‖ ≤ tanh(osc/4) · 2 ‖U‖ + ‖ΔU‖.
    """
    use_threads(means.threads)
    from slth.reproductions.networks._angular import angular, trained

    m, u = single_head(trained(0, seed=seed))
    rng = np.random.default_rng(seed + 2)
    found = list(zip(lemma_7(m, n, sources, rng), lemma_7(u, n, sources, rng), strict=True))
    moved = [(np.linalg.norm(a - m, 2), np.linalg.norm(b - u, 2)) for a, b in found]
    bounds = np.array([np.tanh(of_m / 2) * 2 * np.linalg.norm(u, 2) + of_u for of_m, of_u in moved])
    errors, exceeded = [], 0
    for length in lengths:
        x, _ = angular(8, length, np.random.default_rng(seed + 3))
        wanted = attend(m, u, x, _QUERIES)
        each = np.array([np.abs(attend(a, b, x, _QUERIES) - wanted).max() for a, b in found])
        exceeded += int((each > bounds).sum())
        errors.append(float(each.mean()))
    return {"errors": errors, "bound": float(bounds.mean()), "exceeded": exceeded}


def _summary(errors: Sequence[float]) -> dict[str, float]:
    return {"mean": float(np.mean(errors)), "median": float(np.median(errors)), "largest": float(np.max(errors))}


def _parts(scale: Scale, seed: int) -> Sequence[Part]:
    if scale is Scale.PAPER:  # small has its sources and lengths; its solver's limits are not said
        return []
    smoke = scale is Scale.SMOKE
    sources, lengths = (20, _LENGTHS[:7]) if smoke else (100, _LENGTHS)
    widths = _WIDTHS[:8:2] if smoke else _WIDTHS
    single, many = ((5, 11, 17), (6, 12)) if smoke else ((5, 8, 11, 14, 17, 20, 24, 28), (6, 9, 12, 15, 18, 21))
    depths = (1, 2) if smoke else (1, 2, 3, 4)
    parts = [Part("Lemma 7", _head, {"widths": widths, "sources": sources, "seed": seed})]
    tickets = {"blocks": 0, "candidates": single, "seeds": 3 if smoke else 20, "seed": seed}
    parts.append(Part("tickets", _tickets, tickets))
    parts += [
        Part(f"tokens, n = {n}", _lengths, {"n": n, "sources": 20, "lengths": lengths, "seed": seed}) for n in (20, 30)
    ]
    return parts + [
        Part(f"B = {b}", _tickets, {"blocks": b, "candidates": many, "seeds": 3 if smoke else 5, "seed": seed})
        for b in depths
    ]


def rate(rows: Sequence[dict[str, float]], key: str) -> float:
    """r of the fit c exp(-r n) of a summary of the errors."""
    return -slope([row["n"] for row in rows], [math.log(row[key]) for row in rows])


def judge(
    head: Sequence[dict[str, float]],
    lengths: Sequence[Sequence[float]],
    blocks: dict[int, Sequence[dict[str, float]]],
    *,
    exceeded: int,
) -> tuple[Verdict, str]:
    """The verdict, of errors over n, over lengths, of transformers over n, and how many are above their bounds."""
    mean, median = rate(head, "mean"), rate(head, "median")
    falls = all(later["median"] < earlier["median"] for earlier, later in pairwise(head))
    below = all(row["mean"] <= _SLACK * _FACTOR * math.exp(-_RATE * row["n"]) for row in head)
    growth = max(each[-1] / each[0] for each in lengths)
    rates = {b: rate(rows, "median") for b, rows in blocks.items()}
    sizes = {b: math.exp(np.mean([math.log(row["median"]) for row in rows])) for b, rows in blocks.items()}
    same = max(rates.values()) <= _SLACK * min(rates.values()) and sizes[max(sizes)] > sizes[min(sizes)]
    said = (
        f"The mean error falls like exp(-{mean:.2f} n), the median, {'at every step' if falls else 'not always'}, like "
        f"exp(-{median:.2f} n), published exp(-{_RATE} n); the mean is {'nowhere' if below else 'somewhere'} above "
        f"{_SLACK} times the published fit. From the shortest to the longest sequence it becomes at most {growth:.2g} "
        f"times as large, and {exceeded or 'no'} errors exceed the bound. For transformers the median errors fall "
        "at these rates, and are in a geometric mean over n: "
        + ", ".join(f"{one:.3f} and {sizes[b]:.2g} (B = {b})" for b, one in rates.items())
        + "."
    )
    if exceeded or growth > _SLACK or not (below and falls and same):
        return Verdict.NOT_REPRODUCED, said
    return (Verdict.REPRODUCED if _RATES[0] <= mean <= _RATES[1] else Verdict.IN_SHAPE), said


def _conclude(measured: Sequence[Measured], scale: Scale) -> Conclusion:
    outcome = {part.name: part.outcome for part in measured}
    head, single = outcome["Lemma 7"]["rows"], outcome["tickets"]["rows"]
    tokens = {part.options["n"]: part for part in measured if part.name.startswith("tokens")}
    blocks = {part.options["blocks"]: part.outcome["rows"] for part in measured if part.name.startswith("B =")}
    verdict, because = judge(
        head,
        [part.outcome["errors"] for part in tokens.values()],
        blocks,
        exceeded=sum(part.outcome["exceeded"] for part in tokens.values()),
    )
    if scale is Scale.SMOKE:
        verdict, because = Verdict.TOO_SMALL, f"With few sources: {because[0].lower()}{because[1:]}"
    rows = [
        Row(
            what=f"n = {row['n']}: mean error",
            ours=row["mean"],
            published=_FACTOR * math.exp(-_RATE * row["n"]),
            note=f"median {row['median']:.2g}, largest {row['largest']:.2g}",
        )
        for row in head
    ]
    rows += [
        Row(
            what=f"n = {n}, {part.options['lengths'][-1]:,} tokens: mean error",
            ours=part.outcome["errors"][-1],
            note=f"{part.options['lengths'][0]} tokens: {part.outcome['errors'][0]:.2g}; bound "
            f"{part.outcome['bound']:.2g}",
        )
        for n, part in tokens.items()
    ]
    rows += [
        Row(
            what=f"B = {b}: rate of the median error",
            ours=rate(rows_, "median"),
            note=f"{rows_[-1]['median']:.2g} at the widest",
        )
        for b, rows_ in blocks.items()
    ]
    for epsilon in (0.1, 0.01):
        enough = bound("otsuka", d=2, heads=1, alpha=math.sqrt(2), epsilon=epsilon).value
        rows.append(
            Row(
                what=f"n that suffices for an error of {epsilon:g}, C fitted",
                ours=float(enough),
                note="otsuka: of every target at once, tokens of norm √2",
            )
        )
    line = tuple(float(n) for n in np.linspace(10, head[-1]["n"], 30))
    left = (
        *(Series(label=f"blocks of Lemma 7, {key}", **_over(head, key)) for key in ("mean", "median")),
        *(Series(label=f"tickets, {key}", **_over(single, key)) for key in ("mean", "median")),
        Series(
            label="0.8 exp(-0.06 n), published",
            x=line,
            y=tuple(_FACTOR * math.exp(-_RATE * n) for n in line),
            kind="estimate",
        ),
    )
    middle: list[Panel] = []
    for n, part in tokens.items():
        x = tuple(float(at) for at in part.options["lengths"])
        lines = (
            Series(label="measured", x=x, y=tuple(part.outcome["errors"])),
            Series(label="bound for every T", x=x, y=(part.outcome["bound"],) * len(x), kind="bound"),
        )
        title = f"one attention, n = {n}"
        middle.append(Panel(title=title, x="tokens T", y="mean error", content=lines, log_x=True, log_y=True))
    right = tuple(Series(label=f"B = {b}", **_over(rows_, "median")) for b, rows_ in blocks.items())
    panels = (
        Panel(title="one attention", x="head size n of the source", y="error", content=left, log_y=True),
        *middle,
        Panel(title="transformers of B blocks", x="n of the widest head", y="median error", content=right, log_y=True),
    )
    figure = Figure(title="Pruned random attentions: error against head size, tokens and blocks", panels=panels)
    return Conclusion(verdict=verdict, because=because, rows=tuple(rows), figures=(figure,))


def _over(rows: Sequence[dict[str, float]], key: str) -> dict[str, Any]:
    return {"x": tuple(float(row["n"]) for row in rows), "y": tuple(row[key] for row in rows)}


REPRODUCTION = Reproduction(
    name="attention",
    title="pruned random attentions against head size, tokens and blocks",
    says="The error of a pruned random attention falls like 0.8 exp(-0.06 n) with the head size n of the source, n "
    "from 10 to 100, is bounded in the number of tokens, 8 to 8,192, and for transformers of one to four blocks falls "
    "at the same rate, with a factor that grows with B.",
    sources=("otsuka2026",),
    place="experiments, angular velocities",
    settings="published errors are values of the fit 0.8 exp(-0.06 n). Projections of norm 1 and head size 8, trained "
    "for 150 steps, which without positions learn little; 100 random sources for every n, 20 for the tokens, tickets "
    "of 20 and 5 seeds; products of U[-1, 1] times the least power of two above the matrix; closest subsets, exactly "
    "(theirs: Gurobi, how far is not said). Smoke: fewer of all. One attention has inputs of two numbers, transformers "
    "are of width 4, and n of tickets counts neurons that serve nothing: their rates do not compare. Of more than "
    f"{_QUERIES} tokens the outputs of the first {_QUERIES - 1} and the last are looked at. "
    f"Reproduced where the rate of the mean error is between {_RATES[0]} and {_RATES[1]}, and no mean error is above "
    f"the published fit times {_SLACK}; in shape where the rate is another. Both ask that the median falls with every "
    f"step of n, that errors do not grow from the shortest to the longest sequence by more than {_SLACK} times, that "
    "none exceeds the bound of its source, that the rates of the median errors of transformers differ by at most "
    f"{_SLACK} times, and that these errors are larger for the most blocks than for one.",
    parts=_parts,
    conclude=_conclude,
)
