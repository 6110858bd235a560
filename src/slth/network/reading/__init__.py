"""Readers: modules, state dicts, files and estimators become targets. What needs PyTorch loads it on use."""

from typing import TYPE_CHECKING, Any

from slth.network.reading.files import import_torch, read_array, read_held, read_tensors
from slth.network.reading.state_dicts import ACTIVATIONS, mlp_from_tensors
from slth.network.reading.stated import KEY, TAKES, Stated, stated_in
from slth.network.reading.target import is_model_folder, is_onnx, read_target

if TYPE_CHECKING:
    from slth.network.reading.loading import load_model


def __getattr__(name: str) -> Any:
    if name != "load_model":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import_torch("slth.network.load_model")
    from slth.network.reading.loading import load_model

    return load_model


__all__ = [
    "ACTIVATIONS",
    "KEY",
    "TAKES",
    "Stated",
    "import_torch",
    "is_model_folder",
    "is_onnx",
    "load_model",
    "mlp_from_tensors",
    "read_array",
    "read_held",
    "read_target",
    "read_tensors",
    "stated_in",
]
