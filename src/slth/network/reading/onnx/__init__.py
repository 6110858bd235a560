"""ONNX files as targets: loaded, cut, walked by one table of operators, compared with onnxruntime."""

from slth.network.reading.onnx.read import read_onnx

__all__ = ["read_onnx"]
