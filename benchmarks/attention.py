"""Merged projections (Otsuka et al., 2025): error against n_K = n_V, against tokens, against blocks; what they cost.

    python benchmarks/attention.py --picture docs/otsuka.svg     the experiment on angular velocities
    python benchmarks/attention.py --table                       merged and separate projections, ReLU and linear lifts

Sources: as in the proof of Lemma 7, n/d neurons for each of d inputs, and products of two numbers from U[−1, 1]; and
tickets, whose lift is scanned, so that numbers below ½ are passed over: n counts those, too. Subsets are the closest
that exist. Errors: the largest difference of any output over 64 sequences of 64 tokens; mean and median over random
sources.
"""

import argparse
import math
import time
from pathlib import Path

import numpy as np
import torch
from attention_networks import HEAD, angular, layer, trained
from matplotlib import rc_context
from matplotlib.figure import Figure

from slth import network
from slth.construction import Request, construct
from slth.graph import Target, evaluate, times_the_coefficients, with_merged
from slth.records import environment
from slth.reporting import save_picture
from slth.subsetsum import closest_batch
from slth.ticket import Inputs, Ticket, encode

SEARCHED = 40  # candidates of which the closest subset is found
TOLERANCE = 1e-4  # of a weight, in the table
LENGTHS = tuple(2**k for k in range(3, 14))
SOURCES = 100  # random ones for every n
_TICKETS = "\n| candidates | n | mean error | median | largest |\n| --- | --- | --- | --- | --- |"
QUERIES = 64  # of a long sequence that are looked at
ABOUT = (
    "Three panels. Left: the error of an attention whose projections are pruned random matrices falls exponentially "
    "with the head size n of the source. Middle: it does not grow with the number of tokens. Right: transformers of "
    "one to four blocks: about the same rate, a larger factor."
)


def single_head(target: Target) -> tuple[np.ndarray, np.ndarray]:
    """M with the scale of the logits in it, and U."""
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
    kept = np.stack([np.asarray(found[i].kept) for i in range(len(found))])
    return (products.reshape(-1, own) * kept).sum(axis=1).reshape(sources, rows, inputs)


def against_width(target: Target) -> list[tuple[int, float, float]]:
    """n, the mean error, the median."""
    m, u = single_head(target)
    rng = np.random.default_rng(0)
    x, _ = angular(64, 64, np.random.default_rng(1))
    wanted, rows = attend(m, u, x), []
    for n in (10, 14, 18, 22, 26, 30, 36, 42, 50, 60, 70, 80):
        pairs = zip(lemma_7(m, n, SOURCES, rng), lemma_7(u, n, SOURCES, rng), strict=True)
        errors = [np.abs(attend(a, b, x) - wanted).max() for a, b in pairs]
        rows.append((n, float(np.mean(errors)), float(np.median(errors))))
        numbers = (*rows[-1][1:], np.max(errors), 0.8 * math.exp(-0.06 * n))
        print(f"| {n} |", " | ".join(f"{number:.2g}" for number in numbers), "|", flush=True)
    return rows


def of_tickets(target: Target, candidates: tuple[int, ...], seeds: int) -> list[tuple[float, float, float]]:
    """Mean n, mean and median error of tickets of this library."""
    x, _ = angular(64, 64, np.random.default_rng(1))
    theirs, rows = evaluate(target.graph, target.coefficients, x, {}), []
    inputs = Inputs(target.input_shape, lower=(-1.0,), upper=(1.0,))
    for count in candidates:
        widths, errors = [], []
        for seed in range(seeds):
            asked = Request(gadget="merged", objective="closest", candidates=count, seed=seed)
            ticket = construct(target, asked, inputs=inputs)
            realised = {path: ticket.realised(path) for path in ticket.maps}
            ours = evaluate(ticket.network, realised, x, ticket.carried)
            errors.append(np.abs(ours - theirs).max())
            widths.append(max(ticket.gadgets[path].neurons for path in ticket.merged))
        rows.append((float(np.mean(widths)), float(np.mean(errors)), float(np.median(errors))))
        numbers = " | ".join(f"{number:.2g}" for number in (*rows[-1][1:], np.max(errors)))
        print(f"| {count} | {rows[-1][0]:.0f} | {numbers} |", flush=True)
    return rows


def against_length(target: Target, n: int, sources: int) -> tuple[list[float], float]:
    """Mean error for every length, and the mean of the bounds, in which no length stands.

    Tokens lie in the unit ball, so logits move apart by at most osc = 2 ‖ΔM‖ and values are 2 ‖U‖ apart: as in the
    certificate, ‖Δ‖ ≤ tanh(osc/4) · 2 ‖U‖ + ‖ΔU‖.
    """
    m, u = single_head(target)
    rng = np.random.default_rng(2)
    found = list(zip(lemma_7(m, n, sources, rng), lemma_7(u, n, sources, rng), strict=True))
    moved = [(np.linalg.norm(a - m, 2), np.linalg.norm(b - u, 2)) for a, b in found]
    bounds = [np.tanh(of_m / 2) * 2 * np.linalg.norm(u, 2) + of_u for of_m, of_u in moved]
    errors = []
    for length in LENGTHS:
        x, _ = angular(8, length, np.random.default_rng(3))
        wanted = attend(m, u, x, QUERIES)
        each = np.array([np.abs(attend(a, b, x, QUERIES) - wanted).max() for a, b in found])
        assert (each <= bounds).all()
        errors.append(float(each.mean()))
        print(f"| {n} | {length} | {errors[-1]:.3g} | {np.mean(bounds):.3g} |", flush=True)
    return errors, float(np.mean(bounds))


def experiment(picture: Path) -> None:
    """The three panels."""
    start = time.process_time()
    single = trained(0)
    print("\n| n | mean error | median | largest | 0.8 exp(−0.06 n) |\n| --- | --- | --- | --- | --- |")
    widths = against_width(single)
    print(_TICKETS)
    tickets = of_tickets(single, (5, 8, 11, 14, 17, 20, 24, 28), 20)
    print("\n| n | T | mean error | bound |\n| --- | --- | --- | --- |")
    lengths = {n: against_length(single, n, 20) for n in (20, 30)}
    blocks = {}
    for count in (1, 2, 3, 4):
        print(f"\nB = {count}{_TICKETS}")
        blocks[count] = of_tickets(trained(count), (6, 9, 12, 15, 18, 21), 5)
    print(f"{time.process_time() - start:.0f} s of a processor")
    draw(picture, widths, tickets, lengths, blocks)


def draw(picture, widths, tickets, lengths, blocks) -> None:
    """Error against n, against the length, against n and blocks."""
    with rc_context({"svg.hashsalt": "slth", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(9.6, 3.4), layout="constrained")
        left, middle, right = figure.subplots(1, 3)
        for rows, mark, name in ((widths, "o", "blocks of Lemma 7"), (tickets, "s", "tickets")):
            n = [row[0] for row in rows]
            (drawn,) = left.plot(n, [row[1] for row in rows], f"{mark}-", ms=3, label=f"{name}, mean")
            medians = [row[2] for row in rows]
            left.plot(n, medians, f"{mark}:", ms=2, lw=1, color=drawn.get_color(), label=f"{name}, median")
        line = np.linspace(10, 100, 50)
        left.plot(line, 0.8 * np.exp(-0.06 * line), "--", lw=1, color="gray", label="0.8 exp(−0.06 n), Otsuka et al.")
        left.set(yscale="log", ylim=(1e-18, 2), ylabel="error")
        left.set(xlabel="n, the source's head size", title="one attention")
        for size, (errors, bound) in lengths.items():
            (drawn,) = middle.plot(LENGTHS, errors, "o-", ms=3, label=f"n = {size}")
            middle.axhline(bound, ls="--", lw=1, color=drawn.get_color(), label=f"bound, n = {size}")
        middle.set(xscale="log", yscale="log", ylim=(1e-3, 1), xlabel="tokens", title="n fixed")
        middle.set_xscale("log", base=2)
        for count, rows in blocks.items():
            right.plot([row[0] for row in rows], [row[2] for row in rows], "o-", ms=3, label=f"B = {count}")
        right.set(yscale="log", xlabel="n, the widest head's", ylabel="median error", title="transformers of B blocks")
        for axes in (left, middle, right):
            axes.legend(frameon=False, fontsize=7)
        save_picture(figure, picture, title="Pruned random attention", about=ABOUT)


def table() -> None:
    """One attention, 64 wide, 4 heads, biases: source, bits, claim, what is measured."""
    print(
        "\n| projections | lift | T | layers | source | mask bits | file | misses | largest weight error | certified | "
        "found by ascent | on random inputs | processor s |\n" + "| --- " * 13 + "|"
    )
    for length in (16, 64):
        target = layer(64, 4, length)
        inputs = Inputs(target.input_shape, lower=(-1.0,), upper=(1.0,))
        for gadget, lift in (("two-layer", "relu"), ("two-layer", "linear"), ("merged", None)):
            row(target, Request(gadget=gadget, lift=lift, tolerance=TOLERANCE), inputs, length)
    print(f"\nmerging costs {times_the_coefficients(with_merged(layer(64, 4, 16))):.3g} times the coefficients")


def row(target: Target, asked: Request, inputs: Inputs, length: int) -> None:
    """One line of the table."""
    start = time.process_time()
    ticket = construct(target, asked, inputs=inputs)
    seconds = time.process_time() - start
    weights = target.graph.weights
    bound = None if ticket.claims is None else ticket.claims.sup_error
    layers = "as the target" if asked.gadget == "merged" else "two for one"
    lift = "linear" if asked.gadget == "merged" else asked.lift
    cells = [
        "merged" if asked.gadget == "merged" else "separate",
        str(lift),
        f"{length}",
        layers,
        f"{ticket.size:,} ({ticket.size / weights:,.0f} x)",
        f"{ticket.mask_bits / weights:.1f}",
        f"{8 * len(encode(ticket)) / weights:.1f}",
        f"{ticket.misses}",
        f"{ticket.claims.weight_error:.2g}",
        "none" if bound is None else f"{bound:.3g}",
        f"{ascended(ticket, target):.3g}",
        f"{sampled(ticket, target):.3g}",
        f"{seconds:.1f}",
    ]
    print("|", " | ".join(cells), "|", flush=True)


def sampled(ticket: Ticket, target: Target) -> float:
    """The largest difference on 200 inputs."""
    x = np.random.default_rng(0).uniform(-1, 1, (200, *target.input_shape))
    realised = {path: ticket.realised(path) for path in ticket.maps}
    ours = evaluate(ticket.network, realised, x, ticket.carried)
    return float(np.abs(ours - evaluate(target.graph, target.coefficients, x, target.carried)).max())


def ascended(ticket: Ticket, target: Target, steps: int = 60) -> float:
    """The largest difference that sign steps of the gradient find from 16 corners, for 4 of the outputs in turn."""
    ours, theirs = network.realised(ticket).double(), network.target_module(target, torch.float64)
    torch.manual_seed(0)
    largest = 0.0
    for output in range(4):
        x = torch.randint(0, 2, (16, *target.input_shape)).double() * 2 - 1
        x.requires_grad_()
        for k in range(steps):
            apart = (ours(x) - theirs(x))[:, 0, output].abs()
            largest = max(largest, float(apart.detach().max()))
            (slope,) = torch.autograd.grad(apart.sum(), x)
            with torch.no_grad():
                x += 0.3 * (1 - k / steps) * slope.sign()
                x.clamp_(-1, 1)
    return largest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--table", action="store_true")
    asked = parser.parse_args()
    print(environment(1))
    if asked.picture is not None:
        experiment(asked.picture)
    if asked.table:
        table()


if __name__ == "__main__":
    main()
