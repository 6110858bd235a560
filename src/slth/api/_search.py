"""Tickets found by training masks. Loads PyTorch and Lightning Fabric."""

import sys
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING, Any

from slth import _arguments
from slth.api._show import Row, Section
from slth.learning import (
    METHODS,
    PRESETS,
    Loss,
    Method,
    Policy,
    Preset,
    RunFiles,
    SearchResult,
    Training,
    first_process,
    method_of,
)
from slth.learning import preset as find_preset
from slth.learning import search as _search
from slth.network import ARCHITECTURES, resolved_arguments
from slth.records import verbs

if TYPE_CHECKING:
    from torch import nn

__all__ = ["check_search", "choices", "first_process", "search"]


def search(
    model: "nn.Module | str | None" = None,
    data: Any = None,
    method: Method | str | None = None,
    *,
    preset: str | None = None,
    options: Mapping[str, Any] | None = None,
    arguments: Mapping[str, Any] | None = None,
    training: Training | Mapping[str, Any] | None = None,
    policy: Policy | Mapping[str, Any] | None = None,
    augment: bool | None = None,
    seed: int = 0,
    controls: bool = False,
    checkpoint: str | Path | None = None,
    logs: str | Path | None = None,
    data_dir: str | Path | None = None,
    devices: int = 1,
    accelerator: str = "cpu",
    every: float = 30.0,
    share: Callable[[str, Callable[[], bytes]], Path] | None = None,
    progress: Callable[[int, int], None] | None = None,
    loss: Loss | None = None,
) -> SearchResult:
    """Find a ticket by training masks on a network.

    Args:
        model: a module (changed in place: afterwards it holds the masked weights), the name of an architecture, or
            None: an MLP with 64 hidden units.
        data: a name ("digits", "mnist", "fashion_mnist", "cifar10"), an `.npz`, `Examples`, or a pair (training set,
            test set or None) of PyTorch data sets or of array pairs (x, y). None: the digits.
        method: a method, or its name with `options` as its settings: "edge-popup", "biprop", "supermask", "magnitude",
            "perturbed-edge-popup". None: edge-popup.
        preset: published settings by name; whatever else is said overrides them.
        arguments: of a named architecture: width, hidden.
        training, policy: the method's own, with these settings changed; or whole records.
        augment: random crops and flips; None: for CIFAR-10.
        seed: names the random weights, the first scores and the order of the data.
        controls: also measure what the ticket is worth: see `slth.learning.controls`.
        checkpoint: a file to save the run in and to resume it from; `every`: seconds between two of them.
        logs: a folder for `history.csv` and TensorBoard's events, if that is installed.
        data_dir: the folder of the image data sets.
        devices, accelerator: as Lightning Fabric takes them; with several devices run under `torchrun`.
        share: (name, make) -> a file made once: where runs leave the outcome of stages that others may need, too.
        progress: called with (steps done, steps).
        loss: (outputs, y) -> a scalar, for other tasks than classification; then no accuracy is measured.

    Raises:
        InputError: see `attach` and `slth.learning.trainer.train`; also for unknown names.
    """
    places = {"checkpoint": checkpoint, "logs": logs, "data_dir": data_dir}
    places = {name: verbs.read(verbs.Search, name, place) for name, place in places.items()}
    asked = verbs.Search(seed=seed, devices=devices, **places)
    verbs.check_apart(verbs.Search, data=data, **places)
    known = None if preset is None else find_preset(preset)
    chosen, how, what = _settings(known, method, options, training, policy)
    return _search(
        known.model if model is None and known else model,
        (known.data if known else _unsaid("data")) if data is None else data,
        chosen,
        arguments=arguments,
        seed=asked.seed,
        training=how,
        policy=what,
        augment=augment,
        data_dir=asked.data_dir,
        controls=controls,
        devices=asked.devices,
        accelerator=accelerator,
        files=RunFiles(asked.checkpoint, every, asked.logs, share, progress),
        loss=loss,
    )


def check_search(
    *,
    method: Method | str | None = None,
    preset: str | None = None,
    options: Mapping[str, Any] | None = None,
    arguments: Mapping[str, Any] | None = None,
    training: Training | Mapping[str, Any] | None = None,
    policy: Policy | Mapping[str, Any] | None = None,
    model: str | None = None,
    seed: int = 0,
    **_rest: Any,
) -> None:
    """Refuse what `search` would refuse before it looks at data: names, and settings out of their limits."""
    verbs.Search(seed=seed)
    known = None if preset is None else find_preset(preset)
    _settings(known, method, options, training, policy)
    if model is not None:
        resolved_arguments(model, {"inputs": [1, 32, 32], "classes": 10, **(arguments or {})})


def choices() -> tuple[Section, ...]:
    """What `search` knows by name, and in a line what each is: methods, models, presets."""
    methods = ((name, _first_line(sys.modules[kind.__module__])) for name, kind in METHODS.items())
    models = ((name, _first_line(build)) for name, build in ARCHITECTURES.items())
    presets = ((name, f"{found.source}; {found.model} on {found.data}") for name, found in PRESETS.items())
    named = (("methods", methods), ("models", models), ("presets", presets))
    return tuple(Section(title, tuple(Row(name, text) for name, text in rows)) for title, rows in named)


def _first_line(documented: Any) -> str:
    """Of what is written about a module or a function, its first paragraph."""
    paragraph, _, _ = cleandoc(documented.__doc__ or "").partition("\n\n")
    return " ".join(paragraph.replace("*", "").split())


def _settings(
    known: Preset | None,
    method: Method | str | None,
    options: Mapping[str, Any] | None,
    training: Training | Mapping[str, Any] | None,
    policy: Policy | Mapping[str, Any] | None,
) -> tuple[Method, Training, Policy]:
    """The method with its settings, of a preset where nothing else is said; its training and its policy likewise."""
    if method is None:
        method = known.method if known else _unsaid("method")
    _, chosen = method_of(method, {**(known.options if known else {}), **(options or {})})
    how = _changed(known.training if known else chosen.training, training, "training")
    return chosen, how, _changed(known.policy if known else chosen.policy, policy, "policy")


def _unsaid(name: str) -> str:
    return verbs.arguments(verbs.Search)[name].unsaid


def _changed(own: Any, said: Any, what: str) -> Any:
    """Settings with those that were said put in; the numbers a schedule depends on stay consistent."""
    if said is None or not isinstance(said, Mapping):
        return own if said is None else said
    known = [part.name for part in fields(own)]
    for name in said:
        _arguments.one_of(name, known, f"setting of the {what}")
    return replace(own, **{name: tuple(v) if isinstance(v, list) else v for name, v in said.items()})
