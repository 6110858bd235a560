r"""The proof of Lueker's theorem, step by step: E[v_{t+1} | past] >= v_t (1 + (1 - v_t) / 4) (da Cunha et al., 2022).

f_0(z) = 1 for |z| < 2 eps, f_{t+1}(z) = f_t(z) + (1 - f_t(z)) f_t(z - x_{t+1}) on [-1, 1] and v_t is its mean. Given
the past, x_{t+1} is uniform on [-1, 1], so that

    E[v_{t+1} | past] - v_t = 1/4 \int (1 - f_t(z)) F(z) dz,   F(z) the measure of f_t within 1 of z in [-1, 1].

f_t is the indicator of a few intervals, so this integral is exact: no average over draws hides a violation. Even
v (1 - v) / 2 can be proved: see `slth.theory.recursion`.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from slth.reproductions._figure import Figure, Panel, Series
from slth.reproductions._reproduction import Conclusion, Means, Measured, Part, Reproduction, Row, Scale, Verdict
from slth.subsetsum import laws, reach

_EPSILON = 0.01
_STEPS = 16
_RUNS = {Scale.SMOKE: 400, Scale.SMALL: 10_000, Scale.PAPER: 100_000}
_A_PART = 2_000  # runs
_START = np.array([[-2 * _EPSILON, 2 * _EPSILON]])
_EDGES = np.linspace(0, 1, 21)  # of the bins of v


def expected_growth(pieces: np.ndarray) -> float:
    """E[v_{t+1} | past] - v_t of a set of disjoint intervals in [-1, 1], (k, 2), in ascending order.

    >>> round(expected_growth(np.array([[-1.0, 0.0]])), 12)  # 1/4 of the integral of 1 - z over [0, 1]
    0.125
    """
    left, right = pieces.T
    gaps = np.stack([np.append(-1.0, right), np.append(left, 1.0)], axis=1)

    def twice(x: np.ndarray) -> np.ndarray:
        """The measure of the set below x, integrated from -1 to x."""
        below = np.maximum(x[:, None] - left, 0.0) ** 2 - np.maximum(x[:, None] - right, 0.0) ** 2
        return below.sum(axis=1) / 2

    def near(x: np.ndarray) -> np.ndarray:
        """The integral from -1 to x of the measure within 1 of z: up to z + 1 for z < 0, beyond z - 1 after."""
        all_of_it = (right - left).sum()
        return twice(np.minimum(x, 0.0) + 1) + all_of_it * np.maximum(x, 0.0) - twice(np.maximum(x, 0.0) - 1)

    return float((near(gaps[:, 1]) - near(gaps[:, 0])).sum()) / 4


def _measure(means: Means, *, runs: int, first: int, seed: int) -> dict[str, Any]:
    """Of each bin of v: steps, the ratios of the growth to v (1 - v) / 4 in sum and the least; sums of v_t and of the
    truth over the runs."""
    values = laws.candidates(laws.Uniform(), (runs, _STEPS), seed=seed, path=f"drift/{first}")
    steps, ratios = np.zeros(len(_EDGES) - 1, np.int64), np.zeros(len(_EDGES) - 1)
    least = np.full(len(_EDGES) - 1, np.inf)
    proof, truth = np.zeros(_STEPS + 1), np.zeros(_STEPS + 1)
    for row in values:
        for t in range(_STEPS):
            pieces = reach(row[:t], tol=2 * _EPSILON, clipped=True).pieces if t else _START
            v = float((pieces[:, 1] - pieces[:, 0]).sum()) / 2
            proof[t] += v
            if v > 1 - 1e-9:
                continue
            ratio = expected_growth(pieces) / (v * (1 - v) / 4)
            at = min(int(v * len(steps)), len(steps) - 1)
            steps[at] += 1
            ratios[at] += ratio
            least[at] = min(least[at], ratio)
        proof[_STEPS] += reach(row, tol=2 * _EPSILON, clipped=True).covered[-1]
        truth += reach(row, tol=2 * _EPSILON).covered
    return {
        "steps": steps.tolist(),
        "ratios": ratios.tolist(),
        "least": [float(x) if np.isfinite(x) else None for x in least],
        "proof": proof.tolist(),
        "truth": truth.tolist(),
    }


def _parts(scale: Scale, seed: int) -> Sequence[Part]:
    size = min(_A_PART, _RUNS[scale])
    return [
        Part(f"runs {first} to {first + size - 1}", _measure, {"runs": size, "first": first, "seed": seed})
        for first in range(0, _RUNS[scale], size)
    ]


def _conclude(measured: Sequence[Measured], scale: Scale) -> Conclusion:
    runs = sum(part.options["runs"] for part in measured)
    steps, ratios, proof, truth = (
        np.sum([part.outcome[key] for part in measured], axis=0) for key in ("steps", "ratios", "proof", "truth")
    )
    least = np.array([[np.inf if x is None else x for x in part.outcome["least"]] for part in measured]).min(axis=0)
    kept = steps > 0
    middle = ((_EDGES[1:] + _EDGES[:-1]) / 2)[kept]
    promised = middle * (1 - middle) / 4
    mean = (ratios / np.maximum(steps, 1))[kept] * promised
    worst = float(least.min())
    holds = worst >= 1 - 1e-9
    proof, truth = proof / runs, truth / runs
    iterated = _iterated()
    rows = [
        Row(
            what="least of E[growth | past] over v (1 - v) / 4",
            published=1.0,
            ours=worst,
            note="at least 1 is said, 2 can be proved",
        ),
        Row(what="steps whose conditional expectation was computed", ours=float(steps.sum())),
    ]
    rows += [
        Row(
            what=f"mean of v_{t}",
            ours=float(proof[t]),
            note=f"really reached {truth[t]:.3f}; the inequality, taken for an equation, {iterated[t]:.3f}",
        )
        for t in (0, 4, 8, 12, 16)
    ]
    t = tuple(range(_STEPS + 1))
    return Conclusion(
        verdict=Verdict.REPRODUCED if holds else Verdict.NOT_REPRODUCED,
        because=f"In {int(steps.sum()):,} steps of {runs:,} runs the expected growth, computed exactly given the past, "
        f"is {'never' if holds else 'somewhere'} below v(1 - v)/4: the least ratio is {worst:.2f}, where 2 can be "
        f"proved, the mean {float(ratios.sum() / steps.sum()):.2f}.",
        rows=tuple(rows),
        figures=(
            Figure(
                title="The growth of what is reached, against the inequality of the proof",
                panels=(
                    Panel(
                        title=f"one step, {runs:,} runs",
                        x="v, share of [-1, 1] reached",
                        y="E[growth | past]",
                        content=(
                            Series(label="mean of the bin", x=tuple(middle), y=tuple(mean)),
                            Series(
                                label="least in the bin",
                                x=tuple(middle),
                                y=tuple(least[kept] * promised),
                            ),
                            Series(label="v (1 - v) / 4", x=tuple(middle), y=tuple(promised), kind="bound"),
                            Series(label="v (1 - v) / 2", x=tuple(middle), y=tuple(2 * promised), kind="bound"),
                        ),
                    ),
                    Panel(
                        title=f"within {2 * _EPSILON:g} after t values",
                        x="t",
                        y="share of [-1, 1]",
                        content=(
                            Series(label="really reached", x=t, y=tuple(truth)),
                            Series(label="v_t of the proof", x=t, y=tuple(proof)),
                            Series(label="v (1 + (1 - v) / 4), iterated", x=t, y=tuple(iterated), kind="estimate"),
                            Series(label="v (1 + (1 - v) / 2), iterated", x=t, y=tuple(_iterated(2)), kind="estimate"),
                        ),
                    ),
                ),
            ),
        ),
    )


def _iterated(times: int = 1) -> list[float]:
    """v_0 = 2 eps, v + times v (1 - v) / 4: an estimate, as the inequality bounds one step, and v varies."""
    found = [2 * _EPSILON]
    for _ in range(_STEPS):
        found.append(found[-1] * (1 + times * (1 - found[-1]) / 4))
    return found


REPRODUCTION = Reproduction(
    name="drift",
    title="the growth of what subset sums reach, value by value",
    says="With f_0(z) = 1 for |z| < 2 epsilon, f_{t+1}(z) = f_t(z) + (1 - f_t(z)) f_t(z - x_{t+1}) and v_t the mean of "
    "f_t over [-1, 1]: E[v_{t+1} | x_1 ... x_t] >= v_t (1 + (1 - v_t) / 4).",
    sources=("dacunha2022rss", "lueker1998"),
    settings=f"epsilon = {_EPSILON}, {_STEPS} values uniform on [-1, 1]. The expectation given the past is an integral "
    "over intervals and is computed exactly at every step of every run. Reproduced where no step is below the "
    "inequality. f_t drops sums that leave [-1, 1] on the way: what is really reached stands beside it. The "
    "inequality, iterated, is an estimate: it bounds one step, and v varies.",
    parts=_parts,
    conclude=_conclude,
)
