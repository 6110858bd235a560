"""A picture of one weight: every candidate as a bar, the kept ones in colour, the running sum reaching the target."""

import io
from pathlib import Path

import numpy as np

from slth._errors import InputError
from slth._files import write_atomically
from slth.ticket import Anatomy

_KEPT, _PRUNED, _SUM = "#2a6fbb", "#c9ced6", "#d1495b"
_FORMATS = (".svg", ".png", ".pdf")


def draw_anatomy(anatomy: Anatomy, path: str | Path, *, target: float | None = None) -> Path:
    """Write the picture; the format comes from the suffix (.svg, .png, .pdf)."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    path = Path(path)
    if path.suffix not in _FORMATS:
        raise InputError(f"a picture is written as {', '.join(_FORMATS)}; got {path.name!r}")
    figure = Figure(figsize=(8, 3.1 * len(anatomy.halves)), layout="constrained")
    panels = figure.subplots(len(anatomy.halves), 1, squeeze=False)[:, 0]
    for axes, half in zip(panels, anatomy.halves, strict=True):
        at = np.arange(len(half.candidates))
        colors = [_KEPT if kept else _PRUNED for kept in half.kept]
        axes.bar(at, half.candidates, color=colors, width=0.7)
        axes.step(at, np.cumsum(half.candidates * half.kept), where="mid", color=_SUM, linewidth=1.6)
        wanted = half.sign * (half.realised if target is None else target)
        axes.axhline(wanted, color="black", linewidth=0.9, linestyle=(0, (4, 3)))
        axes.axhline(0, color="black", linewidth=0.5)
        name = "weight" if half.sign > 0 else "minus the weight"
        reached = half.sign * half.realised
        error = "" if target is None else f", off by {abs(half.realised - target):.1e}"
        axes.set_title(
            f"{half.name} half: {int(half.kept.sum())} of {len(at)} random products kept (blue), running sum (red)\n"
            f"reaches {reached:.6f}{error}",
            fontsize=10,
        )
        axes.set_ylabel(f"{name}, dashed", fontsize=9)
        axes.set_xlabel("candidate: gain x lift weight x mixing weight", fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
    where = "bias" if anatomy.input is None else f"input {anatomy.input}"
    figure.suptitle(f"Layer {anatomy.layer}, output {anatomy.output}, {where}", fontsize=11)
    buffer = io.BytesIO()
    metadata = {"Date": None} if path.suffix == ".svg" else None
    with rc_context({"svg.hashsalt": "slth"}):  # the same picture has the same bytes
        figure.savefig(buffer, format=path.suffix[1:], metadata=metadata, dpi=130)
    return write_atomically(path, buffer.getvalue())
