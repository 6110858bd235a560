"""Fewer numbers if each may move by epsilon (Xiong, Liao and Kyrillidis, 2023), for one weight.

A subset S reaches z within eta if and only if |z - sum of S| <= eta + epsilon |S|: so any non-empty subset relaxes the
tolerance to eta + epsilon at least, and n should fall like log(1 / (eta + epsilon)).
"""

import math
from collections.abc import Sequence
from typing import Any

from slth import theory
from slth.reproductions._figure import Figure, Panel, Series
from slth.reproductions._reproduction import Conclusion, Means, Measured, Part, Reproduction, Row, Scale, Verdict
from slth.reproductions._shares import curve, finite
from slth.subsetsum import Status, laws, perturbed_batch

_ETA = 1e-4
_LEVEL = 0.99
_MOVES = (0.0, 0.001, 0.01, 0.05, 0.1, 0.3, 1.0, 3.0)
_MOST = 24
_DRAWS = {Scale.SMOKE: 500, Scale.SMALL: 10_000, Scale.PAPER: 100_000}


def _measure(means: Means, *, epsilon: float, draws: int, seed: int) -> dict[str, Any]:
    """Successes of n = 1, 2, ... up to the first that nearly always succeeds."""
    hits: list[int] = []
    for n in range(1, _MOST + 1):
        rows = laws.candidates(laws.Uniform(), (draws, n), seed=seed, path=f"moved/{n}")
        targets = laws.candidates(laws.Uniform(-0.5, 0.5), (draws,), seed=seed, path=f"moved/{n}/target")
        found = perturbed_batch(rows, targets, tol=_ETA, most_move=epsilon, threads=means.threads)
        hits.append(found.subsets.count(Status.WITHIN_TOL))
        if hits[-1] > 0.997 * draws:
            break
    return {"hits": hits}


def _parts(scale: Scale, seed: int) -> Sequence[Part]:
    return [
        Part(f"epsilon = {epsilon:g}", _measure, {"epsilon": epsilon, "draws": _DRAWS[scale], "seed": seed})
        for epsilon in _MOVES
    ]


def _conclude(measured: Sequence[Measured], scale: Scale) -> Conclusion:
    draws = measured[0].options["draws"]
    shares = [[hit / draws for hit in part.outcome["hits"]] for part in measured]
    least = [next((n for n, share in enumerate(row, 1) if share >= _LEVEL), math.inf) for row in shares]
    if not math.isfinite(least[0]):
        unknown = (Row(what="epsilon = 0: least n", ours=f"more than {_MOST}"),)
        because = f"Without moves {_MOST} values are not enough for 99 % of the targets."
        return Conclusion(verdict=Verdict.TOO_SMALL, because=because, rows=unknown)
    still = least[0]
    stated = [still / (1 + epsilon) for epsilon in _MOVES]
    logarithm = [max(1.0, still - math.log2(1 + 0.75 * epsilon / _ETA)) for epsilon in _MOVES]
    at_most = all(n <= math.ceil(bound) for n, bound in zip(least, stated, strict=True))
    close = all(abs(n - bound) <= 0.2 * bound + 1 for n, bound in zip(least, stated, strict=True))
    verdict = Verdict.REPRODUCED if close else Verdict.IN_SHAPE if at_most else Verdict.NOT_REPRODUCED
    rows = [
        Row(
            what=f"epsilon = {epsilon:g}: least n",
            ours=float(n),
            note=f"n(0)/(1 + epsilon) is {bound:.1f}, n(0) - log2(1 + 0.75 epsilon / eta) {log:.1f}{_below(row, n)}",
        )
        for epsilon, n, bound, log, row in zip(_MOVES, least, stated, logarithm, shares, strict=True)
    ]
    off = max(abs(n - log) for n, log in zip(least, logarithm, strict=True))
    first = f"at epsilon = {_MOVES[1]:g} {least[1] / still:.2f} of n(0), not {1 / (1 + _MOVES[1]):.3f}"
    drawn = [(epsilon, n, bound, log) for epsilon, n, bound, log in zip(_MOVES, least, stated, logarithm, strict=True)]
    moves = tuple(epsilon for epsilon, *_ in drawn[1:])
    return Conclusion(
        verdict=verdict,
        because=f"n falls from {still} to {', '.join(f'{n:g}' for n in least[1:])}, "
        + (
            "like n(0)/(1 + epsilon), as stated."
            if close
            else f"never above n(0)/(1 + epsilon), but far sooner: {first}. It is at most {off:.1f} off n(0) - "
            "log2(1 + 0.75 epsilon / eta)."
            if at_most
            else "above n(0)/(1 + epsilon) somewhere."
        ),
        rows=tuple(rows),
        figures=(
            Figure(
                title="Numbers for one weight against how far they may move",
                panels=(
                    Panel(
                        title=f"z uniform on [-1/2, 1/2], within {_ETA:g}",
                        x="n",
                        y="P(success)",
                        content=tuple(
                            curve(
                                f"epsilon = {p.options['epsilon']:g}",
                                range(1, len(p.outcome["hits"]) + 1),
                                p.outcome["hits"],
                                draws,
                            )
                            for p in measured
                        ),
                    ),
                    Panel(
                        title="ninety-nine successes of a hundred",
                        x="epsilon",
                        y="least n",
                        content=(
                            Series(label="measured", x=moves, y=tuple(n for _, n, *_ in drawn[1:])),
                            Series(
                                label="n(0) / (1 + epsilon), n(0) measured",
                                x=moves,
                                y=tuple(bound for *_, bound, _ in drawn[1:]),
                                kind="estimate",
                            ),
                            Series(
                                label="n(0) - log2(1 + 0.75 epsilon / eta)",
                                x=moves,
                                y=tuple(log for *_, log in drawn[1:]),
                                kind="estimate",
                            ),
                            _enough("xiong-sums", "Theorem 1, C fitted", moves),
                            _enough("perturbed", "exact reduction, C fitted", moves),
                        ),
                        log_x=True,
                    ),
                ),
            ),
        ),
    )


def _below(shares: Sequence[float], n: float) -> str:
    """How close the number before was."""
    return f"; {shares[int(n) - 2]:.4f} at n = {n - 1:g}" if 1 < n < math.inf else ""


def _enough(name: str, label: str, moves: Sequence[float]) -> Series:
    """A bound for all targets at once, 99 times of a hundred."""
    found = [theory.bound(name, epsilon=_ETA, delta=1 - _LEVEL, move=move).value for move in moves]
    return finite(label, moves, found, "bound")


REPRODUCTION = Reproduction(
    name="moved-numbers",
    title="fewer numbers for one weight if they may move",
    says="If each candidate may move by epsilon, the number of candidates that a subset sum needs shrinks by a factor "
    "O(1/(1 + epsilon)).",
    sources=("xiong2023", "lueker1998"),
    place="Theorem 1",
    settings=f"values uniform on [-1, 1], target uniform on [-1/2, 1/2], eta = {_ETA:g}; the least n with 99 % of "
    "successes. The source has no constant: n(0), without moves, is ours, and 0.75 in the logarithm was fitted. "
    "Reproduced where n is off n(0)/(1 + epsilon) by at most 20 % and one number more at every epsilon; in shape where "
    f"it is at most that, rounded up. Too small to say where {_MOST} values without moves are not enough.",
    parts=_parts,
    conclude=_conclude,
)
