"""Small ONNX models, spelled out; what onnxruntime computes of one."""

import numpy as np
import onnx
import onnx.shape_inference
import onnxruntime
from onnx import TensorProto, helper, numpy_helper


def model(nodes, *, shape, constants=None, output="y", opset=18, batch="batch"):
    """A model of nodes (operator, inputs, outputs, attributes) from "x" to an output, all separated by spaces.

    Args:
        shape: of one input, without the batch; None: the file does not say it.
        constants: arrays by name.
        output: names of the outputs.
    """
    made = [
        helper.make_node(kind, inputs.split(), outputs.split(), name=f"n{i}", **attributes)
        for i, (kind, inputs, outputs, attributes) in enumerate(nodes)
    ]
    for node in made:
        node.input[:] = ["" if name == "-" else name for name in node.input]
    tensors = [numpy_helper.from_array(np.asarray(array), name) for name, array in (constants or {}).items()]
    enters = helper.make_tensor_value_info("x", TensorProto.FLOAT, None if shape is None else [batch, *shape])
    leaves = [onnx.ValueInfoProto(name=name) for name in output.split()]
    for value in leaves:
        value.type.tensor_type.elem_type = TensorProto.FLOAT
    graph = helper.make_graph(made, "graph", [enters], leaves, tensors)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8 if opset < 20 else 10)
    return onnx.shape_inference.infer_shapes(made)  # fills in the shapes of outputs, without which no model is valid


def behind_a_map(nodes, *, shape, constants=None, **arguments):
    """The same, where the nodes read "h", which is x through a convolution with one tap, or a dense layer."""
    rng = np.random.default_rng(0)
    channels, axes = shape[0], len(shape) - 1
    weight = rng.normal(size=(channels, channels, *(1,) * axes)).astype(np.float32)
    first = ("Conv", "x w0", "h", {}) if axes else ("Gemm", "x w0", "h", {"transB": 1})
    return model([first, *nodes], shape=shape, constants={"w0": weight, **(constants or {})}, **arguments)


def run(made, x):
    """The outputs of a model, as onnxruntime computes them in float32."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x.astype(np.float32)})
