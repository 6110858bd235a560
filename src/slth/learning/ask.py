"""From names to objects: models, data and methods as people write them."""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from numbers import Integral, Real
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin

import numpy as np
from torch import nn

from slth._arguments import one_of
from slth._errors import InputError
from slth.data import Examples, load
from slth.learning.batches import Batches
from slth.learning.controls import controls_of
from slth.learning.devices import fabric_for
from slth.learning.find import SearchResult, find
from slth.learning.gradients import Loss
from slth.learning.guards import check_method
from slth.learning.method import Method
from slth.learning.methods import METHODS, name_of
from slth.learning.policy import Policy
from slth.learning.run_files import RunFiles
from slth.learning.training import Training
from slth.network import build_architecture, resolved_arguments
from slth.ticket import Bound, Builtin, Inputs

_TEST_BATCH = 1000
_CROPPED = ("cifar10",)  # data sets with the standard augmentation


def search(
    model: nn.Module | str | None = None,
    data: Any = "digits",
    method: Method | str = "edge-popup",
    *,
    options: Mapping[str, Any] | None = None,
    arguments: Mapping[str, Any] | None = None,
    seed: int = 0,
    training: Training | None = None,
    policy: Policy | None = None,
    augment: bool | None = None,
    data_dir: str | Path | None = None,
    controls: bool = False,
    devices: int = 1,
    accelerator: str = "cpu",
    files: RunFiles | None = None,
    loss: Loss | None = None,
) -> SearchResult:
    """Find a ticket by training masks on a network: what `slth.search` calls, where all arguments are explained.

    Args:
        training, policy: whole records. None: the method's own.
        files: checkpoint, logs, shared stages, progress.

    Raises:
        InputError: see `attach` and `train`; also for unknown names.
    """
    name, chosen = method_of(method, options)
    training = chosen.training if training is None else training
    source, test_source, label, spec, classes, crop = _examples(data, data_dir, augment)
    x, y = source
    first, network = _model(model, arguments, spec, classes)
    mean, std = (spec.mean or (0.0,), spec.std or (1.0,)) if spec else ((0.0,), (1.0,))
    batches = Batches(x, y, mean, std, training.batch, crop)
    test = None if test_source is None else Batches(*test_source, mean, std, _TEST_BATCH)
    fabric = fabric_for(training, devices=devices, accelerator=accelerator)
    if devices > 1:
        fabric.launch()
    asked = {
        "data": label,
        "network": [network.name, network.arguments] if isinstance(network, Builtin) else [None, {}],
        "augment": crop > 0,
    }
    result = find(
        first, batches, test, chosen, name=name, seed=seed, training=training, policy=policy, network=network,
        inputs=spec, data=label, asked=asked, fabric=fabric, files=files, loss=loss,
    )  # fmt: skip
    if controls and test is not None:
        named = isinstance(result.ticket.network, Builtin)  # not if the method replaced modules
        rebuild = _rebuilder(first, network if named else Bound())
        measured = controls_of(result.ticket, rebuild, batches, test=test, training=training)
        result = replace(result, controls=measured)
    return result


def method_of(method: Method | str, options: Mapping[str, Any] | None = None) -> tuple[str, Method]:
    """(name, method) from a name and settings, or from a method.

    >>> method_of("edge-popup", {"density": 0.3})
    ('edge-popup', EdgePopup(density=0.3, scope='layer', ramp=0.5))
    """
    if not isinstance(method, str):
        check_method(method)
        return name_of(method), replace(method, **(options or {})) if options else method  # pyright: ignore
    known = {field.name: field.type for field in fields(METHODS[one_of(method, METHODS, "method")])}
    for option, value in (options or {}).items():
        one_of(option, known, f"option of {method}")
        _check_kind(f"{method}: {option}", value, known[option])
    return method, METHODS[method](**(options or {}))


_KINDS: dict[Any, tuple[type, str]] = {
    bool: (bool, "true or false"),
    int: (Integral, "a whole number"),
    float: (Real, "a number"),
}


def _check_kind(name: str, value: Any, kind: Any) -> None:
    """A setting is of the kind its method says; texts are checked by the method, which knows the legal ones."""
    kinds = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    wanted = next((part for part in kinds if part in _KINDS), None)
    if wanted is None or (value is None and NoneType in kinds):
        return
    expected, words = _KINDS[wanted]
    if any(get_origin(part) is tuple for part in kinds):
        words = f"{words}, or several"
        if isinstance(value, tuple | list) and all(isinstance(part, expected) for part in value):
            return
    if not isinstance(value, expected) or (isinstance(value, bool) and wanted is not bool):
        one = "; give one of them" if isinstance(value, tuple | list) else ""
        raise InputError(f"{name} must be {words}, got {value!r}{one}")


_Part = tuple[Any, np.ndarray | None]


def _examples(
    data: Any, data_dir: str | Path | None, augment: bool | None
) -> tuple[_Part, _Part | None, str | None, Inputs | None, int | None, int]:
    """(training part, test part, name, what inputs look like, classes, pixels of cropping)."""
    if isinstance(data, (str, Path)):
        data = load(data, data_dir=data_dir)
    if isinstance(data, Examples):
        crop = 4 if (data.name in _CROPPED if augment is None else augment) else 0
        if not len(data.train_x):
            raise InputError(f"{data.name} has no training examples; a search needs some")
        if not data.classes:
            raise InputError(f"{data.name} was not loaded for its labels, which a search needs")
        taken = data.inputs(data.mean, data.std)
        spec = Inputs(taken.shape, taken.mean, taken.std)  # a learned ticket says no range
        return (data.train_x, data.train_y), (data.test_x, data.test_y), data.name, spec, data.classes, crop
    if not (isinstance(data, tuple) and len(data) == 2):
        raise InputError("data: expected a name, an .npz, Examples, or a pair (training set, test set or None)")
    train, test = (_part(part) for part in data)
    if train is None:
        raise InputError("data: the training set is missing")
    return train, test, None, None, None, 4 if augment else 0


def _part(part: Any) -> _Part | None:
    """Arrays (x, y), or a data set of pairs."""
    if part is None:
        return None
    if isinstance(part, tuple) and len(part) == 2:
        x, y = np.asarray(part[0]), np.asarray(part[1]).astype(np.int64)
        if len(x) != len(y) or not len(x):
            raise InputError(f"data: expected one label per example and at least one, got {len(x)} and {len(y)}")
        if x.dtype.kind == "f" and not np.isfinite(x).all():
            raise InputError("data: the examples hold NaN or infinite values; clean them first")
        return x, y
    if hasattr(part, "__len__") and hasattr(part, "__getitem__"):
        return part, None
    raise InputError(f"data: expected arrays (x, y) or a map-style data set, got {type(part).__name__}")


def _model(
    model: nn.Module | str | None, arguments: Mapping[str, Any] | None, spec: Inputs | None, classes: int | None
) -> tuple[nn.Module, Builtin | Bound]:
    if isinstance(model, nn.Module):
        return model, Bound()
    if spec is None or classes is None:
        raise InputError("a named architecture needs named data, which says how large inputs are; or give a module")
    name = "mlp" if model is None else model
    plain = {"inputs": list(spec.shape), "classes": classes, **(arguments or {})}
    return build_architecture(name, plain), Builtin(name, resolved_arguments(name, plain))


def _rebuilder(model: nn.Module, network: Builtin | Bound) -> Callable[[], nn.Module]:
    """Makes a network of the same shape again."""
    from copy import deepcopy

    if isinstance(network, Builtin):
        return lambda: build_architecture(network.name, network.arguments)
    return lambda: deepcopy(model)
