"""Targets from files and modules: safetensors, `.pt` (tensors only, never code), `nn.Sequential`, state dicts."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from slth._errors import InputError
from slth.graph import Target
from slth.network.mlp import mlp_from_tensors

_SILENT = ("Flatten", "Identity", "Dropout")  # modules that compute nothing at inference


def read_target(source: Any, *, order: Sequence[str] | None = None, activation: str | None = None) -> Target:
    """The target network behind a path, a state dict or an `nn.Sequential`.

    Args:
        source: a path to `.safetensors`, `.pt` or `.pth`; a mapping of names to arrays or tensors; a module; a `Target`
            is given back.
        order: the layers' names from input to output, for state dicts that do not tell.
        activation: between the layers of a state dict; None assumes ReLU and says so.

    Raises:
        InputError: one sentence on what was expected, what arrived, what to try.
    """
    if isinstance(source, Target):
        return source
    if isinstance(source, (str, Path)):
        return mlp_from_tensors(read_tensors(Path(source)), order=order, activation=activation)
    if isinstance(source, Mapping):
        return mlp_from_tensors(_as_arrays(source), order=order, activation=activation)
    if hasattr(source, "state_dict"):
        return _from_sequential(source)
    raise InputError(
        f"a target is a path, a state dict or an nn.Sequential; got {type(source).__name__}: pass model.state_dict()"
    )


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """The named tensors of a state-dict file."""
    if not path.is_file():
        what = "it is a folder" if path.is_dir() else "no such file"
        raise InputError(f"cannot read the target {path}: {what}; expected a .safetensors or .pt state dict")
    if path.suffix == ".safetensors":
        return _read_safetensors(path)
    if path.suffix in (".pt", ".pth"):
        return _read_torch(path)
    raise InputError(f"cannot read the target {path}: expected the suffix .safetensors, .pt or .pth")


def _read_safetensors(path: Path) -> dict[str, np.ndarray]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise InputError(f"cannot read the target {path}: not a whole safetensors file ({error})") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"cannot read the target {path}: a type NumPy lacks ({error}); save it as float32") from error


def _read_torch(path: Path) -> dict[str, np.ndarray]:
    torch = import_torch("reading a .pt file")
    try:
        data = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises a dozen types for a file that is not one of its own
        reason = str(error).splitlines()[0][:160] if str(error) else type(error).__name__
        raise InputError(f"cannot read the target {path}: not a plain PyTorch state dict ({reason})") from error
    while isinstance(data, Mapping) and "state_dict" in data and isinstance(data["state_dict"], Mapping):
        data = data["state_dict"]
    if not isinstance(data, Mapping):
        raise InputError(f"cannot read the target {path}: expected a state dict, got {type(data).__name__}")
    return _as_arrays(data)


def _as_arrays(tensors: Mapping[Any, Any]) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {}
    for name, tensor in tensors.items():
        if hasattr(tensor, "detach"):
            tensor = tensor.detach().cpu()
            tensor = (tensor.double() if tensor.is_floating_point() else tensor).numpy()
        if not isinstance(tensor, np.ndarray):
            raise InputError(f"the state dict holds {type(tensor).__name__} under {name!r}; expected tensors only")
        arrays[str(name)] = tensor
    return arrays


def _from_sequential(module: Any) -> Target:
    """Linear, ReLU, Linear, ..., Linear, nested or not, with modules between that do nothing at inference."""
    torch = import_torch("reading a module")
    known = {torch.nn.Linear: "Linear", torch.nn.ReLU: "ReLU"}
    chain: list[str] = []
    wants = "Linear"
    for name, part in _parts(module, "", torch):
        if type(part) in [getattr(torch.nn, kind) for kind in _SILENT]:
            continue
        kind = known.get(type(part))
        if kind is None:
            raise InputError(f"unknown layer {name}: {type(part).__name__}; this construction reads Linear and ReLU")
        if kind != wants:
            raise InputError(f"expected {wants} at {name}, got {kind}; Linear and ReLU must alternate, Linear first")
        if kind == "Linear":
            chain.append(name)
        wants = "ReLU" if kind == "Linear" else "Linear"
    if not chain:
        raise InputError("the nn.Sequential holds no Linear layer")
    if wants != "ReLU":
        raise InputError("expected the network to end in a Linear layer, got a ReLU; drop it or add a layer")
    return mlp_from_tensors(_as_arrays(module.state_dict()), order=chain, activation="relu")


def _parts(module: Any, prefix: str, torch: Any) -> Iterator[tuple[str, Any]]:
    """The modules in the order they run; a module that stands twice comes twice. No forward but PyTorch's own."""
    if type(module) is not torch.nn.Sequential:
        raise InputError(
            f"expected an nn.Sequential of Linear and ReLU, got {type(module).__name__}; "
            "pass model.state_dict() if it is a plain ReLU MLP"
        )
    for name, part in module._modules.items():
        if part._forward_hooks or part._forward_pre_hooks or module._forward_hooks or module._forward_pre_hooks:
            raise InputError(f"{prefix}{name} has forward hooks, which may change what it computes; remove them first")
        if isinstance(part, torch.nn.Sequential):
            yield from _parts(part, f"{prefix}{name}.", torch)
        else:
            yield f"{prefix}{name}", part


def import_torch(purpose: str) -> Any:
    """PyTorch, or one sentence on how to get it."""
    try:
        import torch
    except ImportError as error:
        raise InputError(f"{purpose} needs PyTorch: pip install 'slth[nn]'") from error
    return torch
