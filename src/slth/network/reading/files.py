"""Files of named tensors: safetensors, `.pt` and its kin (tensors only, never code), `.npz`."""

import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from slth._errors import InputError
from slth._extras import install
from slth.network.reading.checkpoints import Held, arrays_of, held_of, state_in
from slth.network.reading.words import first_line, shown

TORCH = (".pt", ".pth", ".bin", ".ckpt")
SUFFIXES = (".safetensors", *TORCH, ".npz")
SAVED = ("model.safetensors", "pytorch_model.bin")  # by `save_pretrained`


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """The named tensors of a state-dict file, prefixes of wrappers taken off.

    Raises:
        InputError: no such file, another kind of file, one that is broken or holds something else.
    """
    return arrays_of(_state(path))


def read_held(path: Path) -> dict[str, Held]:
    """The same with the number format of each."""
    return {name: held_of(name, tensor) for name, tensor in _state(path).items()}


def _state(path: Path) -> Mapping[str, Any]:
    """The tensors as their file has them."""
    if path.suffix == ".py" or ".py:" in path.name:
        spec = shown(path if ":" in path.name else f"{path}:function")
        raise InputError(f"{shown(path)} is code, and a target is a file of weights: --model {spec} runs it")
    if path.suffix == ".slth":
        raise InputError(
            f"{shown(path)} is a ticket, and a target is the trained network that one is made of; "
            "slth.realised(ticket) is the network that it computes, slth export writes it"
        )
    if path.is_dir():
        return _folder(path)
    check_plain(path, "a .safetensors or .pt state dict, or an .onnx file")
    if path.suffix not in SUFFIXES:
        raise InputError(
            f"cannot read the target {shown(path)}: expected the suffix {', '.join(SUFFIXES)}, or of a graph .onnx"
        )
    if path.suffix in TORCH:
        return state_in(torch_file(path), str(path))
    return state_in(_safetensors(path) if path.suffix == ".safetensors" else _npz(path), str(path))


def _folder(path: Path) -> Mapping[str, Any]:
    """What `save_pretrained` has written: one file, or several with an index of which tensor is in which."""
    for name in SAVED:
        if (path / name).is_file():
            return _state(path / name)
        index = path / f"{name}.index.json"
        if index.is_file():
            parts = [_state(path / part) for part in parts_of(index)]
            return {name: array for part in parts for name, array in part.items()}
    raise InputError(
        f"cannot read the target {shown(path)}: it is a folder without {' or '.join(SAVED)}; expected a .safetensors "
        "or .pt state dict, an .onnx file, or a folder that save_pretrained has written"
    )


def parts_of(index: Path) -> list[str]:
    """The files beside an index that it names."""
    try:
        found = json.loads(index.read_bytes())["weight_map"]
        names = list(dict.fromkeys(found.values()))
        if all(isinstance(name, str) and Path(name).name == name for name in names):
            return names
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    raise InputError(f"cannot read the target {shown(index)}: it does not say which tensor is in which file beside it")


def check_plain(path: Path, expected: str, *, what: str = "the target") -> None:
    """There is such a file.

    Raises:
        InputError: there is none, or a folder, or what is no plain file.
    """
    if not path.is_file():
        why = "it is a folder" if path.is_dir() else "it is no plain file" if path.exists() else "no such file"
        raise InputError(f"cannot read {what} {shown(path)}: {why}; expected {expected}")


def torch_file(path: Path) -> Any:
    """What `torch.save` wrote, without running any code of it."""
    torch = import_torch("reading a .pt file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises a dozen types for a file that is not one of its own
        raise InputError(f"cannot read the target {shown(path)}: {_why(error)}") from error


def _why(error: Exception) -> str:
    """What a file holds instead of tensors, and how to save those."""
    text = str(error)
    if "TorchScript" in text:
        return (
            "it is a TorchScript archive, which hides its operators; save the tensors of the module behind it, "
            "torch.save(model.state_dict(), path), or pass the module itself"
        )
    start = text.find("GLOBAL ")
    kind = text[start + 7 :].split()[0] if start >= 0 else None
    if kind is None and "weights_only" not in text and "Weights only" not in text:
        return (
            "not a plain PyTorch state dict: another kind of file, or a part of one; get a fresh copy, or write it "
            "with torch.save(model.state_dict(), path)"
        )
    what = f"it holds Python objects ({shown(kind, 80)})" if kind else "it holds Python objects"
    return (
        f"not a plain PyTorch state dict: {what}, and loading them would run code; where the model can be loaded, save "
        "its tensors instead, torch.save(model.state_dict(), path), or pass the model itself"
    )


def _safetensors(path: Path) -> Mapping[str, Any]:
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError, MemoryError) as error:
        reason = f"not a whole safetensors file ({first_line(error, 160)})"
        raise InputError(f"cannot read the target {shown(path)}: {reason}") from error
    except (KeyError, TypeError, AttributeError):  # a type that NumPy lacks, such as bfloat16
        import_torch("reading a file of bfloat16 or float8")
        from safetensors.torch import load_file as load_tensors

        return load_tensors(path)


def _npz(path: Path) -> Mapping[str, Any]:
    from zipfile import BadZipFile, is_zipfile

    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, BadZipFile, EOFError, AttributeError) as error:
        why = first_line(error, 160) if is_zipfile(path) else "another kind of file, or a part of one"
        reason = f"not a whole .npz of plain arrays ({why}); write it with np.savez"
        raise InputError(f"cannot read the target {shown(path)}: {reason}") from error


def read_array(path: str | Path) -> np.ndarray:
    """One array, of a `.npy`, an `.npz` (its `x`, or the only one) or a `.safetensors` of one tensor.

    Raises:
        InputError: no such file, or several arrays.
    """
    path = Path(path)
    check_plain(path, "a .npy, .npz or .safetensors of one array", what="the example")
    if path.suffix == ".npy":
        try:
            return np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise InputError(f"cannot read {shown(path)}: not a whole .npy ({first_line(error, 160)})") from error
    if path.suffix not in (".npz", ".safetensors"):
        raise InputError(f"cannot read an example from {shown(path)}: expected .npy, .npz or .safetensors")
    found = _npz(path) if path.suffix == ".npz" else _safetensors(path)
    name = "x" if "x" in found else next(iter(found), "")
    if not found or (len(found) > 1 and name != "x"):
        raise InputError(f"{shown(path)} holds {len(found)} arrays; an example is one, or the one called x")
    return arrays_of({name: found[name]})[name]


def import_torch(purpose: str) -> Any:
    """PyTorch, or one sentence on how to get it."""
    try:
        import torch
    except ImportError as error:
        raise InputError(f"{purpose} needs PyTorch: {install('nn')}") from error
    return torch
