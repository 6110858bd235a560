"""Networks <-> coefficients: reading targets, building views of tickets. The views need PyTorch and load it on use."""

from typing import TYPE_CHECKING, Any

from slth.network.reading import (
    KEY,
    Stated,
    import_torch,
    is_model_folder,
    is_onnx,
    mlp_from_tensors,
    read_array,
    read_held,
    read_state,
    read_target,
    read_tensors,
    stated_in,
)
from slth.network.stating import stated_of, without_range
from slth.network.tensor_files import safetensors_of

if TYPE_CHECKING:
    from slth.network.architectures import ARCHITECTURES, architecture_of, build_architecture, resolved_arguments
    from slth.network.exports import state_dict
    from slth.network.reading import layers_in, load_folder, load_model, read_layers, state_of_folder
    from slth.network.running import as_taken, ends_in_sigmoid, outputs
    from slth.network.states import apply_to, module_of, source_of, state_of, why_misfit
    from slth.network.training import train_mlp
    from slth.network.views import realised, realised_from, source, target_module
    from slth.network.wrappers import check_filled, check_shaped, overlapping, unwrapped, wrapped_module
    from slth.network.writing import OnnxFile, check_tools, difference_onnx, property_text, ticket_onnx

_LAZY = {
    "ARCHITECTURES": "architectures",
    "OnnxFile": "writing",
    "apply_to": "states",
    "architecture_of": "architectures",
    "build_architecture": "architectures",
    "check_filled": "wrappers",
    "check_shaped": "wrappers",
    "check_tools": "writing",
    "difference_onnx": "writing",
    "as_taken": "running",
    "ends_in_sigmoid": "running",
    "layers_in": "reading",
    "load_model": "reading",
    "module_of": "states",
    "outputs": "running",
    "overlapping": "wrappers",
    "property_text": "writing",
    "read_layers": "reading",
    "realised": "views",
    "realised_from": "views",
    "resolved_arguments": "architectures",
    "source": "views",
    "source_of": "states",
    "state_dict": "exports",
    "state_of": "states",
    "load_folder": "reading",
    "state_of_folder": "reading",
    "target_module": "views",
    "ticket_onnx": "writing",
    "train_mlp": "training",
    "unwrapped": "wrappers",
    "why_misfit": "states",
    "wrapped_module": "wrappers",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    import_torch(f"slth.network.{name}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)


__all__ = [
    "ARCHITECTURES",
    "KEY",
    "OnnxFile",
    "Stated",
    "apply_to",
    "architecture_of",
    "as_taken",
    "build_architecture",
    "check_filled",
    "check_shaped",
    "check_tools",
    "difference_onnx",
    "ends_in_sigmoid",
    "import_torch",
    "is_model_folder",
    "is_onnx",
    "layers_in",
    "load_folder",
    "load_model",
    "mlp_from_tensors",
    "module_of",
    "outputs",
    "overlapping",
    "property_text",
    "read_array",
    "read_held",
    "read_layers",
    "read_state",
    "read_target",
    "read_tensors",
    "realised",
    "realised_from",
    "resolved_arguments",
    "safetensors_of",
    "source",
    "source_of",
    "state_dict",
    "state_of",
    "state_of_folder",
    "stated_in",
    "stated_of",
    "target_module",
    "ticket_onnx",
    "train_mlp",
    "unwrapped",
    "why_misfit",
    "without_range",
    "wrapped_module",
]
