r"""How seldom subset sums fail to reach every target: the theorem's form, its constant fitted (da Cunha et al., 2022).

The claim: P(some z in [-1, 1] is further than 2 eps from every sum) <= exp(-(n - C ln(1/eps))^2 / 4n) for n >= C
ln(1/eps). With a chance p, it holds for all C from (n - sqrt(-4 n ln p)) / ln(1/eps) on. Below is what no C can pass:
z = 1 is out of reach if the positive values sum to less than 1 - 2 eps; k uniform numbers do so with chance (1 -
2 eps)^k / k!.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from slth import theory
from slth.records import Proportion
from slth.reproductions._figure import Figure, Panel, Series
from slth.reproductions._reproduction import Conclusion, Means, Measured, Part, Reproduction, Row, Scale, Verdict
from slth.reproductions._shares import slope
from slth.subsetsum import laws, worst_error

_EPSILONS = (0.1, 0.03, 0.01, 0.003, 0.001)
_COUNTS = {Scale.SMOKE: (8, 10, 12, 14, 16), Scale.SMALL: tuple(range(8, 21)), Scale.PAPER: tuple(range(8, 25))}
_DRAWS = {Scale.SMOKE: 1_000, Scale.SMALL: 20_000, Scale.PAPER: 100_000}
_WORK = 1.5e9  # sums listed for one n, at most: half a minute


def _measure(means: Means, *, n: int, draws: int, seed: int) -> dict[str, Any]:
    """How often the worst error is at least 2 eps, of each eps."""
    rows = laws.candidates(laws.Uniform(), (draws, n), seed=seed, path=f"failure/{n}")
    errors = np.array([worst_error(row).error for row in rows])
    return {"failed": [int((errors >= 2 * epsilon).sum()) for epsilon in _EPSILONS]}


def _parts(scale: Scale, seed: int) -> Sequence[Part]:
    return [
        Part(f"n = {n}", _measure, {"n": n, "draws": int(min(_DRAWS[scale], _WORK / 2**n)), "seed": seed})
        for n in _COUNTS[scale]
    ]


def least_constant(n: int, epsilon: float, chance: float) -> float:
    """The least C with which exp(-(n - C ln(1/eps))^2 / 4n) is not below a chance of failure."""
    return max(0.0, n - math.sqrt(-4 * n * math.log(chance))) / math.log(1 / epsilon)


def promised(n: int, epsilon: float, C: float) -> float:
    """What the theorem says of the chance of failure; 1 where it says nothing."""
    surplus = n - C * math.log(1 / epsilon)
    return math.exp(-surplus * surplus / (4 * n)) if surplus > 0 else 1.0


def out_of_reach(n: int, epsilon: float) -> float:
    """P(z = 1 or z = -1 is out of reach): one end, of binomially many positive values; both, of none of either sign.

    >>> out_of_reach(1, 0.25)  # x < 1/2, or x > -1/2: always
    1.0
    """
    room = 1 - 2 * epsilon
    one = [room**k / math.factorial(k) for k in range(n + 1)]
    return math.fsum(math.comb(n, k) * (one[k] + one[n - k] - one[k] * one[n - k]) for k in range(n + 1)) / 2**n


def _conclude(measured: Sequence[Measured], scale: Scale) -> Conclusion:
    cells = [
        (part.options["n"], epsilon, Proportion(failed, part.options["draws"]))
        for part in measured
        for epsilon, failed in zip(_EPSILONS, part.outcome["failed"], strict=True)
    ]
    counts = sorted({n for n, _, _ in cells})
    fitting, testing = set(counts[::2]), set(counts[1::2])
    C = max(least_constant(n, epsilon, one.interval[1]) for n, epsilon, one in cells if n in fitting)
    said = [(n, epsilon, one) for n, epsilon, one in cells if n in testing and promised(n, epsilon, C) < 1]
    broken = [(n, epsilon) for n, epsilon, one in said if one.interval[0] > promised(n, epsilon, C)]
    series: list[Series] = []
    rates: list[float] = []
    forms: list[float] = []
    rows = [
        Row(
            what="C, fitted",
            ours=C,
            note=f"the least that passes at n = {_list(sorted(fitting))}; `slth bounds dacunha-rss` has {_before():g}",
        )
    ]
    for epsilon in _EPSILONS:
        points = [(n, one) for n, e, one in cells if e == epsilon and one.hits]
        tail = [(n, one) for n, one in points if one.value < 0.5 and one.hits >= 10]
        series.append(
            Series(
                label=f"2 epsilon = {2 * epsilon:g}",
                x=tuple(n for n, _ in points),
                y=tuple(one.value for _, one in points),
                low=tuple(max(one.interval[0], 1e-6) for _, one in points),
                high=tuple(one.interval[1] for _, one in points),
            )
        )
        if len(tail) > 2:
            n = [n for n, _ in tail]
            rates.append(math.exp(slope(n, [math.log(one.value) for _, one in tail])))
            forms.append(_each(n[0], promised(n[0], epsilon, C), n[-1], promised(n[-1], epsilon, C)))
            rows.append(
                Row(
                    what=f"2 epsilon = {2 * epsilon:g}: one more value multiplies the failures by",
                    ours=rates[-1],
                    note=f"the form there by {forms[-1]:.2f}, far out by exp(-1/4) = 0.78",
                )
            )
    middle = _EPSILONS[2]
    floors = [(n, out_of_reach(n, middle)) for n in counts]
    formula = [(n, promised(n, middle, C)) for n in range(counts[0], 2 * counts[-1] + 1)]
    series += [
        Series(
            label=f"the theorem, 2 epsilon = {2 * middle:g}, C = {C:.2f} fitted",
            x=tuple(n for n, _ in formula),
            y=tuple(p for _, p in formula),
            kind="bound",
        ),
        Series(
            label=f"1 or -1 out of reach by {2 * middle:g}",
            x=tuple(n for n, _ in floors),
            y=tuple(p for _, p in floors),
            kind="bound",
        ),
    ]
    few = len(said) < 3 or not (rates or broken)
    steep = all(rate <= form for rate, form in zip(rates, forms, strict=True))
    verdict = Verdict.TOO_SMALL if few else Verdict.REPRODUCED if steep and not broken else Verdict.NOT_REPRODUCED
    apart = f"{len(said)} cells kept apart in which it says something"
    where = (
        f"it is broken at (n, epsilon) = {_list(broken)} of the {apart}" if broken else f"the form holds in all {apart}"
    )
    return Conclusion(
        verdict=verdict,
        because=f"With C = {C:.2f}, fitted to every second n, {where}. One more value leaves {_range(rates)} of the "
        f"failures, the form {_range(forms)}; of the draws that miss an end of [-1, 1] because all values of its sign "
        f"sum to less than {1 - 2 * middle:g}, it leaves {_each(*floors[0], *floors[-1]):.2f}.",
        rows=tuple(rows),
        figures=(
            Figure(
                title="Chance that some target is missed, against the theorem's form",
                panels=(
                    Panel(
                        title="some z in [-1, 1] is missed",
                        x="n",
                        y="chance",
                        content=tuple(series),
                        log_y=True,
                    ),
                ),
            ),
        ),
    )


def _each(first: float, at_first: float, last: float, at_last: float) -> float:
    """By what one more value multiplies, from the chances at two n."""
    return (at_last / at_first) ** (1 / (last - first))


def _before() -> float:
    """The constant that was fitted over other settings."""
    return theory.THEOREMS["dacunha-rss"].constants["C"].value


def _range(rates: Sequence[float]) -> str:
    return f"{min(rates):.2f} to {max(rates):.2f}" if rates else "an unknown share"


def _list(numbers: Sequence[Any]) -> str:
    return ", ".join(map(str, numbers))


REPRODUCTION = Reproduction(
    name="failure",
    title="the chance that subset sums miss a target",
    says="There is a constant C so that n >= C log(1/epsilon) values of U[-1, 1] reach every z in [-1, 1] within "
    "2 epsilon with probability at least 1 - exp(-(n - C log(1/epsilon))^2 / 4n).",
    sources=("dacunha2022rss", "lueker1998"),
    settings="natural logarithm; R(n) of values uniform on [-1, 1], epsilon "
    f"{_list([*_EPSILONS])}. C is the least that passes at every second n, at the upper end of each 95 % interval "
    "(Wilson); reproduced where no cell at the other n breaks the form with its whole interval, and at no epsilon "
    "failures fall more slowly with n than the form does: by the slope of ln P over the n, three at least, where less "
    "than half of the draws fail and ten do. Too small to say where the form says something in fewer than three of "
    "the other cells, or no epsilon has such n.",
    parts=_parts,
    conclude=_conclude,
)
