"""Checkpoints: a training run as a safetensors file, so that reading one runs no code.

Everything the next step depends on: model (scores, masks, buffers), optimiser, stage and step, and the history so far.
Random numbers follow from the seed and the step, so no generator is saved. Written atomically, with a SHA-256 over all
of it: a kill leaves the last one or the new one, never half of either, and a damaged one is refused.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from slth._errors import InputError
from slth._files import unfinished, write_atomically

_FORMAT = "1"
_SHOWN = 4  # differences that a sentence lists


@dataclass(frozen=True, slots=True)
class Position:
    """Where a run stands."""

    stage: int
    step: int  # done in this stage
    loss: float  # sum of the losses since the last row of the history
    history: list[dict[str, Any]]
    redraw: int = 0  # of the masked tensors


def asked_digest(asked: dict[str, Any]) -> str:
    """SHA-256 of what a run was asked for."""
    text = json.dumps(asked, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def pack(
    model: nn.Module, optimizer: torch.optim.Optimizer | None, position: Position, *, asked: dict[str, Any]
) -> bytes:
    """The bytes of a checkpoint."""
    tensors = {f"model/{name}": value for name, value in model.state_dict().items() if isinstance(value, Tensor)}
    if optimizer is not None:
        for index, state in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{index}/{k}": v for k, v in state.items() if isinstance(v, Tensor)}
    copies = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    facts = json.dumps({**asdict(position), "asked": asked}, default=str)
    return save(copies, {"slth_checkpoint": _FORMAT, "facts": facts, "sha256": _digest(facts, copies)})


def write(path: Path, data: bytes) -> None:
    """Replace the last checkpoint.

    Raises:
        InputError: the place cannot be written or the disk is full; the last checkpoint is still there.
    """
    try:
        write_atomically(path, data)
    except InputError as error:
        left = "; the last good checkpoint is still there: free some space and start again" if path.exists() else ""
        raise InputError(f"{error}{left}") from error


def remove_leftovers(path: Path) -> None:
    """Remove what a process that was killed while it wrote this checkpoint has left beside it."""
    with suppress(OSError):
        for file in path.parent.iterdir():
            if unfinished(file.name) == path.name:
                file.unlink()


def read_position(path: Path, asked: dict[str, Any]) -> Position:
    """Where a saved run stands.

    Raises:
        InputError: no checkpoint, a damaged one, or one of another run.
    """
    facts, _ = _read(path)
    wanted = json.loads(json.dumps(asked, default=str))
    if facts["asked"] != wanted:
        there, here = dict(_leaves(facts["asked"])), dict(_leaves(wanted))
        other = [name for name in {**here, **there} if here.get(name, ...) != there.get(name, ...)]
        shown = [f"{name} is {there.get(name, 'absent')} there and {here.get(name, 'absent')} here" for name in other]
        more = f" and {len(other) - _SHOWN} more differences" if len(other) > _SHOWN else ""
        raise InputError(
            f"the checkpoint {path} belongs to another run: {', '.join(shown[:_SHOWN])}{more}; "
            "ask for the same again, or give another file"
        )
    return Position(**{name: facts[name] for name in Position.__slots__})


def restore(path: Path, model: nn.Module, optimizer: torch.optim.Optimizer | None) -> None:
    """Put back what `pack` saved; model and optimiser are those of the same stage of the same run.

    Raises:
        InputError: no checkpoint, a damaged one, or one of another model.
    """
    _, tensors = _read(path)
    state = {name.removeprefix("model/"): value for name, value in tensors.items() if name.startswith("model/")}
    now = {name: value for name, value in model.state_dict().items() if isinstance(value, Tensor)}
    for name in {**now, **state}:
        if name not in now or name not in state or now[name].shape != state[name].shape:
            raise InputError(f"the checkpoint {path} belongs to another model: {name} differs; give another file")
    model.load_state_dict(state, strict=False)
    if optimizer is not None:
        saved = optimizer.state_dict()
        for name, value in tensors.items():
            if name.startswith("optimizer/"):
                _, index, key = name.split("/")
                saved["state"].setdefault(int(index), {})[key] = value
        optimizer.load_state_dict(saved)


def _read(path: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """(facts, tensors), as they were written."""
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("slth_checkpoint") != _FORMAT:
                raise InputError(f"{path} is no checkpoint of slth; give another file name, or remove it")
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if metadata.get("sha256") != _digest(metadata["facts"], tensors):
            raise ValueError("its SHA-256 is another one")
        return json.loads(metadata["facts"]), tensors
    except InputError:
        raise
    except (OSError, SafetensorError, ValueError, KeyError, RuntimeError) as error:
        raise InputError(f"cannot read the checkpoint {path}: {error}; remove it to start again") from error


def _digest(facts: str, tensors: dict[str, Tensor]) -> str:
    digest = hashlib.sha256(facts.encode())
    for name in sorted(tensors):
        value = tensors[name]
        digest.update(f"\n{name} {value.dtype} {tuple(value.shape)}\n".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """("training.lr", 0.1), ...: what nested dictionaries hold."""
    if not isinstance(value, dict) or not value:
        yield name or "what was asked", value
        return
    for key, inner in value.items():
        yield from _leaves(inner, f"{name}.{key}" if name else str(key))
