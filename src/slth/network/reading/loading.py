"""Models from Python code: `package.module:function`, or `net.py:function`. Naming one runs its code."""

import importlib
import importlib.util
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import nn

from slth._errors import InputError
from slth.network.reading.checkpoints import state_in
from slth.network.reading.files import TORCH, import_torch, read_tensors, torch_file
from slth.network.reading.words import first_line, listed, shown


def load_model(spec: str, state: str | Path | None = None) -> nn.Module:
    """The module that a function without arguments gives, in evaluation mode. This runs the code of the file.

    Args:
        spec: `package.module:function`, found as `python -m` finds modules, in the working folder first, or
            `net.py:function`; the function may be a class, or a module that is there already.
        state: a file of a state dict that is loaded into the module, strictly.

    Raises:
        InputError: no such file, module or function; it fails, or gives something else; names or shapes that differ.
    """
    place, colon, name = spec.rpartition(":")
    if not colon or not place or not name.isidentifier():
        raise InputError(f"expected package.module:function or net.py:function, got {shown(spec)!r}")
    with _folder_first(Path(place).parent if place.endswith(".py") else Path()):
        function = _attribute(_module(place), name, place)
        try:
            model = function if isinstance(function, nn.Module) else function()
        except Exception as error:  # whatever the user's own code raises
            raise InputError(f"{shown(spec)} failed: {type(error).__name__}: {first_line(error)}") from error
    if not isinstance(model, nn.Module):
        raise InputError(f"{shown(spec)} gives {type(model).__name__}; expected an nn.Module")
    if state is not None:
        _load(model, Path(state))
    return model.eval()


@contextmanager
def _folder_first(folder: Path) -> Generator[None]:
    """Modules are looked for in this folder first, as `python net.py` and `python -m package.module` do."""
    before = sys.path[:]
    sys.path.insert(0, str(folder.resolve()))
    try:
        yield
    finally:
        sys.path[:] = before


def _module(place: str) -> Any:
    try:
        if not place.endswith(".py"):
            return importlib.import_module(place)
        if not Path(place).is_file():
            raise InputError(f"cannot load a model from {shown(place)}: no such file")
        found = importlib.util.spec_from_file_location(Path(place).stem, place)
        assert found is not None
        assert found.loader is not None
        module = importlib.util.module_from_spec(found)
        sys.modules.setdefault(found.name, module)  # so that its classes can be found by name
        found.loader.exec_module(module)
    except InputError:
        raise
    except Exception as error:  # whatever the user's own code raises
        raise InputError(
            f"cannot load a model from {shown(place)}: {type(error).__name__}: {first_line(error)}"
        ) from error
    return module


def _attribute(module: Any, name: str, place: str) -> Any:
    found = getattr(module, name, None)
    if not callable(found):
        known = [other for other, value in vars(module).items() if callable(value) and not other.startswith("_")]
        raise InputError(f"{shown(place)} has no function {name}; it has {listed(known) or 'none'}")
    return found


def _load(model: nn.Module, path: Path) -> None:
    """Every name and shape of the file is one of the module, and the other way round."""
    torch = import_torch("loading a state dict")
    if path.suffix in TORCH and path.is_file():
        state = dict(state_in(torch_file(path), str(path)))
    else:
        state = {name: torch.from_numpy(array) for name, array in read_tensors(path).items()}
    known = model.state_dict()
    state = _without_prefix(state, set(known))
    for what, names in (("lacks", known.keys() - state.keys()), ("has no place for", state.keys() - known.keys())):
        if names:
            whose = "the file" if what == "lacks" else "the model"
            raise InputError(f"{shown(path)} does not fit the model: {whose} {what} {listed(sorted(names))}")
    try:
        model.load_state_dict(state, strict=True)
    except RuntimeError as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise InputError(f"{shown(path)} does not fit the model: {shown(lines[-1], 200)}") from error


def _without_prefix(state: dict[str, Any], known: set[str]) -> dict[str, Any]:
    """Names inside a wrapper of one's own, model.fc1.weight, if they are the module's without it."""
    first = {name.partition(".")[0] for name in state}
    inner = {name.partition(".")[2]: value for name, value in state.items()}
    return inner if len(first) == 1 and not known & set(state) and known & set(inner) else state
