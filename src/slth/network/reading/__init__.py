"""Readers: modules, state dicts, files and estimators become targets. What needs PyTorch loads it on use."""

from typing import TYPE_CHECKING, Any

from slth.network.reading.configurations import is_model_folder
from slth.network.reading.files import import_torch, read_array, read_held, read_tensors
from slth.network.reading.state_dicts import ACTIVATIONS, mlp_from_tensors
from slth.network.reading.stated import KEY, TAKES, Stated, stated_in
from slth.network.reading.target import is_onnx, read_state, read_target

if TYPE_CHECKING:
    from slth.network.reading.folders import load_folder, state_of_folder
    from slth.network.reading.layers import layers_in, read_layers
    from slth.network.reading.loading import load_model

_LAZY = {
    "layers_in": "layers",
    "load_model": "loading",
    "read_layers": "layers",
    "load_folder": "folders",
    "state_of_folder": "folders",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    import_torch(f"slth.network.{name}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)


__all__ = [
    "ACTIVATIONS",
    "KEY",
    "TAKES",
    "Stated",
    "import_torch",
    "is_model_folder",
    "is_onnx",
    "layers_in",
    "load_folder",
    "load_model",
    "mlp_from_tensors",
    "read_array",
    "read_held",
    "read_layers",
    "read_state",
    "read_target",
    "read_tensors",
    "state_of_folder",
    "stated_in",
]
