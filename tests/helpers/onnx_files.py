"""ONNX files in onnxruntime."""

import numpy as np
import onnxruntime


def run(path, x):
    """The one output of the one input, numbers or tokens, in one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    (entry,) = session.get_inputs()
    (y,) = session.run(["output"], {"input": np.asarray(x, np.int64 if "int64" in entry.type else np.float32)})
    return y


def uniform(box, count, seed=3):
    """Inputs of a box, float32."""
    rng = np.random.default_rng(seed)
    return (box.lower + (box.upper - box.lower) * rng.random((count, *box.shape))).astype(np.float32)
