"""Embeddings: tables that are carried, those that are the weight of a head, and those made into maps on request."""

import numpy as np

from slth.graph import Affine, Dense, Embedding, Linear, OneHot
from slth.network.reading.draft import Draft, Step


def tie_tables(draft: Draft, *, ticketed: bool = False) -> None:
    """A table that is the weight of a head reads that map; on request any other becomes a map over one-hot vectors."""
    for step in draft.steps.values():
        if not isinstance(step.op, Embedding):
            continue
        step.tied = next((name for name, other in draft.steps.items() if _is_head(other, step)), "")
        if step.tied:
            draft.tied |= step.tensors[0]
        elif ticketed:
            table = step.arrays.pop("table")
            count, width = table.shape
            step.op = Linear("", OneHot(count, width), False)
            step.affine = Affine(np.ascontiguousarray(table.T, np.float64)[:, :, None], None)


def _is_head(step: Step, table: Step) -> bool:
    """A dense map with one output for each token, whose weight is the table: the same tensor of the model."""
    if not isinstance(step.op, Linear) or not isinstance(step.op.basis, Dense) or not table.tensors[0]:
        return False
    same = step.tensors[0] == table.tensors[0] and step.affine is not None
    return same and np.array_equal(step.numbers.table, table.arrays["table"])
