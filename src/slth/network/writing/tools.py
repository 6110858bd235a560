"""What writing an ONNX file takes beside PyTorch: asked for before any work."""

from importlib import import_module

from slth._errors import InputError
from slth._extras import install

TOOLS = ("onnx", "onnxscript", "onnxruntime")


def check_tools() -> None:
    """All of them are installed, and whole.

    Raises:
        InputError: naming those that are not.
    """
    missing = [name for name in TOOLS if not _imports(name)]
    if missing:
        raise InputError(f"writing an ONNX file needs {', '.join(missing)}: {install('onnx')}")


def _imports(name: str) -> bool:
    try:
        import_module(name)
    except ImportError:
        return False
    return True
