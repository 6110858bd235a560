"""A picture of one weight: every candidate as a bar, the kept ones in colour, the running sum reaching the target.

`panels` says what there is to see; `draw_anatomy` writes it to a file of its own, `figures.anatomy` onto the page.
"""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from slth._errors import InputError
from slth._files import write_atomically
from slth.ticket import Anatomy, Half

_KEPT, _PRUNED, _SUM = "#2a6fbb", "#c9ced6", "#d1495b"
_FORMATS = (".svg", ".png", ".pdf")


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """One half of a weight, as it is drawn."""

    half: Half
    running: Float64[np.ndarray, " n"]  # sum of the kept candidates so far
    wanted: float  # where the sum should end: ± the target's weight; without a target, where it ends
    reached: str  # in words


def panels(anatomy: Anatomy, target: float | None = None) -> tuple[Panel, ...]:
    """The halves of a weight, with the target's coefficient where it is known."""
    found: list[Panel] = []
    for half in anatomy.halves:
        error = "" if target is None else f", off by {abs(half.realised - target):.1e}"
        found.append(
            Panel(
                half=half,
                running=np.cumsum(half.candidates * half.kept),
                wanted=half.sign * (half.realised if target is None else target),
                reached=f"reaches {half.sign * half.realised:.6f}{error}",
            )
        )
    return tuple(found)


def check_picture_name(path: Path) -> None:
    """Refuse a format that is not drawn, before the work."""
    if path.suffix not in _FORMATS:
        raise InputError(f"a picture is written as {', '.join(_FORMATS)}; got {path.name!r}")


def draw_anatomy(anatomy: Anatomy, path: str | Path, *, target: float | None = None) -> Path:
    """Write the picture; the format comes from the suffix (.svg, .png, .pdf)."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    path = Path(path)
    check_picture_name(path)
    figure = Figure(figsize=(8, 3.1 * len(anatomy.halves)), layout="constrained")
    plots = figure.subplots(len(anatomy.halves), 1, squeeze=False)[:, 0]
    for axes, panel in zip(plots, panels(anatomy, target), strict=True):
        half = panel.half
        at = np.arange(len(half.candidates))
        axes.bar(at, half.candidates, color=[_KEPT if kept else _PRUNED for kept in half.kept], width=0.7)
        axes.step(at, panel.running, where="mid", color=_SUM, linewidth=1.6)
        axes.axhline(panel.wanted, color="black", linewidth=0.9, linestyle=(0, (4, 3)))
        axes.axhline(0, color="black", linewidth=0.5)
        axes.set_title(
            f"{half.name} half: {int(half.kept.sum())} of {len(at)} random products kept (blue), running sum (red)\n"
            f"{panel.reached}",
            fontsize=10,
        )
        axes.set_ylabel(f"{'weight' if half.sign > 0 else 'minus the weight'}, dashed", fontsize=9)
        axes.set_xlabel("candidate: gain x lift weight x mixing weight", fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(anatomy.name, fontsize=11)
    buffer = io.BytesIO()
    metadata = {"Date": None} if path.suffix == ".svg" else None
    with rc_context({"svg.hashsalt": "slth"}):  # the same picture has the same bytes
        figure.savefig(buffer, format=path.suffix[1:], metadata=metadata, dpi=130)
    return write_atomically(path, buffer.getvalue())
