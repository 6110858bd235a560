"""What writing an ONNX file takes beside PyTorch: asked for before any work."""

from importlib.util import find_spec

from slth._errors import InputError

TOOLS = ("onnx", "onnxscript", "onnxruntime")


def check_tools() -> None:
    """All of them are installed.

    Raises:
        InputError: naming those that are not.
    """
    missing = [name for name in TOOLS if find_spec(name) is None]
    if missing:
        raise InputError(f"writing an ONNX file needs {', '.join(missing)}: pip install 'slth[onnx]'")
