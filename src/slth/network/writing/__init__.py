"""Writers: modules as ONNX files, the difference of two networks, what a verifier is asked about it."""

from slth.network.writing.networks import OnnxFile, difference_onnx, ticket_onnx
from slth.network.writing.tools import check_tools
from slth.network.writing.vnnlib import property_text

__all__ = ["OnnxFile", "check_tools", "difference_onnx", "property_text", "ticket_onnx"]
