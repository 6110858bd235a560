"""An ONNX file as a target: a part of its graph, folded, compared with onnxruntime."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from slth.graph import Shape, Target
from slth.network.reading.attend import attend
from slth.network.reading.checkpoints import Held, held_of
from slth.network.reading.finish import target_of
from slth.network.reading.folds import fold
from slth.network.reading.onnx.cut import Part, part_of
from slth.network.reading.onnx.files import array_of, checked, load_onnx
from slth.network.reading.onnx.run import check_same
from slth.network.reading.onnx.walk import draft_of
from slth.network.reading.simplify import simplify
from slth.ticket import Inputs


def read_onnx(
    source: Any,
    *,
    input_shape: Shape | None = None,
    from_node: str | None = None,
    to_node: str | None = None,
    domain: Inputs | None = None,
    exact: bool = False,
) -> Target:
    """The network in an ONNX file, or in a model that is loaded, as its operators compute in real arithmetic.

    Numbers in attributes are float32 there and read as the shortest decimal that rounds to them: 1e-05. A map is called
    after the module of its weight's name, else after the weight.

    Args:
        source: a path, or an `onnx.ModelProto`.
        input_shape: of one input, without the batch, where the file does not say it.
        from_node, to_node: the part to read, see `part_of`.
        domain: the inputs on which the reading is compared; None: normal random numbers.
        exact: nothing is folded, and every tensor of the file is told, see `own_tensors`.

    Raises:
        InputError: what cannot be read, by the name of its node; a reading that differs from what onnxruntime computes.
    """
    path = Path(source) if isinstance(source, (str, Path)) else None
    model = checked(source, "the model") if path is None else load_onnx(path)
    part = part_of(model, from_node=from_node, to_node=to_node, input_shape=input_shape)
    draft = draft_of(model, part, unfolded=exact)
    simplify(draft)
    attend(draft)
    if not exact:
        fold(draft)
    state = _state(part) if exact else None
    target = target_of(draft, lambda name: _numbers(part, name), assumed=_assumed(part), state=state)
    check_same(target, model, part, domain=domain)
    said = {"from_node": from_node, "to_node": to_node}
    return replace(target, cut={name: node for name, node in said.items() if node is not None})


def _state(part: Part) -> dict[str, Held]:
    """The tensors of the file that the part reads, in their own formats."""
    read = {name for node in part.nodes for name in node.input}
    return {name: held_of(name, array_of(tensor)) for name, tensor in part.constants.items() if name in read}


def _numbers(part: Part, name: str) -> np.ndarray | None:
    """A tensor of the file in float64."""
    tensor = part.constants.get(name)
    if tensor is None:
        return None
    array = array_of(tensor)
    return array.astype(np.float64) if array.dtype.kind in "fV" else None


def _assumed(part: Part) -> list[str]:
    if part.batch is None or part.batch < 1:
        return []
    return [f"the file fixes the batch at {part.batch}; every example is taken alike, so that any number can be given"]
