"""Is even the null function hard? A subset that is not empty, or of a given size, that sums to 0 within epsilon.

Everything pruned computes 0 exactly, so the question is for a subnetwork that keeps something. The least n with nine
successes of ten is compared with that of a target drawn from U[-1, 1].
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from slth import theory
from slth.reproductions._figure import Figure, Panel, Series
from slth.reproductions._reproduction import Conclusion, Means, Measured, Part, Reproduction, Row, Scale, Verdict
from slth.reproductions._shares import crossing, curve, finite, slope
from slth.subsetsum import Status, first_batch, laws

_EPSILONS = (0.1, 0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001)
_SHOWN = 0.01
_FROM = 0.01  # epsilon from which on the verdict is drawn: above it n is a few numbers, and an end of the range counts
_LEVEL = 0.9
_DRAWS = {Scale.SMOKE: 400, Scale.SMALL: 4_000, Scale.PAPER: 40_000}
_ALL = tuple(range(2, 25))
_MANY = (*range(2, 20, 2), 20, 24, 28, 32, 40, 48, 56, 64)
_KINDS: dict[str, tuple[tuple[int, ...], Callable[[int], Any]]] = {  # counts, size
    "not empty": (_ALL, lambda n: (1, n)),
    "exactly 2": (_MANY, lambda n: 2),
    "exactly 3": (_MANY[1:], lambda n: 3),
    "exactly n/2": (tuple(range(2, 27, 2)), lambda n: n // 2),
    "a target of U[-1, 1]": (_ALL, lambda n: None),
}
_NULL, _OTHER = "not empty", "a target of U[-1, 1]"


def _measure(means: Means, *, kind: str, epsilon: float, draws: int, seed: int) -> dict[str, Any]:
    """Successes of each n, up to the first that nearly always succeeds."""
    counts, size = _KINDS[kind]
    hits: list[int] = []
    for n in counts:
        rows = laws.candidates(laws.Uniform(), (draws, n), seed=seed, path=f"null/{n}")
        targets = np.zeros(draws)
        if kind == _OTHER:
            targets = laws.candidates(laws.Uniform(), (draws,), seed=seed, path=f"null/{n}/target")
        found = first_batch(rows, targets, tol=epsilon, size=size(n), threads=means.threads)
        hits.append(found.count(Status.WITHIN_TOL))
        if hits[-1] > 0.995 * draws:
            break
    return {"hits": hits}


def _parts(scale: Scale, seed: int) -> Sequence[Part]:
    return [
        Part(
            f"{kind}, {epsilon:g}",
            _measure,
            {"kind": kind, "epsilon": epsilon, "draws": _DRAWS[scale], "seed": seed},
        )
        for kind in _KINDS
        for epsilon in _EPSILONS
    ]


def _conclude(measured: Sequence[Measured], scale: Scale) -> Conclusion:
    draws = measured[0].options["draws"]
    least: dict[str, list[float]] = {kind: [] for kind in _KINDS}
    shown = []
    for part in measured:
        kind, hits = part.options["kind"], part.outcome["hits"]
        counts = _KINDS[kind][0][: len(hits)]
        least[kind].append(crossing(counts, [hit / draws for hit in hits], _LEVEL))
        if part.options["epsilon"] == _SHOWN:
            shown.append(curve(kind, counts, hits, draws))
    bits = [math.log2(1 / epsilon) for epsilon in _EPSILONS]
    at = _EPSILONS.index(_FROM)
    known = all(map(math.isfinite, least[_NULL] + least[_OTHER]))
    growth = slope(bits[at:], least[_NULL][at:]) if known else math.nan
    ratio = [a / b for a, b in zip(least[_NULL], least[_OTHER], strict=True)]
    hard = min(ratio[at:]) >= 0.75 and 0.75 <= growth <= 1.25
    pair = [(bit, n) for bit, n in zip(bits, least["exactly 2"], strict=True) if math.isfinite(n)]
    power = slope([bit for bit, _ in pair], [math.log2(n) for _, n in pair]) if len(pair) > 1 else math.nan
    verdict = Verdict.TOO_SMALL if not known else Verdict.REPRODUCED if hard else Verdict.NOT_REPRODUCED
    rows = [
        Row(what="a subset not empty: more values for half the error", ours=growth),
        Row(
            what="n for 0 over n for a target of U[-1, 1]",
            ours=", ".join(f"{one:.2f}" for one in ratio),
            note=f"at epsilon = {', '.join(f'{epsilon:g}' for epsilon in _EPSILONS)}",
        ),
        Row(what="exactly 2 values: power of 1/epsilon", ours=power, note="about n²/2 pairs: 1/2 is expected"),
    ]
    rows += [
        Row(
            what=f"epsilon = {epsilon:g}: n, not empty",
            ours=least[_NULL][i],
            note="; ".join(
                f"{kind} {f'{n[i]:.1f}' if math.isfinite(n[i]) else f'beyond {_KINDS[kind][0][-1]}'}"
                for kind, n in least.items()
                if kind != _NULL
            ),
        )
        for i, epsilon in enumerate(_EPSILONS)
    ]
    return Conclusion(
        verdict=verdict,
        because=f"From epsilon = {_FROM:g} on a non-empty subset that sums to 0 takes {min(ratio[at:]):.2f} to "
        f"{max(ratio[at:]):.2f} times as many numbers as a target drawn from [-1, 1], and {growth:.2f} more for half "
        f"the error, which is {'' if hard else 'not '}called hard. Of exactly two values n grows like epsilon to the "
        f"power {-power:.2f}.",
        rows=tuple(rows),
        figures=(
            Figure(
                title="The null function",
                panels=(
                    Panel(title=f"within {_SHOWN:g}", x="n", y="P(success)", content=tuple(shown)),
                    Panel(
                        title="nine successes of ten",
                        x="log2(1 / epsilon)",
                        y="n",
                        content=(*(finite(kind, bits, n) for kind, n in least.items()), *_needed(bits)),
                    ),
                ),
            ),
        ),
    )


def _needed(bits: Sequence[float]) -> list[Series]:
    """The first moments, which are necessary: of any subset that is not empty, of two and of three values."""
    each = [{"epsilon": epsilon, "delta": 1 - _LEVEL} for epsilon in _EPSILONS]
    found = {
        "not empty: needed": [theory.bound("null-function", **at).value for at in each],
        "exactly 2: needed": [theory.bound("null-function-fixed", k=2, **at).value for at in each],
        "exactly 3: needed": [theory.bound("null-function-fixed", k=3, **at).value for at in each],
    }
    return [
        finite(label, bits, [n if n <= _MANY[-1] else math.inf for n in ns], "bound") for label, ns in found.items()
    ]


REPRODUCTION = Reproduction(
    name="null-function",
    title="the null function, by a subnetwork that keeps something",
    says="Even approximating the null function seems hard.",
    sources=("mallmanntrenn2025", "natale2024", "lueker1998"),
    settings="values uniform on [-1, 1]; a subset that is not empty, or of exactly 2, 3 or n/2 values, sums to 0 "
    "within epsilon; n up to 24 (n/2: 26; 2 and 3: 64). Called hard (reproduced) where, at every epsilon from "
    f"{_FROM:g} on, the non-empty subset takes at least 3/4 of the numbers that a target of U[-1, 1] takes, and "
    "between 0.75 and 1.25 more for half the error. Too small to say where one of the two is not reached.",
    parts=_parts,
    conclude=_conclude,
)
