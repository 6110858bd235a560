"""Networks <-> coefficients: reading targets, building views of tickets. The views need PyTorch and load it on use."""

from typing import TYPE_CHECKING, Any

from slth.network.reading import import_torch, is_onnx, mlp_from_tensors, read_target, read_tensors

if TYPE_CHECKING:
    from slth.network.architectures import ARCHITECTURES, build_architecture, resolved_arguments
    from slth.network.exports import state_dict
    from slth.network.reading import load_model
    from slth.network.states import apply_to, module_of, source_of, state_of
    from slth.network.training import train_mlp
    from slth.network.views import outputs, realised, realised_from, source, target_module

_LAZY = {
    "ARCHITECTURES": "architectures",
    "apply_to": "states",
    "build_architecture": "architectures",
    "load_model": "reading",
    "module_of": "states",
    "outputs": "views",
    "realised": "views",
    "realised_from": "views",
    "resolved_arguments": "architectures",
    "source": "views",
    "source_of": "states",
    "state_dict": "exports",
    "state_of": "states",
    "target_module": "views",
    "train_mlp": "training",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    import_torch(f"slth.network.{name}")
    return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)


__all__ = [
    "ARCHITECTURES",
    "apply_to",
    "build_architecture",
    "import_torch",
    "is_onnx",
    "load_model",
    "mlp_from_tensors",
    "module_of",
    "outputs",
    "read_target",
    "read_tensors",
    "realised",
    "realised_from",
    "resolved_arguments",
    "source",
    "source_of",
    "state_dict",
    "state_of",
    "target_module",
    "train_mlp",
]
