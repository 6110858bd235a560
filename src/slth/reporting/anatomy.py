"""One weight as it is drawn: every candidate as a bar, the kept ones in colour, the running sum reaching the target."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from slth.ticket import Anatomy, Half

_WORDS = (  # what a reader needs to know, and in a sentence each
    ("candidate", "a random product: gain × lift weight × mixing weight. The seed names it; nobody chose it."),
    ("kept", "its bit in the mask is 1. Blue with + adds to the sum, orange with − takes from it."),
    ("pruned", "its bit is 0: grey, and no part of the sum."),
    ("running sum", "of the kept candidates, from left to right (red)."),
    ("dashed line", "where the sum should end: the target's weight; in a negative half minus the weight."),
    ("half", "the positive one works where the input is above 0, the negative one where it is below."),
    ("both signs", "one subset serves inputs above and below 0, for no ReLU stands between them and the sum."),
    ("gain", "a power of two above the map's largest weights, by which all products of the map are multiplied."),
    ("stage", "a later one has a gain of its own, far smaller, and hits what the stages before left of the weight."),
)


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One half of a weight, as it is drawn."""

    half: Half
    running: Float64[np.ndarray, " n"]  # sum of the kept candidates so far
    wanted: float  # where the sum should end: ± the target's weight; without a target, where it ends
    reached: str  # in words


def words_for(found: Sequence[Panel]) -> Iterator[tuple[str, str]]:
    """The words that stand in a picture of these panels, and what they mean."""
    names = {panel.half.name for panel in found}
    absent = {
        "half": not names & {"positive", "negative"},
        "both signs": "whole" not in names,
        "stage": all(panel.half.stage == 0 for panel in found),
    }
    for word, meaning in _WORDS:
        if word == "dashed line" and "negative" not in names:
            meaning = f"{meaning.partition(';')[0]}."
        if not absent.get(word, False):
            yield word, meaning


def panels(anatomy: Anatomy, target: float | None = None) -> tuple[Panel, ...]:
    """The halves of a weight, with the target's coefficient where it is known."""
    found: list[Panel] = []
    for half in anatomy.halves:
        error = "" if target is None else f", off by {abs(half.realised - target):.1e}"
        found.append(
            Panel(
                half=half,
                running=np.cumsum(half.candidates * half.kept),
                wanted=half.sum if target is None else half.sign * (target - half.before),
                reached=f"reaches {_short(half.sum)}{error}",
            )
        )
    return tuple(found)


def _short(value: float) -> str:
    """Six digits behind the point, or of a small number four in all."""
    return f"{value:.6f}" if value == 0.0 or abs(value) >= 1e-3 else f"{value:.3e}"


def sum_words(half: Half, most: int = 8) -> str:
    """The kept candidates with their signs, and what they add up to; of many the largest."""
    kept = half.candidates[half.kept]
    order = np.sort(np.argsort(-np.abs(kept), kind="stable")[:most])
    form = ".4f" if half.gain > 2.0**-10 else ".2e"
    terms = " ".join(f"{'−' if value < 0 else '+'} {abs(value):{form}}" for value in kept[order].tolist())
    rest = f" and {len(kept) - most} smaller" if len(kept) > most else ""
    return f"{terms.removeprefix('+ ') or '0'}{rest} = {_short(half.sum)}".replace("-", "−")
