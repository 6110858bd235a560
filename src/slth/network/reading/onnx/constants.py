"""What nodes with constant inputs give, as ONNX defines it: no more numbers than a network can hold.

A file of a hundred bytes can ask for 10¹² numbers. How many a node gives follows from the shapes of its inputs, and
from their numbers where they are few, before anything is computed.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from slth._errors import InputError
from slth.network.reading.draft import MOST_ENTRIES
from slth.network.reading.onnx.files import import_onnx

FEW = 64  # numbers of an input that may say a shape
UNSAID = ("OneHot",)  # operators whose sizes ONNX does not infer


def computed(node: Any, feeds: Mapping[str, np.ndarray], opset: int) -> list[np.ndarray]:
    """The outputs of a node, by the reference of ONNX.

    Raises:
        InputError: more numbers than a network can hold. The reference raises whatever it likes.
    """
    count = _entries(node, feeds, opset)
    if count > MOST_ENTRIES:
        raise InputError(f"there would be {count:,} numbers, and {MOST_ENTRIES:,} are read")
    run = import_onnx("computing constants").reference.ReferenceEvaluator(node, opsets={"": opset}).run
    with np.errstate(all="ignore"):
        return [np.asarray(part) for part in run(None, dict(feeds))]


def _entries(node: Any, feeds: Mapping[str, np.ndarray], opset: int) -> int:
    """The largest size of an output, as ONNX infers it; 0 if it cannot say."""
    if node.op_type in UNSAID:
        return math.prod(
            abs(int(array.reshape(-1)[0])) if i == 1 else array.size for i, array in enumerate(feeds.values())
        )
    onnx = import_onnx("computing constants")
    helper = onnx.helper
    enters = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in feeds.items()
    ]
    known = [onnx.numpy_helper.from_array(array, name) for name, array in feeds.items() if array.size <= FEW]
    graph = helper.make_graph([node], "node", enters, [], known)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    try:
        found = onnx.shape_inference.infer_shapes(model).graph.value_info
    except Exception:  # the reference says what is wrong
        return 0
    shapes = [value.type.tensor_type.shape.dim for value in found]
    return max((math.prod(dim.dim_value or 1 for dim in dims) for dims in shapes), default=0)
