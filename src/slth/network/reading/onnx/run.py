"""What was read against what onnxruntime computes, on random inputs: they differ by float32 rounding, or it is wrong.

What rounding allows is measured as for modules, see `compare`. Where onnxruntime does not know an opset or an operator,
the reference of the package onnx runs instead.
"""

from typing import Any

import numpy as np
import torch

from slth._errors import InputError
from slth._extras import install
from slth.graph import Target
from slth.network.reading.compare import Found, difference_of, inputs_of
from slth.network.reading.onnx.cut import Part, needed
from slth.network.reading.onnx.files import MOST_BYTES, import_onnx
from slth.network.reading.words import first_line, shown
from slth.ticket import Inputs

SINGLE = 2.0**-24  # unit roundoff of float32
HALVES = {10: 2.0**-11, 16: 2.0**-8}  # of float16 and bfloat16, as ONNX numbers them


def check_same(target: Target, model: Any, part: Part, *, domain: Inputs | None) -> None:
    """A target computes what the part of the model does that it was read from.

    Raises:
        InputError: the largest difference, and what rounding allows; a model that does not run.
    """
    x = inputs_of(torch.zeros(1, *part.shape), None if domain is None else domain.box, None).float()
    x = x if part.batch is None else x[torch.arange(part.batch) % len(x)]
    y = run_part(model, part, x.numpy())
    if not np.isfinite(y).all():
        raise InputError(
            "on random inputs the model gives infinity or NaN; a network with finite outputs is read: narrow the input "
            "range, or begin behind what divides or takes logarithms, --from NODE"
        )
    difference, allowed = difference_of(target, x, Found(torch.from_numpy(y), _unit(part)))
    if not difference <= allowed:
        raise InputError(
            f"what was read differs from what onnxruntime computes by {difference:.3g} on random inputs, where "
            f"rounding allows {allowed:.3g}; please report this"
        )


def _unit(part: Part) -> float:
    """The largest unit roundoff of the types that values have on the way."""
    casts = (node for node in part.nodes if node.op_type == "Cast" and node.input[0] not in part.constants)
    kinds = {part.kind, *(attribute.i for node in casts for attribute in node.attribute if attribute.name == "to")}
    return max(HALVES.get(kind, SINGLE) for kind in kinds)


def run_part(model: Any, part: Part, x: np.ndarray) -> np.ndarray:
    """The outputs of a part of a model for inputs (count, ...), in float64.

    Where any size of the batch will do, one of 1 and one of the rest, 2: a graph may ask if it is 1, or even.
    """
    own = submodel(model, part)
    onnx = import_onnx("running a model")
    x = x.astype(onnx.helper.tensor_dtype_to_np_dtype(part.kind))
    batches = [x] if part.batch is not None else [x[:1], x[1:]]

    def outputs(made: Any) -> np.ndarray:
        return np.concatenate([made.run(None, {part.start: batch})[0] for batch in batches])

    try:
        found = outputs(session(own))
    except InputError:
        raise
    except Exception as error:  # onnxruntime raises types of its own
        try:
            found = outputs(onnx.reference.ReferenceEvaluator(own))
        except Exception:
            raise InputError(
                f"the model cannot run on inputs of shape {part.shape} (without the batch): {first_line(error)}"
            ) from error
    return np.asarray(found).astype(np.float64)


def session(model: Any) -> Any:
    """A model, or its bytes, ready to run on one thread, without messages."""
    try:
        import onnxruntime
    except ImportError as error:
        raise InputError(f"running an ONNX model needs onnxruntime: {install('onnx')}") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # beyond BASIC onnxruntime multiplies quantised weights in other roundings than their floats have
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    given = model if isinstance(model, bytes) else model.SerializeToString()
    return onnxruntime.InferenceSession(given, options, providers=["CPUExecutionProvider"])


def submodel(model: Any, part: Part) -> Any:
    """A model of its own: the nodes of a part, its input with a batch of any size, its output."""
    onnx = import_onnx("cutting a graph")
    nodes, free = needed(model.graph, part.end, [part.start])
    constants = [tensor for tensor in model.graph.initializer if tensor.name in free]
    if sum(tensor.ByteSize() for tensor in constants) > MOST_BYTES:
        raise InputError(f"the constants that lead to {shown(part.end)} take more than 2 GiB, and are not run here")
    enters = onnx.helper.make_tensor_value_info(part.start, part.kind, [part.batch or "batch", *part.shape])
    leaves = onnx.ValueInfoProto(name=part.end)
    graph = onnx.helper.make_graph(nodes, "part", [enters], [leaves], constants)
    return onnx.helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
