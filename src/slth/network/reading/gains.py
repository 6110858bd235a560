"""Gain and shift behind a standardisation stay a step of their own, carried: maps behind stay the model's tensors."""

import numpy as np

from slth.graph import Scale, Standardise
from slth.network.reading.draft import Diagonal, Draft, Step


def keep_gains(draft: Draft) -> None:
    """Diagonal steps that read a standardisation, one number for each index of an axis, are no longer folded."""
    for step in list(draft.steps.values()):
        if isinstance(step.op, Diagonal) and _stands_behind(draft, step):
            _keep(draft, step)


def _stands_behind(draft: Draft, step: Step) -> bool:
    before = draft.steps.get(step.inputs[0])
    return before is not None and isinstance(before.op, (Standardise, Scale))


def _keep(draft: Draft, step: Step) -> None:
    g, t = step.scale, step.shift
    wide = [axis for axis in range(g.ndim) if max(g.shape[axis], t.shape[axis]) > 1]
    if len(wide) != 1 or ((g == 1).all() and not t.any()):
        return
    parts = {"scale": None if (g == 1).all() else g, "shift": t if t.any() else None}
    arrays = {
        kind: np.array(np.broadcast_to(part.reshape(-1), (step.shape[wide[0]],)))
        for kind, part in parts.items()
        if part is not None
    }
    before = draft.steps[step.inputs[0]]
    alone = len(draft.readers(step.inputs[0])) == 1 and "scale" not in arrays
    if alone and isinstance(before.op, Scale) and before.op.axis == wide[0] and before.op.shift is None:
        arrays, step.inputs = {**before.arrays, **arrays}, before.inputs
    step.arrays = arrays
    step.op = Scale(wide[0], *(kind if kind in arrays else None for kind in ("scale", "shift")))
